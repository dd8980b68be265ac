//! A simulation with random choices: processes that start, are stopped and go on, whose questions and answers take their
//! time, and a broker of a few lines.

use super::*;

const LASTS: Duration = Duration::from_secs(7);
const EVERY: Duration = Duration::from_millis(500);

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// At no time may two fences be open. A small generator with many seeds makes the choices.
#[test]
fn never_two_at_once() {
    for seed in 1..50 {
        Play::new(seed).run();
    }
}

fn holder(process: &str, instance: &str, host: &str) -> Holder {
    Holder { process: process.to_owned(), instance: instance.to_owned(), host: host.to_owned(), url: String::new() }
}

/// A process in the play.
struct Actor {
    machine: Machine,
    /// Its number at the broker; each join makes a new member.
    member: u64,
    fence: Option<Arc<Fence>>,
    /// What it will be told, and when.
    inbox: Vec<(Instant, Input)>,
    /// Questions on their way to the broker: when each arrives, when it was sent, by which member.
    outbox: Vec<(Instant, Instant, u64, Step)>,
    stopped_until: Instant,
}

struct Play {
    random: u64,
    now: Instant,
    actors: Vec<Actor>,
    members: u64,
    holder: u64,
    mark: Found,
    begun: u32,
}

impl Play {
    fn new(seed: u64) -> Self {
        let now = Instant::now();
        let play =
            Self { random: seed, now, actors: Vec::new(), members: 0, holder: 0, mark: Found::Nothing, begun: 0 };
        // Two processes of one instance id on two hosts, and one of another id.
        let holders = [("p", "a", "m"), ("q", "a", "n"), ("r", "b", "m")];
        let actors = holders.map(|(process, instance, host)| Actor {
            machine: Machine::new(Rules { by: holder(process, instance, host), lasts: LASTS, every: EVERY }, now),
            member: 0,
            fence: None,
            inbox: Vec::new(),
            outbox: Vec::new(),
            stopped_until: now,
        });
        Self { actors: actors.into(), ..play }
    }

    /// A number below `n`.
    fn roll(&mut self, n: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) % n
    }

    /// Mostly short, now and then long.
    fn delay(&mut self) -> Duration {
        if self.roll(20) == 0 { ms(self.roll(3000)) } else { ms(self.roll(40)) }
    }

    fn run(&mut self) {
        let end = self.now + ms(120_000);
        while self.now < end {
            self.now += ms(10);
            for i in 0..self.actors.len() {
                self.broker(i);
                if self.roll(6000) == 0 {
                    self.actors[i].stopped_until = self.now + ms(self.roll(15_000));
                }
                if self.actors[i].stopped_until <= self.now {
                    self.act(i);
                }
            }
            let now = self.now;
            let open: Vec<usize> = (0..self.actors.len())
                .filter(|i| self.actors[*i].fence.as_ref().is_some_and(|fence| fence.is_open_at(now)))
                .collect();
            // Of the two processes of one id, the replaced process learns that only with its next proof; every other process
            // waits.
            let is_excused = open.iter().all(|i| *i < 2);
            assert!(open.len() <= 1 || is_excused, "{open:?} are owners at once");
        }
        assert!(self.begun > 0, "nobody ever was the owner");
    }

    fn broker(&mut self, i: usize) {
        let now = self.now;
        let due: Vec<_> = self.actors[i].outbox.extract_if(.., |(at, ..)| *at <= now).collect();
        for (_, asked, member, question) in due {
            let answer = match question {
                Step::Read => Input::Read(self.mark.clone()),
                Step::List => Input::Listed(Members::Consumers),
                Step::Join => {
                    self.holder = member;
                    Input::Assigned
                }
                Step::Prove(mark) if member == self.holder => {
                    self.mark = Found::Mark(mark);
                    Input::Proved(asked)
                }
                Step::Prove(_) => Input::Unproven(Refusal::Replaced),
                _ => continue,
            };
            let back = self.delay();
            if member == self.actors[i].member {
                self.actors[i].inbox.push((now + back, answer));
            }
        }
    }

    fn act(&mut self, i: usize) {
        let now = self.now;
        let heard: Vec<Input> =
            self.actors[i].inbox.extract_if(.., |(at, _)| *at <= now).map(|(_, input)| input).collect();
        for input in heard.into_iter().chain([Input::Tick]) {
            for step in self.actors[i].machine.step(now, input) {
                match step {
                    Step::Renew => {
                        self.members += 1;
                        self.actors[i].member = self.members;
                        self.actors[i].inbox.clear();
                    }
                    Step::Begin(fence) => {
                        self.begun += 1;
                        self.actors[i].fence = Some(fence);
                    }
                    step => {
                        if matches!(step, Step::Join) {
                            self.members += 1;
                            self.actors[i].member = self.members;
                        }
                        let (at, member) = (now + self.delay(), self.actors[i].member);
                        self.actors[i].outbox.push((at, now, member, step));
                    }
                }
            }
        }
    }
}
