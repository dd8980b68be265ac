//! The log that a database server keeps for a connector, asked for from time to time.
//!
//! A connector that does not get on makes the server keep its log, until the disk is full or the log is lost. The question is
//! asked in a task of its own on a connection of its own, which is closed again, so that neither the reading of the log nor
//! the server's bound of connections feels it. A server that does not answer is asked less and less often.
//!
//! Must not know: SQL.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use retry::Backoff;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::Meters;

/// The server is asked first within this time, at random: many connectors that begin together do not ask together.
const FIRST_WITHIN: Duration = Duration::from_secs(10);
/// How often it is asked then.
const EVERY: Duration = Duration::from_secs(60);
/// The longest pause after questions that failed.
const PAUSE_MAX: Duration = Duration::from_secs(600);
/// How long each step of a question may take: the connection, the login, a statement. See [`RetainedWatch::step_ms`].
const STEP_MS: u64 = 8_000;
/// How long a whole question may take. It is more than its steps take together, so that a statement without an answer ends by
/// its own limit: then it is cancelled on the server, too, and does not go on there beside the next one.
const ANSWER_WITHIN: Duration = Duration::from_secs(90);

/// The log that a server keeps for a connector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retained {
    /// Bytes from the oldest byte that is kept for the connector to the newest one.
    pub bytes: u64,
    /// Bytes that may still be written before the server gives the log up; `None` without such a limit.
    pub safe_bytes: Option<u64>,
}

impl Retained {
    /// Whether less than a fifth of what the server would keep is left.
    fn is_nearly_lost(self) -> bool {
        self.safe_bytes.is_some_and(|safe| safe < self.bytes.saturating_add(safe) / 5)
    }
}

/// Asks the server until this is dropped. From then on the meters show no answer.
#[derive(Debug)]
pub struct RetainedWatch {
    task: JoinHandle<()>,
    meters: Arc<Meters>,
    /// Set under the lock of the meters, after which the task writes no answer any more.
    is_over: Arc<AtomicBool>,
}

impl RetainedWatch {
    /// The limit in milliseconds for one step of a question (the connection, the login, a statement), of the one that is
    /// configured for others; 0 is none. `ask` must hold its steps to it.
    pub fn step_ms(configured_ms: u64) -> u64 {
        if configured_ms == 0 { STEP_MS } else { configured_ms.min(STEP_MS) }
    }

    /// Asks within 10 s, and then every 60 s; after a question that failed, at pauses that double up to ten minutes. The answer
    /// is shown in the meters; without one there is none in them. When the log may soon be lost, a warning is logged; `advice`
    /// says what to do.
    pub fn start<A, F, E>(meters: Arc<Meters>, advice: &'static str, mut ask: A) -> Self
    where
        A: FnMut() -> F + Send + 'static,
        F: Future<Output = Result<Option<Retained>, E>> + Send + 'static,
        E: Display + Send + 'static,
    {
        let is_over = Arc::<AtomicBool>::default();
        let (shown, ends) = (Arc::clone(&meters), Arc::clone(&is_over));
        let task = tokio::spawn(async move {
            let (meters, is_over) = (shown, ends);
            let mut failing = Backoff::new(EVERY * 2, PAUSE_MAX);
            let mut pause = Backoff::new(FIRST_WITHIN, FIRST_WITHIN).pause();
            let mut has_warned = false;
            loop {
                sleep(pause).await;
                let answer = timeout(ANSWER_WITHIN, ask()).await;
                pause = if matches!(answer, Ok(Ok(_))) {
                    failing.reset();
                    EVERY
                } else {
                    failing.pause()
                };
                let retained = match answer {
                    Ok(Ok(retained)) => retained,
                    Ok(Err(error)) => {
                        tracing::debug!(connector = meters.connector(), %error, "how much log the server keeps is not known");
                        None
                    }
                    Err(_) => None,
                };
                meters.count(|numbers| {
                    if !is_over.load(Ordering::Relaxed) {
                        numbers.retained = retained;
                    }
                });
                let is_nearly_lost = retained.is_some_and(Retained::is_nearly_lost);
                if let Some(Retained { bytes, safe_bytes }) = retained.filter(|_| is_nearly_lost && !has_warned) {
                    tracing::warn!(
                        connector = meters.connector(),
                        retained_bytes = bytes,
                        safe_bytes,
                        "the server will give up \
                        the log that it keeps for this connector, which is behind: {advice}"
                    );
                }
                has_warned = is_nearly_lost;
            }
        });
        Self { task, meters, is_over }
    }
}

impl Drop for RetainedWatch {
    fn drop(&mut self) {
        self.task.abort();
        // The task may be running at this moment, and ends at its next pause only.
        self.meters.count(|numbers| {
            self.is_over.store(true, Ordering::Relaxed);
            numbers.retained = None;
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use tokio::time::Instant;

    use super::*;

    #[test]
    fn when_a_log_is_nearly_lost() {
        for (bytes, safe_bytes, expect) in
            [(100, None, false), (80, Some(20), false), (81, Some(19), true), (0, Some(9), false), (9, Some(0), true)]
        {
            assert_eq!(Retained { bytes, safe_bytes }.is_nearly_lost(), expect, "{bytes} {safe_bytes:?}");
        }
    }

    /// What the server says to a question.
    #[derive(Clone, Copy, Debug)]
    enum Says {
        Bytes(u64),
        Refuses,
        Nothing,
    }

    /// A watch of a server that says this, and then zero bytes for ever; and when it was asked.
    fn watch(meters: &Arc<Meters>, says: &'static [Says]) -> (RetainedWatch, Arc<Mutex<Vec<Instant>>>) {
        let asked = Arc::<Mutex<Vec<Instant>>>::default();
        let noted = Arc::clone(&asked);
        let watch = RetainedWatch::start(Arc::clone(meters), "do something", move || {
            let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            let says = says.get(noted.len()).copied().unwrap_or(Says::Bytes(0));
            noted.push(Instant::now());
            async move {
                match says {
                    Says::Bytes(bytes) => Ok(Some(Retained { bytes, safe_bytes: None })),
                    Says::Refuses => Err("away"),
                    Says::Nothing => std::future::pending().await,
                }
            }
        });
        (watch, asked)
    }

    fn shown(meters: &Meters) -> Option<u64> {
        meters.read().retained.map(|retained| retained.bytes)
    }

    #[tokio::test(start_paused = true)]
    async fn the_server_is_asked_again_and_again() {
        let meters = Arc::new(Meters::new("c".into()));
        let (watch, asked) = watch(&meters, &[Says::Bytes(1), Says::Refuses, Says::Bytes(3)]);
        sleep(FIRST_WITHIN).await;
        sleep(Duration::from_millis(1)).await;
        assert_eq!(shown(&meters), Some(1));
        sleep(EVERY).await;
        assert_eq!(shown(&meters), None, "an old number would hide that nothing is known");
        let count = || asked.lock().unwrap_or_else(PoisonError::into_inner).len();
        for _ in 0..200 {
            if count() == 3 {
                break;
            }
            sleep(Duration::from_secs(1)).await;
        }
        sleep(Duration::from_millis(1)).await;
        assert_eq!(shown(&meters), Some(3));
        drop(watch);
        assert_eq!(shown(&meters), None, "nobody asks any more");
        sleep(PAUSE_MAX).await;
        assert_eq!((count(), shown(&meters)), (3, None));
    }

    /// The pauses between questions, each with the shortest and the longest that it may be, in seconds.
    #[tokio::test(start_paused = true)]
    async fn a_server_that_does_not_answer_is_asked_less_often() {
        let meters = Arc::new(Meters::new("c".into()));
        let begun = Instant::now();
        let says = &[Says::Bytes(1), Says::Nothing, Says::Nothing, Says::Refuses, Says::Refuses, Says::Bytes(1)];
        let (_watch, asked) = watch(&meters, says);
        sleep(Duration::from_secs(3600)).await;
        let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        let mut before = begun;
        for (nth, (least_s, most_s)) in
            [(5, 10), (60, 60), (90 + 60, 90 + 120), (90 + 120, 90 + 240), (240, 480), (300, 600), (60, 60)]
                .into_iter()
                .enumerate()
        {
            let pause = asked[nth].duration_since(before);
            before = asked[nth];
            // The clock counts whole milliseconds.
            let range = Duration::from_secs(least_s)..=Duration::from_secs(most_s) + Duration::from_millis(10);
            assert!(range.contains(&pause), "question {nth}: {pause:?}");
        }
    }

    #[test]
    fn each_step_of_a_question_has_a_limit() {
        for (configured_ms, expect_ms) in [(0, 8_000), (600_000, 8_000), (500, 500)] {
            assert_eq!(RetainedWatch::step_ms(configured_ms), expect_ms, "{configured_ms}");
        }
    }
}
