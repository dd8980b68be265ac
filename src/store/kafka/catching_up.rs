//! Reads a topic on to an end that somebody waits for.
//!
//! The client that follows the topic asks for more with long fetches, so it would bring the end of one up to a second late: when
//! its fetch under way, and another one behind the last record, have been answered. Behind a transaction that is so each time, because of
//! the transaction's marker no record comes that would tell that the end is reached. The asking client's fetches are short.
//!
//! Must not know: who waits, and why.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};

use super::reader::{self, Polled, Reads};
use super::{Fold, Log, Shared, StoreError};

/// How long this takes at most: meanwhile nothing else of the topic is read.
const WITHIN: Duration = Duration::from_millis(500);

/// Reads the partitions up to these ends. Returns the ends that were not reached in time. `asks` must have no partition, and
/// has none afterwards.
pub(super) fn catch_up(
    shared: &Shared,
    log: Log,
    asks: &BaseConsumer<Reads>,
    behind: Vec<(i32, i64)>,
    fold: &mut Fold,
) -> Vec<(i32, i64)> {
    let mut left = behind;
    if left.is_empty() {
        return left;
    }
    let read = read(shared, log, asks, &mut left, fold);
    if let Err(error) = read.and_then(|()| asks.unassign().map_err(super::client_error)) {
        // The client that follows the topic brings what is left.
        shared.note(error.to_string());
    }
    left
}

fn read(
    shared: &Shared,
    log: Log,
    asks: &BaseConsumer<Reads>,
    left: &mut Vec<(i32, i64)>,
    fold: &mut Fold,
) -> Result<(), StoreError> {
    reader::assign(shared, log, asks, |partition| left.iter().any(|(p, _)| *p == partition))?;
    let begun = Instant::now();
    while !left.is_empty() && begun.elapsed() < WITHIN {
        match reader::next(shared, asks)? {
            Polled::Nothing => {}
            Polled::Record(message) => {
                reader::take_new(shared, log, fold, &message);
            }
            // The fetch that found the end was made later than the question for it.
            Polled::End(partition) => left.retain(|(p, end)| {
                let is_it = *p == partition;
                if is_it {
                    shared.progress(log).advance(partition, *end);
                }
                !is_it
            }),
        }
    }
    Ok(())
}
