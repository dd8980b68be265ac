//! A store for tests: what is appended waits until the test answers.

use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::{Entry, Fold, Log, Pending, Store, StoreError};

#[derive(Default)]
pub(crate) struct FakeStore {
    appended: Mutex<Vec<String>>,
    open: Mutex<Vec<oneshot::Sender<Result<(), StoreError>>>>,
}

impl FakeStore {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Takes the values that were appended since the last call; a tombstone reads `null`.
    pub(crate) fn appended(&self) -> Vec<String> {
        std::mem::take(&mut *self.appended.lock().unwrap())
    }

    /// Answers all that was appended.
    pub(crate) fn answer(&self, result: &Result<(), StoreError>) {
        for done in std::mem::take(&mut *self.open.lock().unwrap()) {
            // Whoever asked may have stopped waiting.
            let _ = done.send(result.clone());
        }
    }
}

impl Store for FakeStore {
    fn follow(&self, _: Log, _: Fold) {}

    fn start(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn checked(&self) -> Pending {
        Pending::over(Ok(()))
    }

    fn append(&self, _: Log, entries: Vec<Entry>) -> Pending {
        let text = |entry: &Entry| String::from_utf8_lossy(entry.value.as_deref().unwrap_or(b"null")).into_owned();
        self.appended.lock().unwrap().extend(entries.iter().map(text));
        let (done, pending) = Pending::new();
        self.open.lock().unwrap().push(done);
        pending
    }

    fn read_to_end(&self, _: Log) -> Pending {
        Pending::over(Ok(()))
    }

    fn place(&self, _: Log, _: &[u8]) -> Option<(String, i32)> {
        Some(("offsets".to_owned(), 3))
    }

    fn trouble(&self) -> Option<String> {
        None
    }

    fn abandon(&self) {}

    fn close(&self) {}
}
