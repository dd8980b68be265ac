//! The connector's settings, typed.
//!
//! Purpose: one struct for each concern, in a file with the code that reads it, so that a part of the connector takes only
//! what it needs. All errors of a config are reported together ([`MySqlConfig::read`]). Settings that do something else than
//! the user may expect are reported as findings.
//!
//! Must not know: sockets, SQL, the pipeline. Of the rooms that carry settings out it knows the types of their choices.

mod binlog;
mod connection;
mod modes;
mod schema;
mod snapshot;
mod types;

pub use binlog::{Binlog, GtidSources};
pub use connection::Connection;
pub use modes::{Failure, SnapshotLocking, TableOrder};
pub use schema::Schema;
pub use snapshot::Snapshot;

use relational::{Adjustments, Events, Limits, NamingStrategy, RowTreatment, TableFilterSpec, TopicNaming, shell};
use settings::{Finding, Invalid, Properties, Reader};

use crate::types::Modes;
use crate::{Flavour, keys};

/// All settings of one connector.
#[derive(Clone, Debug)]
pub struct MySqlConfig {
    /// Of which of the two connectors.
    pub flavour: Flavour,
    /// Where the server is and how to speak to it.
    pub connection: Connection,
    /// What is copied, when and how.
    pub snapshot: Snapshot,
    /// How the binlog is read.
    pub binlog: Binlog,
    /// How DDL is read, kept and published.
    pub schema: Schema,
    /// Which databases, tables and columns are captured; see [`is_builtin`].
    pub filters: TableFilterSpec,
    /// What is done to columns and keys.
    pub treatment: RowTreatment,
    /// How column types become values. It has no meters yet.
    pub types: Modes,
    /// What becomes of characters in names that Avro refuses.
    pub names: Adjustments,
    /// Which records there are beside the changes, and how changes look.
    pub events: Events,
    /// Names of topics.
    pub topics: TopicNaming,
    /// Retries, waits, the number of tables.
    pub limits: Limits,
}

impl MySqlConfig {
    /// Reads a connector's config.
    ///
    /// # Errors
    /// All values that are refused, together, with the messages of a validation.
    pub fn read(flavour: Flavour, properties: &Properties) -> Result<Self, Vec<Invalid>> {
        Self::read_with_findings(flavour, properties).map(|(config, _)| config)
    }

    /// As [`MySqlConfig::read`], with findings for the log: settings that have no effect or fall back to their default.
    ///
    /// # Errors
    /// As [`MySqlConfig::read`].
    pub fn read_with_findings(flavour: Flavour, properties: &Properties) -> Result<(Self, Vec<Finding>), Vec<Invalid>> {
        let mut reader = Reader::new(*keys::of(flavour), properties);
        let r = &mut reader;
        shell::warn_of_sanitize_pattern(r);
        let config = Self {
            flavour,
            connection: Connection::read(r, flavour),
            snapshot: Snapshot::read(r, flavour),
            binlog: Binlog::read(r),
            schema: Schema::read(r, flavour),
            filters: TableFilterSpec::read(r, "database"),
            treatment: RowTreatment::read(r),
            types: types::read(r, flavour),
            names: Adjustments::read(r),
            events: Events::read(r),
            topics: topics(r),
            limits: Limits::read(r),
        };
        reader.finish(config)
    }
}

/// Whether a database is the server's own, for [`relational::TableFilter::new`].
pub fn is_builtin(database: &str, _table: &str) -> bool {
    ["mysql", "performance_schema", "sys", "information_schema"].iter().any(|own| own.eq_ignore_ascii_case(database))
}

/// Names of topics. Here the default strategy names the database too, as that of schemas does.
fn topics(r: &mut Reader<'_>) -> TopicNaming {
    let naming = TopicNaming::read(r);
    let strategy = match naming.strategy {
        NamingStrategy::Default | NamingStrategy::Schema => NamingStrategy::Schema,
        NamingStrategy::DefaultUnicode | NamingStrategy::SchemaUnicode => NamingStrategy::SchemaUnicode,
    };
    TopicNaming { strategy, ..naming }
}
