//! Account keys and what they sign: ES256 in flattened JSON (RFC 7515 §7.2.2, RFC 8555 §6.2).

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::json;

/// The P-256 key of an account.
pub(crate) struct AccountKey {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    /// The public key with its members in the order of RFC 7638 §3.
    jwk: String,
}

/// How a JWS names the key that signed it.
#[derive(Clone, Copy)]
pub(crate) enum Signer<'a> {
    /// By itself, as newAccount wants it.
    Jwk,
    /// By the account's URL.
    Kid(&'a str),
}

impl AccountKey {
    pub(crate) fn generate() -> anyhow::Result<Self> {
        let pair =
            EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).context("cannot make a P-256 key")?;
        let point = pair.public_key().as_ref();
        let (x, y) = point.get(1..33).zip(point.get(33..65)).context("a P-256 key has two coordinates")?;
        let jwk = format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, base64url(x), base64url(y));
        Ok(Self { pair, random: SystemRandom::new(), jwk })
    }

    /// RFC 7638, as key authorizations carry it (RFC 8555 §8.1).
    pub(crate) fn thumbprint(&self) -> String {
        base64url(digest(&SHA256, self.jwk.as_bytes()).as_ref())
    }

    /// A JWS over `payload`; an empty payload makes a POST-as-GET (RFC 8555 §6.3).
    pub(crate) fn sign(
        &self,
        signer: Signer<'_>,
        nonce: &str,
        url: &str,
        payload: &str,
    ) -> anyhow::Result<String> {
        // A kid, a nonce and a URL come from the server, so they are written as JSON strings with care.
        let (nonce, url) = (json!(nonce), json!(url));
        let protected = match signer {
            Signer::Jwk => format!(r#"{{"alg":"ES256","jwk":{},"nonce":{nonce},"url":{url}}}"#, self.jwk),
            Signer::Kid(kid) => {
                format!(r#"{{"alg":"ES256","kid":{},"nonce":{nonce},"url":{url}}}"#, json!(kid))
            }
        };
        let mut input = base64url(protected.as_bytes());
        let protected_length = input.len();
        input.push('.');
        input.push_str(&base64url(payload.as_bytes()));
        let signature = self.pair.sign(&self.random, input.as_bytes()).context("cannot sign")?;
        let (protected, payload) = input.split_at(protected_length);
        Ok(format!(
            r#"{{"protected":"{protected}","payload":"{}","signature":"{}"}}"#,
            payload.trim_start_matches('.'),
            base64url(signature.as_ref())
        ))
    }
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use serde_json::Value;

    use super::*;

    fn decoded(text: &Value) -> Vec<u8> {
        Base64UrlUnpadded::decode_vec(text.as_str().unwrap()).unwrap()
    }

    #[test]
    fn a_jws_verifies_and_says_what_it_must() {
        let key = AccountKey::generate().unwrap();
        let jws = key.sign(Signer::Kid("https://ca/\"1"), "n-1", "https://ca/new", r#"{"a":1}"#).unwrap();
        let jws: Value = serde_json::from_str(&jws).unwrap();
        let protected: Value = serde_json::from_slice(&decoded(&jws["protected"])).unwrap();
        assert_eq!(
            protected,
            json!({"alg": "ES256", "kid": "https://ca/\"1", "nonce": "n-1", "url": "https://ca/new"})
        );
        assert_eq!(decoded(&jws["payload"]), br#"{"a":1}"#);
        let input = format!("{}.{}", jws["protected"].as_str().unwrap(), jws["payload"].as_str().unwrap());
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.pair.public_key().as_ref())
            .verify(input.as_bytes(), &decoded(&jws["signature"]))
            .unwrap();
    }

    #[test]
    fn a_new_account_carries_its_key_and_a_post_as_get_nothing() {
        let key = AccountKey::generate().unwrap();
        let jws: Value = serde_json::from_str(&key.sign(Signer::Jwk, "n", "u", "").unwrap()).unwrap();
        let protected: Value = serde_json::from_slice(&decoded(&jws["protected"])).unwrap();
        assert_eq!(protected["jwk"], serde_json::from_str::<Value>(&key.jwk).unwrap());
        assert_eq!(jws["payload"], "");
        assert_eq!(key.thumbprint(), base64url(digest(&SHA256, key.jwk.as_bytes()).as_ref()));
    }
}
