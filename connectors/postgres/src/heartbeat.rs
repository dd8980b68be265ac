//! The statement that goes with each heartbeat (`heartbeat.action.query`).
//!
//! The statement runs in its own task on its own connection, so that a slow statement does not delay the reading of the log.
//! While it runs, one further heartbeat may wait for its run; those after it are dropped.
//!
//! Must not know: heartbeat records, when a beat is due.

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::sql::Sql;
use crate::wire::ConnectOptions;

/// SQLSTATEs of the statement that end the stream, as in Debezium: 57P01 (an administrator ended the session), 57P03 (the
/// server is starting up or shutting down), 42P01 (the table does not exist). Any other error is only logged.
const ENDING: &[&str] = &["57P01", "57P03", "42P01"];

/// Runs the statement at each heartbeat. Dropping it ends its task.
pub(crate) struct ActionQuery {
    beats: mpsc::Sender<()>,
    failed: mpsc::Receiver<Error>,
    task: JoinHandle<()>,
}

impl ActionQuery {
    /// Starts the task, which connects at the first heartbeat.
    pub(crate) fn new(options: ConnectOptions, statement: String) -> Self {
        // One heartbeat may wait while the statement runs.
        let (beats, mut due) = mpsc::channel(1);
        let (failures, failed) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            let mut session: Option<Sql> = None;
            while due.recv().await == Some(()) {
                let Err(error) = run(&options, &mut session, &statement).await else { continue };
                session = None;
                if ends(&error) {
                    let _ = failures.send(Error::HeartbeatQuery { cause: Box::new(error) }).await;
                    return;
                }
                tracing::warn!(%error, "heartbeat.action.query could not be run; it is tried again at the next heartbeat");
            }
        });
        Self { beats, failed, task }
    }

    /// Asks for a run of the statement. Called when a heartbeat record is sent.
    pub(crate) fn beat(&self) {
        // If the channel is full, a run is waiting already. If it is closed, the task has ended with a failure for `failed`.
        let _ = self.beats.try_send(());
    }

    /// Waits for a failure that ends the stream. Never returns without one.
    pub(crate) async fn failed(&mut self) -> Error {
        match self.failed.recv().await {
            Some(error) => error,
            // The task has ended and its failure was returned before: there will be no other.
            None => std::future::pending().await,
        }
    }
}

impl Drop for ActionQuery {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(options: &ConnectOptions, session: &mut Option<Sql>, statement: &str) -> Result<(), Error> {
    if session.as_ref().is_none_or(Sql::is_closed) {
        *session = Some(Sql::connect(options).await?);
    }
    match session {
        Some(sql) => sql.execute("running heartbeat.action.query", statement).await,
        None => Ok(()),
    }
}

/// Whether a failure of the statement ends the stream. The session is then begun again, as after any transient error.
fn ends(error: &Error) -> bool {
    error.sqlstate().is_some_and(|state| ENDING.contains(&state))
}

#[cfg(test)]
mod tests {
    use crate::error::ServerError;

    use super::*;

    #[test]
    fn which_failures_end_the_stream() {
        for (state, expect) in
            [("42P01", true), ("57P01", true), ("57P03", true), ("42601", false), ("23505", false), ("57014", false)]
        {
            let server = ServerError { sqlstate: state.to_owned(), ..ServerError::default() };
            let error = Error::from_server("running heartbeat.action.query", server);
            assert_eq!(ends(&error), expect, "{state}");
            let told = Error::HeartbeatQuery { cause: Box::new(error) };
            // Transient also where the table is missing: somebody may create it in the meantime.
            assert!(told.is_transient());
            let first = format!(
                "org.apache.kafka.connect.errors.ConnectException: Could not execute heartbeat action query (Error: {state})"
            );
            assert_eq!(told.trace().lines().next(), Some(first.as_str()));
        }
        let closed = std::io::Error::other("closed");
        assert!(!ends(&Error::Io { doing: "x".into(), at: "y".into(), source: closed }));
    }
}
