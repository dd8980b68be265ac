//! Connectors in the stored state that this daemon cannot run: it shows them as FAILED, says why, and alters nothing of them,
//! so that they go on where they were once Kafka Connect has the group again. Other connectors are not affected.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::Duration;

use rig::{Daemon, Database, Kafka, Options, Server, ask, wait_until};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);
const STOP: Duration = Duration::from_secs(20);

/// All records of an internal topic about connectors of these names: key and value of each, in the order of each partition.
fn records_of(kafka: &Kafka, topic: &str, names: &[&str]) -> Vec<(String, Option<String>)> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let all = kafka.consume(topic).into_iter().map(|m| (text(m.key.unwrap_or_default()), m.value.map(text)));
    all.filter(|(key, _)| names.iter().any(|name| key.contains(name))).collect()
}

/// The configuration and offset records, none of which may change.
fn kept(kafka: &Kafka, group: &str, names: &[&str]) -> [Vec<(String, Option<String>)>; 2] {
    ["configs", "offsets"].map(|kind| records_of(kafka, &format!("{group}-{kind}"), names))
}

/// Waits until the connector and as many tasks are in a state. Returns the answer.
#[track_caller]
fn wait_state(address: &str, name: &str, state: &str, tasks: usize) -> Value {
    let mut last = String::new();
    wait_until(&format!("{name} is {state} with {tasks} tasks"), PATIENCE * 2, || {
        let answer = ask("GET", &format!("{address}/connectors/{name}/status"), None, &[]);
        last = answer.map(|answer| answer.text).unwrap_or_default();
        let status: Value = serde_json::from_str(&last).unwrap_or_default();
        let all = status["tasks"].as_array().cloned().unwrap_or_default();
        status["connector"]["state"] == state && all.len() == tasks && all.iter().all(|task| task["state"] == state)
    });
    serde_json::from_str(&last).unwrap()
}

#[track_caller]
fn check_trace(part: &Value, class: &str) {
    let trace = part["trace"].as_str().unwrap_or_default();
    let first = format!(
        "org.apache.kafka.connect.errors.ConnectException: Failed to find any class that implements Connector and which \
         name matches {class}, available connectors are: PluginDesc{{"
    );
    assert!(trace.starts_with(&first), "{trace}");
    let second =
        format!("class {class} is not in this daemon; it has io.debezium.connector.postgresql.PostgresConnector, ");
    assert!(trace.contains(&second) && trace.contains("stay as they are"), "{trace}");
}

const SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";
const SINK: &str = "org.apache.kafka.connect.file.FileStreamSinkConnector";

/// A real worker's state: a source with offsets, a sink with three tasks, and a paused source.
#[test]
#[ignore = "scripts/test-swap.sh runs it, with Kafka's file connectors"]
fn connectors_of_another_worker_go_on_after_the_way_back() {
    let (kafka, options) = (Kafka::shared(), Options::new("foreign"));
    let group = options.group.clone();
    let (source, sink, paused) = (format!("{group}-src"), format!("{group}-snk"), format!("{group}-psd"));
    let names = [source.as_str(), &sink, &paused];
    let topic = format!("{group}-lines");
    let dir = tempfile::tempdir().unwrap();
    let (lines, seen) = (dir.path().join("lines"), dir.path().join("seen"));
    let append = |text: &str| {
        let mut file = OpenOptions::new().create(true).append(true).open(&lines).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    append("one\ntwo\n");
    let plugins = std::env::var("AFTERIMAGE_TEST_DEBEZIUM").expect("run this with scripts/test-swap.sh");
    let start_java = || Server::connect_with(&options.broker, &group, &plugins);
    let java = start_java();
    let url = |server: &Server| format!("http://{}", server.address());
    let at = url(&java);
    let text = "org.apache.kafka.connect.storage.StringConverter";
    let of_source = json!({"connector.class": SOURCE, "topic": topic, "file": lines, "value.converter": text});
    let of_sink =
        json!({"connector.class": SINK, "tasks.max": "3", "topics": topic, "file": seen, "value.converter": text});
    for (name, config, state, tasks) in
        [(&source, &of_source, "RUNNING", 1), (&sink, &of_sink, "RUNNING", 3), (&paused, &of_sink, "PAUSED", 3)]
    {
        let body = json!({"name": name, "config": config}).to_string();
        let answer = ask("POST", &format!("{at}/connectors"), Some(&body), &[]).unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text);
        wait_state(&at, name, "RUNNING", tasks);
        if state == "PAUSED" {
            assert_eq!(ask("PUT", &format!("{at}/connectors/{name}/pause"), None, &[]).unwrap().status, 202);
            wait_state(&at, name, "PAUSED", tasks);
        }
    }
    wait_until("the lines come", PATIENCE, || kafka.length(&topic) == 2);
    let offsets = || records_of(&kafka, &format!("{group}-offsets"), &[&source]);
    wait_until("the source's offset is stored", PATIENCE, || {
        offsets().last().is_some_and(|(_, value)| value.as_ref().is_some_and(|text| text.contains("\"position\":8")))
    });
    let info = |at: &str, name: &str| ask("GET", &format!("{at}/connectors/{name}"), None, &[]).unwrap().json();
    let (config_then, tasks_then) = (info(&at, &source)["config"].clone(), info(&at, &sink)["tasks"].clone());
    // Killed, so that its statuses say RUNNING.
    java.stop(true);
    let before = kept(&kafka, &group, &names);
    assert!(before[0].len() >= 14 && !before[1].is_empty(), "{before:?}");
    append("three\n");

    let mut daemon = Daemon::start(options.clone());
    let ours = daemon.url();
    for (name, class, tasks) in [(&source, SOURCE, 1), (&sink, SINK, 3)] {
        let status = wait_state(&ours, name, "FAILED", tasks);
        assert_eq!(status["type"], "unknown");
        check_trace(&status["connector"], class);
        status["tasks"].as_array().unwrap().iter().for_each(|task| check_trace(task, class));
    }
    assert_eq!(info(&ours, &source)["config"], config_then);
    assert_eq!(info(&ours, &sink)["tasks"], tasks_then);
    let listed = daemon.rest("GET", "/connectors", None).json();
    assert_eq!(listed.as_array().unwrap().len(), 3, "{listed}");
    // Another connector is created and runs beside them.
    let database = Database::create("foreign");
    database.run("create table t(id int primary key); insert into t values (1)");
    daemon.create(&database.name, &database.connector(&[]));
    database.wait_streamed(true);
    database.run("insert into t values (2)");
    wait_until("its rows come", PATIENCE, || kafka.length(&format!("{}.public.t", database.name)) == 2);
    // A restart of what cannot run fails, and alters nothing either.
    let answer = daemon.rest("POST", &format!("/connectors/{sink}/restart"), None);
    assert_eq!(
        (answer.status, answer.json()["message"].as_str()),
        (500, Some(&*format!("Failed to start connector: {sink}")))
    );
    assert_eq!(daemon.terminate(STOP), Some(0));
    assert_eq!(kept(&kafka, &group, &names), before);

    let java = start_java();
    let at = url(&java);
    for (name, state, tasks) in [(&source, "RUNNING", 1), (&sink, "RUNNING", 3), (&paused, "PAUSED", 3)] {
        wait_state(&at, name, state, tasks);
    }
    // The source goes on behind what it had read, and does not begin anew.
    append("four\n");
    wait_until("the later lines come", PATIENCE, || kafka.length(&topic) >= 4);
    let values: Vec<_> =
        kafka.consume(&topic).into_iter().map(|m| String::from_utf8(m.value.unwrap()).unwrap()).collect();
    assert_eq!(values, ["one", "two", "three", "four"]);
    wait_until("the sink has written them", PATIENCE, || {
        std::fs::read_to_string(&seen).unwrap_or_default().lines().filter(|line| *line == "four").count() == 1
    });
    java.stop(false);
}

/// Writes a record to an internal topic, as a Java worker does.
fn put(kafka: &Kafka, topic: &str, key: &str, value: &Value) {
    kafka.produce(topic, Some(key), Some(&value.to_string()));
}

const POSTGRES: &str = "io.debezium.connector.postgresql.PostgresConnectorTask";
const MONGO: &str = "io.debezium.connector.mongodb.MongoDbConnector";

/// A connector of a class that is here, with somebody's transform or converter: its task fails and says so. Connectors of
/// MongoDB and of classes that nobody knows are there too.
#[test]
fn a_class_that_is_not_here_ends_nothing_but_its_connector() {
    let (kafka, options) = (Kafka::shared(), Options::new("unknown"));
    let (configs, offsets) = (format!("{}-configs", options.group), format!("{}-offsets", options.group));
    // The first start makes the internal topics.
    let mut daemon = Daemon::start(options.clone());
    daemon.kill();
    let database = Database::create("unknown");
    database.run("create table t(id int primary key)");
    let name = |what: &str| format!("{}_{what}", database.name);
    let stored = |what: &str, more: &[(&str, &str)], task_class: &str| {
        let name = name(what);
        let own = [("name", &*name), ("slot.name", &name), ("publication.name", &name), ("topic.prefix", &name)];
        let mut config = database.connector(&[&own, more].concat());
        put(&kafka, &configs, &format!("connector-{name}"), &json!({"properties": config}));
        config.insert("task.class".to_owned(), Value::from(task_class));
        put(&kafka, &configs, &format!("task-{name}-0"), &json!({"properties": config}));
        put(&kafka, &configs, &format!("commit-{name}"), &json!({"tasks": 1}));
        put(&kafka, &offsets, &format!("[\"{name}\",{{\"server\":\"{name}\"}}]"), &json!({"lsn": 1}));
    };
    stored("smt", &[("transforms", "a"), ("transforms.a.type", "com.example.Mask$Value")], POSTGRES);
    stored("conv", &[("value.converter", "com.example.OwnConverter")], POSTGRES);
    stored("mongo", &[("connector.class", MONGO)], "io.debezium.connector.mongodb.MongoDbConnectorTask");
    stored("own", &[("connector.class", "com.example.Own")], "com.example.OwnTask");
    let names = ["smt", "conv", "mongo", "own"].map(name);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let before = kept(&kafka, &options.group, &names);
    daemon.spawn();
    let at = daemon.url();
    check_trace(&wait_state(&at, &name("mongo"), "FAILED", 1)["connector"], MONGO);
    check_trace(&wait_state(&at, &name("own"), "FAILED", 1)["tasks"][0], "com.example.Own");
    for (what, class) in [("smt", "com.example.Mask$Value"), ("conv", "com.example.OwnConverter")] {
        let trace = daemon.wait_task(&name(what), "FAILED", PATIENCE);
        assert!(trace.contains(&format!("class {class} is not in this daemon; it has")), "{trace}");
        let class = trace.split_once(": ").unwrap().0;
        assert!(class.contains('.') && !class.contains(' '), "{trace}");
    }
    let healthy = name("healthy");
    let own = [("slot.name", &*healthy), ("publication.name", &healthy), ("topic.prefix", &healthy)];
    daemon.create(&healthy, &database.connector(&own));
    database.run("insert into t values (1)");
    wait_until("the healthy one's row comes", PATIENCE, || kafka.length(&format!("{healthy}.public.t")) == 1);
    assert_eq!(daemon.terminate(STOP), Some(0));
    assert_eq!(kept(&kafka, &options.group, &names), before);
    // A user may still stop and delete it, as in Connect.
    daemon.spawn();
    wait_state(&daemon.url(), &name("mongo"), "FAILED", 1);
    let path = format!("/connectors/{}", name("mongo"));
    assert_eq!(daemon.rest("PUT", &format!("{path}/stop"), None).status, 204);
    wait_state(&daemon.url(), &name("mongo"), "STOPPED", 0);
    assert_eq!(daemon.rest("DELETE", &path, None).status, 204);
    wait_until("it is gone", PATIENCE, || daemon.rest("GET", &path, None).status == 404);
    assert_eq!(kept(&kafka, &options.group, &[&name("own")])[0].len(), 3);
}
