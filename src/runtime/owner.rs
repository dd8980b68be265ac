//! One owner: of all processes that share a `group.id`, Java workers included, at most one runs connectors.
//!
//! The Kafka group is the lock. While members of protocol type `connect` are in it, Java workers run the connectors and
//! this process waits ([`Ownership::Foreign`]). Otherwise it joins as a consumer of the config topic, which has one
//! partition: who is assigned it is the owner, the others stand by. A Java worker that comes later cannot join (the
//! group's protocol is another one).
//!
//! Losing the group must stop the producing before the broker lets somebody else in. librdkafka says nothing of
//! heartbeats that succeed, so the owner proves its membership itself: an offset commit of the group, which the broker
//! refuses from anyone but a present member, every half heartbeat. The [`Fence`] of a tenure is open only for session
//! timeout minus one heartbeat after the last commit that succeeded, by the monotonic clock, and it is asked before
//! every record: a process that was stopped and continued finds it closed, whichever thread wakes first.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::sync::watch;

/// How often a group with foreign members is looked at again.
const FOREIGN_PAUSE: Duration = Duration::from_secs(5);
/// How often the owner's thread looks at its fence and at the wish to leave.
const TICK: Duration = Duration::from_millis(50);

/// What the group's membership is made of.
#[derive(Clone)]
pub struct Settings {
    /// librdkafka's properties of the worker's internal clients: servers, security. May hold secrets.
    pub client: BTreeMap<String, String>,
    /// The client's id, by which other processes name this one.
    pub client_id: String,
    /// `group.id`.
    pub group_id: String,
    /// `config.storage.topic`; must exist.
    pub topic: String,
    /// `session.timeout.ms`: after so long without a heartbeat the broker gives the group to another member.
    pub session_timeout: Duration,
    /// `heartbeat.interval.ms`.
    pub heartbeat: Duration,
}

/// Who runs the connectors.
#[derive(Debug, Clone)]
pub enum Ownership {
    /// Not known yet: the broker has not answered.
    Starting,
    /// Java workers are in the group; it is looked at again every 5 s.
    Foreign {
        /// Their client ids and hosts.
        members: Vec<String>,
    },
    /// Another process of ours runs them; this one takes over when it ends.
    Standby,
    /// This process.
    Owner {
        /// Counts this process's tenures from 1. A number that differs from the last seen means that the group was lost
        /// in between, also when [`Lost`](Self::Lost) itself was not seen.
        generation: u32,
        /// Open as long as this tenure may produce; never opens again.
        fence: Arc<Fence>,
    },
    /// This process no more; everything that produces must be thrown away.
    Lost,
}

/// Whether a tenure may produce.
#[derive(Debug)]
pub struct Fence {
    is_closed: AtomicBool,
    begin: Instant,
    /// Milliseconds after `begin` until which the membership is proven.
    proven_ms: AtomicU64,
}

impl Fence {
    pub(super) fn open(proven: Instant, lasts: Duration) -> Self {
        let fence = Self { is_closed: AtomicBool::new(false), begin: proven, proven_ms: AtomicU64::new(0) };
        fence.prove(proven, lasts);
        fence
    }

    /// One that only [`close`](Self::close) closes: standalone mode has no group.
    pub fn unguarded() -> Self {
        let proven_ms = AtomicU64::new(u64::MAX);
        Self { is_closed: AtomicBool::new(false), begin: Instant::now(), proven_ms }
    }

    /// Whether a record may be produced now. One clock reading and two loads.
    pub fn is_open(&self) -> bool {
        !self.is_closed.load(Ordering::Acquire) && self.elapsed_ms() < self.proven_ms.load(Ordering::Acquire)
    }

    /// Ends the tenure.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    fn elapsed_ms(&self) -> u64 {
        self.begin.elapsed().as_millis() as u64
    }

    /// A proof asked for at `asked` lasts from then. It is void when it comes after the last one has run out: others may
    /// have acted on that.
    fn prove(&self, asked: Instant, lasts: Duration) {
        let until = (asked.saturating_duration_since(self.begin) + lasts).as_millis() as u64;
        if self.proven_ms.load(Ordering::Acquire) == 0 || self.is_open() {
            self.proven_ms.fetch_max(until, Ordering::AcqRel);
        }
    }
}

/// The thread that holds the group.
pub struct Owner {
    state: watch::Receiver<Ownership>,
    leave: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Owner {
    /// Starts to watch and to join the group.
    pub fn start(settings: Settings) -> std::io::Result<Self> {
        let (publish, state) = watch::channel(Ownership::Starting);
        let leave = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new().name("group-owner".to_owned()).spawn({
            let leave = Arc::clone(&leave);
            move || Membership { settings, publish, leave, generation: 0 }.run()
        })?;
        Ok(Self { state, leave, thread: Some(thread) })
    }

    /// The state, now and as it changes.
    pub fn state(&self) -> watch::Receiver<Ownership> {
        self.state.clone()
    }

    /// Leaves the group, so that a standby takes over at its next heartbeat. Blocks until the broker was told, at most
    /// a few seconds. Everything that produces must have ended before.
    pub fn leave(&mut self) {
        self.leave.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic in it was printed by the hook.
            let _ = thread.join();
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.leave();
    }
}

/// What librdkafka's callbacks tell the owner's thread.
#[derive(Default)]
struct Heard {
    assigned: AtomicBool,
    /// Set once, by a revocation after an assignment.
    revoked: AtomicBool,
    /// A Java worker holds the group.
    inconsistent: AtomicBool,
}

#[derive(Clone)]
struct Callbacks(Arc<Heard>);

fn is_inconsistent(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::InconsistentGroupProtocol)
}

impl ClientContext for Callbacks {
    fn error(&self, error: KafkaError, reason: &str) {
        if is_inconsistent(&error) {
            self.0.inconsistent.store(true, Ordering::Release);
        } else {
            tracing::debug!(%error, reason, "group consumer");
        }
    }
}

impl ConsumerContext for Callbacks {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Revoke(partitions) if partitions.count() > 0 => self.0.revoked.store(true, Ordering::Release),
            Rebalance::Error(_) => self.0.revoked.store(true, Ordering::Release),
            Rebalance::Revoke(_) | Rebalance::Assign(_) => {}
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance
            && partitions.count() > 0
        {
            // The partition is a token: its records are read by the store.
            if let Err(error) = consumer.pause(partitions) {
                tracing::debug!(%error, "the group's partition is read in vain");
            }
            self.0.assigned.store(true, Ordering::Release);
        }
    }
}

/// Why a membership ended.
enum End {
    /// The process leaves.
    Leaving,
    /// Java workers hold the group.
    Inconsistent,
    /// The tenure, or the hope of one, is over: look again.
    Lost,
    /// The client could not be made or asked.
    Failed(KafkaError),
}

struct Membership {
    settings: Settings,
    publish: watch::Sender<Ownership>,
    leave: Arc<AtomicBool>,
    generation: u32,
}

impl Membership {
    fn is_leaving(&self) -> bool {
        self.leave.load(Ordering::Acquire)
    }

    fn pause(&self, time: Duration) {
        let begin = Instant::now();
        while !self.is_leaving() && begin.elapsed() < time {
            std::thread::sleep(TICK.min(time));
        }
    }

    fn config(&self) -> ClientConfig {
        let Settings { client, client_id, group_id, session_timeout, heartbeat, .. } = &self.settings;
        let mut config = ClientConfig::new();
        for (name, value) in client {
            config.set(name, value);
        }
        config
            .set("client.id", client_id)
            .set("group.id", group_id)
            .set("group.protocol", "classic")
            // Sticky, or a standby that joins could be given the partition of the one that runs.
            .set("partition.assignment.strategy", "cooperative-sticky")
            .set("session.timeout.ms", session_timeout.as_millis().to_string())
            .set("heartbeat.interval.ms", heartbeat.as_millis().to_string())
            .set("max.poll.interval.ms", session_timeout.as_millis().max(300_000).to_string())
            // Bounds a commit: an answer after the session's end is worth nothing.
            .set("socket.timeout.ms", session_timeout.as_millis().clamp(1_000, 300_000).to_string())
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "latest")
            .set("allow.auto.create.topics", "false");
        config
    }

    fn run(mut self) {
        while !self.is_leaving() {
            let end = self.wait_for_java_workers().and_then(|()| {
                if self.is_leaving() {
                    return Ok(End::Leaving);
                }
                self.hold()
            });
            match end.unwrap_or_else(End::Failed) {
                End::Leaving => break,
                End::Lost | End::Inconsistent => {}
                End::Failed(error) => {
                    tracing::warn!(%error, group = %self.settings.group_id, "the group cannot be asked who owns it");
                    self.pause(Duration::from_millis(500));
                }
            }
        }
    }

    /// Returns when no Java worker is in the group.
    fn wait_for_java_workers(&self) -> Result<(), KafkaError> {
        let group = self.settings.group_id.as_str();
        let client: BaseConsumer = self.config().create()?;
        while !self.is_leaving() {
            let groups = client.fetch_group_list(Some(group), Duration::from_secs(5))?;
            let found =
                groups.groups().iter().find(|found| found.name() == group && found.protocol_type() == "connect");
            let members: Vec<String> = found.map_or(Vec::new(), |found| {
                found.members().iter().map(|m| format!("{} ({})", m.client_id(), m.client_host())).collect()
            });
            if members.is_empty() {
                break;
            }
            tracing::warn!(group, ?members, "Java workers are in the group: nothing is started before they are gone");
            self.publish.send_replace(Ownership::Foreign { members });
            self.pause(FOREIGN_PAUSE);
        }
        Ok(())
    }

    /// Whether another process is a member of the group. One that cannot be asked is none.
    fn others_are_in(&self, consumer: &BaseConsumer<Callbacks>) -> bool {
        let found = consumer.fetch_group_list(Some(self.settings.group_id.as_str()), Duration::from_secs(1));
        let is_other = |member: &rdkafka::groups::GroupMemberInfo| member.client_id() != self.settings.client_id;
        found.is_ok_and(|groups| groups.groups().iter().any(|group| group.members().iter().any(is_other)))
    }

    /// Joins the group and stays in it until it is lost or left.
    fn hold(&mut self) -> Result<End, KafkaError> {
        let heard = Arc::new(Heard::default());
        let consumer: BaseConsumer<Callbacks> = self.config().create_with_context(Callbacks(Arc::clone(&heard)))?;
        consumer.subscribe(&[self.settings.topic.as_str()])?;
        let consumer = Arc::new(consumer);
        let mut asked = Instant::now();
        let mut tenure: Option<Tenure> = None;
        let end = loop {
            if self.is_leaving() {
                break End::Leaving;
            }
            if let Some(Err(error)) = consumer.poll(TICK)
                && is_inconsistent(&error)
            {
                break End::Inconsistent;
            }
            if heard.inconsistent.load(Ordering::Acquire) {
                break End::Inconsistent;
            }
            if heard.revoked.load(Ordering::Acquire) || tenure.as_ref().is_some_and(|t| !t.fence.is_open()) {
                break End::Lost;
            }
            if tenure.is_none() && heard.assigned.load(Ordering::Acquire) {
                self.generation += 1;
                match Tenure::begin(&consumer, &self.settings) {
                    Ok(begun) => {
                        let (generation, fence) = (self.generation, Arc::clone(&begun.fence));
                        tracing::info!(group = %self.settings.group_id, generation, "this process owns the group");
                        self.publish.send_replace(Ownership::Owner { generation, fence });
                        tenure = Some(begun);
                    }
                    Err(error) => {
                        tracing::debug!(%error, "assigned, but not a member any more");
                        break End::Lost;
                    }
                }
            } else if tenure.is_none() && asked.elapsed() > Duration::from_secs(1) {
                asked = Instant::now();
                // A new group takes its time to form (`group.initial.rebalance.delay.ms`): that alone is no standby.
                if !self.others_are_in(&consumer) {
                    continue;
                }
                self.publish.send_if_modified(|state| {
                    let is_new = !matches!(state, Ownership::Standby);
                    *state = Ownership::Standby;
                    is_new
                });
            }
        };
        if let Some(tenure) = &tenure {
            tenure.fence.close();
            self.publish.send_replace(Ownership::Lost);
            if !matches!(end, End::Leaving) {
                tracing::error!(group = %self.settings.group_id, "the group is lost: nothing may be produced any more");
            }
        }
        // Closing tells the broker; it may wait for a broker that is away, which must not keep us from looking again.
        let (closed, wait) = mpsc::channel::<()>();
        let closing = std::thread::Builder::new().name("group-leave".to_owned()).spawn(move || {
            if let Some(tenure) = tenure {
                tenure.end();
            }
            drop(consumer);
            drop(closed);
        });
        if closing.is_ok() {
            // Ends with an error either way: the sender is dropped, or the time is over.
            let _ = wait.recv_timeout(Duration::from_secs(3));
        }
        Ok(end)
    }
}

/// A time as owner: the fence, and the thread that proves the membership.
struct Tenure {
    fence: Arc<Fence>,
    /// Dropped to end the thread.
    wish: mpsc::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

/// Asks the broker whether this process is a member: a commit of the token partition (offset 0, it means nothing).
fn pulse(consumer: &BaseConsumer<Callbacks>, topic: &str) -> Result<Instant, KafkaError> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Offset(0))?;
    let asked = Instant::now();
    consumer.commit(&list, CommitMode::Sync)?;
    Ok(asked)
}

impl Tenure {
    fn begin(consumer: &Arc<BaseConsumer<Callbacks>>, settings: &Settings) -> Result<Self, KafkaError> {
        let lasts = settings.session_timeout.saturating_sub(settings.heartbeat);
        let asked = pulse(consumer, &settings.topic)?;
        let fence = Arc::new(Fence::open(asked, lasts));
        let (wish, ended) = mpsc::channel::<()>();
        let (consumer, topic, every) = (Arc::clone(consumer), settings.topic.clone(), settings.heartbeat / 2);
        let thread = std::thread::Builder::new().name("group-pulse".to_owned()).spawn({
            let fence = Arc::clone(&fence);
            move || {
                while fence.is_open() && ended.recv_timeout(every) == Err(mpsc::RecvTimeoutError::Timeout) {
                    match pulse(&consumer, &topic) {
                        Ok(asked) => fence.prove(asked, lasts),
                        Err(error) => {
                            use RDKafkaErrorCode as Code;
                            tracing::debug!(%error, "no proof of the group's membership");
                            let code = error.rdkafka_error_code();
                            if let Some(Code::UnknownMemberId | Code::IllegalGeneration | Code::FencedInstanceId) = code
                            {
                                fence.close();
                            }
                        }
                    }
                }
            }
        });
        // Without the thread the fence closes by itself, and the group is tried again.
        Ok(Self { fence, wish, thread: thread.ok() })
    }

    fn end(self) {
        drop(self.wish);
        if let Some(thread) = self.thread {
            // A commit that a broker does not answer may take its time. A panic was printed by the hook.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_lasts_as_long_as_its_proof() {
        let fence = Fence::open(Instant::now(), Duration::from_millis(60));
        assert!(fence.is_open());
        std::thread::sleep(Duration::from_millis(30));
        fence.prove(Instant::now(), Duration::from_millis(60));
        std::thread::sleep(Duration::from_millis(40));
        assert!(fence.is_open());
        std::thread::sleep(Duration::from_millis(40));
        assert!(!fence.is_open());
        fence.prove(Instant::now(), Duration::from_secs(60));
        assert!(!fence.is_open(), "a late proof must not open it again");
    }

    #[test]
    fn a_closed_fence_stays_closed() {
        let fence = Fence::unguarded();
        assert!(fence.is_open());
        fence.close();
        fence.prove(Instant::now(), Duration::from_secs(60));
        assert!(!fence.is_open());
    }
}
