//! Schema histories in topics of a real broker.
//!
//! Run by `make test`, which starts a broker and names it in `AFTERIMAGE_TEST_KAFKA`.

#![allow(clippy::expect_used, missing_docs)] // tests

use std::sync::Arc;
use std::time::{Duration, Instant};

use afterimage::runtime::history;
use afterimage::runtime::owner::Fence;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use relational::{History, Kept};
use settings::Properties;

fn servers() -> String {
    std::env::var("AFTERIMAGE_TEST_KAFKA")
        .expect("AFTERIMAGE_TEST_KAFKA must name a Kafka broker (host:port); make test starts one")
}

fn admin() -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", servers()).create().expect("an admin client")
}

/// A topic's name that is used once. The topic is deleted at the end.
struct Topic(String);

impl Topic {
    fn new(test: &str) -> Self {
        Self(format!("test-history-{test}-{}", uuid::Uuid::new_v4().simple()))
    }

    fn open(&self, more: &[(&str, &str)]) -> History {
        let servers = servers();
        let own = [
            ("topic.prefix", "p"),
            ("schema.history.internal.kafka.topic", self.0.as_str()),
            ("schema.history.internal.kafka.bootstrap.servers", servers.as_str()),
        ];
        let properties: Properties = own.iter().chain(more).copied().collect();
        history::open("c", &properties, Arc::new(Fence::unguarded())).expect("opened")
    }

    async fn create(&self, partitions: i32) {
        let new = NewTopic::new(&self.0, partitions, TopicReplication::Fixed(1));
        admin().create_topics([&new], &AdminOptions::new()).await.expect("an answer").remove(0).expect("created");
    }

    /// The settings of the topic that differ from the broker's, and how many partitions it has.
    async fn described(&self) -> (Vec<String>, usize) {
        let admin = admin();
        let resource = ResourceSpecifier::Topic(&self.0);
        let config = admin.describe_configs([&resource], &AdminOptions::new()).await.expect("an answer").remove(0);
        let config = config.expect("described");
        let value = |name: &str| {
            let value = config.get(name).and_then(|entry| entry.value.clone()).unwrap_or_default();
            format!("{name}={value}")
        };
        let metadata = admin.inner().fetch_metadata(Some(&self.0), Duration::from_secs(30)).expect("metadata");
        let partitions = metadata.topics()[0].partitions().len();
        (["cleanup.policy", "retention.ms", "retention.bytes"].map(value).to_vec(), partitions)
    }

    /// Records as another client finds them: partition, key, value.
    fn raw(&self, count: usize) -> Vec<(i32, Option<Vec<u8>>, String)> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", servers())
            .set("group.id", "raw")
            .create()
            .expect("a consumer");
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.0, 0, Offset::Beginning).expect("a partition");
        consumer.assign(&list).expect("assigned");
        let (mut found, began) = (Vec::new(), Instant::now());
        while found.len() < count && began.elapsed() < Duration::from_secs(30) {
            if let Some(message) = consumer.poll(Duration::from_millis(100)) {
                let message = message.expect("a record");
                let value = String::from_utf8(message.payload().expect("a value").to_vec()).expect("a text");
                found.push((message.partition(), message.key().map(<[u8]>::to_vec), value));
            }
        }
        found
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        let (name, options) = (self.0.clone(), AdminOptions::new());
        let deleted = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            drop(runtime.block_on(admin().delete_topics(&[&name], &options)));
        });
        let _ = deleted.join();
    }
}

async fn records(history: &History) -> Vec<String> {
    let (mut loading, mut all) = (history.load().await.expect("begun"), Vec::new());
    while let Some(record) = loading.next().await.expect("read") {
        all.push(record);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_made_as_debezium_makes_it_and_keeps_what_was_acknowledged() {
    let topic = Topic::new("made");
    let history = topic.open(&[]);
    assert_eq!((history.find().await, records(&history).await), (Ok(Kept::Missing), Vec::new()));
    history.create().await.expect("made");
    history.create().await.expect("it is there");
    let (config, partitions) = topic.described().await;
    let expect = ["cleanup.policy=delete", "retention.ms=9223372036854775807", "retention.bytes=-1"];
    assert_eq!((config, partitions), (expect.map(str::to_owned).to_vec(), 1));
    assert_eq!((history.find().await, records(&history).await), (Ok(Kept::Empty), Vec::new()));
    let all: Vec<String> = (0..3000).map(|number| format!("{{\n  \"ddl\" : \"{number} ü\"\n}}")).collect();
    history.append(all[..1].to_vec()).await.expect("written");
    history.append(all[1..].to_vec()).await.expect("written");
    // Another task, or this one after a restart.
    let again = topic.open(&[]);
    assert_eq!((again.find().await, records(&again).await), (Ok(Kept::Records), all.clone()));
    assert_eq!(topic.raw(2), [(0, None, all[0].clone()), (0, None, all[1].clone())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_left_in_the_topic_does_not_stop_the_reading() {
    let topic = Topic::new("others");
    topic.create(2).await;
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", servers()).create().expect("a producer");
    // A record without a value, one with a key, and one in a partition that is no part of the history.
    let bare = BaseRecord::<(), ()>::to(&topic.0).partition(0);
    producer.send(bare).map_err(|(error, _)| error).expect("sent");
    for (partition, value) in [(0, "{\"a\":1}"), (1, "{\"b\":1}"), (0, "{\"c\":1}")] {
        let record = BaseRecord::to(&topic.0).partition(partition).key("k").payload(value);
        producer.send(record).map_err(|(error, _)| error).expect("sent");
    }
    producer.flush(Duration::from_secs(30)).expect("flushed");
    assert_eq!(records(&topic.open(&[])).await, ["{\"a\":1}", "{\"c\":1}"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_larger_than_what_may_wait_is_read_at_the_pace_of_its_reader() {
    let topic = Topic::new("large");
    let history = topic.open(&[]);
    history.create().await.expect("made");
    // 24 MB, which is more than the consumer holds at once.
    let large = "x".repeat(200_000);
    for _ in 0..12 {
        history.append(vec![large.clone(); 10]).await.expect("written");
    }
    let mut loading = history.load().await.expect("begun");
    let mut count = 0;
    while let Some(record) = loading.next().await.expect("read") {
        assert_eq!(record.len(), large.len());
        count += 1;
        if count % 40 == 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    assert_eq!(count, 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_is_away_is_an_error_that_may_pass() {
    let topic = Topic::new("away");
    let history = topic.open(&[
        ("schema.history.internal.kafka.bootstrap.servers", "127.0.0.1:1"),
        ("schema.history.internal.producer.delivery.timeout.ms", "1000"),
    ]);
    let error = history.append(vec!["{}".to_owned()]).await.expect_err("nobody is there");
    assert!(error.is_transient && error.reason.contains(&topic.0), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_the_broker_refuses_is_an_error_that_stays() {
    let topic = Topic::new("refused");
    let history = topic.open(&[]);
    history.create().await.expect("made");
    let error = history.append(vec!["x".repeat(2_000_000)]).await.expect_err("it is larger than max.request.size");
    assert!(!error.is_transient, "{error}");
    // The history goes on.
    history.append(vec!["{}".to_owned()]).await.expect("written");
    assert_eq!(records(&history).await, ["{}"]);
}
