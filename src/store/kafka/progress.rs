//! How far a log has been read, and who waits until it is read further.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::store::StoreError;

/// A caller that waits until the log has been read up to some offsets.
pub(super) struct Waiter {
    /// Partitions, each with the offset after the last record waited for.
    pub(super) until: Vec<(i32, i64)>,
    pub(super) done: oneshot::Sender<Result<(), StoreError>>,
    /// When it began to wait.
    pub(super) since: Instant,
}

impl Waiter {
    pub(super) fn new(until: Vec<(i32, i64)>, done: oneshot::Sender<Result<(), StoreError>>) -> Self {
        Self { until, done, since: Instant::now() }
    }
}

/// How far one log has been read, and who waits for more of it.
#[derive(Default)]
pub(super) struct Progress {
    /// By partition: the offset of the next record to read.
    pub(super) next: Vec<i64>,
    /// By partition: when `next` last moved; `None` before.
    moved: Vec<Option<Instant>>,
    waiters: Vec<Waiter>,
    /// Who waits for the present end of the log; the log's thread looks up its offsets and makes [`Waiter`]s of them.
    pub(super) requests: Vec<oneshot::Sender<Result<(), StoreError>>>,
    /// The same for who also waits until the transactions that are open have ended.
    pub(super) settling: Vec<oneshot::Sender<Result<(), StoreError>>>,
}

impl Progress {
    /// The offset of the next record to read of a partition.
    pub(super) fn next_of(&self, partition: i32) -> i64 {
        self.next.get(partition as usize).copied().unwrap_or(0)
    }

    pub(super) fn is_past(&self, until: &[(i32, i64)]) -> bool {
        until.iter().all(|(partition, offset)| self.next.get(*partition as usize).is_some_and(|next| next >= offset))
    }

    pub(super) fn wait(&mut self, waiter: Waiter) {
        if self.is_past(&waiter.until) {
            // Whoever asked may have stopped waiting.
            let _ = waiter.done.send(Ok(()));
        } else {
            self.waiters.push(waiter);
        }
    }

    pub(super) fn advance(&mut self, partition: i32, next: i64) {
        let index = partition as usize;
        if index >= self.next.len() {
            // A topic may gain partitions while it is read.
            self.next.resize(index + 1, 0);
        }
        self.next[index] = self.next[index].max(next);
        self.moved.resize(self.next.len(), None);
        self.moved[index] = Some(Instant::now());
        let mut i = 0;
        while i < self.waiters.len() {
            if self.is_past(&self.waiters[i].until) {
                let _ = self.waiters.swap_remove(i).done.send(Ok(()));
            } else {
                i += 1;
            }
        }
    }

    /// Whether somebody waits for more of this partition.
    pub(super) fn is_awaited(&self, partition: i32) -> bool {
        let waiting = self.waiters.iter().filter(|waiter| !waiter.done.is_closed());
        waiting.flat_map(|waiter| &waiter.until).any(|until| until.0 == partition && !self.is_past(&[*until]))
    }

    /// How long nothing has come of a partition that somebody waits for; zero when nobody waits.
    pub(super) fn stands_for(&self, now: Instant) -> Duration {
        let waited_for = self.waiters.iter().filter(|waiter| !waiter.done.is_closed()).flat_map(|waiter| {
            let is_ahead = |(partition, offset): &&(i32, i64)| !self.is_past(&[(*partition, *offset)]);
            waiter.until.iter().filter(is_ahead).map(|(partition, _)| {
                let moved = self.moved.get(*partition as usize).copied().flatten();
                moved.map_or(waiter.since, |moved| moved.max(waiter.since))
            })
        });
        waited_for.map(|since| now.saturating_duration_since(since)).max().unwrap_or_default()
    }

    /// Nothing will be read any more. Whoever still waits gets `Closed` when the senders are dropped.
    pub(super) fn close(&mut self) {
        self.waiters.clear();
        self.requests.clear();
        self.settling.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(progress: &mut Progress, until: &[(i32, i64)]) -> oneshot::Receiver<Result<(), StoreError>> {
        let (done, waits) = oneshot::channel();
        progress.wait(Waiter::new(until.to_vec(), done));
        waits
    }

    #[test]
    fn who_waits_hears_when_all_places_are_passed() {
        let mut progress = Progress::default();
        let mut both = waits(&mut progress, &[(0, 3), (2, 1)]);
        progress.advance(0, 3);
        assert!(both.try_recv().is_err(), "partition 2 has not been read");
        progress.advance(2, 1);
        assert!(matches!(both.try_recv(), Ok(Ok(()))));
        let mut earlier = waits(&mut progress, &[(0, 2)]);
        assert!(matches!(earlier.try_recv(), Ok(Ok(()))), "it has been passed before");
    }

    #[test]
    fn a_partition_is_awaited_until_it_is_read_or_nobody_waits() {
        let mut progress = Progress::default();
        let first = waits(&mut progress, &[(0, 3), (1, 1)]);
        let second = waits(&mut progress, &[(1, 2)]);
        assert_eq!([0, 1, 2].map(|partition| progress.is_awaited(partition)), [true, true, false]);
        progress.advance(0, 3);
        assert_eq!([0, 1].map(|partition| progress.is_awaited(partition)), [false, true]);
        drop(second);
        progress.advance(1, 1);
        assert!(!progress.is_awaited(1));
        drop(first);
    }

    #[test]
    fn reading_does_not_go_back_and_a_topic_may_grow() {
        let mut progress = Progress::default();
        progress.advance(1, 5);
        progress.advance(1, 2);
        assert_eq!(progress.next, [0, 5]);
        progress.advance(4, 1);
        assert_eq!(progress.next, [0, 5, 0, 0, 1]);
    }

    #[test]
    fn a_partition_stands_when_a_writer_waits_and_nothing_comes() {
        let mut progress = Progress::default();
        let began = Instant::now();
        let later = |seconds| began + Duration::from_secs(seconds);
        assert_eq!(progress.stands_for(later(5)), Duration::ZERO, "nobody waits");
        let (done, wait) = oneshot::channel();
        progress.wait(Waiter { until: vec![(0, 5), (1, 5)], done, since: began });
        assert_eq!(progress.stands_for(later(5)), Duration::from_secs(5));
        progress.moved = vec![Some(later(3)), None];
        assert_eq!(progress.stands_for(later(5)), Duration::from_secs(5), "partition 1 stands");
        progress.next = vec![2, 5];
        assert_eq!(
            progress.stands_for(later(5)),
            Duration::from_secs(2),
            "only partition 0 is waited for, and it moves"
        );
        drop(wait);
        assert_eq!(progress.stands_for(later(5)), Duration::ZERO, "nobody waits any more");
    }

    #[test]
    fn who_waits_for_what_is_closed_hears_it() {
        let mut progress = Progress::default();
        let mut waits = waits(&mut progress, &[(0, 1)]);
        progress.close();
        assert!(matches!(waits.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
    }
}
