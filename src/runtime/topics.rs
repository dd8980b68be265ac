//! Topics that a task writes to: made at their first record, told of at their first acknowledgement.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;

use crate::sink::topics::{TopicError, Topics};
use crate::sink::{Sink, SinkError};

/// How long a topic's leader is waited for before the record is queued all the same.
const WARM_TIMEOUT: Duration = Duration::from_secs(5);

/// Pause before a broker that did not answer is asked again; its own time-out is far longer.
const AGAIN: Duration = Duration::from_millis(500);

/// See the module.
pub(crate) struct NewTopics {
    sink: Arc<dyn Sink>,
    make: Option<Topics>,
    /// Met, and first sent under this number: to be told of once it is done.
    unheard: Mutex<Vec<(u64, Arc<str>)>>,
    waits: Mutex<Option<Arc<str>>>,
    resets: Arc<AtomicU64>,
}

impl NewTopics {
    /// Topics of a task; `make` creates them where the user has said how, `resets` counts what the user had forgotten.
    pub(crate) fn new(sink: Arc<dyn Sink>, make: Option<Topics>, resets: Arc<AtomicU64>) -> Self {
        Self { sink, make, unheard: Mutex::default(), waits: Mutex::default(), resets }
    }

    /// A topic's first record: makes the topic, or lets the broker do so, and waits for its leader.
    ///
    /// # Errors
    /// When the topic cannot be made.
    pub(crate) fn meet(&self, topic: &Arc<str>, handle: &Handle) -> Result<(), TopicError> {
        if let Some(topics) = &self.make {
            self.made(topics, topic, handle)?;
        }
        match self.sink.warm(topic, WARM_TIMEOUT) {
            Ok(true) => {}
            // The record waits in the producer's queue until the topic is there: as Connect, which waits for ever.
            Ok(false) => tracing::warn!(%topic, "the topic has no leader yet; records wait for it"),
            Err(SinkError::Stopped) => {}
            Err(error) => tracing::warn!(%topic, %error, "the topic's metadata cannot be read; records wait"),
        }
        Ok(())
    }

    /// Makes the topic; a broker that is away is waited for.
    fn made(&self, topics: &Topics, topic: &Arc<str>, handle: &Handle) -> Result<(), TopicError> {
        loop {
            match handle.block_on(topics.ensure(topic)) {
                Err(error) if error.is_transient() && !self.sink.is_stopped() => {
                    tracing::warn!(%topic, %error, "the topic cannot be looked at yet; trying again");
                    *self.waits.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string().into());
                    std::thread::sleep(AGAIN);
                }
                outcome => {
                    *self.waits.lock().unwrap_or_else(PoisonError::into_inner) = None;
                    return outcome.map(drop);
                }
            }
        }
    }

    /// Why nothing is sent, if so: a topic cannot be made, as the broker is away. In the form of a trace.
    pub(crate) fn waits(&self) -> Option<Arc<str>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// When this changes, all topics are new again.
    pub(crate) fn resets(&self) -> u64 {
        self.resets.load(Ordering::Relaxed)
    }

    /// The first record of a topic just met is being sent under this number.
    pub(crate) fn sent(&self, topic: &Arc<str>, seq: u64) {
        self.unheard.lock().unwrap_or_else(PoisonError::into_inner).push((seq, Arc::clone(topic)));
    }

    /// Topics whose first record is done, as `is_done` says of its number.
    pub(crate) fn acknowledged(&self, is_done: impl Fn(u64) -> bool) -> Vec<Arc<str>> {
        let mut unheard = self.unheard.lock().unwrap_or_else(PoisonError::into_inner);
        unheard.extract_if(.., |(seq, _)| is_done(*seq)).map(|(_, topic)| topic).collect()
    }
}
