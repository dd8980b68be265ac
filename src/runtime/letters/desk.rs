//! Writes letters. A thread that meets failures has a desk of its own.
//!
//! Must not know: when a letter is to be written.

use std::sync::Arc;

use record::{Cache, Payload, Position, Record, View};
use uuid::Uuid;

use super::form::{self, Letter};
use super::post::Post;
use super::{LetterTopic, Sender};
use crate::convert::{JsonConverter, JsonEncoder};
use crate::runtime::failure::Failure;
use crate::sink::{EncodedHeaders, Outgoing, Sink, SinkError};

/// How many encoders are kept; one is made for each schema.
const ENCODERS: usize = 256;
/// How many bytes of a message or trace a header has at most. A trace holds no data, so nothing is lost that a replay needs.
const TEXT_BYTES: usize = 8 * 1024;
/// What a part's headers may be larger than the whole letter's: the digits of its number.
const PART_SPARE: usize = 64;
/// How small a part of a value may be. With less room than this, the limit is not meant for records at all.
const LEAST_PART: usize = 256;

/// A record that could not be sent, and why.
pub(crate) struct Case<'a> {
    /// Why.
    pub(crate) failure: &'a Failure,
    /// The Java class that failed.
    pub(crate) class: &'a str,
    /// The record before the chain.
    pub(crate) record: &'a Record<'a>,
    /// The position of its event.
    pub(crate) position: Option<&'a Position>,
    /// Its place among the records of its event.
    pub(crate) nth: u8,
    /// Whether position, topic, key and place name this record alone.
    pub(crate) by_position: bool,
    /// When it would have been sent, in milliseconds since 1970.
    pub(crate) timestamp_ms: i64,
}

/// An encoder with the view that it was made for: while the view lives, its id is not another's.
struct Prepared {
    json: JsonEncoder,
    _view: Option<Arc<View>>,
}

/// Writes letters.
pub(crate) struct Desk {
    settings: Arc<LetterTopic>,
    sender: Arc<Sender>,
    partition: Vec<u8>,
    post: Arc<Post>,
    encoders: Cache<u32, Prepared>,
}

impl Desk {
    /// A desk for the letters of this sender.
    pub(crate) fn new(settings: Arc<LetterTopic>, sender: Arc<Sender>, post: Arc<Post>) -> Self {
        // A map of texts, numbers and nulls can be written.
        let partition = serde_json::to_vec(&sender.partition).unwrap_or_default();
        Self { settings, sender, partition, post, encoders: Cache::new(ENCODERS) }
    }

    /// The topic of the letters.
    pub(crate) fn topic(&self) -> &Arc<str> {
        &self.settings.name
    }

    /// Sends the letter under the number `seq` of the ledger, which the [`Post`] counts as done when the letter is acknowledged.
    ///
    /// # Errors
    /// When the letter cannot be made or sent. The task must end then, because the record would be lost.
    pub(crate) fn write(&mut self, case: &Case<'_>, seq: u64, sink: &dyn Sink) -> Result<(), Failure> {
        self.post.writes();
        self.sent(case, seq, sink).inspect_err(|failure| {
            if !failure.is_stop() {
                self.post.failed();
            }
        })
    }

    fn sent(&mut self, case: &Case<'_>, seq: u64, sink: &dyn Sink) -> Result<(), Failure> {
        let (record, topic) = (case.record, Arc::clone(&self.settings.name));
        let lost = |error: &dyn std::fmt::Display, outlook| Failure::letter(&topic, (error, outlook), case.failure);
        let key = self.json(&record.key).map_err(|error| lost(&error, error.outlook()))?;
        let value = self.json(&record.value).map_err(|error| lost(&error, error.outlook()))?;
        let (mut headers, mut count) = (EncodedHeaders::default(), 0);
        for header in record.headers.iter() {
            let value = self.json(&header.value).map_err(|error| lost(&error, error.outlook()))?;
            headers = headers.with(&header.name, value.as_deref());
            count += 1;
        }
        headers = self.context(headers, case);
        let offset = case.position.map(self.sender.offset).unwrap_or_default();
        headers = headers.with(form::SOURCE_PARTITION, Some(&self.partition));
        headers = headers.with(form::SOURCE_OFFSET, Some(&serde_json::to_vec(&offset).unwrap_or_default()));
        let letter = Letter {
            version: form::VERSION,
            id: Uuid::new_v4().simple().to_string(),
            connector: self.sender.connector.to_string(),
            topic: record.topic.to_string(),
            partition: record.partition,
            timestamp: case.timestamp_ms,
            nth: case.nth,
            by_position: case.by_position,
            headers: count,
            part: 0,
            parts: 1,
        };
        let send = |value: Option<&[u8]>, part, parts| {
            let letter = serde_json::to_vec(&Letter { part, parts, ..letter.clone() }).unwrap_or_default();
            let headers = headers.clone().with(form::LETTER, Some(&letter));
            sink.send(Outgoing {
                topic: &topic,
                partition: None,
                timestamp_ms: Some(case.timestamp_ms),
                key: key.as_deref(),
                value,
                headers: Some(&headers),
                seq: Post::number(seq),
            })
        };
        let refused = |error: &SinkError| match error {
            SinkError::Stopped => Failure::sink(error),
            error => lost(error, error.outlook()),
        };
        self.post.expect(seq, 1);
        let (bytes, limit) = match send(value.as_deref(), 0, 1) {
            Err(SinkError::TooLarge { bytes, limit, .. }) => (bytes, limit),
            Err(error) => {
                self.post.forget(seq);
                return Err(refused(&error));
            }
            Ok(()) => return Ok(()),
        };
        self.post.forget(seq);
        let whole = value.as_deref().unwrap_or_default();
        let room = (limit + whole.len()).saturating_sub(bytes + PART_SPARE);
        if room < LEAST_PART || whole.len() <= room {
            let text = "key and headers alone are nearly as large as producer.override.max.request.size allows";
            let error = SinkError::TooLarge { topic: topic.to_string(), bytes, limit };
            return Err(lost(&format!("{error}: {text}"), error.outlook()));
        }
        let parts = whole.len().div_ceil(room) as u32;
        self.post.expect(seq, parts);
        for (part, piece) in (0..).zip(whole.chunks(room)) {
            send(Some(piece), part, parts).map_err(|error| refused(&error))?;
        }
        Ok(())
    }

    /// Adds what failed, as Connect names it.
    fn context(&self, headers: EncodedHeaders, case: &Case<'_>) -> EncodedHeaders {
        if !self.settings.tells_context {
            return headers;
        }
        let cause = case.failure.cause();
        let (exception, message) = cause.split_once(": ").unwrap_or((cause, ""));
        let mut headers = headers;
        let mut add = |name, text: &str| headers = std::mem::take(&mut headers).with(name, Some(cut(text).as_bytes()));
        add(form::TOPIC, &case.record.topic);
        if let Some(partition) = case.record.partition {
            add(form::PARTITION, &partition.to_string());
        }
        add(form::CONNECTOR, &self.sender.connector);
        add(form::TASK, "0");
        add(form::STAGE, case.failure.stage().name());
        add(form::CLASS, case.class);
        add(form::EXCEPTION, exception);
        add(form::MESSAGE, message);
        add(form::TRACE, &case.failure.account());
        headers
    }

    /// The payload as JSON with its schema; `None` for a null.
    fn json(&mut self, payload: &Payload<'_>) -> Result<Option<Vec<u8>>, crate::convert::ConvertError> {
        let Some(part) = payload.part() else { return Ok(None) };
        let id = payload.id();
        let place = if let Some(place) = self.encoders.place(|known| *known == id, || id) {
            place
        } else {
            let json = JsonConverter::faithful().encoder(Some(&part))?;
            let view = if let Payload::View(view, ..) = payload { Some(Arc::clone(view)) } else { None };
            self.encoders.insert(id, Prepared { json, _view: view })
        };
        let mut out = Vec::new();
        let there = self.encoders.at(place).json.write(payload, &mut out)?;
        Ok(there.then_some(out))
    }
}

/// The beginning of a text, as far as a header may have it.
fn cut(text: &str) -> &str {
    let end = (0..=TEXT_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or(0)]
}
