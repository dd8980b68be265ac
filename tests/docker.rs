//! Tests of the image that need no container engine. The compose file is checked against the schema of the compose
//! specification. The entry point runs as a process, with a fake `afterimage` that prints what it was given.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

fn docker(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docker").join(name)
}

// --- the compose file ---

/// The compose specification's own schema; see `tests/data/compose/README.md`.
fn specification() -> jsonschema::Validator {
    let schema = serde_json::from_str(include_str!("data/compose/compose-spec.json")).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

fn compose() -> Value {
    serde_yaml_ng::from_str(&std::fs::read_to_string(docker("compose.yaml")).unwrap()).unwrap()
}

fn is_duration(text: &str) -> bool {
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let units = ["us", "ms", "s", "m", "h"];
        let Some(unit) = units.iter().find(|u| digits > 0 && rest[digits..].starts_with(**u)) else { return false };
        rest = &rest[digits + unit.len()..];
    }
    !text.is_empty()
}

/// Checks what the schema leaves open: texts with a syntax of their own, and references from one service to another.
fn sense(file: &Value) -> Vec<String> {
    let mut complaints = Vec::new();
    let services = file["services"].as_object().unwrap();
    for (name, service) in services {
        if service.get("image").is_none() && service.get("build").is_none() {
            complaints.push(format!("{name} has neither image nor build"));
        }
        for at in ["/stop_grace_period", "/healthcheck/interval", "/healthcheck/timeout", "/healthcheck/start_period"] {
            let Some(value) = service.pointer(at) else { continue };
            if !value.as_str().is_some_and(is_duration) {
                complaints.push(format!("{name}{at}: {value} is no duration"));
            }
        }
        let restart = service.get("restart").map_or("no", |r| r.as_str().unwrap());
        if !["no", "always", "on-failure", "unless-stopped"].contains(&restart) {
            complaints.push(format!("{name}: {restart} is no restart policy"));
        }
        for (needed, on) in service.get("depends_on").and_then(Value::as_object).into_iter().flatten() {
            match services.get(needed) {
                None => complaints.push(format!("{name} waits for {needed}, which is not there")),
                Some(other) if on["condition"] == "service_healthy" && other.get("healthcheck").is_none() => {
                    complaints.push(format!("{needed} has no health check to wait for"));
                }
                Some(_) => {}
            }
        }
    }
    complaints
}

#[test]
fn the_compose_file_is_what_the_specification_allows() {
    let file = compose();
    let complaints: Vec<String> =
        specification().iter_errors(&file).map(|e| format!("{}: {e}", e.instance_path())).chain(sense(&file)).collect();
    assert_eq!(complaints, Vec::<String>::new());
    let services = file["services"].as_object().unwrap();
    assert_eq!(services.keys().collect::<Vec<_>>(), ["postgres", "mysql", "mariadb", "kafka", "connect"]);
    let build = &file["services"]["connect"]["build"];
    let context = docker("").join(build["context"].as_str().unwrap());
    assert!(context.join(build["dockerfile"].as_str().unwrap()).is_file(), "the Dockerfile is not where compose looks");
    assert!(file["services"]["postgres"]["command"].as_array().unwrap().iter().any(|c| c == "wal_level=logical"));
    // Without their profile, MySQL and MariaDB do not run.
    for service in ["mysql", "mariadb"] {
        assert_eq!(file["services"][service]["profiles"], serde_json::json!([service]));
    }
}

/// What a connector asks of a server, beyond what its image does by itself: MySQL's writes a binlog in rows.
#[test]
fn the_servers_write_the_log_that_connectors_read() {
    let file = compose();
    for (service, options) in [
        ("postgres", &["wal_level=logical"][..]),
        ("mysql", &["--server-id=1", "--gtid-mode=ON", "--enforce-gtid-consistency=ON"]),
        ("mariadb", &["--server-id=2", "--log-bin=binlog", "--binlog-format=ROW", "--binlog-row-image=FULL"]),
    ] {
        let command = file["services"][service]["command"].as_array().unwrap();
        assert!(options.iter().all(|option| command.iter().any(|given| given == option)), "{service}: {command:?}");
    }
    // By TCP, on which the server that sets up the data does not listen.
    let password = file["services"]["mysql"]["environment"]["MYSQL_ROOT_PASSWORD"].as_str().unwrap();
    let check = file["services"]["mysql"]["healthcheck"]["test"][1].as_str().unwrap();
    assert!(check.contains(&format!(" -p{password} ")), "{check}");
}

#[test]
fn services_do_not_share_a_port() {
    let file = compose();
    let services = file["services"].as_object().unwrap();
    let ports = services.values().filter_map(|service| service.get("ports")?.as_array()).flatten();
    let published: Vec<&str> = ports.map(|port| port.as_str().unwrap().rsplit_once(':').unwrap().0).collect();
    assert!(published.len() >= 4 && published.iter().all(|port| port.starts_with("127.0.0.1:")), "{published:?}");
    assert_eq!(published.iter().collect::<BTreeSet<_>>().len(), published.len(), "{published:?}");
}

/// The daemon's environment in the compose file, through the entry point: it finds the broker under the name and port that the
/// broker tells its clients.
#[test]
fn the_daemon_finds_the_broker() {
    let file = compose();
    let environment = file["services"]["connect"]["environment"].as_object().unwrap();
    let environment: Vec<(&str, &str)> = environment.iter().map(|(k, v)| (k.as_str(), v.as_str().unwrap())).collect();
    let out = enter(&[], &environment);
    let text = String::from_utf8(out.stdout).unwrap();
    let given = java_properties::read(text.split_once("mode: 600\n").unwrap().1.as_bytes()).unwrap();
    let told = &file["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"];
    assert_eq!(*told, format!("PLAINTEXT://{}", given["bootstrap.servers"]));
    assert_eq!(given["bootstrap.servers"].split_once(':').unwrap().0, "kafka");
}

/// Paths of all keys whose names the specification defines. The names of services, variables and dependencies are free
/// and left out.
fn given_names(value: &Value, at: &str, into: &mut Vec<(String, String)>) {
    let is_free = ["/services", "/environment", "/depends_on"].iter().any(|end| at.ends_with(end));
    for (key, inner) in value.as_object().into_iter().flatten() {
        if !is_free {
            into.push((at.to_owned(), key.clone()));
        }
        given_names(inner, &format!("{at}/{key}"), into);
    }
}

/// Misspells every key of our own file, one at a time.
#[test]
fn a_misspelt_key_is_noticed() {
    let (specification, file) = (specification(), compose());
    let mut names = Vec::new();
    given_names(&file, "", &mut names);
    assert!(names.len() > 25, "only {} keys were found", names.len());
    for (at, key) in names {
        let mut wrong = file.clone();
        let mapping = wrong.pointer_mut(&at).unwrap().as_object_mut().unwrap();
        let value = mapping.remove(&key).unwrap();
        mapping.insert(format!("{key}e"), value);
        assert!(!specification.is_valid(&wrong), "{at}/{key}e was taken");
    }
}

#[test]
fn a_wrong_value_is_noticed() {
    for wrong in [
        "services: [a]",
        "services: {a: {image: 3}}",
        "services: {a: {image: x, healthcheck: {interval: 5}}}",
        "services: {a: {image: x, healthcheck: {interval: 5 s}}}",
        "services: {a: {image: x, stop_grace_period: half a minute}}",
        "services: {a: {image: x, depends_on: {b: {condition: healthy}}}}",
        "services: {a: {image: x, depends_on: {b: {condition: service_started}}}}",
        "services: {a: {image: x, depends_on: {b: {condition: service_healthy}}}, b: {image: y}}",
        "services: {a: {image: x, ports: [{}, [8083]]}}",
        "services: {a: {image: x, environment: {A: [1]}}}",
        "services: {a: {image: x, restart: sometimes}}",
        "services: {a: {user: x}}",
    ] {
        let value: Value = serde_yaml_ng::from_str(wrong).unwrap();
        assert!(!specification().is_valid(&value) || !sense(&value).is_empty(), "{wrong}");
    }
}

/// The first stage builds with the compiler of its image, which is as new as the code needs.
#[test]
fn the_image_builds_with_its_own_compiler() {
    let file = std::fs::read_to_string(docker("Dockerfile")).unwrap();
    let version = file.lines().find_map(|line| line.strip_prefix("FROM rust:")?.split_once('-')).unwrap().0;
    let numbers = |text: &str| text.split('.').map(|part| part.parse::<u32>().unwrap()).collect::<Vec<_>>();
    assert!(numbers(version) >= numbers(env!("CARGO_PKG_RUST_VERSION")), "{version}");
    assert!(file.contains("RUSTUP_TOOLCHAIN=$RUST_VERSION cargo build --release --locked"), "{file}");
}

#[test]
fn the_image_is_small_and_not_root() {
    let file = std::fs::read_to_string(docker("Dockerfile")).unwrap();
    let stages: Vec<&str> = file.lines().filter_map(|l| l.strip_prefix("FROM ")).collect();
    assert_eq!(stages.len(), 2, "a stage that builds and one that runs");
    assert!(stages[1].contains("slim") || stages[1].contains("distroless"), "{}", stages[1]);
    let last = file.split("FROM ").last().unwrap();
    let user = last.lines().find_map(|l| l.strip_prefix("USER ")).expect("the image must say who runs it");
    assert!(user != "root" && user != "0");
    for word in ["HEALTHCHECK", "ENTRYPOINT [\"/usr/local/bin/entrypoint.sh\"]", "EXPOSE 8083"] {
        assert!(last.contains(word), "{word}");
    }
    for copied in ["entrypoint.sh", "healthcheck.sh"] {
        assert!(docker(copied).is_file() && last.contains(copied));
    }
}

// --- the entry point ---

/// Runs the entry point with only these variables, and a fake `afterimage` that prints its arguments and its file.
fn enter(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let dir = tempfile::tempdir().unwrap();
    let fake = dir.path().join("afterimage");
    std::fs::write(&fake, "#!/bin/sh\nprintf 'args:'; printf ' %s' \"$1\"; echo\nenv | grep ^CONNECT_ >&2\nif [ -f \"${2:-}\" ]; then stat -c 'mode: %a' \"$2\"; cat \"$2\"; fi\n").unwrap();
    std::fs::set_permissions(&fake, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", dir.path().display());
    Command::new(docker("entrypoint.sh"))
        .args(arguments)
        .env_clear()
        .env("PATH", path)
        .env("TMPDIR", dir.path())
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

/// The properties that the daemon was given, parsed like a `.properties` file.
fn properties(environment: &[(&str, &str)]) -> BTreeMap<String, String> {
    let all: Vec<_> = BASIC.iter().chain(environment).copied().collect();
    let out = enter(&["start"], &all);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8(out.stdout).unwrap();
    let (head, file) = text.split_once("mode: 600\n").expect("a file that only its owner reads");
    assert_eq!(head, "args: run\n");
    java_properties::read(file.as_bytes()).unwrap().into_iter().collect()
}

const BASIC: &[(&str, &str)] =
    &[("BOOTSTRAP_SERVERS", "kafka:9092"), ("CONFIG_STORAGE_TOPIC", "c"), ("OFFSET_STORAGE_TOPIC", "o")];

#[track_caller]
fn check(environment: &[(&str, &str)], expect: &[(&str, &str)]) {
    let given = properties(environment);
    for (name, value) in expect {
        assert_eq!(given.get(*name).map(String::as_str), Some(*value), "{name} of {given:?}");
    }
}

#[test]
fn the_environment_becomes_worker_properties() {
    check(
        &[],
        &[
            ("bootstrap.servers", "kafka:9092"),
            ("group.id", "1"),
            ("config.storage.topic", "c"),
            ("offset.storage.topic", "o"),
            ("status.storage.topic", "connect-status"),
            ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("listeners", "http://0.0.0.0:8083"),
        ],
    );
    check(
        &[
            ("GROUP_ID", "g"),
            ("STATUS_STORAGE_TOPIC", "s"),
            ("VALUE_CONVERTER", "io.confluent.connect.avro.AvroConverter"),
            ("KEY_CONVERTER", "k"),
            ("REST_PORT", "18083"),
            ("REST_HOST_NAME", "10.0.0.1"),
            ("ADVERTISED_HOST_NAME", "h"),
            ("ADVERTISED_PORT", "81"),
            ("OFFSET_FLUSH_INTERVAL_MS", "10"),
            ("OFFSET_FLUSH_TIMEOUT_MS", "11"),
            ("SHUTDOWN_TIMEOUT", "12"),
            ("SCHEMA_REGISTRY_URL", "http://r"),
            ("HEAP_OPTS", "-Xmx2g"),
        ],
        &[
            ("group.id", "g"),
            ("status.storage.topic", "s"),
            ("value.converter", "io.confluent.connect.avro.AvroConverter"),
            ("key.converter", "k"),
            ("listeners", "http://10.0.0.1:18083"),
            ("rest.advertised.host.name", "h"),
            ("rest.advertised.port", "81"),
            ("offset.flush.interval.ms", "10"),
            ("offset.flush.timeout.ms", "11"),
            ("task.shutdown.graceful.timeout.ms", "12"),
            ("value.converter.schema.registry.url", "http://r"),
        ],
    );
    // Values arrive unchanged, whatever characters they hold.
    let group = " a\\b \"c\" $HOME `id`\n# d";
    check(&[("GROUP_ID", group)], &[("group.id", group)]);
    assert!(!properties(&[("HEAP_OPTS", "-Xmx2g")]).values().any(|v| v.contains("Xmx")));
}

/// The daemon itself reads `CONNECT_A_B`, which wins over the file. The entry point writes no such value to the file,
/// because it may be a password.
#[test]
fn connect_variables_stay_in_the_environment() {
    let more = [("CONNECT_SESSION_TIMEOUT_MS", "long"), ("CONNECT_SASL_JAAS_CONFIG", "password=\"p\"")];
    let all: Vec<_> = BASIC.iter().chain(&more).copied().collect();
    let out = enter(&[], &all);
    let (file, environment) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(!file.contains("long") && !file.contains("password"), "{file}");
    for line in ["CONNECT_SESSION_TIMEOUT_MS=long", "CONNECT_SASL_JAAS_CONFIG=password=\"p\""] {
        assert!(environment.contains(line), "{environment}");
    }
    // A long name also counts where a short name is required.
    let out = enter(
        &[],
        &[("CONNECT_BOOTSTRAP_SERVERS", "k"), ("CONNECT_CONFIG_STORAGE_TOPIC", "c"), ("OFFSET_STORAGE_TOPIC", "o")],
    );
    assert!(out.status.success());
}

/// In Debezium's image the short names and their defaults win. The long names of the same properties must therefore not
/// reach the daemon, because there they would win over the file.
#[test]
fn short_names_and_their_defaults_win() {
    #[track_caller]
    fn check(environment: &[(&str, &str)], long: &str, property: &str, value: &str) {
        let all: Vec<_> = BASIC.iter().chain(environment).chain(&[(long, "LONG")]).copied().collect();
        let out = enter(&["start"], &all);
        let left = String::from_utf8_lossy(&out.stderr);
        assert!(!left.contains("LONG"), "{long} is left to the daemon: {left}");
        let text = String::from_utf8(out.stdout).unwrap();
        let given = java_properties::read(text.split_once("mode: 600\n").unwrap().1.as_bytes()).unwrap();
        assert_eq!(given.get(property).map(String::as_str), Some(value), "{property}");
    }
    const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
    for (environment, long, property, value) in [
        (&[][..], "CONNECT_GROUP_ID", "group.id", "1"),
        (&[("GROUP_ID", "g")], "CONNECT_GROUP_ID", "group.id", "g"),
        (&[], "CONNECT_KEY_CONVERTER", "key.converter", JSON),
        (&[], "CONNECT_VALUE_CONVERTER", "value.converter", JSON),
        (&[], "CONNECT_OFFSET_FLUSH_INTERVAL_MS", "offset.flush.interval.ms", "60000"),
        (&[("OFFSET_FLUSH_TIMEOUT_MS", "7")], "CONNECT_OFFSET_FLUSH_TIMEOUT_MS", "offset.flush.timeout.ms", "7"),
        (&[], "CONNECT_TASK_SHUTDOWN_GRACEFUL_TIMEOUT_MS", "task.shutdown.graceful.timeout.ms", "10000"),
        (&[("ADVERTISED_HOST_NAME", "h")], "CONNECT_REST_ADVERTISED_HOST_NAME", "rest.advertised.host.name", "h"),
        (&[("HOST_NAME", "n")], "CONNECT_REST_ADVERTISED_HOST_NAME", "rest.advertised.host.name", "n"),
        (&[], "CONNECT_REST_ADVERTISED_PORT", "rest.advertised.port", "8083"),
        (&[], "CONNECT_BOOTSTRAP_SERVERS", "bootstrap.servers", "kafka:9092"),
        (&[], "CONNECT_CONFIG_STORAGE_TOPIC", "config.storage.topic", "c"),
        (&[("STATUS_STORAGE_TOPIC", "s")], "CONNECT_STATUS_STORAGE_TOPIC", "status.storage.topic", "s"),
        (
            &[("APICURIO_REGISTRY", "http://r")],
            "CONNECT_VALUE_CONVERTER",
            "value.converter",
            "io.apicurio.registry.utils.converter.AvroConverter",
        ),
    ] {
        check(environment, long, property, value);
    }
}

/// Compose files for Confluent's image use only the long names, and the defaults differ from Debezium's.
#[test]
fn confluents_image_has_long_names_alone() {
    const LONG: &[(&str, &str)] = &[
        ("CONNECT_BOOTSTRAP_SERVERS", "k:1"),
        ("CONNECT_GROUP_ID", "own"),
        ("CONNECT_KEY_CONVERTER", "io.confluent.connect.avro.AvroConverter"),
        ("CONNECT_REST_PORT", "28083"),
    ];
    for arguments in [&[][..], &["start"], &["/etc/confluent/docker/run"], &["/docker-entrypoint.sh", "start"]] {
        let out = enter(arguments, LONG);
        let (text, left) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(left.contains("CONNECT_GROUP_ID=own") && left.contains("AvroConverter"), "{arguments:?}: {left}");
        assert!(text.ends_with("listeners=http://0.0.0.0:28083\n"), "{arguments:?}: {text}");
    }
    let out = enter(&[], &[LONG, &[("CONNECT_LISTENERS", "http://:1")]].concat());
    assert!(!String::from_utf8_lossy(&out.stdout).contains("listeners"), "the daemon has them from the environment");
}

#[test]
fn the_image_has_the_paths_and_tools_that_compose_files_call() {
    let file = std::fs::read_to_string(docker("Dockerfile")).unwrap();
    let last = file.split("FROM ").last().unwrap();
    for word in [" curl ", "/docker-entrypoint.sh", "docker/confluent-run.sh /etc/confluent/docker/run"] {
        assert!(last.contains(word), "{word}");
    }
    let run = std::fs::read_to_string(docker("confluent-run.sh")).unwrap();
    assert!(run.contains("exec /usr/local/bin/entrypoint.sh /etc/confluent/docker/run"));
}

#[test]
fn what_is_missing_is_named() {
    for (left_out, _) in BASIC {
        let some: Vec<_> = BASIC.iter().filter(|(name, _)| name != left_out).copied().collect();
        let out = enter(&[], &some);
        assert_eq!(out.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&out.stderr).contains(left_out), "{left_out}");
    }
}

#[test]
fn other_commands_are_passed_on() {
    let said = |arguments: &[&str]| String::from_utf8(enter(arguments, &[]).stdout).unwrap();
    assert_eq!(said(&["--version"]), "args: --version\n");
    assert_eq!(said(&["run", "/nowhere"]), "args: run\n");
    assert_eq!(said(&["echo", "hello"]), "hello\n");
    assert_eq!(said(&["/docker-entrypoint.sh", "echo", "hello"]), "hello\n");
}
