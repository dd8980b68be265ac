//! The pipeline of a task: takes batches through the chain of transforms and the converters, and hands bytes to the sink. It
//! runs in order on one plain thread, because converting is CPU work and would block the reader's async thread.
//!
//! The cells of a change are decoded once, into scratch that is reused; the key, the value and every view of them are
//! written from there. Encoders are prepared once for each topic and schema.
//!
//! Must not know: which connector, which broker; where positions are stored.

mod attempts;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use record::{
    Batch, Change, Decoded, Event, Header, Headers, Item, KeyMove, Op, Payload, Position, Record, Schema, Shape,
    SnapshotMark, SourceField, ValueRef,
};
use relational::Message;
use tokio::sync::mpsc;
use tokio::time::Instant;
use transforms::Chain;

use super::failpoint;
use super::failure::{Failure, Stage};
use super::ledger::{LaneId, Ledger};
use super::tolerance::{Reporter, class_of};
use super::topics::NewTopics;
use super::trail::Origin;
use crate::sink::{EncodedHeaders, Outgoing, Sink, SinkError};

pub(crate) use self::attempts::{Attempts, Awaited};
pub(crate) use self::writer::Writer;

/// The headers of the two records in which a change of a row's key is sent.
static NEW_KEY: LazyLock<Arc<str>> = LazyLock::new(|| "__debezium.newkey".into());
static OLD_KEY: LazyLock<Arc<str>> = LazyLock::new(|| "__debezium.oldkey".into());

/// Headers that every row's record of the connector has.
#[derive(Debug, Default)]
pub(crate) struct Context {
    /// As the transforms see them.
    pub(crate) headers: Arc<[Header<'static>]>,
    /// The same headers as bytes.
    pub(crate) encoded: EncodedHeaders,
}

/// The parts of a pipeline.
pub(crate) struct Pipeline {
    pub(crate) chain: Chain,
    pub(crate) key: Writer,
    pub(crate) value: Writer,
    pub(crate) header: Writer,
    pub(crate) context: Context,
    /// Where the bytes go.
    pub(crate) sink: Arc<dyn Sink>,
    /// What has been delivered.
    pub(crate) ledger: Arc<Ledger>,
    /// Makes topics at their first record.
    pub(crate) topics: Arc<NewTopics>,
    /// Counts and logs records that fail.
    pub(crate) reporter: Arc<Reporter>,
    /// Tries operations again that may succeed later.
    pub(crate) attempts: Attempts,
}

/// What is kept from record to record, so that it need not be made again.
#[derive(Default)]
struct Scratch {
    known: KnownTopics,
    /// The time at which the batch was taken, in nanoseconds since 1970. One reading serves the whole batch, so records
    /// of a batch that had to wait for the broker have an older timestamp.
    now_ns: i64,
    counts: Counts,
}

/// What is counted in a batch, for the meters.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    reads: u64,
    creates: u64,
    updates: u64,
    deletes: u64,
    others: u64,
    polled: u64,
    sent: u64,
    sent_bytes: u64,
    dropped: u64,
    /// When the source wrote the last change, milliseconds since 1970.
    source_ms: Option<i64>,
}

impl Counts {
    fn change(&mut self, change: &Change) {
        match (change.mark, change.op) {
            (mark, _) if mark != SnapshotMark::Streamed => self.reads += 1,
            (_, Op::Read) => self.reads += 1,
            (_, Op::Create) => self.creates += 1,
            (_, Op::Update) => self.updates += 1,
            (_, Op::Delete) => self.deletes += 1,
            (_, Op::Truncate) => self.others += 1,
        }
    }
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Topics that have been made. The last record's topic is looked at first, as it is nearly always that of the next one too.
#[derive(Default)]
struct KnownTopics {
    last: Option<Arc<str>>,
    all: HashSet<Arc<str>>,
    /// How many resets of topics there had been when these topics were made known.
    resets: u64,
}

impl KnownTopics {
    fn contains(&mut self, topic: &Arc<str>) -> bool {
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

/// The table and the position that a record comes from.
type Source<'a> = (Option<&'a Arc<str>>, Option<&'a Position>);

fn origin((table, position): Source<'_>) -> Origin {
    Origin { table: table.cloned(), position: position.cloned() }
}

impl Pipeline {
    /// Runs until the connector closes its end, or until a record cannot be sent.
    ///
    /// # Errors
    /// The failure that ends the task. Positions of records sent before it are marked.
    pub(crate) fn run(mut self, mut records: mpsc::Receiver<Message>) -> Result<(), Failure> {
        let mut scratch = Scratch::default();
        while let Some(message) = records.blocking_recv() {
            match message {
                Message::Batch(batch, lease) => {
                    let resets = self.topics.resets();
                    if resets != scratch.known.resets {
                        scratch.known = KnownTopics { resets, ..KnownTopics::default() };
                    }
                    let (begun, outcome) = (Instant::now(), self.batch(&batch, &mut scratch));
                    self.count(&batch, begun, &mut scratch);
                    outcome?;
                    drop(lease);
                }
                Message::Store(position, tell) => self.ledger.mark(LaneId::STREAM, position, Some(tell)),
            }
        }
        Ok(())
    }

    /// Adds a batch's counts to the meters.
    fn count(&self, batch: &Batch, begun: Instant, scratch: &mut Scratch) {
        let counts = std::mem::take(&mut scratch.counts);
        let now_ms = scratch.now_ns / 1_000_000;
        let under_way = self.ledger.under_way();
        self.reporter.meters.count(|numbers| {
            numbers.reads += counts.reads;
            numbers.creates += counts.creates;
            numbers.updates += counts.updates;
            numbers.deletes += counts.deletes;
            numbers.others += counts.others;
            numbers.filtered += u64::from(batch.filtered);
            numbers.transactions += u64::from(batch.transactions);
            numbers.queued = numbers.queued.saturating_sub(1);
            numbers.queued_bytes = numbers.queued_bytes.saturating_sub(batch.buffer.len() as u64);
            numbers.polled += counts.polled;
            numbers.sent += counts.sent;
            numbers.sent_bytes += counts.sent_bytes;
            numbers.dropped += counts.dropped;
            if let Some(source_ms) = counts.source_ms {
                numbers.last_event_ms = Some(now_ms);
                numbers.lag_ms = Some(now_ms - source_ms);
                numbers.lags.add(now_ms - source_ms);
            }
            if counts.polled > 0 {
                let at = Instant::now();
                numbers.batch_records.add(at, counts.polled as f64);
                numbers.batch_ms.add(at, at.duration_since(begun).as_secs_f64() * 1000.0);
                numbers.writes.add(at, counts.sent as f64);
                numbers.active.add(at, under_way as f64);
            }
        });
    }

    fn batch(&mut self, batch: &Batch, scratch: &mut Scratch) -> Result<(), Failure> {
        failpoint::reach("pipeline", &self.reporter.connector);
        scratch.now_ns = now().as_nanos() as i64;
        let context = Arc::clone(&self.context.headers);
        let (mut before, mut after, mut other) = (Vec::new(), Vec::new(), Vec::new());
        // Only the last position of a batch is marked, so that the ledger need not hold one for each event.
        let mut reached: Option<&Position> = None;
        let mut last = None;
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
                    let cells = [&mut before, &mut after, &mut other];
                    outcome = self.change(batch, change, &context, cells, scratch);
                    scratch.counts.change(change);
                    last = Some(change);
                    change.last.then_some(&change.position)
                }
            };
            if outcome.is_err() {
                break;
            }
            reached = position.or(reached);
        }
        scratch.counts.source_ms =
            last.and_then(|change| source_ms(&batch.shapes[usize::from(change.shape)], &change.position));
        if let Some(position) = reached {
            self.ledger.mark(LaneId::STREAM, position.clone(), None);
        }
        outcome
    }

    fn change<'a>(
        &mut self,
        batch: &'a Batch,
        change: &'a Change,
        context: &'a [Header<'static>],
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
        let (before, after) = (has_before.then_some(&**before), has_after.then_some(&**after));
        let decoded = Decoded::new(shape, change, before, after, scratch.now_ns);
        // The other key of a row whose key changed.
        let moved = change.moved.map(|_| Decoded { key: Some(other), ..Decoded::new(shape, change, None, None, 0) });
        let key = if change.op == Op::Truncate { Payload::Null } else { decoded.key() };
        let record = |value| {
            let mut headers = Headers::shared(context);
            if let Some(moved) = &moved {
                let name = if matches!(change.moved, Some(KeyMove::To(_))) { &NEW_KEY } else { &OLD_KEY };
                headers.push_front(Header { name: Arc::clone(name), value: moved.key() });
            }
            let topic = Arc::clone(&shape.topic);
            Record { topic, partition: None, timestamp_ms: None, key: key.clone(), value, headers }
        };
        let source = (Some(&shape.table), Some(&change.position));
        self.record(record(decoded.envelope()), source, scratch)?;
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
            headers: Headers::default(),
        };
        self.record(record, (None, event.position.as_ref()), scratch)
    }

    /// Takes one record through the chain and sends it; leaves it out when errors are tolerated.
    fn record(&mut self, record: Record<'_>, source: Source<'_>, scratch: &mut Scratch) -> Result<(), Failure> {
        scratch.counts.polled += 1;
        if self.chain.is_empty() {
            let outcome = self.send(&record, source, scratch);
            return outcome.or_else(|failure| self.failed(failure, &record.topic, source, Some(&record)));
        }
        let topic = Arc::clone(&record.topic);
        let kept = self.reporter.tolerance.keeps_records().then(|| record.clone());
        let transformed = match &kept {
            None => self.chain.apply(record).map_err(|error| Failure::transform(&error)),
            Some(kept) => {
                let chain = &mut self.chain;
                self.attempts.run(|| chain.apply(kept.clone()).map_err(|error| Failure::transform(&error)))
            }
        };
        let outcome = match transformed {
            Ok(Some(record)) => self.send(&record, source, scratch),
            Ok(None) => {
                scratch.counts.dropped += 1;
                Ok(())
            }
            Err(failure) => Err(failure),
        };
        outcome.or_else(|failure| self.failed(failure, &topic, source, kept.as_ref()))
    }

    /// Counts and logs a record that could not be sent. `Ok` when it is left out, an error when the task ends.
    fn failed(
        &self,
        failure: Failure,
        topic: &str,
        source: Source<'_>,
        record: Option<&Record<'_>>,
    ) -> Result<(), Failure> {
        let tolerance = &self.reporter.tolerance;
        let class = match failure.stage() {
            Stage::Transformation => self.chain.failed_class(),
            Stage::HeaderConverter => self.header.class,
            Stage::KeyConverter => self.key.class,
            Stage::ValueConverter => self.value.class,
            // Not tolerated, or not the record's fault: the task ends and its trace says why; nothing is logged here.
            _ if tolerance.trail.is_none() || !failure.is_of_the_record() => return Err(failure),
            stage => class_of(stage),
        };
        if failure.is_stop() {
            return Err(failure);
        }
        let origin = origin(source);
        let shown = record.filter(|_| tolerance.logs && tolerance.shows_records);
        let shown = shown.map(|record| self.reporter.show(record, &origin));
        let goes_on = self.reporter.failed(&failure, class, topic, &origin, shown.as_deref());
        if goes_on { Ok(()) } else { Err(failure) }
    }

    fn send(&mut self, record: &Record<'_>, source: Source<'_>, scratch: &mut Scratch) -> Result<(), Failure> {
        let Self { key, value, header, context, attempts, .. } = self;
        let topic = &record.topic;
        let is_new = !scratch.known.contains(topic);
        if is_new {
            self.topics.ensure(topic, attempts.handle()).map_err(|error| Failure::topic(&error))?;
        }
        let own;
        let headers = match record.headers.parts() {
            ([], false, []) => None,
            ([], true, []) => Some(&context.encoded),
            (front, is_shared, back) => {
                let mut set = encoded(header, front, EncodedHeaders::default(), record, attempts)?;
                if is_shared {
                    set = set.and(&context.encoded);
                }
                own = encoded(header, back, set, record, attempts)?;
                Some(&own)
            }
        };
        let has_key = key.write(topic, &record.key, &record.headers, attempts)?;
        let has_value = value.write(topic, &record.value, &record.headers, attempts)?;
        let with_ids;
        let headers = if key.headers().is_empty() && value.headers().is_empty() {
            headers
        } else {
            let mut set = headers.cloned().unwrap_or_default();
            for (name, id) in key.headers().iter().chain(value.headers()) {
                set = set.with(name, Some(id));
            }
            with_ids = set;
            Some(&with_ids)
        };
        let seq = loop {
            match self.ledger.take(LaneId::STREAM) {
                Some(seq) => break seq,
                // A delivery failed, or the task is stopped: the ledger will have no room.
                None if self.sink.is_stopped() => return Err(Failure::sink(&SinkError::Stopped)),
                // More records are under way than the ledger holds: deliveries make room.
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        };
        if let Some(trail) = &self.reporter.tolerance.trail {
            trail.note(seq, origin(source), |seq| self.ledger.covers(seq));
        }
        let outgoing = Outgoing {
            topic,
            partition: record.partition,
            // The clock is read once a batch; without a timestamp the producer would read it for each record.
            timestamp_ms: record.timestamp_ms.or(Some(scratch.now_ns / 1_000_000)),
            key: has_key.then_some(key.bytes()),
            value: has_value.then_some(value.bytes()),
            headers,
            seq,
        };
        scratch.counts.sent_bytes += (key.bytes().len() + value.bytes().len()) as u64;
        self.sink.send(outgoing).map_err(|error| {
            // Nothing was sent under this number: it must not hold up the positions behind it.
            if !matches!(error, SinkError::Stopped) {
                self.ledger.done(seq);
            }
            Failure::sink(&error)
        })?;
        scratch.counts.sent += 1;
        if is_new {
            self.topics.sent(topic, seq);
            scratch.known.all.insert(Arc::clone(topic));
        }
        Ok(())
    }
}

/// When the source wrote an event, in milliseconds since 1970, if its source block says so.
fn source_ms(shape: &Shape, position: &Position) -> Option<i64> {
    let slot = shape.source.fields.iter().find_map(|field| match field {
        SourceField::Millis(slot) => Some(*slot),
        _ => None,
    })?;
    position.word(slot).map(|us| us.div_euclid(1000))
}

/// Converts some of the record's headers and adds them to a set.
fn encoded(
    writer: &mut Writer,
    headers: &[Header<'_>],
    set: EncodedHeaders,
    record: &Record<'_>,
    attempts: &mut Attempts,
) -> Result<EncodedHeaders, Failure> {
    let mut set = set;
    for header in headers {
        let there = writer.write(&record.topic, &header.value, &record.headers, attempts)?;
        set = set.with(&header.name, there.then_some(writer.bytes()));
    }
    Ok(set)
}
