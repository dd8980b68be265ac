//! An error as a Connect task's status shows it: `<java class>: <message>`, causes, then reason and remedy; and as the answer
//! of a configuration's validation shows it.
//!
//! Which exceptions of Debezium and of the Java drivers an error stands for. The text that is made of them:
//! [`relational::trace`].

use relational::trace::{self, CONNECT, DEBEZIUM};

use super::{Error, ServerError};

impl Error {
    /// The text of `status.trace`: several lines, the last one without a line end.
    pub fn trace(&self) -> String {
        let mut lines = Vec::new();
        self.java(&mut lines);
        trace::joined(&lines, self)
    }

    /// The complaint about `database.hostname` when a configuration is validated and the server cannot be used.
    pub fn validation(&self) -> String {
        match self {
            Self::Auth { server, .. } | Self::Server { server, .. } => format!("Unable to connect: {}", server.message),
            Self::Io { .. } | Self::ConnectTimedOut { .. } => format!(
                "Error during connection validation: {DEBEZIUM}: Failed to establish connection with the database: {self}"
            ),
            _ => format!("Unable to connect: {self}"),
        }
    }

    /// The chain of exceptions, outermost first.
    fn java(&self, lines: &mut Vec<String>) {
        match self {
            Self::Io { at, source, .. } => {
                lines.push(format!("{DEBEZIUM}: Unable to connect to the database at {at}"));
                lines.push(format!("java.io.IOException: {source}"));
            }
            Self::ConnectTimedOut { at, user, after_ms, .. } => lines.push(format!(
                "{DEBEZIUM}: Timed out after {} seconds while waiting to connect to database at {at} with user '{user}'",
                after_ms / 1000
            )),
            Self::QueryTimedOut { .. } => lines.push(
                "com.mysql.cj.jdbc.exceptions.MySQLTimeoutException: Statement cancelled due to timeout or client request"
                    .into(),
            ),
            Self::OtherServer { at, .. } => lines.push(format!("{DEBEZIUM}: Unable to connect to the database at {at}")),
            Self::Tls { at, reason } => {
                lines.push(format!("{DEBEZIUM}: Unable to connect to the database at {at}"));
                lines.push(format!("javax.net.ssl.SSLHandshakeException: {reason}"));
            }
            Self::Auth { at, user, server } => {
                lines.push(format!("{DEBEZIUM}: Failed to authenticate to the database at {at} with user '{user}'"));
                lines.push(sql(server));
            }
            Self::AuthPlugin { at, user, plugin, .. } => {
                lines.push(format!("{DEBEZIUM}: Failed to authenticate to the database at {at} with user '{user}'"));
                lines.push(format!("java.sql.SQLException: Unable to load authentication plugin '{plugin}'."));
            }
            Self::Server { server, .. } => lines.push(sql(server)),
            Self::Config { key, reason } => {
                lines.push(format!("{CONNECT}: The '{key}' value is invalid: {reason}"));
            }
            Self::Variable { name, .. } => {
                lines.push(format!("{DEBEZIUM}: The MySQL server is not configured to use a {name} that is needed"));
            }
            Self::BinlogLost { position, server, .. } => {
                lines.push(trace::position_lost(position));
                lines.push(dumped(server));
            }
            Self::ServerIdTaken { server, .. } | Self::Dump { server, .. } => {
                lines.push(format!(
                    "{DEBEZIUM}: {} Error code: {}; SQLSTATE: {}.",
                    server.message, server.number, server.sqlstate
                ));
                lines.push(dumped(server));
            }
            Self::Silent { .. } => {
                lines.push(format!("{DEBEZIUM}: Failed to read next byte from position"));
                lines.push("java.net.SocketTimeoutException: Read timed out".into());
            }
            Self::Privileges { missing, .. } => lines.push(format!(
                "{DEBEZIUM}: User does not have the '{}' privilege required",
                missing.join("', '")
            )),
            Self::LockTables { .. } => lines.push(format!(
                "{DEBEZIUM}: User does not have the 'LOCK TABLES' privilege required to obtain a consistent snapshot by preventing \
                 concurrent writes to tables."
            )),
            // The driver's text for the server's error 1205.
            Self::LockWaits { .. } => {
                lines.push("java.sql.SQLException: Lock wait timeout exceeded; try restarting transaction".into());
            }
            Self::PositionLost { stored, .. } => lines.push(trace::position_lost(stored)),
            Self::Schema { reason, .. } => lines.push(format!("org.apache.kafka.connect.errors.SchemaBuilderException: {reason}")),
            Self::Reselect(missed) => {
                lines.push(trace::producer_failed());
                lines.push(format!("{DEBEZIUM}: Error processing binlog event"));
                lines.push(format!("{CONNECT}: Error while processing event at offset {{{}}}", missed.position));
                lines.push(format!("{DEBEZIUM}: {missed}"));
            }
            Self::UnknownTable { .. } => {
                lines.push(trace::producer_failed());
                lines.push(format!("{DEBEZIUM}: Error processing binlog event"));
                lines.push(format!("{DEBEZIUM}: {self}"));
            }
            Self::DumpEnded { .. } => lines.push(format!("{DEBEZIUM}: Failed to read next byte from position")),
            Self::Offset(_) => lines.push(format!("{CONNECT}: {self}")),
            Self::HeartbeatQuery { cause } => {
                let state = cause.sqlstate().unwrap_or_default();
                lines.push(format!("{CONNECT}: Could not execute heartbeat action query (Error: {state})"));
                cause.java(lines);
            }
            Self::Protocol { .. }
            | Self::Binlog(_)
            | Self::Gtids { .. }
            | Self::NeverCopies { .. }
            | Self::Guardrail { .. }
            | Self::History { .. }
            | Self::HistoryLost
            | Self::HistoryOfOthers { .. }
            | Self::HistoryDamaged { .. }
            | Self::NothingToRecover
            | Self::Ddl { .. }
            | Self::Rows { .. }
            | Self::InDoubt(_)
            | Self::ChangesOn { .. }
            | Self::PreparedXa { .. }
            | Self::NoTableLocks => lines.push(format!("{DEBEZIUM}: {self}")),
        }
    }
}

/// The exception of the JDBC driver.
fn sql(server: &ServerError) -> String {
    let class = match server.sqlstate.get(..2) {
        Some("42") => "java.sql.SQLSyntaxErrorException",
        Some("08") => "java.sql.SQLNonTransientConnectionException",
        Some("23") => "java.sql.SQLIntegrityConstraintViolationException",
        _ => "java.sql.SQLException",
    };
    format!("{class}: {}", server.message)
}

/// The exception of the binlog client.
fn dumped(server: &ServerError) -> String {
    format!("com.github.shyiko.mysql.binlog.network.ServerException: {}", server.message)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn server(number: u16, sqlstate: &str, message: &str) -> ServerError {
        ServerError { number, sqlstate: sqlstate.into(), message: message.into() }
    }

    #[track_caller]
    fn check(error: &Error, transient: bool, begin: &str) {
        let trace = error.trace();
        assert!(trace.starts_with(begin), "{trace}");
        assert!(trace.contains("\nReason: "), "{trace}");
        assert_eq!(error.is_transient(), transient, "{trace}");
    }

    #[test]
    fn first_lines() {
        let (at, user) = (|| "h:1".to_owned(), || "cdc".to_owned());
        check(
            &Error::ConnectTimedOut { doing: "connecting".into(), at: at(), user: user(), after_ms: 30_000 },
            true,
            "io.debezium.DebeziumException: Timed out after 30 seconds while waiting to connect to database at h:1 with user \
             'cdc'\nReason: ",
        );
        check(
            &Error::Auth { at: at(), user: user(), server: Box::new(server(1045, "28000", "Access denied")) },
            false,
            "io.debezium.DebeziumException: Failed to authenticate to the database at h:1 with user 'cdc'\nCaused by: \
             java.sql.SQLException: Access denied\n",
        );
        check(
            &Error::Io {
                doing: "connecting".into(),
                at: at(),
                source: io::Error::from(io::ErrorKind::ConnectionRefused),
            },
            true,
            "io.debezium.DebeziumException: Unable to connect to the database at h:1\nCaused by: java.io.IOException: ",
        );
        check(
            &Error::BinlogLost {
                at: at(),
                position: "binlog.000001:4".into(),
                server: Box::new(server(1236, "HY000", "Could not find first log file name in binary log index file")),
            },
            false,
            "io.debezium.DebeziumException: The connector is trying to read change stream starting at binlog.000001:4, but \
             this is no longer available on the server. Reconfigure the connector to use a snapshot mode when needed.\nCaused \
             by: com.github.shyiko.mysql.binlog.network.ServerException: Could not find first log",
        );
        check(
            &Error::Server {
                doing: "locking".into(),
                at: at(),
                user: user(),
                server: Box::new(server(1205, "HY000", "Lock wait timeout exceeded; try restarting transaction")),
            },
            true,
            "java.sql.SQLException: Lock wait timeout exceeded; try restarting transaction\nReason: locking at h:1 as user \
             'cdc': ",
        );
    }

    #[test]
    fn a_lock_that_was_not_granted() {
        let holders = "session 17 of 'app' (23 s, table d.t)".to_owned();
        check(
            &Error::LockWaits { at: "h:1".into(), after_ms: 10_000, holders },
            true,
            "java.sql.SQLException: Lock wait timeout exceeded; try restarting transaction\nReason: the snapshot cannot begin at \
             h:1: its lock was not granted within 10000 ms (snapshot.lock.timeout.ms), because it waits for session 17 of 'app' \
             (23 s, table d.t).",
        );
    }

    #[test]
    fn remedies_name_the_privilege() {
        let error = Error::Server {
            doing: "locking all tables".into(),
            at: "h:1".into(),
            user: "cdc".into(),
            server: Box::new(server(
                1227,
                "42000",
                "Access denied; you need (at least one of) the RELOAD privilege(s) for this operation",
            )),
        };
        assert!(error.to_string().ends_with(". GRANT RELOAD ON *.* TO user 'cdc'"), "{error}");
    }

    #[test]
    fn validation() {
        let denied = "Access denied for user 'cdc'@'localhost' (using password: YES)";
        let auth =
            Error::Auth { at: "h:1".into(), user: "cdc".into(), server: Box::new(server(1045, "28000", denied)) };
        assert_eq!(auth.validation(), format!("Unable to connect: {denied}"));
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let nobody = Error::Io { doing: "connecting".into(), at: "h:1".into(), source: refused };
        let begin = "Error during connection validation: io.debezium.DebeziumException: Failed to establish connection with \
                     the database: ";
        assert!(nobody.validation().starts_with(begin), "{}", nobody.validation());
    }
}
