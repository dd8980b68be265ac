//! TRANSACTION_PAYLOAD: a transaction's events, compressed.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use zstd::stream::raw::{Decoder, InBuffer, Operation, OutBuffer};

use super::cursor::Cursor;
use super::header::{HEADER_LEN, Header};
use super::{Fault, MAX_EVENT_BYTES};

/// How a payload is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// With zstd.
    Zstd,
    /// Not at all.
    None,
}

/// TRANSACTION_PAYLOAD.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payload<'a> {
    /// How the events are compressed.
    pub compression: Compression,
    /// How long the events are when they are not compressed.
    pub uncompressed_len: Option<u64>,
    /// The compressed events.
    pub data: &'a [u8],
}

impl<'a> Payload<'a> {
    /// Reads fields (type, length, value; type 0 ends them), behind which the data are.
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        const WHAT: &str = "the payload's fields";
        const END: u64 = 0;
        const SIZE: u64 = 1;
        const COMPRESSION: u64 = 2;
        const UNCOMPRESSED: u64 = 3;
        let mut cursor = Cursor::new(body);
        let (mut size, mut compression, mut uncompressed_len) = (None, None, None);
        loop {
            let kind = cursor.packed(WHAT)?;
            if kind == END {
                break;
            }
            let mut value = Cursor::new(cursor.packed_bytes(WHAT)?);
            match kind {
                SIZE => size = Some(value.packed(WHAT)?),
                COMPRESSION => {
                    compression = Some(match value.packed(WHAT)? {
                        0 => Compression::Zstd,
                        255 => Compression::None,
                        _ => return Err(Fault::Malformed("the payload is compressed in an unknown way")),
                    });
                }
                UNCOMPRESSED => uncompressed_len = Some(value.packed(WHAT)?),
                _ => {}
            }
        }
        let size = size.ok_or(Fault::Malformed("the payload's size is missing"))?;
        let compression = compression.ok_or(Fault::Malformed("the payload's compression is missing"))?;
        let data = cursor.take(usize::try_from(size).map_err(|_| Fault::Short("the payload"))?, "the payload")?;
        Ok(Self { compression, uncompressed_len, data })
    }
}

/// Gives the events of a payload one by one. Besides the compressed data it holds the decompressor's window (128 MiB at
/// most, 2 MiB as MySQL compresses); so a transaction may be larger than the memory.
pub struct PayloadReader {
    data: Bytes,
    read: usize,
    /// None if the data are not compressed.
    decoder: Option<Decoder<'static>>,
    /// Whether the decompressor stands between two of zstd's frames.
    between_frames: bool,
    /// How many bytes have been decompressed, and how many there may be.
    written: u64,
    most: u64,
    declared: bool,
}

/// How much memory is asked for at once, because a header may lie about the length of its event.
const STEP: usize = 1 << 20;

impl PayloadReader {
    /// `data` are the payload's, which must be taken out of the buffer that [`PayloadReader::next`] fills.
    ///
    /// # Errors
    /// When zstd has no memory.
    pub fn new(compression: Compression, uncompressed_len: Option<u64>, data: Bytes) -> Result<Self, Fault> {
        let decoder = match compression {
            Compression::Zstd => Some(Decoder::new().map_err(|_| Fault::Decompress("zstd"))?),
            Compression::None => None,
        };
        // Without a declared length there is no bound that a compressed payload could be held to; this one is MySQL's for
        // a packet.
        let most = match compression {
            Compression::Zstd => uncompressed_len.unwrap_or(MAX_EVENT_BYTES),
            Compression::None => data.len() as u64,
        };
        let declared = uncompressed_len.is_some() || compression == Compression::None;
        Ok(Self { data, read: 0, decoder, between_frames: true, written: 0, most, declared })
    }

    /// Appends the next event to `out` and says where it stands there; nothing at the end. Events in here have no checksum:
    /// read them with [`Reader::inner`](super::Reader::inner).
    ///
    /// # Errors
    /// When the data cannot be decompressed, are longer or shorter than declared, or end inside of an event.
    pub fn next(&mut self, out: &mut BytesMut) -> Result<Option<Range<usize>>, Fault> {
        let start = out.len();
        let Some(header) = self.header(out)? else { return Ok(None) };
        self.body(&header, out)?;
        Ok(Some(start..start + header.length as usize))
    }

    /// Appends the header of the next event to `out`, whose length says how much memory [`PayloadReader::body`] takes; nothing
    /// at the end.
    ///
    /// # Errors
    /// As [`PayloadReader::next`].
    pub fn header(&mut self, out: &mut BytesMut) -> Result<Option<Header>, Fault> {
        let start = out.len();
        let got = self.append(out, HEADER_LEN)?;
        if got == 0 {
            if self.declared && self.written != self.most {
                return Err(Fault::Malformed("the payload is shorter than it says"));
            }
            return Ok(None);
        }
        let header =
            out.get(start..).and_then(Header::parse).ok_or(Fault::Short("the header of an event in the payload"))?;
        if u64::from(header.length) > MAX_EVENT_BYTES {
            let size = u64::from(header.length);
            return Err(Fault::TooLarge { what: "an event in the payload", size, most: MAX_EVENT_BYTES });
        }
        if (header.length as usize) < HEADER_LEN {
            return Err(Fault::Malformed("an event in the payload is shorter than its header"));
        }
        Ok(Some(header))
    }

    /// Appends the event behind its header, which [`PayloadReader::header`] gave.
    ///
    /// # Errors
    /// As [`PayloadReader::next`].
    pub fn body(&mut self, header: &Header, out: &mut BytesMut) -> Result<(), Fault> {
        let mut left = (header.length as usize).saturating_sub(HEADER_LEN);
        while left > 0 {
            left -= self.step(left, out)?;
        }
        Ok(())
    }

    /// Appends up to a megabyte of the `left` bytes that are still to come of an event, and says how many.
    ///
    /// # Errors
    /// As [`PayloadReader::next`].
    pub fn step(&mut self, left: usize, out: &mut BytesMut) -> Result<usize, Fault> {
        let step = left.min(STEP);
        if self.append(out, step)? < step {
            return Err(Fault::Short("an event in the payload"));
        }
        Ok(step)
    }

    /// Appends up to `count` bytes, fewer only at the end.
    fn append(&mut self, out: &mut BytesMut, count: usize) -> Result<usize, Fault> {
        let start = out.len();
        let Some(decoder) = &mut self.decoder else {
            let rest = self.data.get(self.read..).unwrap_or_default();
            let taken = rest.get(..count).unwrap_or(rest);
            out.extend_from_slice(taken);
            self.read += taken.len();
            self.written += taken.len() as u64;
            return Ok(taken.len());
        };
        out.resize(start + count, 0);
        let mut filled = 0;
        while filled < count {
            let rest = self.data.get(self.read..).unwrap_or_default();
            if rest.is_empty() && self.between_frames {
                break;
            }
            let mut input = InBuffer::around(rest);
            let room = out.get_mut(start + filled..).unwrap_or_default();
            let mut output = OutBuffer::around(room);
            let hint = decoder.run(&mut input, &mut output).map_err(|_| Fault::Decompress("zstd"))?;
            let (read, written) = (input.pos(), output.pos());
            self.read += read;
            filled += written;
            self.written += written as u64;
            self.between_frames = hint == 0;
            if self.written > self.most {
                return Err(Fault::TooLarge { what: "the decompressed payload", size: self.written, most: self.most });
            }
            if read == 0 && written == 0 && !self.between_frames {
                // The data end inside of a frame.
                return Err(Fault::Decompress("zstd"));
            }
        }
        out.truncate(start + filled);
        Ok(filled)
    }
}
