//! Anti-replay nonces (RFC 8555 §6.5) without a stored row each.
//!
//! A nonce is a counter under a keyed permutation, so the server recognises its own without having
//! kept them. What it keeps is which of the newest [`Nonces::WINDOW`] counters were redeemed: one bit
//! each. An older nonce is refused, which a client mends by itself with the fresh nonce that comes
//! with the refusal. A restart forgets the key, and so all nonces, in the same way.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::crypto::{BlockCipher, RandomFailed, random};

/// Makes and redeems nonces.
pub struct Nonces {
    cipher: BlockCipher,
    window: Mutex<Window>,
}

struct Window {
    /// The counter of the next nonce to be made.
    next: u64,
    /// Bit `counter % WINDOW` says whether that counter, of the newest `WINDOW`, was redeemed.
    redeemed: Box<[u64]>,
}

impl Nonces {
    /// How many of the newest nonces can be redeemed: 1,048,576, in 128 KiB.
    pub const WINDOW: u64 = 1 << 20;

    /// Nonces under a fresh random key.
    ///
    /// # Errors
    /// When the system's random source fails.
    pub fn new() -> Result<Self, RandomFailed> {
        let words = usize::try_from(Self::WINDOW / 64).unwrap_or_default();
        Ok(Self {
            cipher: BlockCipher::new(&random()?).ok_or(RandomFailed)?,
            window: Mutex::new(Window { next: 0, redeemed: vec![0; words].into_boxed_slice() }),
        })
    }

    /// A fresh nonce: 22 characters of base64url.
    pub fn issue(&self) -> String {
        let counter = {
            let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
            window.take_next()
        };
        let mut block = [0; 16];
        let (number, _) = block.split_at_mut(8);
        number.copy_from_slice(&counter.to_be_bytes());
        Base64UrlUnpadded::encode_string(&self.cipher.encrypt(block).unwrap_or_default())
    }

    /// Spends a nonce. `true` exactly once for each nonce that was issued and is still in the window.
    pub fn redeem(&self, nonce: &str) -> bool {
        let Some(counter) = self.open(nonce) else { return false };
        self.window.lock().unwrap_or_else(PoisonError::into_inner).redeem(counter)
    }

    fn open(&self, nonce: &str) -> Option<u64> {
        let mut block = [0; 16];
        if nonce.len() != 22 || Base64UrlUnpadded::decode(nonce, &mut block).ok()?.len() != 16 {
            return None;
        }
        let block = self.cipher.decrypt(block)?;
        let (number, rest) = block.split_first_chunk::<8>()?;
        (rest == [0; 8]).then(|| u64::from_be_bytes(*number))
    }
}

impl Window {
    fn take_next(&mut self) -> u64 {
        let counter = self.next;
        self.next = self.next.wrapping_add(1);
        // The slot belonged to the counter that just fell out of the window.
        let (word, bit) = slot(counter);
        if let Some(word) = self.redeemed.get_mut(word) {
            *word &= !bit;
        }
        counter
    }

    fn redeem(&mut self, counter: u64) -> bool {
        if counter >= self.next || self.next - counter > Nonces::WINDOW {
            return false;
        }
        let (word, bit) = slot(counter);
        match self.redeemed.get_mut(word) {
            Some(word) if *word & bit == 0 => {
                *word |= bit;
                true
            }
            _ => false,
        }
    }
}

/// The word and the bit in it that stand for a counter.
fn slot(counter: u64) -> (usize, u64) {
    let index = counter % Nonces::WINDOW;
    (usize::try_from(index / 64).unwrap_or(usize::MAX), 1 << (index % 64))
}

impl fmt::Debug for Nonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nonces(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_works_once() {
        let nonces = Nonces::new().unwrap();
        let nonce = nonces.issue();
        assert!(nonces.redeem(&nonce));
        assert!(!nonces.redeem(&nonce));
    }

    #[test]
    fn a_nonce_of_another_key_or_no_nonce_is_refused() {
        let nonces = Nonces::new().unwrap();
        for foreign in
            [Nonces::new().unwrap().issue(), String::new(), "AAAAAAAAAAAAAAAAAAAAAA".into(), "é".into()]
        {
            assert!(!nonces.redeem(&foreign), "{foreign}");
        }
    }

    #[test]
    fn the_window_moves_on_and_forgets() {
        let nonces = Nonces::new().unwrap();
        let (spent, unspent) = (nonces.issue(), nonces.issue());
        assert!(nonces.redeem(&spent));
        let last = (0..Nonces::WINDOW).map(|_| nonces.issue()).last().unwrap();
        assert!(!nonces.redeem(&spent));
        assert!(!nonces.redeem(&unspent), "older than the window");
        assert!(nonces.redeem(&last));
        assert!(!nonces.redeem(&last));
    }

    #[test]
    fn threads_racing_for_one_nonce_have_one_winner() {
        let nonces = Nonces::new().unwrap();
        let nonce = nonces.issue();
        let winners = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..8).map(|_| scope.spawn(|| nonces.redeem(&nonce))).collect();
            tries.into_iter().map(|t| t.join().unwrap()).filter(|won| *won).count()
        });
        assert_eq!(winners, 1);
    }
}
