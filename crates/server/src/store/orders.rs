//! Orders, and which authorizations each waits for.

use chancery_acme::identifier::IdentifierSet;
use chancery_acme::state::OrderStatus;
use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;

use super::{foreign, named, optional_named, optional_time, time};

/// An order as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) account_id: i64,
    /// As of the last change; see [`Order::status_at`].
    pub(crate) status: OrderStatus,
    pub(crate) identifiers: IdentifierSet,
    pub(crate) expires_at: Timestamp,
    pub(crate) not_before: Option<Timestamp>,
    pub(crate) not_after: Option<Timestamp>,
    /// The problem document of a failed order, as JSON.
    pub(crate) error: Option<String>,
    pub(crate) certificate_id: Option<i64>,
    pub(crate) created_at: Timestamp,
    /// The name of the profile that serves it.
    pub(crate) profile: Option<String>,
    /// The certificate that it renews, as the client named it (RFC 9773 §5).
    pub(crate) replaces: Option<String>,
    /// Whether no limit on orders holds it up.
    pub(crate) is_exempt: bool,
    pub(crate) approval: Option<Approval>,
}

/// Whether a person approved an order that has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Approval {
    Waiting,
    Approved,
    Rejected,
    /// Nobody decided before the order expired, or its account came to an end.
    Lapsed,
}

impl Order {
    /// What it is at `now`; the stored status may be older.
    pub(crate) fn status_at(&self, now: Timestamp) -> OrderStatus {
        match self.approval {
            Some(Approval::Waiting) if self.expires_at <= now => OrderStatus::Invalid,
            _ => self.status.at(now, self.expires_at),
        }
    }
}

impl Approval {
    pub(crate) const ALL: [Self; 4] = [Self::Waiting, Self::Approved, Self::Rejected, Self::Lapsed];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Lapsed => "lapsed",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|approval| approval.name() == name)
    }
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
    pub(crate) profile: &'a str,
    /// The certificate that it renews, as the client named it, and its row.
    pub(crate) replaces: Option<(&'a str, i64)>,
    /// Whether no limit on orders holds it up.
    pub(crate) is_exempt: bool,
    /// Ready where all its authorizations are valid already, else pending.
    pub(crate) status: OrderStatus,
}

/// Adds an order.
pub(crate) fn insert(tx: &mut WriteTx<'_>, order: &NewOrder<'_>) -> Result<i64, Error> {
    tx.query_one(
        "INSERT INTO orders (account_id, status, identifiers, expires_at, not_before, not_after, created_at,
                             profile, replaces, replaces_id, names_digest, is_exempt)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
        params![
            order.account_id,
            order.status.name(),
            &order.identifiers.canonical(),
            order.expires_at.unix_millis(),
            order.not_before.map(Timestamp::unix_millis),
            order.not_after.map(Timestamp::unix_millis),
            order.created_at.unix_millis(),
            order.profile,
            order.replaces.map(|(name, _)| name),
            order.replaces.map(|(_, id)| id),
            &order.identifiers.digest().to_vec(),
            i64::from(order.is_exempt)
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
                created_at, profile, replaces, approval, is_exempt
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

/// Which orders are wanted; all where nothing is said.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    pub(crate) status: Option<OrderStatus>,
    pub(crate) approval: Option<Approval>,
    pub(crate) account_id: Option<i64>,
    /// A name, as [`chancery_acme::Identifier::canonical`] writes it.
    pub(crate) name: Option<String>,
    pub(crate) profile: Option<String>,
}

/// The newest orders before a row that are wanted at `now`, newest first.
pub(crate) fn listed(
    tx: &mut ReadTx<'_>,
    wanted: &Wanted,
    before: i64,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Order>, Error> {
    let name = wanted.name.as_ref().map(|name| format!("%,{name},%"));
    // What is NULL asks for nothing. A status is that of `now`: time makes orders invalid without writing it. Names
    // have no character that means something in a pattern.
    tx.query(
        "SELECT id, account_id, status, identifiers, expires_at, not_before, not_after, error, certificate_id,
                created_at, profile, replaces, approval, is_exempt
         FROM orders
         WHERE id < $1
           AND (CAST($2 AS TEXT) IS NULL OR $2 =
                CASE WHEN expires_at <= $3 AND (status IN ('pending', 'ready') OR approval = 'waiting')
                     THEN 'invalid' ELSE status END)
           AND (CAST($4 AS TEXT) IS NULL OR approval = $4)
           AND (CAST($5 AS BIGINT) IS NULL OR account_id = $5)
           AND (CAST($6 AS TEXT) IS NULL OR ',' || identifiers || ',' LIKE $6)
           AND (CAST($7 AS TEXT) IS NULL OR profile = $7)
         ORDER BY id DESC LIMIT $8",
        params![
            before,
            wanted.status.map(OrderStatus::name),
            now.unix_millis(),
            wanted.approval.map(Approval::name),
            wanted.account_id,
            name.as_deref(),
            wanted.profile.as_deref(),
            limit
        ],
        order,
    )
}

/// Whether an order that did not fail replaces a certificate (RFC 9773 §5).
pub(crate) fn is_replaced(tx: &mut ReadTx<'_>, certificate_id: i64, now: Timestamp) -> Result<bool, Error> {
    let found = tx.query(
        "SELECT id FROM orders
         WHERE replaces_id = $1 AND (status IN ($2, $3) OR (status <> $4 AND expires_at > $5)) LIMIT 1",
        params![
            certificate_id,
            OrderStatus::Valid.name(),
            OrderStatus::Processing.name(),
            OrderStatus::Invalid.name(),
            now.unix_millis()
        ],
        |row| row.get::<i64>(0),
    )?;
    Ok(!found.is_empty())
}

/// Whether any order was ever to replace a certificate, whatever became of it.
pub(crate) fn was_to_be_replaced(tx: &mut ReadTx<'_>, certificate_id: i64) -> Result<bool, Error> {
    let found =
        tx.query("SELECT id FROM orders WHERE replaces_id = $1 LIMIT 1", params![certificate_id], |row| {
            row.get::<i64>(0)
        })?;
    Ok(!found.is_empty())
}

/// When certificates for exactly these names were issued after `since`, the newest `limit` of them, newest first.
/// Those being issued count as issued now; those revoked are left out.
pub(crate) fn issued_for_names(
    tx: &mut ReadTx<'_>,
    names_digest: &[u8],
    since: Timestamp,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Timestamp>, Error> {
    // The predicate of the index stands here as it stands there.
    tx.query(
        "SELECT COALESCE(c.issued_at, $1) AS issued
         FROM orders o LEFT JOIN certificates c ON c.id = o.certificate_id
         WHERE o.names_digest = $2 AND o.csr IS NOT NULL
           AND (o.status = $3 OR (o.status = $4 AND c.issued_at > $5 AND c.revoked_at IS NULL))
         ORDER BY issued DESC LIMIT $6",
        params![
            now.unix_millis(),
            names_digest,
            OrderStatus::Processing.name(),
            OrderStatus::Valid.name(),
            since.unix_millis(),
            limit
        ],
        |row| time(row, 0),
    )
}

/// Has the orders that rest on an authorization, and are not finalized yet, lapse at `expires_at` at the latest.
pub(crate) fn cut_short(
    tx: &mut WriteTx<'_>,
    authorization_id: i64,
    expires_at: Timestamp,
) -> Result<(), Error> {
    tx.execute(
        "UPDATE orders SET expires_at = $1
         WHERE id IN (SELECT order_id FROM order_authorizations WHERE authorization_id = $2)
           AND status IN ($3, $4) AND expires_at > $1",
        params![
            expires_at.unix_millis(),
            authorization_id,
            OrderStatus::Pending.name(),
            OrderStatus::Ready.name()
        ],
    )?;
    Ok(())
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
        profile: row.get(10)?,
        replaces: row.get(11)?,
        approval: optional_named(row, 12, Approval::named)?,
        is_exempt: row.get::<i64>(13)? != 0,
    })
}

fn identifiers(row: &Row<'_>, index: usize) -> Result<IdentifierSet, Error> {
    let text: String = row.get(index)?;
    IdentifierSet::from_canonical(&text).ok_or_else(|| foreign(index, text))
}
