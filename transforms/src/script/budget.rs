//! How much one evaluation may do: steps for time, bytes for memory.
//!
//! Nesting is bounded when the expression is parsed, and expressions have no loops, so these two bounds hold whatever a
//! record contains.
//!
//! Must not know: what is evaluated.

use std::cell::Cell;

use super::failure::Failure;

/// The most steps of one evaluation: a step is an operation, an item of a list, or [`STEP_BYTES`] of a text.
const MOST_STEPS: usize = 4_000_000;
/// The most bytes of texts and lists that one evaluation may make.
const MOST_BYTES: usize = 64 << 20;
/// How much of a text is looked through in one step.
const STEP_BYTES: usize = 64;
/// What an item of a list costs in bytes.
const ITEM_BYTES: usize = 32;

/// What is left of the two bounds.
#[derive(Debug)]
pub(crate) struct Budget {
    steps: Cell<usize>,
    bytes: Cell<usize>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: Cell::new(MOST_STEPS), bytes: Cell::new(MOST_BYTES) }
    }
}

fn take(cell: &Cell<usize>, count: usize, what: &str) -> Result<(), Failure> {
    match cell.get().checked_sub(count) {
        Some(rest) => {
            cell.set(rest);
            Ok(())
        }
        None => Err(Failure::new(format!("the expression needs too {what} on this record"))),
    }
}

impl Budget {
    /// Pays for some operations.
    ///
    /// # Errors
    /// When the evaluation has taken too long.
    pub(crate) fn steps(&self, count: usize) -> Result<(), Failure> {
        take(&self.steps, count, "many steps")
    }

    /// Pays for looking through a text of this many bytes.
    ///
    /// # Errors
    /// When the evaluation has taken too long.
    pub(crate) fn look(&self, bytes: usize) -> Result<(), Failure> {
        self.steps(1 + bytes / STEP_BYTES)
    }

    /// Pays for making a text of this many bytes, before it is made.
    ///
    /// # Errors
    /// When the evaluation has made too much.
    pub(crate) fn text(&self, bytes: usize) -> Result<(), Failure> {
        take(&self.bytes, bytes, "much memory")?;
        self.look(bytes)
    }

    /// Pays for making a list of this many items, before it is made.
    ///
    /// # Errors
    /// When the evaluation has made too much.
    pub(crate) fn list(&self, items: usize) -> Result<(), Failure> {
        self.steps(items)?;
        take(&self.bytes, items.saturating_mul(ITEM_BYTES), "much memory")
    }

    /// The most bytes that a text may still have.
    pub(crate) fn left(&self) -> usize {
        self.bytes.get()
    }
}
