//! Checks of keys that relational connectors share. Their messages are Debezium's, word for word.
//!
//! Must not know: connections.

use settings::{Asked, JavaRegex};

/// The pattern of one `message.key.columns` entry, as the error message shows it.
pub const MESSAGE_KEY_PATTERN: &str = r"^\s*([^:]+):([^:,]+(,[^:,]+)*)\s*$";

/// The problem as a list, unless all is fine.
pub fn unless(fine: bool, problem: impl FnOnce() -> String) -> Vec<String> {
    if fine { Vec::new() } else { vec![problem()] }
}

fn is_plain(value: &str) -> bool {
    !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Letters, digits, `_`, `-`, `.`; a blank value is refused with the same message.
pub fn plain_name(asked: &Asked<'_>) -> Vec<String> {
    asked.value.map_or_else(Vec::new, |value| {
        unless(is_plain(value), || {
            format!(
                "{value} has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)"
            )
        })
    })
}

/// As [`plain_name`], but a blank value is left to [`settings::Check::Required`].
pub fn host_name(asked: &Asked<'_>) -> Vec<String> {
    if asked.value.is_some_and(|v| v.trim().is_empty()) { Vec::new() } else { plain_name(asked) }
}

/// Parts between separators as Java's `split` gives them: empty parts at the end are dropped, an empty text has one part.
fn java_split(text: &str, separator: char) -> Vec<&str> {
    let mut parts: Vec<_> = text.split(separator).collect();
    while parts.len() > 1 && parts.last().is_some_and(|p| p.is_empty()) {
        parts.pop();
    }
    if !text.is_empty() && parts == [""] { Vec::new() } else { parts }
}

/// A message for every entry that `pattern` does not match.
pub fn entries(value: &str, separator: char, pattern: &str) -> Vec<String> {
    let mut problems = unless(!value.is_empty(), || "Must not be empty".to_owned());
    // The two patterns are anchored, and a test shows that they compile.
    let Ok(regex) = JavaRegex::new_case_sensitive(pattern) else { return problems };
    for entry in java_split(value, separator) {
        if !regex.matches(entry).unwrap_or(false) {
            problems.push(format!("{entry} has an invalid format (expecting '{pattern}')"));
        }
    }
    problems
}

/// `message.key.columns`: entries of the form `table:column,…`.
pub fn message_keys(asked: &Asked<'_>) -> Vec<String> {
    asked.value.map_or_else(Vec::new, |value| entries(value, ';', MESSAGE_KEY_PATTERN))
}

/// Operations are single lower-case letters; `none` stands alone.
pub fn skipped_operations(asked: &Asked<'_>) -> Vec<String> {
    let Some(value) = asked.value else { return Vec::new() };
    let items: Vec<_> = value.split(',').map(str::trim).collect();
    if items.iter().any(|item| !matches!(*item, "r" | "c" | "u" | "d" | "t" | "none")) {
        return vec!["Invalid operation".to_owned()];
    }
    let mixed = items.contains(&"none") && items.iter().any(|item| *item != "none");
    unless(!mixed, || "'none' cannot be specified with other skipped operation types".to_owned())
}

/// Above zero and above `max.batch.size`. A value that is no number counts as the key's default here.
pub fn queue_size(asked: &Asked<'_>) -> Vec<String> {
    let number = |value: Option<&str>, default: i32| value.and_then(|v| v.parse().ok()).unwrap_or(default);
    let (queue, batch) = (number(asked.value, 8192), number(asked.properties.get("max.batch.size"), 2048));
    let mut problems = unless(queue > 0, || "A positive queue size is required".to_owned());
    problems.extend(unless(queue > batch, || "Must be larger than the maximum batch size".to_owned()));
    problems
}

fn custom_name(asked: &Asked<'_>, mode: &str) -> Vec<String> {
    let custom = asked.properties.get(mode).is_some_and(|m| m.trim().eq_ignore_ascii_case("custom"));
    let named = asked.value.is_some_and(|v| !v.trim().is_empty());
    unless(!custom || named, || format!("{} cannot be empty when {mode} 'custom' is defined", asked.name))
}

/// `snapshot.mode.custom.name` is needed with `snapshot.mode=custom`.
pub fn custom_snapshot_mode(asked: &Asked<'_>) -> Vec<String> {
    custom_name(asked, "snapshot.mode")
}

/// `snapshot.locking.mode.custom.name` is needed with `snapshot.locking.mode=custom`.
pub fn custom_locking_mode(asked: &Asked<'_>) -> Vec<String> {
    custom_name(asked, "snapshot.locking.mode")
}

/// `snapshot.query.mode.custom.name` is needed with `snapshot.query.mode=custom`.
pub fn custom_query_mode(asked: &Asked<'_>) -> Vec<String> {
    custom_name(asked, "snapshot.query.mode")
}

/// `snapshot.query.mode=custom` together with the name that it needs. False without the name: then another check complains that
/// it is missing.
pub fn is_custom_query(asked: &Asked<'_>) -> bool {
    is_custom(asked, "snapshot.query.mode.custom.name")
}

fn is_custom(asked: &Asked<'_>, name: &str) -> bool {
    let is_named = asked.properties.get(name).is_some_and(|name| !name.trim().is_empty());
    is_named && asked.value.is_some_and(|mode| mode.trim().eq_ignore_ascii_case("custom"))
}

/// Whether notifications go to a topic, and the topic is named. False without the name: then another check complains that
/// it is missing.
pub fn notifies_a_topic(asked: &Asked<'_>) -> bool {
    let is_named = asked.properties.get("notification.sink.topic.name").is_some_and(|name| !name.trim().is_empty());
    is_named && asked.value.is_some_and(|channels| channels.split(',').any(|channel| channel.trim() == "sink"))
}

/// `notification.sink.topic.name` is needed with the channel `sink`.
pub fn notification_topic(asked: &Asked<'_>) -> Vec<String> {
    let channels = asked.properties.get("notification.enabled.channels").unwrap_or("");
    let sink = channels.split(',').any(|c| c.trim() == "sink");
    let named = asked.value.is_some_and(|v| !v.trim().is_empty());
    unless(!sink || named, || {
        "Notification topic name must be provided when kafka notification channel is enabled".to_owned()
    })
}

/// `signal.data.collection`: one table at most.
pub fn one_signal_table(asked: &Asked<'_>) -> Vec<String> {
    let tables = asked.value.unwrap_or("").split(',').filter(|t| !t.trim().is_empty()).count();
    unless(tables <= 1, || "For single task connector only one signal data collection is permitted.".to_owned())
}

/// `topic.regex` needs `topic.replacement`.
pub fn topic_replacement(asked: &Asked<'_>) -> Vec<String> {
    let regex = asked.properties.get("topic.regex").is_some_and(|r| !r.is_empty());
    let named = asked.value.is_some_and(|v| !v.is_empty());
    unless(!regex || named, || "topic.replacement must be non-empty if topic.regex is set.".to_owned())
}

/// The value must compile as a Java regex.
pub fn regex(asked: &Asked<'_>) -> Vec<String> {
    let bad = asked.value.and_then(|v| JavaRegex::new(v).err());
    bad.map_or_else(Vec::new, |e| vec![format!("A valid regular expressions is expected, but {e}")])
}

/// `snapshot.locking.mode=custom` together with the name that it needs. False without the name: then another check complains that
/// it is missing.
pub fn is_custom_locking(asked: &Asked<'_>) -> bool {
    is_custom(asked, "snapshot.locking.mode.custom.name")
}
