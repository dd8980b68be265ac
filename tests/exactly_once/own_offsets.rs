//! A connector with an offsets topic of its own (`offsets.storage.topic`).

use serde_json::{Value, json};

use crate::rig::{Daemon, Kafka, Options, wait_until};
use crate::{PATIENCE, options, prepare, records, wait_ids};

/// The stored values of a connector in an offsets topic, oldest first.
fn stored(kafka: &Kafka, topic: &str, connector: &str) -> Vec<Value> {
    if kafka.length(topic) == 0 {
        return Vec::new();
    }
    let key = format!(r#"["{connector}",{{"server":"{connector}"}}]"#);
    records(kafka, topic).into_iter().filter(|(_, k, _)| *k == key).map(|(_, _, value)| value).collect()
}

/// The key is set on a connector that has run without it: the position is not lost, and nothing is copied again.
#[track_caller]
fn check(options: Options) {
    let (database, kafka) = (prepare("own"), Kafka::shared());
    let (shared, own) = (format!("{}-offsets", options.group), format!("{}-own", options.group));
    let daemon = Daemon::start(options);
    let name = &database.name;
    daemon.create(name, &database.connector(&[]));
    wait_ids(&kafka, &database, 1);
    database.wait_streamed(true);
    database.run("insert into t values (2)");
    wait_ids(&kafka, &database, 2);
    let lsn = |values: &[Value]| values.last().and_then(|value| value["lsn"].as_i64());
    wait_until("the position is stored", PATIENCE, || lsn(&stored(&kafka, &shared, name)).is_some());
    let changed = json!({"offsets.storage.topic": own});
    assert_eq!(daemon.rest("PATCH", &format!("/connectors/{name}/config"), Some(&changed)).status, 200);
    wait_until("the own topic is made", PATIENCE, || kafka.topics().iter().any(|(topic, _)| *topic == own));
    database.wait_streamed(true);
    database.run("insert into t values (3)");
    wait_ids(&kafka, &database, 3);
    wait_until("the position is in the own topic, and a copy in the worker's", PATIENCE, || {
        let (there, copy) = (stored(&kafka, &own, name), stored(&kafka, &shared, name));
        there.last().is_some() && there.last() == copy.last()
    });
    let path = format!("/connectors/{name}/offsets");
    let shown = daemon.rest("GET", &path, None).json();
    assert_eq!(shown["offsets"][0]["partition"], json!({"server": name}), "{shown}");
    assert_eq!(daemon.rest("PUT", &format!("/connectors/{name}/stop"), None).status, 204);
    let answer = daemon.rest("DELETE", &path, None);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(daemon.rest("GET", &path, None).json(), json!({"offsets": []}));
    for topic in [&own, &shared] {
        assert_eq!(stored(&kafka, topic, name).last(), Some(&Value::Null), "{topic}: it would come back from there");
    }
}

#[test]
fn an_own_topic_takes_over_what_the_workers_has() {
    check(Options::new("own"));
}

#[test]
fn an_own_topic_with_exactly_once_takes_over_what_the_workers_has() {
    check(options("own_once"));
}
