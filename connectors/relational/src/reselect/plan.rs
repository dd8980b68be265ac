//! What the post-processors do with one table: made once, when the table's rows can be read; and what a single change lacks.
//!
//! Must not know: connections, queries.

use std::sync::Arc;

use record::{Change, Item, Op, Position, RowRef, Span, Value, ValueRef};

use super::{Missed, Reselect, Selectable, When, Why};
use crate::Table;

/// What the post-processors do with a table, in their order; none where they have nothing to do with it. `C` is what the
/// connector needs to read a column, `Q` what it needs to ask for a row by its key.
pub type Plans<C, Q> = Option<Arc<[Plan<C, Q>]>>;

/// What one post-processor does with a table.
#[derive(Debug)]
pub struct Plan<C, Q> {
    pub(super) processor: Reselect,
    /// `schema.table`.
    pub table: String,
    /// The columns that may be read again.
    pub columns: Vec<Candidate<C>>,
    /// The names of the columns by which the row is found.
    pub key: Vec<String>,
    /// The cells of these columns.
    pub key_places: Vec<u16>,
    /// The query; none if there is no key.
    pub query: Option<Q>,
    /// How many cells a row has once something was read again.
    width: u16,
}

/// A column that may be read again.
#[derive(Debug)]
pub struct Candidate<C> {
    /// The column's name in the database.
    pub name: Arc<str>,
    /// Which cell of a row of the log it is.
    pub place: u16,
    /// Which cell of a row gets what was read.
    pub into: u16,
    /// When it is read again.
    pub when: When,
    /// How what was read becomes a value.
    pub codec: C,
}

/// A captured column as the connector reads it.
#[derive(Debug)]
pub struct Shown<'a, C> {
    /// How its bytes become a value.
    pub codec: &'a C,
    /// Whether the log may leave the column's value out of a new row.
    pub may_be_absent: bool,
    /// What the record shows then; `None` for a type that has nothing to show.
    pub absent: Option<&'a Value>,
    /// What the record shows for SQL NULL.
    pub null: &'a Value,
}

/// Where what was read again stands in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadCells {
    /// In the place of the log's own cell: a query gives the same bytes as the log.
    InPlace,
    /// Behind the log's cells, of which there are as many again: a query gives other bytes than the log, so the two are told
    /// apart by where they stand. A cell that was not read again is [`Span::MISSING`] there.
    Behind,
}

/// A table whose rows can be read from now on.
#[derive(Debug)]
pub struct Announced<'a, C> {
    /// The captured columns.
    pub table: &'a Table,
    /// For each cell of a row, the name of its column.
    pub names: &'a [&'a str],
    /// For each cell of a row, the captured column; in the order of the captured columns of `table`.
    pub cells: Vec<Option<Shown<'a, C>>>,
    /// The cells that make the event's key.
    pub event_key: &'a [u16],
    /// The names of the columns of the table's own key, which `message.key.columns` may have replaced in the event's key.
    pub own_key: &'a [String],
    /// Where what was read stands.
    pub read_cells: ReadCells,
    /// `unavailable.value.placeholder`.
    pub placeholder: &'a [u8],
}

impl<C: Clone> Announced<'_, C> {
    /// What the processors do with the table. `query` makes the query for rows whose columns at these cells are known. A table
    /// whose records have no key is left alone, as in Debezium.
    pub fn plans<Q>(&self, processors: &[Reselect], query: impl Fn(&[u16]) -> Q) -> Plans<C, Q> {
        if processors.is_empty() || self.table.key.is_empty() {
            return None;
        }
        let plans: Vec<_> = processors.iter().filter_map(|processor| self.plan(processor, &query)).collect();
        (!plans.is_empty()).then(|| plans.into())
    }

    /// What one post-processor does; `None`: nothing, because no column can lack that it selects.
    fn plan<Q>(&self, processor: &Reselect, query: impl Fn(&[u16]) -> Q) -> Option<Plan<C, Q>> {
        let table = format!("{}.{}", self.table.schema, self.table.name);
        let count = self.cells.len() as u16;
        let captured = self.cells.iter().enumerate().filter_map(|(place, shown)| Some((place as u16, shown.as_ref()?)));
        let mut columns = Vec::new();
        for ((place, shown), column) in captured.zip(&self.table.columns).filter(|(_, column)| column.in_value) {
            let treatment = column.rule.as_ref().and_then(|rule| rule.treatment.as_ref());
            let treated = |value: &Value| match treatment {
                None => value.clone(),
                Some(treatment) => treatment.apply(ValueRef::Shared(value)).to_value(),
            };
            let selectable = Selectable {
                name: &column.name,
                schema: &column.schema,
                may_be_absent: shown.may_be_absent,
                absent: shown.absent.map(treated),
                null: treated(shown.null),
            };
            let Some(when) = processor.when(&table, &selectable, self.placeholder) else { continue };
            let into = if self.read_cells == ReadCells::InPlace { place } else { count + place };
            columns.push(Candidate { name: Arc::clone(&column.name), place, into, when, codec: shown.codec.clone() });
        }
        if columns.is_empty() {
            return None;
        }
        let place = |name: &String| self.names.iter().position(|column| column == name).map(|place| place as u16);
        let key_places: Vec<u16> = if processor.is_by_event_key() {
            self.event_key.to_vec()
        } else {
            self.own_key.iter().filter_map(place).collect()
        };
        Some(Plan {
            processor: processor.clone(),
            table,
            columns,
            key: key_places.iter().map(|place| self.names[usize::from(*place)].to_owned()).collect(),
            query: (!key_places.is_empty()).then(|| query(&key_places)),
            key_places,
            width: if self.read_cells == ReadCells::InPlace { count } else { count * 2 },
        })
    }
}

/// A change that lacks columns.
#[derive(Debug)]
pub(super) struct Lack<'p, C, Q> {
    pub(super) plan: &'p Plan<C, Q>,
    /// Its index in the batch.
    pub(super) item: usize,
    row: RowRef,
    /// Which of the plan's columns it lacks.
    pub(super) columns: Vec<&'p Candidate<C>>,
    pub(super) position: Position,
}

/// What is asked of the database: columns of a row that is found by its key.
#[derive(Debug)]
pub struct Ask<'a, C, Q> {
    /// What the connector needs to ask.
    pub query: &'a Q,
    /// The columns that are wanted.
    pub columns: &'a [&'a Candidate<C>],
    /// The key's values, as the log has them; none for NULL.
    pub key: Vec<Option<&'a [u8]>>,
    /// The position of the change that lacks them.
    pub position: &'a Position,
}

/// The cells of a batch, and the bytes that its spans point to.
pub(super) struct Cells<'a> {
    pub(super) spans: &'a [Span],
    pub(super) buffer: &'a [u8],
    /// What stands behind the buffer.
    pub(super) more: &'a [u8],
}

impl<'a> Cells<'a> {
    fn bytes(&self, span: Span) -> Option<&'a [u8]> {
        match (span.start as usize).checked_sub(self.buffer.len()) {
            None => span.bytes(self.buffer),
            Some(behind) => Span { start: behind as u32, ..span }.bytes(self.more),
        }
    }
}

/// The cell of a row at a place; `MISSING` where it has none.
fn cell(row: RowRef, place: u16, spans: &[Span]) -> Span {
    let found = spans.get(row.first as usize + usize::from(place)).filter(|_| place < row.count);
    found.copied().unwrap_or(Span::MISSING)
}

impl<C> Candidate<C> {
    fn is_lacked(&self, row: RowRef, spans: &[Span]) -> bool {
        // An earlier processor may have read it.
        let read = cell(row, self.into, spans);
        let now = if read == Span::MISSING { cell(row, self.place, spans) } else { read };
        self.when.is_absent && now == Span::UNCHANGED || self.when.is_null && now == Span::NULL
    }
}

impl<C, Q> Plan<C, Q> {
    /// Whether a row lacks a column that this plan reads again.
    fn is_for(&self, row: RowRef, spans: &[Span]) -> bool {
        self.columns.iter().any(|column| column.is_lacked(row, spans))
    }

    /// Why the row of a change was not read, with what messages name.
    pub(super) fn missed(&self, why: Why, position: String) -> Missed {
        let key = if self.key.is_empty() { "none".to_owned() } else { self.key.join(", ") };
        Missed { table: self.table.clone(), key, position, why }
    }
}

impl<'p, C, Q> Lack<'p, C, Q> {
    /// The question for what the change lacks; why it cannot be asked otherwise.
    pub(super) fn ask<'a>(&'a self, cells: &Cells<'a>) -> Result<Ask<'a, C, Q>, Why>
    where
        'p: 'a,
    {
        let query = self.plan.query.as_ref().ok_or(Why::NoKey)?;
        let value = |place: &u16| match cell(self.row, *place, cells.spans) {
            Span::NULL => Some(None),
            span => cells.bytes(span).map(Some),
        };
        let key: Option<Vec<_>> = self.plan.key_places.iter().map(value).collect();
        let key = key.ok_or(Why::KeyIsMissing)?;
        Ok(Ask { query, columns: &self.columns, key, position: &self.position })
    }

    /// Sets the cells of the columns that were read. Returns the row with them.
    pub(super) fn put(&self, found: &[Span], spans: &mut Vec<Span>) -> Option<RowRef> {
        let (first, count) = (self.row.first as usize, self.row.count);
        let mut row = self.row;
        if count < self.plan.width {
            row = RowRef { first: u32::try_from(spans.len()).ok()?, count: self.plan.width };
            spans.extend_from_within(first..first + usize::from(count));
            spans.resize(row.first as usize + usize::from(row.count), Span::MISSING);
        }
        for (column, span) in self.columns.iter().zip(found) {
            *spans.get_mut(row.first as usize + usize::from(column.into))? = *span;
        }
        Some(row)
    }
}

/// A change, its new row, and the plans of its table.
type Eligible<'i, 'p, C, Q> = (&'i Change, RowRef, &'p [Plan<C, Q>]);

/// The change of an item that may be read again. Rows that a snapshot has read are as they are now. `plans` has an entry for
/// each shape of the batch.
fn eligible<'i, 'p, C, Q>(item: &'i Item, plans: &'p [Plans<C, Q>]) -> Option<Eligible<'i, 'p, C, Q>> {
    let Item::Change(change) = item else { return None };
    let plans = plans.get(usize::from(change.shape))?.as_deref()?;
    (change.op != Op::Read).then_some((change, change.after?, plans))
}

/// Whether any plan is for this item. `plans` has an entry for each shape of the batch.
pub fn lacks<C, Q>(item: &Item, plans: &[Plans<C, Q>], spans: &[Span]) -> bool {
    eligible(item, plans).is_some_and(|(_, row, plans)| plans.iter().any(|plan| plan.is_for(row, spans)))
}

/// What the plan at place `round` of the table's plans reads again for the item at `index`; `None`: nothing.
pub(super) fn lack<'p, C, Q>(
    (index, item): (usize, &Item),
    plans: &'p [Plans<C, Q>],
    round: usize,
    spans: &[Span],
) -> Option<Lack<'p, C, Q>> {
    let (change, row, plans) = eligible(item, plans)?;
    let plan = plans.get(round)?;
    let columns: Vec<_> = plan.columns.iter().filter(|column| column.is_lacked(row, spans)).collect();
    (!columns.is_empty()).then(|| Lack { plan, item: index, row, columns, position: change.position.clone() })
}
