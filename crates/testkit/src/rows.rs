//! Reading more than a number from an installation's database.

use crate::engine::with_postgres;
use crate::{Database, Installation};

impl Installation {
    /// The first column of every row that a query gives, each of that type: BIGINT is `i64`, TEXT is
    /// `String`, BYTEA is `Vec<u8>`. The server may be running.
    pub fn column<T>(&self, sql: &str) -> Vec<T>
    where
        T: rusqlite::types::FromSql + postgres::types::FromSqlOwned + Send + 'static,
    {
        match self.database() {
            Database::Sqlite => {
                let connection = self.sqlite();
                let column = connection.prepare(sql).and_then(|mut statement| {
                    statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<T>, _>>()
                });
                column.unwrap_or_else(|error| panic!("{sql}: {error}"))
            }
            Database::Postgres { dsn, .. } => {
                let sql = sql.to_owned();
                with_postgres(dsn.clone(), move |client| {
                    client.query(&sql, &[])?.iter().map(|row| row.try_get(0)).collect()
                })
            }
        }
    }
}
