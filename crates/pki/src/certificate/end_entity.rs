//! A certificate as a client sends it, for instance to have it revoked (RFC 8555 §7.6).

use der::{Decode, Encode};
use x509_cert::Version;
use x509_cert::ext::pkix::{AuthorityKeyIdentifier, BasicConstraints};

use crate::asn1::Malformed;
use crate::certificate::SerialNumber;
use crate::key::{PublicKey, PublicKeyError};

/// The longest certificate that is read, in octets: as long as the longest request.
pub const MAX_CERTIFICATE_LEN: usize = 64 * 1024;

/// The most octets of a key identifier that are read; those of SHA-512 and shorter.
const MAX_KEY_ID_LEN: usize = 64;

/// What it takes to find an end-entity certificate among those that were issued, and to know its key. Nothing
/// in it has been verified: whoever acts on it compares the certificate, octet for octet, with the one that
/// is kept under that serial number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndEntity {
    /// The serial number, big-endian without leading zeros.
    pub serial: Vec<u8>,
    /// The key identifier of the issuer's key, if there is one (RFC 5280 §4.2.1.1).
    pub authority_key_id: Option<Vec<u8>>,
    /// The DER SubjectPublicKeyInfo.
    pub spki_der: Vec<u8>,
    /// The DER name of the issuer.
    pub issuer_der: Vec<u8>,
}

/// Why bytes are not taken for an end-entity certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndEntityError {
    /// There are too many of them.
    #[error("the certificate has {length} octets; at most {MAX_CERTIFICATE_LEN} are read")]
    TooLong {
        /// How many there are.
        length: usize,
    },
    /// They are not the DER of a certificate.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The key in it is not one that is understood.
    #[error(transparent)]
    PublicKey(#[from] PublicKeyError),
    /// It is not of version 3, so it cannot have the extensions that every end entity's has.
    #[error("the certificate is not of version 3")]
    Version,
    /// RFC 5280 §4.1.2.2: positive, and at most 20 octets.
    #[error("the certificate's serial number is not a positive number of at most 20 octets")]
    Serial,
    /// The identifier of the issuer's key is longer than any.
    #[error(
        "the certificate's authority key identifier has {length} octets; at most {MAX_KEY_ID_LEN} are read"
    )]
    KeyId {
        /// How many it has.
        length: usize,
    },
    /// It is the certificate of an authority.
    #[error("the certificate is a CA's; an end-entity certificate is expected")]
    Authority,
}

impl EndEntity {
    /// Reads a DER certificate that is all of `der`.
    ///
    /// # Errors
    /// Why it is not taken.
    pub fn from_der(der: &[u8]) -> Result<Self, EndEntityError> {
        if der.len() > MAX_CERTIFICATE_LEN {
            return Err(EndEntityError::TooLong { length: der.len() });
        }
        let malformed = Malformed::in_a("the certificate");
        let certificate = x509_cert::Certificate::from_der(der).map_err(&malformed)?;
        let tbs = certificate.tbs_certificate();
        if tbs.version() != Version::V3 {
            return Err(EndEntityError::Version);
        }
        let constraints = tbs.get_extension::<BasicConstraints>().map_err(&malformed)?;
        if constraints.is_some_and(|(_, constraints)| constraints.ca) {
            return Err(EndEntityError::Authority);
        }
        let authority = tbs.get_extension::<AuthorityKeyIdentifier>().map_err(&malformed)?;
        let authority_key_id = authority.and_then(|(_, authority)| authority.key_identifier);
        let authority_key_id = authority_key_id.map(|id| id.as_bytes().to_vec());
        if let Some(id) = authority_key_id.as_ref().filter(|id| id.len() > MAX_KEY_ID_LEN) {
            return Err(EndEntityError::KeyId { length: id.len() });
        }
        let spki_der = tbs.subject_public_key_info().to_der().map_err(&malformed)?;
        PublicKey::from_spki_der(&spki_der)?;
        Ok(Self {
            serial: serial(tbs.serial_number().as_bytes())?,
            authority_key_id,
            spki_der,
            issuer_der: tbs.issuer().to_der().map_err(&malformed)?,
        })
    }

    /// The serial number as one of those that are drawn here; `None` for one of more than 128 bits, which no
    /// certificate issued here has.
    pub fn serial_number(&self) -> Option<SerialNumber> {
        SerialNumber::from_integer(&self.serial)
    }
}

/// The octets of a DER INTEGER: the first has the sign, and is a zero where the number's own has its first bit
/// set.
fn serial(integer: &[u8]) -> Result<Vec<u8>, EndEntityError> {
    let positive = integer.first().is_some_and(|first| *first < 0x80);
    let digits = match integer {
        [0, digits @ ..] => digits,
        digits => digits,
    };
    if !positive || digits.is_empty() || integer.len() > 20 {
        return Err(EndEntityError::Serial);
    }
    Ok(digits.to_vec())
}

#[cfg(test)]
mod tests;
