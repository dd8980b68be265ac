//! A pipeline for single records that come from no batch: records of dead letters.
//!
//! Must not know: where the records come from.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use record::Record;

use super::scratch::{Last, Scratch, now};
use super::{Pipeline, Source};
use crate::runtime::failure::Failure;
use crate::sink::{EncodedHeaders, Outgoing, Sink, SinkError};

/// What a record has become: everything that is sent, owned.
#[derive(Clone, Debug)]
pub(crate) struct Converted {
    pub(crate) topic: String,
    pub(crate) partition: Option<i32>,
    /// The time that a transform gave it, in milliseconds since 1970.
    pub(crate) own_time_ms: Option<i64>,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Option<EncodedHeaders>,
}

impl Converted {
    /// The record, to be sent under this number.
    pub(crate) fn outgoing(&self, seq: u64) -> Outgoing<'_> {
        Outgoing {
            topic: &self.topic,
            partition: self.partition,
            timestamp_ms: self.own_time_ms,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: self.headers.as_ref(),
            seq,
        }
    }
}

/// Keeps the record that is sent to it. What concerns topics is asked of the sink behind it.
pub(crate) struct Tray {
    behind: Arc<dyn Sink>,
    last: Mutex<Option<Converted>>,
}

impl Tray {
    /// A tray in front of a sink.
    pub(crate) fn new(behind: Arc<dyn Sink>) -> Arc<Self> {
        Arc::new(Self { behind, last: Mutex::default() })
    }

    fn take(&self) -> Option<Converted> {
        self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()
    }
}

impl Sink for Tray {
    fn send(&self, out: Outgoing<'_>) -> Result<(), SinkError> {
        let converted = Converted {
            topic: out.topic.to_owned(),
            partition: out.partition,
            own_time_ms: out.timestamp_ms,
            key: out.key.map(<[u8]>::to_vec),
            value: out.value.map(<[u8]>::to_vec),
            headers: out.headers.cloned(),
        };
        *self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(converted);
        Ok(())
    }

    fn flush(&self, _: Duration) -> bool {
        true
    }

    fn stop(&self, purge: bool) {
        self.behind.stop(purge);
    }

    fn is_stopped(&self) -> bool {
        self.behind.is_stopped()
    }

    fn in_flight(&self) -> u64 {
        0
    }

    fn away(&self) -> Option<Arc<str>> {
        self.behind.away()
    }

    fn warm(&self, topic: &str, timeout: Duration) -> Result<bool, SinkError> {
        self.behind.warm(topic, timeout)
    }
}

/// Takes single records through a chain and its converters.
pub(crate) struct Single {
    pipeline: Pipeline,
    tray: Arc<Tray>,
    scratch: Scratch,
}

impl Single {
    /// The pipeline's sink must be `tray`.
    pub(crate) fn new(pipeline: Pipeline, tray: Arc<Tray>) -> Self {
        Self { pipeline, tray, scratch: Scratch::default() }
    }

    /// What the record becomes; `None` when a transform drops it.
    ///
    /// # Errors
    /// When a transform or a converter refuses it, or its topic cannot be made.
    pub(crate) fn convert(&mut self, record: Record<'_>) -> Result<Option<Converted>, Failure> {
        self.scratch.now_ns = now().as_nanos() as i64;
        let now_ms = self.scratch.time_ms(Last::Sent);
        let source = Source { table: None, position: None, item: 0, nth: 0, change: None };
        self.pipeline.record(record, source, &mut self.scratch)?;
        let converted = self.tray.take().map(|converted| Converted {
            // Without a time of its own a record has that of this call.
            own_time_ms: converted.own_time_ms.filter(|time_ms| *time_ms != now_ms),
            ..converted
        });
        Ok(converted)
    }
}
