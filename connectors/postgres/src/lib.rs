//! placeholder
pub mod config;
pub mod keys;
pub mod types;
