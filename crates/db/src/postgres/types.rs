//! Values between the portable subset and PostgreSQL's types.

use postgres::types::private::BytesMut;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::value::Value;

/// The value of a column, or the name of a type that is none of the portable ones.
///
/// Expressions may yield `boolean` or `integer` where SQLite yields its one kind of integer; both are
/// read as such.
pub(crate) fn column(row: &postgres::Row, index: usize) -> Result<Value<'_>, String> {
    let column = row.columns().get(index).ok_or("no such column")?;
    let kind = column.type_();
    let value = if *kind == Type::INT8 {
        row.try_get(index).map(|value: Option<i64>| Value::from(value))
    } else if *kind == Type::TEXT || *kind == Type::VARCHAR {
        row.try_get(index).map(|value: Option<&str>| Value::from(value))
    } else if *kind == Type::BYTEA {
        row.try_get(index).map(|value: Option<&[u8]>| Value::from(value))
    } else if *kind == Type::INT4 {
        row.try_get(index).map(|value: Option<i32>| Value::from(value.map(i64::from)))
    } else if *kind == Type::BOOL {
        row.try_get(index).map(|value: Option<bool>| Value::from(value.map(i64::from)))
    } else {
        return Err(kind.name().to_owned());
    };
    value.map_err(|error| error.to_string())
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(integer) if *kind == Type::INT8 => integer.to_sql(kind, out),
            Self::Text(text) if <&str as ToSql>::accepts(kind) => text.to_sql(kind, out),
            Self::Bytes(bytes) if *kind == Type::BYTEA => bytes.to_sql(kind, out),
            other => Err(format!("a {} was given where it wants {kind}", other.type_name()).into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        // `to_sql` looks at the value as well and says more.
        true
    }

    to_sql_checked!();
}
