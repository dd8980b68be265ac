//! What is being done, and since when: for the messages of calls that time out and of the health page.
//!
//! The sentences are Connect's: operators look for them.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Something that is being done, or was the last thing to be done.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    what: String,
    began: SystemTime,
    completed: Option<SystemTime>,
}

impl Stage {
    /// Something that begins now. `what` is the rest of a sentence that begins with "The worker is currently".
    pub(super) fn begin(what: impl Into<String>) -> Self {
        Self { what: what.into(), began: SystemTime::now(), completed: None }
    }

    /// The sentence.
    pub(super) fn sentence(&self) -> String {
        let Self { what, began, .. } = self;
        match self.completed {
            None => format!("The worker is currently {what}, which began at {}.", instant(*began)),
            Some(completed) => format!(
                "The last operation the worker completed was {what}, which began at {} and completed at {}.",
                instant(*began),
                instant(completed)
            ),
        }
    }
}

/// The stage of the supervisor's loop.
#[derive(Debug, Default)]
pub(super) struct Stages(Mutex<Option<Stage>>);

impl Stages {
    /// Does something as the stage that `what` names.
    pub(super) async fn during<T>(&self, what: &str, work: impl Future<Output = T>) -> T {
        let set = |stage| *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stage);
        let mut stage = Stage::begin(what);
        set(stage.clone());
        let done = work.await;
        stage.completed = Some(SystemTime::now());
        set(stage);
        done
    }

    /// The sentence about the present stage; empty before the first.
    pub(super) fn sentence(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(Stage::sentence).unwrap_or_default()
    }
}

/// A moment as Java prints it: `2026-11-30T15:22:38.123Z`.
pub(super) fn instant(at: SystemTime) -> String {
    let ms = at.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
    format!("{:.3}", jiff::Timestamp::from_millisecond(ms).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn sentences() {
        let began = UNIX_EPOCH + Duration::from_millis(1_700_000_000_120);
        let mut stage = Stage { what: "stopping connector a".to_owned(), began, completed: None };
        let now = "The worker is currently stopping connector a, which began at 2023-11-14T22:13:20.120Z.";
        assert_eq!(stage.sentence(), now);
        stage.completed = Some(began + Duration::from_secs(2));
        assert_eq!(
            stage.sentence(),
            "The last operation the worker completed was stopping connector a, which began at 2023-11-14T22:13:20.120Z and \
             completed at 2023-11-14T22:13:22.120Z."
        );
        let stages = Stages::default();
        assert_eq!(stages.sentence(), "");
        stages
            .during("reading", async {
                assert!(stages.sentence().starts_with("The worker is currently reading, which began at "));
            })
            .await;
        assert!(stages.sentence().starts_with("The last operation the worker completed was reading, "));
    }
}
