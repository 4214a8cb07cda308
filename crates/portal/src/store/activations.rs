//! The seats that devices take.

use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;
use serde_json::{Map, Value};

use super::{Page, object_text, optional_json, optional_time, time};

/// A seat that a device takes, or took.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Activation {
    pub(crate) id: String,
    pub(crate) license_id: String,
    pub(crate) fingerprint: String,
    pub(crate) device_name: Option<String>,
    pub(crate) metadata: Option<Map<String, Value>>,
    pub(crate) ip_address: Option<String>,
    pub(crate) activated_at: Timestamp,
    pub(crate) last_seen_at: Timestamp,
    pub(crate) deactivated_at: Option<Timestamp>,
}

/// The activation of a device that holds a seat of the licence.
pub(crate) fn active(
    tx: &mut ReadTx<'_>,
    license_id: &str,
    fingerprint: &str,
) -> Result<Option<Activation>, Error> {
    tx.query_opt(
        "SELECT id, license_id, fingerprint, device_name, metadata, ip_address, activated_at, last_seen_at, deactivated_at
         FROM activations WHERE license_id = $1 AND fingerprint = $2 AND deactivated_at IS NULL",
        params![license_id, fingerprint],
        activation,
    )
}

pub(crate) fn by_id(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<Activation>, Error> {
    tx.query_opt(
        "SELECT id, license_id, fingerprint, device_name, metadata, ip_address, activated_at, last_seen_at, deactivated_at
         FROM activations WHERE id = $1",
        params![id],
        activation,
    )
}

/// Adds an activation; the caller has taken its seat.
pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &Activation) -> Result<(), Error> {
    let metadata = object_text(new.metadata.as_ref());
    tx.execute(
        "INSERT INTO activations
            (id, license_id, fingerprint, device_name, metadata, ip_address, activated_at, last_seen_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7)",
        params![
            &new.id,
            &new.license_id,
            &new.fingerprint,
            new.device_name.as_ref(),
            metadata.as_ref(),
            new.ip_address.as_ref(),
            new.activated_at.unix_millis()
        ],
    )?;
    Ok(())
}

/// Whether the device held a seat of the licence that it has given back.
pub(crate) fn has_ended(tx: &mut ReadTx<'_>, license_id: &str, fingerprint: &str) -> Result<bool, Error> {
    let found = tx.query_opt(
        "SELECT id FROM activations WHERE license_id = $1 AND fingerprint = $2 AND deactivated_at IS NOT NULL LIMIT 1",
        params![license_id, fingerprint],
        |row| row.get::<String>(0),
    )?;
    Ok(found.is_some())
}

/// Writes what a device says of itself, and when it was heard of.
pub(crate) fn update(tx: &mut WriteTx<'_>, changed: &Activation) -> Result<(), Error> {
    let metadata = object_text(changed.metadata.as_ref());
    tx.execute(
        "UPDATE activations SET device_name = $1, metadata = $2, last_seen_at = $3 WHERE id = $4",
        params![
            changed.device_name.as_ref(),
            metadata.as_ref(),
            changed.last_seen_at.unix_millis(),
            &changed.id
        ],
    )?;
    Ok(())
}

/// Notes that a device was heard of.
pub(crate) fn seen(tx: &mut WriteTx<'_>, id: &str, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE activations SET last_seen_at = $1 WHERE id = $2 AND last_seen_at < $1",
        params![now.unix_millis(), id],
    )?;
    Ok(())
}

/// Ends an activation; the caller gives its seat back. What the device said of itself at length is forgotten: those
/// who take and give back seats would fill the store with it.
pub(crate) fn deactivate(tx: &mut WriteTx<'_>, id: &str, now: Timestamp) -> Result<bool, Error> {
    let ended = tx.execute(
        "UPDATE activations SET deactivated_at = $1, metadata = NULL WHERE id = $2 AND deactivated_at IS NULL",
        params![now.unix_millis(), id],
    )?;
    Ok(ended == 1)
}

/// Ends every activation of a licence: how many there were. The caller gives their seats back.
pub(crate) fn deactivate_all(tx: &mut WriteTx<'_>, license_id: &str, now: Timestamp) -> Result<u64, Error> {
    tx.execute(
        "UPDATE activations SET deactivated_at = $1, metadata = NULL WHERE license_id = $2 AND deactivated_at IS NULL",
        params![now.unix_millis(), license_id],
    )
}

/// A page of the activations of a licence, the newest first; one more than its limit where there are more.
pub(crate) fn list(
    tx: &mut ReadTx<'_>,
    license_id: &str,
    only_active: bool,
    page: &Page,
) -> Result<Vec<Activation>, Error> {
    tx.query(
        "SELECT id, license_id, fingerprint, device_name, metadata, ip_address, activated_at, last_seen_at, deactivated_at
         FROM activations
         WHERE license_id = $1 AND (CAST($2 AS BIGINT) = 0 OR deactivated_at IS NULL)
           AND ($3 = '' OR (activated_at, id) < (SELECT a.activated_at, a.id FROM activations a WHERE a.id = $3))
         ORDER BY activated_at DESC, id DESC LIMIT $4",
        params![license_id, i64::from(only_active), page.after.as_deref().unwrap_or_default(), page.limit + 1],
        activation,
    )
}

fn activation(row: &Row<'_>) -> Result<Activation, Error> {
    Ok(Activation {
        id: row.get(0)?,
        license_id: row.get(1)?,
        fingerprint: row.get(2)?,
        device_name: row.get(3)?,
        metadata: optional_json(row, 4)?,
        ip_address: row.get(5)?,
        activated_at: time(row, 6)?,
        last_seen_at: time(row, 7)?,
        deactivated_at: optional_time(row, 8)?,
    })
}
