//! The log: text for people, JSON for collectors. It goes to standard error, so that standard output has only what a
//! command prints.
//!
//! Must not know: which code logs.

use std::io;
use std::sync::{Mutex, PoisonError};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::reload::Handle;

/// Format of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One readable line for each event.
    #[default]
    Text,
    /// One JSON object for each event.
    Json,
}

/// Why the log cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The level is not known.
    #[error(
        "the log level '{level}' is none: use error, warn, info, debug, trace, or a filter such as info,postgres=debug"
    )]
    Level {
        /// The level as given.
        level: String,
    },
    /// The log was set up before.
    #[error("the log was set up twice")]
    Twice,
}

/// Sets up the log of the process. `level` is a level's name or a tracing filter.
pub fn init(format: LogFormat, level: &str) -> Result<(), LogError> {
    let builder = tracing_subscriber::fmt().with_env_filter(filter(level)?).with_writer(io::stderr);
    match format {
        LogFormat::Text => {
            let builder = builder.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).with_filter_reloading();
            keep(builder.reload_handle());
            builder.try_init()
        }
        LogFormat::Json => {
            let builder = builder.json().flatten_event(true).with_filter_reloading();
            keep(builder.reload_handle());
            builder.try_init()
        }
    }
    .map_err(|_| LogError::Twice)?;
    *LEVELS.lock().unwrap_or_else(PoisonError::into_inner) = vec![(String::new(), level.to_owned())];
    Ok(())
}

/// Replaces the filter of the running log.
type SetFilter = Box<dyn Fn(EnvFilter) + Send>;
static SET_FILTER: Mutex<Option<SetFilter>> = Mutex::new(None);
/// Targets and their levels, the empty one for all.
static LEVELS: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

fn keep<S: 'static>(handle: Handle<EnvFilter, S>) {
    let set = move |filter| {
        // The subscriber lives as long as the process.
        let _ = handle.reload(filter);
    };
    *SET_FILTER.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(set));
}

/// Sets the level of a logger while the process runs (`PUT /admin/loggers/{name}`). `root` is the whole process, other
/// names are our targets. A Java logger's name changes nothing, because no code here logs under it.
pub(super) fn set_level(logger: &str, level: &str) {
    let target = if logger == "root" { "" } else { logger };
    let mut levels = LEVELS.lock().unwrap_or_else(PoisonError::into_inner);
    if target.is_empty() {
        levels.clear();
    }
    levels.retain(|(known, _)| known != target);
    levels.push((target.to_owned(), level.to_owned()));
    let directives: Vec<String> = levels
        .iter()
        .map(|(target, level)| {
            let level = word(level);
            if target.is_empty() && is_quiet(&level) {
                return format!("{level},{LIBRDKAFKA_OFF}");
            }
            if target.is_empty() { level } else { format!("{}={level}", target.replace('.', "::")) }
        })
        .collect();
    if let (Ok(filter), Some(set)) =
        (EnvFilter::try_new(directives.join(",")), &*SET_FILTER.lock().unwrap_or_else(PoisonError::into_inner))
    {
        set(filter);
    }
}

/// Our targets that correspond to a Java logger. Most Java loggers have none.
pub(super) fn targets(logger: &str) -> &'static [&'static str] {
    match logger {
        "io.debezium" => &["postgres", "relational"],
        "io.debezium.connector.postgresql" => &["postgres"],
        "org.apache.kafka.connect" => &["afterimage"],
        "org.apache.kafka.connect.runtime" => &["afterimage::runtime"],
        "org.apache.kafka.connect.runtime.rest" => &["afterimage::rest"],
        "org.apache.kafka.clients" => &["librdkafka", "rdkafka"],
        _ => &[],
    }
}

/// Translates Java's names of levels (`WARNING`, `FATAL`, `ALL`) to ours; others become lower case.
pub(super) fn word(level: &str) -> String {
    match level.to_ascii_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "fatal" => "error".to_owned(),
        "all" => "trace".to_owned(),
        other => other.to_owned(),
    }
}

fn filter(level: &str) -> Result<EnvFilter, LogError> {
    let word = word(level);
    let known = ["off", "error", "warn", "info", "debug", "trace"].contains(&word.as_str()) || word.contains('=');
    let bad = || LogError::Level { level: level.to_owned() };
    let quiet = word.split(',').next().is_some_and(is_quiet) && !word.contains("rdkafka=");
    // In a filter a later directive wins, so that a level given for librdkafka still counts.
    let directives = if quiet { format!("{LIBRDKAFKA_OFF},{word}") } else { word };
    if known { EnvFilter::try_new(directives).map_err(|_| bad()) } else { Err(bad()) }
}

/// Silences librdkafka's own log lines, which repeat one complaint for every attempt of every client. What matters of
/// them also comes through the clients' callbacks and is logged there with the client's name.
const LIBRDKAFKA_OFF: &str = "librdkafka=off,rdkafka=off";

fn is_quiet(level: &str) -> bool {
    matches!(level, "error" | "warn" | "info")
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
