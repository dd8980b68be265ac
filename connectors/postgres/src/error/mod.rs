//! What can go wrong with this source.
//!
//! One enum for the crate: each variant says what failed, where, and what a person must do, and whether waiting helps
//! ([`Error::is_transient`]). `trace.rs` gives the form that a Connect task's `status.trace` has.
//!
//! Must not know: Kafka, HTTP, cell contents, passwords.

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
        /// What we were doing.
        doing: String,
        /// `host:port`.
        at: String,
        /// The system's error.
        source: io::Error,
    },
    /// The server did not answer in time.
    #[error("{doing} at {at}: no answer within {after_ms} ms; check the network and whether the server is overloaded")]
    TimedOut {
        /// What we were doing.
        doing: String,
        /// `host:port`.
        at: String,
        /// The limit in milliseconds.
        after_ms: u64,
    },
    /// TLS cannot be had as asked: a certificate, a key, a missing feature.
    #[error("TLS with {at} failed: {reason}")]
    Tls {
        /// `host:port`.
        at: String,
        /// What is wrong and the remedy.
        reason: String,
    },
    /// The server refuses this role (SQLSTATE class 28), or asks for what is not configured.
    #[error("{at} refuses user \"{user}\" on database \"{dbname}\": {server}. {remedy}")]
    Auth {
        /// `host:port`.
        at: String,
        /// The role.
        user: String,
        /// The database.
        dbname: String,
        /// What the server said.
        server: Box<ServerError>,
        /// What to do.
        remedy: &'static str,
    },
    /// The server refuses a statement or ends the session.
    #[error("{doing}: {server}{}", remedy_of(server))]
    Server {
        /// What we were doing.
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
    /// The rows of the user's own SELECT are not those of the table.
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
        /// The present setting.
        found: String,
    },
    /// Another session holds the slot.
    #[error("replication slot \"{slot}\" is in use{owner}: each connector needs a slot of its own. {}", owner.remedy())]
    SlotTaken {
        /// The slot.
        slot: String,
        /// Who holds it.
        owner: Box<SlotOwner>,
        /// What the server said.
        server: Box<ServerError>,
    },
    /// The slot that the stored position belongs to is gone.
    #[error(
        "replication slot \"{slot}\" does not exist in database \"{dbname}\": changes since the stored position are lost; \
         set snapshot.mode=when_needed, or delete the connector's offsets, to copy the tables again"
    )]
    SlotMissing {
        /// The slot.
        slot: String,
        /// The database that was looked at.
        dbname: String,
    },
    /// The server has removed log that the slot needs.
    #[error(
        "replication slot \"{slot}\" has lost its log ({reason}): the server removed what was not yet read. Raise \
         max_slot_wal_keep_size, drop the slot with SELECT pg_drop_replication_slot('{slot}'), and copy the tables again \
         (snapshot.mode=when_needed)"
    )]
    SlotLost {
        /// The slot.
        slot: String,
        /// `wal_status`, or what the server said.
        reason: String,
    },
    /// The slot exists, but it is not one that this connector can read.
    #[error("replication slot \"{slot}\" {reason}: {remedy}")]
    SlotUnfit {
        /// The slot.
        slot: String,
        /// What it is, as the rest of a sentence.
        reason: String,
        /// What to do.
        remedy: String,
    },
    /// The slot could not be made.
    #[error("replication slot \"{slot}\" could not be created: {cause}")]
    SlotCreation {
        /// The slot.
        slot: String,
        /// Why.
        cause: Box<Error>,
    },
    /// The stream could not be started.
    #[error("streaming from slot \"{slot}\" at {lsn} could not be started: {cause}")]
    StreamStart {
        /// The slot.
        slot: String,
        /// The position asked for.
        lsn: Lsn,
        /// Why.
        cause: Box<Error>,
    },
    /// A publication that must exist does not.
    #[error("publication \"{publication}\" does not exist: CREATE PUBLICATION \"{publication}\" FOR TABLE …")]
    PublicationMissing {
        /// The publication.
        publication: String,
    },
    /// A publication that must exist does not, and we are told not to make it.
    #[error(
        "publication \"{publication}\" does not exist and publication.autocreate.mode is disabled: \
         CREATE PUBLICATION \"{publication}\" FOR TABLE …, then restart the connector"
    )]
    PublicationDisabled {
        /// The publication.
        publication: String,
    },
    /// The publication could not be made or changed.
    #[error("publication \"{publication}\" could not be {action} for {tables}: {cause}")]
    PublicationChange {
        /// The publication.
        publication: String,
        /// `created` or `altered`.
        action: &'static str,
        /// The tables wanted.
        tables: String,
        /// Why.
        cause: Box<Error>,
    },
    /// `filtered`, but nothing is captured.
    #[error("no captured table for publication \"{publication}\": check table.include.list and schema.include.list")]
    PublicationEmpty {
        /// The publication.
        publication: String,
    },
    /// `filtered`, but the publication is for all tables and cannot be narrowed.
    #[error(
        "publication \"{publication}\" is FOR ALL TABLES and cannot be filtered: DROP PUBLICATION \"{publication}\", or \
         set publication.autocreate.mode=all_tables"
    )]
    PublicationAllTables {
        /// The publication.
        publication: String,
        /// The database.
        database: String,
    },
    /// A standby's publication differs from what is captured, and nothing can be written there.
    #[error(
        "the server is a standby and publication \"{publication}\" does not hold the captured tables {tables}: change it on \
         the primary"
    )]
    PublicationStandby {
        /// The publication.
        publication: String,
        /// The tables wanted.
        tables: String,
    },
    /// The log no longer reaches back to the stored position.
    #[error(
        "the stored position {stored} is before what slot \"{slot}\" still has ({available}): changes between are gone. Copy \
         the tables again (snapshot.mode=when_needed), or delete the connector's offsets"
    )]
    PositionLost {
        /// The stored offset, as text.
        stored: String,
        /// The slot.
        slot: String,
        /// What the slot has, or why it has nothing.
        available: String,
    },
    /// A copy was begun, and the mode may not finish it.
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
        /// Captured tables.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The stream cannot be decoded.
    #[error("the log at {lsn} cannot be decoded: {reason}; please report this with the server's version")]
    Stream {
        /// Where.
        lsn: Lsn,
        /// What was wrong.
        reason: String,
    },
    /// The replication connection is dead, though no error came of it.
    #[error(
        "the server at {at} has sent nothing from slot \"{slot}\" for {silent_ms} ms, and {reason}: the connection is made \
         anew. Look for a firewall, proxy or load balancer between that forgets connections"
    )]
    Silent {
        /// `host:port`.
        at: String,
        /// The slot.
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
        /// The tables.
        tables: String,
        /// The role.
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
    /// The other side does not speak the protocol.
    #[error("{doing}: {reason}")]
    Protocol {
        /// What we were doing.
        doing: String,
        /// What was wrong.
        reason: String,
    },
}

/// What to do about codes that a person meets often.
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
    /// Whether trying again later can help without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Io { .. } | Self::TimedOut { .. } | Self::SlotTaken { .. } | Self::Silent { .. } => true,
            Self::HeartbeatQuery { .. } => true,
            Self::Auth { server, .. } | Self::Server { server, .. } => server.is_transient(),
            Self::SlotCreation { cause, .. }
            | Self::StreamStart { cause, .. }
            | Self::PublicationChange { cause, .. } => cause.is_transient(),
            _ => false,
        }
    }

    /// What the server said, if this is about something that it said.
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

    /// The server's code, if it gave one.
    pub fn sqlstate(&self) -> Option<&str> {
        self.server().map(|server| server.sqlstate.as_str())
    }

    /// Puts a server's error in context: the same answer means another thing while a slot is being taken.
    pub(crate) fn from_server(doing: impl Into<String>, server: ServerError) -> Self {
        Self::Server { doing: doing.into(), server: Box::new(server) }
    }

    /// A slot that another session holds, as the server says it.
    pub(crate) fn slot_taken(slot: impl Into<String>, server: ServerError) -> Self {
        let owner = SlotOwner { pid: server.active_pid(), ..SlotOwner::default() };
        Self::SlotTaken { slot: slot.into(), owner: Box::new(owner), server: Box::new(server) }
    }

    /// The slot that is in use, and what is known of its owner, if that is what this is about.
    pub(crate) fn taken(&mut self) -> Option<(&str, &mut SlotOwner)> {
        match self {
            Self::SlotTaken { slot, owner, .. } => Some((slot, owner)),
            Self::StreamStart { cause, .. } => cause.taken(),
            _ => None,
        }
    }

    /// Bytes that are not of the protocol.
    pub(crate) fn bad_frame(doing: &str, bad: BadFrame) -> Self {
        Self::Protocol { doing: doing.into(), reason: format!("{bad}; is this a PostgreSQL server?") }
    }

    /// From an ordinary connection.
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
