//! A broker that is away, stands still, or refuses: memory stays bounded, the status says what is wrong, and where it can
//! the task goes on by itself within 30 s of the mending. Nothing is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rig::{Daemon, Database, Footprint, Kafka, Options, Server, wait_until, within};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);
/// Within this time it goes on once the cause is gone.
const HEALS: Duration = Duration::from_secs(30);
/// What may wait in the daemon while nothing can be sent: the shared byte budget (16 MiB), the connector's floor, the
/// producer's queue (32 MiB), and what the allocator keeps.
const HELD_KIB: u64 = 96 * 1024;

fn ids(kafka: &Kafka, topic: &str) -> Vec<i64> {
    let id = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["payload"]["id"].as_i64().unwrap();
    kafka.consume(topic).iter().map(|m| id(m.key.as_ref().unwrap())).collect()
}

/// A broker of its own, a database with one streamed row, and the daemon.
struct Bed {
    broker: Server,
    kafka: Kafka,
    daemon: Daemon,
    database: Database,
    topic: String,
}

fn bed(label: &str, broker: Server) -> Bed {
    // Kafka's tool for access rules needs a while: the longest pause must fit into the time of healing.
    let options = Options::new(label).with("task.restart.backoff.max.ms", "10000");
    let daemon = Daemon::start(Options { broker: broker.address().to_owned(), ..options });
    let database = Database::create(label);
    database.run("create table t(id int primary key, v text); insert into t values (1, '')");
    daemon.create(&database.name, &database.connector(&[]));
    let (kafka, topic) = (Kafka::at(broker.address()), format!("{}.public.t", database.name));
    wait_until("the copy is there", PATIENCE, || kafka.length(&topic) == 1);
    database.wait_streamed(true);
    Bed { broker, kafka, daemon, database, topic }
}

impl Bed {
    /// Writes rows for so long, 400 bytes each. Meanwhile the memory stays bounded and REST answers. Returns the last id.
    fn write_for(&self, time: Duration) -> i64 {
        let (began, before) = (Instant::now(), Footprint::of(self.daemon.pid()));
        let mut last: i64 = self.database.cell("select max(id) from t").parse().unwrap();
        while began.elapsed() < time {
            self.database.run(&format!(
                "insert into t select i, repeat('x', 400) from generate_series({}, {}) i",
                last + 1,
                last + 2000
            ));
            last += 2000;
            let asked = Instant::now();
            assert_eq!(self.daemon.try_ask("GET", "/connectors", None).map(|a| a.status), Ok(200));
            assert!(asked.elapsed() < Duration::from_secs(5), "REST took {:?}", asked.elapsed());
            let now = Footprint::of(self.daemon.pid());
            assert!(now.resident_kib < before.resident_kib + HELD_KIB, "{now}; before: {before}");
            std::thread::sleep(Duration::from_millis(50));
        }
        println!("{last} rows; {}", Footprint::of(self.daemon.pid()));
        last
    }

    #[track_caller]
    fn wait_trace(&self, word: &str) {
        let mut last = (String::new(), String::new());
        let says = within(PATIENCE, || {
            last = self.daemon.task(&self.database.name);
            last.0 == "RUNNING" && last.1.contains(word)
        });
        assert!(says, "{word} is not in {last:?}");
    }

    /// All rows come, the first of them within the time in which it must heal; and the status is plain again.
    #[track_caller]
    fn heals(&self, last: i64) {
        let mended = Instant::now();
        let before = self.kafka.length(&self.topic);
        assert!(within(HEALS, || self.kafka.length(&self.topic) > before), "nothing came: {}", self.daemon.log());
        println!("the first row came after {:?}", mended.elapsed());
        wait_until("all rows come", PATIENCE * 3, || self.kafka.length(&self.topic) >= last);
        let seen: BTreeSet<i64> = ids(&self.kafka, &self.topic).into_iter().collect();
        assert_eq!(seen.len() as i64, last, "rows are lost");
        wait_until("the status is plain", HEALS, || {
            self.daemon.task(&self.database.name) == ("RUNNING".to_owned(), String::new())
        });
    }
}

fn outage() -> Duration {
    Duration::from_secs(if rig::long() { 120 } else { 12 })
}

#[test]
fn a_broker_away() {
    let mut bed = bed("brokeraway", Server::kafka());
    bed.broker.stop(true);
    let last = bed.write_for(outage());
    bed.wait_trace("no Kafka broker");
    bed.broker.start_again();
    bed.heals(last);
}

/// It accepts connections and answers nothing.
#[test]
fn a_broker_that_stands_still() {
    let bed = bed("brokerstill", Server::kafka());
    bed.broker.freeze(true);
    let last = bed.write_for(outage());
    bed.wait_trace("TimeoutException");
    println!("{}", bed.daemon.task(&bed.database.name).1);
    bed.broker.freeze(false);
    bed.heals(last);
}

/// The broker takes the right to write to the topic away, and gives it back.
#[test]
fn a_broker_that_refuses_by_acl() {
    let bed = bed(
        "brokeracl",
        Server::kafka_with(
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\nallow.everyone.if.no.acl.found=true",
        ),
    );
    let acl = |what: &[&str]| {
        let rule = ["--deny-principal", "User:ANONYMOUS", "--operation", "Write", "--topic", &bed.topic];
        bed.broker.kafka_acls(&[what, &rule].concat());
    };
    // Somebody must be allowed, or Kafka takes the topic for one without rules.
    bed.broker.kafka_acls(&["--add", "--allow-principal", "User:*", "--operation", "All", "--topic", &bed.topic]);
    acl(&["--add"]);
    bed.database.run("insert into t values (2, 'refused')");
    let trace = bed.daemon.wait_task(&bed.database.name, "FAILED", PATIENCE);
    for word in ["TopicAuthorizationException: Not authorized to access topics: [", &bed.topic, "WRITE"] {
        assert!(trace.contains(word), "{word} is not in {trace}");
    }
    assert!(trace.contains("restarts by itself in"), "{trace}");
    acl(&["--remove", "--force"]);
    bed.heals(2);
}
