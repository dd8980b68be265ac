//! What is copied, when and how.
//!
//! Must not know: SQL.

use relational::Copying;
use relational::values::ConvertFailure;
use settings::Reader;
use snapshot::{Asked, Mode, Rule};

use super::modes::SnapshotLocking;
use crate::sql::Isolation;

/// What is copied, when and how.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// `snapshot.mode`, for messages; what it means is [`Snapshot::rule`].
    pub mode: Mode,
    /// When rows are copied, and whether the log is followed.
    pub rule: Rule,
    /// The isolation of a snapshot of its own. A snapshot that the slot exported is always repeatable read.
    pub isolation: Isolation,
    /// Whether tables are locked.
    pub locking: SnapshotLocking,
    /// Of which tables rows are copied, and the waits around it.
    pub copying: Copying,
    /// What becomes of a value of these SELECTs that does not fit its column: what event.converting.failure.handling.mode
    /// says when it is set. The key's default, a null in place of the value, would hide a mistake in the statement, so when
    /// the key is not set the task fails.
    pub selects_failure: ConvertFailure,
}

/// What to use in place of a Java snapshotter, for the error message.
const MODES: &str = "initial, always, initial_only, no_data or when_needed";

impl Snapshot {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        // The structure of the tables is read at every start, and there is no schema history that could be lost. What the flag
        // of the structure changes: a start that finds an unfinished copy, and may not copy rows, goes on instead of being
        // refused.
        let Asked { mode, rule, .. } = Asked::read(r, MODES);
        Self {
            mode,
            rule,
            isolation: r.choice("snapshot.isolation.mode", Isolation::Serializable),
            locking: r.choice("snapshot.locking.mode", SnapshotLocking::None),
            copying: Copying::read(r),
            selects_failure: if r.is_set("event.converting.failure.handling.mode") {
                r.choice("event.converting.failure.handling.mode", ConvertFailure::Warn)
            } else {
                ConvertFailure::Fail
            },
        }
    }
}
