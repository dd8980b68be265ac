//! An error as a Connect task's status shows it: `<java class>: <message>`, causes, then reason and remedy.
//!
//! Which exceptions of Debezium and of the Java driver an error stands for. The text that is made of them:
//! [`relational::trace`].

use std::io;

use relational::trace::{self, CONNECT, DEBEZIUM, SCHEMA};

use super::{Error, ServerError};

const DISTINCT_SLOT: &str = "; when setting up multiple connectors for the same database host, please make sure to use a \
                             distinct replication slot name for each.";
const PSQL: &str = "org.postgresql.util.PSQLException";

impl Error {
    /// The text of `status.trace`: several lines, the last one without a line end.
    pub fn trace(&self) -> String {
        let mut lines = Vec::new();
        self.java(&mut lines);
        trace::joined(&lines, self)
    }

    /// The chain of exceptions, outermost first.
    fn java(&self, lines: &mut Vec<String>) {
        match self {
            Self::Io { at, source, .. } if source.kind() == io::ErrorKind::ConnectionRefused => lines.push(format!(
                "{PSQL}: Connection to {at} refused. Check that the hostname and port are correct and that the \
                 postmaster is accepting TCP/IP connections."
            )),
            Self::Io { source, .. } => {
                lines.push(format!("{PSQL}: The connection attempt failed."));
                lines.push(format!("java.io.IOException: {source}"));
            }
            Self::TimedOut { .. } => {
                lines.push(format!("{PSQL}: The connection attempt failed."));
                lines.push("java.net.SocketTimeoutException: Connect timed out".into());
            }
            Self::Silent { .. } => {
                lines.push(format!("{PSQL}: Database connection failed when reading from copy"));
                lines.push("java.net.SocketTimeoutException: Read timed out".into());
            }
            Self::Tls { reason, .. } => lines.push(format!("{PSQL}: SSL error: {reason}")),
            Self::Auth { server, .. } | Self::Server { server, .. } | Self::SlotTaken { server, .. } => {
                lines.push(psql(server));
            }
            Self::Config { key, reason } => {
                lines.push(format!("{CONNECT}: The '{key}' value is invalid: {reason}"));
            }
            Self::Schema { reason, .. } => {
                lines.push(trace::producer_failed());
                lines.push(format!("{SCHEMA}: {reason}"));
            }
            Self::Reselect(missed) => {
                lines.push(trace::producer_failed());
                lines.push(format!("{CONNECT}: Error while processing event at offset {{lsn={}}}", missed.position));
                lines.push(format!("{DEBEZIUM}: {missed}"));
            }
            Self::Override { table, reason } => {
                lines.push(trace::producer_failed());
                lines.push(format!("{DEBEZIUM}: Snapshotting of table {table} failed: {reason}"));
            }
            Self::WalLevel { found } => lines
                .push(format!("{DEBEZIUM}: Postgres server wal_level property must be 'logical' but is: '{found}'")),
            Self::SlotCreation { cause, .. } => {
                let mut first = format!("{DEBEZIUM}: Creation of replication slot failed");
                match cause.sqlstate() {
                    Some("57014" | "55P03") => first.push_str("; query to create replication slot timed out"),
                    Some("42710") => first.push_str(DISTINCT_SLOT),
                    _ => {}
                }
                lines.push(first);
                cause.java(lines);
            }
            Self::StreamStart { lsn, cause, .. } => {
                let hint = if matches!(**cause, Self::SlotTaken { .. }) { DISTINCT_SLOT } else { "" };
                lines.push(format!("{DEBEZIUM}: Failed to start replication stream at LSN{{{lsn}}}{hint}"));
                cause.java(lines);
            }
            Self::HeartbeatQuery { cause } => {
                let state = cause.sqlstate().unwrap_or_default();
                lines.push(format!("{CONNECT}: Could not execute heartbeat action query (Error: {state})"));
                cause.java(lines);
            }
            Self::PublicationDisabled { .. } => lines.push(format!(
                "{CONNECT}: Publication autocreation is disabled, please create one and restart the connector."
            )),
            Self::PublicationChange { publication, action: "created", tables, cause } => {
                lines.push(format!("{CONNECT}: Unable to create filtered publication {publication} for {tables}"));
                cause.java(lines);
            }
            Self::PublicationChange { publication, tables, cause, .. } => {
                lines.push(format!("{CONNECT}: Unable to update filtered publication {publication} for {tables}"));
                cause.java(lines);
            }
            Self::PublicationEmpty { publication } => {
                lines.push(format!("{CONNECT}: Unable to create filtered publication {publication} for "));
                lines.push(format!("{DEBEZIUM}: No table filters found for filtered publication {publication}"));
            }
            Self::PublicationAllTables { publication, database } => lines.push(format!(
                "{DEBEZIUM}: A logical publication for all tables named '{publication}' for plugin 'PGOUTPUT' and database \
                 '{database}' is already active on the server and can not be altered. If you need to exclude some tables or \
                 include only specific subset, please recreate the publication with necessary configuration or let plugin \
                 recreate it by dropping existing publication. Otherwise please change the 'publication.autocreate.mode' \
                 property to 'all_tables'."
            )),
            Self::SlotLost { .. } => lines.push(format!(
                "{DEBEZIUM}: The offset to start reading from has been removed from the database write-ahead log. \
                 Create a new snapshot and consider setting of PostgreSQL parameter wal_keep_segments = 0."
            )),
            Self::PublicationStandby { .. } => {
                lines.push(format!("{DEBEZIUM}: Database replication is not up to date"));
            }
            Self::PublicationMissing { publication } => {
                lines.push(format!("{PSQL}: ERROR: publication \"{publication}\" does not exist"));
            }
            Self::PositionLost { stored, .. } => lines.push(trace::position_lost(stored)),
            Self::NeverCopies { .. } => lines.push(trace::never_copies()),
            Self::Guardrail { found, limit } => lines.push(trace::guardrail(*found, *limit)),
            Self::Stream { .. }
            | Self::SlotUnfit { .. }
            | Self::RowSecurity { .. }
            | Self::Protocol { .. }
            | Self::SlotMoved { .. } => lines.push(format!("{DEBEZIUM}: {self}")),
        }
    }
}

/// An error of the server as the Java driver (pgjdbc) prints it.
fn psql(server: &ServerError) -> String {
    let mut line = format!("{PSQL}: {}: {}", server.severity, server.message);
    if let Some(detail) = &server.detail {
        line.push_str("\n  Detail: ");
        line.push_str(detail);
    }
    if let Some(hint) = &server.hint {
        line.push_str("\n  Hint: ");
        line.push_str(hint);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lsn::Lsn;

    fn server(sqlstate: &str, message: &str) -> ServerError {
        ServerError {
            severity: "ERROR".into(),
            sqlstate: sqlstate.into(),
            message: message.into(),
            ..ServerError::default()
        }
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
        check(
            &Error::WalLevel { found: "replica".into() },
            false,
            "io.debezium.DebeziumException: Postgres server wal_level property must be 'logical' but is: 'replica'\n",
        );
        check(
            &Error::Schema {
                table: "s.t".into(),
                reason: "Cannot create field because of field name duplication a".into(),
            },
            false,
            "org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer. This \
             connector will be stopped.\nCaused by: org.apache.kafka.connect.errors.SchemaBuilderException: Cannot",
        );
        let missed = relational::reselect::Missed {
            table: "s.t".into(),
            key: "id".into(),
            position: "0/10".into(),
            why: relational::reselect::Why::NoRow,
        };
        check(
            &Error::Reselect(Box::new(missed)),
            false,
            "org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer. This \
             connector will be stopped.\nCaused by: org.apache.kafka.connect.errors.ConnectException: Error while processing \
             event at offset {lsn=0/10}\nCaused by: io.debezium.DebeziumException: Failed to find row in table s.t with key id ",
        );
        check(
            &Error::SlotCreation {
                slot: "s".into(),
                cause: Box::new(Error::Server {
                    doing: "x".into(),
                    server: Box::new(server("42710", "replication slot \"s\" already exists")),
                }),
            },
            false,
            "io.debezium.DebeziumException: Creation of replication slot failed; when setting up multiple connectors for the \
             same database host, please make sure to use a distinct replication slot name for each.\nCaused by: \
             org.postgresql.util.PSQLException: ERROR: replication slot \"s\" already exists\n",
        );
        check(
            &Error::StreamStart {
                slot: "s".into(),
                lsn: Lsn(0x1_0000_0010),
                cause: Box::new(Error::slot_taken("s", server("55006", "active for PID 7"))),
            },
            true,
            "io.debezium.DebeziumException: Failed to start replication stream at LSN{1/10}; when setting up multiple",
        );
        check(
            &Error::PublicationDisabled { publication: "p".into() },
            false,
            "org.apache.kafka.connect.errors.ConnectException: Publication autocreation is disabled, please create one and \
             restart the connector.\n",
        );
        check(
            &Error::PublicationEmpty { publication: "p".into() },
            false,
            "org.apache.kafka.connect.errors.ConnectException: Unable to create filtered publication p for \n",
        );
        check(
            &Error::PublicationAllTables { publication: "p".into(), database: "d".into() },
            false,
            "io.debezium.DebeziumException: A logical publication for all tables named 'p' for plugin 'PGOUTPUT' and database \
             'd' is already active on the server and can not be altered. If you need",
        );
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        check(
            &Error::Io { doing: "connecting".into(), at: "h:1".into(), source: refused },
            true,
            "org.postgresql.util.PSQLException: Connection to h:1 refused. Check that the hostname",
        );
        let detailed = ServerError { detail: Some("why".into()), hint: Some("how".into()), ..server("99999", "new") };
        check(
            &Error::Server { doing: "x".into(), server: Box::new(detailed.clone()) },
            false,
            "org.postgresql.util.PSQLException: ERROR: new\n  Detail: why\n  Hint: how\nReason: x: ERROR: new (SQLSTATE 99999); \
             detail: why; hint: how",
        );
        let cause = Error::Server { doing: "x".into(), server: Box::new(detailed) };
        let tables = "s.t".to_owned();
        check(
            &Error::PublicationChange { publication: "p".into(), action: "created", tables, cause: Box::new(cause) },
            false,
            "org.apache.kafka.connect.errors.ConnectException: Unable to create filtered publication p for s.t\nCaused by: \
             org.postgresql.util.PSQLException: ERROR: new\n  Detail: why\n  Hint: how\n",
        );
        check(
            &Error::Silent { at: "h:1".into(), slot: "s".into(), silent_ms: 5, reason: "nobody reads it".into() },
            true,
            "org.postgresql.util.PSQLException: Database connection failed when reading from copy\nCaused by: \
             java.net.SocketTimeoutException: Read timed out\n",
        );
        check(
            &Error::Server { doing: "x".into(), server: Box::new(server("99999", "new")) },
            false,
            "org.postgresql.util.PSQLException: ERROR: new\n",
        );
    }
}
