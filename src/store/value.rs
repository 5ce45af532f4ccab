//! What goes into a statement and what comes out of a row, the same for every database; which
//! statement that is stands in `rows/`.

use super::StoreError;
use crate::base::party::{DownloadId, EntityId, KeyId, PersonId, SessionId, ShareId};

/// What a statement is given in the place of `?1`, `?2`, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// Nothing, of whatever type.
    Null,
    /// A number.
    Number(i64),
    /// A number that no column can hold.
    TooLarge(u64),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A list of numbers, over which the statement goes as `rarray(?1)` with the column `value`.
    List(&'a [u64]),
}

/// The values of a statement, in the order of their numbers.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::store::value::IntoValue::into_value($value)),*] };
}
pub(super) use values;

/// What can stand in the place of a parameter.
pub(super) trait IntoValue<'a> {
    /// The value.
    fn into_value(self) -> Value<'a>;
}

impl<'a> IntoValue<'a> for i64 {
    fn into_value(self) -> Value<'a> {
        Value::Number(self)
    }
}

impl<'a> IntoValue<'a> for u32 {
    fn into_value(self) -> Value<'a> {
        Value::Number(self.into())
    }
}

impl<'a> IntoValue<'a> for u64 {
    fn into_value(self) -> Value<'a> {
        i64::try_from(self).map_or(Value::TooLarge(self), Value::Number)
    }
}

impl<'a> IntoValue<'a> for &'a str {
    fn into_value(self) -> Value<'a> {
        Value::Text(self)
    }
}

impl<'a> IntoValue<'a> for &'a [u64] {
    fn into_value(self) -> Value<'a> {
        Value::List(self)
    }
}

impl<'a> IntoValue<'a> for &'a String {
    fn into_value(self) -> Value<'a> {
        Value::Text(self)
    }
}

impl<'a> IntoValue<'a> for &'a [u8] {
    fn into_value(self) -> Value<'a> {
        Value::Bytes(self)
    }
}

impl<'a, const N: usize> IntoValue<'a> for &'a [u8; N] {
    fn into_value(self) -> Value<'a> {
        Value::Bytes(self)
    }
}

impl<'a> IntoValue<'a> for EntityId {
    fn into_value(self) -> Value<'a> {
        Value::Number(self.0)
    }
}

impl<'a> IntoValue<'a> for PersonId {
    fn into_value(self) -> Value<'a> {
        Value::Number(self.0)
    }
}

impl<'a> IntoValue<'a> for KeyId {
    fn into_value(self) -> Value<'a> {
        Value::Number(self.0)
    }
}

impl<'a> IntoValue<'a> for SessionId {
    fn into_value(self) -> Value<'a> {
        Value::Number(self.0)
    }
}

impl<'a> IntoValue<'a> for ShareId {
    fn into_value(self) -> Value<'a> {
        Value::Number(self.0)
    }
}

impl<'a> IntoValue<'a> for DownloadId {
    fn into_value(self) -> Value<'a> {
        Value::Number(self.0)
    }
}

impl<'a, T: IntoValue<'a>> IntoValue<'a> for Option<T> {
    fn into_value(self) -> Value<'a> {
        self.map_or(Value::Null, T::into_value)
    }
}

impl<'a> IntoValue<'a> for &'a Option<String> {
    fn into_value(self) -> Value<'a> {
        self.as_deref().into_value()
    }
}

/// What one column of a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cell<'a> {
    /// Nothing.
    Null,
    /// A number; 0 and 1 where a condition was selected.
    Number(i64),
    /// A text.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

impl<'a> From<Cell<'a>> for Value<'a> {
    fn from(cell: Cell<'a>) -> Value<'a> {
        match cell {
            Cell::Null => Value::Null,
            Cell::Number(number) => Value::Number(number),
            Cell::Text(text) => Value::Text(text),
            Cell::Bytes(bytes) => Value::Bytes(bytes),
        }
    }
}

/// One row of an answer.
pub(super) struct Row<'a>(pub(super) &'a dyn Columns);

/// The columns of a row, whichever database they come from.
pub(super) trait Columns {
    /// What stands in column `index`, counted from 0.
    fn cell(&self, index: usize) -> Result<Cell<'_>, StoreError>;
}

impl Row<'_> {
    /// The value of column `index`, counted from 0.
    pub(super) fn get<T: FromCell>(&self, index: usize) -> Result<T, StoreError> {
        let cell = self.0.cell(index)?;
        T::from_cell(cell).ok_or_else(|| {
            StoreError::Damaged(format!("column {index} of a row holds {}", cell.kind()).into())
        })
    }
}

impl Cell<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Cell::Null => "nothing",
            Cell::Number(_) => "a number out of place",
            Cell::Text(_) => "a text out of place",
            Cell::Bytes(_) => "bytes out of place",
        }
    }
}

/// A type that a column can be read as.
pub(super) trait FromCell: Sized {
    /// The value; `None` if the cell holds something else.
    fn from_cell(cell: Cell<'_>) -> Option<Self>;
}

impl FromCell for i64 {
    fn from_cell(cell: Cell<'_>) -> Option<i64> {
        if let Cell::Number(number) = cell { Some(number) } else { None }
    }
}

impl FromCell for u64 {
    fn from_cell(cell: Cell<'_>) -> Option<u64> {
        i64::from_cell(cell)?.try_into().ok()
    }
}

impl FromCell for u32 {
    fn from_cell(cell: Cell<'_>) -> Option<u32> {
        i64::from_cell(cell)?.try_into().ok()
    }
}

impl FromCell for bool {
    fn from_cell(cell: Cell<'_>) -> Option<bool> {
        i64::from_cell(cell).map(|number| number != 0)
    }
}

impl FromCell for String {
    fn from_cell(cell: Cell<'_>) -> Option<String> {
        if let Cell::Text(text) = cell { Some(text.to_owned()) } else { None }
    }
}

impl FromCell for Vec<u8> {
    fn from_cell(cell: Cell<'_>) -> Option<Vec<u8>> {
        if let Cell::Bytes(bytes) = cell { Some(bytes.to_vec()) } else { None }
    }
}

impl<const N: usize> FromCell for [u8; N] {
    fn from_cell(cell: Cell<'_>) -> Option<[u8; N]> {
        if let Cell::Bytes(bytes) = cell { bytes.try_into().ok() } else { None }
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: Cell<'_>) -> Option<Option<T>> {
        if let Cell::Null = cell { Some(None) } else { T::from_cell(cell).map(Some) }
    }
}
