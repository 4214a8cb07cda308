//! The mark of the generator of CVE-2017-15361 ("ROCA").
//!
//! It made primes of the form `k * M + (65537^a mod M)`, where `M` is the product of the first primes, 39
//! or more of them (Nemec, Sys, Svenda, Klinec, Matyas: "The Return of Coppersmith's Attack", ACM CCS 2017,
//! §2). Modulo each prime that divides `M`, such a prime is therefore a power of 65537, and so is the
//! product of two. A modulus for which that holds modulo all of them bears the mark. An honest one does by
//! chance about once in 2^27 times, since modulo many of these primes not every number is such a power.

/// The 39th prime. All sizes of key have at least the first 39 in common.
const LARGEST: u32 = 167;
const GENERATOR: u32 = 65537;

/// Whether the number with these residues modulo primes is a power of 65537 modulo each one up to 167.
pub(super) fn bears_the_mark(residues: &[(u32, u32)]) -> bool {
    let mut common = residues.iter().take_while(|(prime, _)| *prime <= LARGEST);
    common.all(|(prime, residue)| is_power_of_generator(*residue, *prime))
}

fn is_power_of_generator(residue: u32, prime: u32) -> bool {
    let generator = GENERATOR % prime;
    let mut power = 1 % prime;
    loop {
        if power == residue {
            return true;
        }
        power = power * generator % prime;
        // Powers of a number that the prime does not divide come round to 1.
        if power <= 1 {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::small_primes::PRIMES;
    use super::*;

    #[test]
    fn powers_are_told_from_the_rest() {
        // 65537 is 10 modulo 11, and 100 is 1: its powers are 1 and 10.
        let powers: Vec<u32> = (0..11).filter(|residue| is_power_of_generator(*residue, 11)).collect();
        assert_eq!(powers, [1, 10]);
        assert!(is_power_of_generator(1, 2));
        assert!(!is_power_of_generator(0, 2));
    }

    /// The share of honest moduli that bear the mark.
    #[test]
    fn the_mark_is_rare() {
        let share: f64 = PRIMES
            .into_iter()
            .take_while(|prime| *prime <= LARGEST)
            .map(|prime| {
                let powers = (1..prime).filter(|residue| is_power_of_generator(*residue, prime)).count();
                f64::from(u32::try_from(powers).unwrap()) / f64::from(prime - 1)
            })
            .product();
        assert!((2_f64.powi(-28)..2_f64.powi(-27)).contains(&share), "2^{}", share.log2());
    }
}
