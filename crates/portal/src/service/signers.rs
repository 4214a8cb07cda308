//! The private keys that were opened of late, so that not every signature costs a look into the vault.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use chancery_license::SigningKey;
use lru::LruCache;

/// How many keys are kept, those that signed last.
const KEPT: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// Opened signing keys, by their ids. Clones share them.
///
/// That a key may sign is never told from here: whoever asks has found in the store which one does.
#[derive(Clone)]
pub(crate) struct Signers(Arc<Mutex<LruCache<String, Arc<SigningKey>>>>);

impl Default for Signers {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(KEPT))))
    }
}

impl Signers {
    /// The key of that id, opened by `open` where it is not here yet.
    pub(super) fn get<E>(
        &self,
        kid: &str,
        open: impl FnOnce() -> Result<SigningKey, E>,
    ) -> Result<Arc<SigningKey>, E> {
        if let Some(key) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(kid) {
            return Ok(Arc::clone(key));
        }
        let key = Arc::new(open()?);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).put(kid.to_owned(), Arc::clone(&key));
        Ok(key)
    }

    /// Forgets a key that signs no more.
    pub(super) fn forget(&self, kid: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop(kid);
    }
}
