//! The internal topics themselves: found or created, and refused when they would lose records.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use retry::Backoff;

use crate::login::Tokens;

use super::{Log, Shared, StoreError, TopicSettings, client_error, code_of};

/// For how long creating a topic is tried again after an error that may pass: Java's default of the admin client's
/// `default.api.timeout.ms`.
const CREATE_TIMEOUT: Duration = Duration::from_secs(60);
/// The first and the longest pause before a broker is asked again. Short, because a stop of the daemon waits for the pause.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

fn backoff() -> Backoff {
    Backoff::new(PAUSES.0, PAUSES.1)
}

fn admin(shared: &Shared) -> Result<AdminClient<Tokens>, StoreError> {
    shared.settings.client("shared-admin").create_with_context(Tokens).map_err(client_error)
}

/// Waits on a plain thread for a call of the admin client, which does its work on a thread of its own.
fn wait<T>(future: impl Future<Output = T>) -> Result<T, StoreError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(client_error)?;
    Ok(runtime.block_on(future))
}

/// How many partitions the topic has; creates it if it is missing. Waits for a broker as long as it takes.
pub(super) fn partitions_or_create<C: ConsumerContext>(
    shared: &Arc<Shared>,
    log: Log,
    consumer: &BaseConsumer<C>,
) -> Result<usize, StoreError> {
    let topic = &shared.settings.topic(log).name;
    let (mut is_created, mut backoff) = (false, backoff());
    loop {
        if shared.is_closed() {
            return Err(StoreError::Closed);
        }
        match consumer.fetch_metadata(Some(topic), Duration::from_secs(5)) {
            Err(error) => {
                // Only a poll has librdkafka say why, to the consumer's context. There is nothing else to be polled yet.
                while consumer.poll(Duration::ZERO).is_some() {}
                shared.note(format!("no answer about topic '{topic}': {}", code_of(&error)));
                std::thread::sleep(backoff.pause());
            }
            Ok(metadata) => {
                let Some(found) = metadata.topics().iter().find(|t| t.name() == topic) else {
                    std::thread::sleep(backoff.pause());
                    continue;
                };
                let error = found.error().map(RDKafkaErrorCode::from);
                match error {
                    None if !found.partitions().is_empty() => return Ok(found.partitions().len()),
                    Some(RDKafkaErrorCode::UnknownTopicOrPartition) if !is_created => {
                        create(shared, log)?;
                        is_created = true;
                    }
                    Some(code @ (RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::InvalidTopic)) => {
                        return Err(StoreError::Broker { topic: topic.clone(), reason: code.to_string() });
                    }
                    // Just created, and its partitions have no leader yet.
                    _ => std::thread::sleep(Duration::from_millis(20)),
                }
            }
        }
    }
}

fn create(shared: &Arc<Shared>, log: Log) -> Result<(), StoreError> {
    let TopicSettings { name, partitions, replication_factor, config } = shared.settings.topic(log);
    let partitions = if log == Log::Configs { 1 } else { *partitions };
    let admin = admin(shared)?;
    let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
    let failed = |reason: String| StoreError::Create { topic: name.clone(), key: log.key(), reason };
    let (start, mut backoff) = (Instant::now(), backoff());
    loop {
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(*replication_factor));
        for (key, value) in config.iter().filter(|(key, _)| *key != "cleanup.policy") {
            topic = topic.set(key, value);
        }
        topic = topic.set("cleanup.policy", "compact");
        let code = match wait(admin.create_topics([&topic], &options))? {
            Ok(results) => match results.into_iter().next() {
                Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists)) | Ok(_)) | None => {
                    tracing::info!(topic = %name, partitions, replication_factor, "created the internal topic");
                    return Ok(());
                }
                Some(Err((_, code))) => code,
            },
            Err(error) => code_of(&error),
        };
        let may_pass = matches!(
            code,
            RDKafkaErrorCode::InvalidReplicationFactor
                | RDKafkaErrorCode::RequestTimedOut
                | RDKafkaErrorCode::OperationTimedOut
                | RDKafkaErrorCode::NotController
                | RDKafkaErrorCode::BrokerTransportFailure
        );
        if !may_pass || start.elapsed() > CREATE_TIMEOUT {
            return Err(failed(code.to_string()));
        }
        shared.note(format!("topic '{name}' could not be created yet: {code}"));
        std::thread::sleep(backoff.pause());
        if shared.is_closed() {
            return Err(StoreError::Closed);
        }
    }
}

const fn what(log: Log) -> &'static str {
    match log {
        Log::Configs => "connector configurations",
        Log::Offsets => "source connector offsets",
        Log::Statuses => "connector and task statuses",
    }
}

/// Refuses an existing topic whose cleanup policy is not `compact`. If this user may not describe a topic, that is only
/// logged, as in Connect.
pub(super) fn check_policies(shared: &Arc<Shared>) -> Result<(), StoreError> {
    let admin = admin(shared)?;
    let resources: Vec<_> =
        shared.logs.iter().map(|log| ResourceSpecifier::Topic(&shared.settings.topic(*log).name)).collect();
    let options = AdminOptions::new().request_timeout(Some(Duration::from_secs(5)));
    let mut backoff = backoff();
    let described = loop {
        if shared.is_closed() {
            return Err(StoreError::Closed);
        }
        match wait(admin.describe_configs(&resources, &options))? {
            Ok(described) => break described,
            Err(KafkaError::AdminOp(RDKafkaErrorCode::ClusterAuthorizationFailed)) => return Ok(()),
            Err(error) => {
                shared.note(format!("the internal topics could not be described: {}", code_of(&error)));
                std::thread::sleep(backoff.pause());
            }
        }
    };
    // librdkafka answers in the order asked.
    for (&log, resource) in shared.logs.iter().zip(described) {
        let topic = shared.settings.topic(log).name.clone();
        match resource {
            Ok(resource) => {
                let policy = resource.get("cleanup.policy").and_then(|entry| entry.value.clone());
                if let Some(policy) = policy.filter(|policy| policy != "compact") {
                    return Err(StoreError::NotCompacted { topic, key: log.key(), what: what(log), policy });
                }
            }
            // Its own thread creates it at this moment, compacted.
            Err(RDKafkaErrorCode::UnknownTopicOrPartition) => {}
            Err(code) => {
                tracing::info!(%topic, %code, "the topic's cleanup policy could not be read; it should be compact");
            }
        }
    }
    Ok(())
}
