//! How long to wait before something that failed is tried again, and whether that may help.
//!
//! Purpose: reconnects to a database, restarts of a session or a task, writes of a connector's keeper and questions to a
//! broker all wait by this one rule, so that none of them hammers a server that is down and a hundred connectors whose server
//! came back do not all knock in the same millisecond. A step of a record that failed (`errors.retry.*`) waits by Connect's
//! rule instead: `src/runtime/tolerance.rs` in the root package.
//!
//! Must not know: what is tried, clocks, tokio. Whoever waits brings the timer.

mod outlook;

use std::time::Duration;

pub use outlook::Outlook;

/// Pauses that double from the first to the longest. Each is drawn at random from the upper half of its length (jitter),
/// so that what failed together does not try again together.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    /// Begins with pauses of `first`; none is ever longer than `longest`, also when `first` is.
    pub fn new(first: Duration, longest: Duration) -> Self {
        let first = first.min(longest);
        Self { first, longest, next: first }
    }

    /// How long to wait now; the next pause is twice as long.
    pub fn pause(&mut self) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.longest);
        let half = whole / 2;
        let random_ns = u64::try_from(whole.saturating_sub(half).as_nanos()).unwrap_or(u64::MAX);
        half + Duration::from_nanos(fastrand::u64(..=random_ns))
    }

    /// Called after a success: the next failure begins with the first pause again.
    pub fn reset(&mut self) {
        self.next = self.first;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// The lengths that the pauses are drawn from, in ms: each pause lies in the upper half of its own.
    #[track_caller]
    fn check(backoff: &mut Backoff, wholes_ms: &[u32]) {
        for (nth, whole_ms) in wholes_ms.iter().enumerate() {
            let (pause, whole) = (backoff.pause(), MS * *whole_ms);
            assert!(pause >= whole / 2 && pause <= whole, "pause {nth}: {pause:?} of {whole:?}");
        }
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_begin_anew_after_a_reset() {
        let mut backoff = Backoff::new(MS * 250, MS * 1500);
        check(&mut backoff, &[250, 500, 1000, 1500, 1500]);
        backoff.reset();
        check(&mut backoff, &[250, 500]);
    }

    #[test]
    fn the_longest_bounds_the_first() {
        check(&mut Backoff::new(MS * 250, MS * 100), &[100, 100]);
        check(&mut Backoff::new(MS * 250, Duration::ZERO), &[0, 0]);
    }

    #[test]
    fn two_do_not_wait_in_step() {
        let pauses = || {
            let mut backoff = Backoff::new(MS * 250, MS * 60_000);
            (0..8).map(|_| backoff.pause()).collect::<Vec<_>>()
        };
        assert_ne!(pauses(), pauses());
    }

    proptest! {
        #[test]
        fn no_pause_is_longer_than_the_longest(first in 0..u64::MAX, longest in 0..u64::MAX, tries in 1..80) {
            let longest = Duration::from_nanos(longest);
            let mut backoff = Backoff::new(Duration::from_nanos(first), longest);
            for _ in 0..tries {
                prop_assert!(backoff.pause() <= longest);
            }
        }
    }
}
