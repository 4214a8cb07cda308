//! RSA keys that nobody should use.

/// What makes an RSA key weak, whatever its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RsaWeakness {
    /// The exponent is even or below 65537 (NIST SP 800-56B §6.2).
    #[error("its public exponent is even or below 65537")]
    Exponent,
    /// The modulus is divisible by a small prime, so it is no product of two large ones.
    #[error("its modulus is divisible by {prime}")]
    SmallFactor {
        /// The smallest prime that divides it.
        prime: u32,
    },
}

/// The first weakness found in a modulus and a public exponent, both big-endian without leading zeros.
pub(crate) fn find(modulus: &[u8], exponent: &[u8]) -> Option<RsaWeakness> {
    if !is_sound_exponent(exponent) {
        return Some(RsaWeakness::Exponent);
    }
    let prime = SMALL_PRIMES.into_iter().find(|prime| remainder(modulus, *prime) == 0)?;
    Some(RsaWeakness::SmallFactor { prime })
}

/// The primes below 256.
const SMALL_PRIMES: [u32; 54] = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
    107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193, 197, 199, 211, 223,
    227, 229, 233, 239, 241, 251,
];

fn is_sound_exponent(exponent: &[u8]) -> bool {
    let odd = exponent.last().is_some_and(|last| last & 1 == 1);
    let at_least_65537 = exponent.len() > 3 || exponent >= [1, 0, 1].as_slice() && exponent.len() == 3;
    odd && at_least_65537
}

fn remainder(big_endian: &[u8], divisor: u32) -> u32 {
    big_endian.iter().fold(0, |rest, octet| (rest << 8 | u32::from(*octet)) % divisor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents() {
        for sound in [&[1, 0, 1][..], &[1, 0, 3], &[1, 0, 0, 1]] {
            assert!(is_sound_exponent(sound), "{sound:?}");
        }
        for weak in [&[][..], &[1], &[3], &[0xff, 0xff], &[1, 0, 0], &[1, 0, 2], &[1, 0, 0, 0]] {
            assert!(!is_sound_exponent(weak), "{weak:?}");
        }
    }

    #[test]
    fn small_factors_are_found() {
        let exponent = [1, 0, 1];
        // 2^2048 - 1 is divisible by 3; 2^2048 by 2 alone.
        assert_eq!(find(&[0xff; 256], &exponent), Some(RsaWeakness::SmallFactor { prime: 3 }));
        let mut power_of_two = vec![0; 257];
        power_of_two[0] = 1;
        assert_eq!(find(&power_of_two, &exponent), Some(RsaWeakness::SmallFactor { prime: 2 }));
        // 65537 is prime.
        assert_eq!(find(&[1, 0, 1], &exponent), None);
    }

    proptest::proptest! {
        #[test]
        fn remainders_agree_with_the_machine(number: u128, divisor in 1..65_536_u32) {
            let expected = u32::try_from(number % u128::from(divisor)).unwrap();
            proptest::prop_assert_eq!(remainder(&number.to_be_bytes(), divisor), expected);
        }
    }
}
