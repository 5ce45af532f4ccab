//! How values go to PostgreSQL and come back; every column is a `BIGINT`, a `TEXT` or a `BYTEA`,
//! and a list of numbers a `BIGINT[]`.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::store::StoreError;
use crate::store::value::{Cell, Columns, Value};

/// A value that is kept until its statement is sent.
#[derive(Debug)]
pub(super) enum Kept {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<i64>),
}

impl Kept {
    /// # Errors
    /// [`StoreError`] for a number that no column can hold.
    pub(super) fn new(value: &Value<'_>) -> Result<Kept, StoreError> {
        Ok(match *value {
            Value::Null => Kept::Null,
            Value::Number(number) => Kept::Number(number),
            Value::Text(text) => Kept::Text(text.to_owned()),
            Value::Bytes(bytes) => Kept::Bytes(bytes.to_owned()),
            Value::List(numbers) => {
                let numbers = numbers.iter();
                Kept::List(numbers.map(|&number| small(number)).collect::<Result<_, _>>()?)
            }
            Value::TooLarge(number) => Kept::Number(small(number)?),
        })
    }
}

fn small(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| {
        let text = format!("the number {number} is larger than any that can be kept");
        StoreError::Database(text.into())
    })
}

impl ToSql for Kept {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Kept::Null => Ok(IsNull::Yes),
            Kept::Number(number) if *kind == Type::INT8 => number.to_sql(kind, out),
            Kept::Text(text) if *kind == Type::TEXT => text.to_sql(kind, out),
            Kept::Bytes(bytes) if *kind == Type::BYTEA => bytes.to_sql(kind, out),
            Kept::List(numbers) if *kind == Type::INT8_ARRAY => numbers.to_sql(kind, out),
            _ => Err(format!("a statement wants a {kind} where another type is given").into()),
        }
    }

    fn accepts(kind: &Type) -> bool {
        [Type::INT8, Type::TEXT, Type::BYTEA, Type::INT8_ARRAY].contains(kind)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Cell<'a> {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Cell<'a>, Box<dyn Error + Sync + Send>> {
        Ok(match *kind {
            Type::INT8 => Cell::Number(i64::from_sql(kind, raw)?),
            Type::INT4 => Cell::Number(i32::from_sql(kind, raw)?.into()),
            Type::BOOL => Cell::Number(bool::from_sql(kind, raw)?.into()),
            Type::BYTEA => Cell::Bytes(raw),
            _ => Cell::Text(std::str::from_utf8(raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Cell<'a>, Box<dyn Error + Sync + Send>> {
        Ok(Cell::Null)
    }

    fn accepts(kind: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::BOOL, Type::BYTEA, Type::TEXT].contains(kind)
    }
}

impl Columns for tokio_postgres::Row {
    fn cell(&self, index: usize) -> Result<Cell<'_>, StoreError> {
        self.try_get(index).map_err(|error| {
            let cause = Error::source(&error).map_or_else(String::new, ToString::to_string);
            StoreError::Damaged(format!("column {index} of a row: {error}: {cause}").into())
        })
    }
}
