//! A sink for tests: it keeps the records that it is sent, and the test decides whether each is delivered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::error::serialized_bytes;
use super::{Delivery, DeliveryError, OffsetEntry, Outgoing, Sink, SinkError, Undelivered};

/// A record that was sent, as texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) topic: String,
    pub(crate) key: Option<String>,
    pub(crate) value: Option<String>,
    /// The headers as `name=value`, separated by commas.
    pub(crate) headers: String,
    /// The headers one by one.
    pub(crate) all_headers: Vec<(String, String)>,
    pub(crate) timestamp_ms: Option<i64>,
    pub(crate) seq: u64,
}

/// The sink for tests.
pub(crate) struct FakeSink {
    delivery: Box<Delivery>,
    sent: Mutex<Vec<Sent>>,
    open: Mutex<Vec<u64>>,
    /// The error with which `send` refuses the next record.
    pub(crate) refuses: Mutex<Option<SinkError>>,
    /// How many bytes a record may have, if there is a limit.
    pub(crate) limit: Mutex<Option<usize>>,
    pub(crate) away: Mutex<Option<Arc<str>>>,
    /// What happened to transactions, in order: `begin`, `commit VALUES | OFFSETS`, `abort VALUES`.
    pub(crate) transactions: Mutex<Vec<String>>,
    /// The values sent since the last begin, while a transaction is open.
    transaction: Mutex<Option<Vec<String>>>,
    /// The error with which the next commit fails.
    pub(crate) fails: Mutex<Option<SinkError>>,
    stopped: AtomicBool,
}

impl FakeSink {
    pub(crate) fn new(delivery: Box<Delivery>) -> Arc<Self> {
        Arc::new(Self {
            delivery,
            sent: Mutex::default(),
            open: Mutex::default(),
            refuses: Mutex::default(),
            limit: Mutex::default(),
            away: Mutex::default(),
            transactions: Mutex::default(),
            transaction: Mutex::default(),
            fails: Mutex::default(),
            stopped: AtomicBool::new(false),
        })
    }

    pub(crate) fn sent(&self) -> MutexGuard<'_, Vec<Sent>> {
        self.sent.lock().unwrap()
    }

    /// Reports that the broker has acknowledged the record `seq`.
    pub(crate) fn deliver(&self, seq: u64) {
        self.close(seq);
        (self.delivery)(seq, Ok(()));
    }

    /// Takes one record of this number out of those under way.
    fn close(&self, seq: u64) {
        let mut open = self.open.lock().unwrap();
        if let Some(at) = open.iter().position(|open| *open == seq) {
            open.remove(at);
        }
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
        self.close(seq);
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
        let (count, size) = out.headers.map_or((0, 0), |headers| (headers.count, headers.wire_bytes));
        let bytes = serialized_bytes(out.key, out.value, count, size);
        if let Some(limit) = self.limit.lock().unwrap().filter(|limit| bytes > *limit) {
            return Err(SinkError::TooLarge { topic: out.topic.to_owned(), bytes, limit });
        }
        let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        if let Some(transaction) = self.transaction.lock().unwrap().as_mut() {
            transaction.push(text(out.value).unwrap_or_default());
        }
        let all = out.headers.iter().flat_map(|headers| headers.iter());
        let all_headers: Vec<(String, String)> =
            all.map(|(name, value)| (name.to_owned(), text(value).unwrap_or_default())).collect();
        let headers: Vec<String> = all_headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.sent().push(Sent {
            topic: out.topic.to_owned(),
            key: text(out.key),
            value: text(out.value),
            headers: headers.join(","),
            all_headers,
            timestamp_ms: out.timestamp_ms,
            seq: out.seq,
        });
        self.open.lock().unwrap().push(out.seq);
        Ok(())
    }

    fn flush(&self, timeout: Duration) -> bool {
        let end = Instant::now() + timeout;
        while self.in_flight() > 0 {
            if Instant::now() >= end {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
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

    fn begin(&self) -> Result<(), SinkError> {
        let before = self.transaction.lock().unwrap().replace(Vec::new());
        assert!(before.is_none(), "a transaction is open already");
        self.transactions.lock().unwrap().push("begin".to_owned());
        Ok(())
    }

    fn commit(&self, offsets: &[OffsetEntry<'_>], _: Duration) -> Result<(), SinkError> {
        if let Some(error) = self.fails.lock().unwrap().take() {
            return Err(error);
        }
        assert_eq!(self.in_flight(), 0, "a commit before all is delivered");
        let values = self.transaction.lock().unwrap().take().expect("a transaction is open").join(" ");
        let offsets: Vec<_> = (offsets.iter())
            .map(|entry| String::from_utf8_lossy(entry.value.unwrap_or(b"null")).into_owned())
            .collect();
        self.transactions.lock().unwrap().push(format!("commit {values} | {}", offsets.join(" ")));
        Ok(())
    }

    fn abort(&self, _: Duration) -> Result<(), SinkError> {
        let values = self.transaction.lock().unwrap().take().expect("a transaction is open").join(" ");
        self.transactions.lock().unwrap().push(format!("abort {values}"));
        self.deliver_all();
        Ok(())
    }
}
