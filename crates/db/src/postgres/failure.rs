//! What the errors of PostgreSQL mean.

use std::error::Error as _;

use postgres::error::{DbError, Severity, SqlState};

use crate::error::Error;

/// What an error means to the caller.
pub(super) fn meaning(error: &postgres::Error, sql: &'static str) -> Error {
    let Some(refusal) = error.as_db_error() else {
        let message = describe(error);
        let lost = error.is_closed() || error.source().is_some_and(|source| source.is::<std::io::Error>());
        return if lost { Error::Unavailable { message } } else { Error::Statement { sql, message } };
    };
    let code = refusal.code();
    if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
        return Error::Contention { attempts: 1 };
    }
    if *code == SqlState::UNIQUE_VIOLATION {
        return Error::Unique { constraint: key_columns(refusal) };
    }
    if *code == SqlState::FOREIGN_KEY_VIOLATION {
        return Error::ForeignKey { sql };
    }
    if *code == SqlState::CHECK_VIOLATION {
        return Error::Check { constraint: refusal.constraint().unwrap_or_default().to_owned() };
    }
    if *code == SqlState::NOT_NULL_VIOLATION {
        let part = |part: Option<&str>| part.unwrap_or("?").to_owned();
        return Error::NotNull { column: format!("{}.{}", part(refusal.table()), part(refusal.column())) };
    }
    let message = refusal.message().to_owned();
    let fatal = matches!(refusal.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    // Appendix A: 08 connection exception, 53 insufficient resources, 57P operator intervention,
    // 58 system error.
    let outage = ["08", "53", "57P", "58"].iter().any(|class| code.code().starts_with(class));
    if fatal || outage { Error::Unavailable { message } } else { Error::Statement { sql, message } }
}

/// The error with what caused it, for a person. Neither holds values or passwords.
pub(super) fn describe(error: &postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(refusal), _) => refusal.message().to_owned(),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

/// The columns of a violated key in SQLite's words, `table.column, table.column`.
///
/// PostgreSQL names the constraint, and the columns only in the detail: `Key (a, b)=(1, 2) already
/// exists.` What follows the columns are values and goes no further.
fn key_columns(refusal: &DbError) -> String {
    let table = refusal.table().unwrap_or("?");
    let columns = refusal.detail().and_then(|detail| {
        let (_, after) = detail.split_once('(')?;
        after.split_once(")=(").map(|(columns, _)| columns)
    });
    match columns {
        Some(columns) => {
            columns.split(", ").map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", ")
        }
        None => refusal.constraint().unwrap_or(table).to_owned(),
    }
}
