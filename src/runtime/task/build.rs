//! Makes the parts of a task's pipeline from its configuration: chain, converters, headers, sink.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use record::{Header, Headers, Kind, Part, Schema, Value};
use relational::TaskError;
use retry::Outlook;
use settings::Properties;
use tokio::runtime::Handle;
use tokio::task::{JoinError, spawn_blocking};
use transforms::{Chain, Connector};

use super::{TaskSpec, Worker};
use crate::convert::{self, Converter, Given, Role};
use crate::plugins::Plugin;
use crate::runtime::catalog::{Catalog, PartKind};
use crate::runtime::exactly_once::transactional_id;
use crate::runtime::failure::{Failure, Stage};
use crate::runtime::owner::Fence;
use crate::runtime::pipeline::{Context, Writer};
use crate::runtime::tolerance::Tolerance;
use crate::runtime::traces::Tracer;
use crate::sink::topics::{TopicCreation, Topics};
use crate::sink::transactional::transactional_producer;
use crate::sink::{Delivery, EncodedHeaders, ProducerSettings, Sink, properties};

/// What a task is made of beside its connector.
pub(super) struct Built {
    pub(super) sink: Arc<dyn Sink>,
    /// How long a transaction of the sink may last.
    pub(super) timeout: Duration,
    pub(super) parts: Parts,
    pub(super) topics: Option<Topics>,
    /// Makes the topic of the dead letters.
    pub(super) letter_topics: Option<Topics>,
}

/// The parts of a pipeline that make bytes of records.
pub(in crate::runtime) struct Parts {
    pub(in crate::runtime) chain: Chain,
    pub(in crate::runtime) key: Writer,
    pub(in crate::runtime) value: Writer,
    pub(in crate::runtime) header: Writer,
    pub(in crate::runtime) context: Context,
}

const CONFIG_EXCEPTION: &str = "org.apache.kafka.common.config.ConfigException";

pub(super) const CONNECT_EXCEPTION: &str = "org.apache.kafka.connect.errors.ConnectException";

type WorkerProperties = BTreeMap<String, String>;

/// Makes the chain and the converters of a connector. `worker` are the worker's properties; `traces` makes spans of records for
/// the transform that asks for them.
pub(in crate::runtime) async fn parts(
    plugin: &Plugin,
    config: &Properties,
    worker: &WorkerProperties,
    traces: &Tracer,
) -> Result<Parts, TaskError> {
    let mut chain = Chain::build(config).map_err(|refusals| {
        let class = refusals.first().map_or(CONFIG_EXCEPTION, |refusal| refusal.java_class);
        let list: Vec<_> = refusals.into_iter().map(|refusal| refusal.invalid.message).collect();
        let mut list = list.join("\n");
        if let Some((_, class)) = list.split_once(": Class ").filter(|_| list.contains("could not be found.")) {
            let class = class.split(' ').next().unwrap_or_default().to_owned();
            list = format!("{list}\n{}", Catalog::all().lacks(PartKind::Transformation, &class));
        }
        TaskError::lasting(format!("{CONNECT_EXCEPTION}: {class}: {list}"))
    })?;
    let (chunks, runtime) = (plugin.chunks, Handle::current());
    chain.attach(&Connector {
        origin_entries: plugin.origin_entries,
        chunks: Box::new(move |properties| chunks(properties, runtime.clone())),
        spans: traces.of_records(),
    });
    let made = |name, role| converter(config, worker, name, role);
    let key = made("key.converter", Role::Key)?;
    let value = made("value.converter", Role::Value)?;
    let header = made("header.converter", Role::Header)?;
    let context = context(&*header.1, (plugin.headers)(config)).await.map_err(|failure| failure.end())?;
    let writer = |stage, (class, converter)| Writer::new(stage, class, converter);
    let key = writer(Stage::KeyConverter, key);
    let value = writer(Stage::ValueConverter, value);
    let header = writer(Stage::HeaderConverter, header);
    Ok(Parts { chain, key, value, header, context })
}

/// The settings of a connector's own producer.
pub(in crate::runtime) fn producer(
    client_id: String,
    config: &Properties,
    worker: &WorkerProperties,
    fence: Arc<Fence>,
) -> ProducerSettings {
    let bootstrap = worker.get("bootstrap.servers").cloned().unwrap_or_default();
    let (of_worker, of_connector) =
        (properties::under("producer.", worker), properties::under("producer.override.", &owned(config)));
    ProducerSettings {
        client_id,
        properties: properties::producer(&bootstrap, &of_worker, &of_connector),
        may_produce: Box::new(move || fence.is_open()),
    }
}

/// Makes clients that create topics; `name` is that of the clients.
pub(in crate::runtime) async fn topics(
    name: &str,
    config: &Properties,
    worker: &WorkerProperties,
    creation: TopicCreation,
) -> Result<Topics, TaskError> {
    let (of_worker, of_connector) =
        (properties::under("admin.", worker), properties::under("admin.override.", &owned(config)));
    let client = properties::admin(worker, &of_worker, &of_connector);
    let id = format!("connector-adminclient-{name}-0");
    made(move || Topics::new(&id, &client, creation))
        .await
        .map_err(|error| TaskError { trace: error.to_string(), outlook: error.outlook() })
}

fn owned(config: &Properties) -> WorkerProperties {
    config.iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect()
}

/// How the connector's topics are created; none if the broker does that.
pub(in crate::runtime) fn creation(
    config: &Properties,
    worker: &WorkerProperties,
) -> Result<Option<TopicCreation>, TaskError> {
    let creates = worker.get("topic.creation.enable").is_none_or(|text| !text.trim().eq_ignore_ascii_case("false"));
    let connector = owned(config);
    if !creates || !connector.keys().any(|name| name.starts_with("topic.creation.")) {
        return Ok(None);
    }
    TopicCreation::parse(&connector)
        .map(Some)
        .map_err(|error| TaskError::lasting(format!("{CONFIG_EXCEPTION}: {error}")))
}

/// Makes all parts. With exactly-once delivery a transaction may last for `timeout` unless the configuration says otherwise.
pub(super) async fn build(
    spec: &TaskSpec,
    worker: &Worker,
    delivery: Box<Delivery>,
    timeout: Duration,
) -> Result<Built, TaskError> {
    let (config, properties) = (&spec.config, &worker.properties);
    let parts = parts(spec.plugin, config, properties, &worker.traces).await?;
    let mut settings =
        producer(format!("connector-producer-{}-0", spec.connector), config, properties, Arc::clone(&spec.fence));
    let mut timeout = timeout;
    if let Some(group) = &worker.exactly_once {
        let id = transactional_id(group, &spec.connector, 0);
        let bootstrap = properties.get("bootstrap.servers").cloned().unwrap_or_default();
        let (of_worker, of_connector) =
            (properties::under("producer.", properties), properties::under("producer.override.", &owned(config)));
        (settings.properties, timeout) = transactional_producer(&bootstrap, &of_worker, &of_connector, &id, timeout);
    }
    let open = Arc::clone(&worker.open_sink);
    let sink = made(move || open(settings, delivery))
        .await
        .map_err(|error| TaskError { trace: format!("{CONFIG_EXCEPTION}: {error}"), outlook: error.outlook() })?;
    let topics_of = async |creation: Option<TopicCreation>| match creation {
        Some(creation) => topics(&spec.connector, config, properties, creation).await.map(Some),
        None => Ok(None),
    };
    let letters = Tolerance::of(config).letters;
    let topics = topics_of(creation(config, properties)?).await?;
    let letter_topics = topics_of(letters.map(|letters| letters.creation())).await?;
    Ok(Built { sink, timeout, parts, topics, letter_topics })
}

/// Makes a client on a thread that may block: a client reads its certificates from files.
pub(in crate::runtime) async fn made<T: Send + 'static>(make: impl FnOnce() -> T + Send + 'static) -> T {
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
    Ok(Context { headers: headers.into(), encoded: encoded.repeated() })
}

/// Makes a converter. Its class and all its options come from the connector, or all of them from the worker.
fn converter(
    config: &Properties,
    worker: &WorkerProperties,
    name: &str,
    role: Role,
) -> Result<(&'static str, Box<dyn Converter>), TaskError> {
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
        for (name, value) in properties::under(&prefix, worker) {
            own.insert(name, value);
        }
        (worker.get(name).cloned().unwrap_or_else(|| fallback.to_owned()), own)
    };
    let made = convert::create(&class, &own, role).map_err(|error| {
        let trace = format!("{CONFIG_EXCEPTION}: Invalid value {class} for configuration {name}: {error}");
        let lacks = |kind| TaskError::lasting(format!("{trace}\n{}", Catalog::all().lacks(kind, &class)));
        match (&error, role) {
            (convert::Refusal::Unknown(_), Role::Header) => lacks(PartKind::HeaderConverter),
            (convert::Refusal::Unknown(_), _) => lacks(PartKind::Converter),
            (convert::Refusal::Properties(_), _) => TaskError::lasting(trace),
            (convert::Refusal::File(_), _) => TaskError { trace, outlook: Outlook::Unknown },
        }
    })?;
    // The class's full name: the configuration may have a short one.
    Ok((convert::find(class.trim(), role).map_or("", |entry| entry.class), made))
}
