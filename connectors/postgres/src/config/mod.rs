//! The connector's settings, typed.
//!
//! One struct a concern, each in a file of its own with the code that reads it, so that a part of the connector takes only
//! what it needs. All complaints of one config come together ([`PostgresConfig::read`]); what runs, but not as a person
//! may think, comes as findings.
//!
//! Must not know: sockets, SQL, the pipeline.

mod connection;
mod events;
mod filters;
mod modes;
mod position;
mod snapshot;
mod topics;
mod types;

pub use connection::{Connection, SslMode, Tls};
pub use events::{Events, Limits, Notifications, Operation, Signals};
pub use filters::{ColumnRule, Filters, MessageKey, Treatment};
pub use modes::{
    BinaryMode, ConvertFailure, DecimalMode, GuardrailAction, HstoreMode, IntervalMode, LsnFlushMode, NameAdjustment,
    OffsetMismatch, OutputPlugin, ProcessingFailure, PublicationMode, RowCountOrder, SchemaRefresh, SnapshotIsolation,
    SnapshotLocking, SnapshotMode, SnapshotQuery, TimeMode, TimeoutAction, Watermarking,
};
pub use position::{Identity, Position, Publication, ReplicaIdentity, Slot};
pub use snapshot::{IncrementalSnapshot, Snapshot};
pub use topics::Topics;
pub use types::{Types, Unavailable};

use settings::{Finding, Invalid, Properties, Reader, SecretNames};

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
    /// Incremental snapshots.
    pub incremental: IncrementalSnapshot,
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
    /// Where signals come from.
    pub signals: Signals,
    /// Where notifications go.
    pub notifications: Notifications,
    /// Names whose values are masked in logs.
    pub secret_names: SecretNames,
}

impl PostgresConfig {
    /// Reads a connector's config. Refusals come all together, in the words of a validation; settings that have no effect
    /// or fall back are [`PostgresConfig::read_with_findings`]'s.
    pub fn read(properties: &Properties) -> Result<Self, Vec<Invalid>> {
        Self::read_with_findings(properties).map(|(config, _)| config)
    }

    /// As [`PostgresConfig::read`], with what is to be said in the log.
    pub fn read_with_findings(properties: &Properties) -> Result<(Self, Vec<Finding>), Vec<Invalid>> {
        let mut reader = Reader::new(keys::READ, properties);
        for finding in keys::warnings(properties) {
            reader.find(finding);
        }
        let r = &mut reader;
        let mut config = Self {
            connection: Connection::read(r),
            slot: Slot::read(r),
            publication: Publication::read(r),
            position: Position::read(r),
            snapshot: Snapshot::read(r),
            incremental: IncrementalSnapshot::read(r),
            filters: Filters::read(r),
            treatment: Treatment::read(r),
            types: Types::read(r),
            events: Events::read(r),
            topics: Topics::read(r),
            limits: Limits::read(r),
            signals: Signals::read(r),
            notifications: Notifications::read(r),
            secret_names: limits_secret_names(r),
        };
        config.events.heartbeat_when_positions_need_it(config.position.flush_mode, r);
        reader.finish(config)
    }
}

/// What a validation over REST answers for this connector's keys, without asking the database.
pub fn validate(properties: &Properties) -> Vec<settings::Checked> {
    keys::KEYS.validate(properties)
}

/// See [`keys::warnings`].
pub fn warnings(properties: &Properties) -> Vec<Finding> {
    keys::warnings(properties)
}

/// `custom.sanitize.pattern` in place of the usual endings; one that does not compile leaves the usual ones.
fn limits_secret_names(r: &mut Reader<'_>) -> SecretNames {
    let pattern = r.is_set("custom.sanitize.pattern").then(|| r.text("custom.sanitize.pattern"));
    match pattern.map(|p| settings::JavaRegex::new(&p)) {
        Some(Ok(regex)) => SecretNames::Pattern(Box::new(regex)),
        Some(Err(e)) => {
            r.find(Finding {
                key: "custom.sanitize.pattern".to_owned(),
                severity: settings::Severity::Warning,
                reason: format!("is no regular expression ({e}); the built-in endings are masked instead."),
                remedy: "Correct the pattern.".to_owned(),
            });
            SecretNames::Usual
        }
        None => SecretNames::Usual,
    }
}
