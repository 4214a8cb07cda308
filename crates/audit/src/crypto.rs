//! The cryptography of the log, in one place (aws-lc-rs).

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use aws_lc_rs::{digest, hmac};
use zeroize::Zeroizing;

/// Length of a SHA-256 hash and of an HMAC-SHA-256, in bytes.
pub(crate) const HASH_LENGTH: usize = 32;
/// Length of an Ed25519 signature (RFC 8032 §5.1.6), in bytes.
pub(crate) const SIGNATURE_LENGTH: usize = 64;

/// A SHA-256 hash.
pub(crate) type Hash = [u8; HASH_LENGTH];
/// An HMAC-SHA-256.
pub(crate) type Mac = [u8; HASH_LENGTH];

/// The key of the chain. It is wiped when dropped, and its Debug form shows nothing.
#[derive(Clone)]
pub struct Secret {
    key: hmac::Key,
    bytes: Zeroizing<[u8; 32]>,
}

impl Secret {
    /// Takes the 32 random bytes that all nodes of an installation share.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, bytes), bytes: Zeroizing::new(*bytes) }
    }

    /// The secret itself, for the lanes.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// HMAC-SHA-256 (RFC 2104) over the parts, one after the other.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> Mac {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(part);
        }
        to_array(context.sign().as_ref())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

pub(crate) fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    to_array(context.finish().as_ref())
}

/// Whether two authenticators are the same, in a time that tells nothing about them.
pub(crate) fn same(one: &Mac, other: &Mac) -> bool {
    verify_slices_are_equal(one, other).is_ok()
}

/// An Ed25519 private key.
pub(crate) struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// Every 32 bytes are a seed (RFC 8032 §5.1.5); `None` when the library fails.
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self)
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        to_array(self.0.public_key().as_ref())
    }

    /// `None` when the library fails.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<[u8; SIGNATURE_LENGTH]> {
        self.0.try_sign(message).ok().map(|signature| to_array(signature.as_ref()))
    }
}

pub(crate) fn verifies(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
}

fn to_array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(bytes);
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", Secret::new(&[7; 32])), "Secret(..)");
    }

    #[test]
    fn parts_are_one_message() {
        let secret = Secret::new(&[1; 32]);
        assert_eq!(secret.mac(&[b"ab", b"c"]), secret.mac(&[b"abc"]));
        assert_eq!(sha256(&[b"ab", b"c"]), sha256(&[b"abc"]));
    }
}
