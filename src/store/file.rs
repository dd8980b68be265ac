//! The store of standalone mode. Offsets are in one file, in the format of Connect's standalone worker; configurations and
//! statuses are in memory only, as with that worker.
//!
//! Each write makes a whole new file beside the old one, syncs it and renames it over the old one: a crash leaves the old
//! offsets or the new ones, never half a file (Java's worker truncates the file and writes it).

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::{Entry, Fold, Log, Pending, Store, StoreError};

mod java;

enum Work {
    Append(Log, Vec<Entry>, oneshot::Sender<Result<(), StoreError>>),
    Close,
}

/// A [`Store`] on `offset.storage.file.filename`.
pub struct File {
    path: PathBuf,
    folds: Mutex<BTreeMap<Log, Fold>>,
    /// Set by `start`. One thread does all writing, so that callers never wait for the disk.
    writer: Mutex<Option<(Sender<Work>, JoinHandle<()>)>>,
}

#[allow(clippy::needless_pass_by_value)] // errors are handed over by `map_err`
fn failed(path: &Path, reason: impl ToString) -> StoreError {
    StoreError::File { path: path.display().to_string(), reason: reason.to_string() }
}

impl File {
    /// A store on the file at `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), folds: Mutex::default(), writer: Mutex::new(None) }
    }

    fn hand(&self, work: impl FnOnce(oneshot::Sender<Result<(), StoreError>>) -> Work) -> Pending {
        let (done, pending) = Pending::new();
        if let Some((sender, _)) = &*self.writer.lock().unwrap_or_else(PoisonError::into_inner) {
            // If the writer's thread has ended, `done` is dropped, and the caller gets `Closed`.
            let _ = sender.send(work(done));
        }
        pending
    }
}

/// Writes all of `offsets`, or leaves the file as it was.
fn save(path: &Path, offsets: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Result<(), StoreError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".tmp");
    let beside = PathBuf::from(beside);
    let written = || {
        let mut file = fs::File::create(&beside)?;
        file.write_all(&java::write(offsets))?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        // The rename survives a crash only when the folder is synced too.
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::File::open(folder)?.sync_all()
    };
    written().map_err(|error: std::io::Error| failed(path, error))
}

fn run(
    path: &Path,
    mut offsets: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    folds: &mut BTreeMap<Log, Fold>,
    work: &Receiver<Work>,
) {
    while let Ok(work) = work.recv() {
        let (result, done) = match work {
            Work::Close => return,
            Work::Append(log, entries, done) => {
                let mut result = Ok(());
                if log == Log::Offsets && !entries.is_empty() {
                    let mut next = offsets.clone();
                    for Entry { key, value } in &entries {
                        match value {
                            Some(_) => drop(next.insert(key.clone(), value.clone())),
                            None => drop(next.remove(key)),
                        }
                    }
                    result = save(path, &next);
                    if result.is_ok() {
                        offsets = next;
                    }
                }
                if let (Ok(()), Some(fold)) = (&result, folds.get_mut(&log)) {
                    for Entry { key, value } in &entries {
                        fold(key, value.as_deref());
                    }
                }
                (result, done)
            }
        };
        // Whoever asked may have stopped waiting.
        let _ = done.send(result);
    }
}

impl Store for File {
    fn follow(&self, log: Log, fold: Fold) {
        self.folds.lock().unwrap_or_else(PoisonError::into_inner).insert(log, fold);
    }

    fn start(&self) -> Result<(), StoreError> {
        let offsets = match fs::read(&self.path) {
            Ok(bytes) if bytes.is_empty() => BTreeMap::new(),
            Ok(bytes) => java::read(&bytes).map_err(|error| failed(&self.path, error))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(failed(&self.path, error)),
        };
        let mut folds = std::mem::take(&mut *self.folds.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(fold) = folds.get_mut(&Log::Offsets) {
            for (key, value) in &offsets {
                fold(key, value.as_deref());
            }
        }
        let (sender, work) = channel();
        let path = self.path.clone();
        let thread = std::thread::Builder::new()
            .name("store-file".to_owned())
            .spawn(move || run(&path, offsets, &mut folds, &work))
            .map_err(|error| failed(&self.path, error))?;
        *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = Some((sender, thread));
        Ok(())
    }

    fn checked(&self) -> Pending {
        Pending::over(Ok(()))
    }

    fn append(&self, log: Log, entries: Vec<Entry>) -> Pending {
        self.hand(|done| Work::Append(log, entries, done))
    }

    fn read_to_end(&self, log: Log) -> Pending {
        self.hand(|done| Work::Append(log, Vec::new(), done))
    }

    fn trouble(&self) -> Option<String> {
        None
    }

    /// Does nothing: no other process writes the file, so the writes under way may finish.
    fn abandon(&self) {}

    fn close(&self) {
        if let Some((sender, thread)) = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Both fail only when the thread has ended already.
            let _ = sender.send(Work::Close);
            let _ = thread.join();
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)] // tests
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::store::{Object, Offsets};

    fn object(value: &Value) -> Object {
        value.as_object().expect("an object").clone()
    }

    #[test]
    fn offsets_survive() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("offsets.dat");
        let (partition, offset) = (object(&json!({"server": "p"})), object(&json!({"lsn": 7, "txId": null})));
        let open = || {
            let store: Arc<dyn Store> = Arc::new(File::new(&path));
            let offsets = Offsets::new(Arc::clone(&store));
            store.start().expect("it starts");
            (store, offsets)
        };
        let (store, offsets) = open();
        assert!(offsets.all("c").is_empty());
        offsets.write("c", [(&partition, Some(&offset))]).wait().expect("written");
        assert_eq!(offsets.get("c", &partition).as_ref(), Some(&offset));
        store.close();
        let (store, offsets) = open();
        assert_eq!(offsets.get("c", &partition).as_ref(), Some(&offset));
        offsets.write("c", [(&partition, None)]).wait().expect("written");
        assert_eq!(offsets.get("c", &partition), None);
        store.close();
        assert!(open().1.all("c").is_empty());
        assert!(!folder.path().join("offsets.dat.tmp").exists());
    }

    #[test]
    fn a_broken_file_stops_the_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("offsets.dat");
        fs::write(&path, b"not Java").expect("written");
        let error = File::new(&path).start().expect_err("it must not start");
        assert!(error.to_string().contains("offsets.dat"), "{error}");
    }
}
