//! Certificates of authorities.

use std::fmt;

use der::pem::LineEnding;
use der::{Decode, Encode};
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, BasicConstraints, KeyUsage, SubjectKeyIdentifier};

use crate::asn1::{Malformed, Signed};
use crate::certificate::{Validity, ValidityError};
use crate::key::{PublicKey, PublicKeyError, SignatureAlgorithm};

/// The certificate of an authority: a root's or an intermediate's.
#[derive(Clone, PartialEq, Eq)]
pub struct CaCertificate {
    der: Vec<u8>,
    subject_der: Vec<u8>,
    subject: String,
    issuer_der: Vec<u8>,
    authority_key_id: Option<Vec<u8>>,
    key_id: Vec<u8>,
    public_key: PublicKey,
    validity: Validity,
    path_len: Option<u8>,
}

/// Why bytes are not the certificate of an authority.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaCertificateError {
    /// The text is not a PEM block `CERTIFICATE`.
    #[error("the certificate is not a PEM block `CERTIFICATE`")]
    Pem,
    /// The bytes are not a certificate.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The key is not one that is understood.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
    /// It was never valid.
    #[error(transparent)]
    Validity(#[from] ValidityError),
    /// It is somebody's certificate, but no authority's.
    #[error("`{subject}` is not a CA certificate: basicConstraints does not say CA:TRUE")]
    NotCa {
        /// Its subject.
        subject: String,
    },
    /// The key may not sign certificates.
    #[error("the key usage of `{subject}` does not include keyCertSign")]
    KeyUsage {
        /// Its subject.
        subject: String,
    },
    /// An authority has to have a name (RFC 5280 §4.1.2.6).
    #[error("the CA certificate has an empty subject")]
    NoSubject,
    /// An authority has to have a key identifier (RFC 5280 §4.2.1.2).
    #[error("the CA certificate `{subject}` has no subject key identifier")]
    NoKeyId {
        /// Its subject.
        subject: String,
    },
}

/// Why one certificate does not follow from another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The names do not meet.
    #[error("the issuer of `{child}` is not `{parent}`")]
    Name {
        /// The lower certificate's subject.
        child: String,
        /// The upper certificate's subject.
        parent: String,
    },
    /// The key identifiers do not meet.
    #[error("the authority key identifier of `{child}` is not the key of `{parent}`")]
    KeyId {
        /// The lower certificate's subject.
        child: String,
        /// The upper certificate's subject.
        parent: String,
    },
    /// The upper one may have no authorities under it.
    #[error("`{parent}` may have no CA under it: its path length is 0")]
    PathLen {
        /// The upper certificate's subject.
        parent: String,
    },
    /// The signature does not verify.
    #[error("the signature of `{child}` does not verify under the key of `{parent}`")]
    Signature {
        /// The lower certificate's subject.
        child: String,
        /// The upper certificate's subject.
        parent: String,
    },
}

impl CaCertificate {
    /// Reads a DER certificate that is all of `der`.
    ///
    /// # Errors
    /// Why it is not the certificate of an authority.
    pub fn from_der(der: &[u8]) -> Result<Self, CaCertificateError> {
        let malformed = Malformed::in_a("the CA certificate");
        let certificate = x509_cert::Certificate::from_der(der).map_err(&malformed)?;
        let tbs = certificate.tbs_certificate();
        if tbs.subject().is_empty() {
            return Err(CaCertificateError::NoSubject);
        }
        let subject = tbs.subject().to_string();
        let constraints = tbs.get_extension::<BasicConstraints>().map_err(&malformed)?;
        let Some((_, BasicConstraints { ca: true, path_len_constraint: path_len })) = constraints else {
            return Err(CaCertificateError::NotCa { subject });
        };
        let usage = tbs.get_extension::<KeyUsage>().map_err(&malformed)?;
        if !usage.is_some_and(|(_, usage)| usage.key_cert_sign()) {
            return Err(CaCertificateError::KeyUsage { subject });
        }
        let Some((_, key_id)) = tbs.get_extension::<SubjectKeyIdentifier>().map_err(&malformed)? else {
            return Err(CaCertificateError::NoKeyId { subject });
        };
        let authority = tbs.get_extension::<AuthorityKeyIdentifier>().map_err(&malformed)?;
        let spki = tbs.subject_public_key_info().to_der().map_err(&malformed)?;
        Ok(Self {
            der: der.to_vec(),
            subject_der: tbs.subject().to_der().map_err(&malformed)?,
            subject,
            issuer_der: tbs.issuer().to_der().map_err(&malformed)?,
            authority_key_id: authority
                .and_then(|(_, authority)| authority.key_identifier)
                .map(|id| id.as_bytes().to_vec()),
            key_id: key_id.0.as_bytes().to_vec(),
            public_key: PublicKey::from_spki_der(&spki)?,
            validity: Validity::from_times(tbs.validity().not_before, tbs.validity().not_after)?,
            path_len,
        })
    }

    /// Reads one PEM block `CERTIFICATE`.
    ///
    /// # Errors
    /// Why it is not the certificate of an authority.
    pub fn from_pem(pem: &str) -> Result<Self, CaCertificateError> {
        match der::Document::from_pem(pem) {
            Ok(("CERTIFICATE", document)) => Self::from_der(document.as_bytes()),
            _ => Err(CaCertificateError::Pem),
        }
    }

    /// The certificate, DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate, a PEM block with a newline at its end.
    pub fn to_pem(&self) -> String {
        pem(&self.der)
    }

    /// The subject, in the text form of RFC 4514.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The subject, DER.
    pub fn subject_der(&self) -> &[u8] {
        &self.subject_der
    }

    /// The subject key identifier.
    pub fn key_id(&self) -> &[u8] {
        &self.key_id
    }

    /// The certified key.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// From when to when it is valid.
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// Whether it names itself as its issuer, as roots do.
    pub fn is_self_issued(&self) -> bool {
        self.subject_der == self.issuer_der
    }

    /// Holds this certificate against the one above it: names, key identifiers, path length, signature. The
    /// time is not looked at.
    ///
    /// # Errors
    /// What does not fit.
    pub fn verify_issued_by(&self, parent: &Self) -> Result<(), ChainError> {
        let subjects = || (self.subject.clone(), parent.subject.clone());
        if self.issuer_der != parent.subject_der {
            let (child, parent) = subjects();
            return Err(ChainError::Name { child, parent });
        }
        if self.authority_key_id.as_ref().is_some_and(|id| *id != parent.key_id) {
            let (child, parent) = subjects();
            return Err(ChainError::KeyId { child, parent });
        }
        if parent.path_len == Some(0) {
            return Err(ChainError::PathLen { parent: parent.subject.clone() });
        }
        if !is_signed_by(&self.der, &parent.public_key) {
            let (child, parent) = subjects();
            return Err(ChainError::Signature { child, parent });
        }
        Ok(())
    }
}

impl fmt::Debug for CaCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CaCertificate({})", self.subject)
    }
}

/// A certificate as a PEM block `CERTIFICATE` with a newline at its end.
pub fn pem(der: &[u8]) -> String {
    // Encoding fails on lengths beyond the address space alone.
    der::pem::encode_string("CERTIFICATE", LineEnding::LF, der).unwrap_or_default()
}

fn is_signed_by(der: &[u8], key: &PublicKey) -> bool {
    let Ok(signed) = Signed::from_der(der) else { return false };
    let Some(algorithm) = SignatureAlgorithm::from_identifier(&signed.algorithm) else { return false };
    let Ok(verifier) = key.verifier(algorithm) else { return false };
    verifier.verify(signed.message, signed.signature).is_ok()
}
