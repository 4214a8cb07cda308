//! The flattened JSON form of a JWS (RFC 7515 §7.2.2), read strictly.
//!
//! What the protected header must hold is for its reader to say: a request, the inner JWS of a key
//! change and an external account binding each want other members.

use std::borrow::Cow;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::jws::JwsError;
use crate::object::{Object, Presence};

/// A JWS that was taken apart and not believed yet.
#[derive(Debug)]
pub(crate) struct Flattened {
    header: Vec<u8>,
    /// `protected.payload`, the bytes that are signed.
    signing_input: String,
    payload_at: usize,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    protected: Cow<'a, str>,
    #[serde(borrow)]
    payload: Cow<'a, str>,
    #[serde(borrow)]
    signature: Cow<'a, str>,
    #[serde(default)]
    header: Presence,
    #[serde(default)]
    signatures: Presence,
}

impl Flattened {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, JwsError> {
        let Object(jws): Object<Members<'_>> =
            serde_json::from_slice(json).map_err(|error| JwsError::Serialization(error.to_string()))?;
        if jws.signatures.is_there() {
            return Err(JwsError::Serialization("`signatures` belongs to the general form".into()));
        }
        if jws.header.is_there() {
            return Err(JwsError::Serialization("the unprotected `header` is not allowed".into()));
        }
        let decode =
            |member, text: &str| Base64UrlUnpadded::decode_vec(text).map_err(|_| JwsError::Base64(member));
        Ok(Self {
            header: decode("protected", &jws.protected)?,
            signature: decode("signature", &jws.signature)?,
            signing_input: format!("{}.{}", jws.protected, jws.payload),
            payload_at: jws.protected.len() + 1,
        })
    }

    /// The protected header as a JSON object of the given type.
    pub(crate) fn header<T: DeserializeOwned>(&self) -> Result<T, JwsError> {
        serde_json::from_slice(&self.header)
            .map(|Object(header)| header)
            .map_err(|error| JwsError::Header(error.to_string()))
    }

    pub(crate) fn signing_input(&self) -> &[u8] {
        self.signing_input.as_bytes()
    }

    pub(crate) fn signature(&self) -> &[u8] {
        &self.signature
    }

    pub(crate) fn payload(&self) -> Result<Vec<u8>, JwsError> {
        let payload = self.signing_input.get(self.payload_at..).unwrap_or_default();
        Base64UrlUnpadded::decode_vec(payload).map_err(|_| JwsError::Base64("payload"))
    }
}
