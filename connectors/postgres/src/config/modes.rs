//! The enumerated settings and their names. An enum that a room of its own carries out stands there: `wire::SslMode`,
//! `sql::Isolation`, `publication::Autocreate`.
//!
//! Must not know: how each is carried out.

settings::choices! {
    /// `plugin.name`. Streaming uses pgoutput with either; the name is kept so that the log can say so.
    pub enum OutputPlugin {
        /// Debezium's default.
        Decoderbufs = "decoderbufs",
        /// PostgreSQL's own plugin.
        Pgoutput = "pgoutput",
    }

    /// `lsn.flush.mode`: who tells the server how far its log was read.
    pub enum LsnFlushMode {
        /// The connector, after the records are stored in Kafka.
        Connector = "connector",
        /// Nobody: the server's log grows until its owner moves the slot.
        Manual = "manual",
        /// The connector, also when idle, for changes that yield no record.
        ConnectorAndDriver = "connector_and_driver",
    }

    /// `offset.mismatch.strategy`: which position holds when the stored one and the slot's differ.
    pub enum OffsetMismatch {
        /// The stored position, unchecked; the server streams from the slot's when that is ahead.
        NoValidation = "no_validation",
        /// The stored position: the slot is moved up to it.
        TrustOffset = "trust_offset",
        /// The slot's position, when the stored one is behind.
        TrustSlot = "trust_slot",
        /// The greater of the two.
        TrustGreaterLsn = "trust_greater_lsn",
    }

    /// `snapshot.locking.mode`.
    pub enum SnapshotLocking {
        /// No table locks.
        None = "none",
        /// ACCESS SHARE on each table to the end of the copy.
        Shared = "shared",
        /// A Java plug-in: refused.
        Custom = "custom",
    }

    /// `interval.handling.mode`.
    pub enum IntervalMode {
        /// Microseconds with average months: not exact.
        Numeric = "numeric",
        /// ISO 8601 text: exact.
        String = "string",
    }

    /// `hstore.handling.mode`.
    pub enum HstoreMode {
        /// One JSON text.
        Json = "json",
        /// A MAP of texts.
        Map = "map",
    }
}
