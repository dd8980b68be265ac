//! Tests of the command line as a process, and of the worker's configuration from its layers.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use afterimage::cli::{FileError, Layers, Standalone, State, WorkerConfig, WorkerError};
use afterimage::store::TargetState;
use tempfile::TempDir;

const WORKER: &str = "\
# a worker
bootstrap.servers=kafka:9092, kafka2:9092\n\
group.id = cdc\n\
key.converter:org.apache.kafka.connect.json.JsonConverter\n\
key.converter.schemas.enable=false\n\
value.converter=org.apache.kafka.connect.json.JsonConverter\n\
config.storage.topic=c\n\
offset.storage.topic=o\n\
status.storage.topic=s\n\
offset.storage.min.insync.replicas=2\n\
sasl.jaas.config=org.example.Module required \\\n   password=\"hunter2\";\n\
producer.linger.ms=5\n\
x.unknown=caf\\u00e9\n";

fn file(dir: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn layers(text: &str, pairs: &[(&str, &str)], flags: &[(&str, &str)]) -> Layers {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir, "w.properties", text);
    let flags: Vec<_> =
        flags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned(), format!("flag --set {k}"))).collect();
    Layers::read(false, Some(&path), environment(pairs), &flags).unwrap()
}

#[test]
fn variables_of_opentelemetry_are_settings() {
    let all = layers(
        &format!("{WORKER}otel.service.name=file\notel.traces.sampler=always_off\n"),
        &[
            ("OTEL_SERVICE_NAME", "variable"),
            ("OTEL_TRACES_SAMPLER", ""),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x=hunter2"),
            ("OTEL_METRICS_EXPORTER", "prometheus"),
            ("CONNECT_OTEL_BSP_MAX_QUEUE_SIZE", "7"),
        ],
        &[],
    );
    let value = |key: &str| all.get(key).map(|setting| setting.value.as_str());
    assert_eq!(value("otel.service.name"), Some("variable"));
    assert_eq!(value("otel.traces.sampler"), Some("always_off"), "an empty variable counts as not set");
    assert_eq!(value("otel.bsp.max.queue.size"), Some("7"));
    assert_eq!(value("otel.metrics.exporter"), None, "metrics are not for this worker");
    let mut shown = Vec::new();
    all.print(&mut shown).unwrap();
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("otel.service.name = variable    # environment OTEL_SERVICE_NAME"), "{shown}");
    assert!(!shown.contains("x=hunter2"), "{shown}");
}

#[test]
fn the_later_layer_wins_and_is_named() {
    #[track_caller]
    fn check(all: &Layers, key: &str, value: &str, origin: &str) {
        let setting = all.get(key).unwrap_or_else(|| panic!("{key} is not there"));
        assert_eq!(setting.value, value, "{key}");
        assert!(setting.origin.to_string().starts_with(origin), "{key}: {}", setting.origin);
    }
    let all = layers(
        WORKER,
        &[
            ("CONNECT_GROUP_ID", "env"),
            ("GROUP_ID", "container"),
            ("OFFSET_FLUSH_TIMEOUT_MS", "7"),
            ("CONNECT_OFFSET_FLUSH_INTERVAL_MS", "8"),
            ("REST_PORT", "9083"),
            ("CONNECT_A__B_C___D", "1"),
            ("CONNECT_", "none"),
            ("PATH", "/bin"),
            ("KEY_CONVERTER", ""),
            ("CONNECT_ADMIN_LISTENERS", ""),
        ],
        &[("offset.flush.interval.ms", "9")],
    );
    check(&all, "bootstrap.servers", "kafka:9092, kafka2:9092", "file ");
    check(&all, "key.converter", "org.apache.kafka.connect.json.JsonConverter", "file ");
    check(&all, "key.converter.schemas.enable", "false", "file ");
    check(&all, "x.unknown", "café", "file ");
    check(&all, "group.id", "env", "environment CONNECT_GROUP_ID");
    check(&all, "offset.flush.timeout.ms", "7", "environment OFFSET_FLUSH_TIMEOUT_MS (container)");
    check(&all, "offset.flush.interval.ms", "9", "flag --set");
    check(&all, "listeners", "http://:9083", "environment REST_PORT");
    check(&all, "a_b.c-d", "1", "environment CONNECT_A__B_C___D");
    check(&all, "session.timeout.ms", "10000", "default");
    check(&all, "admin.listeners", "", "environment CONNECT_ADMIN_LISTENERS");
    assert!(all.get("path").is_none() && all.get("").is_none());

    let mut printed = Vec::new();
    all.print(&mut printed).unwrap();
    let printed = String::from_utf8(printed).unwrap();
    assert!(printed.contains("sasl.jaas.config = ********    # file "), "{printed}");
    assert!(!printed.contains("hunter2"));
}

#[test]
fn typed() {
    let config = WorkerConfig::read(&layers(WORKER, &[], &[]), false).unwrap();
    assert_eq!(config.bootstrap_servers, ["kafka:9092", "kafka2:9092"]);
    assert_eq!((config.group_id.as_str(), config.offset_flush_interval), ("cdc", Duration::from_secs(60)));
    let State::Topics { configs, offsets, statuses } = &config.state else { panic!("{:?}", config.state) };
    assert_eq!((configs.partitions, offsets.partitions, statuses.partitions), (1, 25, 5));
    assert_eq!((offsets.name.as_str(), offsets.replication_factor), ("o", 3));
    assert_eq!(offsets.config.get("min.insync.replicas").map(String::as_str), Some("2"));
    assert_eq!(config.properties.get("producer.linger.ms"), Some("5"));
    assert_eq!(config.properties.get("x.unknown"), Some("café"));
    assert_eq!(config.properties.get("session.timeout.ms"), None, "defaults are not handed to clients");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn mistakes_name_key_source_and_remedy() {
    #[track_caller]
    fn check(flags: &[(&str, &str)], key: &str, text: &str) {
        let errors = WorkerConfig::read(&layers(WORKER, &[], flags), false).unwrap_err();
        let found = errors.iter().any(|e| e.key == key && e.to_string().contains(text));
        assert!(found, "{:?}", errors.iter().map(WorkerError::to_string).collect::<Vec<_>>());
    }
    check(&[("status.storage.topic", "c")], "status.storage.topic", "is the topic of config.storage.topic too");
    check(&[("status.storage.topic", "c")], "status.storage.topic", "(flag --set status.storage.topic)");
    check(&[("session.timeout.ms", "x")], "session.timeout.ms", "Not a number of type INT. Correct it in: flag");
    check(&[("config.storage.replication.factor", "-2")], "config.storage.replication.factor", "at least -1");
    check(&[("listeners", "8083")], "listeners", "'8083' is no listener");
    check(&[("listeners", "")], "listeners", "there is none");
    check(&[("bootstrap.servers", " ")], "bootstrap.servers", "must not be empty");
    check(&[("connector.client.config.override.policy", "Some")], "connector.client.config.override.policy", "'Some'");
    check(&[("exactly.once.source.support", "yes")], "exactly.once.source.support", "String must be one of");
    check(
        &[("inter.worker.verification.algorithms", "HmacSHA1")],
        "inter.worker.signature.algorithm",
        "Signature algorithm must be present in inter.worker.verification.algorithms list",
    );
    for class in ["a.B", "io.debezium.kcrestextension.DebeziumConnectRestExtension", "a.BasicAuthSecurityRestExtension"]
    {
        check(&[("rest.extension.classes", class)], "rest.extension.classes", &format!("'{class}' is not built in"));
    }
    check(
        &[("producer.transactional.id", "t")],
        "producer.transactional.id",
        "it is the worker that names transactions",
    );
    check(&[("producer.interceptor.classes", "a.B")], "producer.interceptor.classes", "to load a.B");
    let own = "com.example.OwnConverter";
    for key in ["key.converter", "value.converter", "header.converter"] {
        let text = format!(
            "Invalid value {own} for configuration {key}: Class {own} could not be found. \nThis is afterimage"
        );
        check(&[(key, own)], key, &text);
        check(&[(key, own)], key, "org.apache.kafka.connect.storage.StringConverter");
    }
    check(&[("config.providers", "v")], "config.providers.v.class", "the provider 'v' has no class");
    let errors = WorkerConfig::read(&layers("", &[], &[]), false).unwrap_err();
    let keys: Vec<_> = errors.iter().map(|e| e.key.as_str()).collect();
    let expect = [
        "bootstrap.servers",
        "key.converter",
        "value.converter",
        "group.id",
        "config.storage.topic",
        "offset.storage.topic",
        "status.storage.topic",
    ];
    assert_eq!(keys, expect);
    let text = errors[3].to_string();
    assert!(text.contains("(not set)") && text.contains("CONNECT_GROUP_ID"), "{text}");
}

#[test]
fn names_of_metrics_that_are_not_known_are_refused_with_those_that_are() {
    let errors = WorkerConfig::read(&layers(WORKER, &[], &[("metrics.names", "f1, f9")]), false).unwrap_err();
    let text = errors[0].to_string();
    assert!(errors.len() == 1 && text.starts_with("worker setting metrics.names (flag --set metrics.names"), "{text}");
    assert!(text.contains("'f9' is no set of names: there are f1, f2, f3 and strip-total"), "{text}");
}

#[test]
fn a_setting_without_effect_is_said_once_and_truly() {
    let said = |flags: &[(&str, &str)]| -> Vec<String> {
        let config = WorkerConfig::read(&layers(WORKER, &[], flags), false).unwrap();
        config.remarks().iter().map(ToString::to_string).collect()
    };
    assert_eq!(said(&[]), Vec::<String>::new());
    for (key, value, text) in [
        ("metric.reporters", "com.example.Reporter", "there is no JVM and no JMX here."),
        ("plugin.path", "/x", "all plug-ins are built in"),
        ("config.storage.cleanup.policy", "delete", "the topic is always compacted."),
        ("internal.key.converter.schemas.enable", "true", "state is JSON without schemas"),
        ("connect.protocol", "eager", "one worker of the group runs all connectors"),
        ("consumer.interceptor.classes", "a.B", "a source connector has no consumer."),
        ("sasl.kerberos.service.name", "kafka", "only the mechanism GSSAPI uses it"),
        ("sasl.oauthbearer.scope", "s", "only the mechanism OAUTHBEARER uses it"),
        ("ssl.engine.factory.class", "a.B", "security.protocol uses no TLS"),
        ("ssl.provider", "BC", "there are no JVM security providers here"),
        ("ssl.truststore.locatoin", "/x", "it is not a setting of the worker."),
    ] {
        let said = said(&[(key, value)]);
        assert!(said.len() == 1 && said[0].starts_with(key) && said[0].contains(text), "{said:?}");
    }
    // A key that is set to its default gives no remark.
    for (key, value) in [
        ("metric.reporters", "org.apache.kafka.common.metrics.JmxReporter"),
        ("exactly.once.source.support", "Disabled"),
        ("plugin.path", ""),
        ("scheduled.rebalance.max.delay.ms", "300000"),
    ] {
        assert_eq!(said(&[(key, value)]), Vec::<String>::new(), "{key}");
    }
}

#[test]
fn log_levels_of_javas_images() {
    #[track_caller]
    fn check(pairs: &[(&str, &str)], expect: &str) {
        assert_eq!(layers(WORKER, pairs, &[]).log_level(), expect, "{pairs:?}");
    }
    const ROOT: &str = "CONNECT_LOG4J_ROOT_LOGLEVEL";
    const LOGGERS: &str = "CONNECT_LOG4J_LOGGERS";
    const DEBEZIUM_TRACE: &str = "info,postgres=trace,mysql=trace,relational=trace,relational::action_query=trace,transforms=trace,\
                                  afterimage::store::history=trace";
    check(&[], "info");
    check(&[(ROOT, "WARN")], "warn");
    check(&[(ROOT, "FATAL"), ("LOG_LEVEL", "debug")], "debug");
    check(&[(LOGGERS, "DEBUG, stdout")], "debug");
    check(&[(LOGGERS, "org.reflections=ERROR,io.debezium=TRACE")], DEBEZIUM_TRACE);
    check(
        &[(ROOT, "error"), (LOGGERS, "org.apache.kafka.connect.runtime.rest=WARNING,io.debezium=loud")],
        "error,afterimage::rest=warn,org.apache.kafka.connect.runtime.rest.RestServer=warn",
    );
    // A class is a part of what a target does: it makes the target say more, and never less.
    for (loggers, expect) in [
        ("org.apache.kafka.connect.runtime.WorkerSourceTask=WARN", "info"),
        (
            "org.apache.kafka.clients.producer.ProducerConfig=OFF,org.apache.kafka.clients.consumer.ConsumerConfig=ERROR",
            "info",
        ),
        ("org.apache.kafka.connect.runtime.WorkerSourceTask=DEBUG", "info,afterimage::runtime=debug"),
        (
            "org.apache.kafka.connect.json.JsonConverter=DEBUG,org.apache.kafka.connect.converters=WARN",
            "info,afterimage::convert=warn,afterimage::convert=debug",
        ),
    ] {
        check(&[(LOGGERS, loggers)], expect);
    }
    check(&[("CONNECT_LOG4J_LOGGER_IO_DEBEZIUM", "DEBUG, stdout")], &DEBEZIUM_TRACE.replace("=trace", "=debug"));
}

#[test]
fn stand_alone_needs_a_file_and_no_group() {
    let dir = tempfile::tempdir().unwrap();
    let plain = "bootstrap.servers=k:1\nkey.converter=Json\nvalue.converter=StringConverter\nplugin.path=/x\n";
    let read = |text: &str| {
        let path = file(&dir, "w.properties", text);
        WorkerConfig::read(&Layers::read(true, Some(&path), Vec::new(), &[]).unwrap(), true)
    };
    assert_eq!(read(plain).unwrap_err()[0].key, "offset.storage.file.filename");
    let config = read(&format!("{plain}offset.storage.file.filename=/tmp/o\n")).unwrap();
    assert_eq!(config.state, State::File(PathBuf::from("/tmp/o")));
    assert_eq!(config.remarks().iter().map(|r| r.key.as_str()).collect::<Vec<_>>(), ["plugin.path"]);
}

#[test]
fn variables_are_resolved_where_they_are_used() {
    let text = format!(
        "{WORKER}config.providers=env\nconfig.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider\nclient.id=${{env:CARGO_PKG_NAME}}\n"
    );
    let all = layers(&text, &[], &[]);
    assert_eq!(all.get("client.id").unwrap().value, "${env:CARGO_PKG_NAME}");
    assert_eq!(WorkerConfig::read(&all, false).unwrap().client_id, std::env::var("CARGO_PKG_NAME").unwrap());
}

#[test]
fn connector_files() {
    let dir = tempfile::tempdir().unwrap();
    let read = |name: &str, text: &str| Standalone::read(&[file(&dir, name, text)]).map(|s| s.connectors);
    for (name, text) in [
        ("flat.json", r#"{"name":"a","tasks.max":1}"#),
        ("wrapped.json", r#"{"name":"a","config":{"tasks.max":"1"},"initial_state":"paused"}"#),
        ("a.properties", "name=a\ntasks.max=1\n"),
    ] {
        let connectors = read(name, text).unwrap();
        let paused = name == "wrapped.json";
        assert_eq!((connectors[0].name.as_str(), connectors[0].config.get("tasks.max")), ("a", Some("1")), "{name}");
        assert_eq!(connectors[0].config.get("name"), Some("a"));
        assert_eq!(connectors[0].initial_state, if paused { TargetState::Paused } else { TargetState::Started });
    }
    assert!(matches!(read("b", r#"{"x":"1"}"#), Err(FileError::NoName { .. })));
    assert!(matches!(read("b", r#"{"name":"#), Err(FileError::Form { .. })));
    assert!(matches!(read("b", r#"{"name":"a","x":null}"#), Err(FileError::Null { .. })));
    assert!(matches!(read("b", r#"{"name":"a","config":{"name":"b"}}"#), Err(FileError::TwoNames { .. })));
    assert!(matches!(read("b", r#"{"name":"a","config":{},"initial_state":"x"}"#), Err(FileError::State { .. })));
    let (first, second) = (file(&dir, "1", "name=a"), file(&dir, "2", "name=a"));
    assert!(matches!(Standalone::read(&[first, second]), Err(FileError::Twice { .. })));
    assert!(matches!(Standalone::read(&[dir.path().join("absent")]), Err(FileError::Read { .. })));
}

fn afterimage(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_afterimage"));
    command.args(arguments).env_clear().output().unwrap()
}

#[test]
fn exit_codes() {
    #[track_caller]
    fn check(arguments: &[&str], code: i32, says: &str) {
        let output = afterimage(arguments);
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(says), "{says} is not in {text}");
    }
    let dir = tempfile::tempdir().unwrap();
    let good = file(&dir, "w.properties", WORKER);
    let good = good.to_str().unwrap();
    check(&["--version"], 0, "afterimage 0.");
    check(&["--help"], 0, "Exit codes:");
    check(&["run", "--help"], 0, "CONNECT_A_B");
    check(&["completions", "bash"], 0, "_afterimage");
    check(&["keys"], 0, "| `topic.prefix` |");
    check(&["fly"], 1, "unrecognized subcommand");
    check(&["run", "/nowhere/w.properties"], 2, "cannot be read");
    check(&["run"], 2, "CONNECT_BOOTSTRAP_SERVERS");
    check(&["run", good, "--log-level", "loud"], 2, "the log level 'loud' is none");
    check(&["run", good, "--print-config"], 0, "group.id = cdc    # file ");
}
