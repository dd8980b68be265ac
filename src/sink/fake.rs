//! A sink for tests: it keeps the records that it is sent, and the test decides whether each is delivered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::{Delivery, DeliveryError, Outgoing, Sink, SinkError, Undelivered};

/// A record that was sent, as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) topic: String,
    pub(crate) key: Option<String>,
    pub(crate) value: Option<String>,
    /// The headers as `name=value`, separated by commas.
    pub(crate) headers: String,
    pub(crate) seq: u64,
}

/// The sink for tests.
pub(crate) struct FakeSink {
    delivery: Box<Delivery>,
    sent: Mutex<Vec<Sent>>,
    open: Mutex<Vec<u64>>,
    /// The error with which `send` refuses the next record.
    pub(crate) refuses: Mutex<Option<SinkError>>,
    pub(crate) away: Mutex<Option<Arc<str>>>,
    stopped: AtomicBool,
}

impl FakeSink {
    pub(crate) fn new(delivery: Box<Delivery>) -> Arc<Self> {
        Arc::new(Self {
            delivery,
            sent: Mutex::default(),
            open: Mutex::default(),
            refuses: Mutex::default(),
            away: Mutex::default(),
            stopped: AtomicBool::new(false),
        })
    }

    pub(crate) fn sent(&self) -> MutexGuard<'_, Vec<Sent>> {
        self.sent.lock().unwrap()
    }

    /// Reports that the broker has acknowledged the record `seq`.
    pub(crate) fn deliver(&self, seq: u64) {
        self.open.lock().unwrap().retain(|open| *open != seq);
        (self.delivery)(seq, Ok(()));
    }

    /// Reports that the broker has acknowledged all records.
    pub(crate) fn deliver_all(&self) {
        let open = std::mem::take(&mut *self.open.lock().unwrap());
        for seq in open {
            (self.delivery)(seq, Ok(()));
        }
    }

    /// Reports that the broker has refused the record `seq`.
    pub(crate) fn refuse(&self, seq: u64, error: DeliveryError) {
        self.open.lock().unwrap().retain(|open| *open != seq);
        let sent = self.sent().iter().find(|sent| sent.seq == seq).cloned().unwrap_or_default();
        let record = Outgoing {
            topic: &sent.topic,
            partition: None,
            timestamp_ms: None,
            key: sent.key.as_deref().map(str::as_bytes),
            value: sent.value.as_deref().map(str::as_bytes),
            headers: None,
            seq,
        };
        (self.delivery)(seq, Err(Undelivered { error, record }));
    }
}

impl Sink for FakeSink {
    fn send(&self, out: Outgoing<'_>) -> Result<(), SinkError> {
        if self.is_stopped() {
            return Err(SinkError::Stopped);
        }
        if let Some(error) = self.refuses.lock().unwrap().take() {
            return Err(error);
        }
        let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let header = |(name, value): (&str, Option<&[u8]>)| format!("{name}={}", text(value).unwrap_or_default());
        let headers: Vec<String> = out.headers.iter().flat_map(|headers| headers.iter()).map(header).collect();
        self.sent().push(Sent {
            topic: out.topic.to_owned(),
            key: text(out.key),
            value: text(out.value),
            headers: headers.join(","),
            seq: out.seq,
        });
        self.open.lock().unwrap().push(out.seq);
        Ok(())
    }

    fn flush(&self, _: Duration) -> bool {
        self.in_flight() == 0
    }

    fn stop(&self, _: bool) {
        self.stopped.store(true, Ordering::Release);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    fn in_flight(&self) -> u64 {
        self.open.lock().unwrap().len() as u64
    }

    fn away(&self) -> Option<Arc<str>> {
        self.away.lock().unwrap().clone()
    }

    fn warm(&self, _: &str, _: Duration) -> Result<bool, SinkError> {
        Ok(true)
    }
}
