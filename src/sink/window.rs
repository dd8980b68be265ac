//! The window: decides which records librdkafka gets at once, and holds the others.
//!
//! librdkafka's idempotent producer has one request under way for each partition. librdkafka's broker thread busy-waits
//! while a record is due (its `linger.ms` is over) but a request is under way. So while records are under way, new ones
//! are held here. They are passed on together when all deliveries have arrived, or after 30 ms, because a partition that
//! cannot be written must not hold up the others. Measured beside other work: 2.7 to 2.9 CPU seconds for a million
//! events instead of 5 to 6, and less memory. Holding records back also limits what a suspended process can still send
//! when it wakes after a takeover: only the requests that were under way.

use std::time::{Duration, Instant};

use super::{EncodedHeaders, Outgoing};

/// After the first record that an idle producer gets, others are passed on at once for this long. It is less than
/// `linger.ms`, so that they leave in the same request.
const OPEN: Duration = Duration::from_micros(400);

/// How long a record waits at most for those under way. Without this limit, a partition that cannot be written would
/// hold up all others for ever.
const PATIENCE: Duration = Duration::from_millis(30);

/// At least this many bytes are passed on together, whatever `batch.size` is. Otherwise a small `batch.size` would mean
/// one small request for each round trip.
const LEAST_BYTES: usize = 256 * 1024;

/// How many records are passed on together at most, because passing them on must take less than `linger.ms`.
const MOST_RECORDS: usize = 1000;

/// The bytes that librdkafka adds to a record in a batch at most, headers not counted.
const FRAME_BYTES: usize = 64;

/// A record that waits. Its topic, key and value stand in the arena one after the other; here are their lengths.
struct Held {
    topic: usize,
    key: Option<usize>,
    value: Option<usize>,
    partition: Option<i32>,
    timestamp_ms: Option<i64>,
    headers: Option<EncodedHeaders>,
    seq: u64,
}

impl Held {
    fn bytes(&self) -> usize {
        self.topic + self.key.unwrap_or(0) + self.value.unwrap_or(0)
    }
}

/// The size of the records that were passed on, or that wait, together.
#[derive(Default)]
struct Chunk {
    bytes: usize,
    topic: String,
    /// Whether there is more than one topic in it.
    is_mixed: bool,
}

impl Chunk {
    fn clear(&mut self) {
        self.bytes = 0;
        self.is_mixed = false;
    }

    fn add(&mut self, out: &Outgoing<'_>) {
        if self.bytes == 0 {
            self.topic.clear();
            self.topic.push_str(out.topic);
        } else if self.topic != out.topic {
            self.is_mixed = true;
        }
        self.bytes += bytes(out);
    }
}

fn bytes(out: &Outgoing<'_>) -> usize {
    let headers = out.headers.map_or(0, |headers| headers.wire_bytes);
    FRAME_BYTES + out.key.map_or(0, <[u8]>::len) + out.value.map_or(0, <[u8]>::len) + headers
}

/// Decides which records are passed on, and holds the others in order.
pub(super) struct Window {
    clock: fn() -> Instant,
    /// The bytes that fit into one request. More records of one topic would have to wait inside librdkafka.
    request_bytes: usize,
    /// The bytes that may wait, or be passed on together, for any number of topics.
    most_bytes: usize,
    passed: Chunk,
    opened: Option<Instant>,
    waiting: Chunk,
    arena: Vec<u8>,
    held: Vec<Held>,
    /// Since when the first of `held` waits.
    since: Option<Instant>,
    /// The index in `held` of the first record that still waits, and where its bytes begin in `arena`.
    next: (usize, usize),
}

impl Window {
    /// A window for a producer with this `batch.size` and this `buffer.memory`, both in bytes.
    pub(super) fn new(batch_bytes: usize, queue_bytes: usize) -> Self {
        Self {
            clock: Instant::now,
            // librdkafka counts its framing against `batch.size`, which is not known exactly, so a margin is left.
            request_bytes: batch_bytes.max(LEAST_BYTES) / 16 * 15,
            most_bytes: queue_bytes / 2,
            passed: Chunk::default(),
            opened: None,
            waiting: Chunk::default(),
            arena: Vec::new(),
            held: Vec::new(),
            since: None,
            next: (0, 0),
        }
    }

    fn limit(&self, chunk: &Chunk) -> usize {
        if chunk.is_mixed { self.most_bytes } else { self.request_bytes.min(self.most_bytes) }
    }

    /// Whether the record may be passed on at once. `is_idle` says that nothing is under way.
    pub(super) fn passes(&mut self, out: &Outgoing<'_>, is_idle: bool) -> bool {
        if !self.is_empty() {
            return false;
        }
        if is_idle {
            self.passed.clear();
            self.opened = Some((self.clock)());
        } else {
            let has_room = self.passed.bytes + bytes(out) <= self.limit(&self.passed);
            let clock = self.clock;
            self.opened = self.opened.filter(|at| has_room && clock().duration_since(*at) < OPEN);
        }
        if self.opened.is_some() {
            self.passed.add(out);
        }
        self.opened.is_some()
    }

    /// Whether no further record may be held for now.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.bytes >= self.limit(&self.waiting) || self.held.len() >= MOST_RECORDS
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Whether the held records have waited for the longest allowed time and must be passed on even if others are under
    /// way.
    pub(super) fn is_overdue(&self) -> bool {
        !self.is_empty() && self.since.is_some_and(|since| (self.clock)().duration_since(since) >= PATIENCE)
    }

    /// Holds a copy of the record.
    pub(super) fn hold(&mut self, out: &Outgoing<'_>) {
        if self.is_empty() {
            self.since = Some((self.clock)());
        }
        self.waiting.add(out);
        self.arena.extend_from_slice(out.topic.as_bytes());
        for part in [out.key, out.value].into_iter().flatten() {
            self.arena.extend_from_slice(part);
        }
        self.held.push(Held {
            topic: out.topic.len(),
            key: out.key.map(<[u8]>::len),
            value: out.value.map(<[u8]>::len),
            partition: out.partition,
            timestamp_ms: out.timestamp_ms,
            headers: out.headers.cloned(),
            seq: out.seq,
        });
    }

    /// Notes that the held records are now passed on. They count as a full request, so no new record joins them: those that
    /// come meanwhile are held.
    pub(super) fn begin_passing_on(&mut self) {
        std::mem::swap(&mut self.passed, &mut self.waiting);
        self.waiting.clear();
        self.opened = None;
    }

    /// The held record that has waited longest.
    pub(super) fn front(&self) -> Option<Outgoing<'_>> {
        let (record, at) = self.next;
        let held = self.held.get(record)?;
        let (topic, rest) = self.arena[at..].split_at(held.topic);
        let (key, rest) = rest.split_at(held.key.unwrap_or(0));
        Some(Outgoing {
            // Cannot fail: these bytes were copied from a `str`.
            topic: std::str::from_utf8(topic).unwrap_or_default(),
            partition: held.partition,
            timestamp_ms: held.timestamp_ms,
            key: held.key.map(|_| key),
            value: held.value.map(|length| &rest[..length]),
            headers: held.headers.as_ref(),
            seq: held.seq,
        })
    }

    /// Removes the held record that has waited longest.
    pub(super) fn pop(&mut self) {
        let (record, at) = self.next;
        let Some(held) = self.held.get(record) else { return };
        self.next = (record + 1, at + held.bytes());
        if self.next.0 == self.held.len() {
            self.held.clear();
            self.arena.clear();
            // The memory that one huge record took is given back.
            self.arena.shrink_to(self.most_bytes);
            self.next = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const NONE: Outgoing<'_> =
        Outgoing { topic: "t", partition: None, timestamp_ms: None, key: None, value: None, headers: None, seq: 0 };

    /// Parses a record written as `topic key value`, where `-` stands for null.
    fn record(text: &str, seq: u64) -> Outgoing<'_> {
        let mut parts = text.split(' ');
        let topic = parts.next().unwrap();
        let mut part = || parts.next().filter(|part| *part != "-").map(str::as_bytes);
        let (key, value) = (part(), part());
        Outgoing { topic, key, value, seq, ..NONE }
    }

    thread_local! {
        /// The time that the window's clock shows in this test.
        static NOW: Cell<Instant> = Cell::new(Instant::now());
    }

    fn pass(time: Duration) {
        NOW.set(NOW.get() + time);
    }

    fn window() -> Window {
        Window { clock: || NOW.get(), request_bytes: 1000, most_bytes: 2000, ..Window::new(0, 0) }
    }

    #[track_caller]
    fn check(records: &[&str]) {
        let mut window = window();
        for round in 0..2 {
            for (seq, text) in records.iter().enumerate() {
                window.hold(&record(text, seq as u64));
            }
            window.begin_passing_on();
            let mut out = Vec::new();
            while let Some(front) = window.front() {
                let text =
                    |part: Option<&[u8]>| part.map_or("-".to_owned(), |p| String::from_utf8(p.to_vec()).unwrap());
                out.push(format!("{} {} {}", front.topic, text(front.key), text(front.value)));
                assert_eq!(front.seq, out.len() as u64 - 1);
                window.pop();
            }
            assert_eq!(out, records, "round {round}");
            assert!(window.is_empty());
        }
    }

    #[test]
    fn what_waits_comes_out_as_it_went_in() {
        check(&["t k v"]);
        check(&["t - -", "u k -", "t - v", "u  value"]);
    }

    #[test]
    fn a_record_passes_only_when_it_leaves_with_those_before_it() {
        let (mut window, big) = (window(), "x".repeat(500));
        let big = Outgoing { value: Some(big.as_bytes()), ..NONE };
        assert!(!window.passes(&NONE, false), "something is under way that this window knows nothing of");
        assert!(window.passes(&big, true));
        assert!(window.passes(&NONE, false), "there is room in the first one's request");
        assert!(!window.passes(&big, false), "the request is full");
        assert!(!window.passes(&NONE, false), "the order would break");
        assert!(window.passes(&NONE, true));
        pass(OPEN);
        assert!(!window.passes(&NONE, false), "the request has left");
        assert!(window.passes(&NONE, true));
        window.hold(&NONE);
        assert!(!window.passes(&NONE, true), "the order would break");
        assert!(!window.is_overdue());
        pass(PATIENCE);
        assert!(window.is_overdue());
        window.pop();
        assert!(!window.is_overdue());
    }

    #[test]
    fn one_topic_fills_a_request_and_several_the_queue() {
        let value = "x".repeat(500);
        let one = Outgoing { value: Some(value.as_bytes()), ..NONE };
        for (topics, records) in [(["t", "t"], 2), (["t", "u"], 4)] {
            let mut window = window();
            let held = (0..).take_while(|n| {
                let is_full = window.is_full();
                window.hold(&Outgoing { topic: topics[n % 2], ..one });
                !is_full
            });
            assert_eq!(held.count(), records, "{topics:?}");
        }
    }
}
