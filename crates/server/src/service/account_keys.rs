//! The keys of accounts, parsed and ready to verify with.
//!
//! Parsing a key costs a good part of verifying with it, and every request names its account, so the
//! keys of the accounts at work are kept. That an account still has its key, and is still valid, is
//! checked in the transaction of each request: what is kept here can be old, not wrong. Where a signature does
//! not verify under a key that is kept, the store is asked again, since another node may have changed it.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use chancery_acme::jwk::KeyRefusal;
use chancery_acme::jws::{Payload, SignedRequest};
use chancery_acme::{AccountKey, Problem, ProblemType};
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

    /// Verifies a request under the key of the account that it names, and gives the key and the payload;
    /// `None` where there is no such account.
    ///
    /// # Errors
    /// As [`SignedRequest::verify`], `badPublicKey` where the key is accepted no longer, and when the store fails.
    pub(crate) async fn verify(
        &self,
        db: &Db,
        account_id: i64,
        signed: &SignedRequest,
    ) -> Result<Option<(Arc<AccountKey>, Payload)>, Failure> {
        let kept = self.lock().get(&account_id).cloned();
        if let Some(key) = &kept
            && let Ok(payload) = signed.verify(key)
        {
            return Ok(Some((Arc::clone(key), payload)));
        }
        // The key may have been changed by another node.
        let Some(key) = read(db, account_id).await? else { return Ok(None) };
        self.keep(account_id, Arc::clone(&key));
        let payload = signed.verify(&key)?;
        Ok(Some((key, payload)))
    }

    /// Keeps the key of an account, in place of an older one.
    pub(crate) fn keep(&self, account_id: i64, key: Arc<AccountKey>) {
        self.lock().put(account_id, key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<i64, Arc<AccountKey>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(db: &Db, account_id: i64) -> Result<Option<Arc<AccountKey>>, Failure> {
    let Some(account) = db.read(move |tx| store::accounts::by_id(tx, account_id)).await? else {
        return Ok(None);
    };
    let key = AccountKey::from_json(&account.jwk).map_err(|refusal| unusable(account_id, &refusal))?;
    Ok(Some(Arc::new(key)))
}

/// A key in the store that is refused: the rules for keys have become stricter since it was taken, or the store
/// is damaged.
fn unusable(account_id: i64, refusal: &KeyRefusal) -> Failure {
    if matches!(refusal, KeyRefusal::NotAKey | KeyRefusal::Member(_) | KeyRefusal::Private) {
        return anyhow::anyhow!("the key of account {account_id} in the store is none: {refusal}").into();
    }
    let detail = format!(
        "the key of this account is accepted no longer: {refusal}; make an account with another key, and order \
         from there"
    );
    Problem::new(ProblemType::BadPublicKey, detail).into()
}

#[cfg(test)]
mod tests;
