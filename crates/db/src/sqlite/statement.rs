//! Running statements on a SQLite connection, and what its errors mean.

use std::ops::ControlFlow;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, ToSql, ffi};

use crate::error::Error;
use crate::row::{Row, Source};
use crate::value::Value;

/// Hands the rows of a query to `each` until that breaks off.
pub(crate) fn query(
    connection: &Connection,
    sql: &'static str,
    params: &[Value<'_>],
    each: &mut dyn FnMut(&Row<'_>) -> ControlFlow<()>,
) -> Result<(), Error> {
    let mut statement = prepare(connection, sql, params)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|error| meaning(&error, sql))? {
        if each(&Row { source: Source::Sqlite(row) }).is_break() {
            break;
        }
    }
    Ok(())
}

/// Runs a statement that returns no rows and says how many it touched.
pub(crate) fn execute(
    connection: &Connection,
    sql: &'static str,
    params: &[Value<'_>],
) -> Result<u64, Error> {
    let touched = prepare(connection, sql, params)?.raw_execute().map_err(|error| meaning(&error, sql))?;
    Ok(u64::try_from(touched).unwrap_or(u64::MAX))
}

/// The value of a column, or what it holds instead of one of the portable types.
pub(crate) fn column<'a>(row: &'a rusqlite::Row<'_>, index: usize) -> Result<Value<'a>, String> {
    match row.get_ref(index) {
        Ok(ValueRef::Null) => Ok(Value::Null),
        Ok(ValueRef::Integer(integer)) => Ok(Value::Integer(integer)),
        Ok(ValueRef::Blob(bytes)) => Ok(Value::Bytes(bytes)),
        Ok(ValueRef::Real(_)) => Err("REAL".to_owned()),
        Ok(ValueRef::Text(text)) => {
            std::str::from_utf8(text).map(Value::Text).map_err(|_| "TEXT that is not UTF-8".to_owned())
        }
        Err(_) => Err("no such column".to_owned()),
    }
}

/// Runs one of the statements that begin, mark and end transactions.
pub(super) fn control(connection: &Connection, sql: &'static str) -> Result<(), Error> {
    let run = || connection.prepare_cached(sql)?.raw_execute();
    run().map(drop).map_err(|error| meaning(&error, sql))
}

/// What an error means to the caller.
pub(super) fn meaning(error: &rusqlite::Error, sql: &'static str) -> Error {
    let Some(cause) = error.sqlite_error() else {
        return Error::Statement { sql, message: error.to_string() };
    };
    let message = error_text(error);
    // SQLite says, for instance, "UNIQUE constraint failed: account.id".
    let subject = || message.split_once(": ").map_or(message.as_str(), |(_, subject)| subject).to_owned();
    match cause.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            return Error::Unique { constraint: subject() };
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => return Error::ForeignKey { sql },
        ffi::SQLITE_CONSTRAINT_CHECK => return Error::Check { constraint: subject() },
        ffi::SQLITE_CONSTRAINT_NOTNULL => return Error::NotNull { column: subject() },
        _ => {}
    }
    match cause.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::Unavailable {
            message: "another process has held the write lock for five seconds; find it and end it"
                .to_owned(),
        },
        ErrorCode::DiskFull => Error::Unavailable { message: "the disk is full; make room".to_owned() },
        ErrorCode::SystemIoFailure
        | ErrorCode::OutOfMemory
        | ErrorCode::CannotOpen
        | ErrorCode::DatabaseCorrupt
        | ErrorCode::NotADatabase
        | ErrorCode::OperationInterrupted => Error::Unavailable { message },
        _ => Error::Statement { sql, message },
    }
}

fn prepare<'c>(
    connection: &'c Connection,
    sql: &'static str,
    params: &[Value<'_>],
) -> Result<CachedStatement<'c>, Error> {
    let mut statement = connection.prepare_cached(sql).map_err(|error| meaning(&error, sql))?;
    let wanted = statement.parameter_count();
    if wanted != params.len() {
        let message = format!("it has {wanted} parameters and was given {}", params.len());
        return Err(Error::Statement { sql, message });
    }
    for (place, value) in (1..).zip(params) {
        // SQLite numbers `$2` by its first appearance and not by its name.
        #[cfg(debug_assertions)]
        if statement.parameter_name(place) != Some(format!("${place}").as_str()) {
            let message = "placeholders must be $1, $2, … in the order of their first use".to_owned();
            return Err(Error::Statement { sql, message });
        }
        statement.raw_bind_parameter(place, value).map_err(|error| meaning(&error, sql))?;
    }
    Ok(statement)
}

fn error_text(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Value::Null => ValueRef::Null,
            Value::Integer(integer) => ValueRef::Integer(integer),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
