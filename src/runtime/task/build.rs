//! Makes the parts of a task's pipeline from its configuration: chain, converters, headers, sink.

use std::collections::BTreeMap;
use std::sync::Arc;

use record::{Header, Headers, Kind, Part, Schema, Value};
use settings::Properties;
use tokio::runtime::Handle;
use tokio::task::{JoinError, spawn_blocking};
use transforms::{Chain, Connector};

use super::{TaskSpec, Worker};
use crate::convert::{self, Converter, Given, Role};
use crate::runtime::catalog::{Catalog, PartKind};
use crate::runtime::failure::{Failure, Stage};
use crate::runtime::pipeline::{Context, Writer};
use crate::sink::topics::{TopicCreation, Topics};
use crate::sink::{Delivery, EncodedHeaders, ProducerSettings, Sink, properties};

/// The parts of a pipeline.
pub(super) struct Built {
    pub(super) sink: Arc<dyn Sink>,
    pub(super) chain: Chain,
    pub(super) key: Writer,
    pub(super) value: Writer,
    pub(super) header: Writer,
    pub(super) context: Context,
    pub(super) topics: Option<Topics>,
}

const CONFIG_EXCEPTION: &str = "org.apache.kafka.common.config.ConfigException";

const CONNECT_EXCEPTION: &str = "org.apache.kafka.connect.errors.ConnectException";

/// Makes all parts; the error is the trace that ends the task.
pub(super) async fn build(spec: &TaskSpec, worker: &Worker, delivery: Box<Delivery>) -> Result<Built, String> {
    let config = &spec.config;
    let mut chain = Chain::build(config).map_err(|refusals| {
        let class = refusals.first().map_or(CONFIG_EXCEPTION, |refusal| refusal.java_class);
        let list: Vec<_> = refusals.into_iter().map(|refusal| refusal.invalid.message).collect();
        let mut list = list.join("\n");
        if let Some((_, class)) = list.split_once(": Class ").filter(|_| list.contains("could not be found.")) {
            let class = class.split(' ').next().unwrap_or_default().to_owned();
            list = format!("{list}\n{}", Catalog::all().lacks(PartKind::Transformation, &class));
        }
        format!("{CONNECT_EXCEPTION}: {class}: {list}")
    })?;
    let (chunks, runtime) = (spec.plugin.chunks, Handle::current());
    chain.attach(&Connector {
        origin_entries: spec.plugin.origin_entries,
        chunks: Box::new(move |properties| chunks(properties, runtime.clone())),
    });
    let key = converter(config, worker, "key.converter", Role::Key)?;
    let value = converter(config, worker, "value.converter", Role::Value)?;
    let header = converter(config, worker, "header.converter", Role::Header)?;
    let context = context(&*header.1, (spec.plugin.headers)(config)).await.map_err(|failure| failure.trace())?;
    let writer = |stage, (class, converter)| Writer::new(stage, class, converter);
    let key = writer(Stage::KeyConverter, key);
    let value = writer(Stage::ValueConverter, value);
    let header = writer(Stage::HeaderConverter, header);
    let connector: BTreeMap<String, String> =
        config.iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
    let bootstrap = worker.properties.get("bootstrap.servers").cloned().unwrap_or_default();
    let mapped = properties::producer(
        &bootstrap,
        &properties::under("producer.", &worker.properties),
        &properties::under("producer.override.", &connector),
    );
    let fence = Arc::clone(&spec.fence);
    let settings = ProducerSettings {
        client_id: format!("connector-producer-{}-0", spec.connector),
        properties: mapped,
        may_produce: Box::new(move || fence.is_open()),
    };
    let open = Arc::clone(&worker.open_sink);
    let sink = made(move || open(settings, delivery)).await.map_err(|error| format!("{CONFIG_EXCEPTION}: {error}"))?;
    let creates =
        worker.properties.get("topic.creation.enable").is_none_or(|text| !text.trim().eq_ignore_ascii_case("false"));
    let topics = if creates && connector.keys().any(|name| name.starts_with("topic.creation.")) {
        let creation = TopicCreation::parse(&connector).map_err(|error| format!("{CONFIG_EXCEPTION}: {error}"))?;
        let client = properties::admin(
            &worker.properties,
            &properties::under("admin.", &worker.properties),
            &properties::under("admin.override.", &connector),
        );
        let id = format!("connector-adminclient-{}-0", spec.connector);
        Some(made(move || Topics::new(&id, &client, creation)).await.map_err(|error| error.to_string())?)
    } else {
        None
    };
    Ok(Built { sink, chain, key, value, header, context, topics })
}

/// Makes a client on a thread that may block: a client reads its certificates from files.
async fn made<T: Send + 'static>(make: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(make).await.map_err(JoinError::try_into_panic) {
        Ok(made) => made,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // It is only cancelled at the end of the process, when nobody waits for the answer.
        Err(Err(_)) => std::future::pending().await,
    }
}

/// The connector's own headers, converted once for all records.
async fn context(converter: &dyn Converter, texts: Vec<(&'static str, String)>) -> Result<Context, Failure> {
    let fails = |error| Failure::convert(Stage::HeaderConverter, &error);
    let schema = Schema::of(Kind::String).build();
    let part = Part::owned(Arc::clone(&schema), 0);
    // No topic is named, because these headers are on the records of every topic.
    let mut encoder = converter.prepare("", Some(&part)).await.map_err(fails)?;
    let (mut headers, mut encoded, mut bytes) = (Vec::new(), EncodedHeaders::default(), Vec::new());
    for (name, text) in texts {
        bytes.clear();
        let header = Header::new(name, Arc::clone(&schema), Value::Text(text));
        let given = Given { payload: &header.value, headers: &Headers::default() };
        let there = encoder.write(given, &mut bytes).map_err(fails)?;
        encoded = encoded.with(name, there.then_some(&*bytes));
        headers.push(header);
    }
    Ok(Context { headers: headers.into(), encoded })
}

/// Makes a converter. Its class and all its options come from the connector, or all of them from the worker.
fn converter(
    config: &Properties,
    worker: &Worker,
    name: &str,
    role: Role,
) -> Result<(&'static str, Box<dyn Converter>), String> {
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
    let made = convert::create(&class, &own, role).map_err(|error| {
        let trace = format!("{CONFIG_EXCEPTION}: Invalid value {class} for configuration {name}: {error}");
        match (&error, role) {
            (convert::Refusal::Unknown(_), Role::Header) => {
                format!("{trace}\n{}", Catalog::all().lacks(PartKind::HeaderConverter, &class))
            }
            (convert::Refusal::Unknown(_), _) => {
                format!("{trace}\n{}", Catalog::all().lacks(PartKind::Converter, &class))
            }
            (convert::Refusal::Properties(_), _) => trace,
        }
    })?;
    // The class's full name: the configuration may have a short one.
    Ok((convert::find(class.trim(), role).map_or("", |entry| entry.class), made))
}
