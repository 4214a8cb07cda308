//! What opening a licence costs beyond the one signature in it: `document::open` of a typical `.lic`, beside the
//! bare Ed25519 verification of the same signed bytes by the cryptographic library, in one run.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the lints see test code only within test functions; all of this binary is measurement"
)]

use std::hint::black_box;

use aws_lc_rs::signature::{ED25519, ParsedPublicKey};
use base64ct::{Base64, Encoding};
use chancery_license::{Anchor, Environment, Keyring, License, PublicKey, TrustAnchors, open};
use criterion::{Criterion, SamplingMode};

const VECTOR: &str = include_str!("../vectors/lic-valid.txt");
const ANCHOR: &str = include_str!("../trust/dev/anchor.pem");

fn main() {
    // Samples of about a millisecond, shorter than the slices of time that a busy machine hands out, so that
    // some are always undisturbed; the fastest ones can be compared even there.
    let mut criterion = Criterion::default().sample_size(3_000).nresamples(2_000).configure_from_args();
    let (_, text) = VECTOR.split_once("\n\n").unwrap();
    let key = PublicKey::from_pem(ANCHOR).unwrap();
    let (signed, signature) = signed(text);
    let mut group = criterion.benchmark_group("license");
    group.sampling_mode(SamplingMode::Flat);

    let anchor = Anchor { key: key.clone(), product: "chancery".to_owned(), environment: Environment::Dev };
    let anchors = TrustAnchors::new(vec![anchor]).unwrap();
    let keyring = Keyring::new(&anchors, "chancery", Environment::Dev).unwrap();
    group.bench_function("open", |bencher| {
        bencher.iter(|| open::<License>(black_box(text), &keyring).unwrap());
    });

    // The last 32 bytes of the SubjectPublicKeyInfo are the key (RFC 8410 §4).
    let bare = ParsedPublicKey::new(&ED25519, &key.spki()[12..]).unwrap();
    group.bench_function("ed25519", |bencher| {
        bencher.iter(|| bare.verify_sig(black_box(&signed), black_box(&signature)).unwrap());
    });

    group.finish();
    criterion.final_summary();
}

/// The bytes that the first signature of a document covers, and the signature (docs/formats/envelope.md).
fn signed(text: &str) -> (Vec<u8>, Vec<u8>) {
    let base64: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let envelope: serde_json::Value = serde_json::from_slice(&Base64::decode_vec(&base64).unwrap()).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let payload = Base64::decode_vec(&text(&envelope["payload"])).unwrap();
    let payload_type = text(&envelope["payloadType"]);
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    let signature = Base64::decode_vec(&text(&envelope["signatures"][0]["sig"])).unwrap();
    ([head.as_bytes(), &payload].concat(), signature)
}
