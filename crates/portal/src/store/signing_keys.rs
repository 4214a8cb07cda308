//! The keys that documents are signed with.

use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_license::{Environment, PublicKey};
use chancery_time::Timestamp;

use super::{environment, named, optional_time, time};

/// What a signing key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum KeyStatus {
    /// Not yet for anything.
    Pending,
    /// Signs.
    Current,
    /// Signed once, and verifies what it signed.
    Retired,
    /// Came into the wrong hands: verifies nothing, and its private half is gone.
    Withdrawn,
}

/// A signing key, its private half left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownKey {
    /// The key's own id, by which documents name it.
    pub(crate) kid: String,
    pub(crate) product_id: String,
    pub(crate) environment: Environment,
    pub(crate) public_key: PublicKey,
    pub(crate) status: KeyStatus,
    pub(crate) created_at: Timestamp,
    pub(crate) activated_at: Option<Timestamp>,
    pub(crate) retired_at: Option<Timestamp>,
    pub(crate) withdrawn_at: Option<Timestamp>,
}

impl KeyStatus {
    pub(crate) const ALL: [Self; 4] = [Self::Pending, Self::Current, Self::Retired, Self::Withdrawn];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Current => "current",
            Self::Retired => "retired",
            Self::Withdrawn => "withdrawn",
        }
    }

    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }

    /// Whether what the key signed is to be believed.
    pub(crate) const fn verifies(self) -> bool {
        matches!(self, Self::Current | Self::Retired)
    }
}

macro_rules! columns {
    () => {
        "kid, product_id, environment, public_key, status, created_at, activated_at, retired_at, withdrawn_at"
    };
}

pub(crate) fn by_kid(tx: &mut ReadTx<'_>, kid: &str) -> Result<Option<KnownKey>, Error> {
    tx.query_opt(concat!("SELECT ", columns!(), " FROM signing_keys WHERE kid = $1"), params![kid], key)
}

/// The keys of a product, the newest first.
pub(crate) fn of_product(tx: &mut ReadTx<'_>, product_id: &str) -> Result<Vec<KnownKey>, Error> {
    tx.query(
        concat!(
            "SELECT ",
            columns!(),
            " FROM signing_keys WHERE product_id = $1 ORDER BY created_at DESC, kid"
        ),
        params![product_id],
        key,
    )
}

/// The key that signs.
pub(crate) fn current(
    tx: &mut ReadTx<'_>,
    product_id: &str,
    environment: Environment,
) -> Result<Option<KnownKey>, Error> {
    tx.query_opt(
        concat!(
            "SELECT ",
            columns!(),
            " FROM signing_keys WHERE product_id = $1 AND environment = $2 AND status = 'current'"
        ),
        params![product_id, environment.name()],
        key,
    )
}

/// The private half, sealed; `None` where it was destroyed.
pub(crate) fn sealed(tx: &mut ReadTx<'_>, kid: &str) -> Result<Option<Vec<u8>>, Error> {
    let found =
        tx.query_opt("SELECT private_sealed FROM signing_keys WHERE kid = $1", params![kid], |row| {
            row.get(0)
        })?;
    Ok(found.flatten())
}

/// Adds a key that signs nothing yet.
pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &KnownKey, private_sealed: &[u8]) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO signing_keys (kid, product_id, environment, public_key, private_sealed, status, created_at)
         VALUES ($1, $2, $3, $4, $5, 'pending', $6)",
        params![
            &new.kid,
            &new.product_id,
            new.environment.name(),
            &new.public_key.to_pem(),
            private_sealed,
            new.created_at.unix_millis()
        ],
    )?;
    Ok(())
}

/// The key signs from now on; the caller has retired the one before.
pub(crate) fn activate(tx: &mut WriteTx<'_>, kid: &str, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE signing_keys SET status = 'current', activated_at = $1, retired_at = NULL WHERE kid = $2",
        params![now.unix_millis(), kid],
    )?;
    Ok(())
}

/// The key signs no more, and goes on verifying.
pub(crate) fn retire(tx: &mut WriteTx<'_>, kid: &str, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE signing_keys SET status = 'retired', retired_at = $1 WHERE kid = $2",
        params![now.unix_millis(), kid],
    )?;
    Ok(())
}

/// The key is worth nothing any more, and its private half is gone.
pub(crate) fn withdraw(tx: &mut WriteTx<'_>, kid: &str, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE signing_keys SET status = 'withdrawn', withdrawn_at = $1, private_sealed = NULL WHERE kid = $2",
        params![now.unix_millis(), kid],
    )?;
    Ok(())
}

fn key(row: &Row<'_>) -> Result<KnownKey, Error> {
    Ok(KnownKey {
        kid: row.get(0)?,
        product_id: row.get(1)?,
        environment: environment(row, 2)?,
        public_key: named(row, 3, |pem| PublicKey::from_pem(pem).ok())?,
        status: named(row, 4, KeyStatus::named)?,
        created_at: time(row, 5)?,
        activated_at: optional_time(row, 6)?,
        retired_at: optional_time(row, 7)?,
        withdrawn_at: optional_time(row, 8)?,
    })
}
