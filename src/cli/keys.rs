//! The worker's keys.
//!
//! Defaults and checks are those of Kafka Connect 4.3's `DistributedConfig` and `StandaloneConfig`. Keys that are not
//! listed here are kept, because they are passed on to Kafka clients.
//!
//! Must not know: what the settings do.

use settings::{Asked, Check, Def, Key, Kind, Support, Values};

use crate::sink::properties::is_other_handler;

/// Keys of a worker that keeps its state in topics.
pub(super) static DISTRIBUTED: Def = Def::new(&[COMMON, IN_TOPICS, TRACES, FAMILIES]);
/// Keys of a worker that keeps its state in a file.
pub(super) static STANDALONE: Def = Def::new(&[COMMON, IN_A_FILE, TRACES, FAMILIES]);

const COMMON: &[Key] = &[
    Key::new("bootstrap.servers", Kind::List).required().high().checks(&[Check::Distinct])
        .doc("Kafka brokers to connect to first, as host:port, separated by commas. One of them that is up is enough."),
    Key::new("client.dns.lookup", Kind::String).default("use_all_dns_ips").checks(&[Check::OneOfExactly(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"])])
        .doc("How a broker's host name becomes an address: use_all_dns_ips tries all its addresses in turn, resolve_canonical_bootstrap_servers_only replaces each bootstrap name by the canonical names of its addresses."),
    Key::new("client.id", Kind::String).default("")
        .doc("Part of the client ids that the worker's own Kafka clients show to the brokers: <group.id>-<client.id>-configs and so on. Empty leaves it out."),
    Key::new("key.converter", Kind::Class).required().high()
        .doc("Java class of the converter that turns record keys into bytes, for connectors that set no key.converter. Its own settings begin with key.converter."),
    Key::new("value.converter", Kind::Class).required().high()
        .doc("Java class of the converter that turns record values into bytes, for connectors that set no value.converter. Its own settings begin with value.converter."),
    Key::new("header.converter", Kind::Class).default("org.apache.kafka.connect.storage.SimpleHeaderConverter")
        .doc("Java class of the converter that turns record headers into bytes, for connectors that set no header.converter."),
    Key::new("key.converter.plugin.version", Kind::String)
        .doc("Version that the key converter must have.")
        .support(Support::NoEffect("there is one version of each converter, the one that is built in")),
    Key::new("value.converter.plugin.version", Kind::String)
        .doc("Version that the value converter must have.")
        .support(Support::NoEffect("there is one version of each converter, the one that is built in")),
    Key::new("header.converter.plugin.version", Kind::String)
        .doc("Version that the header converter must have.")
        .support(Support::NoEffect("there is one version of each converter, the one that is built in")),
    Key::new("task.shutdown.graceful.timeout.ms", Kind::Long).default("5000")
        .doc("Milliseconds that all tasks together have to end when the worker stops. Records that are not delivered by then are sent again after the next start."),
    Key::new("offset.flush.interval.ms", Kind::Long).default("60000")
        .doc("Milliseconds between two commits of the connectors' offsets. After a crash, at most the records of that time are sent twice."),
    Key::new("offset.flush.timeout.ms", Kind::Long).default("5000")
        .doc("Milliseconds that one commit of offsets may take before it is given up and tried again."),
    Key::new("task.restart.enabled", Kind::Boolean).default("true")
        .doc("Whether a task that failed restarts by itself when the cause may pass (docs/restarts.md has the causes). With false it stays FAILED until somebody restarts it, as in Kafka Connect. A connector's own task.restart.* come first. Not a key of Kafka Connect."),
    Key::new("task.restart.backoff.ms", Kind::Long).default("10000").checks(&[Check::Range { min: Some(1), max: None }])
        .doc("Milliseconds before a task that failed restarts by itself for the first time; pauses double from there to task.restart.backoff.max.ms, and each is drawn at random from the upper half of its length. Not a key of Kafka Connect."),
    Key::new("task.restart.backoff.max.ms", Kind::Long).default("300000").checks(&[Check::Range { min: Some(1), max: None }])
        .doc("Longest pause in milliseconds before a task that failed restarts by itself. After a task has run for so long, its earlier restarts do not count any more. Not a key of Kafka Connect."),
    Key::new("task.restart.max.attempts", Kind::Int).default("-1").checks(&[Check::Range { min: Some(-1), max: None }])
        .doc("How often in a row a task restarts by itself before it stays FAILED; -1 without a limit. Where it is not known whether the cause can pass, three times at most. Not a key of Kafka Connect."),
    Key::new("plugin.path", Kind::List)
        .doc("Directories in which Kafka Connect looks for Java plug-ins.")
        .support(Support::NoEffect("all plug-ins are built in, and no Java classes are loaded")),
    Key::new("plugin.discovery", Kind::String).default("hybrid_warn").checks(&[Check::OneOfAnyCase(&["only_scan", "hybrid_warn", "hybrid_fail", "service_load"])])
        .doc("How Kafka Connect finds Java plug-ins in plugin.path.")
        .support(Support::NoEffect("all plug-ins are built in, and no Java classes are loaded")),
    Key::new("config.providers", Kind::List).default("").checks(&[Check::Distinct])
        .doc("Names of the config providers that replace ${name:path:key} in configurations; config.providers.<name>.class chooses each one."),
    Key::new("connector.client.config.override.policy", Kind::String).default("All")
        .doc("Which producer.override.*, consumer.override.* and admin.override.* a connector may set: All, None, Principal (only sasl.jaas.config, sasl.mechanism and security.protocol) or Allowlist."),
    Key::new("connector.client.config.override.allowlist", Kind::List).default("")
        .doc("With connector.client.config.override.policy=Allowlist: the client properties that a connector may override, without prefix, separated by commas."),
    Key::new("topic.tracking.enable", Kind::Boolean).default("true")
        .doc("Keep a list of the topics that each connector has written to; GET /connectors/{name}/topics shows it."),
    Key::new("topic.tracking.allow.reset", Kind::Boolean).default("true")
        .doc("Allow PUT /connectors/{name}/topics/reset to empty the list of topics that topic.tracking.enable keeps."),
    Key::new("topic.creation.enable", Kind::Boolean).default("true")
        .doc("Create a connector's topics before their first record, as its topic.creation.* keys say. With false, the broker creates them or nobody does."),
    Key::new("listeners", Kind::List).default("http://:8083")
        .doc("Addresses on which the REST API listens, as scheme://host:port, separated by commas; the scheme is http or https. An empty host means all interfaces."),
    Key::new("rest.advertised.host.name", Kind::String)
        .doc("Host name that this worker gives as its own, in worker_id and in the group. Not set: the listener's, or the machine's name if it listens on all interfaces."),
    Key::new("rest.advertised.port", Kind::Int)
        .doc("Port that this worker gives as its own, in worker_id and in the group. Not set: the listener's."),
    Key::new("rest.advertised.listener", Kind::String)
        .doc("http or https: the scheme of the listener that this worker gives as its own address. Not set: http, unless all listeners are https."),
    Key::new("access.control.allow.origin", Kind::String).default("")
        .doc("Origins whose pages may call the REST API from a browser (CORS): regexes separated by commas, or * for all. Empty sends no CORS headers."),
    Key::new("access.control.allow.methods", Kind::String).default("")
        .doc("HTTP methods with which such pages may call the REST API (CORS), separated by commas. Empty means GET, POST and HEAD."),
    Key::new("admin.listeners", Kind::List)
        .doc("Addresses on which /admin listens, written as those of listeners. Not set: /admin is served by the listeners; set to nothing: nobody serves it."),
    Key::new("rest.extension.classes", Kind::List).default("")
        .doc("Java classes of REST extensions. BasicAuthSecurityRestExtension, which asks for a password, is built in; others are refused."),
    Key::new("afterimage.rest.login.config", Kind::String)
        .doc("File with the JAAS login configuration (users and passwords) for the basic auth extension. Not set: the file that -Djava.security.auth.login.config names in KAFKA_OPTS or EXTRA_ARGS. Not a key of Kafka Connect."),
    Key::new("response.http.headers.config", Kind::String).default("")
        .doc("Headers to add to every answer of the REST API, as 'set Name: value', separated by commas."),
    Key::new("metrics.sample.window.ms", Kind::Long).default("30000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Milliseconds over which Kafka Connect takes one sample of a metric that is a rate.")
        .support(Support::NoEffect("rates, means and extremes of GET /metrics are those of two samples of 30 s, as by default")),
    Key::new("metrics.num.samples", Kind::Int).default("2").checks(&[Check::Range { min: Some(1), max: None }])
        .doc("Number of samples from which Kafka Connect computes a metric that is a rate.")
        .support(Support::NoEffect("rates, means and extremes of GET /metrics are those of two samples of 30 s, as by default")),
    Key::new("metrics.recording.level", Kind::String).default("INFO").checks(&[Check::OneOfExactly(&["INFO", "DEBUG"])])
        .doc("Level of detail of Kafka Connect's metrics: INFO or DEBUG.")
        .support(Support::NoEffect("GET /metrics shows all metrics")),
    Key::new("metrics.names", Kind::List).default("f1")
        .doc("By which rules GET /metrics names Connect's metrics: f1 (the Prometheus JMX exporter without rules, Confluent's stacks), f2 (the exporter's example file, Strimzi), f3 (Debezium's example), or several, separated by commas. With strip-total, names lack _total, as the exporter writes them since version 1.0. docs/metrics.md lists the names. Not a key of Kafka Connect."),
    Key::new("metric.reporters", Kind::List).default("org.apache.kafka.common.metrics.JmxReporter")
        .doc("Java classes to which Kafka Connect hands its metrics.")
        .support(Support::NoEffect("a reporter is a Java class, and there is no JVM and no JMX here")),
    Key::new("security.protocol", Kind::String).default("PLAINTEXT").checks(&[Check::OneOfAnyCase(&["PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL"])])
        .doc("Whether the worker's own Kafka clients use TLS (SSL), a login (SASL_PLAINTEXT), both (SASL_SSL) or neither (PLAINTEXT). Connectors' producers need producer.security.protocol as well."),
    Key::new("sasl.mechanism", Kind::String).default("GSSAPI")
        .doc("SASL mechanism with which the worker's own Kafka clients log in: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or AWS_MSK_IAM. The default GSSAPI (Kerberos) is refused."),
    Key::new("sasl.jaas.config", Kind::Password)
        .doc("JAAS line with which the worker's own Kafka clients log in: user name and password, or what a login by tokens needs."),
    Key::new("ssl.protocol", Kind::String).default("TLSv1.3")
        .doc("TLS version that Java prefers.")
        .support(Support::NoEffect("the newest TLS version that both sides know is negotiated")),
    Key::new("ssl.enabled.protocols", Kind::List).default("TLSv1.2,TLSv1.3")
        .doc("TLS versions that are allowed, separated by commas: TLSv1.2, TLSv1.3. The REST API speaks exactly these. Towards the brokers TLS 1.2 cannot be switched off, so a list without it is refused if security.protocol uses TLS."),
    Key::new("ssl.cipher.suites", Kind::List)
        .doc("Cipher suites that the REST API allows, by Java's names, separated by commas. Not set: the usual ones. Refused if security.protocol uses TLS, because Kafka clients cannot be limited to them."),
    Key::new("ssl.keystore.type", Kind::String).default("JKS")
        .doc("Form of the file in ssl.keystore.location: PEM, PKCS12 or JKS. The file's content decides; another type is refused by Kafka clients."),
    Key::new("ssl.keystore.location", Kind::String)
        .doc("File with the worker's own certificate and private key, for TLS to the brokers and for the REST API."),
    Key::new("ssl.keystore.password", Kind::Password)
        .doc("Password of the file in ssl.keystore.location."),
    Key::new("ssl.keystore.key", Kind::Password)
        .doc("Private key of the worker's own certificate, as PEM text, in place of ssl.keystore.location."),
    Key::new("ssl.keystore.certificate.chain", Kind::Password)
        .doc("Certificate that belongs to ssl.keystore.key, and those of its issuers, as PEM text."),
    Key::new("ssl.key.password", Kind::Password)
        .doc("Password of the private key in ssl.keystore.key or ssl.keystore.location."),
    Key::new("ssl.truststore.type", Kind::String).default("JKS")
        .doc("Form of the file in ssl.truststore.location: PEM, PKCS12 or JKS. The file's content decides; another type is refused by Kafka clients."),
    Key::new("ssl.truststore.location", Kind::String)
        .doc("File with the certificates of the authorities by which brokers, and clients of the REST API, are verified: PEM, PKCS12 or JKS. Not set: brokers are verified by those that the system trusts."),
    Key::new("ssl.truststore.password", Kind::Password)
        .doc("Password of the file in ssl.truststore.location, if it is PKCS12 or JKS."),
    Key::new("ssl.truststore.certificates", Kind::Password)
        .doc("Certificates of the authorities that are trusted, as PEM text, in place of ssl.truststore.location."),
    Key::new("ssl.endpoint.identification.algorithm", Kind::String).default("https")
        .doc("https: a broker's certificate must carry the broker's host name. Empty: it need not, and an attacker with any trusted certificate can pose as the broker."),
    Key::new("ssl.client.auth", Kind::String).default("none").checks(&[Check::OneOfExactly(&["none", "requested", "required"])])
        .doc("Whether clients of the REST API must show a certificate (over https): none, requested or required."),
    Key::new("request.timeout.ms", Kind::Int).default("40000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Milliseconds that the worker's own Kafka clients wait for a broker's answer to one request."),
    Key::new("retry.backoff.ms", Kind::Long).default("100").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Milliseconds before a failed request to a broker is sent for the second time; later waits double up to retry.backoff.max.ms."),
    Key::new("retry.backoff.max.ms", Kind::Long).default("1000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Longest wait in milliseconds before a failed request to a broker is sent again."),
    Key::new("reconnect.backoff.ms", Kind::Long).default("50").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Milliseconds before a lost connection to a broker is opened again; later waits double up to reconnect.backoff.max.ms."),
    Key::new("reconnect.backoff.max.ms", Kind::Long).default("1000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Longest wait in milliseconds before a lost connection to a broker is opened again."),
    Key::new("metadata.max.age.ms", Kind::Long).default("300000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Milliseconds after which the worker's own Kafka clients ask again which brokers and topics there are."),
    Key::new("connections.max.idle.ms", Kind::Long).default("540000")
        .doc("Milliseconds after which an unused connection to a broker is closed."),
    Key::new("send.buffer.bytes", Kind::Int).default("131072").checks(&[Check::Range { min: Some(-1), max: None }])
        .doc("Bytes of the send buffer of each connection to a broker; -1 leaves the size to the operating system."),
    Key::new("receive.buffer.bytes", Kind::Int).default("32768").checks(&[Check::Range { min: Some(-1), max: None }])
        .doc("Bytes of the receive buffer of each connection to a broker; -1 leaves the size to the operating system."),
    Key::new("socket.connection.setup.timeout.ms", Kind::Long).default("10000")
        .doc("Milliseconds that opening a connection to a broker may take."),
    Key::new("socket.connection.setup.timeout.max.ms", Kind::Long).default("30000")
        .doc("Longest time in milliseconds that opening a connection to a broker may take: Java's clients double socket.connection.setup.timeout.ms up to it after each failure.")
        .support(Support::NoEffect("each attempt to connect has the same limit, socket.connection.setup.timeout.ms")),
    Key::new("metadata.recovery.strategy", Kind::String).default("rebootstrap").checks(&[Check::OneOfAnyCase(&["none", "rebootstrap"])])
        .doc("What Kafka clients do when none of the brokers that they know answers: rebootstrap connects to bootstrap.servers again, none keeps trying the known ones."),
    Key::new("metadata.recovery.rebootstrap.trigger.ms", Kind::Long).default("300000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("With metadata.recovery.strategy=rebootstrap: milliseconds for which no known broker answers before bootstrap.servers are asked again."),
    Key::new("afterimage.log.level", Kind::String).default("info")
        .doc("Level of the log (error, warn, info, debug, trace), or a filter of Rust's tracing such as info,postgres=debug. Not a key of Kafka Connect."),
];

const IN_TOPICS: &[Key] = &[
    Key::new("group.id", Kind::String).required().high().checks(&[Check::NonEmpty])
        .doc("Name of the group of workers. One worker of the group runs all connectors, and the others take over when it fails. Must differ from every consumer group."),
    Key::new("config.storage.topic", Kind::String).required().high().checks(&[Check::NonEmpty])
        .doc("Topic in which the connectors' configurations are kept; compacted, with one partition. Created if it is missing."),
    Key::new("offset.storage.topic", Kind::String).required().high().checks(&[Check::NonEmpty])
        .doc("Topic in which the connectors' positions (offsets) are kept; compacted. Created if it is missing. If it is lost, every connector starts from the beginning."),
    Key::new("status.storage.topic", Kind::String).required().high().checks(&[Check::NonEmpty])
        .doc("Topic in which the states of connectors and tasks are kept; compacted. Created if it is missing."),
    Key::new("config.storage.replication.factor", Kind::Short).default("3").checks(&[Check::Range { min: Some(-1), max: None }])
        .doc("Number of replicas with which config.storage.topic is created; -1 leaves it to the broker."),
    Key::new("offset.storage.replication.factor", Kind::Short).default("3").checks(&[Check::Range { min: Some(-1), max: None }])
        .doc("Number of replicas with which offset.storage.topic is created; -1 leaves it to the broker."),
    Key::new("status.storage.replication.factor", Kind::Short).default("3").checks(&[Check::Range { min: Some(-1), max: None }])
        .doc("Number of replicas with which status.storage.topic is created; -1 leaves it to the broker."),
    Key::new("offset.storage.partitions", Kind::Int).default("25").checks(&[Check::Range { min: Some(-1), max: None }])
        .doc("Number of partitions with which offset.storage.topic is created; -1 leaves it to the broker."),
    Key::new("status.storage.partitions", Kind::Int).default("5").checks(&[Check::Range { min: Some(-1), max: None }])
        .doc("Number of partitions with which status.storage.topic is created; -1 leaves it to the broker."),
    Key::new("afterimage.instance.id", Kind::String)
        .doc("Name by which the group knows this worker again after a restart, so that after a crash it takes its own place back at once. No two workers of a group may have the same. Not set: the advertised host and port. Not a key of Kafka Connect."),
    Key::new("session.timeout.ms", Kind::Int).default("10000").checks(&[Check::Range { min: Some(1), max: None }])
        .doc("Milliseconds without a heartbeat after which the brokers count the worker as dead, and another worker of the group takes over."),
    Key::new("heartbeat.interval.ms", Kind::Int).default("3000").checks(&[Check::Range { min: Some(1), max: None }])
        .doc("Milliseconds between two heartbeats of the worker to the group. Should be below a third of session.timeout.ms."),
    Key::new("rebalance.timeout.ms", Kind::Int).default("60000").checks(&[Check::Range { min: Some(1), max: None }])
        .doc("Milliseconds that a Java worker has to give up its tasks when workers join or leave the group.")
        .support(Support::NoEffect("one worker of the group runs all connectors, and the others wait for its place")),
    Key::new("connect.protocol", Kind::String).default("sessioned").checks(&[Check::OneOfAnyCase(&["eager", "compatible", "sessioned"])])
        .doc("Protocol by which Java workers share connectors and tasks among them: eager, compatible or sessioned.")
        .support(Support::NoEffect("one worker of the group runs all connectors, and the others wait for its place")),
    Key::new("scheduled.rebalance.max.delay.ms", Kind::Int).default("300000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Milliseconds that Java workers wait for a lost worker to come back before they take over its tasks.")
        .support(Support::NoEffect("one worker of the group runs all connectors, and the others wait for its place")),
    Key::new("worker.sync.timeout.ms", Kind::Int).default("3000")
        .doc("Milliseconds that a Java worker may take to read config.storage.topic to its end when the group changes.")
        .support(Support::NoEffect("one worker of the group runs all connectors, and the others wait for its place")),
    Key::new("worker.unsync.backoff.ms", Kind::Int).default("300000")
        .doc("Milliseconds that a Java worker stays out of the group after it could not read config.storage.topic in worker.sync.timeout.ms.")
        .support(Support::NoEffect("one worker of the group runs all connectors, and the others wait for its place")),
    Key::new("exactly.once.source.support", Kind::String).default("disabled").checks(&[Check::OneOfAnyCase(&["disabled", "preparing", "enabled"])])
        .doc("Whether a connector's records and its offsets are written in one Kafka transaction (exactly once): disabled, preparing (a step on the way that changes nothing for records) or enabled. With enabled, consumers must read with isolation.level=read_committed, and the rows of a snapshot become visible together."),
    Key::new("inter.worker.key.generation.algorithm", Kind::String).default("HmacSHA256")
        .doc("Algorithm that makes the key with which Java workers sign their calls to each other.")
        .support(Support::NoEffect("workers do not call each other")),
    Key::new("inter.worker.key.size", Kind::Int)
        .doc("Bits of the key with which Java workers sign their calls to each other. Not set: the algorithm's default.")
        .support(Support::NoEffect("workers do not call each other")),
    Key::new("inter.worker.key.ttl.ms", Kind::Int).default("3600000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Milliseconds after which Java workers renew the key with which they sign their calls to each other.")
        .support(Support::NoEffect("workers do not call each other")),
    Key::new("inter.worker.signature.algorithm", Kind::String).default("HmacSHA256")
        .doc("Algorithm with which Java workers sign their calls to each other. Must be in inter.worker.verification.algorithms.")
        .support(Support::NoEffect("workers do not call each other")),
    Key::new("inter.worker.verification.algorithms", Kind::List).default("HmacSHA256")
        .doc("Algorithms of signatures that calls between workers may have, separated by commas. A call that is signed with another one is answered with 400, any other with 403: no Java worker is in the group of this one."),
];

const IN_A_FILE: &[Key] = &[Key::new("offset.storage.file.filename", Kind::String)
    .required()
    .high()
    .checks(&[Check::NonEmpty])
    .doc("File in which the connectors' positions (offsets) are kept. If it is lost, every connector starts from the beginning.")];

/// The standard variables of OpenTelemetry, as properties. All but the endpoint are looked at only if there is one, so none is checked
/// here. None is a key of Kafka Connect.
const TRACES: &[Key] = &[
    Key::new("otel.exporter.otlp.endpoint", Kind::String).unlisted()
        .doc("Address of the collector that takes spans, for example http://localhost:4318; /v1/traces is added to its path. Without an endpoint traces are off (docs/traces.md). Variable OTEL_EXPORTER_OTLP_ENDPOINT."),
    Key::new("otel.exporter.otlp.traces.endpoint", Kind::String).unlisted()
        .doc("Address to which spans are sent as it is, with its whole path, in place of otel.exporter.otlp.endpoint. Variable OTEL_EXPORTER_OTLP_TRACES_ENDPOINT."),
    Key::new("otel.exporter.otlp.protocol", Kind::String).default("http/protobuf").unlisted()
        .doc("How spans are sent: http/protobuf. Any other, such as grpc, ends the start if there is an endpoint. Variable OTEL_EXPORTER_OTLP_PROTOCOL."),
    Key::new("otel.exporter.otlp.traces.protocol", Kind::String).unlisted()
        .doc("The same as otel.exporter.otlp.protocol, which it comes before. Variable OTEL_EXPORTER_OTLP_TRACES_PROTOCOL."),
    Key::new("otel.exporter.otlp.headers", Kind::Password).unlisted()
        .doc("Headers of each export, for example with a token: name=value pairs separated by commas, values percent-encoded. Variable OTEL_EXPORTER_OTLP_HEADERS."),
    Key::new("otel.exporter.otlp.traces.headers", Kind::Password).unlisted()
        .doc("The same as otel.exporter.otlp.headers, in whose place it is used. Variable OTEL_EXPORTER_OTLP_TRACES_HEADERS."),
    Key::new("otel.exporter.otlp.timeout", Kind::String).default("10000").unlisted()
        .doc("Milliseconds that the collector may take for an answer. Variable OTEL_EXPORTER_OTLP_TIMEOUT."),
    Key::new("otel.exporter.otlp.traces.timeout", Kind::String).unlisted()
        .doc("The same as otel.exporter.otlp.timeout, which it comes before. Variable OTEL_EXPORTER_OTLP_TRACES_TIMEOUT."),
    Key::new("otel.exporter.otlp.certificate", Kind::String).unlisted()
        .doc("File with the certificates of the authorities that are trusted, if the endpoint is https. Not set: those that the system trusts. Variable OTEL_EXPORTER_OTLP_CERTIFICATE."),
    Key::new("otel.exporter.otlp.traces.certificate", Kind::String).unlisted()
        .doc("The same as otel.exporter.otlp.certificate, which it comes before. Variable OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE."),
    Key::new("otel.exporter.otlp.client.certificate", Kind::String).unlisted()
        .doc("File with this worker's own certificate, if the collector asks for one. Variable OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE."),
    Key::new("otel.exporter.otlp.traces.client.certificate", Kind::String).unlisted()
        .doc("The same as otel.exporter.otlp.client.certificate, which it comes before. Variable OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE."),
    Key::new("otel.exporter.otlp.client.key", Kind::String).unlisted()
        .doc("File with the private key of otel.exporter.otlp.client.certificate. Variable OTEL_EXPORTER_OTLP_CLIENT_KEY."),
    Key::new("otel.exporter.otlp.traces.client.key", Kind::String).unlisted()
        .doc("The same as otel.exporter.otlp.client.key, which it comes before. Variable OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY."),
    Key::new("otel.exporter.otlp.compression", Kind::String).default("none").unlisted()
        .doc("How exports are compressed: gzip or none. Variable OTEL_EXPORTER_OTLP_COMPRESSION.")
        .support(Support::NoEffect("exports are not compressed, which every collector takes")),
    Key::new("otel.traces.exporter", Kind::String).unlisted()
        .doc("otlp, or none to switch traces off. Not set: otlp. Variable OTEL_TRACES_EXPORTER."),
    Key::new("otel.sdk.disabled", Kind::String).default("false").unlisted()
        .doc("true switches traces off. Variable OTEL_SDK_DISABLED."),
    Key::new("otel.service.name", Kind::String).default("afterimage").unlisted()
        .doc("service.name of all spans. Variable OTEL_SERVICE_NAME."),
    Key::new("otel.resource.attributes", Kind::String).unlisted()
        .doc("What else is said of this process in all spans: name=value pairs separated by commas, values percent-encoded. Variable OTEL_RESOURCE_ATTRIBUTES."),
    Key::new("otel.traces.sampler", Kind::String).default("parentbased_always_on").unlisted()
        .doc("Which traces are recorded: always_on, always_off, traceidratio, or one of them with parentbased_ in front, so that a span with a parent does as its parent. Variable OTEL_TRACES_SAMPLER."),
    Key::new("otel.traces.sampler.arg", Kind::String).unlisted()
        .doc("For traceidratio: the part of all traces that is recorded, from 0 to 1. Variable OTEL_TRACES_SAMPLER_ARG."),
    Key::new("otel.propagators", Kind::String).default("tracecontext,baggage").unlisted()
        .doc("Whether the trace of a REST call is gone on with: tracecontext is the form that is known; none, or others alone, begin a trace with each call. Variable OTEL_PROPAGATORS."),
    Key::new("otel.bsp.schedule.delay", Kind::String).default("5000").unlisted()
        .doc("Milliseconds that a span waits at most until it is sent. Variable OTEL_BSP_SCHEDULE_DELAY."),
    Key::new("otel.bsp.max.queue.size", Kind::String).default("2048").unlisted()
        .doc("How many spans may wait. When the collector is slower than they end, later ones are dropped. Variable OTEL_BSP_MAX_QUEUE_SIZE."),
    Key::new("otel.bsp.max.export.batch.size", Kind::String).default("512").unlisted()
        .doc("How many spans are sent together at most. Variable OTEL_BSP_MAX_EXPORT_BATCH_SIZE."),
    Key::new("otel.bsp.export.timeout", Kind::String).default("30000").unlisted()
        .doc("Milliseconds that one export may take with all its attempts. Then its spans are dropped. Variable OTEL_BSP_EXPORT_TIMEOUT."),
];

/// What becomes of a Java class for SASL logins that is never loaded.
const SASL_CLASS: Support = Support::Partly(&[
    (
        Values::Own(uses_sasl),
        Support::Refused(
            "there is no JVM here to load the class",
            "Remove it, and give username and password in sasl.jaas.config.",
        ),
    ),
    (Values::Not(&[]), Support::NoEffect("security.protocol uses no SASL")),
]);

/// What becomes of the classes that answer for a login: some are known, and their work is done here.
const SASL_HANDLER: Support = Support::Partly(&[
    (Values::Own(|asked| !uses_sasl(asked)), Support::NoEffect("security.protocol uses no SASL")),
    (
        Values::Own(is_other_handler),
        Support::Refused(
            "there is no JVM here to load the class",
            "Known are org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler with \
             sasl.oauthbearer.token.endpoint.url, and those of software.amazon.msk.auth.iam.",
        ),
    ),
]);

/// What becomes of the settings of logins by tokens.
const OF_TOKENS: Support = Support::Partly(&[(
    Values::Own(|asked| !uses_tokens(asked)),
    Support::NoEffect("only the mechanism OAUTHBEARER uses it"),
)]);

fn uses_tokens(asked: &Asked<'_>) -> bool {
    let mechanism = asked.properties.get("sasl.mechanism").unwrap_or_default().trim().to_ascii_uppercase();
    uses_sasl(asked) && matches!(&*mechanism, "OAUTHBEARER" | "AWS_MSK_IAM")
}

fn protocol(asked: &Asked<'_>) -> String {
    asked.properties.get("security.protocol").unwrap_or_default().trim().to_ascii_uppercase()
}

fn uses_sasl(asked: &Asked<'_>) -> bool {
    protocol(asked).starts_with("SASL")
}

fn uses_tls(asked: &Asked<'_>) -> bool {
    protocol(asked).ends_with("SSL")
}

/// Keys that stand outside of Connect's own list or that only Java reads, many of them with a variable part.
const FAMILIES: &[Key] = &[
    Key::new("key.converter.<option>", Kind::String).unlisted().family("key.converter.<option>")
        .doc("An option of the converter in key.converter, for example key.converter.schemas.enable. Options are listed with each converter below."),
    Key::new("value.converter.<option>", Kind::String).unlisted().family("value.converter.<option>")
        .doc("An option of the converter in value.converter, for example value.converter.schemas.enable. Options are listed with each converter below."),
    Key::new("header.converter.<option>", Kind::String).unlisted().family("header.converter.<option>")
        .doc("An option of the converter in header.converter. Options are listed with each converter below."),
    Key::new("producer.<property>", Kind::String).unlisted().family("producer.<property>")
        .doc("A property of the producers of all connectors, for example producer.linger.ms. They inherit only bootstrap.servers from the worker's own clients, and no security settings. The properties are listed below."),
    Key::new("admin.<property>", Kind::String).unlisted().family("admin.<property>")
        .doc("A property of the admin clients that make the connectors' topics. They inherit the worker's own client settings, which this overrides. The properties are listed below."),
    Key::new("consumer.<property>", Kind::String).unlisted().family("consumer.<property>")
        .doc("A property of the consumers of all connectors.")
        .support(Support::NoEffect("a source connector has no consumer")),
    Key::new("ssl.provider", Kind::String).unlisted()
        .doc("Name of the JVM's security provider for TLS.")
        .support(Support::NoEffect("there are no JVM security providers here")),
    Key::new("ssl.keymanager.algorithm", Kind::String).default("SunX509").unlisted()
        .doc("Algorithm of the JVM's key manager.")
        .support(Support::NoEffect("there is no JVM here")),
    Key::new("ssl.trustmanager.algorithm", Kind::String).default("PKIX").unlisted()
        .doc("Algorithm of the JVM's trust manager.")
        .support(Support::NoEffect("there is no JVM here")),
    Key::new("ssl.secure.random.implementation", Kind::String).unlisted()
        .doc("The JVM's source of random numbers for TLS.")
        .support(Support::NoEffect("there is no JVM here")),
    Key::new("ssl.engine.factory.class", Kind::Class).unlisted()
        .doc("Java class that makes the TLS engines of Kafka clients.")
        .support(Support::Partly(&[(Values::Own(uses_tls), Support::Refused("there is no JVM here to load the class", "Remove it, and use PEM files.")), (Values::Not(&[]), Support::NoEffect("security.protocol uses no TLS"))])),
    Key::new("sasl.login.class", Kind::Class).unlisted()
        .doc("Java class that logs in to the brokers.").support(SASL_CLASS),
    Key::new("sasl.client.callback.handler.class", Kind::Class).unlisted()
        .doc("Java class that answers the questions of a SASL mechanism.").support(SASL_HANDLER),
    Key::new("sasl.login.callback.handler.class", Kind::Class).unlisted()
        .doc("Java class that fetches the credentials for a login to the brokers.").support(SASL_HANDLER),
    Key::new("sasl.kerberos.<setting>", Kind::String).unlisted().family("sasl.kerberos.<setting>")
        .doc("A setting of Kerberos.")
        .support(Support::NoEffect("only the mechanism GSSAPI uses it, and that is refused")),
    Key::new("sasl.login.<setting>", Kind::String).unlisted().family("sasl.login.<setting>")
        .doc("When and how the token of a login by OAUTHBEARER is fetched and renewed. The settings are among the properties of producers below.")
        .support(OF_TOKENS),
    Key::new("sasl.oauthbearer.<setting>", Kind::String).unlisted().family("sasl.oauthbearer.<setting>")
        .doc("A setting of logins by OAUTHBEARER, for example sasl.oauthbearer.token.endpoint.url. The settings are among the properties of producers below.")
        .support(OF_TOKENS),
    Key::new("config.providers.<name>.class", Kind::Class).unlisted().family("config.providers.<name>.class")
        .doc("Java class of the config provider called <name>: Kafka's FileConfigProvider, DirectoryConfigProvider or EnvVarConfigProvider. Others are refused."),
    Key::new("config.providers.<name>.param.<parameter>", Kind::String).unlisted()
        .family("config.providers.<name>.param.<parameter>")
        .doc("A parameter of the config provider called <name>: allowed.paths limits the files and directories that it reads, allowlist.pattern the environment variables."),
    Key::new("listeners.https.<property>", Kind::String).unlisted().family("listeners.https.<property>")
        .doc("An ssl.* key for the REST API alone, for example listeners.https.ssl.keystore.location. If any such key is set, the REST API ignores the ssl.* keys without the prefix."),
    Key::new("admin.listeners.https.<property>", Kind::String).unlisted().family("admin.listeners.https.<property>")
        .doc("An ssl.* key for admin.listeners alone, for example admin.listeners.https.ssl.keystore.location."),
    Key::new("config.storage.partitions", Kind::Int).unlisted().doc("Number of partitions with which config.storage.topic would be created.")
        .support(Support::NoEffect("the config topic has one partition")),
    Key::new("config.storage.cleanup.policy", Kind::String).default("compact").unlisted().doc("cleanup.policy with which config.storage.topic is created.")
        .support(Support::NoEffect("the topic is always compacted")),
    Key::new("offset.storage.cleanup.policy", Kind::String).default("compact").unlisted().doc("cleanup.policy with which offset.storage.topic is created.")
        .support(Support::NoEffect("the topic is always compacted")),
    Key::new("status.storage.cleanup.policy", Kind::String).default("compact").unlisted().doc("cleanup.policy with which status.storage.topic is created.")
        .support(Support::NoEffect("the topic is always compacted")),
    Key::new("config.storage.<setting>", Kind::String).unlisted().family("config.storage.<setting>")
        .doc("A topic setting with which config.storage.topic is created, for example config.storage.min.insync.replicas."),
    Key::new("offset.storage.<setting>", Kind::String).unlisted().family("offset.storage.<setting>")
        .doc("A topic setting with which offset.storage.topic is created, for example offset.storage.min.insync.replicas."),
    Key::new("status.storage.<setting>", Kind::String).unlisted().family("status.storage.<setting>")
        .doc("A topic setting with which status.storage.topic is created, for example status.storage.min.insync.replicas."),
    Key::new("internal.key.converter", Kind::Class).default("org.apache.kafka.connect.json.JsonConverter").unlisted()
        .family("internal.key.converter.<option>").doc("Converter with which workers before Kafka 3.0 wrote the keys of their own topics.")
        .support(Support::NoEffect("state is JSON without schemas, as since Kafka 3.0")),
    Key::new("internal.value.converter", Kind::Class).default("org.apache.kafka.connect.json.JsonConverter").unlisted()
        .family("internal.value.converter.<option>").doc("Converter with which workers before Kafka 3.0 wrote the values of their own topics.")
        .support(Support::NoEffect("state is JSON without schemas, as since Kafka 3.0")),
    Key::new("metrics.context.<label>", Kind::String).unlisted().family("metrics.context.<label>")
        .doc("A label that Java metric reporters attach to all metrics.")
        .support(Support::NoEffect("a reporter is a Java class, and there is no JVM and no JMX here")),
];
