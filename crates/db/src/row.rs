//! Reading the columns of a row.

use crate::error::Error;
use crate::value::Value;

/// One row of a result, valid while it is being read.
pub struct Row<'a> {
    pub(crate) source: Source<'a>,
}

/// The row of the engine.
pub(crate) enum Source<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a postgres::Row),
}

impl Row<'_> {
    /// The value of the column at `index`, counted from 0.
    ///
    /// # Errors
    ///
    /// [`Error::Column`] when there is no such column or it holds something other than a `T`. `NULL` is
    /// a value of `Option<T>` only.
    pub fn get<T: FromColumn>(&self, index: usize) -> Result<T, Error> {
        let value = match &self.source {
            Source::Sqlite(row) => crate::sqlite::column(row, index),
            Source::Postgres(row) => crate::postgres::column(row, index),
        };
        let found = match value {
            Ok(value) => match T::from_column(value) {
                Some(wanted) => return Ok(wanted),
                None => value.type_name().to_owned(),
            },
            Err(found) => found,
        };
        Err(Error::Column { index, column: self.column_name(index), wanted: T::NAME, found })
    }

    fn column_name(&self, index: usize) -> String {
        let name = match &self.source {
            Source::Sqlite(row) => row.as_ref().column_name(index).ok(),
            Source::Postgres(row) => row.columns().get(index).map(postgres::Column::name),
        };
        name.unwrap_or("?").to_owned()
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for i64 {}
    impl Sealed for String {}
    impl Sealed for Vec<u8> {}
    impl<T: Sealed> Sealed for Option<T> {}
}

/// A Rust type that a column can be read as: `i64`, `String`, `Vec<u8>`, or an `Option` of one.
pub trait FromColumn: Sized + sealed::Sealed {
    /// The portable type of the column.
    const NAME: &'static str;

    /// The value, if it is of this type.
    fn from_column(value: Value<'_>) -> Option<Self>;
}

impl FromColumn for i64 {
    const NAME: &'static str = "BIGINT";

    fn from_column(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Integer(integer) => Some(integer),
            _ => None,
        }
    }
}

impl FromColumn for String {
    const NAME: &'static str = "TEXT";

    fn from_column(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.to_owned()),
            _ => None,
        }
    }
}

impl FromColumn for Vec<u8> {
    const NAME: &'static str = "BYTEA";

    fn from_column(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes.to_vec()),
            _ => None,
        }
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    const NAME: &'static str = T::NAME;

    fn from_column(value: Value<'_>) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_column(other).map(Some),
        }
    }
}
