//! XA transactions between their two phases. Their rows stand in the binlog where they are prepared, and are sent when they
//! are committed: a transaction that is rolled back after its first phase leaves nothing.
//!
//! Must not know: rows, positions.

use std::collections::HashMap;
use std::ops::Range;

use bytes::{Buf, Bytes, BytesMut};

use super::executed::MySqlId;
use crate::binlog::{HEADER_LEN, Header, XaPrepare};
use crate::gtid::Xid;

/// So many bytes of prepared transactions are kept in memory. What does not fit any more is sent when it is prepared.
pub(crate) const KEPT_BYTES: usize = 64 << 20;

/// A statement about an XA transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum XaStatement {
    /// The rows of the first phase follow.
    Start,
    /// The second phase.
    Commit(Xid),
    /// What was prepared is thrown away.
    Rollback(Xid),
    /// It changes nothing.
    Other,
}

impl From<&XaPrepare<'_>> for Xid {
    fn from(event: &XaPrepare<'_>) -> Self {
        Self::new(event.format, event.global, event.branch)
    }
}

impl XaStatement {
    /// Reads a statement that begins with `XA`.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let rest = text.get(2..).unwrap_or_default().trim_ascii_start();
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        let (verb, name) = rest.split_at(end);
        match (verb.to_ascii_uppercase().as_slice(), Xid::parse(name)) {
            (b"START" | b"BEGIN", _) => Self::Start,
            (b"COMMIT", Some(xid)) => Self::Commit(xid),
            (b"ROLLBACK", Some(xid)) => Self::Rollback(xid),
            _ => Self::Other,
        }
    }
}

/// A transaction that is prepared.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Its events, one behind the other, as they stand inside of compressed transactions.
    events: Vec<u8>,
    /// Its GTID, which is left out of the executed ones until the transaction ends.
    pub(crate) id: Option<MySqlId>,
    /// The number of its anchor, see [`Place::anchor`](super::Place::anchor).
    pub(crate) anchor: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Prepared {
    kept: HashMap<Xid, Kept>,
    /// The events of the transaction whose first phase is being read. None if they are sent at once.
    present: Option<Vec<u8>>,
    bytes: usize,
    /// The most bytes that are kept.
    most_bytes: usize,
    anchors: u64,
}

impl Default for Prepared {
    fn default() -> Self {
        Self::up_to(KEPT_BYTES)
    }
}

impl Prepared {
    /// Nothing yet; at most so many bytes of events will be kept.
    pub(crate) fn up_to(most_bytes: usize) -> Self {
        Self { kept: HashMap::new(), present: None, bytes: 0, most_bytes, anchors: 0 }
    }

    /// A transaction's first phase begins.
    pub(crate) fn begin(&mut self) {
        self.bytes -= self.present.take().map_or(0, |events| events.len());
        self.present = Some(Vec::new());
    }

    /// Whether events are kept now.
    #[inline]
    pub(crate) fn is_keeping(&self) -> bool {
        self.present.is_some()
    }

    /// Keeps an event of `checksum_len` bytes of checksum. False if it does not fit: it is kept all the same, and the caller
    /// takes everything by [`Prepared::spill`].
    #[must_use]
    pub(crate) fn keep(&mut self, event: &[u8], checksum_len: usize) -> bool {
        let Some(present) = &mut self.present else { return true };
        let event = &event[..event.len().saturating_sub(checksum_len)];
        let start = present.len();
        present.extend_from_slice(event);
        // The header's length counted the checksum.
        if let Some(length) = present.get_mut(start + 9..start + 13) {
            length.copy_from_slice(&(event.len() as u32).to_le_bytes());
        }
        self.bytes += event.len();
        self.bytes <= self.most_bytes
    }

    /// The events of the present transaction, of which no more are kept.
    pub(crate) fn spill(&mut self) -> KeptReader {
        let events = self.present.take().unwrap_or_default();
        self.bytes -= events.len();
        KeptReader(events.into())
    }

    /// The first phase of `xid` ends. `None` if nothing of it is kept. Otherwise the caller notes in it how a restart finds the
    /// transaction again; a new number for an anchor comes with it.
    pub(crate) fn prepared(&mut self, xid: Xid) -> Option<(&mut Kept, u64)> {
        // A restart reads what was kept before it once more.
        drop(self.take(&xid));
        let present = self.present.take();
        self.anchors += 1;
        let was_sent = present.is_none();
        let events = present.unwrap_or_default();
        let has_rows = !events.is_empty();
        if !has_rows && !was_sent {
            // Rows of tables that are not captured: nothing is to be sent, and its end is no surprise.
            self.kept.insert(xid, Kept::default());
            return None;
        }
        let kept = self.kept.entry(xid).insert_entry(Kept { events, ..Kept::default() }).into_mut();
        has_rows.then_some((kept, self.anchors))
    }

    /// A transaction ends. `None` if its first phase was not read.
    pub(crate) fn take(&mut self, xid: &Xid) -> Option<Kept> {
        let kept = self.kept.remove(xid)?;
        self.bytes -= kept.events.len();
        Some(kept)
    }
}

impl Kept {
    /// Its events.
    pub(crate) fn into_reader(self) -> KeptReader {
        KeptReader(self.events.into())
    }
}

/// Gives kept events one by one, as [`PayloadReader`](crate::binlog::PayloadReader) does.
#[derive(Debug)]
pub(crate) struct KeptReader(Bytes);

impl KeptReader {
    /// Appends the next event to `out` and says where it stands there; nothing at the end.
    pub(crate) fn next(&mut self, out: &mut BytesMut) -> Option<Range<usize>> {
        let length = Header::parse(&self.0)?.length as usize;
        let event = self.0.get(..length).filter(|event| event.len() >= HEADER_LEN)?;
        let start = out.len();
        out.extend_from_slice(event);
        self.0.advance(length);
        Some(start..start + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &XaStatement) {
        assert_eq!(XaStatement::parse(text.as_bytes()), *expect, "{text}");
    }

    #[test]
    fn statements() {
        check("XA START X'61',X'62',7", &XaStatement::Start);
        check("XA END X'61',X'62',7", &XaStatement::Other);
        check("XA COMMIT X'61',X'62',7", &XaStatement::Commit(Xid::new(7, b"a", b"b")));
        check("xa rollback X'7a',X'',1", &XaStatement::Rollback(Xid::new(1, b"z", b"")));
        check("XA COMMIT 'a'", &XaStatement::Other);
        check("XA", &XaStatement::Other);
    }
}
