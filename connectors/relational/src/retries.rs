//! Decides when a failed database session is tried again, and when the task gives up.

use std::time::Duration;

use retry::Backoff;
use tokio::time::Instant;

/// The first pause; it doubles with each try, up to the `longest` given to [`Retries::new`].
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// How often a failure is logged at most, because a database may be away for a day.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Counts the failed sessions of one task.
#[derive(Debug)]
pub struct Retries {
    backoff: Backoff,
    longest: Duration,
    most: Option<u32>,
    tries: u32,
    began: Instant,
    said: Option<Instant>,
}

/// What to do after a failure.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Wait, then start another session.
    Again {
        /// How long to wait.
        pause: Duration,
        /// The number of failures since the last good session, this one included.
        tries: u32,
        /// Whether to log this failure; false when another was logged in the last ten seconds.
        say: bool,
    },
    /// Give up: no try is left.
    GiveUp,
}

impl Retries {
    /// Pauses last at most `longest`. After `most` retries in a row without a good session, the task gives up; with
    /// `None`, never.
    pub fn new(longest: Duration, most: Option<u32>) -> Self {
        let backoff = Backoff::new(FIRST_PAUSE, longest);
        Self { backoff, longest, most, tries: 0, began: Instant::now(), said: None }
    }

    /// Notes that a session starts now.
    pub fn begin(&mut self) {
        self.began = Instant::now();
    }

    /// Whether the session has lasted longer than the longest pause.
    pub fn lasted(&self) -> bool {
        self.began.elapsed() > self.longest
    }

    /// Notes that the session was a good one: the next failure has all its tries again.
    pub fn reset(&mut self) {
        self.tries = 0;
        self.backoff.reset();
    }

    /// Counts a session that ended with a transient error, and says what to do.
    pub fn failed(&mut self) -> Verdict {
        self.tries += 1;
        if self.most.is_some_and(|most| self.tries > most) {
            return Verdict::GiveUp;
        }
        let say = self.said.is_none_or(|at| at.elapsed() >= SAY_EVERY);
        if say {
            self.said = Some(Instant::now());
        }
        Verdict::Again { pause: self.backoff.pause(), tries: self.tries, say }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, sleep};

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Runs sessions that fail after the given times, and waits the pause after each. Returns the number of tries after
    /// each failure and whether it was logged. Checks that each pause is between half and the whole of 250 ms, doubled
    /// with each try up to the longest.
    async fn tries(retries: &mut Retries, longest: Duration, sessions_ms: &[u32]) -> Vec<Option<(u32, bool)>> {
        let mut out = Vec::new();
        for session_ms in sessions_ms {
            retries.begin();
            advance(MS * *session_ms).await;
            if retries.lasted() {
                retries.reset();
            }
            match retries.failed() {
                Verdict::GiveUp => out.push(None),
                Verdict::Again { pause, tries, say } => {
                    let whole = (FIRST_PAUSE * 2_u32.saturating_pow(tries - 1)).min(longest);
                    assert!(pause >= whole / 2 && pause <= whole, "try {tries}: {pause:?}");
                    out.push(Some((tries, say)));
                    sleep(pause).await;
                }
            }
        }
        out
    }

    #[tokio::test(start_paused = true)]
    async fn it_gives_up_after_the_last_try() {
        let longest = MS * 1000;
        let mut retries = Retries::new(longest, Some(2));
        let seen = tries(&mut retries, longest, &[0, 0, 0]).await;
        assert_eq!(seen, [Some((1, true)), Some((2, false)), None]);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_it_goes_on_and_says_so_once_in_a_while() {
        let longest = MS * 1000;
        let mut retries = Retries::new(longest, None);
        let seen = tries(&mut retries, longest, &[0; 60]).await;
        assert_eq!(seen.last().copied().flatten().map(|(tries, _)| tries), Some(60));
        let said = seen.iter().flatten().filter(|(_, say)| *say).count();
        // About 45 s: each pause lies between half a second and a second.
        assert!((3..=7).contains(&said), "said {said} times");
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_that_lasted_begins_anew() {
        let longest = MS * 1000;
        let mut retries = Retries::new(longest, Some(3));
        let seen = tries(&mut retries, longest, &[0, 0, 1001, 0]).await;
        let counted: Vec<_> = seen.into_iter().map(|one| one.map(|(tries, _)| tries)).collect();
        assert_eq!(counted, [Some(1), Some(2), Some(1), Some(2)]);
    }

    #[tokio::test(start_paused = true)]
    async fn no_try_at_all() {
        let mut retries = Retries::new(MS * 1000, Some(0));
        assert_eq!(retries.failed(), Verdict::GiveUp);
    }
}
