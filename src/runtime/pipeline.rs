//! The pipeline of a task: takes batches through the chain of transforms and the converters, and hands bytes to the sink. It
//! runs in order on one plain thread, because converting is CPU work and would block the reader's async thread.
//!
//! The cells of a change are decoded once, into scratch that is reused; the key, the value and every view of them are
//! written from there. Encoders are prepared once for each topic and schema.
//!
//! Must not know: which connector, which broker; where positions are stored.

mod attempts;
mod counted;
mod left_out;
pub(crate) mod records;
mod scratch;
pub(crate) mod single;
mod spans;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use record::{Batch, Change, Event, Header, Item, Position, Record, SnapshotMark};
use relational::{CopyState, Message};
use tokio::sync::mpsc;
use tokio::time::Instant;
use transforms::Chain;

use super::exactly_once::Turns;
use super::failpoint;
use super::failure::Failure;
use super::ledger::{LaneId, Ledger};
use super::letters::desk::Desk;
use super::letters::kept::{Held, Kept};
use super::tolerance::Reporter;
use super::topics::NewTopics;
use super::trail::Origin;
use crate::sink::topics::Topics;
use crate::sink::{EncodedHeaders, Outgoing, Sink, SinkError};

use self::counted::source_ms;
use self::scratch::{KnownTopics, Last, Scratch};

pub(crate) use self::attempts::{Attempts, Awaited};
pub(crate) use self::spans::Spans;
pub(crate) use self::writer::Writer;

/// How long the abort of a transaction is waited for.
const ABORT: Duration = Duration::from_secs(30);

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
    /// Writes the letters of records that are left out, if the configuration names a topic for them.
    pub(crate) letters: Option<Letters>,
    /// With exactly-once delivery: keeps the pipeline between two messages while a transaction ends.
    pub(crate) turns: Option<Arc<Turns>>,
    /// Makes spans of batches and copies; none where traces are off.
    pub(crate) spans: Option<Spans>,
}

/// Where the letters of a task are written.
pub(crate) struct Letters {
    pub(crate) desk: Desk,
    /// Makes their topic; it is needed once.
    pub(crate) make: Option<Topics>,
}

/// Where a record comes from.
#[derive(Clone, Copy)]
struct Source<'a> {
    /// The table; none for a record that is no row.
    table: Option<&'a Arc<str>>,
    position: Option<&'a Position>,
    /// The index of its event in the batch, and its place among the records of the event.
    item: u32,
    nth: u8,
    /// Its change, if it is a row's.
    change: Option<&'a Change>,
}

impl Source<'_> {
    fn origin(self) -> Origin {
        Origin { table: self.table.cloned(), position: self.position.cloned(), kept: None }
    }
}

impl Pipeline {
    /// Runs until the connector closes its end, or until a record cannot be sent.
    ///
    /// # Errors
    /// The failure that ends the task. Positions of records sent before it are marked.
    pub(crate) fn run(mut self, mut records: mpsc::Receiver<Message>) -> Result<(), Failure> {
        let mut scratch = Scratch::default();
        self.open_letters()?;
        while let Some(message) = records.blocking_recv() {
            if let Some(turns) = &self.turns {
                turns.work();
            }
            let outcome = self.message(message, &mut scratch);
            if let Some(turns) = &self.turns {
                turns.rest(records.is_empty());
            }
            outcome?;
        }
        Ok(())
    }

    fn message(&mut self, message: Message, scratch: &mut Scratch) -> Result<(), Failure> {
        match message {
            Message::Batch(batch, lease) => {
                let resets = self.topics.resets();
                if resets != scratch.known.resets {
                    scratch.known = KnownTopics { resets, ..KnownTopics::default() };
                }
                let held = Arc::new(Held::new(batch, lease));
                self.hold(&held, scratch);
                let (begun, outcome) = (Instant::now(), self.batch(&held.batch, scratch));
                let counts = self.count(&held.batch, begun, scratch);
                if let Some(spans) = &mut self.spans {
                    spans.batch(&held.batch, &counts, scratch.clock_ns, &outcome, &self.ledger);
                }
                scratch.held = None;
                outcome
            }
            Message::Store(position, tell) => {
                self.ledger.mark(LaneId::STREAM, position, Some(tell));
                Ok(())
            }
            Message::Copy(state) => self.copies(state),
        }
    }

    /// Makes the topic of the letters, so that it is known at the start whether they can be written.
    fn open_letters(&mut self) -> Result<(), Failure> {
        let Some(letters) = &mut self.letters else { return Ok(()) };
        let topic = Arc::clone(letters.desk.topic());
        let make = letters.make.take();
        self.topics
            .ensure_by(make.as_ref(), &topic, self.attempts.handle())
            .map_err(|error| Failure::letter_topic(&error))
    }

    /// Keeps the batch for the letters of its records, if there may be any, and lets go of those that are delivered.
    fn hold(&self, held: &Arc<Held>, scratch: &mut Scratch) {
        let Some(trail) = self.reporter.tolerance.trail.as_ref().filter(|_| self.letters.is_some()) else { return };
        self.ledger.advance();
        trail.release(|seq| self.ledger.covers(seq));
        scratch.held = Some(Arc::clone(held));
    }

    /// How far a copy is. With exactly-once delivery its rows are one transaction: nobody is to see the rows of an attempt that
    /// failed, or that was followed by another.
    fn copies(&mut self, state: CopyState) -> Result<(), Failure> {
        if let Some(spans) = &mut self.spans {
            spans.copy(state);
        }
        let Some(turns) = self.turns.as_ref().filter(|turns| turns.copies(state)) else { return Ok(()) };
        // What is dropped is reported as delivered, but no broker acknowledged it.
        self.ledger.forget_commits();
        if let Some(spans) = &self.spans {
            spans.give_up();
        }
        self.sink.abort(ABORT).and_then(|()| self.sink.begin()).map_err(|error| Failure::sink(&error))?;
        turns.give_up_below(self.ledger.given());
        Ok(())
    }

    fn batch(&mut self, batch: &Batch, scratch: &mut Scratch) -> Result<(), Failure> {
        failpoint::reach("pipeline", &self.reporter.connector);
        scratch.take_time(self.letters.is_some());
        scratch.is_timed = false;
        let context = Arc::clone(&self.context.headers);
        let (mut before, mut after, mut other) = (Vec::new(), Vec::new(), Vec::new());
        // Only the last position of a batch is marked, so that the ledger need not hold one for each event.
        let mut reached: Option<&Position> = None;
        let mut last = None;
        // Whether the batch ends inside of an event, or behind a transaction's BEGIN. The rest is in the next one.
        let mut is_cut = false;
        let mut outcome = Ok(());
        for (index, item) in (0..).zip(&batch.items) {
            match item {
                Item::Position(_) => {}
                Item::Event(event) => outcome = self.event(event, index, &context, scratch),
                Item::Change(change) => {
                    before.clear();
                    after.clear();
                    other.clear();
                    let cells = [&mut before, &mut after, &mut other];
                    let source = Source {
                        table: Some(&batch.shapes[usize::from(change.shape)].table),
                        position: Some(&change.position),
                        item: index,
                        nth: 0,
                        change: Some(change),
                    };
                    if !scratch.is_timed && change.mark == SnapshotMark::Streamed {
                        let shape = &batch.shapes[usize::from(change.shape)];
                        scratch.committed_ms = source_ms(shape, &change.position);
                    }
                    let now_ns = scratch.now_ns;
                    let give = |record: Record<'_>, nth| self.record(record, Source { nth, ..source }, scratch);
                    outcome = records::of_change(batch, change, &context, cells, now_ns, give);
                    scratch.counts.change(change);
                    scratch.committed_ms = None;
                    last = Some(change).filter(|change| change.mark == SnapshotMark::Streamed).or(last);
                }
            }
            if outcome.is_err() {
                break;
            }
            let position = item.reached();
            is_cut = position.is_none();
            reached = position.or(reached);
        }
        scratch.counts.source_ms =
            last.and_then(|change| source_ms(&batch.shapes[usize::from(change.shape)], &change.position));
        // A transaction may end at a mark only, and one behind half an event would make that half visible.
        let may_mark = outcome.is_ok() && !is_cut || self.turns.is_none();
        if let Some(position) = reached.filter(|_| may_mark) {
            self.ledger.mark(LaneId::STREAM, position.clone(), None);
        }
        outcome
    }

    fn event(
        &mut self,
        event: &Event,
        item: u32,
        context: &[Header<'static>],
        scratch: &mut Scratch,
    ) -> Result<(), Failure> {
        let source = Source { table: None, position: event.position.as_ref(), item, nth: 0, change: None };
        self.record(records::of_event(event, context), source, scratch)
    }

    /// Takes one record through the chain and sends it; leaves it out when errors are tolerated.
    fn record(&mut self, record: Record<'_>, source: Source<'_>, scratch: &mut Scratch) -> Result<(), Failure> {
        scratch.counts.polled += 1;
        if self.chain.is_empty() {
            let outcome = self.send(&record, source, scratch);
            return outcome.or_else(|failure| self.failed(failure, &record.topic, source, Some(&record), scratch));
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
        outcome.or_else(|failure| self.failed(failure, &topic, source, kept.as_ref(), scratch))
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
        let seq = number(&self.ledger, &*self.sink)?;
        let sent_ms = scratch.time_ms(Last::Sent);
        if let Some(trail) = &self.reporter.tolerance.trail {
            let kept = scratch.held.as_ref().map(|held| Kept::new(held, source.item, source.nth, sent_ms));
            trail.note(seq, Origin { kept, ..source.origin() }, |seq| self.ledger.covers(seq));
        }
        let outgoing = Outgoing {
            topic,
            partition: record.partition,
            // The clock is read once a batch; without a timestamp the producer would read it for each record.
            timestamp_ms: record.timestamp_ms.or(Some(sent_ms)),
            key: has_key.then_some(key.bytes()),
            value: has_value.then_some(value.bytes()),
            headers,
            seq,
        };
        if let Some(committed_ms) = scratch.committed_ms.take() {
            self.ledger.note_commit(seq, committed_ms);
            scratch.is_timed = true;
        }
        scratch.counts.sent_bytes += (key.bytes().len() + value.bytes().len()) as u64;
        self.sink.send(outgoing).map_err(|error| {
            self.ledger.take_commit(seq);
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

/// The next number of the ledger. Waits while it has none.
fn number(ledger: &Ledger, sink: &dyn Sink) -> Result<u64, Failure> {
    loop {
        match ledger.take(LaneId::STREAM) {
            Some(seq) => return Ok(seq),
            // A delivery failed, or the task is stopped: the ledger will have no room.
            None if sink.is_stopped() => return Err(Failure::sink(&SinkError::Stopped)),
            // More records are under way than the ledger holds: deliveries make room.
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
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
