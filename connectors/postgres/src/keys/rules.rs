//! Checks that only this connector's keys need. Their messages are Debezium's, word for word.
//!
//! Must not know: connections.

use settings::{Asked, JavaRegex};

/// The pattern of one `message.key.columns` entry, as the error message shows it.
pub const MESSAGE_KEY_PATTERN: &str = r"^\s*([^:]+):([^:,]+(,[^:,]+)*)\s*$";

/// The pattern of one `replica.identity.autoset.values` entry, as the error message shows it.
pub const REPLICA_IDENTITY_PATTERN: &str =
    r"(?i)^\s*(?<tablepredicate>[^\s:]+):(?<replicaidentity>DEFAULT|(INDEX) (?<indexname>.\w*)|FULL|NOTHING)\s*$";

const LENGTH_OF_A_SLOT_NAME: usize = 63; // NAMEDATALEN - 1

fn unless(fine: bool, problem: impl FnOnce() -> String) -> Vec<String> {
    if fine { Vec::new() } else { vec![problem()] }
}

fn is_plain(value: &str) -> bool {
    !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Letters, digits, `_`, `-`, `.`; a blank value is refused with the same message.
pub(super) fn plain_name(asked: &Asked<'_>) -> Vec<String> {
    asked.value.map_or_else(Vec::new, |value| {
        unless(is_plain(value), || {
            format!(
                "{value} has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)"
            )
        })
    })
}

/// As [`plain_name`], but a blank value is left to [`settings::Check::Required`].
pub(super) fn host_name(asked: &Asked<'_>) -> Vec<String> {
    if asked.value.is_some_and(|v| v.trim().is_empty()) { Vec::new() } else { plain_name(asked) }
}

pub(super) fn slot_name(asked: &Asked<'_>) -> Vec<String> {
    let fine = asked.value.is_none_or(|v| {
        (1..=LENGTH_OF_A_SLOT_NAME).contains(&v.len())
            && v.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    });
    unless(fine, || {
        "Valid replication slot name must contain only digits, lowercase characters and underscores with length <= 63"
            .to_owned()
    })
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
fn entries(value: &str, separator: char, pattern: &str) -> Vec<String> {
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

pub(super) fn message_keys(asked: &Asked<'_>) -> Vec<String> {
    asked.value.map_or_else(Vec::new, |value| entries(value, ';', MESSAGE_KEY_PATTERN))
}

pub(super) fn replica_identities(asked: &Asked<'_>) -> Vec<String> {
    asked.value.map_or_else(Vec::new, |value| entries(value, ',', REPLICA_IDENTITY_PATTERN))
}

/// Operations are single lower-case letters; `none` stands alone.
pub(super) fn skipped_operations(asked: &Asked<'_>) -> Vec<String> {
    let Some(value) = asked.value else { return Vec::new() };
    let items: Vec<_> = value.split(',').map(str::trim).collect();
    if items.iter().any(|item| !matches!(*item, "r" | "c" | "u" | "d" | "t" | "none")) {
        return vec!["Invalid operation".to_owned()];
    }
    let mixed = items.contains(&"none") && items.iter().any(|item| *item != "none");
    unless(!mixed, || "'none' cannot be specified with other skipped operation types".to_owned())
}

/// Above zero and above `max.batch.size`. A value that is no number counts as the key's default here.
pub(super) fn queue_size(asked: &Asked<'_>) -> Vec<String> {
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

pub(super) fn custom_snapshot_mode(asked: &Asked<'_>) -> Vec<String> {
    custom_name(asked, "snapshot.mode")
}

pub(super) fn custom_locking_mode(asked: &Asked<'_>) -> Vec<String> {
    custom_name(asked, "snapshot.locking.mode")
}

pub(super) fn custom_query_mode(asked: &Asked<'_>) -> Vec<String> {
    custom_name(asked, "snapshot.query.mode")
}

/// `snapshot.locking.mode=custom` together with the name that it needs. False without the name: then another check complains that
/// it is missing.
pub(super) fn is_custom_locking(asked: &Asked<'_>) -> bool {
    is_custom(asked, "snapshot.locking.mode.custom.name")
}

/// `snapshot.query.mode=custom` together with the name that it needs. False without the name: then another check complains that
/// it is missing.
pub(super) fn is_custom_query(asked: &Asked<'_>) -> bool {
    is_custom(asked, "snapshot.query.mode.custom.name")
}

fn is_custom(asked: &Asked<'_>, name: &str) -> bool {
    let is_named = asked.properties.get(name).is_some_and(|name| !name.trim().is_empty());
    is_named && asked.value.is_some_and(|mode| mode.trim().eq_ignore_ascii_case("custom"))
}

/// Whether notifications go to a topic, and the topic is named. False without the name: then another check complains that
/// it is missing.
pub(super) fn notifies_a_topic(asked: &Asked<'_>) -> bool {
    let is_named = asked.properties.get("notification.sink.topic.name").is_some_and(|name| !name.trim().is_empty());
    is_named && asked.value.is_some_and(|channels| channels.split(',').any(|channel| channel.trim() == "sink"))
}

/// A property of the Java driver that chooses how the server is verified, how the role logs in or how bytes are encrypted.
/// Whoever sets one relies on it, so it must be refused rather than ignored.
pub(super) fn guards_the_connection(asked: &Asked<'_>) -> bool {
    const GUARDS: [&str; 6] = [
        "authenticationPluginClassName",
        "requireAuth",
        "socketFactory",
        "socketFactoryArg",
        "sslhostnameverifier",
        "sslpasswordcallback",
    ];
    let property = asked.name.split_once('.').map_or("", |(_, property)| property);
    let value = asked.value.unwrap_or_default().trim();
    match property {
        "gssEncMode" | "channelBinding" => value.eq_ignore_ascii_case("require"),
        _ => GUARDS.contains(&property),
    }
}

/// Whether the name is a key of an older release: [`super::warnings`] speaks of it, so nothing else does.
pub(super) fn is_spoken_of(asked: &Asked<'_>) -> bool {
    super::is_older(asked.name)
}

pub(super) fn notification_topic(asked: &Asked<'_>) -> Vec<String> {
    let channels = asked.properties.get("notification.enabled.channels").unwrap_or("");
    let sink = channels.split(',').any(|c| c.trim() == "sink");
    let named = asked.value.is_some_and(|v| !v.trim().is_empty());
    unless(!sink || named, || {
        "Notification topic name must be provided when kafka notification channel is enabled".to_owned()
    })
}

pub(super) fn one_signal_table(asked: &Asked<'_>) -> Vec<String> {
    let tables = asked.value.unwrap_or("").split(',').filter(|t| !t.trim().is_empty()).count();
    unless(tables <= 1, || "For single task connector only one signal data collection is permitted.".to_owned())
}

/// `topic.regex` needs `topic.replacement`.
pub(super) fn topic_replacement(asked: &Asked<'_>) -> Vec<String> {
    let regex = asked.properties.get("topic.regex").is_some_and(|r| !r.is_empty());
    let named = asked.value.is_some_and(|v| !v.is_empty());
    unless(!regex || named, || "topic.replacement must be non-empty if topic.regex is set.".to_owned())
}

/// The value must compile as a Java regex.
pub(super) fn regex(asked: &Asked<'_>) -> Vec<String> {
    let bad = asked.value.and_then(|v| JavaRegex::new(v).err());
    bad.map_or_else(Vec::new, |e| vec![format!("A valid regular expressions is expected, but {e}")])
}
