//! A document taken apart where a difference changes it, and put together again.

use std::borrow::Cow;

use super::document::{LARGE_ARRAY, LARGE_OBJECT, LITERAL, SMALL_ARRAY, SMALL_OBJECT, Value, inlined};
use super::path::Leg;
use super::{JsonError, MAX_DEPTH};

/// A value: as it is in some document, or taken apart.
#[derive(Clone, Debug)]
pub(super) enum Node<'a> {
    Whole(Value<'a>),
    /// In the server's order: shorter keys first, then by their bytes.
    Object(Vec<(Cow<'a, [u8]>, Node<'a>)>),
    Array(Vec<Node<'a>>),
}

const ABSENT: JsonError = JsonError("a difference is to an element that is not there");

impl<'a> Node<'a> {
    /// Takes an object or array apart, one level.
    fn open(&mut self) -> Result<(), JsonError> {
        let Self::Whole(value) = self else { return Ok(()) };
        let Some(container) = value.container()? else { return Ok(()) };
        // Elements that share their bytes would let a short document become one that memory does not hold.
        let mut left = value.data.len();
        let mut element = |i, key: &[u8]| {
            let value = container.value(i)?;
            left = left.checked_sub(key.len() + value.data.len()).ok_or(JsonError("elements share their bytes"))?;
            Ok(Self::Whole(value))
        };
        *self = if container.object {
            let mut entry = |i| {
                let key = container.key(i)?;
                Ok((Cow::Borrowed(key), element(i, key)?))
            };
            Self::Object((0..container.count).map(&mut entry).collect::<Result<_, JsonError>>()?)
        } else {
            Self::Array((0..container.count).map(|i| element(i, &[])).collect::<Result<_, JsonError>>()?)
        };
        Ok(())
    }

    /// The element at a path. A value that is no array is its own element 0.
    pub(super) fn seek(&mut self, path: &[Leg]) -> Result<&mut Self, JsonError> {
        if path.len() > MAX_DEPTH {
            return Err(JsonError("a path of a difference is too long"));
        }
        let mut node = self;
        for leg in path {
            node.open()?;
            node = match (node, leg) {
                (Self::Object(members), Leg::Key(key)) => {
                    let at = position(members, key).map_err(|_| ABSENT)?;
                    members.get_mut(at).map(|(_, value)| value).ok_or(ABSENT)?
                }
                (Self::Array(elements), Leg::Index(index)) => elements.get_mut(*index).ok_or(ABSENT)?,
                (node @ (Self::Whole(_) | Self::Object(_)), Leg::Index(0)) => node,
                _ => return Err(ABSENT),
            };
        }
        Ok(node)
    }

    /// Adds an element to this object or array.
    pub(super) fn insert(&mut self, leg: Leg<'a>, value: Value<'a>) -> Result<(), JsonError> {
        self.open()?;
        match (self, leg) {
            (Self::Object(members), Leg::Key(key)) => match position(members, &key) {
                Ok(_) => return Err(JsonError("a difference adds a member that is there")),
                Err(at) => members.insert(at, (key, Self::Whole(value))),
            },
            (Self::Array(elements), Leg::Index(index)) => {
                elements.insert(index.min(elements.len()), Self::Whole(value));
            }
            _ => return Err(ABSENT),
        }
        Ok(())
    }

    /// Takes an element out of this object or array.
    pub(super) fn remove(&mut self, leg: &Leg) -> Result<(), JsonError> {
        self.open()?;
        match (self, leg) {
            (Self::Object(members), Leg::Key(key)) => {
                members.remove(position(members, key).map_err(|_| ABSENT)?);
            }
            (Self::Array(elements), Leg::Index(index)) if *index < elements.len() => {
                elements.remove(*index);
            }
            _ => return Err(ABSENT),
        }
        Ok(())
    }

    /// Appends the document.
    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), JsonError> {
        let kind = out.len();
        out.push(0);
        let found = self.write_value(out)?;
        if let Some(byte) = out.get_mut(kind) {
            *byte = found;
        }
        Ok(())
    }

    /// Appends the value, and returns its type.
    fn write_value(&self, out: &mut Vec<u8>) -> Result<u8, JsonError> {
        let (object, count) = match self {
            Self::Whole(value) => {
                out.extend_from_slice(value.data);
                return Ok(value.kind);
            }
            Self::Object(members) => (true, members.len()),
            Self::Array(elements) => (false, elements.len()),
        };
        let (length, width) = self.size();
        let start = out.len();
        put(out, count, width)?;
        put(out, length, width)?;
        let entries = start + 2 * width;
        let values = entries + if object { count * (width + 2) } else { 0 };
        out.resize(values + count * (width + 1), 0);
        for i in 0..if object { count } else { 0 } {
            let key = self.key(i);
            let entry = entries + i * (width + 2);
            let place = out.len() - start;
            set(out, entry, place, width)?;
            set(out, entry + width, key.len(), 2)?;
            out.extend_from_slice(key);
        }
        for i in 0..count {
            let Some(node) = self.element(i) else { continue };
            let entry = values + i * (width + 1);
            let kind = match node {
                Self::Whole(value) if inlined(value.kind, width) => {
                    set(out, entry + 1, value.unsigned() as usize, width)?;
                    value.kind
                }
                _ => {
                    let place = out.len() - start;
                    set(out, entry + 1, place, width)?;
                    node.write_value(out)?
                }
            };
            set(out, entry, usize::from(kind), 1)?;
        }
        Ok(match (object, width) {
            (true, 2) => SMALL_OBJECT,
            (true, _) => LARGE_OBJECT,
            (false, 2) => SMALL_ARRAY,
            (false, _) => LARGE_ARRAY,
        })
    }

    /// The length of the value, and the bytes of its numbers and places: two if all is below 64 KiB, else four.
    fn size(&self) -> (usize, usize) {
        let (keys, count) = match self {
            Self::Whole(value) => return (value.data.len(), 0),
            Self::Object(members) => (members.iter().map(|(key, _)| key.len()).sum(), members.len()),
            Self::Array(elements) => (0, elements.len()),
        };
        let object = matches!(self, Self::Object(_));
        // What stands behind the entries: always, and only if the places have two bytes.
        let (mut always, mut if_small) = (keys, 0);
        for node in (0..count).filter_map(|i| self.element(i)) {
            match node {
                Self::Whole(value) if inlined(value.kind, 2) => {}
                Self::Whole(value) if inlined(value.kind, 4) => if_small += value.data.len(),
                _ => always += node.size().0,
            }
        }
        let entries = |width: usize| 2 * width + count * (width + 1 + if object { width + 2 } else { 0 });
        let small = entries(2) + always + if_small;
        if u16::try_from(small).is_ok() { (small, 2) } else { (entries(4) + always, 4) }
    }

    fn key(&self, index: usize) -> &[u8] {
        match self {
            Self::Object(members) => members.get(index).map_or(&[], |(key, _)| key),
            _ => &[],
        }
    }

    fn element(&self, index: usize) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(index).map(|(_, value)| value),
            Self::Array(elements) => elements.get(index),
            Self::Whole(_) => None,
        }
    }
}

/// Where a key is, or where it would be.
fn position(members: &[(Cow<[u8]>, Node)], key: &[u8]) -> Result<usize, usize> {
    members.binary_search_by(|(other, _)| other.len().cmp(&key.len()).then_with(|| other.as_ref().cmp(key)))
}

const TOO_LARGE: JsonError = JsonError("it would be larger than 4 GiB, or have a key of more than 64 KiB");

fn put(out: &mut Vec<u8>, number: usize, width: usize) -> Result<(), JsonError> {
    let at = out.len();
    out.resize(at + width, 0);
    set(out, at, number, width)
}

fn set(out: &mut [u8], at: usize, number: usize, width: usize) -> Result<(), JsonError> {
    let bytes = (number as u64).to_le_bytes();
    let (low, high) = bytes.split_at(width);
    if high.iter().any(|byte| *byte != 0) {
        return Err(TOO_LARGE);
    }
    out.get_mut(at..at + width).ok_or(TOO_LARGE)?.copy_from_slice(low);
    Ok(())
}

impl Default for Node<'_> {
    /// `null`.
    fn default() -> Self {
        Self::Whole(Value { kind: LITERAL, data: &[0] })
    }
}
