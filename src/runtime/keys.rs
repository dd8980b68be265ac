//! The keys common to all connectors, in the order in which Connect validates them, and those of an SMT or predicate.
//!
//! They are here and not with a connector, because the worker reads them.
//!
//! Must not know: any connector's own keys.

use super::letters;
use settings::Width::{Long, Medium, Short};
use settings::{Asked, Check, Def, Key, Kind, Properties, Support, Values};

const COMMON_GROUP: &str = "Common";
const ERRORS: &str = "Error Handling";
const EXACTLY_ONCE: &str = "Exactly Once Support";

/// Every connector's keys.
pub static COMMON: Def = Def::new(&[KEYS, FAMILIES]);

const KEYS: &[Key] = &[
    Key::new("name", Kind::String).required().high().at(COMMON_GROUP, 1).shown("Connector name", Medium)
        .checks(&[Check::Own(name)])
        .doc("The connector's name: unique in the worker, and part of the keys under which its offsets are stored. A new name starts from the beginning."),
    Key::new("connector.class", Kind::String).required().high().at(COMMON_GROUP, 2).shown("Connector class", Long)
        .doc("The connector: its Java class name, the last part of it, or that without Connector."),
    Key::new("connector.plugin.version", Kind::String).at(COMMON_GROUP, 3).shown("Connector version", Medium)
        .doc("The version that the connector must have, as a Maven range. There is one version here; another is refused."),
    Key::new("tasks.max", Kind::Int).default("1").high().at(COMMON_GROUP, 4).shown("Tasks max", Short)
        .checks(&[Check::Range { min: Some(1), max: None }])
        .doc("Largest number of tasks. A connector that reads one log has one task, whatever is set.")
        .support(Support::NoEffect("a connector that reads one log makes one task, in Debezium too")),
    Key::new("tasks.max.enforce", Kind::Boolean).default("true").low().at(COMMON_GROUP, 5).shown("Enforce tasks max", Short)
        .doc("Whether a connector with more tasks than tasks.max fails; with false it is only logged.")
        .support(Support::NoEffect("there is never more than one task")),
    Key::new("key.converter", Kind::Class).low().at(COMMON_GROUP, 6).shown("Key converter class", Short)
        .doc("Java class of the converter that turns record keys into bytes. If it is set, all key.converter.* settings are the connector's; if not, class and settings are the worker's."),
    Key::new("key.converter.plugin.version", Kind::String).low().at(COMMON_GROUP, 7).shown("Key converter version", Short)
        .doc("The version that the key converter must have."),
    Key::new("value.converter", Kind::Class).low().at(COMMON_GROUP, 8).shown("Value converter class", Short)
        .doc("Java class of the converter that turns record values into bytes. If it is set, all value.converter.* settings are the connector's; if not, class and settings are the worker's."),
    Key::new("value.converter.plugin.version", Kind::String).low().at(COMMON_GROUP, 9).shown("Value converter version", Short)
        .doc("The version that the value converter must have."),
    Key::new("header.converter", Kind::Class).low().at(COMMON_GROUP, 10).shown("Header converter class", Short)
        .doc("Java class of the converter that turns record headers into bytes. If it is set, all header.converter.* settings are the connector's; if not, class and settings are the worker's."),
    Key::new("header.converter.plugin.version", Kind::String).low().at(COMMON_GROUP, 11).shown("Header converter version", Short)
        .doc("The version that the header converter must have."),
    Key::new("transforms", Kind::List).default("").low().at("Transforms", 12).shown("Transforms", Long)
        .checks(&[Check::Own(aliases)])
        .doc("Names of the transformations that each record goes through, in this order; each is configured by transforms.NAME.type and more."),
    Key::new("predicates", Kind::List).default("").low().at("Predicates", 13).shown("Predicates", Long)
        .checks(&[Check::Own(aliases)])
        .doc("Names of the predicates that transformations refer to by transforms.NAME.predicate; each is configured by predicates.NAME.type and more."),
    Key::new("config.action.reload", Kind::String).default("restart").low().at(COMMON_GROUP, 14).shown("Reload Action", Medium)
        .checks(&[Check::OneOfExactly(&["none", "restart"])])
        .doc("What happens when a config provider says that a value has expired: nothing, or a restart of the connector.")
        .support(Support::NoEffect("no provider here gives values that expire")),
    Key::new("errors.retry.timeout", Kind::Long).default("0").at(ERRORS, 1).shown("Retry Timeout for Errors", Medium)
        .doc("Milliseconds for which a transformation or conversion that failed, but may succeed later, is tried again: 0 not at all, -1 without end."),
    Key::new("errors.retry.delay.max.ms", Kind::Long).default("60000").at(ERRORS, 2)
        .shown("Maximum Delay Between Retries for Errors", Medium)
        .doc("Longest wait in milliseconds between two of the attempts that errors.retry.timeout allows; waits double from 300 up to it."),
    Key::new("errors.tolerance", Kind::String).default("none").at(ERRORS, 3).shown("Error Tolerance", Short)
        .checks(&[Check::OneOfExactly(&["none", "all"])])
        .doc("What happens when a record cannot be transformed or converted: none fails the task, all leaves the record out: it is lost unless errors.deadletterqueue.topic.name keeps it."),
    Key::new("errors.log.enable", Kind::Boolean).default("false").at(ERRORS, 4).shown("Log Errors", Short)
        .doc("Whether each failure of a record to be transformed or converted is written to the log, with the record's position."),
    Key::new("errors.log.include.messages", Kind::Boolean).default("false").at(ERRORS, 5).shown("Log Error Details", Short)
        .doc("With errors.log.enable=true: whether the log line also holds the record. Data of rows may then be in the log."),
    Key::new("topic.creation.groups", Kind::List).default("").low().at("Topic Creation", 1).shown("Topic Creation Groups", Long)
        .checks(&[Check::Own(aliases)])
        .doc("Groups of topics with settings of their own for their creation; each is configured by topic.creation.NAME.include and more."),
    Key::new("exactly.once.support", Kind::String).default("requested").at(EXACTLY_ONCE, 2).shown("Exactly once support", Short)
        .checks(&[Check::OneOfAnyCase(&["required", "requested"])])
        .doc("required: the connector is refused unless the worker has exactly.once.source.support=enabled."),
    Key::new("transaction.boundary", Kind::String).default("poll").at(EXACTLY_ONCE, 3).shown("Transaction Boundary", Short)
        .checks(&[Check::OneOfAnyCase(&["interval", "poll", "connector"])])
        .doc("With exactly-once delivery: where the producer's transactions end: poll (after each batch), interval (after transaction.boundary.interval.ms) or connector (where the connector says)."),
    Key::new("transaction.boundary.interval.ms", Kind::Long).low().at(EXACTLY_ONCE, 4)
        .shown("Transaction boundary interval", Short)
        .checks(&[Check::Own(interval)])
        .doc("With transaction.boundary=interval: milliseconds between the ends of two transactions. Not set: the worker's offset.flush.interval.ms. A transaction ends earlier when three quarters of transaction.timeout.ms are over."),
    Key::new("offsets.storage.topic", Kind::String).low().at("offsets.topic", 1).shown("Offsets topic", Long)
        .checks(&[Check::NonEmpty])
        .doc("Topic of its own in which the connector's positions (offsets) are kept; what is only in the worker's topic counts too, and the worker's topic gets a copy. Not set: the worker's offset.storage.topic. In stand-alone mode it has no effect."),
];

/// Keys beside those that Connect lists: families of keys, and keys that only sinks have but people set on sources.
const FAMILIES: &[Key] = &[
    Key::new("key.converter.<option>", Kind::String).unlisted().family("key.converter.<option>")
        .doc("An option of the converter in key.converter of the connector, for example key.converter.schemas.enable."),
    Key::new("value.converter.<option>", Kind::String).unlisted().family("value.converter.<option>")
        .doc("An option of the converter in value.converter of the connector, for example value.converter.schemas.enable."),
    Key::new("header.converter.<option>", Kind::String).unlisted().family("header.converter.<option>")
        .doc("An option of the converter in header.converter of the connector."),
    Key::new("transforms.<name>.<option>", Kind::String).unlisted().family("transforms.<name>.<option>")
        .doc("An option of the transformation called <name> in transforms."),
    Key::new("predicates.<name>.<option>", Kind::String).unlisted().family("predicates.<name>.<option>")
        .doc("An option of the predicate called <name> in predicates."),
    Key::new("topic.creation.<group>.include", Kind::List).unlisted().family("topic.creation.<group>.include")
        .doc("Regexes, separated by commas, on the names of the topics that are created by the settings of this group. Topics that belong to no group are created by those of the group default."),
    Key::new("topic.creation.<group>.exclude", Kind::List).unlisted().family("topic.creation.<group>.exclude")
        .doc("Regexes, separated by commas, on the names of topics that do not belong to this group although its include matches."),
    Key::new("topic.creation.<group>.partitions", Kind::Int).unlisted().family("topic.creation.<group>.partitions")
        .doc("Number of partitions with which topics of the group are created; -1 leaves it to the broker. Not set: that of the group default, where it is required as soon as any topic.creation key is set."),
    Key::new("topic.creation.<group>.replication.factor", Kind::Short).unlisted()
        .family("topic.creation.<group>.replication.factor")
        .doc("Number of replicas with which topics of the group are created; -1 leaves it to the broker. Not set: that of the group default, where it is required as soon as any topic.creation key is set."),
    Key::new("topic.creation.<group>.<setting>", Kind::String).unlisted().family("topic.creation.<group>.<setting>")
        .doc("A topic setting with which topics of the group are created, for example topic.creation.default.cleanup.policy."),
    Key::new("producer.override.<property>", Kind::String).unlisted().family("producer.override.<property>")
        .doc("A property of the connector's producer, which overrides the worker's producer.<property>. The properties are listed below."),
    Key::new("admin.override.<property>", Kind::String).unlisted().family("admin.override.<property>")
        .doc("A property of the admin client that makes the connector's topics, which overrides the worker's admin.<property>. The properties are listed below."),
    Key::new("consumer.override.<property>", Kind::String).unlisted().family("consumer.override.<property>")
        .doc("A property of the consumer that reads the connector's dead letters (errors.deadletterqueue.topic.name), which overrides the worker's consumer.<property>.")
        .support(Support::Partly(&[(Values::Own(letters::has_no_topic), Support::NoEffect("a source connector has a consumer for its dead letters only"))])),
    Key::new("task.restart.enabled", Kind::Boolean).unlisted()
        .doc("Whether the connector's task restarts by itself after a failure whose cause may pass (docs/restarts.md). Not set: the worker's task.restart.enabled. Not a key of Kafka Connect."),
    Key::new("task.restart.backoff.ms", Kind::Long).unlisted().checks(&[Check::Own(pause)])
        .doc("Milliseconds before the task restarts by itself for the first time; pauses double from there. Not set: the worker's task.restart.backoff.ms. Not a key of Kafka Connect."),
    Key::new("task.restart.backoff.max.ms", Kind::Long).unlisted().checks(&[Check::Own(pause)])
        .doc("Longest pause in milliseconds before the task restarts by itself. Not set: the worker's task.restart.backoff.max.ms. Not a key of Kafka Connect."),
    Key::new("task.restart.max.attempts", Kind::Int).unlisted().checks(&[Check::Own(attempts)])
        .doc("How often in a row the task restarts by itself before it stays FAILED; -1 without a limit. Not set: the worker's task.restart.max.attempts. Not a key of Kafka Connect."),
    Key::new("errors.deadletterqueue.topic.name", Kind::String).default("").unlisted()
        .checks(&[Check::Own(letters::topic_name)])
        .doc("Topic for the records that errors.tolerance=all leaves out, each as it was before the transformations (docs/dead-letters.md). Not set: such records are lost. In Kafka Connect only sinks have it.")
        .support(Support::Partly(&[(Values::Own(letters::has_no_letters), Support::NoEffect("no record is left out unless errors.tolerance=all"))])),
    Key::new("errors.deadletterqueue.topic.replication.factor", Kind::Short).default("-1").unlisted()
        .checks(&[Check::Own(replicas)])
        .doc("Number of replicas with which the topic of errors.deadletterqueue.topic.name is created if it is missing; -1 leaves it to the broker.")
        .support(Support::Partly(&[(Values::Own(letters::has_no_topic), Support::NoEffect("errors.deadletterqueue.topic.name is not set"))])),
    Key::new("errors.deadletterqueue.context.headers.enable", Kind::Boolean).default("true").unlisted()
        .doc("Whether records in the topic of errors.deadletterqueue.topic.name have headers (__connect.errors.*) that say what failed. The headers that a replay needs are there in any case.")
        .support(Support::Partly(&[(Values::Own(letters::has_no_topic), Support::NoEffect("errors.deadletterqueue.topic.name is not set"))])),
];

/// The keys of every transformation, under `transforms.NAME.`.
pub static TRANSFORM: Def = Def::new(&[TYPED, APPLIED]);

/// The first keys of a transformation, which say what it is.
pub static TRANSFORM_TYPE: Def = Def::new(&[TYPED]);

/// The keys that say when a transformation is applied. Connect counts them among those of its class.
pub static TRANSFORM_APPLIED: Def = Def::new(&[APPLIED]);

const TYPED: &[Key] = &[
    Key::new("type", Kind::Class)
        .required()
        .high()
        .shown("Transformation type for ", Long)
        .doc("The transformation's Java class."),
    Key::new("plugin.version", Kind::String)
        .high()
        .shown("Transformation version for ", Long)
        .doc("The version that the transformation must have."),
];

const APPLIED: &[Key] = &[
    Key::new("negate", Kind::Boolean)
        .default("false")
        .doc("With predicate: apply the transformation to the records for which the predicate does not hold, instead of those for which it does."),
    Key::new("predicate", Kind::String).doc("Name of a predicate in predicates: the transformation is applied only to records for which it holds. Not set: to all."),
];

/// The keys of every predicate, under `predicates.NAME.`.
pub static PREDICATE: Def = Def::new(&[&[
    Key::new("type", Kind::Class)
        .required()
        .high()
        .shown("Predicate type for ", Long)
        .doc("The predicate's Java class."),
    Key::new("plugin.version", Kind::String)
        .high()
        .shown("Predicate version for ", Long)
        .doc("The version that the predicate must have."),
]]);

/// The rule for a connector's name: Connect's (not empty, no ISO control characters) and one of our own.
fn name(asked: &Asked<'_>) -> Vec<String> {
    let Some(value) = asked.value else { return Vec::new() };
    if value.trim().is_empty() {
        return vec![format!("Invalid value {value} for configuration name: String may not be empty")];
    }
    let controls: Vec<String> = value.chars().filter(|c| c.is_control()).map(|c| u32::from(c).to_string()).collect();
    if controls.is_empty() {
        return unreachable_in_a_path(value);
    }
    vec![format!(
        "Invalid value {value} for configuration name: String may not contain control sequences but had the following ASCII \
         chars: {}",
        controls.join(", ")
    )]
}

/// Refuses a name that no path of the REST API can carry, because the HTTP layer refuses it however it is escaped: the
/// connector could be created and never be read, changed or deleted.
fn unreachable_in_a_path(name: &str) -> Vec<String> {
    let what = match name {
        "." | ".." => "it is a step in a path".to_owned(),
        _ => match name.chars().find(|c| matches!(c, '%' | '/' | '\\')) {
            Some(c) => format!("String may not contain '{c}'"),
            None => return Vec::new(),
        },
    };
    vec![format!(
        "Invalid value {name} for configuration name: {what}: no path of the REST API can carry it, and the connector could \
         never be read, changed or deleted"
    )]
}

fn aliases(asked: &Asked<'_>) -> Vec<String> {
    let items = list(asked.properties, asked.name);
    if items.iter().enumerate().any(|(i, item)| items[..i].contains(item)) {
        let shown = items.join(", ");
        return vec![format!("Invalid value [{shown}] for configuration {}: Duplicate alias provided.", asked.name)];
    }
    Vec::new()
}

fn interval(asked: &Asked<'_>) -> Vec<String> {
    at_least(0, asked)
}

fn pause(asked: &Asked<'_>) -> Vec<String> {
    at_least(1, asked)
}

fn attempts(asked: &Asked<'_>) -> Vec<String> {
    at_least(-1, asked)
}

/// The complaint about a number that is too small, in Connect's words. Not being set is fine.
fn at_least(min: i64, asked: &Asked<'_>) -> Vec<String> {
    match asked.value.and_then(|value| value.trim().parse::<i64>().ok()) {
        Some(n) if n < min => {
            vec![format!("Invalid value {n} for configuration {}: Value must be at least {min}", asked.name)]
        }
        _ => Vec::new(),
    }
}

fn replicas(asked: &Asked<'_>) -> Vec<String> {
    match asked.value.and_then(|value| value.trim().parse::<i16>().ok()) {
        Some(n) if n != -1 && n < 1 => vec![format!(
            "Invalid value {n} for configuration {}: it must be at least 1, or -1 for the broker's default",
            asked.name
        )],
        _ => Vec::new(),
    }
}

/// The items of a comma-separated list.
pub(crate) fn list<'a>(properties: &'a Properties, key: &str) -> Vec<&'a str> {
    let text = properties.get(key).map(str::trim).unwrap_or_default();
    if text.is_empty() { Vec::new() } else { text.split(',').map(str::trim).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts() {
        #[track_caller]
        fn check(key: &str, value: &str, complaint: Option<&str>) {
            let config: Properties = [("name", "c"), ("connector.class", "C"), (key, value)].into_iter().collect();
            let checked = COMMON.validate(&config);
            let errors: Vec<&String> = checked.iter().flat_map(|one| &one.errors).collect();
            assert_eq!(errors.first().map(|error| error.as_str()), complaint, "{key}={value}");
        }
        check("task.restart.enabled", "FALSE", None);
        check(
            "task.restart.enabled",
            "no",
            Some("Invalid value no for configuration task.restart.enabled: Expected value to be either true or false"),
        );
        check("task.restart.backoff.ms", "1", None);
        check(
            "task.restart.backoff.ms",
            "0",
            Some("Invalid value 0 for configuration task.restart.backoff.ms: Value must be at least 1"),
        );
        check(
            "task.restart.backoff.max.ms",
            "1 min",
            Some("Invalid value 1 min for configuration task.restart.backoff.max.ms: Not a number of type LONG"),
        );
        check("task.restart.max.attempts", "-1", None);
        check(
            "task.restart.max.attempts",
            "-2",
            Some("Invalid value -2 for configuration task.restart.max.attempts: Value must be at least -1"),
        );
    }
}
