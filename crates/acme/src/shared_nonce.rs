//! Anti-replay nonces (RFC 8555 §6.5) that every node of an installation can redeem.
//!
//! Where [`Nonces`](crate::Nonces) remember in this process what was redeemed, these carry the time of their making
//! under a key that the nodes share. Which of them were redeemed is for the caller to keep, where all nodes look:
//! one row for each, until [`Opened::expires_at`].

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use chancery_time::Timestamp;

use crate::crypto::{BlockCipher, RandomFailed, random};

/// How long a nonce can be redeemed.
const LIFETIME: Duration = Duration::from_hours(1);
/// How far the clocks of the nodes may be apart.
const SKEW: Duration = Duration::from_mins(5);

/// Makes nonces and recognises them.
pub struct SharedNonces {
    cipher: BlockCipher,
    /// Tells the nonces of this process from those that others make in the same millisecond.
    maker: [u8; 4],
    made: AtomicU64,
}

/// A nonce that a node made, and that may be redeemed unless it was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What names it, and no other.
    pub id: [u8; 16],
    /// When it need no longer be remembered.
    pub expires_at: Timestamp,
}

impl SharedNonces {
    /// Nonces under the secret of the installation: 32 random bytes.
    ///
    /// # Errors
    /// When the system's random source fails.
    pub fn new(secret: &[u8; 32]) -> Result<Self, RandomFailed> {
        Ok(Self {
            cipher: BlockCipher::new(secret).ok_or(RandomFailed)?,
            maker: random()?,
            made: AtomicU64::new(0),
        })
    }

    /// A fresh nonce: 22 characters of base64url.
    pub fn issue(&self, now: Timestamp) -> String {
        let [.., time_a, time_b, time_c, time_d, time_e, time_f] = now.unix_millis().to_be_bytes();
        let [.., count_a, count_b, count_c, count_d] =
            self.made.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let [maker_a, maker_b, maker_c, maker_d] = self.maker;
        // Time, maker, count, and two octets that are zero, by which a nonce is recognised.
        let block = [
            time_a, time_b, time_c, time_d, time_e, time_f, maker_a, maker_b, maker_c, maker_d, count_a,
            count_b, count_c, count_d, 0, 0,
        ];
        Base64UrlUnpadded::encode_string(&self.cipher.encrypt(block).unwrap_or_default())
    }

    /// The nonce, if a node of this installation made it within the last hour.
    pub fn open(&self, nonce: &str, now: Timestamp) -> Option<Opened> {
        let mut id = [0; 16];
        if nonce.len() != 22 || Base64UrlUnpadded::decode(nonce, &mut id).ok()?.len() != 16 {
            return None;
        }
        let [time @ .., 0, 0] = self.cipher.decrypt(id)? else { return None };
        let [a, b, c, d, e, f, ..] = time;
        let made_at = Timestamp::from_unix_millis(i64::from_be_bytes([0, 0, a, b, c, d, e, f]));
        let expires_at = made_at + LIFETIME;
        (made_at <= now + SKEW && now < expires_at).then_some(Opened { id, expires_at: expires_at + SKEW })
    }
}

impl fmt::Debug for SharedNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedNonces(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const NOW: Timestamp = Timestamp::from_unix_seconds(1_781_443_380);

    fn node() -> SharedNonces {
        SharedNonces::new(&[7; 32]).unwrap()
    }

    #[test]
    fn a_nonce_is_recognised_by_every_node_for_an_hour() {
        let (one, another) = (node(), node());
        let nonce = one.issue(NOW);
        let opened = another.open(&nonce, NOW).unwrap();
        assert_eq!(one.open(&nonce, NOW), Some(opened.clone()));
        assert_eq!(opened.expires_at, NOW + LIFETIME + SKEW);
        assert!(another.open(&nonce, NOW - SKEW).is_some(), "a clock that is slow");
        assert!(another.open(&nonce, NOW - SKEW - Duration::from_millis(1)).is_none());
        assert!(another.open(&nonce, NOW + LIFETIME - Duration::from_millis(1)).is_some());
        assert!(another.open(&nonce, NOW + LIFETIME).is_none());
    }

    #[test]
    fn no_two_are_the_same() {
        let nodes = [node(), node()];
        let nonces: HashSet<String> =
            (0..1_000).flat_map(|_| nodes.each_ref().map(|node| node.issue(NOW))).collect();
        assert_eq!(nonces.len(), 2_000);
        let ids: HashSet<[u8; 16]> = nonces.iter().map(|nonce| node().open(nonce, NOW).unwrap().id).collect();
        assert_eq!(ids.len(), 2_000);
    }

    #[test]
    fn what_was_made_elsewhere_is_not_recognised() {
        let foreign = SharedNonces::new(&[8; 32]).unwrap().issue(NOW);
        for nonce in [foreign.as_str(), "", "AAAAAAAAAAAAAAAAAAAAAA", "é", &"A".repeat(23)] {
            assert_eq!(node().open(nonce, NOW), None, "{nonce}");
        }
    }
}
