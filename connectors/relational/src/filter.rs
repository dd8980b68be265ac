//! Which tables and columns are captured: lists of regular expressions that ignore case and must match the whole name.

use settings::{JavaRegex, Reader, RegexError, split_regex_list};

/// A list of patterns, each matched against the whole name.
#[derive(Clone, Debug, Default)]
pub struct Patterns(Vec<JavaRegex>);

impl Patterns {
    /// Compiles a comma-separated list. `\,` is a comma inside a pattern; items are trimmed and blank items are
    /// dropped.
    ///
    /// # Errors
    /// The engine's complaint about the first invalid pattern.
    pub fn parse(list: &str) -> Result<Self, RegexError> {
        Self::new(&split_regex_list(list))
    }

    /// Compiles patterns.
    ///
    /// # Errors
    /// The engine's complaint about the first invalid pattern.
    pub fn new(items: &[String]) -> Result<Self, RegexError> {
        Ok(Self(items.iter().map(|item| JavaRegex::new(item)).collect::<Result<_, _>>()?))
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a pattern matches `name`. A pattern that exceeds the engine's limits on this name counts as not
    /// matching.
    pub fn matches(&self, name: &str) -> bool {
        self.first_match(name).is_some()
    }

    /// The index of the first pattern that matches.
    pub fn first_match(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|regex| regex.matches(name).unwrap_or(false))
    }
}

/// The lists as the user wrote them. A regex must match the whole name, in any case; an empty list filters nothing. Of an
/// include list and its exclude list at most one is set.
#[derive(Clone, Debug, Default)]
pub struct TableFilterSpec {
    /// `schema.include.list`, or `database.include.list` where a database has no schemas.
    pub schema_include: Vec<String>,
    /// `schema.exclude.list`, or `database.exclude.list`.
    pub schema_exclude: Vec<String>,
    /// `table.include.list`: on `schema.table`.
    pub table_include: Vec<String>,
    /// `table.exclude.list`.
    pub table_exclude: Vec<String>,
    /// `column.include.list`: on `schema.table.column`. Key columns stay in the key.
    pub column_include: Vec<String>,
    /// `column.exclude.list`.
    pub column_exclude: Vec<String>,
    /// `table.ignore.builtin`: whether the server's own tables are left out, whatever the lists say.
    pub ignore_builtin: bool,
}

impl TableFilterSpec {
    /// Reads the lists. `level` is what the first part of a table's name is: `schema` or `database`.
    pub fn read(r: &mut Reader<'_>, level: &str) -> Self {
        Self {
            schema_include: r.regex_texts(&format!("{level}.include.list")),
            schema_exclude: r.regex_texts(&format!("{level}.exclude.list")),
            table_include: r.regex_texts("table.include.list"),
            table_exclude: r.regex_texts("table.exclude.list"),
            column_include: r.regex_texts("column.include.list"),
            column_exclude: r.regex_texts("column.exclude.list"),
            ignore_builtin: r.boolean("table.ignore.builtin"),
        }
    }
}

/// Decides which tables and columns are captured.
#[derive(Clone, Debug)]
pub struct TableFilter {
    /// Set if the server's own tables are left out.
    is_builtin: Option<fn(&str, &str) -> bool>,
    schema_include: Patterns,
    schema_exclude: Patterns,
    table_include: Patterns,
    table_exclude: Patterns,
    column_include: Patterns,
    column_exclude: Patterns,
}

impl TableFilter {
    /// Compiles the lists. `is_builtin` says of which schema and table the server itself is the owner.
    ///
    /// # Errors
    /// The engine's complaint about the first invalid pattern. Validation refuses such a config before.
    pub fn new(spec: &TableFilterSpec, is_builtin: fn(&str, &str) -> bool) -> Result<Self, RegexError> {
        Ok(Self {
            is_builtin: spec.ignore_builtin.then_some(is_builtin),
            schema_include: Patterns::new(&spec.schema_include)?,
            schema_exclude: Patterns::new(&spec.schema_exclude)?,
            table_include: Patterns::new(&spec.table_include)?,
            table_exclude: Patterns::new(&spec.table_exclude)?,
            column_include: Patterns::new(&spec.column_include)?,
            column_exclude: Patterns::new(&spec.column_exclude)?,
        })
    }

    /// Whether tables of a schema (of a database where a database has no schemas) may be captured.
    pub fn schema(&self, schema: &str) -> bool {
        let is_listed = if self.schema_include.is_empty() {
            !self.schema_exclude.matches(schema)
        } else {
            self.schema_include.matches(schema)
        };
        is_listed && !self.is_builtin.is_some_and(|is_builtin| is_builtin(schema, ""))
    }

    /// Whether a table is captured.
    pub fn table(&self, schema: &str, table: &str) -> bool {
        let passes = |include: &Patterns, exclude: &Patterns, name: &str| {
            if include.is_empty() { !exclude.matches(name) } else { include.matches(name) }
        };
        !self.is_builtin.is_some_and(|is_builtin| is_builtin(schema, table))
            && passes(&self.schema_include, &self.schema_exclude, schema)
            && passes(&self.table_include, &self.table_exclude, &format!("{schema}.{table}"))
    }

    /// Whether the server's own tables are left out.
    pub fn ignores_builtin(&self) -> bool {
        self.is_builtin.is_some()
    }

    /// Whether a column is part of the record's value. A key column is in the key whatever this returns.
    pub fn column(&self, schema: &str, table: &str, column: &str) -> bool {
        if self.column_include.is_empty() && self.column_exclude.is_empty() {
            return true;
        }
        let name = format!("{schema}.{table}.{column}");
        if self.column_include.is_empty() {
            !self.column_exclude.matches(&name)
        } else {
            self.column_include.matches(&name)
        }
    }

    /// Sorts tables into the order in which a snapshot reads them: by the first matching pattern of
    /// `table.include.list`, then by name.
    pub fn order(&self, tables: &mut [(String, String)]) {
        tables.sort_by_cached_key(|(schema, table)| {
            let name = format!("{schema}.{table}");
            (self.table_include.first_match(&name).unwrap_or(usize::MAX), name)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(table_include: &str, table_exclude: &str, schema_include: &str) -> TableFilter {
        let spec = TableFilterSpec {
            table_include: split_regex_list(table_include),
            table_exclude: split_regex_list(table_exclude),
            schema_include: split_regex_list(schema_include),
            ignore_builtin: true,
            ..TableFilterSpec::default()
        };
        TableFilter::new(&spec, |schema, _| schema == "sys").unwrap()
    }

    #[track_caller]
    fn check(filter: &TableFilter, name: &str, expect: bool) {
        let (schema, table) = name.split_once('.').unwrap();
        assert_eq!(filter.table(schema, table), expect, "{name}");
    }

    #[test]
    fn patterns_match_whole_names_in_any_case() {
        let filter = spec("inv.*", "", "");
        check(&filter, "inv.t", true);
        check(&filter, "INV.t", true);
        check(&filter, "public.inv", false);
        let filter = spec("", "app1.skip_.*,.*\\.LOG", "app[0-9], Other");
        check(&filter, "app1.keep", true);
        check(&filter, "app1.skip_me", false);
        check(&filter, "app1.log", false);
        check(&filter, "app22.t", false);
        check(&filter, "other.t", true);
    }

    #[test]
    fn the_server_s_own_tables_are_left_out_whatever_the_lists_say() {
        check(&spec("sys.t", "", "sys"), "sys.t", false);
        let spec = TableFilterSpec { ignore_builtin: false, ..TableFilterSpec::default() };
        check(&TableFilter::new(&spec, |schema, _| schema == "sys").unwrap(), "sys.t", true);
    }

    #[test]
    fn an_escaped_comma_is_part_of_a_pattern() {
        check(&spec(r"public.a{1\,2}", "", ""), "public.aa", true);
        check(&spec(r"public.a\,b,public.c", "", ""), "public.a,b", true);
    }

    #[test]
    fn patterns_are_java_s() {
        check(&spec(r"\Qs.t1\E,\Qa.b\E\.c", "", ""), "s.t1", true);
        check(&spec(r"\Qs.t1\E", "", ""), "s.xt1", false);
        check(&spec("s.ü", "", ""), "s.ü", true);
        check(&spec("s.ü", "", ""), "s.Ü", false);
    }

    #[test]
    fn tables_come_in_the_order_of_the_list() {
        let mut tables: Vec<(String, String)> =
            ["b", "a", "z"].iter().map(|t| ("s".to_owned(), (*t).to_owned())).collect();
        spec("s.z,s.*", "", "").order(&mut tables);
        assert_eq!(tables.iter().map(|(_, t)| t.as_str()).collect::<String>(), "zab");
    }
}
