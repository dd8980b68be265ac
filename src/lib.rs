//! placeholder
pub mod runtime;
pub mod sink;
pub mod store;
