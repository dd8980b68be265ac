//! A store that only the owner of the group can write. Everything that writes state uses it.
//!
//! Statuses, configurations and offsets have many writers: keepers, calls, tasks. A process that was stopped (SIGSTOP) and
//! goes on after another one took over must not write one more record, whichever writer wakes first. So the fence is asked
//! here, once, and not by each writer.
//!
//! Must not know: what the records mean.

use std::sync::{Arc, PoisonError, RwLock};

use super::owner::Fence;
use crate::store::{Entry, Fold, Log, Pending, Store, StoreError};

/// A store that is read at any time and written only while this process owns the group.
pub struct Fenced {
    store: Arc<dyn Store>,
    /// The fence of the present tenure; `None` outside of one.
    fence: RwLock<Option<Arc<Fence>>>,
}

impl Fenced {
    /// Wraps a store that has not been started. Nothing can be written before [`begin`](Self::begin).
    pub fn new(store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self { store, fence: RwLock::default() })
    }

    /// Begins a tenure: writes are accepted while `fence` is open.
    pub fn begin(&self, fence: Arc<Fence>) {
        *self.fence.write().unwrap_or_else(PoisonError::into_inner) = Some(fence);
    }

    /// Ends the tenure: closes its fence, refuses further writes and drops those that have not been sent yet.
    pub fn end(&self) {
        if let Some(fence) = self.fence.write().unwrap_or_else(PoisonError::into_inner).take() {
            fence.close();
        }
        self.store.abandon();
    }

    /// The fence of the present tenure.
    pub fn fence(&self) -> Option<Arc<Fence>> {
        self.fence.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether this process may write now.
    pub fn is_open(&self) -> bool {
        self.fence().is_some_and(|fence| fence.is_open())
    }
}

impl Store for Fenced {
    fn follow(&self, log: Log, fold: Fold) {
        self.store.follow(log, fold);
    }

    fn start(&self) -> Result<(), StoreError> {
        self.store.start()
    }

    fn checked(&self) -> Pending {
        self.store.checked()
    }

    fn append(&self, log: Log, entries: Vec<Entry>) -> Pending {
        if self.is_open() { self.store.append(log, entries) } else { Pending::over(Err(StoreError::NotOwner)) }
    }

    fn append_as_leader(&self, log: Log, entries: Vec<Entry>) -> Pending {
        if self.is_open() {
            self.store.append_as_leader(log, entries)
        } else {
            Pending::over(Err(StoreError::NotOwner))
        }
    }

    fn lead(&self) -> Pending {
        if self.is_open() { self.store.lead() } else { Pending::over(Err(StoreError::NotOwner)) }
    }

    fn read_to_end(&self, log: Log) -> Pending {
        self.store.read_to_end(log)
    }

    fn read_settled(&self, log: Log) -> Pending {
        self.store.read_settled(log)
    }

    fn place(&self, log: Log, key: &[u8]) -> Option<(String, i32)> {
        self.store.place(log, key)
    }

    fn trouble(&self) -> Option<String> {
        self.store.trouble()
    }

    fn abandon(&self) {
        self.store.abandon();
    }

    fn close(&self) {
        self.store.close();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::{Duration, Instant};

    use serde_json::{Map, json};

    use super::*;
    use crate::store::{Configs, Offsets, Status, Statuses, TargetState, TopicStatus};

    /// A store that keeps the keys of what is written.
    #[derive(Default)]
    struct Memory(Mutex<Vec<String>>);

    impl Memory {
        fn take(&self) -> usize {
            self.0.lock().unwrap().drain(..).count()
        }
    }

    impl Store for Memory {
        fn follow(&self, _: Log, _: Fold) {}

        fn start(&self) -> Result<(), StoreError> {
            Ok(())
        }

        fn checked(&self) -> Pending {
            Pending::over(Ok(()))
        }

        fn append(&self, _: Log, entries: Vec<Entry>) -> Pending {
            self.0.lock().unwrap().extend(entries.iter().map(|e| String::from_utf8_lossy(&e.key).into_owned()));
            Pending::over(Ok(()))
        }

        fn read_to_end(&self, _: Log) -> Pending {
            Pending::over(Ok(()))
        }

        fn trouble(&self) -> Option<String> {
            None
        }

        fn abandon(&self) {
            self.0.lock().unwrap().push("abandoned".to_owned());
        }

        fn close(&self) {}
    }

    /// Does every kind of write, each with its name.
    async fn all_writes(store: &Arc<Fenced>) -> Vec<(&'static str, Result<(), StoreError>)> {
        let store: Arc<dyn Store> = Arc::clone(store) as _;
        let (configs, statuses) = (Configs::new(Arc::clone(&store)), Statuses::new(Arc::clone(&store)));
        let status = Status {
            state: "FAILED".to_owned(),
            trace: None,
            worker_id: "w:1".to_owned(),
            generation: 1,
            version: None,
        };
        let topic = TopicStatus { name: "t".to_owned(), connector: "c".to_owned(), task: 0, discovered_ms: 0 };
        let object = Map::from_iter([("k".to_owned(), json!("v"))]);
        vec![
            ("a configuration", configs.put_connector("c", &object, None).await),
            ("a connector's end", configs.remove_connector("c").await),
            ("task configurations", configs.put_task_configs("c", std::slice::from_ref(&object)).await),
            ("a fencing count", configs.put_fencing("c", 1).await),
            ("a target state", configs.put_target_state("c", TargetState::Paused).await),
            ("a connector's status", statuses.put_connector("c", &status).await),
            ("a task's status", statuses.put_task("c", 0, &status).await),
            ("a topic", statuses.put_topic(&topic).await),
            ("a connector's status, forgotten", statuses.remove_connector("c").await),
            ("a task's status, forgotten", statuses.remove_task("c", 0).await),
            ("an offset", Offsets::new(Arc::clone(&store)).write("c", [(&object, Some(&object))]).await),
        ]
    }

    #[track_caller]
    fn check(when: &str, memory: &Memory, writes: Vec<(&'static str, Result<(), StoreError>)>, taken: bool) {
        for (what, result) in writes {
            let is_refused = matches!(result, Err(StoreError::NotOwner));
            assert_eq!((result.is_ok(), is_refused), (taken, !taken), "{when}: {what}: {result:?}");
        }
        assert_eq!(memory.take() > 0, taken, "{when}: what came to the store");
    }

    #[tokio::test]
    async fn nothing_is_written_but_by_the_owner() {
        let memory = Arc::new(Memory::default());
        let store = Fenced::new(Arc::clone(&memory) as _);
        check("before the first tenure", &memory, all_writes(&store).await, false);

        let fence = Arc::new(Fence::open(Instant::now(), Duration::from_secs(3600)));
        store.begin(fence);
        check("as owner", &memory, all_writes(&store).await, true);
        // As after SIGSTOP and SIGCONT: nobody has closed the fence, but its time has run out.
        let long_ago = Instant::now().checked_sub(Duration::from_secs(1)).unwrap();
        store.begin(Arc::new(Fence::open(long_ago, Duration::from_millis(400))));
        check("after its time", &memory, all_writes(&store).await, false);

        store.begin(Arc::new(Fence::unguarded()));
        check("as owner again", &memory, all_writes(&store).await, true);
        store.end();
        assert_eq!(memory.take(), 1, "what had not left is taken back");
        check("after the loss", &memory, all_writes(&store).await, false);
    }
}
