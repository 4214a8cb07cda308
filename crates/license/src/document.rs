//! Signed documents: opening one means that an anchor, or a key that an anchor vouches for, signed exactly
//! these bytes for this product and environment, and only then that they were read.
//!
//! What a document then says about times, installations and builds is judged elsewhere. See
//! `docs/formats/envelope.md`.

mod error;
mod kind;
pub(crate) mod rules;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use chancery_time::Timestamp;

use crate::anchors::Environment;
use crate::armour::{self, ArmourError};
use crate::base64;
use crate::crypto::{KeyId, Method, SigningKey};
use crate::envelope::Envelope;
use crate::json::{self, Bounds};
use crate::keyring::Keyring;
use crate::manifest::Use;

pub use error::{DocumentError, SealError};
pub use kind::Kind;

/// The document, its body, a list in it, an entry, and a list in that.
const DEPTH: usize = 5;

/// What every document says of itself, and what its kind adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "T: Deserialize<'de>"))]
pub struct Document<T> {
    /// The product that it is for.
    pub product: String,
    /// The environment that it is for.
    #[serde(deserialize_with = "json::text")]
    pub environment: Environment,
    /// When it was signed, in whole seconds.
    #[serde(deserialize_with = "json::instant")]
    pub issued: Timestamp,
    /// What its kind adds.
    #[serde(deserialize_with = "json::object")]
    pub body: T,
}

/// What a kind of document adds to what they all have. Only this crate knows kinds.
pub trait Content: Serialize + DeserializeOwned + rules::Rules {
    /// The kind of document that this is the body of.
    const KIND: Kind;
}

/// The body of a document that the vendor signs.
pub trait Body: Content {
    /// What an issuing key must be for; `None` where a root alone may sign.
    const USE: Option<Use>;
}

/// A document whose signature, product and environment were found right. Only [`open`], and what opens the
/// documents of an [`exchange`](crate::exchange), makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T> {
    document: Document<T>,
    signer: KeyId,
}

impl<T> Verified<T> {
    /// Only whoever has just verified the signature, and the rest, says so.
    pub(crate) fn new(document: Document<T>, signer: KeyId) -> Self {
        Self { document, signer }
    }

    /// The document.
    pub fn document(&self) -> &Document<T> {
        &self.document
    }

    /// What its kind adds.
    pub fn body(&self) -> &T {
        &self.document.body
    }

    /// The document, whose verification is then no longer told by its type.
    pub fn into_document(self) -> Document<T> {
        self.document
    }

    /// The key whose signature was accepted.
    pub fn signer(&self) -> KeyId {
        self.signer
    }
}

/// Opens an armoured document of one kind.
///
/// # Errors
/// See [`DocumentError`]; [`DocumentError::class`] names the class that the test vectors use.
pub fn open<T: Body>(text: &str, keyring: &Keyring) -> Result<Verified<T>, DocumentError> {
    let envelope = read_envelope(text, T::KIND)?;
    open_envelope(&envelope, keyring)
}

/// Signs a document with each of those Ed25519 keys and puts it into its armour.
///
/// # Errors
/// A document that [`open`] would refuse whatever the keys, and a key that cannot sign documents.
pub fn seal<T: Body>(document: &Document<T>, keys: &[&SigningKey]) -> Result<String, SealError> {
    seal_content(document, keys)
}

pub(crate) fn seal_content<T: Content>(
    document: &Document<T>,
    keys: &[&SigningKey],
) -> Result<String, SealError> {
    if keys.is_empty() {
        return Err(SealError::NoKey);
    }
    if let Some(key) = keys.iter().find(|key| key.public().method() != Method::Ed25519) {
        return Err(SealError::NotEd25519(key.public().id()));
    }
    let payload = json::write(document).map_err(DocumentError::Payload)?;
    read_payload::<T>(&payload)?;
    let envelope = Envelope::sign(&T::KIND.payload_type(), payload, keys)?;
    let content = envelope.write().map_err(DocumentError::Payload)?;
    let text = armour::encode(T::KIND.label(), &content);
    read_envelope(&text, T::KIND)?;
    Ok(text)
}

pub(crate) fn read_envelope(text: &str, kind: Kind) -> Result<Envelope, DocumentError> {
    if let Some(found) = Kind::of(text).filter(|found| *found != kind) {
        return Err(DocumentError::WrongType { found, expected: kind });
    }
    let base64 = armour::base64(text, kind.label(), kind.max_length())?;
    let content = base64::decode(&base64).map_err(|_| ArmourError::Base64)?;
    Ok(Envelope::read(&content, kind.max_length())?)
}

pub(crate) fn open_envelope<T: Body>(
    envelope: &Envelope,
    keyring: &Keyring,
) -> Result<Verified<T>, DocumentError> {
    let signers = keyring.signers(envelope)?;
    T::KIND.expect(&envelope.payload_type)?;
    let document = read_payload::<T>(&envelope.payload)?;
    let mut refusal = None;
    for signer in signers {
        match keyring.judge(signer, &document) {
            Ok(()) => return Ok(Verified::new(document, signer.id())),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    Err(refusal.unwrap_or_else(|| DocumentError::unknown_keys(envelope)))
}

pub(crate) fn read_payload<T: Content>(payload: &[u8]) -> Result<Document<T>, DocumentError> {
    let document: Document<T> = json::read(payload, bounds(T::KIND)).map_err(DocumentError::Payload)?;
    rules::product(&document.product).map_err(DocumentError::Rule)?;
    document.body.check().map_err(DocumentError::Rule)?;
    Ok(document)
}

/// How large the payload of that kind may be.
pub(crate) const fn bounds(kind: Kind) -> Bounds {
    Bounds { bytes: kind.max_length(), depth: DEPTH }
}

#[cfg(test)]
mod tests;
