//! What a task shows while its connector waits for the runtime, under a paused clock.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "a test program")]

use std::sync::Arc;
use std::time::Duration;

use record::Position;
use relational::{Budget, Message, Meters, Outlet, OutletEnds, Standing};
use tokio::sync::watch;

#[tokio::test(start_paused = true)]
async fn a_position_that_is_not_stored_shows_and_one_that_is_shows_no_more() {
    let (_stop, stopped) = watch::channel(false);
    let meters = Arc::new(Meters::new("c".into()));
    let (outlet, ends) = Outlet::new("c".into(), None, stopped, &Budget::new(1 << 20, 1 << 20), 8, meters);
    let OutletEnds { mut records, mut standing, .. } = ends;
    outlet.running();
    let storing = tokio::spawn(async move { (outlet.store(Position::UNKNOWN).await, outlet) });
    let Some(Message::Store(_, done)) = records.recv().await else { panic!("a position to store") };
    let waited = tokio::time::Instant::now();
    standing.wait_for(|standing| *standing == Standing::Storing).await.unwrap();
    assert_eq!(waited.elapsed(), Duration::from_secs(10));
    done.send(()).unwrap();
    let (is_stored, _outlet) = storing.await.unwrap();
    assert!(is_stored);
    assert_eq!(*standing.borrow(), Standing::Running);
}
