//! A broker that demands TLS and a login: each of Java's ways to configure a client, for each client of the daemon, and clear
//! words where one of them is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::{Duration, Instant};

use rig::{
    Certificates, Daemon, Database, KEY_PASSWORD, Kafka, MySqlDatabase, Options, Product, STORE_PASSWORD, Server,
    wait_until, within,
};
use serde_json::{Map, Value};

const PATIENCE: Duration = Duration::from_secs(60);
const ALICE: &str = "al1ce-canary";
const WRONG: &str = "wr0ng-canary";
/// The broker closes a connection that is not logged in anew after this time (KIP-368).
const REAUTH_MS: u64 = 3000;
/// What must stand in no log and no answer.
const SECRETS: &[&str] = &[ALICE, WRONG, STORE_PASSWORD, KEY_PASSWORD, "PRIVATE KEY"];

/// The broker, with a listener for each kind of login. Topics are made by the admin client alone.
struct World {
    certificates: Certificates,
    broker: Server,
    kafka: Kafka,
}

impl World {
    fn new() -> Self {
        let certificates = Certificates::new();
        let lines = format!(
            "auto.create.topics.enable=false
ssl.keystore.type=PKCS12
ssl.keystore.location={}
ssl.keystore.password={STORE_PASSWORD}
ssl.key.password={STORE_PASSWORD}
ssl.truststore.type=PKCS12
ssl.truststore.location={}
ssl.truststore.password={STORE_PASSWORD}
listener.name.mutual.ssl.client.auth=required
listener.name.login.connections.max.reauth.ms={REAUTH_MS}
listener.name.login.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.login.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_alice=\"{ALICE}\";
listener.name.login.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.login.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;",
            certificates.path("server.p12"),
            certificates.path("ca.p12"),
        );
        let broker = Server::kafka_secured(&["LOGIN:SASL_SSL", "MUTUAL:SSL"], &lines);
        broker.kafka_user("alice", ALICE);
        let kafka = Kafka::at(broker.address());
        Self { certificates, broker, kafka }
    }

    /// A daemon that reaches the broker at this listener only. Its own clients and the connectors' producers get the
    /// settings; the admin clients inherit the former, as in Connect.
    fn options(&self, label: &str, listener: &str, settings: &Settings) -> Options {
        let options = Options { broker: self.broker.listener(listener), ..Options::new(label) };
        settings
            .iter()
            .fold(options, |options, (key, value)| options.with(key, value).with(&format!("producer.{key}"), value))
    }

    fn login(&self, mechanism: &str, password: &str) -> Settings {
        let module = if mechanism == "PLAIN" { "plain.PlainLoginModule" } else { "scram.ScramLoginModule" };
        let jaas =
            format!("org.apache.kafka.common.security.{module} required username=\"alice\" password=\"{password}\";");
        settings(&[
            ("security.protocol", "SASL_SSL"),
            ("sasl.mechanism", mechanism),
            ("sasl.jaas.config", &jaas),
            ("ssl.truststore.location", &self.certificates.path("ca.crt")),
            ("ssl.truststore.type", "PEM"),
        ])
    }

    /// The row of a new table comes.
    #[track_caller]
    fn copies(&self, daemon: &Daemon, label: &str, more: &[(&str, &str)]) {
        let database = table(label);
        daemon.create(&database.name, &connector(&database, more));
        self.comes(daemon, &database);
        daemon.rest("DELETE", &format!("/connectors/{}", database.name), None);
    }

    #[track_caller]
    fn comes(&self, daemon: &Daemon, database: &Database) {
        let topic = format!("{}.public.t", database.name);
        let came = within(PATIENCE, || self.kafka.length(&topic) == 1);
        assert!(came, "no record came: {:?}", daemon.task(&database.name));
    }
}

type Settings = Vec<(String, String)>;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A database with a row.
fn table(label: &str) -> Database {
    let database = Database::create(label);
    database.run("create table t(id int primary key, v text); insert into t values (1, '')");
    database
}

fn connector(database: &Database, more: &[(&str, &str)]) -> Map<String, Value> {
    let topics = [("topic.creation.default.partitions", "1"), ("topic.creation.default.replication.factor", "1")];
    database.connector(&[&topics[..], more].concat())
}

/// The settings as those of a connector's client.
fn over(prefix: &str, settings: &Settings) -> Settings {
    settings.iter().map(|(key, value)| (format!("{prefix}.override.{key}"), value.clone())).collect()
}

fn pairs(settings: &Settings) -> Vec<(&str, &str)> {
    settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

#[track_caller]
fn tells_no_secret(daemon: &Daemon) {
    let log = daemon.log();
    for secret in SECRETS {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn every_way_in() {
    let world = World::new();
    let file = |name: &str| world.certificates.path(name);
    let line = |name: &str| world.certificates.line(name);
    let own = |more: &[(&str, &str)]| {
        let all: [(&str, &str); 2] = [("security.protocol", "SSL"), ("ssl.truststore.location", &file("ca.crt"))];
        settings(&[&all[..], more].concat())
    };
    let stores = |kind: &str, trust: &str, store: &str, key_password: &str| {
        settings(&[
            ("security.protocol", "SSL"),
            ("ssl.truststore.type", kind),
            ("ssl.truststore.location", &file(trust)),
            ("ssl.truststore.password", STORE_PASSWORD),
            ("ssl.keystore.type", kind),
            ("ssl.keystore.location", &file(store)),
            ("ssl.keystore.password", STORE_PASSWORD),
            ("ssl.key.password", key_password),
        ])
    };
    let texts = own(&[
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.certificate.chain", &line("client.crt")),
        ("ssl.keystore.key", &line("client-locked.key")),
        ("ssl.key.password", KEY_PASSWORD),
    ]);
    for (listener, settings) in [
        ("LOGIN", world.login("SCRAM-SHA-512", ALICE)),
        ("LOGIN", world.login("SCRAM-SHA-256", ALICE)),
        ("LOGIN", world.login("PLAIN", ALICE)),
        ("MUTUAL", own(&[("ssl.keystore.location", &file("client.pem")), ("ssl.keystore.type", "PEM")])),
        ("MUTUAL", texts),
        ("MUTUAL", stores("PKCS12", "ca.p12", "client.p12", STORE_PASSWORD)),
        ("MUTUAL", stores("JKS", "ca.jks", "client.jks", KEY_PASSWORD)),
    ] {
        println!("{listener} {:?}", settings.iter().map(|(key, _)| key).collect::<Vec<_>>());
        let daemon = Daemon::start(world.options("wayin", listener, &settings));
        world.copies(&daemon, "wayin", &[]);
        tells_no_secret(&daemon);
    }
}

/// As in Connect: producers inherit none of the worker's own settings, admin clients all of them, and what a connector
/// overrides wins.
#[test]
fn each_client_gets_its_own_settings() {
    let world = World::new();
    let right = world.login("SCRAM-SHA-512", ALICE);
    let options = Options { broker: world.broker.listener("LOGIN"), ..Options::new("prefixes") };
    let daemon = Daemon::start(right.iter().fold(options, |options, (key, value)| options.with(key, value)));
    let database = table("prefixes");
    daemon.create(&database.name, &connector(&database, &[]));
    let mut trace = String::new();
    let told = within(PATIENCE, || {
        trace = daemon.task(&database.name).1;
        trace.contains("producer's security settings")
    });
    assert!(told, "a producer without the worker's login waits, and says so: {trace:?}");

    let put = |more: &Settings| {
        let config = Value::Object(connector(&database, &pairs(more)));
        let answer = daemon.rest("PUT", &format!("/connectors/{}/config", database.name), Some(&config));
        assert!([200, 201].contains(&answer.status), "{}", answer.text);
    };
    let says = |words: &[&str]| {
        let mut last = (String::new(), String::new());
        let said = within(PATIENCE, || {
            last = daemon.task(&database.name);
            words.iter().all(|word| last.1.contains(word))
        });
        assert!(said, "{words:?} is not in {last:?}");
        assert!(SECRETS.iter().all(|secret| !last.1.contains(secret)), "{last:?}");
        println!("{}: {}", last.0, last.1);
    };
    let producer = over("producer", &right);
    let with = |more: &[(&str, &str)]| [&producer[..], &settings(more)].concat();
    let wrong = &world.login("SCRAM-SHA-512", WRONG)[2].1;

    put(&with(&[("producer.override.sasl.jaas.config", wrong)]));
    says(&["uthentication", "producer"]);
    put(&with(&[("admin.override.sasl.jaas.config", wrong)]));
    says(&["uthentication", "admin"]);
    put(&with(&[("producer.override.ssl.truststore.location", &world.certificates.path("stranger.crt"))]));
    says(&["certificate", "producer"]);
    put(&with(&[("admin.override.ssl.truststore.location", &world.certificates.path("stranger.crt"))]));
    says(&["certificate", "admin"]);
    // A file may be mended later, so the configuration is stored, as in Connect. validate tells it.
    let store = with(&[
        ("producer.override.ssl.keystore.location", &world.certificates.path("client.jks")),
        ("producer.override.ssl.keystore.password", WRONG),
    ]);
    let words = ["ssl.keystore.password", "does not open", "client.jks"];
    let config =
        Value::Object(connector(&database, &[&pairs(&store)[..], &[("name", database.name.as_str())]].concat()));
    let path = "/connector-plugins/PostgresConnector/config/validate";
    let answer = daemon.rest("PUT", path, Some(&config));
    let has_all = words.iter().all(|word| answer.text.contains(word));
    assert!(answer.status == 200 && has_all && !answer.text.contains(WRONG), "{}", answer.text);
    put(&store);
    says(&words);
    put(&producer);
    world.comes(&daemon, &database);
    tells_no_secret(&daemon);
}

/// A worker that the broker does not let in says so, in the log and on its health page, and does not give up.
#[test]
fn a_worker_that_is_not_let_in() {
    let world = World::new();
    let stranger = world.certificates.path("stranger.crt");
    let untrusted: Settings = world
        .login("SCRAM-SHA-512", ALICE)
        .into_iter()
        .map(|(key, value)| if key == "ssl.truststore.location" { (key, stranger.clone()) } else { (key, value) })
        .collect();
    let nobody =
        settings(&[("security.protocol", "SSL"), ("ssl.truststore.location", &world.certificates.path("ca.crt"))]);
    for (listener, settings, word) in [
        ("LOGIN", world.login("SCRAM-SHA-512", WRONG), "uthentication"),
        ("LOGIN", world.login("PLAIN", WRONG), "uthentication"),
        ("LOGIN", untrusted, "certificate"),
        ("MUTUAL", nobody, "certificate"),
    ] {
        let options = Options { wait: false, ..world.options("notletin", listener, &settings) };
        let mut daemon = Daemon::start(options);
        let mut health = String::new();
        let told = within(PATIENCE, || {
            health = daemon.try_ask("GET", "/health", None).map(|answer| answer.text).unwrap_or_default();
            health.contains(word) && daemon.log().contains(word)
        });
        assert!(told, "{word} is not on the health page: {health}");
        assert!(daemon.is_alive());
        println!("{health}");
        assert!(SECRETS.iter().all(|secret| !health.contains(secret)), "{health}");
        tells_no_secret(&daemon);
        assert!(daemon.terminate(Duration::from_secs(20)).is_some(), "it can be stopped");
    }
}

/// A connection that must log in anew again and again goes on without a gap.
#[test]
fn logins_are_renewed() {
    let world = World::new();
    let daemon = Daemon::start(world.options("renewed", "LOGIN", &world.login("SCRAM-SHA-256", ALICE)));
    let database = table("renewed");
    daemon.create(&database.name, &connector(&database, &[]));
    world.comes(&daemon, &database);
    database.wait_streamed(true);
    let topic = format!("{}.public.t", database.name);
    let began = Instant::now();
    let mut rows = 1;
    while began.elapsed() < Duration::from_millis(3 * REAUTH_MS) {
        rows += 1;
        database.run(&format!("insert into t values ({rows}, '')"));
        wait_until("the row comes", PATIENCE, || world.kafka.length(&topic) == rows);
    }
    assert_eq!(daemon.task(&database.name), ("RUNNING".to_owned(), String::new()));
    let log = daemon.log();
    assert!(!log.contains("uthentication") && !log.contains("BrokerTransportFailure"), "the log is quiet: {log}");
}

/// The schema history's clients have settings of their own.
#[test]
fn a_schema_history_behind_a_login() {
    let world = World::new();
    let login = world.login("SCRAM-SHA-512", ALICE);
    let at = world.broker.listener("LOGIN");
    let daemon = Daemon::start(world.options("history", "LOGIN", &login));
    let database = MySqlDatabase::create(Product::MySql, "history_login");
    database.run("create table t(id int primary key)");
    database.run("insert into t values (1)");
    let clients = ["producer", "consumer"].iter();
    let of_history: Settings = clients
        .flat_map(|client| {
            login.iter().map(move |(key, value)| (format!("schema.history.internal.{client}.{key}"), value.clone()))
        })
        .collect();
    let topics = [("topic.creation.default.partitions", "1"), ("topic.creation.default.replication.factor", "1")];
    let more = [&topics[..], &pairs(&of_history)].concat();
    daemon.create(&database.name, &database.connector_at(&at, &more));
    let topic = format!("{0}.{0}.t", database.name);
    let came = within(PATIENCE, || world.kafka.length(&topic) == 1);
    assert!(came, "no record came: {:?}", daemon.task(&database.name));
    // After a restart the history is read.
    database.run("insert into t values (2)");
    daemon.rest("POST", &format!("/connectors/{}/restart?includeTasks=true", database.name), None);
    let came = within(PATIENCE, || world.kafka.length(&topic) == 2);
    assert!(came, "no record came: {:?}", daemon.task(&database.name));
    tells_no_secret(&daemon);
}
