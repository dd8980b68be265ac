//! What post-processors do with a table that the stream announces.

use relational::reselect::{Announced, ReadCells, Shown};

use super::{Built, Tables};
use crate::reselect::Plans;
use crate::sql::{ByKey, KeyColumn};
use crate::stream::Relation;

impl Tables {
    /// The plans for a table. `own_key` names the columns of its own key.
    pub(super) fn plans(&self, relation: &Relation, own_key: &[String], built: &Built) -> Plans {
        let names: Vec<&str> = relation.columns.iter().map(|column| &*column.name).collect();
        let shown = built.codecs.iter().map(|codec| {
            codec.as_ref().map(|codec| Shown {
                codec,
                may_be_absent: codec.may_be_absent(),
                absent: codec.shown_when_absent(),
                null: codec.shown_for_null(),
            })
        });
        let announced = Announced {
            table: &built.described,
            names: &names,
            cells: shown.collect(),
            event_key: &built.wire_key,
            own_key,
            read_cells: ReadCells::InPlace,
            placeholder: &self.modes.placeholder,
        };
        announced.plans(&self.processors, |key| {
            let column = |place: &u16| {
                let column = &relation.columns[usize::from(*place)];
                let of = self.catalogue.get(column.oid).map(|of| (of.schema.as_str(), of.name.as_str()));
                (column.name.as_str(), of)
            };
            let key: Vec<KeyColumn<'_>> = key.iter().map(column).collect();
            ByKey::new(&relation.schema, &relation.table, &key)
        })
    }
}

#[cfg(test)]
mod tests;
