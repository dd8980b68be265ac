//! How the statement that goes with each heartbeat (`heartbeat.action.query`) runs here, and which of its failures end the
//! stream.
//!
//! Must not know: heartbeat records, when a beat is due, when the statement runs.

use relational::StatementSession;

use crate::error::Error;
use crate::sql::Sql;
use crate::wire::ConnectOptions;

/// SQLSTATEs of the statement that end the stream, as in Debezium: 57P01 (an administrator ended the session), 57P03 (the
/// server is starting up or shutting down), 42P01 (the table does not exist). Any other error is only logged.
const ENDING: &[&str] = &["57P01", "57P03", "42P01"];

impl StatementSession for Sql {
    type Options = ConnectOptions;
    type Error = Error;

    async fn begin(options: &ConnectOptions) -> Result<Self, Error> {
        Self::connect(options).await
    }

    fn is_closed(&self) -> bool {
        Self::is_closed(self)
    }

    async fn run(&mut self, doing: &str, statement: &str) -> Result<(), Error> {
        self.execute(doing, statement).await
    }

    /// The session is then begun again, as after any transient error.
    fn ends(error: &Error) -> bool {
        error.sqlstate().is_some_and(|state| ENDING.contains(&state))
    }
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
            assert_eq!(Sql::ends(&error), expect, "{state}");
            let told = Error::HeartbeatQuery { cause: Box::new(error) };
            // Transient also where the table is missing: somebody may create it in the meantime.
            assert!(told.is_transient());
            let first = format!(
                "org.apache.kafka.connect.errors.ConnectException: Could not execute heartbeat action query (Error: {state})"
            );
            assert_eq!(told.trace().lines().next(), Some(first.as_str()));
        }
        let closed = std::io::Error::other("closed");
        assert!(!Sql::ends(&Error::Io { doing: "x".into(), at: "y".into(), source: closed }));
    }
}
