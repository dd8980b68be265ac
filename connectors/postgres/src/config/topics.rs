//! Names of topics: the keys of the naming strategies.
//!
//! Must not know: tables, sanitising (that is the naming's own matter).

use relational::NamingStrategy;
use settings::{JavaReplacement, Reader};

use super::connection::complain;

const PACKAGE: &str = "io.debezium.schema.";
const SUFFIX: &str = "TopicNamingStrategy";

/// The strategy of a class of `io.debezium.schema`, and whether it renames by a regex.
fn strategy_of(class: &str) -> Option<(NamingStrategy, bool)> {
    Some(match class.strip_prefix(PACKAGE)?.strip_suffix(SUFFIX)? {
        "Schema" => (NamingStrategy::Schema, false),
        "SchemaUnicode" => (NamingStrategy::SchemaUnicode, false),
        "SchemaRegex" => (NamingStrategy::Schema, true),
        "Default" => (NamingStrategy::Default, false),
        "DefaultUnicode" => (NamingStrategy::DefaultUnicode, false),
        "DefaultRegex" => (NamingStrategy::Default, true),
        _ => return None,
    })
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
    /// With a regex strategy: what is renamed (whole match) and to what.
    pub rewrite: Option<JavaReplacement>,
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
        let (strategy, by_regex) = strategy_of(class.trim()).unwrap_or_else(|| {
            complain(
                r,
                "topic.naming.strategy",
                &format!("Java classes do not run here; one of {PACKAGE}{{Schema,Default}}[Unicode|Regex]{SUFFIX} is expected"),
            );
            (NamingStrategy::Schema, false)
        });
        let rewrite = if by_regex { rewrite(r) } else { None };
        Self {
            prefix: r.text("topic.prefix"),
            strategy,
            delimiter: r.text("topic.delimiter"),
            cache_size: r.count("topic.cache.size"),
            heartbeat_prefix: r.text("topic.heartbeat.prefix"),
            heartbeat_name: r.text_or_none("topic.heartbeat.name"),
            transaction: r.text("topic.transaction"),
            rewrite,
            enforce_key_uniqueness: r.boolean("topic.key.enforce.uniqueness"),
            key_field_name: r.text("topic.key.field.name"),
            key_field_regex: r.text_or_none("topic.key.field.regex"),
            key_field_replacement: r.text_or_none("topic.key.field.replacement"),
        }
    }
}

/// What a regex strategy renames. A regex that does not compile was refused by its key.
fn rewrite(r: &mut Reader<'_>) -> Option<JavaReplacement> {
    let (regex, replacement) = (r.text_or_none("topic.regex"), r.text_or_none("topic.replacement"));
    let (Some(regex), Some(replacement)) = (regex.filter(|regex| !regex.is_empty()), replacement) else {
        complain(r, "topic.naming.strategy", "topic.regex and topic.replacement are required with a regex strategy");
        return None;
    };
    let rewrite = JavaReplacement::new(&regex, &replacement).ok()?;
    if let Some(problem) = rewrite.problem() {
        complain(r, "topic.replacement", &format!("{problem}: topic.regex has no such group"));
    }
    Some(rewrite)
}
