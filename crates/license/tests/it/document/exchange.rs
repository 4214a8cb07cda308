//! The vectors of requests and of the responses to them.

use base64ct::{Base64, Encoding};
use chancery_license::SigningKey;
use serde_json::{Value, json};

use super::writer::*;
use crate::vector::Vector;

/// The key pair of the installation in the vectors.
fn installation() -> SigningKey {
    seeded(20)
}

fn nonce(byte: u8) -> String {
    Base64::encode_string(&[byte; 32])
}

/// What a vector's request says where nothing else is wanted.
fn request() -> Value {
    payload(
        "2026-06-14T13:23:00Z",
        &json!({
            "installation_key": INSTALLATION, "public_key": spki(&installation()), "nonce": nonce(1), "counter": 7,
            "license_key": "CRT-000000-000000-000000-000000-000000", "machine_name": "ca-1",
            "held": {"serial": 41, "revocations": 12, "keys": 0},
            "metrics": {
                "database": "sqlite", "authorities": 2, "managed_servers": 40, "active_certificates": 312,
                "version": "0.1.0",
            },
        }),
    )
}

/// What a vector's response says where nothing else is wanted.
fn response() -> Value {
    let license = signed(LICENSE, LICENSE_TYPE, &license().to_string(), &dev());
    payload(
        "2026-06-14T13:23:01Z",
        &json!({
            "installation_key": INSTALLATION, "nonce": nonce(1), "counter": 7, "verdict": "licensed",
            "documents": [license], "warnings": ["the licence ends in 200 days"],
        }),
    )
}

fn altered_request(alter: impl FnOnce(&mut Value)) -> String {
    let mut request = request();
    alter(&mut request);
    signed(REQUEST, REQUEST_TYPE, &request.to_string(), &installation())
}

pub(super) fn requests() -> Vec<Vector> {
    let text = request().to_string();
    let by = |signers: &[&SigningKey], payload: &str| {
        let signatures: Vec<Value> = signers.iter().map(|key| signature(key, REQUEST_TYPE, &text)).collect();
        armoured(REQUEST, &envelope(REQUEST_TYPE, payload, &signatures))
    };
    let another_key = spki(&seeded(21));
    let altered = text.replace("\"counter\":7", "\"counter\":8");
    let twice = text.replacen("\"counter\":7", "\"counter\":7,\"counter\":7", 1);
    let minimal = altered_request(|request| {
        request["body"]
            .as_object_mut()
            .unwrap()
            .retain(|name, _| name != "license_key" && name != "machine_name");
    });
    // The neutral point of the curve, under which anybody can sign.
    let neutral = Base64::encode_string(&[&installation().public().spki()[..12], &[1], &[0; 31]].concat());
    [
        ("good", "ok", by(&[&installation()], &text)),
        ("minimal", "ok", minimal),
        ("altered", "bad_signature", by(&[&installation()], &altered)),
        ("by-another-key", "unknown_key", by(&[&seeded(21)], &text)),
        ("by-an-anchor", "unknown_key", by(&[&dev()], &text)),
        ("by-two-keys", "malformed", by(&[&installation(), &seeded(21)], &text)),
        (
            "key-exchanged",
            "unknown_key",
            altered_request(|request| request["body"]["public_key"] = json!(another_key)),
        ),
        ("key-weak", "malformed", altered_request(|request| request["body"]["public_key"] = json!(neutral))),
        (
            "of-another-product",
            "wrong_product",
            altered_request(|request| request["product"] = json!("other")),
        ),
        ("type-of-a-response", "wrong_type", signed(REQUEST, RESPONSE_TYPE, &text, &installation())),
        ("in-the-armour-of-a-licence", "wrong_type", signed(LICENSE, REQUEST_TYPE, &text, &installation())),
        ("member-twice", "malformed", signed(REQUEST, REQUEST_TYPE, &twice, &installation())),
        (
            "member-unknown",
            "malformed",
            altered_request(|request| request["body"]["hostname"] = json!("ca-1")),
        ),
        ("nonce-short", "malformed", altered_request(|request| request["body"]["nonce"] = json!("AAAA"))),
        ("counter-zero", "malformed", altered_request(|request| request["body"]["counter"] = json!(0))),
        (
            "machine-name-of-two-lines",
            "malformed",
            altered_request(|request| request["body"]["machine_name"] = json!("a\nb")),
        ),
        (
            "metrics-beyond-the-list",
            "malformed",
            altered_request(|request| request["body"]["metrics"]["uptime"] = json!(1)),
        ),
    ]
    .into_iter()
    .map(|(name, expect, artefact)| vector(&format!("request-{name}"), "request", expect, &[], &artefact))
    .collect()
}

pub(super) fn responses() -> Vec<Vector> {
    let asked = altered_request(|_| {});
    let answered = |alter: fn(&mut Value)| {
        let mut response = response();
        alter(&mut response);
        signed(RESPONSE, RESPONSE_TYPE, &response.to_string(), &dev())
    };
    let text = response().to_string();
    let altered = text.replace("licensed", "unlinked");
    let altered = envelope(RESPONSE_TYPE, &altered, &[signature(&dev(), RESPONSE_TYPE, &text)]);
    let issuing = manifest(1, &seeded(5)).to_string();
    let issuing = signed(KEYS, KEYS_TYPE, &issuing, &dev());
    let twice = text.replacen("\"counter\":7", "\"counter\":7,\"counter\":7", 1);
    [
        ("good", "ok", answered(|_| {})),
        ("by-a-key-for-licences", "ok", signed(RESPONSE, RESPONSE_TYPE, &text, &seeded(5))),
        ("replayed", "other_request", answered(|response| response["body"]["nonce"] = json!(nonce(2)))),
        (
            "of-another-installation",
            "wrong_installation",
            answered(|response| {
                response["body"]["installation_key"] = json!("INST-000000-000000-000000-000000-000000");
            }),
        ),
        ("of-another-exchange", "other_counter", answered(|response| response["body"]["counter"] = json!(6))),
        ("of-another-product", "wrong_product", answered(|response| response["product"] = json!("other"))),
        (
            "of-another-environment",
            "wrong_environment",
            answered(|response| response["environment"] = json!("prod")),
        ),
        ("by-another-environment", "wrong_environment", signed(RESPONSE, RESPONSE_TYPE, &text, &prod())),
        ("by-a-stranger", "unknown_key", signed(RESPONSE, RESPONSE_TYPE, &text, &seeded(9))),
        ("by-the-installation", "unknown_key", signed(RESPONSE, RESPONSE_TYPE, &text, &installation())),
        ("altered", "bad_signature", armoured(RESPONSE, &altered)),
        ("type-of-a-licence", "wrong_type", signed(RESPONSE, LICENSE_TYPE, &text, &dev())),
        ("a-licence-instead", "wrong_type", signed(LICENSE, LICENSE_TYPE, &license().to_string(), &dev())),
        ("member-twice", "malformed", signed(RESPONSE, RESPONSE_TYPE, &twice, &dev())),
        ("member-unknown", "malformed", answered(|response| response["body"]["plan"] = json!("pro"))),
        ("verdict-unknown", "malformed", answered(|response| response["body"]["verdict"] = json!("fine"))),
        (
            "documents-nine",
            "malformed",
            answered(|response| {
                let license = response["body"]["documents"][0].clone();
                response["body"]["documents"] = json!(vec![license; 9]);
            }),
        ),
        (
            "document-of-another-kind",
            "malformed",
            answered(|response| {
                response["body"]["documents"] = json!([altered_request(|_| {})]);
            }),
        ),
        (
            "warning-of-two-lines",
            "malformed",
            answered(|response| response["body"]["warnings"] = json!(["a\nb"])),
        ),
    ]
    .into_iter()
    .map(|(name, expect, answer)| {
        let before = if name == "by-a-key-for-licences" { &issuing } else { "" };
        let artefact = format!("{before}{asked}{answer}");
        vector(&format!("response-{name}"), "response", expect, &[], &artefact)
    })
    .collect()
}
