//! One running task: the connector's future, the pipeline's thread and the committer, started and stopped together.

use std::sync::Arc;
use std::time::Duration;

use settings::Properties;
use tokio::sync::mpsc;

use crate::plugins::Plugin;

/// What a task tells its supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskEvent {
    /// Started: the connector's start has returned.
    Running,
    /// Ended for good. The text is the trace: `class: message` first, then reason and remedy, in Java's form.
    Failed {
        /// For `status.trace`.
        trace: String,
    },
    /// A first record of this topic was acknowledged.
    Topic(Arc<str>),
}

/// What to run.
pub struct TaskSpec {
    /// The connector's name.
    pub connector: Arc<str>,
    /// Its configuration, variables resolved.
    pub config: Properties,
    /// Its class.
    pub plugin: &'static Plugin,
    /// Where events go.
    pub events: mpsc::UnboundedSender<TaskEvent>,
}

/// A task that runs. Dropping it stops the task without waiting.
pub struct TaskHandle {
    stop: tokio::sync::watch::Sender<bool>,
    done: tokio::task::JoinHandle<()>,
}

impl TaskHandle {
    /// Stops reading, flushes, commits offsets, confirms the position; gives up waiting after `grace` (then the task is
    /// cancelled without a commit, as Connect does). True when it ended in time.
    pub async fn stop(self, grace: Duration) -> bool {
        let _ = self.stop.send(true);
        tokio::time::timeout(grace, self.done).await.is_ok()
    }
}
