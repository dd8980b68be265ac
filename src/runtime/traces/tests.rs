//! Spans as a collector reads them, the settings, and a collector that is away, slow or in trouble.
#![allow(clippy::unwrap_used, reason = "a test")]

mod exporting;
mod fake;
mod messages;
mod oracle;
mod settings;

pub(crate) use self::fake::Fake;
