//! Fermat's method of taking apart a product of two numbers that are close to each other.
//!
//! An odd `n = p * q` is `a^2 - b^2` with `a = (p + q) / 2` and `b = (p - q) / 2`. If `p` and `q` are
//! close, `a` is little more than the square root of `n`, and is found by trying. Faulty libraries made
//! such keys (CVE-2022-26320).

use num_bigint::BigUint;

/// How many values of `a` are tried, the number that public authorities try (CA/Browser Forum Baseline
/// Requirements §6.1.1.3).
const ROUNDS: u32 = 100;

/// Whether an odd number is the product of two that are close.
pub(super) fn are_factors_of(number: &BigUint) -> bool {
    let mut a = number.sqrt();
    if &a * &a < *number {
        a += 1_u32;
    }
    let mut b_squared = &a * &a - number;
    for _ in 0..ROUNDS {
        if is_square(&b_squared) {
            return true;
        }
        // (a + 1)^2 - n is a^2 - n + 2a + 1.
        b_squared += &a << 1_u32;
        b_squared += 1_u32;
        a += 1_u32;
    }
    false
}

/// Most numbers are no square modulo some small number, which is seen without taking a root.
fn is_square(number: &BigUint) -> bool {
    /// Products of small primes and powers of them, each with about a third of squares among its residues.
    const MODULI: [u32; 6] = [64, 63, 65, 11, 17, 19];
    let can_be = MODULI.iter().all(|modulus| {
        let residue = (number % modulus).iter_u32_digits().next().unwrap_or(0);
        (0..*modulus).any(|root| root * root % modulus == residue)
    });
    if !can_be {
        return false;
    }
    let root = number.sqrt();
    &root * &root == *number
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(p: u64, q: u64) -> bool {
        are_factors_of(&(BigUint::from(p) * BigUint::from(q)))
    }

    #[test]
    fn close_ones_are_found_and_others_are_not() {
        // Of 2^32 ± a little; the last pair is far apart.
        assert!(found(4_294_967_291, 4_294_967_291));
        assert!(found(4_294_967_279, 4_294_967_311));
        assert!(!found(2_147_483_647, 4_294_967_311));
    }

    #[test]
    fn the_number_of_rounds_is_what_it_says() {
        // For p = c - d and q = c + d, a is c: it is tried in the round that is c less the root's ceiling.
        let c: u64 = 1 << 40;
        for (rounds, expected) in [(0, true), (1, true), (98, true), (99, true), (100, false), (101, false)] {
            let beyond_root = |d: u64| {
                let n = BigUint::from(c - d) * BigUint::from(c + d);
                let mut root = n.sqrt();
                if &root * &root < n {
                    root += 1_u32;
                }
                (BigUint::from(c) - root).iter_u64_digits().next().unwrap_or(0)
            };
            // It is about d^2 / 2c; odd d, so that both factors are odd.
            let near = (2 * c * rounds).isqrt().saturating_sub(2_000) | 1;
            let d = (near..u64::MAX).step_by(2).find(|d| beyond_root(*d) >= rounds).unwrap();
            assert_eq!(beyond_root(d), rounds);
            assert_eq!(found(c - d, c + d), expected, "{rounds}");
        }
    }

    proptest::proptest! {
        #[test]
        fn squares_are_told_from_the_rest(root in 2..=u64::from(u32::MAX)) {
            proptest::prop_assert!(is_square(&BigUint::from(root * root)));
            proptest::prop_assert!(!is_square(&BigUint::from(root * root - 1)));
            proptest::prop_assert!(!is_square(&BigUint::from(root * root + 1)));
        }
    }
}
