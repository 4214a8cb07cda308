//! Lower-case hexadecimal of 32 bytes, the one spelling that the log knows.

/// Digits of a hash or an authenticator.
pub(crate) const HEX_LENGTH: usize = 64;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

pub(crate) fn encode(bytes: &[u8; 32]) -> [u8; HEX_LENGTH] {
    let mut digits = [0; HEX_LENGTH];
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        if let [high, low] = pair {
            *high = digit(byte >> 4);
            *low = digit(byte & 0x0f);
        }
    }
    digits
}

pub(crate) fn to_string(bytes: &[u8; 32]) -> String {
    encode(bytes).iter().map(|digit| char::from(*digit)).collect()
}

/// Upper case is refused, so that a value has one spelling.
pub(crate) fn decode(digits: &[u8; HEX_LENGTH]) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        if let [high, low] = pair {
            *byte = value(*high)? << 4 | value(*low)?;
        }
    }
    Some(bytes)
}

fn digit(nibble: u8) -> u8 {
    DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0')
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back_and_upper_case_does_not() {
        for byte in 0..=u8::MAX {
            assert_eq!(decode(&encode(&[byte; 32])), Some([byte; 32]));
        }
        assert_eq!(decode(&[b'A'; 64]), None);
        assert_eq!(decode(&[b'g'; 64]), None);
        assert_eq!(to_string(&[0xa5; 32]), "a5".repeat(32));
    }
}
