//! One task as its supervisor sees it: what it needs, what it reports, how it is stopped.
//!
//! Must not know: how records are moved.

mod begin;
pub(super) mod build;
mod run;
mod starting;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use relational::{Budget, Meters, TaskError};
use settings::Properties;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::own_offsets::OffsetTopics;
use super::owner::Fence;
use super::traces::Tracer;
use crate::plugins::Plugin;
use crate::sink::{Open, Sink};

/// What a task tells its supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskEvent {
    /// The connector has started, and nothing is in its way.
    Running,
    /// Something is in its way that may pass by itself, and it goes on trying. The text has the form of a failure's.
    Waiting {
        /// For `status.trace`.
        trace: Arc<str>,
    },
    /// It ended with an error. The trace is in Java's form: `class: message`, then reason and remedy.
    Failed(TaskError),
    /// The first record to this topic was acknowledged.
    Topic(Arc<str>),
}

/// What all tasks of a process share.
#[derive(Clone)]
pub struct Worker {
    /// The worker's properties, from all layers of its configuration.
    pub properties: BTreeMap<String, String>,
    /// Where offsets are stored.
    pub offsets: Arc<OffsetTopics>,
    /// The byte budget of the process.
    pub budget: Budget,
    /// `offset.flush.interval.ms`.
    pub flush_interval: Duration,
    /// `offset.flush.timeout.ms`.
    pub flush_timeout: Duration,
    /// `group.id`, if `exactly.once.source.support` is `enabled`: transactional ids begin with it.
    pub exactly_once: Option<String>,
    /// Makes the sink of a task.
    pub open_sink: Arc<Open>,
    /// Makes spans of starts, batches and copies.
    pub traces: Tracer,
}

/// What a task is started with.
#[derive(Clone)]
pub struct TaskSpec {
    /// The connector's name.
    pub connector: Arc<str>,
    /// Its configuration, variables resolved.
    pub config: Properties,
    /// The connector's class.
    pub plugin: &'static Plugin,
    /// Whether this process may produce.
    pub fence: Arc<Fence>,
    /// Counts resets of topics (`PUT /connectors/C/topics/reset`): after one, topics are reported again at their next record.
    pub resets: Arc<AtomicU64>,
    /// Where the task counts what it does.
    pub meters: Arc<Meters>,
    /// Where the task reports what happens to it.
    pub events: mpsc::UnboundedSender<TaskEvent>,
}

/// The sink of a task, for whoever cancels the task. One that begins anew has another sink.
#[derive(Default)]
struct Slot(Mutex<(Option<Arc<dyn Sink>>, bool)>);

impl Slot {
    /// Puts the task's sink in. If the task was cancelled, the sink is stopped at once.
    fn put(&self, sink: &Arc<dyn Sink>) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.1 {
            sink.stop(true);
        }
        slot.0 = Some(Arc::clone(sink));
    }

    /// Stops the sink: what waits in it returns.
    fn stop(&self) {
        if let Some(sink) = &self.0.lock().unwrap_or_else(PoisonError::into_inner).0 {
            sink.stop(true);
        }
    }

    /// Stops the sink, and every later one.
    fn cancel(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.stop();
    }
}

/// A task that runs. Dropping it cancels the task: nothing is flushed, nothing stored.
pub struct TaskHandle {
    stop: watch::Sender<bool>,
    sink: Arc<Slot>,
    done: JoinHandle<()>,
}

impl TaskHandle {
    /// Stops reading, flushes, stores the offset and confirms the position to the source. After `grace` the task is
    /// cancelled without a commit, as in Connect. True when it ended in time.
    pub async fn stop(mut self, grace: Duration) -> bool {
        let _ = self.stop.send(true);
        if tokio::time::timeout(grace, &mut self.done).await.is_ok() {
            return true;
        }
        self.cancel();
        false
    }

    /// Ends the task at once: nothing is flushed, nothing stored.
    pub fn cancel(&self) {
        self.sink.cancel();
        self.done.abort();
    }
}

impl Drop for TaskHandle {
    fn drop(&mut self) {
        if !self.done.is_finished() {
            self.cancel();
        }
    }
}

/// Starts a task, which reports what happens to it through the spec's events.
pub fn start(spec: TaskSpec, worker: Arc<Worker>) -> TaskHandle {
    let (stop, stopped) = watch::channel(false);
    let sink = Arc::<Slot>::default();
    let done = tokio::spawn(run::drive(spec, worker, stopped, Arc::clone(&sink)));
    TaskHandle { stop, sink, done }
}
