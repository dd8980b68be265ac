//! Where the records under way come from, so that one that the broker refuses and `errors.tolerance=all` leaves out can be
//! named by its table and position. Kept with that setting only: it costs a lock and a position a record.
//!
//! Must not know: why a record is refused.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use record::Position;

/// What is done is forgotten once in so many records.
const FORGET_EVERY: u64 = 1024;

/// Where a record comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The table, as `schema.table`; none for what belongs to no table.
    pub table: Option<Arc<str>>,
    /// The source's position of its event.
    pub position: Option<Position>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Trail(Mutex<VecDeque<(u64, Origin)>>);

impl Trail {
    /// The record of this number is about to be sent; numbers ascend. `done_below` tells what may be forgotten.
    pub fn note(&self, seq: u64, origin: Origin, done_below: impl FnOnce() -> u64) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seq.is_multiple_of(FORGET_EVERY) {
            let below = done_below();
            let done = steps.partition_point(|(known, _)| *known < below);
            steps.drain(..done);
        }
        steps.push_back((seq, origin));
    }

    /// Where the record of this number comes from.
    pub fn of(&self, seq: u64) -> Origin {
        let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = steps.binary_search_by_key(&seq, |(known, _)| *known);
        at.ok().and_then(|at| steps.get(at)).map(|(_, origin)| origin.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_known_and_what_is_done_is_forgotten() {
        let trail = Trail::default();
        let origin = |seq: u64| Origin { table: Some(format!("public.t{seq}").into()), position: None };
        for seq in 0..3 * FORGET_EVERY {
            trail.note(seq, origin(seq), || seq.saturating_sub(10));
        }
        let last = 3 * FORGET_EVERY - 1;
        assert_eq!(trail.of(last), origin(last));
        assert_eq!(trail.of(2 * FORGET_EVERY - 10), origin(2 * FORGET_EVERY - 10));
        assert_eq!(trail.of(2 * FORGET_EVERY - 11), Origin::default());
        assert_eq!(trail.0.lock().unwrap().len() as u64, FORGET_EVERY + 10);
    }
}
