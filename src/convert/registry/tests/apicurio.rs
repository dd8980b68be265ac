//! Apicurio's own API: both versions, and what an address without a version means.

use super::*;

const V3: &str = r#"{"artifact":{},"version":{"version":"4","globalId":12,"contentId":9}}"#;
const V2: &str = r#"{"id":"t-value","version":"4","globalId":12,"contentId":9}"#;

fn apicurio(url: &str, settings: &[(&str, &str)]) -> Registry {
    const DEF: Def = Def::new(&[APICURIO]);
    let properties = properties(&[("apicurio.registry.url", url)], settings);
    assert_eq!(DEF.complaints(&properties), []);
    Registry::apicurio(&properties).unwrap()
}

const REGISTER: (&str, &str) = ("apicurio.registry.auto-register", "true");

#[tokio::test]
async fn registering_in_version_3() {
    let stub = Stub::start(|_| Reply::json(200, V3)).await;
    let registered = ask(&apicurio(&format!("{}/apis/registry/v3/", stub.url()), &[REGISTER])).await.unwrap();
    assert_eq!((registered.id, registered.version), (9, Some(4)));
    let asked = stub.asked().pop().unwrap();
    let path = "/apis/registry/v3/groups/default/artifacts?ifExists=FIND_OR_CREATE_VERSION&canonical=false";
    assert_eq!((&*asked.method, &*asked.path), ("POST", path));
    assert_eq!(
        asked.body,
        r#"{"artifactId":"t-value","artifactType":"AVRO","firstVersion":{"content":{"content":"\"int\"","contentType":"application/json","references":[]}}}"#
    );
    let settings = [
        REGISTER,
        ("apicurio.registry.artifact-resolver-strategy", "io.apicurio.registry.serde.avro.strategy.RecordIdStrategy"),
        ("apicurio.registry.artifact.version", "7"),
        ("apicurio.registry.auto-register.if-exists", "UPDATE"),
        ("apicurio.registry.canonicalize", "true"),
        ("apicurio.registry.use-id", "globalId"),
    ];
    let registered = ask(&apicurio(&format!("{}/apis/registry/v3", stub.url()), &settings)).await.unwrap();
    assert_eq!(registered.id, 12);
    let asked = stub.asked().pop().unwrap();
    assert_eq!(asked.path, "/apis/registry/v3/groups/n/artifacts?ifExists=CREATE_VERSION&canonical=true");
    assert!(asked.body.contains(r#""artifactId":"R""#) && asked.body.contains(r#""version":"7""#), "{}", asked.body);
}

#[tokio::test]
async fn registering_in_version_2() {
    let stub = Stub::start(|_| Reply::json(200, V2)).await;
    let settings =
        [REGISTER, ("apicurio.registry.artifact.group-id", "g/h"), ("apicurio.registry.artifact.artifact-id", "a")];
    let registered = ask(&apicurio(&format!("{}/apis/registry/v2", stub.url()), &settings)).await.unwrap();
    assert_eq!((registered.id, registered.version), (9, Some(4)));
    let asked = stub.asked().pop().unwrap();
    let path = "/apis/registry/v2/groups/g%2Fh/artifacts?ifExists=RETURN_OR_UPDATE&canonical=false";
    assert_eq!((&*asked.method, &*asked.path, &*asked.body), ("POST", path, "\"int\""));
    assert_eq!(asked.header("x-registry-artifactid"), Some("a"));
    assert_eq!(asked.header("x-registry-artifacttype"), Some("AVRO"));
    assert_eq!(asked.header("content-type"), Some("application/json"));
}

/// An address without a version is asked which one it has, once.
#[tokio::test]
async fn the_version_is_found_out() {
    async fn check(has: &'static str, settings: &[(&str, &str)], expect: &[&str]) {
        let stub = Stub::start(move |asked| {
            if !asked.path.contains(has) {
                return Reply::error(404, 404, "no such path");
            }
            Reply::json(200, if has == "v2" { V2 } else { V3 })
        })
        .await;
        let registry = apicurio(&stub.url(), &[settings, &[REGISTER]].concat());
        ask(&registry).await.unwrap();
        registry.resolve("other", false, None, &avro("\"int\"")).await.unwrap();
        let paths: Vec<String> = stub.asked().iter().map(|asked| asked.path.clone()).collect();
        let (asked, registered) = paths.split_at(paths.len() - 2);
        assert_eq!(asked, expect);
        assert!(registered.iter().all(|path| path.starts_with(&format!("/apis/registry/{has}/groups/"))), "{paths:?}");
    }
    let (three, two) = ("/apis/registry/v3/system/info", "/apis/registry/v2/system/info");
    check("v3", &[], &[three]).await;
    check("v2", &[], &[three, two]).await;
    check("v2", &[("apicurio.registry.url.version", "2")], &[]).await;
    let stub = Stub::start(|_| Reply::error(404, 404, "no such path")).await;
    let error = ask(&apicurio(&stub.url(), &[])).await.unwrap_err();
    assert!(error.to_string().contains("neither version 2 nor version 3"), "{error}");
}

#[tokio::test]
async fn refusals() {
    async fn check(reply: Reply, settings: &[(&str, &str)], expect: &str) {
        let stub = Stub::start(move |_| reply.clone()).await;
        let error = ask(&apicurio(&format!("{}/apis/registry/v3", stub.url()), settings)).await.unwrap_err();
        assert!(!error.is_transient());
        let told = error.to_string().replace(&stub.url(), "URL");
        assert!(told.starts_with(expect), "{told}");
    }
    let v3 = |name: &str, title: &str| {
        let body = serde_json::json!({ "title": title, "status": 400, "name": name, "detail": "d" });
        Reply::json(400, &body.to_string())
    };
    let doing = "Error registering Avro schema for subject \"t-value\"";
    check(
        v3("RuleViolationException", "Incompatible artifact: t-value [AVRO]"),
        &[REGISTER],
        &format!(
            "{doing}: incompatible with an earlier version: Incompatible artifact: t-value [AVRO]; error code: 400"
        ),
    )
    .await;
    check(
        v3("RuleViolationException", "Syntax violation"),
        &[REGISTER],
        &format!("{doing}: Syntax violation; error code: 400"),
    )
    .await;
    check(Reply::error(403, 403, "no"), &[REGISTER], &format!("{doing}: schema registry URL")).await;
    check(
        Reply::error(409, 409, "exists"),
        &[REGISTER],
        "schema registry URL/apis/registry/v3/groups/default/artifacts: Error registering Avro schema for artifact",
    )
    .await;
    check(
        Reply::json(200, r#"{"count":0,"versions":[]}"#),
        &[],
        "Error retrieving Avro schema for subject \"t-value\": Could not resolve artifact reference by content",
    )
    .await;
}

#[test]
fn frames() {
    #[track_caller]
    fn check(settings: &[(&str, &str)], kind: DocumentKind, is_key: bool, prefix: &[u8], headers: &[(&str, &[u8])]) {
        let registered = Registered { id: 0x0102, guid: None, version: None, kind, document: None };
        let frame = apicurio("http://r", settings).frame(is_key, &registered, &[]).unwrap();
        let headers = headers.iter().map(|(name, value)| (Arc::from(*name), value.to_vec())).collect();
        assert_eq!(frame, Frame { prefix: prefix.to_vec(), headers });
    }
    const HEADERS: (&str, &str) = ("apicurio.registry.headers.enabled", "true");
    let avro = DocumentKind::Avro;
    let (four, eight) = ([0, 0, 0, 1, 2], [0, 0, 0, 0, 0, 0, 0, 1, 2]);
    check(&[], avro, true, &four, &[]);
    for handler in ["Legacy8ByteIdHandler", "DefaultIdHandler"] {
        let handler = format!("io.apicurio.registry.serde.{handler}");
        check(&[("apicurio.registry.id-handler", &handler)], avro, true, &eight, &[]);
        let both = [("apicurio.registry.id-handler", &*handler), ("apicurio.registry.as-confluent", "true")];
        check(&both, avro, true, &four, &[]);
    }
    let id = &eight[1..];
    check(&[HEADERS], avro, true, &[], &[("apicurio.key.contentId", id), ("apicurio.key.encoding", b"BINARY")]);
    check(&[HEADERS], avro, false, &[], &[("apicurio.value.contentId", id), ("apicurio.value.encoding", b"BINARY")]);
    let global = [HEADERS, ("apicurio.registry.use-id", "globalId")];
    check(&global, DocumentKind::Json, false, &[], &[("apicurio.value.globalId", id)]);
    let named = [HEADERS, ("apicurio.registry.headers.value.contentId.name", "own")];
    check(&named, DocumentKind::Json, false, &[], &[("own", id)]);
}

#[tokio::test]
async fn credentials() {
    async fn sent(settings: &[(&str, &str)]) -> Option<String> {
        let stub = Stub::start(|_| Reply::json(200, V3)).await;
        let url = format!("{}/apis/registry/v3", stub.url());
        ask(&apicurio(&url, &[settings, &[REGISTER]].concat())).await.unwrap();
        stub.asked()[0].header("authorization").map(str::to_owned)
    }
    let user = ("apicurio.registry.auth.username", "user");
    let password = ("apicurio.registry.auth.password", "secret");
    assert_eq!(sent(&[]).await, None);
    assert_eq!(sent(&[user, password]).await, Some("Basic dXNlcjpzZWNyZXQ=".to_owned()));
    let server = Stub::start(|_| Reply::json(200, r#"{"access_token":"abc","expires_in":60}"#)).await;
    let oauth = [
        ("apicurio.registry.auth.service.token.endpoint", &*server.url()),
        ("apicurio.registry.auth.client.id", "me"),
        ("apicurio.registry.auth.client.secret", "secret"),
    ];
    assert_eq!(sent(&oauth).await, Some("Bearer abc".to_owned()));
    let wanting = Registry::apicurio(&properties(&[("apicurio.registry.url", "http://r")], &[user])).unwrap_err();
    assert!(wanting.to_string().contains("apicurio.registry.auth.password"), "{wanting}");
}
