//! Carries out a machine's effects: writes statuses and task configurations, makes the plan, starts and stops the task.
//!
//! Must not know: why the machine wants an effect.

use std::sync::Arc;
use std::time::Duration;

use relational::TaskError;
use retry::Outlook;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Keeper, Later, Up};
use crate::runtime::defect;
use crate::runtime::failpoint;
use crate::runtime::supervisor::machine::{Connector, Effect, Input, State, Task};
use crate::runtime::supervisor::{Launched, Turn, plan, properties};
use crate::runtime::task::{TaskEvent, TaskSpec};
use crate::store::{Pending, Status, TargetState};

/// How long a status record is waited for. Statuses are awaited to keep their order, but not for ever, so that a
/// connector can be stopped while the broker is away.
const STATUS_WAIT: Duration = Duration::from_secs(5);
/// The same for task configurations.
const CONFIG_WAIT: Duration = Duration::from_secs(30);
/// The same for the files that a configuration's variables name.
const FILES_WAIT: Duration = Duration::from_secs(60);
/// The same for the fencing of producers, and its record.
const FENCING_WAIT: Duration = Duration::from_secs(90);
const FENCING_LATE: &str = "Failed to fence out the producers of earlier tasks within 90 s\nRemedy: see whether Kafka answers, then \
                            restart the task";
const CONNECT_EXCEPTION: &str = "org.apache.kafka.connect.errors.ConnectException";
const FILES_LATE: &str = "org.apache.kafka.common.config.ConfigException: the files that the configuration's variables \
                          (${provider:path:key}) name could not be read within 60 s\nRemedy: see whether the file \
                          system that they are on answers, then restart the connector";

impl Keeper {
    pub(super) async fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Connector(state, trace) => {
                if let Some(trace) = &trace {
                    tracing::error!(connector = &*self.name, "the connector failed to start: {trace}");
                }
                let status = self.status(state, trace);
                self.written(self.shared.statuses.put_connector(&self.name, &status)).await;
            }
            Effect::Task(state, trace) => {
                self.shared.metered.task_is(&self.name, state);
                let status = self.status(state, trace);
                if state == State::Running && status.trace.is_some() {
                    // The task may wait for the broker, and then the record is not read back: REST must show the status all the
                    // same.
                    self.shared.statuses.show_task(&self.name, 0, &status);
                }
                self.written(self.shared.statuses.put_task(&self.name, 0, &status)).await;
            }
            Effect::Prepare => return Some(self.prepare().await),
            Effect::Commit => return self.commit().await,
            Effect::Start => self.start().await,
            Effect::Stop => self.stop().await,
            Effect::FailTasks(trace) => {
                let count =
                    self.shared.configs.read(|view| view.tasks(&self.name).map_or(0, |tasks| tasks.configs.len()));
                let status = self.status(State::Failed, Some(trace));
                for number in 0..count as u32 {
                    self.written(self.shared.statuses.put_task(&self.name, number, &status)).await;
                }
            }
            Effect::ForgetTask => {
                self.shared.metered.no_task(&self.name);
                let tasks: Vec<u32> =
                    self.shared.statuses.read(|view| view.tasks(&self.name).map(|(number, _)| number).collect());
                for number in tasks {
                    self.written(self.shared.statuses.remove_task(&self.name, number)).await;
                }
            }
            Effect::Forget => {
                self.shared.metered.no_task(&self.name);
                self.written(self.shared.statuses.remove_topics(&self.name)).await;
                self.written(self.shared.statuses.remove_connector(&self.name)).await;
            }
        }
        None
    }

    fn status(&self, state: State, trace: Option<String>) -> Status {
        let class = self.config.as_ref().and_then(|config| config.get("connector.class")?.as_str());
        let version = class.and_then(|class| self.shared.settings.find(class)).map(|plugin| plugin.version.to_owned());
        Status {
            state: state.name().to_owned(),
            trace,
            worker_id: self.shared.settings.worker_id.clone(),
            generation: self.shared.generation(),
            // Java writes these two states without a version.
            version: version.filter(|_| !matches!(state, State::Unassigned | State::Restarting)),
        }
    }

    async fn stop(&mut self) {
        let Some(up) = self.up.take() else { return };
        let (grace, deadline) = (self.shared.settings.graceful_stop, &self.shared.deadline);
        let late = async {
            deadline.began().await;
            sleep_until(deadline.of_tasks()).await;
        };
        // If the deadline comes first, the stop is dropped, which cancels the task.
        let in_time = tokio::select! {
            biased;
            in_time = (up.launched.stop)(grace) => in_time,
            () = late => false,
        };
        if !in_time {
            tracing::warn!(
                connector = &*self.name,
                task = 0,
                "the task did not stop within task.shutdown.graceful.timeout.ms ({} ms) and was cancelled: what it had not \
                 stored is read again",
                grace.as_millis()
            );
        }
    }

    /// Makes the plan. A panic on the way fails the connector and does not end its keeper.
    pub(super) async fn prepare(&mut self) -> Input {
        // The empty trace is never seen: a plan is asked for only while the connector has a configuration.
        let Some(config) = self.config.clone() else { return Input::Unprepared { trace: String::new() } };
        let settings = &self.shared.settings;
        let Some(resolved) = self.wait(FILES_WAIT, settings.resolved(properties(&config))).await else {
            return Input::Unprepared { trace: FILES_LATE.to_owned() };
        };
        let starts = &self.shared.metered.connector_starts;
        starts.tried();
        let planned = resolved.and_then(|resolved| {
            defect::catch(|| {
                failpoint::reach("plan", &self.name);
                plan::plan(settings, &config, &resolved)
            })
        });
        let planned = planned.unwrap_or_else(|defect| Err(defect.trace("the connector's start")));
        starts.ended(planned.is_ok());
        match planned {
            Ok(plan) => {
                let changed = self.shared.configs.read(|view| {
                    view.tasks(&self.name).is_none_or(|tasks| {
                        tasks.is_inconsistent || tasks.configs != plan.tasks || tasks.applied.as_ref() != Some(&config)
                    })
                });
                self.plan = Some(plan);
                Input::Prepared { changed }
            }
            Err(trace) => Input::Unprepared { trace },
        }
    }

    async fn commit(&mut self) -> Option<Input> {
        let tasks = self.plan.as_ref().map(|plan| plan.tasks.clone()).unwrap_or_default();
        let Some(_turn) = self.wait(CONFIG_WAIT, self.shared.turn(&self.name, Turn::Tasks)).await else {
            return self.commit_later("another write of this connector is not answered");
        };
        let is_wanted = self
            .shared
            .configs
            .read(|view| view.connectors.contains_key(&*self.name) && view.target(&self.name) != TargetState::Stopped);
        if !is_wanted {
            // Stopped or deleted in the meantime: the keeper's next look acts upon that.
            return None;
        }
        match self.wait(CONFIG_WAIT, self.shared.configs.put_task_configs(&self.name, &tasks)).await {
            Some(Ok(())) => {
                self.backoff.reset();
                self.told_commit =
                    self.shared.configs.read(|view| view.tasks(&self.name).map(|tasks| tasks.commit_number));
                Some(Input::Committed { any: !tasks.is_empty() })
            }
            Some(Err(error)) => self.commit_later(&error.to_string()),
            None => self.commit_later("no answer"),
        }
    }

    fn commit_later(&mut self, why: &str) -> Option<Input> {
        let pause = self.backoff.pause();
        tracing::error!(
            connector = &*self.name,
            "the task configurations could not be written and will be tried again in {} ms: {why}",
            pause.as_millis()
        );
        self.machine.connector = Connector::Preparing;
        self.later = Some((Instant::now() + pause, Later::Prepare));
        None
    }

    async fn start(&mut self) {
        let stored =
            self.shared.configs.read(|view| view.tasks(&self.name).and_then(|tasks| tasks.configs.first().cloned()));
        let (Some(stored), Some(plan), Some(fence)) = (stored, &self.plan, self.shared.store.fence()) else {
            // Without a plan or a committed configuration, or while the group is not owned, there is nothing to start; the next
            // look makes what is missing.
            self.machine.task = Task::Absent;
            return;
        };
        let plugin = plan.plugin;
        let config = match self.wait(FILES_WAIT, self.shared.settings.resolved(properties(&stored))).await {
            _ if self.shared.deadline.has_begun() => return,
            Some(Ok(config)) => config,
            Some(Err(defect)) => return self.fail(defect.trace("the task's start"), Outlook::Unknown),
            None => return self.fail(FILES_LATE.to_owned(), Outlook::MayPass),
        };
        match self.wait(FENCING_WAIT, self.shared.fence_before_start(&self.name, &config)).await {
            _ if self.shared.deadline.has_begun() => return,
            Some(Ok(())) => {}
            Some(Err(why)) => return self.fail(format!("{CONNECT_EXCEPTION}: {why}"), why.outlook()),
            None => return self.fail(format!("{CONNECT_EXCEPTION}: {FENCING_LATE}"), Outlook::MayPass),
        }
        let (events, received) = mpsc::unbounded_channel();
        let resets = Arc::clone(&self.shared.resets);
        let (meters, metered) = self.shared.metered.begin(&self.name);
        self.shared.metered.task_starts.tried();
        let connector = Arc::clone(&self.name);
        let spec = TaskSpec { connector, config, plugin, fence, resets, meters, events };
        let launched = (self.shared.settings.launch)(spec);
        self.up = Some(Up { launched, events: received, has_run: false, _metered: metered });
    }

    /// Fails the task before it has been started; the keeper hears of it as of any other failure of its task.
    fn fail(&mut self, trace: String, outlook: Outlook) {
        let (events, received) = mpsc::unbounded_channel();
        // The receiver is right here.
        let _ = events.send(TaskEvent::Failed(TaskError { trace, outlook }));
        let launched = Launched { stop: Box::new(|_| Box::pin(async { true })) };
        let (_, metered) = self.shared.metered.begin(&self.name);
        self.shared.metered.task_starts.tried();
        self.up = Some(Up { launched, events: received, has_run: false, _metered: metered });
    }

    /// Waits for a status record to be written. A failure is only logged: the next status replaces this one anyway.
    async fn written(&self, pending: Pending) {
        match self.wait(STATUS_WAIT, pending).await {
            Some(Ok(())) => {}
            Some(Err(error)) => tracing::warn!(connector = &*self.name, "a status record was not written: {error}"),
            None => tracing::warn!(
                connector = &*self.name,
                "a status record is not acknowledged yet; going on without waiting for it"
            ),
        }
    }

    /// Waits for `work`, at most for `limit`; `None` if it was not done. The daemon's stop cuts the wait short: at once if
    /// this keeper has not been told of the stop yet, because it must then stop its task in time; else at the deadline.
    async fn wait<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        let deadline = &self.shared.deadline;
        let stop = async {
            deadline.began().await;
            if self.is_leaving {
                sleep_until(deadline.of_records()).await;
            }
        };
        tokio::select! {
            biased;
            done = work => Some(done),
            () = sleep(limit) => None,
            () = stop => None,
        }
    }
}
