//! Lower-case hexadecimal of 32 bytes, the one spelling that the log knows.

/// Digits of a hash or an authenticator.
pub(crate) const HEX_LENGTH: usize = 64;

pub(crate) fn encode(bytes: &[u8; 32]) -> [u8; HEX_LENGTH] {
    let mut digits = [0; HEX_LENGTH];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 0x0f)];
    }
    digits
}

pub(crate) fn to_string(bytes: &[u8; 32]) -> String {
    encode(bytes).iter().map(|digit| char::from(*digit)).collect()
}

/// Upper case is refused, so that a value has one spelling.
pub(crate) fn decode(digits: &[u8; HEX_LENGTH]) -> Option<[u8; 32]> {
    // Every line has two of these: without an early exit the compiler makes vectors of them.
    let values = digits.map(value);
    let mut bytes = [0; 32];
    for (byte, [high, low]) in bytes.iter_mut().zip(values.as_chunks::<2>().0) {
        *byte = high << 4 | low & 0x0f;
    }
    let all_digits = values.iter().fold(0, |all, value| all | value) < 0x10;
    all_digits.then_some(bytes)
}

fn digit(nibble: u8) -> u8 {
    nibble + if nibble < 10 { b'0' } else { b'a' - 10 }
}

/// At least 0x10 for what is no digit.
fn value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => 0x10,
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
