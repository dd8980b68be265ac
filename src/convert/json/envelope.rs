//! Writes changes as JSON, straight from the cells: the envelope, and views.
//!
//! The constant parts of the source block (version, names, the table) are prepared as text once for each table, so only
//! a few numbers are left to write for each record.
//!
//! Must not know: which connector made the change.

use record::{Cache, Decoded, Position, Shape, SnapshotMark, SourceField, TransactionMark, ValueRef, View, ViewSource};

use super::plan::{Form, Member, Node};
use super::text::write_string;
use super::write::{write_cell, write_null, write_owned, write_struct};
use crate::convert::ConvertError;
use crate::convert::number::write_int;

type Done = Result<(), ConvertError>;

/// Where a field of the envelope comes from. It is found by the field's name when the encoder is prepared.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Before,
    After,
    Source,
    Transaction,
    Op,
    TsMs,
    TsUs,
    TsNs,
    Absent,
}

impl Part {
    pub(super) fn named(name: &str) -> Self {
        match name {
            "before" => Self::Before,
            "after" => Self::After,
            "source" => Self::Source,
            "transaction" => Self::Transaction,
            "op" => Self::Op,
            "ts_ms" => Self::TsMs,
            "ts_us" => Self::TsUs,
            "ts_ns" => Self::TsNs,
            _ => Self::Absent,
        }
    }
}

/// The number of source blocks that are kept for one envelope schema. Usually there is one. There are more when tables
/// share schema and topic (the partitions of a table, or tables that a regex naming strategy sends to one topic), or
/// when one table had several shapes.
const MAX_SOURCES: usize = 256;

/// The source blocks of all tables with the same envelope schema, by the id of the shape.
#[derive(Debug)]
pub(super) struct SourceTexts(Cache<u64, SourceText>);

impl Default for SourceTexts {
    fn default() -> Self {
        Self(Cache::new(MAX_SOURCES))
    }
}

impl SourceTexts {
    fn of(&mut self, shape: &Shape, members: &[Member]) -> &SourceText {
        let place = self.0.place(|id| *id == shape.id, || shape.id);
        let place = place.unwrap_or_else(|| self.0.insert(shape.id, SourceText::of(shape, members)));
        self.0.at(place)
    }
}

/// The source block of one table, prepared as text.
#[derive(Debug)]
struct SourceText {
    /// Constant text, and the index of the field to write after it.
    segments: Vec<(Box<[u8]>, Option<usize>)>,
}

impl SourceText {
    /// Joins everything constant into one piece of text, up to the next field that differs from event to event.
    fn of(shape: &Shape, members: &[Member]) -> Self {
        let mut segments = Vec::new();
        let mut text = Vec::new();
        for (i, (member, field)) in members.iter().zip(&shape.source.fields).enumerate() {
            text.extend_from_slice(&member.prefix);
            match field {
                SourceField::Text(constant) => write_string(&mut text, constant),
                _ => segments.push((std::mem::take(&mut text).into(), Some(i))),
            }
        }
        text.push(b'}');
        segments.push((text.into(), None));
        Self { segments }
    }

    /// Writes the block; the nodes of `members` say what a null becomes.
    fn write(&self, members: &[Member], decoded: &Decoded<'_>, out: &mut Vec<u8>) -> Done {
        for (text, field) in &self.segments {
            out.extend_from_slice(text);
            if let Some(i) = *field {
                let (position, mark) = (decoded.position(), decoded.change.mark);
                write_source_field(&members[i].node, &decoded.shape.source.fields[i], position, mark, out)?;
            }
        }
        Ok(())
    }
}

/// Writes the whole envelope.
pub(super) fn write_change(
    members: &[Member],
    parts: &[Part],
    prepared: &mut SourceTexts,
    decoded: &Decoded<'_>,
    out: &mut Vec<u8>,
) -> Done {
    write_struct(members, out, |i, node, out| match parts[i] {
        Part::Before => write_image(node, decoded.before, &decoded.shape.cells, out),
        Part::After => write_image(node, decoded.after, &decoded.shape.cells, out),
        Part::Source => write_source(node, prepared, decoded, out),
        Part::Transaction => write_transaction(node, decoded.change.transaction.as_deref(), out),
        Part::Op => write_letter(decoded, out),
        Part::TsMs => write_instant(out, decoded.processed_ns.div_euclid(1_000_000)),
        Part::TsUs => write_instant(out, decoded.processed_ns.div_euclid(1000)),
        Part::TsNs => write_instant(out, decoded.processed_ns),
        Part::Absent => write_null(node, out),
    })
}

/// Writes a row, or what a null becomes when there is no row. `cells` holds, for each field, the index of its cell.
pub(super) fn write_image(node: &Node, row: Option<&[ValueRef<'_>]>, cells: &[u16], out: &mut Vec<u8>) -> Done {
    let (Some(row), Form::Struct(members)) = (row, &node.form) else { return write_null(node, out) };
    write_struct(members, out, |i, node, out| match cells.get(i).and_then(|place| row.get(usize::from(*place))) {
        Some(cell) => write_cell(node, cell, out),
        None => write_null(node, out),
    })
}

fn write_source(node: &Node, prepared: &mut SourceTexts, decoded: &Decoded<'_>, out: &mut Vec<u8>) -> Done {
    let Form::Struct(members) = &node.form else { return write_null(node, out) };
    let shape = decoded.shape;
    if members.len() == shape.source.fields.len() {
        return prepared.of(shape, members).write(members, decoded, out);
    }
    // The schema has another number of fields than the shape's source block: written field by field.
    let (position, mark) = (decoded.position(), decoded.change.mark);
    write_struct(members, out, |i, node, out| match shape.source.fields.get(i) {
        Some(field) => write_source_field(node, field, position, mark, out),
        None => write_null(node, out),
    })
}

fn write_source_field(
    node: &Node,
    field: &SourceField,
    position: &Position,
    mark: SnapshotMark,
    out: &mut Vec<u8>,
) -> Done {
    let number = match field {
        SourceField::Text(text) => return text_or_null(node, Some(text), out),
        SourceField::Snapshot => return text_or_null(node, mark.text(), out),
        SourceField::PositionText => return text_or_null(node, position.text.as_deref(), out),
        SourceField::Sequence { commit, lsn } => {
            write_sequence(out, position.word(*commit), position.word(*lsn));
            return Ok(());
        }
        SourceField::Word(slot) | SourceField::Micros(slot) => position.word(*slot),
        SourceField::Millis(slot) => position.word(*slot).map(|us| us.div_euclid(1000)),
        SourceField::Nanos(slot) => position.word(*slot).map(|us| us.saturating_mul(1000)),
    };
    match number {
        Some(number) => write_int(out, number),
        None => return write_null(node, out),
    }
    Ok(())
}

/// Writes the source block's `sequence`: the JSON text `["commit","lsn"]` as a JSON string.
fn write_sequence(out: &mut Vec<u8>, commit: Option<i64>, lsn: Option<i64>) {
    let word = |out: &mut Vec<u8>, word: Option<i64>| match word {
        None => out.extend_from_slice(b"null"),
        Some(word) => {
            out.extend_from_slice(b"\\\"");
            write_int(out, word);
            out.extend_from_slice(b"\\\"");
        }
    };
    out.extend_from_slice(b"\"[");
    word(out, commit);
    out.push(b',');
    word(out, lsn);
    out.extend_from_slice(b"]\"");
}

fn text_or_null(node: &Node, text: Option<&str>, out: &mut Vec<u8>) -> Done {
    match text {
        Some(text) => write_string(out, text),
        None => return write_null(node, out),
    }
    Ok(())
}

#[allow(clippy::unnecessary_wraps)] // so that all arms of the match in `write_change` have the same type
fn write_letter(decoded: &Decoded<'_>, out: &mut Vec<u8>) -> Done {
    out.push(b'"');
    out.extend_from_slice(decoded.change.op.letter().as_bytes());
    out.push(b'"');
    Ok(())
}

#[allow(clippy::unnecessary_wraps)] // for the same reason
fn write_instant(out: &mut Vec<u8>, number: i64) -> Done {
    write_int(out, number);
    Ok(())
}

fn write_transaction(node: &Node, mark: Option<&TransactionMark>, out: &mut Vec<u8>) -> Done {
    let (Some(mark), Form::Struct(members)) = (mark, &node.form) else { return write_null(node, out) };
    write_struct(members, out, |_, node, out| match node.field.rsplit('.').next() {
        Some("id") => text_or_null(node, Some(&mark.id), out),
        Some("total_order") => write_instant(out, mark.total_order),
        Some("data_collection_order") => write_instant(out, mark.collection_order),
        _ => write_null(node, out),
    })
}

/// Writes a change through a view.
pub(super) fn write_view(members: &[Member], view: &View, decoded: &Decoded<'_>, out: &mut Vec<u8>) -> Done {
    let cell = |row: Option<&[ValueRef<'_>]>, place: u16, node: &Node, out: &mut Vec<u8>| match row
        .and_then(|row| row.get(usize::from(place)))
    {
        Some(cell) => write_cell(node, cell, out),
        None => write_null(node, out),
    };
    let cell_or = |row: Option<&[ValueRef<'_>]>, place: u16, default, node: &Node, out: &mut Vec<u8>| match row
        .and_then(|row| row.get(usize::from(place)))
        .filter(|cell| !cell.is_null())
    {
        Some(cell) => write_cell(node, cell, out),
        None => write_owned(node, default, out),
    };
    let mark = decoded.change.transaction.as_deref();
    let order = |number: Option<i64>, node: &Node, out: &mut Vec<u8>| match number {
        Some(number) => write_instant(out, number),
        None => write_null(node, out),
    };
    write_struct(members, out, |i, node, out| match &view.fields[i] {
        ViewSource::After(place) => cell(decoded.after, *place, node, out),
        ViewSource::Before(place) => cell(decoded.before, *place, node, out),
        ViewSource::AfterOr(place, default) => cell_or(decoded.after, *place, default, node, out),
        ViewSource::BeforeOr(place, default) => cell_or(decoded.before, *place, default, node, out),
        ViewSource::Source(at) => match decoded.shape.source.fields.get(usize::from(*at)) {
            Some(field) => write_source_field(node, field, decoded.position(), decoded.change.mark, out),
            None => write_null(node, out),
        },
        ViewSource::Op => write_letter(decoded, out),
        ViewSource::TsMs => write_instant(out, decoded.processed_ns.div_euclid(1_000_000)),
        ViewSource::TsUs => write_instant(out, decoded.processed_ns.div_euclid(1000)),
        ViewSource::TsNs => write_instant(out, decoded.processed_ns),
        ViewSource::TransactionId => text_or_null(node, mark.map(|mark| &*mark.id), out),
        ViewSource::TotalOrder => order(mark.map(|mark| mark.total_order), node, out),
        ViewSource::CollectionOrder => order(mark.map(|mark| mark.collection_order), node, out),
        ViewSource::Constant(value) => write_owned(node, value, out),
    })
}
