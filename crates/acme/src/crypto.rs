//! The cryptography that ACME needs, in one place (aws-lc-rs).

use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey};
use aws_lc_rs::digest;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::signature::{self, ParsedPublicKey, RsaPublicKeyComponents, VerificationAlgorithm};

/// The system's random source failed; nothing can be done safely without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the system's random source failed")]
pub struct RandomFailed;

pub(crate) fn random<const N: usize>() -> Result<[u8; N], RandomFailed> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| RandomFailed)?;
    Ok(bytes)
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// A signature algorithm of RFC 7518 §3.1 or RFC 8037 §3.1 that an account key may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    EcdsaP256Sha256,
    EcdsaP384Sha384,
    EcdsaP521Sha512,
    Ed25519,
}

impl Scheme {
    fn algorithm(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::EcdsaP256Sha256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::EcdsaP384Sha384 => &signature::ECDSA_P384_SHA384_FIXED,
            Self::EcdsaP521Sha512 => &signature::ECDSA_P521_SHA512_FIXED,
            Self::Ed25519 => &signature::ED25519,
        }
    }
}

/// A public key, parsed and checked once so that each verification does only the arithmetic.
#[derive(Debug, Clone)]
pub(crate) struct VerifyingKey(ParsedPublicKey);

impl VerifyingKey {
    /// `None` where the bytes are no key of the scheme: wrong length, or a point off the curve.
    pub(crate) fn new(scheme: Scheme, raw: &[u8]) -> Option<Self> {
        ParsedPublicKey::new(scheme.algorithm(), raw).ok().map(Self)
    }

    /// An RSASSA-PKCS1-v1_5 key with SHA-256 (`RS256`).
    pub(crate) fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        RsaPublicKeyComponents { n: modulus, e: exponent }
            .to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256)
            .ok()
            .map(Self)
    }

    /// The key as a SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7).
    pub(crate) fn spki_der(&self) -> Option<Vec<u8>> {
        self.0.as_der().ok().map(|der: PublicKeyX509Der<'_>| der.as_ref().to_vec())
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

/// A message authentication code of RFC 7518 §3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mac {
    HmacSha256,
    HmacSha384,
    HmacSha512,
}

impl Mac {
    /// Whether `tag` is the code of `message` under `secret`; compared in constant time.
    pub(crate) fn verifies(self, secret: &[u8], message: &[u8], tag: &[u8]) -> bool {
        let algorithm = match self {
            Self::HmacSha256 => hmac::HMAC_SHA256,
            Self::HmacSha384 => hmac::HMAC_SHA384,
            Self::HmacSha512 => hmac::HMAC_SHA512,
        };
        hmac::verify(&hmac::Key::new(algorithm, secret), message, tag).is_ok()
    }
}

/// AES-256 on single blocks: a keyed permutation of 128-bit values.
///
/// Used only where every plaintext block is distinct and carries its own redundancy (a counter or a
/// row number beside zeros), which is what makes the bare permutation enough.
pub(crate) struct BlockCipher {
    encrypting: EncryptingKey,
    decrypting: DecryptingKey,
}

impl BlockCipher {
    pub(crate) fn new(key: &[u8; 32]) -> Option<Self> {
        Some(Self {
            encrypting: EncryptingKey::ecb(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?,
            decrypting: DecryptingKey::ecb(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?,
        })
    }

    pub(crate) fn encrypt(&self, mut block: [u8; 16]) -> Option<[u8; 16]> {
        self.encrypting.encrypt(&mut block).ok()?;
        Some(block)
    }

    pub(crate) fn decrypt(&self, mut block: [u8; 16]) -> Option<[u8; 16]> {
        self.decrypting.decrypt(&mut block, DecryptionContext::None).ok()?;
        Some(block)
    }
}
