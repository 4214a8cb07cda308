//! What counts against the limits of a licence.
//!
//! A certificate is active until it ends; a managed server is an account with an active certificate.
//! Both end by the mere passing of time, so a number that is kept has to be settled before it is read:
//! [`managed_servers`] and [`certificates`] first take out what has ended since, and take in what
//! counts (again). Each is two look-ups in an index that nearly always find nothing, so that the cost
//! does not depend on how many there are. Where a licence sets no limit, nothing is settled, and the
//! first limit that comes finds everything as not yet counted.

use chancery_db::{Error, ReadTx, WriteTx, params};
use chancery_license::Usage;
use chancery_time::Timestamp;

/// The number of managed servers at `now`.
pub(crate) fn managed_servers(tx: &mut WriteTx<'_>, now: Timestamp) -> Result<u64, Error> {
    let ended = tx.execute(
        "UPDATE managed_servers SET counted = 0 WHERE counted = 1 AND active_until <= $1",
        params![now.unix_millis()],
    )?;
    let begun = tx.execute(
        "UPDATE managed_servers SET counted = 1 WHERE counted = 0 AND active_until > $1",
        params![now.unix_millis()],
    )?;
    settled(tx, MANAGED_SERVERS, begun, ended)
}

/// The number of active certificates at `now`.
pub(crate) fn certificates(tx: &mut WriteTx<'_>, now: Timestamp) -> Result<u64, Error> {
    let ended = tx.execute(
        "UPDATE certificates SET counted = 0 WHERE counted = 1 AND active_until <= $1",
        params![now.unix_millis()],
    )?;
    let begun = tx.execute(
        "UPDATE certificates SET counted = 1 WHERE counted = 0 AND active_until > $1",
        params![now.unix_millis()],
    )?;
    settled(tx, CERTIFICATES, begun, ended)
}

/// Whether an account holds an active certificate.
pub(crate) fn is_managed(tx: &mut ReadTx<'_>, account_id: i64, now: Timestamp) -> Result<bool, Error> {
    let found = tx.query_opt(
        "SELECT account_id FROM managed_servers WHERE account_id = $1 AND active_until > $2",
        params![account_id, now.unix_millis()],
        |row| row.get::<i64>(0),
    )?;
    Ok(found.is_some())
}

/// Notes that an account holds a certificate until then.
pub(crate) fn hold(tx: &mut WriteTx<'_>, account_id: i64, until: Timestamp) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO managed_servers (account_id, active_until, counted) VALUES ($1, $2, 0)
         ON CONFLICT (account_id) DO UPDATE SET active_until = excluded.active_until
         WHERE managed_servers.active_until < excluded.active_until",
        params![account_id, until.unix_millis()],
    )?;
    Ok(())
}

/// Notes that an account may hold less than before.
pub(crate) fn let_go(tx: &mut WriteTx<'_>, account_id: i64) -> Result<(), Error> {
    let until: Option<i64> = tx.query_one(
        "SELECT MAX(active_until) FROM certificates WHERE account_id = $1",
        params![account_id],
        |row| row.get(0),
    )?;
    tx.execute(
        "UPDATE managed_servers SET active_until = $1 WHERE account_id = $2",
        params![until.unwrap_or(0), account_id],
    )?;
    Ok(())
}

/// What is in use at `now`, counted one by one: for commands and at start, not for every order.
pub(crate) fn observe(tx: &mut ReadTx<'_>, now: Timestamp) -> Result<Usage, Error> {
    let managed_servers =
        count(tx, "SELECT COUNT(*) FROM managed_servers WHERE counted IN (0, 1) AND active_until > $1", now)?;
    let certificates =
        count(tx, "SELECT COUNT(*) FROM certificates WHERE counted IN (0, 1) AND active_until > $1", now)?;
    Ok(Usage { managed_servers, certificates, ..Usage::default() })
}

const MANAGED_SERVERS: &str = "managed_servers";
const CERTIFICATES: &str = "certificates";

fn settled(tx: &mut WriteTx<'_>, what: &str, begun: u64, ended: u64) -> Result<u64, Error> {
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let change = signed(begun) - signed(ended);
    if change != 0 {
        tx.execute("UPDATE licensed_counts SET number = number + $1 WHERE what = $2", params![change, what])?;
    }
    let number: i64 =
        tx.query_one("SELECT number FROM licensed_counts WHERE what = $1", params![what], |row| row.get(0))?;
    Ok(u64::try_from(number).unwrap_or(0))
}

fn count(tx: &mut ReadTx<'_>, sql: &'static str, now: Timestamp) -> Result<u64, Error> {
    let count: i64 = tx.query_one(sql, params![now.unix_millis()], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

#[cfg(test)]
mod tests;
