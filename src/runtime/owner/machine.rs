//! What to do next about the ownership: every decision, and nothing else.
//!
//! One place in the group is the owner's. A process that wants to own looks at the mark of whoever holds the place, and
//! takes it when it is free: released, held by nobody, or by one that is dead or has not been heard of for as long as its
//! last proof lasts. Taking the place fences the one who held it: the broker takes no mark from that one any more.
//!
//! Looking only decides when to try, and may be wrong. What makes it safe is the order after taking the place: the mark is
//! read again, now that nobody else can write one; if a stranger's new one stands there, its time is waited out; then an own
//! mark is written, and only when the broker has taken it does anything produce. If another process takes the place in
//! between, the own mark is refused.
//!
//! Must not know: Kafka's client, threads, what the time is.

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

/// How often the mark is looked at by a process that is not the owner.
pub(super) const LOOK: Duration = Duration::from_millis(250);
/// How often a group with Java workers in it is looked at again.
const FOREIGN_LOOK: Duration = Duration::from_secs(5);
/// Two standbys that find the place free may take it one right after the other. The first one of them finds that out before
/// it has begun, so that the second one need not wait for it.
const SETTLE: Duration = Duration::from_millis(100);
/// After a question that brought no answer.
const RETRY: Duration = Duration::from_millis(100);

/// What the machine is told at the start.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// This process.
    pub(super) by: Holder,
    /// How long a proof lasts.
    pub(super) lasts: Duration,
    /// How often it is renewed.
    pub(super) every: Duration,
}

/// Who is in the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Members {
    Nobody,
    /// Consumers, as this program is one.
    Consumers,
    /// Java workers: their client ids and hosts.
    Java(Vec<String>),
    /// The brokers did not say.
    Unknown,
}

/// Why a mark was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The group is being rebalanced, or the broker did not answer: no word on who holds the place.
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
    /// The broker took the mark, asked at that time.
    Proved(Instant),
    /// It did not.
    Unproven(Refusal),
    /// The group gave this process the config topic's partition.
    Assigned,
    /// The group gave this process nothing, or nothing new.
    PassedOver,
    /// The group takes it back, at least until it has been rebalanced.
    Revoked,
    /// Java workers hold the group.
    Inconsistent,
    /// Another process took this one's place.
    Replaced,
    /// No broker can be reached.
    Unreachable,
    /// The process ends; nothing produces any more.
    Leave,
}

/// Why a tenure ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// No proof came in time: the broker was away, or this process was stopped.
    Unproven,
    Replaced,
    Expelled,
    /// The group was given to another member.
    Reassigned,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Ask for the mark.
    Read,
    /// Ask who is in the group.
    List,
    /// Write this mark.
    Prove(Mark),
    /// Take the owner's place in the group.
    Join,
    /// Give it back.
    Resign,
    /// Throw the client away, without giving the place back, and make a new one.
    Renew,
    /// Owner from now on.
    Begin(Arc<Fence>),
    /// Owner no more.
    Lost(Loss),
    /// Another afterimage owns the group.
    Standby,
    /// Java workers are in the group.
    Foreign(Vec<String>),
    /// Say that the process that holds the place has this one's instance id, and lives.
    SameInstance(Mark),
    /// Say that the place was taken, that another's mark stands there, and how long that is waited for.
    Wait(Duration),
    /// Give the place back if it is held; then end.
    Quit,
}

#[derive(Debug)]
enum State {
    Watching(Watch),
    /// Java workers are in the group; when to look again.
    Foreign(Instant),
    /// The group was asked for the place. With the mark that need not be waited for.
    Joining(Found, Duration),
    /// The place is held; nothing may be produced yet.
    Claiming {
        excused: Found,
        /// The mark was read after the place was taken.
        is_read: bool,
        /// When the own mark may be written.
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
    /// A question is under way; there is one at a time.
    is_asking: bool,
    proofs: u64,
    /// Another process of this one's instance id has been seen to live.
    has_double: bool,
}

impl Machine {
    pub(super) fn new(rules: Rules, now: Instant) -> Self {
        let state = State::Watching(Watch::new(now));
        Self { rules, state, is_asking: false, proofs: 0, has_double: false }
    }

    /// Whether this process may be waiting for the group's own answer, and for no other.
    pub(super) fn is_joining(&self) -> bool {
        matches!(self.state, State::Joining(..))
    }

    /// Whether an answer is to come.
    pub(super) fn is_asking(&self) -> bool {
        self.is_asking
    }

    /// The lock of the instance id was taken, on this machine.
    pub(super) fn locked(&mut self, machine: String) {
        self.rules.by.machine = machine;
    }

    /// What `input` leads to at `now`.
    pub(super) fn step(&mut self, now: Instant, input: Input) -> Vec<Step> {
        if matches!(input, Input::Read(_) | Input::Unread | Input::Listed(_) | Input::Proved(_) | Input::Unproven(_)) {
            self.is_asking = false;
        }
        let mut steps = Vec::new();
        if input == Input::Leave {
            self.part(now, &mut steps);
        } else {
            match &self.state {
                State::Watching(_) => self.watch(now, input, &mut steps),
                State::Foreign(next) => {
                    let next = *next;
                    self.beside_java(now, next, input, &mut steps);
                }
                State::Joining(..) => self.join(now, &input, &mut steps),
                State::Claiming { .. } => self.claim(now, input, &mut steps),
                State::Owning(_) => self.own(now, input, &mut steps),
                State::Parting(_) => self.parting(now, &input, &mut steps),
                State::Over => {}
            }
        }
        if steps.iter().any(|step| matches!(step, Step::Renew)) {
            // The old client's answers come no more.
            self.is_asking = false;
        }
        if steps.iter().any(|step| matches!(step, Step::Read | Step::List | Step::Prove(_))) {
            self.is_asking = true;
        }
        steps
    }

    fn mark(&mut self, place: Use) -> Step {
        self.proofs += 1;
        Step::Prove(Mark::new(place, &self.rules.by, self.proofs, self.rules.lasts))
    }

    /// Back to the beginning, with a new client: the old one may have been fenced, which ends it for good.
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
            // Trying to join tells it for certain.
            Input::Listed(_) => self.state = State::Watching(Watch::new(now)),
            Input::Tick if !self.is_asking && now >= next => steps.push(Step::List),
            _ => {}
        }
    }

    fn join(&mut self, now: Instant, input: &Input, steps: &mut Vec<Step>) {
        let State::Joining(excused, settle) = &self.state else { return };
        match input {
            Input::Assigned => {
                let (excused, ready) = (excused.clone(), now + *settle);
                self.state = State::Claiming { excused, is_read: false, ready };
                steps.push(Step::Read);
            }
            // The topic is not there yet, or an earlier afterimage, which goes by the assignment alone, has it.
            Input::PassedOver => {
                steps.push(Step::Resign);
                self.state = State::Watching(Watch::new(now + LOOK));
            }
            Input::Inconsistent => {
                steps.push(Step::Renew);
                self.state = State::Foreign(now);
            }
            // What was seen may be long ago when the broker comes back: join only on what is seen then.
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
            // The group is rebalanced and assigns anew by itself; what was read does not count any more.
            Input::Revoked => self.state = State::Joining(excused.clone(), Duration::ZERO),
            Input::Tick if !self.is_asking => {
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

/// Whether the place that `mark` speaks of may be taken at once by `by`: released, its own, or of a process that is known to
/// be dead, since `by` has that one's lock on the same machine.
fn is_free(mark: &Mark, by: &Holder) -> bool {
    let is_dead = !by.machine.is_empty() && mark.machine == by.machine && mark.instance == by.instance;
    mark.place == Use::Released || mark.process == by.process || is_dead
}
