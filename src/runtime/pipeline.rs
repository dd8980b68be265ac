//! The pipeline of a task: batches in, through the chain and the converters, bytes out to the sink. One plain thread, in
//! order: converting is CPU work and has no place on the reader's side.
//!
//! Cells are decoded once a change, into scratch that is reused; the key, the value and every view of them are written
//! from there. Encoders are prepared once a topic and schema and found again by a pointer and a number.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use record::{Batch, Change, Decoded, Event, Item, KeyMove, Op, Payload, Position, Record, Schema, ValueRef};
use relational::Message;
use serde_json::{Map, Value as Json};
use settings::Properties;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use transforms::Chain;

use super::failpoint;
use super::failure::{Failure, Stage};
use super::ledger::Ledger;
use super::topics::NewTopics;
use super::trail::{Origin, Trail};
use crate::convert::{Converter, Encoder};
use crate::sink::{HeaderSet, Outgoing, Sink, SinkError};

/// What to do with a record that a transform, a converter or the broker cannot take (`errors.*`).
#[derive(Clone, Debug, Default)]
pub struct Tolerance {
    /// `errors.tolerance=all`: it is left out, and where records come from is kept for that.
    pub all: Option<Arc<Trail>>,
    /// `errors.log.enable`: also transforms' and converters' refusals are logged. The broker's always are.
    pub log: bool,
}

impl Tolerance {
    /// As configured.
    pub fn of(config: &Properties) -> Self {
        let log = config.get("errors.log.enable").is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
        Self { all: (config.get("errors.tolerance") == Some("all")).then(Arc::default), log }
    }
}

/// The parts of a pipeline.
pub struct Pipeline<S: Sink> {
    /// The connector's name.
    pub connector: Arc<str>,
    /// The transforms.
    pub chain: Chain,
    /// Keys to bytes.
    pub key: Box<dyn Converter>,
    /// Values to bytes.
    pub value: Box<dyn Converter>,
    /// Headers to bytes.
    pub header: Box<dyn Converter>,
    /// The connector's own headers, the same on every row's record.
    pub context: HeaderSet,
    /// Where the bytes go.
    pub sink: Arc<S>,
    /// What has been delivered.
    pub ledger: Arc<Ledger>,
    /// Topics that are met for the first time.
    pub topics: Arc<NewTopics>,
    /// What to do with records that fail.
    pub tolerance: Tolerance,
    /// A position as it is stored and logged.
    pub offset: fn(&Position) -> Map<String, Json>,
    /// For what has to wait (a registry, a topic being made).
    pub handle: Handle,
}

/// Encoders are few; the one used last is nearly always the one wanted next.
#[derive(Default)]
struct Encoders {
    known: Vec<(Arc<str>, u32, Arc<Encoder>)>,
    last: usize,
}

/// Encoders kept a role: beyond this the oldest go, so that tables made and dropped for years cost nothing.
const MAX_ENCODERS: usize = 4096;

impl Encoders {
    fn find(&mut self, topic: &Arc<str>, schema: u32) -> Option<usize> {
        let is = |(name, id, _): &(Arc<str>, u32, Arc<Encoder>)| {
            *id == schema && (Arc::ptr_eq(name, topic) || name == topic)
        };
        if self.known.get(self.last).is_some_and(is) {
            return Some(self.last);
        }
        self.last = self.known.iter().position(is)?;
        Some(self.last)
    }

    fn add(&mut self, topic: &Arc<str>, schema: u32, encoder: Encoder) {
        if self.known.len() >= MAX_ENCODERS {
            self.known.drain(..MAX_ENCODERS / 2);
        }
        self.known.push((Arc::clone(topic), schema, Arc::new(encoder)));
        self.last = self.known.len() - 1;
    }
}

/// Buffers and caches of the thread.
#[derive(Default)]
struct Scratch {
    key: Vec<u8>,
    value: Vec<u8>,
    header: Vec<u8>,
    keys: Encoders,
    values: Encoders,
    headers: Encoders,
    known: KnownTopics,
    /// It has been said once that records are left out untold.
    said: bool,
    /// The clock when the batch was taken: a batch is at most a millisecond or two of work.
    now_ns: i64,
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Topics that have been met; the one of the last record is nearly always that of the next.
#[derive(Default)]
struct KnownTopics {
    last: Option<Arc<str>>,
    all: HashSet<Arc<str>>,
    /// The resets at that time.
    resets: u64,
}

impl KnownTopics {
    fn meets(&mut self, topic: &Arc<str>) -> bool {
        if self.last.as_ref().is_some_and(|last| Arc::ptr_eq(last, topic)) {
            return true;
        }
        let known = self.all.contains(topic);
        if known {
            self.last = Some(Arc::clone(topic));
        }
        known
    }
}

impl<S: Sink> Pipeline<S> {
    /// Runs until the connector closes its end, or until a record cannot be sent.
    ///
    /// # Errors
    /// The failure that ends the task. Positions of records sent before it are marked.
    pub fn run(mut self, mut records: mpsc::Receiver<Message>) -> Result<(), Failure> {
        let mut scratch = Scratch::default();
        while let Some(message) = records.blocking_recv() {
            match message {
                Message::Batch(batch, lease) => {
                    let resets = self.topics.resets();
                    if resets != scratch.known.resets {
                        scratch.known = KnownTopics { resets, ..KnownTopics::default() };
                    }
                    self.batch(&batch, &mut scratch)?;
                    drop(lease);
                }
                Message::Store(position, tell) => self.ledger.mark_and_tell(position, tell),
            }
        }
        Ok(())
    }

    fn batch(&mut self, batch: &Batch, scratch: &mut Scratch) -> Result<(), Failure> {
        failpoint::reach("pipeline", &self.connector);
        scratch.now_ns = now().as_nanos() as i64;
        let (mut before, mut after, mut other) = (Vec::new(), Vec::new(), Vec::new());
        // Only the last position of a batch is kept: the ledger need not hold one an event.
        let mut reached: Option<&Position> = None;
        let mut outcome = Ok(());
        for item in &batch.items {
            let position = match item {
                Item::Position(position) => Some(position),
                Item::Event(event) => {
                    outcome = self.event(event, scratch);
                    event.position.as_ref()
                }
                Item::Change(change) => {
                    before.clear();
                    after.clear();
                    other.clear();
                    outcome = self.change(batch, change, [&mut before, &mut after, &mut other], scratch);
                    change.last.then_some(&change.position)
                }
            };
            if outcome.is_err() {
                break;
            }
            reached = position.or(reached);
        }
        if let Some(position) = reached {
            self.ledger.mark(position.clone());
        }
        outcome
    }

    fn change<'a>(
        &mut self,
        batch: &'a Batch,
        change: &'a Change,
        [before, after, other]: [&mut Vec<ValueRef<'a>>; 3],
        scratch: &mut Scratch,
    ) -> Result<(), Failure> {
        let shape = &*batch.shapes[usize::from(change.shape)];
        let decode = |row, out: &mut Vec<ValueRef<'a>>| {
            shape
                .decode
                .row(&batch.buffer, batch.cells(row), out)
                .map_err(|error| Failure::decode(&shape.table, &error))
        };
        let (mut has_before, mut has_after) = (false, false);
        if let Some(row) = change.before {
            decode(row, before)?;
            has_before = true;
        }
        if let Some(row) = change.after {
            decode(row, after)?;
            has_after = true;
        }
        if let Some(KeyMove::To(row) | KeyMove::From(row)) = change.moved {
            decode(row, other)?;
        }
        let decoded = Decoded {
            shape,
            change,
            before: has_before.then_some(before),
            after: has_after.then_some(after),
            processed_ns: scratch.now_ns,
        };
        let key = match (&shape.key, decoded.key_cells(), change.op) {
            (None, ..) | (_, None, _) | (.., Op::Truncate) => Payload::Null,
            (Some(_), Some(cells), _) => Payload::Key(shape, cells),
        };
        let key_header = match change.moved {
            None => None,
            Some(KeyMove::To(_)) => Some(("__debezium.newkey", shape, &other[..])),
            Some(KeyMove::From(_)) => Some(("__debezium.oldkey", shape, &other[..])),
        };
        let record = |value| Record {
            topic: Arc::clone(&shape.topic),
            partition: None,
            timestamp_ms: None,
            key: key.clone(),
            value,
            context_headers: true,
            key_header,
            headers: Vec::new(),
        };
        let source = (Some(&shape.table), Some(&change.position));
        self.record(record(Payload::Change(&decoded)), source, scratch)?;
        if change.tombstone {
            self.record(record(Payload::Null), source, scratch)?;
        }
        Ok(())
    }

    fn event(&mut self, event: &Event, scratch: &mut Scratch) -> Result<(), Failure> {
        let payload = |part: &Option<(Arc<Schema>, record::Value)>| match part {
            Some((schema, value)) => Payload::Value(Arc::clone(schema), value.clone()),
            None => Payload::Null,
        };
        let record = Record {
            topic: Arc::clone(&event.topic),
            partition: event.partition,
            timestamp_ms: None,
            key: payload(&event.key),
            value: payload(&event.value),
            context_headers: false,
            key_header: None,
            headers: Vec::new(),
        };
        self.record(record, (None, event.position.as_ref()), scratch)
    }

    /// Takes one record through the chain and sends it; leaves it out when errors are tolerated.
    fn record(&mut self, record: Record<'_>, source: Source<'_>, scratch: &mut Scratch) -> Result<(), Failure> {
        if self.chain.is_empty() && self.tolerance.all.is_none() {
            return self.send(&record, source, scratch);
        }
        let topic = Arc::clone(&record.topic);
        let outcome = match self.chain.apply(record) {
            Ok(None) => return Ok(()),
            Ok(Some(record)) => self.send(&record, source, scratch),
            Err(error) => Err(Failure::transform(&error)),
        };
        match outcome {
            Err(failure) if self.tolerance.all.is_some() && failure.is_of_the_record() => {
                if self.tolerance.log || failure.is_of_the_sink() {
                    let what = failure.log_line(&self.connector);
                    left_out(&self.connector, &topic, &origin(source), self.offset, &what);
                } else if !std::mem::replace(&mut scratch.said, true) {
                    tracing::warn!(connector = %self.connector, %topic, "records are left out from here on \
                        (errors.tolerance=all); errors.log.enable=true tells each of them");
                }
                Ok(())
            }
            outcome => outcome,
        }
    }

    fn send(&mut self, record: &Record<'_>, source: Source<'_>, scratch: &mut Scratch) -> Result<(), Failure> {
        let Scratch { key, value, header, keys, values, headers, known, now_ns, .. } = scratch;
        let topic = &record.topic;
        let is_new = !known.meets(topic);
        if is_new {
            self.topics.meet(topic, &self.handle).map_err(|error| Failure::topic(&error))?;
        }
        let has_key = write(&self.handle, &*self.key, keys, topic, &record.key, key, Stage::KeyConverter)?;
        let has_value = write(&self.handle, &*self.value, values, topic, &record.value, value, Stage::ValueConverter)?;
        let own;
        let mut header_set = record.context_headers.then_some(&self.context);
        if record.key_header.is_some() || !record.headers.is_empty() {
            own = self.headers(record, header, headers)?;
            header_set = Some(&own);
        }
        let seq = loop {
            match self.ledger.take() {
                Some(seq) => break seq,
                // A delivery failed, or the task is stopped: no room will come.
                None if self.sink.is_stopped() => return Err(Failure::sink(&SinkError::Stopped)),
                // More records are under way than the ledger holds: deliveries make room.
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        if let Some(trail) = &self.tolerance.all {
            trail.note(seq, origin(source), || self.ledger.done_below());
        }
        let outgoing = Outgoing {
            topic,
            partition: record.partition,
            // One reading of the clock a batch; the producer would take its own for each record.
            timestamp_ms: record.timestamp_ms.or(Some(*now_ns / 1_000_000)),
            key: has_key.then_some(&**key),
            value: has_value.then_some(&**value),
            headers: header_set.filter(|set| !set.is_empty()),
            seq,
        };
        self.sink.send(outgoing).map_err(|error| {
            // Nothing was sent under this number: it must not hold up the positions before it.
            if !matches!(error, SinkError::Stopped) {
                self.ledger.done(seq);
            }
            Failure::sink(&error)
        })?;
        if is_new {
            self.topics.sent(topic, seq);
            known.all.insert(Arc::clone(topic));
        }
        Ok(())
    }

    /// The header of a key change, then the context, then what transforms added.
    fn headers(&self, record: &Record<'_>, buffer: &mut Vec<u8>, cache: &mut Encoders) -> Result<HeaderSet, Failure> {
        let topic = &record.topic;
        let mut set = HeaderSet::default();
        if let Some((name, shape, cells)) = record.key_header {
            let payload = Payload::Key(shape, cells);
            let there = write(&self.handle, &*self.header, cache, topic, &payload, buffer, Stage::HeaderConverter)?;
            set = set.with(name, there.then_some(&**buffer));
        }
        if record.context_headers {
            set = set.and(&self.context);
        }
        for (name, schema, value) in &record.headers {
            let payload = Payload::Borrowed(schema, value);
            let there = write(&self.handle, &*self.header, cache, topic, &payload, buffer, Stage::HeaderConverter)?;
            set = set.with(name, there.then_some(&**buffer));
        }
        Ok(set)
    }
}

/// The table and the position that a record comes from.
type Source<'a> = (Option<&'a Arc<str>>, Option<&'a Position>);

fn origin((table, position): Source<'_>) -> Origin {
    Origin { table: table.cloned(), position: position.cloned() }
}

/// The line of a record that is left out: names only, as cells may be secret.
pub(super) fn left_out(
    connector: &str,
    topic: &str,
    origin: &Origin,
    offset: fn(&Position) -> Map<String, Json>,
    what: &str,
) {
    let table = origin.table.as_deref().unwrap_or("none");
    let position = origin.position.as_ref().map_or(Json::Null, |position| Json::Object(offset(position)));
    tracing::error!(%connector, %topic, %table, %position, "a record is left out (errors.tolerance=all). {what}");
}

/// Writes a payload with its prepared encoder; false for a Kafka null.
fn write(
    handle: &Handle,
    converter: &dyn Converter,
    cache: &mut Encoders,
    topic: &Arc<str>,
    payload: &Payload<'_>,
    out: &mut Vec<u8>,
    stage: Stage,
) -> Result<bool, Failure> {
    out.clear();
    let schema = payload.schema();
    let id = schema.map_or(0, |schema| schema.id);
    let at = if let Some(at) = cache.find(topic, id) {
        at
    } else {
        let encoder = handle.block_on(converter.prepare(topic, schema)).map_err(|e| Failure::convert(stage, &e))?;
        cache.add(topic, id, encoder);
        cache.last
    };
    cache.known[at].2.write(payload, out).map_err(|error| Failure::convert(stage, &error))
}
