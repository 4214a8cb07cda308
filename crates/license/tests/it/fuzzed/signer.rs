//! The keys of the targets, and signed texts written by the words of the specification alone.

use std::sync::LazyLock;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use chancery_license::{Anchor, Environment, Keyring, Kind, PublicKey, SigningKey, TrustAnchors};
use serde_json::json;

use super::armour;

/// The product whose documents the keyring accepts.
pub const PRODUCT: &str = "chancery";

/// The development anchor's private half, which is public on purpose.
pub static DEV: LazyLock<SigningKey> = LazyLock::new(|| {
    SigningKey::from_pem(include_str!("../../../trust/dev/signing-key.pem")).expect("a key")
});

/// Both development anchors.
pub static TRUSTED: LazyLock<[PublicKey; 2]> = LazyLock::new(|| {
    [include_str!("../../../trust/dev/anchor.pem"), include_str!("../../../trust/dev/jwt-anchor.pem")]
        .map(|pem| PublicKey::from_pem(pem).expect("a key"))
});

/// What an installation of development trusts.
pub static KEYRING: LazyLock<Keyring> = LazyLock::new(|| {
    let anchors =
        TRUSTED.clone().map(|key| Anchor { key, product: PRODUCT.to_owned(), environment: Environment::Dev });
    let anchors = TrustAnchors::new(anchors.into()).expect("no anchor is there twice");
    Keyring::new(&anchors, PRODUCT, Environment::Dev).expect("there is an anchor")
});

/// A document of that kind with that payload, whatever it is, signed by those keys.
pub(super) fn document(kind: Kind, payload: &[u8], keys: &[&SigningKey]) -> String {
    let signed = signed_bytes(&kind.payload_type(), payload);
    let signature = |key: &&SigningKey| {
        let signature = key.sign(&signed).expect("a signature");
        json!({"keyid": key.public().id().to_string(), "sig": Base64::encode_string(&signature)})
    };
    let envelope = json!({
        "payloadType": kind.payload_type(),
        "payload": Base64::encode_string(payload),
        "signatures": keys.iter().map(signature).collect::<Vec<_>>(),
    });
    armour::write(kind.label(), envelope.to_string().as_bytes())
}

/// The bytes that a document's signatures cover.
pub(super) fn signed_bytes(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// A licence JWT of that header and those claims, whatever they are, signed with the Ed25519 key.
pub(super) fn token(header: &[u8], claims: &[u8]) -> String {
    let part = Base64UrlUnpadded::encode_string;
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = DEV.sign(signed.as_bytes()).expect("a signature");
    format!("{signed}.{}", part(&signature))
}
