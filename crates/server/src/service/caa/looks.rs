//! How many looks at CAA records may be under way at once, all requests together.
//!
//! A client chooses the names that are looked up, and so whose servers are asked and how long they take: one account
//! must neither take all places, nor have the records of the same order looked at over and over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::jobs::in_hand::{Hold, InHand};

/// How many looks are under way at once on one node, as many as validations.
const AT_ONCE: usize = 256;
/// How many of these one account may have.
const OF_ONE: usize = 16;

/// The places for looks.
pub(crate) struct Looks {
    orders: InHand,
    all: Arc<Semaphore>,
    /// Those of the accounts that have a look under way or wait for one.
    accounts: Mutex<HashMap<i64, Weak<Semaphore>>>,
}

/// The places of one account.
#[derive(Clone)]
pub(super) struct Places {
    own: Arc<Semaphore>,
    all: Arc<Semaphore>,
}

/// A place that is taken until this is dropped.
pub(super) struct Place {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Default for Looks {
    fn default() -> Self {
        let all = Arc::new(Semaphore::new(AT_ONCE));
        Self { orders: InHand::default(), all, accounts: Mutex::default() }
    }
}

impl Looks {
    /// Takes an order in hand; `None` where another request, or a job, has it.
    pub(super) fn take(&self, order_id: i64) -> Option<Hold> {
        self.orders.take(order_id)
    }

    /// The places that an account shares among all its requests.
    pub(super) fn of_account(&self, account_id: i64) -> Places {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        let own = accounts.get(&account_id).and_then(Weak::upgrade).unwrap_or_else(|| {
            accounts.retain(|_, places| places.strong_count() > 0);
            let own = Arc::new(Semaphore::new(OF_ONE));
            accounts.insert(account_id, Arc::downgrade(&own));
            own
        });
        Places { own, all: Arc::clone(&self.all) }
    }
}

impl Places {
    /// Waits for a place; `None` never comes while the server runs. Whoever waits for one of its own holds none of
    /// everybody's.
    pub(super) async fn take(&self) -> Option<Place> {
        let own = Arc::clone(&self.own).acquire_owned().await.ok()?;
        let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Place { _own: own, _all: all })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Takes as many places as an account is given.
    async fn taken(looks: &Looks, account_id: i64) -> Vec<Place> {
        let mut taken = Vec::new();
        while let Some(place) = one(looks, account_id).await {
            taken.push(place);
        }
        taken
    }

    async fn one(looks: &Looks, account_id: i64) -> Option<Place> {
        let places = looks.of_account(account_id);
        tokio::time::timeout(Duration::from_millis(1), places.take()).await.ok().flatten()
    }

    #[tokio::test]
    async fn an_account_has_so_many_places_whatever_its_requests() {
        let looks = Looks::default();
        let mut first = taken(&looks, 1).await;
        assert_eq!(first.len(), OF_ONE);
        assert!(one(&looks, 2).await.is_some(), "others are not held up");
        first.pop();
        let again = one(&looks, 1).await;
        assert!(again.is_some() && one(&looks, 1).await.is_none());
    }

    #[tokio::test]
    async fn all_accounts_together_have_so_many_places() {
        let looks = Looks::default();
        let mut all = Vec::new();
        for account_id in 0..20 {
            all.extend(taken(&looks, account_id).await);
        }
        assert_eq!(all.len(), AT_ONCE);
        all.truncate(AT_ONCE - 1);
        assert!(one(&looks, 99).await.is_some());
    }

    #[tokio::test]
    async fn accounts_that_are_done_are_forgotten() {
        let looks = Looks::default();
        for account_id in 0..100 {
            assert!(one(&looks, account_id).await.is_some());
        }
        assert_eq!(looks.accounts.lock().unwrap().len(), 1);
    }
}
