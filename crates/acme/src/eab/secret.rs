//! The secret of an external account binding: made here, or brought along from another server.

use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use zeroize::Zeroizing;

use crate::crypto::{RandomFailed, random};

/// The MAC key that a client is given out of band (RFC 8555 §7.3.4). Wiped from memory when dropped,
/// and never printed by accident.
#[derive(Clone)]
pub struct EabSecret(Zeroizing<Vec<u8>>);

/// Why a text or some bytes are refused as a secret. It never holds any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EabSecretError {
    /// Not unpadded base64url.
    #[error("the HMAC key is not base64url without padding (A–Z, a–z, 0–9, `-`, `_`)")]
    Base64,
    /// Too short to be safe, or longer than anybody makes them.
    #[error("the HMAC key has {0} bytes: use {min} to {max}", min = EabSecret::MIN_BYTES, max = EabSecret::MAX_BYTES)]
    Length(usize),
}

impl EabSecret {
    /// How long a secret that is imported must be at least. RFC 7518 §3.2 wants as many bytes as the
    /// hash gives, which secrets that come from other servers do not always have.
    pub const MIN_BYTES: usize = 16;
    /// How long a secret that is imported may be: the block of SHA-512, beyond which HMAC hashes it.
    pub const MAX_BYTES: usize = 128;

    /// A new secret of 32 random bytes, what RFC 7518 §3.2 wants for HS256.
    ///
    /// # Errors
    /// When the system's random source fails.
    pub fn generate() -> Result<Self, RandomFailed> {
        let bytes = Zeroizing::new(random::<32>()?);
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// A secret from its bytes.
    ///
    /// # Errors
    /// [`EabSecretError::Length`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EabSecretError> {
        if !(Self::MIN_BYTES..=Self::MAX_BYTES).contains(&bytes.len()) {
            return Err(EabSecretError::Length(bytes.len()));
        }
        Ok(Self(Zeroizing::new(bytes.to_vec())))
    }

    /// A secret from the text that clients are configured with: base64url without padding.
    ///
    /// # Errors
    /// An [`EabSecretError`] that says which rule is broken.
    pub fn from_base64url(text: &str) -> Result<Self, EabSecretError> {
        let bytes =
            Base64UrlUnpadded::decode_vec(text).map(Zeroizing::new).map_err(|_| EabSecretError::Base64)?;
        Self::from_bytes(&bytes)
    }

    /// The text that clients are configured with.
    pub fn to_base64url(&self) -> Zeroizing<String> {
        Zeroizing::new(Base64UrlUnpadded::encode_string(&self.0))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for EabSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EabSecret(hidden)")
    }
}
