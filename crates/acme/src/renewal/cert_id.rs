//! The name of a certificate in renewal information (RFC 9773 §4.1).

use std::fmt;
use std::str::FromStr;

use base64ct::{Base64UrlUnpadded, Encoding};

/// A certificate's identifier: its issuer's key identifier and its serial number.
///
/// Each certificate has one text and each text one certificate, so that identifiers can be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertId {
    key_identifier: Vec<u8>,
    serial: Vec<u8>,
}

/// Why a text or some bytes are no certificate identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertIdError {
    /// Not two parts with a full stop between them.
    #[error("a certificate identifier is two base64url texts with a full stop between them (RFC 9773 §4.1)")]
    Shape,
    /// A part is not unpadded base64url, or not the only way to write its bytes.
    #[error("the {0} of the certificate identifier is not base64url without padding")]
    Base64(&'static str),
    /// The key identifier is empty or too long.
    #[error("the key identifier has {0} bytes: it has 1 to {max}", max = CertId::MAX_KEY_IDENTIFIER)]
    KeyIdentifier(usize),
    /// The serial number is no positive INTEGER in DER of at most 20 octets (RFC 5280 §4.1.2.2).
    #[error(
        "the serial number is not the content of a positive INTEGER in DER of at most {} octets",
        CertId::MAX_SERIAL
    )]
    Serial,
}

impl CertId {
    /// How many bytes a key identifier may have: those of SHA-512, the longest hash it is made with.
    pub const MAX_KEY_IDENTIFIER: usize = 64;
    /// How many octets a serial number may have (RFC 5280 §4.1.2.2).
    pub const MAX_SERIAL: usize = 20;

    /// The identifier of the certificate with the keyIdentifier of this authority key identifier and
    /// this serial number, the content octets of its INTEGER (a leading zero octet included).
    ///
    /// # Errors
    /// [`CertIdError::KeyIdentifier`] or [`CertIdError::Serial`].
    pub fn new(key_identifier: &[u8], serial: &[u8]) -> Result<Self, CertIdError> {
        if !(1..=Self::MAX_KEY_IDENTIFIER).contains(&key_identifier.len()) {
            return Err(CertIdError::KeyIdentifier(key_identifier.len()));
        }
        // X.690 §8.3.2: the first nine bits of an INTEGER are not all the same.
        let positive_and_shortest = match serial {
            [0, next, ..] => *next >= 0x80,
            [first, ..] => (1..0x80).contains(first),
            [] => false,
        };
        if !positive_and_shortest || serial.len() > Self::MAX_SERIAL {
            return Err(CertIdError::Serial);
        }
        Ok(Self { key_identifier: key_identifier.to_vec(), serial: serial.to_vec() })
    }

    /// The keyIdentifier of the issuer.
    pub fn key_identifier(&self) -> &[u8] {
        &self.key_identifier
    }

    /// The content octets of the serial number's INTEGER.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }
}

impl FromStr for CertId {
    type Err = CertIdError;

    fn from_str(text: &str) -> Result<Self, CertIdError> {
        let (key_identifier, serial) = text.split_once('.').ok_or(CertIdError::Shape)?;
        if text.len() > 4 * Self::MAX_KEY_IDENTIFIER || serial.contains('.') {
            return Err(CertIdError::Shape);
        }
        let decode = |part, text| Base64UrlUnpadded::decode_vec(text).map_err(|_| CertIdError::Base64(part));
        Self::new(&decode("first part", key_identifier)?, &decode("second part", serial)?)
    }
}

impl fmt::Display for CertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let b64 = Base64UrlUnpadded::encode_string;
        write!(f, "{}.{}", b64(&self.key_identifier), b64(&self.serial))
    }
}
