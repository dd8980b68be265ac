//! Decides which rule acts on a column, and what the rule does to the column's schema.
//!
//! As in Debezium, one rule acts on a column: the first that matches of truncation, masks, propagation by column,
//! propagation by type, hashes, hashes v2. Among several keys of one kind, the first in the iteration order of a Java
//! `HashMap` of the connector's config wins. There is one exception, because a value that a user wants hidden must not
//! be sent in clear: a hash also acts on a column whose type is propagated.
//!
//! Must not know: a database's types.

use std::sync::Arc;

use record::{Kind, Schema};
use settings::{Invalid, JavaRegex, Reader, Secret, split_regex_list};

use super::digest::{Digest, Form};
use super::java::in_map_order;
use super::treatment::{Hash, Treatment};
use crate::Patterns;

/// A column's type as a JDBC driver reports it to Debezium; the rules depend on these values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceType {
    /// The type's name, such as `varchar`.
    pub name: String,
    /// Length or precision; `None` for a type without one.
    pub length: Option<i32>,
    /// Scale; `None` for a type without one.
    pub scale: Option<i32>,
    /// Whether it is a character type (CHAR, VARCHAR and the like). Masks and hashes act on these only.
    pub is_text: bool,
    /// The column's comment, where comments are kept.
    pub comment: Option<String>,
}

/// The compiled column rules of a connector.
#[derive(Clone, Debug, Default)]
pub struct ColumnRules {
    truncations: Vec<(Patterns, usize)>,
    masks: Vec<(Patterns, usize)>,
    propagated_columns: Patterns,
    propagated_types: Patterns,
    /// `column.mask.hash.*` before `column.mask.hash.v2.*`.
    hashes: Vec<(Patterns, Hash)>,
}

/// What a rule does to one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// Parameters that are appended to those of the column's schema.
    parameters: Vec<(&'static str, String)>,
    /// What is done to the values; `None`: nothing.
    pub treatment: Option<Treatment>,
    /// Set when a mask or a hash matches the column but does not act on it; the text says why, for the log.
    pub why_in_clear: Option<&'static str>,
}

impl Applied {
    /// The column's schema in a row; `plain` is the schema without the rule.
    pub fn schema(&self, plain: &Schema) -> Arc<Schema> {
        let with = |schema: record::SchemaBuilder, (name, value): &(&str, String)| schema.parameter(name, value);
        self.parameters.iter().fold(plain.edit(), with).build()
    }
}

impl ColumnRules {
    /// Compiles the rules of a config. Rules that cannot be used become complaints of the reader. The reader's key
    /// table must have `column.propagate.source.type` and `datatype.propagate.source.type`.
    pub fn read(r: &mut Reader<'_>) -> Self {
        let properties = r.properties();
        let mut families: Vec<(&str, Family<'_>)> =
            properties.iter().filter_map(|(name, _)| Some((name, Family::of(name)?))).collect();
        // Java's map has one key more than ours (`task.class`, added by the worker), and its size decides the order.
        in_map_order(&mut families, properties.iter().count() + 1, |(name, _)| name);
        // v1 hashes before v2 hashes; the sort is stable, so everything else keeps its order.
        families.sort_by_key(|(_, family)| matches!(family, Family::Hash { form: Form::Plain, .. }));
        let mut rules = Self {
            propagated_columns: patterns(r, "column.propagate.source.type"),
            propagated_types: patterns(r, "datatype.propagate.source.type"),
            ..Self::default()
        };
        for (name, family) in families {
            let list = split_regex_list(properties.get(name).unwrap_or(""));
            let mut problems: Vec<String> = list
                .iter()
                .filter_map(|pattern| JavaRegex::new(pattern).err())
                .map(|e| format!("A comma-separated list of valid regular expressions is expected, but {e}"))
                .collect();
            let columns = Patterns::new(&list).unwrap_or_default();
            let length = |digits: &str| {
                digits.parse::<i32>().map(|n| n as usize).map_err(|_| "An integer is expected".to_owned())
            };
            let added = match &family {
                Family::Truncate(digits) => length(digits).map(|n| rules.truncations.push((columns, n))),
                Family::Mask(digits) => length(digits).map(|n| rules.masks.push((columns, n))),
                Family::Hash { form, algorithm, salt } => Digest::named(algorithm)
                    .map(|digest| {
                        let hash = Hash { digest, form: *form, salt: Secret::new(*salt), length: None };
                        rules.hashes.push((columns, hash));
                    })
                    .ok_or_else(|| {
                        format!("'{algorithm}' is no digest of Java's; use one of {}", Digest::names().join(", "))
                    }),
            };
            problems.extend(added.err());
            for problem in problems {
                r.complain(Invalid::new(
                    name,
                    format!("The '{}' value is invalid: {problem}", settings::shown_name(name)),
                ));
            }
        }
        rules
    }

    /// Whether there are no rules at all.
    pub fn is_empty(&self) -> bool {
        self.truncations.is_empty()
            && self.masks.is_empty()
            && self.hashes.is_empty()
            && self.propagated_columns.is_empty()
            && self.propagated_types.is_empty()
    }

    /// What the rules do to `column` of `table` (written `schema.table`); `plain` is the column's schema without a
    /// rule. `None`: nothing.
    pub fn of(&self, table: &str, column: &str, source: &SourceType, plain: &Schema) -> Option<Applied> {
        let name = format!("{table}.{column}");
        let hash = || self.hashes.iter().find(|(columns, _)| columns.matches(&name)).map(|(_, hash)| hash);
        let mask = || self.masks.iter().find(|(columns, _)| columns.matches(&name)).map(|(_, length)| *length);
        let on_text = |treatment: Treatment| {
            let why_in_clear = (!source.is_text).then_some(
                "masks and hashes act on columns of characters only; column.exclude.list leaves the column out",
            );
            (source.is_text.then_some(treatment), why_in_clear)
        };
        let hashed = |hash: &Hash| {
            let length = source.length.filter(|length| *length > 0).map(|length| length as usize);
            Treatment::Hash(Hash { length, ..hash.clone() })
        };
        let masked = || vec![("masked", "true".to_owned())];
        if let Some((_, length)) = self.truncations.iter().find(|(columns, _)| columns.matches(&name)) {
            let is_longer = source.length.is_none_or(|of_column| of_column < 0 || of_column as usize > *length);
            let is_hidden = hash().is_some() || mask().is_some();
            return Some(Applied {
                parameters: if is_longer { vec![("truncateLength", length.to_string())] } else { Vec::new() },
                treatment: (is_longer && can_be_cut(plain)).then_some(Treatment::Truncate(*length)),
                why_in_clear: is_hidden.then_some("the column is truncated, and then no mask and no hash acts on it"),
            });
        }
        if let Some(length) = mask() {
            let (treatment, why_in_clear) = on_text(Treatment::mask(length));
            return Some(Applied { parameters: masked(), treatment, why_in_clear });
        }
        let is_propagated = self.propagated_columns.matches(&name)
            || !self.propagated_types.is_empty() && self.propagated_types.matches(&format!("{table}.{}", source.name));
        if !is_propagated && self.hashes.is_empty() {
            return None;
        }
        let (treatment, why_in_clear) = hash().map_or((None, None), |hash| on_text(hashed(hash)));
        if is_propagated {
            return Some(Applied { parameters: propagated(column, source), treatment, why_in_clear });
        }
        (treatment.is_some() || why_in_clear.is_some()).then(|| Applied {
            parameters: masked(),
            treatment,
            why_in_clear,
        })
    }
}

fn patterns(r: &mut Reader<'_>, key: &str) -> Patterns {
    // The key's own check has already complained of a pattern that does not compile.
    Patterns::new(&r.regex_texts(key)).unwrap_or_default()
}

/// Whether values of this schema can be cut: texts, and plain bytes (a bit string or a decimal has a schema name).
fn can_be_cut(schema: &Schema) -> bool {
    match schema.kind {
        Kind::String => true,
        Kind::Bytes => schema.name.is_none(),
        _ => false,
    }
}

/// The schema parameters that describe a column's type, in Debezium's order.
fn propagated(column: &str, source: &SourceType) -> Vec<(&'static str, String)> {
    let mut parameters = vec![("__debezium.source.column.type", source.name.to_uppercase())];
    parameters.extend(source.length.map(|length| ("__debezium.source.column.length", length.to_string())));
    parameters.extend(source.scale.map(|scale| ("__debezium.source.column.scale", scale.to_string())));
    parameters.extend(source.comment.clone().map(|comment| ("__debezium.source.column.comment", comment)));
    parameters.push(("__debezium.source.column.name", column.to_owned()));
    parameters
}

enum Family<'a> {
    Mask(&'a str),
    Truncate(&'a str),
    Hash { form: Form, algorithm: &'a str, salt: &'a str },
}

impl<'a> Family<'a> {
    /// The kind of rule that the key `name` sets. A name whose number is not made of digits is no rule and does
    /// nothing, as in Debezium.
    fn of(name: &'a str) -> Option<Self> {
        let digits = |n: &&str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
        if let Some(n) = between(name, "column.mask.with.", ".chars").filter(digits) {
            return Some(Self::Mask(n));
        }
        if let Some(n) = between(name, "column.truncate.to.", ".chars").filter(digits) {
            return Some(Self::Truncate(n));
        }
        let rest = name.strip_prefix("column.mask.hash.")?;
        let (form, rest) = rest.strip_prefix("v2.").map_or((Form::Serialised, rest), |rest| (Form::Plain, rest));
        let (algorithm, salt) = rest.split_once(".with.salt.")?;
        let is_one = !algorithm.is_empty() && !algorithm.contains('.') && !salt.is_empty();
        is_one.then_some(Self::Hash { form, algorithm, salt })
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.strip_suffix(end)
}

#[cfg(test)]
mod tests;
