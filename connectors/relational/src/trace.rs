//! The text of a failed task's `status.trace`, from the chain of exceptions that Debezium would have thrown.
//!
//! Monitoring in the field greps the first lines, so they have the classes and texts of Debezium where it has any. A connector
//! knows which of its errors stands for which exceptions; how they are joined, and the classes and texts that all connectors
//! share, are here.

use std::fmt::Display;

/// Debezium's own exception.
pub const DEBEZIUM: &str = "io.debezium.DebeziumException";
/// Kafka Connect's exception.
pub const CONNECT: &str = "org.apache.kafka.connect.errors.ConnectException";
/// Kafka Connect's exception about a schema that cannot be built.
pub const SCHEMA: &str = "org.apache.kafka.connect.errors.SchemaBuilderException";

/// The outermost exception of an error that stopped the reading of changes.
pub fn producer_failed() -> String {
    format!("{CONNECT}: An exception occurred in the change event producer. This connector will be stopped.")
}

/// The exception of a start whose log no longer reaches back to the stored offset.
pub fn position_lost(stored: &str) -> String {
    format!(
        "{DEBEZIUM}: The connector is trying to read change stream starting at {stored}, but this is no longer available on the \
         server. Reconfigure the connector to use a snapshot mode when needed."
    )
}

/// The exception of a start that finds an unfinished copy and may not copy.
pub fn never_copies() -> String {
    format!(
        "{DEBEZIUM}: The connector previously stopped while taking a snapshot, but now the connector is configured to never \
         allow snapshots. Reconfigure the connector to use snapshots initially or when needed."
    )
}

/// The exception of a start that would capture more tables than `guardrail.collections.max`.
pub fn guardrail(found: usize, limit: usize) -> String {
    format!(
        "{DEBEZIUM}: Guardrail limit exceeded: {found} tables/collections configured for capture, but maximum allowed is \
         {limit}."
    )
}

/// The whole text: the exceptions, outermost first, each as `<java class>: <message>`; then our own words, which say what to
/// do. Several lines, the last one without a line end.
pub fn joined(exceptions: &[String], error: &dyn Display) -> String {
    format!("{}\nReason: {error}", exceptions.join("\nCaused by: "))
}
