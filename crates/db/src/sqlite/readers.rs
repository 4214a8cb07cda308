//! Reading transactions, on the caller's thread with a pooled connection.
//!
//! A read takes some ten microseconds; handing it to another thread and waking the caller again costs
//! about as much once more (docs/decisions/0001-sqlite-driver.md).

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{connection, statement};
use crate::error::Error;
use crate::job;
use crate::tx::ReadTx;

/// The connections for reading; they are opened when first needed.
pub(crate) struct Readers {
    path: PathBuf,
    permits: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, connections: usize) -> Self {
        Self {
            path,
            permits: Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS)),
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Runs the closure over one snapshot.
    pub(crate) async fn read<T, E, F>(&self, mut closure: F) -> Result<T, E>
    where
        F: FnMut(&mut ReadTx<'_>) -> Result<T, E>,
        E: From<Error>,
    {
        let _permit = self.permits.acquire().await.map_err(|_| Error::Closed)?;
        let connection = self.take()?;
        statement::control(&connection, "BEGIN")?;
        let result = job::run_read(&mut ReadTx::sqlite(&connection), &mut closure);
        // A connection whose snapshot does not end is dropped, which ends it.
        statement::control(&connection, "COMMIT")?;
        self.put_back(connection);
        result
    }

    /// Lets no more reads begin and closes the connections that are idle.
    pub(crate) fn close(&self) {
        self.permits.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn take(&self) -> Result<Connection, Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(connection) => Ok(connection),
            None => connection::open_reader(&self.path)
                .map_err(|error| Error::Unavailable { message: error.to_string() }),
        }
    }

    fn put_back(&self, connection: Connection) {
        if !self.permits.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
