//! Which challenges this process is at work on.
//!
//! A validation can wait here for longer than its lease, and would then be swept up again by the very
//! process that holds it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The challenges that wait in this process or are being looked at.
#[derive(Default)]
pub(super) struct InHand {
    challenges: Arc<Mutex<HashSet<i64>>>,
}

impl InHand {
    /// Takes a challenge in hand until the hold is dropped; `None` where it is in hand already.
    pub(super) fn take(&self, challenge_id: i64) -> Option<Hold> {
        let new = lock(&self.challenges).insert(challenge_id);
        new.then(|| Hold { challenges: Arc::clone(&self.challenges), challenge_id })
    }
}

/// A challenge in hand.
pub(super) struct Hold {
    challenges: Arc<Mutex<HashSet<i64>>>,
    challenge_id: i64,
}

impl Drop for Hold {
    fn drop(&mut self) {
        lock(&self.challenges).remove(&self.challenge_id);
    }
}

fn lock(challenges: &Mutex<HashSet<i64>>) -> MutexGuard<'_, HashSet<i64>> {
    challenges.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_in_one_hand_at_a_time() {
        let in_hand = InHand::default();
        let hold = in_hand.take(1);
        assert!(hold.is_some());
        assert!(in_hand.take(1).is_none());
        assert!(in_hand.take(2).is_some());
        drop(hold);
        assert!(in_hand.take(1).is_some());
    }
}
