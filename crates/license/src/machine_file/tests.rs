use std::collections::BTreeMap;
use std::num::NonZeroU32;

use base64ct::{Base64UrlUnpadded, Encoding};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::armour::ArmourError;
use crate::testing::{at, key};

const LICENSE_KEY: &str = "CRT-000000-000000-000000-000000-000000";
const FINGERPRINT: &str = "machine-0001";
const NONCE: [u8; 12] = [3; 12];

fn contents() -> Contents {
    Contents {
        kid: key(1).public().id().to_string(),
        issued: at("2026-03-01T00:00:00Z"),
        not_before: at("2026-03-01T00:00:00Z"),
        expires: at("2026-04-01T00:00:00Z"),
        grace: Duration::from_secs(86_400),
        license_expires: Some(at("2027-03-01T00:00:00Z")),
        product_slug: "chancery".to_owned(),
        machine: Machine {
            activation_id: "act-1".to_owned(),
            fingerprint: FINGERPRINT.to_owned(),
            fingerprint_components: BTreeMap::from([("platform".to_owned(), "linux".to_owned())]),
            name: Some("Rack 4".to_owned()),
            platform: None,
            created: at("2026-02-01T00:00:00Z"),
            metadata: Metadata::parse("{\"large\":1e+20,\"b\":0.125}").unwrap(),
        },
        license: Some(IncludedLicense {
            mode: Mode::Floating,
            seat_limit: NonZeroU32::new(3),
            plan_key: "pro".to_owned(),
            starts_at: Some(at("2026-03-01T00:00:00Z")),
            entitlements: vec![Entitlement { key: "acme".to_owned(), expires_at: None }],
            metadata: Metadata::default(),
        }),
    }
}

fn keys() -> Vec<(String, PublicKey)> {
    vec![(key(1).public().id().to_string(), key(1).public().clone())]
}

fn open_at(text: &str, now: &str, watermark: Option<&str>) -> Result<MachineFile, MachineFileError> {
    let expected = Expected {
        license_key: LICENSE_KEY,
        fingerprint: FINGERPRINT,
        product_slug: "chancery",
        keys: &keys(),
        now: at(now),
        watermark: watermark.map(at),
    };
    open(text, &expected)
}

fn issued(contents: &Contents) -> String {
    issue(contents, LICENSE_KEY, &key(1), NONCE).unwrap().certificate
}

/// What becomes of the contents of the tests once they were altered.
fn refusal(alter: impl FnOnce(&mut Contents)) -> String {
    let mut contents = contents();
    alter(&mut contents);
    match issue(&contents, LICENSE_KEY, &key(1), NONCE) {
        Ok(issued) => open_at(&issued.certificate, "2026-03-02T00:00:00Z", None).unwrap_err().to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_is_issued_opens_as_it_was() {
    let mut minimal = contents();
    minimal.license_expires = None;
    minimal.license = None;
    minimal.machine.name = None;
    minimal.machine.fingerprint_components.clear();
    for contents in [contents(), minimal] {
        let made = issue(&contents, LICENSE_KEY, &key(1), NONCE).unwrap();
        assert_eq!(
            (made.issued, made.expires, made.ttl_seconds()),
            (contents.issued, contents.expires, 2_678_400)
        );
        assert!(is_one(&made.certificate) && !made.certificate.ends_with('\n'));
        let opened = open_at(&made.certificate, "2026-03-02T00:00:00Z", None).unwrap();
        assert_eq!(opened.contents(), &contents);
        assert_eq!((opened.standing(), opened.signer()), (Standing::Valid, key(1).public().id()));
    }
}

#[test]
fn a_file_is_worth_what_the_time_says() {
    let text = issued(&contents());
    let until = at("2026-04-02T00:00:00Z");
    for (now, watermark, expected) in [
        ("2026-02-28T23:55:00Z", None, Ok(Standing::Valid)),
        ("2026-02-28T23:54:59Z", None, Err("issued_in_the_future")),
        ("2026-03-31T23:59:59Z", None, Ok(Standing::Valid)),
        ("2026-04-01T00:00:00Z", None, Ok(Standing::Grace { until })),
        ("2026-04-01T23:59:59Z", None, Ok(Standing::Grace { until })),
        ("2026-04-02T00:00:00Z", None, Err("expired")),
        // What has been seen before counts against the clock, and the skew helps with nothing else.
        ("2026-03-31T23:59:59Z", Some("2026-04-01T00:00:00Z"), Ok(Standing::Grace { until })),
        ("2026-04-01T23:58:00Z", Some("2026-04-02T00:00:00Z"), Err("expired")),
        ("2026-03-10T00:00:00Z", Some("2026-03-10T00:05:00Z"), Ok(Standing::Valid)),
        ("2026-03-10T00:00:00Z", Some("2026-03-10T00:05:01Z"), Err("clock_set_back")),
    ] {
        let found = open_at(&text, now, watermark);
        let found = found.map(|file| file.standing()).map_err(|error| error.class());
        assert_eq!(found, expected, "{now} {watermark:?}");
    }
}

#[test]
fn the_end_of_the_licence_always_wins() {
    let mut contents = contents();
    contents.license_expires = Some(at("2026-04-01T12:00:00Z"));
    let text = issued(&contents);
    let standing = |now| open_at(&text, now, None).map(|file| file.standing()).map_err(|error| error.class());
    let until = at("2026-04-01T12:00:00Z");
    assert_eq!(standing("2026-04-01T11:59:59Z"), Ok(Standing::Grace { until }));
    assert_eq!(standing("2026-04-01T12:00:00Z"), Err("license_expired"));
    contents.license_expires = Some(at("2026-03-31T23:59:59Z"));
    assert_eq!(issue(&contents, LICENSE_KEY, &key(1), NONCE), Err(IssueError::OutlivesLicense));
}

#[test]
fn a_file_that_begins_later_is_refused_until_then() {
    let mut contents = contents();
    contents.not_before = at("2026-03-05T00:00:00Z");
    let text = issued(&contents);
    assert!(open_at(&text, "2026-03-04T23:55:00Z", None).is_ok());
    assert_eq!(open_at(&text, "2026-03-04T23:54:59Z", None).unwrap_err().class(), "not_yet_valid");
}

#[test]
fn what_nobody_could_open_is_not_issued() {
    let long = |length| "x".repeat(length);
    for (found, part) in [
        (refusal(|contents| contents.kid = "no id".to_owned()), "kid is"),
        (refusal(|contents| contents.not_before = at("2026-02-28T00:00:00Z")), "nbf is not before iat"),
        (refusal(|contents| contents.not_before = contents.expires), "exp is after nbf"),
        (refusal(|contents| contents.expires = contents.issued), "exp is after nbf"),
        (refusal(|contents| contents.expires = at("2036-03-01T00:00:00Z")), "at most 3,650 days"),
        (refusal(|contents| contents.grace = Duration::from_secs(2_592_001)), "grace_period is 0"),
        (refusal(|contents| contents.product_slug = "My App".to_owned()), "product.data.id is"),
        (refusal(|contents| contents.machine.activation_id.clear()), "id is 1 to 255"),
        (refusal(|contents| contents.machine.fingerprint = long(256)), "fingerprint is 8 to 255"),
        (refusal(|contents| contents.machine.name = Some(String::new())), "device_name is"),
        (refusal(|contents| contents.machine.platform = Some(long(101))), "platform is"),
        (
            refusal(|contents| {
                contents.machine.fingerprint_components.insert("a".to_owned(), long(1_025));
            }),
            "fingerprint_components has values",
        ),
        (refusal(|contents| license_of(contents).plan_key.clear()), "included licence: plan_key is"),
        (
            refusal(|contents| license_of(contents).starts_at = Some(at("2026-03-01T00:00:01Z"))),
            "included licence: starts_at is not after",
        ),
        (
            refusal(|contents| {
                let twice = license_of(contents).entitlements[0].clone();
                license_of(contents).entitlements.push(twice);
            }),
            "included licence: entitlements names nothing twice",
        ),
    ] {
        assert!(found.contains(part), "{found}");
    }
    let issue_with = |license_key| issue(&contents(), license_key, &key(1), NONCE).unwrap_err().to_string();
    assert!(issue_with("").contains("license_key is 1 to 512"));
    assert!(issue_with(&long(513)).contains("license_key is 1 to 512"));
    let rsa = SigningKey::from_pem(include_str!("../../trust/dev/jwt-signing-key.pem")).unwrap();
    assert_eq!(issue(&contents(), LICENSE_KEY, &rsa, NONCE), Err(IssueError::NotEd25519(rsa.public().id())));
}

fn license_of(contents: &mut Contents) -> &mut IncludedLicense {
    contents.license.as_mut().unwrap()
}

#[test]
fn the_largest_contents_within_the_limits_fit_into_a_file() {
    // Two texts, since one alone may not be that long.
    let half = "x".repeat(limits::MAX_METADATA_BYTES / 2 - 8);
    let metadata = format!("{{\"a\":\"{half}\",\"b\":\"{half}\"}}");
    assert!(metadata.len() > limits::MAX_METADATA_BYTES - 4);
    let metadata = Metadata::parse(&metadata).unwrap();
    // A quotation mark is two bytes of JSON.
    let quotes = |length| "\"".repeat(length);
    let mut contents = contents();
    contents.machine.fingerprint = quotes(255);
    contents.machine.name = Some(quotes(255));
    contents.machine.metadata = metadata.clone();
    let component = |number: usize| (format!("{number:02}{}", quotes(98)), quotes(1_024));
    contents.machine.fingerprint_components = (0..limits::MAX_COMPONENTS).map(component).collect();
    license_of(&mut contents).metadata = metadata;
    let entitlement =
        |number: usize| Entitlement { key: format!("{number:0100}"), expires_at: Some(Timestamp::MAX) };
    license_of(&mut contents).entitlements = (0..limits::MAX_ENTITLEMENTS).map(entitlement).collect();
    let key_of_512 = quotes(512);
    let made = issue(&contents, &key_of_512, &key(1), NONCE).unwrap();
    let expected = Expected {
        license_key: &key_of_512,
        fingerprint: &contents.machine.fingerprint,
        product_slug: "chancery",
        keys: &keys(),
        now: contents.issued,
        watermark: None,
    };
    assert_eq!(open(&made.certificate, &expected).unwrap().contents(), &contents);
}

/// The plaintext of the contents of the tests, altered.
fn plaintext(alter: impl FnOnce(&mut Value)) -> Vec<u8> {
    let plaintext = Payload::write(&contents(), LICENSE_KEY).unwrap();
    let mut plaintext = serde_json::from_slice(&plaintext).unwrap();
    alter(&mut plaintext);
    plaintext.to_string().into_bytes()
}

#[test]
fn members_may_stand_in_any_order_and_none_may_be_added_or_left_out() {
    // A map of serde_json sorts its members.
    let sorted = plaintext(|_| {});
    let made = issue_plaintext(&sorted, LICENSE_KEY, &key(1), NONCE).unwrap();
    let opened = open_at(&made.certificate, "2026-03-02T00:00:00Z", None).unwrap();
    let mut expected = contents();
    expected.machine.metadata = opened.contents().machine.metadata.clone();
    assert_eq!(opened.contents(), &expected);

    let refused = |alter: &dyn Fn(&mut Value)| {
        let refused = issue_plaintext(&plaintext(alter), LICENSE_KEY, &key(1), NONCE).unwrap_err();
        match refused {
            IssueError::MachineFile(error) => error.class(),
            other => panic!("{other}"),
        }
    };
    let objects = ["", "/meta", "/data", "/data/attributes", "/data/relationships", "/included/0"];
    let objects = objects.into_iter().chain([
        "/data/relationships/license",
        "/data/relationships/license/data",
        "/included/0/attributes",
        "/included/0/attributes/entitlements/0",
    ]);
    for object in objects {
        let members =
            |plaintext: &mut Value| plaintext.pointer_mut(object).unwrap().as_object().unwrap().clone();
        let mut whole = serde_json::from_slice(&plaintext(|_| {})).unwrap();
        let names: Vec<String> = members(&mut whole).into_iter().map(|(name, _)| name).collect();
        let added = refused(&|plaintext| plaintext.pointer_mut(object).unwrap()["new"] = json!(1));
        assert_eq!(added, "payload", "{object}");
        for name in names.iter().filter(|name| *name != "included") {
            let without = refused(&|plaintext| {
                plaintext.pointer_mut(object).unwrap().as_object_mut().unwrap().remove(name);
            });
            assert_eq!(without, "payload", "{object}/{name}");
        }
    }
    let without = plaintext(|plaintext| drop(plaintext.as_object_mut().unwrap().remove("included")));
    assert!(issue_plaintext(&without, LICENSE_KEY, &key(1), NONCE).is_ok());
    let noted = plaintext(|plaintext| plaintext["meta"]["sdk_version"] = json!("1.0"));
    assert!(issue_plaintext(&noted, LICENSE_KEY, &key(1), NONCE).is_ok());
}

#[test]
fn each_claim_has_its_rule() {
    for (pointer, value, class) in [
        ("/meta/schema_version", json!(3), "claims"),
        ("/meta/iat", json!(1), "claims"),
        ("/meta/exp", json!(1), "claims"),
        ("/meta/ttl", json!(1), "claims"),
        ("/meta/ttl", json!(2_678_400.0), "payload"),
        ("/meta/lic", json!("CRT"), "claims"),
        ("/meta/license_exp", json!(1), "claims"),
        ("/meta/license_exp", json!(i64::MAX), "claims"),
        ("/meta/sdk_version", json!(""), "claims"),
        ("/meta/sdk_version", Value::Null, "payload"),
        ("/meta/issued", json!("2026-03-01T00:00:00.0Z"), "payload"),
        ("/data/type", json!("machine"), "claims"),
        ("/data/attributes/metadata", Value::Null, "claims"),
        ("/data/attributes/metadata", json!({"": 1}), "claims"),
        ("/data/attributes/fingerprint_components", json!({"a": 1}), "payload"),
        ("/data/relationships/license/data/type", json!("license"), "claims"),
        ("/data/relationships/license/data/id", json!("CRT"), "claims"),
        ("/data/relationships/product/data/type", json!("product"), "claims"),
        ("/included", Value::Null, "payload"),
        ("/included/0/type", json!("license"), "included_license"),
        ("/included/0/id", json!("CRT"), "included_license"),
        ("/included/0/attributes/key", json!("CRT"), "included_license"),
        ("/included/0/attributes/status", json!("suspended"), "included_license"),
        ("/included/0/attributes/mode", json!("open"), "included_license"),
        ("/included/0/attributes/seat_limit", json!(0), "payload"),
        ("/included/0/attributes/product_slug", json!("other"), "included_license"),
        ("/included/0/attributes/ends_at", Value::Null, "included_license"),
        ("/included/0/attributes/metadata", json!([]), "included_license"),
    ] {
        let plaintext = plaintext(|plaintext| {
            let (object, name) = pointer.rsplit_once('/').unwrap();
            plaintext.pointer_mut(object).unwrap()[name] = value.clone();
        });
        match issue_plaintext(&plaintext, LICENSE_KEY, &key(1), NONCE) {
            Err(IssueError::MachineFile(error)) => assert_eq!(error.class(), class, "{pointer}: {error}"),
            other => panic!("{pointer}: {other:?}"),
        }
    }
    let twice = plaintext(|plaintext| {
        let entry = plaintext["included"][0].clone();
        plaintext["included"].as_array_mut().unwrap().push(entry);
    });
    let refused = issue_plaintext(&twice, LICENSE_KEY, &key(1), NONCE).unwrap_err();
    assert!(refused.to_string().contains("included has at most one entry"), "{refused}");
}

/// A file of that `enc`, signed whatever it is.
fn signed(enc: &str) -> String {
    let signature = key(1).sign(format!("machine/{enc}").as_bytes()).unwrap();
    let envelope = format!(
        r#"{{"enc":"{enc}","sig":"{}","alg":"{ALGORITHM}","kid":"{}"}}"#,
        Base64UrlUnpadded::encode_string(&signature),
        key(1).public().id()
    );
    armour::encode(LABEL, envelope.as_bytes())
}

#[test]
fn the_key_and_the_fingerprint_are_told_apart_though_they_are_joined() {
    let plaintext = Payload::write(&contents(), LICENSE_KEY).unwrap();
    let secret = encryption_key(LICENSE_KEY, FINGERPRINT);
    let (text, tag) = aes_gcm::seal(&secret, NONCE, &plaintext).unwrap();
    let part = Base64UrlUnpadded::encode_string;
    let file = signed(&format!("{}.{}.{}", part(&text), part(&NONCE), part(&tag)));
    let (license_key, rest) = LICENSE_KEY.split_at(30);
    let fingerprint = [rest, FINGERPRINT].concat();
    let expected = Expected {
        license_key,
        fingerprint: &fingerprint,
        product_slug: "chancery",
        keys: &keys(),
        now: at("2026-03-02T00:00:00Z"),
        watermark: None,
    };
    // The same encryption key, and the contents say better.
    assert_eq!(open(&file, &expected).unwrap_err().to_string(), "the contents: lic is the licence key");
}

#[test]
fn what_is_signed_is_looked_at_only_then() {
    for (enc, rule) in [
        ("", "enc is three parts"),
        ("AAAA.AAAA", "enc is three parts"),
        ("AAAA.AAAA.AAAA.AAAA", "enc is three parts"),
        ("AAA=.AAAA.AAAA", "enc is three parts"),
        ("AAAA.AAAA.AAAA", "the nonce has 12 bytes"),
        ("AAAA.AAAAAAAAAAAAAAAA.AAAA", "the tag has 16 bytes"),
    ] {
        let refused = open_at(&signed(enc), "2026-03-02T00:00:00Z", None).unwrap_err();
        assert_eq!(refused.class(), "sealed");
        assert!(refused.to_string().contains(rule), "{enc}: {refused}");
    }
    let long = format!("{}.AAAAAAAAAAAAAAAA.{}", "AAAA".repeat(174_763), "A".repeat(22));
    let refused = open_at(&signed(&long), "2026-03-02T00:00:00Z", None).unwrap_err();
    assert_eq!(refused.to_string(), "the encrypted part: the ciphertext has at most 512 KiB");
}

#[test]
fn an_envelope_has_one_form() {
    let whole = |envelope: &str| armour::encode(LABEL, envelope.as_bytes());
    let class = |envelope: &str| open_at(&whole(envelope), "2026-03-02T00:00:00Z", None).unwrap_err().class();
    let (enc, sig, alg) = (r#""enc":"A""#, r#""sig":"A""#, r#""alg":"aes-256-gcm+ed25519""#);
    for (envelope, expected) in [
        (format!(r#"{{{enc},{sig},{alg},"kid":"k"}}"#), "unknown_key"),
        (format!(r#"{{{enc},{sig},"alg":"none","kid":"k"}}"#), "algorithm"),
        (format!(r#"{{{enc},{sig},{alg},"kid":""}}"#), "envelope"),
        (format!(r#"{{{sig},{enc},{alg},"kid":"k"}}"#), "envelope"),
        (format!(r#"{{{enc},{sig},{alg},"kid":"k"}} "#), "envelope"),
        (format!(r#"{{{enc}, {sig},{alg},"kid":"k"}}"#), "envelope"),
        (format!(r#"{{{enc},{sig},{alg},"kid":"\u006b"}}"#), "envelope"),
        (format!(r#"{{{enc},{sig},{alg},"kid":"k","kid":"k"}}"#), "envelope"),
        (format!(r#"{{{enc},{sig},{alg},"kid":"k","v":2}}"#), "envelope"),
        (format!(r#"{{{enc},{sig},{alg}}}"#), "envelope"),
        ("[]".to_owned(), "envelope"),
    ] {
        assert_eq!(class(&envelope), expected, "{envelope:.100}");
    }
    let refused = open_at("-----BEGIN MACHINE FILE-----", "2026-03-02T00:00:00Z", None);
    assert_eq!(refused, Err(MachineFileError::Armour(ArmourError::End(LABEL))));
}

#[test]
fn nothing_longer_than_any_file_is_looked_at() {
    let max = 1_024 * 1_024;
    let class = |length| open_at(&"-".repeat(length), "2026-03-02T00:00:00Z", None).unwrap_err().class();
    assert_eq!((class(max), class(max + 1)), ("armour", "too_large"));
}

proptest! {
    #[test]
    fn a_file_with_one_bit_flipped_opens_no_longer(place: prop::sample::Index, bit in 0..7_u32) {
        let text = issued(&contents());
        let mut bytes = text.clone().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let flipped = String::from_utf8(bytes).unwrap();
        prop_assert!(open_at(&flipped, "2026-03-02T00:00:00Z", None).is_err());
    }

    #[test]
    fn no_text_makes_it_panic(text in "(-----BEGIN MACHINE FILE-----\n)?[A-Za-z0-9+/]{0,64}(\n-----END MACHINE FILE-----)?") {
        let _ = open_at(&text, "2026-03-02T00:00:00Z", None);
    }
}

/// What an installation judges beside other documents is read whatever the time, and by nothing less than `open`.
#[test]
fn reading_leaves_the_time_to_the_caller_and_nothing_else() {
    let text = issued(&contents());
    let keys = keys();
    let identity = Identity {
        license_key: LICENSE_KEY,
        fingerprint: FINGERPRINT,
        product_slug: "chancery",
        keys: &keys,
    };
    let unjudged = read(&text, &identity).unwrap();
    assert_eq!((unjudged.contents, unjudged.signer), (contents(), key(1).public().id()));
    assert_eq!(signer(&text, &keys), Ok(key(1).public().id()));

    let stranger = [(keys[0].0.clone(), key(2).public().clone())];
    let another_key = LICENSE_KEY.replace("CRT-0", "CRT-1");
    for (text, identity, class, reason) in [
        (
            &text,
            Identity { fingerprint: "machine-0002", ..identity },
            "decryption_failed",
            "wrong_installation",
        ),
        (
            &text,
            Identity { license_key: &another_key, ..identity },
            "decryption_failed",
            "wrong_installation",
        ),
        (&text, Identity { product_slug: "other", ..identity }, "wrong_product", "wrong_product"),
        (&text, Identity { keys: &[], ..identity }, "unknown_key", "unknown_key"),
        (&text, Identity { keys: &stranger, ..identity }, "bad_signature", "bad_signature"),
        (&String::new(), identity, "armour", "malformed"),
    ] {
        let refused = read(text, &identity).unwrap_err();
        assert_eq!((refused.class(), refused.reason().unwrap().name()), (class, reason));
    }
    // Whoever signed it can be told without either secret, and only of a file that is sound.
    assert_eq!(signer(&text, &[]).unwrap_err().class(), "unknown_key");
    assert_eq!(signer(&text, &stranger).unwrap_err().class(), "bad_signature");
    let expired = MachineFileError::Expired { until: at("2026-04-02T00:00:00Z") };
    assert_eq!(expired.reason(), None);
}
