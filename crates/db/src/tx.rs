//! The transactions that closures are handed.

use std::ops::{ControlFlow, Deref, DerefMut};

use crate::error::Error;
use crate::postgres::Session;
use crate::row::Row;
use crate::value::Value;

/// A transaction that reads: every query sees the same snapshot.
pub struct ReadTx<'a> {
    connection: Connection<'a>,
    /// The first statement that failed. It outlives the closure, which may have turned it into an error
    /// of its own, and decides whether the transaction is run again.
    failure: Option<Error>,
}

enum Connection<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(&'a mut Session),
}

/// A transaction that reads and writes.
pub struct WriteTx<'a>(ReadTx<'a>);

impl<'a> ReadTx<'a> {
    /// Every row of the result, in its order, each as `row` reads it.
    ///
    /// # Errors
    ///
    /// What the statement failed with, or the first error of `row`.
    pub fn query<T>(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        mut row: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        self.for_each(sql, params, &mut |found| {
            rows.push(row(found)?);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The one row of the result, if there is any.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyRows`] when there is more than one; otherwise as [`query`](Self::query).
    pub fn query_opt<T>(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        mut row: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut only = None;
        self.for_each(sql, params, &mut |found| {
            if only.is_some() {
                return Err(Error::TooManyRows);
            }
            only = Some(row(found)?);
            Ok(())
        })?;
        Ok(only)
    }

    /// The one row of the result.
    ///
    /// # Errors
    ///
    /// [`Error::NoRow`] when there is none; otherwise as [`query_opt`](Self::query_opt).
    pub fn query_one<T>(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        row: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.query_opt(sql, params, row)?.ok_or(Error::NoRow)
    }

    pub(crate) fn sqlite(connection: &'a rusqlite::Connection) -> Self {
        Self { connection: Connection::Sqlite(connection), failure: None }
    }

    pub(crate) fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Runs a query and hands its rows to `each` until that refuses one.
    fn for_each(
        &mut self,
        sql: &'static str,
        params: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut refused = None;
        let mut each = |row: &Row<'_>| match each(row) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                refused = Some(error);
                ControlFlow::Break(())
            }
        };
        self.statement(|connection| match connection {
            Connection::Sqlite(connection) => crate::sqlite::query(connection, sql, params, &mut each),
            Connection::Postgres(session) => session.query(sql, params, &mut each),
        })?;
        refused.map_or(Ok(()), Err)
    }

    /// Runs a statement unless one has failed before, and remembers if this one does.
    fn statement<T>(
        &mut self,
        run: impl FnOnce(&mut Connection<'a>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if let Some(error) = &self.failure {
            return Err(error.clone());
        }
        run(&mut self.connection).inspect_err(|error| self.failure = Some(error.clone()))
    }
}

impl<'a> WriteTx<'a> {
    /// Runs a statement that returns no rows and says how many it touched.
    ///
    /// # Errors
    ///
    /// What the statement failed with; the closure has to return `Err` after that.
    pub fn execute(&mut self, sql: &'static str, params: &[Value<'_>]) -> Result<u64, Error> {
        self.0.statement(|connection| match connection {
            Connection::Sqlite(connection) => crate::sqlite::execute(connection, sql, params),
            Connection::Postgres(session) => session.execute(sql, params),
        })
    }

    pub(crate) fn sqlite(connection: &'a rusqlite::Connection) -> Self {
        Self(ReadTx::sqlite(connection))
    }

    pub(crate) fn postgres(session: &'a mut Session) -> Self {
        Self(ReadTx { connection: Connection::Postgres(session), failure: None })
    }

    pub(crate) fn into_failure(self) -> Option<Error> {
        self.0.failure
    }
}

impl<'a> Deref for WriteTx<'a> {
    type Target = ReadTx<'a>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for WriteTx<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
