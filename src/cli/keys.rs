//! The worker's keys.
//!
//! Defaults and checks are those of Kafka Connect 4.3's `DistributedConfig` and `StandaloneConfig`. Keys that are not
//! listed here are kept, because they are passed on to Kafka clients.
//!
//! Must not know: what the settings do.

use settings::{Check, Def, Key, Kind, Support, Values};

/// Keys of a worker that keeps its state in topics.
pub(super) static DISTRIBUTED: Def = Def::new(&[COMMON, IN_TOPICS, FAMILIES]);
/// Keys of a worker that keeps its state in a file.
pub(super) static STANDALONE: Def = Def::new(&[COMMON, IN_A_FILE, FAMILIES]);

const COMMON: &[Key] = &[
    Key::new("bootstrap.servers", Kind::List).required().high().checks(&[Check::Distinct])
        .doc("Kafka brokers to ask first, host:port and commas. One that is up is enough."),
    Key::new("client.dns.lookup", Kind::String).default("use_all_dns_ips").checks(&[Check::OneOfExactly(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"])])
        .doc("How broker names become addresses."),
    Key::new("client.id", Kind::String).default("")
        .doc("Put into the names by which the internal Kafka clients are known to the brokers."),
    Key::new("key.converter", Kind::Class).required().high()
        .doc("Converter of keys for connectors that name none. Its own settings stand under key.converter."),
    Key::new("value.converter", Kind::Class).required().high()
        .doc("Converter of values for connectors that name none. Its own settings stand under value.converter."),
    Key::new("header.converter", Kind::Class).default("org.apache.kafka.connect.storage.SimpleHeaderConverter")
        .doc("Converter of headers for connectors that name none."),
    Key::new("key.converter.plugin.version", Kind::String)
        .doc("Wanted version of the key converter.")
        .support(Support::NoEffect("there is one version of each converter, the one that is built in")),
    Key::new("value.converter.plugin.version", Kind::String)
        .doc("Wanted version of the value converter.")
        .support(Support::NoEffect("there is one version of each converter, the one that is built in")),
    Key::new("header.converter.plugin.version", Kind::String)
        .doc("Wanted version of the header converter.")
        .support(Support::NoEffect("there is one version of each converter, the one that is built in")),
    Key::new("task.shutdown.graceful.timeout.ms", Kind::Long).default("5000")
        .doc("Milliseconds that all tasks together have to end at a stop. What is not flushed by then is sent again after the next start."),
    Key::new("offset.flush.interval.ms", Kind::Long).default("60000")
        .doc("Milliseconds between commits of offsets. After a crash at most that much is sent twice."),
    Key::new("offset.flush.timeout.ms", Kind::Long).default("5000")
        .doc("Milliseconds that a commit may take before it is given up and tried again."),
    Key::new("plugin.path", Kind::List)
        .doc("Directories of Java plug-ins.")
        .support(Support::NoEffect("all plug-ins are built in, and no Java classes are loaded")),
    Key::new("plugin.discovery", Kind::String).default("hybrid_warn").checks(&[Check::OneOfAnyCase(&["only_scan", "hybrid_warn", "hybrid_fail", "service_load"])])
        .doc("How Java plug-ins are found.")
        .support(Support::NoEffect("all plug-ins are built in, and no Java classes are loaded")),
    Key::new("config.providers", Kind::List).default("").checks(&[Check::Distinct])
        .doc("Names of providers for ${name:path:key} in configs, each with config.providers.<name>.class."),
    Key::new("connector.client.config.override.policy", Kind::String).default("All")
        .doc("Which producer.override.*, consumer.override.* and admin.override.* a connector may set: All, None, Principal or Allowlist."),
    Key::new("connector.client.config.override.allowlist", Kind::List).default("")
        .doc("With policy Allowlist: the client settings that a connector may set."),
    Key::new("topic.tracking.enable", Kind::Boolean).default("true")
        .doc("Keep the list of topics that each connector wrote to."),
    Key::new("topic.tracking.allow.reset", Kind::Boolean).default("true")
        .doc("Let that list be emptied over REST."),
    Key::new("topic.creation.enable", Kind::Boolean).default("true")
        .doc("Create topics as a connector's topic.creation.* says, before the first record."),
    Key::new("listeners", Kind::List).default("http://:8083")
        .doc("Where the REST API listens: scheme://host:port and commas."),
    Key::new("rest.advertised.host.name", Kind::String)
        .doc("Host by which other workers reach this one."),
    Key::new("rest.advertised.port", Kind::Int)
        .doc("Port by which other workers reach this one."),
    Key::new("rest.advertised.listener", Kind::String)
        .doc("http or https: which listener other workers use."),
    Key::new("access.control.allow.origin", Kind::String).default("")
        .doc("Origins that browsers may call from: regexes and commas, * for all; empty sends no CORS headers."),
    Key::new("access.control.allow.methods", Kind::String).default("")
        .doc("Methods that browsers may call with; empty means GET, POST, HEAD."),
    Key::new("admin.listeners", Kind::List)
        .doc("Own listeners of /admin; empty switches it off, not set puts it on the main ones."),
    Key::new("rest.extension.classes", Kind::List).default("")
        .doc("Java classes of REST extensions. The basic auth one is built in; others are refused."),
    Key::new("afterimage.rest.login.config", Kind::String)
        .doc("File of the JAAS login configuration for the basic auth extension. Not set: the one that -Djava.security.auth.login.config names in KAFKA_OPTS or EXTRA_ARGS."),
    Key::new("response.http.headers.config", Kind::String).default("")
        .doc("Headers to put on every answer: 'set Name: value' and commas."),
    Key::new("metrics.sample.window.ms", Kind::Long).default("30000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Milliseconds of one sample of a rate.")
        .support(Support::NoEffect("rates are for the reader of the counters to take")),
    Key::new("metrics.num.samples", Kind::Int).default("2").checks(&[Check::Range { min: Some(1), max: None }])
        .doc("Samples that a rate is taken over.")
        .support(Support::NoEffect("rates are for the reader of the counters to take")),
    Key::new("metrics.recording.level", Kind::String).default("INFO").checks(&[Check::OneOfExactly(&["INFO", "DEBUG"])])
        .doc("Which metrics are kept.")
        .support(Support::NoEffect("rates are for the reader of the counters to take")),
    Key::new("metric.reporters", Kind::List).default("org.apache.kafka.common.metrics.JmxReporter")
        .doc("Java classes that hand metrics on.")
        .support(Support::NoEffect("a reporter is a Java class, and there is no JVM and no JMX here")),
    Key::new("security.protocol", Kind::String).default("PLAINTEXT").checks(&[Check::OneOfAnyCase(&["PLAINTEXT", "SASL_PLAINTEXT", "SSL", "SASL_SSL"])])
        .doc("How the worker's own clients speak to the brokers. Connectors' producers need producer.security.protocol as well."),
    Key::new("sasl.mechanism", Kind::String).default("GSSAPI")
        .doc("SASL mechanism of the worker's own clients."),
    Key::new("sasl.jaas.config", Kind::Password)
        .doc("JAAS line with the worker's credentials."),
    Key::new("ssl.protocol", Kind::String).default("TLSv1.3")
        .doc("Newest TLS version.")
        .support(Support::NoEffect("the newest TLS version that both sides know is negotiated")),
    Key::new("ssl.enabled.protocols", Kind::List).default("TLSv1.2,TLSv1.3")
        .doc("TLS versions that are allowed."),
    Key::new("ssl.cipher.suites", Kind::List)
        .doc("Cipher suites that are allowed; not set allows the usual ones."),
    Key::new("ssl.keystore.type", Kind::String).default("JKS")
        .doc("Form of the key store: JKS, PKCS12 or PEM."),
    Key::new("ssl.keystore.location", Kind::String)
        .doc("File of the key store."),
    Key::new("ssl.keystore.password", Kind::Password)
        .doc("Password of the key store."),
    Key::new("ssl.keystore.key", Kind::Password)
        .doc("Private key as PEM text."),
    Key::new("ssl.keystore.certificate.chain", Kind::Password)
        .doc("Certificates of that key as PEM text."),
    Key::new("ssl.key.password", Kind::Password)
        .doc("Password of the private key."),
    Key::new("ssl.truststore.type", Kind::String).default("JKS")
        .doc("Form of the trust store: JKS, PKCS12 or PEM."),
    Key::new("ssl.truststore.location", Kind::String)
        .doc("File of the trust store."),
    Key::new("ssl.truststore.password", Kind::Password)
        .doc("Password of the trust store.")
        .support(Support::NoEffect("trusted certificates are read from PEM files, which have no password")),
    Key::new("ssl.truststore.certificates", Kind::Password)
        .doc("Trusted certificates as PEM text."),
    Key::new("ssl.endpoint.identification.algorithm", Kind::String).default("https")
        .doc("https checks the server's name; empty does not, and a man in the middle goes unnoticed."),
    Key::new("ssl.client.auth", Kind::String).default("none").checks(&[Check::OneOfExactly(&["none", "requested", "required"])])
        .doc("Whether REST clients must show a certificate."),
    Key::new("request.timeout.ms", Kind::Int).default("40000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Milliseconds that a request to a broker may take."),
    Key::new("retry.backoff.ms", Kind::Long).default("100").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Milliseconds before a first retry."),
    Key::new("retry.backoff.max.ms", Kind::Long).default("1000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Most milliseconds between retries."),
    Key::new("reconnect.backoff.ms", Kind::Long).default("50").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Milliseconds before a first reconnect."),
    Key::new("reconnect.backoff.max.ms", Kind::Long).default("1000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Most milliseconds between reconnects."),
    Key::new("metadata.max.age.ms", Kind::Long).default("300000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Milliseconds after which broker metadata is asked for again."),
    Key::new("connections.max.idle.ms", Kind::Long).default("540000")
        .doc("Milliseconds after which an idle connection is closed."),
    Key::new("send.buffer.bytes", Kind::Int).default("131072").checks(&[Check::Range { min: Some(-1), max: None }])
        .doc("Bytes of a socket's send buffer; -1 leaves it to the system."),
    Key::new("receive.buffer.bytes", Kind::Int).default("32768").checks(&[Check::Range { min: Some(-1), max: None }])
        .doc("Bytes of a socket's receive buffer; -1 leaves it to the system."),
    Key::new("socket.connection.setup.timeout.ms", Kind::Long).default("10000")
        .doc("Milliseconds that opening a connection may take."),
    Key::new("socket.connection.setup.timeout.max.ms", Kind::Long).default("30000")
        .doc("Most milliseconds of it after repeated failures.")
        .support(Support::NoEffect("each attempt has the same limit")),
    Key::new("metadata.recovery.strategy", Kind::String).default("rebootstrap").checks(&[Check::OneOfAnyCase(&["none", "rebootstrap"])])
        .doc("What to do when no known broker answers: ask bootstrap.servers again, or nothing."),
    Key::new("metadata.recovery.rebootstrap.trigger.ms", Kind::Long).default("300000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Milliseconds without a broker before that."),
    Key::new("afterimage.log.level", Kind::String).default("info")
        .doc("Level of the log, or a tracing filter."),
];

const IN_TOPICS: &[Key] = &[
    Key::new("group.id", Kind::String).required().high().checks(&[Check::NonEmpty])
        .doc("Name of the group of workers. Only one owner runs connectors under it; it must differ from every consumer group."),
    Key::new("config.storage.topic", Kind::String).required().high().checks(&[Check::NonEmpty])
        .doc("Compacted topic of one partition that keeps connector configs."),
    Key::new("offset.storage.topic", Kind::String).required().high().checks(&[Check::NonEmpty])
        .doc("Compacted topic that keeps source offsets. Lose it and every connector starts anew."),
    Key::new("status.storage.topic", Kind::String).required().high().checks(&[Check::NonEmpty])
        .doc("Compacted topic that keeps states."),
    Key::new("config.storage.replication.factor", Kind::Short).default("3").checks(&[Check::Range { min: Some(-1), max: None }])
        .doc("Replicas when the config topic is created; -1 leaves it to the broker."),
    Key::new("offset.storage.replication.factor", Kind::Short).default("3").checks(&[Check::Range { min: Some(-1), max: None }])
        .doc("Replicas when the offset topic is created; -1 leaves it to the broker."),
    Key::new("status.storage.replication.factor", Kind::Short).default("3").checks(&[Check::Range { min: Some(-1), max: None }])
        .doc("Replicas when the status topic is created; -1 leaves it to the broker."),
    Key::new("offset.storage.partitions", Kind::Int).default("25").checks(&[Check::Range { min: Some(-1), max: None }])
        .doc("Partitions when the offset topic is created; -1 leaves it to the broker."),
    Key::new("status.storage.partitions", Kind::Int).default("5").checks(&[Check::Range { min: Some(-1), max: None }])
        .doc("Partitions when the status topic is created; -1 leaves it to the broker."),
    Key::new("afterimage.instance.id", Kind::String)
        .doc("Names this worker across its restarts, so that after a crash it takes its own place in the group at once; no two workers of a group may have the same. Not set: the advertised host and port. Not a key of Kafka Connect."),
    Key::new("session.timeout.ms", Kind::Int).default("10000").checks(&[Check::Range { min: Some(1), max: None }])
        .doc("Milliseconds without a heartbeat after which the group counts a worker as dead and a standby takes over."),
    Key::new("heartbeat.interval.ms", Kind::Int).default("3000").checks(&[Check::Range { min: Some(1), max: None }])
        .doc("Milliseconds between heartbeats to the group; below a third of session.timeout.ms."),
    Key::new("rebalance.timeout.ms", Kind::Int).default("60000").checks(&[Check::Range { min: Some(1), max: None }])
        .doc("Milliseconds that a worker has to give up its work when the group changes.")
        .support(Support::NoEffect("one worker of the group runs all connectors, and the others wait for its place")),
    Key::new("connect.protocol", Kind::String).default("sessioned").checks(&[Check::OneOfAnyCase(&["eager", "compatible", "sessioned"])])
        .doc("Protocol among Java workers.")
        .support(Support::NoEffect("one worker of the group runs all connectors, and the others wait for its place")),
    Key::new("scheduled.rebalance.max.delay.ms", Kind::Int).default("300000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Milliseconds that Java workers wait for a lost one.")
        .support(Support::NoEffect("one worker of the group runs all connectors, and the others wait for its place")),
    Key::new("worker.sync.timeout.ms", Kind::Int).default("3000")
        .doc("Milliseconds to read the config topic to its end.")
        .support(Support::NoEffect("one worker of the group runs all connectors, and the others wait for its place")),
    Key::new("worker.unsync.backoff.ms", Kind::Int).default("300000")
        .doc("Milliseconds a worker stays out of the group after it could not.")
        .support(Support::NoEffect("one worker of the group runs all connectors, and the others wait for its place")),
    Key::new("exactly.once.source.support", Kind::String).default("disabled").checks(&[Check::OneOfAnyCase(&["disabled", "preparing", "enabled"])])
        .doc("Whether records and offsets go in one Kafka transaction.")
        .support(Support::Partly(&[(Values::These(&["enabled"]), Support::Refused("records and offsets do not go in one transaction yet, and some would be sent twice after a crash", "Set it to disabled (at least once), and keep consumers idempotent, as by the key of each record."))])),
    Key::new("inter.worker.key.generation.algorithm", Kind::String).default("HmacSHA256")
        .doc("Algorithm of the key by which workers sign calls to each other.")
        .support(Support::NoEffect("workers do not call each other")),
    Key::new("inter.worker.key.size", Kind::Int)
        .doc("Bits of that key; not set leaves it to the algorithm.")
        .support(Support::NoEffect("workers do not call each other")),
    Key::new("inter.worker.key.ttl.ms", Kind::Int).default("3600000").checks(&[Check::Range { min: Some(0), max: None }])
        .doc("Milliseconds after which that key is renewed.")
        .support(Support::NoEffect("workers do not call each other")),
    Key::new("inter.worker.signature.algorithm", Kind::String).default("HmacSHA256")
        .doc("Algorithm of the signatures.")
        .support(Support::NoEffect("workers do not call each other")),
    Key::new("inter.worker.verification.algorithms", Kind::List).default("HmacSHA256")
        .doc("Algorithms of signatures that are accepted.")
        .support(Support::NoEffect("workers do not call each other")),
];

const IN_A_FILE: &[Key] = &[Key::new("offset.storage.file.filename", Kind::String)
    .required()
    .high()
    .checks(&[Check::NonEmpty])
    .doc("File that keeps source offsets. Lose it and every connector starts anew.")];

/// Keys that Connect's own list lacks, many of them with a variable part.
const FAMILIES: &[Key] = &[
    Key::new("key.converter.<option>", Kind::String).unlisted().family("key.converter.<option>")
        .doc("An option of the worker's key converter."),
    Key::new("value.converter.<option>", Kind::String).unlisted().family("value.converter.<option>")
        .doc("An option of the worker's value converter."),
    Key::new("header.converter.<option>", Kind::String).unlisted().family("header.converter.<option>")
        .doc("An option of the worker's header converter."),
    Key::new("producer.<property>", Kind::String).unlisted().family("producer.<property>")
        .doc("A property of the connectors' producers; those of the worker's own clients are not inherited. The properties are listed below."),
    Key::new("admin.<property>", Kind::String).unlisted().family("admin.<property>")
        .doc("A property of the clients that make connectors' topics, over the worker's own."),
    Key::new("consumer.<property>", Kind::String).unlisted().family("consumer.<property>")
        .doc("A property of the connectors' consumers.")
        .support(Support::NoEffect("a source connector has no consumer")),
    Key::new("config.providers.<name>.class", Kind::Class).unlisted().family("config.providers.<name>.class")
        .doc("The provider: FileConfigProvider, DirectoryConfigProvider or EnvVarConfigProvider of Kafka. Others are refused."),
    Key::new("config.providers.<name>.param.<parameter>", Kind::String).unlisted()
        .family("config.providers.<name>.param.<parameter>")
        .doc("allowed.paths (of files and directories) and allowlist.pattern (of environment variables)."),
    Key::new("listeners.https.<property>", Kind::String).unlisted().family("listeners.https.<property>")
        .doc("An ssl.* property of the REST API alone: with any of these the worker's plain ssl.* keys are not used for it."),
    Key::new("admin.listeners.https.<property>", Kind::String).unlisted().family("admin.listeners.https.<property>")
        .doc("An ssl.* property of admin.listeners alone."),
    Key::new("config.storage.partitions", Kind::Int).unlisted().doc("Partitions of the config topic.")
        .support(Support::NoEffect("the config topic has one partition")),
    Key::new("config.storage.cleanup.policy", Kind::String).default("compact").unlisted().doc("Of the config topic.")
        .support(Support::NoEffect("the topic is always compacted")),
    Key::new("offset.storage.cleanup.policy", Kind::String).default("compact").unlisted().doc("Of the offset topic.")
        .support(Support::NoEffect("the topic is always compacted")),
    Key::new("status.storage.cleanup.policy", Kind::String).default("compact").unlisted().doc("Of the status topic.")
        .support(Support::NoEffect("the topic is always compacted")),
    Key::new("config.storage.<setting>", Kind::String).unlisted().family("config.storage.<setting>")
        .doc("A topic setting for the config topic when it is created."),
    Key::new("offset.storage.<setting>", Kind::String).unlisted().family("offset.storage.<setting>")
        .doc("A topic setting for the offset topic when it is created."),
    Key::new("status.storage.<setting>", Kind::String).unlisted().family("status.storage.<setting>")
        .doc("A topic setting for the status topic when it is created."),
    Key::new("internal.key.converter", Kind::Class).default("org.apache.kafka.connect.json.JsonConverter").unlisted()
        .family("internal.key.converter.<option>").doc("How older workers wrote their state.")
        .support(Support::NoEffect("state is JSON without schemas, as since Kafka 3.0")),
    Key::new("internal.value.converter", Kind::Class).default("org.apache.kafka.connect.json.JsonConverter").unlisted()
        .family("internal.value.converter.<option>").doc("How older workers wrote their state.")
        .support(Support::NoEffect("state is JSON without schemas, as since Kafka 3.0")),
    Key::new("metrics.context.<label>", Kind::String).unlisted().family("metrics.context.<label>")
        .doc("A label for Java metric reporters.")
        .support(Support::NoEffect("a reporter is a Java class, and there is no JVM and no JMX here")),
];
