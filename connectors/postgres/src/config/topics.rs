//! Names of topics: the keys of the naming strategies.
//!
//! Must not know: tables, sanitising (that is the naming's own matter).

use settings::Reader;

use super::connection::complain;

/// Which strategy of `io.debezium.schema`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamingStrategy {
    /// The schema is a part of the name.
    pub with_schema: bool,
    /// Characters that a topic cannot have become `_uXXXX` instead of `_`.
    pub unicode: bool,
    /// Names are rewritten by a regex.
    pub regex: bool,
}

const PACKAGE: &str = "io.debezium.schema.";
const SUFFIX: &str = "TopicNamingStrategy";

impl NamingStrategy {
    fn of(class: &str) -> Option<Self> {
        let (with_schema, unicode, regex) = match class.strip_prefix(PACKAGE)?.strip_suffix(SUFFIX)? {
            "Schema" => (true, false, false),
            "SchemaUnicode" => (true, true, false),
            "SchemaRegex" => (true, false, true),
            "Default" => (false, false, false),
            "DefaultUnicode" => (false, true, false),
            "DefaultRegex" => (false, false, true),
            _ => return None,
        };
        Some(Self { with_schema, unicode, regex })
    }
}

/// Names of topics.
#[derive(Clone, Debug)]
pub struct Topics {
    /// First part of all of them; also `source.name` and the key of the stored offset.
    pub prefix: String,
    /// The strategy.
    pub strategy: NamingStrategy,
    /// Between parts.
    pub delimiter: String,
    /// Names remembered.
    pub cache_size: usize,
    /// First part of the heartbeat topic.
    pub heartbeat_prefix: String,
    /// Its whole name instead.
    pub heartbeat_name: Option<String>,
    /// Last part of the transaction topic.
    pub transaction: String,
    /// With a regex strategy: what is renamed (whole match, Java regex).
    pub regex: Option<String>,
    /// To what, with `$1` for groups.
    pub replacement: Option<String>,
    /// Add a field to the key that tells tables in one topic apart.
    pub enforce_key_uniqueness: bool,
    /// That field's name.
    pub key_field_name: String,
    /// Where its value comes from: regex on the old topic.
    pub key_field_regex: Option<String>,
    /// And what it becomes.
    pub key_field_replacement: Option<String>,
}

impl Topics {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let class = r.text("topic.naming.strategy");
        let strategy = NamingStrategy::of(class.trim()).unwrap_or_else(|| {
            complain(
                r,
                "topic.naming.strategy",
                &format!("Java classes do not run here; one of {PACKAGE}{{Schema,Default}}[Unicode|Regex]{SUFFIX} is expected"),
            );
            NamingStrategy { with_schema: true, unicode: false, regex: false }
        });
        let (regex, replacement) = (r.text_or_none("topic.regex"), r.text_or_none("topic.replacement"));
        if strategy.regex && (regex.as_ref().is_none_or(String::is_empty) || replacement.is_none()) {
            complain(
                r,
                "topic.naming.strategy",
                "topic.regex and topic.replacement are required with a regex strategy",
            );
        }
        Self {
            prefix: r.text("topic.prefix"),
            strategy,
            delimiter: r.text("topic.delimiter"),
            cache_size: r.count("topic.cache.size"),
            heartbeat_prefix: r.text("topic.heartbeat.prefix"),
            heartbeat_name: r.text_or_none("topic.heartbeat.name"),
            transaction: r.text("topic.transaction"),
            regex,
            replacement,
            enforce_key_uniqueness: r.boolean("topic.key.enforce.uniqueness"),
            key_field_name: r.text("topic.key.field.name"),
            key_field_regex: r.text_or_none("topic.key.field.regex"),
            key_field_replacement: r.text_or_none("topic.key.field.replacement"),
        }
    }
}
