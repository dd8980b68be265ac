//! The connector's settings, typed.
//!
//! One struct for each concern, in a file with the code that reads it, so that a part of the connector takes only what it
//! needs. All errors of a config are reported together ([`PostgresConfig::read`]). Settings that do something else than the
//! user may expect are reported as findings. Nobody outside of the crate sees these structs, so the compiler finds a field
//! that no code reads, and with it a key that only seems to work.
//!
//! Must not know: sockets, SQL, the pipeline. Of the rooms that carry settings out it knows the enums of their choices.

mod connection;
mod events;
mod filters;
mod modes;
mod position;
mod snapshot;
mod topics;
mod types;

pub use connection::Connection;
pub use events::{Events, Limits, Operation};
pub use filters::{Filters, Treatment};
#[cfg(test)]
pub use modes::SnapshotMode;
pub use modes::{
    BinaryMode, ConvertFailure, DecimalMode, GuardrailAction, HstoreMode, IntervalMode, LsnFlushMode, NameAdjustment,
    OffsetMismatch, OutputPlugin, SnapshotLocking, TimeMode,
};
pub use position::{Position, Publication, Slot};
pub use snapshot::Snapshot;
pub use topics::Topics;
pub use types::Types;

use settings::{Finding, Invalid, Properties, Reader};

use crate::keys;

/// All settings of one connector.
#[derive(Clone, Debug)]
pub struct PostgresConfig {
    /// Where the server is and how to speak to it.
    pub connection: Connection,
    /// The replication slot.
    pub slot: Slot,
    /// The publication, and replica identities that are set for it.
    pub publication: Publication,
    /// How the server is told of the position, and what holds when positions differ.
    pub position: Position,
    /// What is copied, when and how.
    pub snapshot: Snapshot,
    /// What is captured.
    pub filters: Filters,
    /// What is done to columns and keys.
    pub treatment: Treatment,
    /// How column types become values.
    pub types: Types,
    /// Which records there are beside the changes, and how changes look.
    pub events: Events,
    /// Names of topics.
    pub topics: Topics,
    /// Queues, retries, waits.
    pub limits: Limits,
}

impl PostgresConfig {
    /// Reads a connector's config.
    ///
    /// # Errors
    /// All values that are refused, together, with the messages of a validation.
    pub fn read(properties: &Properties) -> Result<Self, Vec<Invalid>> {
        Self::read_with_findings(properties).map(|(config, _)| config)
    }

    /// As [`PostgresConfig::read`], with findings for the log: settings that have no effect or fall back to their default.
    pub fn read_with_findings(properties: &Properties) -> Result<(Self, Vec<Finding>), Vec<Invalid>> {
        let mut reader = Reader::new(keys::KEYS, properties);
        let r = &mut reader;
        sanitize_pattern(r);
        let mut config = Self {
            connection: Connection::read(r),
            slot: Slot::read(r),
            publication: Publication::read(r),
            position: Position::read(r),
            snapshot: Snapshot::read(r),
            filters: Filters::read(r),
            treatment: Treatment::read(r),
            types: Types::read(r),
            events: Events::read(r),
            topics: Topics::read(r),
            limits: Limits::read(r),
        };
        config.events.heartbeat_when_positions_need_it(config.position.flush_mode, r);
        reader.finish(config)
    }
}

/// Reads the connection alone: of all properties only `database.*` and `driver.*` count.
///
/// # Errors
/// All values that are refused.
pub fn connection(properties: &Properties) -> Result<Connection, Vec<Invalid>> {
    let is_of_connection = |name: &str| name.starts_with("database.") || name.starts_with("driver.");
    let of_connection = properties.iter().filter(|(name, _)| is_of_connection(name));
    let mut own: Properties = of_connection.filter_map(|(name, value)| Some((name, value?))).collect();
    // A connector must have a prefix of its topics, and so the table of keys demands one. A connection has no use for it.
    own.insert("topic.prefix", "none");
    let mut reader = Reader::new(keys::KEYS, &own);
    let connection = Connection::read(&mut reader);
    reader.finish(connection).map(|(connection, _)| connection)
}

/// Warns of a `custom.sanitize.pattern` that does not compile. Whoever logs a config then masks by the built-in endings of
/// key names.
fn sanitize_pattern(r: &mut Reader<'_>) {
    if let Some(Err(e)) = r.text_or_none("custom.sanitize.pattern").map(|pattern| settings::JavaRegex::new(&pattern)) {
        r.find(Finding {
            key: "custom.sanitize.pattern".to_owned(),
            severity: settings::Severity::Warning,
            reason: format!("is no regular expression ({e}); the built-in endings are masked instead."),
            remedy: "Correct the pattern.".to_owned(),
        });
    }
}
