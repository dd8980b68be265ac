//! What becomes of a cell that cannot be read as its column's type.

use std::sync::Arc;

use record::{DecodeError, ValueRef};

use super::ConvertFailure;
use crate::Meters;

/// The rule for cells that cannot be read: `event.converting.failure.handling.mode`, and where they are counted.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// Null, null with a warning, or the end of the task.
    pub mode: ConvertFailure,
    /// Counts values that are sent as null, and logs them; none in tests.
    pub meters: Option<Arc<Meters>>,
}

impl Unreadable {
    /// What is sent for a cell of `column` that cannot be read. `reason` must not hold the cell's bytes.
    ///
    /// # Errors
    /// When the mode asks for one, or the field takes no null.
    pub fn cell(&self, column: &str, is_optional: bool, reason: &str) -> Result<ValueRef<'static>, DecodeError> {
        if self.mode == ConvertFailure::Fail || !is_optional {
            return Err(DecodeError { column: column.to_owned(), reason: reason.to_owned() });
        }
        if let Some(meters) = self.meters.as_ref().filter(|_| self.mode == ConvertFailure::Warn) {
            meters.bad_value(column, reason);
        }
        Ok(ValueRef::Null)
    }
}
