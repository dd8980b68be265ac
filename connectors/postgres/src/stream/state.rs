//! What the decoder keeps: the announced tables, the open transaction.

use std::sync::Arc;

use record::{NONE, Shape, Texts};

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

/// What a copy has read of transactions that lie after the point from which the log is followed. The stream skips them. Until
/// it is past them the stored offset says which they are, for the next start ([`COPIED`](crate::position::COPIED)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) view: Visible,
    /// The end of the log after the view was taken: a transaction that committed later is not in the view.
    pub(crate) until: Lsn,
}

impl Seen {
    /// The inverse of [`to_text`](Self::to_text).
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (until, view) = text.split_once(':')?;
        Some(Self { until: Lsn(until.parse().ok()?), view: Visible::parse(view)? })
    }

    /// `until:xmin:xmax:xip,xip…`, all in decimal.
    pub(crate) fn to_text(&self) -> String {
        format!("{}:{}", self.until.0, self.view)
    }

    /// Whether the copy has the changes of transaction `xid`, which committed at `lsn`.
    pub(super) fn has(&self, xid: u32, lsn: i64) -> bool {
        (lsn as u64) < self.until.0 && self.view.sees(xid)
    }
}

/// The open transaction.
pub(super) struct Open {
    pub(super) xid: i64,
    pub(super) commit_lsn: i64,
    pub(super) commit_us: i64,
    /// Row messages so far.
    pub(super) rows: i64,
    /// The LSN of the last row message.
    pub(super) lsn: i64,
    /// The LSN of the last row message with another LSN than that; `NONE` if all had the same. What it belongs to was sent
    /// whole: rows of one LSN come together.
    pub(super) lsn_before: i64,
    /// How many of them were delivered before the restart.
    pub(super) done_rows: i64,
    /// The whole transaction was delivered before the restart, or a copy has it.
    pub(super) done: bool,
    /// The texts of its positions.
    pub(super) texts: Option<Texts>,
    pub(super) origin_lsn: i64,
}

impl Open {
    pub(super) fn new(
        xid: i64,
        commit_lsn: i64,
        commit_us: i64,
        (done, done_rows): (bool, i64),
        texts: Option<Texts>,
    ) -> Self {
        Self {
            xid,
            commit_lsn,
            commit_us,
            rows: 0,
            lsn: NONE,
            lsn_before: NONE,
            done_rows,
            done,
            texts,
            origin_lsn: NONE,
        }
    }
}
