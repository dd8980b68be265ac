//! A connector's schema history: found by the connector's own `schema.history.internal.*` keys, and served on a thread.
//!
//! Must not know: what the records mean.

use std::sync::Arc;
use std::time::Duration;

use relational::{History, HistoryError, HistoryRequest, Kept, Loaded, TaskError};
use retry::Outlook;
use settings::Properties;
use tokio::sync::mpsc;

use super::defect;
use super::owner::Fence;
use crate::sink::properties::{self, Client, Mapped};
use crate::store::history::{
    Found, HistoryError as StoreError, HistoryFile, HistoryTopic, HistoryTopicSettings, SchemaHistory,
};

const PREFIX: &str = "schema.history.internal.";
const KAFKA: &str = "io.debezium.storage.kafka.history.KafkaSchemaHistory";
const FILE: &str = "io.debezium.storage.file.history.FileSchemaHistory";
const MEMORY: &str = "io.debezium.relational.history.MemorySchemaHistory";

/// Properties of the producer unless `schema.history.internal.producer.*` says otherwise: Debezium's own. A history is
/// written seldom, and in order.
const PRODUCER: [(&str, &str); 6] = [
    ("enable.idempotence", "false"),
    ("max.in.flight.requests.per.connection", "1"),
    ("batch.size", "32768"),
    ("buffer.memory", "1048576"),
    ("linger.ms", "0"),
    // Java's default. The daemon's own, without end, would leave a task silent whose broker is away.
    ("delivery.timeout.ms", "120000"),
];
/// Properties of the consumer unless `schema.history.internal.consumer.*` says otherwise: Debezium's own.
const CONSUMER: [(&str, &str); 2] = [("session.timeout.ms", "10000"), ("fetch.min.bytes", "1")];

/// Opens the schema history that a connector's properties name. Nothing is connected before the connector asks for it. The
/// history ends when the connector drops its end.
///
/// # Errors
/// What is wrong with the properties, as the failure of the task.
pub fn open(connector: &str, properties: &Properties, fence: Arc<Fence>) -> Result<History, TaskError> {
    let kept = kept(properties).map_err(|Unusable { reason, outlook }| TaskError {
        trace: format!("org.apache.kafka.connect.errors.ConnectException: {reason}"),
        outlook,
    })?;
    let (history, requests) = History::new();
    let name = connector.to_owned();
    std::thread::Builder::new()
        .name("schema-history".to_owned())
        .spawn(move || {
            // After a defect the connector finds its requests unanswered, and the log names the defect.
            if defect::catch(|| serve(kept, requests, &fence)).is_err() {
                tracing::error!(connector = %name, "the thread of the schema history has ended");
            }
        })
        .map_err(|error| TaskError {
            trace: format!("org.apache.kafka.connect.errors.ConnectException: no thread for the history: {error}"),
            // Others may end theirs.
            outlook: Outlook::MayPass,
        })?;
    Ok(history)
}

/// Why there is no history.
struct Unusable {
    reason: String,
    outlook: Outlook,
}

impl From<String> for Unusable {
    fn from(reason: String) -> Self {
        Self { reason, outlook: Outlook::CannotPass }
    }
}

/// Where the history lies.
fn kept(properties: &Properties) -> Result<SchemaHistory, Unusable> {
    let get = |name: &str| properties.get(&format!("{PREFIX}{name}")).map(str::trim).filter(|text| !text.is_empty());
    let required = |name: &str| {
        get(name)
            .map(str::to_owned)
            .ok_or_else(|| format!("{PREFIX}{name} is not set, and the schema history needs it"))
    };
    let number = |name: &str, default: u64| {
        let text = get(name);
        text.map_or(Ok(default), str::parse).map_err(|_| format!("{PREFIX}{name} must be a whole number, 0 or more"))
    };
    match properties.get("schema.history.internal").map_or(KAFKA, str::trim) {
        "" | KAFKA => {}
        FILE => return Ok(SchemaHistory::File(HistoryFile::new(required("file.filename")?))),
        MEMORY => return Ok(SchemaHistory::Memory(Vec::new())),
        other => {
            let reason = format!(
                "schema.history.internal={other} is a Java class that does not run here. Use {KAFKA}, {FILE} or {MEMORY}"
            );
            return Err(reason.into());
        }
    }
    let (topic, servers) = (required("kafka.topic")?, required("kafka.bootstrap.servers")?);
    let interval_ms = number("kafka.recovery.poll.interval.ms", 100)?;
    let attempts = number("kafka.recovery.attempts", 100)?;
    let under = |part: &str| {
        properties
            .under(&format!("{PREFIX}{part}"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect::<properties::Properties>()
    };
    let owned = |pairs: &[(&str, &str)]| -> properties::Properties {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let (of_producer, of_consumer) = (under("producer."), under("consumer."));
    let with_servers = |mut all: properties::Properties, own: &properties::Properties| {
        all.insert("bootstrap.servers".to_owned(), servers.clone());
        all.extend(own.clone());
        all
    };
    let producer = properties::producer(&servers, &owned(&PRODUCER), &of_producer);
    let consumer = properties::internal(Client::Consumer, &with_servers(owned(&CONSUMER), &of_consumer));
    // As in Debezium, the topic is made with the producer's properties.
    let admin = properties::internal(Client::Admin, &with_servers(properties::Properties::new(), &of_producer));
    let prefix = properties.get("topic.prefix").unwrap_or_default().trim();
    Ok(SchemaHistory::Kafka(Box::new(HistoryTopic::new(HistoryTopicSettings {
        topic,
        name: get("name").map_or_else(|| format!("{prefix}-schemahistory"), str::to_owned),
        producer: honoured(producer, "producer")?,
        consumer: honoured(consumer, "consumer")?,
        admin: honoured(admin, "producer")?,
        patience: Duration::from_millis(interval_ms.saturating_mul(attempts.saturating_add(1)).max(1)),
        query_timeout: Duration::from_millis(number("kafka.query.timeout.ms", 3000)?),
        create_timeout: Duration::from_millis(number("kafka.create.timeout.ms", 30_000)?),
    }))))
}

/// The properties in librdkafka's words. Those without an effect are logged.
fn honoured(mapped: Mapped, of: &str) -> Result<std::collections::BTreeMap<String, String>, Unusable> {
    if let Some(refusal) = mapped.refusals.first() {
        let reason = format!("{PREFIX}{of}.{}: {refusal}", refusal.name);
        return Err(Unusable { reason, outlook: refusal.outlook() });
    }
    for (name, warning) in &mapped.warnings {
        tracing::warn!(key = %format!("{PREFIX}{of}.{name}"), "{warning}");
    }
    Ok(mapped.client)
}

/// Serves the requests until the connector has dropped its end. Who has stopped waiting for an answer gets none.
fn serve(mut kept: SchemaHistory, mut requests: mpsc::Receiver<HistoryRequest>, fence: &Fence) {
    while let Some(request) = requests.blocking_recv() {
        match request {
            HistoryRequest::Find(answer) => {
                let found = kept.find().map(|found| match found {
                    Found::Missing => Kept::Missing,
                    Found::Empty => Kept::Empty,
                    Found::Records => Kept::Records,
                });
                let _ = answer.send(found.map_err(told));
            }
            HistoryRequest::Create(answer) => {
                let made = owned(fence).and_then(|()| kept.create().map_err(told));
                let _ = answer.send(made);
            }
            HistoryRequest::Load(give) => {
                let read = kept.load(&mut |record| give.blocking_send(Loaded::Record(record)).is_ok());
                let _ = give.blocking_send(read.map_or_else(|error| Loaded::Failed(told(error)), |()| Loaded::End));
            }
            HistoryRequest::Append(records, answer) => {
                let goes_on = || !answer.is_closed() && fence.is_open();
                let written = owned(fence).and_then(|()| kept.append(records, &goes_on).map_err(told));
                let _ = answer.send(written);
            }
        }
    }
}

/// Only the owner of the group writes: another process would have gone on from here.
fn owned(fence: &Fence) -> Result<(), HistoryError> {
    if fence.is_open() {
        return Ok(());
    }
    let reason = "this process does not own its group (any more): the schema history may not be written".to_owned();
    Err(HistoryError { reason, is_transient: false })
}

#[allow(clippy::needless_pass_by_value)] // errors are handed over by `map_err`
fn told(error: StoreError) -> HistoryError {
    HistoryError { reason: error.to_string(), is_transient: error.is_transient() }
}

#[cfg(test)]
#[allow(clippy::expect_used, clippy::unwrap_used)] // tests
mod tests {
    use super::*;

    async fn records(history: &History) -> Vec<String> {
        let (mut loading, mut all) = (history.load().await.expect("begun"), Vec::new());
        while let Some(record) = loading.next().await.expect("read") {
            all.push(record);
        }
        all
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_and_memory_keep_what_was_acknowledged() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history.dat").display().to_string();
        // More records than wait for the connector at once.
        let all: Vec<String> = (0..200).map(|number| format!("{{\"n\":{number}}}")).collect();
        for (class, begin) in [(FILE, Kept::Missing), (MEMORY, Kept::Empty)] {
            let properties: Properties =
                [("schema.history.internal", class), ("schema.history.internal.file.filename", &path)]
                    .into_iter()
                    .collect();
            let history = open("c", &properties, Arc::new(Fence::unguarded())).expect("opened");
            assert_eq!(history.find().await, Ok(begin), "{class}");
            history.create().await.expect("made");
            history.append(all[..50].to_vec()).await.expect("written");
            history.append(all[50..].to_vec()).await.expect("written");
            assert_eq!((history.find().await, records(&history).await), (Ok(Kept::Records), all.clone()), "{class}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn only_the_owner_writes() {
        let fence = Arc::new(Fence::unguarded());
        let properties = [("schema.history.internal", MEMORY)].into_iter().collect();
        let history = open("c", &properties, Arc::clone(&fence)).expect("opened");
        fence.close();
        let refused = history.append(vec!["{}".to_owned()]).await.expect_err("refused");
        assert!(refused.reason.contains("does not own its group") && !refused.is_transient, "{refused}");
        assert_eq!(records(&history).await, Vec::<String>::new());
    }

    #[test]
    fn what_is_refused() {
        #[track_caller]
        fn check(pairs: &[(&str, &str)], word: &str) {
            let properties: Properties = pairs.iter().copied().collect();
            let Unusable { reason, outlook } = kept(&properties).err().expect("refused");
            assert!(reason.contains(word), "{reason}");
            // A file that is not there may be in the middle of its renewal.
            let expect = if word.contains("cannot be read") { Outlook::Unknown } else { Outlook::CannotPass };
            assert_eq!(outlook, expect, "{reason}");
        }
        const TOPIC: (&str, &str) = ("schema.history.internal.kafka.topic", "t");
        const SERVERS: (&str, &str) = ("schema.history.internal.kafka.bootstrap.servers", "h:1");
        check(&[], "schema.history.internal.kafka.topic is not set");
        check(&[TOPIC], "schema.history.internal.kafka.bootstrap.servers is not set");
        check(&[("schema.history.internal", FILE)], "schema.history.internal.file.filename is not set");
        check(&[("schema.history.internal", "com.example.History")], "com.example.History is a Java class");
        check(
            &[TOPIC, SERVERS, ("schema.history.internal.kafka.recovery.attempts", "-1")],
            "recovery.attempts must be a whole number",
        );
        check(
            &[TOPIC, SERVERS, ("schema.history.internal.producer.acks", "2")],
            "schema.history.internal.producer.acks: Kafka client property acks cannot be honoured",
        );
        let store = [
            ("schema.history.internal.producer.security.protocol", "SSL"),
            ("schema.history.internal.producer.ssl.truststore.location", "/nowhere/ca.pem"),
        ];
        check(&[TOPIC, SERVERS, store[0], store[1]], "/nowhere/ca.pem cannot be read");
    }
}
