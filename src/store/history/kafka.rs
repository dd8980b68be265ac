//! A schema history in a topic of one partition, as Debezium's `KafkaSchemaHistory` keeps it: records without a key, each value
//! a JSON text. The topic may be in another cluster than the records of the connector.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::{Found, HistoryError};
use crate::login::{self, Tokens};

/// The partition that has the history; a topic of several would have no order.
const PARTITION: i32 = 0;
/// How long a broker has to answer a question about the topic.
const ANSWER: Duration = Duration::from_secs(30);
/// How long one poll waits; after it, it is seen whether anybody still waits for the answer.
const POLL: Duration = Duration::from_millis(100);
/// With what a topic is created, and what an existing topic should have: it must keep all records for ever.
const CONFIG: [(&str, &str); 3] =
    [("cleanup.policy", "delete"), ("retention.ms", "9223372036854775807"), ("retention.bytes", "-1")];
/// Debezium accepts this retention of an existing topic too: five years of 365 days.
const LONG_ENOUGH_MS: i64 = 5 * 365 * 24 * 3600 * 1000;

/// The settings of a history in a topic. The clients' properties are librdkafka's, and may hold secrets.
#[derive(Clone)]
pub struct HistoryTopicSettings {
    /// `schema.history.internal.kafka.topic`.
    pub topic: String,
    /// `schema.history.internal.name`: the id of the clients, and the consumer's group.
    pub name: String,
    /// Properties of the producer.
    pub producer: BTreeMap<String, String>,
    /// Properties of the consumer.
    pub consumer: BTreeMap<String, String>,
    /// Properties of the client that creates and describes the topic.
    pub admin: BTreeMap<String, String>,
    /// For how long nothing may come while the history is read, before the reading fails.
    pub patience: Duration,
    /// `schema.history.internal.kafka.query.timeout.ms`.
    pub query_timeout: Duration,
    /// `schema.history.internal.kafka.create.timeout.ms`.
    pub create_timeout: Duration,
}

/// A schema history in a topic.
pub struct HistoryTopic {
    settings: HistoryTopicSettings,
    /// Made at the first append.
    producer: Option<BaseProducer<Acknowledged>>,
}

/// What has become of the records of the append that is under way.
#[derive(Default)]
struct Acks {
    left: usize,
    failed: Option<RDKafkaErrorCode>,
}

/// The producer's context.
#[derive(Clone, Default)]
struct Acknowledged(Arc<Mutex<Acks>>);

impl Acknowledged {
    fn acks(&self) -> MutexGuard<'_, Acks> {
        // No panic can leave two numbers half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Acknowledged {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, login: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        login::token(login)
    }
}

impl ProducerContext for Acknowledged {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let mut acks = self.acks();
        acks.left = acks.left.saturating_sub(1);
        if let Err((error, _)) = result {
            acks.failed.get_or_insert(code_of(error));
        }
    }
}

fn code_of(error: &KafkaError) -> RDKafkaErrorCode {
    error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown)
}

#[allow(clippy::needless_pass_by_value)] // errors are handed over by `map_err`
fn client_error(error: KafkaError) -> HistoryError {
    HistoryError::Client { reason: error.to_string() }
}

/// Whether trying again may help.
fn may_pass(code: RDKafkaErrorCode) -> bool {
    !matches!(
        code,
        RDKafkaErrorCode::TopicAuthorizationFailed
            | RDKafkaErrorCode::ClusterAuthorizationFailed
            | RDKafkaErrorCode::SaslAuthenticationFailed
            | RDKafkaErrorCode::InvalidTopic
            | RDKafkaErrorCode::MessageSizeTooLarge
            | RDKafkaErrorCode::PolicyViolation
    )
}

impl HistoryTopic {
    /// A history in this topic. Nothing is connected yet.
    pub fn new(settings: HistoryTopicSettings) -> Self {
        Self { settings, producer: None }
    }

    fn client(&self, properties: &BTreeMap<String, String>) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (name, value) in properties {
            config.set(name, value);
        }
        config.set("client.id", &self.settings.name).set("allow.auto.create.topics", "false");
        config
    }

    fn consumer(&self) -> Result<BaseConsumer<Tokens>, HistoryError> {
        let mut config = self.client(&self.settings.consumer);
        config
            .set("group.id", &self.settings.name)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            .set("enable.partition.eof", "true")
            .set("fetch.error.backoff.ms", "100")
            // A history may be larger than memory.
            .set("queued.max.messages.kbytes", "2048");
        config.create_with_context(Tokens).map_err(client_error)
    }

    fn failed(&self, what: &'static str, code: RDKafkaErrorCode) -> HistoryError {
        self.broken(what, code.to_string(), may_pass(code))
    }

    fn broken(&self, what: &'static str, reason: String, is_transient: bool) -> HistoryError {
        let settings = &self.settings;
        let trouble = [&settings.producer, &settings.consumer, &settings.admin]
            .iter()
            .find_map(|client| login::trouble(|name| client.get(name).map(String::as_str)));
        let reason = match trouble {
            Some(trouble) => format!("{reason}; there is no token for the login: {trouble}"),
            None => reason,
        };
        HistoryError::Broker { topic: self.settings.topic.clone(), what, reason, is_transient }
    }

    /// Waits on this thread for a call of the admin client, which does its work on a thread of its own.
    fn wait<T>(future: impl Future<Output = T>) -> Result<T, HistoryError> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|error| HistoryError::Client { reason: error.to_string() })?;
        Ok(runtime.block_on(future))
    }

    fn admin(&self) -> Result<AdminClient<Tokens>, HistoryError> {
        self.client(&self.settings.admin).create_with_context(Tokens).map_err(client_error)
    }

    /// How many partitions the topic has; 0 if it is missing.
    fn partitions(&self, consumer: &BaseConsumer<Tokens>) -> Result<usize, HistoryError> {
        let topic = self.settings.topic.as_str();
        let failed = |code| self.failed("found", code);
        let metadata = consumer.fetch_metadata(Some(topic), ANSWER).map_err(|error| failed(code_of(&error)))?;
        let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else { return Ok(0) };
        match found.error().map(RDKafkaErrorCode::from) {
            None => Ok(found.partitions().len()),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Ok(0),
            Some(code) => Err(failed(code)),
        }
    }

    pub(super) fn find(&self) -> Result<Found, HistoryError> {
        let (topic, consumer) = (self.settings.topic.as_str(), self.consumer()?);
        match self.partitions(&consumer)? {
            0 => return Ok(Found::Missing),
            1 => {}
            partitions => {
                tracing::warn!(%topic, partitions, "the topic of the schema history should have one partition: only \
                partition 0 is read and written");
            }
        }
        self.check_settings();
        let ends = consumer.fetch_watermarks(topic, PARTITION, ANSWER);
        let (low, high) = ends.map_err(|error| self.failed("found", code_of(&error)))?;
        if low > 0 {
            tracing::warn!(%topic, deleted = low, "the first records of the schema history were deleted: tables that only they \
                tell of are not known");
        }
        Ok(if high > low { Found::Records } else { Found::Empty })
    }

    /// Warns of a topic that may lose records. Who may not describe the topic is not told.
    fn check_settings(&self) {
        let topic = self.settings.topic.as_str();
        let options = AdminOptions::new().request_timeout(Some(self.settings.query_timeout));
        let Ok(admin) = self.admin() else { return };
        let described = Self::wait(admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options));
        let described = described.ok().and_then(Result::ok).and_then(|mut all| all.pop()).and_then(Result::ok);
        let Some(described) = described else { return };
        for (name, wanted) in CONFIG {
            let found = described.get(name).and_then(|entry| entry.value.clone()).unwrap_or_default();
            let is_fine = match name {
                "retention.ms" => found.parse::<i64>().is_ok_and(|ms| ms == -1 || ms >= LONG_ENOUGH_MS),
                _ => found == wanted,
            };
            if !is_fine {
                tracing::warn!(%topic, "the topic of the schema history has {name}={found} and may lose records, without which the \
                    log cannot be read: set it to {wanted}");
            }
        }
    }

    pub(super) fn create(&self) -> Result<(), HistoryError> {
        let topic = self.settings.topic.as_str();
        if self.partitions(&self.consumer()?)? > 0 {
            return Ok(());
        }
        // -1: as many replicas as the broker's default.replication.factor says.
        let mut new = NewTopic::new(topic, 1, TopicReplication::Fixed(-1));
        for (name, value) in CONFIG {
            new = new.set(name, value);
        }
        let within = Some(self.settings.create_timeout);
        let options = AdminOptions::new().request_timeout(within).operation_timeout(within);
        let failed = |code| self.failed("created", code);
        let created = Self::wait(self.admin()?.create_topics([&new], &options))?;
        match created.map_err(|error| failed(code_of(&error)))?.into_iter().next() {
            Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) | None => Ok(()),
            Some(Err((_, code))) => Err(failed(code)),
            Some(Ok(_)) => {
                tracing::info!(%topic, "created the topic of the schema history");
                Ok(())
            }
        }
    }

    pub(super) fn load(&self, give: &mut dyn FnMut(String) -> bool) -> Result<(), HistoryError> {
        let (topic, consumer) = (self.settings.topic.as_str(), self.consumer()?);
        if self.partitions(&consumer)? == 0 {
            return Ok(());
        }
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, PARTITION, Offset::Beginning).map_err(client_error)?;
        consumer.assign(&list).map_err(client_error)?;
        let (mut heard, mut trouble) = (Instant::now(), None);
        loop {
            match consumer.poll(POLL) {
                Some(Ok(message)) => {
                    // Read off before the record is handed on: the connector may take its time.
                    let record = message.payload().map(|value| String::from_utf8_lossy(value).into_owned());
                    let Some(record) = record else {
                        tracing::warn!(%topic, offset = message.offset(), "a record of the schema history has no value: it is passed over");
                        continue;
                    };
                    if !give(record) {
                        return Ok(());
                    }
                    heard = Instant::now();
                }
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(()),
                Some(Err(error)) => {
                    let code = code_of(&error);
                    if !may_pass(code) {
                        return Err(self.failed("read", code));
                    }
                    trouble = Some(code);
                }
                None => {}
            }
            if heard.elapsed() > self.settings.patience {
                let why = trouble.map_or_else(|| "the broker does not answer".to_owned(), |code| code.to_string());
                let reason = format!(
                    "nothing was read for {} ms ({why}). If the broker is merely slow, raise \
                     schema.history.internal.kafka.recovery.attempts or \
                     schema.history.internal.kafka.recovery.poll.interval.ms",
                    self.settings.patience.as_millis()
                );
                return Err(self.broken("read", reason, true));
            }
        }
    }

    pub(super) fn append(&mut self, records: &[String], goes_on: &dyn Fn() -> bool) -> Result<(), HistoryError> {
        let producer = if let Some(producer) = self.producer.take() {
            producer
        } else {
            let config = self.client(&self.settings.producer);
            BaseProducer::from_config_and_context(&config, Acknowledged::default()).map_err(client_error)?
        };
        // After a failure the producer is dropped, and with it what it has not sent: nothing may come after a record that is
        // missing.
        self.send(&producer, records, goes_on)?;
        self.producer = Some(producer);
        Ok(())
    }

    /// Sends records, and waits until all are acknowledged.
    fn send(
        &self,
        producer: &BaseProducer<Acknowledged>,
        records: &[String],
        goes_on: &dyn Fn() -> bool,
    ) -> Result<(), HistoryError> {
        *producer.context().acks() = Acks { left: records.len(), failed: None };
        for record in records {
            let mut next = Some(BaseRecord::<(), str>::to(&self.settings.topic).payload(record).partition(PARTITION));
            while let Some(record) = next.take() {
                let Err((error, record)) = producer.send(record) else { break };
                let code = code_of(&error);
                if code != RDKafkaErrorCode::QueueFull {
                    return Err(self.failed("written", code));
                }
                next = Some(record);
                self.acknowledged(producer, goes_on)?;
            }
        }
        while self.acknowledged(producer, goes_on)? > 0 {}
        Ok(())
    }

    /// Waits a moment for acknowledgements. Returns how many are still missing.
    fn acknowledged(
        &self,
        producer: &BaseProducer<Acknowledged>,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<usize, HistoryError> {
        producer.poll(POLL);
        let acks = producer.context().acks();
        match acks.failed {
            Some(code) => Err(self.failed("written", code)),
            None if acks.left > 0 && !goes_on() => Err(HistoryError::Ended),
            None => Ok(acks.left),
        }
    }
}
