//! Private keys, and the trait of whatever signs.

use std::fmt;

use const_oid::ObjectIdentifier;
use const_oid::db::{rfc5912, rfc8410};
use der::Decode;
use der::pem::LineEnding;
use pkcs8::PrivateKeyInfoRef;
use zeroize::Zeroizing;

use crate::asn1::Malformed;
use crate::crypto::{KeyPair, Pkcs8Kind};
use crate::key::{KeyAlgorithm, KeyKind, PublicKey, SignatureAlgorithm};

/// Whatever holds a private key and signs with it: a [`PrivateKey`], or a device.
pub trait Signer: Send + Sync {
    /// The public half of the key.
    fn public_key(&self) -> &PublicKey;

    /// The method by which [`Signer::sign`] signs.
    fn signature_algorithm(&self) -> SignatureAlgorithm;

    /// A signature of `message`, encoded as X.509 has it (DER for ECDSA).
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError>;
}

/// A signer did not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the signature could not be made: {reason}")]
pub struct SignError {
    reason: String,
}

impl SignError {
    /// `reason` is for the operator's log, and names no secret.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

/// A private key held in memory.
pub struct PrivateKey {
    pair: KeyPair,
    algorithm: KeyAlgorithm,
    public_key: PublicKey,
}

/// Why a private key could not be made, read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The text is not PEM.
    #[error("the key is not PEM text: {0}")]
    Pem(der::Error),
    /// The PEM block is something else.
    #[error("found a PEM block `{found}` where `{expected}` was expected")]
    PemLabel {
        /// The label of the block that was found.
        found: String,
        /// The label that was wanted.
        expected: &'static str,
    },
    /// The bytes are not PKCS#8.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The key is of a kind that is not supported here.
    #[error(
        "private keys of the algorithm {oid} are not supported; use ECDSA P-256 or P-384, RSA 3072 or 4096, \
         or Ed25519"
    )]
    Algorithm {
        /// The algorithm, or the curve of an elliptic-curve key.
        oid: ObjectIdentifier,
    },
    /// The RSA key is not of a size that is supported here.
    #[error("the RSA key has {bits} bits; use 3072 or 4096")]
    RsaBits {
        /// Length of the modulus in bits.
        bits: usize,
    },
    /// The key's numbers do not fit together.
    #[error("the private key is damaged: its numbers do not fit together")]
    Inconsistent,
    /// The system has no randomness to give, or the cryptographic library failed its self-test.
    #[error("the cryptographic library could not make or write a key; check the system's random generator")]
    Library,
}

impl PrivateKey {
    /// A new key from the system's random generator. RSA takes up to some seconds.
    ///
    /// # Errors
    /// [`KeyError::Library`] when the system gives no randomness.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, KeyError> {
        let pair = KeyPair::generate(algorithm).map_err(|_| KeyError::Library)?;
        let public_key = public_half(&pair)?;
        Ok(Self { pair, algorithm, public_key })
    }

    /// Reads an unencrypted DER PKCS#8 PrivateKeyInfo (RFC 5958).
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong with the key, and nothing of what is in it.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, KeyError> {
        let info = PrivateKeyInfoRef::from_der(der).map_err(Malformed::in_a("the private key"))?;
        let kind = pkcs8_kind(&info)?;
        let pair = KeyPair::from_pkcs8(kind, der).map_err(|_| KeyError::Inconsistent)?;
        let public_key = public_half(&pair)?;
        let algorithm = match public_key.kind() {
            KeyKind::EcdsaP256 => KeyAlgorithm::EcdsaP256,
            KeyKind::EcdsaP384 => KeyAlgorithm::EcdsaP384,
            KeyKind::Ed25519 => KeyAlgorithm::Ed25519,
            KeyKind::Rsa { bits: 3072 } => KeyAlgorithm::Rsa3072,
            KeyKind::Rsa { bits: 4096 } => KeyAlgorithm::Rsa4096,
            KeyKind::Rsa { bits } => return Err(KeyError::RsaBits { bits }),
            KeyKind::EcdsaP521 => return Err(KeyError::Algorithm { oid: rfc5912::SECP_521_R_1 }),
        };
        Ok(Self { pair, algorithm, public_key })
    }

    /// The unencrypted DER PKCS#8 PrivateKeyInfo.
    ///
    /// # Errors
    /// [`KeyError::Library`] when memory is short.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.pair.to_pkcs8().map_err(|_| KeyError::Library)
    }

    /// Reads an unencrypted PEM block `PRIVATE KEY`.
    ///
    /// # Errors
    /// [`KeyError`] says what is wrong with the text or the key.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let (label, document) = der::SecretDocument::from_pem(pem).map_err(KeyError::Pem)?;
        expect_label(label, LABEL)?;
        Self::from_pkcs8_der(document.as_bytes())
    }

    /// An unencrypted PEM block `PRIVATE KEY`.
    ///
    /// # Errors
    /// [`KeyError::Library`] when memory is short.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        let der = self.to_pkcs8_der()?;
        let pem = der::pem::encode_string(LABEL, LineEnding::LF, &der).map_err(|_| KeyError::Library)?;
        Ok(Zeroizing::new(pem))
    }

    /// The algorithm that the key was made for.
    pub const fn algorithm(&self) -> KeyAlgorithm {
        self.algorithm
    }
}

impl Signer for PrivateKey {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.algorithm.signature_algorithm()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.pair.sign(message).map_err(|_| SignError::new("the cryptographic library refused"))
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({}, redacted)", self.algorithm)
    }
}

const LABEL: &str = "PRIVATE KEY";

/// Refuses a PEM block with another label.
pub(crate) fn expect_label(found: &str, expected: &'static str) -> Result<(), KeyError> {
    if found == expected {
        return Ok(());
    }
    Err(KeyError::PemLabel { found: found.chars().take(64).collect(), expected })
}

fn pkcs8_kind(info: &PrivateKeyInfoRef<'_>) -> Result<Pkcs8Kind, KeyError> {
    match info.algorithm.oid {
        rfc5912::RSA_ENCRYPTION => Ok(Pkcs8Kind::Rsa),
        rfc8410::ID_ED_25519 => Ok(Pkcs8Kind::Ed25519),
        rfc5912::ID_EC_PUBLIC_KEY => match info.algorithm.parameters_oid() {
            Ok(rfc5912::SECP_256_R_1) => Ok(Pkcs8Kind::EcdsaP256),
            Ok(rfc5912::SECP_384_R_1) => Ok(Pkcs8Kind::EcdsaP384),
            Ok(oid) => Err(KeyError::Algorithm { oid }),
            Err(_) => Err(KeyError::Algorithm { oid: rfc5912::ID_EC_PUBLIC_KEY }),
        },
        oid => Err(KeyError::Algorithm { oid }),
    }
}

fn public_half(pair: &KeyPair) -> Result<PublicKey, KeyError> {
    let spki = pair.spki_der().map_err(|_| KeyError::Library)?;
    PublicKey::from_spki_der(&spki).map_err(|_| KeyError::Library)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_pkcs8_and_pem() {
        for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519] {
            let key = PrivateKey::generate(algorithm).unwrap();
            let again = PrivateKey::from_pem(&key.to_pem().unwrap()).unwrap();
            assert_eq!(again.public_key(), key.public_key());
            assert_eq!(again.algorithm(), algorithm);
        }
    }

    #[test]
    fn signatures_verify() {
        for algorithm in [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::Ed25519] {
            let key = PrivateKey::generate(algorithm).unwrap();
            let signature = key.sign(b"message").unwrap();
            let verifier = key.public_key().verifier(key.signature_algorithm()).unwrap();
            assert_eq!(verifier.verify(b"message", &signature), Ok(()));
            assert!(verifier.verify(b"massage", &signature).is_err());
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        assert_eq!(format!("{key:?}"), "PrivateKey(ecdsa-p256, redacted)");
    }

    #[test]
    fn refuses_other_blocks_and_damage() {
        let refused = PrivateKey::from_pem("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
        assert!(matches!(refused, Err(KeyError::PemLabel { .. })), "{refused:?}");
        let der = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap().to_pkcs8_der().unwrap();
        assert!(matches!(PrivateKey::from_pkcs8_der(&der[1..]), Err(KeyError::Malformed(_))));
    }
}
