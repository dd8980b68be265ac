//! The group, asked through librdkafka.
//!
//! The client's own thread keeps the membership alive and says nothing of heartbeats that succeed; so what the owner's thread
//! wants to know it asks, and a thread beside it waits for the broker's answer.
//!
//! Must not know: who should own the group.

use std::cell::Cell;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::metadata::MetadataTopic;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::Settings;
use super::machine::{Input, Members, Refusal};
use super::mark::{Found, Mark};

/// The one static member that the group has: whoever joins under this name takes the owner's place, and the broker refuses
/// whatever the member of the same name before still sends (KIP-345).
const PLACE: &str = "afterimage-owner";
/// How long a question about the group may wait for the brokers.
const ASK: Duration = Duration::from_secs(5);
/// How long an ending waits for the brokers to be told.
const END: Duration = Duration::from_secs(2);

/// An error that comes again and again is said so often.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// What only the broker can answer.
pub(super) enum Question {
    Read,
    List,
    Prove(Mark),
}

/// A member of the group, or one that may become it.
pub(super) struct Client {
    consumer: Arc<BaseConsumer<Callbacks>>,
    topic: String,
    /// Dropped to end the thread that asks.
    questions: mpsc::Sender<Question>,
    inputs: mpsc::Receiver<Input>,
    /// Disconnected when the thread that asks has ended, and with it the consumer.
    ended: mpsc::Receiver<()>,
    said: Cell<Option<Instant>>,
}

impl Client {
    /// Not in the group yet.
    pub(super) fn new(settings: &Settings) -> Result<Self, KafkaError> {
        let (tell, inputs) = mpsc::channel();
        let consumer: BaseConsumer<Callbacks> = config(settings).create_with_context(Callbacks(tell.clone()))?;
        let consumer = Arc::new(consumer);
        let (questions, asked) = mpsc::channel::<Question>();
        let (end, ended) = mpsc::channel::<()>();
        let asker = Asker {
            consumer: Arc::clone(&consumer),
            group: settings.group_id.clone(),
            topic: settings.topic.clone(),
            patience: ASK.min(settings.session_timeout),
            is_there: Cell::new(false),
        };
        let asking = move || {
            for question in asked {
                // Nobody listens any more when the client has been thrown away.
                let _ = tell.send(asker.ask(question));
            }
            drop(asker);
            drop(end);
        };
        if let Err(error) = std::thread::Builder::new().name("group-ask".to_owned()).spawn(asking) {
            return Err(KafkaError::ClientCreation(format!("no thread to ask the group: {error}")));
        }
        Ok(Self { consumer, topic: settings.topic.clone(), questions, inputs, ended, said: Cell::default() })
    }

    /// The answer comes out of [`next`](Self::next).
    pub(super) fn ask(&self, question: Question) {
        // The thread lives as long as this sender.
        let _ = self.questions.send(question);
    }

    pub(super) fn join(&self) -> Result<(), KafkaError> {
        self.consumer.subscribe(&[self.topic.as_str()])
    }

    /// Leaves the group. Not the same as an end: a static member that just ends stays in the group until it is timed out.
    pub(super) fn resign(&self) {
        self.consumer.unsubscribe();
    }

    /// What has happened, within `wait`; `is_asking`: an answer is to come.
    pub(super) fn next(&self, wait: Duration, is_asking: bool) -> Option<Input> {
        if let Ok(input) = self.inputs.try_recv() {
            return Some(input);
        }
        // Polling runs the callbacks; an answer does not end it.
        let (poll, listen) = if is_asking { (Duration::ZERO, wait) } else { (wait, Duration::ZERO) };
        if let Some(Err(error)) = self.consumer.poll(poll) {
            match meaning(&error) {
                Some(input) => return Some(input),
                None => self.say(&error),
            }
        }
        self.inputs.recv_timeout(listen).ok()
    }

    /// An error that librdkafka tries again after: a group that may not be joined, a session timeout that the broker refuses.
    fn say(&self, error: &KafkaError) {
        if self.said.get().is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            self.said.set(Some(Instant::now()));
            tracing::warn!(%error, topic = %self.topic, "the group cannot be joined; it is tried again");
        }
    }

    /// Ends it, in its own time: it may wait for a broker that is away, which must not keep anybody.
    pub(super) fn end(self) {
        let Self { consumer, questions, .. } = self;
        drop(questions);
        // Whichever thread drops it last waits.
        let _ = std::thread::Builder::new().name("group-end".to_owned()).spawn(move || drop(consumer));
    }

    /// Leaves the group and ends; waits until the broker was told, or for as long as it may take.
    pub(super) fn quit(self) {
        let Self { consumer, questions, ended, .. } = self;
        drop(questions);
        let (told, wait) = mpsc::channel::<()>();
        let leaving = move || {
            consumer.unsubscribe();
            // The assignment is given up in a callback, and then librdkafka says that it leaves; a close says nothing.
            let (until, mut is_given_up) = (Instant::now() + END, false);
            while Instant::now() < until && !is_given_up {
                consumer.poll(Duration::from_millis(20));
                is_given_up = consumer.assignment().is_ok_and(|left| left.count() == 0);
            }
            consumer.poll(Duration::from_millis(50));
            drop(consumer);
            // An error: the thread has ended.
            let _ = ended.recv();
            drop(told);
        };
        if std::thread::Builder::new().name("group-leave".to_owned()).spawn(leaving).is_ok() {
            // Ends with an error either way: the sender is dropped, or the time is over.
            let _ = wait.recv_timeout(END);
        }
    }
}

fn config(settings: &Settings) -> ClientConfig {
    let Settings { client, client_id, group_id, session_timeout, heartbeat, .. } = settings;
    let mut config = ClientConfig::new();
    for (name, value) in client {
        config.set(name, value);
    }
    config
        .set("client.id", client_id)
        .set("group.id", group_id)
        .set("group.instance.id", PLACE)
        .set("group.protocol", "classic")
        // Sticky, or another consumer that joins the group could be given the owner's partition.
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

/// Asks what blocks, on its own thread.
struct Asker {
    consumer: Arc<BaseConsumer<Callbacks>>,
    group: String,
    topic: String,
    patience: Duration,
    /// The topic has been seen.
    is_there: Cell<bool>,
}

impl Asker {
    fn ask(&self, question: Question) -> Input {
        match question {
            Question::Read => self.read().unwrap_or_else(|error| {
                tracing::debug!(%error, group = %self.group, "the owner's mark cannot be read");
                Input::Unread
            }),
            Question::List => Input::Listed(self.members()),
            Question::Prove(mark) => {
                let asked = Instant::now();
                match self.commit(&mark) {
                    Ok(()) => Input::Proved(asked),
                    Err(error) => {
                        tracing::debug!(%error, group = %self.group, "the broker did not take the owner's mark");
                        Input::Unproven(refusal(error.rdkafka_error_code()))
                    }
                }
            }
        }
    }

    fn read(&self) -> Result<Input, KafkaError> {
        // The store may still be making the topic. Who joins without it is assigned nothing.
        if !self.is_there.get() {
            let metadata = self.consumer.fetch_metadata(Some(&self.topic), self.patience)?;
            let is_there = |t: &MetadataTopic| t.name() == self.topic && !t.partitions().is_empty();
            if !metadata.topics().iter().any(is_there) {
                return Ok(Input::Unread);
            }
            self.is_there.set(true);
        }
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.topic, 0);
        let list = self.consumer.committed_offsets(list, self.patience)?;
        let Some(committed) = list.find_partition(&self.topic, 0) else { return Ok(Input::Read(Found::Nothing)) };
        committed.error()?;
        let is_there = matches!(committed.offset(), Offset::Offset(_));
        Ok(Input::Read(Found::read(is_there.then(|| committed.metadata()))))
    }

    /// A commit of offset 0, which means nothing: the records are the store's to read.
    fn commit(&self, mark: &Mark) -> Result<(), KafkaError> {
        let mut list = TopicPartitionList::new();
        let mut partition = list.add_partition(&self.topic, 0);
        partition.set_offset(Offset::Offset(0))?;
        partition.set_metadata(mark.to_text());
        self.consumer.commit(&list, CommitMode::Sync)
    }

    fn members(&self) -> Members {
        let groups = match self.consumer.fetch_group_list(Some(&self.group), self.patience) {
            Ok(groups) => groups,
            Err(error) => {
                tracing::debug!(%error, group = %self.group, "who is in the group cannot be found out");
                return Members::Unknown;
            }
        };
        let Some(found) = groups.groups().iter().find(|found| found.name() == self.group) else {
            return Members::Unknown;
        };
        match (found.members(), found.protocol_type(), found.state()) {
            ([], _, "Empty" | "Dead") => Members::Nobody,
            ([], ..) => Members::Unknown,
            (members, "connect", _) => {
                let name = |m: &rdkafka::groups::GroupMemberInfo| format!("{} ({})", m.client_id(), m.client_host());
                Members::Java(members.iter().map(name).collect())
            }
            _ => Members::Consumers,
        }
    }
}

fn refusal(code: Option<Code>) -> Refusal {
    match code {
        // Fatal: said again of a client that was fenced before.
        Some(Code::FencedInstanceId | Code::Fatal) => Refusal::Replaced,
        Some(Code::UnknownMemberId) => Refusal::Expelled,
        // RebalanceInProgress and IllegalGeneration too: the member is known, only the group moves.
        _ => Refusal::NotYet,
    }
}

/// What an error says of the group, if anything.
fn meaning(error: &KafkaError) -> Option<Input> {
    match error.rdkafka_error_code() {
        Some(Code::InconsistentGroupProtocol) => Some(Input::Inconsistent),
        Some(Code::FencedInstanceId | Code::Fatal) => Some(Input::Replaced),
        Some(Code::AllBrokersDown) => Some(Input::Unreachable),
        _ => None,
    }
}

/// What librdkafka's threads and callbacks say goes where the answers go.
struct Callbacks(mpsc::Sender<Input>);

impl Callbacks {
    fn tell(&self, input: Input) {
        // Nobody listens any more when the client has been thrown away.
        let _ = self.0.send(input);
    }
}

impl ClientContext for Callbacks {
    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(input) = meaning(&error) {
            self.tell(input);
        } else {
            tracing::debug!(%error, reason, "group consumer");
        }
    }
}

impl ConsumerContext for Callbacks {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Revoke(partitions) if partitions.count() > 0 => self.tell(Input::Revoked),
            Rebalance::Error(_) => self.tell(Input::Revoked),
            Rebalance::Revoke(_) | Rebalance::Assign(_) => {}
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Assign(partitions) = rebalance else { return };
        if partitions.count() == 0 {
            self.tell(Input::PassedOver);
            return;
        }
        // The partition stands for the place: its records are read by the store.
        if let Err(error) = consumer.pause(partitions) {
            tracing::debug!(%error, "the group's partition is read in vain");
        }
        self.tell(Input::Assigned);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rebalance_is_no_loss() {
        for (code, expected) in [
            (Some(Code::RebalanceInProgress), Refusal::NotYet),
            (Some(Code::IllegalGeneration), Refusal::NotYet),
            (Some(Code::NotCoordinator), Refusal::NotYet),
            (Some(Code::OperationTimedOut), Refusal::NotYet),
            (None, Refusal::NotYet),
            (Some(Code::UnknownMemberId), Refusal::Expelled),
            (Some(Code::FencedInstanceId), Refusal::Replaced),
        ] {
            assert_eq!(refusal(code), expected, "{code:?}");
        }
    }
}
