//! The keys of accounts, parsed and ready to verify with.
//!
//! Parsing a key costs a good part of verifying with it, and every request names its account, so the
//! keys of the accounts at work are kept. That an account still has its key, and is still valid, is
//! checked in the transaction of each request: what is kept here can be old, not wrong.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use chancery_acme::AccountKey;
use chancery_db::Db;
use lru::LruCache;

use super::Failure;
use crate::store;

/// How many keys are kept: some 2 KiB each.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// The keys of the accounts that were at work last.
pub(crate) struct AccountKeys {
    kept: Mutex<LruCache<i64, Arc<AccountKey>>>,
}

impl AccountKeys {
    pub(crate) fn new() -> Self {
        Self { kept: Mutex::new(LruCache::new(CAPACITY)) }
    }

    /// The key of an account; `None` where there is no such account.
    pub(crate) async fn key(&self, db: &Db, account_id: i64) -> Result<Option<Arc<AccountKey>>, Failure> {
        if let Some(key) = self.lock().get(&account_id) {
            return Ok(Some(Arc::clone(key)));
        }
        let Some(account) = db.read(move |tx| store::accounts::by_id(tx, account_id)).await? else {
            return Ok(None);
        };
        let key = AccountKey::from_json(&account.jwk).map_err(|error| {
            anyhow::anyhow!("the key of account {account_id} in the store is unusable: {error}")
        })?;
        let key = Arc::new(key);
        self.lock().put(account_id, Arc::clone(&key));
        Ok(Some(key))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<i64, Arc<AccountKey>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
