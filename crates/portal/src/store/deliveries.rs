//! What webhooks are to be told, and were told.

use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;

use super::{Page, named, optional_time, time};

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// It was not taken yet.
    Pending,
    /// Its receiver took it.
    Delivered,
    /// It was given up.
    Failed,
}

/// A delivery, without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    pub(crate) webhook_id: String,
    /// The name of the event.
    pub(crate) event: String,
    pub(crate) status: Status,
    /// How often it was begun.
    pub(crate) attempts: i64,
    pub(crate) next_attempt_at: Timestamp,
    /// The HTTP status of the last answer.
    pub(crate) last_status: Option<i64>,
    /// What was wrong with the last attempt.
    pub(crate) last_error: Option<String>,
    pub(crate) created_at: Timestamp,
    pub(crate) finished_at: Option<Timestamp>,
}

/// A delivery to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewDelivery<'a> {
    pub(crate) id: &'a str,
    pub(crate) webhook_id: &'a str,
    pub(crate) event: &'a str,
    pub(crate) body: &'a str,
}

/// A delivery that one process holds until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) body: String,
    /// How often it was begun, this time included.
    pub(crate) attempts: i64,
    pub(crate) leased_until: Timestamp,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// What becomes of the delivery.
    pub(crate) status: Status,
    /// When it is tried again, where it is pending; when it ended, where it is not.
    pub(crate) at: Timestamp,
    pub(crate) last_status: Option<i64>,
    pub(crate) last_error: Option<String>,
}

impl Status {
    pub(crate) const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    pub(crate) fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == text)
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, webhook_id, event, status, attempts, next_attempt_at, last_status, last_error, created_at,
                    finished_at
             FROM webhook_deliveries ",
            $rest
        )
    };
}

/// A delivery of that webhook.
pub(crate) fn by_id(tx: &mut ReadTx<'_>, webhook_id: &str, id: &str) -> Result<Option<Delivery>, Error> {
    tx.query_opt(select!("WHERE webhook_id = $1 AND id = $2"), params![webhook_id, id], delivery)
}

/// A page of a webhook's deliveries, the newest first; one more than its limit where there are more.
pub(crate) fn list(
    tx: &mut ReadTx<'_>,
    webhook_id: &str,
    status: Option<Status>,
    page: &Page,
) -> Result<Vec<Delivery>, Error> {
    // The first use of a parameter tells PostgreSQL its type.
    tx.query(
        select!(
            "WHERE webhook_id = $1 AND (status = $2 OR $2 IS NULL)
               AND ($3 = ''
                    OR (created_at, id) < (SELECT d.created_at, d.id FROM webhook_deliveries d WHERE d.id = $3))
             ORDER BY created_at DESC, id DESC LIMIT $4"
        ),
        params![webhook_id, status.map(Status::name), page.after.as_deref().unwrap_or_default(), page.limit + 1],
        delivery,
    )
}

/// Adds a delivery that is due now.
pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &NewDelivery<'_>, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO webhook_deliveries (id, webhook_id, event, body, status, next_attempt_at, created_at)
         VALUES ($1, $2, $3, $4, 'pending', $5, $6)",
        params![new.id, new.webhook_id, new.event, new.body, now.unix_millis(), now.unix_millis()],
    )?;
    Ok(())
}

/// Puts a delivery in line again, as if it were new. Whoever holds it holds it no longer.
pub(crate) fn restart(tx: &mut WriteTx<'_>, id: &str, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE webhook_deliveries
         SET status = 'pending', attempts = 0, next_attempt_at = $1, leased_until = NULL, finished_at = NULL
         WHERE id = $2",
        params![now.unix_millis(), id],
    )?;
    Ok(())
}

/// The enabled webhooks that have a delivery which is due and which nobody holds.
pub(crate) fn waiting(tx: &mut ReadTx<'_>, now: Timestamp) -> Result<Vec<String>, Error> {
    tx.query(
        "SELECT w.id FROM webhooks w WHERE w.disabled_at IS NULL AND EXISTS (
            SELECT 1 FROM webhook_deliveries d
            WHERE d.webhook_id = w.id AND d.status = 'pending' AND d.next_attempt_at <= $1
              AND (d.leased_until IS NULL OR d.leased_until <= $2))
         ORDER BY w.id",
        params![now.unix_millis(), now.unix_millis()],
        |row| row.get(0),
    )
}

/// Takes up to `limit` deliveries of a webhook that are due and that nobody holds, those first that are due longest.
pub(crate) fn take(
    tx: &mut WriteTx<'_>,
    webhook_id: &str,
    now: Timestamp,
    leased_until: Timestamp,
    limit: i64,
) -> Result<Vec<Taken>, Error> {
    let mut taken = tx.query(
        "UPDATE webhook_deliveries SET leased_until = $1, attempts = attempts + 1
         WHERE id IN (
            SELECT id FROM webhook_deliveries
            WHERE webhook_id = $2 AND status = 'pending' AND next_attempt_at <= $3
              AND (leased_until IS NULL OR leased_until <= $4)
            ORDER BY next_attempt_at, id LIMIT $5)
         RETURNING id, event, body, attempts, next_attempt_at",
        params![leased_until.unix_millis(), webhook_id, now.unix_millis(), now.unix_millis(), limit],
        |row| {
            let taken = Taken {
                id: row.get(0)?,
                event: row.get(1)?,
                body: row.get(2)?,
                attempts: row.get(3)?,
                leased_until,
            };
            Ok((row.get::<i64>(4)?, taken))
        },
    )?;
    taken.sort_by(|(due, taken), (other_due, other)| (due, &taken.id).cmp(&(other_due, &other.id)));
    Ok(taken.into_iter().map(|(_, taken)| taken).collect())
}

/// Keeps what came of an attempt; `false` where the delivery is no longer held under that lease: somebody else took it
/// over, or put it in line again.
pub(crate) fn settle(tx: &mut WriteTx<'_>, taken: &Taken, attempt: &Attempt) -> Result<bool, Error> {
    let finished_at = (attempt.status != Status::Pending).then(|| attempt.at.unix_millis());
    let settled = tx.execute(
        "UPDATE webhook_deliveries
         SET status = $1, last_status = $2, last_error = $3, finished_at = $4, next_attempt_at = $5, leased_until = NULL
         WHERE id = $6 AND status = 'pending' AND leased_until = $7",
        params![
            attempt.status.name(),
            attempt.last_status,
            attempt.last_error.as_ref(),
            finished_at,
            attempt.at.unix_millis(),
            &taken.id,
            taken.leased_until.unix_millis()
        ],
    )?;
    Ok(settled == 1)
}

/// Removes deliveries that ended before that, and those that a disabled webhook has kept waiting since; how many.
pub(crate) fn sweep(tx: &mut WriteTx<'_>, before: Timestamp, limit: i64) -> Result<u64, Error> {
    let ended = tx.execute(
        "DELETE FROM webhook_deliveries WHERE id IN (
            SELECT id FROM webhook_deliveries WHERE finished_at <= $1 ORDER BY finished_at LIMIT $2)",
        params![before.unix_millis(), limit],
    )?;
    let kept_waiting = tx.execute(
        "DELETE FROM webhook_deliveries WHERE id IN (
            SELECT d.id FROM webhooks w JOIN webhook_deliveries d ON d.webhook_id = w.id
            WHERE w.disabled_at IS NOT NULL AND d.status = 'pending' AND d.next_attempt_at <= $1 LIMIT $2)",
        params![before.unix_millis(), limit],
    )?;
    Ok(ended + kept_waiting)
}

fn delivery(row: &Row<'_>) -> Result<Delivery, Error> {
    Ok(Delivery {
        id: row.get(0)?,
        webhook_id: row.get(1)?,
        event: row.get(2)?,
        status: named(row, 3, Status::named)?,
        attempts: row.get(4)?,
        next_attempt_at: time(row, 5)?,
        last_status: row.get(6)?,
        last_error: row.get(7)?,
        created_at: time(row, 8)?,
        finished_at: optional_time(row, 9)?,
    })
}
