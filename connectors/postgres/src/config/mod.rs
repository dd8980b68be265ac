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
mod types;

pub use connection::Connection;
pub use filters::Filters;
pub use modes::{HstoreMode, IntervalMode, LsnFlushMode, OffsetMismatch, OutputPlugin, SnapshotLocking};
pub use position::{Position, Publication, Slot};
pub use relational::values::{BinaryMode, ConvertFailure, DecimalMode, TimeMode};
pub use snapshot::Snapshot;
pub use types::Types;

use relational::shell::warn_of_sanitize_pattern;
use relational::{Events, Limits, RowTreatment, TopicNaming};
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
    pub treatment: RowTreatment,
    /// How column types become values.
    pub types: Types,
    /// Which records there are beside the changes, and how changes look.
    pub events: Events,
    /// Names of topics.
    pub topics: TopicNaming,
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
        warn_of_sanitize_pattern(r);
        let mut config = Self {
            connection: Connection::read(r),
            slot: Slot::read(r),
            publication: Publication::read(r),
            position: Position::read(r),
            snapshot: Snapshot::read(r),
            filters: Filters::read(r),
            treatment: RowTreatment::read(r),
            types: Types::read(r),
            events: Events::read(r),
            topics: TopicNaming::read(r),
            limits: Limits::read(r),
        };
        events::heartbeat_when_positions_need_it(&mut config.events, config.position.flush_mode, r);
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
