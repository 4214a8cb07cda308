//! External account binding (RFC 8555 §7.3.4): proof that whoever registers an account was given a
//! key by the CA beforehand.
//!
//! The checks go in an order that tells nothing of which key identifiers exist: everything that needs
//! no secret is checked first, by [`ExternalAccountBinding::parse`]; after that an unknown identifier
//! and a wrong MAC are the same [`EabError::Unauthorized`].

mod secret;
#[cfg(test)]
mod tests;

pub use secret::{EabSecret, EabSecretError};

use serde::Deserialize;

use crate::crypto::Mac;
use crate::flattened::Flattened;
use crate::jwk::{AccountKey, KeyRefusal};
use crate::jws::JwsError;
use crate::problem::Problem;

/// How many bytes of JSON a binding may have. The largest that is needed, with an RSA key of 8192
/// bits, has about 2,500.
const MAX_JSON: usize = 16 * 1024;

/// Why an external account binding is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EabError {
    /// More bytes than any binding needs.
    #[error("it has {0} bytes of JSON: at most {MAX_JSON} are read")]
    TooLong(usize),
    /// It is no flattened JWS with the header that RFC 8555 §7.3.4 wants.
    #[error("{}", .0.to_string().chars().take(300).collect::<String>())]
    Jws(JwsError),
    /// The algorithm is no MAC.
    #[error("its algorithm is `{0}`: use HS256, HS384 or HS512")]
    Algorithm(String),
    /// The key identifier could not be one of ours.
    #[error("its `kid` must have 1 to {} printable characters", ExternalAccountBinding::MAX_KID)]
    Kid,
    /// The URL is not that of the request around it.
    #[error("its `url` must be that of the request around it")]
    Url,
    /// The payload is no key.
    #[error("its payload must be the account's key as a JWK: {0}")]
    Payload(KeyRefusal),
    /// The payload is another key than the account's.
    #[error("its payload is another key than the one that signs the request around it")]
    OtherKey,
    /// The identifier is unknown or the MAC is wrong; which of them is not for the client to know.
    #[error("its `kid` is not known or its MAC is wrong: check both with whoever gave you the key")]
    Unauthorized,
}

impl From<EabError> for Problem {
    fn from(error: EabError) -> Self {
        let detail = format!("the external account binding (RFC 8555 §7.3.4) is refused: {error}");
        match error {
            EabError::Unauthorized => Self::unauthorized(detail),
            _ => Self::malformed(detail),
        }
    }
}

/// An external account binding of which all is checked but the MAC.
#[derive(Debug)]
pub struct ExternalAccountBinding {
    mac: Mac,
    kid: String,
    jws: Flattened,
}

/// RFC 8555 §7.3.4 names these three members, and forbids `nonce`. Whatever else could stand here
/// would change what the MAC means (`crit`, `b64`) or name a second key (`jwk`).
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    url: String,
}

impl ExternalAccountBinding {
    /// How many characters a key identifier may have.
    pub const MAX_KID: usize = 256;

    /// Reads the `externalAccountBinding` of a request that `account_key` signed and that was sent to
    /// `new_account_url`.
    ///
    /// # Errors
    /// An [`EabError`] for anything that is wrong whatever the secret.
    pub fn parse(json: &str, account_key: &AccountKey, new_account_url: &str) -> Result<Self, EabError> {
        if json.len() > MAX_JSON {
            return Err(EabError::TooLong(json.len()));
        }
        let jws = Flattened::parse(json.as_bytes()).map_err(EabError::Jws)?;
        let header: Header = jws.header().map_err(EabError::Jws)?;
        let mac = match header.alg.as_str() {
            "HS256" => Mac::HmacSha256,
            "HS384" => Mac::HmacSha384,
            "HS512" => Mac::HmacSha512,
            other => return Err(EabError::Algorithm(other.chars().take(32).collect())),
        };
        if !Self::is_kid(&header.kid) {
            return Err(EabError::Kid);
        }
        if header.url != new_account_url {
            return Err(EabError::Url);
        }
        let payload = jws.payload().map_err(EabError::Jws)?;
        let payload = std::str::from_utf8(&payload).map_err(|_| EabError::Payload(KeyRefusal::NotAKey))?;
        let bound = AccountKey::from_json(payload).map_err(EabError::Payload)?;
        // A thumbprint covers the key type as well as the numbers (RFC 7638 §3.2).
        if bound.thumbprint() != account_key.thumbprint() {
            return Err(EabError::OtherKey);
        }
        Ok(Self { mac, kid: header.kid, jws })
    }

    /// Whether a text can be a key identifier.
    pub fn is_kid(text: &str) -> bool {
        let length = text.chars().take(Self::MAX_KID + 1).count();
        (1..=Self::MAX_KID).contains(&length) && !text.chars().any(char::is_control)
    }

    /// The identifier of the key that is said to have made the MAC.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Checks the MAC. `secret` is `None` where no key of that identifier may be used: unknown,
    /// expired, revoked or used up.
    ///
    /// # Errors
    /// [`EabError::Unauthorized`], the same with and without a secret.
    pub fn verify(&self, secret: Option<&EabSecret>) -> Result<(), EabError> {
        // An empty secret is nobody's: the same work is done, so that the time tells nothing either.
        let key = secret.map(EabSecret::as_bytes).unwrap_or_default();
        let verified = self.mac.verifies(key, self.jws.signing_input(), self.jws.signature());
        if secret.is_some() && verified { Ok(()) } else { Err(EabError::Unauthorized) }
    }
}
