//! COPY's binary format (PostgreSQL manual, COPY, "Binary Format"): rows into batches.

use bytes::{Buf, BytesMut};
use record::{Batch, RowRef, Span};

use crate::stream::Cursor;

/// The memory of a row larger than this is freed as soon as the row has been moved on.
const LARGE_BYTES: usize = 256 * 1024;

pub(crate) const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// Reads a COPY stream whose messages may cut rows anywhere.
#[derive(Debug, Default)]
pub(crate) struct CopyReader {
    header_read: bool,
    ended: bool,
    /// Bytes of a row that is not complete yet.
    rest: BytesMut,
}

/// The bytes are not in COPY's binary format.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotCopy;

impl CopyReader {
    /// Appends the payload of a CopyData message.
    pub(crate) fn feed(&mut self, message: &[u8]) {
        self.rest.extend_from_slice(message);
    }

    /// Moves the next complete row into `buffer` and its cells into `batch`; `None` when more bytes are needed.
    pub(crate) fn row(&mut self, batch: &mut Batch, buffer: &mut BytesMut) -> Result<Option<RowRef>, NotCopy> {
        if !self.header_read {
            if self.rest.len() < SIGNATURE.len() + 8 {
                return Ok(None);
            }
            let mut cursor = Cursor::new(&self.rest, 0);
            if cursor.take(SIGNATURE.len()) != Ok(SIGNATURE) {
                return Err(NotCopy);
            }
            // Flags, then the length of an extension area to be skipped.
            let (_, extension) = (cursor.u32().map_err(|_| NotCopy)?, cursor.u32().map_err(|_| NotCopy)? as usize);
            if self.rest.len() < cursor.at() + extension {
                return Ok(None);
            }
            let header = cursor.at() + extension;
            self.rest.advance(header);
            self.header_read = true;
        }
        if self.ended {
            return Ok(None);
        }
        let first = batch.spans.len();
        let base = buffer.len();
        let mut cursor = Cursor::new(&self.rest, 0);
        let Ok(count) = cursor.u16() else { return Ok(None) };
        if count == u16::MAX {
            self.ended = true;
            return Ok(None);
        }
        for _ in 0..count {
            let Ok(length) = cursor.i32() else {
                batch.spans.truncate(first);
                return Ok(None);
            };
            if length < 0 {
                batch.spans.push(Span::NULL);
                continue;
            }
            let start = base + cursor.at();
            if cursor.take(length as usize).is_err() {
                batch.spans.truncate(first);
                return Ok(None);
            }
            batch.spans.push(Span { start: start as u32, len: length as u32 });
        }
        let taken = cursor.at();
        buffer.extend_from_slice(&self.rest[..taken]);
        self.rest.advance(taken);
        if taken > LARGE_BYTES {
            self.rest = BytesMut::from(&self.rest[..]);
        }
        Ok(Some(RowRef { first: first as u32, count }))
    }

    /// Whether a whole row is there to be read.
    pub(crate) fn has_row(&self) -> bool {
        if !self.header_read || self.ended {
            return false;
        }
        let mut cursor = Cursor::new(&self.rest, 0);
        let Ok(count) = cursor.u16() else { return false };
        count != u16::MAX
            && (0..count).all(|_| match cursor.i32() {
                Ok(length) if length >= 0 => cursor.take(length as usize).is_ok(),
                Ok(_) => true,
                Err(_) => false,
            })
    }

    /// Whether the trailer was seen: without it the stream was cut.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stream(rows: &[Vec<Option<Vec<u8>>>]) -> Vec<u8> {
        let mut out = SIGNATURE.to_vec();
        out.extend_from_slice(&[0; 8]);
        for row in rows {
            out.extend_from_slice(&(row.len() as u16).to_be_bytes());
            for cell in row {
                match cell {
                    None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
                    Some(bytes) => {
                        out.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
                        out.extend_from_slice(bytes);
                    }
                }
            }
        }
        out.extend_from_slice(&(-1_i16).to_be_bytes());
        out
    }

    proptest! {
        #[test]
        fn rows_come_out_however_the_stream_is_cut(
            rows in proptest::collection::vec(proptest::collection::vec(proptest::option::of(proptest::collection::vec(any::<u8>(), 0..9)), 0..4), 0..8),
            cut in 1_usize..40,
        ) {
            let (mut reader, mut batch, mut buffer) = (CopyReader::default(), Batch::default(), BytesMut::new());
            let mut found = Vec::new();
            for piece in stream(&rows).chunks(cut) {
                reader.feed(piece);
                while let Some(row) = reader.row(&mut batch, &mut buffer).unwrap() {
                    found.push(row);
                }
            }
            prop_assert!(reader.ended());
            let read: Vec<Vec<Option<Vec<u8>>>> = found
                .iter()
                .map(|row| batch.cells(*row).iter().map(|span| span.bytes(&buffer).map(<[u8]>::to_vec)).collect())
                .collect();
            prop_assert_eq!(read, rows);
        }

        #[test]
        fn hostile_bytes_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let (mut reader, mut batch, mut buffer) = (CopyReader::default(), Batch::default(), BytesMut::new());
            reader.feed(&stream(&[]));
            reader.feed(&bytes);
            for _ in 0..20 {
                if !matches!(reader.row(&mut batch, &mut buffer), Ok(Some(_))) {
                    break;
                }
            }
        }
    }
}
