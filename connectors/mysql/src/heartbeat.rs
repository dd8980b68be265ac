//! How the statement that goes with each heartbeat (`heartbeat.action.query`) runs here, and which of its failures end the
//! stream.
//!
//! Must not know: heartbeat records, when a beat is due, when the statement runs.

use relational::StatementSession;

use crate::error::Error;
use crate::sql::Sql;
use crate::wire::ConnectOptions;

/// SQLSTATEs of the statement that fail the task, as in Debezium: 42000 (a syntax error, or no privilege), 3D000 (no
/// database is chosen). Any other error is only logged, also that a table does not exist (42S02).
const ENDING: &[&str] = &["42000", "3D000"];

impl StatementSession for Sql {
    type Options = ConnectOptions;
    type Error = Error;

    async fn begin(options: &ConnectOptions) -> Result<Self, Error> {
        Self::connect(options).await
    }

    fn is_closed(&self) -> bool {
        // Only the next statement would show it.
        false
    }

    async fn run(&mut self, doing: &str, statement: &str) -> Result<(), Error> {
        self.execute(doing, statement).await
    }

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
        for (state, expect) in [("42000", true), ("3D000", true), ("42S02", false), ("23000", false), ("HY000", false)]
        {
            let server = ServerError { number: 1, sqlstate: state.to_owned(), message: "no".to_owned() };
            let (doing, at) = ("running heartbeat.action.query".to_owned(), "h:1".to_owned());
            let error = Error::Server { doing, at, user: "cdc".to_owned(), server: Box::new(server) };
            assert_eq!(Sql::ends(&error), expect, "{state}");
            let told = Error::HeartbeatQuery { cause: Box::new(error) };
            assert!(!told.is_transient());
            let first = format!(
                "org.apache.kafka.connect.errors.ConnectException: Could not execute heartbeat action query (Error: {state})"
            );
            assert_eq!(told.trace().lines().next(), Some(first.as_str()));
        }
        let closed = std::io::Error::other("closed");
        assert!(!Sql::ends(&Error::Io { doing: "x".into(), at: "y".into(), source: closed }));
    }
}
