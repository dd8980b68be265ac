//! The messages of pgoutput that are more than a row: tables, logical messages; and the one layout that all rows share.

use record::{Batch, Position, RowRef, Span};

use super::reader::{Cursor, Short};

/// A table as the stream announces it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    pub(crate) id: u32,
    pub(crate) schema: String,
    pub(crate) table: String,
    /// `pg_class.relreplident`: `d`efault, `n`othing, `f`ull, `i`ndex.
    pub(crate) identity: u8,
    pub(crate) columns: Vec<RelationColumn>,
}

/// A column of a [`Relation`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RelationColumn {
    pub(crate) name: String,
    pub(crate) oid: u32,
    pub(crate) typmod: i32,
    /// Part of the replica identity's key.
    pub(crate) identity: bool,
}

/// A type that is not built in. The log names it before the first table with a column of this type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedType {
    pub(crate) oid: u32,
    pub(crate) schema: String,
    pub(crate) name: String,
}

/// A logical decoding message (`pg_logical_emit_message`).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LogicalMessage {
    pub(crate) transactional: bool,
    pub(crate) prefix: String,
    pub(crate) content: Vec<u8>,
    pub(crate) position: Position,
    /// It was delivered before the restart: it is not sent again, but it counts in its transaction.
    pub(crate) is_redelivered: bool,
}

/// Why a message could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// The message ended early, or a name in it is not UTF-8.
    Short,
    /// The message's kind is not one of protocol version 1.
    Unknown(u8),
    /// A row of a table that no RELATION announced.
    NoRelation(u32),
    /// A row outside a transaction.
    NoTransaction,
}

impl From<Short> for Malformed {
    fn from(_: Short) -> Self {
        Self::Short
    }
}

pub(crate) fn named_type(mut cursor: Cursor<'_>) -> Result<NamedType, Short> {
    let oid = cursor.u32()?;
    let (schema, name) = (schema_name(cursor.text()?), cursor.text()?.to_owned());
    Ok(NamedType { oid, schema, name })
}

/// An empty schema name stands for pg_catalog.
fn schema_name(text: &str) -> String {
    if text.is_empty() { "pg_catalog".to_owned() } else { text.to_owned() }
}

/// TupleData: the cells of a row, as spans.
pub(crate) fn tuple(batch: &mut Batch, cursor: &mut Cursor<'_>) -> Result<RowRef, Short> {
    let count = cursor.u16()?;
    let first = batch.spans.len() as u32;
    for _ in 0..count {
        batch.spans.push(match cursor.u8()? {
            b'n' => Span::NULL,
            b'u' => Span::UNCHANGED,
            b't' | b'b' => {
                let len = cursor.u32()?;
                let start = cursor.at() as u32;
                cursor.take(len as usize)?;
                Span { start, len }
            }
            _ => return Err(Short),
        });
    }
    Ok(RowRef { first, count })
}

pub(crate) fn relation(mut cursor: Cursor<'_>) -> Result<Relation, Short> {
    let id = cursor.u32()?;
    let schema = schema_name(cursor.text()?);
    let table = cursor.text()?.to_owned();
    let identity = cursor.u8()?;
    let count = cursor.u16()?;
    let mut columns = Vec::with_capacity(usize::from(count));
    for _ in 0..count {
        let flags = cursor.u8()?;
        columns.push(RelationColumn {
            name: cursor.text()?.to_owned(),
            oid: cursor.u32()?,
            typmod: cursor.i32()?,
            identity: flags & 1 == 1,
        });
    }
    if cursor.is_empty() { Ok(Relation { id, schema, table, identity, columns }) } else { Err(Short) }
}
