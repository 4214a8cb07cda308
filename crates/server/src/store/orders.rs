//! Orders, and which authorizations each waits for.

use chancery_acme::identifier::IdentifierSet;
use chancery_acme::state::OrderStatus;
use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;

use super::{foreign, named, optional_time, time};

/// An order as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) account_id: i64,
    /// As of the last change; see [`OrderStatus::at`].
    pub(crate) status: OrderStatus,
    pub(crate) identifiers: IdentifierSet,
    pub(crate) expires_at: Timestamp,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) not_after: Option<Timestamp>,
    /// The problem document of a failed order, as JSON.
    pub(crate) error: Option<String>,
    pub(crate) certificate_id: Option<i64>,
    pub(crate) created_at: Timestamp,
}

/// What a new order is made of.
#[derive(Debug)]
pub(crate) struct NewOrder<'a> {
    pub(crate) account_id: i64,
    pub(crate) identifiers: &'a IdentifierSet,
    pub(crate) expires_at: Timestamp,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) not_after: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
}

/// Adds a pending order.
pub(crate) fn insert(tx: &mut WriteTx<'_>, order: &NewOrder<'_>) -> Result<i64, Error> {
    tx.query_one(
        "INSERT INTO orders (account_id, status, identifiers, expires_at, not_before, not_after, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        params![
            order.account_id,
            OrderStatus::Pending.name(),
            &order.identifiers.canonical(),
            order.expires_at.unix_millis(),
            order.not_before.map(Timestamp::unix_millis),
            order.not_after.map(Timestamp::unix_millis),
            order.created_at.unix_millis()
        ],
        |row| row.get(0),
    )
}

/// Makes an order wait for an authorization.
pub(crate) fn add_authorization(tx: &mut WriteTx<'_>, id: i64, authorization_id: i64) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO order_authorizations (order_id, authorization_id) VALUES ($1, $2)",
        params![id, authorization_id],
    )?;
    Ok(())
}

pub(crate) fn by_id(tx: &mut ReadTx<'_>, id: i64) -> Result<Option<Order>, Error> {
    tx.query_opt(
        "SELECT id, account_id, status, identifiers, expires_at, not_before, not_after, error, certificate_id,
                created_at
         FROM orders WHERE id = $1",
        params![id],
        order,
    )
}

/// The authorizations of an order, in the order in which they were made.
pub(crate) fn authorization_ids(tx: &mut ReadTx<'_>, id: i64) -> Result<Vec<i64>, Error> {
    tx.query(
        "SELECT authorization_id FROM order_authorizations WHERE order_id = $1 ORDER BY authorization_id",
        params![id],
        |row| row.get(0),
    )
}

/// The orders that rest on an authorization and are not finalized yet.
pub(crate) fn open_for_authorization(tx: &mut ReadTx<'_>, authorization_id: i64) -> Result<Vec<i64>, Error> {
    tx.query(
        "SELECT o.id FROM order_authorizations a JOIN orders o ON o.id = a.order_id
         WHERE a.authorization_id = $1 AND o.status IN ($2, $3)",
        params![authorization_id, OrderStatus::Pending.name(), OrderStatus::Ready.name()],
        |row| row.get(0),
    )
}

/// The newest orders of an account that are older than `before`, newest first.
pub(crate) fn page(tx: &mut ReadTx<'_>, account_id: i64, before: i64, limit: i64) -> Result<Vec<i64>, Error> {
    tx.query(
        "SELECT id FROM orders WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        params![account_id, before, limit],
        |row| row.get(0),
    )
}

pub(crate) fn set_ready(tx: &mut WriteTx<'_>, id: i64) -> Result<(), Error> {
    tx.execute("UPDATE orders SET status = $1 WHERE id = $2", params![OrderStatus::Ready.name(), id])?;
    Ok(())
}

/// Ends an order with a problem document.
pub(crate) fn set_invalid(tx: &mut WriteTx<'_>, id: i64, error: &str) -> Result<(), Error> {
    tx.execute(
        "UPDATE orders SET status = $1, error = $2 WHERE id = $3",
        params![OrderStatus::Invalid.name(), error, id],
    )?;
    Ok(())
}

/// Ends an order that is processing with a problem document.
pub(crate) fn fail_processing(tx: &mut WriteTx<'_>, id: i64, error: &str) -> Result<(), Error> {
    tx.execute(
        "UPDATE orders SET status = $1, error = $2 WHERE id = $3 AND status = $4",
        params![OrderStatus::Invalid.name(), error, id, OrderStatus::Processing.name()],
    )?;
    Ok(())
}

/// Moves an order from ready to processing with its request; `false` where it was not ready.
pub(crate) fn set_processing(tx: &mut WriteTx<'_>, id: i64, csr: &[u8]) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE orders SET status = $1, csr = $2 WHERE id = $3 AND status = $4",
        params![OrderStatus::Processing.name(), csr, id, OrderStatus::Ready.name()],
    )?;
    Ok(changed == 1)
}

/// Moves an order from processing to valid; `false` where it was not processing.
pub(crate) fn set_valid(tx: &mut WriteTx<'_>, id: i64, certificate_id: i64) -> Result<bool, Error> {
    let changed = tx.execute(
        "UPDATE orders SET status = $1, certificate_id = $2 WHERE id = $3 AND status = $4",
        params![OrderStatus::Valid.name(), certificate_id, id, OrderStatus::Processing.name()],
    )?;
    Ok(changed == 1)
}

/// The request that a processing order is finalized with.
pub(crate) fn csr(tx: &mut ReadTx<'_>, id: i64) -> Result<Option<Vec<u8>>, Error> {
    let csr = tx.query_opt("SELECT csr FROM orders WHERE id = $1", params![id], |row| {
        row.get::<Option<Vec<u8>>>(0)
    })?;
    Ok(csr.flatten())
}

fn order(row: &Row<'_>) -> Result<Order, Error> {
    Ok(Order {
        id: row.get(0)?,
        account_id: row.get(1)?,
        status: named(row, 2, OrderStatus::named)?,
        identifiers: identifiers(row, 3)?,
        expires_at: time(row, 4)?,
        not_before: optional_time(row, 5)?,
        not_after: optional_time(row, 6)?,
        error: row.get(7)?,
        certificate_id: row.get(8)?,
        created_at: time(row, 9)?,
    })
}

fn identifiers(row: &Row<'_>, index: usize) -> Result<IdentifierSet, Error> {
    let text: String = row.get(index)?;
    IdentifierSet::from_canonical(&text).ok_or_else(|| foreign(index, text))
}
