//! Frames of the backend: where they begin and end, and what a frame of the replication stream carries.
//!
//! The decoder walks the read buffer in place, so nothing here copies; everything is bounds-checked, because the bytes
//! come from a network. Layouts: PostgreSQL manual, "Message Formats" and "Streaming Replication Protocol".
//!
//! Must not know: sockets, SQL, pgoutput.

use std::ops::Range;

use crate::lsn::Lsn;

/// The longest frame that a server can send: its own limit of an allocation (1 GiB) and the header.
pub const FRAME_MAX_BYTES: usize = 0x4000_0000 + HEADER_BYTES;
/// Tag and length.
pub const HEADER_BYTES: usize = 5;

/// One complete frame; positions are relative to the slice that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The message type, such as `b'd'` for CopyData.
    pub tag: u8,
    /// Where the payload stands.
    pub payload: Range<usize>,
    /// Where the next frame begins.
    pub consumed: usize,
}

/// What stands at the begin of a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A whole frame.
    Frame(Frame),
    /// The slice ends before the frame does. `need` bytes in all are wanted before it is worth looking again.
    Incomplete {
        /// Length in bytes that the slice must reach.
        need: usize,
    },
    /// No server sends this; the connection cannot go on.
    Bad(BadFrame),
}

/// Why bytes are not of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// A length word below four or above [`FRAME_MAX_BYTES`].
    #[error("message {tag:#04x} claims an impossible length of {length} bytes")]
    Length {
        /// The message type.
        tag: u8,
        /// The length word.
        length: u32,
    },
    /// A message ends before its fields do.
    #[error("message {tag:#04x} is cut short")]
    Short {
        /// The message type, or the kind inside CopyData.
        tag: u8,
    },
    /// A kind of message inside CopyData that the replication protocol does not have.
    #[error("unknown message {tag:#04x} in the replication stream")]
    Kind {
        /// The first byte of the CopyData payload.
        tag: u8,
    },
}

/// Looks at the begin of `bytes`. Never panics, whatever the bytes are.
#[inline]
pub fn next_frame(bytes: &[u8]) -> Next {
    let Some((&[tag, a, b, c, d], _)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Next::Incomplete { need: HEADER_BYTES };
    };
    let length = u32::from_be_bytes([a, b, c, d]);
    if length < 4 || length as usize >= FRAME_MAX_BYTES {
        return Next::Bad(BadFrame::Length { tag, length });
    }
    let end = length as usize + 1;
    if bytes.len() < end {
        return Next::Incomplete { need: end };
    }
    Next::Frame(Frame { tag, payload: HEADER_BYTES..end, consumed: end })
}

/// The complete frames of a buffer, with positions in that buffer. Ends at the first incomplete frame; after a
/// [`BadFrame`] it ends too.
#[derive(Debug)]
pub struct Frames<'a> {
    bytes: &'a [u8],
    position: usize,
    broken: bool,
}

impl<'a> Frames<'a> {
    /// Walks `bytes` from its begin.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, broken: false }
    }

    /// Bytes taken by the frames returned so far: what may be split off the buffer.
    pub fn consumed(&self) -> usize {
        self.position
    }
}

impl Iterator for Frames<'_> {
    type Item = Result<Frame, BadFrame>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.broken {
            return None;
        }
        match next_frame(self.bytes.get(self.position..)?) {
            Next::Frame(frame) => {
                let begin = self.position;
                self.position += frame.consumed;
                Some(Ok(Frame {
                    tag: frame.tag,
                    payload: begin + frame.payload.start..begin + frame.payload.end,
                    consumed: self.position,
                }))
            }
            Next::Incomplete { .. } => None,
            Next::Bad(bad) => {
                self.broken = true;
                Some(Err(bad))
            }
        }
    }
}

/// A message inside CopyData of a logical replication stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamMessage<'a> {
    /// `w`: output of the plugin.
    XLogData {
        /// Position of the change; `0/0` for some messages of pgoutput.
        start: Lsn,
        /// Where the server's log ends.
        end: Lsn,
        /// The server's clock: microseconds since 2000-01-01 UTC.
        clock_us: i64,
        /// The plugin's bytes.
        data: &'a [u8],
    },
    /// `k`: the server is alive.
    Keepalive {
        /// Where the server's log ends for this slot: everything before it has been sent.
        end: Lsn,
        /// The server's clock: microseconds since 2000-01-01 UTC.
        clock_us: i64,
        /// The server wants a status at once, or it will end the connection.
        reply_requested: bool,
    },
}

/// Reads the payload of a CopyData frame.
#[inline]
pub fn stream_message(payload: &[u8]) -> Result<StreamMessage<'_>, BadFrame> {
    let Some((&kind, rest)) = payload.split_first() else {
        return Err(BadFrame::Short { tag: b'd' });
    };
    let short = BadFrame::Short { tag: kind };
    match kind {
        b'w' => {
            let (start, rest) = rest.split_first_chunk::<8>().ok_or(short)?;
            let (end, rest) = rest.split_first_chunk::<8>().ok_or(short)?;
            let (clock, data) = rest.split_first_chunk::<8>().ok_or(short)?;
            Ok(StreamMessage::XLogData {
                start: Lsn(u64::from_be_bytes(*start)),
                end: Lsn(u64::from_be_bytes(*end)),
                clock_us: i64::from_be_bytes(*clock),
                data,
            })
        }
        b'k' => {
            let (end, rest) = rest.split_first_chunk::<8>().ok_or(short)?;
            let (clock, rest) = rest.split_first_chunk::<8>().ok_or(short)?;
            let reply = rest.first().ok_or(short)?;
            Ok(StreamMessage::Keepalive {
                end: Lsn(u64::from_be_bytes(*end)),
                clock_us: i64::from_be_bytes(*clock),
                reply_requested: *reply != 0,
            })
        }
        tag => Err(BadFrame::Kind { tag }),
    }
}

/// Takes a zero-terminated text off the front of `bytes`.
pub(crate) fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = memchr::memchr(0, bytes)?;
    let text = bytes.get(..end)?;
    *bytes = bytes.get(end + 1..)?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(bytes: &[u8], expect: &Next) {
        assert_eq!(&next_frame(bytes), expect);
    }

    #[test]
    fn frames() {
        check(b"", &Next::Incomplete { need: 5 });
        check(b"Z\0\0\0", &Next::Incomplete { need: 5 });
        check(b"Z\0\0\0\x05", &Next::Incomplete { need: 6 });
        check(b"Z\0\0\0\x05I", &Next::Frame(Frame { tag: b'Z', payload: 5..6, consumed: 6 }));
        check(b"c\0\0\0\x04rest", &Next::Frame(Frame { tag: b'c', payload: 5..5, consumed: 5 }));
        check(b"Z\0\0\0\x03", &Next::Bad(BadFrame::Length { tag: b'Z', length: 3 }));
        check(b"H\x7fTTP", &Next::Bad(BadFrame::Length { tag: b'H', length: 0x7f54_5450 }));
    }

    #[test]
    fn messages() {
        assert_eq!(stream_message(b""), Err(BadFrame::Short { tag: b'd' }));
        assert_eq!(stream_message(b"w\0"), Err(BadFrame::Short { tag: b'w' }));
        assert_eq!(stream_message(b"q"), Err(BadFrame::Kind { tag: b'q' }));
        let mut keepalive = vec![b'k'];
        keepalive.extend(7u64.to_be_bytes());
        keepalive.extend(9i64.to_be_bytes());
        assert_eq!(stream_message(&keepalive), Err(BadFrame::Short { tag: b'k' }));
        keepalive.push(1);
        assert_eq!(
            stream_message(&keepalive),
            Ok(StreamMessage::Keepalive { end: Lsn(7), clock_us: 9, reply_requested: true })
        );
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic_and_stay_in_bounds(bytes: Vec<u8>) {
            let mut frames = Frames::new(&bytes);
            for frame in frames.by_ref().flatten() {
                prop_assert!(frame.payload.start <= frame.payload.end && frame.payload.end <= bytes.len());
                prop_assert_eq!(frame.payload.end, frame.consumed);
                let _ = stream_message(&bytes[frame.payload]);
            }
            prop_assert!(frames.consumed() <= bytes.len());
        }

        #[test]
        fn any_cut_of_a_stream_gives_a_prefix_of_its_frames(
            payloads in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..40)), 0..10),
            cut in 0usize..500,
        ) {
            let mut bytes = Vec::new();
            let mut ends = Vec::new();
            for (tag, payload) in &payloads {
                bytes.push(*tag);
                bytes.extend((payload.len() as u32 + 4).to_be_bytes());
                bytes.extend(payload);
                ends.push(bytes.len());
            }
            let cut = cut.min(bytes.len());
            let found: Vec<_> = Frames::new(&bytes[..cut]).map_while(Result::ok).collect();
            prop_assert_eq!(found.len(), ends.iter().filter(|end| **end <= cut).count());
            for (frame, (tag, payload)) in found.iter().zip(&payloads) {
                prop_assert_eq!(frame.tag, *tag);
                prop_assert_eq!(&bytes[frame.payload.clone()], payload.as_slice());
            }
        }
    }
}
