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
    *LEVELS.lock().unwrap_or_else(PoisonError::into_inner) = vec![Set::of("", level, None)];
    Ok(())
}

/// Replaces the filter of the running log.
type SetFilter = Box<dyn Fn(EnvFilter) + Send>;
static SET_FILTER: Mutex<Option<SetFilter>> = Mutex::new(None);
/// The levels that are set; of two for a target the later one holds.
static LEVELS: Mutex<Vec<Set>> = Mutex::new(Vec::new());

/// The level of a target.
#[derive(Clone, Debug)]
struct Set {
    /// The empty one for all. Its level may be a whole filter.
    target: String,
    level: String,
    /// The logger that it was set for, if that stands for a part only of what the target does.
    part: Option<String>,
}

impl Set {
    fn of(target: &str, level: &str, part: Option<&str>) -> Self {
        Self { target: target.to_owned(), level: level.to_owned(), part: part.map(str::to_owned) }
    }
}

fn keep<S: 'static>(handle: Handle<EnvFilter, S>) {
    let set = move |filter| {
        // The subscriber lives as long as the process.
        let _ = handle.reload(filter);
    };
    *SET_FILTER.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(set));
}

/// Sets the level of a logger while the process runs (`PUT /admin/loggers/{name}`). `root` is the whole process. A Java
/// logger's name stands for our targets that do the same work; any other name is taken for a target.
pub(super) fn set_level(logger: &str, level: &str) {
    let mut levels = LEVELS.lock().unwrap_or_else(PoisonError::into_inner);
    let mut changed = levels.clone();
    apply(&mut changed, logger, level);
    // A name with signs that mean something in a filter changes nothing, now and later.
    let Ok(filter) = EnvFilter::try_new(directives(&changed)) else { return };
    *levels = changed;
    if let Some(set) = &*SET_FILTER.lock().unwrap_or_else(PoisonError::into_inner) {
        set(filter);
    }
}

/// Sets the level of the targets that a logger's name stands for, or of the whole process.
fn apply(levels: &mut Vec<Set>, logger: &str, level: &str) {
    if logger == "root" {
        return change(levels, "", level);
    }
    let Reach { targets, is_part } = reach(logger);
    if targets.is_empty() {
        change(levels, &logger.replace('.', "::"), level);
    }
    for target in targets {
        if is_part {
            raise(levels, target, level, logger);
        } else {
            change(levels, target, level);
        }
    }
}

/// Sets the level of a target and, as Connect does, of all targets below it.
fn change(levels: &mut Vec<Set>, target: &str, level: &str) {
    let below = format!("{target}::");
    levels.retain(|known| !target.is_empty() && known.target != target && !known.target.starts_with(&below));
    levels.push(Set::of(target, level, None));
}

/// Sets the level of a target for a logger that stands for a part of what it does, unless a level holds that says as much.
fn raise(levels: &mut Vec<Set>, target: &str, level: &str, logger: &str) {
    levels.retain(|known| known.target != target || known.part.as_deref() != Some(logger));
    let text = |known: &Set| match known.target.as_str() {
        "" => known.level.clone(),
        target => format!("{target}={}", known.level),
    };
    let filter = levels.iter().map(text).collect::<Vec<_>>().join(",");
    if says_more(level, &filter, target) {
        levels.push(Set::of(target, level, Some(logger)));
    }
}

/// Adds the levels of Java's loggers to a filter. A logger's own level counts more than that of a package that it is in. A name
/// that stands for a part only of what its targets do makes them say more, and never less.
pub(super) fn add(filter: &mut String, loggers: &[(&str, &str)]) {
    let mut all: Vec<_> = loggers.iter().map(|(logger, level)| (reach(logger), logger.len(), word(level))).collect();
    all.sort_by_key(|(reach, len, _)| (reach.is_part, *len));
    for (Reach { targets, is_part }, _, level) in all {
        for target in targets {
            if !is_part || says_more(&level, filter, target) {
                filter.extend([",", target, "=", &level]);
            }
        }
    }
}

/// Whether a level lets through more lines of a target than a filter does. That of librdkafka is compared with what is asked of
/// all targets, though it is silenced with most of those levels.
fn says_more(level: &str, filter: &str, target: &str) -> bool {
    let pairs =
        filter.split(',').map(str::trim).filter(|item| !item.is_empty()).map(|item| match item.split_once('=') {
            Some((known, level)) => (known.trim(), level.trim()),
            None if verbosity(item).is_some() => ("", item),
            // A target alone stands for all of its lines.
            None => (item, "trace"),
        });
    // As in a filter the longest name holds that the target begins with, and of two such the later one.
    let held = pairs.filter(|(known, _)| target.starts_with(*known)).max_by_key(|(known, _)| known.len());
    verbosity(level) > held.and_then(|(_, level)| verbosity(level))
}

/// How many lines a level lets through, compared with others; `None` for a word that is no level.
fn verbosity(level: &str) -> Option<usize> {
    let level = word(level);
    ["off", "error", "warn", "info", "debug", "trace"].iter().position(|known| *known == level)
}

/// The filter that these levels make.
fn directives(levels: &[Set]) -> String {
    let directives: Vec<String> = levels
        .iter()
        .map(|Set { target, level, .. }| {
            let level = word(level);
            match target.as_str() {
                "" if is_quiet(&level) => format!("{level},{LIBRDKAFKA_OFF}"),
                "" => level,
                target => format!("{target}={level}"),
            }
        })
        .collect();
    directives.join(",")
}

/// Java's loggers, by the packages of Kafka Connect and Debezium, and our targets that do the same work.
const JAVA: &[(&str, &[&str])] = &[
    ("io.debezium.connector.postgresql", &["postgres"]),
    ("io.debezium.connector.mysql", &["mysql"]),
    ("io.debezium.connector.mariadb", &["mysql"]),
    // The part that the two share has a package of its own in Debezium.
    ("io.debezium.connector.binlog", &["mysql"]),
    ("io.debezium.relational", &["relational"]),
    ("io.debezium.pipeline", &["relational"]),
    ("io.debezium.heartbeat", &["relational::action_query"]),
    ("io.debezium.transforms", &["transforms"]),
    ("io.debezium.relational.history", &["afterimage::store::history"]),
    ("io.debezium.storage", &["afterimage::store::history"]),
    ("org.apache.kafka.connect", &["afterimage"]),
    ("org.apache.kafka.connect.runtime", &["afterimage::runtime"]),
    ("org.apache.kafka.connect.runtime.rest", &["afterimage::rest"]),
    // The lines of requests have the name that they have in Connect's log.
    ("org.apache.kafka.connect.runtime.rest.RestServer", &["org.apache.kafka.connect.runtime.rest.RestServer"]),
    ("org.apache.kafka.connect.storage", &["afterimage::store"]),
    ("org.apache.kafka.connect.transforms", &["transforms"]),
    ("org.apache.kafka.connect.json", &["afterimage::convert"]),
    ("org.apache.kafka.connect.converters", &["afterimage::convert"]),
    ("io.confluent.connect", &["afterimage::convert"]),
    ("io.confluent.kafka.schemaregistry", &["afterimage::convert"]),
    ("io.apicurio.registry", &["afterimage::convert"]),
    ("org.apache.kafka.clients", &["librdkafka", "rdkafka"]),
    ("org.apache.kafka.clients.producer", &["librdkafka", "rdkafka", "afterimage::sink"]),
];

/// What a Java logger's name stands for here.
struct Reach {
    /// Our targets; none for a name that is no Java logger's.
    targets: Vec<&'static str>,
    /// Whether the name is below all rows of the table. Then the targets do more than the class or package of that name, and
    /// to silence it must not silence them.
    is_part: bool,
}

/// Our targets that a Java logger's name stands for: those of its package and of all packages below it. A class, or a package
/// that is not in the table, stands for a part of the package that it is in.
fn reach(logger: &str) -> Reach {
    let is_in = |name: &str, package: &str| {
        name.strip_prefix(package).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let mut rows: Vec<_> = JAVA.iter().filter(|(java, _)| is_in(java, logger)).collect();
    let is_part = rows.is_empty();
    if is_part {
        rows.extend(JAVA.iter().filter(|(java, _)| is_in(logger, java)).max_by_key(|(java, _)| java.len()));
    }
    let mut found = Vec::new();
    for target in rows.into_iter().flat_map(|(_, targets)| *targets) {
        if !found.contains(target) {
            found.push(*target);
        }
    }
    Reach { is_part: is_part && !found.is_empty(), targets: found }
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

    const REQUESTS: &str = "org.apache.kafka.connect.runtime.rest.RestServer";

    #[test]
    fn java_loggers() {
        for (logger, expect) in [
            ("io.debezium.connector", &["postgres", "mysql"][..]),
            ("io.debezium.connector.postgresql", &["postgres"]),
            ("io.debezium.connector.postgresql.connection.PostgresConnection", &["postgres"]),
            ("io.debezium.connector.mysql", &["mysql"]),
            ("io.debezium.connector.mariadb", &["mysql"]),
            ("io.debezium.connector.oracle", &[]),
            ("io.debezium.relational", &["relational", "afterimage::store::history"]),
            ("io.debezium.relational.history.SchemaHistory", &["afterimage::store::history"]),
            ("org.apache.kafka.connect.runtime", &["afterimage::runtime", "afterimage::rest", REQUESTS]),
            ("org.apache.kafka.connect.runtime.rest.RestServer", &[REQUESTS]),
            ("org.apache.kafka.connect.runtime.rest.resources.ConnectorsResource", &["afterimage::rest"]),
            ("org.apache.kafka.connect.runtime.WorkerSourceTask", &["afterimage::runtime"]),
            ("org.apache.kafka.connect.file.FileStreamSourceConnector", &["afterimage"]),
            ("org.apache.kafka.clients.consumer", &["librdkafka", "rdkafka"]),
            ("org.apache.kafkaconnect", &[]),
            ("postgres", &[]),
        ] {
            assert_eq!(reach(logger).targets, expect, "{logger}");
        }
        let all = reach("io.debezium").targets;
        assert!(["postgres", "mysql", "relational", "transforms"].iter().all(|target| all.contains(target)), "{all:?}");
    }

    /// What a series of calls makes of the filter.
    #[track_caller]
    fn check(calls: &[(&str, &str)], expect: &str) {
        let mut levels = vec![Set::of("", "info", None)];
        for (logger, level) in calls {
            apply(&mut levels, logger, level);
        }
        let made = directives(&levels);
        assert_eq!(made, expect);
        assert!(EnvFilter::try_new(&made).is_ok(), "{made}");
    }

    #[test]
    fn levels_that_are_set_at_run_time() {
        let root = format!("info,{LIBRDKAFKA_OFF}");
        check(&[("io.debezium.connector.postgresql", "DEBUG")], &format!("{root},postgres=debug"));
        check(&[("postgres.stream", "TRACE")], &format!("{root},postgres::stream=trace"));
        // A level of a logger is that of all loggers below it.
        check(
            &[("postgres.stream", "TRACE"), ("io.debezium.connector.postgresql", "WARN")],
            &format!("{root},postgres=warn"),
        );
        check(
            &[("org.apache.kafka.connect.runtime.rest", "WARN"), ("org.apache.kafka.connect.runtime", "DEBUG")],
            &format!("{root},afterimage::runtime=debug,afterimage::rest=debug,{REQUESTS}=debug"),
        );
        check(&[("org.apache.kafka.clients", "FATAL"), ("root", "ALL")], "trace");
        check(&[("org.apache.kafka.clients.consumer", "DEBUG")], &format!("{root},librdkafka=debug,rdkafka=debug"));
    }

    #[test]
    fn a_class_makes_its_targets_say_more_and_never_less() {
        const TASK: &str = "org.apache.kafka.connect.runtime.WorkerSourceTask";
        const WORKER: &str = "org.apache.kafka.connect.runtime.Worker";
        let root = format!("info,{LIBRDKAFKA_OFF}");
        let runtime = format!("{root},afterimage::runtime=debug");
        for (calls, expect) in [
            (&[(TASK, "WARN")][..], root.as_str()),
            (&[(TASK, "OFF"), ("org.apache.kafka.clients.producer.ProducerConfig", "WARN")], &root),
            (&[(TASK, "DEBUG")], &runtime),
            // Its own earlier level does not hold it back.
            (&[(TASK, "DEBUG"), (TASK, "INFO")], &root),
            (&[(TASK, "DEBUG"), (WORKER, "ERROR")], &runtime),
            (&[(TASK, "DEBUG"), (WORKER, "TRACE"), (WORKER, "WARN")], &runtime),
            // A package has what it is given, and its classes with it.
            (
                &[(TASK, "DEBUG"), ("org.apache.kafka.connect.runtime", "INFO")],
                &format!("{root},afterimage::runtime=info,afterimage::rest=info,{REQUESTS}=info"),
            ),
            (
                &[
                    ("org.apache.kafka.connect.converters", "WARN"),
                    ("org.apache.kafka.connect.json.JsonConverter", "INFO"),
                ],
                &format!("{root},afterimage::convert=warn,afterimage::convert=info"),
            ),
            // A level below the target stays.
            (
                &[
                    ("org.apache.kafka.connect.json", "WARN"),
                    ("org.apache.kafka.connect.file.FileStreamSourceTask", "DEBUG"),
                ],
                &format!("{root},afterimage::convert=warn,afterimage=debug"),
            ),
        ] {
            check(calls, expect);
        }
    }

    #[test]
    fn what_a_filter_lets_through() {
        for (level, filter, target, expect) in [
            ("WARN", "info", "postgres", false),
            ("debug", "info", "postgres", true),
            ("DEBUG", "info,postgres=trace", "postgres", false),
            ("info", "info,postgres=WARNING", "postgres", true),
            ("info", "info,postgres=warn", "postgres::stream", true),
            ("info", "postgres=warn,postgres=debug", "postgres", false),
            ("trace", "info,postgres", "postgres", false),
            ("error", "postgres=warn", "mysql", true),
            ("loud", "off", "mysql", false),
        ] {
            assert_eq!(says_more(level, filter, target), expect, "{level} {filter} {target}");
        }
    }

    #[test]
    fn the_documentation_has_the_same_table() {
        let text = include_str!("../../docs/observability.md");
        for (java, targets) in JAVA {
            let line = format!("| `{java}` | `{}` |", targets.join("`, `"));
            assert!(text.contains(&line), "docs/observability.md lacks {line}");
        }
    }

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
