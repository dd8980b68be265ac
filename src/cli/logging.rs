//! The log: text for people, JSON for collectors, on standard error so that printed answers stay clean.
//!
//! Must not know: who logs.

use std::io;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// Form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One readable line an event.
    #[default]
    Text,
    /// One JSON object an event.
    Json,
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is none.
    #[error(
        "the log level '{level}' is none: use error, warn, info, debug, trace, or a filter such as info,postgres=debug"
    )]
    Level {
        /// As given.
        level: String,
    },
    /// A log is there already.
    #[error("the log was set up twice")]
    Twice,
}

/// Sets the process's log up.
pub fn init(format: LogFormat, level: &str) -> Result<(), LogError> {
    let filter = filter(level)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let done = match format {
        LogFormat::Text => builder.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    done.map_err(|_| LogError::Twice)
}

/// Java's words for levels are taken too: `WARNING`, `FATAL`, `OFF`, `ALL`.
fn filter(level: &str) -> Result<EnvFilter, LogError> {
    let word = match level.to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "fatal" => "error".to_owned(),
        "all" => "trace".to_owned(),
        other => other.to_owned(),
    };
    let known = ["off", "error", "warn", "info", "debug", "trace"].contains(&word.as_str()) || word.contains('=');
    let bad = || LogError::Level { level: level.to_owned() };
    if known { EnvFilter::try_new(&word).map_err(|_| bad()) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels() {
        for good in ["info", "WARN", "Warning", "FATAL", "off", "info,postgres=debug"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for bad in ["", "loud", "info postgres", "=;="] {
            assert!(filter(bad).is_err(), "{bad}");
        }
    }
}
