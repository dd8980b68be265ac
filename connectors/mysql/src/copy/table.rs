//! What is read of a table: a statement, and how its answer becomes rows of the table's shape.
//!
//! Must not know: who reads it, and when.

use std::sync::Arc;

use record::{Shape, Span};

use crate::error::Error;
use crate::model::{self, TableId, same_name};
use crate::sql::{quoted, quoted_name, quoted_text};
use crate::tables::{Tables, Wire};
use crate::wire::ColumnDefinition;

/// A table to copy.
#[derive(Debug)]
pub(super) struct Table {
    /// Its place among the tables that are copied.
    pub(super) index: usize,
    pub(super) shape: Arc<Shape>,
    /// Whether rows come in the binary protocol.
    pub(super) is_binary: bool,
    pub(super) query: Query,
}

/// What is asked of the server.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) id: TableId,
    /// The columns that rows have, in their order, and whether each may be NULL.
    columns: Vec<(Arc<str>, bool)>,
    /// The user's SELECT in place of the whole table.
    statement: Option<String>,
    /// The first column of the key, if the table can be cut by it.
    cut: Option<Cut>,
}

/// The column by whose values a table is cut into parts.
#[derive(Clone, Debug)]
struct Cut {
    column: String,
    is_text: bool,
}

/// A part of a table: its rows from a value of the cutting column on, up to another one.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    /// As SQL. `None`: from the first row.
    pub(super) from: Option<String>,
    /// As SQL. `None`: to the last row.
    pub(super) to: Option<String>,
}

/// Types by which a table is cut: those whose values pass through a text and back without a loss.
const NUMBERS: &[&str] = &["TINYINT", "SMALLINT", "MEDIUMINT", "INT", "INTEGER", "BIGINT"];
const TEXTS: &[&str] = &["CHAR", "VARCHAR"];

fn cut(table: &model::Table) -> Option<Cut> {
    let column = table.column(table.primary_key.first()?)?;
    // Of a unique key that stands for the primary key, which may be NULL, rows would be in no part.
    if column.optional {
        return None;
    }
    let kind = column.type_name.split([' ', '(']).next().unwrap_or_default();
    let is_text = TEXTS.contains(&kind);
    let is_known = is_text || NUMBERS.contains(&kind);
    is_known.then(|| Cut { column: quoted_name(&column.name), is_text })
}

impl Table {
    /// `statement` is the user's SELECT in place of the whole table.
    pub(super) fn new(
        index: usize,
        table: &model::Table,
        statement: Option<&str>,
        tables: &mut Tables,
        is_binary: bool,
    ) -> Result<Self, Error> {
        let selected = tables.selected(table);
        let columns = selected
            .into_iter()
            .filter_map(|name| table.column(name))
            .map(|column| (Arc::clone(&column.name), column.optional))
            .collect();
        let wire = if is_binary { Wire::Binary } else { Wire::Text };
        let query = Query {
            id: table.id.clone(),
            columns,
            statement: statement.map(|statement| statement.trim().trim_end_matches(';').to_owned()),
            cut: if statement.is_some() { None } else { cut(table) },
        };
        Ok(Self { index, shape: tables.known(table, wire)?.shape, is_binary, query })
    }
}

impl Query {
    /// Whether the table can be read in parts.
    pub(super) fn can_be_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// The statement that reads a part.
    pub(super) fn select(&self, part: &Part) -> String {
        if let Some(statement) = &self.statement {
            return statement.clone();
        }
        let columns = self.columns.iter().map(|(name, _)| quoted_name(name)).collect::<Vec<_>>().join(", ");
        let mut select = format!("SELECT {columns} FROM {}", quoted(&self.id.database, &self.id.table));
        if let Some(Cut { column, .. }) = &self.cut {
            let from = part.from.iter().map(|from| format!("{column} >= {from}"));
            let to = part.to.iter().map(|to| format!("{column} < {to}"));
            let conditions: Vec<String> = from.chain(to).collect();
            if !conditions.is_empty() {
                select.push_str(" WHERE ");
                select.push_str(&conditions.join(" AND "));
            }
        }
        select
    }

    /// The statement that finds where a part that begins at `from` and has `rows` rows ends.
    pub(super) fn find_end(&self, from: Option<&str>, rows: u64) -> Option<String> {
        let Cut { column, .. } = self.cut.as_ref()?;
        let begins = from.map(|from| format!(" WHERE {column} >= {from}")).unwrap_or_default();
        let table = quoted(&self.id.database, &self.id.table);
        Some(format!("SELECT {column} FROM {table}{begins} ORDER BY {column} LIMIT 1 OFFSET {rows}"))
    }

    /// A value of the cutting column as SQL.
    pub(super) fn bound(&self, text: &str) -> String {
        if self.cut.as_ref().is_some_and(|cut| cut.is_text) { quoted_text(text) } else { text.to_owned() }
    }

    /// Where the cells of a row are found in the answer to the user's statement, which may give columns in any order, others
    /// besides, and not all. `None` if the statement is ours.
    ///
    /// # Errors
    /// When the answer lacks a column that cannot be NULL.
    pub(super) fn places(&self, answer: &[ColumnDefinition]) -> Result<Option<Vec<Option<usize>>>, Error> {
        if self.statement.is_none() {
            return Ok(None);
        }
        let find = |(name, is_optional): &(Arc<str>, bool)| {
            let place = answer.iter().position(|column| same_name(&column.name, name));
            if place.is_none() && !is_optional {
                let key = format!("snapshot.select.statement.overrides.{}", self.id);
                let reason =
                    format!("the rows of this SELECT lack the column {name}, which cannot be NULL: select it too");
                return Err(Error::Config { key, reason });
            }
            Ok(place)
        };
        self.columns.iter().map(find).collect::<Result<_, _>>().map(Some)
    }
}

/// A cell's span, for a row whose batch began at `base` of the buffer and begins at 0 now.
#[inline]
pub(super) fn moved(span: Span, base: usize) -> Span {
    if span.len >= Span::MISSING.len {
        return span;
    }
    // The span is behind `base`, which is an offset in a buffer of less than 4 GiB.
    Span { start: span.start - base as u32, ..span }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(statement: Option<&str>, is_text: Option<bool>) -> Query {
        Query {
            id: TableId { database: "d".into(), table: "t".into() },
            columns: vec![("a".into(), false), ("b`".into(), true)],
            statement: statement.map(str::to_owned),
            cut: is_text.map(|is_text| Cut { column: "`a`".into(), is_text }),
        }
    }

    #[track_caller]
    fn check(query: &Query, from: Option<&str>, to: Option<&str>, expect: &str) {
        let bound = |text: &str| query.bound(text);
        assert_eq!(query.select(&Part { from: from.map(bound), to: to.map(bound) }), expect);
    }

    #[test]
    fn statements() {
        let whole = "SELECT `a`, `b``` FROM `d`.`t`";
        check(&query(None, None), None, None, whole);
        check(&query(None, Some(false)), None, None, whole);
        check(&query(None, Some(false)), None, Some("7"), &format!("{whole} WHERE `a` < 7"));
        check(&query(None, Some(false)), Some("7"), Some("9"), &format!("{whole} WHERE `a` >= 7 AND `a` < 9"));
        check(&query(None, Some(true)), Some("x"), None, &format!("{whole} WHERE `a` >= _utf8mb4 x'78'"));
        check(&query(Some("SELECT 1"), None), None, None, "SELECT 1");
        let end = "SELECT `a` FROM `d`.`t` WHERE `a` >= 7 ORDER BY `a` LIMIT 1 OFFSET 3";
        assert_eq!(query(None, Some(false)).find_end(Some("7"), 3).as_deref(), Some(end));
        assert_eq!(query(None, None).find_end(None, 3), None);
    }

    #[test]
    fn columns_of_a_user_s_statement() {
        let places = |query: &Query, names: &[&str]| {
            let named = |name: &&str| ColumnDefinition { name: (*name).to_owned(), ..ColumnDefinition::default() };
            let answer: Vec<ColumnDefinition> = names.iter().map(named).collect();
            query.places(&answer).map_err(|error| error.to_string())
        };
        let own = query(Some("SELECT …"), None);
        assert_eq!(places(&own, &["B`", "x", "A"]), Ok(Some(vec![Some(2), Some(0)])));
        assert_eq!(places(&own, &["a"]), Ok(Some(vec![Some(0), None])));
        let lacks = "snapshot.select.statement.overrides.d.t: the rows of this SELECT lack the column a, which cannot be NULL: \
                     select it too";
        assert_eq!(places(&own, &["b`"]), Err(lacks.to_owned()));
        assert_eq!(places(&query(None, None), &["b`"]), Ok(None));
    }
}
