//! Raw rows: spans into a read buffer, and the one trait that turns them into values.

use crate::ValueRef;

/// A cell of a raw row: where its bytes stand in the batch's buffer, or a mark that there are none.
///
/// The marks are the greatest values of `len`, which no cell reaches: PostgreSQL's cells are below 1 GiB, MySQL's below the
/// packet's 4 GiB − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte in the batch's buffer.
    pub start: u32,
    /// Number of bytes, or one of the marks.
    pub len: u32,
}

impl Span {
    /// SQL NULL.
    pub const NULL: Self = Self { start: 0, len: u32::MAX };
    /// A value stored out of line that the change left alone and the log does not carry (PostgreSQL's unchanged TOAST).
    pub const UNCHANGED: Self = Self { start: 0, len: u32::MAX - 1 };
    /// The row image has no such column (a key-only `before`, MySQL's minimal images).
    pub const MISSING: Self = Self { start: 0, len: u32::MAX - 2 };

    /// The bytes of this cell, unless it is a mark.
    pub fn bytes(self, buffer: &[u8]) -> Option<&[u8]> {
        if self.len >= Self::MISSING.len {
            return None;
        }
        buffer.get(self.start as usize..self.start as usize + self.len as usize)
    }
}

/// Turns raw cells into values: one call for each row, into a vector that the caller reuses.
pub trait Decode: Send + Sync {
    /// Appends to `out` one value for each cell of the shape, in the shape's order.
    ///
    /// # Errors
    /// When a cell cannot be read as its column's type, or the row has another number of cells than the shape.
    fn row<'a>(&'a self, buffer: &'a [u8], spans: &'a [Span], out: &mut Vec<ValueRef<'a>>) -> Result<(), DecodeError>;
}

/// A cell that could not be read. Names the column, never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {reason}")]
pub struct DecodeError {
    /// The column's name.
    pub column: String,
    /// What was expected, without the bytes that were found.
    pub reason: String,
}
