//! How long an owner stays the owner, and how it ends in good order.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Fence, Found, Input, Loss, Machine, RETRY, Refusal, State, Step, Use};

/// How long the place is still kept after it was released. A standby takes it at once from a member that holds it, whereas a
/// broker lets the first member of an empty group wait for others (`group.initial.rebalance.delay.ms`, 3 s by default).
const HANDOVER: Duration = Duration::from_millis(600);
/// How long the broker may take to store the last mark, which releases the place.
const LAST_WORD: Duration = Duration::from_secs(1);

/// The state of a tenure.
#[derive(Debug)]
pub(super) struct Own {
    fence: Arc<Fence>,
    next_proof: Instant,
    member: Member,
}

/// Where the group's rebalances have put this process.
#[derive(Debug, PartialEq, Eq)]
enum Member {
    /// The process holds the place, and with it the partition.
    In,
    /// The group is being rebalanced.
    Out,
    /// The process holds the place again; the mark is being read to see whether another process held it meanwhile.
    Back,
}

impl Own {
    pub(super) fn new(fence: Arc<Fence>, next_proof: Instant) -> Self {
        Self { fence, next_proof, member: Member::In }
    }
}

/// The state of an owner that ends.
#[derive(Debug)]
pub(super) struct Parting {
    is_asked: bool,
    is_released: bool,
    next: Instant,
    until: Instant,
}

impl Machine {
    fn lose(&mut self, now: Instant, loss: Loss, steps: &mut Vec<Step>) {
        if let State::Owning(own) = &self.state {
            own.fence.close();
        }
        steps.push(Step::Lost(loss));
        self.again(now, steps);
    }

    pub(super) fn own(&mut self, now: Instant, input: Input, steps: &mut Vec<Step>) {
        let (lasts, every) = (self.rules.lasts, self.rules.every);
        let State::Owning(own) = &mut self.state else { return };
        match input {
            Input::Unproven(Refusal::Replaced) | Input::Replaced => self.lose(now, Loss::Replaced, steps),
            Input::Unproven(Refusal::Expelled) => self.lose(now, Loss::Expelled, steps),
            // A member that is in keeps its partition through a rebalance, and is given nothing new.
            Input::PassedOver if own.member == Member::Out => self.lose(now, Loss::Reassigned, steps),
            _ if !own.fence.is_open_at(now) => self.lose(now, Loss::Unproven, steps),
            Input::Proved(asked) => {
                own.fence.prove(asked, lasts, now);
                own.next_proof = asked + every;
            }
            // No loss: the last proof still lasts, and the next proof may be taken within that time.
            Input::Unproven(Refusal::NotYet) | Input::Unread => own.next_proof = now + every.min(RETRY),
            Input::Revoked => own.member = Member::Out,
            Input::Assigned => own.member = Member::Back,
            Input::Read(Found::Mark(mark)) if mark.process == self.rules.by.process => own.member = Member::In,
            Input::Read(_) => self.lose(now, Loss::Replaced, steps),
            Input::Tick if self.asked.is_none() => match own.member {
                Member::In if now >= own.next_proof => {
                    let mark = self.mark(Use::Held);
                    steps.push(mark);
                }
                Member::Back => steps.push(Step::Read),
                Member::In | Member::Out => {}
            },
            _ => {}
        }
    }

    /// Begins to end, because the process ends.
    pub(super) fn part(&mut self, now: Instant, steps: &mut Vec<Step>) {
        match &self.state {
            State::Owning(own) => {
                own.fence.close();
                let until = now + LAST_WORD;
                self.state = State::Parting(Parting { is_asked: false, is_released: false, next: now, until });
                self.parting(now, &Input::Tick, steps);
            }
            State::Parting(_) | State::Over => {}
            State::Watching(_) | State::Foreign(_) | State::Joining { .. } | State::Claiming { .. } => {
                self.state = State::Over;
                steps.push(Step::Quit);
            }
        }
    }

    pub(super) fn parting(&mut self, now: Instant, input: &Input, steps: &mut Vec<Step>) {
        let State::Parting(parting) = &mut self.state else { return };
        match input {
            // A proof that was under way when the ending began is not the release.
            Input::Proved(_) if parting.is_asked && !parting.is_released => {
                parting.is_released = true;
                parting.until = now + HANDOVER;
            }
            // A standby has taken the place, or another process had it already.
            Input::Unproven(Refusal::Replaced | Refusal::Expelled) | Input::Replaced => parting.until = now,
            _ => {}
        }
        if now >= parting.until {
            self.state = State::Over;
            steps.push(Step::Quit);
        } else if self.asked.is_none() && now >= parting.next {
            parting.is_asked = true;
            parting.next = now + RETRY;
            let mark = self.mark(Use::Released);
            steps.push(mark);
        }
    }
}
