//! Webhooks.

use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;

use super::{Page, json, json_text, optional_time, time};

/// A webhook, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) description: Option<String>,
    /// The names of the events that it wants; none for all.
    pub(crate) events: Vec<String>,
    /// Whether it hears of live data, or of test data.
    pub(crate) live: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) disabled_at: Option<Timestamp>,
}

/// A webhook that may be told of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listener {
    pub(crate) id: String,
    pub(crate) events: Vec<String>,
    pub(crate) live: bool,
}

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, url, description, events, live, created_at, disabled_at FROM webhooks ", $rest)
    };
}

pub(crate) fn by_id(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<Webhook>, Error> {
    tx.query_opt(select!("WHERE id = $1"), params![id], webhook)
}

/// The sealed secret of a webhook.
pub(crate) fn secret(tx: &mut ReadTx<'_>, id: &str) -> Result<Vec<u8>, Error> {
    tx.query_one("SELECT secret_sealed FROM webhooks WHERE id = $1", params![id], |row| row.get(0))
}

/// A page of the webhooks, the newest first; one more than its limit where there are more.
pub(crate) fn list(tx: &mut ReadTx<'_>, live: Option<bool>, page: &Page) -> Result<Vec<Webhook>, Error> {
    // The first use of a parameter tells PostgreSQL its type.
    tx.query(
        select!(
            "WHERE (live = $1 OR $1 IS NULL)
               AND ($2 = '' OR (created_at, id) < (SELECT w.created_at, w.id FROM webhooks w WHERE w.id = $2))
             ORDER BY created_at DESC, id DESC LIMIT $3"
        ),
        params![live.map(i64::from), page.after.as_deref().unwrap_or_default(), page.limit + 1],
        webhook,
    )
}

/// The webhooks that are enabled.
pub(crate) fn enabled(tx: &mut ReadTx<'_>) -> Result<Vec<Listener>, Error> {
    tx.query(
        "SELECT id, events, live FROM webhooks WHERE disabled_at IS NULL ORDER BY id",
        params![],
        |row| Ok(Listener { id: row.get(0)?, events: json(row, 1)?, live: row.get::<i64>(2)? == 1 }),
    )
}

pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &Webhook, secret_sealed: &[u8]) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO webhooks (id, url, description, secret_sealed, events, live, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            &new.id,
            &new.url,
            new.description.as_ref(),
            secret_sealed,
            &json_text(&new.events),
            i64::from(new.live),
            new.created_at.unix_millis()
        ],
    )?;
    Ok(())
}

/// Writes everything of a webhook that may change but its secret.
pub(crate) fn update(tx: &mut WriteTx<'_>, changed: &Webhook) -> Result<(), Error> {
    tx.execute(
        "UPDATE webhooks SET url = $1, description = $2, events = $3, disabled_at = $4 WHERE id = $5",
        params![
            &changed.url,
            changed.description.as_ref(),
            &json_text(&changed.events),
            changed.disabled_at.map(Timestamp::unix_millis),
            &changed.id
        ],
    )?;
    Ok(())
}

pub(crate) fn set_secret(tx: &mut WriteTx<'_>, id: &str, secret_sealed: &[u8]) -> Result<(), Error> {
    tx.execute("UPDATE webhooks SET secret_sealed = $1 WHERE id = $2", params![secret_sealed, id])?;
    Ok(())
}

fn webhook(row: &Row<'_>) -> Result<Webhook, Error> {
    Ok(Webhook {
        id: row.get(0)?,
        url: row.get(1)?,
        description: row.get(2)?,
        events: json(row, 3)?,
        live: row.get::<i64>(4)? == 1,
        created_at: time(row, 5)?,
        disabled_at: optional_time(row, 6)?,
    })
}
