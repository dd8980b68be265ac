//! One task as its supervisor sees it: what it needs, what it reports, how it is stopped.
//!
//! Must not know: how records are moved.

mod build;
mod run;

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use relational::{Budget, Meters};
use settings::Properties;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::owner::Fence;
use crate::plugins::Plugin;
use crate::sink::{Open, Sink};
use crate::store::Offsets;

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
    /// It ended with an error. The text is the trace in Java's form: `class: message`, then reason and remedy.
    Failed {
        /// For `status.trace`.
        trace: String,
    },
    /// The first record to this topic was acknowledged.
    Topic(Arc<str>),
}

/// What all tasks of a process share.
#[derive(Clone)]
pub struct Worker {
    /// The worker's properties, from all layers of its configuration.
    pub properties: BTreeMap<String, String>,
    /// The stored offsets.
    pub offsets: Offsets,
    /// The byte budget of the process.
    pub budget: Budget,
    /// `offset.flush.interval.ms`.
    pub flush_interval: Duration,
    /// `offset.flush.timeout.ms`.
    pub flush_timeout: Duration,
    /// Makes the sink of a task.
    pub open_sink: Arc<Open>,
}

/// What a task is started with.
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

/// A task that runs. Dropping it cancels the task: nothing is flushed, nothing stored.
pub struct TaskHandle {
    stop: watch::Sender<bool>,
    sink: Arc<OnceLock<Arc<dyn Sink>>>,
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
        if let Some(sink) = self.sink.get() {
            sink.stop(true);
        }
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
    let sink = Arc::new(OnceLock::new());
    let done = tokio::spawn(run::drive(spec, worker, stopped, Arc::clone(&sink)));
    TaskHandle { stop, sink, done }
}
