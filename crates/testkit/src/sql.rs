//! SQL on an installation's database, for tests that tamper with it or count in it.

use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::engine::with_postgres;
use crate::{Database, Installation};

/// How long a statement waits for a server that is writing.
const PATIENCE: Duration = Duration::from_secs(60);

impl Installation {
    /// Runs one statement that gives no rows, and tells how many rows it changed. The server may be
    /// running.
    pub fn sql(&self, statement: &str) -> u64 {
        match self.database() {
            Database::Sqlite => {
                let changed = self.sqlite().execute(statement, []);
                let changed = changed.unwrap_or_else(|error| panic!("{statement}: {error}"));
                u64::try_from(changed).expect("a count")
            }
            Database::Postgres { dsn, .. } => {
                let statement = statement.to_owned();
                with_postgres(dsn.clone(), move |client| client.execute(&statement, &[]))
            }
        }
    }

    /// The one number that a query gives: of the type BIGINT, as `COUNT(*)` is.
    pub fn query_i64(&self, sql: &str) -> i64 {
        match self.database() {
            Database::Sqlite => {
                let number = self.sqlite().query_one(sql, [], |row| row.get(0));
                number.unwrap_or_else(|error| panic!("{sql}: {error}"))
            }
            Database::Postgres { dsn, .. } => {
                let sql = sql.to_owned();
                with_postgres(dsn.clone(), move |client| client.query_one(&sql, &[])?.try_get(0))
            }
        }
    }

    pub(crate) fn sqlite(&self) -> Connection {
        let file = self.sqlite_file();
        // Without SQLITE_OPEN_CREATE: a path that is wrong shall not become an empty database.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&file, flags)
            .unwrap_or_else(|error| panic!("open {}: {error}", file.display()));
        connection.busy_timeout(PATIENCE).expect("a timeout can be set");
        connection
    }
}
