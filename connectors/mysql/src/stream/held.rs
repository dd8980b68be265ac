//! Transactions that are held back until they are committed (`binlog.buffer.size`), so that one that ends with ROLLBACK leaves
//! nothing behind. Such a transaction is in the binlog if it also did something that cannot be undone, such as making a
//! temporary table.
//!
//! A held transaction stands at the end of the batch that is being filled. Of one that has more events than the setting, more
//! bytes than half a batch, or partial updates of JSON, some may have left before its end is seen.
//!
//! Must not know: events, the socket.

use record::{Batch, Item};
use relational::{MAX_BYTES, MAX_ITEMS};

/// The transaction that is held back.
#[derive(Debug)]
pub(crate) struct Held {
    /// `binlog.buffer.size`: the most events that are held back.
    most: usize,
    /// Where the open transaction begins among the batch's items; none if there is none, or if some of it has left.
    from: Option<usize>,
    /// How many events there had been when the transaction began.
    before: u64,
    counts: Counts,
}

/// What became of transactions, since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Rolled back and thrown away.
    pub(crate) rolled_back: u64,
    /// Not ended when the next one began.
    pub(crate) not_well_formed: u64,
    /// Too large to be held back until their end.
    pub(crate) large: u64,
}

impl Held {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, from: None, before: 0, counts: Counts::default() }
    }

    /// A transaction begins, after `events` events in all; its items are put into `batch`.
    pub(crate) fn begin(&mut self, batch: &Batch, events: u64) {
        let open = self.from.and_then(|from| batch.items.get(from..)).unwrap_or_default();
        if open.iter().any(|item| matches!(item, Item::Change(_))) {
            self.counts.not_well_formed += 1;
        }
        self.before = events;
        self.from = (self.most > 0).then_some(batch.items.len());
    }

    /// The transaction ends, and what it changed stays.
    pub(crate) fn end(&mut self) {
        self.from = None;
    }

    /// The transaction was rolled back. False if some of its changes may have left.
    pub(crate) fn discard(&mut self, batch: &mut Batch) -> bool {
        let Some(from) = self.from.take() else { return false };
        batch.items.truncate(from);
        self.counts.rolled_back += 1;
        true
    }

    /// A batch of so many items has left.
    pub(crate) fn sent(&mut self, items: usize) {
        if self.from.take().is_some_and(|from| from < items) {
            self.counts.large += 1;
        }
    }

    /// What became of transactions, since the last time.
    pub(crate) fn counts(&mut self) -> Counts {
        std::mem::take(&mut self.counts)
    }

    /// Whether the batch must wait for the end of the transaction, now that there have been `events` events in all.
    pub(crate) fn waits(&self, events: u64) -> bool {
        self.from.is_some() && events.saturating_sub(self.before) <= self.most as u64
    }

    /// Whether the batch has so much before a transaction that only begins that it should leave first: after that half a
    /// batch's room is there for any transaction.
    pub(crate) fn needs_room(&self, batch: &Batch, used_bytes: usize) -> bool {
        let count = batch.items.len();
        self.from == Some(count) && count > 0 && (count > MAX_ITEMS / 2 || used_bytes > MAX_BYTES / 2)
    }
}

#[cfg(test)]
mod tests {
    use record::{Item, Position};

    use super::*;

    fn batch(items: usize) -> Batch {
        Batch { items: (0..items).map(|_| Item::Position(Position::UNKNOWN)).collect(), ..Batch::default() }
    }

    /// A transaction that begins behind `before` items and has `own`; gives whether it is gone whole, and the items left.
    #[track_caller]
    fn check(most: usize, before: usize, own: usize, is_sent: bool, expect: (bool, usize)) {
        let (mut held, mut batch) = (Held::new(most), batch(before));
        held.begin(&batch, 0);
        batch.items.extend((0..own).map(|_| Item::Position(Position::UNKNOWN)));
        if is_sent {
            held.sent(batch.items.len());
        }
        assert_eq!((held.discard(&mut batch), batch.items.len()), expect);
    }

    #[test]
    fn what_a_rollback_leaves() {
        check(10, 2, 3, false, (true, 2));
        check(10, 0, 3, false, (true, 0));
        check(10, 2, 3, true, (false, 5));
        check(0, 2, 3, false, (false, 5));
    }

    #[test]
    fn what_a_batch_waits_for() {
        let mut held = Held::new(3);
        assert!(!held.waits(0), "no transaction is open");
        held.begin(&batch(1), 0);
        assert!(held.waits(3) && !held.waits(4));
        held.end();
        assert!(!held.waits(1));
    }

    #[test]
    fn what_is_counted() {
        let mut held = Held::new(3);
        let change = || Item::Change(record::Change::new(0, record::Op::Create, Position::UNKNOWN));
        let mut batch = batch(1);
        let put = |held: &mut Held, batch: &mut Batch| {
            held.begin(batch, 0);
            batch.items.push(change());
        };
        put(&mut held, &mut batch);
        held.end();
        assert_eq!(held.counts(), Counts::default());
        put(&mut held, &mut batch);
        assert!(held.discard(&mut batch));
        assert_eq!(held.counts(), Counts { rolled_back: 1, ..Counts::default() });
        put(&mut held, &mut batch);
        put(&mut held, &mut batch);
        assert_eq!(held.counts(), Counts { not_well_formed: 1, ..Counts::default() });
        held.sent(batch.items.len());
        assert_eq!(held.counts(), Counts { large: 1, ..Counts::default() });
        // What stands before a transaction has left, and nothing of it.
        held.begin(&batch, 0);
        held.sent(batch.items.len());
        assert_eq!(held.counts(), Counts::default());
    }

    #[test]
    fn which_batches_leave_before_a_transaction() {
        let mut held = Held::new(3);
        let (small, large) = (batch(1), batch(MAX_ITEMS / 2 + 1));
        held.begin(&small, 0);
        assert!(!held.needs_room(&small, 0) && held.needs_room(&small, MAX_BYTES));
        assert!(!held.needs_room(&large, MAX_BYTES), "the transaction has items already");
        held.begin(&large, 0);
        assert!(held.needs_room(&large, 0));
        held.begin(&batch(0), 0);
        assert!(!held.needs_room(&batch(0), MAX_BYTES), "there is nothing to send");
    }
}
