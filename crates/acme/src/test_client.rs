//! A client for the tests of signed things: a P-256 key and flattened JWS made with it.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64ct::{Base64UrlUnpadded, Encoding};

use crate::jwk::AccountKey;

pub(crate) struct Client(EcdsaKeyPair);

impl Client {
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn jwk(&self) -> String {
        let point = self.0.public_key().as_ref();
        let b64 = Base64UrlUnpadded::encode_string;
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}}"#, b64(&point[1..33]), b64(&point[33..]))
    }

    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        flattened(header, payload, |input| {
            self.0.sign(&SystemRandom::new(), input).unwrap().as_ref().to_vec()
        })
    }

    pub(crate) fn header(&self) -> String {
        format!(r#"{{"alg":"ES256","nonce":"n","url":"https://ca/x","jwk":{}}}"#, self.jwk())
    }

    pub(crate) fn key(&self) -> AccountKey {
        AccountKey::from_json(&self.jwk()).unwrap()
    }
}

/// A flattened JWS whose signature is what `sign` makes of the signing input.
pub(crate) fn flattened(header: &str, payload: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let b64 = |text: &str| Base64UrlUnpadded::encode_string(text.as_bytes());
    let (header, payload) = (b64(header), b64(payload));
    let signature = sign(format!("{header}.{payload}").as_bytes());
    format!(
        r#"{{"protected":"{header}","payload":"{payload}","signature":"{}"}}"#,
        Base64UrlUnpadded::encode_string(&signature)
    )
}
