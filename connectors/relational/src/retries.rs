//! When a session with the database that ended in an error is begun again, and when the task gives up.

use std::time::Duration;

use retry::Backoff;
use tokio::time::Instant;

/// The first pause; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The same trouble is logged at most this often: a database may be away for a day.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// Counts the sessions of one task that failed.
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
    /// Wait this long, then begin another session.
    Again {
        /// How long.
        pause: Duration,
        /// The tries since the last session that was good.
        tries: u32,
        /// Whether the log is to say it: not for every try.
        say: bool,
    },
    /// No try is left.
    GiveUp,
}

impl Retries {
    /// Pauses of at most `longest`; after `most` tries in a row without a good session the task gives up, without `most`
    /// never.
    pub fn new(longest: Duration, most: Option<u32>) -> Self {
        let backoff = Backoff::new(FIRST_PAUSE, longest);
        Self { backoff, longest, most, tries: 0, began: Instant::now(), said: None }
    }

    /// A session begins.
    pub fn begin(&mut self) {
        self.began = Instant::now();
    }

    /// Whether the session has lasted longer than the longest pause.
    pub fn lasted(&self) -> bool {
        self.began.elapsed() > self.longest
    }

    /// The session was a good one: what ended it is a new trouble, with all its tries.
    pub fn reset(&mut self) {
        self.tries = 0;
        self.backoff.reset();
    }

    /// The session ended with an error that may pass.
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

    /// Sessions that last so many ms each, waited for as told; gives the number of tries that each failure counts and
    /// whether it is said, and checks the pause: the upper half of 250 ms, doubled with each try up to the longest.
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
