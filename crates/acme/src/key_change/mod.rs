//! The change of an account's key (RFC 8555 §7.3.5): a JWS by the new key, inside a request that the
//! old key signed.

#[cfg(test)]
mod tests;

use serde::Deserialize;

use crate::jwk::{AccountKey, RawJwk};
use crate::jws::{JwsError, KeyReference, SignedRequest};
use crate::object::Object;
use crate::problem::Problem;

/// Why a change of key is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyChangeError {
    /// The inner JWS cannot be read, or its signature is not the new key's.
    #[error("the inner JWS: {0}")]
    Inner(#[from] JwsError),
    /// The inner JWS names an account instead of holding the new key.
    #[error("the inner JWS has a `kid`: it must hold the new key as `jwk`")]
    Kid,
    /// The inner JWS has a nonce.
    #[error("the inner JWS has a `nonce`: it must be left out")]
    Nonce,
    /// The URLs of the two JWS differ.
    #[error("the inner JWS must have the same `url` as the outer one")]
    Url,
    /// What the inner JWS signs is no change of a key.
    #[error("the inner JWS: {0}")]
    Payload(String),
    /// Another account than the one that signed the request.
    #[error("the `account` of the inner JWS must be the URL of the account that signs the outer one")]
    Account,
    /// Another key than the account has.
    #[error("the `oldKey` of the inner JWS is not the key that the account has")]
    OldKey,
    /// The new key is the old one.
    #[error("the new key is the key that the account has already")]
    SameKey,
}

impl From<KeyChangeError> for Problem {
    fn from(error: KeyChangeError) -> Self {
        let detail = format!("the key is not changed (RFC 8555 §7.3.5): {error}");
        match error {
            KeyChangeError::Inner(inner) => inner.problem(detail),
            _ => Self::malformed(detail),
        }
    }
}

/// What the inner JWS signs.
#[derive(Deserialize)]
struct KeyChange {
    account: String,
    #[serde(rename = "oldKey")]
    old_key: Object<RawJwk>,
}

/// Checks a change of key and gives the new one.
///
/// `inner` is the payload of the outer request, whose signature by `old_key` was verified before;
/// `outer_url` and `account_url` are the `url` and the `kid` of the outer request. Whether the new key
/// belongs to another account already is for the caller to find out (409).
///
/// # Errors
/// A [`KeyChangeError`] for the first rule that is broken.
pub fn verify(
    inner: &[u8],
    outer_url: &str,
    account_url: &str,
    old_key: &AccountKey,
) -> Result<AccountKey, KeyChangeError> {
    let inner = SignedRequest::parse(inner)?;
    let KeyReference::Jwk(new_key) = inner.key() else { return Err(KeyChangeError::Kid) };
    if inner.nonce().is_some() {
        return Err(KeyChangeError::Nonce);
    }
    if inner.url() != outer_url {
        return Err(KeyChangeError::Url);
    }
    let payload = inner.verify(new_key)?;
    let change: KeyChange =
        payload.parse().map_err(|problem| KeyChangeError::Payload(problem.detail().to_owned()))?;
    if change.account != account_url {
        return Err(KeyChangeError::Account);
    }
    // A key that would not be accepted today is no account's, so why it is refused does not matter.
    let Object(said) = change.old_key;
    if !said.check().is_ok_and(|said| said.thumbprint() == old_key.thumbprint()) {
        return Err(KeyChangeError::OldKey);
    }
    if new_key.thumbprint() == old_key.thumbprint() {
        return Err(KeyChangeError::SameKey);
    }
    Ok(AccountKey::clone(new_key))
}
