//! The loop over one connection of the binlog.

use std::future::pending;
use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

use record::{Batch, Item, Position, SnapshotMark};
use relational::{ActionQuery, Filling, Heartbeat, Lease, MAX_BYTES, Message, Outlet, Room, reached};
use tokio::time::sleep_until;

use super::counted::count;
use super::decoder::{Context, Decoder, Statement, Step};
use super::present::Present;
use super::reselected::{send_filled, wanting};
use super::rows::{Taken, needs_room};
use super::undecodable::Undecodable;
use super::xa::KeptReader;
use crate::binlog::{EventKind, Header, PayloadReader};
use crate::ddl::Query;
use crate::error::Error;
use crate::reselect::Reselector;
use crate::schema::{Ddl, Schema};
use crate::tables::{Tables, Wire};
use crate::wire::{Next, Replication};

/// The parts of the session that outlast a connection.
pub(crate) struct Lasting<'a> {
    pub(crate) tables: &'a mut Tables,
    pub(crate) schema: &'a mut Schema,
    pub(crate) outlet: &'a mut Outlet,
    pub(crate) heartbeat: &'a mut Option<Heartbeat>,
    /// `heartbeat.action.query`.
    pub(crate) action: Option<ActionQuery<Error>>,
    pub(crate) reselector: &'a mut Reselector,
    /// The last position handed to the pipeline: where a reconnect goes on.
    pub(crate) reached: &'a mut Option<Position>,
    pub(crate) present: &'a mut Present,
}

/// One connection and what reads from it.
pub(crate) struct Follow<'a> {
    pub(super) lasting: Lasting<'a>,
    pub(super) link: Replication,
    pub(super) decoder: Decoder,
    undecodable: Undecodable,
    /// Events as the connection brings them.
    pub(super) filling: Filling,
    /// Events out of compressed transactions, and those whose cells are computed. One of the two batches is always empty.
    pub(super) apart: Filling,
}

pub(crate) fn now_ms() -> i64 {
    now_us() / 1000
}

pub(crate) fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as i64
}

/// Waits for a failure of the heartbeat's statement that ends the stream.
async fn failed(action: Option<&mut ActionQuery<Error>>) -> Error {
    match action {
        Some(action) => Error::HeartbeatQuery { cause: Box::new(action.failed().await) },
        None => pending().await,
    }
}

/// Whether the loop goes on.
pub(super) type Goes = Result<bool, Error>;

impl<'a> Follow<'a> {
    pub(crate) fn new(lasting: Lasting<'a>, link: Replication, decoder: Decoder, undecodable: Undecodable) -> Self {
        let (filling, apart) = (Filling::default(), Filling::default());
        Self { lasting, link, decoder, undecodable, filling, apart }
    }

    /// Reads until the connector is to stop.
    pub(crate) async fn run(mut self) -> Result<(), Error> {
        loop {
            if !self.parse().await? || self.lasting.outlet.stopping() {
                break;
            }
            if self.link.try_fill(&mut self.filling.buffer)?.is_some() {
                continue;
            }
            // Nothing is to be read now: the batch is sent, unless the pipeline is still busy. Then more is added until the
            // pipeline is free, so that batches grow with the load and no timer is needed.
            if self.lasting.outlet.is_drained() && !self.decoder.holds() {
                self.beat();
                if !self.flush().await? {
                    break;
                }
            }
            if !self.wait().await? {
                break;
            }
        }
        self.link.close().await;
        Ok(())
    }

    /// Waits for bytes. Meanwhile it sends heartbeats and obeys the stop.
    async fn wait(&mut self) -> Goes {
        // Without a position there is nothing that a heartbeat could carry.
        let due = self.lasting.reached.as_ref().and(self.lasting.heartbeat.as_ref()).map(Heartbeat::due);
        let heartbeat = async {
            match due {
                Some(due) => sleep_until(due).await,
                None => pending().await,
            }
        };
        let has_batch = (!self.filling.is_empty() || !self.apart.is_empty()) && !self.decoder.holds();
        let drained = self.lasting.outlet.drained();
        tokio::select! {
            biased;
            () = drained, if has_batch => {}
            read = self.link.fill(&mut self.filling.buffer) => {
                read?;
            }
            _ = self.lasting.outlet.stop.changed() => return Ok(!self.lasting.outlet.stopping()),
            () = heartbeat => self.beat(),
            error = failed(self.lasting.action.as_mut()) => return Err(error),
        }
        Ok(true)
    }

    /// Whether a batch must leave. A held transaction may have more items than a batch otherwise has, but not more bytes.
    fn is_full(&self) -> bool {
        let is_full =
            |filling: &Filling| filling.is_full() && (!self.decoder.holds() || filling.used_bytes() >= MAX_BYTES);
        is_full(&self.filling) || is_full(&self.apart)
    }

    /// Takes the complete events of the buffer.
    async fn parse(&mut self) -> Goes {
        loop {
            if self.is_full() && !self.flush().await? {
                return Ok(false);
            }
            let from = self.filling.used_bytes();
            match self.link.next(&mut self.filling.buffer, from)? {
                Next::Event { event, end } => {
                    if !self.event(event, end).await? {
                        return Ok(false);
                    }
                }
                Next::Incomplete { need } => return self.room_for(need).await,
                Next::End => return Err(Error::DumpEnded { at: self.link.at() }),
            }
        }
    }

    /// Makes room for an event that is not there yet. If it does not fit into the buffer, the batch is sent first; after that
    /// the buffer grows, once there is a lease for it.
    async fn room_for(&mut self, need_bytes: usize) -> Goes {
        loop {
            match self.filling.room_for(need_bytes) {
                Room::There => return Ok(true),
                Room::AfterBatch => {
                    if !self.flush().await? {
                        return Ok(false);
                    }
                }
                Room::Leased => match self.lasting.outlet.lease_or_stop(need_bytes).await {
                    Some(lease) => self.filling.grow(need_bytes, lease),
                    None => return Ok(false),
                },
            }
        }
    }

    /// As [`Follow::room_for`], for an event of a compressed transaction, which goes into the batch apart.
    async fn room_apart(&mut self, need_bytes: usize) -> Goes {
        loop {
            match self.apart.room_for(need_bytes) {
                Room::There => return Ok(true),
                Room::AfterBatch => {
                    if !self.flush_apart().await? {
                        return Ok(false);
                    }
                }
                Room::Leased => match self.lasting.outlet.lease_or_stop(need_bytes).await {
                    Some(lease) => self.apart.grow(need_bytes, lease),
                    None => return Ok(false),
                },
            }
        }
    }

    /// Takes one event. The two batches follow each other: before one gets an item, the other is sent.
    async fn event(&mut self, event: Range<usize>, end: usize) -> Goes {
        let bytes = &self.filling.buffer[event.clone()];
        if needs_room(bytes) && !self.decoder.is_keeping() {
            let from = self.apart.buffer.len();
            self.apart.buffer.extend_from_slice(bytes);
            self.filling.decoded(end);
            if !self.empty_filling().await? {
                return Ok(false);
            }
            return self.event_apart(from..from + event.len(), false).await;
        }
        let is_between = Header::parse(bytes).is_some_and(|header| header.kind.is_before_payload());
        if !self.apart.is_empty() && !is_between && !self.flush_apart().await? {
            return Ok(false);
        }
        let step = loop {
            let mut context = Context { tables: self.lasting.tables, catalog: &self.lasting.schema.catalog };
            let Filling { buffer, batch, .. } = &mut self.filling;
            let step = self.decoder.event(buffer, event.clone(), false, batch, &mut context);
            let Ok(Step::InDoubt(table)) = step else { break step };
            if !Box::pin(self.find_out(table, false)).await? {
                return Ok(false);
            }
        };
        self.filling.decoded(end);
        if self.decoder.held.needs_room(&self.filling.batch, self.filling.used_bytes()) {
            if !self.flush_filling().await? {
                return Ok(false);
            }
            self.decoder.held.begin(&self.filling.batch, self.decoder.place.counted());
        }
        match self.known_or_passed(step)?.unwrap_or(Step::Done) {
            Step::Done | Step::InDoubt(_) => Ok(true),
            Step::Statement(statement) => self.statement(&statement).await,
            Step::Payload(payload) => self.unpack(*payload).await,
            Step::Kept(kept) => Ok(self.empty_filling().await? && self.send_kept(kept).await?),
        }
    }

    /// What was read of an event; none of one that cannot be decoded and is passed over.
    fn known_or_passed<T>(&mut self, read: Result<T, Error>) -> Result<Option<T>, Error> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error) => self.undecodable.pass_over(error, &mut self.decoder).map(|()| None),
        }
    }

    /// Decodes an event that stands in the batch apart.
    async fn event_apart(&mut self, range: Range<usize>, is_inner: bool) -> Goes {
        let done = loop {
            let mut context = Context { tables: self.lasting.tables, catalog: &self.lasting.schema.catalog };
            let Filling { buffer, batch, .. } = &mut self.apart;
            let done = self.decoder.event_apart(buffer, range.clone(), is_inner, batch, &mut context);
            let Ok(Taken::InDoubt(table)) = done else { break done };
            if !Box::pin(self.find_out(table, true)).await? {
                return Ok(false);
            }
        };
        self.known_or_passed(done)?;
        self.apart.decoded(self.apart.buffer.len());
        Ok(true)
    }

    /// Takes an event of a compressed or kept transaction, which stands in the batch apart. None: the connector is to stop.
    async fn inner(&mut self, range: Range<usize>) -> Result<Option<Step>, Error> {
        if needs_room(&self.apart.buffer[range.clone()]) && !self.decoder.is_keeping() {
            return Ok(self.event_apart(range, true).await?.then_some(Step::Done));
        }
        let end = range.end;
        let step = loop {
            let mut context = Context { tables: self.lasting.tables, catalog: &self.lasting.schema.catalog };
            let Filling { buffer, batch, .. } = &mut self.apart;
            let step = self.decoder.event(buffer, range.clone(), true, batch, &mut context);
            let Ok(Step::InDoubt(table)) = step else { break step };
            if !Box::pin(self.find_out(table, true)).await? {
                return Ok(None);
            }
        };
        self.apart.decoded(end);
        Ok(Some(self.known_or_passed(step)?.unwrap_or(Step::Done)))
    }

    /// Takes the events of an XA transaction that is committed. Nothing may wait in the other batch.
    async fn send_kept(&mut self, mut kept: KeptReader) -> Goes {
        while let Some(range) = kept.next(&mut self.apart.buffer) {
            let goes = self.inner(range).await?.is_some();
            if !goes || self.lasting.outlet.stopping() || self.apart.is_full() && !self.flush_apart().await? {
                return Ok(false);
            }
        }
        self.decoder.unkept(&mut self.apart.batch);
        Ok(true)
    }

    /// Takes the events of a compressed transaction.
    async fn unpack(&mut self, mut payload: PayloadReader) -> Goes {
        if !self.empty_filling().await? {
            return Ok(false);
        }
        loop {
            let next = payload.header(&mut self.apart.buffer);
            let next = next.map_err(|fault| self.decoder.reader.error(fault).into());
            // What stands behind data that cannot be decompressed cannot be read either.
            let Some(header) = self.known_or_passed(next)?.flatten() else { break };
            let length = header.length as usize;
            if !self.room_apart(length).await? {
                return Ok(false);
            }
            let body = payload.body(&header, &mut self.apart.buffer);
            let body = body.map_err(|fault| self.decoder.reader.error(fault).into());
            let Some(()) = self.known_or_passed(body)? else { break };
            // Nothing but the header stood behind what is decoded.
            let range = self.apart.used_bytes()..self.apart.used_bytes() + length;
            let Some(step) = self.inner(range).await? else { return Ok(false) };
            let goes = match step {
                Step::Statement(statement) => self.statement(&statement).await? && self.empty_filling().await?,
                Step::Kept(kept) => self.send_kept(kept).await?,
                _ if self.is_full() => self.flush_apart().await?,
                _ => !self.lasting.outlet.stopping(),
            };
            if !goes {
                return Ok(false);
            }
        }
        // Of an event that could not be decompressed whole there may be a part.
        self.apart.buffer.truncate(self.apart.used_bytes());
        self.decoder.unpacked();
        Ok(true)
    }

    /// Applies a statement that may change tables. What stands before it is sent first, unless it is held back; what stands
    /// behind it only when the history has it.
    async fn statement(&mut self, statement: &Statement) -> Goes {
        let stays = self.decoder.holds() && self.apart.is_empty();
        if !stays && !self.flush().await? {
            return Ok(false);
        }
        let Lasting { tables, schema, outlet, .. } = &mut self.lasting;
        let query = Query { text: &statement.text, database: &statement.database, sql_mode: statement.sql_mode };
        let ddl = Ddl { query, position: &statement.position };
        let left = schema.streamed(ddl, tables);
        let mut stop = outlet.stop.clone();
        tokio::select! {
            biased;
            kept = schema.append(left.history) => kept?,
            () = async { drop(stop.wait_for(|stop| *stop).await) } => return Ok(false),
        }
        let batch = &mut self.filling.batch;
        let events = left
            .changes
            .iter()
            .filter_map(|change| schema.event(change, &statement.position, SnapshotMark::Streamed, tables));
        batch.items.extend(events.map(|event| Item::Event(Box::new(event))));
        if let Some(id) = &left.truncated
            && let Some(table) = schema.catalog.table(id)
        {
            let known = tables.known(table, Wire::Text)?;
            self.decoder.truncated(statement, known, batch);
        }
        self.decoder.applied(statement, batch);
        Ok(true)
    }

    /// Adds a heartbeat when one is due and there is a position to carry.
    fn beat(&mut self) {
        let filling = if self.apart.is_empty() { &mut self.filling } else { &mut self.apart };
        let Some(position) = filling.last_position().or(self.lasting.reached.as_ref()) else { return };
        let heartbeat = self.lasting.heartbeat.as_mut();
        if let Some(event) = heartbeat.and_then(|heartbeat| heartbeat.beat(now_ms(), position, false)) {
            filling.batch.items.push(Item::Event(Box::new(event)));
            if let Some(action) = &self.lasting.action {
                action.beat();
            }
        }
    }

    /// Sends what there is. False when the pipeline is gone or the connector is to stop.
    async fn flush(&mut self) -> Goes {
        Ok(self.flush_apart().await? && self.flush_filling().await?)
    }

    /// Sends what waits in the batch of the connection's own events, so that the other batch can be filled.
    async fn empty_filling(&mut self) -> Goes {
        // More than once, because a heartbeat may come after what was sent.
        while !self.filling.is_empty() {
            if !self.flush_filling().await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn flush_filling(&mut self) -> Goes {
        let goes = send(&mut self.filling, &mut self.lasting, &mut self.decoder).await?;
        self.beat();
        Ok(goes)
    }

    async fn flush_apart(&mut self) -> Goes {
        send(&mut self.apart, &mut self.lasting, &mut self.decoder).await
    }
}

/// Sends a batch, if there is anything in it.
async fn send(filling: &mut Filling, lasting: &mut Lasting<'_>, decoder: &mut Decoder) -> Goes {
    if let Some(plans) = wanting(filling, lasting) {
        return Box::pin(send_filled(filling, lasting, decoder, &plans)).await;
    }
    let mut lease = filling.lease();
    if lease.is_none() && !filling.is_empty() {
        // Lease now: when the batch takes this buffer, a new one is allocated.
        lease = lasting.outlet.lease_or_stop(filling.used_bytes()).await;
        if lease.is_none() {
            return Ok(false);
        }
    }
    let Some((batch, lease)) = filling.take().zip(lease) else { return Ok(true) };
    Ok(hand_over(batch, lease, lasting, decoder).await)
}

/// Sends a batch that was taken. False when the pipeline is gone or the connector is to stop.
pub(super) async fn hand_over(
    batch: Box<Batch>,
    lease: Lease,
    lasting: &mut Lasting<'_>,
    decoder: &mut Decoder,
) -> bool {
    decoder.held.sent(batch.items.len());
    let reached = reached(&batch);
    count(&lasting.outlet.meters, decoder.held.counts(), reached.as_ref());
    let mut stop = lasting.outlet.stop.clone();
    let outlet = &*lasting.outlet;
    let is_sent = tokio::select! {
        biased;
        place = outlet.place() => place.map(|place| place.send(Message::Batch(batch, lease))).is_some(),
        () = async { drop(stop.wait_for(|stop| *stop).await) } => false,
    };
    if is_sent && reached.is_some() {
        *lasting.reached = reached;
    }
    is_sent
}

impl EventKind {
    /// Whether the event stands between compressed transactions and gives no item of a batch.
    fn is_before_payload(self) -> bool {
        [Self::GTID, Self::GTID_TAGGED, Self::ANONYMOUS_GTID, Self::TRANSACTION_PAYLOAD, Self::HEARTBEAT]
            .contains(&self)
    }
}
