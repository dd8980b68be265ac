//! Waiting until the transactions that are open in a topic have ended.
//!
//! A consumer with `read_committed` comes no further than the first open transaction, and takes that for the end of the topic.
//! Behind it there may be records that are committed already: the offset from which a task must start may be one of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::asking::Asking;
use super::{Log, Shared, StoreError};

/// How often it is looked whether transactions have ended.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A wait of this length is told.
const LONG: Duration = Duration::from_secs(5);

type Done = oneshot::Sender<Result<(), StoreError>>;

/// Somebody who waits: the ends of the partitions at the time of the call, open transactions included, the caller, and that time.
type Waiting = (Vec<(i32, i64)>, Done, Instant);

/// Who waits.
pub(super) struct Settling {
    waiting: Vec<Waiting>,
    /// For it an open transaction is no end.
    uncommitted: Asking,
    looked: Option<Instant>,
}

impl Default for Settling {
    fn default() -> Self {
        Self { waiting: Vec::new(), uncommitted: Asking::new(false), looked: None }
    }
}

impl Settling {
    /// Takes in who asks, and makes those whose transactions have ended wait for the end of the topic as it is then.
    /// `asking` sees what is committed.
    pub(super) fn look(&mut self, shared: &Arc<Shared>, log: Log, asking: &mut Asking) {
        let asked = std::mem::take(&mut shared.progress(log).settling);
        if !shared.settings.read_committed || log == Log::Statuses {
            shared.progress(log).requests.extend(asked);
            return;
        }
        if !asked.is_empty() {
            match self.uncommitted.ends(shared, log) {
                Ok(ends) => self.waiting.extend(asked.into_iter().map(|done| (ends.clone(), done, Instant::now()))),
                Err(error) => {
                    for done in asked {
                        // Whoever asked may have stopped waiting.
                        let _ = done.send(Err(error.clone()));
                    }
                }
            }
            self.looked = None;
        }
        self.waiting.retain(|(_, done, _)| !done.is_closed());
        if self.waiting.is_empty() || self.looked.is_some_and(|at| at.elapsed() < LOOK_EVERY) {
            return;
        }
        self.looked = Some(Instant::now());
        let stable = match asking.ends(shared, log) {
            Ok(stable) => stable,
            Err(error) => return shared.note(format!("whether transactions are open is not known: {error}")),
        };
        self.tell(shared, log, &stable);
        let is_stable = |ends: &[(i32, i64)]| {
            ends.iter().all(|(partition, end)| stable.iter().any(|(p, stable)| p == partition && stable >= end))
        };
        let settled = self.waiting.extract_if(.., |(ends, ..)| is_stable(ends)).map(|(_, done, _)| done);
        shared.progress(log).requests.extend(settled);
    }

    /// Notes what is waited for, if that lasts.
    fn tell(&self, shared: &Shared, log: Log, stable: &[(i32, i64)]) {
        let Some((ends, _, since)) = self.waiting.first().filter(|(_, _, since)| since.elapsed() >= LONG) else {
            return;
        };
        let of = |partition: i32| stable.iter().find(|(p, _)| *p == partition).map_or(-1, |(_, stable)| *stable);
        let open: Vec<String> = ends
            .iter()
            .filter(|(partition, end)| of(*partition) < *end)
            .map(|(partition, end)| format!("partition {partition} from offset {} to {end}", of(*partition)))
            .collect();
        shared.note(format!(
            "a start has waited for {} s until transactions end that are open in topic {}: {}",
            since.elapsed().as_secs(),
            shared.settings.topic(log).name,
            open.join(", ")
        ));
    }
}
