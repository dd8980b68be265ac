//! Names of topics: the keys of the naming strategies.
//!
//! Must not know: tables, how names are sanitised (`relational::TopicNaming` does that).

use relational::{KeyField, NamingStrategy};
use settings::{JavaReplacement, Reader};

use super::connection::complain;

const PACKAGE: &str = "io.debezium.schema.";
const SUFFIX: &str = "TopicNamingStrategy";

/// The naming strategy of a class of `io.debezium.schema`, and whether it renames topics by a regex.
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
    /// First part of all topic names; also `source.name` and the source partition of the stored offset.
    pub prefix: String,
    pub strategy: NamingStrategy,
    /// What stands between the parts of a name.
    pub delimiter: String,
    /// First part of the heartbeat topic's name.
    pub heartbeat_prefix: String,
    /// The whole name of the heartbeat topic, in place of the one that is made from the prefix.
    pub heartbeat_name: Option<String>,
    /// Last part of the transaction topic's name.
    pub transaction: String,
    /// With a regex strategy: which topics are renamed (the regex must match the whole name), and to what.
    pub rewrite: Option<JavaReplacement>,
    /// With a regex strategy: the field that tells apart the keys of tables that share a topic.
    pub key_field: Option<KeyField>,
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
        let key_field = (r.boolean("topic.key.enforce.uniqueness") && by_regex).then(|| key_field(r));
        Self {
            prefix: r.text("topic.prefix"),
            strategy,
            delimiter: r.text("topic.delimiter"),
            heartbeat_prefix: r.text("topic.heartbeat.prefix"),
            heartbeat_name: r.text_or_none("topic.heartbeat.name"),
            transaction: r.text("topic.transaction"),
            rewrite,
            key_field,
        }
    }
}

/// What a regex strategy renames. The key's check has refused a regex that does not compile.
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

/// The field that `topic.key.enforce.uniqueness` adds to keys, and how its value is made.
fn key_field(r: &mut Reader<'_>) -> KeyField {
    let (regex, replacement) = (r.text_or_none("topic.key.field.regex"), r.text_or_none("topic.key.field.replacement"));
    let rewrite =
        regex.zip(replacement).and_then(|(regex, replacement)| JavaReplacement::new(&regex, &replacement).ok());
    if let Some(problem) = rewrite.as_ref().and_then(JavaReplacement::problem) {
        complain(r, "topic.key.field.replacement", &format!("{problem}: topic.key.field.regex has no such group"));
    }
    KeyField { name: r.text("topic.key.field.name"), rewrite }
}
