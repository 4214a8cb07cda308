//! Serial numbers.

use std::fmt;

use crate::crypto;

/// The serial number of a certificate: 128 random bits, never zero.
///
/// As an ASN.1 INTEGER it is positive and has at most 17 octets (RFC 5280 §4.1.2.2 allows 20).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNumber([u8; 16]);

/// Why there is no serial number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SerialError {
    /// The system gives no randomness.
    #[error("the system's random generator gives nothing; a serial number cannot be drawn")]
    Random,
    /// Zero is not a serial number (RFC 5280 §4.1.2.2).
    #[error("zero is not a serial number")]
    Zero,
}

impl SerialNumber {
    /// Draws a new one.
    ///
    /// # Errors
    /// [`SerialError::Random`]; or, once in 2^128 draws, [`SerialError::Zero`].
    pub fn random() -> Result<Self, SerialError> {
        Self::from_bytes(crypto::random().map_err(|_| SerialError::Random)?)
    }

    /// One that was drawn before, big-endian.
    ///
    /// # Errors
    /// [`SerialError::Zero`].
    pub fn from_bytes(big_endian: [u8; 16]) -> Result<Self, SerialError> {
        if big_endian == [0; 16] {
            return Err(SerialError::Zero);
        }
        Ok(Self(big_endian))
    }

    /// The one that an integer is, big-endian, however many zeros it begins with; `None` for one of more than 128
    /// bits, and for zero.
    pub fn from_integer(integer: &[u8]) -> Option<Self> {
        let zeros = integer.iter().take_while(|octet| **octet == 0).count();
        let digits = integer.get(zeros..)?;
        let mut octets = [0; 16];
        let start = octets.len().checked_sub(digits.len())?;
        octets.get_mut(start..)?.copy_from_slice(digits);
        Self::from_bytes(octets).ok()
    }

    /// The number, big-endian.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for SerialNumber {
    /// 32 digits of lower-case hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_refused_and_others_print_whole() {
        assert_eq!(SerialNumber::from_bytes([0; 16]), Err(SerialError::Zero));
        let one = SerialNumber::from_bytes(1_u128.to_be_bytes()).unwrap();
        assert_eq!(one.to_string(), "00000000000000000000000000000001");
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        let whole = SerialNumber::from_bytes([0xff; 16]).unwrap();
        let small = SerialNumber::from_bytes(0x0187_u128.to_be_bytes()).unwrap();
        // The content of a DER INTEGER has a zero before a first bit that is set.
        for (integer, serial) in [
            (&[&[0], &[0xff; 16][..]].concat()[..], Some(whole)),
            (&[0xff; 16], Some(whole)),
            (&[0x01, 0x87], Some(small)),
            (&[0, 0, 0x01, 0x87], Some(small)),
            (&[0x01; 17], None),
            (&[0], None),
            (&[], None),
        ] {
            assert_eq!(SerialNumber::from_integer(integer), serial, "{integer:?}");
        }
    }

    #[test]
    fn draws_differ() {
        assert_ne!(SerialNumber::random().unwrap(), SerialNumber::random().unwrap());
    }
}
