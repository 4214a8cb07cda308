//! The portal's tables, one file each. The functions take a transaction, so that several of them make one atomic
//! change; nothing above this module writes SQL.

pub(crate) mod activations;
pub(crate) mod api_keys;
pub(crate) mod deliveries;
pub(crate) mod documents;
pub(crate) mod idempotency;
pub(crate) mod installations;
pub(crate) mod licenses;
pub(crate) mod manifests;
pub(crate) mod organisations;
pub(crate) mod plans;
pub(crate) mod products;
pub(crate) mod revocation_lists;
pub(crate) mod revocations;
pub(crate) mod settings;
pub(crate) mod signing_keys;
pub(crate) mod users;
pub(crate) mod webhooks;

use chancery_db::{Error, FromColumn, Migration, Row};
use chancery_license::Environment;
use chancery_time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// The schema, oldest first. An entry never changes once it was released.
pub(crate) const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, name: "portal", sql: include_str!("../../migrations/0001_portal.sql") }];

/// The most that a page of a list holds.
pub(crate) const MAX_PAGE: i64 = 100;

/// A part of a list: so many entries behind the one with that id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// 1 to [`MAX_PAGE`].
    pub(crate) limit: i64,
    /// The id of the last entry that is known already.
    pub(crate) after: Option<String>,
}

impl Page {
    /// The entries of the page, of rows that were read with one more than its limit, and the name of the last one
    /// where there are more.
    pub(crate) fn cut<T>(&self, mut rows: Vec<T>, name: impl Fn(&T) -> &str) -> (Vec<T>, Option<String>) {
        let limit = usize::try_from(self.limit).unwrap_or_default();
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| has_more).map(|last| name(last).to_owned());
        (rows, next)
    }
}

/// An instant in a column.
pub(crate) fn time(row: &Row<'_>, index: usize) -> Result<Timestamp, Error> {
    row.get(index).map(Timestamp::from_unix_millis)
}

/// An instant in a column that may be `NULL`.
pub(crate) fn optional_time(row: &Row<'_>, index: usize) -> Result<Option<Timestamp>, Error> {
    Ok(row.get::<Option<i64>>(index)?.map(Timestamp::from_unix_millis))
}

/// A text column that holds one of a set of names.
pub(crate) fn named<T>(
    row: &Row<'_>,
    index: usize,
    named: impl FnOnce(&str) -> Option<T>,
) -> Result<T, Error> {
    let text: String = row.get(index)?;
    named(&text).ok_or_else(|| foreign(index, text))
}

/// A text column that holds an environment.
pub(crate) fn environment(row: &Row<'_>, index: usize) -> Result<Environment, Error> {
    named(row, index, |text| text.parse().ok())
}

/// A text column that holds JSON.
pub(crate) fn json<T: DeserializeOwned>(row: &Row<'_>, index: usize) -> Result<T, Error> {
    let text: String = row.get(index)?;
    serde_json::from_str(&text).map_err(|_| foreign(index, text))
}

/// As [`json`], for a column that may be `NULL`.
pub(crate) fn optional_json<T: DeserializeOwned>(row: &Row<'_>, index: usize) -> Result<Option<T>, Error> {
    let Some(text) = row.get::<Option<String>>(index)? else { return Ok(None) };
    serde_json::from_str(&text).map(Some).map_err(|_| foreign(index, text))
}

/// A value, as a text column holds it. A value without a JSON form is `null`, which does not read back.
pub(crate) fn json_text<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_value(value).unwrap_or_default().to_string()
}

/// A JSON object, as a column holds it that may be `NULL`.
pub(crate) fn object_text(object: Option<&Map<String, Value>>) -> Option<String> {
    object.map(json_text)
}

/// The error for a value that this program never writes. The value itself may be private.
fn foreign(index: usize, found: String) -> Error {
    let found = format!("a text of {} bytes that this program does not write", found.len());
    Error::Column { index, column: "?".to_owned(), wanted: String::NAME, found }
}
