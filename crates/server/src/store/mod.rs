//! The server's tables, one file each. The functions take a transaction, so that several of them make
//! one atomic change; nothing above this module writes SQL.

pub(crate) mod accounts;
pub(crate) mod approvals;
pub(crate) mod authorizations;
pub(crate) mod certificates;
pub(crate) mod cold_start;
pub(crate) mod external_accounts;
pub(crate) mod inventory;
pub(crate) mod jobs;
pub(crate) mod licensed;
pub(crate) mod licenses;
pub(crate) mod nonces;
pub(crate) mod orders;
pub(crate) mod portal;
pub(crate) mod rates;
pub(crate) mod revocations;
pub(crate) mod settings;

use chancery_db::{Error, FromColumn, Migration, Row};
use chancery_time::Timestamp;

/// The schema, oldest first. An entry never changes once it was released.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "core", sql: include_str!("../../migrations/0001_core.sql") },
    Migration { version: 2, name: "licences", sql: include_str!("../../migrations/0002_licences.sql") },
    Migration { version: 3, name: "audit", sql: include_str!("../../migrations/0003_audit.sql") },
    Migration { version: 4, name: "protocol", sql: include_str!("../../migrations/0004_protocol.sql") },
    Migration { version: 5, name: "portal", sql: include_str!("../../migrations/0005_portal.sql") },
    Migration {
        version: 6,
        name: "machine_files",
        sql: include_str!("../../migrations/0006_machine_files.sql"),
    },
];

/// An instant in a column.
fn time(row: &Row<'_>, index: usize) -> Result<Timestamp, Error> {
    row.get(index).map(Timestamp::from_unix_millis)
}

/// An instant in a column that may be `NULL`.
fn optional_time(row: &Row<'_>, index: usize) -> Result<Option<Timestamp>, Error> {
    Ok(row.get::<Option<i64>>(index)?.map(Timestamp::from_unix_millis))
}

/// A text column that holds one of a set of names.
fn named<T>(row: &Row<'_>, index: usize, named: impl FnOnce(&str) -> Option<T>) -> Result<T, Error> {
    let text: String = row.get(index)?;
    named(&text).ok_or_else(|| foreign(index, text))
}

/// As [`named`], for a column that may be `NULL`.
fn optional_named<T>(
    row: &Row<'_>,
    index: usize,
    named: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    let Some(text) = row.get::<Option<String>>(index)? else { return Ok(None) };
    named(&text).map(Some).ok_or_else(|| foreign(index, text))
}

/// The error for a value that this program never writes.
fn foreign(index: usize, found: String) -> Error {
    Error::Column { index, column: "?".to_owned(), wanted: String::NAME, found }
}
