//! What binds accounts and keys to each other: external accounts, and the change of an account's key.

use aws_lc_rs::hmac;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::{Value, json};

use super::{RawClient, base64url};

impl RawClient {
    /// The external account binding of this client's key (RFC 8555 §7.3.4, HS256) for a request to that
    /// `newAccount`, under an HMAC key in base64url.
    pub fn binding(&self, new_account: &str, kid: &str, hmac_key: &str) -> Value {
        let header = json!({ "alg": "HS256", "kid": kid, "url": new_account });
        Self::mac(&header, &self.jwk().to_string(), hmac_key)
    }

    /// A JWS in flattened form whose signature is an HMAC with SHA-256, whatever its header says.
    pub fn mac(header: &Value, payload: &str, hmac_key: &str) -> Value {
        let secret = Base64UrlUnpadded::decode_vec(hmac_key).expect("an HMAC key in base64url");
        let (header, payload) = (base64url(header.to_string().as_bytes()), base64url(payload.as_bytes()));
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let tag = hmac::sign(&key, format!("{header}.{payload}").as_bytes());
        json!({ "protected": header, "payload": payload, "signature": base64url(tag.as_ref()) })
    }

    /// The inner JWS of a change of key (RFC 8555 §7.3.5), which gives `account` this client's key in place
    /// of that of `old`.
    pub fn key_change(&self, account: &str, old: &Value) -> Value {
        let header = json!({ "alg": "ES256", "jwk": self.jwk(), "url": self.url("keyChange") });
        self.sign(&header, &json!({ "account": account, "oldKey": old }).to_string())
    }

    /// Signs from now on for that account, whoever made it.
    pub fn act_for(&mut self, account: &str) {
        self.account = Some(account.to_owned());
    }
}
