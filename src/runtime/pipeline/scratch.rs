//! What a pipeline keeps from record to record: the time, the topics that it knows, what it has counted.
//!
//! Must not know: how records are sent.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use record::{Change, Op, SnapshotMark};

use crate::runtime::letters::kept::Held;

/// What is kept from record to record, so that it need not be made again.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) known: KnownTopics,
    /// The time at which the batch was taken, in nanoseconds since 1970. One reading serves the whole batch, so records
    /// of a batch that had to wait for the broker have an older timestamp.
    pub(super) now_ns: i64,
    /// What the clock said when the last batch was taken.
    pub(super) clock_ns: i64,
    pub(super) counts: Counts,
    /// Room for the counts of copied rows of a batch, one for each of its shapes.
    pub(super) copied: Vec<u64>,
    /// When the source committed the change at hand, in milliseconds since 1970, until a record of it is sent.
    pub(super) committed_ms: Option<i64>,
    /// Whether the time of a record of this batch was noted: one is enough.
    pub(super) is_timed: bool,
    /// The batch, if it is kept for letters.
    pub(super) held: Option<Arc<Held>>,
    /// Whether the last record of this time was sent, and whether a letter of this time was written since.
    pub(super) last: Last,
}

/// What happened last at the time that is given to records. A record that comes after a letter gets a later time, and so does a
/// letter that comes after a record: by their times a replay finds out which of two records of a key is newer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Last {
    #[default]
    Sent,
    Letter,
}

impl Scratch {
    /// The time of what happens now, in milliseconds since 1970.
    pub(super) fn time_ms(&mut self, what: Last) -> i64 {
        if self.last != what {
            self.last = what;
            self.now_ns += 1_000_000;
            let ahead_ns = self.now_ns.saturating_sub(now().as_nanos() as i64);
            if ahead_ns > MOST_AHEAD_NS {
                std::thread::sleep(Duration::from_nanos(ahead_ns.unsigned_abs().min(MOST_AHEAD_NS.unsigned_abs())));
            }
        }
        self.now_ns / 1_000_000
    }

    /// A batch is taken now. `keeps_order`: the time goes back with the clock only, because letters may have taken it ahead.
    pub(super) fn take_time(&mut self, keeps_order: bool) {
        let clock_ns = now().as_nanos() as i64;
        let went_back = clock_ns < self.clock_ns.saturating_sub(MOST_AHEAD_NS);
        self.now_ns = if keeps_order && !went_back { clock_ns.max(self.now_ns) } else { clock_ns };
        self.clock_ns = clock_ns;
    }
}

/// What is counted in a batch, for the meters.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) reads: u64,
    pub(super) creates: u64,
    pub(super) updates: u64,
    pub(super) deletes: u64,
    pub(super) others: u64,
    pub(super) polled: u64,
    pub(super) sent: u64,
    pub(super) sent_bytes: u64,
    pub(super) dropped: u64,
    /// When the source wrote the last change of its log, in milliseconds since 1970.
    pub(super) source_ms: Option<i64>,
}

impl Counts {
    pub(super) fn change(&mut self, change: &Change) {
        match (change.mark, change.op) {
            (mark, _) if mark != SnapshotMark::Streamed => self.reads += 1,
            (_, Op::Read) => self.reads += 1,
            (_, Op::Create) => self.creates += 1,
            (_, Op::Update) => self.updates += 1,
            (_, Op::Delete) => self.deletes += 1,
            (_, Op::Truncate) => self.others += 1,
        }
    }
}

/// How far letters may take the time of records ahead of the clock at most, in nanoseconds; then the clock is waited for. After a
/// restart the time begins at the clock again, so it must not be far ahead.
const MOST_AHEAD_NS: i64 = 200_000_000;

pub(super) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Topics that have been made. The last record's topic is looked at first, as it is nearly always that of the next one too.
#[derive(Default)]
pub(super) struct KnownTopics {
    pub(super) last: Option<Arc<str>>,
    pub(super) all: HashSet<Arc<str>>,
    /// How many resets of topics there had been when these topics were made known.
    pub(super) resets: u64,
}

impl KnownTopics {
    pub(super) fn contains(&mut self, topic: &Arc<str>) -> bool {
        if self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, topic)) {
            return true;
        }
        let known = self.all.contains(topic);
        if known {
            self.last = Some(Arc::clone(topic));
        }
        known
    }
}
