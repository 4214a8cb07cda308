//! The vendor's people.

use chancery_db::{Error, ReadTx, Row, WriteTx, params};
use chancery_time::Timestamp;

use super::{Page, named, optional_time, time};
use crate::domain::Role;

/// Somebody who works for the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: String,
    /// In lower case.
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) created_at: Timestamp,
    pub(crate) disabled_at: Option<Timestamp>,
}

pub(crate) fn by_id(tx: &mut ReadTx<'_>, id: &str) -> Result<Option<User>, Error> {
    tx.query_opt(
        "SELECT id, email, name, role, created_at, disabled_at FROM users WHERE id = $1",
        params![id],
        user,
    )
}

pub(crate) fn by_email(tx: &mut ReadTx<'_>, email: &str) -> Result<Option<User>, Error> {
    tx.query_opt(
        "SELECT id, email, name, role, created_at, disabled_at FROM users WHERE email = $1",
        params![email],
        user,
    )
}

/// A page of the users in the order of their addresses; one more than its limit where there are more.
pub(crate) fn list(tx: &mut ReadTx<'_>, page: &Page) -> Result<Vec<User>, Error> {
    tx.query(
        "SELECT id, email, name, role, created_at, disabled_at FROM users WHERE email > $1 ORDER BY email LIMIT $2",
        params![page.after.as_deref().unwrap_or_default(), page.limit + 1],
        user,
    )
}

/// How many users in that role may act.
pub(crate) fn enabled_in_role(tx: &mut ReadTx<'_>, role: Role) -> Result<i64, Error> {
    tx.query_one(
        "SELECT count(*) FROM users WHERE role = $1 AND disabled_at IS NULL",
        params![role.name()],
        |row| row.get(0),
    )
}

/// Adds a user; `false` where there is one with that address.
pub(crate) fn insert(tx: &mut WriteTx<'_>, new: &User) -> Result<bool, Error> {
    let inserted = tx.execute(
        "INSERT INTO users (id, email, name, role, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (email) DO NOTHING",
        params![&new.id, &new.email, &new.name, new.role.name(), new.created_at.unix_millis()],
    )?;
    Ok(inserted == 1)
}

/// Writes everything of a user that may change: all but the address.
pub(crate) fn update(tx: &mut WriteTx<'_>, changed: &User) -> Result<(), Error> {
    tx.execute(
        "UPDATE users SET name = $1, role = $2, disabled_at = $3 WHERE id = $4",
        params![
            &changed.name,
            changed.role.name(),
            changed.disabled_at.map(Timestamp::unix_millis),
            &changed.id
        ],
    )?;
    Ok(())
}

fn user(row: &Row<'_>) -> Result<User, Error> {
    Ok(User {
        id: row.get(0)?,
        email: row.get(1)?,
        name: row.get(2)?,
        role: named(row, 3, Role::named)?,
        created_at: time(row, 4)?,
        disabled_at: optional_time(row, 5)?,
    })
}
