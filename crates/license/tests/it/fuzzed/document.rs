//! Whole documents, as they come from outside.

use base64ct::{Base64, Encoding};
use chancery_license::document::Body;
use chancery_license::exchange::Response;
use chancery_license::{
    Document, DocumentError, KeyManifest, Kind, License, RevocationList, Verified, armour as tested, open,
    seal,
};
use serde_json::Value;

use super::exchange::hold_request;
use super::signer::{self, DEV, KEYRING, PRODUCT};
use super::{armour, flipped, hold_reason};

/// Bytes that begin with an armour are opened as every kind of document. All others are taken for what stands
/// in the armour, the envelope, since whoever guesses blindly seldom gets through two layers of base64.
pub fn document(data: &[u8]) {
    match std::str::from_utf8(data) {
        Ok(text) if tested::label(text).is_some() => {
            hold::<License>(text);
            hold::<RevocationList>(text);
            hold::<KeyManifest>(text);
            hold::<Response>(text);
            hold_request(text);
        }
        _ => {
            hold::<License>(&armour::write(Kind::License.label(), data));
            hold::<RevocationList>(&armour::write(Kind::Revocations.label(), data));
            hold::<KeyManifest>(&armour::write(Kind::Keys.label(), data));
            hold::<Response>(&armour::write(Kind::Response.label(), data));
            hold_request(&armour::write(Kind::Request.label(), data));
        }
    }
}

/// Opens a text as one kind of document, and holds what comes of it to the crate's word.
pub(super) fn hold<T: Bounded>(text: &str) -> Option<Document<T>> {
    match open::<T>(text, &KEYRING) {
        Ok(verified) => Some(hold_opened(text, verified)),
        Err(error) => {
            hold_reason(&error);
            None
        }
    }
}

/// A body whose bounds a target knows.
pub(super) trait Bounded: Body + Clone + PartialEq + std::fmt::Debug {
    /// Panics where a bound of the format does not hold.
    fn hold_bounds(&self);
}

fn hold_opened<T: Bounded>(text: &str, verified: Verified<T>) -> Document<T> {
    assert!(text.len() <= T::KIND.max_length());
    assert_eq!(verified.signer(), DEV.public().id());
    assert_eq!(
        (verified.document().product.as_str(), verified.document().environment.name()),
        (PRODUCT, "dev")
    );
    hold_signed(T::KIND, text);
    verified.body().hold_bounds();

    let document = verified.into_document();
    if let Ok(again) = open::<T>(&flipped(text), &KEYRING) {
        assert_eq!(again.document(), &document, "with one bit flipped, it opens as something else");
    }
    match seal(&document, &[&DEV]) {
        Ok(sealed) => {
            let again = open::<T>(&sealed, &KEYRING).expect("what is sealed opens");
            assert_eq!(again.document(), &document);
            assert_eq!(seal(again.document(), &[&DEV]).as_ref(), Ok(&sealed), "it is written in one way");
        }
        // What is absent is written out, which can take a document over the edge.
        Err(error) => assert!(text.len() > T::KIND.max_length() / 2, "{error}"),
    }
    document
}

/// The anchor signed exactly what the text holds, by the words of the specification.
fn hold_signed(kind: Kind, text: &str) {
    let content = armour::read(kind.label(), text).expect("an armour");
    let envelope: Value = serde_json::from_slice(&content).expect("JSON");
    let bytes = |value: &Value| Base64::decode_vec(value.as_str().expect("a text")).expect("base64");
    assert_eq!(envelope["payloadType"], kind.payload_type());
    let signed = signer::signed_bytes(&kind.payload_type(), &bytes(&envelope["payload"]));
    let signatures = envelope["signatures"].as_array().expect("a list");
    assert!((1..=8).contains(&signatures.len()));
    let anchor = DEV.public();
    let mut by_anchor = signatures.iter().filter(|signature| signature["keyid"] == anchor.id().to_string());
    assert!(by_anchor.all(|signature| anchor.verifies(&signed, &bytes(&signature["sig"]))));
}

/// A payload in a good envelope is refused for nothing but itself.
pub(super) fn hold_refusal_of_payload(refusal: &DocumentError) {
    let is_of_payload = matches!(
        refusal,
        DocumentError::Payload(_)
            | DocumentError::Rule(_)
            | DocumentError::WrongEnvironment { .. }
            | DocumentError::WrongProduct { .. }
    );
    assert!(is_of_payload, "{refusal:?}");
    hold_reason(refusal);
}
