//! The clients against servers on loopback that answer what a test wants: in good order, badly, slowly, or not at all.

mod addresses;
mod answers;
mod apicurio;
mod credentials;
mod many;
mod stub;
mod tls;

use ::settings::{Def, Properties};

use self::stub::{Reply, Stub};
use super::*;

/// A registry of Confluent's API at `url`, with further settings.
#[track_caller]
fn confluent(url: &str, settings: &[(&str, &str)]) -> Registry {
    const DEF: Def = Def::new(&[CONFLUENT]);
    let properties = properties(&[("schema.registry.url", url)], settings);
    assert_eq!(DEF.complaints(&properties), []);
    Registry::confluent(&properties).unwrap()
}

fn properties(first: &[(&str, &str)], settings: &[(&str, &str)]) -> Properties {
    first.iter().chain(settings).map(|(name, value)| (*name, *value)).collect()
}

fn avro(text: &str) -> Document {
    Document { kind: DocumentKind::Avro, text: text.to_owned(), references: Vec::new() }
}

/// What the registry says of the value `"int"` of the topic `t`.
async fn ask(registry: &Registry) -> Result<Registered, RegistryError> {
    registry.resolve("t", false, Some("n.R"), &avro("\"int\"")).await
}

const NO_REGISTER: (&str, &str) = ("auto.register.schemas", "false");

/// Each way to an id: the request, and what becomes of the answer.
#[tokio::test]
async fn the_calls() {
    #[track_caller]
    fn check(stub: &Stub, method: &str, path: &str, body: &str) {
        let asked = stub.asked().pop().unwrap();
        assert_eq!((&*asked.method, &*asked.path), (method, path));
        assert_eq!(asked.body, body);
    }
    let answer = r#"{"id":7,"version":3,"guid":"00112233-4455-6677-8899-aabbccddeeff","schema":"\"int\""}"#;
    let stub = Stub::start(move |_| Reply::json(200, answer)).await;
    let register = r#"{"schema":"\"int\""}"#;

    let registered = ask(&confluent(&stub.url(), &[])).await.unwrap();
    check(&stub, "POST", "/subjects/t-value/versions?normalize=false", register);
    let guid = [0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff];
    assert_eq!((registered.id, registered.guid, registered.version), (7, Some(guid), Some(3)));
    assert_eq!(registered.document, None);
    let asked = stub.asked().pop().unwrap();
    assert_eq!(asked.header("content-type"), Some("application/vnd.schemaregistry.v1+json"));

    ask(&confluent(&stub.url(), &[("normalize.schemas", "true")])).await.unwrap();
    check(&stub, "POST", "/subjects/t-value/versions?normalize=true", register);
    ask(&confluent(&stub.url(), &[NO_REGISTER])).await.unwrap();
    check(&stub, "POST", "/subjects/t-value?deleted=false&normalize=false", register);
    ask(&confluent(&stub.url(), &[NO_REGISTER, ("use.latest.version", "true")])).await.unwrap();
    check(&stub, "GET", "/subjects/t-value/versions/latest", "");
    // Registering comes first, then an id, then the latest version.
    let all = [("use.schema.id", "5"), ("use.latest.version", "true")];
    ask(&confluent(&stub.url(), &all)).await.unwrap();
    check(&stub, "POST", "/subjects/t-value/versions?normalize=false", register);
    let found = ask(&confluent(&stub.url(), &[&all[..], &[NO_REGISTER]].concat())).await.unwrap();
    check(&stub, "GET", "/schemas/ids/5?deleted=true", "");
    assert_eq!(found.id, 5, "the answer to a question for an id need not repeat it");

    // The name of a subject is one part of the path, whatever is in it; so is the path of the address.
    let strategy = ("value.subject.name.strategy", "io.confluent.kafka.serializers.subject.TopicRecordNameStrategy");
    let deep = format!("{}/a/b/", stub.url());
    confluent(&deep, &[strategy]).resolve("t", false, Some("n/a?b#c%é"), &avro("\"int\"")).await.unwrap();
    check(&stub, "POST", "/a/b/subjects/t-n%2Fa%3Fb%23c%25%C3%A9/versions?normalize=false", register);

    let reference = Reference { name: "r".into(), subject: "s".into(), version: 2 };
    let proto = Document { kind: DocumentKind::Protobuf, text: "x".into(), references: vec![reference] };
    confluent(&stub.url(), &[]).resolve("t", true, None, &proto).await.unwrap();
    let body = r#"{"schema":"x","schemaType":"PROTOBUF","references":[{"name":"r","subject":"s","version":2}]}"#;
    check(&stub, "POST", "/subjects/t-key/versions?normalize=false", body);
    let json = Document { kind: DocumentKind::Json, text: "{}".into(), references: vec![] };
    confluent(&stub.url(), &[]).resolve("t", true, None, &json).await.unwrap();
    check(&stub, "POST", "/subjects/t-key/versions?normalize=false", r#"{"schema":"{}","schemaType":"JSON"}"#);
}

/// A schema of somebody else is used when the data fits it.
#[tokio::test]
async fn latest_and_by_id() {
    async fn check(settings: &[(&str, &str)], theirs: &str, expect: Result<Option<&str>, &str>) {
        let answer = serde_json::json!({ "id": 7, "version": 3, "subject": "t-value", "schema": theirs }).to_string();
        let stub = Stub::start(move |_| Reply::json(200, &answer)).await;
        let found = ask(&confluent(&stub.url(), &[settings, &[NO_REGISTER]].concat())).await;
        let found = found.map(|found| found.document).map_err(|error| error.to_string());
        assert_eq!(found.as_ref().map(Option::as_deref).map_err(String::as_str), expect, "{theirs}");
    }
    const LATEST: (&str, &str) = ("use.latest.version", "true");
    const BY_ID: (&str, &str) = ("use.schema.id", "7");
    for by in [LATEST, BY_ID] {
        check(&[by], "\"int\"", Ok(None)).await;
        check(&[by], "{\"type\":\"int\",\"doc\":\"x\"}", Ok(None)).await;
        check(&[by], "\"double\"", Ok(Some("\"double\""))).await;
    }
    let why = "incompatible with version 3: Incompatible schema of type 'AVRO'. Set";
    let end = "=false to disable this check: the types differ at /; error code: 409";
    check(
        &[LATEST],
        "\"string\"",
        Err(&format!(
            "Error retrieving latest version of Avro schema for subject \"t-value\": {why} latest.compatibility.strict{end}"
        )),
    )
    .await;
    check(
        &[BY_ID],
        "\"string\"",
        Err(&format!("Error retrieving schema ID for subject \"t-value\": {why} id.compatibility.strict{end}")),
    )
    .await;
    check(&[LATEST, ("latest.compatibility.strict", "false")], "\"string\"", Ok(Some("\"string\""))).await;
    check(&[BY_ID, ("id.compatibility.strict", "false")], "\"string\"", Ok(Some("\"string\""))).await;
}

#[test]
fn frames() {
    let registered = |id, guid| Registered { id, guid, version: None, kind: DocumentKind::Avro, document: None };
    let frame = |settings: &[(&str, &str)], is_key, registered: &Registered| {
        confluent("http://r", settings).frame(is_key, registered, &[4, 5])
    };
    let header: &[(&str, &str)] = &[
        ("value.schema.id.serializer", "io.confluent.kafka.serializers.schema.id.HeaderSchemaIdSerializer"),
        ("key.schema.id.serializer", "io.confluent.kafka.serializers.schema.id.HeaderSchemaIdSerializer"),
    ];
    let bytes = frame(&[], true, &registered(0x0102_0304, Some([9; 16]))).unwrap();
    assert_eq!(bytes, Frame { prefix: vec![0, 1, 2, 3, 4, 4, 5], headers: vec![] });
    for (is_key, name) in [(true, "__key_schema_id"), (false, "__value_schema_id")] {
        let found = frame(header, is_key, &registered(1, Some([9; 16]))).unwrap();
        let value = [&[1][..], &[9; 16], &[4, 5]].concat();
        assert_eq!(found, Frame { prefix: vec![], headers: vec![(name.into(), value)] });
    }
    let told = frame(header, true, &registered(1, None)).unwrap_err().to_string();
    assert!(told.contains("key.schema.id.serializer: Schema GUID is null"), "{told}");
    assert!(frame(&[], true, &registered(1 << 40, None)).is_err());
}

/// What is refused when a connector is created, with what to write instead.
#[test]
fn refused_settings() {
    #[track_caller]
    fn check(keys: &'static [::settings::Key], settings: &[(&str, &str)], expect: &[&str]) {
        let def: &'static [&'static [::settings::Key]] = Box::leak(Box::new([keys]));
        let told: Vec<String> =
            Def::new(def).complaints(&properties(settings, &[])).into_iter().map(|one| one.message).collect();
        assert_eq!(told, expect);
    }
    let url = ("schema.registry.url", "http://a:1, https://b");
    check(CONFLUENT, &[url], &[]);
    check(CONFLUENT, &[], &["Missing required configuration \"schema.registry.url\" which has no default value."]);
    let bad = "Invalid value for configuration schema.registry.url: an address in it is no URL that begins with http:// or \
               https://. Write http://host:port.";
    check(CONFLUENT, &[("schema.registry.url", "http://a,user:secret@host:1")], &[bad]);
    let mock = "Invalid value for configuration schema.registry.url: mock:// is a registry inside Java's memory, and there \
                is none here. Name a real one.";
    check(CONFLUENT, &[("schema.registry.url", "mock://x")], &[mock]);
    check(
        CONFLUENT,
        &[url, ("basic.auth.credentials.source", "USER_INFO"), ("bearer.auth.credentials.source", "STATIC_TOKEN")],
        &["Only one of 'basic.auth.credentials.source' and 'bearer.auth.credentials.source' may be specified"],
    );
    check(
        CONFLUENT,
        &[url, ("basic.auth.credentials.source", "SASL_INHERIT")],
        &[
            "Invalid value SASL_INHERIT for configuration basic.auth.credentials.source: the converter is not given the \
           Kafka client's SASL settings. Use USER_INFO with basic.auth.user.info.",
        ],
    );
    check(
        CONFLUENT,
        &[url, ("value.subject.name.strategy", "com.acme.Own")],
        &[
            "Invalid value com.acme.Own for configuration value.subject.name.strategy: this strategy is not built in. Use \
           TopicNameStrategy, RecordNameStrategy or TopicRecordNameStrategy of io.confluent.kafka.serializers.subject.",
        ],
    );
    check(
        APICURIO,
        &[("apicurio.registry.url", "http://r/apis/ccompat/v7")],
        &["Invalid value for configuration apicurio.registry.url: this address speaks Confluent's API. Use \
           io.confluent.connect.avro.AvroConverter with schema.registry.url, or end the address before /apis."],
    );
    check(
        APICURIO,
        &[("apicurio.registry.url", "http://r"), ("apicurio.registry.id-handler", "com.acme.Own")],
        &[
            "Invalid value com.acme.Own for configuration apicurio.registry.id-handler: there is no JVM here to load the \
           class. Use io.apicurio.registry.serde.Default4ByteIdHandler or Legacy8ByteIdHandler.",
        ],
    );
}
