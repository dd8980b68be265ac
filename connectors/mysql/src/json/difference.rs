//! Partial updates: lists of differences.

use super::document::Value;
use super::tree::Node;
use super::{JsonError, path};
use crate::binlog::Fault;
use crate::binlog::cursor::Cursor;

/// Applies the differences of a PARTIAL_UPDATE_ROWS event to the document that they are to, and appends the new document to
/// `out`. A difference is an operation, a path, and the new value unless something is removed.
///
/// # Errors
/// When one of the two cannot be read, or a difference is to an element that the document has not. A part of a document
/// may then be in `out`.
pub fn apply(document: &[u8], differences: &[u8], out: &mut Vec<u8>) -> Result<(), JsonError> {
    const REPLACE: u8 = 0;
    const INSERT: u8 = 1;
    const REMOVE: u8 = 2;
    let mut tree = Node::Whole(Value::document(document)?);
    let mut cursor = Cursor::new(differences);
    while !cursor.is_empty() {
        let operation = cursor.u8("").map_err(cut)?;
        let mut legs = path::parse(cursor.packed_bytes("").map_err(cut)?)?;
        if operation == REPLACE {
            *tree.seek(&legs)? = Node::Whole(Value::document(cursor.packed_bytes("").map_err(cut)?)?);
            continue;
        }
        let last = legs.pop().ok_or(JsonError("a difference adds or removes the whole document"))?;
        let parent = tree.seek(&legs)?;
        match operation {
            INSERT => parent.insert(last, Value::document(cursor.packed_bytes("").map_err(cut)?)?)?,
            REMOVE => parent.remove(&last)?,
            _ => return Err(JsonError("a difference has an unknown operation")),
        }
    }
    tree.write(out)
}

fn cut(_: Fault) -> JsonError {
    JsonError("the differences end early")
}
