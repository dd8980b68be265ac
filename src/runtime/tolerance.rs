//! What becomes of a record that a transform, a converter or the broker cannot take: the `errors.*` settings.
//!
//! After a retriable error the step is tried again for as long as `errors.retry.timeout` says, with Connect's pauses (restarts
//! and reconnects wait by another rule, that of the crate `retry`). A record that fails for good ends the task, or is left out
//! with `errors.tolerance=all`. The log then has a line for each such record with `errors.log.enable`, and else a line once in
//! a while with how many there were. Two failures always end the task: a row that cannot be decoded, which
//! never becomes a record (a single cell is another matter: `event.converting.failure.handling.mode`), and a request that
//! the broker refuses for its size, because others in it are not at fault.
//!
//! Must not know: transforms, converters, the broker.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use record::{Payload, Position, Record, Schema};
use relational::Meters;
use serde_json::{Map, Value as Json};
use settings::Properties;
use tokio::time::Instant;

use super::failure::{Failure, Stage};
use super::letters::LetterTopic;
use super::trail::{Origin, Trail};
use crate::convert::java_text;
use crate::sink::Undelivered;

/// Connect's first pause (`RetryWithToleranceOperator`); each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(300);

/// How long a service that a converter needs (a schema registry) is waited for, when `errors.retry.timeout` gives less time.
/// Connect fails the task at once, and somebody must restart it when the service is back.
const SERVICE_PATIENCE: Duration = Duration::from_secs(600);
/// The longest pause between two questions to such a service.
const SERVICE_PAUSE: Duration = Duration::from_secs(5);

/// The `errors.*` settings of a connector.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tolerance {
    /// Set with `errors.tolerance=all`: records that fail are left out, and the trail tells where such a record came from.
    pub(crate) trail: Option<Arc<Trail>>,
    /// Where letters of records that are left out are written; none unless `errors.tolerance=all`.
    pub(crate) letters: Option<Arc<LetterTopic>>,
    /// `errors.log.enable`: each record that fails has a line in the log.
    pub(crate) logs: bool,
    /// `errors.log.include.messages`: the line shows the record.
    pub(crate) shows_records: bool,
    /// How retriable errors are tried again.
    pub(crate) retry: Retry,
    /// A record that the producer or the broker refuses ends the task, also with `errors.tolerance=all`.
    fails_undelivered: bool,
}

impl Tolerance {
    /// Reads the settings from a connector's configuration.
    pub(crate) fn of(config: &Properties) -> Self {
        let flag = |key| config.get(key).is_some_and(|text: &str| text.trim().eq_ignore_ascii_case("true"));
        let number = |key, default: i64| config.get(key).and_then(|text| text.trim().parse().ok()).unwrap_or(default);
        let is_all = config.get("errors.tolerance").map(str::trim) == Some("all");
        Self {
            trail: is_all.then(Arc::default),
            letters: LetterTopic::of(config).filter(|_| is_all).map(Arc::new),
            logs: flag("errors.log.enable"),
            shows_records: flag("errors.log.include.messages"),
            retry: Retry {
                // A negative time-out means that there is none.
                timeout: u64::try_from(number("errors.retry.timeout", 0)).ok().map(Duration::from_millis),
                longest_pause: Duration::from_millis(number("errors.retry.delay.max.ms", 60_000).unsigned_abs()),
            },
            fails_undelivered: false,
        }
    }

    /// Records that the producer or the broker refuses are not left out, whatever the settings say.
    pub(crate) fn keeps_undelivered(&mut self) {
        self.fails_undelivered = true;
    }

    /// Whether a record must be kept as it was before the transforms, to be tried again, shown, or written as a letter.
    pub(crate) fn keeps_records(&self) -> bool {
        self.letters.is_some() || self.retry.timeout != Some(Duration::ZERO) || self.logs && self.shows_records
    }
}

/// `errors.retry.timeout` and `errors.retry.delay.max.ms`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    /// How long one operation is tried again: `None` is without an end, zero not at all.
    timeout: Option<Duration>,
    longest_pause: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { timeout: Some(Duration::ZERO), longest_pause: Duration::from_secs(60) }
    }
}

/// One operation that is being tried.
#[derive(Debug)]
pub(crate) struct Trying {
    retry: Retry,
    of_a_service: bool,
    begun: Instant,
    failed: u32,
}

impl Retry {
    /// Begins to count the time of an operation. `of_a_service`: it waits for a service that a converter needs.
    pub(crate) fn begin(self, of_a_service: bool) -> Trying {
        let retry =
            if of_a_service { Self { timeout: self.timeout.map(|t| t.max(SERVICE_PATIENCE)), ..self } } else { self };
        Trying { retry, of_a_service, begun: Instant::now(), failed: 0 }
    }
}

impl Trying {
    /// Call after an attempt that failed with a retriable error: how long to wait before the next one, `None` when there is
    /// no time left. The pause doubles from attempt to attempt; where it would pass the longest one, it is a random time
    /// below that, as in Connect. It ends at the deadline.
    pub(crate) fn pause(&mut self) -> Option<Duration> {
        let left = self.retry.timeout.map(|timeout| timeout.saturating_sub(self.begun.elapsed()));
        if left == Some(Duration::ZERO) {
            return None;
        }
        let longest = self.retry.longest_pause;
        let mut pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(self.failed));
        self.failed += 1;
        if self.of_a_service {
            pause = pause.min(SERVICE_PAUSE);
        } else if pause > longest {
            // The seed of a `RandomState` is random, and so is its hash.
            let any = RandomState::new().hash_one(self.failed);
            pause = Duration::from_millis(any.checked_rem(longest.as_millis() as u64).unwrap_or(0));
        }
        Some(left.map_or(pause, |left| pause.min(left)))
    }
}

/// Counts and logs records that failed.
#[derive(Debug)]
pub(crate) struct Reporter {
    pub(crate) connector: Arc<str>,
    pub(crate) tolerance: Tolerance,
    /// The source partition, as it is stored and logged.
    pub(crate) partition: Map<String, Json>,
    /// A position as it is stored and logged.
    pub(crate) offset: fn(&Position) -> Map<String, Json>,
    pub(crate) meters: Arc<Meters>,
}

impl Reporter {
    /// Call for a record that failed for good. True when it is left out, so that the task goes on.
    ///
    /// `class` is the Java class that failed, `shown` the record in Java's words if the user wants to see it.
    pub(crate) fn failed(
        &self,
        failure: &Failure,
        class: &str,
        topic: &str,
        origin: &Origin,
        shown: Option<&str>,
    ) -> bool {
        let is_kept = self.tolerance.fails_undelivered && failure.stage() == Stage::KafkaProduce;
        let is_left_out = self.tolerance.trail.is_some() && failure.is_of_the_record() && !is_kept;
        self.meters.count(|numbers| {
            // A retriable one was counted at each attempt.
            numbers.failures += u64::from(!failure.is_transient());
            numbers.errors += 1;
            numbers.skipped += u64::from(is_left_out);
            numbers.logged += u64::from(self.tolerance.logs);
            numbers.last_error_ms = Some(now_ms());
        });
        let table = origin.table.as_deref().unwrap_or("none");
        let fate = match &self.tolerance.letters {
            _ if !is_left_out => String::new(),
            None => " (the record is left out: errors.tolerance=all)".to_owned(),
            Some(letters) => format!(" (the record is left out, and kept in topic {})", letters.name),
        };
        if self.tolerance.logs {
            let position = self.position(origin);
            tracing::error!(connector = %self.connector, %topic, %table, %position,
                "Error encountered in task {}-0. Executing stage '{}' with class '{class}'{}{}. {}{}",
                self.connector,
                failure.stage().name(),
                if shown.is_some() { ", where source record is = " } else { "" },
                shown.unwrap_or_default(),
                failure.cause(),
                fate);
        } else if is_left_out {
            self.meters.left_out(|| {
                format!("topic={topic} table={table} position={} {}{fate}", self.position(origin), failure.cause())
            });
        }
        is_left_out
    }

    /// Call for a record that the broker refused. When it is left out, why, and where it came from.
    pub(crate) fn refused(&self, undelivered: &Undelivered<'_>) -> Option<(Failure, Origin)> {
        let Undelivered { error, record } = undelivered;
        let trail = self.tolerance.trail.as_ref().filter(|_| error.is_of_the_record())?;
        let mut failure = Failure::delivery(error.to_string(), error.outlook());
        failure.blame_the_record();
        let origin = trail.of(record.seq);
        let shows = self.tolerance.logs && self.tolerance.shows_records;
        let shown = shows.then(|| {
            let text = |bytes: Option<&[u8]>| {
                bytes.map_or("null".to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
            };
            let headers: Vec<String> = (record.headers.iter().flat_map(|headers| headers.iter()))
                .map(|(name, value)| format!("ConnectHeader(key={name}, value={})", text(value)))
                .collect();
            let (key, value, headers) = (text(record.key), text(record.value), headers.join(", "));
            let partition = record.partition.map_or("null".to_owned(), |partition| partition.to_string());
            format!(
                "{} ConnectRecord{{topic='{}', kafkaPartition={partition}, key={key}, value={value}, \
                 headers=ConnectHeaders(headers=[{headers}])}}",
                self.source(&origin),
                record.topic
            )
        });
        self.meters.count(|numbers| numbers.refused += 1);
        let is_left_out = self.failed(&failure, PRODUCING, record.topic, &origin, shown.as_deref());
        is_left_out.then_some((failure, origin))
    }

    /// The record in the words of Java's `SourceRecord.toString`.
    pub(crate) fn show(&self, record: &Record<'_>, origin: &Origin) -> String {
        let part = |payload: &Payload<'_>| (java_text(payload), schema_text(payload.schema().map(|schema| &**schema)));
        let ((key, key_schema), (value, value_schema)) = (part(&record.key), part(&record.value));
        let headers: Vec<String> = (record.headers.iter())
            .map(|header| {
                let (text, schema) = part(&header.value);
                format!("ConnectHeader(key={}, value={text}, schema={schema})", header.name)
            })
            .collect();
        let number = |number: Option<i64>| number.map_or("null".to_owned(), |number| number.to_string());
        format!(
            "{} ConnectRecord{{topic='{}', kafkaPartition={}, key={key}, keySchema={key_schema}, value={value}, \
             valueSchema={value_schema}, timestamp={}, headers=ConnectHeaders(headers={})}}",
            self.source(origin),
            record.topic,
            number(record.partition.map(i64::from)),
            number(record.timestamp_ms),
            if headers.is_empty() { String::new() } else { format!("[{}]", headers.join(", ")) },
        )
    }

    fn source(&self, origin: &Origin) -> String {
        let offset = origin.position.as_ref().map(self.offset).unwrap_or_default();
        format!("SourceRecord{{sourcePartition={}, sourceOffset={}}}", map_text(&self.partition), map_text(&offset))
    }

    fn position(&self, origin: &Origin) -> Json {
        origin.position.as_ref().map_or(Json::Null, |position| Json::Object((self.offset)(position)))
    }
}

/// The class that Connect names for a record that the producer refuses.
pub(crate) const PRODUCING: &str = "org.apache.kafka.connect.runtime.WorkerSourceTask";

/// The class to name for a stage in which no configured class is at work.
pub(crate) fn class_of(stage: Stage) -> &'static str {
    match stage {
        Stage::KafkaProduce => PRODUCING,
        _ => "io.debezium.pipeline.EventDispatcher",
    }
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64
}

/// A map as Java's `AbstractMap.toString` writes it.
fn map_text(map: &Map<String, Json>) -> String {
    let value = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let entries: Vec<String> = map.iter().map(|(name, json)| format!("{name}={}", value(json))).collect();
    format!("{{{}}}", entries.join(", "))
}

/// A schema as Java's `ConnectSchema.toString` writes it.
fn schema_text(schema: Option<&Schema>) -> String {
    match schema {
        None => "null".to_owned(),
        Some(schema) => match &schema.name {
            Some(name) => format!("Schema{{{name}:{}}}", schema.type_name()),
            None => format!("Schema{{{}}}", schema.type_name()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(keys: &[(&str, &str)]) -> Trying {
        Tolerance::of(&keys.iter().copied().collect()).retry.begin(false)
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_double_and_end_at_the_deadline() {
        let mut trying = retry(&[("errors.retry.timeout", "3000")]);
        let mut pauses = Vec::new();
        while let Some(pause) = trying.pause() {
            pauses.push(pause.as_millis());
            tokio::time::advance(pause).await;
        }
        assert_eq!(pauses, [300, 600, 1200, 900]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_beyond_the_longest_is_any_below_it() {
        let mut trying = retry(&[("errors.retry.timeout", "-1"), ("errors.retry.delay.max.ms", "500")]);
        assert_eq!(trying.pause(), Some(FIRST_PAUSE));
        for _ in 0..100 {
            assert!(trying.pause().is_some_and(|pause| pause < Duration::from_millis(500)));
        }
    }

    #[test]
    fn nothing_is_tried_again_unless_asked_for() {
        assert_eq!(retry(&[]).pause(), None);
        assert!(!Tolerance::of(&Properties::new()).keeps_records());
    }
}
