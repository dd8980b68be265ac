//! What can go wrong with this source.
//!
//! One enum for the crate. Each variant says what failed, where, what a person must do, and whether a retry may help
//! ([`Error::is_transient`]). `trace.rs` writes an error in the form of a Connect task's `status.trace`.
//!
//! Must not know: Kafka, HTTP, cell contents, passwords.

mod outlook;
mod owner;
mod server;
mod sqlstate;
mod trace;

use std::io;

pub use owner::SlotOwner;
pub use server::ServerError;
pub use sqlstate::is_transient;

use crate::lsn::Lsn;
use crate::wire::frames::BadFrame;

/// An error of the PostgreSQL source.
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
    /// The server did not answer in time.
    #[error("{doing} at {at}: no answer within {after_ms} ms; check the network and whether the server is overloaded")]
    TimedOut {
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
    /// The server refuses to log this role in.
    #[error("{at} refuses user \"{user}\" on database \"{dbname}\": {server}. {remedy}")]
    Auth {
        /// `host:port`.
        at: String,
        /// Name of the role.
        user: String,
        /// Name of the database.
        dbname: String,
        /// What the server said.
        server: Box<ServerError>,
        /// What to do.
        remedy: &'static str,
    },
    /// The server refuses a statement or ends the session.
    #[error("{doing}: {server}{}", remedy_of(server))]
    Server {
        /// What was being done, as the begin of a message.
        doing: String,
        /// What the server said.
        server: Box<ServerError>,
    },
    /// A setting cannot be used.
    #[error("{key}: {reason}")]
    Config {
        /// The configuration key.
        key: String,
        /// What is wrong and what to write instead.
        reason: String,
    },
    /// A table's columns make no Connect schema.
    #[error(
        "table {table}: {reason}; rename a column, hide it (column.exclude.list) or change field.name.adjustment.mode"
    )]
    Schema {
        /// `schema.table`.
        table: String,
        /// Kafka Connect's own text.
        reason: String,
    },
    /// The columns of the user's own SELECT do not fit the table.
    #[error("table {table}: snapshot.select.statement.overrides.{table}: {reason}")]
    Override {
        /// `schema.table`.
        table: String,
        /// What does not fit, and what to write.
        reason: String,
    },
    /// The server does not write a logical log.
    #[error(
        "wal_level of the server is '{found}', logical decoding needs 'logical': \
         ALTER SYSTEM SET wal_level = 'logical' and restart the server"
    )]
    WalLevel {
        /// The server's present `wal_level`.
        found: String,
    },
    /// Another session holds the slot.
    #[error("replication slot \"{slot}\" is in use{owner}: each connector needs a slot of its own. {}", owner.remedy())]
    SlotTaken {
        /// Name of the slot.
        slot: String,
        /// The session that holds the slot.
        owner: Box<SlotOwner>,
        /// What the server said.
        server: Box<ServerError>,
    },
    /// The server has removed log that the slot needs.
    #[error(
        "replication slot \"{slot}\" has lost its log ({reason}): the server removed what was not yet read. Raise \
         max_slot_wal_keep_size, drop the slot with SELECT pg_drop_replication_slot('{slot}'), and copy the tables again \
         (snapshot.mode=when_needed)"
    )]
    SlotLost {
        /// Name of the slot.
        slot: String,
        /// `wal_status`, or what the server said.
        reason: String,
    },
    /// The slot exists, but it is not one that this connector can read.
    #[error("replication slot \"{slot}\" {reason}: {remedy}")]
    SlotUnfit {
        /// Name of the slot.
        slot: String,
        /// Why the slot cannot be read, as the rest of a sentence that begins with the slot.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// The slot could not be created.
    #[error("replication slot \"{slot}\" could not be created: {cause}")]
    SlotCreation {
        /// Name of the slot.
        slot: String,
        /// The error behind it.
        cause: Box<Error>,
    },
    /// The stream could not be started.
    #[error("streaming from slot \"{slot}\" at {lsn} could not be started: {cause}")]
    StreamStart {
        /// Name of the slot.
        slot: String,
        /// The position asked for.
        lsn: Lsn,
        /// The error behind it.
        cause: Box<Error>,
    },
    /// A publication that must exist does not.
    #[error("publication \"{publication}\" does not exist: CREATE PUBLICATION \"{publication}\" FOR TABLE …")]
    PublicationMissing {
        /// Name of the publication.
        publication: String,
    },
    /// The publication does not exist, and `publication.autocreate.mode=disabled` forbids to create it.
    #[error(
        "publication \"{publication}\" does not exist and publication.autocreate.mode is disabled: \
         CREATE PUBLICATION \"{publication}\" FOR TABLE …, then restart the connector"
    )]
    PublicationDisabled {
        /// Name of the publication.
        publication: String,
    },
    /// The publication could not be created or altered.
    #[error("publication \"{publication}\" could not be {action} for {tables}: {cause}")]
    PublicationChange {
        /// Name of the publication.
        publication: String,
        /// `created` or `altered`.
        action: &'static str,
        /// Names of the captured tables, separated by commas.
        tables: String,
        /// The error behind it.
        cause: Box<Error>,
    },
    /// `publication.autocreate.mode` is `filtered`, but no table is captured.
    #[error("no captured table for publication \"{publication}\": check table.include.list and schema.include.list")]
    PublicationEmpty {
        /// Name of the publication.
        publication: String,
    },
    /// `publication.autocreate.mode` is `filtered`, but the publication is FOR ALL TABLES and cannot be narrowed.
    #[error(
        "publication \"{publication}\" is FOR ALL TABLES and cannot be filtered: DROP PUBLICATION \"{publication}\", or \
         set publication.autocreate.mode=all_tables"
    )]
    PublicationAllTables {
        /// Name of the publication.
        publication: String,
        /// Name of the database.
        database: String,
    },
    /// The publication does not hold the captured tables, and the server is a standby, where it cannot be changed.
    #[error(
        "the server is a standby and publication \"{publication}\" does not hold the captured tables {tables}: change it on \
         the primary"
    )]
    PublicationStandby {
        /// Name of the publication.
        publication: String,
        /// Names of the captured tables, separated by commas.
        tables: String,
    },
    /// Another process has advanced the slot between this connector's look at it and the beginning of the stream.
    #[error(
        "slot \"{slot}\" was advanced by another process before this connector could read it: the start is decided anew"
    )]
    SlotMoved {
        /// Name of the slot.
        slot: String,
    },
    /// The log no longer reaches back to the stored position.
    #[error(
        "the stored position {stored} is before what slot \"{slot}\" still has ({available}): changes between are gone. Copy \
         the tables again (snapshot.mode=when_needed), or delete the connector's offsets"
    )]
    PositionLost {
        /// The stored offset, as text.
        stored: String,
        /// Name of the slot.
        slot: String,
        /// The position from which the slot still has the log, or why it has none.
        available: String,
    },
    /// A copy was begun and not finished, and `snapshot.mode` does not allow another.
    #[error(
        "a snapshot was begun and not finished, and snapshot.mode={mode} as it is set copies no rows: set snapshot.mode=initial, \
         or delete the connector's offsets to begin without the rows"
    )]
    NeverCopies {
        /// `snapshot.mode`.
        mode: String,
    },
    /// More tables than the guardrail allows.
    #[error(
        "{found} tables are captured, guardrail.collections.max allows {limit}: narrow table.include.list or raise it"
    )]
    Guardrail {
        /// How many tables are captured.
        found: usize,
        /// `guardrail.collections.max`.
        limit: usize,
    },
    /// The stream cannot be decoded.
    #[error("the log at {lsn} cannot be decoded: {reason}; please report this with the server's version")]
    Stream {
        /// The LSN up to which the stream was received.
        lsn: Lsn,
        /// What was wrong.
        reason: String,
    },
    /// The replication connection is dead, although the network reported no error.
    #[error(
        "the server at {at} has sent nothing from slot \"{slot}\" for {silent_ms} ms, and {reason}: the connection is made \
         anew. Look for a firewall, proxy or load balancer in between that drops idle connections"
    )]
    Silent {
        /// `host:port`.
        at: String,
        /// Name of the slot.
        slot: String,
        /// For how long nothing came.
        silent_ms: u64,
        /// What shows that the connection is dead, and not the server busy.
        reason: String,
    },
    /// Row-level security would hide rows from a copy.
    #[error(
        "row-level security hides rows of {tables} from user \"{user}\": a copy would be incomplete. \
         ALTER ROLE \"{user}\" BYPASSRLS"
    )]
    RowSecurity {
        /// Names of the tables, separated by commas.
        tables: String,
        /// Name of the role.
        user: String,
    },
    /// The statement that goes with each heartbeat cannot be run.
    #[error(
        "{cause}; correct heartbeat.action.query, or make the table that it writes to and let the connector's role write there"
    )]
    HeartbeatQuery {
        /// What the server said.
        cause: Box<Error>,
    },
    /// Columns of a change could not be read again, and `reselect.error.handling.mode=fail` ends the task then.
    #[error("{0}; reselect.error.handling.mode=warn sends such a change as it is")]
    Reselect(Box<relational::reselect::Missed>),
    /// The other side does not keep to PostgreSQL's protocol.
    #[error("{doing}: {reason}")]
    Protocol {
        /// What was being done, as the begin of a message.
        doing: String,
        /// What was wrong.
        reason: String,
    },
}

/// What to do about SQLSTATEs that people meet often; empty for others.
fn remedy_of(server: &ServerError) -> &'static str {
    match server.sqlstate.as_str() {
        "42501" => {
            ". Grant what is missing: REPLICATION to the role, SELECT on the tables, CREATE on the database for publications"
        }
        "53300" => ". Raise max_connections or max_wal_senders, or end sessions that are not needed",
        "53400" => ". Raise max_replication_slots, or drop a slot that nobody reads (pg_replication_slots)",
        "55000" if server.message.contains("wal_level") => {
            ". ALTER SYSTEM SET wal_level = 'logical' and restart the server"
        }
        "3D000" => ". Check database.dbname",
        "58P01" => {
            ". Log that was needed is gone: raise max_slot_wal_keep_size or wal_keep_size and copy the tables again"
        }
        _ => "",
    }
}

impl Error {
    /// Whether a later try can succeed without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Io { .. } | Self::TimedOut { .. } | Self::SlotTaken { .. } | Self::Silent { .. } => true,
            Self::HeartbeatQuery { .. } | Self::SlotMoved { .. } => true,
            Self::Auth { server, .. } | Self::Server { server, .. } => server.is_transient(),
            Self::SlotCreation { cause, .. }
            | Self::StreamStart { cause, .. }
            | Self::PublicationChange { cause, .. } => cause.is_transient(),
            _ => false,
        }
    }

    /// What the server said, if an error of the server is the cause.
    pub fn server(&self) -> Option<&ServerError> {
        match self {
            Self::Auth { server, .. } | Self::Server { server, .. } | Self::SlotTaken { server, .. } => Some(server),
            Self::SlotCreation { cause, .. }
            | Self::StreamStart { cause, .. }
            | Self::PublicationChange { cause, .. }
            | Self::HeartbeatQuery { cause } => cause.server(),
            _ => None,
        }
    }

    /// The server's SQLSTATE, if an error of the server is the cause.
    pub fn sqlstate(&self) -> Option<&str> {
        self.server().map(|server| server.sqlstate.as_str())
    }

    /// An error of the server, with what was being done.
    pub(crate) fn from_server(doing: impl Into<String>, server: ServerError) -> Self {
        Self::Server { doing: doing.into(), server: Box::new(server) }
    }

    /// The error for a slot that another session holds; `server` says so (SQLSTATE 55006).
    pub(crate) fn slot_taken(slot: impl Into<String>, server: ServerError) -> Self {
        let owner = SlotOwner { pid: server.active_pid(), ..SlotOwner::default() };
        Self::SlotTaken { slot: slot.into(), owner: Box::new(owner), server: Box::new(server) }
    }

    /// The name of the slot and what is known of its owner, if this is an error of a slot in use.
    pub(crate) fn taken(&mut self) -> Option<(&str, &mut SlotOwner)> {
        match self {
            Self::SlotTaken { slot, owner, .. } => Some((slot, owner)),
            Self::StreamStart { cause, .. } => cause.taken(),
            _ => None,
        }
    }

    /// The error for bytes that are not of PostgreSQL's protocol.
    pub(crate) fn bad_frame(doing: &str, bad: BadFrame) -> Self {
        Self::Protocol { doing: doing.into(), reason: format!("{bad}; is this a PostgreSQL server?") }
    }

    /// An error of an ordinary connection to `at` (`host:port`).
    pub(crate) fn from_sql(doing: impl Into<String>, at: &str, error: tokio_postgres::Error) -> Self {
        let doing = doing.into();
        if let Some(db) = error.as_db_error() {
            return Self::from_server(doing, ServerError::from_db(db));
        }
        if error.is_closed() {
            let source = io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection");
            return Self::Io { doing, at: at.into(), source };
        }
        let text = error.to_string();
        match error.into_source().map(<dyn std::error::Error + Send + Sync>::downcast::<io::Error>) {
            Some(Ok(source)) => Self::Io { doing, at: at.into(), source: *source },
            Some(Err(other)) => Self::Protocol { doing, reason: format!("{text}: {other}") },
            None => Self::Protocol { doing, reason: text },
        }
    }
}
