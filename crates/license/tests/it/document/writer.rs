//! Writes documents from their specification alone, the wrong ones too, with nothing of the crate but its
//! signing keys.

use base64ct::{Base64, Encoding};
use chancery_license::SigningKey;
use serde_json::{Value, json};

use super::FORMAT;
use crate::vector::Vector;

pub(super) const LICENSE: &str = "CHANCERY LICENSE";
pub(super) const REVOCATIONS: &str = "CHANCERY REVOCATIONS";
pub(super) const KEYS: &str = "CHANCERY KEYS";
pub(super) const REQUEST: &str = "CHANCERY REQUEST";
pub(super) const RESPONSE: &str = "CHANCERY RESPONSE";
pub(super) const LICENSE_TYPE: &str = "application/vnd.chancery.license.v1+json";
pub(super) const REVOCATIONS_TYPE: &str = "application/vnd.chancery.revocations.v1+json";
pub(super) const KEYS_TYPE: &str = "application/vnd.chancery.keys.v1+json";
pub(super) const REQUEST_TYPE: &str = "application/vnd.chancery.request.v1+json";
pub(super) const RESPONSE_TYPE: &str = "application/vnd.chancery.response.v1+json";

pub(super) const INSTALLATION: &str = "INST-123456-789ABC-DEFGHJ-KMNPQR-STVWX5";

/// The development anchor.
pub(super) fn dev() -> SigningKey {
    SigningKey::from_pem(include_str!("../../../trust/dev/signing-key.pem")).unwrap()
}

/// The key of that seed, 32 bytes alike.
pub(super) fn seeded(byte: u8) -> SigningKey {
    SigningKey::from_ed25519_seed(&[byte; 32]).unwrap()
}

/// The anchor of the production environment in the vectors.
pub(super) fn prod() -> SigningKey {
    seeded(1)
}

/// The anchor of another product in the vectors.
pub(super) fn other_product() -> SigningKey {
    seeded(2)
}

pub(super) fn spki(key: &SigningKey) -> String {
    Base64::encode_string(key.public().spki())
}

/// Armour round base64, in lines of 64 characters.
pub(super) fn armour(label: &str, base64: &str) -> String {
    let lines: Vec<&str> =
        base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The bytes that a signature covers.
pub(super) fn signed_bytes(payload_type: &str, payload: &str) -> Vec<u8> {
    format!("DSSEv1 {} {payload_type} {} {payload}", payload_type.len(), payload.len()).into_bytes()
}

pub(super) fn signature(key: &SigningKey, payload_type: &str, payload: &str) -> Value {
    let bytes = key.sign(&signed_bytes(payload_type, payload)).unwrap();
    json!({"keyid": key.public().id().to_string(), "sig": Base64::encode_string(&bytes)})
}

/// An envelope with those signatures, whatever they are worth.
pub(super) fn envelope(payload_type: &str, payload: &str, signatures: &[Value]) -> String {
    let payload = Base64::encode_string(payload.as_bytes());
    json!({"payloadType": payload_type, "payload": payload, "signatures": signatures}).to_string()
}

pub(super) fn armoured(label: &str, envelope: &str) -> String {
    armour(label, &Base64::encode_string(envelope.as_bytes()))
}

/// A document of that type and payload, signed by that key.
pub(super) fn signed(label: &str, payload_type: &str, payload: &str, key: &SigningKey) -> String {
    armoured(label, &envelope(payload_type, payload, &[signature(key, payload_type, payload)]))
}

/// A document of development, issued at that time.
pub(super) fn payload(issued: &str, body: &Value) -> Value {
    json!({"product": "chancery", "environment": "dev", "issued": issued, "body": body})
}

/// What a vector's licence says where nothing else is wanted.
pub(super) fn license() -> Value {
    payload(
        "2026-01-01T00:00:00Z",
        &json!({
            "id": "lic-0001", "serial": 41, "plan": "pro",
            "holder": {"organisation": "Example Ltd", "email": "ops@example.com"},
            "license_key": "CRT-000000-000000-000000-000000-000000",
            "installation_key": INSTALLATION,
            "not_before": "2026-01-01T00:00:00Z", "expires": "2027-01-01T00:00:00Z",
            "grace_days": 14, "after_grace": "block", "clock_tolerance_hours": 48,
            "entitlements": {
                "allowed_databases": ["sqlite", "postgres"],
                "max_authorities": 3, "max_managed_servers": "unlimited", "max_certificates": 5000,
                "max_users": "unlimited", "max_profiles": "forbidden", "features": ["acme", "api"],
            },
            "newest_build": "2027-01-01T00:00:00Z", "minimum_version": "0.1.0",
        }),
    )
}

pub(super) fn revocations() -> Value {
    let at = "2026-02-01T00:00:00Z";
    payload(
        "2026-03-01T00:00:00Z",
        &json!({
            "sequence": 12, "next_update": "2026-04-01T00:00:00Z",
            "licenses": [{"what": "lic-0002", "at": at, "reason": "unpaid"}],
            "serials": [{"what": 7, "at": at, "reason": "superseded"}, {"what": 40, "at": at, "reason": "compromised"}],
        }),
    )
}

/// A manifest that lets that key sign licences alone, during 2026.
pub(super) fn manifest(sequence: u64, key: &SigningKey) -> Value {
    payload(
        "2026-01-01T00:00:00Z",
        &json!({
            "sequence": sequence,
            "keys": [{
                "key": spki(key), "not_before": "2026-01-01T00:00:00Z",
                "not_after": "2026-12-31T00:00:00Z", "uses": ["license"],
            }],
        }),
    )
}

/// A vector with the header lines that all have, of which `changes` replaces some.
pub(super) fn vector(
    name: &str,
    kind: &str,
    expect: &str,
    changes: &[(&str, &str)],
    artefact: &str,
) -> Vector {
    let trusted = format!(
        "dev:chancery:{} prod:chancery:{} dev:other:{}",
        spki(&dev()),
        spki(&prod()),
        spki(&other_product())
    );
    let mut header = vec![
        ("format", FORMAT),
        ("kind", kind),
        ("expect", expect),
        ("trusted", &trusted),
        ("product", "chancery"),
        ("environment", "dev"),
        ("installation", INSTALLATION),
        ("build", "0.1.0"),
        ("built", "2026-01-01T00:00:00Z"),
        ("now", "2026-06-14T13:23:00Z"),
    ];
    for (name, value) in changes {
        header.iter_mut().filter(|(known, _)| known == name).for_each(|line| line.1 = value);
    }
    Vector::new(name, &header, artefact)
}
