//! What only the group's leader writes to the config topic, in transactions: once exactly-once support is `preparing` or
//! `enabled`, as in Java's workers (KIP-618).
//!
//! All leaders of a group have one transactional id. A leader that takes it over ends what the one before left open, and the
//! broker refuses what that one still sends. One thread has the producer: it makes one transaction of each write.

use std::error::Error;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use tokio::sync::oneshot;

use super::progress::Waiter;
use super::{Kafka, Shared, client_error, code_of, lock};
use crate::login;
use crate::store::{Entry, Log, Pending, StoreError};

/// How long a take-over of the id, or a write, may take.
const WITHIN: Duration = Duration::from_secs(30);
/// How long one call to the client lasts.
const SLICE: Duration = Duration::from_millis(500);

type Done = oneshot::Sender<Result<(), StoreError>>;

/// What the leader's thread is asked for.
pub(super) enum Order {
    /// Take the transactional id over.
    Lead(Done),
    /// Write these records in one transaction.
    Write(Log, Vec<Entry>, Done),
    /// Another process may lead now: drop the producer.
    Retire,
}

/// The context of the leader's producer: keeps where its records came to lie.
struct Places(Arc<Shared>, Mutex<Vec<(i32, i64)>>);

impl ClientContext for Places {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, login: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        login::token(login)
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.note_error(&error, reason);
    }
}

impl ProducerContext for Places {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        // A record that was not delivered makes the commit fail.
        if let Ok(message) = result {
            lock(&self.1).push((message.partition(), message.offset() + 1));
        }
    }
}

type Leader = BaseProducer<Places>;

impl Kafka {
    /// Hands an order to the leader's thread, which is started for the first one.
    pub(super) fn order(&self, order: impl FnOnce(Done) -> Order) -> Pending {
        let (done, pending) = Pending::new();
        if self.shared.is_closed() {
            return Pending::over(Err(StoreError::Closed));
        }
        let mut leader = lock(&self.leader);
        if leader.is_none() {
            let (orders, received) = mpsc::channel();
            if let Err(error) = self.spawn("store-leader".to_owned(), move |shared| follow(shared, &received)) {
                return Pending::over(Err(error));
            }
            *leader = Some(orders);
        }
        if let Some(orders) = leader.as_ref() {
            // If the thread is gone, the sender in the order is dropped, and whoever waits hears `Closed`.
            let _ = orders.send(order(done));
        }
        pending
    }

    /// Drops the leader's producer, if there is one.
    pub(super) fn retire(&self) {
        if let Some(orders) = lock(&self.leader).as_ref() {
            let _ = orders.send(Order::Retire);
        }
    }
}

/// The body of the leader's thread.
fn follow(shared: &Arc<Shared>, orders: &mpsc::Receiver<Order>) {
    let mut leader: Option<Leader> = None;
    while !shared.is_closed() {
        match orders.recv_timeout(SLICE) {
            Ok(Order::Lead(done)) => {
                leader = None;
                let taken = lead(shared).map(|taken| leader = Some(taken));
                // Whoever asked may have stopped waiting.
                let _ = done.send(taken);
            }
            Ok(Order::Write(log, entries, done)) => {
                let written = match leader.take() {
                    Some(leader) => Ok(leader),
                    None => lead(shared),
                }
                .and_then(|taken| {
                    let written = write(shared, &taken, log, &entries)?;
                    // After an error the producer is dropped: a late answer of the broker must not end the next transaction.
                    leader = Some(taken);
                    Ok(written)
                });
                match written {
                    Ok(places) => shared.progress(log).wait(Waiter::new(places, done)),
                    Err(error) => drop(done.send(Err(error))),
                }
            }
            Ok(Order::Retire) => leader = None,
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Makes a producer and takes the transactional id over.
fn lead(shared: &Arc<Shared>) -> Result<Leader, StoreError> {
    let id = shared.settings.leader_id.clone().unwrap_or_default();
    let mut config = shared.settings.client("leader");
    config.set("transactional.id", &id).set("acks", "all").set("linger.ms", "0").set("partitioner", "murmur2_random");
    let context = Places(Arc::clone(shared), Mutex::default());
    let leader = BaseProducer::from_config_and_context(&config, context).map_err(client_error)?;
    until_done(shared, &id, || leader.init_transactions(SLICE))?;
    Ok(leader)
}

fn write(shared: &Shared, leader: &Leader, log: Log, entries: &[Entry]) -> Result<Vec<(i32, i64)>, StoreError> {
    let id = shared.settings.leader_id.clone().unwrap_or_default();
    let topic = &shared.settings.topic(log).name;
    let failed = |error: KafkaError| refused(shared, &id, &error);
    leader.begin_transaction().map_err(failed)?;
    lock(&leader.context().1).clear();
    for entry in entries {
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).key(&entry.key);
        record.payload = entry.value.as_deref();
        leader.send(record).map_err(|(error, _)| failed(error))?;
    }
    until_done(shared, &id, || leader.commit_transaction(SLICE))?;
    Ok(std::mem::take(&mut *lock(&leader.context().1)))
}

/// Makes the call again until it is answered.
fn until_done(shared: &Shared, id: &str, call: impl Fn() -> KafkaResult<()>) -> Result<(), StoreError> {
    let end = Instant::now() + WITHIN;
    loop {
        let error = match call() {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if shared.is_closed() {
            return Err(StoreError::Closed);
        }
        let may_pass = match &error {
            KafkaError::Transaction(error) => error.is_retriable(),
            KafkaError::Flush(code) => *code == RDKafkaErrorCode::OperationTimedOut,
            _ => false,
        };
        if !may_pass || Instant::now() >= end {
            return Err(refused(shared, id, &error));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn refused(shared: &Shared, id: &str, error: &KafkaError) -> StoreError {
    let code = match error {
        KafkaError::Transaction(error) => error.code(),
        other => code_of(other),
    };
    let topic = shared.settings.configs.name.clone();
    match code {
        // Another process leads the group.
        RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::Fenced | RDKafkaErrorCode::InvalidProducerEpoch => {
            StoreError::NotOwner
        }
        RDKafkaErrorCode::TransactionalIdAuthorizationFailed => StoreError::Broker {
            topic,
            reason: format!(
                "transactional id authorization failed: exactly.once.source.support needs the operations Write and Describe \
                 on transactional id '{id}' for the worker's user"
            ),
        },
        _ => StoreError::Broker { topic, reason: format!("transactional id '{id}': {error}") },
    }
}
