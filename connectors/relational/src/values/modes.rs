//! The enumerated settings of values, and their names.
//!
//! Must not know: how each is carried out.

settings::choices! {
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

    /// `event.converting.failure.handling.mode`: what becomes of a value that cannot be converted.
    pub enum ConvertFailure {
        /// Null is sent in its place.
        Skip = "skip",
        /// Null is sent in its place, with a warning in the log.
        Warn = "warn",
        /// Stop the task.
        Fail = "fail",
    }
}
