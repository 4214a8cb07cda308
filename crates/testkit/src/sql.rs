//! SQL on a test's database, for tests that tamper with it, count in it or look into it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::engine::with_postgres;
use crate::{Database, Installation, PortalSite};

/// How long a statement waits for a server that is writing.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database, and how to reach it.
pub(crate) enum Target<'a> {
    Sqlite(PathBuf),
    Postgres(&'a str),
}

impl<'a> Target<'a> {
    /// The database of that configuration; `database.path` is relative to the working directory.
    pub(crate) fn of(database: &'a Database, configuration: &Value, workdir: &Path) -> Self {
        match database {
            Database::Sqlite => {
                let path = configuration["database"]["path"].as_str();
                Self::Sqlite(workdir.join(path.expect("the configuration of SQLite has database.path")))
            }
            Database::Postgres { dsn, .. } => Self::Postgres(dsn),
        }
    }

    /// Runs one statement that gives no rows, and tells how many rows it changed.
    fn execute(&self, statement: &str) -> u64 {
        match self {
            Self::Sqlite(file) => {
                let changed = open(file).execute(statement, []);
                let changed = changed.unwrap_or_else(|error| panic!("{statement}: {error}"));
                u64::try_from(changed).expect("a count")
            }
            Self::Postgres(dsn) => {
                let statement = statement.to_owned();
                with_postgres((*dsn).to_owned(), move |client| client.execute(&statement, &[]))
            }
        }
    }

    /// The first column of every row that a query gives.
    fn column<T>(&self, sql: &str) -> Vec<T>
    where
        T: rusqlite::types::FromSql + postgres::types::FromSqlOwned + Send + 'static,
    {
        match self {
            Self::Sqlite(file) => {
                let connection = open(file);
                let column = connection.prepare(sql).and_then(|mut statement| {
                    statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<T>, _>>()
                });
                column.unwrap_or_else(|error| panic!("{sql}: {error}"))
            }
            Self::Postgres(dsn) => {
                let sql = sql.to_owned();
                with_postgres((*dsn).to_owned(), move |client| {
                    client.query(&sql, &[])?.iter().map(|row| row.try_get(0)).collect()
                })
            }
        }
    }

    /// The one number that a query gives.
    fn query_i64(&self, sql: &str) -> i64 {
        match self.column(sql).as_slice() {
            [number] => *number,
            rows => panic!("{sql}: {} rows", rows.len()),
        }
    }
}

/// Gives a directory with a database the functions with which tests look into it.
macro_rules! sql_on {
    ($($site:ty),+) => {
        $(impl $site {
            /// Runs one statement that gives no rows, and tells how many rows it changed. The server may be
            /// running.
            pub fn sql(&self, statement: &str) -> u64 {
                self.target().execute(statement)
            }

            /// The one number that a query gives: of the type BIGINT, as `COUNT(*)` is.
            pub fn query_i64(&self, sql: &str) -> i64 {
                self.target().query_i64(sql)
            }

            /// The first column of every row that a query gives, each of that type: BIGINT is `i64`, TEXT is
            /// `String`, BYTEA is `Vec<u8>`. The server may be running.
            pub fn column<T>(&self, sql: &str) -> Vec<T>
            where
                T: rusqlite::types::FromSql + postgres::types::FromSqlOwned + Send + 'static,
            {
                self.target().column(sql)
            }
        })+
    };
}

sql_on!(Installation, PortalSite);

fn open(file: &Path) -> Connection {
    // Without SQLITE_OPEN_CREATE: a path that is wrong shall not become an empty database.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)
        .unwrap_or_else(|error| panic!("open {}: {error}", file.display()));
    connection.busy_timeout(PATIENCE).expect("a timeout can be set");
    connection
}
