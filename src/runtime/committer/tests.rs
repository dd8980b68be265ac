use serde_json::json;
use tokio::sync::oneshot;

use super::*;
use crate::runtime::ledger::LaneId;
use crate::store::Offsets;
use crate::store::fake::FakeStore;

const FLUSH: Duration = Duration::from_secs(1);

struct Bed {
    store: Arc<FakeStore>,
    ledger: Arc<Ledger>,
    fence: Arc<Fence>,
    committer: Committer,
    told: watch::Receiver<Option<Position>>,
    meters: Arc<Meters>,
}

fn at(word: i64) -> Position {
    let mut position = Position::UNKNOWN;
    position.words[0] = word;
    position
}

fn bed() -> Bed {
    let (store, ledger, fence) = (FakeStore::new(), Arc::<Ledger>::default(), Arc::new(Fence::unguarded()));
    let meters = Arc::new(Meters::new("c".into()));
    let (stored, told) = watch::channel(None);
    let place = Place {
        connector: "c".into(),
        partition: Map::from_iter([("server".to_owned(), json!("p"))]),
        offset: |position| Map::from_iter([("lsn".to_owned(), json!(position.word(0)))]),
    };
    let strategy = Strategy::AtLeastOnce(ConnectorOffsets::of_worker(Offsets::new(Arc::clone(&store) as _)));
    let shared = (Arc::clone(&ledger), Arc::clone(&fence), Arc::clone(&meters));
    let committer = Committer::new(place, strategy, shared, FLUSH, stored);
    Bed { store, ledger, fence, committer, told, meters }
}

impl Bed {
    /// Sends a record whose event is at that position; returns the record's number.
    fn send(&self, word: i64) -> u64 {
        let seq = self.ledger.take(LaneId::STREAM).unwrap();
        self.ledger.mark(LaneId::STREAM, at(word), None);
        seq
    }

    fn look(&mut self) -> Vec<String> {
        self.committer.look();
        self.store.appended()
    }

    async fn answer(&mut self, result: Result<(), StoreError>) {
        self.store.answer(&result);
        self.committer.settled().await;
    }

    /// The position that the connector was told since the last call, if any.
    fn told(&mut self) -> Option<i64> {
        if !self.told.has_changed().unwrap() {
            return None;
        }
        self.told.borrow_and_update().as_ref()?.word(0)
    }
}

#[tokio::test(start_paused = true)]
async fn delivered_then_stored_then_told() {
    let mut bed = bed();
    let seq = bed.send(7);
    tokio::time::advance(FLUSH).await;
    assert!(bed.look().is_empty(), "stored before it was delivered");
    bed.ledger.done(seq);
    assert!(bed.look().is_empty(), "before the next interval");
    tokio::time::advance(FLUSH).await;
    assert_eq!(bed.look(), [r#"{"lsn":7}"#]);
    assert_eq!(bed.told(), None, "told before it was stored");
    bed.answer(Ok(())).await;
    assert_eq!(bed.told(), Some(7));
    tokio::time::advance(FLUSH).await;
    assert!(bed.look().is_empty(), "nothing is new");
    assert_eq!(bed.meters.read().failed_commits, 0);
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_stored_is_not_told_and_comes_again() {
    let mut bed = bed();
    bed.ledger.mark(LaneId::STREAM, at(1), None);
    tokio::time::advance(FLUSH).await;
    assert_eq!(bed.look(), [r#"{"lsn":1}"#]);
    bed.answer(Err(StoreError::Closed)).await;
    assert_eq!(bed.told(), None);
    tokio::time::advance(FLUSH).await;
    assert_eq!(bed.look(), [r#"{"lsn":1}"#]);
    bed.ledger.mark(LaneId::STREAM, at(2), None);
    bed.answer(Err(StoreError::Closed)).await;
    tokio::time::advance(FLUSH).await;
    assert_eq!(bed.look(), [r#"{"lsn":2}"#], "a later position covers it");
    bed.answer(Ok(())).await;
    assert_eq!(bed.told(), Some(2));
    assert_eq!(bed.meters.read().failed_commits, 2);
}

#[tokio::test(start_paused = true)]
async fn one_write_at_a_time_and_each_answers_for_itself() {
    let mut bed = bed();
    let ask = |bed: &Bed, word| {
        let (tell, told) = oneshot::channel();
        bed.ledger.mark(LaneId::STREAM, at(word), Some(tell));
        told
    };
    // Somebody waits, so the write does not wait for the interval.
    let mut first = ask(&bed, 1);
    assert_eq!(bed.look(), [r#"{"lsn":1}"#]);
    let mut second = ask(&bed, 2);
    tokio::time::advance(FLUSH * 10).await;
    assert!(bed.look().is_empty(), "a second write while one is under way");
    bed.answer(Ok(())).await;
    assert!(first.try_recv().is_ok());
    assert!(second.try_recv().is_err(), "the first write answered for the second");
    assert_eq!(bed.look(), [r#"{"lsn":2}"#]);
    bed.answer(Ok(())).await;
    assert!(second.try_recv().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_long_interval_is_cut() {
    let mut bed = bed();
    bed.committer.every = Duration::from_secs(60).min(COMMIT_AT_LEAST);
    bed.ledger.mark(LaneId::STREAM, at(1), None);
    tokio::time::advance(COMMIT_AT_LEAST).await;
    assert_eq!(bed.look(), [r#"{"lsn":1}"#]);
}

#[tokio::test(start_paused = true)]
async fn who_lost_the_group_stores_nothing() {
    let mut bed = bed();
    bed.fence.close();
    bed.ledger.mark(LaneId::STREAM, at(1), None);
    tokio::time::advance(FLUSH).await;
    assert!(bed.look().is_empty());
    bed.committer.finish(FLUSH, false).await;
    assert!(bed.store.appended().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_end_stores_what_came_last_and_tells_that_it_is_all() {
    let mut bed = bed();
    bed.ledger.mark(LaneId::STREAM, at(1), None);
    tokio::time::advance(FLUSH).await;
    bed.look();
    bed.ledger.mark(LaneId::STREAM, at(2), None);
    let store = Arc::clone(&bed.store);
    let answers = tokio::spawn(async move {
        for _ in 0..2 {
            tokio::time::sleep(FLUSH / 10).await;
            store.answer(&Ok(()));
        }
    });
    bed.committer.finish(FLUSH, false).await;
    answers.await.unwrap();
    assert_eq!(bed.store.appended(), [r#"{"lsn":2}"#]);
    while bed.told.changed().await.is_ok() {}
    assert_eq!(bed.told.borrow().as_ref().and_then(|position| position.word(0)), Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_holds_the_end_up_for_its_time_only() {
    let mut bed = bed();
    bed.ledger.mark(LaneId::STREAM, at(1), None);
    let begun = Instant::now();
    bed.committer.finish(FLUSH, false).await;
    assert_eq!(begun.elapsed(), FLUSH);
    while bed.told.changed().await.is_ok() {}
    assert_eq!(*bed.told.borrow(), None);
}
