//! The group, asked through librdkafka.
//!
//! librdkafka's own threads keep the membership alive and do not report heartbeats that succeed. So the owner's thread asks
//! the broker for what it wants to know, and a second thread waits for the answers.
//!
//! Must not know: who should own the group.

use std::cell::Cell;
use std::error::Error;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::metadata::MetadataTopic;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::GroupSettings;
use super::machine::{Input, Members, Refusal};
use super::mark::{Found, Mark};
use crate::login;

/// The name of the one static member that the group has. Whoever joins under this name takes the owner's place, and the
/// broker refuses whatever the former member of this name still sends (KIP-345).
const PLACE: &str = "afterimage-owner";
/// How long a question about the group may wait for the brokers.
const ASK: Duration = Duration::from_secs(5);
/// How long leaving the group may take.
const END: Duration = Duration::from_secs(2);

/// How often an error that repeats itself is logged.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// A question to the broker.
pub(super) enum Question {
    Read,
    List,
    Prove(Mark),
}

/// A member of the group, or a process that may become one.
pub(super) struct Client {
    consumer: Arc<BaseConsumer<Callbacks>>,
    topic: String,
    /// Dropped to end the thread that asks.
    questions: mpsc::Sender<Question>,
    inputs: mpsc::Receiver<Input>,
    /// Disconnected when the thread that asks has ended and does not hold the consumer any more.
    ended: mpsc::Receiver<()>,
    said: Cell<Option<Instant>>,
}

impl Client {
    /// A client that has not joined the group.
    pub(super) fn new(settings: &GroupSettings) -> Result<Self, KafkaError> {
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
                // Fails when the client has been dropped: then nobody listens.
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

    /// Asks a question; [`next`](Self::next) returns the answer.
    pub(super) fn ask(&self, question: Question) {
        // Cannot fail: the thread lives as long as this sender.
        let _ = self.questions.send(question);
    }

    pub(super) fn join(&self) -> Result<(), KafkaError> {
        self.consumer.subscribe(&[self.topic.as_str()])
    }

    /// Leaves the group. Merely ending the client would not: a static member stays in the group until its session times out.
    pub(super) fn resign(&self) {
        self.consumer.unsubscribe();
    }

    /// The next thing that has happened, waited for at most for `wait`. `is_asking`: an answer is awaited.
    pub(super) fn next(&self, wait: Duration, is_asking: bool) -> Option<Input> {
        if let Ok(input) = self.inputs.try_recv() {
            return Some(input);
        }
        // Polling serves librdkafka's callbacks, but an answer does not end a poll. So while an answer is awaited, the wait
        // is for the channel.
        let (poll, listen) = if is_asking { (Duration::ZERO, wait) } else { (wait, Duration::ZERO) };
        if let Some(Err(error)) = self.consumer.poll(poll) {
            match meaning(&error) {
                Some(input) => return Some(input),
                None => self.say(&error),
            }
        }
        self.inputs.recv_timeout(listen).ok()
    }

    /// Logs an error after which librdkafka tries again by itself: this user may not join the group, or the broker refuses
    /// the session timeout.
    fn say(&self, error: &KafkaError) {
        if self.said.get().is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            self.said.set(Some(Instant::now()));
            tracing::warn!(%error, topic = %self.topic, "the group cannot be joined; it is tried again");
        }
    }

    /// Drops the consumer on a thread of its own, because dropping may wait for a broker that is away.
    pub(super) fn end(self) {
        let Self { consumer, questions, .. } = self;
        drop(questions);
        // Closing blocks while a broker is away. Whichever drops the last reference blocks: this thread, or the asking
        // thread; never the owner's.
        let _ = std::thread::Builder::new().name("group-end".to_owned()).spawn(move || drop(consumer));
    }

    /// Leaves the group and ends. Waits until the broker was told, at most for [`END`].
    pub(super) fn quit(self) {
        let Self { consumer, questions, ended, .. } = self;
        drop(questions);
        let (told, wait) = mpsc::channel::<()>();
        let leaving = move || {
            consumer.unsubscribe();
            // `unsubscribe` gives up the assignment in a callback, which a poll must serve; only then does librdkafka send
            // LeaveGroup. Closing a static member sends none.
            let (until, mut is_given_up) = (Instant::now() + END, false);
            while Instant::now() < until && !is_given_up {
                consumer.poll(Duration::from_millis(20));
                is_given_up = consumer.assignment().is_ok_and(|left| left.count() == 0);
            }
            consumer.poll(Duration::from_millis(50));
            drop(consumer);
            // Returns, with an error, when the asking thread has ended.
            let _ = ended.recv();
            drop(told);
        };
        if std::thread::Builder::new().name("group-leave".to_owned()).spawn(leaving).is_ok() {
            // Always an error: either the sender was dropped, or the time is over.
            let _ = wait.recv_timeout(END);
        }
    }
}

fn config(settings: &GroupSettings) -> ClientConfig {
    let GroupSettings { client, client_id, group_id, session_timeout, heartbeat, .. } = settings;
    let mut config = ClientConfig::new();
    for (name, value) in client {
        config.set(name, value);
    }
    config
        .set("client.id", client_id)
        .set("group.id", group_id)
        .set("group.instance.id", PLACE)
        .set("group.protocol", "classic")
        // With an assignor that is not sticky, another consumer that joins could be given the owner's partition.
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", session_timeout.as_millis().to_string())
        .set("heartbeat.interval.ms", heartbeat.as_millis().to_string())
        .set("max.poll.interval.ms", session_timeout.as_millis().max(300_000).to_string())
        // Bounds a commit: an answer that comes after the session has timed out is worth nothing.
        .set("socket.timeout.ms", session_timeout.as_millis().clamp(1_000, 300_000).to_string())
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "latest")
        .set("allow.auto.create.topics", "false");
    config
}

/// Asks the broker and blocks until it answers; runs on a thread of its own.
struct Asker {
    consumer: Arc<BaseConsumer<Callbacks>>,
    group: String,
    topic: String,
    patience: Duration,
    /// Whether the topic has been seen.
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
        // The store may not have created the topic yet, and a member that joins before that is assigned nothing.
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

    /// Commits offset 0 with the mark as its metadata. The offset means nothing: the store reads the topic on its own.
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
        // librdkafka reports `Fatal` for every request of a client that was fenced before.
        Some(Code::FencedInstanceId | Code::Fatal) => Refusal::Replaced,
        Some(Code::UnknownMemberId) => Refusal::Expelled,
        // RebalanceInProgress and IllegalGeneration too: the broker knows the member, the group is just being rebalanced.
        _ => Refusal::NotYet,
    }
}

/// What an error means for the ownership, if anything.
fn meaning(error: &KafkaError) -> Option<Input> {
    match error.rdkafka_error_code() {
        Some(Code::InconsistentGroupProtocol) => Some(Input::Inconsistent),
        Some(Code::FencedInstanceId | Code::Fatal) => Some(Input::Replaced),
        Some(Code::AllBrokersDown) => Some(Input::Unreachable),
        _ => None,
    }
}

/// Sends what librdkafka's callbacks report to the channel of the answers.
struct Callbacks(mpsc::Sender<Input>);

impl Callbacks {
    fn tell(&self, input: Input) {
        // Fails when the client has been dropped: then nobody listens.
        let _ = self.0.send(input);
    }
}

impl ClientContext for Callbacks {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, login: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        login::token(login)
    }

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
        // The partition only stands for the owner's place; the store reads its records.
        if let Err(error) = consumer.pause(partitions) {
            tracing::debug!(%error, "the group's partition could not be paused: its records are fetched for nothing");
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
