//! Organisations: the vendor's customers.

use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;
use serde_json::{Map, Value};

use super::{Page, object_text, optional_json, time};

/// A customer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Organisation {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    /// What the vendor's own books call it.
    pub(crate) reference: Option<String>,
    pub(crate) metadata: Option<Map<String, Value>>,
    pub(crate) created_at: Timestamp,
}

/// Which organisations are wanted; what is missing leaves none out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) reference: Option<String>,
    pub(crate) email: Option<String>,
}

pub(crate) fn by_id(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<Organisation>, Error> {
    tx.query_opt(
        "SELECT id, name, email, reference, metadata, created_at FROM organisations WHERE id = $1",
        params![id],
        organisation,
    )
}

pub(crate) fn by_reference(tx: &mut ReadTx<'_>, reference: &str) -> Result<Option<Organisation>, Error> {
    tx.query_opt(
        "SELECT id, name, email, reference, metadata, created_at FROM organisations WHERE reference = $1",
        params![reference],
        organisation,
    )
}

/// A page of the organisations, the newest first; one more than its limit where there are more.
pub(crate) fn list(tx: &mut ReadTx<'_>, wanted: &Wanted, page: &Page) -> Result<Vec<Organisation>, Error> {
    // The first use of a parameter tells PostgreSQL its type.
    tx.query(
        "SELECT id, name, email, reference, metadata, created_at FROM organisations
         WHERE (reference = $1 OR $1 IS NULL) AND (email = $2 OR $2 IS NULL)
           AND ($3 = '' OR (created_at, id) < (SELECT o.created_at, o.id FROM organisations o WHERE o.id = $3))
         ORDER BY created_at DESC, id DESC LIMIT $4",
        params![
            wanted.reference.as_ref(),
            wanted.email.as_ref(),
            page.after.as_deref().unwrap_or_default(),
            page.limit + 1
        ],
        organisation,
    )
}

/// Adds an organisation; nobody has its reference.
pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &Organisation) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO organisations (id, name, email, reference, metadata, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![
            &new.id,
            &new.name,
            &new.email,
            new.reference.as_ref(),
            object_text(new.metadata.as_ref()).as_ref(),
            new.created_at.unix_millis()
        ],
    )?;
    Ok(())
}

/// Writes everything of an organisation that may change.
pub(crate) fn update(tx: &mut WriteTx<'_>, changed: &Organisation) -> Result<(), Error> {
    tx.execute(
        "UPDATE organisations SET name = $1, email = $2, reference = $3, metadata = $4 WHERE id = $5",
        params![
            &changed.name,
            &changed.email,
            changed.reference.as_ref(),
            object_text(changed.metadata.as_ref()).as_ref(),
            &changed.id
        ],
    )?;
    Ok(())
}

fn organisation(row: &Row<'_>) -> Result<Organisation, Error> {
    Ok(Organisation {
        id: row.get(0)?,
        name: row.get(1)?,
        email: row.get(2)?,
        reference: row.get(3)?,
        metadata: optional_json(row, 4)?,
        created_at: time(row, 5)?,
    })
}
