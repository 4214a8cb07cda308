//! Applying migrations to a PostgreSQL database.

use postgres::Client;

use super::dsn::Server;
use super::failure::describe;
use crate::error::OpenError;
use crate::migration::{Applied, CREATE_RECORD, INSERT_APPLIED, Migration, SELECT_APPLIED, pending};

/// The advisory lock that nodes take to migrate one after another: "chancery" in ASCII. Locks are per
/// database.
const LOCK: i64 = i64::from_be_bytes(*b"chancery");

/// Applies what is missing, one transaction each, on a connection of its own; its end frees the lock.
pub(super) fn run(server: &Server, known: &'static [Migration]) -> Result<(), OpenError> {
    let mut client = server.connect()?;
    client.execute("SELECT pg_advisory_lock($1)", &[&LOCK]).map_err(record)?;
    if client.query_one("SELECT to_regclass('schema_migrations') IS NULL", &[]).map_err(record)?.get(0) {
        client.batch_execute(CREATE_RECORD).map_err(record)?;
    }
    for step in pending(known, &applied(&mut client).map_err(record)?)? {
        apply(&mut client, step).map_err(|error| OpenError::Migration {
            version: step.version,
            name: step.name.to_owned(),
            message: describe(&error),
        })?;
    }
    Ok(())
}

fn apply(client: &mut Client, step: &Migration) -> Result<(), postgres::Error> {
    let mut transaction = client.transaction()?;
    transaction.batch_execute(step.sql)?;
    transaction.execute(INSERT_APPLIED, &[&step.version, &step.name, &step.sha256()])?;
    transaction.commit()
}

fn applied(client: &mut Client) -> Result<Vec<Applied>, postgres::Error> {
    let rows = client.query(SELECT_APPLIED, &[])?;
    rows.iter()
        .map(|row| Ok(Applied { version: row.try_get(0)?, name: row.try_get(1)?, sha256: row.try_get(2)? }))
        .collect()
}

fn record(error: postgres::Error) -> OpenError {
    OpenError::Record { message: describe(&error) }
}
