//! The loop over one streaming connection.

use std::future::pending;
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use record::{Item, Position};
use relational::{Heartbeat, Lease, Message, Outlet};
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};

use super::filling::{Filling, reached};
use super::link::Link;
use super::message::{Malformed, Relation};
use super::pgoutput::{Decoder, Step};
use super::silence::Serving;
use super::{Cursor, MessageTopic};
use crate::error::Error;
use crate::heartbeat::ActionQuery;
use crate::session::Catalog;
use crate::table::Tables;
use crate::wire::frames::{StreamMessage, stream_message};
use crate::wire::{error_in_stream, loss_in_stream};

/// Bytes of an XLogData message before the plugin's own.
const XLOG_HEADER_BYTES: usize = 25;
/// How long a silent server may take to say on another connection what it does.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The connector is to stop.
    Stopped,
    /// The pipeline is gone.
    Gone,
}

/// What of the session outlasts a streaming connection.
pub(crate) struct Lasting<'a> {
    pub(crate) decoder: &'a mut Decoder,
    pub(crate) tables: &'a mut Tables,
    pub(crate) catalog: &'a mut Catalog,
    pub(crate) outlet: &'a mut Outlet,
    pub(crate) heartbeat: &'a mut Option<Heartbeat>,
    /// `heartbeat.action.query`.
    pub(crate) action: Option<ActionQuery>,
    pub(crate) messages: &'a MessageTopic,
    /// The last position handed to the pipeline: where a reconnect goes on.
    pub(crate) reached: &'a mut Option<Position>,
}

/// One streaming connection and what reads from it.
pub(crate) struct Follow<'a> {
    lasting: Lasting<'a>,
    link: Link,
    /// The server's process that serves the connection.
    pid: i32,
    /// Wakes the loop when a position has been stored.
    stored: watch::Receiver<Option<Position>>,
    /// The transaction that has been waited for.
    awaited: Option<u32>,
    filling: Filling,
}

pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
}

/// Waits for a failure of the heartbeat's statement that ends the stream.
async fn failed(action: Option<&mut ActionQuery>) -> Error {
    match action {
        Some(action) => action.failed().await,
        None => pending().await,
    }
}

impl<'a> Follow<'a> {
    pub(crate) fn new(lasting: Lasting<'a>, link: Link, pid: i32) -> Self {
        lasting.decoder.next_batch();
        let stored = lasting.outlet.stored.clone();
        Self { lasting, link, pid, stored, awaited: None, filling: Filling::new() }
    }

    /// Reads until the connector is to stop. The connection is then still open, so that the last stored position can be
    /// told ([`finish`](Self::finish)).
    pub(crate) async fn run(&mut self) -> Result<End, Error> {
        loop {
            let is_full = self.parse().await?;
            if is_full && !self.flush().await? {
                return Ok(self.ended());
            }
            if self.lasting.outlet.stopping() {
                return Ok(End::Stopped);
            }
            // In a flood the loop never waits for the clock.
            self.link.keep().await?;
            if is_full {
                // Complete frames may stand in the buffer still.
                continue;
            }
            if self.link.try_read(&mut self.filling.buffer).await? {
                if self.link.speaks_again() {
                    self.lasting.outlet.running();
                }
                continue;
            }
            // The socket is empty: what has been read leaves now, unless the pipeline is still busy with what it has. Then
            // more is added until it is free, so that batches grow with the load and no timer is needed.
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

    /// Waits for bytes; meanwhile statuses, heartbeats, stored positions, the stop.
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
                self.link.heard().await;
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

    /// Asks on a new connection why the server says nothing, and shows it in the task's status.
    async fn ask(&mut self) -> Result<(), Error> {
        let (pid, slot) = (self.pid, self.link.slot().to_owned());
        let mut stop = self.lasting.outlet.stop.clone();
        // One that was made before may have died with the stream.
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
        let serving = match self.link.while_waiting(asked).await? {
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

    /// Decodes the complete frames of the buffer; true when the batch is full.
    async fn parse(&mut self) -> Result<bool, Error> {
        loop {
            if self.filling.is_full() {
                return Ok(true);
            }
            let frame = match self.filling.frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(false),
                Err(bad) => return Err(self.malformed(&bad.to_string())),
            };
            let payload = frame.payload.clone();
            match frame.tag {
                b'd' => self.copy_data(payload).await?,
                b'E' => return Err(error_in_stream(self.link.slot(), &self.filling.buffer[payload])),
                // The server ends the stream in order (it shuts down): the connection is made anew.
                b'c' => return Err(self.link.ended_by_server()),
                b'N' => {
                    if let Some(loss) = loss_in_stream(&self.filling.buffer[payload]) {
                        return Err(loss);
                    }
                }
                // Parameters.
                _ => {}
            }
            self.filling.decoded(&frame);
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

    /// Asks the catalogue for what the log does not say of a table. The catalogue may be slow, and the transaction that
    /// changed the table may not be seen yet (waited for once, however many tables it touches): the server is told
    /// meanwhile that we are there.
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
    fn beat(&mut self) {
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
        let batch = self.filling.take();
        self.lasting.decoder.next_batch();
        let Some(batch) = batch else { return Ok(true) };
        let Some(lease) = self.leased(batch.buffer.len()).await? else { return Ok(false) };
        let reached = reached(&batch);
        if !self.placed(Message::Batch(batch, lease)).await? {
            return Ok(false);
        }
        if reached.is_some() {
            *self.lasting.reached = reached;
        }
        self.beat();
        Ok(true)
    }

    /// Waits for the byte budget. `None` when the connector is to stop.
    async fn leased(&mut self, bytes: usize) -> Result<Option<Lease>, Error> {
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

    /// After a stop: waits for the last position to be stored, tells the server, and ends the stream in order.
    pub(crate) async fn finish(mut self, within: Duration) {
        self.lasting.outlet.close();
        let last = self.lasting.outlet.last_stored().await;
        self.link.finish(last, &mut self.filling.buffer, within).await;
    }
}
