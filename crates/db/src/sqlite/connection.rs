//! Opening connections to a SQLite file, with the settings that durability rests on.

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::error::OpenError;

/// How long a connection waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Statements kept prepared; the program has fewer.
const STATEMENTS: usize = 512;

/// Creates the file, readable by its owner alone, if it is missing. SQLite gives the files beside it
/// (`-wal`, `-shm`) the same mode.
pub(super) fn create(path: &Path) -> Result<(), OpenError> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error| {
        let message = match error.kind() {
            io::ErrorKind::NotFound => "its directory does not exist; create it first".to_owned(),
            io::ErrorKind::PermissionDenied => {
                "permission denied; check the file's owner and mode".to_owned()
            }
            _ => error.to_string(),
        };
        OpenError::File { path: path.to_owned(), message }
    })
}

/// Says in words why a connection to the file was refused.
pub(super) fn refused(path: &Path, error: &rusqlite::Error) -> OpenError {
    let message = match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => {
            "it is not a SQLite database; move it away or name another file".to_owned()
        }
        _ => error.to_string(),
    };
    OpenError::File { path: path.to_owned(), message }
}

/// A connection that may write.
pub(super) fn open_writer(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| {
        let mode: String = row.get(0)?;
        if mode == "wal" { Ok(()) } else { Err(rusqlite::Error::InvalidQuery) }
    })?;
    // FULL syncs the WAL at every commit; NORMAL would lose the last ones with the power.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Checkpoints are this crate's own (see `checkpoint`), never a part of somebody's commit.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // A WAL that one huge transaction blew up is cut back to this many bytes when it starts over.
    connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    connection.pragma_update(None, "cache_size", -32 * 1024)?;
    Ok(connection)
}

/// A connection that only reads, even if a query says otherwise.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open(path)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", -8 * 1024)?;
    Ok(connection)
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    // Each connection stays with one thread at a time, so SQLite's own mutexes would only cost.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(connection)
}
