//! RSA keys that are weak by their numbers, whatever their length.

mod close_primes;
mod roca;
mod small_primes;
#[cfg(test)]
mod tests;

use num_bigint::BigUint;

/// What makes an RSA key weak, whatever its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RsaWeakness {
    /// The exponent is even or below 65537 (NIST SP 800-56B §6.2), or of more than 33 bits, which no
    /// library in use makes or reads.
    #[error("its public exponent is even, below 65537 or of more than 33 bits; use 65537")]
    Exponent,
    /// The modulus is divisible by a small prime, so it is no product of two large ones.
    #[error("its modulus is divisible by {prime}")]
    SmallFactor {
        /// The smallest prime that divides it.
        prime: u32,
    },
    /// The modulus bears the mark of the generator of CVE-2017-15361 ("ROCA").
    #[error("it was made by a faulty generator (CVE-2017-15361, ROCA); its private half can be computed")]
    Roca,
    /// The two primes are so close to each other that the modulus can be taken apart (Fermat's method).
    #[error("its two primes are too close to each other; its private half can be computed")]
    ClosePrimes,
}

/// Holds a modulus and a public exponent, both big-endian without leading zeros, against every rule.
///
/// The cost is bounded for moduli of bounded length; the caller refuses longer ones before.
///
/// # Errors
/// The first weakness found, cheapest first.
pub fn examine(modulus: &[u8], exponent: &[u8]) -> Result<(), RsaWeakness> {
    if !is_sound_exponent(exponent) {
        return Err(RsaWeakness::Exponent);
    }
    let modulus = BigUint::from_bytes_be(modulus);
    let residues = small_primes::residues(&modulus);
    if let Some((prime, _)) = residues.iter().find(|(_, residue)| *residue == 0) {
        return Err(RsaWeakness::SmallFactor { prime: *prime });
    }
    if roca::bears_the_mark(&residues) {
        return Err(RsaWeakness::Roca);
    }
    if close_primes::are_factors_of(&modulus) {
        return Err(RsaWeakness::ClosePrimes);
    }
    Ok(())
}

/// Odd, at least 2^16 + 1, below 2^33.
fn is_sound_exponent(exponent: &[u8]) -> bool {
    let Some(value) = exponent.iter().try_fold(0_u64, |value, octet| {
        value.checked_mul(256).and_then(|value| value.checked_add(u64::from(*octet)))
    }) else {
        return false;
    };
    value % 2 == 1 && ((1 << 16) + 1..1 << 33).contains(&value)
}
