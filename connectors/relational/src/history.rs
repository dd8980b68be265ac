//! A connector's schema history: texts in the order in which they were written. The connector knows what they mean; the
//! runtime knows where they lie (`schema.history.internal` and its keys).
//!
//! The two talk over a bounded channel, and a history is read record by record, so that a history larger than memory can be
//! read.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::{mpsc, oneshot};

use crate::{HistoryNumbers, HistoryState, Meters};

/// How many records of a history may wait for the connector while it reads.
const READ_AHEAD: usize = 64;

/// What there is of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// The topic or file does not exist.
    Missing,
    /// It exists, and nothing is in it.
    Empty,
    /// It has records.
    Records,
}

/// Why a history could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryError {
    /// What failed and what to do, naming the topic or file.
    pub reason: String,
    /// Whether it may pass by itself.
    pub is_transient: bool,
}

impl fmt::Display for HistoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for HistoryError {}

impl HistoryError {
    fn gone() -> Self {
        Self { reason: "the schema history is closed".to_owned(), is_transient: true }
    }
}

/// An answer of the runtime.
pub type HistoryAnswer<T> = oneshot::Sender<Result<T, HistoryError>>;

/// What a connector asks of its history. Requests are served one after another.
#[derive(Debug)]
pub enum HistoryRequest {
    /// What is there.
    Find(HistoryAnswer<Kept>),
    /// Make the topic or file.
    Create(HistoryAnswer<()>),
    /// Read all records from the beginning to the present end.
    Load(mpsc::Sender<Loaded>),
    /// Append these records; answered when all of them are acknowledged. Nobody waits any more when the answer's channel is
    /// closed.
    Append(Vec<String>, HistoryAnswer<()>),
}

/// A part of what is read of a history. A reading that ends without [`Loaded::End`] is not whole.
#[derive(Debug)]
pub enum Loaded {
    /// The next record.
    Record(String),
    /// There are no more.
    End,
    /// The history cannot be read.
    Failed(HistoryError),
}

/// The connector's end of its history.
#[derive(Clone, Debug)]
pub struct History {
    requests: mpsc::Sender<HistoryRequest>,
    /// Who counts what is read and written; none in tests.
    meters: Option<Arc<Meters>>,
}

/// Changes the numbers of the history; the time is in milliseconds since 1970.
fn count(meters: Option<&Meters>, change: impl FnOnce(&mut HistoryNumbers, i64)) {
    if let Some(meters) = meters {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64;
        meters.count(|numbers| change(numbers.history(), now_ms));
    }
}

impl History {
    /// Makes both ends: the connector's, and the runtime's, which serves the requests and ends when the channel is closed.
    pub fn new() -> (Self, mpsc::Receiver<HistoryRequest>) {
        let (requests, received) = mpsc::channel(1);
        (Self { requests, meters: None }, received)
    }

    /// Has what is read and written counted in `meters`.
    #[must_use]
    pub fn counted(self, meters: &Arc<Meters>) -> Self {
        count(Some(meters), |numbers, _| numbers.state = HistoryState::Running);
        Self { meters: Some(Arc::clone(meters)), ..self }
    }

    /// Counts changes of records that were read and that the connector has applied.
    pub fn recovered(&self, applied: usize) {
        count(self.meters.as_deref(), |numbers, now_ms| {
            numbers.applied += applied as u64;
            if applied > 0 {
                numbers.last_applied_ms = Some(now_ms);
            }
        });
    }

    async fn ask<T>(&self, request: impl FnOnce(HistoryAnswer<T>) -> HistoryRequest) -> Result<T, HistoryError> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).await.map_err(|_| HistoryError::gone())?;
        answered.await.unwrap_or_else(|_| Err(HistoryError::gone()))
    }

    /// What there is of the history.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub async fn find(&self) -> Result<Kept, HistoryError> {
        self.ask(HistoryRequest::Find).await
    }

    /// Makes the topic or file, if it does not exist.
    ///
    /// # Errors
    /// When it could not be made.
    pub async fn create(&self) -> Result<(), HistoryError> {
        self.ask(HistoryRequest::Create).await
    }

    /// Begins to read the history from its beginning to its present end.
    ///
    /// # Errors
    /// When the runtime is gone.
    pub async fn load(&self) -> Result<Loading, HistoryError> {
        let (give, records) = mpsc::channel(READ_AHEAD);
        self.requests.send(HistoryRequest::Load(give)).await.map_err(|_| HistoryError::gone())?;
        count(self.meters.as_deref(), |numbers, now_ms| {
            numbers.state = HistoryState::Recovering;
            numbers.recovery_began_ms = Some(now_ms);
        });
        Ok(Loading { records, meters: self.meters.clone() })
    }

    /// Appends records in their order. Once this is complete they are durable, and what depends on them may be sent.
    ///
    /// # Errors
    /// When not all of them were acknowledged. Then some of them may be in the history.
    pub async fn append(&self, records: Vec<String>) -> Result<(), HistoryError> {
        let appended = records.len() as u64;
        self.ask(|answer| HistoryRequest::Append(records, answer)).await?;
        count(self.meters.as_deref(), |numbers, now_ms| {
            numbers.applied += appended;
            numbers.last_applied_ms = Some(now_ms);
        });
        Ok(())
    }
}

/// A history that is being read.
#[derive(Debug)]
pub struct Loading {
    records: mpsc::Receiver<Loaded>,
    meters: Option<Arc<Meters>>,
}

impl Loading {
    /// The next record; `None` after the last one.
    ///
    /// # Errors
    /// When the history cannot be read to its end.
    pub async fn next(&mut self) -> Result<Option<String>, HistoryError> {
        match self.records.recv().await {
            Some(Loaded::Record(record)) => {
                count(self.meters.as_deref(), |numbers, now_ms| {
                    numbers.recovered += 1;
                    numbers.last_recovered_ms = Some(now_ms);
                });
                Ok(Some(record))
            }
            Some(Loaded::End) => {
                count(self.meters.as_deref(), |numbers, _| numbers.state = HistoryState::Running);
                Ok(None)
            }
            Some(Loaded::Failed(error)) => Err(error),
            None => Err(HistoryError::gone()),
        }
    }
}

impl Drop for Loading {
    /// A reading that failed, or that was given up, does not go on.
    fn drop(&mut self) {
        count(self.meters.as_deref(), |numbers, _| {
            if numbers.state == HistoryState::Recovering {
                numbers.state = HistoryState::Stopped;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out of a reading whose other end gives these parts and is dropped then.
    async fn check(parts: Vec<Loaded>, expect: &[Result<Option<&str>, &str>]) {
        let (history, mut requests) = History::new();
        let served = tokio::spawn(async move {
            if let Some(HistoryRequest::Load(give)) = requests.recv().await {
                for part in parts {
                    let _ = give.send(part).await;
                }
            }
        });
        let mut loading = history.load().await.unwrap();
        for expect in expect {
            let next = loading.next().await;
            let shown = next.as_ref().map(Option::as_deref).map_err(|error| error.reason.as_str());
            assert_eq!(&shown, expect);
        }
        served.await.unwrap();
    }

    #[tokio::test]
    async fn a_history_is_whole_only_with_its_end() {
        let record = |text: &str| Loaded::Record(text.to_owned());
        let error = HistoryError { reason: "away".to_owned(), is_transient: true };
        check(vec![record("a"), record("b"), Loaded::End], &[Ok(Some("a")), Ok(Some("b")), Ok(None)]).await;
        check(vec![record("a")], &[Ok(Some("a")), Err("the schema history is closed")]).await;
        check(vec![Loaded::Failed(error)], &[Err("away")]).await;
    }

    #[tokio::test]
    async fn what_is_read_and_written_is_counted() {
        let meters = Arc::new(Meters::new("c".into()));
        let (history, mut requests) = History::new();
        let history = history.counted(&meters);
        let served = tokio::spawn(async move {
            while let Some(request) = requests.recv().await {
                match request {
                    HistoryRequest::Load(give) => {
                        for text in ["a", "b"] {
                            give.send(Loaded::Record(text.to_owned())).await.unwrap();
                        }
                        give.send(Loaded::End).await.unwrap();
                    }
                    HistoryRequest::Append(_, answer) => answer.send(Ok(())).unwrap(),
                    HistoryRequest::Find(_) | HistoryRequest::Create(_) => {}
                }
            }
        });
        let numbers = || meters.read().history.unwrap();
        assert_eq!((numbers().state, numbers().recovery_began_ms), (HistoryState::Running, None));
        let mut loading = history.load().await.unwrap();
        assert_eq!((numbers().state, numbers().recovery_began_ms.is_some()), (HistoryState::Recovering, true));
        while loading.next().await.unwrap().is_some() {}
        history.recovered(1);
        assert_eq!((numbers().state, numbers().recovered, numbers().applied), (HistoryState::Running, 2, 1));
        history.append(vec!["c".to_owned(), "d".to_owned()]).await.unwrap();
        assert_eq!((numbers().recovered, numbers().applied), (2, 3));
        assert!(numbers().last_recovered_ms.is_some() && numbers().last_applied_ms.is_some());
        drop(history);
        served.await.unwrap();
    }

    #[tokio::test]
    async fn a_reading_that_failed_does_not_go_on() {
        let meters = Arc::new(Meters::new("c".into()));
        let (history, mut requests) = History::new();
        let history = history.counted(&meters);
        let state = || meters.read().history.unwrap().state;
        let mut loading = history.load().await.unwrap();
        assert_eq!(state(), HistoryState::Recovering);
        drop(requests.recv().await);
        assert_eq!(loading.next().await, Err(HistoryError::gone()));
        drop(loading);
        assert_eq!(state(), HistoryState::Stopped);
    }

    #[tokio::test]
    async fn nothing_is_acknowledged_by_a_runtime_that_is_gone() {
        let (history, requests) = History::new();
        drop(requests);
        assert_eq!(history.append(vec!["a".to_owned()]).await, Err(HistoryError::gone()));
    }
}
