//! Reading one topic: from its beginning to its end, then on for ever.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::asking::Asking;
use super::closing::Closing;
use super::settling::Settling;
use super::{Fold, Log, Shared, StoreError, Waiter, client_error, code_of, suffix, topics};
use crate::login;

/// How long nothing may come of a partition that somebody waits for, before another consumer is tried. Long, because nothing
/// comes from a broker that is away either, and then librdkafka's own reconnecting is enough.
const STALLED: Duration = Duration::from_secs(15);
/// The same at most, if the clients before brought nothing either: a slow line must be given the time for one answer.
const STALLED_LONG: Duration = Duration::from_secs(300);

/// The pause after a seek that failed.
const SEEK_AGAIN: Duration = Duration::from_millis(200);
/// How long a seek may take.
const SEEK: Duration = Duration::from_secs(5);

/// The context of the internal topics' consumers. librdkafka reconnects by itself, so its errors are only noted.
pub(super) struct Reads(Arc<Shared>);

impl ClientContext for Reads {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, login: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        login::token(login)
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if code_of(&error) != RDKafkaErrorCode::PartitionEOF {
            self.0.note_error(&error, reason);
        }
    }
}

impl ConsumerContext for Reads {}

pub(super) fn consumer(
    shared: &Arc<Shared>,
    name: &str,
    committed: bool,
    wait_ms: u32,
) -> Result<BaseConsumer<Reads>, StoreError> {
    let mut config = shared.settings.client(name);
    config
        .set("group.id", &shared.settings.group_id)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .set("enable.partition.eof", "true")
        // The end of another replica than the leader's may lie before the records that somebody waits for.
        .set("client.rack", "")
        .set("isolation.level", if committed { "read_committed" } else { "read_uncommitted" })
        .set("fetch.wait.max.ms", wait_ms.to_string())
        .set("fetch.error.backoff.ms", "100")
        .set("queued.max.messages.kbytes", "8192");
    config.create_with_context(Reads(Arc::clone(shared))).map_err(client_error)
}

/// The consumer of one topic, in whose place another one reads on when nothing comes.
struct Client {
    consumer: BaseConsumer<Reads>,
    wait_ms: u32,
    /// When the consumer was made.
    since: Instant,
    /// How long the consumer may bring nothing: [`STALLED`] once it has brought a record.
    patience: Duration,
    closing: Closing,
}

impl Client {
    /// A client without a partition. An empty fetch is answered after `wait_ms`.
    fn open(shared: &Arc<Shared>, log: Log, wait_ms: u32) -> Result<Self, StoreError> {
        let consumer = consumer(shared, suffix(log), sees_committed(shared, log), wait_ms)?;
        Ok(Self { consumer, wait_ms, since: Instant::now(), patience: STALLED, closing: Closing::default() })
    }

    /// Whether the consumer has had the time to bring something, and the one before it is gone.
    fn may_be_replaced(&self) -> bool {
        self.since.elapsed() >= self.patience && !self.closing.is_busy()
    }

    /// Reads on with another consumer from where the reading stands. If an acknowledged record is not read back, its writer
    /// waits for ever and its task shows RUNNING. That happens when a broker stood still and regained its partitions with a newer
    /// leader epoch: librdkafka may go on to ask with the older one, even if the partition is taken from it and given again.
    fn replace(&mut self, shared: &Arc<Shared>, log: Log) {
        let topic = &shared.settings.topic(log).name;
        tracing::warn!(
            %topic,
            "nothing was read of the topic for {} s, although a writer or the start waits for it: \
             another client reads on from where this one stands; if this goes on, look at the topic's leader",
            self.patience.as_secs()
        );
        self.since = Instant::now();
        self.patience = (self.patience * 2).min(STALLED_LONG);
        let another = consumer(shared, suffix(log), sees_committed(shared, log), self.wait_ms);
        match another.and_then(|another| assign(shared, log, &another).map(|()| another)) {
            Ok(another) => self.closing.close(std::mem::replace(&mut self.consumer, another)),
            Err(error) => tracing::error!(%topic, %error, "no other client could be made to read the internal topic"),
        }
    }
}

/// How long a broker holds a fetch of the client that follows the topic, if nothing comes. Behind a transaction the end of the topic
/// is known only after two fetches, because for the transaction's marker no record comes. A task with exactly-once delivery waits
/// for that at its start.
fn wait_ms(shared: &Shared, log: Log) -> u32 {
    if log == Log::Offsets && shared.settings.read_committed { 50 } else { 500 }
}

/// Whether the topic is read without what lies in open and aborted transactions. Nobody writes statuses in transactions.
fn sees_committed(shared: &Shared, log: Log) -> bool {
    shared.settings.read_committed && log != Log::Statuses
}

/// One topic's thread. Sends to `ready` when the topic has been read to its end, or why it cannot be read.
pub(super) fn run(shared: &Arc<Shared>, log: Log, fold: &mut Fold, ready: &mpsc::Sender<Result<(), StoreError>>) {
    let opened = Client::open(shared, log, 5).and_then(|client| load(shared, log, client, fold));
    let (first, second) = match opened.and_then(|first| Ok((first, Client::open(shared, log, wait_ms(shared, log))?))) {
        Ok(consumers) => consumers,
        Err(error) => {
            // Fails when another topic's thread failed first and `start` has returned.
            let _ = ready.send(Err(error));
            return;
        }
    };
    let _ = ready.send(Ok(()));
    // The first consumer is kept to ask for end offsets. A broker answers the requests of a connection in turn, so on the
    // second consumer's connection such a request would wait until the long fetch before it is answered.
    match assign(shared, log, &second.consumer).and_then(|()| first.unassign().map_err(client_error)) {
        Ok(()) => follow(shared, log, second, Asking::with(first, sees_committed(shared, log)), fold),
        Err(error) => tracing::error!(
            %error,
            topic = %shared.settings.topic(log).name,
            "the internal topic cannot be followed: restart the daemon, which does not see changes to the topic any more"
        ),
    }
}

/// Assigns all partitions to the consumer, each from the offset up to which it has been read.
fn assign(shared: &Shared, log: Log, consumer: &BaseConsumer<Reads>) -> Result<(), StoreError> {
    let topic = &shared.settings.topic(log).name;
    let mut list = TopicPartitionList::new();
    for (partition, next) in shared.progress(log).next.iter().enumerate() {
        list.add_partition_offset(topic, partition as i32, Offset::Offset(*next)).map_err(client_error)?;
    }
    consumer.assign(&list).map_err(client_error)
}

/// Reads the topic to its end. Returns the consumer that has done so.
fn load(
    shared: &Arc<Shared>,
    log: Log,
    mut client: Client,
    fold: &mut Fold,
) -> Result<BaseConsumer<Reads>, StoreError> {
    let topic = &shared.settings.topic(log).name;
    let partitions = topics::partitions_or_create(shared, log, &client.consumer)?;
    if log == Log::Configs && partitions > 1 {
        return Err(StoreError::ManyPartitions { topic: topic.clone(), partitions });
    }
    shared.progress(log).next = vec![0; partitions];
    assign(shared, log, &client.consumer)?;
    let mut is_at_end = vec![false; partitions];
    let mut came = Instant::now();
    while is_at_end.contains(&false) {
        if came.elapsed() >= client.patience && client.may_be_replaced() {
            client.replace(shared, log);
        }
        match next(shared, &client.consumer)? {
            Polled::Record(message) => {
                take_in(fold, &message);
                shared.progress(log).advance(message.partition(), message.offset() + 1);
                // One partition may hang while others, which are at their ends, bring records all the time.
                if is_at_end.get(message.partition() as usize) == Some(&false) {
                    came = Instant::now();
                    client.patience = STALLED;
                }
            }
            Polled::End(partition) => {
                if let Some(is_at_end) = is_at_end.get_mut(partition as usize) {
                    *is_at_end = true;
                    came = Instant::now();
                }
            }
            Polled::Nothing => {}
        }
    }
    Ok(client.consumer)
}

/// Folds one record into its view. A panic of the fold costs this record only: the thread reads on for all other
/// connectors.
fn take_in(fold: &mut Fold, message: &BorrowedMessage<'_>) {
    let folded = catch_unwind(AssertUnwindSafe(|| fold(message.key().unwrap_or_default(), message.payload())));
    if folded.is_err() {
        tracing::error!(
            topic = message.topic(),
            partition = message.partition(),
            offset = message.offset(),
            "a record is passed over: reading it met the defect of afterimage that the log names just before; please report it"
        );
    }
}

enum Polled<'a> {
    Record(BorrowedMessage<'a>),
    End(i32),
    Nothing,
}

fn next<'a>(shared: &Shared, consumer: &'a BaseConsumer<Reads>) -> Result<Polled<'a>, StoreError> {
    if shared.is_closed() {
        return Err(StoreError::Closed);
    }
    match consumer.poll(Duration::from_millis(50)) {
        None => Ok(Polled::Nothing),
        Some(Ok(message)) => Ok(Polled::Record(message)),
        Some(Err(KafkaError::PartitionEOF(partition))) => Ok(Polled::End(partition)),
        Some(Err(error)) => {
            // librdkafka tries again by itself; the pause keeps a permanent error from spinning.
            shared.note(error.to_string());
            std::thread::sleep(Duration::from_millis(20));
            Ok(Polled::Nothing)
        }
    }
}

/// Reads on until the store is closed.
fn follow(shared: &Arc<Shared>, log: Log, mut client: Client, mut asking: Asking, fold: &mut Fold) {
    let mut awaited = Awaited::default();
    let mut looked = Instant::now();
    let mut settling = Settling::default();
    loop {
        settling.look(shared, log, &mut asking);
        let requests = std::mem::take(&mut shared.progress(log).requests);
        if !requests.is_empty() {
            match asking.ends(shared, log) {
                Ok(until) => {
                    let mut progress = shared.progress(log);
                    for done in requests {
                        progress.wait(Waiter::new(until.clone(), done));
                    }
                    let is_behind = |(partition, end): &(i32, i64)| progress.next_of(*partition) < *end;
                    let behind: Vec<(i32, i64)> = until.into_iter().filter(is_behind).collect();
                    drop(progress);
                    awaited.add(behind);
                }
                Err(error) => {
                    for done in requests {
                        // Whoever asked may have stopped waiting.
                        let _ = done.send(Err(error.clone()));
                    }
                }
            }
        }
        awaited.seek(shared, log, &client.consumer);
        // In every round, because one partition may hang while others bring records all the time.
        let now = Instant::now();
        if now.duration_since(looked) >= Duration::from_secs(1) {
            looked = now;
            if client.may_be_replaced() && shared.progress(log).stands_for(now) >= STALLED {
                client.replace(shared, log);
            }
        }
        match next(shared, &client.consumer) {
            Err(_) => return,
            Ok(Polled::Nothing) => {
                asking.serve();
            }
            Ok(Polled::Record(message)) => {
                let (partition, offset) = (message.partition(), message.offset());
                let known = shared.progress(log).next_of(partition);
                // After a seek a record may come twice.
                if offset >= known {
                    take_in(fold, &message);
                    shared.progress(log).advance(partition, offset + 1);
                    client.patience = STALLED;
                }
            }
            Ok(Polled::End(partition)) => {
                if let Some(end) = awaited.read_to_end(partition) {
                    shared.progress(log).advance(partition, end);
                }
            }
        }
    }
}

/// End offsets that somebody waits for, by partition.
#[derive(Default)]
struct Awaited {
    /// Those to which the consumer must be told to read on: an end-of-partition event from before they were looked up would count
    /// too early, and the seek discards it.
    to_seek: Vec<(i32, i64)>,
    /// At the partition's next end-of-partition event all offsets below the end offset count as read: those of transaction markers
    /// too, for which no record comes.
    ends: Vec<(i32, i64)>,
    /// When a seek failed last.
    failed: Option<Instant>,
}

impl Awaited {
    fn add(&mut self, ends: Vec<(i32, i64)>) {
        self.to_seek.retain(|(partition, _)| !ends.iter().any(|(p, _)| p == partition));
        self.to_seek.extend(ends);
    }

    /// Has the consumer read on from where it stands. A seek that fails is made again: without it the end would be believed too
    /// early, and whoever waits would miss records.
    fn seek(&mut self, shared: &Shared, log: Log, consumer: &BaseConsumer<Reads>) {
        if self.to_seek.is_empty() || self.failed.is_some_and(|at| at.elapsed() < SEEK_AGAIN) {
            return;
        }
        let topic = &shared.settings.topic(log).name;
        while let Some((partition, end)) = self.to_seek.pop() {
            let next = {
                let progress = shared.progress(log);
                if !progress.is_awaited(partition) {
                    continue;
                }
                progress.next_of(partition)
            };
            match consumer.seek(topic, partition, Offset::Offset(next), SEEK) {
                Ok(()) => {
                    self.ends.retain(|(p, _)| *p != partition);
                    self.ends.push((partition, end));
                }
                Err(error) => {
                    shared.note(error.to_string());
                    self.failed = Some(Instant::now());
                    // The others come first the next time. Meanwhile what comes of the topic is read: a seek may take seconds.
                    self.to_seek.insert(0, (partition, end));
                    return;
                }
            }
        }
    }

    /// The partition has been read to its end: the offset that counts as read now, if somebody waits for it.
    fn read_to_end(&mut self, partition: i32) -> Option<i64> {
        let found = self.ends.iter().position(|(p, _)| *p == partition)?;
        Some(self.ends.swap_remove(found).1)
    }
}
