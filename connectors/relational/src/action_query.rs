//! The statement that goes with each heartbeat (`heartbeat.action.query`).
//!
//! The statement runs in its own task on its own connection, so that a slow statement does not delay the reading of the log.
//! While it runs, one further heartbeat may wait for its run; those after it are dropped.
//!
//! Must not know: heartbeat records, when a beat is due, how a connector connects.

use std::fmt::Display;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// A session with the database in which the statement can run.
pub trait StatementSession: Sized + Send + 'static {
    /// How a session is begun.
    type Options: Send + Sync + 'static;
    /// Its errors.
    type Error: Display + Send + 'static;

    /// Begins a session.
    fn begin(options: &Self::Options) -> impl Future<Output = Result<Self, Self::Error>> + Send;

    /// Whether it is known that the session cannot be used any more.
    fn is_closed(&self) -> bool;

    /// Runs a statement once; an error begins with `doing`.
    fn run(&mut self, doing: &str, statement: &str) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Whether a failure ends the stream. Any other is only logged.
    fn ends(error: &Self::Error) -> bool;
}

/// Runs the statement once, in the session of the run before if that can still be used. After a failure the next run begins
/// another session.
async fn run<S: StatementSession>(
    session: &mut Option<S>,
    options: &S::Options,
    statement: &str,
) -> Result<(), S::Error> {
    let mut used = match session.take().filter(|session| !session.is_closed()) {
        Some(used) => used,
        None => S::begin(options).await?,
    };
    used.run("running heartbeat.action.query", statement).await?;
    *session = Some(used);
    Ok(())
}

/// Runs the statement at each heartbeat. Dropping it ends its task.
#[derive(Debug)]
pub struct ActionQuery<E> {
    beats: mpsc::Sender<()>,
    failed: mpsc::Receiver<E>,
    task: JoinHandle<()>,
}

impl<E: Display + Send + 'static> ActionQuery<E> {
    /// Starts the task, which begins a session and runs the statement first at the first heartbeat.
    pub fn new<S: StatementSession<Error = E>>(options: S::Options, statement: String) -> Self {
        // One heartbeat may wait while the statement runs.
        let (beats, mut due) = mpsc::channel::<()>(1);
        let (failures, failed) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            let mut session: Option<S> = None;
            while due.recv().await == Some(()) {
                let Err(error) = run(&mut session, &options, &statement).await else { continue };
                if S::ends(&error) {
                    let _ = failures.send(error).await;
                    return;
                }
                tracing::warn!(%error, "heartbeat.action.query could not be run; it is tried again at the next heartbeat");
            }
        });
        Self { beats, failed, task }
    }

    /// Asks for a run of the statement. Called when a heartbeat record is sent.
    pub fn beat(&self) {
        // If the channel is full, a run is waiting already. If it is closed, the task has ended with a failure for `failed`.
        let _ = self.beats.try_send(());
    }

    /// Waits for a failure that ends the stream. Never returns without one.
    pub async fn failed(&mut self) -> E {
        match self.failed.recv().await {
            Some(error) => error,
            // The task has ended and its failure was returned before: there will be no other.
            None => std::future::pending().await,
        }
    }
}

impl<E> Drop for ActionQuery<E> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use tokio::sync::Semaphore;
    use tokio::time::{sleep, timeout};

    use super::*;

    /// Takes its results one after another; each run waits for a permit.
    struct Script {
        results: Mutex<Vec<Result<(), &'static str>>>,
        runs: AtomicUsize,
        sessions: AtomicUsize,
        permits: Semaphore,
    }

    impl Script {
        fn new(results: &[Result<(), &'static str>], permits: usize) -> Arc<Self> {
            let (runs, sessions) = (AtomicUsize::new(0), AtomicUsize::new(0));
            Arc::new(Self { results: Mutex::new(results.to_vec()), runs, sessions, permits: Semaphore::new(permits) })
        }

        /// How many runs and sessions were begun.
        fn begun(&self) -> (usize, usize) {
            (self.runs.load(Ordering::SeqCst), self.sessions.load(Ordering::SeqCst))
        }
    }

    struct Scripted {
        script: Arc<Script>,
        is_closed: bool,
    }

    impl StatementSession for Scripted {
        type Options = Arc<Script>;
        type Error = &'static str;

        async fn begin(script: &Arc<Script>) -> Result<Self, &'static str> {
            script.sessions.fetch_add(1, Ordering::SeqCst);
            Ok(Self { script: Arc::clone(script), is_closed: false })
        }

        fn is_closed(&self) -> bool {
            self.is_closed
        }

        async fn run(&mut self, _: &str, statement: &str) -> Result<(), &'static str> {
            self.script.runs.fetch_add(1, Ordering::SeqCst);
            self.script.permits.acquire().await.unwrap().forget();
            self.is_closed = statement == "close";
            self.script.results.lock().unwrap().remove(0)
        }

        fn ends(error: &&'static str) -> bool {
            *error == "fatal"
        }
    }

    /// Beats once for each result. Expects how many runs and sessions were begun, and the failure.
    #[track_caller]
    fn check(
        statement: &str,
        results: &[Result<(), &'static str>],
        begun: (usize, usize),
        failure: Option<&'static str>,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let found = runtime.block_on(async {
            let script = Script::new(results, 100);
            let mut action = ActionQuery::new::<Scripted>(Arc::clone(&script), statement.to_owned());
            for _ in results {
                action.beat();
                sleep(Duration::from_millis(1)).await;
            }
            let failed = timeout(Duration::from_secs(1), action.failed()).await.ok();
            (script.begun(), failed)
        });
        assert_eq!(found, (begun, failure));
    }

    #[test]
    fn which_failures_end_the_runs() {
        check("s", &[Ok(()), Ok(())], (2, 1), None);
        check("s", &[Err("passing"), Ok(())], (2, 2), None);
        check("s", &[Err("fatal"), Ok(())], (1, 1), Some("fatal"));
    }

    #[test]
    fn a_session_that_is_closed_is_not_used_again() {
        check("close", &[Ok(()), Ok(()), Ok(())], (3, 3), None);
    }

    #[tokio::test(start_paused = true)]
    async fn one_heartbeat_waits_for_a_slow_run() {
        let script = Script::new(&[Ok(()); 9], 0);
        let action = ActionQuery::new::<Scripted>(Arc::clone(&script), "s".to_owned());
        for _ in 0..5 {
            action.beat();
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(script.begun(), (1, 1));
        script.permits.add_permits(9);
        sleep(Duration::from_millis(1)).await;
        assert_eq!(script.begun(), (2, 1));
    }
}
