//! What a keeper does when its task has failed: says why, and starts the task again by itself if the cause may pass.
//!
//! Must not know: how a task is started.

use std::fmt::Write as _;
use std::time::SystemTime;

use relational::TaskError;
use retry::Outlook;

use super::Keeper;
use crate::runtime::supervisor::machine::Input;
use crate::runtime::supervisor::properties;
use crate::runtime::supervisor::restarts::Verdict;
use crate::runtime::supervisor::stage::instant;

const NO_WORD: &str = "org.apache.kafka.connect.errors.ConnectException: The task ended without having been told to and without \
                       saying why; see the log, then restart it";

impl Keeper {
    /// The task has ended without a word.
    pub(super) async fn gone(&mut self) {
        self.failed(TaskError { trace: NO_WORD.to_owned(), outlook: Outlook::Unknown }).await;
    }

    /// The task has failed. Its status says so, as in Connect; its trace also says whether it restarts by itself.
    pub(super) async fn failed(&mut self, error: TaskError) {
        // Before the task's numbers go with it.
        let is_copying = self.shared.metered.is_copying(&self.name);
        if self.up.take().is_some_and(|up| !up.has_run) {
            self.shared.metered.task_starts.ended(false);
        }
        let config = self.config.as_ref().map(properties).unwrap_or_default();
        let verdict = self.restarts.failed((error.outlook, is_copying), &self.shared.settings.restarts, &config);
        let TaskError { mut trace, outlook } = error;
        match verdict {
            Verdict::Again { pause, attempt } => {
                // Whole seconds, as people count: a pause is never said to be shorter than it is.
                let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
                tracing::error!(
                    connector = &*self.name,
                    task = 0,
                    attempt,
                    "the task failed and restarts by itself in {seconds} s: {trace}"
                );
                trace.push_str(&plan(seconds, attempt, outlook, SystemTime::now() + pause));
            }
            Verdict::Stays => {
                tracing::error!(
                    connector = &*self.name,
                    task = 0,
                    "the task failed and stays so until a restart: {trace}"
                );
            }
            Verdict::GivenUp { attempts } => {
                tracing::error!(
                    connector = &*self.name,
                    task = 0,
                    attempts,
                    "the task failed and stays so until a restart, because it failed after each one by itself: {trace}"
                );
                // Writing to a string cannot fail.
                let _ = write!(
                    trace,
                    "\nRestart: the task has restarted by itself {attempts} times in a row and failed again; it stays FAILED \
                     until somebody restarts it."
                );
            }
        }
        self.apply(Input::TaskDown { trace }).await;
    }

    /// Starts the task again, because its pause is over.
    pub(super) async fn start_again(&mut self) {
        let attempt = self.restarts.begin();
        tracing::info!(connector = &*self.name, task = 0, attempt, "the task that failed restarts by itself");
        self.shared.metered.restarted(&self.name);
        self.apply(Input::Again).await;
    }
}

/// The line of a trace that says when the task restarts.
fn plan(seconds: u64, attempt: u32, outlook: Outlook, at: SystemTime) -> String {
    let why = match outlook {
        Outlook::Unknown => "whether the cause can pass is not known, and so it is tried a few times",
        Outlook::MayPass | Outlook::CannotPass => "the cause may pass",
    };
    let at = instant(at);
    format!(
        "\nRestart: the task restarts by itself in {seconds} s (attempt {attempt}), at {at}: {why}. It is shown as FAILED until \
         it runs. A restart over REST need not wait for it; task.restart.enabled=false switches it off."
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn the_plan_says_when_and_how_often() {
        let at = UNIX_EPOCH + Duration::from_millis(1_700_000_000_120);
        let line = plan(8, 2, Outlook::MayPass, at);
        let begin = "\nRestart: the task restarts by itself in 8 s (attempt 2), at 2023-11-14T22:13:20.120Z: the cause may pass.";
        assert!(line.starts_with(begin), "{line}");
        assert!(plan(8, 1, Outlook::Unknown, at).contains("not known"));
    }
}
