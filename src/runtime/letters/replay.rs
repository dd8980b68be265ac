//! Sends the records of dead letters: each goes through today's chain and converters.
//!
//! A record whose key has a newer one is refused, because it would put the older state behind the newer: when the record's topic
//! has one of the same key that was written since, or when a later letter has the same key. Which letters were sent is kept as
//! records in the topic of the letters itself, each written right after its record was acknowledged. So a replay that is asked
//! for twice sends a record once; one that is killed between the two sends the last few again at the next replay.
//!
//! It runs on a thread of its own, and ends when its time is over: what is left is left to the next replay.
//!
//! Must not know: HTTP, which connector it is.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use record::Record;

use super::form::{self, Letter, Mark};
use super::index::{Entry, Index, Letters, Written};
use crate::runtime::defect;
use crate::runtime::failure::Failure;
use crate::runtime::pipeline::single::{Converted, Single};
use crate::sink::{Delivery, DeliveryError, EncodedHeaders, Outgoing, Sink};
use crate::store::{Range, Scan, ScanError, Seen};

/// How many letters, and how many bytes of them, are in memory at once. A letter that is larger is alone.
const CHUNK: (usize, usize) = (200, 4 << 20);
/// How many refused letters an answer lists; all are counted.
const MOST_LISTED: usize = 1000;
/// When the broker sets the times of a topic's records, its clock is trusted to differ from ours by less than this.
const CLOCKS_MS: i64 = 60_000;

/// Why nothing was replayed, or why letters cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    /// The topic of the letters could not be read.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// There are too many letters.
    #[error("{0}: shorten the topic (retention.ms), or give the connector another errors.deadletterqueue.topic.name")]
    TooMany(String),
}

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Whether records are sent whose keys have newer ones.
    pub force: bool,
    /// How many letters are taken at most.
    pub limit: usize,
}

/// A letter that was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The partition of its first part.
    pub partition: i32,
    /// The offset of its first part.
    pub offset: i64,
    /// When the record would have been sent, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// The record's topic before the chain.
    pub topic: String,
    /// Why.
    pub reason: String,
}

/// What a replay did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Records that were sent and acknowledged.
    pub sent: u64,
    /// Records that today's transforms drop. They count as replayed.
    pub dropped: u64,
    /// Letters that an earlier replay has sent.
    pub already: u64,
    /// How many letters were refused.
    pub refused: u64,
    /// The first of them.
    pub reasons: Vec<Refused>,
    /// Letters that were not looked at: the time or the limit was over before.
    pub left: u64,
}

impl Replayed {
    fn refuse(&mut self, entry: &Entry, reason: String) {
        self.refused += 1;
        if self.reasons.len() < MOST_LISTED {
            let (partition, offset) = entry.places.first().copied().unwrap_or_default();
            let (timestamp_ms, topic) = (entry.timestamp_ms, entry.topic.clone());
            self.reasons.push(Refused { partition, offset, timestamp_ms, topic, reason });
        }
    }
}

/// Reads what the topic holds of a connector; `shows` of the newest letters are kept to be shown.
///
/// # Errors
/// When the topic cannot be read in time, or holds too many letters.
pub(crate) fn letters(
    scan: &Scan,
    topic: &str,
    connector: &str,
    shows: usize,
    deadline: Instant,
) -> Result<Letters, ReplayError> {
    let mut index = Index::new(connector, shows);
    scan.read(topic, &Range::Whole, deadline, &mut |seen| {
        let bytes = seen.key().map_or(0, <[u8]>::len) + seen.value().map_or(0, <[u8]>::len);
        index.add(&Written { place: seen.place(), key: seen.key(), bytes, headers: seen.headers().collect() })
    })?;
    index.finish().map_err(|error| ReplayError::TooMany(format!("topic {topic}: {error}")))
}

/// What became of the records of a replay, by their numbers.
#[derive(Default)]
pub(crate) struct Outcomes(Mutex<HashMap<u64, Result<(), DeliveryError>>>);

impl Outcomes {
    /// For the sink that the replay sends with.
    pub(crate) fn delivery(self: &Arc<Self>) -> Box<Delivery> {
        let outcomes = Arc::clone(self);
        Box::new(move |seq, outcome| {
            let mut known = outcomes.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(seq, outcome.map_err(|undelivered| undelivered.error));
        })
    }

    /// The outcome of a number; `None` if it is not known yet.
    fn take(&self, seq: u64) -> Option<Result<(), DeliveryError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&seq)
    }
}

/// The parts of a replay.
pub(crate) struct Replay<'a> {
    pub(crate) scan: &'a Scan,
    /// The topic of the letters.
    pub(crate) topic: &'a str,
    pub(crate) connector: &'a str,
    pub(crate) single: Single,
    /// Sends records and marks; it must report to `outcomes`.
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) outcomes: Arc<Outcomes>,
    pub(crate) deadline: Instant,
    /// The number of the next record.
    pub(crate) next: u64,
    /// Set when the broker does not answer: then nothing more is sent.
    pub(crate) is_stuck: bool,
}

/// What is needed to find out whether a record has a newer one.
struct Claim {
    topic: String,
    key: Vec<u8>,
    /// When the letter was written; `None`: a transform sets the times of these records, and then any record of the key counts.
    since_ms: Option<i64>,
}

/// The newest record of a key.
#[derive(Clone, Copy)]
struct Newest(i64);

impl Replay<'_> {
    /// Sends what may be sent.
    ///
    /// # Errors
    /// When the letters cannot be read at all. What goes wrong with single letters stands in the answer.
    pub(crate) fn run(mut self, wanted: Wanted) -> Result<Replayed, ReplayError> {
        let letters = letters(self.scan, self.topic, self.connector, 0, self.deadline)?;
        let mut replayed = Replayed { already: letters.counts().1, ..Replayed::default() };
        let mut candidates = Vec::new();
        for (entry, later) in letters.open() {
            match later {
                Some(later) if !wanted.force => {
                    let (partition, offset) = later.places.first().copied().unwrap_or_default();
                    replayed.refuse(
                        entry,
                        format!(
                            "a later letter has the same key (partition {partition}, offset {offset}); force=true sends \
                             this one all the same, before that one"
                        ),
                    );
                }
                _ if candidates.len() < wanted.limit => candidates.push(entry),
                _ => replayed.left += 1,
            }
        }
        let newest = if wanted.force { None } else { Some(self.newest(&candidates)?) };
        for chunk in chunks(&candidates) {
            if self.is_stuck || Instant::now() >= self.deadline || self.sink.is_stopped() {
                replayed.left += chunk.len() as u64;
            } else {
                self.send(chunk, newest.as_ref(), &mut replayed)?;
            }
        }
        Ok(replayed)
    }

    /// Converts the letters once to learn topics and keys, and looks for newer records of them: the time of the newest one of
    /// each key, or why a topic's could not be found out.
    fn newest(&mut self, candidates: &[&Entry]) -> Result<HashMap<String, Found>, ReplayError> {
        let mut wanted: HashMap<String, (Keys, Option<i64>)> = HashMap::new();
        for chunk in chunks(candidates) {
            let opened = self.open(chunk)?;
            for (entry, letter) in chunk.iter().zip(opened) {
                // What is wrong with a letter is said when it is to be sent.
                let Ok(Some(converted)) = self.convert(letter) else { continue };
                let Some(claim) = claim(entry, &converted) else { continue };
                let (keys, since) = wanted.entry(claim.topic).or_insert_with(|| (BTreeMap::new(), Some(i64::MAX)));
                keys.insert(claim.key, None);
                *since = since.zip(claim.since_ms).map(|(one, other)| one.min(other));
            }
        }
        let mut all = HashMap::new();
        for (topic, (mut keys, since)) in wanted {
            let range = since.map_or(Range::Whole, |since_ms| Range::Since(since_ms.saturating_sub(CLOCKS_MS)));
            let read = self.scan.read(&topic, &range, self.deadline, &mut |seen| {
                if let Some(newest) = seen.key().and_then(|key| keys.get_mut(key)) {
                    let time_ms = time_of(seen);
                    *newest = Some(newest.map_or(Newest(time_ms), |known| Newest(known.0.max(time_ms))));
                }
                true
            });
            all.insert(topic, read.map(|()| keys).map_err(|error| error.to_string()));
        }
        Ok(all)
    }

    /// Sends the letters of a chunk, and marks those that were sent.
    fn send(
        &mut self,
        chunk: &[&Entry],
        newest: Option<&HashMap<String, Found>>,
        replayed: &mut Replayed,
    ) -> Result<(), ReplayError> {
        let opened = self.open(chunk)?;
        let mut marks: Vec<(&Entry, Option<String>)> = Vec::new();
        let mut sent: Vec<(u64, &Entry, String)> = Vec::new();
        for (entry, letter) in chunk.iter().copied().zip(opened) {
            let converted = match self.convert(letter) {
                Ok(Some(converted)) => converted,
                Ok(None) => {
                    marks.push((entry, None));
                    continue;
                }
                Err(reason) => {
                    replayed.refuse(entry, reason);
                    continue;
                }
            };
            if let Err(reason) = newest.map_or(Ok(()), |newest| may_send(entry, &converted, newest)) {
                replayed.refuse(entry, reason);
                continue;
            }
            let seq = self.number();
            match self.sink.send(converted.outgoing(seq)) {
                Ok(()) => sent.push((seq, entry, converted.topic)),
                Err(error) => replayed.refuse(entry, format!("KAFKA_PRODUCE: {error}")),
            }
        }
        self.flush();
        for (seq, entry, topic) in sent {
            match self.outcomes.take(seq) {
                Some(Ok(())) => marks.push((entry, Some(topic))),
                Some(Err(error)) => replayed.refuse(entry, format!("KAFKA_PRODUCE: {error}")),
                None => {
                    self.is_stuck = true;
                    let reason = "the broker has not acknowledged it in time: whether it was written is not known";
                    replayed.refuse(entry, reason.to_owned());
                }
            }
        }
        self.mark(marks, replayed);
        Ok(())
    }

    /// Writes down which letters are done with.
    fn mark(&mut self, marks: Vec<(&Entry, Option<String>)>, replayed: &mut Replayed) {
        let mut sent = Vec::new();
        for (entry, to) in marks {
            let seq = self.number();
            let is_sent = to.is_some();
            let mark = Mark { connector: self.connector.to_owned(), letter: entry.identity.hex(), to };
            let mark = serde_json::to_vec(&mark).unwrap_or_default();
            let headers = EncodedHeaders::default().with(form::REPLAYED, Some(&mark));
            let taken = self.sink.send(Outgoing {
                topic: self.topic,
                partition: entry.places.first().map(|(partition, _)| *partition),
                timestamp_ms: None,
                key: None,
                value: None,
                headers: Some(&headers),
                seq,
            });
            sent.push((seq, entry, is_sent, taken.map_err(|error| error.to_string())));
        }
        self.flush();
        for (seq, entry, is_sent, taken) in sent {
            let late = || Err("the broker has not acknowledged it in time".to_owned());
            let outcome =
                taken.and_then(|()| self.outcomes.take(seq).map_or_else(late, |o| o.map_err(|e| e.to_string())));
            match outcome {
                Ok(()) if is_sent => replayed.sent += 1,
                Ok(()) => replayed.dropped += 1,
                Err(error) => {
                    let what = if is_sent { "it was sent" } else { "today's transforms drop it" };
                    replayed.refuse(
                        entry,
                        format!("{what}, but that could not be noted in topic {}, so the next replay takes it again: {error}", self.topic),
                    );
                }
            }
        }
    }

    /// A number that no other record of this replay has.
    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn flush(&self) {
        let left = self.deadline.saturating_duration_since(Instant::now()).max(Duration::from_secs(5));
        self.sink.flush(left);
    }

    /// Reads letters whole, in their order.
    fn open(&self, chunk: &[&Entry]) -> Result<Vec<Whole>, ReplayError> {
        let mut wholes: Vec<Whole> = chunk.iter().map(|_| Whole::default()).collect();
        let mut wanted: HashMap<(i32, i64), (usize, usize)> = HashMap::new();
        let mut ends: BTreeMap<i32, (i64, i64)> = BTreeMap::new();
        for (at, entry) in chunk.iter().enumerate() {
            wholes[at].parts = vec![None; entry.places.len()];
            for (part, place) in entry.places.iter().enumerate() {
                wanted.insert(*place, (at, part));
                let end = ends.entry(place.0).or_insert((place.1, place.1));
                *end = (end.0.min(place.1), end.1.max(place.1));
            }
        }
        self.scan.read(self.topic, &Range::Within(ends), self.deadline, &mut |seen| {
            if let Some((at, part)) = wanted.get(&seen.place()) {
                wholes[*at].take(*part, seen);
            }
            true
        })?;
        Ok(wholes)
    }

    /// What the record of a letter becomes today. A transform or converter that panics concerns this letter only.
    fn convert(&mut self, letter: Whole) -> Result<Option<Converted>, String> {
        let letter = letter.opened()?;
        let failed = |failure: Failure| format!("{}: {}", failure.stage().name(), failure.cause());
        let converted = defect::catch(|| self.single.convert(letter));
        converted.map_err(|defect| defect.trace("converting the record"))?.map_err(failed)
    }
}

/// The newest record of each key that is looked for.
type Keys = BTreeMap<Vec<u8>, Option<Newest>>;

/// The same, or why it is not known.
type Found = Result<Keys, String>;

/// When the record was written, as late as it may have been.
fn time_of(seen: Seen<'_>) -> i64 {
    match seen.time() {
        Some((time_ms, false)) => time_ms,
        Some((time_ms, true)) => time_ms.saturating_add(CLOCKS_MS),
        None => i64::MAX,
    }
}

/// The topic and key of a record, with which another record may be newer; none without a key.
fn claim(entry: &Entry, converted: &Converted) -> Option<Claim> {
    let since_ms = converted.own_time_ms.is_none().then_some(entry.timestamp_ms);
    Some(Claim { topic: converted.topic.clone(), key: converted.key.clone()?, since_ms })
}

/// Whether no record of the key is newer.
fn may_send(entry: &Entry, converted: &Converted, newest: &HashMap<String, Found>) -> Result<(), String> {
    let Some(claim) = claim(entry, converted) else { return Ok(()) };
    let topic = &claim.topic;
    let unknown = |why: &str| {
        Err(format!("whether its key has a newer record is not known: {why}; force=true sends it without looking"))
    };
    let keys = match newest.get(topic) {
        Some(Ok(keys)) => keys.get(&claim.key),
        Some(Err(why)) => return unknown(why),
        None => None,
    };
    match (keys, claim.since_ms) {
        // It could be converted only at the second time, or was given another topic or key then.
        (None, _) => unknown("its key was not among those that were looked for in the topic, so replay it again"),
        (Some(None), _) => Ok(()),
        (Some(Some(Newest(newest_ms))), Some(since_ms)) if *newest_ms < since_ms => Ok(()),
        (Some(Some(_)), Some(_)) => {
            Err(format!("topic {topic} has a newer record of this key; force=true sends the older one behind it"))
        }
        (Some(Some(_)), None) => Err(format!(
            "topic {topic} has a record of this key, and because a transform sets the times of records, which one is newer \
             cannot be told; force=true sends it all the same"
        )),
    }
}

fn chunks<'c, 'e>(candidates: &'c [&'e Entry]) -> Vec<&'c [&'e Entry]> {
    let (mut chunks, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (at, entry) in candidates.iter().enumerate() {
        if at > from && (at - from >= CHUNK.0 || bytes + entry.bytes > CHUNK.1) {
            chunks.push(&candidates[from..at]);
            (from, bytes) = (at, 0);
        }
        bytes += entry.bytes;
    }
    if from < candidates.len() {
        chunks.push(&candidates[from..]);
    }
    chunks
}

/// A letter as it was read, part by part.
#[derive(Clone, Default)]
struct Whole {
    key: Option<Vec<u8>>,
    has_value: bool,
    parts: Vec<Option<Vec<u8>>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Whole {
    fn take(&mut self, part: usize, seen: Seen<'_>) {
        if part == 0 {
            self.key = seen.key().map(<[u8]>::to_vec);
            self.has_value = seen.value().is_some();
            self.headers = seen.headers().map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec))).collect();
        }
        self.parts[part] = Some(seen.value().unwrap_or_default().to_vec());
    }

    /// The record that the letter holds.
    fn opened(self) -> Result<Record<'static>, String> {
        let Some(parts) = self.parts.into_iter().collect::<Option<Vec<_>>>().filter(|parts| !parts.is_empty()) else {
            return Err("it is gone from the topic meanwhile".to_owned());
        };
        let value = parts.concat();
        let letter =
            self.headers.iter().rev().find(|(name, _)| name == form::LETTER).and_then(|(_, value)| value.as_deref());
        let letter = letter.and_then(|text| serde_json::from_slice::<Letter>(text).ok());
        let letter = letter.ok_or_else(|| "its header is gone".to_owned())?;
        let headers = self.headers.iter().take(letter.headers).map(|(name, value)| (name.as_str(), value.as_deref()));
        let opened =
            form::open(self.key.as_deref(), self.has_value.then_some(&*value), headers).map_err(|e| e.to_string())?;
        Ok(Record {
            topic: letter.topic.into(),
            partition: letter.partition,
            timestamp_ms: None,
            key: opened.key,
            value: opened.value,
            headers: opened.headers,
        })
    }
}
