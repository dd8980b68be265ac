//! Where the records under way come from, so that the log can name table and position of one that the broker refuses and
//! `errors.tolerance=all` leaves out. It is kept with that setting only, as it costs a lock and a position for each record.
//!
//! Must not know: why a record is refused.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use record::Position;

use super::letters::kept::Kept;

/// After how many records those that are done are forgotten.
const FORGET_EVERY: usize = 1024;

/// Where a record comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The table, as `schema.table`; `None` for a record that belongs to no table.
    pub(crate) table: Option<Arc<str>>,
    /// The position of the record's event in the source.
    pub(crate) position: Option<Position>,
    /// Where the record is found again, if the task writes letters.
    pub(crate) kept: Option<Kept>,
}

#[derive(Debug, Default)]
pub(crate) struct Trail(Mutex<Steps>);

#[derive(Debug, Default)]
struct Steps {
    known: VecDeque<(u64, Origin)>,
    noted: usize,
}

impl Trail {
    /// Notes where the record of this number comes from, before it is sent. `is_done` tells which numbers may be forgotten.
    pub(crate) fn note(&self, seq: u64, origin: Origin, is_done: impl Fn(u64) -> bool) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        steps.noted += 1;
        if steps.noted.is_multiple_of(FORGET_EVERY) {
            steps.known.retain(|(known, _)| !is_done(*known));
        }
        steps.known.push_back((seq, origin));
    }

    /// Forgets the records that are done, up to the first one that is not, and lets go of their batches.
    pub(crate) fn release(&self, is_done: impl Fn(u64) -> bool) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while steps.known.front().is_some_and(|(known, _)| is_done(*known)) {
            steps.known.pop_front();
        }
    }

    /// Where the record of this number comes from.
    pub(crate) fn of(&self, seq: u64) -> Origin {
        let steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Numbers ascend within a lane; those of several lanes do not.
        let at = steps.known.binary_search_by_key(&seq, |(known, _)| *known).ok();
        let at = at.or_else(|| steps.known.iter().position(|(known, _)| *known == seq));
        at.and_then(|at| steps.known.get(at)).map(|(_, origin)| origin.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_known_and_what_is_done_is_forgotten() {
        let (trail, every) = (Trail::default(), FORGET_EVERY as u64);
        let origin = |seq: u64| Origin { table: Some(format!("public.t{seq}").into()), ..Origin::default() };
        for seq in 0..3 * every {
            trail.note(seq, origin(seq), |known| known + 10 < seq);
        }
        let last = 3 * every - 1;
        assert_eq!(trail.of(last), origin(last));
        assert_eq!(trail.of(last - 10), origin(last - 10));
        assert_eq!(trail.of(last - 11), Origin::default());
        assert_eq!(trail.0.lock().unwrap().known.len(), 11);
    }
}
