//! Values that are the same in many records in a row: their bytes are kept, and copied until what they depend on changes.
//!
//! Must not know: any format, which connector made a change.

use std::sync::Arc;

use record::{Decoded, Frame, Leaf, Presence, Source, SourceField, Texts};

use crate::convert::ConvertError;

/// What of a change a value depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// A word of the position that is the same for all rows of a transaction.
    Word(usize),
    /// The texts of the position.
    Texts,
    /// What `source.snapshot` says.
    Mark,
    /// When the change was processed, which is the same for a whole batch.
    Processed,
    /// The operation.
    Op,
    /// That there is no transaction block. Where there is one, it differs from record to record.
    NoTransaction,
}

/// A longer piece, such as one with a large statement (`include.query`), is written each time: each table's program would
/// keep its own.
const MOST_KEPT_BYTES: usize = 4096;

impl Input {
    /// None for a value that usually differs from record to record.
    pub(super) fn of(leaf: &Leaf) -> Option<Self> {
        if !leaf.path.is_empty() || leaf.or.is_some() {
            return None;
        }
        match &leaf.source {
            Source::Op => Some(Self::Op),
            Source::TsMs | Source::TsUs | Source::TsNs => Some(Self::Processed),
            Source::Block(field) => match field {
                SourceField::Steady(slot)
                | SourceField::Millis(slot)
                | SourceField::Micros(slot)
                | SourceField::Nanos(slot) => Some(Self::Word(*slot)),
                SourceField::PositionText(_) => Some(Self::Texts),
                SourceField::Snapshot | SourceField::Text(_) => Some(Self::Mark),
                SourceField::Word(_) | SourceField::Sequence { .. } => None,
            },
            _ => None,
        }
    }

    /// The same for a struct that is not always there.
    pub(super) fn of_presence(presence: &Presence) -> Option<Self> {
        matches!(presence, Presence::Transaction).then_some(Self::NoTransaction)
    }

    /// A number that differs when the input differs; none when nothing that depends on the input may be kept.
    #[inline]
    fn read(self, decoded: &Decoded<'_>) -> Option<i64> {
        let position = decoded.position();
        Some(match self {
            Self::Word(slot) => position.words[slot],
            // The texts whose bytes are kept are held, so no others have their address meanwhile.
            Self::Texts => position.texts.as_ref().map_or(0, |texts| Arc::as_ptr(texts).cast::<()>() as i64),
            Self::Mark => decoded.change.mark as i64,
            Self::Processed => decoded.processed_ns,
            Self::Op => decoded.change.op as i64,
            Self::NoTransaction if decoded.change.transaction.is_some() => return None,
            Self::NoTransaction => 0,
        })
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Kept {
    /// Each input once, with what it was when the bytes were written.
    inputs: Box<[(Input, i64)]>,
    texts: Option<Texts>,
    bytes: Vec<u8>,
    /// Whether the bytes may be copied.
    is_whole: bool,
}

impl Kept {
    pub(super) fn new(inputs: impl IntoIterator<Item = Input>) -> Self {
        let mut each: Vec<(Input, i64)> = Vec::new();
        for input in inputs {
            if each.iter().all(|(other, _)| *other != input) {
                each.push((input, 0));
            }
        }
        Self { inputs: each.into(), texts: None, bytes: Vec::new(), is_whole: false }
    }

    /// Appends the bytes; calls `write` for them if they are not the ones that are kept.
    #[inline]
    pub(super) fn write(
        &mut self,
        frame: Frame<'_>,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<(), ConvertError>,
    ) -> Result<(), ConvertError> {
        let Some(decoded) = frame.decoded else { return write(out) };
        if !self.is_whole || self.inputs.iter().any(|(input, was)| input.read(decoded) != Some(*was)) {
            self.is_whole = false;
            self.bytes.clear();
            write(&mut self.bytes)?;
            self.remember(decoded);
        }
        out.extend_from_slice(&self.bytes);
        if self.bytes.len() > MOST_KEPT_BYTES {
            (self.bytes, self.texts, self.is_whole) = (Vec::new(), None, false);
        }
        Ok(())
    }

    fn remember(&mut self, decoded: &Decoded<'_>) {
        self.is_whole = self.inputs.iter_mut().all(|(input, was)| match input.read(decoded) {
            Some(now) => {
                *was = now;
                true
            }
            None => false,
        });
        if self.inputs.iter().any(|(input, _)| *input == Input::Texts) {
            self.texts.clone_from(&decoded.position().texts);
        }
    }
}
