//! What the supervisor is told once, and how it starts tasks.
//!
//! Must not know: which connectors run.

use std::sync::Arc;
use std::time::Duration;

use settings::Properties;
pub use settings::Resolve;

use super::restarts::RestartSettings;
use crate::plugins::{Boxed, Plugin};
use crate::runtime::catalog::Catalog;
use crate::runtime::defect::{self, Defect};
use crate::runtime::exactly_once::Producers;
use crate::runtime::task::{TaskHandle, TaskSpec};
use crate::runtime::traces::Tracer;

/// A task that was started. Dropping it stops the task without waiting.
pub struct Launched {
    /// Stops the task in good order; false when it had to be cancelled after the grace.
    pub stop: Box<dyn FnOnce(Duration) -> Boxed<bool> + Send + Sync>,
}

impl Launched {
    /// Takes a task's handle. When this is dropped the task is cancelled.
    pub fn new(handle: TaskHandle) -> Self {
        struct Guard(Option<TaskHandle>);
        impl Drop for Guard {
            fn drop(&mut self) {
                if let Some(handle) = &self.0 {
                    handle.cancel();
                }
            }
        }
        let mut guard = Guard(Some(handle));
        let stop = move |grace| -> Boxed<bool> {
            let handle = guard.0.take();
            Box::pin(async move {
                match handle {
                    Some(handle) => handle.stop(grace).await,
                    None => true,
                }
            })
        };
        Self { stop: Box::new(stop) }
    }
}

/// Starts a task, which produces only while its fence is open.
pub type Launch = Arc<dyn Fn(TaskSpec) -> Launched + Send + Sync>;

/// Sets the level of a logger, by their Java names, because the config topic says so (KIP-976).
pub type SetLogLevel = Arc<dyn Fn(&str, &str) + Send + Sync>;

/// What the supervisor takes from the worker's configuration.
#[derive(Clone)]
pub struct SupervisorSettings {
    /// `rest.advertised.host.name:rest.advertised.port`, as it is written into status records.
    pub worker_id: String,
    /// `task.shutdown.graceful.timeout.ms`.
    pub graceful_stop: Duration,
    /// `topic.tracking.enable`.
    pub topic_tracking: bool,
    /// `topic.tracking.allow.reset`.
    pub topic_tracking_reset: bool,
    /// The worker's own properties: defaults of converters, the override policy.
    pub worker: Properties,
    /// The connectors to offer: `plugins::ALL`.
    pub plugins: &'static [Plugin],
    /// The SMTs, predicates and converters to offer.
    pub catalog: Catalog,
    /// Resolves the variables of a configuration.
    pub resolve: Resolve,
    /// Starts a task.
    pub launch: Launch,
    /// With exactly-once support enabled: makes the producers that fence those of earlier tasks, and that change offsets.
    pub exactly_once: Option<Arc<Producers>>,
    /// Whether and when tasks that failed are started again by themselves, unless a connector's configuration says otherwise.
    pub restarts: RestartSettings,
    /// Sets log levels that are meant for all workers.
    pub set_log_level: SetLogLevel,
    /// Makes spans of records of dead letters that are sent again, and counts all spans.
    pub traces: Tracer,
}

impl SupervisorSettings {
    /// Finds a connector by its full class name, its simple name, or the simple name without `Connector`.
    pub(crate) fn find(&self, class: &str) -> Option<&'static Plugin> {
        self.plugins.iter().find(|plugin| settings::names_class(class, plugin.class, &["Connector"]))
    }

    /// Replaces the variables of a configuration (`${file:…}`) by their values. Files are read on a thread that may block. The
    /// configuration can be asked for values again, which a connector does for each connection.
    pub(crate) async fn resolved(&self, config: Properties) -> Result<Properties, Defect> {
        if !config.iter().any(|(_, value)| value.is_some_and(|text| text.contains("${"))) {
            return Ok(config);
        }
        let resolve = Arc::clone(&self.resolve);
        match tokio::task::spawn_blocking(move || defect::catch(|| config.resolved(&resolve))).await {
            Ok(resolved) => resolved,
            // It is only cancelled at the end of the process, when nobody waits for the answer.
            Err(_) => std::future::pending().await,
        }
    }
}
