//! The issuing certificate, as certificates are built from it.

use std::fmt;
use std::sync::Arc;

use crate::certificate::{CaCertificate, CaCertificateError, Validity};
use crate::crypto::Verifier;
use crate::key::{KeyAlgorithm, KeyError, KeyKind, PrivateKey, PublicKey, SignatureAlgorithm};

/// An issuing certificate, with what building needs made once: the method of its signatures, its key ready
/// to verify them, and a throw-away key of the same kind that signs what is to be linted.
pub struct Issuer {
    certificate: CaCertificate,
    key: Arc<IssuerKey>,
    throw_away: PrivateKey,
}

/// Why nothing can be issued from a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// It is not the certificate of an authority.
    #[error(transparent)]
    Certificate(#[from] CaCertificateError),
    /// Keys of that kind do not sign here.
    #[error("the CA key is {kind}; use ECDSA P-256 or P-384, RSA 3072 or 4096, or Ed25519")]
    Key {
        /// What kind it is.
        kind: KeyKind,
    },
    /// The key in the certificate is not sound.
    #[error("the public key of the CA certificate is damaged")]
    Damaged,
    /// The throw-away key could not be made.
    #[error(transparent)]
    ThrowAway(#[from] KeyError),
}

/// What a finished signature is checked with.
#[derive(Debug)]
pub(super) struct IssuerKey {
    pub(super) public_key: PublicKey,
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) verifier: Verifier,
}

impl Issuer {
    /// Makes everything ready. With an RSA key that takes up to some seconds.
    ///
    /// # Errors
    /// Why nothing can be issued from the certificate.
    pub fn new(certificate: CaCertificate) -> Result<Self, IssuerError> {
        let public_key = certificate.public_key().clone();
        let key_algorithm = match public_key.kind() {
            KeyKind::EcdsaP256 => KeyAlgorithm::EcdsaP256,
            KeyKind::EcdsaP384 => KeyAlgorithm::EcdsaP384,
            KeyKind::Rsa { bits: 3072 } => KeyAlgorithm::Rsa3072,
            KeyKind::Rsa { bits: 4096 } => KeyAlgorithm::Rsa4096,
            KeyKind::Ed25519 => KeyAlgorithm::Ed25519,
            kind @ (KeyKind::EcdsaP521 | KeyKind::Rsa { .. }) => return Err(IssuerError::Key { kind }),
        };
        let algorithm = key_algorithm.signature_algorithm();
        let verifier = public_key.verifier(algorithm).map_err(|_| IssuerError::Damaged)?;
        let throw_away = PrivateKey::generate(key_algorithm)?;
        let key = Arc::new(IssuerKey { public_key, algorithm, verifier });
        Ok(Self { certificate, key, throw_away })
    }

    /// Reads a DER certificate and makes everything ready.
    ///
    /// # Errors
    /// Why nothing can be issued from it.
    pub fn from_der(der: &[u8]) -> Result<Self, IssuerError> {
        Self::new(CaCertificate::from_der(der)?)
    }

    /// Reads one PEM block `CERTIFICATE` and makes everything ready.
    ///
    /// # Errors
    /// Why nothing can be issued from it.
    pub fn from_pem(pem: &str) -> Result<Self, IssuerError> {
        Self::new(CaCertificate::from_pem(pem)?)
    }

    /// The issuing certificate.
    pub const fn certificate(&self) -> &CaCertificate {
        &self.certificate
    }

    /// The method of the signatures on what it issues.
    pub fn signature_algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm
    }

    /// From when to when the issuing certificate is valid: nothing issued is valid outside.
    pub const fn validity(&self) -> Validity {
        self.certificate.validity()
    }

    pub(super) const fn key(&self) -> &Arc<IssuerKey> {
        &self.key
    }

    pub(super) const fn throw_away_key(&self) -> &PrivateKey {
        &self.throw_away
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({})", self.certificate.subject())
    }
}
