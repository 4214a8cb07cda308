//! This installation: its key, the key pair by which it signs what it sends, and the record of what it has seen.
//! They are made on first use and kept in the store.

use chancery_db::{Db, ReadTx, WriteTx};
use chancery_license::{Build, InstallationKey, SigningKey};
use chancery_time::Timestamp;
use chancery_trail::outbox;

use super::record::{Record, RecordSeal};
use crate::store::{accounts, settings};

/// The installation, as the store knows it.
#[derive(Debug)]
pub(crate) struct Installation {
    pub(crate) key: InstallationKey,
    /// Signs what is sent to the portal.
    pub(crate) signing: SigningKey,
    seal: RecordSeal,
}

impl Installation {
    /// The installation of this store, made where there is none.
    ///
    /// # Errors
    /// When the store fails, the random source fails, or the store holds something else under the name
    /// of the installation's key.
    pub(crate) async fn open(db: &Db, build: Build, now: Timestamp) -> anyhow::Result<Self> {
        let fresh = InstallationKey::from_random(&crate::random::bytes()?);
        let (secret, seed): ([u8; 32], [u8; 32]) = (crate::random::bytes()?, crate::random::bytes()?);
        db.write(move |tx| {
            let is_new = settings::find(tx, settings::INSTALLATION_KEY)?.is_none();
            let is_due = settings::delete(tx, settings::LICENSE_RECORD_DUE)?;
            if is_new {
                settings::set(tx, settings::INSTALLATION_KEY, fresh.as_str().as_bytes())?;
            }
            settings::find_or_insert(tx, settings::INSTALLATION_SIGNING_SEED, &seed)?;
            // Whoever has a secret, or served before, had a record too, and does not get another.
            let had_record = settings::find(tx, settings::LICENSE_SECRET)?.is_some()
                || outbox::any_head(tx)?
                || (is_new && accounts::first_created_at(tx)?.is_some());
            if (is_new || is_due) && !had_record {
                settings::set(tx, settings::LICENSE_SECRET, &secret)?;
                let installation = Self::load(tx)?;
                let first_account_at = accounts::first_created_at(tx)?;
                let record = Record { first_account_at, ..Record::starting(&build, now) };
                installation.keep(tx, &record)?;
            }
            Self::load(tx)
        })
        .await
    }

    fn load(tx: &mut ReadTx<'_>) -> anyhow::Result<Self> {
        let key = settings::find(tx, settings::INSTALLATION_KEY)?.unwrap_or_default();
        let key: InstallationKey = String::from_utf8(key)?.parse()?;
        let seed = settings::find(tx, settings::INSTALLATION_SIGNING_SEED)?.unwrap_or_default();
        let seed: [u8; 32] = seed.try_into().map_err(|_| {
            anyhow::anyhow!("the signing key of the installation in the store has not 32 bytes")
        })?;
        // Without its secret no record opens, which is the same as having none.
        let secret = settings::find(tx, settings::LICENSE_SECRET)?.unwrap_or_default();
        Ok(Self { signing: SigningKey::from_ed25519_seed(&seed)?, seal: RecordSeal::new(&secret, &key), key })
    }

    /// The record; `None` where it is missing or was touched by another hand.
    pub(crate) fn record(&self, tx: &mut ReadTx<'_>) -> Result<Option<Record>, chancery_db::Error> {
        let sealed = settings::find(tx, settings::LICENSE_RECORD)?;
        Ok(sealed.and_then(|sealed| self.seal.open(&sealed)))
    }

    /// Puts the record in the place of the one before.
    pub(crate) fn keep(&self, tx: &mut WriteTx<'_>, record: &Record) -> Result<(), chancery_db::Error> {
        settings::set(tx, settings::LICENSE_RECORD, &self.seal.seal(record))
    }
}
