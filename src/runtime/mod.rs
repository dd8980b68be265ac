//! The runtime: supervises connectors, runs a task's pipeline from the outlet to the sink, keeps the ledger.
//!
//! Purpose: everything that Kafka Connect's worker does around a connector (states, restarts, offset commits, error
//! tolerance) with one owner for each decision: the supervisor for connectors, the pipeline for records, the ledger for
//! what may be stored. It stands above the sink, the store and the converters because only something that sees all of
//! them can order their effects: delivered, then stored, then confirmed to the source.
//!
//! Must not know: HTTP of the REST API (spans are sent by HTTP, in [`traces`]), SQL.

pub mod catalog;
pub mod clients;
pub mod cluster;
mod committer;
pub mod defect;
mod delivery;
pub mod exactly_once;
pub mod failpoint;
mod failure;
pub mod fenced;
pub mod history;
pub mod keys;
mod ledger;
mod letters;
pub mod overrides;
pub mod own_offsets;
pub mod owner;
mod pipeline;
pub mod supervisor;
pub mod task;
mod tolerance;
mod topics;
pub mod traces;
mod trail;
pub mod validate;
pub mod variables;
