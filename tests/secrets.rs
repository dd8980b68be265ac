//! A password, a key or a token in every place where one can stand, searched for in all that the daemon says: its log at the
//! finest level, every answer but the configurations that Connect echoes, the metrics, and the topics.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::Duration;

use rig::{Daemon, Database, Kafka, MySqlDatabase, Options, Product, Session, unique, wait_until, within};
use serde_json::{Map, Value, json};

const PATIENCE: Duration = Duration::from_secs(60);
/// In every secret here.
const CANARY: &str = "c4n4ry";
/// The marks of secrets that cannot hold the canary as a word.
const KEY_BYTES: &str = "QzRuNHJ5S2V5Qnl0ZXM";

/// Asks the daemon, and keeps what it answered.
struct Ears<'a> {
    daemon: &'a Daemon,
    heard: Vec<(String, String)>,
}

impl Ears<'_> {
    fn ask(&mut self, method: &str, path: &str, body: Option<&Value>) -> rig::Answer {
        let answer = self.daemon.rest(method, path, body);
        self.heard.push((format!("{method} {path}: {}", answer.status), answer.text.clone()));
        answer
    }

    /// Creates a connector. A 201 echoes the configuration, as in Connect; an error must not.
    fn create(&mut self, name: &str, config: &Map<String, Value>) -> u16 {
        let body = json!({"name": name, "config": config});
        let answer = self.daemon.rest("POST", "/connectors", Some(&body));
        if answer.status == 201 {
            assert_eq!(answer.json()["config"]["database.password"], config["database.password"], "it is echoed");
        } else {
            self.heard.push((format!("POST {name}: {}", answer.status), answer.text.clone()));
        }
        answer.status
    }
}

/// Each with a secret, and how it is wrong.
fn mistakes() -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let secret = |what: &str| format!("{CANARY}-{what}");
    let jaas = |end: &str| {
        let module = "org.apache.kafka.common.security.scram.ScramLoginModule required";
        format!("{module} username=\"u\" password=\"{}\"{end}", secret("jaas"))
    };
    let login = |config: String| {
        vec![
            ("producer.override.security.protocol", "SASL_PLAINTEXT".to_owned()),
            ("producer.override.sasl.mechanism", "SCRAM-SHA-512".to_owned()),
            ("producer.override.sasl.jaas.config", config),
        ]
    };
    let tls = |more: &[(&'static str, String)]| {
        let all = vec![("producer.override.security.protocol", "SSL".to_owned())];
        [all, more.to_vec()].concat()
    };
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{KEY_BYTES}\n-----END PRIVATE KEY-----");
    let data = |name: &str| format!("{}/certificates/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    let registry = |more: &[(&'static str, String)]| {
        let all = vec![("value.converter", "io.confluent.connect.avro.AvroConverter".to_owned())];
        [all, more.to_vec()].concat()
    };
    let url = "value.converter.schema.registry.url";
    vec![
        ("password", vec![("database.password", secret("wrong"))]),
        ("jaas", login(jaas(";"))),
        ("jaas-broken", login(jaas(""))),
        ("jaas-module", login(format!("com.example.Login required password=\"{}\";", secret("module")))),
        ("jaas-none", login(secret("no-jaas"))),
        (
            "jaas-admin",
            vec![
                ("admin.override.security.protocol", "SASL_PLAINTEXT".to_owned()),
                ("admin.override.sasl.mechanism", "PLAIN".to_owned()),
                ("admin.override.sasl.jaas.config", jaas(";")),
            ],
        ),
        (
            "oauth",
            vec![
                ("producer.override.security.protocol", "SASL_PLAINTEXT".to_owned()),
                ("producer.override.sasl.mechanism", "OAUTHBEARER".to_owned()),
                ("producer.override.sasl.oauthbearer.token.endpoint.url", "http://127.0.0.1:1/token".to_owned()),
                (
                    "producer.override.sasl.jaas.config",
                    format!("x.OAuthBearerLoginModule required clientId=\"id\" clientSecret=\"{}\";", secret("oauth")),
                ),
            ],
        ),
        (
            "oauth-keys",
            vec![
                ("admin.override.security.protocol", "SASL_PLAINTEXT".to_owned()),
                ("admin.override.sasl.mechanism", "OAUTHBEARER".to_owned()),
                (
                    "admin.override.sasl.oauthbearer.token.endpoint.url",
                    format!("http://u:{}@127.0.0.1:1/token", secret("oauth-url")),
                ),
                ("admin.override.sasl.jaas.config", "x.OAuthBearerLoginModule required;".to_owned()),
                ("admin.override.sasl.oauthbearer.client.credentials.client.id", "id".to_owned()),
                ("admin.override.sasl.oauthbearer.client.credentials.client.secret", secret("oauth-key")),
            ],
        ),
        (
            "store",
            tls(&[
                ("producer.override.ssl.keystore.location", data("client.jks")),
                ("producer.override.ssl.keystore.password", secret("store")),
            ]),
        ),
        (
            "key",
            tls(&[
                ("producer.override.ssl.keystore.location", data("client.jks")),
                ("producer.override.ssl.keystore.password", "storepass".to_owned()),
                ("producer.override.ssl.key.password", secret("key")),
            ]),
        ),
        (
            "pem",
            tls(&[
                ("producer.override.ssl.keystore.key", pem.clone()),
                ("producer.override.ssl.keystore.certificate.chain", pem.clone()),
            ]),
        ),
        (
            "trust",
            tls(&[
                ("producer.override.ssl.truststore.location", data("trust.jks")),
                ("producer.override.ssl.truststore.password", secret("trust")),
            ]),
        ),
        ("unknown", vec![("producer.override.my.own.password", secret("unknown"))]),
        (
            "registry-user",
            registry(&[
                (url, "http://127.0.0.1:1".to_owned()),
                ("value.converter.basic.auth.credentials.source", "USER_INFO".to_owned()),
                ("value.converter.basic.auth.user.info", format!("u:{}", secret("user"))),
            ]),
        ),
        ("registry-url", registry(&[(url, format!("http://u:{}@127.0.0.1:1", secret("url")))])),
        (
            "registry-token",
            registry(&[
                (url, "http://127.0.0.1:1".to_owned()),
                ("value.converter.bearer.auth.credentials.source", "STATIC_TOKEN".to_owned()),
                ("value.converter.bearer.auth.token", secret("token")),
            ]),
        ),
        (
            "registry-oauth",
            registry(&[
                (url, "http://127.0.0.1:1".to_owned()),
                ("value.converter.bearer.auth.credentials.source", "OAUTHBEARER".to_owned()),
                ("value.converter.bearer.auth.issuer.endpoint.url", "http://127.0.0.1:1/token".to_owned()),
                ("value.converter.bearer.auth.client.id", "id".to_owned()),
                ("value.converter.bearer.auth.client.secret", secret("client")),
            ]),
        ),
        (
            "registry-store",
            registry(&[
                (url, "https://127.0.0.1:1".to_owned()),
                ("value.converter.schema.registry.ssl.keystore.location", data("client.jks")),
                ("value.converter.schema.registry.ssl.keystore.password", secret("rstore")),
            ]),
        ),
        (
            "database-key",
            vec![
                ("database.sslmode", "require".to_owned()),
                ("database.sslkey", data("client.jks")),
                ("database.sslpassword", secret("sslpassword")),
                ("database.ssl.mode", "required".to_owned()),
                ("database.ssl.keystore", data("client.jks")),
                ("database.ssl.keystore.password", secret("keystore")),
                ("database.ssl.truststore", data("trust.jks")),
                ("database.ssl.truststore.password", secret("truststore")),
            ],
        ),
        (
            "history",
            vec![
                ("schema.history.internal.producer.security.protocol", "SASL_PLAINTEXT".to_owned()),
                ("schema.history.internal.producer.sasl.mechanism", "PLAIN".to_owned()),
                ("schema.history.internal.producer.sasl.jaas.config", jaas(";")),
                ("schema.history.internal.consumer.security.protocol", "SASL_PLAINTEXT".to_owned()),
                ("schema.history.internal.consumer.sasl.mechanism", "PLAIN".to_owned()),
                ("schema.history.internal.consumer.sasl.jaas.config", jaas("")),
            ],
        ),
        ("number", vec![("database.port", "x".to_owned()), ("database.password", secret("port"))]),
        ("sms", vec![("transforms", "a".to_owned()), ("database.password", secret("sms"))]),
    ]
}

#[test]
fn no_secret_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("secrets.properties").display().to_string();
    let database = Database::create("secrets");
    let role = unique("secret_role");
    let password = format!("{CANARY}-postgres");
    database.run("create table t(id int primary key, v text); insert into t values (1, 'a')");
    database.run(&format!("create role {role} login superuser replication password '{password}'"));
    let of_mysql = MySqlDatabase::create(Product::MySql, "secrets");
    let mysql_password = format!("{CANARY}-mysql");
    of_mysql.run("create table t(id int primary key, v text)");
    of_mysql.run("insert into t values (1, 'a')");
    for host in ["%", "localhost"] {
        let account = format!("'{}'@'{host}'", of_mysql.user);
        of_mysql.session().run(&format!("alter user {account} identified by '{mysql_password}'"));
    }
    std::fs::write(&file, format!("postgres={password}\nmysql={mysql_password}\nempty=\n")).unwrap();
    let jaas = |what: &str| {
        let module = "org.apache.kafka.common.security.plain.PlainLoginModule required";
        format!("{module} username=\"u\" password=\"{CANARY}-{what}\";")
    };
    let worker_store = format!("{CANARY}-worker-store");
    let options = Options::new("secrets")
        .with("config.providers", "file")
        .with("config.providers.file.class", "org.apache.kafka.common.config.provider.FileConfigProvider")
        .with("config.providers.file.param.allowed.paths", &dir.path().display().to_string())
        // Settings of protocols that are not spoken are warned of.
        .with("sasl.mechanism", "PLAIN")
        .with("sasl.jaas.config", &jaas("worker"))
        .with("producer.sasl.jaas.config", &jaas("worker-producer"))
        .with("admin.sasl.jaas.config", &jaas("worker-admin"))
        .with("ssl.keystore.password", &worker_store)
        .with("ssl.key.password", &worker_store)
        .with("ssl.truststore.password", &worker_store)
        .with("ssl.keystore.key", &format!("-----BEGIN PRIVATE KEY----- {KEY_BYTES} -----END PRIVATE KEY-----"))
        .with("value.converter.basic.auth.user.info", &format!("u:{CANARY}-worker-registry"))
        .with("my.own.secret", &format!("{CANARY}-unknown"))
        .with("afterimage.log.level", "trace");
    let mut daemon = Daemon::start(options);
    let kafka = Kafka::shared();
    let mut ears = Ears { daemon: &daemon, heard: Vec::new() };

    // Both databases, with passwords that are their users' own, in the configuration and through a provider.
    let good =
        database.connector(&[("database.user", &role), ("database.password", &format!("${{file:{file}:postgres}}"))]);
    assert_eq!(ears.create("good", &good), 201);
    let good = of_mysql.connector(&[("database.password", &mysql_password)]);
    assert_eq!(ears.create("good-mysql", &good), 201);
    for topic in [format!("{}.public.t", database.name), format!("{}.{}.t", of_mysql.name, of_mysql.name)] {
        wait_until("the row comes", PATIENCE, || kafka.length(&topic) == 1);
    }

    // Mistakes of all kinds, in both connectors.
    let mut names = Vec::new();
    for (name, wrong) in mistakes() {
        for (of, class) in [("postgres", "PostgresConnector"), ("mysql", "MySqlConnector")] {
            let name = format!("{of}-{name}");
            let mut config = if of == "postgres" {
                database.connector(&[("slot.name", &name.replace('-', "_")), ("database.user", &role)])
            } else {
                of_mysql.connector(&[("database.server.id", "99")])
            };
            let right = if of == "postgres" { &password } else { &mysql_password };
            config.insert("database.password".to_owned(), right.as_str().into());
            config.insert("topic.prefix".to_owned(), name.clone().into());
            config.insert("name".to_owned(), name.clone().into());
            for (key, value) in &wrong {
                config.insert((*key).to_owned(), value.as_str().into());
            }
            let checked = ears.ask(
                "PUT",
                &format!("/connector-plugins/{class}/config/validate"),
                Some(&Value::Object(config.clone())),
            );
            assert!([200, 400].contains(&checked.status), "{name}: {}", checked.text);
            if ears.create(&name, &config) == 201 {
                names.push(name);
            }
        }
    }
    // Each says what is wrong, or waits for what is away.
    within(Duration::from_secs(20), || names.iter().all(|name| !daemon.task(name).1.is_empty()));
    for name in &names {
        ears.ask("GET", &format!("/connectors/{name}/status"), None);
        ears.ask("POST", &format!("/connectors/{name}/restart?includeTasks=true"), None);
        ears.ask("GET", &format!("/connectors/{name}/offsets"), None);
        ears.ask("GET", &format!("/connectors/{name}/topics"), None);
    }
    for path in [
        "/",
        "/health",
        "/metrics",
        "/connectors?expand=status",
        "/connector-plugins?connectorsOnly=false",
        "/admin/loggers",
    ] {
        ears.ask("GET", path, None);
    }
    // Mistakes in calls.
    let echo = json!({"name": 7, "config": {"database.password": format!("{CANARY}-body")}});
    ears.ask("POST", "/connectors", Some(&echo));
    let none = json!({"connector.class": "com.example.None", "database.password": format!("{CANARY}-none")});
    ears.ask("PUT", "/connectors/none/config", Some(&none));
    ears.ask("PUT", "/connector-plugins/None/config/validate", Some(&none));
    ears.ask(
        "PATCH",
        "/connectors/good/config",
        Some(&json!({"database.password": {"a": format!("{CANARY}-nested")}})),
    );
    ears.ask("PUT", "/connectors/good/config", Some(&json!([format!("{CANARY}-list")])));

    let echoed = ears.daemon.rest("GET", "/connectors/good/config", None).json();
    assert_eq!(echoed["database.password"], format!("${{file:{file}:postgres}}"), "the placeholder, as it was sent");
    let heard = std::mem::take(&mut ears.heard);
    daemon.terminate(Duration::from_secs(30));

    let mut told = Vec::new();
    let mut look = |place: &str, text: &str| {
        for line in text.lines().filter(|line| line.contains(CANARY) || line.contains(KEY_BYTES)) {
            let at = line.find(CANARY).or_else(|| line.find(KEY_BYTES)).unwrap();
            let (mut from, mut to) = (at.saturating_sub(300), (at + 100).min(line.len()));
            while !line.is_char_boundary(from) {
                from -= 1;
            }
            while !line.is_char_boundary(to) {
                to -= 1;
            }
            told.push(format!("{place}: …{}…", &line[from..to]));
        }
    };
    for (place, text) in &heard {
        look(place, text);
    }
    look("the log", &daemon.log());
    // The topic of configurations holds what GET shows; no other one holds a secret.
    for (topic, _) in kafka.topics() {
        let ours = topic.starts_with(&of_mysql.name)
            || topic.starts_with(&database.name)
            || topic.contains(daemon.group())
            || topic.ends_with(&of_mysql.name);
        if ours && !topic.ends_with("-configs") {
            for message in kafka.consume(&topic) {
                for part in [message.key, message.value].into_iter().flatten() {
                    look(&topic, &String::from_utf8_lossy(&part));
                }
            }
        }
    }
    Session::connect(&rig::postgres_address(), "postgres").try_run(&format!("drop role {role}")).ok();
    assert!(daemon.log().contains(" TRACE "), "the log is at its finest level");
    assert!(told.is_empty(), "{} times:\n{}", told.len(), told.join("\n"));
}
