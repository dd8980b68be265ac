//! The statement that goes with each heartbeat (`heartbeat.action.query`).
//!
//! It runs on a connection and a task of its own, so that a slow statement never holds the log's reader. A beat that comes while
//! the one before still runs is not made up for.
//!
//! Must not know: heartbeat records, when a beat is due.

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::Error;
use crate::sql::Sql;
use crate::wire::ConnectOptions;

/// SQLSTATEs that end the stream, as in Debezium: the connection was ended by an administrator, the table does not exist.
/// Whatever else the server says of the statement goes to the log only.
const ENDING: &[&str] = &["57P01", "57P03", "42P01"];

/// Runs the statement at each beat until it is dropped.
pub(crate) struct ActionQuery {
    beats: mpsc::Sender<()>,
    failed: mpsc::Receiver<Error>,
    task: JoinHandle<()>,
}

impl ActionQuery {
    /// Ready for beats; connects at the first.
    pub(crate) fn new(options: ConnectOptions, statement: String) -> Self {
        // One beat waits while another runs.
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

    /// A heartbeat goes out: the statement is to be run.
    pub(crate) fn beat(&self) {
        // Full means that a beat waits already; closed, that a failure waits to be told.
        let _ = self.beats.try_send(());
    }

    /// Waits for a failure that ends the stream. Never returns without one.
    pub(crate) async fn failed(&mut self) -> Error {
        match self.failed.recv().await {
            Some(error) => error,
            // The failure was told before.
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

/// Whether a failure ends the stream: it is tried again then, as after any error that may pass, but where the statement's table
/// does not exist.
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
            // Somebody may make the table meanwhile.
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
