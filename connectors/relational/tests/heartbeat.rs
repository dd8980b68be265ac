//! When heartbeats are due, under a paused clock.
#![allow(clippy::unwrap_used, missing_docs, reason = "a test program")]

use std::time::Duration;

use record::{Position, Value};
use relational::{Adjustment, Heartbeat, TopicNaming};
use tokio::time::{Instant, advance};

const INTERVAL: Duration = Duration::from_secs(10);

fn heartbeat() -> Heartbeat {
    let mut heartbeat = Heartbeat::new(INTERVAL, &TopicNaming::new("p"), Adjustment::default()).unwrap();
    // These tests start right after the first heartbeat, whenever that is due.
    heartbeat.beat(0, &Position::UNKNOWN, true).unwrap();
    heartbeat
}

#[tokio::test(start_paused = true)]
async fn one_is_due_after_each_interval_and_not_before() {
    let mut heartbeat = heartbeat();
    for now_ms in 1..4 {
        let begin = Instant::now();
        assert_eq!(heartbeat.due(), begin + INTERVAL);
        advance(INTERVAL.saturating_sub(Duration::from_millis(1))).await;
        assert!(heartbeat.beat(now_ms, &Position::UNKNOWN, false).is_none(), "{now_ms}: too early");
        advance(Duration::from_millis(1)).await;
        let event = heartbeat.beat(now_ms, &Position::UNKNOWN, false).unwrap();
        assert_eq!(event.value.unwrap().1, Value::Struct(vec![Value::Int(now_ms)]));
    }
}

/// When a heartbeat comes late because the pipeline was busy, the missed ones do not follow it.
#[tokio::test(start_paused = true)]
async fn missed_ones_are_not_made_up_for() {
    let mut heartbeat = heartbeat();
    advance(INTERVAL * 7).await;
    assert!(heartbeat.beat(1, &Position::UNKNOWN, false).is_some());
    assert!(heartbeat.beat(2, &Position::UNKNOWN, false).is_none());
    assert_eq!(heartbeat.due(), Instant::now() + INTERVAL);
}

#[tokio::test(start_paused = true)]
async fn it_stores_the_position_that_it_is_given() {
    let mut heartbeat = heartbeat();
    let mut position = Position::UNKNOWN;
    position.words[0] = 42;
    advance(INTERVAL).await;
    let event = heartbeat.beat(1, &position, false).unwrap();
    assert_eq!(event.position, Some(position));
    assert_eq!(&*event.topic, "__debezium-heartbeat.p");
}

#[tokio::test(start_paused = true)]
async fn an_interval_of_zero_means_none() {
    assert!(Heartbeat::new(Duration::ZERO, &TopicNaming::new("p"), Adjustment::default()).is_none());
}
