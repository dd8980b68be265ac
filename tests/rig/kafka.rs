//! Reads topics with librdkafka's plain consumer.

use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

const PATIENCE: Duration = Duration::from_secs(10);

/// One record of a topic.
#[derive(Debug, Clone)]
pub struct Message {
    /// The partition of the record.
    pub partition: i32,
    /// The offset in that partition.
    pub offset: i64,
    /// The record's time in milliseconds since 1970.
    pub timestamp_ms: Option<i64>,
    /// The bytes of the key.
    pub key: Option<Vec<u8>>,
    /// The bytes of the value; `None` for a tombstone.
    pub value: Option<Vec<u8>>,
    /// The headers in the order in which they were written.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

fn message(m: &BorrowedMessage<'_>) -> Message {
    let headers = m.headers().map(|hs| hs.iter().map(|h| (h.key.to_owned(), h.value.map(<[u8]>::to_vec))).collect());
    Message {
        partition: m.partition(),
        offset: m.offset(),
        timestamp_ms: m.timestamp().to_millis(),
        key: m.key().map(<[u8]>::to_vec),
        value: m.payload().map(<[u8]>::to_vec),
        headers: headers.unwrap_or_default(),
    }
}

/// Reads one partition as records come.
pub struct Tail(BaseConsumer);

impl Tail {
    /// The key of the next record as text; `None` when none comes within `patience`.
    pub fn next_key(&self, patience: Duration) -> Option<String> {
        let message = self.0.poll(patience)?.unwrap();
        Some(String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned())
    }
}

/// A broker, with a consumer that reads from it.
pub struct Kafka {
    address: String,
    reader: BaseConsumer,
}

impl Kafka {
    /// The broker that all tests of this run share.
    pub fn shared() -> Self {
        Self::at(&super::kafka_address())
    }

    /// The broker at `address`.
    pub fn at(address: &str) -> Self {
        let reader = ClientConfig::new()
            .set("bootstrap.servers", address)
            .set("group.id", super::unique("reader"))
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            // Of a partition with an open transaction, librdkafka's default would show the end before it.
            .set("isolation.level", "read_uncommitted")
            .set("fetch.wait.max.ms", "20")
            .set("reconnect.backoff.max.ms", "500")
            .create()
            .unwrap();
        Self { address: address.to_owned(), reader }
    }

    /// Every topic with its number of partitions, sorted by name.
    pub fn topics(&self) -> Vec<(String, i32)> {
        let mut tries = 0;
        let metadata = loop {
            match self.reader.fetch_metadata(None, PATIENCE) {
                Ok(metadata) => break metadata,
                // The broker may be restarting.
                Err(_) if tries < 20 => std::thread::sleep(Duration::from_millis(250)),
                Err(error) => panic!("the broker does not tell its topics: {error}"),
            }
            tries += 1;
        };
        let mut topics: Vec<_> =
            metadata.topics().iter().map(|t| (t.name().to_owned(), t.partitions().len() as i32)).collect();
        topics.sort();
        topics
    }

    fn partitions(&self, topic: &str) -> i32 {
        self.topics().into_iter().find(|(name, _)| name == topic).map_or(0, |(_, n)| n)
    }

    /// The offset after the last record of a partition; 0 while the partition has no leader.
    pub fn end(&self, topic: &str, partition: i32) -> i64 {
        for _ in 0..20 {
            if let Ok((_, high)) = self.reader.fetch_watermarks(topic, partition, PATIENCE) {
                return high;
            }
            std::thread::sleep(Duration::from_millis(250));
        }
        0
    }

    /// The sum of the end offsets of all partitions of these topics.
    pub fn count(&self, topics: &[(String, i32)]) -> i64 {
        topics.iter().map(|(topic, n)| (0..*n).map(|p| self.end(topic, p)).sum::<i64>()).sum()
    }

    /// The sum of the end offsets of a topic's partitions; 0 when the topic does not exist.
    pub fn length(&self, topic: &str) -> i64 {
        (0..self.partitions(topic)).map(|p| self.end(topic, p)).sum()
    }

    /// All records of a topic up to its present end, by partition, then by offset.
    pub fn consume(&self, topic: &str) -> Vec<Message> {
        (0..self.partitions(topic)).flat_map(|p| self.consume_partition(topic, p)).collect()
    }

    /// All records of one partition up to its present end.
    #[track_caller]
    pub fn consume_partition(&self, topic: &str, partition: i32) -> Vec<Message> {
        let end = self.end(topic, partition);
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
        self.reader.assign(&list).unwrap();
        let (mut messages, mut next, mut since) = (Vec::new(), 0, Instant::now());
        while next < end {
            match self.reader.poll(Duration::from_millis(200)) {
                Some(Ok(m)) => {
                    since = Instant::now();
                    next = m.offset() + 1;
                    messages.push(message(&m));
                }
                // At the end of a compacted partition, or at transaction markers, there are offsets without a record.
                _ => assert!(
                    since.elapsed() < PATIENCE,
                    "{topic}/{partition}: no record for {PATIENCE:?}, {next} of {end} read"
                ),
            }
        }
        self.reader.unassign().unwrap();
        messages
    }

    /// The records of a topic with one partition that are committed, for a consumer with `read_committed`: those of
    /// transactions that were aborted, and those behind one that is open, are not among them.
    #[track_caller]
    pub fn consume_committed(&self, topic: &str) -> Vec<Message> {
        let reader: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.address)
            .set("group.id", super::unique("committed"))
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("isolation.level", "read_committed")
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", "20")
            .create()
            .unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
        reader.assign(&list).unwrap();
        let (mut messages, mut since) = (Vec::new(), Instant::now());
        loop {
            match reader.poll(Duration::from_millis(200)) {
                Some(Ok(m)) => {
                    since = Instant::now();
                    messages.push(message(&m));
                }
                Some(Err(KafkaError::PartitionEOF(_))) => return messages,
                _ => assert!(since.elapsed() < PATIENCE, "{topic}: no record and no end for {PATIENCE:?}"),
            }
        }
    }

    /// A reader of the records that come to partition 0 of a topic from now on.
    pub fn tail(&self, topic: &str) -> Tail {
        let reader: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.address)
            .set("group.id", super::unique("tail"))
            .set("enable.auto.commit", "false")
            .set("fetch.wait.max.ms", "500")
            .create()
            .unwrap();
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, 0, Offset::Offset(self.end(topic, 0))).unwrap();
        reader.assign(&list).unwrap();
        Tail(reader)
    }

    /// Writes one record to a topic.
    pub fn produce(&self, topic: &str, key: Option<&str>, value: Option<&str>) {
        let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", &self.address).create().unwrap();
        let mut record = BaseRecord::<str, str>::to(topic);
        if let Some(key) = key {
            record = record.key(key);
        }
        if let Some(value) = value {
            record = record.payload(value);
        }
        producer.send(record).map_err(|(e, _)| e).unwrap();
        producer.flush(PATIENCE).unwrap();
    }

    /// Deletes a topic, and waits until it is gone.
    pub fn delete_topic(&self, name: &str) {
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", &self.address).create().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for gone in runtime.block_on(admin.delete_topics(&[name], &AdminOptions::new())).unwrap() {
            gone.unwrap();
        }
        super::wait_until("the topic is gone", PATIENCE, || self.topics().iter().all(|(topic, _)| topic != name));
    }

    /// Creates topics with one partition.
    pub fn create_topics(&self, names: &[String]) {
        let admin: AdminClient<DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", &self.address).create().unwrap();
        let topics: Vec<NewTopic<'_>> = names.iter().map(|n| NewTopic::new(n, 1, TopicReplication::Fixed(1))).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for made in runtime.block_on(admin.create_topics(&topics, &AdminOptions::new())).unwrap() {
            made.unwrap();
        }
    }

    /// Creates a topic with one partition and these settings.
    pub fn create_topic(&self, name: &str, settings: &[(&str, &str)]) {
        let topic = NewTopic::new(name, 1, TopicReplication::Fixed(1));
        let topic = settings.iter().fold(topic, |topic, (key, value)| topic.set(key, value));
        let (admin, runtime) = self.admin();
        for made in runtime.block_on(admin.create_topics([&topic], &AdminOptions::new())).unwrap() {
            made.unwrap();
        }
    }

    /// Gives a topic this setting and no other; the broker takes note of it a moment later.
    pub fn alter_topic(&self, name: &str, key: &str, value: &str) {
        let altered = AlterConfig::new(ResourceSpecifier::Topic(name)).set(key, value);
        let (admin, runtime) = self.admin();
        for altered in runtime.block_on(admin.alter_configs([&altered], &AdminOptions::new())).unwrap() {
            altered.unwrap();
        }
    }

    fn admin(&self) -> (AdminClient<DefaultClientContext>, tokio::runtime::Runtime) {
        let admin = ClientConfig::new().set("bootstrap.servers", &self.address).create().unwrap();
        (admin, tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap())
    }
}
