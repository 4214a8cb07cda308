//! Offline roots, and the key manifests that they signed.

use chancery_db::{Error, ReadTx, WriteTx, params};
use chancery_license::{Environment, PublicKey};
use chancery_time::Timestamp;

use super::{named, time};

/// A root that was made known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Root {
    pub(crate) public_key: PublicKey,
    pub(crate) set_at: Timestamp,
}

/// A manifest that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Manifest {
    pub(crate) sequence: u64,
    /// In armour.
    pub(crate) body: String,
    pub(crate) taken_at: Timestamp,
}

pub(crate) fn root(
    tx: &mut ReadTx<'_>,
    product_id: &str,
    environment: Environment,
) -> Result<Option<Root>, Error> {
    tx.query_opt(
        "SELECT public_key, set_at FROM signing_roots WHERE product_id = $1 AND environment = $2",
        params![product_id, environment.name()],
        |row| {
            let public_key = named(row, 0, |pem| PublicKey::from_pem(pem).ok())?;
            Ok(Root { public_key, set_at: time(row, 1)? })
        },
    )
}

/// Makes a root known, in the place of the one before.
pub(crate) fn set_root(
    tx: &mut WriteTx<'_>,
    product_id: &str,
    environment: Environment,
    root: &Root,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO signing_roots (product_id, environment, public_key, set_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (product_id, environment)
         DO UPDATE SET public_key = excluded.public_key, set_at = excluded.set_at",
        params![product_id, environment.name(), &root.public_key.to_pem(), root.set_at.unix_millis()],
    )?;
    Ok(())
}

/// The manifests behind that number, in their order.
pub(crate) fn after(
    tx: &mut ReadTx<'_>,
    product_id: &str,
    environment: Environment,
    sequence: u64,
) -> Result<Vec<Manifest>, Error> {
    tx.query(
        "SELECT sequence, body, taken_at FROM key_manifests
         WHERE product_id = $1 AND environment = $2 AND sequence > $3 ORDER BY sequence",
        params![product_id, environment.name(), i64::try_from(sequence).unwrap_or(i64::MAX)],
        |row| {
            let sequence = u64::try_from(row.get::<i64>(0)?).unwrap_or_default();
            Ok(Manifest { sequence, body: row.get(1)?, taken_at: time(row, 2)? })
        },
    )
}

pub(crate) fn insert(
    tx: &mut WriteTx<'_>,
    product_id: &str,
    environment: Environment,
    new: &Manifest,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO key_manifests (product_id, environment, sequence, body, taken_at) VALUES ($1, $2, $3, $4, $5)",
        params![
            product_id,
            environment.name(),
            i64::try_from(new.sequence).unwrap_or(i64::MAX),
            &new.body,
            new.taken_at.unix_millis()
        ],
    )?;
    Ok(())
}

/// Forgets a manifest, which a new root does not stand by.
pub(crate) fn remove(
    tx: &mut WriteTx<'_>,
    product_id: &str,
    environment: Environment,
    sequence: u64,
) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM key_manifests WHERE product_id = $1 AND environment = $2 AND sequence = $3",
        params![product_id, environment.name(), i64::try_from(sequence).unwrap_or(i64::MAX)],
    )?;
    Ok(())
}
