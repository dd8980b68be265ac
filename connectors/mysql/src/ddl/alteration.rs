//! Applies the clauses of `ALTER TABLE` to a table.
//!
//! Columns are treated as the server treats them: every clause names columns as they were before the statement, and
//! `AFTER` names them as they are after it. So `RENAME COLUMN a TO b, RENAME COLUMN b TO a` is an exchange.

use std::sync::Arc;

use super::creation::{apply_key, column};
use super::read::charset_of_collation;
use super::statement::{Clause, DefaultValue, Definition, Key, Place};
use super::{Catalog, Grammar};
use crate::model::{Column, Table, same_name};

const UNKNOWN: &str = "it names a column that the table does not have";

/// The table after the statement. An error says what is not understood.
pub(super) fn alter(catalog: &Catalog, old: &Table, clauses: Vec<Clause>) -> Result<Table, &'static str> {
    let mut table = old.clone();
    convert(catalog, &mut table, &clauses);
    columns(catalog, &mut table, &clauses)?;
    keys_and_options(catalog, &mut table, clauses);
    Ok(table)
}

/// Character sets come first: columns that the same statement defines inherit them.
fn convert(catalog: &Catalog, table: &mut Table, clauses: &[Clause]) {
    let named = clauses.iter().any(|c| matches!(c, Clause::Charset(_)));
    // Debezium's default grammar does not see the character set of a table that is altered, and its records show so.
    let seen = catalog.rules.dialect.grammar == Grammar::Legacy;
    let of_database = || catalog.charset_of(&table.id.database);
    let mut default = None;
    let mut converted = None;
    for clause in clauses {
        match clause {
            Clause::Convert { charset, collation } => {
                let named = charset.clone().or_else(|| collation.as_deref().and_then(charset_of_collation));
                converted = named.map(Arc::from).or_else(of_database);
            }
            Clause::Charset(name) if seen => {
                let own = name.eq_ignore_ascii_case("default");
                default = if own { of_database() } else { Some(name.as_str().into()) };
            }
            Clause::Collation(name) if seen && !named => default = charset_of_collation(name).map(Arc::from),
            _ => {}
        }
    }
    if let Some(charset) = &converted {
        for column in table.columns.iter_mut().filter(|c| c.charset.is_some()) {
            column.charset = Some(Arc::clone(charset));
        }
    }
    if let Some(charset) = default.or(converted) {
        table.default_charset = Some(charset);
    }
}

/// The clause that changes the column, if there is one.
enum Change<'a> {
    /// With a definition; whether it starts from the column as it was.
    Define(&'a Definition, bool),
    Rename(&'a str),
}

fn change_of<'a>(clauses: &'a [Clause], name: &str) -> Option<Change<'a>> {
    clauses.iter().find_map(|clause| match clause {
        Clause::Change { old, definition, .. } if same_name(old, name) => Some(Change::Define(definition, true)),
        Clause::Modify { definition, .. } if same_name(&definition.name, name) => {
            Some(Change::Define(definition, false))
        }
        Clause::RenameColumn { old, new, .. } if same_name(old, name) => Some(Change::Rename(new)),
        _ => None,
    })
}

fn columns(catalog: &Catalog, table: &mut Table, clauses: &[Clause]) -> Result<(), &'static str> {
    known(table, clauses)?;
    let charset = table.default_charset.clone();
    let mut columns = Vec::with_capacity(table.columns.len());
    for mut old in std::mem::take(&mut table.columns) {
        let dropped = |c: &Clause| matches!(c, Clause::Drop { column, .. } if same_name(column, &old.name));
        if clauses.iter().any(dropped) {
            table.primary_key.retain(|key| !same_name(key, &old.name));
            continue;
        }
        set_defaults(&mut old, clauses);
        let new = match change_of(clauses, &old.name) {
            Some(Change::Define(definition, change)) => {
                column(catalog, definition, change.then_some(&old), charset.as_ref())
            }
            Some(Change::Rename(name)) => Column { name: name.into(), ..old.clone() },
            None => {
                columns.push(old);
                continue;
            }
        };
        for key in table.primary_key.iter_mut().filter(|key| same_name(key, &old.name)) {
            *key = Arc::clone(&new.name);
        }
        columns.push(new);
    }
    table.columns = columns;
    for clause in clauses {
        place(catalog, table, clause, charset.as_ref())?;
    }
    Ok(())
}

/// Adds and moves the columns of one clause.
fn place(
    catalog: &Catalog,
    table: &mut Table,
    clause: &Clause,
    charset: Option<&Arc<str>>,
) -> Result<(), &'static str> {
    match clause {
        Clause::Add { definition, place, if_not_exists } => {
            let made = column(catalog, definition, None, charset);
            if let Some(at) = table.position(&made.name) {
                // Debezium defines a column again that IF NOT EXISTS passes over. Its records show that; the type cannot
                // be another one, or the cells could not be read.
                let same = table.columns[at].jdbc_type == made.jdbc_type && table.columns[at].charset == made.charset;
                if !*if_not_exists || same {
                    table.columns[at] = made;
                }
                return Ok(());
            }
            insert(table, made, place.as_ref())
        }
        Clause::AddMany(definitions) => {
            for definition in definitions {
                let mut made = column(catalog, definition, None, charset);
                if catalog.rules.dialect.grammar == Grammar::Default {
                    // What that grammar does not see inside of the brackets.
                    (made.auto_incremented, made.generated, made.comment) = (false, false, None);
                }
                match table.position(&made.name) {
                    Some(at) => table.columns[at] = made,
                    None => table.columns.push(made),
                }
            }
            Ok(())
        }
        Clause::Change { definition, place, .. } | Clause::Modify { definition, place, .. } => {
            // The column is among the others already. It is not if IF EXISTS allowed for that.
            match table.position(&definition.name) {
                Some(at) if place.is_some() => {
                    let column = table.columns.remove(at);
                    insert(table, column, place.as_ref())
                }
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn insert(table: &mut Table, column: Column, place: Option<&Place>) -> Result<(), &'static str> {
    let at = match place {
        None => table.columns.len(),
        Some(Place::First) => 0,
        Some(Place::After(name)) => table.position(name).ok_or(UNKNOWN)? + 1,
    };
    table.columns.insert(at, column);
    Ok(())
}

/// Fails if a clause names a column that is not there, unless it allows for that.
fn known(table: &Table, clauses: &[Clause]) -> Result<(), &'static str> {
    let all = clauses.iter().all(|clause| match clause {
        Clause::Change { old, if_exists, .. } | Clause::RenameColumn { old, if_exists, .. } => {
            *if_exists || table.column(old).is_some()
        }
        Clause::Modify { definition, if_exists, .. } => *if_exists || table.column(&definition.name).is_some(),
        Clause::Drop { column, if_exists } => *if_exists || table.column(column).is_some(),
        _ => true,
    });
    if all { Ok(()) } else { Err(UNKNOWN) }
}

fn set_defaults(column: &mut Column, clauses: &[Clause]) {
    for clause in clauses {
        match clause {
            Clause::SetDefault { column: name, default } if same_name(name, &column.name) => {
                column.has_default = true;
                column.default = match default {
                    DefaultValue::Text(text) => Some(text.as_str().into()),
                    DefaultValue::Null | DefaultValue::Expression => None,
                };
            }
            Clause::DropDefault { column: name } if same_name(name, &column.name) => {
                (column.has_default, column.default) = (false, None);
            }
            _ => {}
        }
    }
}

fn keys_and_options(catalog: &Catalog, table: &mut Table, clauses: Vec<Clause>) {
    if clauses.iter().any(|c| matches!(c, Clause::DropPrimaryKey)) {
        table.primary_key.clear();
    }
    for clause in clauses {
        match clause {
            // Debezium's default grammar does not make a key of a column that is added or changed.
            Clause::AddKey(Key::UniqueColumn(_)) if catalog.rules.dialect.grammar == Grammar::Default => {}
            Clause::AddKey(key) => {
                apply_key(table, &key);
            }
            Clause::Comment(comment) if catalog.rules.comments => table.comment = Some(comment.into()),
            _ => {}
        }
    }
}
