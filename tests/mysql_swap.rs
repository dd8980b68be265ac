//! MySQL and MariaDB: a connector goes from a Java worker with Debezium to the daemon and back, more than once. Both read
//! what the other stored: configuration, offset, schema history.
//!
//! Run by scripts/test-swap.sh, which fetches Debezium's plug-ins and names their folder in `AFTERIMAGE_TEST_DEBEZIUM`. With
//! `AFTERIMAGE_RECORD=1` what the daemon stored and the Java worker went on from is written to `tests/data/swap`, for
//! `connectors/mysql/tests/swapped.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::collections::BTreeMap;
use std::time::Duration;

use rig::{Daemon, Kafka, MySqlDatabase, Options, Product, Server, ask, wait_until, within};
use serde_json::{Map, Value, json};

const PATIENCE: Duration = Duration::from_secs(90);
const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";

/// A connector's life between two kinds of workers, of which at most one runs.
struct Swap {
    kafka: Kafka,
    database: MySqlDatabase,
    options: Options,
    java: Option<Server>,
    daemon: Option<Daemon>,
    /// How many records of each table were expected already.
    seen: BTreeMap<String, usize>,
}

impl Swap {
    fn new(product: Product, address: &str, name: &str) -> Self {
        let database = MySqlDatabase::create_at(product, address, name);
        let options = Options::new(name);
        Self { kafka: Kafka::shared(), database, options, java: None, daemon: None, seen: BTreeMap::new() }
    }

    fn config(&self) -> Map<String, Value> {
        self.database.connector(&[
            ("key.converter", JSON),
            ("key.converter.schemas.enable", "false"),
            ("value.converter", JSON),
            ("value.converter.schemas.enable", "false"),
        ])
    }

    /// Starts the Java worker in the group.
    fn start_java(&mut self) {
        assert!(self.daemon.is_none());
        let plugins = std::env::var("AFTERIMAGE_TEST_DEBEZIUM").expect("run this with scripts/test-swap.sh");
        self.java = Some(Server::connect_with(&self.options.broker, &self.options.group, &plugins));
    }

    /// Ends the Java worker, which stores its offsets before.
    fn stop_java(&mut self) {
        self.java.take().unwrap().stop(false);
    }

    fn start_daemon(&mut self) {
        assert!(self.java.is_none());
        self.daemon = Some(Daemon::start(self.options.clone()));
    }

    fn stop_daemon(&mut self) {
        let code = self.daemon.take().unwrap().terminate(Duration::from_secs(30));
        assert_eq!(code, Some(0));
    }

    /// The records of a table's topic: `op` and the row.
    fn records(&self, table: &str) -> Vec<String> {
        let shown = |value: Option<Vec<u8>>| {
            let Some(value) = value else { return "tombstone".to_owned() };
            let value: Value = serde_json::from_slice(&value).unwrap();
            let row = if value["after"].is_null() { &value["before"] } else { &value["after"] };
            format!("{} {row}", value["op"].as_str().unwrap())
        };
        let name = &self.database.name;
        self.kafka.consume(&format!("{name}.{name}.{table}")).into_iter().map(|record| shown(record.value)).collect()
    }

    /// Waits for records of a table, and that they are the only ones since the last call.
    #[track_caller]
    fn expect(&mut self, table: &str, wanted: &[&str]) {
        let before = self.seen.get(table).copied().unwrap_or(0);
        within(PATIENCE, || self.records(table).len() >= before + wanted.len());
        let found = self.records(table);
        let trace = self.trace();
        assert_eq!(found.get(before..).unwrap_or_default(), wanted, "{table}, of {}: {trace}", self.database.name);
        self.seen.insert(table.to_owned(), found.len());
    }

    /// The trace of the connector's task under the worker that runs.
    fn trace(&self) -> String {
        let path = format!("/connectors/{}/status", self.database.name);
        match (&self.java, &self.daemon) {
            (Some(java), _) => ask("GET", &format!("http://{}{path}", java.address()), None, &[]).map(|a| a.text),
            (_, Some(daemon)) => daemon.try_ask("GET", &path, None).map(|a| a.text),
            _ => Err("no worker runs".to_owned()),
        }
        .unwrap_or_else(|e| e)
    }

    fn create_under_java(&self) {
        let body = json!({"name": self.database.name, "config": self.config()}).to_string();
        let url = format!("http://{}/connectors", self.java.as_ref().unwrap().address());
        let answer = ask("POST", &url, Some(&body), &[]).unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text);
    }

    /// The values of a topic.
    fn values(&self, topic: &str) -> Vec<String> {
        let text = |value: Option<Vec<u8>>| String::from_utf8(value.unwrap_or_default()).unwrap();
        self.kafka.consume(topic).into_iter().map(|record| text(record.value)).collect()
    }

    fn history(&self) -> Vec<String> {
        self.values(&format!("history.{}", self.database.name))
    }

    /// Waits until the last statement of the history has this word.
    #[track_caller]
    fn wait_history(&self, word: &str) {
        wait_until(&format!("a statement with {word} is in the history"), PATIENCE, || {
            self.history().last().is_some_and(|record| record.contains(word))
        });
    }

    fn offset(&self) -> String {
        self.values(&format!("{}-offsets", self.options.group)).pop().unwrap_or_default()
    }

    /// Writes what the Java worker reads next: the history, whose first `by_java` records that worker wrote, and the offset.
    fn record(&self, by_java: usize) {
        if std::env::var_os("AFTERIMAGE_RECORD").is_none() {
            return;
        }
        let by = |at: usize| if at < by_java { "java" } else { "afterimage" };
        let history = self.history();
        let history = history.iter().enumerate().map(|(at, text)| json!({"by": by(at), "history": text}).to_string());
        let offset = json!({"by": "afterimage", "offset": self.offset()}).to_string();
        let text: String = history.chain([offset]).map(|line| line + "\n").collect();
        let dir = format!("{}/tests/data/swap", env!("CARGO_MANIFEST_DIR"));
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(format!("{dir}/{}.jsonl", self.database.name), text).unwrap();
    }
}

/// What the daemon reads of DDL, and the Java worker must understand when it reads the history.
const DDL: &str = "alter table t add column late int not null default 7 first;
alter table t modify e enum('a','b','it''s, c') default 'b', add column at timestamp(3) null, add column js json;
alter table t rename column n to amount, add unique index by_v (v);
create table u (a bigint unsigned not null, b varchar(20) character set latin1 default 'x', c set('p','q') not null, primary key (b, a)) comment 'of u';
create table gone (id int primary key);
insert into gone values (1);
drop table gone;
create table w like u;
rename table w to w2, u to u2;
create view of_t as select id from t;
alter table u2 drop column c, alter column b set default 'it''s', add column g int generated always as (a + 1) stored;
truncate table w2;
create unique index by_g on u2 (g)";

#[track_caller]
fn goes_there_and_back(product: Product, address: &str, name: &str) {
    let mut swap = Swap::new(product, address, name);
    swap.database.run(
        "create table t (id int not null primary key, v varchar(20), e enum('a','b') default 'a', n decimal(10,2));
         create table other (id int primary key);
         insert into t values (1, 'copied', 'b', 1.5), (2, 'copied', null, null)",
    );
    swap.start_java();
    swap.create_under_java();
    swap.expect("t", &[r#"r {"id":1,"v":"copied","e":"b","n":"AJY="}"#, r#"r {"id":2,"v":"copied","e":"a","n":null}"#]);
    swap.database.wait_reader_after(0);
    swap.database.run("insert into t values (3, 'java', 'a', 2); delete from t where id = 2");
    swap.expect(
        "t",
        &[r#"c {"id":3,"v":"java","e":"a","n":"AMg="}"#, r#"d {"id":2,"v":"copied","e":"a","n":null}"#, "tombstone"],
    );
    swap.database.run("alter table other add column java_saw_this int");
    swap.wait_history("java_saw_this");
    let by_java = swap.history().len();
    swap.stop_java();

    swap.database
        .run("begin; insert into t values (4, 'nobody', 'b', -1); update t set v = 'again' where id = 1; commit");
    swap.start_daemon();
    swap.expect(
        "t",
        &[r#"c {"id":4,"v":"nobody","e":"b","n":"nA=="}"#, r#"u {"id":1,"v":"again","e":"b","n":"AJY="}"#],
    );
    swap.database.run(DDL);
    swap.database.run(
        "insert into t values (8, 5, 'ours', 'it''s, c', 3, '2024-02-29 12:34:56.789', '{\"k\": [1]}');
         insert into u2 (a, b) values (5, 'é')",
    );
    // MariaDB's JSON is a text.
    let js = if product == Product::MySql { r#"{\"k\":[1]}"# } else { r#"{\"k\": [1]}"# };
    let ours = r#"c {"late":8,"id":5,"v":"ours","e":"it's\\, c","amount":"ASw=","at":"2024-02-29T12:34:56.789Z","js":"#;
    swap.expect("t", &[&format!("{ours}\"{js}\"}}")]);
    swap.expect("u2", &[r#"c {"a":5,"b":"é","g":6}"#]);
    // A statement at the very end is read again by who goes on.
    swap.database.run("alter table t add column fin int");
    swap.wait_history("fin");
    swap.stop_daemon();
    let by_us = swap.history().len();
    assert!(by_us > by_java, "the daemon wrote nothing to the history");
    swap.record(by_java);

    swap.database.run(
        "insert into t (id, v) values (6, 'before');
         alter table t add column last_one int default 1;
         insert into t (id, v) values (7, 'later');
         insert into u2 (a, b) values (1, 'x')",
    );
    swap.start_java();
    swap.expect(
        "t",
        &[
            r#"c {"late":7,"id":6,"v":"before","e":"b","amount":null,"at":null,"js":null,"fin":null}"#,
            r#"c {"late":7,"id":7,"v":"later","e":"b","amount":null,"at":null,"js":null,"fin":null,"last_one":1}"#,
        ],
    );
    swap.expect("u2", &[r#"c {"a":1,"b":"x","g":2}"#]);
    swap.database.run("alter table u2 add column java int; insert into u2 (a, b, java) values (2, 'y', 3)");
    swap.expect("u2", &[r#"c {"a":2,"b":"y","g":3,"java":3}"#]);
    swap.stop_java();

    swap.database.run("insert into u2 (a, b) values (3, 'z'); delete from t where id = 7");
    swap.start_daemon();
    swap.expect("u2", &[r#"c {"a":3,"b":"z","g":4,"java":null}"#]);
    swap.expect(
        "t",
        &[
            r#"d {"late":7,"id":7,"v":"later","e":"b","amount":null,"at":null,"js":null,"fin":null,"last_one":1}"#,
            "tombstone",
        ],
    );
    swap.database.run("insert into u2 (a, b) values (4, 'end')");
    swap.expect("u2", &[r#"c {"a":4,"b":"end","g":5,"java":null}"#]);
}

#[test]
#[ignore = "scripts/test-swap.sh runs it, with Debezium's plug-ins"]
fn mysql_goes_there_and_back() {
    goes_there_and_back(Product::MySql, &Product::MySql.address(), "swapmysql");
}

/// Positions are those of files.
#[test]
#[ignore = "scripts/test-swap.sh runs it, with Debezium's plug-ins"]
fn mysql_without_gtids_goes_there_and_back() {
    let server = Server::mysql("--gtid-mode=OFF --enforce-gtid-consistency=OFF");
    goes_there_and_back(Product::MySql, server.address(), "swapfiles");
}

#[test]
#[ignore = "scripts/test-swap.sh runs it, with Debezium's plug-ins"]
fn mariadb_goes_there_and_back() {
    goes_there_and_back(Product::MariaDb, &Product::MariaDb.address(), "swapmariadb");
}

/// The daemon is killed in the middle of a transaction, in which it has stored offsets. The Java worker goes on there.
#[track_caller]
fn java_goes_on_in_a_transaction(product: Product) {
    const ROWS: usize = 100_000;
    let mut swap = Swap::new(product, &product.address(), &format!("mid{}", product.name()));
    swap.database.run("create table t (id int not null primary key, v varchar(200)); insert into t values (0, '')");
    // Stores offsets often enough to be in the transaction.
    let mut daemon = Daemon::start(swap.options.clone().with("offset.flush.interval.ms", "50"));
    daemon.create(&swap.database.name, &swap.config());
    swap.database.wait_reader_after(0);
    let digits = "(select 0 d union select 1 union select 2 union select 3 union select 4 union select 5 union select 6 \
                  union select 7 union select 8 union select 9)";
    let number = "a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d";
    swap.database.run(&format!(
        "insert into t select {number} + 1, repeat('x', 200) from {digits} a, {digits} b, {digits} c, {digits} e, \
         {digits} f order by 1"
    ));
    let topic = format!("{0}.{0}.t", swap.database.name);
    let stored = || -> Value { serde_json::from_str(&swap.offset()).unwrap_or_default() };
    let is_inside = || stored()["row"].as_u64().is_some_and(|row| row > 0);
    wait_until("an offset inside of the transaction is stored", PATIENCE, is_inside);
    daemon.kill();
    let sent = swap.kafka.length(&topic) as usize - 1;
    assert!(is_inside(), "the transaction was over: {}", swap.offset());
    swap.database.run("insert into t values (-1, 'the last')");
    let stored = stored();
    swap.start_java();
    let ids = || -> Vec<i64> {
        let id = |key: Option<Vec<u8>>| serde_json::from_slice::<Value>(&key.unwrap()).unwrap()["id"].as_i64().unwrap();
        swap.kafka.consume(&topic).into_iter().map(|record| id(record.key)).collect()
    };
    // A Java worker on a busy machine sends a thousand rows a second.
    wait_until("the row after the transaction", 3 * PATIENCE, || {
        swap.kafka.length(&topic) > ROWS as i64 + 1 && ids().last() == Some(&-1)
    });
    let ids = ids();
    // From the row after the stored one, the transaction is sent (again).
    let again = &ids[sent + 1..ids.len() - 1];
    let from = again[0];
    let wanted: Vec<i64> = (from..=ROWS as i64).collect();
    assert_eq!(again, wanted, "what Java sent is not the rest of the transaction; it went on from {stored}");
    assert!((1..=sent as i64 + 1).contains(&from), "Java left rows out: {from} after {sent}; it went on from {stored}");
    println!("{}: {sent} rows sent, Java went on at row {from}, from {stored}", product.name());
}

#[test]
#[ignore = "scripts/test-swap.sh runs it, with Debezium's plug-ins"]
fn java_goes_on_in_a_transaction_of_mysql() {
    java_goes_on_in_a_transaction(Product::MySql);
}

#[test]
#[ignore = "scripts/test-swap.sh runs it, with Debezium's plug-ins"]
fn java_goes_on_in_a_transaction_of_mariadb() {
    java_goes_on_in_a_transaction(Product::MariaDb);
}
