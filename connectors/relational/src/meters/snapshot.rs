//! What a task counts of its copies of tables.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

/// How far the task's copy is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SnapshotState {
    /// It is not known yet whether this start copies anything.
    #[default]
    Undecided,
    /// Tables are being copied.
    Running,
    /// All tables are copied.
    Completed,
    /// The copy failed, and another attempt may follow.
    Aborted,
    /// This start copies nothing.
    Skipped,
}

/// The numbers of the newest copy.
#[derive(Clone, Debug, Default)]
pub struct SnapshotNumbers {
    /// How far it is.
    pub state: SnapshotState,
    /// How many tables it copies.
    pub tables: u64,
    /// How many of them are not copied to their end.
    pub tables_left: u64,
    /// The rows that were handed to the sink, by table (`schema.table`).
    pub rows: BTreeMap<Arc<str>, u64>,
    /// When the last row was converted, in milliseconds since 1970.
    pub last_event_ms: Option<i64>,
    /// Values or rows that could not be decoded.
    pub erroneous: u64,
    began: Option<Instant>,
    took: Duration,
}

impl SnapshotNumbers {
    /// A copy begins.
    pub fn begins(&mut self) {
        *self = Self {
            state: SnapshotState::Running,
            began: Some(Instant::now()),
            erroneous: self.erroneous,
            ..Self::default()
        };
    }

    /// It is known how many tables the copy reads.
    pub fn reads(&mut self, tables: usize) {
        self.tables = tables as u64;
        self.tables_left = self.tables;
    }

    /// A table was read to its end.
    pub fn table_ends(&mut self) {
        self.tables_left = self.tables_left.saturating_sub(1);
    }

    /// The copy is complete, or has failed.
    pub fn ends(&mut self, state: SnapshotState) {
        self.took = self.took();
        self.began = None;
        self.state = state;
        if state == SnapshotState::Completed {
            self.tables_left = 0;
        }
    }

    /// This start copies nothing. What an earlier copy of the task counted stays.
    pub fn skipped(&mut self) {
        if self.state == SnapshotState::Undecided {
            self.state = SnapshotState::Skipped;
        }
    }

    /// Whether tables are being copied.
    pub fn is_running(&self) -> bool {
        self.state == SnapshotState::Running
    }

    /// How long the copy has taken so far, or in all.
    pub fn took(&self) -> Duration {
        self.began.map_or(self.took, |began| began.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_copy_from_its_beginning_to_its_end() {
        let mut copy = SnapshotNumbers::default();
        copy.begins();
        copy.reads(3);
        copy.table_ends();
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!((copy.tables, copy.tables_left, copy.took()), (3, 2, Duration::from_secs(2)));
        copy.ends(SnapshotState::Aborted);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!((copy.is_running(), copy.tables_left, copy.took()), (false, 2, Duration::from_secs(2)));
        copy.begins();
        copy.reads(3);
        assert_eq!((copy.took(), copy.tables_left), (Duration::ZERO, 3), "another attempt counts anew");
        copy.ends(SnapshotState::Completed);
        copy.skipped();
        assert_eq!((copy.state, copy.tables_left), (SnapshotState::Completed, 0));
    }
}
