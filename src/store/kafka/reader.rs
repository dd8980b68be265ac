//! Reading one topic: from its beginning to its end, then on for ever.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::{Entry, Fold, Log, Shared, StoreError, Waiter, client_error, code_of, suffix, topics};

/// How long nothing may come of a partition that a writer waits for, before the consumer begins anew. Long, because nothing
/// comes from a broker that is away either, and then librdkafka's own reconnecting is enough.
const STALLED: Duration = Duration::from_secs(15);

/// The context of the internal topics' consumers. librdkafka reconnects by itself, so its errors are only noted.
struct Reads(Arc<Shared>);

impl ClientContext for Reads {
    fn error(&self, error: KafkaError, reason: &str) {
        if code_of(&error) != RDKafkaErrorCode::PartitionEOF {
            self.0.note(format!("{error}: {reason}"));
        }
    }
}

impl ConsumerContext for Reads {}

fn consumer(
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
        .set("isolation.level", if committed { "read_committed" } else { "read_uncommitted" })
        .set("fetch.wait.max.ms", wait_ms.to_string())
        .set("fetch.error.backoff.ms", "100")
        .set("queued.max.messages.kbytes", "8192");
    config.create_with_context(Reads(Arc::clone(shared))).map_err(client_error)
}

/// One topic's thread. Sends to `ready` when the topic has been read to its end, or why it cannot be read.
pub(super) fn run(shared: &Arc<Shared>, log: Log, fold: &mut Fold, ready: &mpsc::Sender<Result<(), StoreError>>) {
    let committed = shared.settings.read_committed && log != Log::Statuses;
    let open = |wait_ms| consumer(shared, suffix(log), committed, wait_ms);
    let opened = open(5).and_then(|first| load(shared, log, &first, fold).map(|()| first));
    let (first, second) = match opened.and_then(|first| Ok((first, open(500)?))) {
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
    match assign(shared, log, &second).and_then(|()| first.unassign().map_err(client_error)) {
        Ok(()) => follow(shared, log, &second, &first, fold),
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

fn load(shared: &Arc<Shared>, log: Log, consumer: &BaseConsumer<Reads>, fold: &mut Fold) -> Result<(), StoreError> {
    let topic = &shared.settings.topic(log).name;
    let partitions = topics::partitions_or_create(shared, log, consumer)?;
    if log == Log::Configs && partitions > 1 {
        return Err(StoreError::ManyPartitions { topic: topic.clone(), partitions });
    }
    shared.progress(log).next = vec![0; partitions];
    assign(shared, log, consumer)?;
    let mut is_at_end = vec![false; partitions];
    while is_at_end.contains(&false) {
        match next(shared, consumer)? {
            Polled::Record(message) => {
                take_in(fold, &message);
                shared.progress(log).advance(message.partition(), message.offset() + 1);
            }
            Polled::End(partition) => {
                if let Some(is_at_end) = is_at_end.get_mut(partition as usize) {
                    *is_at_end = true;
                }
            }
            Polled::Nothing => {}
        }
    }
    Ok(())
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
fn follow(
    shared: &Arc<Shared>,
    log: Log,
    consumer: &BaseConsumer<Reads>,
    asking: &BaseConsumer<Reads>,
    fold: &mut Fold,
) {
    // End offsets that somebody waits for, by partition. At the partition's next end-of-partition event all offsets below
    // that end offset count as read: those of transaction markers too, for which no record comes.
    let mut ends: Vec<(i32, i64)> = Vec::new();
    let (mut looked, mut renewed) = (Instant::now(), Instant::now());
    loop {
        let requests = std::mem::take(&mut shared.progress(log).requests);
        if !requests.is_empty() {
            match end_offsets(shared, log, asking) {
                Ok(until) => {
                    let mut progress = shared.progress(log);
                    for done in requests {
                        progress.wait(Waiter::new(until.clone(), done));
                    }
                    let behind: Vec<(i32, i64, i64)> = until
                        .into_iter()
                        .filter_map(|(p, end)| {
                            let next = progress.next.get(p as usize).copied().unwrap_or(0);
                            (next < end).then_some((p, next, end))
                        })
                        .collect();
                    drop(progress);
                    for (partition, next, end) in behind {
                        // The seek discards an end-of-partition event from before the end offset was looked up, which would count
                        // too early.
                        let topic = &shared.settings.topic(log).name;
                        if let Err(error) =
                            consumer.seek(topic, partition, Offset::Offset(next), Duration::from_secs(5))
                        {
                            shared.note(error.to_string());
                        }
                        ends.retain(|(p, _)| *p != partition);
                        ends.push((partition, end));
                    }
                }
                Err(error) => {
                    for done in requests {
                        // Whoever asked may have stopped waiting.
                        let _ = done.send(Err(error.clone()));
                    }
                }
            }
        }
        // In every round, because one partition may hang while others bring records all the time.
        let now = Instant::now();
        if now.duration_since(looked) >= Duration::from_secs(1) {
            looked = now;
            if now.duration_since(renewed) >= STALLED && shared.progress(log).stands_for(now) >= STALLED {
                renew(shared, log, consumer);
                renewed = now;
            }
        }
        match next(shared, consumer) {
            Err(_) => return,
            Ok(Polled::Nothing) => {
                // This consumer has no partition any more: the poll only serves its log lines and errors.
                drop(asking.poll(Duration::ZERO));
            }
            Ok(Polled::Record(message)) => {
                let (partition, offset) = (message.partition(), message.offset());
                let known = shared.progress(log).next.get(partition as usize).copied().unwrap_or(0);
                // After a seek a record may come twice.
                if offset >= known {
                    take_in(fold, &message);
                    shared.progress(log).advance(partition, offset + 1);
                }
            }
            Ok(Polled::End(partition)) => {
                if let Some(i) = ends.iter().position(|(p, _)| *p == partition) {
                    let (_, end) = ends.swap_remove(i);
                    shared.progress(log).advance(partition, end);
                }
            }
        }
    }
}

/// Fetches anew from where the reading stands. If an acknowledged record is not read back, its writer waits for ever and
/// its task shows RUNNING. That happens: a fetch may hang in the client or in a broker that lost and regained the partition.
fn renew(shared: &Shared, log: Log, consumer: &BaseConsumer<Reads>) {
    let topic = &shared.settings.topic(log).name;
    tracing::warn!(
        %topic,
        "records that the broker has acknowledged were not read back for {} s, and writers wait for that: the topic is \
         fetched anew from where it was read; if this goes on, look at the topic's leader",
        STALLED.as_secs()
    );
    if let Err(error) = consumer.unassign().map_err(client_error).and_then(|()| assign(shared, log, consumer)) {
        tracing::error!(%topic, %error, "the internal topic could not be fetched anew");
    }
}

/// The present end offsets of all partitions, in one round trip per broker.
fn end_offsets(shared: &Shared, log: Log, consumer: &BaseConsumer<Reads>) -> Result<Vec<(i32, i64)>, StoreError> {
    let topic = &shared.settings.topic(log).name;
    let failed = |error: KafkaError| StoreError::Broker { topic: topic.clone(), reason: error.to_string() };
    let mut list = TopicPartitionList::new();
    let count = shared.progress(log).next.len() as i32;
    for partition in 0..count {
        // In a query by time, -1 asks for the newest offset (ListOffsets in Kafka's protocol). `Offset::End` is -1, and
        // librdkafka passes it on unchanged.
        list.add_partition_offset(topic, partition, Offset::End).map_err(failed)?;
    }
    let found = consumer.offsets_for_times(list, Duration::from_secs(10)).map_err(failed)?;
    let mut ends = Vec::new();
    for element in found.elements() {
        element.error().map_err(failed)?;
        if let Offset::Offset(end) = element.offset() {
            ends.push((element.partition(), end));
        }
    }
    Ok(ends)
}

/// Reads a schema history from its beginning to its present end; empty when the topic is missing.
pub(super) fn load_history(shared: &Arc<Shared>, topic: &str) -> Result<Vec<Entry>, StoreError> {
    let failed = |error: KafkaError| StoreError::Broker { topic: topic.to_owned(), reason: error.to_string() };
    let consumer = consumer(shared, "history", false, 5)?;
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(30)).map_err(failed)?;
    let partitions = metadata.topics().iter().find(|t| t.name() == topic).map_or(0, |t| t.partitions().len());
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition_offset(topic, partition as i32, Offset::Offset(0)).map_err(failed)?;
    }
    consumer.assign(&list).map_err(failed)?;
    let mut is_at_end = vec![false; partitions];
    let mut entries = Vec::new();
    let mut heard = Instant::now();
    while is_at_end.contains(&false) {
        match next(shared, &consumer)? {
            Polled::Record(message) => {
                entries.push(Entry {
                    key: message.key().unwrap_or_default().to_vec(),
                    value: message.payload().map(<[u8]>::to_vec),
                });
                heard = Instant::now();
            }
            Polled::End(partition) => {
                if let Some(is_at_end) = is_at_end.get_mut(partition as usize) {
                    *is_at_end = true;
                }
            }
            Polled::Nothing if heard.elapsed() > Duration::from_secs(60) => {
                let reason = "nothing was read for 60 s".to_owned();
                return Err(StoreError::Broker { topic: topic.to_owned(), reason });
            }
            Polled::Nothing => {}
        }
    }
    Ok(entries)
}
