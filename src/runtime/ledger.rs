//! What has been delivered, and so which position may be stored.
//!
//! Every record takes a number in source order. Partitions acknowledge in any order; a position may be stored once every
//! number before it is done, so the stored offset never runs ahead of what the broker has. Each record has one bit in a
//! bounded ring: the acknowledging thread sets a bit and takes no lock.
//!
//! A ledger has lanes, each with a ring of its own. Only the stream's lane is used yet; the others are meant for tables that are
//! copied beside the stream. Lanes advance independently; a stored offset is made of the last position of each.
//!
//! Must not know: where positions are stored, what a position means.

mod batches;
mod commits;
mod lane;

use record::Position;
use tokio::sync::oneshot;

pub(crate) use self::batches::Acknowledged;
use self::batches::Batches;
use self::commits::Commits;
use self::lane::{Lane, Mark};

/// How many low bits of a record's number count within its lane; the bits above them name the lane.
const LANE_SHIFT: u32 = 56;

/// Names a lane of a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LaneId(u8);

impl LaneId {
    /// The lane of the source's log, which every ledger has.
    pub(crate) const STREAM: Self = Self(0);

    fn index(self) -> usize {
        usize::from(self.0)
    }
}

#[derive(Debug)]
pub(crate) struct Ledger {
    lanes: Box<[Lane]>,
    /// The stream's batches that are not acknowledged as a whole.
    batches: Batches,
    /// When the source committed what some records are about.
    commits: Commits,
}

/// What may be stored now: the last position of each lane, and who waits for this write.
///
/// If it cannot be stored, give it back with [`Ledger::put_back`].
#[derive(Debug)]
pub(crate) struct Committable {
    /// The new mark of each lane that has one.
    marks: Vec<Option<Mark>>,
    /// The position that each lane has reached, new or not; `None` for a lane that has reached nothing yet.
    positions: Vec<Option<Position>>,
}

impl Committable {
    /// The positions that the stored offset is made of, in the order of the lanes.
    pub(crate) fn positions(&self) -> impl Iterator<Item = &Position> {
        self.positions.iter().flatten()
    }

    /// The stream's position, if the stream has one.
    pub(crate) fn stream(&self) -> Option<&Position> {
        self.positions.first()?.as_ref()
    }

    /// Call when the write is acknowledged: tells those who wait for a position that was in it, and nobody else.
    pub(crate) fn stored(self) {
        for tell in self.marks.into_iter().flatten().flat_map(|mark| mark.waiting) {
            // Whoever asked may have stopped waiting.
            let _ = tell.send(());
        }
    }
}

impl Default for Ledger {
    fn default() -> Self {
        Self::with_lanes(1)
    }
}

impl Ledger {
    /// An empty ledger with `count` lanes, but at least the stream's.
    pub(crate) fn with_lanes(count: u8) -> Self {
        let lanes = (0..count.max(1)).map(|_| Lane::default()).collect();
        Self { lanes, batches: Batches::default(), commits: Commits::default() }
    }

    /// The lane of a record's number, and the number within the lane. This ledger gave the number, so the lane exists.
    fn at(&self, seq: u64) -> (&Lane, u64) {
        (&self.lanes[(seq >> LANE_SHIFT) as usize], seq & ((1 << LANE_SHIFT) - 1))
    }

    /// The lane's next number, or `None` while too many of its records are under way. Called by the one thread that sends
    /// the lane's records.
    pub(crate) fn take(&self, lane: LaneId) -> Option<u64> {
        let number = self.lanes[lane.index()].take()?;
        Some(u64::from(lane.0) << LANE_SHIFT | number)
    }

    /// The record of this number was delivered, or left out on purpose.
    pub(crate) fn done(&self, seq: u64) {
        let (lane, number) = self.at(seq);
        lane.done(number);
    }

    /// This position may be stored once all numbers that the lane has given so far are done. `tell` is told when it has
    /// been stored.
    pub(crate) fn mark(&self, lane: LaneId, position: Position, tell: Option<oneshot::Sender<()>>) {
        self.lanes[lane.index()].mark(position, tell);
    }

    /// What may be stored now, if any lane has something new. The ledger forgets what is new: the caller stores it, or
    /// gives it back with [`put_back`](Self::put_back).
    pub(crate) fn committable(&self) -> Option<Committable> {
        let (marks, positions): (Vec<_>, Vec<_>) = self.lanes.iter().map(Lane::committable).unzip();
        marks.iter().any(Option::is_some).then_some(Committable { marks, positions })
    }

    /// Takes back what could not be stored: the next committable has it again, or a later position that covers it.
    pub(crate) fn put_back(&self, committable: Committable) {
        for (lane, mark) in self.lanes.iter().zip(committable.marks) {
            if let Some(mark) = mark {
                lane.put_back(mark);
            }
        }
    }

    /// Whether somebody waits for a position that may be stored now.
    pub(crate) fn is_awaited(&self) -> bool {
        self.lanes.iter().any(Lane::is_awaited)
    }

    /// Whether this number and all numbers before it in its lane are done, as of the last [`advance`](Self::advance).
    pub(crate) fn covers(&self, seq: u64) -> bool {
        let (lane, number) = self.at(seq);
        number < lane.base()
    }

    /// How many numbers the stream's lane has given.
    pub(crate) fn given(&self) -> u64 {
        self.lanes[LaneId::STREAM.index()].given()
    }

    /// Whether the stream's newest position covers every number that was given.
    pub(crate) fn is_at_mark(&self) -> bool {
        self.lanes[LaneId::STREAM.index()].is_at_mark()
    }

    /// Whether every number that the stream's lane has given is done, as of the last [`advance`](Self::advance).
    pub(crate) fn is_delivered(&self) -> bool {
        let lane = &self.lanes[LaneId::STREAM.index()];
        lane.base() == lane.given()
    }

    /// Takes note of all numbers that are done by now, which [`covers`](Self::covers) then counts.
    pub(crate) fn advance(&self) {
        for lane in &self.lanes {
            lane.advance();
        }
    }

    /// All records of a batch of the stream were given numbers; `polled` of them the connector made, `sent` were sent.
    /// `source_ms` is when the source wrote them, in milliseconds since 1970, if it says so.
    pub(crate) fn batch_ends(&self, polled: u64, sent: u64, source_ms: Option<i64>) {
        self.batches.add(self.given(), polled, sent, source_ms);
    }

    /// What the stream's batches that are acknowledged as a whole since the last call were, as of the last
    /// [`advance`](Self::advance).
    pub(crate) fn acknowledged(&self) -> Acknowledged {
        self.batches.take(self.lanes[LaneId::STREAM.index()].base())
    }

    /// Notes when the source committed what a record is about, before the record is sent. Not every record can be noted.
    pub(crate) fn note_commit(&self, seq: u64, committed_ms: i64) {
        self.commits.note(seq, committed_ms);
    }

    /// When the source committed what a record is about, if that was noted. Call it once, when it shows what became of the
    /// record: it is forgotten then.
    #[inline]
    pub(crate) fn take_commit(&self, seq: u64) -> Option<i64> {
        self.commits.take(seq)
    }

    /// Forgets all notes: what is under way will not be delivered, though it will count as done.
    pub(crate) fn forget_commits(&self) {
        self.commits.forget();
    }

    /// How many numbers are given and not known to be done, as of the last [`advance`](Self::advance).
    #[cfg(test)]
    pub(crate) fn under_way(&self) -> u64 {
        self.lanes.iter().map(Lane::under_way).sum()
    }
}

#[cfg(test)]
mod tests;
