//! afterimage: change data capture from databases to Kafka, a drop-in for Kafka Connect with Debezium.
//!
//! Purpose: the daemon as a library, so that `main.rs` stays thin and the tests can reach every room. The floors inside
//! are `cli → rest → runtime → {plugins, convert, sink, store} → login`; the four never import each other.
//!
//! Must not know: anything that one of the crates below it decides (wire formats, SQL, SMT semantics).

pub mod cli;
pub mod convert;
pub mod login;
pub mod plugins;
pub mod rest;
pub mod runtime;
pub mod sink;
pub mod store;
