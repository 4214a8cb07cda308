//! Which challenges, or orders, this process is at work on.
//!
//! A validation can wait here for longer than its lease, and would then be swept up again by the very
//! process that holds it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The rows, all of one table, that wait in this process or are being looked at.
#[derive(Default)]
pub(crate) struct InHand {
    rows: Arc<Mutex<HashSet<i64>>>,
}

impl InHand {
    /// Takes a row in hand until the hold is dropped; `None` where it is in hand already.
    pub(crate) fn take(&self, id: i64) -> Option<Hold> {
        let new = lock(&self.rows).insert(id);
        new.then(|| Hold { rows: Arc::clone(&self.rows), id })
    }
}

/// A row in hand.
pub(crate) struct Hold {
    rows: Arc<Mutex<HashSet<i64>>>,
    id: i64,
}

impl Drop for Hold {
    fn drop(&mut self) {
        lock(&self.rows).remove(&self.id);
    }
}

fn lock(rows: &Mutex<HashSet<i64>>) -> MutexGuard<'_, HashSet<i64>> {
    rows.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_in_one_hand_at_a_time() {
        let in_hand = InHand::default();
        let hold = in_hand.take(1);
        assert!(hold.is_some());
        assert!(in_hand.take(1).is_none());
        assert!(in_hand.take(2).is_some());
        drop(hold);
        assert!(in_hand.take(1).is_some());
    }
}
