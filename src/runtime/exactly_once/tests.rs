//! The committer with transactions: when one ends, what it holds, and what becomes of one that fails.

use std::sync::Arc;
use std::time::Duration;

use record::Position;
use relational::{CopyState, Meters};
use serde_json::{Map, json};
use tokio::sync::watch;
use tokio::time::{Instant, advance};

use super::*;
use crate::runtime::committer::{Committer, Place, Strategy};
use crate::runtime::delivery::{Alarm, Raised};
use crate::runtime::ledger::{LaneId, Ledger};
use crate::runtime::owner::Fence;
use crate::sink::fake::FakeSink;
use crate::sink::{DeliveryError, Outgoing, Sink, SinkError, TransactionEnd};
use crate::store::fake::FakeStore;
use crate::store::{ConnectorOffsets, Offsets};

const TIMEOUT: Duration = Duration::from_secs(60);

struct Bed {
    sink: Arc<FakeSink>,
    store: Arc<FakeStore>,
    ledger: Arc<Ledger>,
    turns: Arc<Turns>,
    alarm: Arc<Alarm>,
    told: watch::Receiver<Option<Position>>,
    meters: Arc<Meters>,
    committer: Committer,
}

fn bed(boundary: Boundary) -> Bed {
    let (store, ledger, turns) = (FakeStore::new(), Arc::<Ledger>::default(), Arc::<Turns>::default());
    let (alarm, meters) = (Arc::<Alarm>::default(), Arc::new(Meters::new("c".into())));
    let sink = FakeSink::new({
        let ledger = Arc::clone(&ledger);
        Box::new(move |seq, outcome| {
            if outcome.is_ok() {
                ledger.done(seq);
            }
        })
    });
    sink.begin().unwrap();
    let place = Place {
        connector: "c".into(),
        partition: Map::from_iter([("server".to_owned(), json!("p"))]),
        offset: |position| Map::from_iter([("lsn".to_owned(), json!(position.word(0)))]),
    };
    let transactions = Transactions::new(
        (Arc::clone(&sink) as _, Arc::clone(&turns)),
        ConnectorOffsets::of_worker(Offsets::new(Arc::clone(&store) as _)),
        boundary,
        TIMEOUT,
    );
    let strategy = Strategy::ExactlyOnce(transactions, Arc::clone(&alarm));
    let (stored, told) = watch::channel(None);
    let shared = (Arc::clone(&ledger), Arc::new(Fence::unguarded()), Arc::clone(&meters));
    let committer = Committer::new(place, strategy, shared, Duration::from_secs(5), stored);
    Bed { sink, store, ledger, turns, alarm, told, meters, committer }
}

fn at(word: i64) -> Position {
    let mut position = Position::UNKNOWN;
    position.words[0] = word;
    position
}

impl Bed {
    /// Sends records with these values, as one message of the pipeline, and marks the position behind them.
    fn send(&self, values: &[&str], position: i64, is_idle: bool) {
        self.turns.work();
        for value in values {
            self.record(value);
        }
        self.ledger.mark(LaneId::STREAM, at(position), None);
        self.turns.rest(is_idle);
    }

    fn record(&self, value: &str) {
        let seq = self.ledger.take(LaneId::STREAM).unwrap();
        let (topic, value) = ("t", Some(value.as_bytes()));
        let out = Outgoing { topic, partition: None, timestamp_ms: None, key: None, value, headers: None, seq };
        self.sink.send(out).unwrap();
    }

    /// Lets the committer look, everything being delivered; what happened to transactions since the last call.
    async fn look(&mut self) -> Vec<String> {
        self.sink.deliver_all();
        self.committer.look();
        // What is under way ends; if nothing is, the time is over at once.
        let _ = tokio::time::timeout(Duration::from_millis(1), self.committer.settled()).await;
        self.seen()
    }

    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.sink.transactions.lock().unwrap())
            .into_iter()
            .filter(|what| what != "begin")
            .collect()
    }

    fn told(&mut self) -> Option<i64> {
        if !self.told.has_changed().unwrap() {
            return None;
        }
        self.told.borrow_and_update().as_ref()?.word(0)
    }
}

/// Enough records to make the source a busy one.
fn many() -> Vec<&'static str> {
    vec!["x"; 600]
}

#[tokio::test(start_paused = true)]
async fn records_and_their_offset_are_one_transaction_and_the_source_is_told_afterwards() {
    let mut bed = bed(Boundary::Poll);
    bed.send(&["a", "b"], 7, false);
    assert!(bed.look().await.is_empty(), "more waits already");
    bed.send(&["c"], 8, true);
    assert_eq!(bed.told(), None);
    assert_eq!(bed.look().await, [r#"commit a b c | {"lsn":8}"#]);
    assert_eq!(bed.told(), Some(8));
    assert!(bed.store.appended().is_empty(), "the offset went another way, too");
    bed.send(&["d"], 9, true);
    assert_eq!(bed.look().await, [r#"commit d | {"lsn":9}"#]);
    advance(Duration::from_secs(60)).await;
    assert!(bed.look().await.is_empty(), "nothing is new");
}

#[tokio::test(start_paused = true)]
async fn a_busy_source_ends_few_transactions() {
    let mut bed = bed(Boundary::Poll);
    bed.send(&many(), 1, true);
    assert!(bed.look().await.is_empty(), "at a moment's rest");
    advance(Duration::from_millis(15)).await;
    bed.send(&["y"], 2, true);
    assert!(bed.look().await.is_empty());
    advance(Duration::from_millis(900)).await;
    bed.send(&["y"], 3, false);
    assert!(bed.look().await.is_empty());
    advance(Duration::from_millis(100)).await;
    bed.send(&["z"], 3, false);
    assert_eq!(bed.look().await.len(), 1, "a second is over");
    bed.send(&many(), 4, true);
    bed.look().await;
    advance(Duration::from_millis(30)).await;
    assert_eq!(bed.look().await.len(), 1, "the source is idle");
}

#[tokio::test(start_paused = true)]
async fn an_interval_ends_transactions_when_it_is_over() {
    let mut bed = bed(Boundary::Interval(Duration::from_secs(10)));
    bed.send(&["a"], 1, true);
    advance(Duration::from_secs(9)).await;
    assert!(bed.look().await.is_empty());
    bed.send(&["b"], 2, true);
    advance(Duration::from_secs(1)).await;
    assert_eq!(bed.look().await, [r#"commit a b | {"lsn":2}"#]);
}

#[tokio::test(start_paused = true)]
async fn no_transaction_lasts_until_the_broker_aborts_it() {
    for copies in [false, true] {
        let mut bed = bed(Boundary::Interval(TIMEOUT * 100));
        bed.turns.copies(if copies { CopyState::Begins } else { CopyState::Ends });
        bed.send(&["a"], 1, true);
        assert!(bed.look().await.is_empty());
        advance((TIMEOUT / 4 * 3).saturating_sub(Duration::from_secs(1))).await;
        assert!(bed.look().await.is_empty());
        advance(Duration::from_secs(2)).await;
        assert_eq!(bed.look().await, [r#"commit a | {"lsn":1}"#], "copies: {copies}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_rows_of_a_copy_are_seen_together() {
    let mut bed = bed(Boundary::Poll);
    bed.turns.copies(CopyState::Begins);
    bed.send(&["a"], 1, true);
    advance(Duration::from_secs(9)).await;
    assert!(bed.look().await.is_empty());
    bed.send(&["b"], 2, true);
    bed.turns.copies(CopyState::Ends);
    assert_eq!(bed.look().await, [r#"commit a b | {"lsn":2}"#]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_was_interrupted_leaves_nothing() {
    let mut bed = bed(Boundary::Poll);
    bed.turns.copies(CopyState::Begins);
    bed.send(&["a"], 1, true);
    bed.sink.deliver_all();
    bed.committer.finish(Duration::from_secs(5), false).await;
    assert_eq!(bed.seen(), ["abort a"]);
    assert_eq!(bed.told.borrow().clone(), None);
}

#[tokio::test(start_paused = true)]
async fn half_an_event_is_not_committed() {
    let mut bed = bed(Boundary::Poll);
    bed.send(&["a"], 1, false);
    bed.turns.work();
    bed.record("delete");
    bed.turns.rest(true);
    assert!(bed.look().await.is_empty(), "its tombstone is missing");
    bed.send(&["tombstone"], 2, true);
    assert_eq!(bed.look().await, [r#"commit a delete tombstone | {"lsn":2}"#]);
}

#[tokio::test(start_paused = true)]
async fn a_stop_in_the_middle_of_an_event_leaves_no_transaction_open() {
    let mut bed = bed(Boundary::Poll);
    bed.turns.work();
    bed.record("delete");
    bed.turns.rest(true);
    bed.sink.deliver_all();
    bed.committer.finish(Duration::from_secs(5), false).await;
    assert_eq!(bed.seen(), ["abort delete"]);
}

#[tokio::test(start_paused = true)]
async fn positions_without_records_are_stored_from_time_to_time_and_at_once_when_awaited() {
    let mut bed = bed(Boundary::Poll);
    bed.send(&[], 1, true);
    assert!(bed.look().await.is_empty());
    advance(Duration::from_secs(5)).await;
    assert_eq!(bed.look().await, [r#"commit  | {"lsn":1}"#]);
    let (tell, mut told) = tokio::sync::oneshot::channel();
    bed.ledger.mark(LaneId::STREAM, at(2), Some(tell));
    assert_eq!(bed.look().await, [r#"commit  | {"lsn":2}"#]);
    assert!(told.try_recv().is_ok());
}

#[tokio::test(start_paused = true)]
async fn after_a_failed_commit_nothing_more_is_committed_and_the_task_ends() {
    let mut bed = bed(Boundary::Poll);
    let (id, reason) = ("g-c-0".to_owned(), "no answer".to_owned());
    *bed.sink.fails.lock().unwrap() = Some(SinkError::Transaction { id, end: TransactionEnd::Unknown, reason });
    bed.send(&["a"], 1, true);
    assert!(bed.look().await.is_empty());
    let raised = bed.alarm.raised();
    assert!(matches!(&raised, Some(Raised { may_pass: true, cause, .. }) if cause.contains("not known")), "{raised:?}");
    assert_eq!(bed.meters.read().failed_commits, 1);
    bed.send(&["b"], 2, true);
    advance(Duration::from_secs(60)).await;
    assert!(bed.look().await.is_empty());
    bed.committer.finish(Duration::from_secs(5), true).await;
    assert!(bed.seen().is_empty(), "neither a commit nor an abort: the first may still arrive and hit the wrong one");
    assert_eq!(*bed.told.borrow(), None);
}

#[tokio::test(start_paused = true)]
async fn the_end_commits_what_came_last_unless_the_task_has_failed() {
    for (has_failed, expect) in [(false, r#"commit a | {"lsn":1}"#), (true, "abort a")] {
        let mut bed = bed(Boundary::Poll);
        bed.send(&["a"], 1, false);
        bed.sink.deliver_all();
        bed.committer.finish(Duration::from_secs(5), has_failed).await;
        assert_eq!(bed.seen(), [expect]);
        assert_eq!(bed.told.borrow().is_some(), !has_failed);
    }
}

#[tokio::test(start_paused = true)]
async fn the_records_behind_one_that_failed_are_not_committed() {
    let mut bed = bed(Boundary::Poll);
    bed.send(&["a"], 1, false);
    bed.send(&["b"], 2, false);
    bed.send(&["c"], 3, true);
    bed.sink.refuse(1, DeliveryError::Purged { topic: "t".into() });
    assert!(bed.look().await.is_empty(), "c would come again behind the position of a");
    assert!(bed.alarm.raised().is_some(), "the task must begin anew");
    assert_eq!(bed.told(), None);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_not_delivered_holds_the_end_up() {
    let mut bed = bed(Boundary::Poll);
    bed.send(&["a"], 1, true);
    bed.committer.look();
    let begun = Instant::now();
    // Two turns of the clock's blocking thread: the commit waits for the delivery.
    std::thread::sleep(Duration::from_millis(20));
    assert!(bed.seen().is_empty());
    bed.sink.deliver_all();
    bed.committer.settled().await;
    assert_eq!(bed.seen(), [r#"commit a | {"lsn":1}"#]);
    assert!(begun.elapsed() < Duration::from_secs(1));
}
