//! Which database, and how it is opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;

use crate::faults::Faults;

/// Where the data lives.
#[derive(Debug, Clone)]
pub enum Config {
    /// A SQLite database in one file, on a local disk.
    Sqlite {
        /// The file; it is created (mode 0600) when it is missing. Its directory has to exist.
        path: PathBuf,
    },
    /// A PostgreSQL database.
    Postgres {
        /// A connection string, `host=… user=… dbname=…` or `postgres://…`.
        ///
        /// `sslmode=verify-full` (or `require`, which means the same here) checks the server's certificate
        /// and name against the PEM file `sslrootcert`; `disable` does not encrypt. Without `sslmode` only
        /// a server on this machine is connected to.
        dsn: SecretString,
    },
}

impl Config {
    /// Where connections lead: `host:port`, or the directory of a socket; nowhere for a file.
    pub fn places(&self) -> Vec<String> {
        match self {
            Self::Sqlite { .. } => Vec::new(),
            Self::Postgres { dsn } => crate::postgres::places(dsn),
        }
    }
}

/// The engine behind a [`Db`](crate::Db), for messages and licence checks; SQL is the same on both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        })
    }
}

/// What may be tuned when a database is opened.
#[derive(Clone)]
pub struct Options {
    /// Transactions that may wait for their turn; at least 1, 4096 by default.
    pub queue: usize,
    /// Connections to PostgreSQL, or reading connections to SQLite; at least 1, 8 by default.
    pub connections: usize,
    /// Failures to inject around commits; `None` outside tests.
    pub faults: Option<Arc<dyn Faults>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { queue: 4_096, connections: 8, faults: None }
    }
}
