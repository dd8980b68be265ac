//! Translates the properties of Java's Kafka clients into librdkafka's: tables with one row for each property.
//!
//! A property of `ProducerConfig` (Kafka 4.3) is passed on, or ignored with a warning if that does no harm, or refused
//! by name with a reason and a remedy. The same tables serve the worker's own clients, which take the worker's
//! unprefixed keys.

mod passed;

use std::collections::BTreeMap;
use std::fmt;

use retry::Outlook;

use super::security;
pub(crate) use super::security::is_other_handler;

/// Names and values from the worker's file or a connector's config, without their prefix.
pub type Properties = BTreeMap<String, String>;

/// A property that cannot be honoured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Kafka client property {name} cannot be honoured: {reason}. {remedy}")]
pub struct Refusal {
    /// The property's Java name, without prefix.
    pub name: String,
    /// Why the property cannot be honoured.
    pub reason: String,
    /// What to do instead.
    pub remedy: String,
    /// Whether a file is the reason. It may be another one by the time when the client is made.
    pub of_file: bool,
}

impl Refusal {
    /// Whether a task that fails because of this may succeed later: a file may be in the middle of its renewal.
    pub fn outlook(&self) -> Outlook {
        if self.of_file { Outlook::Unknown } else { Outlook::CannotPass }
    }
}

/// The translated properties of a client.
#[derive(Clone, Default)]
pub struct Mapped {
    /// librdkafka's names and values. They may hold secrets, so `Debug` prints the names only.
    pub client: BTreeMap<String, String>,
    /// Lines to log once, when the client is made, each behind the Java name of the property that it is about.
    pub warnings: Vec<(String, String)>,
    /// Properties that cannot be honoured. If there are any, the client must not be made.
    pub refusals: Vec<Refusal>,
    /// `max.request.size` in bytes. The sink checks it itself, as Java's producer does.
    pub max_request_bytes: usize,
    /// `batch.size` and `buffer.memory` in bytes, if new records are to wait outside of librdkafka while others are
    /// under way (see `window.rs`). `None`: librdkafka gets every record at once.
    pub window_bytes: Option<(usize, usize)>,
}

impl fmt::Debug for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapped")
            .field("client", &self.client.keys().collect::<Vec<_>>())
            .field("warnings", &self.warnings)
            .field("refusals", &self.refusals)
            .field("max_request_bytes", &self.max_request_bytes)
            .field("window_bytes", &self.window_bytes)
            .finish_non_exhaustive()
    }
}

impl Mapped {
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.client.insert(name.to_owned(), value.into());
    }

    pub(super) fn warn(&mut self, name: &str, text: &str) {
        self.say(name, format!("Kafka client property {name} has no effect here: {text}"));
    }

    pub(super) fn say(&mut self, name: &str, line: String) {
        self.warnings.push((name.to_owned(), line));
    }

    pub(super) fn refuse(&mut self, name: &str, reason: impl Into<String>, remedy: impl Into<String>) {
        let (name, reason, remedy) = (name.to_owned(), reason.into(), remedy.into());
        self.refusals.push(Refusal { name, reason, remedy, of_file: false });
    }
}

/// The Java client that the properties are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// A connector's producer.
    Producer,
    /// A consumer: of the internal topics, or of the group.
    Consumer,
    /// An admin client.
    Admin,
}

/// What is done with one property.
enum How {
    /// It is passed to librdkafka under this name.
    Is(&'static str),
    /// It is ignored; the text is the reason.
    Ignored(&'static str),
    /// It is refused; the texts are the reason and the remedy.
    Refused(&'static str, &'static str),
    /// Code of its own translates it, after the table has been applied.
    Rule,
}
use How::{Ignored, Is, Refused, Rule};

const NO_JVM: &str = "there is no JVM here to load the class";
const METRICS: &str = "Java's metrics are not kept, and there is no JMX";

/// Properties of every client.
const COMMON: &[(&str, How)] = &[
    ("bootstrap.servers", Is("bootstrap.servers")),
    ("client.id", Is("client.id")),
    ("client.rack", Is("client.rack")),
    ("client.dns.lookup", Is("client.dns.lookup")),
    ("metadata.max.age.ms", Rule),
    ("metadata.max.idle.ms", Ignored("to remember topics that are no longer used costs nothing")),
    ("metadata.recovery.strategy", Is("metadata.recovery.strategy")),
    ("metadata.recovery.rebootstrap.trigger.ms", Is("metadata.recovery.rebootstrap.trigger.ms")),
    ("reconnect.backoff.ms", Is("reconnect.backoff.ms")),
    ("reconnect.backoff.max.ms", Is("reconnect.backoff.max.ms")),
    ("retry.backoff.ms", Rule),
    ("retry.backoff.max.ms", Is("retry.backoff.max.ms")),
    ("request.timeout.ms", Rule),
    ("connections.max.idle.ms", Rule),
    ("send.buffer.bytes", Rule),
    ("receive.buffer.bytes", Rule),
    ("socket.connection.setup.timeout.ms", Rule),
    (
        "socket.connection.setup.timeout.max.ms",
        Ignored("each attempt to connect has the same limit, socket.connection.setup.timeout.ms"),
    ),
    ("default.api.timeout.ms", Ignored("each call has a limit of its own")),
    ("metric.reporters", Ignored(METRICS)),
    ("metrics.num.samples", Ignored(METRICS)),
    ("metrics.recording.level", Ignored(METRICS)),
    ("metrics.sample.window.ms", Ignored(METRICS)),
    ("auto.include.jmx.reporter", Ignored(METRICS)),
    ("enable.metrics.push", Is("enable.metrics.push")),
    ("security.providers", Ignored(NO_JVM)),
    ("config.providers", Ignored("placeholders are resolved before the client gets its properties")),
    ("allow.auto.create.topics", Is("allow.auto.create.topics")),
];

/// Properties of the producer.
const PRODUCER: &[(&str, How)] = &[
    ("acks", Rule),
    ("enable.idempotence", Rule),
    ("max.in.flight.requests.per.connection", Rule),
    ("retries", Rule),
    ("delivery.timeout.ms", Rule),
    ("max.block.ms", Ignored("a full queue blocks the connector for as long as it takes; nothing is dropped")),
    ("buffer.memory", Rule),
    ("max.request.size", Rule),
    ("batch.size", Rule),
    ("linger.ms", Is("linger.ms")),
    ("compression.type", Rule),
    ("compression.gzip.level", Rule),
    ("compression.lz4.level", Rule),
    ("compression.zstd.level", Rule),
    ("partitioner.class", Rule),
    ("partitioner.ignore.keys", Rule),
    ("partitioner.adaptive.partitioning.enable", Ignored("records without a key stay in one partition a batch")),
    ("partitioner.availability.timeout.ms", Ignored("records without a key stay in one partition a batch")),
    ("key.serializer", Ignored("bytes are sent as the converter made them")),
    ("value.serializer", Ignored("bytes are sent as the converter made them")),
    ("interceptor.classes", Rule),
    ("transaction.timeout.ms", Rule),
    (
        "transactional.id",
        Refused(
            "it is the worker that names transactions",
            "Remove it; exactly.once.source.support chooses transactions",
        ),
    ),
    ("transaction.two.phase.commit.enable", Refused("no transactions are prepared here", "Remove it")),
];

/// Properties of the consumer.
const CONSUMER: &[(&str, How)] = &[
    ("group.id", Is("group.id")),
    ("group.instance.id", Is("group.instance.id")),
    ("auto.offset.reset", Is("auto.offset.reset")),
    ("isolation.level", Is("isolation.level")),
    ("session.timeout.ms", Is("session.timeout.ms")),
    ("heartbeat.interval.ms", Is("heartbeat.interval.ms")),
    ("max.poll.interval.ms", Is("max.poll.interval.ms")),
    ("fetch.min.bytes", Is("fetch.min.bytes")),
    ("fetch.max.bytes", Is("fetch.max.bytes")),
    ("fetch.max.wait.ms", Is("fetch.wait.max.ms")),
    ("max.partition.fetch.bytes", Is("max.partition.fetch.bytes")),
    ("check.crcs", Is("check.crcs")),
    ("enable.auto.commit", Ignored("positions are kept in the offsets topic")),
    ("auto.commit.interval.ms", Ignored("positions are kept in the offsets topic")),
    ("key.deserializer", Ignored("bytes are read as they are")),
    ("value.deserializer", Ignored("bytes are read as they are")),
    ("interceptor.classes", Ignored(NO_JVM)),
    ("max.poll.records", Ignored("records are read one at a time")),
    ("exclude.internal.topics", Ignored("topics are read by their names")),
    ("partition.assignment.strategy", Ignored(NO_JVM)),
];

/// Translates the properties of a connector's producer: the worker's `bootstrap.servers`, then the worker's
/// `producer.*`, overridden by the connector's `producer.override.*`, all without their prefixes. As in Connect, the
/// worker's unprefixed security settings are not inherited.
pub fn producer(bootstrap_servers: &str, worker: &Properties, connector: &Properties) -> Mapped {
    let mut properties = Properties::from([("bootstrap.servers".to_owned(), bootstrap_servers.to_owned())]);
    properties.extend(worker.iter().chain(connector).map(|(k, v)| (k.clone(), v.clone())));
    client(Client::Producer, &properties)
}

/// Translates the properties of the admin client that makes a connector's topics: all of the worker's unprefixed keys,
/// then the worker's `admin.*`, overridden by the connector's `admin.override.*`. Warnings are about the latter two,
/// because most unprefixed keys are not the client's.
pub fn admin(worker: &Properties, of_admins: &Properties, connector: &Properties) -> Mapped {
    let mut properties = worker.clone();
    properties.extend(of_admins.iter().chain(connector).map(|(k, v)| (k.clone(), v.clone())));
    let mut mapped = client(Client::Admin, &properties);
    mapped.warnings.retain(|(name, _)| of_admins.contains_key(name) || connector.contains_key(name));
    mapped
}

/// Translates the properties of one of the worker's own clients (for the internal topics, the group, or admin requests)
/// from the worker's unprefixed keys. Most of these keys are not the client's, and the worker's own table of keys says
/// which have no effect. So there are warnings of the security settings only; those of TLS may be meant for REST, and are
/// left out where the client does not speak TLS.
pub fn internal(kind: Client, worker: &Properties) -> Mapped {
    let mut mapped = client(kind, worker);
    let protocol = worker.get("security.protocol").map(|protocol| protocol.trim().to_ascii_uppercase());
    let speaks_tls = protocol.is_some_and(|protocol| protocol.ends_with("SSL"));
    mapped.warnings.retain(|(name, _)| name.starts_with("sasl.") || speaks_tls && name.starts_with("ssl."));
    mapped
}

/// The properties whose names start with `prefix`, without the prefix.
pub fn under(prefix: &str, properties: &Properties) -> Properties {
    let stripped = properties.iter().filter_map(|(k, v)| Some((k.strip_prefix(prefix)?.to_owned(), v.clone())));
    stripped.collect()
}

fn client(kind: Client, properties: &Properties) -> Mapped {
    let mut mapped = Mapped { max_request_bytes: 1_048_576, ..Mapped::default() };
    mapped.set("enable.metrics.push", "false");
    mapped.set("log.connection.close", "false");
    mapped.set("reconnect.backoff.ms", "50");
    mapped.set("reconnect.backoff.max.ms", "1000");
    let own = match kind {
        Client::Producer => PRODUCER,
        Client::Consumer => CONSUMER,
        Client::Admin => &[],
    };
    for (name, value) in properties {
        let value = value.trim();
        if security::NAMES.iter().any(|prefix| name.starts_with(prefix)) {
            continue; // `security::apply` below translates all of them together
        }
        match COMMON.iter().chain(own).find(|(java, _)| java == name).map(|(_, how)| how) {
            Some(Is(native)) => mapped.pass(name, native, value),
            Some(Ignored(reason)) => mapped.warn(name, reason),
            Some(Refused(reason, remedy)) => mapped.refuse(name, *reason, *remedy),
            Some(Rule) => {}
            None => mapped.warn(name, "it is not a property of this client"),
        }
    }
    common(&mut mapped, properties);
    if kind == Client::Producer {
        produce(&mut mapped, properties);
    }
    security::apply(&mut mapped, properties);
    mapped
}

/// The number that `name` is set to. Refuses the property when the text is not a whole number in `from..=to`.
pub(super) fn number(mapped: &mut Mapped, properties: &Properties, name: &str, from: i64, to: i64) -> Option<i64> {
    let text = properties.get(name)?.trim();
    match text.parse::<i64>() {
        Ok(value) if (from..=to).contains(&value) => Some(value),
        _ => {
            mapped.refuse(name, format!("{text:?} is not a whole number from {from} to {to}"), "Correct the number");
            None
        }
    }
}

fn flag(mapped: &mut Mapped, properties: &Properties, name: &str) -> Option<bool> {
    match properties.get(name)?.trim().to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        other => {
            mapped.refuse(name, format!("{other:?} is neither true nor false"), "Correct it");
            None
        }
    }
}

/// Translates the rows of [`COMMON`] that are a [`Rule`].
fn common(mapped: &mut Mapped, properties: &Properties) {
    const INT: i64 = i32::MAX as i64;
    if let Some(ms) = number(mapped, properties, "metadata.max.age.ms", 0, i64::MAX) {
        // librdkafka forgets a topic after metadata.max.age.ms, so it gets three refresh intervals, as by its defaults.
        let ms = ms.clamp(10, 3_600_000);
        mapped.set("topic.metadata.refresh.interval.ms", ms.to_string());
        mapped.set("metadata.max.age.ms", (ms * 3).to_string());
    }
    if let Some(ms) = number(mapped, properties, "retry.backoff.ms", 0, INT) {
        mapped.set("retry.backoff.ms", ms.clamp(1, 300_000).to_string());
    }
    if let Some(ms) = number(mapped, properties, "request.timeout.ms", 0, INT) {
        mapped.set("socket.timeout.ms", ms.clamp(1_000, 300_000).to_string());
    }
    if let Some(ms) = number(mapped, properties, "connections.max.idle.ms", -1, i64::MAX) {
        mapped.set("connections.max.idle.ms", ms.clamp(0, INT).to_string());
    }
    if let Some(ms) = number(mapped, properties, "socket.connection.setup.timeout.ms", 0, INT) {
        mapped.set("socket.connection.setup.timeout.ms", ms.clamp(1_000, INT).to_string());
    }
    for (java, native) in
        [("send.buffer.bytes", "socket.send.buffer.bytes"), ("receive.buffer.bytes", "socket.receive.buffer.bytes")]
    {
        if let Some(bytes) = number(mapped, properties, java, -1, INT) {
            // The operating system's default is -1 for Java and 0 for librdkafka.
            mapped.set(native, bytes.clamp(0, 100_000_000).to_string());
        }
    }
}

/// Translates the rows of [`PRODUCER`] that are a [`Rule`], and sets this daemon's defaults.
fn produce(mapped: &mut Mapped, properties: &Properties) {
    const INT: i64 = i32::MAX as i64;
    let get = |name: &str| properties.get(name).map(|value| value.trim());

    // Guarantees. The default is acks=all with idempotence; Connect's worker uses no idempotence. With one request in
    // flight and no sequence numbers, as in Connect, a request that timed out may still reach the broker after its
    // retry and after newer records of the same key. With sequence numbers the broker drops such a request (KIP-98).
    let mut idempotent = flag(mapped, properties, "enable.idempotence").unwrap_or(true);
    match get("acks") {
        None | Some("all" | "-1") => mapped.set("acks", "all"),
        Some(acks @ ("0" | "1")) => {
            mapped.set("acks", acks);
            idempotent = false;
            mapped.say("acks", format!("acks={acks}: a broker's failure can lose records; idempotence is off"));
        }
        Some(acks) => mapped.refuse("acks", format!("{acks:?} is not one of all, -1, 0, 1"), "Use acks=all"),
    }
    if let Some(retries) = number(mapped, properties, "retries", 0, INT) {
        mapped.set("retries", retries.to_string());
        if retries == 0 {
            idempotent = false;
            mapped.say("retries", "retries=0: the first network error fails the task; idempotence is off".to_owned());
        }
    }
    mapped.set("enable.idempotence", idempotent.to_string());
    // Without idempotence, more than one request in flight could reorder records, so the default is Connect's 1.
    let in_flight = number(mapped, properties, "max.in.flight.requests.per.connection", 1, INT);
    let in_flight = in_flight.unwrap_or(if idempotent { 5 } else { 1 });
    if idempotent && in_flight > 5 {
        let name = "max.in.flight.requests.per.connection";
        mapped.say(
            name,
            format!(
                "max.in.flight.requests.per.connection={in_flight}: 5 is used, more would break the order (KIP-185)"
            ),
        );
    }
    if !idempotent && in_flight > 1 {
        let name = "max.in.flight.requests.per.connection";
        mapped.say(name, format!(
            "max.in.flight.requests.per.connection={in_flight}: a retry can reorder records; set enable.idempotence=true"
        ));
    }
    mapped.set("max.in.flight", if idempotent { in_flight.min(5) } else { in_flight.min(1_000_000) }.to_string());
    let delivery = number(mapped, properties, "delivery.timeout.ms", 0, INT).unwrap_or(INT);
    // Connect's default Integer.MAX_VALUE (25 days) is meant as "without end", which is 0 for librdkafka.
    mapped.set("message.timeout.ms", if delivery == INT { 0 } else { delivery.max(1) }.to_string());
    if let Some(ms) = number(mapped, properties, "request.timeout.ms", 0, INT) {
        mapped.set("request.timeout.ms", ms.clamp(1, 900_000).to_string());
    }

    // Sizes. The queue is bounded by bytes; the bound on messages only limits librdkafka's overhead of about 400 bytes
    // for each message.
    mapped.set("queue.buffering.max.messages", "100000");
    let request = number(mapped, properties, "max.request.size", 0, INT).unwrap_or(1_048_576);
    mapped.max_request_bytes = request as usize;
    // The sink checks max.request.size as Java does. librdkafka counts a little differently, so its limit is 1 KiB
    // higher.
    mapped.set("message.max.bytes", (request + 1_024).clamp(1_000, 1_000_000_000).to_string());
    // Room for at least two of the largest records; a record larger than the queue would wait for ever.
    let memory = number(mapped, properties, "buffer.memory", 0, i64::MAX).unwrap_or(DEFAULT_MEMORY_BYTES);
    mapped.set("queue.buffering.max.kbytes", (memory.max(2 * request) / 1024).clamp(1, INT).to_string());
    let batch = number(mapped, properties, "batch.size", 0, INT).unwrap_or(DEFAULT_BATCH_BYTES);
    mapped.set("batch.size", batch.clamp(1, 2_147_483_647).to_string());
    if get("linger.ms").is_none() {
        mapped.set("linger.ms", DEFAULT_LINGER_MS);
        mapped.window_bytes = idempotent.then_some((batch as usize, memory.clamp(0, INT * 1024) as usize));
    }

    // Compression: lz4 costs the broker and this process less than no compression.
    let codec = get("compression.type").unwrap_or("lz4");
    match codec {
        "none" | "gzip" | "snappy" | "lz4" | "zstd" => mapped.set("compression.type", codec),
        _ => mapped.refuse(
            "compression.type",
            format!("{codec:?} is not a codec of Kafka"),
            "Use none, gzip, snappy, lz4 or zstd",
        ),
    }
    for (level_of, name, from, to) in [
        ("gzip", "compression.gzip.level", -1, 9),
        ("lz4", "compression.lz4.level", 1, 17),
        ("zstd", "compression.zstd.level", -131_072, 22),
    ] {
        if let Some(level) = number(mapped, properties, name, from, to)
            && level_of == codec
        {
            // librdkafka accepts lz4 levels up to 12, the highest of liblz4.
            mapped.set("compression.level", level.clamp(-1, if codec == "lz4" { 12 } else { 22 }).to_string());
        }
    }

    if get("transaction.timeout.ms").is_some() {
        mapped.warn("transaction.timeout.ms", "no transactions are used (exactly.once.source.support of the worker)");
    }
    partitioner(mapped, properties);
    interceptors(mapped, properties);
}

/// Refuses interceptors, because an interceptor may change what is sent. Those of Confluent's monitoring only count for
/// Control Center, so they are ignored with a warning.
fn interceptors(mapped: &mut Mapped, properties: &Properties) {
    let classes = properties.get("interceptor.classes").map_or("", |classes| classes.as_str());
    for class in classes.split(',').map(str::trim).filter(|class| !class.is_empty()) {
        if class.starts_with("io.confluent.monitoring.clients.interceptor.") {
            mapped.warn("interceptor.classes", "it only counts for Confluent Control Center, and there is no JVM here");
        } else {
            let reason =
                format!("there is no JVM here to load {class}, and records would leave without what it does to them");
            mapped.refuse("interceptor.classes", reason, "Remove it");
        }
    }
}

/// Whether each property of a client works, has no effect, or is refused, for the generated reference.
pub fn support(kind: Client) -> Vec<(&'static str, settings::Support)> {
    let own = match kind {
        Client::Producer => PRODUCER,
        Client::Consumer => CONSUMER,
        Client::Admin => &[],
    };
    let row = |(name, how): &(&'static str, How)| match *how {
        Is(_) | Rule => (*name, settings::Support::Works),
        Ignored(why) => (*name, settings::Support::NoEffect(why)),
        Refused(why, instead) => (*name, settings::Support::Refused(why, instead)),
    };
    COMMON.iter().chain(own).map(row).chain(security::support()).collect()
}

/// Default of `buffer.memory`, in bytes. Java's is 32 MiB. librdkafka's overhead for each message takes about as much
/// memory again, and queueing more than a few milliseconds of records gains nothing.
const DEFAULT_MEMORY_BYTES: i64 = 8 * 1024 * 1024;
/// Default of `batch.size`, in bytes before compression; it is also librdkafka's default. librdkafka does not split a
/// batch that the broker refused as too large. But a topic's `max.message.bytes` limits the compressed batch, so a
/// topic with half or a third of the usual limit still accepts such batches. Measured: 2.8 CPU seconds for a million
/// events, and 3.0 with batches of 262,144 bytes.
const DEFAULT_BATCH_BYTES: i64 = 1_000_000;
/// Default of `linger.ms`. It is not 0, so that records passed on together leave in one request.
const DEFAULT_LINGER_MS: &str = "1";

fn partitioner(mapped: &mut Mapped, properties: &Properties) {
    let ignore_keys = flag(mapped, properties, "partitioner.ignore.keys").unwrap_or(false);
    let class = properties.get("partitioner.class").map_or("", |class| class.trim());
    let class = class.strip_prefix("org.apache.kafka.clients.producer.").unwrap_or(class);
    let native = match class {
        "" | "internals.DefaultPartitioner" if ignore_keys => "random",
        "" | "internals.DefaultPartitioner" => "murmur2_random",
        "RoundRobinPartitioner" | "UniformStickyPartitioner" => {
            mapped.say(
                "partitioner.class",
                format!("partitioner.class={class}: rows of one key go to any partition, in no order"),
            );
            "random"
        }
        _ => {
            mapped.refuse(
                "partitioner.class",
                NO_JVM,
                "Remove it: the partition is then murmur2 of the key, as with Java's default",
            );
            return;
        }
    };
    mapped.set("partitioner", native);
}

#[cfg(test)]
mod tests;
