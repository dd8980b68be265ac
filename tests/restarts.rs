//! Tasks that failed and restart by themselves once the cause has passed, without anybody's call and without a loss; tasks whose
//! cause cannot pass, which stay FAILED; passwords that change, which are read again for each connection.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use rig::{Daemon, Database, Kafka, MySqlDatabase, Options, Product, Server, Session, wait_until};
use serde_json::Value;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
/// Pauses that a test can wait for.
const SOON: &[(&str, &str)] = &[("task.restart.backoff.ms", "300"), ("task.restart.backoff.max.ms", "2000")];
/// What the trace of a task says that restarts by itself.
const RESTARTS: &str = "the task restarts by itself in ";

/// A file of secrets, as something outside of the daemon writes it, and the worker's properties that make it readable.
struct Secrets {
    dir: TempDir,
}

impl Secrets {
    fn new(password: &str) -> Self {
        let secrets = Self { dir: tempfile::tempdir().unwrap() };
        secrets.write(password);
        secrets
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("db.properties")
    }

    /// Replaces the file in one step, as Kubernetes replaces a secret.
    fn write(&self, password: &str) {
        let new = self.dir.path().join("new");
        std::fs::write(&new, format!("password={password}\n")).unwrap();
        std::fs::rename(new, self.file()).unwrap();
    }

    /// The variable that a configuration has instead of the password.
    fn variable(&self) -> String {
        format!("${{file:{}:password}}", self.file().display())
    }
}

fn daemon(label: &str) -> Daemon {
    let class = "org.apache.kafka.common.config.provider.FileConfigProvider";
    Daemon::start(Options::new(label).with("config.providers", "file").with("config.providers.file.class", class))
}

/// A metric of the connector's task; `None` while it is not shown.
fn metric(daemon: &Daemon, name: &str, connector: &str) -> Option<f64> {
    let metrics = daemon.rest("GET", "/metrics", None).text;
    let begin = format!("afterimage_task_{name}{{connector=\"{connector}\",task=\"0\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(&begin)).map(|value| value.parse().unwrap())
}

fn restarts(daemon: &Daemon, connector: &str) -> u64 {
    metric(daemon, "restarts_total", connector).unwrap_or_default() as u64
}

/// Waits until the topic has the rows with these ids, each at least once.
#[track_caller]
fn wait_rows(kafka: &Kafka, topic: &str, last: i64) {
    let id = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["payload"]["id"].as_i64().unwrap();
    let mut seen = BTreeSet::new();
    let all = rig::within(PATIENCE, || {
        seen = kafka.consume(topic).iter().map(|m| id(m.key.as_ref().unwrap())).collect();
        seen.len() as i64 >= last
    });
    assert!(all && seen == (1..=last).collect(), "{seen:?} of {last}");
}

/// Waits until the task runs and nothing is in its way, without a call that would restart it.
#[track_caller]
fn wait_healed(daemon: &Daemon, connector: &str) {
    let mut last = (String::new(), String::new());
    let healed = rig::within(PATIENCE, || {
        last = daemon.task(connector);
        last == ("RUNNING".to_owned(), String::new())
    });
    assert!(healed, "{last:?}");
    assert_eq!(metric(daemon, "restart_due_seconds", connector), None);
}

/// What is shown of a task that has failed and restarts by itself.
#[track_caller]
fn check_failed(daemon: &Daemon, connector: &str, cause: &str) {
    let trace = daemon.wait_task(connector, "FAILED", PATIENCE);
    assert!(trace.contains(cause) && trace.contains(RESTARTS) && trace.contains(" s (attempt "), "{trace}");
    wait_until("attempts are made and shown", PATIENCE, || restarts(daemon, connector) >= 2);
    // While an attempt is made the task is FAILED too: nobody sees a recovery that is none.
    assert_eq!(daemon.task(connector).0, "FAILED");
}

/// What the file provider gives is asked for at each connection, and after a refusal at each restart.
#[test]
fn a_password_that_rotates_on_postgres() {
    let (daemon, kafka, database) = (daemon("rotates"), Kafka::shared(), Database::create("rotates"));
    let (name, role) = (&database.name, format!("role_{}", database.name));
    database.run("create table t(id int primary key); insert into t values (1)");
    database.run(&format!("create role {role} login superuser password 'first'"));
    let secrets = Secrets::new("first");
    let variable = secrets.variable();
    let own = [("database.user", role.as_str()), ("database.password", &variable)];
    daemon.create(name, &database.connector(&[&own[..], SOON].concat()));
    database.wait_streamed(true);
    let topic = format!("{name}.public.t");
    wait_rows(&kafka, &topic, 1);
    let cut = || {
        let sql = format!("select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = '{role}'");
        database.run(&sql);
        database.wait_streamed(false);
    };

    // The file is first: the next connection has the new password, and the task does not fail.
    secrets.write("second");
    database.run(&format!("alter role {role} password 'second'"));
    cut();
    database.run("insert into t values (2)");
    wait_rows(&kafka, &topic, 2);
    wait_healed(&daemon, name);
    assert_eq!(restarts(&daemon, name), 0);

    // The server is first, and for a long time: the task fails, and goes on when the file has followed.
    database.run(&format!("alter role {role} password 'third'"));
    cut();
    database.run("insert into t select generate_series(3, 100)");
    check_failed(&daemon, name, "password authentication failed");
    secrets.write("third");
    wait_healed(&daemon, name);
    wait_rows(&kafka, &topic, 100);
    assert!(!daemon.log().contains("third"));
}

/// Changes the connector's user, at each of its hosts.
fn alter_user(database: &MySqlDatabase, how: &str) {
    for host in ["%", "localhost"] {
        database.run(&format!("alter user '{}'@'{host}' {how}", database.user));
    }
}

/// Somebody changes the user on the server so that it is refused, and back.
fn refused_for_a_time(product: Product, (refuse, allow): (&str, &str)) {
    let label = format!("refused_{}", product.name());
    let (daemon, kafka, database) = (daemon(&label), Kafka::shared(), MySqlDatabase::create(product, &label));
    let name = &database.name;
    database.run("create table t(id int primary key); insert into t values (1)");
    daemon.create(name, &database.connector(SOON));
    database.wait_reader_after(0);
    let topic = format!("{name}.{name}.t");
    wait_rows(&kafka, &topic, 1);
    alter_user(&database, refuse);
    assert!(database.end_reader());
    database.run("insert into t values (2)");
    check_failed(&daemon, name, "Access denied");
    database.run("insert into t values (3)");
    alter_user(&database, allow);
    wait_healed(&daemon, name);
    wait_rows(&kafka, &topic, 3);
}

/// MySQL 9.7 goes on taking an old password that it has in the cache of caching_sha2_password, so the account is locked instead.
#[test]
fn a_mysql_that_refuses_access_for_a_time() {
    refused_for_a_time(Product::MySql, ("account lock", "account unlock"));
}

#[test]
fn a_mariadb_that_refuses_access_for_a_time() {
    refused_for_a_time(Product::MariaDb, ("identified by 'another'", "identified by 'cdc'"));
}

#[test]
fn a_password_that_rotates_on_mysql() {
    let product = Product::MySql;
    let (daemon, kafka, database) =
        (daemon("my_rotates"), Kafka::shared(), MySqlDatabase::create(product, "my_rotates"));
    let name = &database.name;
    database.run("create table t(id int primary key); insert into t values (1)");
    let secrets = Secrets::new("cdc");
    let variable = secrets.variable();
    daemon.create(name, &database.connector(&[&[("database.password", &*variable)], SOON].concat()));
    database.wait_reader_after(0);
    let topic = format!("{name}.{name}.t");
    wait_rows(&kafka, &topic, 1);
    secrets.write("second");
    alter_user(&database, "identified by 'second'");
    let before = database.reader();
    assert!(database.end_reader());
    database.run("insert into t values (2)");
    database.wait_reader_after(before);
    wait_rows(&kafka, &topic, 2);
    wait_healed(&daemon, name);
    assert_eq!(restarts(&daemon, name), 0);
}

/// No retry of the task's own is left (`errors.max.retries`), and the server is killed and comes back.
#[test]
fn a_database_that_is_away_when_no_retry_is_left() {
    let mut server = Server::postgres("logical");
    let (daemon, kafka) = (daemon("away"), Kafka::shared());
    let database = Database::create_at(server.address(), &rig::unique("away"));
    let name = &database.name;
    database.run("create table t(id int primary key); insert into t values (1)");
    daemon.create(name, &database.connector(&[&[("errors.max.retries", "0")], SOON].concat()));
    database.wait_streamed(true);
    let topic = format!("{name}.public.t");
    wait_rows(&kafka, &topic, 1);
    database.run("insert into t values (2)");
    server.stop(true);
    check_failed(&daemon, name, server.address());
    server.start_again();
    Session::connect(server.address(), name).run("insert into t values (3)");
    wait_healed(&daemon, name);
    wait_rows(&kafka, &topic, 3);
}

/// Of four tasks that have failed at the same time, one restarts: the cause of the others cannot pass, or it is switched off.
#[test]
fn which_tasks_restart() {
    let worker = Options::new("which").with("task.restart.enabled", "false");
    let daemon = Daemon::start(worker);
    let database = Database::create("which");
    database.run("create table t(id int primary key); insert into t values (1)");
    let role = format!("role_{}", database.name);
    database.run(&format!("create role {role} login superuser password 'right'"));
    let name = |what: &str| format!("{}_{what}", database.name);
    let refused = [("database.user", role.as_str()), ("database.password", "right")];
    let on = [("task.restart.enabled", "true")];
    let no_table = [("snapshot.select.statement.overrides", "public.t")];
    let select = ("snapshot.select.statement.overrides.public.t", "select * from public.no_such_table");
    let never = [
        ("transforms", "f"),
        ("transforms.f.type", "io.debezium.transforms.Filter"),
        ("transforms.f.language", "jsr223.groovy"),
        ("transforms.f.condition", "value.after.id == 1 ? 'no' : true"),
    ];
    let create = |what: &str, more: &[(&str, &str)]| {
        let own = [("slot.name", name(what)), ("publication.name", name(what)), ("topic.prefix", name(what))];
        let own: Vec<(&str, &str)> = own.iter().map(|(key, value)| (*key, value.as_str())).collect();
        daemon.create(&name(what), &database.connector(&[&own[..], SOON, more].concat()));
    };
    create("transform", &[&on[..], &never].concat());
    create("table", &[&on[..], &no_table, &[select]].concat());
    for (what, more) in [("off", &[][..]), ("on", &on[..])] {
        create(what, &[&refused[..], more].concat());
        daemon.wait_task(&name(what), "RUNNING", PATIENCE);
    }
    database.run(&format!("alter role {role} password 'another'"));
    database.run(&format!("select pg_terminate_backend(pid) from pg_stat_activity where usename = '{role}'"));
    for what in ["transform", "table", "off"] {
        let trace = daemon.wait_task(&name(what), "FAILED", PATIENCE);
        assert!(!trace.contains("Restart:"), "{what}: {trace}");
    }
    check_failed(&daemon, &name("on"), "password authentication failed");
    for what in ["transform", "table", "off"] {
        assert_eq!((restarts(&daemon, &name(what)), &*daemon.task(&name(what)).0), (0, "FAILED"), "{what}");
    }
    // A person's restart is as it always was.
    database.run(&format!("alter role {role} password 'right'"));
    let path = format!("/connectors/{}/restart?includeTasks=true&onlyFailed=true", name("off"));
    assert_eq!(daemon.rest("POST", &path, None).status, 202);
    wait_healed(&daemon, &name("off"));
    wait_healed(&daemon, &name("on"));
    for what in ["off", "on", "transform", "table"] {
        daemon.rest("DELETE", &format!("/connectors/{}", name(what)), None);
    }
}

/// A mistake of the program that happens once: the task goes on by itself from the stored offset.
#[test]
fn a_defect_that_happens_once() {
    let database = Database::create("defect");
    let name = &database.name;
    database.run("create table t(id int primary key); insert into t select generate_series(1, 10)");
    let environment = vec![("FAILPOINTS".to_owned(), format!("pipeline-{name}=1*panic(once)"))];
    let daemon = Daemon::start(Options { environment, ..Options::new("defect") });
    daemon.create(name, &database.connector(&[]));
    let trace = daemon.wait_task(name, "FAILED", PATIENCE);
    assert!(trace.contains("defect of afterimage") && trace.contains(RESTARTS), "{trace}");
    wait_rows(&Kafka::shared(), &format!("{name}.public.t"), 10);
    wait_healed(&daemon, name);
    assert_eq!(restarts(&daemon, name), 1);
}
