//! Complaints that may come a million times: they are counted and logged every ten seconds.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How often complaints of one kind are logged at most.
const EVERY: Duration = Duration::from_secs(10);

/// Complaints of one kind. The first is logged at once; those of the next ten seconds are counted and logged together,
/// so that a column full of bad values does not fill the log.
#[derive(Debug, Default)]
pub(crate) struct Tally(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    said: Option<Instant>,
    unsaid: u64,
    last: String,
}

/// What the caller should log now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// The number of complaints since the last one that was logged.
    pub(crate) count: u64,
    /// The text of the complaint logged last; the counted ones may differ.
    pub(crate) text: String,
}

impl Tally {
    /// Counts one complaint; returns what to log, if it is time. `text` is called only when its result is logged.
    pub(crate) fn add(&self, text: impl FnOnce() -> String) -> Option<Complaint> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.unsaid += 1;
        if state.said.is_some_and(|said| said.elapsed() < EVERY) {
            return None;
        }
        state.last = text();
        Some(state.say())
    }

    /// What was counted but not yet logged, if it is time. Must be called now and then, because otherwise the last
    /// complaints would be logged only when another one follows.
    pub(crate) fn due(&self) -> Option<Complaint> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = state.unsaid > 0 && state.said.is_some_and(|said| said.elapsed() >= EVERY);
        is_due.then(|| state.say())
    }

    /// What was counted but not yet logged, at once: for the end of the task.
    pub(crate) fn rest(&self) -> Option<Complaint> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (state.unsaid > 0).then(|| state.say())
    }
}

impl State {
    fn say(&mut self) -> Complaint {
        self.said = Some(Instant::now());
        Complaint { count: std::mem::take(&mut self.unsaid), text: self.last.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(count: u64, text: &str) -> Complaint {
        Complaint { count, text: text.to_owned() }
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_is_said_at_once_and_the_rest_together() {
        let tally = Tally::default();
        assert_eq!(tally.due(), None);
        assert_eq!(tally.add(|| "a".to_owned()), Some(said(1, "a")));
        for _ in 0..1000 {
            assert_eq!(tally.add(|| unreachable!("no text is made for what is not said")), None);
        }
        assert_eq!(tally.due(), None);
        tokio::time::advance(EVERY).await;
        assert_eq!(tally.add(|| "b".to_owned()), Some(said(1001, "b")));
        assert_eq!(tally.add(|| "c".to_owned()), None);
        tokio::time::advance(EVERY).await;
        assert_eq!(tally.due(), Some(said(1, "b")));
        assert_eq!(tally.due(), None);
        assert_eq!(tally.add(|| "d".to_owned()), None);
        assert_eq!(tally.rest(), Some(said(1, "b")));
    }
}
