//! What validation says of transforms and predicates. The messages are those of a Kafka Connect 4.3.1 worker with Debezium
//! 3.6.1 for the same settings. The order of an enumeration's names is ours: Java's differs from run to run.

use serde_json::{Map, json};

use super::Api;

const KAFKA: &str = "org.apache.kafka.connect.transforms.";
const DEBEZIUM: &str = "io.debezium.transforms.";

/// Validates these settings, with `K.` and `D.` for the packages of Kafka's and Debezium's classes. Expects the errors of
/// transforms and predicates, each as `key: message`.
async fn check(api: &Api, settings: &[(&str, &str)], expect: &[&str]) {
    let mut config = Map::new();
    config.extend([("connector.class".to_owned(), json!("FakeConnector")), ("topic.prefix".to_owned(), json!("t"))]);
    config.insert("name".to_owned(), json!("x"));
    for (key, value) in settings {
        let class = value.strip_prefix("K.").map(|name| format!("{KAFKA}{name}"));
        let class = class.or_else(|| value.strip_prefix("D.").map(|name| format!("{DEBEZIUM}{name}")));
        config.insert((*key).to_owned(), json!(class.as_deref().unwrap_or(value)));
    }
    let line = "PUT /connector-plugins/FakeConnector/config/validate";
    let (status, _, body) = api.call(line, &json!(config).to_string()).await;
    assert_eq!(status, 200, "{settings:?}: {body}");
    let values = body["configs"].as_array().expect("a list").iter().map(|one| &one["value"]);
    let said: Vec<String> = values
        .flat_map(|value| {
            let errors = value["errors"].as_array().into_iter().flatten();
            errors.map(|error| format!("{}: {}", value["name"].as_str().unwrap_or("?"), error.as_str().unwrap_or("?")))
        })
        .collect();
    assert_eq!(said, expect, "{settings:?}");
}

#[tokio::test]
async fn transforms_and_predicates() {
    const A: (&str, &str) = ("transforms", "a");
    const P: (&str, &str) = ("predicates", "p");
    const TYPE: &str = "transforms.a.type";
    const P_TYPE: &str = "predicates.p.type";
    const FILTER: (&str, &str) = (TYPE, "K.Filter");
    let api = Api::running().await;
    // The lists of names.
    let twice = "transforms: Invalid value [a, a] for configuration transforms: Duplicate alias provided.";
    check(&api, &[("transforms", "a,a"), FILTER], &[twice]).await;
    let twice = "predicates: Invalid value [p, p] for configuration predicates: Duplicate alias provided.";
    check(&api, &[("predicates", "p,p"), (P_TYPE, "K.predicates.RecordIsTombstone")], &[twice]).await;
    check(&api, &[A, FILTER, ("transforms.b.type", "no.Such")], &[]).await;
    // Classes.
    for (name, key) in [(A, TYPE), (P, P_TYPE)] {
        let missing = format!("{key}: Missing required configuration \"{key}\" which has no default value.");
        check(&api, &[name], &[&missing]).await;
        let unknown =
            format!("{key}: Invalid value no.Such for configuration {key}: Class no.Such could not be found.");
        check(&api, &[name, (key, "no.Such")], &[&unknown]).await;
    }
    let outer = "transforms.a.type: This class is abstract and cannot be created. Did you mean \
                 org.apache.kafka.connect.transforms.ReplaceField$Key, \
                 org.apache.kafka.connect.transforms.ReplaceField$Value?";
    check(&api, &[A, (TYPE, "K.ReplaceField")], &[outer]).await;
    let gone = "transforms.a.type: Invalid value io.debezium.transforms.UnwrapFromEnvelope for configuration \
                transforms.a.type: Class io.debezium.transforms.UnwrapFromEnvelope could not be found.";
    check(&api, &[A, (TYPE, "D.UnwrapFromEnvelope")], &[gone]).await;
    // What a predicate decides. One that nobody declared is noticed only when the task starts.
    let alone = "transforms.a.type: Config 'transforms.a.negate' was provided but there is no config \
                 'transforms.a.predicate' defining a predicate to be negated.";
    check(&api, &[A, FILTER, ("transforms.a.negate", "true")], &[alone]).await;
    check(&api, &[A, FILTER, ("transforms.a.predicate", "nobody")], &[]).await;
}

/// A message names the option as the class knows it, and stands at the option's whole key.
#[tokio::test]
async fn options_of_their_classes() {
    let api = Api::running().await;
    let of = async |class: &str, options: &[(&str, &str)], expect: &[&str]| {
        check(&api, &[&[("transforms", "a"), ("transforms.a.type", class)], options].concat(), expect).await;
    };
    let renames = "transforms.a.renames: Invalid value [x] for configuration renames: Invalid rename mapping: x";
    of("K.ReplaceField$Value", &[("transforms.a.renames", "x")], &[renames]).await;
    of("K.ReplaceField$Value", &[("transforms.a.blacklist", "x"), ("transforms.a.anything", "y")], &[]).await;
    let required = |key: &str| format!("{key}: Missing required configuration \"{key}\" which has no default value.");
    of(
        "K.InsertHeader",
        &[("transforms.a.header", "h")],
        &[
            &required("transforms.a.value.literal"),
            "transforms.a.value.literal: Invalid value null for configuration value.literal: entry must be non null",
        ],
    )
    .await;
    let null = "transforms.a.regex: Invalid value null for configuration regex: Invalid regex: Cannot invoke \
                \"String.isEmpty()\" because \"this.pattern\" is null";
    of("K.RegexRouter", &[("transforms.a.replacement", "x")], &[&required("transforms.a.regex"), null]).await;
    let mode = "transforms.a.delete.tombstone.handling.mode: Invalid value none for configuration \
                delete.tombstone.handling.mode: Value must be one of drop, tombstone, rewrite, rewrite-with-tombstone, \
                delete-to-tombstone";
    of(
        "D.ExtractNewRecordState",
        &[("transforms.a.delete.tombstone.handling.mode", "none"), ("transforms.a.drop.tombstones", "true")],
        &[mode],
    )
    .await;
    of("D.EnforceRecordSize", &[], &[&required("transforms.a.max.bytes")]).await;
    // What a class looks at only when it is made is no mistake yet.
    of("D.EnforceRecordSize", &[("transforms.a.max.bytes", "0")], &[]).await;
    of("D.HeaderToValue", &[], &[]).await;
    of("D.partitions.PartitionRouting", &[], &[]).await;
    of("K.TimestampConverter$Value", &[("transforms.a.target.type", "string")], &[]).await;
    // A predicate is checked even if no transform uses it.
    let predicate = async |class: &str, options: &[(&str, &str)], expect: &str| {
        check(&api, &[&[("predicates", "p"), ("predicates.p.type", class)], options].concat(), &[expect]).await;
    };
    predicate("K.predicates.HasHeaderKey", &[], &required("predicates.p.name")).await;
    let regex = "predicates.p.pattern: Invalid value a( for configuration pattern: Invalid regex: Unclosed group near \
                 index 2\na(";
    predicate("K.predicates.TopicNameMatches", &[("predicates.p.pattern", "a(")], regex).await;
}
