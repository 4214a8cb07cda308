//! The vectors of revocation lists and key manifests.

use base64ct::{Base64, Encoding};
use chancery_license::SigningKey;
use serde_json::{Value, json};

use super::writer::*;
use crate::vector::Vector;

pub(super) fn revocations() -> Vec<Vector> {
    let list = |alter: fn(&mut Value)| {
        let mut list = super::writer::revocations();
        alter(&mut list["body"]);
        signed(REVOCATIONS, REVOCATIONS_TYPE, &list.to_string(), &dev())
    };
    let license_key = seeded(5);
    let manifest = keys(&manifest(1, &license_key), &dev());
    let text = super::writer::revocations().to_string();
    let by_license_key = signed(REVOCATIONS, REVOCATIONS_TYPE, &text, &license_key);
    [
        ("good", "ok", list(|_| {})),
        ("empty", "ok", list(|body| (body["licenses"], body["serials"]) = (json!([]), json!([])))),
        ("sequence-zero", "malformed", list(|body| body["sequence"] = json!(0))),
        ("out-of-order", "malformed", list(|body| body["serials"].as_array_mut().unwrap().reverse())),
        (
            "entry-twice",
            "malformed",
            list(|body| {
                let entry = body["serials"][0].clone();
                body["serials"].as_array_mut().unwrap().insert(0, entry);
            }),
        ),
        ("reason-unknown", "malformed", list(|body| body["licenses"][0]["reason"] = json!("because"))),
        ("by-a-key-for-licences", "key_not_for_this", format!("{manifest}{by_license_key}")),
    ]
    .into_iter()
    .map(|(name, expect, artefact)| {
        vector(&format!("revocations-{name}"), "revocations", expect, &[], &artefact)
    })
    .collect()
}

pub(super) fn manifests() -> Vec<Vector> {
    let (issuing, next) = (seeded(5), seeded(7));
    let first = keys(&manifest(1, &issuing), &dev());
    let third = keys(&manifest(3, &seeded(6)), &dev());
    let license_by = |key: &SigningKey, issued: &str| {
        let text = payload(issued, &license()["body"]).to_string();
        signed(LICENSE, LICENSE_TYPE, &text, key)
    };
    let in_time = license_by(&issuing, "2026-12-31T00:00:00Z");
    let too_late = license_by(&issuing, "2026-12-31T00:00:01Z");

    let mut handover = manifest(2, &issuing);
    handover["body"]["next_root"] = json!(spki(&next));
    let handover = handover.to_string();
    let by = |signers: &[&SigningKey]| {
        let signatures: Vec<Value> = signers.iter().map(|key| signature(key, KEYS_TYPE, &handover)).collect();
        armoured(KEYS, &envelope(KEYS_TYPE, &handover, &signatures))
    };
    let handed_over = by(&[&dev(), &next]);
    let by_old_root = license_by(&dev(), "2026-01-01T00:00:01Z");
    let before_handover = license_by(&dev(), "2026-01-01T00:00:00Z");

    let mut weak = manifest(1, &issuing);
    // The neutral point of the curve, under which anybody can sign.
    let neutral = [&issuing.public().spki()[..12], &[1], &[0; 31]].concat();
    weak["body"]["keys"][0]["key"] = json!(Base64::encode_string(&neutral));
    let mut for_manifests = manifest(1, &issuing);
    for_manifests["body"]["keys"][0]["uses"] = json!(["keys"]);

    [
        ("good", "keys", "ok", first.clone()),
        ("licence-by-listed-key", "license", "valid", format!("{first}{in_time}")),
        ("licence-after-key-ended", "license", "key_not_valid_then", format!("{first}{too_late}")),
        ("licence-by-key-no-longer-listed", "license", "unknown_key", format!("{first}{third}{in_time}")),
        (
            "by-listed-key",
            "keys",
            "key_not_for_this",
            format!("{first}{}", keys(&manifest(2, &next), &issuing)),
        ),
        ("by-a-stranger", "keys", "unknown_key", keys(&manifest(1, &issuing), &seeded(9))),
        ("by-another-environment", "keys", "wrong_environment", keys(&manifest(1, &issuing), &prod())),
        ("older", "keys", "stale_sequence", format!("{third}{first}")),
        ("the-same-again", "keys", "stale_sequence", format!("{first}{first}")),
        ("lists-an-anchor", "keys", "malformed", keys(&manifest(1, &prod()), &dev())),
        ("lists-a-weak-key", "keys", "malformed", keys(&weak, &dev())),
        ("lists-a-key-for-manifests", "keys", "malformed", keys(&for_manifests, &dev())),
        ("handover", "keys", "ok", handed_over.clone()),
        ("handover-without-the-next-root", "keys", "bad_signature", by(&[&dev()])),
        ("handover-without-the-old-root", "keys", "unknown_key", by(&[&next])),
        ("by-the-next-root", "keys", "ok", format!("{handed_over}{}", keys(&manifest(3, &issuing), &next))),
        ("by-the-old-root", "keys", "key_not_for_this", format!("{handed_over}{third}")),
        ("licence-from-before-handover", "license", "valid", format!("{handed_over}{before_handover}")),
        ("licence-by-the-old-root", "license", "key_not_valid_then", format!("{handed_over}{by_old_root}")),
    ]
    .into_iter()
    .map(|(name, kind, expect, artefact)| vector(&format!("keys-{name}"), kind, expect, &[], &artefact))
    .collect()
}

fn keys(manifest: &Value, key: &SigningKey) -> String {
    signed(KEYS, KEYS_TYPE, &manifest.to_string(), key)
}
