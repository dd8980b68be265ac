//! The keys of topic names and of their strategies.
//!
//! Must not know: tables, how names are sanitised.

use settings::{JavaReplacement, Reader};

use super::{KeyField, NamingStrategy, TopicNaming};

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

impl TopicNaming {
    /// Reads `topic.*`. What cannot be used becomes a complaint of the reader, whose key table must have the keys.
    pub fn read(r: &mut Reader<'_>) -> Self {
        let class = r.text("topic.naming.strategy");
        let (strategy, by_regex) = strategy_of(class.trim()).unwrap_or_else(|| {
            r.refuse(
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
        r.refuse("topic.naming.strategy", "topic.regex and topic.replacement are required with a regex strategy");
        return None;
    };
    let rewrite = JavaReplacement::new(&regex, &replacement).ok()?;
    if let Some(problem) = rewrite.problem() {
        r.refuse("topic.replacement", &format!("{problem}: topic.regex has no such group"));
    }
    Some(rewrite)
}

/// The field that `topic.key.enforce.uniqueness` adds to keys, and how its value is made.
fn key_field(r: &mut Reader<'_>) -> KeyField {
    let (regex, replacement) = (r.text_or_none("topic.key.field.regex"), r.text_or_none("topic.key.field.replacement"));
    let rewrite =
        regex.zip(replacement).and_then(|(regex, replacement)| JavaReplacement::new(&regex, &replacement).ok());
    if let Some(problem) = rewrite.as_ref().and_then(JavaReplacement::problem) {
        r.refuse("topic.key.field.replacement", &format!("{problem}: topic.key.field.regex has no such group"));
    }
    KeyField { name: r.text("topic.key.field.name"), rewrite }
}
