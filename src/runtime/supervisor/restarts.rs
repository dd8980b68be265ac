//! Decides when a task that failed is started again by itself.
//!
//! Kafka Connect leaves a failed task alone until somebody restarts it, so people run watchers that do. Here a task whose cause
//! may pass is started again after a pause that doubles with each attempt (docs/restarts.md has the causes). What a user asks
//! for in the meantime comes first: a restart, a stop or another configuration ends the waiting and its count, and a
//! connector that is paused is not started.
//!
//! A copy that fails is made again from its beginning, which may have taken hours and sent millions of rows. So a task that fails
//! in a copy waits for as long as it ran, and its count goes on however long that was.
//!
//! Must not know: how a task is started, what its trace says.

use std::time::Duration;

use retry::{Backoff, Outlook};
use settings::Properties;
use tokio::time::Instant;

/// How often a task is started again in a row whose cause is not known. More would only repeat a defect, and send what comes
/// before it again each time.
const UNKNOWN_ATTEMPTS: u32 = 3;

/// The longest pause after a copy that failed.
const LONGEST_OF_COPY: Duration = Duration::from_secs(6 * 3600);

/// `task.restart.*`: whether and when tasks that failed are started again by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartSettings {
    /// `task.restart.enabled`.
    pub enabled: bool,
    /// `task.restart.backoff.ms`: the first pause, of which each is drawn from the upper half.
    pub first: Duration,
    /// `task.restart.backoff.max.ms`: the longest pause. A task that has run for so long starts with the first one again.
    pub longest: Duration,
    /// `task.restart.max.attempts`; `None` for no limit.
    pub most: Option<u32>,
}

impl Default for RestartSettings {
    /// The defaults of the keys.
    fn default() -> Self {
        Self { enabled: true, first: Duration::from_secs(10), longest: Duration::from_secs(300), most: None }
    }
}

impl RestartSettings {
    /// A limit as it is written: -1 for none.
    pub fn limit(attempts: i64) -> Option<u32> {
        u32::try_from(attempts).ok()
    }

    /// These settings of the worker with those of a connector, which come first. What no longer parses, because it was stored
    /// unchecked by another worker, counts as not set.
    fn of(&self, connector: &Properties) -> Self {
        let get = |name: &str| connector.get(name).map(str::trim);
        let number = |name: &str| get(name).and_then(|text| text.parse::<i64>().ok());
        let pause = |name: &str| number(name).and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis);
        Self {
            enabled: match get("task.restart.enabled") {
                Some(text) if text.eq_ignore_ascii_case("true") => true,
                Some(text) if text.eq_ignore_ascii_case("false") => false,
                _ => self.enabled,
            },
            first: pause("task.restart.backoff.ms").unwrap_or(self.first),
            longest: pause("task.restart.backoff.max.ms").unwrap_or(self.longest),
            most: number("task.restart.max.attempts").map_or(self.most, Self::limit),
        }
    }
}

/// What becomes of a task that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is started again after the pause.
    Again {
        /// How long to wait.
        pause: Duration,
        /// The number of the attempt, from 1.
        attempt: u32,
    },
    /// It stays FAILED until somebody restarts it.
    Stays,
    /// The same, after so many attempts in a row.
    GivenUp {
        /// How many there were.
        attempts: u32,
    },
}

/// The restarts of one task.
#[derive(Debug)]
pub(super) struct Restarts {
    settings: RestartSettings,
    backoff: Backoff,
    /// Attempts since the task has last run for long, or somebody has started it.
    attempts: u32,
    /// How many of the last ones in a row came of causes that are not known.
    unknown: u32,
    /// Since when the task runs.
    running: Option<Instant>,
    /// When it is started again.
    due: Option<Instant>,
}

impl Restarts {
    pub(super) fn new(settings: RestartSettings) -> Self {
        let backoff = Backoff::new(settings.first, settings.longest);
        Self { settings, backoff, attempts: 0, unknown: 0, running: None, due: None }
    }

    /// The task says that it runs.
    pub(super) fn runs(&mut self) {
        self.running.get_or_insert_with(Instant::now);
    }

    /// The task waits for something, or has failed. If it has run for long before, and was not in the middle of a copy, earlier
    /// failures do not count any more. Returns how long it ran.
    pub(super) fn waits(&mut self, is_copying: bool) -> Duration {
        let ran = self.running.take().map(|since| since.elapsed()).unwrap_or_default();
        if !ran.is_zero() && ran >= self.settings.longest && !is_copying {
            self.backoff.reset();
            (self.attempts, self.unknown) = (0, 0);
        }
        ran
    }

    /// The task has failed, in the middle of a copy or not. `worker` are the worker's settings, `connector` the connector's
    /// configuration.
    pub(super) fn failed(
        &mut self,
        (outlook, is_copying): (Outlook, bool),
        worker: &RestartSettings,
        connector: &Properties,
    ) -> Verdict {
        let settings = worker.of(connector);
        let ran = self.waits(is_copying);
        if settings != self.settings {
            *self = Self::new(settings);
        }
        self.due = None;
        if !self.settings.enabled || outlook == Outlook::CannotPass || self.settings.most == Some(0) {
            return Verdict::Stays;
        }
        let unknown = if outlook == Outlook::Unknown { self.unknown + 1 } else { 0 };
        match self.settings.most {
            Some(most) if self.attempts >= most => Verdict::GivenUp { attempts: self.attempts },
            _ if unknown > UNKNOWN_ATTEMPTS => Verdict::GivenUp { attempts: UNKNOWN_ATTEMPTS },
            _ => {
                self.attempts += 1;
                self.unknown = unknown;
                let of_copy = if is_copying { ran.min(LONGEST_OF_COPY) } else { Duration::ZERO };
                let pause = self.backoff.pause().max(of_copy);
                self.due = Some(Instant::now() + pause);
                Verdict::Again { pause, attempt: self.attempts }
            }
        }
    }

    /// When the task is to be started again, if it is.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The task is started again now. Returns the number of the attempt.
    pub(super) fn begin(&mut self) -> u32 {
        self.due = None;
        self.attempts
    }

    /// Somebody has started the task, or it is gone: what was before does not count.
    pub(super) fn forget(&mut self) {
        self.backoff.reset();
        (self.attempts, self.unknown, self.running, self.due) = (0, 0, None, None);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn restarts() -> (Restarts, RestartSettings) {
        let settings = RestartSettings::default();
        (Restarts::new(settings.clone()), settings)
    }

    /// Lets the task fail, and returns the number of the attempt that follows, if one does. Checks its pause.
    #[track_caller]
    fn fails(restarts: &mut Restarts, outlook: Outlook, worker: &RestartSettings, own: &[(&str, &str)]) -> Option<u32> {
        match restarts.failed((outlook, false), worker, &own.iter().copied().collect()) {
            Verdict::Again { pause, attempt } => {
                let settings = worker.of(&own.iter().copied().collect());
                let whole = (settings.first * 2_u32.saturating_pow(attempt - 1)).min(settings.longest);
                assert!(pause >= whole / 2 && pause <= whole, "attempt {attempt}: {pause:?} of {whole:?}");
                assert_eq!(restarts.due(), Some(Instant::now() + pause));
                assert_eq!(restarts.begin(), attempt);
                Some(attempt)
            }
            Verdict::Stays | Verdict::GivenUp { .. } => {
                assert_eq!(restarts.due(), None);
                None
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_without_end_with_growing_pauses() {
        let (mut restarts, worker) = restarts();
        for attempt in 1..100 {
            assert_eq!(fails(&mut restarts, Outlook::MayPass, &worker, &[]), Some(attempt));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_pass_stays() {
        let (mut restarts, worker) = restarts();
        assert_eq!(restarts.failed((Outlook::CannotPass, false), &worker, &Properties::new()), Verdict::Stays);
        // Also after attempts for another reason.
        assert_eq!(fails(&mut restarts, Outlook::MayPass, &worker, &[]), Some(1));
        assert_eq!(restarts.failed((Outlook::CannotPass, false), &worker, &Properties::new()), Verdict::Stays);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_known_is_tried_three_times() {
        let (mut restarts, worker) = restarts();
        for attempt in 1..=3 {
            assert_eq!(fails(&mut restarts, Outlook::Unknown, &worker, &[]), Some(attempt));
        }
        let given_up = Verdict::GivenUp { attempts: 3 };
        assert_eq!(restarts.failed((Outlook::Unknown, false), &worker, &Properties::new()), given_up);
    }

    #[tokio::test(start_paused = true)]
    async fn causes_that_are_not_known_are_counted_apart() {
        let (mut restarts, worker) = restarts();
        for attempt in 1..=9 {
            assert_eq!(fails(&mut restarts, Outlook::MayPass, &worker, &[]), Some(attempt));
        }
        for attempt in 10..=12 {
            assert_eq!(fails(&mut restarts, Outlook::Unknown, &worker, &[]), Some(attempt), "an outage came before");
        }
        assert_eq!(fails(&mut restarts, Outlook::Unknown, &worker, &[]), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_copy_that_fails_again_and_again_is_not_made_without_rest() {
        let (mut restarts, worker) = restarts();
        for (attempt, ran) in (1..).zip([S * 4000, S * 4000, S * 4000]) {
            restarts.runs();
            advance(ran).await;
            let verdict = restarts.failed((Outlook::Unknown, true), &worker, &Properties::new());
            assert_eq!(verdict, Verdict::Again { pause: ran, attempt });
            restarts.begin();
        }
        restarts.runs();
        advance(S * 4000).await;
        let verdict = restarts.failed((Outlook::Unknown, true), &worker, &Properties::new());
        assert_eq!(verdict, Verdict::GivenUp { attempts: 3 });
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_has_run_for_long_begins_anew() {
        let (mut restarts, worker) = restarts();
        for attempt in 1..=2 {
            assert_eq!(fails(&mut restarts, Outlook::MayPass, &worker, &[]), Some(attempt));
            restarts.runs();
            advance(S * 299).await;
        }
        assert_eq!(fails(&mut restarts, Outlook::MayPass, &worker, &[]), Some(3));
        restarts.runs();
        advance(S * 200).await;
        // Saying once more that it runs is no new beginning.
        restarts.runs();
        advance(S * 100).await;
        // A wait before the failure takes nothing away.
        restarts.waits(false);
        advance(S * 10).await;
        assert_eq!(fails(&mut restarts, Outlook::MayPass, &worker, &[]), Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_by_somebody_else_is_a_new_beginning() {
        let (mut restarts, worker) = restarts();
        fails(&mut restarts, Outlook::MayPass, &worker, &[]);
        restarts.failed((Outlook::MayPass, false), &worker, &Properties::new());
        restarts.forget();
        assert_eq!(restarts.due(), None);
        assert_eq!(fails(&mut restarts, Outlook::MayPass, &worker, &[]), Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn settings_of_worker_and_connector() {
        let (mut restarts, mut worker) = restarts();
        let off: &[_] = &[("task.restart.enabled", "false")];
        assert_eq!(fails(&mut restarts, Outlook::MayPass, &worker, off), None);
        let own: &[_] = &[("task.restart.backoff.ms", "40"), ("task.restart.backoff.max.ms", " 100 ")];
        for attempt in 1..=5 {
            assert_eq!(fails(&mut restarts, Outlook::MayPass, &worker, own), Some(attempt));
        }
        let few: &[_] = &[("task.restart.max.attempts", "2")];
        let seen = [(); 3].map(|()| fails(&mut restarts, Outlook::MayPass, &worker, few));
        assert_eq!(seen, [Some(1), Some(2), None]);
        worker.enabled = false;
        assert_eq!(fails(&mut restarts, Outlook::MayPass, &worker, &[]), None);
        assert_eq!(fails(&mut restarts, Outlook::MayPass, &worker, &[("task.restart.enabled", "TRUE")]), Some(1));
        worker.most = Some(0);
        let without_limit: &[_] = &[("task.restart.enabled", "true"), ("task.restart.max.attempts", "-1")];
        // In effect these are the settings of before, and so the count goes on.
        assert_eq!(fails(&mut restarts, Outlook::MayPass, &worker, without_limit), Some(2));
        assert_eq!(RestartSettings::limit(-1), None);
        assert_eq!(RestartSettings::limit(7), Some(7));
    }
}
