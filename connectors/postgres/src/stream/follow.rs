//! The loop over one streaming connection.

use std::future::pending;
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use record::{Batch, Item, Position};
use relational::{ActionQuery, Filling, Heartbeat, Lease, Message, Outlet, Room, reached};
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};

use super::link::Link;
use super::message::{Malformed, Relation};
use super::pgoutput::{Decoder, Step};
use super::silence::Serving;
use super::{Cursor, MessageTopic};
use crate::error::Error;
use crate::reselect::Reselector;
use crate::session::Catalog;
use crate::table::Tables;
use crate::wire::frames::{Next, StreamMessage, next_frame, stream_message};
use crate::wire::{error_in_stream, loss_in_stream};

/// Bytes of an XLogData message before the plugin's own.
const XLOG_HEADER_BYTES: usize = 25;
/// How long it may take to ask, on another connection, what a silent server does.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Why the loop ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The connector is to stop.
    Stopped,
    /// The pipeline is gone.
    Gone,
}

/// The parts of the session that outlast a streaming connection.
pub(crate) struct Lasting<'a> {
    pub(crate) decoder: &'a mut Decoder,
    pub(crate) tables: &'a mut Tables,
    pub(crate) catalog: &'a mut Catalog,
    pub(crate) outlet: &'a mut Outlet,
    pub(crate) heartbeat: &'a mut Option<Heartbeat>,
    /// `heartbeat.action.query`.
    pub(crate) action: Option<ActionQuery<Error>>,
    pub(crate) messages: &'a MessageTopic,
    pub(crate) reselector: &'a mut Reselector,
    /// The last position handed to the pipeline: where a reconnect goes on.
    pub(crate) reached: &'a mut Option<Position>,
}

/// One streaming connection and what reads from it.
pub(crate) struct Follow<'a> {
    pub(super) lasting: Lasting<'a>,
    pub(super) link: Link,
    /// The server's process that serves the connection.
    pid: i32,
    /// Wakes the loop when a position has been stored.
    stored: watch::Receiver<Option<Position>>,
    /// The last transaction whose changes were waited for until the catalogue showed them.
    awaited: Option<u32>,
    pub(super) filling: Filling,
}

pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
}

/// Waits for a failure of the heartbeat's statement that ends the stream.
async fn failed(action: Option<&mut ActionQuery<Error>>) -> Error {
    match action {
        Some(action) => Error::HeartbeatQuery { cause: Box::new(action.failed().await) },
        None => pending().await,
    }
}

impl<'a> Follow<'a> {
    pub(crate) fn new(lasting: Lasting<'a>, link: Link, pid: i32) -> Self {
        lasting.decoder.next_batch();
        let stored = lasting.outlet.stored.clone();
        Self { lasting, link, pid, stored, awaited: None, filling: Filling::default() }
    }

    /// Reads until the connector is to stop. The connection is then still open, so that [`finish`](Self::finish) can confirm
    /// the last stored position.
    pub(crate) async fn run(&mut self) -> Result<End, Error> {
        loop {
            let is_full = self.parse().await?;
            if is_full && !self.flush().await? {
                return Ok(self.ended());
            }
            if self.lasting.outlet.stopping() {
                return Ok(End::Stopped);
            }
            // While the socket always has bytes the loop never waits, so it looks here whether a status is due.
            self.link.keep().await?;
            if is_full {
                // The buffer may still hold complete frames.
                continue;
            }
            if self.link.try_read(&mut self.filling.buffer)? {
                if self.link.speaks_again() {
                    self.lasting.outlet.running();
                }
                continue;
            }
            // Nothing is to be read now: the batch is sent, unless the pipeline is still busy. Then more is added until the
            // pipeline is free, so that batches grow with the load and no timer is needed.
            if self.lasting.outlet.is_drained() {
                self.beat();
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
        if self.lasting.outlet.stopping() { End::Stopped } else { End::Gone }
    }

    /// Waits for bytes. Meanwhile it sends statuses and heartbeats, confirms stored positions, and obeys the stop.
    async fn wait(&mut self) -> Result<Option<End>, Error> {
        // Without a position there is nothing that a heartbeat could carry.
        let due = self.lasting.reached.as_ref().and(self.lasting.heartbeat.as_ref()).map(Heartbeat::due);
        let heartbeat = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            }
        };
        let (drained, status) = (self.lasting.outlet.drained(), self.link.due());
        tokio::select! {
            biased;
            () = drained, if !self.filling.is_empty() => {}
            read = self.link.read(&mut self.filling.buffer) => {
                read?;
                self.link.heard();
                if self.link.speaks_again() {
                    self.lasting.outlet.running();
                }
            }
            stored = self.stored.changed() => {
                if stored.is_err() {
                    return Ok(Some(End::Gone));
                }
                self.link.confirm().await?;
            }
            _ = self.lasting.outlet.stop.changed() => return Ok(Some(self.ended())),
            () = sleep_until(status) => {
                self.link.keep().await?;
                if self.link.is_silent() {
                    self.ask().await?;
                }
            }
            () = heartbeat => self.beat(),
            error = failed(self.lasting.action.as_mut()) => return Err(error),
        }
        Ok(None)
    }

    /// Asks on a new connection why the server is silent, and shows the answer in the task's status.
    async fn ask(&mut self) -> Result<(), Error> {
        let (pid, slot) = (self.pid, self.link.slot().to_owned());
        let mut stop = self.lasting.outlet.stop.clone();
        // A connection that was opened before may have died together with the stream.
        self.lasting.catalog.close();
        let question = async {
            let sql = self.lasting.catalog.sql().await?;
            Ok::<_, Error>(match sql.slot_reader(&slot).await? {
                Some(reader) if reader.pid == pid => match reader.wait {
                    Some(wait) if reader.is_idle => Serving::Idle(wait),
                    wait => Serving::Busy(wait),
                },
                _ => Serving::Gone,
            })
        };
        let asked = async {
            tokio::select! {
                answer = timeout(ANSWER_WITHIN, question) => Some(answer),
                () = async { drop(stop.wait_for(|stop| *stop).await) } => None,
            }
        };
        let serving = match self.link.while_asking(asked).await? {
            None => return Ok(()),
            Some(Ok(Ok(serving))) => serving,
            Some(Ok(Err(error))) if error.server().is_some() => Serving::Untold(error.to_string()),
            Some(Ok(Err(error))) => Serving::Unanswered(error.to_string()),
            Some(Err(_)) => Serving::Unanswered(format!("no answer within {} s", ANSWER_WITHIN.as_secs())),
        };
        self.lasting.catalog.close();
        let why = self.link.explained(&serving)?;
        tracing::warn!(connector = %self.lasting.outlet.connector, slot, pid, "{}", why.replace('\n', " "));
        self.lasting.outlet.waiting(&why);
        Ok(())
    }

    /// Decodes the complete frames of the buffer; true when the batch is to be sent before more can be read.
    async fn parse(&mut self) -> Result<bool, Error> {
        loop {
            if self.filling.is_full() {
                return Ok(true);
            }
            let start = self.filling.used_bytes();
            let frame = match next_frame(self.filling.unread()) {
                Next::Frame(frame) => frame,
                Next::Incomplete { need } => return self.grow_for(need).await,
                Next::Bad(bad) => return Err(self.malformed(&bad.to_string())),
            };
            let payload = start + frame.payload.start..start + frame.payload.end;
            match frame.tag {
                b'd' => self.copy_data(payload).await?,
                b'E' => return Err(error_in_stream(self.link.slot(), &self.filling.buffer[payload])),
                // CopyDone: the server ends the stream in order, because it shuts down. The session reconnects.
                b'c' => return Err(self.link.ended_by_server()),
                b'N' => {
                    if let Some(loss) = loss_in_stream(&self.filling.buffer[payload]) {
                        return Err(loss);
                    }
                }
                // Such as ParameterStatus.
                _ => {}
            }
            self.filling.decoded(start + frame.consumed);
        }
    }

    /// Makes room for an incomplete frame. If it does not fit into the buffer, the batch must be sent first (then this is
    /// true, as for a full batch); after that the buffer grows, once there is a lease for it.
    async fn grow_for(&mut self, need_bytes: usize) -> Result<bool, Error> {
        match self.filling.room_for(need_bytes) {
            Room::There => Ok(false),
            Room::AfterBatch => Ok(true),
            Room::Leased => {
                // Without a lease the connector is to stop, which the caller checks next.
                if let Some(lease) = self.leased(need_bytes).await? {
                    self.filling.grow(need_bytes, lease);
                }
                Ok(false)
            }
        }
    }

    fn malformed(&self, reason: &str) -> Error {
        Error::Stream { lsn: self.link.received, reason: reason.to_owned() }
    }

    async fn copy_data(&mut self, payload: Range<usize>) -> Result<(), Error> {
        match stream_message(&self.filling.buffer[payload.clone()]) {
            Ok(StreamMessage::XLogData { start, end, .. }) => {
                self.link.received = self.link.received.max(start).max(end);
                let cursor = Cursor::new(&self.filling.buffer[..payload.end], payload.start + XLOG_HEADER_BYTES);
                match self.lasting.decoder.message(&mut self.filling.batch, start.0 as i64, cursor) {
                    Ok(Step::Done) => Ok(()),
                    Ok(Step::Relation(relation)) => self.announced(&relation).await,
                    Ok(Step::Type(named)) => {
                        self.lasting.tables.named_type(named.oid, named.schema, named.name);
                        Ok(())
                    }
                    Ok(Step::Message(message)) => {
                        self.lasting.decoder.met(&mut self.filling.batch, message, self.lasting.messages, now_ms());
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
                self.link.received = self.link.received.max(end);
                if let Some(position) = self.lasting.decoder.keepalive(end.0 as i64) {
                    self.filling.batch.items.push(Item::Position(position));
                }
                if reply_requested { self.link.answer().await } else { Ok(()) }
            }
            Err(bad) => Err(self.malformed(&bad.to_string())),
        }
    }

    /// Asks the catalogue for what the log does not say of a table. Before that it waits until the catalogue shows what the
    /// open transaction did, for that may have changed the table; once a transaction, however many tables it announces.
    /// Statuses are sent meanwhile.
    async fn announced(&mut self, relation: &Relation) -> Result<(), Error> {
        let open = self.lasting.decoder.open_xid().filter(|xid| Some(*xid) != self.awaited);
        let (catalog, tables) = (&mut *self.lasting.catalog, &mut *self.lasting.tables);
        let asked = async {
            let sql = catalog.sql().await?;
            if let Some(xid) = open {
                sql.wait_until_seen(xid).await?;
            }
            tables.announced(sql, relation).await
        };
        let known = self.link.while_waiting(asked).await??;
        self.awaited = open.or(self.awaited);
        self.lasting.decoder.install(relation.id, known);
        Ok(())
    }

    /// Adds a heartbeat when one is due and there is a position to carry.
    pub(super) fn beat(&mut self) {
        let Some(position) = self.filling.last_position().or(self.lasting.reached.as_ref()) else { return };
        if let Some(event) =
            self.lasting.heartbeat.as_mut().and_then(|heartbeat| heartbeat.beat(now_ms(), position, false))
        {
            self.filling.batch.items.push(Item::Event(Box::new(event)));
            if let Some(action) = &self.lasting.action {
                action.beat();
            }
        }
    }

    /// Sends the batch, if there is anything in it. False when the pipeline is gone or the connector is to stop.
    async fn flush(&mut self) -> Result<bool, Error> {
        if self.lacks() {
            return Box::pin(self.flush_filled()).await;
        }
        let mut lease = self.filling.lease();
        if lease.is_none() && !self.filling.is_empty() {
            // Lease now: when the batch takes this buffer, a new one is allocated.
            lease = self.leased(self.filling.used_bytes()).await?;
            if lease.is_none() {
                return Ok(false);
            }
        }
        let batch = self.filling.take();
        self.lasting.decoder.next_batch();
        let Some((batch, lease)) = batch.zip(lease) else { return Ok(true) };
        if !self.hand_over(batch, lease).await? {
            return Ok(false);
        }
        self.beat();
        Ok(true)
    }

    /// Sends a batch that was taken. False when the pipeline is gone or the connector is to stop.
    pub(super) async fn hand_over(&mut self, batch: Box<Batch>, lease: Lease) -> Result<bool, Error> {
        let reached = reached(&batch);
        if !self.placed(Message::Batch(batch, lease)).await? {
            return Ok(false);
        }
        if reached.is_some() {
            *self.lasting.reached = reached;
        }
        Ok(true)
    }

    /// Waits for a lease. `None` when the connector is to stop.
    pub(super) async fn leased(&mut self, bytes: usize) -> Result<Option<Lease>, Error> {
        let (mut stop, lease) = (self.lasting.outlet.stop.clone(), self.lasting.outlet.lease(bytes));
        let waited = async {
            tokio::select! {
                biased;
                lease = lease => Some(lease),
                () = async { drop(stop.wait_for(|stop| *stop).await) } => None,
            }
        };
        self.link.while_waiting(waited).await
    }

    /// Waits for a place in the queue. False when the pipeline is gone or the connector is to stop.
    async fn placed(&mut self, message: Message) -> Result<bool, Error> {
        let mut stop = self.lasting.outlet.stop.clone();
        let outlet = &*self.lasting.outlet;
        let waited = async {
            tokio::select! {
                biased;
                place = outlet.place() => place.map(|place| place.send(message)).is_some(),
                () = async { drop(stop.wait_for(|stop| *stop).await) } => false,
            }
        };
        self.link.while_waiting(waited).await
    }

    /// After a stop: waits for the last position to be stored, confirms it to the server, and ends the stream in order.
    pub(crate) async fn finish(mut self, within: Duration) {
        self.lasting.outlet.close();
        let last = self.lasting.outlet.last_stored().await;
        self.link.finish(last, &mut self.filling.buffer, within).await;
    }
}
