//! What the installation keeps under a name, and numbers that only rise.

use chancery_db::{Error, ReadTx, WriteTx, params};

/// The name of a setting: what the log of this portal is called by.
pub(crate) const PORTAL_NAME: &str = "portal_name";

pub(crate) fn find(tx: &mut ReadTx<'_>, name: &str) -> Result<Option<Vec<u8>>, Error> {
    tx.query_opt("SELECT value FROM settings WHERE name = $1", params![name], |row| row.get(0))
}

/// The value that is there, or else `fresh`, which then is there.
pub(crate) fn find_or_insert(tx: &mut WriteTx<'_>, name: &str, fresh: &[u8]) -> Result<Vec<u8>, Error> {
    if let Some(value) = find(tx, name)? {
        return Ok(value);
    }
    tx.execute("INSERT INTO settings (name, value) VALUES ($1, $2)", params![name, fresh])?;
    Ok(fresh.to_vec())
}

/// The next number of a series: 1 first.
pub(crate) fn next_number(tx: &mut WriteTx<'_>, series: &str) -> Result<u64, Error> {
    let number: i64 = tx.query_one(
        "INSERT INTO series (name, value) VALUES ($1, 1)
         ON CONFLICT (name) DO UPDATE SET value = series.value + 1 RETURNING value",
        params![series],
        |row| row.get(0),
    )?;
    Ok(u64::try_from(number).unwrap_or_default())
}
