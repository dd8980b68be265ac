//! A broker that lets in only who shows a token of a server (SASL OAUTHBEARER): Kafka's own validator checks the tokens.
//!
//! There is no broker with Amazon's access control here: a stub takes what the daemon shows. That it is what Amazon's signer makes is
//! checked in `src/login/msk.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

#[path = "../rig/mod.rs"]
mod rig;
mod stub;
mod tokens;

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rig::{Daemon, Database, Kafka, MySqlDatabase, Options, Product, Server, wait_until, within};
use serde_json::{Map, Value};
use tokens::{AUDIENCE, Tokens};

const PATIENCE: Duration = Duration::from_secs(60);
const WORKER: (&str, &str) = ("worker", "w0rker-canary");
const PRODUCER: (&str, &str) = ("producer", "pr0ducer-canary");
const WRONG: &str = "wr0ng-canary";
const SECRETS: &[&str] = &[WORKER.1, PRODUCER.1, WRONG];
/// For how long tokens are valid, in seconds. The broker closes connections whose token has expired (KIP-368).
const LIFE_S: u64 = 8;

type Settings = Vec<(String, String)>;

/// The broker and the server of tokens. Topics are made by the admin client alone.
struct World {
    tokens: Tokens,
    broker: Server,
    kafka: Kafka,
    _dir: tempfile::TempDir,
}

impl World {
    fn new(life_s: u64) -> Self {
        let tokens = Tokens::serve(&[WORKER, PRODUCER], life_s);
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("jwks.json");
        std::fs::write(&keys, tokens.jwks()).unwrap();
        let keys = format!("file://{}", keys.display());
        let prefix = "listener.name.login.oauthbearer";
        let classes = "org.apache.kafka.common.security.oauthbearer";
        let lines = format!(
            "auto.create.topics.enable=false
listener.name.login.sasl.enabled.mechanisms=OAUTHBEARER
{prefix}.sasl.jaas.config={classes}.OAuthBearerLoginModule required;
{prefix}.sasl.server.callback.handler.class={classes}.OAuthBearerValidatorCallbackHandler
{prefix}.sasl.oauthbearer.jwks.endpoint.url={keys}
{prefix}.sasl.oauthbearer.expected.audience={AUDIENCE}
{prefix}.connections.max.reauth.ms=3600000"
        );
        let java = format!("-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={keys}");
        let broker = Server::kafka_secured_by(&["LOGIN:SASL_PLAINTEXT"], &lines, &java);
        let kafka = Kafka::at(broker.address());
        Self { tokens, broker, kafka, _dir: dir }
    }

    fn login(&self, client: &str, secret: &str) -> Settings {
        let classes = "org.apache.kafka.common.security.oauthbearer";
        let jaas = format!(
            "{classes}.OAuthBearerLoginModule required clientId=\"{client}\" clientSecret=\"{secret}\" scope=\"all\";"
        );
        let handler = format!("{classes}.secured.OAuthBearerLoginCallbackHandler");
        [
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "OAUTHBEARER"),
            ("sasl.login.callback.handler.class", &handler),
            ("sasl.oauthbearer.token.endpoint.url", &self.tokens.url()),
            ("sasl.jaas.config", &jaas),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec()
    }

    /// A daemon that reaches the broker by tokens only. Its own clients have the worker's login, and so have the connectors'
    /// producers.
    fn options(&self, label: &str) -> Options {
        let options = Options { broker: self.broker.listener("LOGIN"), ..Options::new(label) };
        let login = self.login(WORKER.0, WORKER.1);
        login
            .iter()
            .fold(options, |options, (key, value)| options.with(key, value).with(&format!("producer.{key}"), value))
    }

    #[track_caller]
    fn has(&self, daemon: &Daemon, name: &str, topic: &str, records: i64) {
        let came = within(PATIENCE, || self.kafka.length(topic) == records);
        assert!(came, "{} records came, not {records}: {:?}", self.kafka.length(topic), daemon.task(name));
    }
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

fn over(prefix: &str, settings: &Settings) -> Settings {
    settings.iter().map(|(key, value)| (format!("{prefix}.{key}"), value.clone())).collect()
}

fn pairs(settings: &Settings) -> Vec<(&str, &str)> {
    settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

#[track_caller]
fn tells_no_secret(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "{secret} is told");
    }
}

/// Every client logs in, those of exactly once too, and goes on when the tokens that it began with have expired.
#[test]
fn tokens_are_renewed_while_rows_come() {
    let world = World::new(LIFE_S);
    let daemon = Daemon::start(world.options("oauth").with("exactly.once.source.support", "enabled"));
    let database = table("oauth");
    daemon.create(&database.name, &connector(&database, &[]));
    let topic = format!("{}.public.t", database.name);
    // The end of a transaction takes a place in the topic, too.
    let has = |rows: usize| {
        let came = within(PATIENCE, || world.kafka.consume_committed(&topic).len() == rows);
        assert!(came, "row {rows} did not come: {:?}", daemon.task(&database.name));
    };
    wait_until("the topic is made", PATIENCE, || world.kafka.topics().iter().any(|(name, _)| *name == topic));
    has(1);
    // Clients with equal logins share a token: those of the worker and of the producers are equal.
    assert!(world.tokens.given(WORKER.0) <= 4, "{} tokens at the start", world.tokens.given(WORKER.0));
    assert!(world.tokens.bodies(WORKER.0)[0].contains("scope=all"), "{:?}", world.tokens.bodies(WORKER.0));
    database.wait_streamed(true);
    let (began, mut rows) = (Instant::now(), 1usize);
    while began.elapsed() < Duration::from_secs(3 * LIFE_S) {
        rows += 1;
        database.run(&format!("insert into t values ({rows}, '')"));
        has(rows);
    }
    assert!(world.tokens.given(WORKER.0) >= 3, "{} tokens", world.tokens.given(WORKER.0));
    assert_eq!(daemon.task(&database.name), ("RUNNING".to_owned(), String::new()));
    let log = daemon.log();
    assert!(!log.contains("uthentication") && !log.contains("BrokerTransportFailure"), "the log is quiet: {log}");
    tells_no_secret(&log);
}

/// A connector's overrides are its own clients' login. What the server of tokens says of a wrong secret stands in the status.
#[test]
fn a_wrong_secret_is_said_and_mended() {
    let world = World::new(3600);
    let daemon = Daemon::start(world.options("wrongsecret"));
    let database = table("wrongsecret");
    let put = |login: &Settings, prefix: &str| {
        let own = over(prefix, login);
        let config = Value::Object(connector(&database, &pairs(&own)));
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
        tells_no_secret(&last.1);
        println!("{}: {}", last.0, last.1);
    };
    put(&world.login(PRODUCER.0, WRONG), "admin.override");
    says(&["/realms/test/token answers 401 (invalid_client)", "clientSecret", "admin"]);
    put(&world.login(PRODUCER.0, WRONG), "producer.override");
    says(&["/realms/test/token answers 401 (invalid_client)", "clientSecret", "producer"]);
    put(&world.login(PRODUCER.0, PRODUCER.1), "producer.override");
    world.has(&daemon, &database.name, &format!("{}.public.t", database.name), 1);
    assert_eq!(world.tokens.given(PRODUCER.0), 1);
    tells_no_secret(&daemon.log());
}

/// A server of tokens that is away when the daemon starts is waited for; one that is away later is not even noticed while the
/// tokens last.
#[test]
fn a_server_of_tokens_that_is_away() {
    let world = World::new(3600);
    world.tokens.is_away(true);
    let mut daemon = Daemon::start(Options { wait: false, ..world.options("away") });
    let mut health = String::new();
    let told = within(PATIENCE, || {
        health = daemon.try_ask("GET", "/health", None).map(|answer| answer.text).unwrap_or_default();
        health.contains("no token") && health.contains("cannot be reached")
    });
    assert!(told && daemon.log().contains("no token for logins to Kafka"), "it is not on the health page: {health}");
    tells_no_secret(&health);
    world.tokens.is_away(false);
    daemon.wait_ready(PATIENCE);
    world.tokens.is_away(true);
    let database = table("away");
    daemon.create(&database.name, &connector(&database, &[]));
    world.has(&daemon, &database.name, &format!("{}.public.t", database.name), 1);
    tells_no_secret(&daemon.log());
}

/// The clients of a schema history have settings of their own.
#[test]
fn a_schema_history_behind_tokens() {
    let world = World::new(3600);
    let daemon = Daemon::start(world.options("oauthhistory"));
    let database = MySqlDatabase::create(Product::MySql, "oauth_history");
    database.run("create table t(id int primary key)");
    database.run("insert into t values (1)");
    let login = world.login(PRODUCER.0, PRODUCER.1);
    let of_history = ["producer", "consumer"].map(|client| over(&format!("schema.history.internal.{client}"), &login));
    let of_history = of_history.concat();
    let topics = [("topic.creation.default.partitions", "1"), ("topic.creation.default.replication.factor", "1")];
    let more = [&topics[..], &pairs(&of_history)].concat();
    daemon.create(&database.name, &database.connector_at(&world.broker.listener("LOGIN"), &more));
    let topic = format!("{0}.{0}.t", database.name);
    world.has(&daemon, &database.name, &topic, 1);
    // After a restart the history is read.
    database.run("insert into t values (2)");
    daemon.rest("POST", &format!("/connectors/{}/restart?includeTasks=true", database.name), None);
    world.has(&daemon, &database.name, &topic, 2);
    assert!(world.tokens.given(PRODUCER.0) >= 1);
    tells_no_secret(&daemon.log());
}

/// Java's settings for Amazon MSK, and credentials in the environment: brokers get the signed address by OAUTHBEARER.
#[test]
fn what_a_broker_of_amazon_gets() {
    let (at, logins) = stub::serve();
    let mut options = Options { broker: at, wait: false, ..Options::new("msk") }
        .with("security.protocol", "SASL_PLAINTEXT")
        .with("sasl.mechanism", "AWS_MSK_IAM")
        .with("sasl.jaas.config", "software.amazon.msk.auth.iam.IAMLoginModule required;")
        .with("sasl.client.callback.handler.class", "software.amazon.msk.auth.iam.IAMClientCallbackHandler");
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", PRODUCER.1),
        ("AWS_SESSION_TOKEN", "session/+="),
        ("AWS_REGION", "eu-central-1"),
    ];
    options.environment.extend(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let daemon = Daemon::start(options);
    let (mechanism, message) = logins.recv_timeout(PATIENCE).expect("a login");
    assert_eq!(mechanism, "OAUTHBEARER");
    // RFC 7628, section 3.1.
    let message = String::from_utf8(message).unwrap();
    let token = message.strip_prefix("n,,\u{1}auth=Bearer ").and_then(|rest| rest.strip_suffix("\u{1}\u{1}"));
    let url = String::from_utf8(URL_SAFE_NO_PAD.decode(token.unwrap()).unwrap()).unwrap();
    let begin = "https://kafka.eu-central-1.amazonaws.com/?Action=kafka-cluster%3AConnect&X-Amz-Algorithm=AWS4-HMAC-SHA256\
                 &X-Amz-Credential=AKIDEXAMPLE%2F";
    assert!(url.starts_with(begin), "{url}");
    for part in [
        "%2Feu-central-1%2Fkafka-cluster%2Faws4_request&X-Amz-Date=",
        "&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Security-Token=session%2F%2B%3D&X-Amz-Signature=",
        "&User-Agent=afterimage%2F",
    ] {
        assert!(url.contains(part), "{url} lacks {part}");
    }
    tells_no_secret(&url);
    tells_no_secret(&daemon.log());
}
