//! Which rule acts on a column, and what it does to the column's schema.
//!
//! As in Debezium one rule acts on a column: of truncation, masks, propagation by column, propagation by type, hashes and
//! hashes v2 the first whose pattern matches. Of several keys of one family the first in the order of a Java hash map of the
//! connector's configuration. One exception, because a value that somebody wants hidden must not leave in clear: a hash acts
//! on a column whose type is propagated too.
//!
//! Must not know: a database's types.

use std::sync::Arc;

use record::{Kind, Schema};
use settings::{Invalid, JavaRegex, Reader, Secret, split_regex_list};

use super::digest::{Digest, Form};
use super::java::in_map_order;
use super::treatment::{Hash, Treatment};
use crate::Patterns;

/// A column's type as a JDBC driver tells it to Debezium; the rules go by that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceType {
    /// The type's name.
    pub name: String,
    /// Length or precision; `None` where there is none.
    pub length: Option<i32>,
    /// Scale; `None` where there is none.
    pub scale: Option<i32>,
    /// A type of characters (CHAR, VARCHAR and their like): masks and hashes act on these only.
    pub is_text: bool,
}

/// The rules of a connector, compiled.
#[derive(Clone, Debug, Default)]
pub struct ColumnRules {
    truncations: Vec<(Patterns, usize)>,
    masks: Vec<(Patterns, usize)>,
    propagated_columns: Patterns,
    propagated_types: Patterns,
    /// v1 before v2.
    hashes: Vec<(Patterns, Hash)>,
}

/// What a rule does to one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// Put behind the parameters of the column's schema.
    parameters: Vec<(&'static str, String)>,
    /// What becomes of values; `None`: they stay.
    pub treatment: Option<Treatment>,
    /// A mask or a hash matches the column and does not act; the text says why, for the log.
    pub is_in_clear: Option<&'static str>,
}

impl Applied {
    /// The column's schema in a row, given that without the rule.
    pub fn schema(&self, plain: &Schema) -> Arc<Schema> {
        let with = |schema: record::SchemaBuilder, (name, value): &(&str, String)| schema.parameter(name, value);
        self.parameters.iter().fold(plain.edit(), with).build()
    }
}

impl ColumnRules {
    /// Compiles the rules in a configuration. What cannot be used is complained of; the reader's table must have the two keys
    /// of propagated types.
    pub fn read(r: &mut Reader<'_>) -> Self {
        let properties = r.properties();
        let mut families: Vec<(&str, Family<'_>)> =
            properties.iter().filter_map(|(name, _)| Some((name, Family::of(name)?))).collect();
        // The worker adds the task's class to what the connector is given.
        in_map_order(&mut families, properties.iter().count() + 1, |(name, _)| name);
        // v1 before v2, else as they are.
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
                r.complain(Invalid::new(name, format!("The '{}' value is invalid: {problem}", family.shown(name))));
            }
        }
        rules
    }

    /// Whether no column of any table has a rule.
    pub fn is_empty(&self) -> bool {
        self.truncations.is_empty()
            && self.masks.is_empty()
            && self.hashes.is_empty()
            && self.propagated_columns.is_empty()
            && self.propagated_types.is_empty()
    }

    /// What is done to a column of the table `table` (`schema.table`), whose schema without a rule is `plain`.
    pub fn of(&self, table: &str, column: &str, source: &SourceType, plain: &Schema) -> Option<Applied> {
        let name = format!("{table}.{column}");
        let hash = || self.hashes.iter().find(|(columns, _)| columns.matches(&name)).map(|(_, hash)| hash);
        let mask = || self.masks.iter().find(|(columns, _)| columns.matches(&name)).map(|(_, length)| *length);
        let on_text = |treatment: Treatment| {
            let is_in_clear = (!source.is_text).then_some(
                "masks and hashes act on columns of characters only; column.exclude.list leaves the column out",
            );
            (source.is_text.then_some(treatment), is_in_clear)
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
                is_in_clear: is_hidden.then_some("the column is truncated, and then no mask and no hash acts on it"),
            });
        }
        if let Some(length) = mask() {
            let (treatment, is_in_clear) = on_text(Treatment::mask(length));
            return Some(Applied { parameters: masked(), treatment, is_in_clear });
        }
        let is_propagated = self.propagated_columns.matches(&name)
            || !self.propagated_types.is_empty() && self.propagated_types.matches(&format!("{table}.{}", source.name));
        if !is_propagated && self.hashes.is_empty() {
            return None;
        }
        let (treatment, is_in_clear) = hash().map_or((None, None), |hash| on_text(hashed(hash)));
        if is_propagated {
            return Some(Applied { parameters: propagated(column, source), treatment, is_in_clear });
        }
        (treatment.is_some() || is_in_clear.is_some()).then(|| Applied { parameters: masked(), treatment, is_in_clear })
    }
}

fn patterns(r: &mut Reader<'_>, key: &str) -> Patterns {
    // A pattern that does not compile has been complained of by the key's own check.
    Patterns::new(&r.regex_texts(key)).unwrap_or_default()
}

/// Whether values of this schema can be cut: texts, and bytes that are no bit string and no number.
fn can_be_cut(schema: &Schema) -> bool {
    match schema.kind {
        Kind::String => true,
        Kind::Bytes => schema.name.is_none(),
        _ => false,
    }
}

/// The parameters that tell of a column's type, in Debezium's order.
fn propagated(column: &str, source: &SourceType) -> Vec<(&'static str, String)> {
    let mut parameters = vec![("__debezium.source.column.type", source.name.to_uppercase())];
    parameters.extend(source.length.map(|length| ("__debezium.source.column.length", length.to_string())));
    parameters.extend(source.scale.map(|scale| ("__debezium.source.column.scale", scale.to_string())));
    parameters.push(("__debezium.source.column.name", column.to_owned()));
    parameters
}

enum Family<'a> {
    Mask(&'a str),
    Truncate(&'a str),
    Hash { form: Form, algorithm: &'a str, salt: &'a str },
}

impl<'a> Family<'a> {
    /// The family that `name` is of. A name whose N is no number is of none, as in Debezium, and does nothing.
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

    /// The key's name for a message: the salt is a secret.
    fn shown(&self, name: &str) -> String {
        match self {
            Self::Hash { salt, .. } => name.strip_suffix(salt).map_or_else(String::new, |n| format!("{n}********")),
            _ => name.to_owned(),
        }
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.strip_prefix(start)?.strip_suffix(end)
}

#[cfg(test)]
mod tests;
