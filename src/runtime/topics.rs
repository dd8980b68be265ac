//! Topics that a task writes to: made at their first record, reported when that is acknowledged.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use retry::Backoff;
use tokio::runtime::Handle;

use crate::sink::topics::{TopicError, Topics};
use crate::sink::{Sink, SinkError};

/// How long a topic's leader is waited for before the record is queued all the same.
const WARM_TIMEOUT: Duration = Duration::from_secs(5);

/// The first and the longest pause before a broker that did not answer is asked again; the request's time-out is far longer.
/// Short, because the end of the task waits for the pause.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(1));

pub(crate) struct NewTopics {
    sink: Arc<dyn Sink>,
    make: Option<Topics>,
    /// Topics to report once their first record (this number) is delivered.
    unheard: Mutex<Vec<(u64, Arc<str>)>>,
    waits: Mutex<Option<Arc<str>>>,
    /// The topic to which no record may go: that of the task's offsets.
    forbidden: Option<String>,
    resets: Arc<AtomicU64>,
}

impl NewTopics {
    /// The topics of a task. `make` creates them if the configuration says how (`topic.creation.*`); else the broker does.
    /// `resets` counts the resets of the connector's topics.
    pub(crate) fn new(sink: Arc<dyn Sink>, make: Option<Topics>, resets: Arc<AtomicU64>) -> Self {
        Self { sink, make, unheard: Mutex::default(), waits: Mutex::default(), forbidden: None, resets }
    }

    /// No record may go to this topic.
    pub(crate) fn forbidding(mut self, topic: Option<String>) -> Self {
        self.forbidden = topic;
        self
    }

    /// Call before a topic's first record: makes the topic, or lets the broker do so, and waits for its leader.
    ///
    /// # Errors
    /// When the topic cannot be made.
    pub(crate) fn ensure(&self, topic: &Arc<str>, handle: &Handle) -> Result<(), TopicError> {
        if self.forbidden.as_deref() == Some(&**topic) {
            return Err(TopicError::OwnOffsets { topic: topic.to_string() });
        }
        self.ensure_by(self.make.as_ref(), topic, handle)
    }

    /// As [`ensure`](Self::ensure), for a topic that is made in another way than the connector's own.
    ///
    /// # Errors
    /// The same.
    pub(crate) fn ensure_by(&self, make: Option<&Topics>, topic: &Arc<str>, handle: &Handle) -> Result<(), TopicError> {
        if let Some(topics) = make {
            self.made(topics, topic, handle)?;
        }
        match self.sink.warm(topic, WARM_TIMEOUT) {
            Ok(true) => {}
            // The record waits in the producer's queue until the topic is there, without an end, as in Connect.
            Ok(false) => tracing::warn!(%topic, "the topic has no leader yet; records wait for it"),
            Err(SinkError::Stopped) => {}
            Err(error) => tracing::warn!(%topic, %error, "the topic's metadata cannot be read; records wait"),
        }
        Ok(())
    }

    /// Makes the topic; a broker that is away is waited for.
    fn made(&self, topics: &Topics, topic: &Arc<str>, handle: &Handle) -> Result<(), TopicError> {
        let mut backoff = Backoff::new(PAUSES.0, PAUSES.1);
        loop {
            match handle.block_on(topics.ensure(topic)) {
                Err(error) if error.is_transient() && !self.sink.is_stopped() => {
                    tracing::warn!(%topic, %error, "the broker did not say whether the topic exists; trying again");
                    *self.waits.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string().into());
                    std::thread::sleep(backoff.pause());
                }
                outcome => {
                    *self.waits.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    return outcome.map(drop);
                }
            }
        }
    }

    /// Why nothing is sent, as a trace: a topic cannot be made because the broker is away. `None` while all is well.
    pub(crate) fn waits(&self) -> Option<Arc<str>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many resets there have been. When this changes, all topics count as new again.
    pub(crate) fn resets(&self) -> u64 {
        self.resets.load(Ordering::Relaxed)
    }

    /// Notes that a topic's first record was sent under this number.
    pub(crate) fn sent(&self, topic: &Arc<str>, seq: u64) {
        self.unheard.lock().unwrap_or_else(PoisonError::into_inner).push((seq, Arc::clone(topic)));
    }

    /// Takes the topics whose first record is done; `is_done` answers for its number.
    pub(crate) fn acknowledged(&self, is_done: impl Fn(u64) -> bool) -> Vec<Arc<str>> {
        let mut unheard = self.unheard.lock().unwrap_or_else(PoisonError::into_inner);
        unheard.extract_if(.., |(seq, _)| is_done(*seq)).map(|(_, topic)| topic).collect()
    }
}
