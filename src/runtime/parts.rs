//! Makes the parts of a task's pipeline from its configuration: chain, converters, headers, producer.

use std::collections::BTreeMap;
use std::sync::Arc;

use record::{Kind, Payload, Schema, Value};
use settings::Properties;
use tokio::task::{JoinError, spawn_blocking};
use transforms::Chain;

use super::failure::{Failure, Stage};
use super::task::{TaskSpec, Worker};
use crate::convert::{self, Converter, Role};
use crate::sink::topics::{TopicCreation, Topics};
use crate::sink::{Delivery, HeaderSet, KafkaSink, Settings, properties};

/// See the module.
pub(super) struct Parts {
    pub(super) sink: Arc<KafkaSink>,
    pub(super) chain: Chain,
    pub(super) key: Box<dyn Converter>,
    pub(super) value: Box<dyn Converter>,
    pub(super) header: Box<dyn Converter>,
    pub(super) context: HeaderSet,
    pub(super) topics: Option<Topics>,
}

const CONFIG_EXCEPTION: &str = "org.apache.kafka.common.config.ConfigException";

const CONNECT_EXCEPTION: &str = "org.apache.kafka.connect.errors.ConnectException";

/// Makes everything; the error is the trace that ends the task.
pub(super) async fn build(spec: &TaskSpec, worker: &Worker, delivery: Box<Delivery>) -> Result<Parts, String> {
    let config = &spec.config;
    let chain = Chain::build(config).map_err(|invalid| {
        let list: Vec<_> = invalid.into_iter().map(|invalid| invalid.message).collect();
        let list = list.join("\n");
        let cause = match list.split(' ').next() {
            Some("Unexpected") => format!("java.lang.IllegalArgumentException: {list}"),
            Some("Unknown") => format!("{CONNECT_EXCEPTION}: {CONFIG_EXCEPTION}: {list}"),
            _ => format!("{CONFIG_EXCEPTION}: {list}"),
        };
        format!("{CONNECT_EXCEPTION}: {cause}")
    })?;
    let key = converter(config, worker, "key.converter", Role::Key)?;
    let value = converter(config, worker, "value.converter", Role::Value)?;
    let header = converter(config, worker, "header.converter", Role::Header)?;
    let context = context(&*header, (spec.plugin.headers)(config)).await.map_err(|failure| failure.trace())?;
    let connector: BTreeMap<String, String> =
        config.iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    let bootstrap = worker.properties.get("bootstrap.servers").cloned().unwrap_or_default();
    let mapped = properties::producer(
        &bootstrap,
        &properties::under("producer.", &worker.properties),
        &properties::under("producer.override.", &connector),
    );
    let fence = Arc::clone(&spec.fence);
    let producer = Settings {
        client_id: format!("connector-producer-{}-0", spec.connector),
        properties: mapped,
        may_produce: Box::new(move || fence.is_open()),
    };
    let sink = made(move || KafkaSink::new(producer, delivery))
        .await
        .map_err(|error| format!("{CONFIG_EXCEPTION}: {error}"))?;
    let creates =
        worker.properties.get("topic.creation.enable").is_none_or(|text| !text.trim().eq_ignore_ascii_case("false"));
    let topics = if creates && connector.keys().any(|name| name.starts_with("topic.creation.")) {
        let creation = TopicCreation::parse(&connector).map_err(|error| format!("{CONFIG_EXCEPTION}: {error}"))?;
        let mut admin = worker.properties.clone();
        admin.extend(properties::under("admin.", &worker.properties));
        admin.extend(properties::under("admin.override.", &connector));
        let client = properties::internal(properties::Client::Admin, &admin);
        let id = format!("connector-adminclient-{}-0", spec.connector);
        Some(made(move || Topics::new(&id, &client, creation)).await.map_err(|error| error.to_string())?)
    } else {
        None
    };
    Ok(Parts { sink: Arc::new(sink), chain, key, value, header, context, topics })
}

/// Makes a client, which reads its certificates, on a thread that may wait for a disk.
async fn made<T: Send + 'static>(make: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(make).await.map_err(JoinError::try_into_panic) {
        Ok(made) => made,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // Only the end of the process takes such a thread away: then nobody waits for the answer.
        Err(Err(_)) => std::future::pending().await,
    }
}

/// The connector's own headers, written once for all records.
async fn context(converter: &dyn Converter, texts: Vec<(&'static str, String)>) -> Result<HeaderSet, Failure> {
    let fails = |error| Failure::convert(Stage::HeaderConverter, &error);
    let schema = Schema::of(Kind::String).build();
    // They are on records of every topic.
    let encoder = converter.prepare("", Some(&schema)).await.map_err(fails)?;
    let (mut set, mut bytes) = (HeaderSet::default(), Vec::new());
    for (name, text) in texts {
        bytes.clear();
        let value = Value::Text(text);
        let there = encoder.write(&Payload::Borrowed(&schema, &value), &mut bytes).map_err(fails)?;
        set = set.with(name, there.then_some(&*bytes));
    }
    Ok(set)
}

/// A converter comes wholly from the connector or wholly from the worker.
fn converter(config: &Properties, worker: &Worker, name: &str, role: Role) -> Result<Box<dyn Converter>, String> {
    let prefix = format!("{name}.");
    let (class, own) = if let Some(class) = config.get(name) {
        let mut own = Properties::new();
        config.under(&prefix).for_each(|(name, value)| own.insert(name, value));
        (class.to_owned(), own)
    } else {
        let fallback = match role {
            Role::Header => "org.apache.kafka.connect.storage.SimpleHeaderConverter",
            _ => "org.apache.kafka.connect.json.JsonConverter",
        };
        let mut own = Properties::new();
        for (name, value) in properties::under(&prefix, &worker.properties) {
            own.insert(name, value);
        }
        (worker.properties.get(name).cloned().unwrap_or_else(|| fallback.to_owned()), own)
    };
    convert::create(&class, &own, role)
        .map_err(|error| format!("{CONFIG_EXCEPTION}: Invalid value {class} for configuration {name}: {error}"))
}
