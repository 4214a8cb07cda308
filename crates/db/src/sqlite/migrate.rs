//! Applying migrations to a SQLite file.

use rusqlite::{Connection, TransactionBehavior};

use super::dialect;
use crate::error::OpenError;
use crate::migration::{Applied, CREATE_RECORD, INSERT_APPLIED, Migration, SELECT_APPLIED, pending};

/// Applies what is missing, one transaction each. Another process may be doing the same.
pub(super) fn run(connection: &mut Connection, known: &'static [Migration]) -> Result<(), OpenError> {
    // The first look takes no write lock: most of the time there is nothing to do.
    while !pending(known, &applied(connection).map_err(record)?)?.is_empty() {
        apply_next(connection, known)?;
    }
    Ok(())
}

/// Applies the first missing migration, if there still is one once the write lock is held.
fn apply_next(connection: &mut Connection, known: &'static [Migration]) -> Result<(), OpenError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(record)?;
    transaction.execute_batch(&dialect::translate(CREATE_RECORD)).map_err(record)?;
    let Some(step) = pending(known, &applied(&transaction).map_err(record)?)?.first() else {
        return Ok(());
    };
    let failed = |error: rusqlite::Error| OpenError::Migration {
        version: step.version,
        name: step.name.to_owned(),
        message: error.to_string(),
    };
    transaction.execute_batch(&dialect::translate(step.sql)).map_err(failed)?;
    transaction.execute(INSERT_APPLIED, (step.version, step.name, step.sha256())).map_err(failed)?;
    transaction.commit().map_err(failed)
}

fn applied(connection: &Connection) -> rusqlite::Result<Vec<Applied>> {
    if !connection.table_exists(None, "schema_migrations")? {
        return Ok(Vec::new());
    }
    let mut select = connection.prepare(SELECT_APPLIED)?;
    let rows = select
        .query_map([], |row| Ok(Applied { version: row.get(0)?, name: row.get(1)?, sha256: row.get(2)? }))?;
    rows.collect()
}

fn record(error: rusqlite::Error) -> OpenError {
    OpenError::Record { message: error.to_string() }
}
