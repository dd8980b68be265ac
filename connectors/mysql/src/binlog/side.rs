//! Bytes of cells that are computed and stand in no event.

use bytes::BytesMut;
use record::Span;

use super::Fault;

/// Bytes of cells that were not in the buffer that the connection filled: rows that MariaDB compressed, and JSON values
/// after a partial update.
///
/// While a batch is filled, the spans of such cells begin at [`Side::START`] and count the bytes in here. When the batch is
/// closed, [`Side::settle`] puts the bytes behind the buffer's own and moves the spans there, so that the batch has one
/// buffer.
#[derive(Debug, Default)]
pub struct Side {
    pub(super) bytes: Vec<u8>,
}

impl Side {
    /// Where the bytes in here begin for spans. The buffer that the connection fills must stay shorter.
    pub const START: u32 = 1 << 31;

    /// The number of bytes in here.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The span of the bytes from `start` to the end.
    pub(super) fn span_from(&self, start: usize) -> Result<Span, Fault> {
        if self.bytes.len() > Self::START as usize - 8 {
            return Err(too_large(self.bytes.len()));
        }
        // Both are below 2^31.
        Ok(Span { start: Self::START + start as u32, len: (self.bytes.len() - start) as u32 })
    }

    /// Puts the bytes behind those of `buffer`, empties this, and moves the spans that point in here. `spans` are all spans
    /// of the batch.
    ///
    /// # Errors
    /// When the buffer is longer than spans can say. [`Rows::find`](super::Rows::find) does not let it become so long.
    pub fn settle(&mut self, buffer: &mut BytesMut, spans: &mut [Span]) -> Result<(), Fault> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        let start = u32::try_from(buffer.len()).ok().filter(|length| *length <= Self::START);
        let start = start.ok_or_else(|| too_large(buffer.len()))?;
        buffer.extend_from_slice(&self.bytes);
        self.bytes.clear();
        for span in spans.iter_mut().filter(|span| span.start >= Self::START && span.len < Span::MISSING.len) {
            span.start = span.start - Self::START + start;
        }
        Ok(())
    }
}

fn too_large(size: usize) -> Fault {
    Fault::TooLarge { what: "the batch", size: size as u64, most: u64::from(Side::START) - 8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_move_behind_the_buffer() {
        let (mut side, mut buffer) = (Side::default(), BytesMut::from(&b"cells"[..]));
        let own = Span { start: 1, len: 2 };
        side.bytes.extend(b"side");
        let mut spans = [own, side.span_from(1).unwrap(), Span::NULL, Span::MISSING];
        side.settle(&mut buffer, &mut spans).unwrap();
        assert_eq!(spans, [own, Span { start: 6, len: 3 }, Span::NULL, Span::MISSING]);
        assert_eq!(spans[1].bytes(&buffer), Some(&b"ide"[..]));
        assert!(side.is_empty());
    }
}
