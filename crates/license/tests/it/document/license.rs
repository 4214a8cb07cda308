//! The vectors of licences.

use base64ct::{Base64, Encoding};
use chancery_license::SigningKey;
use serde_json::{Value, json};

use super::writer::*;
use crate::vector::Vector;

pub(super) fn accepted() -> Vec<Vector> {
    let plain = signed(LICENSE, LICENSE_TYPE, &license().to_string(), &dev());
    let minimal = altered(|body| {
        for name in [
            "installation_key",
            "grace_days",
            "after_grace",
            "clock_tolerance_hours",
            "newest_build",
            "minimum_version",
        ] {
            body.as_object_mut().unwrap().remove(name);
        }
    });
    let revoking = |licenses: Value, serials: Value| {
        let mut list = revocations();
        list["body"]["licenses"] = licenses;
        list["body"]["serials"] = serials;
        signed(REVOCATIONS, REVOCATIONS_TYPE, &list.to_string(), &dev())
    };
    let entry = |what: Value| json!([{"what": what, "at": "2026-02-01T00:00:00Z", "reason": "unpaid"}]);
    let by_id = revoking(entry(json!("lic-0001")), json!([]));
    let by_serial = revoking(json!([]), entry(json!(41)));
    let unconcerned = revoking(entry(json!("lic-0002")), entry(json!(40)));
    let other_installation = "INST-000000-000000-000000-000000-000000";
    [
        ("valid", "valid", vec![], plain.clone()),
        ("valid-minimal", "valid", vec![("installation", other_installation)], minimal.clone()),
        ("valid-last-second", "valid", vec![("now", "2026-12-31T23:59:59Z")], plain.clone()),
        ("valid-with-crlf", "valid", vec![], format!("\r\n{}\r\n", plain.replace('\n', "\r\n"))),
        ("valid-not-on-the-list", "valid", vec![], format!("{unconcerned}{plain}")),
        ("grace", "grace", vec![("now", "2027-01-14T23:59:59Z")], plain.clone()),
        ("grace-by-default", "expired", vec![("now", "2027-01-08T00:00:00Z")], minimal),
        ("expired", "expired", vec![("now", "2027-01-15T00:00:00Z")], plain.clone()),
        (
            "not-yet-valid",
            "not_yet_valid",
            vec![],
            altered(|body| body["not_before"] = json!("2026-12-01T00:00:00Z")),
        ),
        ("revoked-by-id", "revoked", vec![], format!("{by_id}{plain}")),
        ("revoked-by-serial", "revoked", vec![], format!("{by_serial}{plain}")),
        (
            "wrong-installation",
            "wrong_installation",
            vec![("installation", other_installation)],
            plain.clone(),
        ),
        (
            "too-new-for-build",
            "too_new_for_build",
            vec![("build", "1.9.9")],
            altered(|body| body["minimum_version"] = json!("1.10.0")),
        ),
        ("build-not-covered", "build_not_covered", vec![("built", "2027-01-01T00:00:01Z")], plain),
    ]
    .into_iter()
    .map(|(name, expect, changes, artefact)| lic(name, expect, &changes, &artefact))
    .collect()
}

pub(super) fn armours() -> Vec<Vector> {
    let plain = signed(LICENSE, LICENSE_TYPE, &license().to_string(), &dev());
    let lines: Vec<&str> = plain.lines().collect();
    let base64 = lines[1..lines.len() - 1].concat();
    let envelope = String::from_utf8(Base64::decode_vec(&base64).unwrap()).unwrap();
    // Spaces after the envelope bring it to a length whose base64 ends in padding.
    let spaced = |spaces| Base64::encode_string(format!("{envelope}{}", " ".repeat(spaces)).as_bytes());
    let padded = (1..4).map(spaced).find(|base64| base64.ends_with("IA==")).unwrap();
    let second_spelling = padded.replace("IA==", "IB==");
    [
        ("text-before", format!("Dear customer,\n{plain}")),
        ("text-after", format!("{plain}Regards\n")),
        ("cut-off", plain[..plain.len() / 2].to_owned()),
        ("other-label", plain.replace(LICENSE, "LICENSE")),
        ("one-long-line", format!("-----BEGIN {LICENSE}-----\n{base64}\n-----END {LICENSE}-----\n")),
        ("empty-line", plain.replacen("-----\n", "-----\n\n", 1)),
        ("base64-unused-bits", armour(LICENSE, &second_spelling)),
        ("base64-unpadded", armour(LICENSE, padded.trim_end_matches('='))),
        ("envelope-twice", armoured(LICENSE, &envelope.repeat(2))),
    ]
    .into_iter()
    .map(|(name, artefact)| lic(&format!("armour-{name}"), "malformed", &[], &artefact))
    .collect()
}

pub(super) fn signatures() -> Vec<Vector> {
    let text = license().to_string();
    let good = signature(&dev(), LICENSE_TYPE, &text);
    let with = |signatures: &[Value]| armoured(LICENSE, &envelope(LICENSE_TYPE, &text, signatures));
    let mut flipped = good.clone();
    flipped["sig"] = json!(flip(good["sig"].as_str().unwrap()));
    let mut unreduced = good.clone();
    unreduced["sig"] = json!(add_group_order(good["sig"].as_str().unwrap()));
    let mut by_name = signature(&seeded(9), LICENSE_TYPE, &text);
    by_name["keyid"] = good["keyid"].clone();
    let stranger = signature(&seeded(9), LICENSE_TYPE, &text);
    let post_quantum =
        json!({"keyid": "ml-dsa-65:0123456789abcdef", "sig": Base64::encode_string(&[7; 3_309])});
    let rsa = SigningKey::from_pem(include_str!("../../../trust/dev/jwt-signing-key.pem")).unwrap();
    let list = revocations().to_string();
    let as_license =
        |signature: Value, text: &str| armoured(LICENSE, &envelope(LICENSE_TYPE, text, &[signature]));
    let altered = text.replace("\"max_authorities\":3", "\"max_authorities\":9");
    assert_ne!(altered, text);
    let payload_alone = {
        let bytes = dev().sign(text.as_bytes()).unwrap();
        json!({"keyid": good["keyid"], "sig": Base64::encode_string(&bytes)})
    };
    let later = "application/vnd.chancery.license.v2+json";
    let many: Vec<Value> = (10..19).map(|byte| signature(&seeded(byte), LICENSE_TYPE, &text)).collect();
    let mut with_alg = good.clone();
    with_alg["alg"] = json!("none");
    let prod_text = text.replace("\"dev\"", "\"prod\"");
    let other_text = text.replace("\"chancery\"", "\"other\"");
    [
        ("beside-an-unknown-scheme", "valid", with(&[post_quantum.clone(), good.clone()])),
        ("beside-a-stranger", "valid", with(&[stranger.clone(), good.clone()])),
        ("bad-beside-good", "bad_signature", with(&[good.clone(), by_name_of_prod(&text)])),
        ("altered", "bad_signature", with(&[flipped])),
        ("unreduced-scalar", "bad_signature", with(&[unreduced])),
        ("by-another-key", "bad_signature", with(&[by_name])),
        ("of-the-payload-alone", "bad_signature", with(&[payload_alone])),
        ("payload-altered", "bad_signature", as_license(good.clone(), &altered)),
        (
            "of-a-revocation-list",
            "bad_signature",
            as_license(signature(&dev(), REVOCATIONS_TYPE, &list), &list),
        ),
        ("by-a-stranger", "unknown_key", with(&[stranger])),
        ("by-an-unknown-scheme", "unknown_key", with(&[post_quantum])),
        ("by-an-rsa-key", "unknown_key", with(&[signature(&rsa, LICENSE_TYPE, &text)])),
        ("missing", "malformed", with(&[])),
        ("nine", "malformed", with(&many)),
        ("twice", "malformed", with(&[good.clone(), good.clone()])),
        ("with-an-algorithm", "malformed", with(&[with_alg])),
        ("type-unknown", "unknown_type", signed(LICENSE, "text/plain", &text, &dev())),
        ("type-of-version-2", "unsupported_version", signed(LICENSE, later, &text, &dev())),
        ("type-of-a-list", "wrong_type", signed(LICENSE, REVOCATIONS_TYPE, &list, &dev())),
        ("in-the-armour-of-a-list", "wrong_type", signed(REVOCATIONS, LICENSE_TYPE, &text, &dev())),
        ("of-prod-by-prod", "wrong_environment", signed(LICENSE, LICENSE_TYPE, &prod_text, &prod())),
        ("of-dev-by-prod", "wrong_environment", signed(LICENSE, LICENSE_TYPE, &text, &prod())),
        ("of-prod-by-dev", "wrong_environment", signed(LICENSE, LICENSE_TYPE, &prod_text, &dev())),
        ("of-another-product", "wrong_product", signed(LICENSE, LICENSE_TYPE, &other_text, &dev())),
        ("by-another-product", "wrong_product", signed(LICENSE, LICENSE_TYPE, &text, &other_product())),
    ]
    .into_iter()
    .map(|(name, expect, artefact)| lic(&format!("signature-{name}"), expect, &[], &artefact))
    .collect()
}

pub(super) fn contents() -> Vec<Vector> {
    let text = license().to_string();
    let replaced = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        signed(LICENSE, LICENSE_TYPE, &text.replacen(from, to, 1), &dev())
    };
    [
        ("member-twice", replaced("\"serial\":41", "\"serial\":41,\"serial\":42")),
        ("member-twice-escaped", replaced("\"serial\":41", "\"serial\":41,\"seri\\u0061l\":41")),
        ("member-twice-in-holder", replaced("\"email\":", "\"email\":\"a@example.com\",\"email\":")),
        ("member-unknown", replaced("\"serial\":41", "\"serial\":41,\"colour\":\"red\"")),
        ("member-unknown-outside", replaced("\"body\":", "\"alg\":\"none\",\"body\":")),
        ("member-missing", altered(|body| drop(body.as_object_mut().unwrap().remove("serial")))),
        ("member-null", replaced("\"grace_days\":14", "\"grace_days\":null")),
        ("holder-as-array", altered(|body| body["holder"] = json!(["Example Ltd", "ops@example.com"]))),
        ("nested-too-deep", altered(|body| body["holder"] = json!([[[[[[1]]]]]]))),
        ("serial-zero", replaced("\"serial\":41", "\"serial\":0")),
        ("serial-too-large", replaced("\"serial\":41", "\"serial\":9007199254740992")),
        ("serial-fraction", replaced("\"serial\":41", "\"serial\":41.0")),
        ("serial-text", replaced("\"serial\":41", "\"serial\":\"41\"")),
        ("time-with-offset", altered(|body| body["expires"] = json!("2027-01-01T01:00:00+01:00"))),
        ("time-as-number", altered(|body| body["expires"] = json!(1_798_761_600))),
        ("expires-before-it-begins", altered(|body| body["expires"] = json!("2026-01-01T00:00:00Z"))),
        ("plan-unknown", altered(|body| body["plan"] = json!("platinum"))),
        ("plan-as-object", altered(|body| body["plan"] = json!({"pro": null}))),
        (
            "license-key-mistyped",
            altered(|body| body["license_key"] = json!("CRT-000000-000000-000000-000000-000001")),
        ),
        ("environment-unknown", replaced("\"environment\":\"dev\"", "\"environment\":\"test\"")),
        ("limit-negative", altered(|body| body["entitlements"]["max_users"] = json!(-1))),
        ("not-utf-8-escape", replaced("Example Ltd", "\\ud800")),
        ("trailing", signed(LICENSE, LICENSE_TYPE, &format!("{text}{{}}"), &dev())),
        ("not-json", signed(LICENSE, LICENSE_TYPE, "licence", &dev())),
    ]
    .into_iter()
    .map(|(name, artefact)| lic(&format!("content-{name}"), "malformed", &[], &artefact))
    .collect()
}

fn lic(name: &str, expect: &str, changes: &[(&str, &str)], artefact: &str) -> Vector {
    vector(&format!("lic-{name}"), "license", expect, changes, artefact)
}

fn altered(alter: impl FnOnce(&mut Value)) -> String {
    let mut license = license();
    alter(&mut license["body"]);
    signed(LICENSE, LICENSE_TYPE, &license.to_string(), &dev())
}

/// A signature that names the production anchor and is by somebody else.
fn by_name_of_prod(text: &str) -> Value {
    let mut signature = signature(&seeded(9), LICENSE_TYPE, text);
    signature["keyid"] = json!(prod().public().id().to_string());
    signature
}

fn flip(signature: &str) -> String {
    let mut bytes = Base64::decode_vec(signature).unwrap();
    bytes[0] ^= 1;
    Base64::encode_string(&bytes)
}

/// The same signature with its scalar not reduced (RFC 8032 §5.1.7 refuses it).
fn add_group_order(signature: &str) -> String {
    const ORDER: [u8; 16] =
        [0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14];
    let mut bytes = Base64::decode_vec(signature).unwrap();
    let order = ORDER.into_iter().chain([0; 15]).chain([0x10]);
    let mut carry = 0;
    for (byte, addend) in bytes[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(addend) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    Base64::encode_string(&bytes)
}
