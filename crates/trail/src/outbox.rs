//! The tables: events on their way into the audit log, and where each node's log ends.

use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;

/// An event as it waits.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) id: i64,
    pub(crate) at: Timestamp,
    pub(crate) event: String,
    pub(crate) account_id: Option<i64>,
    pub(crate) source_ip: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) actor: Option<String>,
    pub(crate) decision: Option<String>,
    pub(crate) reason: Option<String>,
    /// A JSON object.
    pub(crate) details: String,
}

/// An event to wait.
pub(crate) struct NewEvent<'a> {
    pub(crate) node: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) event: &'a str,
    pub(crate) account_id: Option<i64>,
    pub(crate) source_ip: Option<&'a str>,
    pub(crate) user_agent: Option<&'a str>,
    pub(crate) actor: Option<&'a str>,
    pub(crate) decision: Option<&'a str>,
    pub(crate) reason: Option<&'a str>,
    pub(crate) details: &'a str,
}

pub(crate) fn insert(tx: &mut WriteTx<'_>, event: &NewEvent<'_>) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO audit_outbox
         (node, happened_at, event, account_id, source_ip, user_agent, actor, decision, reason, details)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            event.node,
            event.at.unix_millis(),
            event.event,
            event.account_id,
            event.source_ip,
            event.user_agent,
            event.actor,
            event.decision,
            event.reason,
            event.details
        ],
    )?;
    Ok(())
}

/// The oldest events that wait for a node's log.
pub(crate) fn waiting(tx: &mut ReadTx<'_>, node: &str, limit: i64) -> Result<Vec<Waiting>, Error> {
    tx.query(
        "SELECT id, happened_at, event, account_id, source_ip, user_agent, actor, decision, reason, details
         FROM audit_outbox WHERE node = $1 ORDER BY id LIMIT $2",
        params![node, limit],
        |row| {
            Ok(Waiting {
                id: row.get(0)?,
                at: time(row, 1)?,
                event: row.get(2)?,
                account_id: row.get(3)?,
                source_ip: row.get(4)?,
                user_agent: row.get(5)?,
                actor: row.get(6)?,
                decision: row.get(7)?,
                reason: row.get(8)?,
                details: row.get(9)?,
            })
        },
    )
}

/// The node's events from the one number to the other, both included, and when they happened.
///
/// # Errors
/// When the store fails.
pub fn instants(
    tx: &mut ReadTx<'_>,
    node: &str,
    first: i64,
    last: i64,
) -> Result<Vec<(i64, Timestamp)>, Error> {
    tx.query(
        "SELECT id, happened_at FROM audit_outbox WHERE node = $1 AND id >= $2 AND id <= $3 ORDER BY id",
        params![node, first, last],
        |row| Ok((row.get(0)?, time(row, 1)?)),
    )
}

/// How many events wait for a node's log.
///
/// # Errors
/// When the store fails.
pub fn backlog(tx: &mut ReadTx<'_>, node: &str) -> Result<u64, Error> {
    let count: i64 =
        tx.query_one("SELECT COUNT(*) FROM audit_outbox WHERE node = $1", params![node], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Takes out the node's events from the one number to the other, both included, all of which are in its
/// log; returns how many there were.
pub(crate) fn remove(tx: &mut WriteTx<'_>, node: &str, first: i64, last: i64) -> Result<u64, Error> {
    tx.execute(
        "DELETE FROM audit_outbox WHERE node = $1 AND id >= $2 AND id <= $3",
        params![node, first, last],
    )
}

/// Where a node's log ends.
pub(crate) fn head(tx: &mut ReadTx<'_>, node: &str) -> Result<Option<Vec<u8>>, Error> {
    tx.query_opt("SELECT head FROM audit_heads WHERE node = $1", params![node], |row| row.get(0))
}

/// Whether any node has a log.
///
/// # Errors
/// When the store fails.
pub fn any_head(tx: &mut ReadTx<'_>) -> Result<bool, Error> {
    let found = tx.query("SELECT node FROM audit_heads LIMIT 1", params![], |row| row.get::<String>(0))?;
    Ok(!found.is_empty())
}

/// Every node with a log, and where that ends.
///
/// # Errors
/// When the store fails.
pub fn heads(tx: &mut ReadTx<'_>) -> Result<Vec<(String, Vec<u8>)>, Error> {
    tx.query("SELECT node, head FROM audit_heads ORDER BY node", params![], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
}

pub(crate) fn pin(tx: &mut WriteTx<'_>, node: &str, head: &[u8]) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO audit_heads (node, head) VALUES ($1, $2)
         ON CONFLICT (node) DO UPDATE SET head = excluded.head",
        params![node, head],
    )?;
    Ok(())
}

/// An instant in a column.
fn time(row: &Row<'_>, index: usize) -> Result<Timestamp, Error> {
    row.get(index).map(Timestamp::from_unix_millis)
}
