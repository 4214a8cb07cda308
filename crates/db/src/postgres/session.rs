//! One connection, its prepared statements and its transactions.

use std::collections::HashMap;
use std::ops::ControlFlow;

use postgres::types::ToSql;
use postgres::{Client, Statement};

use super::dsn::Server;
use super::failure;
use crate::error::{Error, OpenError};
use crate::row::{Row, Source};
use crate::value::Value;

/// A connection to the server.
pub(crate) struct Session {
    client: Client,
    /// Every statement is a constant of the program, so this is bounded by the program's text.
    statements: HashMap<&'static str, Statement>,
}

impl Session {
    pub(super) fn connect(server: &Server) -> Result<Self, OpenError> {
        let mut client = server.connect()?;
        // A serialisable transaction that scans a table conflicts with every writer of that table
        // (PostgreSQL manual §13.2.3), and the planner scans what it takes for small.
        let prefer_indexes = client.batch_execute("SET enable_seqscan = off");
        prefer_indexes.map_err(|error| OpenError::Connect { message: error.to_string() })?;
        Ok(Self { client, statements: HashMap::new() })
    }

    /// Runs one of the statements that begin and end transactions.
    pub(super) fn control(&mut self, sql: &'static str) -> Result<(), Error> {
        self.client.batch_execute(sql).map_err(|error| failure::meaning(&error, sql))
    }

    /// Commits. The connection failing here leaves it open whether the server did.
    pub(super) fn commit(&mut self) -> Result<(), Error> {
        self.client.batch_execute("COMMIT").map_err(|error| match failure::meaning(&error, "COMMIT") {
            Error::Unavailable { message } => Error::CommitUnknown { message },
            other => other,
        })
    }

    /// Hands the rows of a query to `each` until that breaks off.
    pub(crate) fn query(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let statement = self.prepare(sql, params)?;
        let rows = self.client.query(&statement, &as_dyn(params));
        for row in &rows.map_err(|error| failure::meaning(&error, sql))? {
            if each(&Row { source: Source::Postgres(row) }).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Runs a statement that returns no rows and says how many it touched.
    pub(crate) fn execute(&mut self, sql: &'static str, params: &[Value<'_>]) -> Result<u64, Error> {
        let statement = self.prepare(sql, params)?;
        let touched = self.client.execute(&statement, &as_dyn(params));
        touched.map_err(|error| failure::meaning(&error, sql))
    }

    fn prepare(&mut self, sql: &'static str, params: &[Value<'_>]) -> Result<Statement, Error> {
        let statement = match self.statements.get(sql) {
            Some(statement) => statement.clone(),
            None => {
                let new = self.client.prepare(sql).map_err(|error| failure::meaning(&error, sql))?;
                self.statements.insert(sql, new.clone());
                new
            }
        };
        let wanted = statement.params().len();
        if wanted != params.len() {
            let message = format!("it has {wanted} parameters and was given {}", params.len());
            return Err(Error::Statement { sql, message });
        }
        Ok(statement)
    }
}

fn as_dyn<'a>(params: &'a [Value<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    params.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}
