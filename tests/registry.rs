//! The schema registry client against a real registry (Apicurio), by Confluent's API and by both versions of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::Duration;

use afterimage::convert::registry::{Document, DocumentKind, Reference, RegistryError};
use rig::{Registry, Server, ask, unique};
use serde_json::json;
use settings::Properties;

type Client = afterimage::convert::registry::Registry;

const INT: &str = r#"{"type":"record","name":"row","fields":[{"name":"a","type":"int"}]}"#;
const LONG: &str = r#"{"type":"record","name":"row","fields":[{"name":"a","type":"long"}]}"#;
const TEXT: &str = r#"{"type":"record","name":"row","fields":[{"name":"a","type":"string"}]}"#;
/// What Connect writes: properties that are not Avro's, in an order that is not the alphabet's.
const CONNECT: &str = r#"{"type":"record","name":"Envelope","namespace":"s.t","fields":[{"name":"op","type":{"type":"string","connect.version":1,"connect.parameters":{"allowed":"a,b"},"connect.default":"a","connect.name":"io.debezium.data.Enum"},"default":"a"}],"connect.version":2,"connect.name":"s.t.Envelope"}"#;

fn properties(settings: &[(&str, &str)]) -> Properties {
    settings.iter().copied().collect()
}

fn confluent(registry: &Registry, settings: &[(&str, &str)]) -> Client {
    let url = [("schema.registry.url", &*registry.confluent_url())];
    Client::confluent(&properties(&[&url, settings].concat())).unwrap()
}

fn apicurio(url: &str, settings: &[(&str, &str)]) -> Client {
    Client::apicurio(&properties(&[&[("apicurio.registry.url", url)], settings].concat())).unwrap()
}

fn avro(text: &str) -> Document {
    Document { kind: DocumentKind::Avro, text: text.to_owned(), references: Vec::new() }
}

async fn value(client: &Client, topic: &str, document: &Document) -> Result<i64, RegistryError> {
    client.resolve(topic, false, Some("row"), document).await.map(|registered| registered.id)
}

const NO_REGISTER: (&str, &str) = ("auto.register.schemas", "false");
const REGISTER: (&str, &str) = ("apicurio.registry.auto-register", "true");

/// The registry of the tests itself: it keeps the text to the letter, holds schemas against the rule, and deletes.
#[test]
fn the_registry_of_the_tests_is_a_real_one() {
    let (registry, subject, other) = (Registry::shared(), unique("t") + "-value", unique("t") + "-value");
    let id = registry.register(&subject, INT);
    assert_eq!(registry.schema(id), INT);
    assert_eq!(registry.register(&other, INT), id, "the same text has one id, in whatever subject");
    assert_eq!(registry.register(&subject, INT), id);
    assert_eq!(registry.subjects(&subject).as_slice(), std::slice::from_ref(&subject));
    registry.require(&subject, "NONE");
    assert_ne!(registry.register(&subject, TEXT), id);
    assert_eq!(registry.versions(&subject), [1, 2]);
    assert_eq!(registry.version(&subject, 1)["schema"], INT);
    registry.delete(&subject);
    assert_eq!(registry.subjects(&other), [other]);
}

#[tokio::test]
async fn registering_by_confluents_api() {
    let (registry, topic) = (Registry::shared(), unique("reg"));
    let client = confluent(&registry, &[]);
    let id = value(&client, &topic, &avro(CONNECT)).await.unwrap();
    assert_eq!(registry.schema(id), CONNECT, "the text is kept to the letter");
    assert_eq!(registry.versions(&format!("{topic}-value")), [1]);
    // A client that starts anew makes no version.
    assert_eq!(value(&confluent(&registry, &[]), &topic, &avro(CONNECT)).await.unwrap(), id);
    assert_eq!(registry.versions(&format!("{topic}-value")), [1]);
    assert_ne!(value(&client, &topic, &avro(INT)).await.unwrap(), id);
    assert_eq!(registry.versions(&format!("{topic}-value")), [1, 2]);
    let key = client.resolve(&topic, true, None, &avro("\"int\"")).await.unwrap();
    assert_eq!(registry.subjects(&topic), [format!("{topic}-key"), format!("{topic}-value")]);
    assert_eq!(client.frame(true, &key, &[]).unwrap().prefix, [&[0][..], &(key.id as i32).to_be_bytes()].concat());

    let json = Document {
        kind: DocumentKind::Json,
        text: r#"{"type":"object","properties":{"a":{"type":"integer"}}}"#.into(),
        references: vec![],
    };
    value(&client, &unique("json"), &json).await.unwrap();
    let (base, text) = (unique("base"), "syntax = \"proto3\";\nmessage Base {\n  int32 a = 1;\n}\n");
    let proto = |text: &str, references| Document { kind: DocumentKind::Protobuf, text: text.into(), references };
    value(&client, &base, &proto(text, vec![])).await.unwrap();
    let reference = Reference { name: "base.proto".into(), subject: format!("{base}-value"), version: 1 };
    let user = "syntax = \"proto3\";\nimport \"base.proto\";\nmessage User {\n  Base b = 1;\n}\n";
    let topic = unique("user");
    value(&client, &topic, &proto(user, vec![reference])).await.unwrap();
    let kept = registry.version(&format!("{topic}-value"), 1);
    assert_eq!(
        (&kept["schemaType"], &kept["references"][0]["subject"]),
        (&json!("PROTOBUF"), &json!(format!("{base}-value")))
    );
}

#[tokio::test]
async fn finding_by_confluents_api() {
    let (registry, topic) = (Registry::shared(), unique("find"));
    let lookup = || confluent(&registry, &[NO_REGISTER]);
    let error = value(&lookup(), &topic, &avro(INT)).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { code: 40401, .. }), "{error:?}");
    assert!(registry.subjects(&topic).is_empty(), "nothing was registered");
    let id = registry.register(&format!("{topic}-value"), INT);
    let error = value(&lookup(), &topic, &avro(TEXT)).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { code: 40403, .. }), "{error:?}");
    assert_eq!(value(&lookup(), &topic, &avro(INT)).await.unwrap(), id);
    // Another order of properties is the same schema only in the normal form.
    let turned = avro(r#"{"name":"row","type":"record","fields":[{"type":"int","name":"a"}]}"#);
    let normal = confluent(&registry, &[NO_REGISTER, ("normalize.schemas", "true")]);
    assert_eq!(value(&normal, &topic, &turned).await.unwrap(), id);

    let latest = registry.register(&format!("{topic}-value"), LONG);
    for settings in [("use.latest.version", "true"), ("use.schema.id", &*latest.to_string())] {
        let client = confluent(&registry, &[NO_REGISTER, settings]);
        assert_eq!(value(&client, &topic, &avro(INT)).await.unwrap(), latest);
        let error = value(&client, &topic, &avro(TEXT)).await.unwrap_err();
        assert!(matches!(error, RegistryError::Incompatible { .. }), "{error:?}");
    }
    let missing = confluent(&registry, &[NO_REGISTER, ("use.schema.id", "99999999")]);
    let error = value(&missing, &topic, &avro(INT)).await.unwrap_err();
    assert!(matches!(error, RegistryError::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn an_incompatible_schema_names_subject_version_and_rule() {
    let (registry, topic) = (Registry::shared(), unique("no"));
    let subject = format!("{topic}-value");
    registry.register(&subject, INT);
    registry.require(&subject, "BACKWARD");
    let error = value(&confluent(&registry, &[]), &topic, &avro(TEXT)).await.unwrap_err();
    let told = error.to_string();
    let start = format!(
        "Error registering Avro schema for subject \"{subject}\": incompatible with version 1 by the rule BACKWARD: "
    );
    assert!(told.starts_with(&start), "{told}");
    assert!(told.contains("reader type: STRING not compatible with writer type: INT at /fields/0/type"), "{told}");
    assert!(!error.is_transient());
    // After the remedy, a client that starts anew goes on.
    registry.require(&subject, "NONE");
    value(&confluent(&registry, &[]), &topic, &avro(TEXT)).await.unwrap();
    assert_eq!(registry.versions(&subject), [1, 2]);
    let error = value(&confluent(&registry, &[]), &topic, &avro("{\"type\":\"reco")).await.unwrap_err();
    assert!(matches!(error, RegistryError::Invalid { code: 42201, .. }), "{error:?}");
}

/// Known schemas need no registry; a new one waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_restarted() {
    let mut server = tokio::task::spawn_blocking(Server::registry).await.unwrap();
    let (registry, topic) = (Registry::of(&server), unique("gone"));
    let client = confluent(&registry, &[]);
    let id = value(&client, &topic, &avro(INT)).await.unwrap();
    server.stop(true);
    assert_eq!(value(&client, &topic, &avro(INT)).await.unwrap(), id);
    let error = value(&client, "new", &avro(LONG)).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    let waiting = tokio::spawn({
        let client = client.clone();
        async move {
            for _ in 0..600 {
                match value(&client, "new", &avro(LONG)).await {
                    Err(error) if error.is_transient() => tokio::time::sleep(Duration::from_millis(100)).await,
                    outcome => return outcome,
                }
            }
            panic!("it did not come back")
        }
    });
    let server = tokio::task::spawn_blocking(move || {
        server.start_again();
        server
    });
    let server = server.await.unwrap();
    let new = waiting.await.unwrap().unwrap();
    let registry = Registry::of(&server);
    assert_eq!((registry.schema(new), registry.versions("new-value")), (LONG.to_owned(), vec![1]));
    // A client that knows nothing finds what there was.
    assert_eq!(value(&confluent(&registry, &[]), &topic, &avro(INT)).await.unwrap(), id);
}

/// Apicurio's own API, with the address of each version and without one.
#[tokio::test]
async fn by_apicurios_own_api() {
    let registry = Registry::shared();
    let bare = registry.native_url(3).replace("/apis/registry/v3", "");
    for (url, version) in [(registry.native_url(2), 2), (registry.native_url(3), 3), (bare, 3)] {
        let topic = unique("own");
        let error = value(&apicurio(&url, &[]), &topic, &avro(CONNECT)).await.unwrap_err();
        assert!(matches!(error, RegistryError::NotFound { .. }), "{url}: {error:?}");
        let id = value(&apicurio(&url, &[REGISTER]), &topic, &avro(CONNECT)).await.unwrap();
        assert_eq!(value(&apicurio(&url, &[REGISTER]), &topic, &avro(CONNECT)).await.unwrap(), id, "{url}");
        assert_eq!(value(&apicurio(&url, &[]), &topic, &avro(CONNECT)).await.unwrap(), id, "{url}");
        assert_eq!(registry.versions(&format!("{topic}-value")), [1], "{url}");
        assert_eq!(registry.schema(id), CONNECT, "a contentId is the id of Confluent's API");
        let latest = [("apicurio.registry.find-latest", "true")];
        let found = apicurio(&url, &latest).resolve(&topic, false, None, &avro(CONNECT)).await.unwrap();
        assert_eq!((found.id, found.version, found.document), (id, Some(1), None), "{url}");
        let error = value(&apicurio(&url, &latest), &topic, &avro(INT)).await.unwrap_err();
        assert!(matches!(error, RegistryError::Incompatible { .. }), "{url}: {error:?}");
        let first = [("apicurio.registry.artifact.version", "1"), ("apicurio.registry.use-id", "globalId")];
        let global = value(&apicurio(&url, &first), &topic, &avro(CONNECT)).await.unwrap();
        let path = format!("{}/ids/globalIds/{global}", registry.native_url(3));
        assert_eq!(ask("GET", &path, None, &[]).unwrap().text, CONNECT);
        // A group of one's own, and the rule that is broken.
        let group = unique("group");
        let settings = [REGISTER, ("apicurio.registry.artifact.group-id", &*group)];
        let id = value(&apicurio(&url, &settings), &topic, &avro(INT)).await.unwrap();
        let rules = format!("{}/groups/{group}/artifacts/{topic}-value/rules", registry.native_url(3));
        let rule = json!({ "ruleType": "COMPATIBILITY", "config": "FORWARD" }).to_string();
        assert!(ask("POST", &rules, Some(&rule), &[]).unwrap().is_ok());
        let error = value(&apicurio(&url, &settings), &topic, &avro(TEXT)).await.unwrap_err();
        let told = error.to_string();
        let start = format!(
            "Error registering Avro schema for subject \"{group}/{topic}-value\": incompatible with version 1 by the rule \
             FORWARD: Incompatible artifact"
        );
        assert!(told.starts_with(&start), "version {version}: {told}");
        assert_eq!(value(&apicurio(&url, &settings), &topic, &avro(INT)).await.unwrap(), id);
    }
}

/// What Apicurio's `ExtJsonConverter` registers.
#[tokio::test]
async fn connects_own_schemas_in_apicurio() {
    let (registry, topic) = (Registry::shared(), unique("kc"));
    let text = r#"{"type":"struct","optional":false,"fields":[{"field":"a","type":"int32","optional":false}]}"#;
    let document = Document { kind: DocumentKind::Connect, text: text.to_owned(), references: vec![] };
    let client = apicurio(&registry.native_url(3), &[REGISTER]);
    let registered = client.resolve(&topic, false, None, &document).await.unwrap();
    let path = format!("{}/groups/default/artifacts/{topic}-value", registry.native_url(3));
    assert_eq!(ask("GET", &path, None, &[]).unwrap().json()["artifactType"], "KCONNECT");
    assert_eq!(registry.schema(registered.id), text);
    let error = confluent(&registry, &[]).resolve(&topic, false, None, &document).await.unwrap_err();
    assert!(matches!(error, RegistryError::Setting { .. }), "{error:?}");
}
