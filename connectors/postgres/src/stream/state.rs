//! What the decoder keeps: the announced tables, which changes are wanted, the open transaction.

use std::sync::Arc;

use record::{NONE, Shape};

use crate::lsn::Lsn;
use crate::reselect::Plans;
use crate::sql::Visible;

/// A table that the stream has announced.
pub(crate) struct Known {
    /// `None` when it is not captured.
    pub(crate) shape: Option<Arc<Shape>>,
    /// Which wire columns are in the replica identity.
    pub(crate) identity: Vec<bool>,
    /// Wire columns that make the message key.
    pub(crate) key: Vec<u16>,
    /// What post-processors do with its changes.
    pub(super) plans: Plans,
    /// The number of the last batch that the shape was put into, and its index there.
    pub(super) slot: Option<(u64, u16)>,
}

impl Known {
    pub(crate) fn new(shape: Option<Arc<Shape>>, identity: Vec<bool>, key: Vec<u16>) -> Self {
        Self { shape, identity, key, plans: None, slot: None }
    }

    /// Sets what post-processors do with the changes of the table.
    pub(crate) fn read_again(self, plans: Plans) -> Self {
        Self { plans, ..self }
    }
}

/// What a copy has read of transactions that lie after the point from which the log is followed. The stream skips them.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) view: Visible,
    /// The end of the log after the view was taken: a transaction that committed later is not in the view.
    pub(crate) until: Lsn,
}

impl Seen {
    /// Whether the copy has the changes of transaction `xid`, which committed at `lsn`.
    pub(super) fn has(&self, xid: u32, lsn: i64) -> bool {
        (lsn as u64) < self.until.0 && self.view.sees(xid)
    }
}

/// Which changes are wanted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// `skipped.operations`.
    pub(crate) skip_create: bool,
    pub(crate) skip_update: bool,
    pub(crate) skip_delete: bool,
    pub(crate) skip_truncate: bool,
    /// `skip.messages.without.change`: updates whose rows would be sent as they were before are not wanted.
    pub(crate) skip_unchanged: bool,
    /// `tombstones.on.delete`.
    pub(crate) tombstones: bool,
}

/// The open transaction.
pub(super) struct Open {
    pub(super) xid: i64,
    pub(super) commit_lsn: i64,
    pub(super) commit_us: i64,
    /// Row messages so far.
    pub(super) rows: i64,
    /// How many of them were delivered before the restart.
    pub(super) done_rows: i64,
    /// The whole transaction was delivered before the restart, or a copy has it.
    pub(super) done: bool,
    /// Its BEGIN record (`provide.transaction.metadata`) has been made, now or before the restart.
    pub(super) begun: bool,
    pub(super) origin: Option<Arc<str>>,
    pub(super) origin_lsn: i64,
}

impl Open {
    pub(super) fn new(xid: i64, commit_lsn: i64, commit_us: i64, done: bool, done_rows: i64) -> Self {
        Self { xid, commit_lsn, commit_us, rows: 0, done_rows, done, begun: false, origin: None, origin_lsn: NONE }
    }
}
