//! `io.debezium.transforms.EnforceRecordSize`: cuts long texts and bytes in the rows of records that are too large.
//!
//! How large a record is, is estimated as Debezium does it, with much added for Java's objects. What the estimate is above
//! `max.bytes` is taken away from the columns of the rows before and after that are larger than `min.field.size`, from each in
//! proportion to its size. Records that are no change events are never cut, so the transform belongs before
//! ExtractNewRecordState.
//!
//! Here the estimate is 1913 bytes, so the only large column loses ten characters:
//!
//! ```json
//! {"max.bytes": 1903, "min.field.size": 30}
//! {"topic": "srv.public.notes", "key": {"id": 1}, "value": {"op": "c",
//!   "after": {"id": 1, "text": "0123456789012345678901234567890123456789"}}}
//! => {"value": {"op": "c", "before": null, "after": {"id": 1, "text": "012345678901234567890123456789"}}}
//! {"topic": "srv.public.notes", "key": {"id": 1}, "value": {"op": "c", "after": {"id": 1, "text": "short"}}}
//! => {}
//! {"topic": "srv.public.notes", "key": {"id": 1}, "value": null}
//! => {}
//! ```
//!
//! Must not know: serialised forms, databases.

mod cost;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use record::{Cache, Frame, Kind, Logical, Part, Payload, Position, Record, Value, ValueRef, View};
use settings::{Def, Invalid, Key, Properties};

use self::cost::{Cost, ENTRY, TIMESTAMP};
use crate::error::Refusal;
use crate::table::no_remarks;
use crate::{Connector, Transform, TransformError};

const MAX: &str = "max.bytes";
const RATIO: &str = "compression.ratio";
const MIN_FIELD: &str = "min.field.size";

/// The number of schemas whose costs are remembered, and of ways to cut them.
const CACHE: usize = 4096;

const KEYS: &[Key] = &[
    Key::new(MAX, settings::Kind::Int).required().high().doc(
        "The largest size of a record in bytes. In larger ones long texts and bytes are cut, in proportion to their sizes.",
    ),
    Key::new(RATIO, settings::Kind::Double).default("1.0").doc(
        "What the estimated size is multiplied with before it is compared: 0.5 where a record is sent in half as many bytes.",
    ),
    Key::new(MIN_FIELD, settings::Kind::Int)
        .default("25000")
        .doc("Texts of at most this many characters, and bytes of at most this many, are never cut."),
];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.EnforceRecordSize",
    module: module_path!(),
    summary: "Cuts long texts and bytes in the rows of records that are too large.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(EnforceRecordSize::new(properties)?)),
    remarks: no_remarks,
};

/// What is known of an input.
#[derive(Debug)]
struct Input {
    cost: Cost,
    whole: Part,
    /// The texts and bytes that may be cut.
    columns: Vec<Column>,
}

#[derive(Debug)]
struct Column {
    image: Image,
    /// Its place among the fields of the row.
    at: usize,
    part: Part,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Image {
    Before,
    After,
}

#[derive(Debug)]
struct EnforceRecordSize {
    max_bytes: i64,
    ratio: f64,
    min_field: usize,
    entries: fn(&Position) -> u32,
    keys: Cache<u32, Option<Arc<Cost>>>,
    values: Cache<u32, Option<Arc<Input>>>,
    /// The views in which certain columns are cut, by the input and the indexes of the columns.
    cuts: Cache<(u32, Vec<usize>), Arc<View>>,
    scratch: Vec<u8>,
}

impl EnforceRecordSize {
    fn new(properties: &Properties) -> Result<Self, Vec<Refusal>> {
        let mut wrong = Vec::new();
        let mut number = |key: &str, default: f64, fits: fn(f64) -> bool, problem: &str| {
            let text = properties.get(key).map(str::trim);
            let value = text.and_then(|text| text.parse().ok()).unwrap_or(default);
            if !fits(value) {
                let shown = if key == RATIO { format!("{value:?}") } else { text.unwrap_or_default().to_owned() };
                let message = format!("Invalid value {shown} for configuration {key}: {problem}");
                wrong.push(Invalid::new(key, message).into());
            }
            value
        };
        let max = number(MAX, 0.0, |value| value > 0.0, "Must be a positive integer");
        // Java compares so that what is no number passes.
        let ratio = number(RATIO, 1.0, |value| value.is_nan() || value > 0.0, "Must be a positive number");
        let min_field = number(MIN_FIELD, 25_000.0, |value| value >= 0.0, "Must be non-negative");
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self {
            max_bytes: max as i64,
            ratio,
            min_field: min_field as usize,
            entries: Connector::default().origin_entries,
            keys: Cache::new(CACHE),
            values: Cache::new(CACHE),
            cuts: Cache::new(CACHE),
            scratch: Vec::new(),
        })
    }

    /// What is known of the value; `None` for what is no struct.
    fn input(&mut self, value: &Payload<'_>) -> Option<Arc<Input>> {
        let id = value.id();
        if let Some(place) = self.values.place(|known| *known == id, || id) {
            return self.values.at(place).clone();
        }
        let whole = value.part().filter(|part| matches!(part.schema.kind, Kind::Struct(_)));
        let input = whole.map(|whole| Arc::new(Input { cost: Cost::of(&whole), columns: columns(&whole), whole }));
        self.values.insert(id, input.clone());
        input
    }

    /// What the key costs. Debezium fails with a key that is no struct; here it costs nothing.
    fn key(&mut self, key: &Payload<'_>) -> u64 {
        if key.is_null() {
            return 0;
        }
        let id = key.id();
        let place = self.keys.place(|known| *known == id, || id).unwrap_or_else(|| {
            let part = key.part().filter(|part| matches!(part.schema.kind, Kind::Struct(_)));
            self.keys.insert(id, part.map(|part| Arc::new(Cost::of(&part))))
        });
        let Some(cost) = self.keys.at(place).clone() else { return 0 };
        cost.in_record(key.frame(), &mut self.scratch)
    }

    /// How large the record is, in bytes.
    fn size(&mut self, record: &Record<'_>, input: &Input) -> i64 {
        let frame = record.value.frame();
        let change = frame.decoded.or_else(|| record.key.frame().decoded).map(|decoded| decoded.change);
        // With its transaction, a record's offset has the transaction's id and a count for each table; one table is sure.
        let of_transaction = if change.is_some_and(|change| change.transaction.is_some()) { 2 } else { 0 };
        let entries = (self.entries)(change.map_or(&Position::UNKNOWN, |change| &change.position)) + of_transaction;
        let headers = record.headers.iter().count() as u64;
        let size = (u64::from(entries) + headers) * ENTRY
            + TIMESTAMP
            + self.key(&record.key)
            + input.cost.in_record(frame, &mut self.scratch)
            + record.topic.len() as u64;
        (size as f64 * self.ratio).ceil() as i64
    }

    /// The view in which the columns at these indexes are computed.
    fn cut(&mut self, value: &Payload<'_>, input: &Input, cut: &[usize]) -> Arc<View> {
        let id = value.id();
        if let Some(place) = self.cuts.place(|(known, columns)| *known == id && columns == cut, || (id, cut.to_vec())) {
            return Arc::clone(self.cuts.at(place));
        }
        let slot = |image, at| {
            let place = cut.iter().position(|index| {
                let column = &input.columns[*index];
                column.image == image && column.at == at
            })?;
            Some(value.slots() + place as u16)
        };
        let block = |(name, block): (Arc<str>, Part)| {
            let image = match &*name {
                "before" => Image::Before,
                "after" => Image::After,
                _ => return (name, block),
            };
            let column = |(at, (name, part)): (usize, (Arc<str>, Part))| match slot(image, at) {
                Some(slot) => (name, Part::owned(part.schema, slot)),
                None => (name, part),
            };
            let columns = block.fields().enumerate().map(column).collect();
            (name, Part::structure(&block.schema, columns, block.presence()))
        };
        let fields = input.whole.fields().map(block).collect();
        let whole = Part::structure(&input.whole.schema, fields, input.whole.presence());
        let view = View::of(whole, value.slots() + cut.len() as u16);
        self.cuts.insert((id, cut.to_vec()), Arc::clone(&view));
        view
    }
}

/// The columns of the rows before and after that may be cut. A decimal is written in bytes, but cannot be cut.
fn columns(whole: &Part) -> Vec<Column> {
    let mut columns = Vec::new();
    for (image, name) in [(Image::Before, "before"), (Image::After, "after")] {
        let Some(row) = whole.field(name) else { continue };
        for (at, (_, part)) in row.fields().enumerate() {
            let is_decimal = matches!(part.schema.logical, Logical::Decimal { .. });
            if matches!(part.schema.kind, Kind::String | Kind::Bytes) && !is_decimal {
                columns.push(Column { image, at, part: part.or_default() });
            }
        }
    }
    columns
}

/// The size by which a column is cut: characters as Java counts them (UTF-16 code units), or bytes.
fn length(column: &Column, frame: Frame<'_>) -> usize {
    let is_text = matches!(column.part.schema.kind, Kind::String);
    if is_text {
        return column.part.with_text(frame, |text| text.map_or(0, |text| text.encode_utf16().count()));
    }
    column.part.with(frame, |cell| match cell {
        ValueRef::Bytes(bytes) => bytes.len(),
        ValueRef::Hex(digits) => digits.len() / 2,
        cell => {
            if let Value::Bytes(bytes) = cell.to_value() {
                bytes.len()
            } else {
                0
            }
        }
    })
}

/// The column's value, cut to this length. Half of a character that Java counts twice is left out; Java would keep it and
/// send a `?`.
fn shortened(column: &Column, frame: Frame<'_>, length: usize) -> Value {
    match column.part.value(frame) {
        Value::Text(mut text) => {
            let mut units = 0;
            let fits = |c: &char| {
                units += c.len_utf16();
                units <= length
            };
            let bytes = text.chars().take_while(fits).map(char::len_utf8).sum();
            text.truncate(bytes);
            Value::Text(text)
        }
        Value::Bytes(mut bytes) => {
            bytes.truncate(length);
            Value::Bytes(bytes)
        }
        other => other,
    }
}

impl Transform for EnforceRecordSize {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() {
            return Ok(Some(record));
        }
        let Some(input) = self.input(&record.value) else { return Ok(Some(record)) };
        let size = self.size(&record, &input);
        if size <= self.max_bytes {
            return Ok(Some(record));
        }
        let frame = record.value.frame();
        let lengths: Vec<usize> = input.columns.iter().map(|column| length(column, frame)).collect();
        let large = |index: &usize| lengths[*index] > self.min_field;
        let cut: Vec<usize> = (0..lengths.len()).filter(large).collect();
        let sum = |image| {
            let of_row = cut.iter().filter(|index| input.columns[**index].image == image);
            of_row.map(|index| lengths[*index]).sum::<usize>()
        };
        let sums = [sum(Image::Before), sum(Image::After)];
        let total = (sums[0] + sums[1]) as f64;
        if cut.is_empty() {
            return Ok(Some(record));
        }
        // The same steps of rounding as Debezium's: first for each row, then for each column.
        let excess = (size - self.max_bytes) as f64;
        let of_row = |image| {
            let sum = sums[usize::from(image == Image::After)] as f64;
            (sum, (sum / total * excess).ceil())
        };
        let mut computed = Vec::with_capacity(cut.len());
        for index in &cut {
            let column = &input.columns[*index];
            let (sum, excess) = of_row(column.image);
            let share = (lengths[*index] as f64 / sum * excess).ceil() as usize;
            computed.push(shortened(column, frame, lengths[*index].saturating_sub(share)));
        }
        let view = self.cut(&record.value, &input, &cut);
        record.value = record.value.through(&view, computed);
        record.headers.detach();
        Ok(Some(record))
    }

    fn attach(&mut self, connector: &Connector) {
        self.entries = connector.origin_entries;
    }
}
