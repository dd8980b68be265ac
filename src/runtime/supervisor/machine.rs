//! Decides what happens next in a connector's life, in one function (`step`) without I/O.
//!
//! The rules are those of Kafka Connect's worker: a failed start of the connector leaves its task alone, a failed task stays
//! failed until it is restarted or reconfigured (by somebody, or by its keeper: `restarts.rs` beside this file), a stopped
//! connector has no task, a connector that failed hears only STOP.
//! The order of the status effects is that of the records a Java worker writes; tools follow the status topic.
//!
//! Must not know: the store, tasks' insides, time.

use crate::store::TargetState;

/// Connect's states of a connector or a task, as REST shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nobody runs it.
    Unassigned,
    /// It runs.
    Running,
    /// It does not run; its task exists.
    Paused,
    /// It does not run and has no task; connectors only.
    Stopped,
    /// It ended with an error.
    Failed,
    /// It is being restarted on request.
    Restarting,
}

impl State {
    /// The name in status records and over REST.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Unassigned => "UNASSIGNED",
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOPPED",
            Self::Failed => "FAILED",
            Self::Restarting => "RESTARTING",
        }
    }
}

/// The state of the connector itself. A Connect connector makes task configurations; here the plan does, so this is the plan's
/// state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connector {
    /// Not started by this process, or given up.
    Down,
    /// Its plan is being made.
    Preparing,
    /// Running.
    Up,
    /// Paused.
    Paused,
    /// Stopped.
    Stopped,
    /// Its start failed.
    Failed,
}

/// The state of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Task {
    /// There is none.
    Absent,
    /// It was started. It runs, or has not said yet that it does.
    Up,
    /// It exists and does not run.
    Paused,
    /// It ended with an error.
    Failed,
}

/// What may happen to a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// Its configuration is new, or was written again.
    Config,
    /// The user wants another state.
    Target(TargetState),
    /// The plan is made. `changed`: the task configurations differ from the committed ones.
    Prepared {
        /// Whether they must be committed first.
        changed: bool,
    },
    /// The plan could not be made.
    Unprepared {
        /// For `status.trace`.
        trace: String,
    },
    /// Tasks were committed; `any`: at least one.
    Committed {
        /// Whether there is a task.
        any: bool,
    },
    /// The task says that it runs.
    TaskUp {
        /// What the task waits for, if anything: for `status.trace`.
        waits_for: Option<String>,
    },
    /// The task ended.
    TaskDown {
        /// For `status.trace`.
        trace: String,
    },
    /// The connector is to be restarted, its task, or both; `announced`: RESTARTING is written (restart with flags).
    Restart {
        /// The connector itself.
        connector: bool,
        /// Its task.
        task: bool,
        /// Whether RESTARTING is written.
        announced: bool,
    },
    /// A task that failed is to be started again by itself.
    Again,
    /// The connector was deleted.
    Removed,
    /// The daemon ends in good order.
    Leave,
}

/// One thing to do; [`step`](Machine::step) returns them in the order to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Write the connector's status.
    Connector(State, Option<String>),
    /// Write the task's status.
    Task(State, Option<String>),
    /// Make the plan; answer with `Prepared` or `Unprepared`.
    Prepare,
    /// Write the task configurations; their commit comes back as `Committed`.
    Commit,
    /// Start the task.
    Start,
    /// Stop the task and wait.
    Stop,
    /// Write that the stored tasks, which cannot be started, have failed.
    FailTasks(String),
    /// Delete the task's status.
    ForgetTask,
    /// Delete the connector's status and the records of its topics.
    Forget,
}

/// The state of one connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) connector: Connector,
    pub(super) task: Task,
    pub(super) target: TargetState,
    /// A restart asked for the task as well, and waits for the connector's start.
    task_too: bool,
    /// The task has failed and was started again by itself, and has not said yet that it runs.
    is_again: bool,
}

impl Machine {
    /// The machine of a connector that has not been started.
    pub(super) const fn new() -> Self {
        Self {
            connector: Connector::Down,
            task: Task::Absent,
            target: TargetState::Started,
            task_too: false,
            is_again: false,
        }
    }

    /// Changes the state because of `input` and returns what is to be done.
    pub(super) fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        match input {
            Input::Config => self.begin(&mut effects, false),
            Input::Target(target) => self.aim(target, &mut effects),
            Input::Prepared { changed } => self.prepared(changed, &mut effects),
            Input::Unprepared { trace } => {
                self.connector = Connector::Failed;
                self.task_too = false;
                effects.push(Effect::Connector(State::Failed, Some(trace.clone())));
                if matches!(self.task, Task::Absent | Task::Paused) {
                    self.task = Task::Absent;
                    // Another worker's status may say that the tasks run.
                    effects.push(Effect::FailTasks(trace));
                }
            }
            Input::Committed { any } => {
                self.end_task(&mut effects);
                if any {
                    self.start_task(&mut effects);
                } else if !effects.is_empty() {
                    effects.push(Effect::ForgetTask);
                }
            }
            Input::TaskUp { waits_for } => {
                // What waits before it has run for the first time is no recovery yet.
                self.is_again &= waits_for.is_some();
                if self.task == Task::Up && !self.is_again {
                    effects.push(Effect::Task(State::Running, waits_for));
                }
            }
            Input::TaskDown { trace } => {
                if self.task == Task::Up {
                    self.task = Task::Failed;
                    effects.push(Effect::Task(State::Failed, Some(trace)));
                }
            }
            Input::Restart { connector, task, announced } => self.restart(connector, task, announced, &mut effects),
            Input::Again => {
                // No status is written: the task is FAILED until it says that it runs, so that nobody who watches it takes an
                // attempt for a recovery.
                if self.may_start_again() {
                    self.start_task(&mut effects);
                    self.is_again = true;
                }
            }
            Input::Leave => self.leave(&mut effects),
            Input::Removed => {
                self.leave(&mut effects);
                effects.extend([Effect::ForgetTask, Effect::Forget]);
            }
        }
        effects
    }

    /// Whether the task has failed, and nobody wants it to be at rest or to have another configuration.
    pub(super) fn may_start_again(&self) -> bool {
        self.task == Task::Failed && self.target == TargetState::Started && self.connector == Connector::Up
    }

    fn leave(&mut self, effects: &mut Vec<Effect>) {
        let had = self.task != Task::Absent;
        if had {
            effects.push(Effect::Stop);
        }
        if self.connector != Connector::Down {
            effects.push(Effect::Connector(State::Unassigned, None));
        }
        if had {
            effects.push(Effect::Task(State::Unassigned, None));
        }
        *self = Self::new();
    }

    /// Starts the connector, or puts it down, as its target says, whatever its state is.
    fn begin(&mut self, effects: &mut Vec<Effect>, announced: bool) {
        if self.connector != Connector::Down {
            effects.push(Effect::Connector(State::Unassigned, None));
        }
        if announced {
            effects.push(Effect::Connector(State::Restarting, None));
        }
        match self.target {
            TargetState::Started => {
                self.connector = Connector::Preparing;
                effects.push(Effect::Prepare);
            }
            TargetState::Paused => {
                self.connector = Connector::Paused;
                effects.push(Effect::Connector(State::Paused, None));
            }
            TargetState::Stopped => {
                self.connector = Connector::Stopped;
                effects.push(Effect::Connector(State::Stopped, None));
            }
        }
    }

    fn aim(&mut self, target: TargetState, effects: &mut Vec<Effect>) {
        let before = std::mem::replace(&mut self.target, target);
        if before == target || self.connector == Connector::Down {
            return;
        }
        match target {
            TargetState::Started => {
                if self.connector != Connector::Failed {
                    self.connector = Connector::Preparing;
                    effects.push(Effect::Prepare);
                } else if self.task == Task::Paused {
                    // The connector stays failed until a restart; its task goes on with the configuration that it had.
                    self.start_task(effects);
                }
            }
            TargetState::Paused => {
                let pauses = self.task == Task::Up;
                if pauses {
                    self.task = Task::Paused;
                    effects.push(Effect::Stop);
                }
                if self.connector != Connector::Failed {
                    self.connector = Connector::Paused;
                    effects.push(Effect::Connector(State::Paused, None));
                }
                if pauses {
                    effects.push(Effect::Task(State::Paused, None));
                }
            }
            TargetState::Stopped => {
                let had = self.task != Task::Absent;
                if had {
                    self.task = Task::Absent;
                    effects.push(Effect::Stop);
                }
                self.connector = Connector::Stopped;
                effects.push(Effect::Connector(State::Stopped, None));
                if had {
                    effects.push(Effect::Task(State::Unassigned, None));
                }
                // Also if there is no task now: one that could not be started again has left its status.
                effects.push(Effect::ForgetTask);
            }
        }
    }

    fn prepared(&mut self, changed: bool, effects: &mut Vec<Effect>) {
        if self.connector != Connector::Preparing {
            // Paused, stopped or deleted in the meantime.
            return;
        }
        self.connector = Connector::Up;
        effects.push(Effect::Connector(State::Running, None));
        let task_too = std::mem::take(&mut self.task_too);
        if changed {
            effects.push(Effect::Commit);
        } else if task_too {
            self.restart(false, true, true, effects);
        } else if matches!(self.task, Task::Absent | Task::Paused) {
            self.start_task(effects);
        }
    }

    fn restart(&mut self, connector: bool, task: bool, announced: bool, effects: &mut Vec<Effect>) {
        if connector {
            // The task follows when the connector is up; a start that fails leaves it alone.
            self.task_too = task && self.task != Task::Absent && self.target == TargetState::Started;
            self.begin(effects, announced);
            if !task || self.task_too {
                return;
            }
        }
        if task && self.task != Task::Absent {
            self.end_task(effects);
            if announced {
                effects.push(Effect::Task(State::Restarting, None));
            }
            self.start_task(effects);
        }
    }

    fn end_task(&mut self, effects: &mut Vec<Effect>) {
        if self.task != Task::Absent {
            effects.extend([Effect::Stop, Effect::Task(State::Unassigned, None)]);
            self.task = Task::Absent;
        }
    }

    fn start_task(&mut self, effects: &mut Vec<Effect>) {
        self.is_again = false;
        match self.target {
            TargetState::Started => {
                self.task = Task::Up;
                effects.push(Effect::Start);
            }
            TargetState::Paused => {
                self.task = Task::Paused;
                effects.push(Effect::Task(State::Paused, None));
            }
            TargetState::Stopped => {}
        }
    }
}

#[cfg(test)]
mod tests;
