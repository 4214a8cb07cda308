//! Nonces (RFC 8555 §6.5): of this process alone, or of all nodes that share the store.

use chancery_acme::{Nonces, SharedNonces};
use chancery_db::Db;
use chancery_time::Timestamp;

use super::Failure;
use crate::store::nonces;

/// How many redeemed nonces one transaction forgets.
const PAGE: i64 = 1_000;

/// Where nonces are made and redeemed.
pub(crate) enum NonceDesk {
    /// In the memory of this process: no row is written for a request.
    Alone(Nonces),
    /// In the store, for every node: one row for each request.
    Shared(SharedNonces),
}

impl NonceDesk {
    /// A fresh nonce.
    pub(crate) fn issue(&self, now: Timestamp) -> String {
        match self {
            Self::Alone(nonces) => nonces.issue(),
            Self::Shared(nonces) => nonces.issue(now),
        }
    }

    /// Spends a nonce: `true` exactly once for each that was issued, and is not too old.
    pub(crate) async fn redeem(&self, db: &Db, nonce: &str, now: Timestamp) -> Result<bool, Failure> {
        match self {
            Self::Alone(nonces) => Ok(nonces.redeem(nonce)),
            Self::Shared(nonces) => {
                let Some(opened) = nonces.open(nonce, now) else { return Ok(false) };
                Ok(db.write(move |tx| nonces::redeem(tx, &opened.id, opened.expires_at)).await?)
            }
        }
    }
}

/// Forgets redeemed nonces that nobody would take any more.
pub(crate) async fn prune(db: &Db, now: Timestamp) -> Result<(), Failure> {
    while db.read(move |tx| nonces::any_expired(tx, now)).await? {
        db.write(move |tx| nonces::forget(tx, now, PAGE)).await?;
    }
    Ok(())
}
