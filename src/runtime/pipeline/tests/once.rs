//! Exactly-once delivery: where a transaction may end, and what becomes of a copy that begins anew.

use super::*;

#[tokio::test]
async fn a_copy_that_begins_anew_leaves_nothing_of_its_first_attempt() {
    let mut bed = bed(ONCE, &[]);
    let shape = shape("t");
    bed.sink.begin().unwrap();
    assert!(bed.outlet.copy_begins().await);
    bed.send(creates(&shape, &["1", "2"])).await;
    // The connection to the database is lost, and the rows are read again.
    assert!(bed.outlet.copy_begins().await);
    bed.send(creates(&shape, &["1", "2"])).await;
    assert!(bed.outlet.copy_ends().await);
    bed.send(creates(&shape, &["3"])).await;
    // The next copy is another one.
    assert!(bed.outlet.copy_begins().await);
    bed.end().await.unwrap();
    let what: Vec<String> = bed.sink.transactions.lock().unwrap().iter().map(|t| t[..5].to_owned()).collect();
    assert_eq!(what, ["begin", "abort", "begin"]);
    assert_eq!(bed.keys().len(), 5);
    bed.sink.deliver_all();
    assert_eq!(bed.committed(), Some(3), "what was aborted holds no position up");
    assert_eq!(bed.meters.read().latency.count(), 2, "nobody acknowledged the batch that was aborted");
}

#[tokio::test]
async fn a_transaction_does_not_end_inside_of_an_event() {
    let mut bed = bed(ONCE, &[]);
    bed.send(creates(&shape("t"), &["1", "x", "3"])).await;
    (&mut bed.ended).await.unwrap().unwrap_err();
    bed.sink.deliver_all();
    assert!(!bed.ledger.is_at_mark(), "a part of the batch was sent");
    assert_eq!(bed.committed(), None);
}

#[tokio::test]
async fn a_transaction_does_not_end_between_the_batches_of_an_event() {
    let mut bed = bed(ONCE, &[]);
    let shape = shape("t");
    let mut batch = creates(&shape, &["1", "2"]);
    let Some(Item::Change(half)) = batch.items.last_mut() else { unreachable!() };
    half.last = false;
    bed.send(batch).await;
    // A batch is counted after its position is marked.
    let counted = async {
        while bed.meters.read().polled < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), counted).await.unwrap();
    bed.sink.deliver_all();
    assert!(!bed.ledger.is_at_mark(), "half an event was sent");
    assert_eq!(bed.committed(), None);
    bed.send(creates(&shape, &["3"])).await;
    bed.end().await.unwrap();
    bed.sink.deliver_all();
    assert!(bed.ledger.is_at_mark());
    assert_eq!(bed.committed(), Some(3));
}
