//! The thread that does what the machine decides, and tells the machine the results. It also gives the machine its rules: how
//! long a proof of the ownership lasts, and how often a proof is made.
//!
//! Must not know: what follows from a mark or a proof.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;
use tokio::sync::watch;

use super::client::{Client, Question};
use super::lock::{self, Lock};
use super::machine::{Input, Loss, Machine, Rules, Step};
use super::mark::{Holder, Mark};
use super::{GroupSettings, Ownership};

/// How often the thread looks at the time and whether the process is to leave.
const TICK: Duration = Duration::from_millis(50);
/// The same while an answer of the broker is awaited, or the group's assignment.
const SHORT_TICK: Duration = Duration::from_millis(10);
/// The pause after a client could not be made.
const PAUSE: Duration = Duration::from_millis(500);
/// The longest time between two proofs. A process whose place was taken learns of it within this time.
const PROOF_EVERY: Duration = Duration::from_millis(500);

pub(super) struct Membership {
    settings: GroupSettings,
    publish: watch::Sender<Ownership>,
    leave: Arc<AtomicBool>,
    machine: Machine,
    lock: Lock,
    tenures: u32,
}

impl Membership {
    pub(super) fn new(settings: GroupSettings, publish: watch::Sender<Ownership>, leave: Arc<AtomicBool>) -> Self {
        let servers = settings.client.get("bootstrap.servers").map_or("", String::as_str);
        let lock = Lock::new(&[servers, &settings.group_id, &settings.instance_id]);
        let process = uuid::Uuid::new_v4().to_string();
        let by =
            Holder { process, instance: settings.instance_id.clone(), host: String::new(), url: settings.url.clone() };
        let rules = Rules {
            by,
            // One heartbeat less than the time after which the broker counts a silent member as dead.
            lasts: settings.session_timeout.saturating_sub(settings.heartbeat),
            every: PROOF_EVERY.min(settings.heartbeat / 2),
        };
        let machine = Machine::new(rules, Instant::now());
        Self { settings, publish, leave, machine, lock, tenures: 0 }
    }

    /// Runs until the process leaves.
    pub(super) fn run(mut self) {
        if self.lock.take() {
            self.machine.locked(lock::host());
        }
        let mut is_left = false;
        while !is_left {
            match Client::new(&self.settings) {
                Ok(client) => is_left = self.serve(client),
                Err(error) => {
                    self.complain(&error);
                    std::thread::sleep(PAUSE);
                    is_left = self.leave.load(Ordering::Acquire);
                }
            }
        }
    }

    fn complain(&self, error: &KafkaError) {
        tracing::warn!(%error, group = %self.settings.group_id, "the group cannot be asked who owns it");
    }

    /// Works with one client. True when the process has left, false when another client is needed.
    fn serve(&mut self, client: Client) -> bool {
        let mut is_leaving = false;
        loop {
            let input = if !is_leaving && self.leave.load(Ordering::Acquire) {
                is_leaving = true;
                Input::Leave
            } else {
                let is_asking = self.machine.is_asking();
                let wait = if is_asking || self.machine.is_joining() { SHORT_TICK } else { TICK };
                client.next(wait, is_asking).unwrap_or(Input::Tick)
            };
            for step in self.machine.step(Instant::now(), input) {
                match step {
                    Step::Read => client.ask(Question::Read),
                    Step::List => client.ask(Question::List),
                    Step::Prove(mark) => client.ask(Question::Prove(mark)),
                    Step::Join => {
                        if let Err(error) = client.join() {
                            self.complain(&error);
                        }
                    }
                    Step::Resign => client.resign(),
                    Step::Renew => {
                        client.end();
                        return false;
                    }
                    Step::Quit => {
                        client.quit();
                        return true;
                    }
                    said => self.say(said),
                }
            }
        }
    }

    /// Publishes and logs the steps that concern the rest of the process.
    fn say(&mut self, step: Step) {
        let group = &self.settings.group_id;
        match step {
            Step::Begin(fence) => {
                self.tenures += 1;
                let tenure = self.tenures;
                tracing::info!(%group, tenure, "this process owns the group");
                self.publish.send_replace(Ownership::Owner { tenure, fence });
                // The process before this one, with the same instance id, may still have held the lock at our start: try again.
                if self.lock.take() {
                    self.machine.locked(lock::host());
                }
            }
            Step::Lost(loss) => {
                let why = self.reason(loss);
                tracing::error!(%group, "the group is lost: nothing may be produced any more. {why}");
                self.publish.send_replace(Ownership::Lost);
            }
            Step::Standby(url) => {
                self.publish.send_if_modified(|state| {
                    let is_new = !matches!(state, Ownership::Standby { owner } if *owner == url);
                    *state = Ownership::Standby { owner: url };
                    is_new
                });
            }
            Step::Foreign(members) => {
                tracing::warn!(%group, ?members, "Java workers are in the group: nothing is started before they are gone");
                self.publish.send_replace(Ownership::Foreign { members });
            }
            Step::SameInstance(mark) => self.say_same(&mark),
            Step::Wait(time) => tracing::warn!(
                %group,
                "the owner's place was taken while another process may still be producing; waiting {} ms until its time is over",
                time.as_millis()
            ),
            Step::Unanswered(time) => tracing::warn!(
                %group,
                "the brokers have answered no question about the group for {} s: another client asks them",
                time.as_secs()
            ),
            Step::Read | Step::List | Step::Prove(_) | Step::Join | Step::Resign | Step::Renew | Step::Quit => {}
        }
    }

    fn reason(&self, loss: Loss) -> String {
        match loss {
            Loss::Unproven => "The broker has not confirmed the ownership in time: it was away, or this process was \
                               stopped."
                .to_owned(),
            Loss::Replaced => format!(
                "Another process has taken this one's place (FENCED_INSTANCE_ID). This one is {}.",
                self.settings.instance_id
            ),
            Loss::Expelled => "The broker does not know this process as a member any more.".to_owned(),
            Loss::Reassigned => "The group gave its partition to another member.".to_owned(),
        }
    }

    fn say_same(&self, mark: &Mark) {
        tracing::error!(
            group = %self.settings.group_id,
            "another process of the same instance id, {}, owns the group and is alive ({}): this one stands by. Two \
             processes of one id do not know a crash from each other; give each an afterimage.instance.id of its own",
            mark.instance,
            mark.process
        );
    }
}
