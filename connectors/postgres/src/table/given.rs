//! A table whose rows come from the user's own statement (`snapshot.select.statement.overrides`): matches the statement's
//! columns with the table's.
//!
//! As in Debezium, columns match by name, in any order. A column that the statement leaves out is null (or, if it may not be
//! null, its default, or else the zero of its type). A column that the table does not have is an error. Unlike Debezium, which
//! then gives all rows the same key, a statement without the key's columns is refused.

use std::sync::Arc;

use super::{Copied, Printed, Sent, Tables, key};
use crate::copy::given_name;
use crate::error::Error;
use crate::sql::{self, GivenColumn};
use crate::types::{Conversion, ConvertFailure, conversion};

/// What the user's statement for a table gives.
pub(crate) struct Given {
    /// The statement's columns, in their order.
    pub(crate) columns: Vec<GivenColumn>,
    /// What becomes of a value that does not fit the table's column.
    pub(crate) failure: ConvertFailure,
}

/// A column of the table, and how it comes from the statement.
struct Source<'a> {
    column: &'a sql::Column,
    /// `None` where the statement does not give it.
    given: Option<&'a GivenColumn>,
    /// `None` if the column is not given, or if its type cannot be converted to the table's.
    conversion: Option<Conversion>,
    printed: Option<Printed>,
}

impl Given {
    /// The statement's column of this name, and its place. An exact match wins over one that differs in case. Of several the
    /// last wins, as in Debezium.
    fn find(&self, name: &str) -> Option<(usize, &GivenColumn)> {
        let exact = self.columns.iter().rposition(|given| given.name == name);
        let place = exact.or_else(|| self.columns.iter().rposition(|given| is_same(&given.name, name)))?;
        Some((place, &self.columns[place]))
    }

    /// The first column of the statement that the table does not have.
    fn unknown<'a>(&'a self, table: &sql::Table) -> Option<&'a str> {
        let is_known = |given: &&GivenColumn| table.columns.iter().any(|column| is_same(&given.name, &column.name));
        self.columns.iter().find(|given| !is_known(given)).map(|given| given.name.as_str())
    }
}

/// Compares names without regard to case, as Debezium does here.
fn is_same(given: &str, column: &str) -> bool {
    given.to_lowercase() == column.to_lowercase()
}

impl Tables {
    /// The table as a snapshot reads it from a statement.
    pub(super) fn copied_from(&mut self, table: &sql::Table, given: &Given) -> Result<Copied, Error> {
        let refused = |reason: String| Error::Override { table: table.name.to_string(), reason };
        if let Some(name) = given.unknown(table) {
            return Err(refused(format!(
                "the statement gives column \"{name}\", which the table does not have: leave it out, or give it the name of \
                 one of the table's columns (AS name)"
            )));
        }
        let sources: Vec<_> = table.columns.iter().map(|column| self.source_of(column, given)).collect();
        let columns: Vec<_> = sources
            .iter()
            .map(|Source { column, printed, .. }| Sent {
                name: &column.name,
                oid: column.type_oid,
                typmod: column.typmod,
                known: Some(column),
                in_identity: false,
                printed: printed.as_ref(),
            })
            .collect();
        let built = self.build(&table.name.schema, &table.name.table, &columns, key::of_catalogue(table), true)?;
        for (place, Source { column, given, conversion, .. }) in sources.iter().enumerate() {
            let in_key = built.wire_key.iter().any(|key| usize::from(*key) == place);
            let is_captured = built.codecs[place].is_some();
            match given {
                None if in_key => {
                    return Err(refused(format!(
                        "the statement does not give column \"{}\", which is in the key of the table's records: without it all \
                         of them would have the same key; select it too",
                        column.name
                    )));
                }
                Some(given) if conversion.is_none() && is_captured => {
                    return Err(refused(format!(
                        "the statement gives column \"{0}\" as {1}, which cannot be converted to {2}, its type in the table: \
                         cast it in the statement (… AS {0})",
                        column.name,
                        self.type_name(given.type_oid),
                        self.type_name(column.type_oid)
                    )));
                }
                _ => {}
            }
        }
        let list = sources.iter().zip(&built.codecs).map(|(source, codec)| match (codec, &source.conversion) {
            (Some(codec), Some(Conversion::Own(expression))) => codec.selected(expression),
            (Some(_), Some(Conversion::Printed(expression))) => expression.clone(),
            // Not captured or not given: NULL takes its place, so that the row has a cell for each column.
            _ => "NULL::text".to_owned(),
        });
        let select = list.collect::<Vec<_>>().join(", ");
        Ok(Copied { shape: built.shape, select })
    }

    /// How a column of the table comes from the statement.
    fn source_of<'a>(&self, column: &'a sql::Column, given: &'a Given) -> Source<'a> {
        let Some((place, found)) = given.find(&column.name) else {
            return Source { column, given: None, conversion: None, printed: None };
        };
        let (from, to) = ((found.type_oid, found.typmod), (column.type_oid, column.typmod));
        let conversion = conversion(&self.catalogue, from, to, &given_name(place));
        let printed = matches!(conversion, Some(Conversion::Printed(_)))
            .then(|| Printed { failure: given.failure, type_name: Arc::from(self.type_name(found.type_oid)) });
        Source { column, given: Some(found), conversion, printed }
    }

    fn type_name(&self, oid: u32) -> String {
        self.catalogue.get(oid).map_or_else(|| format!("type {oid}"), |known| known.name.clone())
    }
}
