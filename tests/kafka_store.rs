//! Tests of the store, the sink and the group's owner with a real broker.
//!
//! Run by `make test`, which starts a broker and names it in `AFTERIMAGE_TEST_KAFKA`.

#![allow(clippy::expect_used)] // tests

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use afterimage::runtime::owner::{self, Owner, Ownership};
use afterimage::sink::properties::{self, Client, Properties};
use afterimage::sink::topics::{Ensured, TopicCreation, Topics};
use afterimage::sink::{self, EncodedHeaders, Outgoing, ProducerSettings, Sink, SinkError};
use afterimage::store::{
    Configs, Kafka, KafkaSettings, Object, Offsets, Status, Statuses, Store, StoreError, TargetState, TopicSettings,
    TopicStatus, partition_of,
};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use serde_json::json;

/// A record that was read: partition, key, value, headers as text.
type Read = (i32, Option<Vec<u8>>, Option<Vec<u8>>, String);

/// Topics and a group of one test. The topics are deleted at the end.
struct Bed {
    servers: String,
    prefix: String,
    made: Mutex<Vec<String>>,
}

fn bed(test: &str) -> Bed {
    let servers = std::env::var("AFTERIMAGE_TEST_KAFKA")
        .expect("AFTERIMAGE_TEST_KAFKA must name a Kafka broker (host:port); make test starts one");
    let prefix = format!("test-{test}-{}-", uuid::Uuid::new_v4().simple());
    Bed { servers, prefix, made: Mutex::default() }
}

impl Bed {
    fn name(&self, name: &str) -> String {
        let name = format!("{}{name}", self.prefix);
        self.made.lock().expect("names").push(name.clone());
        name
    }

    fn client(&self) -> BTreeMap<String, String> {
        let worker = Properties::from([("bootstrap.servers".to_owned(), self.servers.clone())]);
        properties::internal(Client::Admin, &worker).client
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", &self.servers).create().expect("an admin client")
    }

    fn create(&self, name: &str, partitions: i32, policy: &str) {
        let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1)).set("cleanup.policy", policy);
        let created = block_on(self.admin().create_topics([&topic], &AdminOptions::new())).expect("an answer");
        created.into_iter().next().expect("one").expect("created");
    }

    fn store(&self) -> KafkaSettings {
        let topic = |name: &str, partitions| TopicSettings {
            name: self.name(name),
            partitions,
            replication_factor: 1,
            config: BTreeMap::new(),
        };
        KafkaSettings {
            client: self.client(),
            group_id: format!("{}group", self.prefix),
            client_id: "test".to_owned(),
            configs: topic("configs", 1),
            offsets: topic("offsets", 25),
            statuses: topic("status", 5),
            leader_id: None,
            read_committed: false,
        }
    }

    fn sink(&self, connector: &[(&str, &str)], delivery: Box<sink::Delivery>) -> Arc<dyn Sink> {
        let connector = connector.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let properties = properties::producer(&self.servers, &Properties::new(), &connector);
        let may_produce = Box::new(|| true);
        let settings = ProducerSettings { client_id: "test".to_owned(), properties, may_produce };
        sink::open(settings, delivery).expect("a sink")
    }

    /// Reads `count` records of a topic.
    fn read(&self, topic: &str, count: usize) -> Vec<Read> {
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &self.servers)
            .set("group.id", format!("{}reader", self.prefix))
            .set("enable.auto.commit", "false")
            .create()
            .expect("a consumer");
        let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(10)).expect("metadata");
        let mut list = TopicPartitionList::new();
        for partition in metadata.topics()[0].partitions() {
            list.add_partition_offset(topic, partition.id(), Offset::Beginning).expect("added");
        }
        consumer.assign(&list).expect("assigned");
        let (mut read, begin) = (Vec::new(), Instant::now());
        while read.len() < count && begin.elapsed() < Duration::from_secs(20) {
            let Some(message) = consumer.poll(Duration::from_millis(100)) else { continue };
            let message = message.expect("a record");
            let header = |h: rdkafka::message::Header<'_, &[u8]>| {
                format!("{}={:?}", h.key, h.value.map(String::from_utf8_lossy))
            };
            let headers: Vec<_> = message.headers().into_iter().flat_map(Headers::iter).map(header).collect();
            let bytes = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
            read.push((message.partition(), bytes(message.key()), bytes(message.payload()), headers.join(",")));
        }
        assert_eq!(read.len(), count, "records in {topic}");
        read
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let made = std::mem::take(&mut *self.made.lock().expect("names"));
        let names: Vec<&str> = made.iter().map(String::as_str).collect();
        if !names.is_empty() {
            // Topics that were never created cannot be deleted.
            let _ = block_on(self.admin().delete_topics(&names, &AdminOptions::new()));
        }
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn object(value: &serde_json::Value) -> Object {
    value.as_object().expect("an object").clone()
}

struct Opened {
    store: Arc<dyn Store>,
    configs: Configs,
    offsets: Offsets,
    statuses: Statuses,
}

fn open(settings: &KafkaSettings) -> Opened {
    let store: Arc<dyn Store> = Arc::new(Kafka::new(settings.clone()).expect("settings"));
    let (configs, offsets, statuses) =
        (Configs::new(Arc::clone(&store)), Offsets::new(Arc::clone(&store)), Statuses::new(Arc::clone(&store)));
    store.start().expect("it starts");
    store.checked().wait().expect("fit topics");
    Opened { store, configs, offsets, statuses }
}

#[test]
fn what_is_written_is_read_back_and_found_again() {
    let bed = bed("store");
    let settings = bed.store();
    let first = open(&settings);
    let second = open(&settings);
    let config = object(&json!({"z": "1", "a": "ä"}));
    let server = object(&json!({"server": "p"}));
    let offset = object(&json!({"lsn": 9_223_372_036_854_775_807_i64, "x": null}));
    let running = Status {
        state: "RUNNING".to_owned(),
        trace: None,
        worker_id: "me:8083".to_owned(),
        generation: 3,
        version: Some("3.6.1.Final".to_owned()),
    };
    block_on(async {
        first.configs.put_connector("a-b", &config, Some(TargetState::Stopped)).await.expect("written");
        first.configs.put_task_configs("a-b", &[config.clone(), config.clone()]).await.expect("written");
        first.configs.put_connector("gone", &config, None).await.expect("written");
        first.configs.remove_connector("gone").await.expect("written");
    });
    first.offsets.write("a-b", [(&server, Some(&offset))]).wait().expect("written");
    first.statuses.put_connector("a-b", &running).wait().expect("written");
    first.statuses.put_task("a-b", 0, &running).wait().expect("written");
    let (name, connector) = ("t:1".replace(':', "."), "a-b".to_owned());
    let topic = TopicStatus { name, connector, task: 0, discovered_ms: 1_700_000_000_000 };
    first.statuses.put_topic(&topic).wait().expect("written");

    // A store that was open all the time must see the same as one that is opened now.
    block_on(async {
        second.configs.refresh().await.expect("read");
        second.offsets.refresh().await.expect("read");
    });
    second.store.read_to_end(afterimage::store::Log::Statuses).wait().expect("read");
    first.store.close();
    for opened in [second, open(&settings)] {
        opened.configs.read(|view| {
            assert_eq!(view.connectors.keys().collect::<Vec<_>>(), ["a-b"]);
            assert_eq!(view.connectors["a-b"], config);
            assert_eq!(view.target("a-b"), TargetState::Stopped);
            assert_eq!(view.tasks("a-b").map(|t| (t.configs.len(), t.is_inconsistent)), Some((2, false)));
        });
        assert_eq!(opened.offsets.get("a-b", &server), Some(offset.clone()));
        opened.statuses.read(|view| {
            assert_eq!(view.connector("a-b"), Some(&running));
            assert_eq!(view.task("a-b", 0), Some(&running));
            assert_eq!(view.topics("a-b").collect::<Vec<_>>(), [&topic]);
        });
        opened.store.close();
    }

    // The topics hold the same bytes as Java writes, in the same partitions.
    let keys: Vec<String> = bed.read(&settings.configs.name, 7).into_iter().map(|r| text(r.1)).collect();
    let expect = ["target-state-a-b", "connector-a-b", "task-a-b-0", "task-a-b-1", "commit-a-b"];
    assert_eq!(keys[..5], expect);
    let offsets = bed.read(&settings.offsets.name, 1).remove(0);
    assert_eq!(text(offsets.1.clone()), r#"["a-b",{"server":"p"}]"#);
    assert_eq!(text(offsets.2), r#"{"lsn":9223372036854775807,"x":null}"#);
    assert_eq!(offsets.0 as u32, partition_of(&offsets.1.expect("a key"), 25));
}

fn text(bytes: Option<Vec<u8>>) -> String {
    String::from_utf8(bytes.expect("bytes")).expect("UTF-8")
}

#[test]
fn partitions_are_murmur2s() {
    let bed = bed("murmur2");
    let topic = bed.name("keys");
    bed.create(&topic, 25, "delete");
    let sink = bed.sink(&[], Box::new(|_, result| result.expect("delivered")));
    // Keys and their partitions of 25, from Kafka's Java client.
    let javas = include_str!("data/state/murmur2.txt");
    let keys: BTreeMap<Vec<u8>, i32> = javas.lines().filter(|line| !line.starts_with('#')).map(of_java).collect();
    assert!(keys.len() >= 1000 && keys.contains_key(&Vec::new()));
    for (key, seq) in keys.keys().zip(0..) {
        let key = Some(key.as_slice());
        let none =
            Outgoing { topic: &topic, partition: None, timestamp_ms: None, key, value: None, headers: None, seq };
        sink.send(none).expect("sent");
    }
    assert!(sink.flush(Duration::from_secs(20)));
    for (partition, key, _, _) in bed.read(&topic, keys.len()) {
        let key = key.expect("a key");
        assert_eq!(partition, keys[&key], "{key:?}");
    }
}

/// A line of the list: the key in hex, its hash, its partition of 25, its partition of 5.
fn of_java(line: &str) -> (Vec<u8>, i32) {
    let mut parts = line.split(' ');
    let hex = parts.next().expect("a key");
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    let key = (0..hex.len()).step_by(2).map(byte).collect();
    (key, parts.nth(1).expect("a partition").parse().expect("a number"))
}

#[test]
fn unfit_topics_are_refused() {
    let bed = bed("unfit");
    let settings = bed.store();
    bed.create(&settings.configs.name, 1, "delete");
    let store = Kafka::new(settings.clone()).expect("settings");
    store.start().expect("it reads");
    let error = store.checked().wait().expect_err("refused");
    assert!(matches!(error, StoreError::NotCompacted { .. }), "{error}");
    assert!(error.to_string().contains("supplied via the 'config.storage.topic' property is required"), "{error}");
    store.close();

    let mut settings = settings;
    settings.configs.name = bed.name("wide");
    bed.create(&settings.configs.name, 2, "compact");
    let error = Kafka::new(settings.clone()).expect("settings").start().expect_err("refused");
    assert!(error.to_string().contains("but found 2 partitions."), "{error}");

    settings.statuses.name = settings.offsets.name.clone();
    assert!(matches!(Kafka::new(settings).err(), Some(StoreError::SharedTopic { .. })));
}

#[test]
fn a_sink_delivers_and_blocks_instead_of_losing() {
    const COUNT: u64 = 50_000;
    let bed = bed("sink");
    let topic = bed.name("data");
    let sum = Arc::new(AtomicU64::new(0));
    let delivery = {
        let sum = Arc::clone(&sum);
        move |seq, result: Result<(), sink::Undelivered<'_>>| {
            result.expect("delivered");
            sum.fetch_add(seq, Ordering::Relaxed);
        }
    };
    // A queue of 64 KiB is full after some hundred records.
    let sink = bed.sink(&[("buffer.memory", "65536")], Box::new(delivery));
    let headers = EncodedHeaders::default().with("__op", Some(b"c")).with("none", None);
    for seq in 1..=COUNT {
        let (key, value) = (seq.to_string(), [b'v'; 200]);
        let (key, value, headers) = (Some(key.as_bytes()), Some(&value[..]), Some(&headers));
        let out = Outgoing { topic: &topic, partition: None, timestamp_ms: Some(1), key, value, headers, seq };
        sink.send(out).expect("sent");
    }
    assert!(sink.flush(Duration::from_secs(30)));
    assert_eq!(sum.load(Ordering::Relaxed), COUNT * (COUNT + 1) / 2);
    assert_eq!(sink.in_flight(), 0);
    assert_eq!(bed.read(&topic, 1)[0].3, "__op=Some(\"c\"),none=None");
    sink.stop(true);
    let late =
        Outgoing { topic: &topic, partition: None, timestamp_ms: None, key: None, value: None, headers: None, seq: 0 };
    assert!(matches!(sink.send(late), Err(SinkError::Stopped)));
}

/// A broker refuses a record without a key on a compacted topic. The record comes back complete, except for its time.
#[test]
fn a_refused_record_comes_back_whole() {
    let bed = bed("whole");
    let topic = bed.name("data");
    bed.create(&topic, 1, "compact");
    let (tell, told) = std::sync::mpsc::channel();
    let delivery = move |seq, result: Result<(), sink::Undelivered<'_>>| {
        let shown = result.map_err(|undelivered| {
            let record = undelivered.record;
            let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let headers = record.headers.expect("headers").iter().map(|(name, value)| (name.to_owned(), text(value)));
            let (key, value) = (text(record.key), text(record.value));
            let whole = (record.topic.to_owned(), record.timestamp_ms, key, value, headers.collect::<Vec<_>>());
            (undelivered.error.is_of_the_record(), whole)
        });
        tell.send((seq, shown)).expect("the test listens");
    };
    let sink = bed.sink(&[], Box::new(delivery));
    let headers = EncodedHeaders::default().with("__op", Some(b"c")).with("none", None);
    let (value, headers) = (Some(b"v".as_slice()), Some(&headers));
    let out = Outgoing { topic: &topic, partition: None, timestamp_ms: Some(5), key: None, value, headers, seq: 7 };
    sink.send(out).expect("taken");
    let (seq, shown) = told.recv_timeout(Duration::from_secs(20)).expect("an answer");
    let headers = vec![("__op".to_owned(), Some("c".to_owned())), ("none".to_owned(), None)];
    // librdkafka does not keep the time of a record that the broker refused.
    let whole = (topic.clone(), None, None, Some("v".to_owned()), headers);
    assert_eq!((seq, shown), (7, Err((true, whole))));
    assert!(!sink.is_transactional() && matches!(sink.begin(), Err(SinkError::NoTransactions)));
}

#[test]
fn a_record_that_waited_leaves_with_the_last_delivery() {
    let bed = bed("waited");
    let topic = bed.name("data");
    bed.create(&topic, 1, "delete");
    let sink = bed.sink(&[], Box::new(|_, result| result.expect("delivered")));
    let send = |seq| {
        let value = Some(b"v".as_slice());
        let record =
            Outgoing { topic: &topic, partition: None, timestamp_ms: None, key: None, value, headers: None, seq };
        sink.send(record).expect("sent");
    };
    // The first record makes the producer fetch metadata and its own id.
    send(0);
    assert!(sink.flush(Duration::from_secs(20)));
    // At some of these distances the second record comes while the first is under way. No later record comes that would
    // push it out.
    let slowest = (1..=30).map(|distance| {
        send(2 * distance);
        std::thread::sleep(Duration::from_micros(100 * distance));
        send(2 * distance + 1);
        let begin = Instant::now();
        assert!(sink.flush(Duration::from_secs(20)));
        begin.elapsed()
    });
    // A busy machine delays a record or two. If records waited for a timer (250 ms), many would be late.
    let late = slowest.filter(|waited| *waited > Duration::from_millis(50)).count();
    assert!(late <= 2, "{late} of 30 records waited for more than 50 ms");
}

#[test]
fn too_large_is_said_as_java_says_it() {
    let bed = bed("large");
    let topic = bed.name("data");
    let sink = bed.sink(&[("max.request.size", "30000")], Box::new(|_, _| ()));
    let value = vec![b'x'; 63_675];
    let (partition, timestamp_ms, key, value) = (None, None, None, Some(&value[..]));
    let error = sink.send(Outgoing { topic: &topic, partition, timestamp_ms, key, value, headers: None, seq: 1 });
    let error = error.expect_err("refused").to_string();
    let expect = "RecordTooLargeException: The message is 63762 bytes when serialized which is larger than 30000, which \
                  is the value of the max.request.size configuration.";
    assert!(error.ends_with(expect), "{error}");
}

#[test]
fn topics_are_made_by_their_group() {
    let bed = bed("topics");
    let topic = bed.name("made");
    let worker = Properties::from([("bootstrap.servers".to_owned(), bed.servers.clone())]);
    let mapped = properties::internal(Client::Admin, &worker);
    let keys = [("topic.creation.default.partitions", "3"), ("topic.creation.default.replication.factor", "-1")];
    let keys: Properties = keys.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let ensure = |creation, topic: &str| {
        let topics = Topics::new("test", &mapped, creation).expect("a client");
        block_on(topics.ensure(topic)).expect("an answer")
    };
    assert_eq!(ensure(TopicCreation::default(), &topic), Ensured::LeftToBroker);
    let creation = TopicCreation::parse(&keys).expect("keys");
    assert_eq!(ensure(creation.clone(), &topic), Ensured::Created);
    assert_eq!(ensure(creation, &topic), Ensured::Present);
    let metadata = bed.admin().inner().fetch_metadata(Some(&topic), Duration::from_secs(10)).expect("metadata");
    assert_eq!(metadata.topics()[0].partitions().len(), 3);
}

/// Waits until the state of `owner` fulfils `is`. Returns how long it took.
#[track_caller]
fn until(owner: &Owner, timeout: Duration, is: impl Fn(&Ownership) -> bool) -> Duration {
    let begin = Instant::now();
    let mut state = owner.state();
    let found = block_on(async {
        tokio::time::timeout(timeout, state.wait_for(|state| is(state))).await.map(|found| found.is_ok())
    });
    assert!(matches!(found, Ok(true)), "after {timeout:?} still {:?}", *owner.state().borrow());
    begin.elapsed()
}

#[test]
fn one_owner_and_a_standby() {
    let bed = bed("owner");
    let topic = bed.name("configs");
    bed.create(&topic, 1, "compact");
    let start = |name: &str| {
        let (client_id, group_id) = (name.to_owned(), format!("{}group", bed.prefix));
        let (session_timeout, heartbeat) = (Duration::from_secs(10), Duration::from_secs(3));
        let settings = owner::GroupSettings {
            url: String::new(),
            client: bed.client(),
            client_id,
            group_id,
            topic: topic.clone(),
            instance_id: name.to_owned(),
            session_timeout,
            heartbeat,
        };
        Owner::start(settings).expect("a thread")
    };
    let mut first = start("first");
    until(&first, Duration::from_secs(15), |state| matches!(state, Ownership::Owner { .. }));
    let mut second = start("second");
    until(&second, Duration::from_secs(10), |state| matches!(state, Ownership::Standby { .. }));
    // The heartbeats of the first owner bring it through the rebalance that the second one causes by joining.
    std::thread::sleep(Duration::from_secs(4));
    let Ownership::Owner { fence, .. } = first.state().borrow().clone() else { panic!("it lost the group") };
    assert!(fence.is_open());
    assert!(matches!(*second.state().borrow(), Ownership::Standby { .. }));
    first.leave();
    assert!(!fence.is_open());
    until(&second, Duration::from_secs(6), |state| matches!(state, Ownership::Owner { .. }));
    second.leave();
}
