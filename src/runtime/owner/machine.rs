//! Decides what to do about the ownership of the group: when to try for the place (`watch.rs`), what to do once it is taken
//! (here), when a tenure ends (`own.rs`). Of what it decides it does one thing itself: it opens, renews and closes the
//! tenure's fence. The rest are [`Step`]s, which `membership.rs` does.
//!
//! The group has one place for an owner. A process that wants the place reads the mark of the process that holds it, and
//! takes the place when it is free: released, never held, or held by a process that is known to be dead or has written no new
//! mark for as long as its last mark lasts. Once the place is taken, the broker takes no mark any more from the process that
//! held it before.
//!
//! Reading the mark only decides when to try, and may be wrong. What makes it safe is the order after the place is taken.
//! The mark is read again, now that nobody else can write one. If another process has written a new mark, the time for which
//! that mark lasts is waited out. Then this process writes its own mark, and produces only after the broker has taken this
//! mark. If another process takes the place in between, the broker refuses the mark.
//!
//! Must not know: Kafka's client, threads, the clock.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fence::Fence;
use super::mark::{Found, Holder, Mark, Use};

mod own;
#[cfg(test)]
mod play;
#[cfg(test)]
mod tests;
mod watch;

use self::own::{Own, Parting};
use self::watch::Watch;

/// How often a process that is not the owner reads the mark.
pub(super) const LOOK: Duration = Duration::from_millis(250);
/// How often a group with Java workers in it is looked at again.
const FOREIGN_LOOK: Duration = Duration::from_secs(5);
/// How long a process waits after taking the place before it writes its mark. Two standbys that find the place free may take
/// it one right after the other. Within this time the first of them learns that it was replaced. If the first had written a
/// mark, the second would have to wait until that mark has run out.
const SETTLE: Duration = Duration::from_millis(100);
/// The pause after a question that brought no answer.
const RETRY: Duration = Duration::from_millis(100);

/// How much longer than a proof lasts the client may keep this process waiting, for the place or for an answer that says
/// something. librdkafka waits without end for a commit whose coordinator it does not find. Of a broker that stood still it may not
/// find the coordinator for minutes after the broker goes on, and answers each question with an error: another client finds it.
const HANGS: Duration = Duration::from_secs(13);

/// The settings of the machine.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// Who writes this process's marks.
    pub(super) by: Holder,
    /// How long a proof lasts.
    pub(super) lasts: Duration,
    /// How often a proof is made.
    pub(super) every: Duration,
}

/// Who is in the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Members {
    Nobody,
    /// Members of another protocol type than Java's (`consumer`, as a rule): afterimages, or foreign consumers.
    Consumers,
    /// Java workers: their client ids and hosts.
    Java(Vec<String>),
    /// The brokers did not say.
    Unknown,
}

/// Why a mark was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The group is being rebalanced, or the broker did not answer. That does not say who holds the place.
    NotYet,
    /// Another process has taken the place.
    Replaced,
    /// The broker has expelled this process from the group.
    Expelled,
}

/// What has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// Time has passed.
    Tick,
    /// The answer to [`Step::Read`].
    Read(Found),
    /// No answer to [`Step::Read`].
    Unread,
    /// The answer to [`Step::List`].
    Listed(Members),
    /// The broker took the mark, which was sent at that time.
    Proved(Instant),
    /// The broker did not take the mark.
    Unproven(Refusal),
    /// The group gave this process the config topic's partition.
    Assigned,
    /// The group gave this process nothing, or nothing new.
    PassedOver,
    /// The group takes the partition back, at least until it has been rebalanced.
    Revoked,
    /// The group cannot be joined because Java workers are in it.
    Inconsistent,
    /// Another process took the place of this process.
    Replaced,
    /// No broker can be reached.
    Unreachable,
    /// The process ends; nothing produces any more.
    Leave,
}

/// Why a tenure ended although the process did not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// No proof came in time: the broker was away, or this process was stopped.
    Unproven,
    Replaced,
    Expelled,
    /// The group gave the partition to another member.
    Reassigned,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Read the mark.
    Read,
    /// Ask who is in the group.
    List,
    /// Write this mark.
    Prove(Mark),
    /// Take the owner's place in the group.
    Join,
    /// Give the owner's place back.
    Resign,
    /// Drop the client, without giving the place back, and make a new one.
    Renew,
    /// Owner from now on.
    Begin(Arc<Fence>),
    /// Owner no more.
    Lost(Loss),
    /// Another afterimage owns the group, and its REST API is here; empty when it has not said.
    Standby(String),
    /// Java workers are in the group.
    Foreign(Vec<String>),
    /// Log that the process that holds the place has this process's instance id and is alive.
    SameInstance(Mark),
    /// Log that no question was answered for this long, and that another client asks.
    Unanswered(Duration),
    /// Log that the place was taken, that another process's mark was found there, and how long that mark is waited out.
    Wait(Duration),
    /// Give the place back if it is held; then end.
    Quit,
}

#[derive(Debug)]
enum State {
    Watching(Watch),
    /// Java workers are in the group; when to look again.
    Foreign(Instant),
    /// The group was asked for the place.
    Joining {
        /// The mark found before joining.
        excused: Found,
        /// How long to wait, once the place is given, before this process writes its own mark.
        settle: Duration,
        /// When it was asked.
        since: Instant,
    },
    /// The place is held; nothing may be produced yet.
    Claiming {
        /// The mark found before joining. If that mark is still there after joining, it need not be waited out.
        excused: Found,
        /// Whether the mark was read after the place was taken.
        is_read: bool,
        /// When this process may write its own mark.
        ready: Instant,
    },
    Owning(Own),
    Parting(Parting),
    Over,
}

/// Decides for one process, from its start to its end.
#[derive(Debug)]
pub(super) struct Machine {
    rules: Rules,
    state: State,
    /// When the question was asked that is under way; there is one at a time.
    asked: Option<Instant>,
    /// When an answer last said something, or the client was made. Later than now while a mark is waited out.
    heard: Instant,
    proofs: u64,
    /// Whether another process with this process's instance id has been seen alive.
    has_double: bool,
}

impl Machine {
    pub(super) fn new(rules: Rules, now: Instant) -> Self {
        let state = State::Watching(Watch::new(now));
        Self { rules, state, asked: None, heard: now, proofs: 0, has_double: false }
    }

    /// Whether the group was asked for the place and has not given it yet.
    pub(super) fn is_joining(&self) -> bool {
        matches!(self.state, State::Joining { .. })
    }

    /// Whether the answer to a question is awaited.
    pub(super) fn is_asking(&self) -> bool {
        self.asked.is_some()
    }

    /// For how long the client has not done what it was asked for, or has only answered that it cannot, if that is too long. A
    /// tenure ends by itself without answers.
    fn hangs(&self, now: Instant) -> Option<Duration> {
        let begin = match &self.state {
            State::Joining { since, .. } => Some(*since),
            State::Watching(_) | State::Foreign(_) | State::Claiming { .. } => Some(self.heard),
            State::Owning(_) | State::Parting(_) | State::Over => None,
        };
        begin.map(|begin| now.saturating_duration_since(begin)).filter(|time| *time >= self.rules.lasts + HANGS)
    }

    /// The lock of the instance id was taken; `host` names this host.
    pub(super) fn locked(&mut self, host: String) {
        self.rules.by.host = host;
    }

    /// What is to be done because of `input`, at the time `now`.
    pub(super) fn step(&mut self, now: Instant, input: Input) -> Vec<Step> {
        if matches!(input, Input::Read(_) | Input::Unread | Input::Listed(_) | Input::Proved(_) | Input::Unproven(_)) {
            self.asked = None;
        }
        if says_something(&input) {
            self.heard = self.heard.max(now);
        }
        let mut steps = Vec::new();
        if input == Input::Leave {
            self.part(now, &mut steps);
        } else if let (Input::Tick, Some(time)) = (&input, self.hangs(now)) {
            steps.push(Step::Unanswered(time));
            self.again(now, &mut steps);
        } else {
            match &self.state {
                State::Watching(_) => self.watch(now, input, &mut steps),
                State::Foreign(next) => {
                    let next = *next;
                    self.beside_java(now, next, input, &mut steps);
                }
                State::Joining { .. } => self.join(now, &input, &mut steps),
                State::Claiming { .. } => self.claim(now, input, &mut steps),
                State::Owning(_) => self.own(now, input, &mut steps),
                State::Parting(_) => self.parting(now, &input, &mut steps),
                State::Over => {}
            }
        }
        if steps.iter().any(|step| matches!(step, Step::Renew)) {
            // The answers to the old client's questions do not come any more.
            self.asked = None;
            self.heard = now;
        }
        if steps.iter().any(|step| matches!(step, Step::Read | Step::List | Step::Prove(_))) {
            self.asked = Some(now);
        }
        steps
    }

    fn mark(&mut self, place: Use) -> Step {
        self.proofs += 1;
        Step::Prove(Mark::new(place, &self.rules.by, self.proofs, self.rules.lasts))
    }

    /// Goes back to the beginning, with a new client: librdkafka gives up a client that was fenced for good.
    fn again(&mut self, now: Instant, steps: &mut Vec<Step>) {
        steps.push(Step::Renew);
        self.state = State::Watching(Watch::new(now));
    }

    fn beside_java(&mut self, now: Instant, next: Instant, input: Input, steps: &mut Vec<Step>) {
        match input {
            Input::Listed(Members::Java(members)) => {
                steps.push(Step::Foreign(members));
                self.state = State::Foreign(now + FOREIGN_LOOK);
            }
            // The Java workers seem to be gone; trying to join tells for certain.
            Input::Listed(_) => self.state = State::Watching(Watch::new(now)),
            Input::Tick if self.asked.is_none() && now >= next => steps.push(Step::List),
            _ => {}
        }
    }

    fn join(&mut self, now: Instant, input: &Input, steps: &mut Vec<Step>) {
        let State::Joining { excused, settle, .. } = &self.state else { return };
        match input {
            Input::Assigned => {
                let (excused, ready) = (excused.clone(), now + *settle);
                self.state = State::Claiming { excused, is_read: false, ready };
                steps.push(Step::Read);
            }
            // The topic does not exist yet, or the partition belongs to an earlier version of afterimage, which writes no
            // marks and goes by the assignment alone.
            Input::PassedOver => {
                steps.push(Step::Resign);
                self.state = State::Watching(Watch::new(now + LOOK));
            }
            Input::Inconsistent => {
                steps.push(Step::Renew);
                self.state = State::Foreign(now);
            }
            // When the brokers come back, there may be another mark, so the mark must be read again before joining.
            Input::Replaced | Input::Unreachable => self.again(now, steps),
            _ => {}
        }
    }

    fn claim(&mut self, now: Instant, input: Input, steps: &mut Vec<Step>) {
        let State::Claiming { excused, is_read, ready } = &mut self.state else { return };
        match input {
            Input::Read(found) => {
                *is_read = true;
                if let Found::Mark(mark) = &found
                    && found != *excused
                    && !is_free(mark, &self.rules.by)
                {
                    *ready = now + mark.lasts();
                    self.heard = *ready;
                    steps.push(Step::Wait(mark.lasts()));
                }
            }
            Input::Unread | Input::Unproven(Refusal::NotYet) => *ready = (*ready).max(now + RETRY),
            Input::Proved(asked) => {
                let fence = Arc::new(Fence::open(asked, self.rules.lasts));
                if fence.is_open_at(now) {
                    steps.push(Step::Begin(Arc::clone(&fence)));
                    self.state = State::Owning(Own::new(fence, asked + self.rules.every));
                }
            }
            Input::Unproven(_) | Input::Replaced | Input::Inconsistent => self.again(now, steps),
            // The group is being rebalanced and assigns the partition again by itself; then the mark must be read again.
            Input::Revoked => {
                self.state = State::Joining { excused: excused.clone(), settle: Duration::ZERO, since: now };
            }
            Input::Tick if self.asked.is_none() => {
                if !*is_read {
                    steps.push(Step::Read);
                } else if now >= *ready {
                    let mark = self.mark(Use::Held);
                    steps.push(mark);
                }
            }
            _ => {}
        }
    }
}

/// Whether the brokers have answered, and not only that they cannot.
fn says_something(input: &Input) -> bool {
    match input {
        Input::Read(_) | Input::Proved(_) | Input::Assigned | Input::PassedOver => true,
        Input::Listed(members) => *members != Members::Unknown,
        _ => false,
    }
}

/// Whether `by` may take the place that `mark` describes at once: the place is released, or `by` wrote the mark, or the
/// mark's writer is known to be dead because `by` holds the lock of the same instance id on the same host.
fn is_free(mark: &Mark, by: &Holder) -> bool {
    let is_dead = !by.host.is_empty() && mark.host == by.host && mark.instance == by.instance;
    mark.place == Use::Released || mark.process == by.process || is_dead
}
