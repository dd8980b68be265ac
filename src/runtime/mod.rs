//! Supervises connectors: who may run them, when they start and stop.
//!
//! It stands above the sink, the store and the converters because only something that sees all of them can order their
//! effects: delivered, then stored, then confirmed to the source.
//!
//! Must not know: HTTP, SQL.
pub mod owner;
