//! The binary form: values, objects, arrays.
//!
//! A value has a type and bytes. An object or array begins with the number of its elements and its length; then come, for
//! objects, the places and lengths of the keys, then the types and places of the values. Small ones have 16 bits for
//! numbers and places, large ones 32. Values that fit stand where their place would. (The server's source describes it in
//! sql-common/json_binary.h.)

use super::JsonError;

pub(super) const SMALL_OBJECT: u8 = 0;
pub(super) const LARGE_OBJECT: u8 = 1;
pub(super) const SMALL_ARRAY: u8 = 2;
pub(super) const LARGE_ARRAY: u8 = 3;
pub(super) const LITERAL: u8 = 4;
pub(super) const INT16: u8 = 5;
pub(super) const UINT16: u8 = 6;
pub(super) const INT32: u8 = 7;
pub(super) const UINT32: u8 = 8;
pub(super) const INT64: u8 = 9;
pub(super) const UINT64: u8 = 10;
pub(super) const DOUBLE: u8 = 11;
pub(super) const STRING: u8 = 12;
pub(super) const OPAQUE: u8 = 15;

const ENDS: JsonError = JsonError("it ends early");

/// A value: its type, and its bytes without anything behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Value<'a> {
    pub(super) kind: u8,
    pub(super) data: &'a [u8],
}

impl<'a> Value<'a> {
    /// A document: the type, then the bytes. The server takes an empty one for null.
    pub(super) fn document(bytes: &'a [u8]) -> Result<Self, JsonError> {
        match bytes.split_first() {
            None => Ok(Self { kind: LITERAL, data: &[0] }),
            Some((kind, data)) => Self::at(*kind, data),
        }
    }

    /// The value of a type at the begin of `data`.
    pub(super) fn at(kind: u8, data: &'a [u8]) -> Result<Self, JsonError> {
        let length = match kind {
            SMALL_OBJECT | SMALL_ARRAY => number(data, 2, 2)?,
            LARGE_OBJECT | LARGE_ARRAY => number(data, 4, 4)?,
            LITERAL => 1,
            INT16 | UINT16 => 2,
            INT32 | UINT32 => 4,
            INT64 | UINT64 | DOUBLE => 8,
            STRING => {
                let (length, prefix) = text_length(data)?;
                length + prefix
            }
            OPAQUE => {
                let (length, prefix) = text_length(data.get(1..).ok_or(ENDS)?)?;
                1 + prefix + length
            }
            _ => return Err(JsonError("a type is unknown")),
        };
        Ok(Self { kind, data: data.get(..length).ok_or(ENDS)? })
    }

    /// As an object or array, if it is one.
    pub(super) fn container(self) -> Result<Option<Container<'a>>, JsonError> {
        let (object, large) = match self.kind {
            SMALL_OBJECT => (true, false),
            LARGE_OBJECT => (true, true),
            SMALL_ARRAY => (false, false),
            LARGE_ARRAY => (false, true),
            _ => return Ok(None),
        };
        let width = if large { 4 } else { 2 };
        let count = number(self.data, 0, width)?;
        let container = Container { data: self.data, object, width, count };
        if container.value_entry(count) > self.data.len() {
            return Err(ENDS);
        }
        Ok(Some(container))
    }

    /// The number of a literal: 0 null, 1 true, 2 false.
    pub(super) fn literal(self) -> Result<u8, JsonError> {
        self.data.first().copied().filter(|literal| *literal <= 2).ok_or(JsonError("a literal is unknown"))
    }

    /// An integer of up to 64 bits with a sign.
    pub(super) fn signed(self) -> i64 {
        let shift = 64 - 8 * self.data.len().min(8);
        (self.unsigned() << shift) as i64 >> shift
    }

    /// The bytes as a number without a sign.
    pub(super) fn unsigned(self) -> u64 {
        self.data.iter().take(8).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// The text of a string.
    pub(super) fn text(self) -> Result<&'a [u8], JsonError> {
        let (_, prefix) = text_length(self.data)?;
        self.data.get(prefix..).ok_or(ENDS)
    }

    /// The column type and the bytes of an opaque value.
    pub(super) fn opaque(self) -> Result<(u8, &'a [u8]), JsonError> {
        let (kind, rest) = self.data.split_first().ok_or(ENDS)?;
        let (_, prefix) = text_length(rest)?;
        Ok((*kind, rest.get(prefix..).ok_or(ENDS)?))
    }
}

/// An object or an array.
#[derive(Clone, Copy, Debug)]
pub(super) struct Container<'a> {
    data: &'a [u8],
    pub(super) object: bool,
    /// The bytes of a number or place.
    width: usize,
    pub(super) count: usize,
}

impl<'a> Container<'a> {
    /// Where the key entry of an element stands.
    fn key_entry(&self, index: usize) -> usize {
        2 * self.width + index * (self.width + 2)
    }

    /// Where the value entry of an element stands.
    fn value_entry(&self, index: usize) -> usize {
        let keys = if self.object { self.count } else { 0 };
        self.key_entry(keys) + index * (self.width + 1)
    }

    /// The key of an element.
    pub(super) fn key(&self, index: usize) -> Result<&'a [u8], JsonError> {
        let entry = self.key_entry(index);
        let place = number(self.data, entry, self.width)?;
        let length = number(self.data, entry + self.width, 2)?;
        self.data.get(place..place + length).ok_or(ENDS)
    }

    /// The value of an element.
    pub(super) fn value(&self, index: usize) -> Result<Value<'a>, JsonError> {
        let entry = self.value_entry(index);
        let kind = *self.data.get(entry).ok_or(ENDS)?;
        if inlined(kind, self.width) {
            return Value::at(kind, self.data.get(entry + 1..entry + 1 + self.width).ok_or(ENDS)?);
        }
        let place = number(self.data, entry + 1, self.width)?;
        // A place before the end of the entries would let a value contain itself.
        if place < self.value_entry(self.count) {
            return Err(JsonError("a value stands inside of the entries"));
        }
        Value::at(kind, self.data.get(place..).ok_or(ENDS)?)
    }
}

/// Whether values of a type stand in their entry, in containers whose places have `width` bytes.
pub(super) fn inlined(kind: u8, width: usize) -> bool {
    matches!(kind, LITERAL | INT16 | UINT16) || width == 4 && matches!(kind, INT32 | UINT32)
}

fn number(data: &[u8], at: usize, width: usize) -> Result<usize, JsonError> {
    let bytes = data.get(at..at + width).ok_or(ENDS)?;
    Ok(bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte)))
}

/// The length of a text, in groups of seven bits of which the lowest comes first, and how many bytes it takes.
fn text_length(data: &[u8]) -> Result<(usize, usize), JsonError> {
    let mut length = 0_usize;
    for (i, byte) in data.iter().take(5).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Ok((length, i + 1));
        }
    }
    Err(JsonError("a length is too long"))
}
