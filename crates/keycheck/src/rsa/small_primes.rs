//! What is left of a number when it is divided by small primes.

use num_bigint::BigUint;

/// The primes below 752, the bound that public authorities keep to (CA/Browser Forum Baseline
/// Requirements §6.1.6).
pub(super) const PRIMES: [u32; 133] = [
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
    107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193, 197, 199, 211, 223,
    227, 229, 233, 239, 241, 251, 257, 263, 269, 271, 277, 281, 283, 293, 307, 311, 313, 317, 331, 337, 347,
    349, 353, 359, 367, 373, 379, 383, 389, 397, 401, 409, 419, 421, 431, 433, 439, 443, 449, 457, 461, 463,
    467, 479, 487, 491, 499, 503, 509, 521, 523, 541, 547, 557, 563, 569, 571, 577, 587, 593, 599, 601, 607,
    613, 617, 619, 631, 641, 643, 647, 653, 659, 661, 673, 677, 683, 691, 701, 709, 719, 727, 733, 739, 743,
    751,
];

/// Each of [`PRIMES`] with the residue of `number` modulo it.
///
/// The number is divided by products of primes that fit a machine word, then their small residues by each
/// prime: a third of the long divisions that one for each prime would take.
pub(super) fn residues(number: &BigUint) -> Vec<(u32, u32)> {
    let words = number.to_u32_digits();
    let mut residues = Vec::with_capacity(PRIMES.len());
    let mut group = Vec::new();
    let mut product = 1_u32;
    for prime in PRIMES {
        if let Some(larger) = product.checked_mul(prime) {
            product = larger;
        } else {
            divide(&words, product, &mut group, &mut residues);
            product = prime;
        }
        group.push(prime);
    }
    divide(&words, product, &mut group, &mut residues);
    residues
}

/// Appends the residue modulo each prime of a group, and empties the group.
fn divide(words: &[u32], product: u32, group: &mut Vec<u32>, residues: &mut Vec<(u32, u32)>) {
    let rest = remainder(words, product);
    residues.extend(group.drain(..).map(|prime| (prime, rest % prime)));
}

/// Of a number in words of 32 bits, least significant first.
fn remainder(words: &[u32], divisor: u32) -> u32 {
    let divisor = u64::from(divisor);
    let rest = words.iter().rev().fold(0, |rest, word| (rest << 32 | u64::from(*word)) % divisor);
    u32::try_from(rest).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primes_are_all_primes_below_752() {
        let primes: Vec<u32> = (2..752)
            .filter(|n: &u32| (2..*n).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d)))
            .collect();
        assert_eq!(PRIMES.as_slice(), primes);
    }

    proptest::proptest! {
        #[test]
        fn residues_agree_with_the_machine(number: u128) {
            let residues = residues(&BigUint::from(number));
            let expected: Vec<(u32, u32)> =
                PRIMES.iter().map(|prime| (*prime, u32::try_from(number % u128::from(*prime)).unwrap())).collect();
            proptest::prop_assert_eq!(residues, expected);
        }
    }
}
