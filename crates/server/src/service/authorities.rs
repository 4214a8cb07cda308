//! The authorities that sign, and which of them can.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use chancery_authority::local::LocalAuthority;
use chancery_db::Db;
use chancery_pki::certificate::{Certificate, IssueError, Prepared};
use chancery_time::Timestamp;

use crate::config::policy::Strategy;
use crate::store;

/// How long an authority whose signer failed is left out where another one can sign.
const REST: Duration = Duration::from_secs(60);

/// An authority that was opened, with the number of its chain in the store.
pub(crate) struct Authority {
    local: LocalAuthority,
    issuer_id: i64,
    /// Other chains for its certificates, PEM (RFC 8555 §7.4.2).
    alternate_chains: Vec<String>,
    /// Until when it rests after a failure, in milliseconds since the epoch.
    rests_until: AtomicI64,
}

impl Authority {
    /// Records the chain of an authority that was opened.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn new(
        db: &Db,
        local: LocalAuthority,
        alternate_chains: Vec<String>,
    ) -> anyhow::Result<Self> {
        let (name, chain) = (local.name().to_owned(), local.chain_pem().to_owned());
        let issuer_id = db.write(move |tx| store::certificates::issuer_id(tx, &name, &chain)).await?;
        Ok(Self { local, issuer_id, alternate_chains, rests_until: AtomicI64::new(i64::MIN) })
    }

    pub(crate) fn local(&self) -> &LocalAuthority {
        &self.local
    }

    /// The number of its chain in the store.
    pub(crate) fn issuer_id(&self) -> i64 {
        self.issuer_id
    }

    /// Other chains for the certificates under this one.
    pub(crate) fn alternate_chains(&self) -> &[String] {
        &self.alternate_chains
    }

    /// Signs what was prepared; an authority that fails rests for a while.
    pub(crate) fn issue(&self, prepared: Prepared, now: Timestamp) -> Result<Certificate, IssueError> {
        self.local.issue(prepared).inspect_err(|error| {
            tracing::error!(authority = self.local.name(), %error, "an authority did not sign");
            self.rests_until.store((now + REST).unix_millis(), Ordering::Relaxed);
        })
    }

    /// Whether it can sign now: its certificate is valid, and its signer did not fail just before.
    fn is_available(&self, now: Timestamp) -> bool {
        let validity = self.local.issuer().validity();
        validity.not_before() <= now
            && now <= validity.not_after()
            && now.unix_millis() >= self.rests_until.load(Ordering::Relaxed)
    }
}

/// The authorities of a profile.
pub(crate) struct Signers {
    /// At least one.
    authorities: Vec<Arc<Authority>>,
    strategy: Strategy,
    turn: AtomicUsize,
}

impl Signers {
    /// # Errors
    /// When there is none.
    pub(crate) fn new(authorities: Vec<Arc<Authority>>, strategy: Strategy) -> anyhow::Result<Self> {
        anyhow::ensure!(!authorities.is_empty(), "a profile has no authority");
        Ok(Self { authorities, strategy, turn: AtomicUsize::new(0) })
    }

    /// The first that can sign, whoever's turn it is.
    pub(crate) fn leading(&self, now: Timestamp) -> Option<&Arc<Authority>> {
        self.from(0, now)
    }

    /// Whose turn it is. Where none can sign, the first one is to say why.
    pub(crate) fn next(&self, now: Timestamp) -> Option<&Arc<Authority>> {
        let begin = match self.strategy {
            Strategy::FirstAvailable => 0,
            Strategy::RoundRobin => self.turn.fetch_add(1, Ordering::Relaxed),
        };
        self.from(begin, now)
    }

    fn from(&self, begin: usize, now: Timestamp) -> Option<&Arc<Authority>> {
        let can = |index: usize| self.authorities.get(index).is_some_and(|one| one.is_available(now));
        self.authorities.get(pick(self.authorities.len(), begin, can))
    }

    /// The authority whose chain has that number in the store.
    pub(crate) fn with_issuer(&self, issuer_id: i64) -> Option<&Arc<Authority>> {
        self.authorities.iter().find(|authority| authority.issuer_id == issuer_id)
    }
}

/// The first of `count` that can, from `begin` on and round; the very first where none can.
fn pick(count: usize, begin: usize, can: impl Fn(usize) -> bool) -> usize {
    let begin = begin.checked_rem(count).unwrap_or(0);
    (begin..count).chain(0..begin).find(|index| can(*index)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_cannot_are_left_out() {
        for (able, begin, picked) in [
            (&[true, true, true][..], 0, 0),
            (&[true, true, true], 1, 1),
            (&[true, true, true], 5, 2),
            (&[false, true, true], 0, 1),
            (&[false, true, false], 2, 1),
            (&[true, false, false], 7, 0),
            (&[false, false, false], 2, 0),
            (&[], 3, 0),
        ] {
            assert_eq!(pick(able.len(), begin, |index| able[index]), picked, "{able:?} from {begin}");
        }
    }
}
