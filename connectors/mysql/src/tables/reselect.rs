//! What post-processors do with the tables of the stream: decided when a table's rows can be read, and found again by the
//! shape of the rows in a batch.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use record::{Batch, Shape};
use relational::Shaped;
use relational::reselect::{Announced, ReadCells, Reselect, Shown};

use super::in_charset;
use crate::Flavour;
use crate::announced::Announced as TableMapped;
use crate::binlog::WireColumn;
use crate::model::Table;
use crate::reselect::Plans;
use crate::sql::ByKey;
use crate::types::{ColumnCodec, Literal};

/// Beyond so many shapes, those that are gone are looked for.
const MANY: usize = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct ReadAgain {
    processors: Vec<Reselect>,
    /// By the address of the shape, which is not given to another one as long as the weak reference stands.
    plans: HashMap<usize, (Weak<Shape>, Plans)>,
    /// When those that are gone are looked for next.
    many: usize,
}

/// A table of which the binlog has rows.
pub(super) struct OfLog<'a> {
    pub(super) table: &'a Table,
    pub(super) flavour: Flavour,
    /// For each cell of a row, its type in the log.
    pub(super) columns: &'a [WireColumn],
    pub(super) announced: &'a TableMapped,
    /// For each cell of a row, the codec of a captured column.
    pub(super) codecs: &'a [Option<ColumnCodec>],
}

fn address(shape: &Arc<Shape>) -> usize {
    Arc::as_ptr(shape).addr()
}

impl ReadAgain {
    pub(super) fn new(processors: Vec<Reselect>) -> Self {
        Self { processors, plans: HashMap::new(), many: MANY }
    }

    /// Whether there is any post-processor.
    pub(super) fn is_any(&self) -> bool {
        !self.processors.is_empty()
    }

    /// Decides what is done with a table.
    pub(super) fn announced(&mut self, of: &OfLog<'_>, shaped: &Shaped) {
        let plans = self.plans_for(of, shaped);
        if plans.is_none() {
            return;
        }
        self.plans.insert(address(&shaped.shape), (Arc::downgrade(&shaped.shape), plans));
        if self.plans.len() > self.many {
            self.plans.retain(|_, (shape, _)| shape.strong_count() > 0);
            self.many = MANY.max(self.plans.len() * 2);
        }
    }

    fn plans_for(&self, of: &OfLog<'_>, shaped: &Shaped) -> Plans {
        let (id, columns) = (&of.table.id, &of.table.columns);
        // Cells that no statement shows stand behind those of the columns.
        let names: Vec<&str> =
            (0..of.codecs.len()).map(|i| columns.get(i).map_or("", |column| &*column.name)).collect();
        let cells = of.codecs.iter().map(|codec| {
            codec.as_ref().map(|codec| Shown {
                codec,
                may_be_absent: false,
                absent: None,
                null: codec.shown_for_null(),
            })
        });
        let announced = Announced {
            table: &shaped.table,
            names: &names,
            cells: cells.collect(),
            event_key: &shaped.wire_key,
            own_key: &super::key_of(of.table),
            read_cells: ReadCells::Behind,
            // The binlog leaves no value out, so nothing stands for one.
            placeholder: &[],
        };
        announced.plans(&self.processors, |key| {
            let literal = |place: &u16| {
                let place = usize::from(*place);
                let (column, log) = (columns.get(place)?, of.columns.get(place)?);
                let column = match of.announced.charset(place) {
                    Some(charset) => in_charset(column, charset),
                    None => Cow::Borrowed(column),
                };
                Some((column.name.to_string(), Literal::of(id, &column, of.flavour, *log)))
            };
            ByKey::new(&id.database, &id.table, key.iter().filter_map(literal).collect())
        })
    }

    /// For each shape of the batch, what is done with its table; none if that is nothing for all of them.
    pub(super) fn plans(&self, batch: &Batch) -> Option<Vec<Plans>> {
        if self.plans.is_empty() {
            return None;
        }
        let of = |shape: &Arc<Shape>| self.plans.get(&address(shape)).and_then(|(_, plans)| plans.clone());
        let plans: Vec<Plans> = batch.shapes.iter().map(of).collect();
        plans.iter().any(Option::is_some).then_some(plans)
    }
}

#[cfg(test)]
mod tests;
