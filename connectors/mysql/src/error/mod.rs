//! What can go wrong between this source and its server.
//!
//! One enum for connections, queries and the dump of the binlog. Each variant says what failed, where, what a person must
//! do, and whether a retry may help ([`Error::is_transient`]). `trace.rs` writes an error in the form of a Connect task's
//! `status.trace`.
//!
//! Must not know: Kafka, HTTP, cell contents, passwords.

mod in_doubt;
mod numbers;
mod outlook;
mod server;
mod trace;

use std::io;

pub use in_doubt::InDoubt;
pub use numbers::is_transient;
pub use server::ServerError;

use crate::wire::packets::BadPacket;

/// An error of the MySQL and MariaDB source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The network failed or the server is not there.
    #[error("{doing} at {at}: {source}")]
    Io {
        /// What was being done, as the begin of a message.
        doing: String,
        /// `host:port`.
        at: String,
        /// The system's error.
        source: io::Error,
    },
    /// The server cannot be reached or does not greet in time.
    #[error(
        "{doing} at {at} with user '{user}': no answer within {after_ms} ms; check the network, database.hostname and \
         database.port, or raise connect.timeout.ms"
    )]
    ConnectTimedOut {
        /// What was being done, as the begin of a message.
        doing: String,
        /// `host:port`.
        at: String,
        /// The account that was to log in.
        user: String,
        /// The limit in milliseconds.
        after_ms: u64,
    },
    /// A statement did not end in time.
    #[error(
        "{doing} at {at}: no answer within {after_ms} ms (database.query.timeout.ms); the statement was cancelled. Look \
         for locks and load on the server, or raise the limit"
    )]
    QueryTimedOut {
        /// What was being done, as the begin of a message.
        doing: String,
        /// `host:port`.
        at: String,
        /// The limit in milliseconds.
        after_ms: u64,
    },
    /// TLS cannot be set up as configured, because of a certificate, a key or a missing feature.
    #[error("TLS with {at} failed: {reason}")]
    Tls {
        /// `host:port`.
        at: String,
        /// What is wrong and the remedy.
        reason: String,
    },
    /// The server refuses to log this user in.
    #[error("{at} refuses user '{user}': {server}. {}", remedy_of_login(server))]
    Auth {
        /// `host:port`.
        at: String,
        /// The account as configured.
        user: String,
        /// What the server said.
        server: Box<ServerError>,
    },
    /// The server asks for a way to log in that cannot be used.
    #[error("{at} asks user '{user}' to log in by {plugin}: {reason}")]
    AuthPlugin {
        /// `host:port`.
        at: String,
        /// The account as configured.
        user: String,
        /// The server's name of the authentication plugin.
        plugin: String,
        /// Why the plugin cannot be used and what to do.
        reason: String,
    },
    /// The server refuses a statement or ends the session.
    #[error("{doing} at {at} as user '{user}': {server}{}", remedy_of(server, user))]
    Server {
        /// What was being done, as the begin of a message.
        doing: String,
        /// `host:port`.
        at: String,
        /// The account as configured.
        user: String,
        /// What the server said.
        server: Box<ServerError>,
    },
    /// The account lacks privileges.
    #[error("user '{user}' at {at} lacks {}: GRANT {} ON *.* TO that user", missing.join(", "), missing.join(", "))]
    Privileges {
        /// `host:port`.
        at: String,
        /// The account as configured.
        user: String,
        /// What is missing, as GRANT names it.
        missing: Vec<&'static str>,
    },
    /// A setting cannot be used.
    #[error("{key}: {reason}")]
    Config {
        /// The configuration key.
        key: String,
        /// What is wrong and what to write instead.
        reason: String,
    },
    /// A variable of the server has a value with which changes cannot be read.
    #[error(
        "{name} of the server at {at} is '{found}', must be '{wanted}': SET GLOBAL {name} = '{wanted}', and my.cnf"
    )]
    Variable {
        /// `host:port`.
        at: String,
        /// Name of the variable.
        name: &'static str,
        /// Its value.
        found: String,
        /// The value that is needed.
        wanted: &'static str,
    },
    /// The server no longer has the part of its binlog that was asked for.
    #[error(
        "{at} no longer has the binlog from {position} on: {server}. Changes in between are gone: copy the tables again \
         (snapshot.mode=when_needed), and keep binlogs longer (binlog_expire_logs_seconds, expire_logs_days)"
    )]
    BinlogLost {
        /// `host:port`.
        at: String,
        /// The file and position, or the GTID set, that the dump was asked from.
        position: String,
        /// What the server said.
        server: Box<ServerError>,
    },
    /// Another replica with the same server id has taken this one's place.
    #[error(
        "{at} gave the binlog to another replica with server id {server_id}: {server}. Each connector and each replica of \
         one server needs a database.server.id of its own"
    )]
    ServerIdTaken {
        /// `host:port`.
        at: String,
        /// `database.server.id`.
        server_id: u32,
        /// What the server said.
        server: Box<ServerError>,
    },
    /// The server ended the dump with another error.
    #[error("{at} ended the dump of the binlog from {position}: {server}")]
    Dump {
        /// `host:port`.
        at: String,
        /// The file and position, or the GTID set, that the dump was asked from.
        position: String,
        /// What the server said.
        server: Box<ServerError>,
    },
    /// The binlog connection is dead, although the network reported no error.
    #[error(
        "the server at {at} has sent neither an event nor a heartbeat for {silent_ms} ms: the connection is made anew. Look \
         for a firewall, proxy or load balancer in between that drops idle connections"
    )]
    Silent {
        /// `host:port`.
        at: String,
        /// For how long nothing came.
        silent_ms: u64,
    },
    /// The server has ended the dump in order, because it shuts down.
    #[error("the server at {at} ended the dump of the binlog: it shuts down, or somebody ended the connection")]
    DumpEnded {
        /// `host:port`.
        at: String,
    },
    /// An event of the binlog cannot be read.
    #[error(transparent)]
    Binlog(#[from] crate::binlog::BinlogError),
    /// A text that should be a set of GTIDs is none.
    #[error("'{set}': {error}")]
    Gtids {
        /// The text, of the stored offset or of the server.
        set: String,
        /// What is wrong.
        error: crate::gtid::GtidError,
    },
    /// The stored offset cannot be used.
    #[error(transparent)]
    Offset(#[from] crate::position::Lacking),
    /// The server no longer has what is needed to go on from the stored offset.
    #[error(
        "the server can no longer send what follows the stored offset {stored}; it has {available}. The changes in between are \
         gone: copy the tables again (snapshot.mode=when_needed), and keep binlogs longer (binlog_expire_logs_seconds, \
         expire_logs_days)"
    )]
    PositionLost {
        /// The offset as it is stored.
        stored: String,
        /// What the server has.
        available: String,
    },
    /// A copy was begun and not finished, and the mode copies no rows.
    #[error(
        "a snapshot was begun and not finished, and snapshot.mode={mode} takes none: set snapshot.mode=initial, or delete the \
         connector's offsets"
    )]
    NeverCopies {
        /// `snapshot.mode`.
        mode: String,
    },
    /// More tables are captured than `guardrail.collections.max` allows.
    #[error("{found} tables are captured, guardrail.collections.max allows {limit}: capture fewer, or raise the limit")]
    Guardrail {
        /// How many tables are captured.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The schema history could not be read or written.
    #[error("{reason}")]
    History {
        /// What failed and what to do, naming the topic or file.
        reason: String,
        /// Whether it may pass by itself.
        is_transient: bool,
    },
    /// A position is stored, and the schema history that it needs is missing or empty.
    #[error(
        "The db history topic is missing. You may attempt to recover it by reconfiguring the connector to recovery. (set \
         snapshot.mode=recovery, which is right only if no table was altered since the connector stopped)"
    )]
    HistoryLost,
    /// The schema history that a stored position needs is that of another connector, or its begin is gone.
    #[error(
        "The schema history has no record of this connector (server '{server}') at or before the stored offset: it is another \
         connector's, its first records were deleted, or the offset was set to a place before them. Set \
         schema.history.internal.kafka.topic to the topic that belongs to the offset, or read the tables anew with \
         snapshot.mode=recovery, which is right only if none was altered since the connector stopped"
    )]
    HistoryOfOthers {
        /// `topic.prefix`, by which the connector knows its records.
        server: String,
    },
    /// One of the connector's own records in the schema history cannot be read.
    #[error(
        "Record {number} of the schema history is one of this connector's and damaged: {reason}. The rows of the tables that it \
         changed would be read wrongly. Read the tables anew, with snapshot.mode=recovery and a new \
         schema.history.internal.kafka.topic, which is right only if none was altered since the connector stopped; with \
         schema.history.internal.skip.unparseable.ddl=true the record is passed over"
    )]
    HistoryDamaged {
        /// The how-many-th record it is, from 1.
        number: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// `snapshot.mode=recovery` without a stored position.
    #[error("Could not find existing redo log information while attempting schema only recovery snapshot")]
    NothingToRecover,
    /// Neither the server's own statement that makes a captured table is understood, nor what its catalogue tells of the table.
    #[error(
        "the snapshot asked the server how a table is made (SHOW CREATE TABLE, and then information_schema), and {reason}. Tell \
         us the statement. To go on without the table, leave it out (table.exclude.list), or set \
         schema.history.internal.skip.unparseable.ddl=true"
    )]
    Ddl {
        /// What is not understood.
        reason: crate::ddl::NotUnderstood,
    },
    /// Rows of a captured table whose schema nobody knows.
    #[error(
        "Encountered change event for table {table} whose schema isn't known to this connector (restart it with \
         snapshot.mode=recovery, or pass over such rows with inconsistent.schema.handling.mode=warn)"
    )]
    UnknownTable {
        /// `database.table`.
        table: String,
    },
    /// Rows that are not those of the table as it is known.
    #[error("table {table}{}: {reason}", at.as_ref().map(|at| format!(", at {at}")).unwrap_or_default())]
    Rows {
        /// `database.table`.
        table: String,
        /// `file:position` of its TABLE_MAP in the binlog, or of the first rows behind it.
        at: Option<String>,
        /// What does not fit.
        reason: String,
    },
    /// Columns of a change could not be read again, and `reselect.error.handling.mode=fail` ends the task then.
    #[error("{0}; reselect.error.handling.mode=warn sends such a change as it is")]
    Reselect(Box<relational::reselect::Missed>),
    /// Nothing tells how a table is that a statement may have changed which is not understood.
    #[error(transparent)]
    InDoubt(#[from] Box<InDoubt>),
    /// The schema of a table cannot be built.
    #[error(
        "table {table}: {reason}; rename a column, hide it (column.exclude.list) or change field.name.adjustment.mode"
    )]
    Schema {
        /// `database.table`.
        table: String,
        /// Kafka Connect's text.
        reason: String,
    },
    /// The global lock was refused, and the mode takes no others.
    #[error(
        "Cannot perform two-phase schema snapshot because global read lock was not acquired and table locks are not allowed in \
         *_no_table_locks mode."
    )]
    NoTableLocks,
    /// The lock of a snapshot was not granted in time.
    #[error(
        "the snapshot cannot begin at {at}: its lock was not granted within {after_ms} ms (snapshot.lock.timeout.ms), because it \
         waits for {holders}. End them or wait for their end, raise the limit, or do without a lock (snapshot.locking.mode=none, if \
         no table is altered meanwhile)"
    )]
    LockWaits {
        /// `host:port`.
        at: String,
        /// The limit in milliseconds.
        after_ms: u64,
        /// The sessions that it waits for, as far as they are known.
        holders: String,
    },
    /// A connection leads to another server than the one before, and what belongs together would be read from two.
    #[error(
        "another server answers at {at} than a moment ago ({differs}): the name leads to several servers, as through a load \
         balancer. A snapshot is of one server, and so are a binlog's files and positions. Set database.hostname to one of them"
    )]
    OtherServer {
        /// `host:port`.
        at: String,
        /// The variable in which they differ, with both values.
        differs: String,
    },
    /// XA transactions were prepared before a snapshot and are not ended.
    #[error(
        "the snapshot cannot begin at {at}: XA transactions have been prepared for longer than {after_ms} ms \
         (snapshot.lock.timeout.ms), whose rows it does not see and behind which the stream would begin: {xids}. Commit them or \
         roll them back (XA RECOVER lists them; XA COMMIT and XA ROLLBACK take these names)"
    )]
    PreparedXa {
        /// `host:port`.
        at: String,
        /// The limit in milliseconds.
        after_ms: u64,
        /// Their names.
        xids: String,
    },
    /// The statement that goes with each heartbeat cannot be run.
    #[error("{cause}; correct heartbeat.action.query, or GRANT the connector's user what it needs")]
    HeartbeatQuery {
        /// What the server said of it.
        cause: Box<Error>,
    },
    /// A table that is to be copied is changed by DDL again and again.
    #[error(
        "copying table {table}: DDL changed it each time that its rows were about to be read; try again when it is done"
    )]
    ChangesOn {
        /// `database.table`.
        table: String,
    },
    /// The account may lock neither the server nor its tables.
    #[error(
        "User does not have the 'LOCK TABLES' privilege required to obtain a consistent snapshot by preventing concurrent writes \
         to tables. GRANT RELOAD ON *.* TO user '{user}' at {at}, or LOCK TABLES as well to lock only the captured tables"
    )]
    LockTables {
        /// `host:port`.
        at: String,
        /// The account as configured.
        user: String,
    },
    /// The other side does not keep to MySQL's protocol.
    #[error("{doing}: {reason}")]
    Protocol {
        /// What was being done, as the begin of a message.
        doing: String,
        /// What was wrong.
        reason: String,
    },
}

/// What to do about a refused log-in.
fn remedy_of_login(server: &ServerError) -> &'static str {
    match server.number {
        1040 | 1203 | 1226 => "Raise max_connections, or end sessions that are not needed",
        1129 => "The server blocked this host after too many failed connections: FLUSH HOSTS there",
        1130 => "CREATE USER … @'this host' on the server, or connect from a host that it allows",
        1820 | 1862 => "The password has expired: ALTER USER … IDENTIFIED BY … with a new one, then database.password",
        3118 => "The account is locked: ALTER USER … ACCOUNT UNLOCK",
        3159 => "The account needs TLS: set database.ssl.mode",
        _ => "Check database.user and database.password, and database.ssl.mode if the account REQUIREs TLS",
    }
}

/// What to do about errors that people meet often; empty for others.
fn remedy_of(server: &ServerError, user: &str) -> String {
    let what = match server.number {
        // The message of 1227 names the privileges: "you need (at least one of) the RELOAD privilege(s) for this operation".
        1227 => match server.message.split("one of) the ").nth(1).and_then(|rest| rest.split(" privilege").next()) {
            // One of them is enough: not the one that allows everything, and else the first.
            Some(privileges) => {
                let least = privileges.trim_start_matches("SUPER, ").split(" or ").next().unwrap_or_default();
                return format!(". GRANT {least} ON *.* TO user '{user}'");
            }
            None => "GRANT what the message names",
        },
        1044 => "GRANT SELECT ON that database",
        1142 | 1143 => "GRANT SELECT ON that table",
        1236 => "Look for what the server says of its binlog",
        1290 => "The server runs with an option that forbids this",
        1317 | 1053 | 1927 => return ". Somebody on the server ended the session or the statement".to_owned(),
        1381 => "The server writes no binlog: start it with log_bin",
        3024 | 1969 => {
            "The server's own limit of a statement's time is too short: max_execution_time, max_statement_time"
        }
        _ => return String::new(),
    };
    format!(". {what} (user '{user}')")
}

impl Error {
    /// Whether a later try can succeed without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Io { .. } | Self::ConnectTimedOut { .. } | Self::QueryTimedOut { .. } | Self::Silent { .. } => true,
            Self::ServerIdTaken { .. } | Self::DumpEnded { .. } | Self::ChangesOn { .. } => true,
            Self::LockWaits { .. } | Self::PreparedXa { .. } | Self::OtherServer { .. } => true,
            Self::Binlog(error) => error.is_transient(),
            Self::History { is_transient, .. } => *is_transient,
            Self::Auth { server, .. } | Self::Server { server, .. } | Self::Dump { server, .. } => {
                server.is_transient()
            }
            _ => false,
        }
    }

    /// What the server said, if an error of the server is the cause.
    pub fn server(&self) -> Option<&ServerError> {
        match self {
            Self::Auth { server, .. }
            | Self::Server { server, .. }
            | Self::BinlogLost { server, .. }
            | Self::ServerIdTaken { server, .. }
            | Self::Dump { server, .. } => Some(server),
            Self::HeartbeatQuery { cause } => cause.server(),
            _ => None,
        }
    }

    /// The number of the server's error, if an error of the server is the cause.
    pub fn number(&self) -> Option<u16> {
        self.server().map(|server| server.number)
    }

    /// The server's SQLSTATE, if an error of the server is the cause.
    pub fn sqlstate(&self) -> Option<&str> {
        self.server().map(|server| server.sqlstate.as_str())
    }

    /// The error for bytes that are not of MySQL's protocol.
    pub(crate) fn bad_packet(doing: &str, bad: BadPacket) -> Self {
        Self::Protocol { doing: doing.into(), reason: format!("{bad}; is this a MySQL or MariaDB server?") }
    }
}
