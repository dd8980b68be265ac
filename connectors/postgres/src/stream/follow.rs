//! The loop over one streaming connection.

use std::future::pending;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::{Buf, Bytes, BytesMut};
use record::{Batch, Item, Position};
use relational::{Heartbeat, Lease, Message, Outlet};
use tokio::time::{Instant, sleep_until};

use super::message::Malformed;
use super::pgoutput::{Decoder, Step};
use super::{Cursor, MessageTopic};
use crate::error::Error;
use crate::lsn::Lsn;
use crate::position::{LSN, LSN_COMMIT, LSN_PROC};
use crate::session::Catalog;
use crate::table::Tables;
use crate::wire::frames::{Next, StreamMessage, next_frame, stream_message};
use crate::wire::{Replication, error_in_stream, loss_in_stream};

/// A batch closes at so many events,
const MAX_ITEMS: usize = 512;
/// or at so many bytes,
const MAX_BYTES: usize = 256 * 1024;
/// or when the socket is empty. The buffer has room for one more read.
const BUFFER_BYTES: usize = MAX_BYTES + 64 * 1024;
/// Less than this is copied out of the buffer, so that a trickle of small transactions does not cost a buffer each.
const SMALL_BYTES: usize = 16 * 1024;
/// Bytes of an XLogData message before the plugin's own.
const XLOG_HEADER_BYTES: usize = 25;
/// The stream is given up when the server says nothing for so long although it was asked to.
const SILENCE: Duration = Duration::from_secs(60);

/// How the loop behaves.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// For messages.
    pub(crate) slot: String,
    /// `status.update.interval.ms`.
    pub(crate) status_interval: Duration,
    /// `lsn.flush.mode` other than manual.
    pub(crate) confirms: bool,
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The connector is to stop.
    Stopped,
    /// The pipeline is gone.
    Gone,
}

/// One streaming connection and what reads from it.
pub(crate) struct Follow<'a> {
    parts: Parts<'a>,
    received: Lsn,
    confirmed: Lsn,
    next_status: Instant,
    heard: Instant,
    /// The transaction that has been waited for.
    awaited: Option<u32>,
    pace: Pace,
    buffer: BytesMut,
    /// The part of the byte budget for a frame that is larger than the buffer.
    grown: Option<Lease>,
    parsed: usize,
    batch: Box<Batch>,
}

/// What it works with: the connection, and what of the session outlasts it.
pub(crate) struct Parts<'a> {
    pub(crate) replication: Replication,
    pub(crate) decoder: &'a mut Decoder,
    pub(crate) tables: &'a mut Tables,
    pub(crate) catalog: &'a mut Catalog,
    pub(crate) outlet: &'a mut Outlet,
    pub(crate) heartbeat: &'a mut Option<Heartbeat>,
    pub(crate) messages: &'a MessageTopic,
    /// The last position handed to the pipeline: where a reconnect goes on.
    pub(crate) reached: &'a mut Option<Position>,
    pub(crate) settings: Settings,
}

/// Keeps a flood from being read in drops: the server writes each row to the socket by itself, and a reader that is
/// faster than it would wake up for every one. So many reads within a millisecond, and the next one waits for another.
struct Pace {
    reads: u32,
    last: Instant,
}

impl Pace {
    const READS: u32 = 24;
    const WITHIN: Duration = Duration::from_millis(1);

    async fn read(&mut self) {
        self.reads += 1;
        if self.reads < Self::READS {
            return;
        }
        self.reads = 0;
        let now = Instant::now();
        if now.duration_since(self.last) < Self::WITHIN * 2 {
            tokio::time::sleep(Self::WITHIN).await;
        }
        self.last = Instant::now();
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
}

/// What a stored position allows the server to forget.
pub(crate) fn confirmable(position: &Position) -> Lsn {
    let lsn = position.word(LSN_COMMIT).or(position.word(LSN_PROC)).or(position.word(LSN)).unwrap_or(0);
    Lsn(lsn as u64)
}

impl<'a> Follow<'a> {
    /// `confirmed` is what the server has been told before.
    pub(crate) fn new(parts: Parts<'a>, confirmed: Lsn) -> Self {
        parts.decoder.next_batch();
        Self {
            next_status: Instant::now() + parts.settings.status_interval,
            parts,
            received: confirmed,
            confirmed,
            heard: Instant::now(),
            awaited: None,
            pace: Pace { reads: 0, last: Instant::now() },
            buffer: BytesMut::with_capacity(BUFFER_BYTES),
            grown: None,
            parsed: 0,
            batch: Box::default(),
        }
    }

    /// Reads until the connector is to stop. The connection is then still open, so that the last stored position can be
    /// told ([`finish`](Self::finish)).
    pub(crate) async fn run(&mut self) -> Result<End, Error> {
        loop {
            let full = self.parse().await?;
            if full && !self.flush().await? {
                return Ok(self.ended());
            }
            if self.parts.outlet.stopping() {
                return Ok(End::Stopped);
            }
            if full {
                // Complete frames may stand in the buffer still.
                continue;
            }
            match self.parts.replication.try_fill(&mut self.buffer) {
                Ok(Some(_)) => {
                    self.heard = Instant::now();
                    self.pace.read().await;
                    continue;
                }
                Ok(None) => {}
                Err(error) => return Err(self.parts.replication.stream_error(error)),
            }
            // The socket is empty: what has been read leaves now, unless the pipeline is still busy with what it has. Then
            // more is added until it is free, so that batches grow with the load and no timer is needed.
            if self.parts.outlet.is_drained() {
                self.beat(false);
                if !self.flush().await? {
                    return Ok(self.ended());
                }
            }
            if let Some(end) = self.wait().await? {
                return Ok(end);
            }
        }
    }

    fn ended(&self) -> End {
        if self.parts.outlet.stopping() { End::Stopped } else { End::Gone }
    }

    /// Waits for bytes; meanwhile statuses, heartbeats, stored positions, the stop.
    async fn wait(&mut self) -> Result<Option<End>, Error> {
        // Without a position there is nothing that a heartbeat could carry.
        let due = self.parts.reached.as_ref().and(self.parts.heartbeat.as_ref()).map(Heartbeat::due);
        let heartbeat = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            }
        };
        let drained = self.parts.outlet.drained();
        tokio::select! {
            biased;
            () = drained, if !self.batch.items.is_empty() => return Ok(None),
            read = self.parts.replication.fill(&mut self.buffer) => {
                self.pace.read().await;
                self.heard = Instant::now();
                return read.map(|_| None).map_err(|error| self.parts.replication.stream_error(error));
            }
            stored = self.parts.outlet.stored.changed() => {
                if stored.is_err() {
                    return Ok(Some(End::Gone));
                }
            }
            _ = self.parts.outlet.stop.changed() => return Ok(Some(self.ended())),
            () = sleep_until(self.next_status) => {
                // Asked at every status: a server that is alive answers, a connection that is cut in the middle does not.
                if self.heard.elapsed() > SILENCE.max(self.parts.settings.status_interval * 3) {
                    let silent = std::io::Error::new(std::io::ErrorKind::TimedOut, "the server has fallen silent");
                    return Err(self.parts.replication.stream_error(silent));
                }
                self.status(true).await?;
                return Ok(None);
            }
            () = heartbeat => {
                self.beat(false);
                return Ok(None);
            }
        }
        self.confirm().await?;
        Ok(None)
    }

    /// Takes note of what is stored, and tells the server if that is news.
    async fn confirm(&mut self) -> Result<(), Error> {
        let stored = self.parts.outlet.stored.borrow_and_update().as_ref().map(confirmable);
        if self.parts.settings.confirms && stored.is_some_and(|lsn| lsn > self.confirmed) {
            self.confirmed = stored.unwrap_or(self.confirmed);
            self.status(false).await?;
        }
        Ok(())
    }

    async fn status(&mut self, reply: bool) -> Result<(), Error> {
        self.next_status = Instant::now() + self.parts.settings.status_interval;
        let sent = self
            .parts
            .replication
            .send_status(self.received.max(self.confirmed), self.confirmed, self.confirmed, reply)
            .await;
        sent.map_err(|error| self.parts.replication.stream_error(error))
    }

    /// Decodes the complete frames of the buffer; true when the batch is full.
    async fn parse(&mut self) -> Result<bool, Error> {
        loop {
            if self.batch.items.len() >= MAX_ITEMS || self.parsed >= MAX_BYTES {
                return Ok(true);
            }
            let frame = match next_frame(&self.buffer[self.parsed..]) {
                Next::Frame(frame) => frame,
                Next::Incomplete { need } => return self.grow_for(need).await,
                Next::Bad(bad) => return Err(self.malformed(&bad.to_string())),
            };
            let payload = self.parsed + frame.payload.start..self.parsed + frame.payload.end;
            match frame.tag {
                b'd' => self.copy_data(payload).await?,
                b'E' => return Err(error_in_stream(&self.parts.settings.slot, &self.buffer[payload])),
                // The server ends the stream in order (it shuts down): the connection is made anew.
                b'c' => {
                    let closed = std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the server ended the stream");
                    return Err(self.parts.replication.stream_error(closed));
                }
                b'N' => {
                    if let Some(loss) = loss_in_stream(&self.buffer[payload]) {
                        return Err(loss);
                    }
                }
                // Parameters.
                _ => {}
            }
            self.parsed += frame.consumed;
        }
    }

    /// Makes room for a frame of `need_bytes` that has begun at the place reached. One that does not fit into the buffer
    /// waits for its part of the byte budget before the buffer grows, and what stands before it leaves first: true, as
    /// when the batch is full.
    async fn grow_for(&mut self, need_bytes: usize) -> Result<bool, Error> {
        if self.parsed + need_bytes > BUFFER_BYTES && self.parsed > 0 {
            return Ok(true);
        }
        if need_bytes > BUFFER_BYTES && self.grown.is_none() {
            self.grown = self.leased(need_bytes).await?;
            if self.grown.is_none() {
                // It is time to stop, which the caller looks for next.
                return Ok(false);
            }
        }
        let have_bytes = self.buffer.len() - self.parsed;
        self.buffer.reserve(need_bytes.saturating_sub(have_bytes));
        Ok(false)
    }

    fn malformed(&self, reason: &str) -> Error {
        Error::Stream { lsn: self.received, reason: reason.to_owned() }
    }

    async fn copy_data(&mut self, payload: std::ops::Range<usize>) -> Result<(), Error> {
        match stream_message(&self.buffer[payload.clone()]) {
            Ok(StreamMessage::XLogData { start, end, .. }) => {
                self.received = self.received.max(start).max(end);
                let cursor = Cursor::new(&self.buffer[..payload.end], payload.start + XLOG_HEADER_BYTES);
                match self.parts.decoder.message(&mut self.batch, start.0 as i64, cursor) {
                    Ok(Step::Done) => Ok(()),
                    Ok(Step::Relation(relation)) => {
                        self.wait_until_seen().await?;
                        let sql = self.parts.catalog.sql().await?;
                        let known = self.parts.tables.announced(sql, &relation).await?;
                        self.parts.decoder.install(relation.id, known);
                        Ok(())
                    }
                    Ok(Step::Message(message)) => {
                        self.parts.decoder.met(&mut self.batch, message, self.parts.messages, now_ms());
                        Ok(())
                    }
                    Err(Malformed::Short) => Err(self.malformed("a message ends before its fields do")),
                    Err(Malformed::Unknown(tag)) => {
                        Err(self.malformed(&format!("message type 0x{tag:02x} is not of protocol version 1")))
                    }
                    Err(Malformed::NoRelation(id)) => {
                        Err(self.malformed(&format!("a row of relation {id}, which was never announced")))
                    }
                    Err(Malformed::NoTransaction) => Err(self.malformed("a row outside a transaction")),
                }
            }
            Ok(StreamMessage::Keepalive { end, reply_requested, .. }) => {
                self.received = self.received.max(end);
                if let Some(position) = self.parts.decoder.keepalive(end.0 as i64) {
                    self.batch.items.push(Item::Position(position));
                }
                if reply_requested {
                    self.confirm().await?;
                    self.status(false).await?;
                }
                Ok(())
            }
            Err(bad) => Err(self.malformed(&bad.to_string())),
        }
    }

    /// Before the catalogue is asked: waits for the open transaction, once however many tables it touches. Many such waits
    /// may stand in the buffer, so the server is told between them that we are there.
    async fn wait_until_seen(&mut self) -> Result<(), Error> {
        let xid = self.parts.decoder.open_xid();
        let Some(xid) = xid.filter(|_| xid != self.awaited) else { return Ok(()) };
        self.parts.catalog.sql().await?.wait_until_seen(xid).await?;
        self.awaited = Some(xid);
        if Instant::now() >= self.next_status {
            self.confirm().await?;
            self.status(false).await?;
        }
        Ok(())
    }

    /// Adds a heartbeat when one is due and there is a position to carry.
    fn beat(&mut self, force: bool) {
        let last = self.batch.items.iter().rev().find_map(|item| match item {
            Item::Position(position) => Some(position),
            Item::Change(change) => Some(&change.position),
            Item::Event(event) => event.position.as_ref(),
        });
        let Some(position) = last.or(self.parts.reached.as_ref()) else { return };
        if let Some(event) =
            self.parts.heartbeat.as_mut().and_then(|heartbeat| heartbeat.beat(now_ms(), position, force))
        {
            self.batch.items.push(Item::Event(Box::new(event)));
        }
    }

    /// Sends the batch, if there is anything in it. False when the pipeline is gone or the connector is to stop.
    async fn flush(&mut self) -> Result<bool, Error> {
        let used = std::mem::take(&mut self.parsed);
        if self.batch.items.is_empty() {
            self.batch.clear();
            self.parts.decoder.next_batch();
            if used > BUFFER_BYTES {
                // A large frame that nobody wants: its memory goes with its lease.
                drop(self.take(used));
                self.grown = None;
            } else {
                self.buffer.advance(used);
            }
            return Ok(true);
        }
        // Before the batch takes the buffer away, since the next buffer is new memory. A frame that made the buffer grow
        // is alone in its batch, and has its lease.
        let lease = match self.grown.take_if(|_| used > BUFFER_BYTES) {
            Some(lease) => lease,
            None => match self.leased(used).await? {
                Some(lease) => lease,
                None => return Ok(false),
            },
        };
        let mut batch = std::mem::take(&mut self.batch);
        batch.buffer = self.take(used);
        self.parts.decoder.next_batch();
        let reached = batch.items.iter().rev().find_map(|item| match item {
            Item::Position(position) => Some(position.clone()),
            Item::Change(change) => change.last.then(|| change.position.clone()),
            Item::Event(event) => event.position.clone(),
        });
        if !self.placed(Message::Batch(batch, lease)).await? {
            return Ok(false);
        }
        if reached.is_some() {
            *self.parts.reached = reached;
        }
        self.beat(false);
        Ok(true)
    }

    /// The first bytes of the buffer, as the batch's own.
    fn take(&mut self, used: usize) -> Bytes {
        if used <= SMALL_BYTES {
            let bytes = Bytes::copy_from_slice(&self.buffer[..used]);
            self.buffer.advance(used);
            self.buffer.reserve(BUFFER_BYTES.saturating_sub(self.buffer.len()).min(SMALL_BYTES * 4));
            return bytes;
        }
        let bytes = self.buffer.split_to(used).freeze();
        let mut fresh = BytesMut::with_capacity(BUFFER_BYTES.max(self.buffer.len() + SMALL_BYTES));
        fresh.extend_from_slice(&self.buffer);
        self.buffer = fresh;
        bytes
    }

    /// Waits for the byte budget, answering the server meanwhile.
    async fn leased(&mut self, bytes: usize) -> Result<Option<Lease>, Error> {
        let mut stop = self.parts.outlet.stop.clone();
        let mut lease = std::pin::pin!(self.parts.outlet.lease(bytes));
        loop {
            tokio::select! {
                biased;
                lease = &mut lease => return Ok(Some(lease)),
                _ = stop.changed() => {}
                () = sleep_until(self.next_status) => {}
            }
            if self.parts.outlet.stopping() {
                return Ok(None);
            }
            self.confirm().await?;
            self.status(false).await?;
        }
    }

    /// Waits for a place in the queue, answering the server meanwhile. False when the pipeline is gone.
    async fn placed(&mut self, message: Message) -> Result<bool, Error> {
        let mut stop = self.parts.outlet.stop.clone();
        loop {
            tokio::select! {
                biased;
                place = self.parts.outlet.place() => {
                    return Ok(place.map(|place| place.send(message)).is_some());
                }
                _ = stop.changed() => {}
                () = sleep_until(self.next_status) => {}
            }
            if self.parts.outlet.stopping() {
                return Ok(false);
            }
            self.confirm().await?;
            self.status(false).await?;
        }
    }

    /// After a stop: waits for the last position to be stored, tells the server, and ends the stream in order.
    pub(crate) async fn finish(mut self, within: Duration) {
        self.parts.outlet.close();
        let last = self.parts.outlet.last_stored().await;
        if self.parts.settings.confirms {
            self.confirmed = self.confirmed.max(last.as_ref().map_or(Lsn(0), confirmable));
        }
        if let Err(error) = self.status(false).await {
            tracing::warn!(slot = %self.parts.settings.slot, %error, "the last position could not be confirmed");
            return;
        }
        if let Err(error) = self.parts.replication.finish(&mut self.buffer, within).await {
            tracing::warn!(slot = %self.parts.settings.slot, %error, "the stream was not ended in order");
        }
    }
}
