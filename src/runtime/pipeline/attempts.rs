//! Operations that may have to be tried again, on the pipeline's thread. A stop of the task ends all waiting.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use relational::Meters;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::runtime::failure::Failure;
use crate::runtime::tolerance::Retry;

/// How the pipeline tries again, and what it needs to wait.
#[derive(Debug)]
pub(crate) struct Attempts {
    retry: Retry,
    handle: Handle,
    /// Turns true when the task is to stop: then nothing is tried again.
    stop: watch::Receiver<bool>,
    meters: Arc<Meters>,
    /// What the pipeline waits for.
    awaited: Arc<Awaited>,
}

/// What the pipeline waits for, for the task's status.
#[derive(Debug, Default)]
pub(crate) struct Awaited(Mutex<Option<Arc<str>>>);

impl Awaited {
    /// The trace to show; none when the pipeline waits for nothing that is known to be away.
    pub(crate) fn trace(&self) -> Option<Arc<str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, trace: Option<Arc<str>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = trace;
    }
}

impl Attempts {
    pub(crate) fn new(
        retry: Retry,
        handle: Handle,
        stop: watch::Receiver<bool>,
        meters: Arc<Meters>,
        awaited: Arc<Awaited>,
    ) -> Self {
        Self { retry, handle, stop, meters, awaited }
    }

    /// The runtime on which async operations are waited for: asking a registry, making a topic.
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs the operation, and again for as long as it fails with a transient failure and there is time left.
    ///
    /// # Errors
    /// The last failure; one that [is a stop](Failure::is_stop) when the task is stopped meanwhile.
    pub(super) fn run<T>(&mut self, mut operation: impl FnMut() -> Result<T, Failure>) -> Result<T, Failure> {
        self.run_any(|_| operation())
    }

    /// As [`run`](Self::run), for an operation that may wait. When the task is stopped, an operation that waits is dropped. One
    /// that need not wait is done all the same, for the records that are still on their way.
    ///
    /// # Errors
    /// The same.
    pub(super) fn run_async<T, O>(&mut self, operation: impl Fn() -> O) -> Result<T, Failure>
    where
        O: Future<Output = Result<T, Failure>>,
    {
        self.run_any(|attempts| {
            let stop = &mut attempts.stop;
            attempts.handle.block_on(async {
                tokio::select! {
                    biased;
                    outcome = operation() => outcome,
                    _ = stop.wait_for(|stop| *stop) => Err(Failure::stopped()),
                }
            })
        })
    }

    fn run_any<T>(&mut self, mut operation: impl FnMut(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        let mut trying = None;
        let outcome = loop {
            let failure = match operation(self) {
                Err(failure) if failure.is_transient() => failure,
                outcome => break outcome,
            };
            self.meters.count(|numbers| numbers.failures += 1);
            let trying = trying.get_or_insert_with(|| self.retry.begin(failure.is_of_a_service()));
            let Some(pause) = trying.pause() else { break Err(failure) };
            self.awaited.set(Some(failure.waiting().into()));
            if self.is_stopped_within(pause) {
                break Err(failure.while_stopping());
            }
            self.meters.count(|numbers| numbers.retries += 1);
        };
        if trying.is_some() {
            self.awaited.set(None);
        }
        outcome
    }

    fn is_stopped_within(&mut self, pause: Duration) -> bool {
        let stop = &mut self.stop;
        // A closed channel means that the task was dropped: that is a stop too.
        self.handle.block_on(async { timeout(pause, stop.wait_for(|stop| *stop)).await.is_ok() })
    }
}
