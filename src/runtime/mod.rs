//! The runtime: supervises connectors, runs a task's pipeline from the outlet to the sink, keeps the ledger.
//!
//! Purpose: everything that Kafka Connect's worker does around a connector (states, restarts, offset commits, error
//! tolerance) with one owner for each decision: the supervisor for connectors, the pipeline for records, the ledger for
//! what may be stored.
//!
//! Must not know: HTTP, SQL.

mod parts;
pub mod failure;
pub mod ledger;
pub mod owner;
pub mod pipeline;
pub mod task;
pub mod topics;
pub mod variables;
