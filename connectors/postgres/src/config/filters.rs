//! What is captured, and what is done to columns and keys. Regexes stay as written; each is known to compile.
//!
//! Must not know: tables.

use relational::TableFilterSpec;
use settings::{Invalid, JavaRegex, Reader, Secret, split_regex_list};

/// Whole-match, case-insensitive regexes; an empty list says nothing. Of each pair at most one is set.
#[derive(Clone, Debug, Default)]
pub struct Filters {
    /// On the schema.
    pub schema_include: Vec<String>,
    /// On the schema.
    pub schema_exclude: Vec<String>,
    /// On `schema.table`.
    pub table_include: Vec<String>,
    /// On `schema.table`.
    pub table_exclude: Vec<String>,
    /// On `schema.table.column`; key columns stay in the key.
    pub column_include: Vec<String>,
    /// On `schema.table.column`.
    pub column_exclude: Vec<String>,
    /// On the prefix of logical messages.
    pub message_prefix_include: Vec<String>,
    /// On the prefix of logical messages.
    pub message_prefix_exclude: Vec<String>,
    /// Leave out PostgreSQL's own tables.
    pub ignore_builtin: bool,
}

impl Filters {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            schema_include: r.regex_texts("schema.include.list"),
            schema_exclude: r.regex_texts("schema.exclude.list"),
            table_include: r.regex_texts("table.include.list"),
            table_exclude: r.regex_texts("table.exclude.list"),
            column_include: r.regex_texts("column.include.list"),
            column_exclude: r.regex_texts("column.exclude.list"),
            message_prefix_include: r.regex_texts("message.prefix.include.list"),
            message_prefix_exclude: r.regex_texts("message.prefix.exclude.list"),
            ignore_builtin: r.boolean("table.ignore.builtin"),
        }
    }

    /// The table and column lists in the form that the relational filter takes.
    pub fn spec(&self) -> TableFilterSpec {
        // An item's own commas are escaped again.
        let list = |items: &[String]| items.iter().map(|item| item.replace(',', r"\,")).collect::<Vec<_>>().join(",");
        TableFilterSpec {
            schema_include: list(&self.schema_include),
            schema_exclude: list(&self.schema_exclude),
            table_include: list(&self.table_include),
            table_exclude: list(&self.table_exclude),
            column_include: list(&self.column_include),
            column_exclude: list(&self.column_exclude),
        }
    }
}

/// One entry of `message.key.columns`: all entries that match a table add their columns, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageKey {
    /// Regex on `schema.table`.
    pub table: String,
    /// Regexes on the column's name.
    pub columns: Vec<String>,
}

/// One rule on columns (regexes on `schema.table.column`).
#[derive(Clone, Debug)]
pub enum ColumnRule {
    /// `column.mask.with.N.chars`: texts, NULL too, become `length` asterisks.
    Mask {
        /// Number of asterisks.
        length: usize,
        /// Which columns.
        columns: Vec<String>,
    },
    /// `column.mask.hash[.v2].ALG.with.salt.SALT`: texts become a hex digest.
    Hash {
        /// v2 digests plain UTF-8, v1 the Java serialisation of the text.
        v2: bool,
        /// Java's name of the digest.
        algorithm: String,
        /// Goes into the digest first.
        salt: Secret,
        /// Which columns.
        columns: Vec<String>,
    },
    /// `column.truncate.to.N.chars`: texts and bytes are cut.
    Truncate {
        /// UTF-16 units, or bytes.
        length: usize,
        /// Which columns.
        columns: Vec<String>,
    },
}

/// What is done to columns and keys.
#[derive(Clone, Debug, Default)]
pub struct Treatment {
    /// Mask, hash and truncate rules as sent. Which one acts on a column is not this order's matter (postgres: truncate,
    /// mask, propagate, hash).
    pub rules: Vec<ColumnRule>,
    /// Regexes on `schema.table.column` whose schemas carry the source type.
    pub propagate_columns: Vec<String>,
    /// Regexes on `schema.table.type`.
    pub propagate_types: Vec<String>,
    /// Own keys.
    pub message_keys: Vec<MessageKey>,
}

/// The digests of the Java platform.
const DIGESTS: &[&str] = &[
    "MD2",
    "MD5",
    "SHA",
    "SHA-1",
    "SHA-224",
    "SHA-256",
    "SHA-384",
    "SHA-512",
    "SHA-512/224",
    "SHA-512/256",
    "SHA3-224",
    "SHA3-256",
    "SHA3-384",
    "SHA3-512",
];

impl Treatment {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            rules: rules(r),
            propagate_columns: r.regex_texts("column.propagate.source.type"),
            propagate_types: r.regex_texts("datatype.propagate.source.type"),
            message_keys: r.text("message.key.columns").split(';').filter_map(message_key).collect(),
        }
    }
}

/// One entry; the key's check has refused those that are not of this form.
fn message_key(entry: &str) -> Option<MessageKey> {
    let (table, columns) = entry.trim().split_once(':')?;
    let columns: Vec<_> = columns.split(',').map(|c| c.trim().to_owned()).filter(|c| !c.is_empty()).collect();
    (!columns.is_empty()).then(|| MessageKey { table: table.trim().to_owned(), columns })
}

fn rules(r: &mut Reader<'_>) -> Vec<ColumnRule> {
    let mut rules = Vec::new();
    for (name, text) in r.properties().iter() {
        let Some(family) = Family::of(name) else { continue };
        let columns = split_regex_list(text.unwrap_or(""));
        let mut problems: Vec<String> = columns
            .iter()
            .filter_map(|c| JavaRegex::new(c).err())
            .map(|e| format!("A comma-separated list of valid regular expressions is expected, but {e}"))
            .collect();
        match family.rule(columns) {
            Ok(rule) => rules.push(rule),
            Err(problem) => problems.push(problem),
        }
        for problem in problems {
            r.complain(Invalid::new(name, format!("The '{}' value is invalid: {problem}", family.shown(name))));
        }
    }
    rules
}

enum Family<'a> {
    Mask(&'a str),
    Truncate(&'a str),
    Hash { v2: bool, algorithm: &'a str, salt: &'a str },
}

impl<'a> Family<'a> {
    /// The family that `name` is of. Names whose N is no number are of none, as in the reference, and do nothing.
    fn of(name: &'a str) -> Option<Self> {
        let digits = |n: &&str| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit());
        if let Some(n) = between(name, "column.mask.with.", ".chars").filter(digits) {
            return Some(Self::Mask(n));
        }
        if let Some(n) = between(name, "column.truncate.to.", ".chars").filter(digits) {
            return Some(Self::Truncate(n));
        }
        let rest = name.strip_prefix("column.mask.hash.")?;
        let (v2, rest) = rest.strip_prefix("v2.").map_or((false, rest), |rest| (true, rest));
        let (algorithm, salt) = rest.split_once(".with.salt.")?;
        (!algorithm.is_empty() && !algorithm.contains('.') && !salt.is_empty()).then_some(Self::Hash {
            v2,
            algorithm,
            salt,
        })
    }

    fn rule(&self, columns: Vec<String>) -> Result<ColumnRule, String> {
        let length = |n: &str| n.parse::<i32>().map(|n| n as usize).map_err(|_| "An integer is expected".to_owned());
        Ok(match *self {
            Self::Mask(n) => ColumnRule::Mask { length: length(n)?, columns },
            Self::Truncate(n) => ColumnRule::Truncate { length: length(n)?, columns },
            Self::Hash { v2, algorithm, salt } => {
                if !DIGESTS.iter().any(|d| d.eq_ignore_ascii_case(algorithm)) {
                    return Err(format!("'{algorithm}' is no digest that is known; SHA-256 is one"));
                }
                ColumnRule::Hash { v2, algorithm: algorithm.to_owned(), salt: Secret::new(salt), columns }
            }
        })
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
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn families() {
        #[track_caller]
        fn check(name: &str, expect: Option<&str>) {
            let shown = Family::of(name).map(|f| match f.rule(vec!["a".to_owned()]) {
                Ok(ColumnRule::Mask { length, .. }) => format!("mask {length}"),
                Ok(ColumnRule::Truncate { length, .. }) => format!("cut {length}"),
                Ok(ColumnRule::Hash { v2, algorithm, salt, .. }) => format!("{v2} {algorithm} {}", salt.reveal()),
                Err(e) => e,
            });
            assert_eq!(shown.as_deref(), expect, "{name}");
        }
        check("column.mask.with.5.chars", Some("mask 5"));
        check("column.mask.with.0.chars", Some("mask 0"));
        check("column.mask.with.x.chars", None);
        check("column.mask.with.(d+).chars", None);
        check("column.truncate.to.20.chars", Some("cut 20"));
        check("column.mask.hash.SHA-256.with.salt.Ab.c", Some("false SHA-256 Ab.c"));
        check("column.mask.hash.v2.MD5.with.salt.x", Some("true MD5 x"));
        check("column.mask.hash.v2.ROT13.with.salt.x", Some("'ROT13' is no digest that is known; SHA-256 is one"));
        check("column.mask.hash.SHA-256.with.salt.", None);
        check("column.include.list", None);
        let family = Family::of("column.mask.hash.MD5.with.salt.pepper").unwrap();
        assert_eq!(family.shown("column.mask.hash.MD5.with.salt.pepper"), "column.mask.hash.MD5.with.salt.********");
    }

    #[test]
    fn message_keys() {
        let key = |t: &str, c: &[&str]| {
            Some(MessageKey { table: t.to_owned(), columns: c.iter().map(|&c| c.to_owned()).collect() })
        };
        assert_eq!(message_key(" public.a:id, k "), key("public.a", &["id", "k"]));
        assert_eq!(message_key(""), None);
    }
}
