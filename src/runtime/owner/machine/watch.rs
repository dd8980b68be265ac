//! When a process that is not the owner tries to become it.

use std::time::{Duration, Instant};

use super::{FOREIGN_LOOK, Found, Input, LOOK, Machine, Members, SETTLE, State, Step, is_free};

/// How often the group's members are listed while the mark does not change.
const LIST: Duration = Duration::from_secs(1);
/// A holder with this process's instance id that misses this many proofs is taken for the dead process that ran here before:
/// a living process writes a new mark with each proof.
const MISSED_PROOFS: u32 = 3;

/// What has been seen of the owner's place.
#[derive(Debug)]
pub(super) struct Watch {
    next_look: Instant,
    next_list: Instant,
    seen: Option<Seen>,
}

/// The mark, and since when it has not changed.
#[derive(Debug)]
struct Seen {
    found: Found,
    since: Instant,
    /// The mark has changed since the first look, so its writer is alive.
    has_moved: bool,
}

impl Watch {
    pub(super) fn new(now: Instant) -> Self {
        Self { next_look: now, next_list: now, seen: None }
    }

    /// Notes the mark that was read. Returns whether its writer has been seen alive, and for how long it has not changed.
    fn note(&mut self, found: &Found, now: Instant) -> (bool, Duration) {
        if let Some(seen) = self.seen.as_ref().filter(|seen| seen.found == *found) {
            return (seen.has_moved, now.saturating_duration_since(seen.since));
        }
        let has_moved = self.seen.is_some();
        self.seen = Some(Seen { found: found.clone(), since: now, has_moved });
        (has_moved, Duration::ZERO)
    }
}

impl Machine {
    pub(super) fn watch(&mut self, now: Instant, input: Input, steps: &mut Vec<Step>) {
        let State::Watching(watch) = &mut self.state else { return };
        match input {
            Input::Tick if self.asked.is_none() && now >= watch.next_look => {
                watch.next_look = now + LOOK;
                steps.push(Step::Read);
            }
            Input::Read(found) => self.looked(now, found, steps),
            // Only time in which the mark can be read counts as its writer's silence.
            Input::Unread => watch.seen = None,
            Input::Listed(Members::Nobody) => {
                let found = watch.seen.take().map_or(Found::Nothing, |seen| seen.found);
                self.take(now, found, SETTLE, steps);
            }
            Input::Listed(Members::Java(members)) => {
                steps.push(Step::Foreign(members));
                self.state = State::Foreign(now + FOREIGN_LOOK);
            }
            // These consumers are another version of afterimage, which writes no marks of this form.
            Input::Listed(Members::Consumers)
                if watch.seen.as_ref().is_some_and(|seen| seen.found == Found::Strange) =>
            {
                steps.push(Step::Standby(String::new()));
            }
            _ => {}
        }
    }

    /// Takes the place. `excused`: the mark that need not be waited out.
    fn take(&mut self, now: Instant, excused: Found, settle: Duration, steps: &mut Vec<Step>) {
        self.state = State::Joining { excused, settle, since: now };
        steps.push(Step::Join);
    }

    fn looked(&mut self, now: Instant, found: Found, steps: &mut Vec<Step>) {
        let State::Watching(watch) = &mut self.state else { return };
        let by = &self.rules.by;
        let mark = match &found {
            Found::Nothing => return self.take(now, found, SETTLE, steps),
            Found::Mark(mark) if is_free(mark, by) => {
                // Standbys hardly ever want the place at the moment at which the same instance takes it again.
                let settle = if mark.instance == by.instance { Duration::ZERO } else { SETTLE };
                return self.take(now, found, settle, steps);
            }
            Found::Mark(mark) => Some(mark),
            Found::Strange => None,
        };
        let (is_alive, silence) = watch.note(&found, now);
        let Some(mark) = mark else {
            if now >= watch.next_list {
                watch.next_list = now + LIST;
                steps.push(Step::List);
            }
            return;
        };
        let is_same = mark.instance == by.instance;
        if is_alive {
            steps.push(Step::Standby(mark.url.clone()));
            if is_same && !self.has_double {
                self.has_double = true;
                steps.push(Step::SameInstance(mark.clone()));
            }
        }
        let missed = self.rules.every * MISSED_PROOFS;
        // Two processes of one instance id that took each other for dead would take the place from each other for ever.
        let patience = if is_same && !self.has_double { mark.lasts().min(missed) } else { mark.lasts() };
        if silence >= patience {
            let settle = if is_same { Duration::ZERO } else { SETTLE };
            self.take(now, found, settle, steps);
        } else if (!is_alive || silence >= missed) && now >= watch.next_list {
            watch.next_list = now + LIST;
            steps.push(Step::List);
        }
    }
}
