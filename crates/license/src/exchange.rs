//! What an installation and the vendor tell each other: a request, signed by the installation, and the response
//! to it, signed by the vendor and bound to that one request.
//!
//! Both travel over a connection, or any other way. See `docs/formats/exchange.md`.

mod error;
mod request;
mod response;

use std::fmt;

use base64ct::{Base64, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::document::{self, Document, DocumentError, Kind, SealError, Verified};
use crate::json;
use crate::keyring::Keyring;
use crate::{PublicKey, SigningKey};

pub use error::ExchangeError;
pub use request::{Held, Metrics, Request};
pub use response::{Response, Verdict};

/// What makes a request unlike any other: 32 random bytes, in JSON as base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce([u8; 32]);

impl Nonce {
    /// The nonce of those random bytes.
    pub const fn from_random(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Base64::encode_string(&self.0))
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Nonce {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Nonce {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Base64::decode_vec(&String::deserialize(deserializer)?).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("a nonce is 32 bytes in canonical base64"))
    }
}

/// Signs a request with the key pair of the installation, whose public half it holds.
///
/// # Errors
/// A request that [`open_request`] would refuse, and a key that is not the one in it.
pub fn seal_request(document: &Document<Request>, key: &SigningKey) -> Result<String, SealError> {
    if *key.public() != document.body.public_key {
        return Err(SealError::NotItsKey(key.public().id()));
    }
    document::seal_content(document, &[key])
}

/// Opens a request for that product, which the key in it must have signed, and nobody besides.
///
/// That the key is the installation's is no part of this: whoever asks first with an installation key brings the
/// public key that it is known by from then on. The environment is what the request says, and the caller's to
/// look at.
///
/// # Errors
/// See [`DocumentError`].
pub fn open_request(text: &str, product: &str) -> Result<Verified<Request>, DocumentError> {
    let envelope = document::read_envelope(text, Kind::Request)?;
    // Nothing but the key is believed of what nobody has verified yet.
    let bounds = document::bounds(Kind::Request);
    let unverified: Signed = json::read(&envelope.payload, bounds).map_err(DocumentError::Payload)?;
    let key = unverified.body.public_key;
    let [signature] = envelope.signatures.as_slice() else {
        return Err(DocumentError::Rule("a request has one signature, by the key in it"));
    };
    if signature.key_id != key.id().to_string() {
        return Err(DocumentError::unknown_keys(&envelope));
    }
    if !key.verifies(&envelope.signed_bytes(), &signature.bytes) {
        return Err(DocumentError::BadSignature(key.id()));
    }
    Kind::Request.expect(&envelope.payload_type)?;
    let document = document::read_payload::<Request>(&envelope.payload)?;
    if document.product != product {
        let (found, expected) = (document.product, product.to_owned());
        return Err(DocumentError::WrongProduct { found, expected });
    }
    Ok(Verified::new(document, key.id()))
}

/// Opens a response that a key for licences signed, and holds it against the request that it must answer.
///
/// # Errors
/// As [`document::open`], and where it answers another request. How old it may be is the caller's to say.
pub fn open_response(
    text: &str,
    keyring: &Keyring,
    request: &Document<Request>,
) -> Result<Verified<Response>, ExchangeError> {
    let response: Verified<Response> = document::open(text, keyring)?;
    let (document, asked) = (response.document(), &request.body);
    if document.product != request.product {
        let (found, expected) = (document.product.clone(), request.product.clone());
        return Err(DocumentError::WrongProduct { found, expected }.into());
    }
    if document.environment != request.environment {
        let (found, expected) = (document.environment, request.environment);
        return Err(DocumentError::WrongEnvironment { found, expected }.into());
    }
    let body = response.body();
    if body.installation_key != asked.installation_key {
        return Err(ExchangeError::OtherInstallation { found: body.installation_key.to_string() });
    }
    if body.nonce != asked.nonce {
        return Err(ExchangeError::OtherRequest);
    }
    if body.counter != asked.counter {
        return Err(ExchangeError::OtherCounter { found: body.counter, expected: asked.counter });
    }
    Ok(response)
}

/// As much of a request as says who must have signed it.
#[derive(Deserialize)]
struct Signed {
    #[serde(deserialize_with = "json::object")]
    body: SignedBody,
}

#[derive(Deserialize)]
struct SignedBody {
    public_key: PublicKey,
}

#[cfg(test)]
mod tests;
