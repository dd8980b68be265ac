//! Until when this process may produce.
//!
//! Must not know: Kafka.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Whether a tenure (a time as owner) may produce. It is open while the last proof of the ownership lasts. Once closed, it
/// never opens again.
///
/// It goes by the monotonic clock. It is asked at least every 16th record, after every wait of a sender, and before every write
/// of state. So a process that was stopped and goes on finds its fence closed after at most 15 more records, whichever of its
/// threads wakes first.
#[derive(Debug)]
pub struct Fence {
    is_closed: AtomicBool,
    begin: Instant,
    /// Until when the ownership is proven, in milliseconds after `begin`.
    proven_ms: AtomicU64,
}

impl Fence {
    /// A fence that is open for `lasts` after `proven`, the moment at which the first proof was sent.
    pub(crate) fn open(proven: Instant, lasts: Duration) -> Self {
        Self { is_closed: AtomicBool::new(false), begin: proven, proven_ms: AtomicU64::new(lasts.as_millis() as u64) }
    }

    /// A fence that only [`close`](Self::close) closes, for standalone mode, which has no group.
    pub fn unguarded() -> Self {
        let proven_ms = AtomicU64::new(u64::MAX);
        Self { is_closed: AtomicBool::new(false), begin: Instant::now(), proven_ms }
    }

    /// Whether a record may be produced now. Costs one reading of the clock and two loads.
    pub fn is_open(&self) -> bool {
        self.is_open_at(Instant::now())
    }

    pub(super) fn is_open_at(&self, now: Instant) -> bool {
        let elapsed_ms = now.saturating_duration_since(self.begin).as_millis() as u64;
        !self.is_closed.load(Ordering::Acquire) && elapsed_ms < self.proven_ms.load(Ordering::Acquire)
    }

    /// Ends the tenure.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    /// Takes note that the broker took a proof, which lasts from `asked` on, the moment at which it was sent. A proof that
    /// comes after the last proof has run out is void: another process may have taken over since.
    pub(super) fn prove(&self, asked: Instant, lasts: Duration, now: Instant) {
        if self.is_open_at(now) {
            let until_ms = (asked.saturating_duration_since(self.begin) + lasts).as_millis() as u64;
            self.proven_ms.fetch_max(until_ms, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn a_fence_lasts_as_long_as_its_proof() {
        let begin = Instant::now();
        let fence = Fence::open(begin, seconds(7));
        fence.prove(begin + seconds(1), seconds(2), begin + seconds(1));
        assert!(fence.is_open_at(begin + seconds(6)), "an older proof must not shorten a newer one");
        fence.prove(begin + seconds(5), seconds(7), begin + seconds(6));
        assert!(fence.is_open_at(begin + seconds(11)), "a newer proof prolongs it from when it was asked for");
        assert!(!fence.is_open_at(begin + seconds(12)));
        fence.prove(begin + seconds(12), seconds(7), begin + seconds(12));
        assert!(!fence.is_open_at(begin + seconds(12)), "a late proof must not open it again");
    }

    #[test]
    fn a_closed_fence_stays_closed() {
        let fence = Fence::unguarded();
        assert!(fence.is_open());
        fence.close();
        fence.prove(Instant::now(), seconds(60), Instant::now());
        assert!(!fence.is_open());
    }
}
