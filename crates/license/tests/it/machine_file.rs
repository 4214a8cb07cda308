//! Machine files, held to their vectors: our own, and one that another issuer made.

mod writer;

use base64ct::{Base64, Encoding};
use chancery_license::machine_file::block::Block;
use chancery_license::machine_file::{
    Expected, MachineFile, MachineFileError, Standing, issue_plaintext, open,
};
use chancery_license::{Plan, PublicKey, SigningKey};
use chancery_time::Timestamp;
use serde_json::{Value, json};

use crate::vector::{Vector, hold};
use writer::{FOREIGN, FORMAT, Writer, bytes_of_hex, plaintext, vector};

#[test]
fn the_vectors_hold() {
    let vectors = Vector::all(FORMAT);
    assert!(!vectors.is_empty());
    for vector in vectors {
        let opened = opened(&vector);
        let found = match &opened {
            Ok(file) if file.standing() == Standing::Valid => "valid",
            Ok(_) => "grace",
            Err(error) => error.class(),
        };
        assert_eq!(found, vector.value("expect"), "{}: {opened:?}", vector.name);
    }
}

#[test]
fn the_vectors_are_what_the_code_makes() {
    let made = [accepted(), envelopes(), claims()].concat();
    hold(FORMAT, made);
}

/// Another issuer's file verifies; its plaintext, sealed with its seed and nonce, is the same file to the byte.
#[test]
fn a_foreign_file_verifies_and_is_issued_again_to_the_byte() {
    let [vector] = Vector::all(FOREIGN).try_into().unwrap();
    let file = opened(&vector).unwrap();
    let contents = file.contents();
    assert_eq!((contents.kid.as_str(), file.standing()), (vector.value("key_id"), Standing::Valid));
    assert_eq!(contents.machine.metadata.as_str(), r#"{"issuer":"license_seat-ruby"}"#);
    let license = contents.license.as_ref().unwrap();
    assert_eq!((license.plan_key.as_str(), license.entitlements.len()), ("pro", 2));

    let (license_key, fingerprint) = (vector.value("license_key"), vector.value("fingerprint"));
    let plaintext = writer::decrypted(&vector.artefact, license_key, fingerprint);
    let seed = bytes_of_hex(vector.value("seed")).try_into().unwrap();
    let key = SigningKey::from_ed25519_seed(&seed).unwrap();
    assert_eq!(Base64::encode_string(&key.public().to_ed25519().unwrap()), vector.value("public_key"));
    let nonce = Base64::decode_vec(vector.value("nonce")).unwrap().try_into().unwrap();
    let issued = issue_plaintext(&plaintext, license_key, &key, nonce).unwrap();
    assert_eq!(issued.certificate, vector.artefact);
    assert_eq!(issued.ttl_seconds().to_string(), vector.value("ttl"));
    assert_eq!(issued.issued.to_string(), vector.value("issued"));
    assert_eq!(issued.expires.to_string(), vector.value("expires"));
}

fn opened(vector: &Vector) -> Result<MachineFile, MachineFileError> {
    let key = |raw: &str| {
        let raw = Base64::decode_vec(raw).unwrap().try_into().unwrap();
        PublicKey::from_ed25519(&raw).unwrap()
    };
    let expected = Expected {
        license_key: vector.value("license_key"),
        fingerprint: vector.value("fingerprint"),
        product_slug: vector.value("product"),
        keys: &[(vector.value("key_id").to_owned(), key(vector.value("public_key")))],
        now: vector.value("now").parse().unwrap(),
        watermark: vector.optional("watermark").map(|text| text.parse().unwrap()),
    };
    open(&vector.artefact, &expected)
}

/// Metadata that licenses an installation of `chancery`, beside something of the vendor's.
fn licensing() -> Value {
    json!({
        "contract": 7,
        "chancery": {
            "id": "lic-7",
            "serial": 12,
            "plan": "pro",
            "holder": { "organisation": "Example Ltd", "email": "ops@example.com" },
            "after_grace": "renewals_only",
            "clock_tolerance_hours": 24,
            "entitlements": Plan::Pro.entitlements(),
        },
    })
}

#[test]
fn a_vector_licenses_an_installation() {
    let vectors = Vector::all(FORMAT);
    let licenses = |vector: &&Vector| opened(vector).is_ok_and(|file| Block::of(file.contents()).is_ok());
    let [vector] = vectors.iter().filter(licenses).collect::<Vec<_>>()[..] else {
        panic!("one of them does")
    };
    let file = opened(vector).unwrap();
    let terms = Block::of(file.contents()).unwrap().terms(file.contents());
    assert_eq!((terms.id.as_str(), terms.edition.serial), ("lic-7", 12));
    assert_eq!(
        (terms.expires, terms.grace_ends()),
        (instant("2026-07-01T00:00:00Z"), instant("2026-07-08T00:00:00Z"))
    );
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn accepted() -> Vec<Vector> {
    let writer = Writer::default();
    let plain = writer.file(&plaintext());
    let at = |name, expect, now| vector(name, expect, &[("now", now)], &plain);
    let altered = |alter: fn(&mut Value)| {
        let mut plaintext = plaintext();
        alter(&mut plaintext);
        writer.file(&plaintext)
    };
    vec![
        vector("valid", "valid", &[], &plain),
        vector("valid-with-crlf", "valid", &[], &format!("\r\n{}\r\n", plain.replace('\n', "\r\n"))),
        vector(
            "valid-without-the-licence",
            "valid",
            &[],
            &altered(|plaintext| plaintext["included"] = json!([])),
        ),
        vector(
            "valid-without-an-end",
            "valid",
            &[],
            &altered(|plaintext| {
                plaintext["meta"]["license_exp"] = Value::Null;
                plaintext["included"][0]["attributes"]["ends_at"] = Value::Null;
            }),
        ),
        vector(
            "valid-from-an-sdk",
            "valid",
            &[],
            &altered(|plaintext| plaintext["meta"]["sdk_version"] = json!("1.4.0")),
        ),
        vector(
            "valid-for-an-installation",
            "valid",
            &[],
            &altered(|plaintext| plaintext["included"][0]["attributes"]["metadata"] = licensing()),
        ),
        at("valid-last-second", "valid", "2026-06-30T23:59:59Z"),
        at("valid-clock-behind-issue", "valid", "2026-05-31T23:55:00Z"),
        at("clock-far-behind-issue", "issued_in_the_future", "2026-05-31T23:54:59Z"),
        at("grace", "grace", "2026-07-01T00:00:00Z"),
        at("grace-last-second", "grace", "2026-07-07T23:59:59Z"),
        at("expired", "expired", "2026-07-08T00:00:00Z"),
        vector(
            "outlived-licence",
            "license_expired",
            &[("now", "2026-07-02T00:00:00Z")],
            &altered(|plaintext| {
                plaintext["meta"]["license_exp"] = json!(1_782_950_400);
                plaintext["included"][0]["attributes"]["ends_at"] = json!("2026-07-02T00:00:00Z");
            }),
        ),
        vector(
            "not-yet-valid",
            "not_yet_valid",
            &[],
            &altered(|plaintext| plaintext["meta"]["nbf"] = json!(1_782_000_000)),
        ),
        vector("clock-set-back", "clock_set_back", &[("watermark", "2026-06-14T13:28:01Z")], &plain),
        vector("clock-hardly-set-back", "valid", &[("watermark", "2026-06-14T13:28:00Z")], &plain),
        vector(
            "expired-by-the-watermark",
            "expired",
            &[("now", "2026-07-07T23:58:00Z"), ("watermark", "2026-07-08T00:00:00Z")],
            &plain,
        ),
        vector("foreign-machine", "decryption_failed", &[("fingerprint", "machine-0002")], &plain),
        vector(
            "other-licence",
            "decryption_failed",
            &[("license_key", "CRT-000000-000000-000000-000000-00001Y")],
            &plain,
        ),
        // Joined, licence key and fingerprint are the same text.
        vector(
            "key-and-fingerprint-shifted",
            "claims",
            &[("license_key", "CRT-000000-000000-000000-000000-00000"), ("fingerprint", "0machine-0001")],
            &plain,
        ),
        vector("wrong-product", "wrong_product", &[("product", "other")], &plain),
    ]
}

fn envelopes() -> Vec<Vector> {
    let writer = Writer::default();
    let enc = writer.enc(plaintext().to_string().as_bytes());
    let sig = writer.sig(&enc);
    let (kid, alg) = (writer.kid.as_str(), "aes-256-gcm+ed25519");
    let envelope = |enc: &str, sig: &str, alg: &str, kid: &str| {
        format!(r#"{{"enc":"{enc}","sig":"{sig}","alg":"{alg}","kid":"{kid}"}}"#)
    };
    let whole = envelope(&enc, &sig, alg, kid);
    let plain = writer::armour(&whole);
    let flipped = |text: &str| {
        let (first, rest) = text.split_at(1);
        format!("{}{rest}", if first == "A" { "B" } else { "A" })
    };
    let altered_enc = envelope(&flipped(&enc), &sig, alg, kid);
    let altered_sig = envelope(&enc, &flipped(&sig), alg, kid);
    let stranger = Writer { key: SigningKey::from_ed25519_seed(&[9; 32]).unwrap(), ..Writer::default() };
    let by_stranger = envelope(&enc, &stranger.sig(&enc), alg, kid);
    // A signature by the same key over the same text without what marks a machine file.
    let unmarked = writer.signed(enc.as_bytes());
    let parts: Vec<&str> = enc.split('.').collect();
    let resigned = |enc: &str| envelope(enc, &writer.sig(enc), alg, kid);
    let short_nonce = resigned(&format!("{}.AAAA.{}", parts[0], parts[2]));
    let short_tag = resigned(&format!("{}.{}.AAAA", parts[0], parts[1]));
    let two_parts = resigned(&format!("{}.{}", parts[0], parts[1]));
    let other_tag = resigned(&format!("{}.{}.{}", parts[0], parts[1], flipped(parts[2])));
    let without = |member: &str| whole.replacen(member, "", 1);
    [
        ("armour-other-label", "armour", plain.replace("MACHINE FILE", "LICENSE FILE")),
        ("armour-cut-off", "armour", plain.lines().take(6).map(|line| format!("{line}\n")).collect()),
        ("armour-text-before", "armour", format!("Dear customer,\n{plain}")),
        ("armour-text-after", "armour", format!("{plain}\nRegards")),
        ("armour-one-long-line", "armour", writer::armour_of_lines(&whole, 10_000)),
        ("armour-base64-unpadded", "armour", plain.replace('=', "")),
        ("envelope-not-json", "envelope", writer::armour("enc")),
        ("envelope-as-array", "envelope", writer::armour(&format!("[{whole}]"))),
        ("envelope-without-kid", "envelope", writer::armour(&without(&format!(r#","kid":"{kid}""#)))),
        ("envelope-member-unknown", "envelope", writer::armour(&whole.replace('}', r#","v":2}"#))),
        (
            "envelope-member-twice",
            "envelope",
            writer::armour(&whole.replace('}', &format!(r#","kid":"{kid}"}}"#))),
        ),
        (
            "envelope-in-another-order",
            "envelope",
            writer::armour(&format!(
                r#"{{"kid":"{kid}",{}}}"#,
                without(&format!(r#","kid":"{kid}""#)).trim_matches(['{', '}'])
            )),
        ),
        ("envelope-with-white-space", "envelope", writer::armour(&whole.replace(r#","sig""#, r#", "sig""#))),
        ("envelope-with-an-escape", "envelope", writer::armour(&whole.replace("ed25519", "ed2551\\u0039"))),
        ("kid-of-another-form", "envelope", writer::armour(&envelope(&enc, &sig, alg, "-key"))),
        ("kid-altered", "unknown_key", writer::armour(&envelope(&enc, &sig, alg, "another-key"))),
        ("algorithm-altered", "algorithm", writer::armour(&envelope(&enc, &sig, "base64+ed25519", kid))),
        ("ciphertext-altered", "bad_signature", writer::armour(&altered_enc)),
        ("signature-altered", "bad_signature", writer::armour(&altered_sig)),
        ("signature-by-another-key", "bad_signature", writer::armour(&by_stranger)),
        ("signature-unmarked", "bad_signature", writer::armour(&envelope(&enc, &unmarked, alg, kid))),
        ("signature-padded", "bad_signature", writer::armour(&envelope(&enc, &format!("{sig}=="), alg, kid))),
        ("nonce-short", "sealed", writer::armour(&short_nonce)),
        ("tag-short", "sealed", writer::armour(&short_tag)),
        ("two-parts", "sealed", writer::armour(&two_parts)),
        ("tag-of-another-text", "decryption_failed", writer::armour(&other_tag)),
    ]
    .into_iter()
    .map(|(name, expect, artefact)| vector(name, expect, &[], &artefact))
    .collect()
}

fn claims() -> Vec<Vector> {
    let writer = Writer::default();
    let text = plaintext().to_string();
    let with = |pointer: &str, value: Value| {
        let mut plaintext = plaintext();
        let (object, name) = pointer.rsplit_once('/').unwrap();
        plaintext.pointer_mut(object).unwrap()[name] = value;
        writer.file(&plaintext)
    };
    let raw = |text: &str| writer.file_of(text.as_bytes());
    let members: serde_json::Map<String, Value> =
        (0..257).map(|number| (number.to_string(), json!(0))).collect();
    let deep = (0..20).fold(json!({}), |inner, _| json!({"a": inner}));
    let metadata = "/data/attributes/metadata";
    let included = "/included/0/attributes";
    [
        ("payload-not-json", "payload", raw("meta")),
        ("payload-trailing", "payload", raw(&format!("{text}{{}}"))),
        ("payload-member-twice", "payload", raw(&text.replacen(r#""lic":"#, r#""lic":"x","lic":"#, 1))),
        ("payload-member-unknown", "payload", with("/meta/new", json!(1))),
        ("payload-version-of-tomorrow", "claims", with("/meta/schema_version", json!(3))),
        ("claim-iat-not-issued", "claims", with("/meta/issued", json!("2026-06-01T00:00:01Z"))),
        ("claim-exp-not-expiry", "claims", with("/meta/expiry", json!("2026-07-01T00:00:01Z"))),
        ("claim-nbf-before-iat", "claims", with("/meta/nbf", json!(1_780_271_999))),
        ("claim-ttl-not-the-difference", "claims", with("/meta/ttl", json!(1))),
        ("claim-grace-of-31-days", "claims", with("/meta/grace_period", json!(2_678_400))),
        ("claim-license-exp-before-iat", "claims", with("/meta/license_exp", json!(1_780_272_000))),
        ("claim-other-licence", "claims", with("/meta/lic", json!("CRT-000000-000000-000000-000000-00001Y"))),
        ("claim-other-kid", "claims", with("/meta/kid", json!("another-key"))),
        (
            "claim-other-related-licence",
            "claims",
            with("/data/relationships/license/data/id", json!("CRT-000000-000000-000000-000000-00001Y")),
        ),
        ("claim-product-no-slug", "claims", with("/data/relationships/product/data/id", json!("My App"))),
        (
            "claim-component-empty",
            "claims",
            with("/data/attributes/fingerprint_components", json!({"a": ""})),
        ),
        ("claim-name-with-a-line-break", "claims", with("/data/attributes/name", json!("a\nb"))),
        ("claim-metadata-null", "claims", with(metadata, Value::Null)),
        ("claim-metadata-of-257-members", "claims", with(metadata, Value::Object(members))),
        ("claim-metadata-21-deep", "claims", with(metadata, deep)),
        (
            "other-fingerprint",
            "wrong_fingerprint",
            with("/data/attributes/fingerprint", json!("machine-0002")),
        ),
        ("included-null", "payload", with("/included", Value::Null)),
        (
            "included-twice",
            "claims",
            with("/included", {
                let entry = plaintext()["included"][0].clone();
                json!([entry, entry])
            }),
        ),
        ("included-suspended", "included_license", with(&format!("{included}/status"), json!("suspended"))),
        (
            "included-of-another-product",
            "included_license",
            with(&format!("{included}/product_slug"), json!("other")),
        ),
        ("included-with-another-end", "included_license", with(&format!("{included}/ends_at"), Value::Null)),
        (
            "included-beginning-later",
            "included_license",
            with(&format!("{included}/starts_at"), json!("2026-06-01T00:00:01Z")),
        ),
        ("included-without-seats", "payload", with(&format!("{included}/seat_limit"), json!(0))),
        (
            "included-entitlement-twice",
            "included_license",
            with(&format!("{included}/entitlements"), {
                let entry = json!({"key": "acme", "expires_at": null});
                json!([entry, entry])
            }),
        ),
    ]
    .into_iter()
    .map(|(name, expect, artefact)| vector(name, expect, &[], &artefact))
    .collect()
}
