//! What every service works with.

use std::sync::Arc;

use chancery_db::{Db, ReadTx, WriteTx};
use chancery_license::Environment;
use chancery_time::{Clock, Timestamp};
use chancery_trail::{Entry, Kind, Trail};
use serde_json::Value;

use super::log::Log;
use super::{Failure, Signers, deliveries};
use crate::config::Revocations;
use crate::domain::Actor;
use crate::domain::webhook::Destinations;
use crate::vault::Vault;

/// The store, the secrets, the clock and the issuance log. Clones share them.
#[derive(Clone)]
pub(crate) struct Office {
    pub(crate) db: Db,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) trail: Trail,
    /// Where what the trail tells ends up.
    pub(crate) log: Arc<Log>,
    pub(crate) signers: Signers,
    /// How revocation lists are issued.
    pub(crate) revocations: Revocations,
    /// Where webhooks may be sent to.
    pub(crate) destinations: Arc<Destinations>,
}

/// Something that was done, for the issuance log and for webhooks.
#[derive(Debug)]
pub(crate) struct Note<'a> {
    pub(crate) kind: Kind,
    pub(crate) actor: &'a Actor,
    /// Whose data it is about; `None` for what belongs to none, such as users.
    pub(crate) environment: Option<Environment>,
    /// A JSON object with ids, never with keys or secrets.
    pub(crate) details: Value,
}

impl Office {
    /// The time of day.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Notes what was done in the transaction that does it.
    pub(crate) fn note(&self, tx: &mut WriteTx<'_>, note: &Note<'_>, now: Timestamp) -> Result<(), Failure> {
        self.note_in_log(tx, note, now)?;
        deliveries::queue(tx, note, now)
    }

    /// As [`Office::note`], for what webhooks are not told of.
    pub(crate) fn note_in_log(
        &self,
        tx: &mut WriteTx<'_>,
        note: &Note<'_>,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let entry =
            Entry::new(note.kind, note.details.clone()).by(note.actor.name.clone()).allowed("requested");
        Ok(self.trail.tell(tx, &entry, now)?)
    }

    /// One durable change.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        change: impl Fn(&Self, &mut WriteTx<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let office = self.clone();
        self.db.write(move |tx| change(&office, tx)).await
    }

    /// One look at the store.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        look: impl Fn(&Self, &mut ReadTx<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let office = self.clone();
        self.db.read(move |tx| look(&office, tx)).await
    }
}
