//! Makes tables and columns of the model from what a statement says.

use std::sync::Arc;

use super::datatype::has_charset;
use super::read::charset_of_collation;
use super::statement::{DefaultValue, Definition, Elements, Key, Options};
use super::{Catalog, Grammar};
use crate::model::{Column, Table, TableId, same_name};

/// The character set that the options of a table name.
fn charset(catalog: &Catalog, id: &TableId, options: &Options) -> Option<Arc<str>> {
    let named = options.charset.clone().filter(|c| !c.eq_ignore_ascii_case("default"));
    let of_collation = || options.collation.as_deref().and_then(charset_of_collation);
    named.or_else(of_collation).map(Arc::from).or_else(|| catalog.charset_of(&id.database))
}

/// A new table.
pub(super) fn table(catalog: &Catalog, id: &TableId, elements: &Elements) -> Table {
    let mut table = Table::new(id.clone());
    table.default_charset = charset(catalog, id, &elements.options);
    if catalog.rules.comments {
        table.comment = elements.options.comment.as_deref().map(Arc::from);
    }
    for definition in &elements.columns {
        let made = column(catalog, definition, None, table.default_charset.as_ref());
        match table.position(&made.name) {
            Some(at) => table.columns[at] = made,
            None => table.columns.push(made),
        }
    }
    for key in &elements.keys {
        apply_key(&mut table, key);
    }
    table
}

/// A column. `old` is the column that `CHANGE` starts from, `table` the character set of the table.
pub(super) fn column(
    catalog: &Catalog,
    definition: &Definition,
    old: Option<&Column>,
    table: Option<&Arc<str>>,
) -> Column {
    let (data, a) = (&definition.data, &definition.attributes);
    // Debezium's default grammar takes a column with ON UPDATE for one that numbers itself.
    let grammar = catalog.rules.dialect.grammar;
    let numbered = a.auto_increment || a.serial || a.on_update && grammar == Grammar::Default;
    let optional = a.optional.unwrap_or(!a.serial) && !a.primary;
    let (mut has_default, default) = match &a.default {
        None | Some(DefaultValue::Null) => (false, None),
        Some(DefaultValue::Expression) => (true, None),
        Some(DefaultValue::Text(text)) => (true, Some(text.as_str().into())),
    };
    has_default |= optional;
    let comment = a.comment.as_deref().filter(|_| catalog.rules.comments).map(Arc::from);
    let named = data.charset.clone().or_else(|| a.charset.clone()).filter(|c| !c.eq_ignore_ascii_case("default"));
    let charset = named.or_else(|| a.collation.as_deref().and_then(charset_of_collation)).map(Arc::from);
    Column {
        name: definition.name.as_str().into(),
        jdbc_type: data.jdbc,
        type_name: data.name.as_str().into(),
        charset: charset.or_else(|| table.cloned()).filter(|_| has_charset(data.jdbc)),
        length: data.length,
        scale: data.scale,
        optional,
        auto_incremented: numbered || old.is_some_and(|c| c.auto_incremented),
        computed: a.computed,
        generated: numbered || old.is_some_and(|c| c.generated),
        comment: comment.or_else(|| old.and_then(|c| c.comment.clone())),
        has_default,
        default,
        enum_values: match old {
            Some(old) if data.labels.is_empty() => old.enum_values.clone(),
            _ => data.labels.clone(),
        },
    }
}

/// Makes a key the key of the table if it can be; says whether it did.
pub(super) fn apply_key(table: &mut Table, key: &Key) -> bool {
    let names = match key {
        Key::Primary(names) => names,
        _ if !table.primary_key.is_empty() => return false,
        Key::UniqueColumn(name) => {
            table.primary_key = vec![spelling(table, name)];
            return true;
        }
        Key::Unique(None) => return false,
        Key::Unique(Some(names)) => {
            let required = |name: &String| table.column(name).is_some_and(|c| !c.optional);
            if names.is_empty() || !names.iter().all(required) {
                return false;
            }
            names
        }
    };
    let known = names.iter().filter(|name| table.column(name).is_some());
    table.primary_key = known.map(|name| spelling(table, name)).collect();
    if key.is_primary() {
        let in_key = |c: &&mut Column| names.iter().any(|name| same_name(name, &c.name));
        for column in table.columns.iter_mut().filter(in_key) {
            // The default NULL of a column that may be NULL goes with that.
            column.has_default &= !column.optional || column.default.is_some();
            column.optional = false;
        }
    }
    true
}

/// The name of a column as the table spells it.
fn spelling(table: &Table, name: &str) -> Arc<str> {
    table.column(name).map_or_else(|| name.into(), |c| Arc::clone(&c.name))
}
