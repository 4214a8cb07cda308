//! Tokens and key authorizations (RFC 8555 §8.1).

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Serialize, Serializer};

use crate::crypto::{RandomFailed, random};
use crate::jwk::Thumbprint;

/// A challenge type that the server offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChallengeType {
    /// A file under `/.well-known/acme-challenge/` (RFC 8555 §8.3).
    Http01,
}

impl ChallengeType {
    /// The name in the challenge object.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http01 => "http-01",
        }
    }

    /// The type with that name.
    pub fn named(name: &str) -> Option<Self> {
        (name == Self::Http01.name()).then_some(Self::Http01)
    }
}

impl Serialize for ChallengeType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A fresh token: 256 random bits in base64url, where RFC 8555 §8.3 asks for 128.
///
/// # Errors
/// When the system's random source fails.
pub fn token() -> Result<String, RandomFailed> {
    Ok(Base64UrlUnpadded::encode_string(&random::<32>()?))
}

/// What the client must show: the token and the thumbprint of its key (RFC 8555 §8.1).
pub fn key_authorization(token: &str, thumbprint: &Thumbprint) -> String {
    format!("{token}.{thumbprint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_have_the_entropy_that_the_rfc_asks_for() {
        let (a, b) = (token().unwrap(), token().unwrap());
        assert_ne!(a, b);
        assert_eq!(Base64UrlUnpadded::decode_vec(&a).unwrap().len(), 32);
    }
}
