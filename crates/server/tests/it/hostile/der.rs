//! DER, written by hand (X.690), for certificate requests that no library makes.

/// An element with its tag and length.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut encoded = vec![tag];
    let length = content.len();
    match length {
        0..0x80 => encoded.push(u8::try_from(length).unwrap()),
        _ => {
            let octets: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
            encoded.push(0x80 | u8::try_from(octets.len()).unwrap());
            encoded.extend(octets);
        }
    }
    encoded.extend(content);
    encoded
}

pub(super) fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

pub(super) fn set(parts: &[Vec<u8>]) -> Vec<u8> {
    element(0x31, &parts.concat())
}

/// A positive INTEGER of these octets.
pub(super) fn integer(octets: &[u8]) -> Vec<u8> {
    let padded = if octets.first().is_none_or(|first| *first >= 0x80) {
        [&[0], octets].concat()
    } else {
        octets.to_vec()
    };
    element(2, &padded)
}

/// A BIT STRING without unused bits.
pub(super) fn bits(octets: &[u8]) -> Vec<u8> {
    element(3, &[&[0], octets].concat())
}

/// An OBJECT IDENTIFIER by its numbers: `2.5.29.17`.
pub(super) fn oid(text: &str) -> Vec<u8> {
    let numbers: Vec<u64> = text.split('.').map(|number| number.parse().unwrap()).collect();
    let mut content = vec![u8::try_from(numbers[0] * 40 + numbers[1]).unwrap()];
    for number in &numbers[2..] {
        let mut septets = vec![u8::try_from(number & 0x7f).unwrap()];
        let mut rest = number >> 7;
        while rest > 0 {
            septets.push(0x80 | u8::try_from(rest & 0x7f).unwrap());
            rest >>= 7;
        }
        content.extend(septets.iter().rev());
    }
    element(6, &content)
}
