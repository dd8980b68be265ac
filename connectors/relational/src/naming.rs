//! Topic names: the topic of a table's changes, and the connector's other topics.

mod read;

use settings::JavaReplacement;

use record::push_unicode;

/// Kafka's limit for a topic name.
const MAX_LENGTH: usize = 249;

/// `topic.naming.strategy`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NamingStrategy {
    /// `io.debezium.schema.SchemaTopicNamingStrategy`: prefix, schema, table.
    #[default]
    Schema,
    /// `io.debezium.schema.DefaultTopicNamingStrategy`: prefix, table.
    Default,
    /// As [`Schema`](Self::Schema), but characters that Kafka does not allow become `_u` and their code unit.
    SchemaUnicode,
    /// As [`Default`](Self::Default), but characters that Kafka does not allow become `_u` and their code unit.
    DefaultUnicode,
}

/// Makes topic names.
#[derive(Clone, Debug)]
pub struct TopicNaming {
    /// `topic.prefix`.
    pub prefix: String,
    /// `topic.delimiter`.
    pub delimiter: String,
    /// `topic.naming.strategy`.
    pub strategy: NamingStrategy,
    /// `topic.heartbeat.prefix`.
    pub heartbeat_prefix: String,
    /// `topic.heartbeat.name`: the whole name of the heartbeat topic.
    pub heartbeat_name: Option<String>,
    /// `topic.transaction`.
    pub transaction: String,
    /// `topic.regex` and `topic.replacement`; `None` unless the strategy is one with a regex.
    pub rewrite: Option<JavaReplacement>,
    /// The field that distinguishes the keys of tables that share a topic; `None` unless the strategy is one with a
    /// regex and `topic.key.enforce.uniqueness` is set.
    pub key_field: Option<KeyField>,
}

/// A field added to every key; its value names the table.
#[derive(Clone, Debug)]
pub struct KeyField {
    /// `topic.key.field.name`.
    pub name: String,
    /// `topic.key.field.regex` and `topic.key.field.replacement`, applied to the topic name before it was renamed.
    /// Without them the value is that name.
    pub rewrite: Option<JavaReplacement>,
}

impl TopicNaming {
    /// Names with default settings under `topic.prefix`.
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            delimiter: ".".to_owned(),
            strategy: NamingStrategy::Schema,
            heartbeat_prefix: "__debezium-heartbeat".to_owned(),
            heartbeat_name: None,
            transaction: "transaction".to_owned(),
            rewrite: None,
            key_field: None,
        }
    }

    /// The topic of a table's changes.
    pub fn data(&self, schema: &str, table: &str) -> String {
        let whole = self.whole(schema, table);
        let unicode = matches!(self.strategy, NamingStrategy::SchemaUnicode | NamingStrategy::DefaultUnicode);
        let topic = sanitise(&whole, unicode);
        renamed(self.rewrite.as_ref(), topic)
    }

    /// The key field's name and its value for a table; `None` when keys have no such field.
    pub fn key_field(&self, schema: &str, table: &str) -> Option<(&str, String)> {
        let field = self.key_field.as_ref()?;
        Some((&field.name, renamed(field.rewrite.as_ref(), self.whole(schema, table))))
    }

    /// The parts of a data topic's name, joined and not yet sanitised.
    fn whole(&self, schema: &str, table: &str) -> String {
        let parts: &[&str] = match self.strategy {
            NamingStrategy::Schema | NamingStrategy::SchemaUnicode => &[&self.prefix, schema, table],
            NamingStrategy::Default | NamingStrategy::DefaultUnicode => &[&self.prefix, table],
        };
        parts.iter().copied().filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join(&self.delimiter)
    }

    /// The heartbeat topic.
    pub fn heartbeat(&self) -> String {
        let usual = || [self.heartbeat_prefix.as_str(), &self.prefix].join(&self.delimiter);
        self.heartbeat_name.clone().filter(|name| !name.is_empty()).unwrap_or_else(usual)
    }

    /// The topic of transaction metadata.
    pub fn transaction(&self) -> String {
        [self.prefix.as_str(), &self.transaction].join(&self.delimiter)
    }
}

/// The name after the replacement. A blank result leaves the name as it was. A wrong replacement text does not get
/// here: validation refuses it.
fn renamed(rewrite: Option<&JavaReplacement>, name: String) -> String {
    let renamed = rewrite.and_then(|rewrite| rewrite.apply(&name).ok().flatten());
    renamed.filter(|name| !name.trim().is_empty()).unwrap_or(name)
}

/// Replaces what Kafka does not allow in a topic name: all but ASCII letters, digits, `.`, `_` and `-`. Each UTF-16
/// unit is replaced by itself, as Java counts.
fn sanitise(name: &str, unicode: bool) -> String {
    let mut out = String::with_capacity(name.len());
    for unit in name.encode_utf16() {
        match u8::try_from(unit).map(char::from) {
            Ok(c) if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') || c == '_' && !unicode => out.push(c),
            _ if unicode => push_unicode(&mut out, unit),
            _ => out.push('_'),
        }
    }
    match out.as_str() {
        "." => return "_".to_owned(),
        ".." => return "__".to_owned(),
        _ => {}
    }
    out.truncate(MAX_LENGTH);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(strategy: NamingStrategy, prefix: &str, schema: &str, table: &str, expect: &str) {
        let naming = TopicNaming { strategy, ..TopicNaming::new(prefix) };
        assert_eq!(naming.data(schema, table), expect);
    }

    #[test]
    fn topics() {
        check(NamingStrategy::Schema, "p", "public", "t", "p.public.t");
        check(NamingStrategy::Default, "p", "public", "t", "p.t");
        check(NamingStrategy::Schema, "p", "Odd Schema", "naïve_漢", "p.Odd_Schema.na_ve__");
        check(NamingStrategy::SchemaUnicode, "my_srv", "s", "t", "my_u005fsrv.s.t");
        check(NamingStrategy::Schema, "p", "s", "😀", "p.s.__");
    }

    #[test]
    fn a_regex_strategy_renames() {
        #[track_caller]
        fn check(regex: &str, replacement: &str, expect: &str) {
            let rewrite = Some(JavaReplacement::new(regex, replacement).unwrap());
            let naming = TopicNaming { rewrite, ..TopicNaming::new("p") };
            assert_eq!(naming.data("public", "orders_7"), expect, "{regex}");
        }
        check(r"(.*)_\d+", "$1", "p.public.orders");
        check(r"(.*)\.(\w+)_\d+", "${1}x", "p.public.orders_7");
        check(r"(.*)_(\d)", "$1x$2", "p.public.ordersx7");
        // The regex must match the whole name, case-sensitive; a blank result is ignored.
        check("orders", "x", "p.public.orders_7");
        check("P.*", "x", "p.public.orders_7");
        check(".*", " ", "p.public.orders_7");
        check("p|p.public.orders_7", "x", "x.public.orders_7");
    }

    #[test]
    fn keys_that_name_their_table() {
        let rewrite = |regex, replacement| JavaReplacement::new(regex, replacement).ok();
        let mut naming = TopicNaming { rewrite: rewrite(r"(.*)\.shard_(\d)", "$1_all"), ..TopicNaming::new("p") };
        assert_eq!(naming.data("s", "shard_1"), "p.s_all");
        assert_eq!(naming.key_field("s", "shard_1"), None);
        naming.key_field = Some(KeyField { name: "from".into(), rewrite: None });
        assert_eq!(naming.key_field("s", "Tab le"), Some(("from", "p.s.Tab le".into())));
        naming.key_field = Some(KeyField { name: "from".into(), rewrite: rewrite(r".*shard_(\d)", "$1") });
        assert_eq!(naming.key_field("s", "shard_1"), Some(("from", "1".into())));
        assert_eq!(naming.key_field("s", "other"), Some(("from", "p.s.other".into())));
    }

    #[test]
    fn a_long_name_is_cut() {
        assert_eq!(TopicNaming::new("p").data("s", &"x".repeat(400)).len(), 249);
    }

    #[test]
    fn other_topics() {
        let naming = TopicNaming::new("p");
        assert_eq!(
            (naming.heartbeat().as_str(), naming.transaction().as_str()),
            ("__debezium-heartbeat.p", "p.transaction")
        );
    }
}
