//! What each answer of a registry, or of something before it, means.

use std::time::Instant;

use std::time::Duration;

use super::*;

const ID: &str = r#"{"id":7}"#;

/// Asks a registry that answers so. `path` of the settings: registers, unless told otherwise.
async fn outcome(reply: Reply, settings: &[(&str, &str)]) -> (Result<Registered, RegistryError>, usize, String) {
    let stub = Stub::start(move |_| reply.clone()).await;
    let outcome = ask(&confluent(&stub.url(), settings)).await;
    (outcome, stub.times(), stub.url())
}

#[tokio::test]
async fn silence_of_all_kinds_is_transient() {
    async fn check(reply: Reply, reason: &str) {
        let (outcome, _, at) = outcome(reply.clone(), &[]).await;
        let error = outcome.unwrap_err();
        assert!(error.is_transient(), "{reply:?}: {error:?}");
        let at = format!("{at}/subjects/t-value/versions");
        assert_eq!(error.to_string(), format!("schema registry {at} cannot be asked: {reason}"), "{reply:?}");
        assert_eq!(error.java_class(), "org.apache.kafka.connect.errors.RetriableException");
    }
    for status in [408, 425, 429, 500, 502, 503, 504, 507] {
        check(Reply::error(status, 50003, "try later"), &format!("{status}: try later")).await;
        check(Reply::new(status, "text/html", "<html>oops</html>"), &format!("it answers {status}")).await;
        check(Reply::new(status, "text/plain", ""), &format!("it answers {status}")).await;
    }
    let end = "so it is not the registry that answers";
    check(Reply::new(200, "text/html", "<html>"), &format!("it answers 200 with something that is no JSON, {end}"))
        .await;
    check(Reply::new(200, "text/plain", " "), &format!("it answers 200 with nothing, {end}")).await;
    // A proxy whose registry is away may know no such path.
    check(Reply::new(404, "text/plain", "404 page not found"), "it answers 404").await;
    check(Reply::new(409, "text/html", "<html>"), "it answers 409").await;
    let (outcome, ..) = outcome(Reply::json(200, "[1]"), &[]).await;
    assert!(outcome.unwrap_err().is_transient(), "JSON of another shape");
    let (outcome, ..) = super::answers::outcome(Reply::json(200, "{}"), &[]).await;
    assert!(outcome.unwrap_err().is_transient(), "an answer without an id");
}

#[tokio::test]
async fn refusals() {
    async fn check(reply: Reply, settings: &[(&str, &str)], expect: &str, remedy: &str) {
        let (outcome, _, at) = outcome(reply.clone(), settings).await;
        let error = outcome.unwrap_err();
        assert!(!error.is_transient(), "{reply:?}: {error:?}");
        assert_eq!(error.to_string().replace(&at, "URL"), expect, "{reply:?}");
        assert!(error.remedy().contains(remedy), "{}", error.remedy());
        assert_eq!(error.java_class(), "org.apache.kafka.connect.errors.DataException");
    }
    const DOING: &str = "Error registering Avro schema for subject \"t-value\"";
    check(
        Reply::error(422, 42201, "Either the input schema or one its references is invalid"),
        &[],
        &format!("{DOING}: Either the input schema or one its references is invalid; error code: 42201"),
        "Do what the registry's message says",
    )
    .await;
    check(
        Reply::error(422, 42205, "Subject t-value is in read-only mode"),
        &[],
        &format!("{DOING}: Subject t-value is in read-only mode; error code: 42205"),
        "restart the task",
    )
    .await;
    let path = "URL/subjects/t-value/versions";
    check(
        Reply::error(401, 40101, "User cannot access"),
        &[],
        &format!("{DOING}: schema registry {path} answers 401: User cannot access"),
        "Check the credentials",
    )
    .await;
    check(
        Reply::new(401, "text/html", "<html>"),
        &[],
        &format!("{DOING}: schema registry {path} answers 401"),
        "Check the credentials",
    )
    .await;
    check(
        Reply::error(403, 40301, "User is denied operation"),
        &[],
        &format!("{DOING}: schema registry {path} answers 403: User is denied operation"),
        "Allow these credentials",
    )
    .await;
    check(
        Reply::error(404, 40403, "Schema not found"),
        &[NO_REGISTER],
        "Error retrieving Avro schema for subject \"t-value\": Schema not found; error code: 40403",
        "Register the schema under this subject, or set auto.register.schemas=true.",
    )
    .await;
    check(
        Reply::error(404, 40401, "Subject 't-value' not found."),
        &[NO_REGISTER, ("use.latest.version", "true")],
        "Error retrieving latest version of Avro schema for subject \"t-value\": Subject 't-value' not found.; error code: \
         40401",
        "auto.register.schemas=true",
    )
    .await;
    check(
        Reply::error(404, 40403, "Schema 9 not found."),
        &[NO_REGISTER, ("use.schema.id", "9")],
        "Error retrieving schema ID for subject \"t-value\": Schema 9 not found.; error code: 40403",
        "Set use.schema.id to the id of a schema that the registry has",
    )
    .await;
    check(
        Reply::error(404, 404, "HTTP 404 Not Found"),
        &[],
        &format!("schema registry {path}: {DOING}: HTTP 404 Not Found"),
        "/apis/ccompat/v7",
    )
    .await;
}

/// Confluent's registry names version and rule in its message.
#[tokio::test]
async fn an_incompatible_schema_as_confluent_says_it() {
    let message = "Schema being registered is incompatible with an earlier schema for subject \"t-value\", details: \
                   [{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'b' at path '/fields/1' in \
                   the new schema has no default value and is missing in the old schema', additionalInfo:'b'}, \
                   {oldSchemaVersion: 12}, {oldSchema: '{\"type\":\"record\",\"name\":\"x\"}'}, {validateFields: 'false', \
                   compatibility: 'BACKWARD'}]";
    let (outcome, times, _) = outcome(Reply::error(409, 409, message), &[]).await;
    let error = outcome.unwrap_err();
    assert_eq!(times, 1, "nothing more is asked");
    let RegistryError::Incompatible { ref subject, version, ref rule, ref reason, code, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!((&**subject, version, rule.as_deref(), code), ("t-value", Some(12), Some("BACKWARD"), 409));
    assert!(reason.contains("{oldSchema: …}, {validateFields") && !reason.contains("record"), "{reason}");
    let told = error.to_string();
    let start = "Error registering Avro schema for subject \"t-value\": incompatible with version 12 by the rule BACKWARD: \
                 Schema being registered is incompatible with an earlier schema";
    assert!(told.starts_with(start) && told.ends_with("; error code: 409"), "{told}");
    assert!(error.remedy().contains("NONE"));
}

/// Where the message has neither, they are asked for; where nobody tells, the error is told without them.
#[tokio::test]
async fn an_incompatible_schema_as_others_say_it() {
    let stub = Stub::start(|asked| match &*asked.path {
        "/subjects/t-value/versions/latest" => Reply::json(200, r#"{"id":1,"version":4,"schema":"\"int\""}"#),
        "/config/t-value?defaultToGlobal=true" => Reply::json(200, r#"{"compatibilityLevel":"FULL"}"#),
        _ => Reply::error(409, 409, "Incompatible artifact: t-value"),
    })
    .await;
    let told = ask(&confluent(&stub.url(), &[])).await.unwrap_err().to_string();
    let expect = "incompatible with version 4 by the rule FULL: Incompatible artifact: t-value; error code: 409";
    assert!(told.ends_with(expect), "{told}");
    let told = outcome(Reply::error(409, 40901, "no"), &[]).await.0.unwrap_err().to_string();
    assert!(told.ends_with("incompatible with an earlier version: no; error code: 40901"), "{told}");
}

#[tokio::test]
async fn a_slow_registry_is_not_waited_for() {
    let start = Instant::now();
    let slow = Reply::json(200, ID).after(Duration::from_secs(30));
    let (outcome, ..) = outcome(slow, &[("http.read.timeout.ms", "100"), ("http.connect.timeout.ms", "100")]).await;
    let error = outcome.unwrap_err();
    assert!(error.is_transient() && error.to_string().ends_with("no answer in time"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
}

#[tokio::test]
async fn nobody_there() {
    // The port of a server that has ended.
    let url = Stub::start(|_| Reply::json(200, ID)).await.url();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let error = ask(&confluent(&url.replace("http://", "http://user:secret@"), &[])).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("no connection: "), "{error}");
    assert!(error.to_string().contains(&url) && !format!("{error:?} {error}").contains("secret"), "{error:?}");
    let error = ask(&confluent("http://no-such-host.invalid:1", &[])).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
}

/// A refusal is not asked for again at once, as each record would under `errors.tolerance=all`.
#[tokio::test]
async fn a_refusal_is_kept() {
    let stub = Stub::start(|_| Reply::error(422, 42201, "no")).await;
    let registry = confluent(&stub.url(), &[]);
    for _ in 0..20 {
        assert!(ask(&registry).await.is_err());
    }
    assert_eq!(stub.times(), 1);
}

/// A long or strange message stays a line, and its text is not cut within a character.
#[tokio::test]
async fn a_long_message() {
    let (outcome, ..) = outcome(Reply::error(422, 42201, &"é".repeat(10_000)), &[]).await;
    let told = outcome.unwrap_err().to_string();
    assert_eq!(told.matches('é').count(), 2000);
    assert!(told.contains('…'));
}
