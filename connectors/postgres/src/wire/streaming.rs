//! The stream itself (the hot path): reads the bytes of the log, sends statuses, and ends the stream.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{BufMut, BytesMut};
use futures_util::FutureExt;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::frames::{Next, next_frame};
use super::replication::Replication;
use super::startup::{closed, protocol};
use crate::error::{Error, ServerError};
use crate::lsn::Lsn;

/// A full buffer grows by this much. A buffer that has any room does not grow here: the caller decides how large it may
/// become, and holds the lease for it.
const READ_BYTES: usize = 64 * 1024;
/// 2000-01-01 in microseconds since 1970, where PostgreSQL's clock begins.
pub(crate) const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;
/// The length of a status message: length word, kind, three positions, clock, reply flag.
const STATUS_BYTES: u32 = 4 + 1 + 3 * 8 + 8 + 1;

impl Replication {
    /// Waits for bytes and appends one read of them to `buffer`, which must be the same one over the life of a stream
    /// (a frame may span reads). Returns how many bytes were read, never 0: the end of the connection is an error. A full
    /// buffer grows; for larger reads the caller reserves room. The future may be dropped without losing bytes.
    pub async fn fill(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        if let Some(left) = self.take_left_over(buffer) {
            return Ok(left);
        }
        make_room(buffer);
        match self.session.stream.read_buf(buffer).await? {
            0 => Err(closed()),
            read => Ok(read),
        }
    }

    /// As [`Replication::fill`], but `None` at once when nothing is to be read now ([`relational::Tcp`]).
    pub fn try_fill(&mut self, buffer: &mut BytesMut) -> io::Result<Option<usize>> {
        if let Some(left) = self.take_left_over(buffer) {
            return Ok(Some(left));
        }
        make_room(buffer);
        match self.session.stream.read_buf(buffer).now_or_never() {
            None => Ok(None),
            Some(Ok(0)) => Err(closed()),
            Some(Ok(read)) => Ok(Some(read)),
            Some(Err(error)) => Err(error),
        }
    }

    /// Takes the bytes that were read together with the answer to `START_REPLICATION`.
    fn take_left_over(&mut self, buffer: &mut BytesMut) -> Option<usize> {
        if self.session.inbox.is_empty() {
            return None;
        }
        let left = self.session.inbox.split();
        buffer.extend_from_slice(&left);
        Some(left.len())
    }

    /// Sends a standby status update: WAL up to `written` has been received; WAL before `flushed` may be removed; `applied`
    /// is shown in `pg_stat_replication`. If the future is dropped half-way, the rest is sent before the next status.
    pub async fn send_status(
        &mut self,
        written: Lsn,
        flushed: Lsn,
        applied: Lsn,
        reply_requested: bool,
    ) -> io::Result<()> {
        put_status(&mut self.session.outbox, written, flushed, applied, clock_us(), reply_requested);
        self.session.write_out().await
    }

    /// Ends the stream in order, so that the server has released the slot when this returns: sends CopyDone, discards what
    /// still arrives, sends Terminate. `buffer` is the one of [`Replication::fill`]: a frame may have begun in it. After an
    /// error or the timeout the connection is simply closed.
    pub async fn finish(mut self, buffer: &mut BytesMut, within: Duration) -> Result<(), Error> {
        let doing = "ending the replication stream";
        let at = self.session.options.at();
        let ended = timeout(within, self.finish_in_order(doing, buffer)).await;
        ended.map_err(|_| Error::TimedOut { doing: doing.into(), at, after_ms: within.as_millis() as u64 })?
    }

    async fn finish_in_order(&mut self, doing: &str, buffer: &mut BytesMut) -> Result<(), Error> {
        if self.streaming {
            frontend::copy_done(&mut self.session.outbox);
            self.session.flush(doing).await?;
            self.drain(doing, buffer).await?;
        }
        frontend::terminate(&mut self.session.outbox);
        self.session.flush(doing).await?;
        // The server closes the connection when its process is gone. Errors of the close do not matter.
        let _ = self.session.stream.shutdown().await;
        let mut rest = BytesMut::with_capacity(READ_BYTES);
        while let Ok(1..) = self.session.stream.read_buf(&mut rest).await {
            rest.clear();
        }
        Ok(())
    }

    async fn drain(&mut self, doing: &str, buffer: &mut BytesMut) -> Result<(), Error> {
        loop {
            loop {
                match next_frame(buffer) {
                    Next::Frame(frame) => {
                        let payload = buffer.split_to(frame.consumed);
                        match frame.tag {
                            b'Z' => return Ok(()),
                            b'E' => {
                                let server = payload.get(frame.payload).unwrap_or_default();
                                return Err(Error::from_server(doing, ServerError::parse(server)));
                            }
                            _ => {}
                        }
                    }
                    Next::Incomplete { .. } => break,
                    Next::Bad(bad) => return Err(protocol(doing, &bad.to_string())),
                }
            }
            self.fill(buffer).await.map_err(|source| self.session.io(doing, source))?;
        }
    }

    /// Puts an error of [`Replication::fill`] or [`Replication::send_status`] in context.
    pub fn stream_error(&self, source: io::Error) -> Error {
        self.session.io("reading the replication stream", source)
    }
}

/// The error for an ErrorResponse that arrived inside the stream, such as a lost slot or a missing publication.
pub fn error_in_stream(slot: &str, payload: &[u8]) -> Error {
    let server = ServerError::parse(payload);
    match server.sqlstate.as_str() {
        "55006" => Error::slot_taken(slot, server),
        "58P01" => Error::SlotLost { slot: slot.into(), reason: server.said() },
        "42704" if server.message.contains("publication") => publication_missing(&server),
        _ => Error::from_server(format!("streaming from slot \"{slot}\""), server),
    }
}

/// The error for a NoticeResponse that arrived inside the stream, if it tells of a loss; `None` for any other. Since
/// PostgreSQL 18 a missing publication is only a warning, and the server skips the changes of its tables.
pub fn loss_in_stream(payload: &[u8]) -> Option<Error> {
    let server = ServerError::parse(payload);
    (server.sqlstate == "55000" && server.routine == "LoadPublications").then(|| publication_missing(&server))
}

fn publication_missing(server: &ServerError) -> Error {
    Error::PublicationMissing { publication: server.message.split('"').nth(1).unwrap_or_default().to_owned() }
}

fn make_room(buffer: &mut BytesMut) {
    if buffer.capacity() == buffer.len() {
        buffer.reserve(READ_BYTES);
    }
}

fn put_status(out: &mut BytesMut, written: Lsn, flushed: Lsn, applied: Lsn, clock_us: i64, reply_requested: bool) {
    out.reserve(1 + STATUS_BYTES as usize);
    out.put_u8(b'd');
    out.put_u32(STATUS_BYTES);
    out.put_u8(b'r');
    out.put_u64(written.0);
    out.put_u64(flushed.0);
    out.put_u64(applied.0);
    out.put_i64(clock_us);
    out.put_u8(u8::from(reply_requested));
}

/// Now, in microseconds since 2000-01-01 UTC.
fn clock_us() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since_1970.as_micros() as i64 - POSTGRES_EPOCH_US
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::frames::Frame;

    #[test]
    fn a_status_is_one_frame() {
        let mut out = BytesMut::new();
        put_status(&mut out, Lsn(1), Lsn(2), Lsn(3), 4, true);
        assert_eq!(next_frame(&out), Next::Frame(Frame { tag: b'd', payload: 5..39, consumed: 39 }));
        assert_eq!(&out[5..14], b"r\0\0\0\0\0\0\0\x01");
        assert_eq!(out[38], 1);
    }

    #[test]
    fn errors_in_the_stream() {
        let error = error_in_stream("s", b"VERROR\0C42704\0Mpublication \"p\" does not exist\0\0");
        assert!(matches!(error, Error::PublicationMissing { publication } if publication == "p"));
        // The warning of PostgreSQL 18, in another language.
        let warning =
            b"SWARNUNG\0VWARNING\0C55000\0MLaden der Publikation \"p\" wird ausgelassen\0RLoadPublications\0\0";
        let loss = loss_in_stream(warning);
        assert!(matches!(loss, Some(Error::PublicationMissing { publication }) if publication == "p"));
        assert!(loss_in_stream(b"VWARNING\0C55000\0Mprerequisite \"p\"\0RSomethingElse\0\0").is_none());
    }
}
