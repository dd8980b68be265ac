//! placeholder
pub mod config;
pub mod keys;
