//! What is captured, and what is done to columns and keys. Regexes are kept as written; the keys' checks have shown that
//! each compiles.
//!
//! Must not know: tables.

use relational::reselect::Reselect;
use relational::{ColumnRules, TableFilterSpec};
use settings::Reader;

/// Regexes that must match the whole name, in any case; an empty list filters nothing. Of an include list and its exclude
/// list at most one is set.
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
    /// Whether PostgreSQL's own tables are left out.
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

/// What is done to columns and keys.
#[derive(Clone, Debug, Default)]
pub struct Treatment {
    /// Masks, hashes, truncations and propagated types.
    pub rules: ColumnRules,
    /// Message keys that the user chose.
    pub message_keys: Vec<MessageKey>,
    /// Post-processors, in the order in which they act.
    pub processors: Vec<Reselect>,
}

impl Treatment {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            rules: ColumnRules::read(r),
            message_keys: r.text("message.key.columns").split(';').filter_map(message_key).collect(),
            processors: Reselect::read_all(r),
        }
    }
}

/// Reads one entry. The key's check has refused entries that are not of this form.
fn message_key(entry: &str) -> Option<MessageKey> {
    let (table, columns) = entry.trim().split_once(':')?;
    let columns: Vec<_> = columns.split(',').map(|c| c.trim().to_owned()).filter(|c| !c.is_empty()).collect();
    (!columns.is_empty()).then(|| MessageKey { table: table.trim().to_owned(), columns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_keys() {
        let key = |t: &str, c: &[&str]| {
            Some(MessageKey { table: t.to_owned(), columns: c.iter().map(|&c| c.to_owned()).collect() })
        };
        assert_eq!(message_key(" public.a:id, k "), key("public.a", &["id", "k"]));
        assert_eq!(message_key(""), None);
    }
}
