//! Two workers of one group: whichever is called, the answers are those of one cluster.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use rig::{Daemon, Database, Kafka, Options, unique, wait_until};
use serde_json::{Value, json};

/// The owner of a new group, and a standby.
fn pair(label: &str) -> (Daemon, Daemon) {
    let options = Options::new(label);
    let owner = Daemon::start(options.clone());
    wait_until("the first owns the group", Duration::from_secs(30), || {
        owner.ask("GET", "/health", None).text.contains("Worker has completed startup")
    });
    let standby = Daemon::start(options);
    standby.wait_standby();
    wait_until("the second knows the first", Duration::from_secs(10), || {
        standby.ask("GET", "/health", None).text.contains(&owner.url())
    });
    (owner, standby)
}

#[test]
fn a_standby_passes_changes_on_to_the_owner() {
    let (owner, standby) = pair("forward");
    let database = Database::create("forward");
    database.run("create table t (id int primary key)");
    let config = Value::Object(database.connector(&[]));
    let create = json!({"name": "a b", "config": config}).to_string();
    let created = standby.ask("POST", "/connectors", Some(&create));
    assert_eq!((created.status, created.json()["name"].as_str()), (201, Some("a b")), "{}", created.text);
    // The owner's own status and words come through.
    let again = standby.ask("POST", "/connectors?x=1", Some(&create));
    assert_eq!((again.status, again.json()["message"].as_str()), (409, Some("Connector a b already exists")));
    let wrong = standby.ask("PUT", "/connectors/a%20b/config", Some("{}"));
    assert_eq!((wrong.status, wrong.content_type.as_str()), (400, "application/json"), "{}", wrong.text);
    wait_until("both show that it runs", Duration::from_secs(30), || {
        [&owner, &standby].iter().all(|daemon| {
            let status = daemon.ask("GET", "/connectors/a%20b/status", None).json();
            status["tasks"][0]["state"] == "RUNNING"
        })
    });
    let flags = standby.ask("POST", "/connectors/a%20b/restart?includeTasks=true", None);
    assert_eq!((flags.status, &flags.json()["tasks"][0]["state"]), (202, &json!("RESTARTING")), "{}", flags.text);
    for (method, path, status) in [
        ("PUT", "/connectors/a%20b/pause", 202),
        ("PUT", "/connectors/a%20b/stop", 204),
        ("DELETE", "/connectors/a%20b/offsets", 200),
        // The second hop ends where the owner is.
        ("PUT", "/connectors/a%20b/resume?forward=true", 202),
        ("DELETE", "/connectors/a%20b", 204),
        ("DELETE", "/connectors/a%20b", 404),
    ] {
        let answer = standby.ask(method, path, None);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
    }
    // A third hop would be one too many.
    let answer = standby.try_ask("PUT", "/connectors/x/pause?forward=false", None).unwrap();
    let conflict = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)";
    assert_eq!((answer.status, answer.json()["message"].as_str()), (409, Some(conflict)));
}

/// What a worker sends to the owner, seen by a socket in the owner's place: the marks of the group name its address.
#[test]
fn what_goes_along_with_a_call() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    // The first worker advertises the socket as its own address.
    let options = Options::new("along");
    let mut named = options.clone().with("rest.advertised.host.name", "127.0.0.1").with("rest.advertised.port", &port);
    named.worker.push(("afterimage.instance.id".to_owned(), unique("named")));
    let owner = Daemon::start(named);
    wait_until("the first owns the group", Duration::from_secs(30), || {
        owner.ask("GET", "/health", None).text.contains("Worker has completed startup")
    });
    let standby = Daemon::start(options);
    wait_until("the second knows the socket", Duration::from_secs(20), || {
        standby.ask("GET", "/health", None).text.contains(&port)
    });
    let seen = std::thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"{\"a\":\"1\"}") {
            let mut piece = [0; 1024];
            let read = socket.read(&mut piece).unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&bytes));
            bytes.extend_from_slice(&piece[..read]);
        }
        socket
            .write_all(b"HTTP/1.1 418 I'm a teapot\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
            .unwrap();
        String::from_utf8(bytes).unwrap()
    });
    let headers = [("authorization".to_owned(), "Basic YTpi".to_owned()), ("cookie".to_owned(), "c=1".to_owned())];
    let url = format!("{}/connectors/x/config?y=z", standby.url());
    let answer = rig::ask("PUT", &url, Some("{\"a\":\"1\"}"), &headers).unwrap();
    assert_eq!((answer.status, answer.text.as_str()), (418, "{}"));
    let seen = seen.join().unwrap().to_ascii_lowercase();
    assert!(seen.starts_with("put /connectors/x/config?y=z&forward=true http/1.1\r\n"), "{seen}");
    for line in ["authorization: basic ytpi", "accept: application/json", "user-agent: kafka-connect"] {
        assert!(seen.contains(line), "{line} is not in {seen}");
    }
    assert!(!seen.contains("cookie"), "{seen}");
    // Nobody listens there any more.
    let gone = rig::ask("PUT", &url, Some("{\"a\":\"1\"}"), &[]).unwrap();
    assert_eq!(gone.status, 500);
    assert!(gone.text.contains("IO Error trying to forward REST request: "), "{}", gone.text);
}

#[test]
fn log_levels_reach_all_workers_that_run() {
    let (owner, standby) = pair("levels");
    let level = |daemon: &Daemon| daemon.ask("GET", "/admin/loggers/some.logger", None).json()["level"].clone();
    let body = json!({"level": "debug"}).to_string();
    // Through the standby, which passes it on; the record comes back to both.
    let set = standby.ask("PUT", "/admin/loggers/some.logger?scope=cluster", Some(&body));
    assert_eq!((set.status, set.text.as_str()), (204, ""));
    wait_until("both have it", Duration::from_secs(10), || [&owner, &standby].iter().all(|one| level(one) == "DEBUG"));
    let kafka = Kafka::shared();
    let topic = format!("{}-configs", owner.group());
    let record = kafka.consume(&topic).into_iter().find(|m| m.key.as_deref() == Some(b"logger-cluster-some.logger"));
    assert_eq!(record.unwrap().value.as_deref(), Some(&b"{\"level\":\"DEBUG\"}"[..]));
    // One that starts later has it not.
    let mut standby = standby;
    assert_eq!(standby.terminate(Duration::from_secs(20)), Some(0));
    standby.spawn();
    assert_eq!(level(&standby), Value::Null);
    // A level of this worker alone.
    assert_eq!(owner.ask("PUT", "/admin/loggers/own", Some(&body)).json(), json!(["own"]));
    assert_eq!(standby.ask("GET", "/admin/loggers/own", None).status, 404);
}
