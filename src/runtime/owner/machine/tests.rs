//! Stories: inputs that are told to the machine one after the other, under a clock of the test's.

use super::*;

const LASTS: Duration = Duration::from_secs(7);
const EVERY: Duration = Duration::from_millis(500);

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn holder(process: &str, instance: &str, host: &str) -> Holder {
    Holder { process: process.to_owned(), instance: instance.to_owned(), host: host.to_owned(), url: String::new() }
}

/// The mark of `process/instance@host`, with its number of proofs.
fn mark(by: &str, proof: u64) -> Mark {
    written(by, proof, Use::Held)
}

fn written(by: &str, proof: u64, place: Use) -> Mark {
    let (process, rest) = by.split_once('/').unwrap();
    let (instance, host) = rest.split_once('@').unwrap();
    Mark::new(place, &holder(process, instance, host), proof, LASTS)
}

/// The process of all tests is `me/a@here`.
struct Story {
    machine: Machine,
    now: Instant,
}

impl Story {
    fn new() -> Self {
        let now = Instant::now();
        let rules = Rules { by: holder("me", "a", "here"), lasts: LASTS, every: EVERY };
        Self { machine: Machine::new(rules, now), now }
    }

    fn after(&mut self, time: Duration) -> &mut Self {
        self.now += time;
        self
    }

    /// Tells the machine what happens, and returns the names of its steps.
    fn tell(&mut self, input: Input) -> String {
        let steps = self.machine.step(self.now, input);
        steps.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    fn expect(&mut self, input: Input, steps: &str) {
        let told = format!("{input:?}");
        assert_eq!(self.tell(input), steps, "{told} in {:?}", self.machine.state);
    }

    /// Lets time pass in ticks of 50 ms, in which every read finds `found`, until the machine does something other than
    /// look. Returns how long that took, and the steps.
    #[track_caller]
    fn look_on(&mut self, found: &Found) -> (Duration, String) {
        let begin = self.now;
        let mut input = Input::Tick;
        while self.now < begin + ms(60_000) {
            let steps = self.tell(input.clone());
            input = match steps.as_str() {
                "read" => Input::Read(found.clone()),
                "list" => Input::Listed(Members::Consumers),
                "" => {
                    self.now += ms(50);
                    Input::Tick
                }
                "standby" => Input::Tick,
                _ => return (self.now - begin, steps),
            };
        }
        (self.now - begin, String::new())
    }

    /// A story in which the process has become the owner.
    fn owner() -> (Self, Arc<Fence>) {
        let mut story = Self::new();
        story.expect(Input::Tick, "read");
        story.expect(Input::Read(Found::Nothing), "join");
        story.expect(Input::Assigned, "read");
        story.expect(Input::Read(Found::Nothing), "");
        story.after(SETTLE).expect(Input::Tick, "prove held 1");
        let asked = story.now;
        let steps = story.machine.step(asked, Input::Proved(asked));
        let [Step::Begin(fence)] = steps.as_slice() else { panic!("{steps:?}") };
        (story, Arc::clone(fence))
    }
}

fn name(step: &Step) -> String {
    match step {
        Step::Read => "read".to_owned(),
        Step::List => "list".to_owned(),
        Step::Prove(mark) if mark.place == Use::Held => format!("prove held {}", mark.proof),
        Step::Prove(_) => "release".to_owned(),
        Step::Join => "join".to_owned(),
        Step::Resign => "resign".to_owned(),
        Step::Renew => "renew".to_owned(),
        Step::Begin(_) => "begin".to_owned(),
        Step::Lost(loss) => format!("lost {loss:?}"),
        Step::Standby(_) => "standby".to_owned(),
        Step::Foreign(_) => "foreign".to_owned(),
        Step::SameInstance(_) => "same-instance".to_owned(),
        Step::Wait(time) => format!("wait {}", time.as_millis()),
        Step::Unanswered(time) => format!("unanswered {}", time.as_millis()),
        Step::Quit => "quit".to_owned(),
    }
}

#[test]
fn what_a_place_is_taken_at() {
    let found = |by: &str| Found::Mark(mark(by, 5));
    for (what, found, at_most_ms, at_least_ms) in [
        ("nobody was ever there", Found::Nothing, 0, 0),
        ("released", Found::Mark(written("z/b@there", 9, Use::Released)), 0, 0),
        ("its own", found("me/a@here"), 0, 0),
        ("known to be dead: it had the lock that this process has now", found("z/a@here"), 0, 0),
        ("its own id, silent, on a host where nothing is known of it", found("z/a@there"), 2000, 1500),
        ("its own id, without a lock", found("z/a@"), 2000, 1500),
        ("another's, silent", found("z/b@here"), 7500, 7000),
    ] {
        let (took, steps) = Story::new().look_on(&found);
        assert_eq!(steps, "join", "{what}");
        assert!((ms(at_least_ms)..=ms(at_most_ms)).contains(&took), "{what}: after {took:?}");
    }
}

#[test]
fn a_living_owner_is_left_in_peace() {
    for (by, steps) in [("z/b@there", "standby"), ("z/a@there", "standby same-instance")] {
        let mut story = Story::new();
        let mut said = Vec::new();
        for proof in 0..200 {
            for _ in 0..10 {
                let steps = story.after(ms(50)).tell(Input::Tick);
                if steps == "read" {
                    said.push(story.tell(Input::Read(Found::Mark(mark(by, proof)))));
                }
                if said.last().is_some_and(|steps| steps == "list") {
                    story.expect(Input::Listed(Members::Consumers), "");
                }
            }
        }
        said.retain(|steps| !steps.is_empty());
        assert_eq!(said.first().map(String::as_str), Some("list"), "{by}: it may be that nobody is there any more");
        assert_eq!(said[1], steps, "{by}");
        assert!(said[2..].iter().all(|steps| steps == "standby"), "{by}: {said:?}");
    }
}

#[test]
fn silence_counts_only_while_it_is_listened_to() {
    let mut story = Story::new();
    let found = Found::Mark(mark("z/b@there", 5));
    let (_, steps) = story.look_on(&found);
    assert_eq!(steps, "join");

    let mut story = Story::new();
    for _ in 0..20 {
        // The coordinator is away every three seconds.
        for _ in 0..12 {
            assert_eq!(story.after(LOOK).tell(Input::Tick), "read");
            if story.tell(Input::Read(found.clone())) == "list" {
                story.expect(Input::Listed(Members::Unknown), "");
            }
        }
        assert_eq!(story.after(LOOK).tell(Input::Tick), "read");
        story.expect(Input::Unread, "");
    }
}

#[test]
fn an_empty_group_has_no_owner() {
    let mut story = Story::new();
    story.expect(Input::Tick, "read");
    story.expect(Input::Read(Found::Mark(mark("z/b@there", 5))), "list");
    story.expect(Input::Listed(Members::Nobody), "join");
}

#[test]
fn an_owner_of_an_earlier_version_is_left_in_peace() {
    let mut story = Story::new();
    story.expect(Input::Tick, "read");
    story.expect(Input::Read(Found::Strange), "list");
    story.expect(Input::Listed(Members::Consumers), "standby");
    assert_eq!(story.look_on(&Found::Strange).1, "", "it writes no marks that could be missed");
    // If it joins nevertheless, the group's assignment says who is the owner.
    let mut story = Story::new();
    story.expect(Input::Tick, "read");
    story.expect(Input::Read(Found::Nothing), "join");
    story.expect(Input::PassedOver, "resign");
    story.after(LOOK).expect(Input::Tick, "read");
}

#[test]
fn beside_java_workers_nothing_is_tried() {
    let java = || Members::Java(vec!["connect-1".to_owned()]);
    let mut story = Story::new();
    story.expect(Input::Tick, "read");
    story.expect(Input::Read(Found::Nothing), "join");
    story.expect(Input::Inconsistent, "renew");
    story.expect(Input::Tick, "list");
    story.expect(Input::Listed(java()), "foreign");
    story.after(ms(4900)).expect(Input::Tick, "");
    story.after(ms(100)).expect(Input::Tick, "list");
    story.expect(Input::Listed(java()), "foreign");
    story.after(ms(5000)).expect(Input::Tick, "list");
    story.expect(Input::Listed(Members::Nobody), "");
    story.expect(Input::Tick, "read");
}

/// The mark that was read before joining may be old: what is read after the place was taken counts.
#[test]
fn nothing_begins_before_the_one_before_has_ended() {
    let stale = Found::Mark(mark("z/b@there", 5));
    let taken = |after: Found| {
        let mut story = Story::new();
        assert_eq!(story.look_on(&stale).1, "join");
        story.expect(Input::Assigned, "read");
        let steps = story.tell(Input::Read(after));
        let begin = story.now;
        while story.tell(Input::Tick).is_empty() {
            story.after(ms(10));
        }
        (steps, story.now - begin)
    };
    assert_eq!(taken(stale.clone()), (String::new(), SETTLE), "its time is over");
    assert_eq!(taken(Found::Mark(written("z/b@there", 6, Use::Released))), (String::new(), SETTLE));
    assert_eq!(taken(Found::Mark(mark("z/b@there", 6))), ("wait 7000".to_owned(), LASTS), "it lives");
    assert_eq!(taken(Found::Mark(mark("y/c@there", 1))), ("wait 7000".to_owned(), LASTS), "another standby was first");
}

#[test]
fn whoever_is_replaced_before_it_begins_begins_not() {
    for refusal in [Refusal::Replaced, Refusal::Expelled] {
        let mut story = Story::new();
        story.expect(Input::Tick, "read");
        story.expect(Input::Read(Found::Nothing), "join");
        story.expect(Input::Assigned, "read");
        story.expect(Input::Read(Found::Nothing), "");
        story.after(SETTLE).expect(Input::Tick, "prove held 1");
        story.expect(Input::Unproven(refusal), "renew");
        story.expect(Input::Tick, "read");
    }
    // No answer is no refusal; an answer that comes too late is worth nothing.
    let mut story = Story::new();
    story.expect(Input::Tick, "read");
    story.expect(Input::Read(Found::Nothing), "join");
    story.expect(Input::Assigned, "read");
    story.expect(Input::Unread, "");
    story.after(SETTLE).expect(Input::Tick, "read");
    story.expect(Input::Read(Found::Nothing), "");
    story.after(SETTLE).expect(Input::Tick, "prove held 1");
    story.expect(Input::Unproven(Refusal::NotYet), "");
    story.after(RETRY).expect(Input::Tick, "prove held 2");
    let asked = story.now;
    story.after(LASTS).expect(Input::Proved(asked), "");
    story.expect(Input::Tick, "prove held 3");
    let asked = story.now;
    story.expect(Input::Proved(asked), "begin");
}

#[test]
fn a_join_that_the_broker_never_heard_is_thought_over() {
    let mut story = Story::new();
    story.expect(Input::Tick, "read");
    story.expect(Input::Read(Found::Nothing), "join");
    story.after(ms(60_000)).expect(Input::Unreachable, "renew");
    story.expect(Input::Tick, "read");
}

#[test]
fn a_client_that_hangs_is_replaced() {
    let mut story = Story::new();
    story.expect(Input::Tick, "read");
    story.after(ms(19_990)).expect(Input::Tick, "");
    story.after(ms(10)).expect(Input::Tick, "unanswered 20000 renew");
    // With the new client: the place is not given in time, and another one gets it.
    story.expect(Input::Tick, "read");
    story.expect(Input::Read(Found::Nothing), "join");
    story.after(ms(19_990)).expect(Input::Tick, "");
    story.after(ms(10)).expect(Input::Tick, "unanswered 20000 renew");
    story.expect(Input::Tick, "read");
    story.expect(Input::Read(Found::Nothing), "join");
    // The place is held, but the mark is not written.
    story.after(ms(19_990)).expect(Input::Assigned, "read");
    story.expect(Input::Read(Found::Nothing), "");
    story.after(SETTLE).expect(Input::Tick, "prove held 1");
    story.after(ms(19_900)).expect(Input::Tick, "unanswered 20000 renew");
}

/// A client that does not find the coordinator answers in time, with errors for ever.
#[test]
fn a_client_that_only_answers_with_errors_is_replaced() {
    let mut story = Story::new();
    let begin = story.now;
    while story.now < begin + ms(19_950) {
        story.expect(Input::Tick, "read");
        story.expect(Input::Unread, "");
        story.after(LOOK);
    }
    story.now = begin + ms(20_000);
    story.expect(Input::Tick, "unanswered 20000 renew");
    // With the new client: the place is taken, but the mark is refused for ever.
    story.expect(Input::Tick, "read");
    story.expect(Input::Read(Found::Nothing), "join");
    story.expect(Input::Assigned, "read");
    story.expect(Input::Read(Found::Nothing), "");
    let (begin, mut proof) = (story.now, 0);
    while story.now < begin + ms(19_900) {
        proof += 1;
        story.after(RETRY).expect(Input::Tick, &format!("prove held {proof}"));
        story.expect(Input::Unproven(Refusal::NotYet), "");
    }
    story.after(RETRY).expect(Input::Tick, "unanswered 20000 renew");
}

/// The time of another process's mark that is waited out is no silence of the brokers.
#[test]
fn waiting_out_a_mark_is_no_reason_for_another_client() {
    let mut story = Story::new();
    story.expect(Input::Tick, "read");
    story.expect(Input::Read(Found::Nothing), "join");
    story.expect(Input::Assigned, "read");
    let lasting = Mark::new(Use::Held, &holder("other", "b", "there"), 1, ms(60_000));
    story.expect(Input::Read(Found::Mark(lasting)), "wait 60000");
    story.after(ms(1_000)).expect(Input::PassedOver, "");
    story.after(ms(58_950)).expect(Input::Tick, "");
    story.after(ms(50)).expect(Input::Tick, "prove held 1");
}

#[test]
fn a_refused_proof_is_no_loss_within_its_time() {
    let (mut story, fence) = Story::owner();
    let begin = story.now;
    story.after(EVERY).expect(Input::Tick, "prove held 2");
    let mut proof = 2;
    while story.now < begin + ms(6800) {
        story.expect(Input::Unproven(Refusal::NotYet), "");
        proof += 1;
        story.after(RETRY).expect(Input::Tick, &format!("prove held {proof}"));
        assert!(fence.is_open_at(story.now));
    }
    // At last a proof is taken, and it lasts from when it was sent.
    let asked = story.now;
    story.after(ms(100)).expect(Input::Proved(asked), "");
    story.after(ms(6800)).expect(Input::Tick, &format!("prove held {}", proof + 1));
    assert!(fence.is_open_at(story.now));
    story.after(ms(100)).expect(Input::Unproven(Refusal::NotYet), "lost Unproven renew");
    assert!(!fence.is_open());
    story.expect(Input::Tick, "read");
    story.expect(Input::Read(Found::Mark(mark("me/a@here", 9))), "join");
}

#[test]
fn a_rebalance_is_no_loss() {
    let (mut story, fence) = Story::owner();
    // Stays in, and is given nothing new.
    story.expect(Input::PassedOver, "");
    // Out and in again, with nobody there meanwhile.
    story.expect(Input::Revoked, "");
    story.after(EVERY).expect(Input::Tick, "");
    story.expect(Input::Assigned, "");
    story.expect(Input::Tick, "read");
    story.expect(Input::Read(Found::Mark(mark("me/a@here", 1))), "");
    story.expect(Input::Tick, "prove held 2");
    assert!(fence.is_open_at(story.now));
    // Out and in again, and another process was there meanwhile.
    story.expect(Input::Revoked, "");
    story.expect(Input::Unproven(Refusal::NotYet), "");
    story.expect(Input::Assigned, "");
    story.expect(Input::Tick, "read");
    story.expect(Input::Read(Found::Mark(mark("z/b@there", 1))), "lost Replaced renew");
    assert!(!fence.is_open());
    // Out, and the group gives the partition to another member.
    let (mut story, fence) = Story::owner();
    story.expect(Input::Revoked, "");
    story.expect(Input::PassedOver, "lost Reassigned renew");
    assert!(!fence.is_open());
}

#[test]
fn what_ends_a_tenure_at_once() {
    for (input, steps) in [
        (Input::Unproven(Refusal::Replaced), "lost Replaced renew"),
        (Input::Replaced, "lost Replaced renew"),
        (Input::Unproven(Refusal::Expelled), "lost Expelled renew"),
    ] {
        let (mut story, fence) = Story::owner();
        story.expect(input, steps);
        assert!(!fence.is_open());
    }
    let (mut story, fence) = Story::owner();
    story.after(LASTS).expect(Input::Tick, "lost Unproven renew");
    assert!(!fence.is_open(), "stopped, and continued");
    // A proof that was under way while it was stopped comes too late.
    let (mut story, fence) = Story::owner();
    story.after(EVERY).expect(Input::Tick, "prove held 2");
    let asked = story.now;
    story.after(LASTS).expect(Input::Proved(asked), "lost Unproven renew");
    assert!(!fence.is_open());
}

#[test]
fn two_of_one_id_do_not_fight() {
    let (mut story, _) = Story::owner();
    story.expect(Input::Unproven(Refusal::Replaced), "lost Replaced renew");
    // The other process of the same id lives: from now on its place is not taken for a short silence.
    let mut proof = 0;
    for _ in 0..20 {
        proof += 1;
        for _ in 0..5 {
            assert_eq!(story.tell(Input::Tick), "read");
            let steps = story.tell(Input::Read(Found::Mark(mark("z/a@there", proof))));
            assert!(!steps.contains("join"), "{steps}");
            if steps.contains("list") {
                story.expect(Input::Listed(Members::Consumers), "");
            }
            story.after(LOOK);
        }
    }
    story.machine.step(story.now, Input::Tick);
    story.machine.step(story.now, Input::Unread);
    let (took, steps) = story.look_on(&Found::Mark(mark("z/a@there", proof)));
    assert_eq!(steps, "join");
    assert!(took >= LASTS, "after {took:?}");
}

#[test]
fn an_owner_releases_its_place_and_keeps_it_for_a_standby() {
    let (mut story, fence) = Story::owner();
    story.expect(Input::Leave, "release");
    assert!(!fence.is_open());
    let asked = story.now;
    story.expect(Input::Proved(asked), "");
    let begin = story.now;
    let mut asks = 0;
    let end = loop {
        match story.tell(Input::Tick).as_str() {
            "release" => {
                asks += 1;
                let asked = story.now;
                story.expect(Input::Proved(asked), "");
            }
            "" => {}
            other => break other.to_owned(),
        }
        story.after(ms(50));
    };
    assert_eq!((end.as_str(), story.now - begin), ("quit", ms(600)), "nobody has come");
    assert!(asks > 3, "it must find out soon when somebody comes");

    let (mut story, _) = Story::owner();
    story.expect(Input::Leave, "release");
    let asked = story.now;
    story.expect(Input::Proved(asked), "");
    story.after(RETRY).expect(Input::Tick, "release");
    story.expect(Input::Unproven(Refusal::Replaced), "quit");

    // A proof was under way: its answer does not count as the release's.
    let (mut story, _) = Story::owner();
    story.after(EVERY).expect(Input::Tick, "prove held 2");
    story.expect(Input::Leave, "");
    let asked = story.now;
    story.expect(Input::Proved(asked), "release");
    story.after(ms(900)).expect(Input::Tick, "");
    story.after(ms(100)).expect(Input::Tick, "quit");
}

#[test]
fn who_is_not_the_owner_ends_at_once() {
    let mut story = Story::new();
    story.expect(Input::Leave, "quit");
    story.expect(Input::Tick, "");
    let mut story = Story::new();
    story.expect(Input::Tick, "read");
    story.expect(Input::Read(Found::Nothing), "join");
    story.expect(Input::Leave, "quit");
}
