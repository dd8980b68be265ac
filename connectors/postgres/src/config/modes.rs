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

    /// `snapshot.mode`: when rows are copied.
    pub enum SnapshotMode {
        /// At every start.
        Always = "always",
        /// Once, when no offset is stored.
        Initial = "initial",
        /// Once; then nothing is streamed.
        InitialOnly = "initial_only",
        /// Never.
        NoData = "no_data",
        /// Once, and when the stored position is gone.
        WhenNeeded = "when_needed",
        /// As the keys `snapshot.mode.configuration.based.*` say.
        ConfigurationBased = "configuration_based",
        /// A Java plug-in: refused.
        Custom = "custom",
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

    /// `decimal.handling.mode`.
    pub enum DecimalMode {
        /// Connect's Decimal: exact.
        Precise = "precise",
        /// FLOAT64: rounds beyond 15 digits.
        Double = "double",
        /// STRING: exact.
        String = "string",
    }

    /// `time.precision.mode`.
    pub enum TimeMode {
        /// Milli- or microseconds as the column's precision asks.
        Adaptive = "adaptive",
        /// As adaptive, but times of day always in microseconds.
        AdaptiveTimeMicroseconds = "adaptive_time_microseconds",
        /// Connect's own types, milliseconds: finer digits are cut.
        Connect = "connect",
        /// ISO 8601 texts.
        Isostring = "isostring",
        /// Microseconds.
        Microseconds = "microseconds",
        /// Nanoseconds.
        Nanoseconds = "nanoseconds",
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

    /// `binary.handling.mode`.
    pub enum BinaryMode {
        /// BYTES.
        Bytes = "bytes",
        /// Text, base64.
        Base64 = "base64",
        /// Text, base64 with `-` and `_`.
        Base64UrlSafe = "base64-url-safe",
        /// Text, lower-case hexadecimal.
        Hex = "hex",
    }

    /// `schema.name.adjustment.mode`, `field.name.adjustment.mode`.
    pub enum NameAdjustment {
        /// Names stay as they are.
        None = "none",
        /// `_` for each character that Avro refuses.
        Avro = "avro",
        /// `_uXXXX` for each character that Avro refuses: names stay distinct.
        AvroUnicode = "avro_unicode",
    }

    /// `event.converting.failure.handling.mode`: what becomes of a value that cannot be converted.
    pub enum ConvertFailure {
        /// Null is sent in its place.
        Skip = "skip",
        /// Null is sent in its place, with a warning in the log.
        Warn = "warn",
        /// Stop the task.
        Fail = "fail",
    }

    /// `guardrail.collections.limit.action`.
    pub enum GuardrailAction {
        /// Log a warning.
        Warn = "warn",
        /// Refuse to start.
        Fail = "fail",
    }
}
