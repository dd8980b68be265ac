//! The ways to convince a registry, and that none of them shows.

use super::*;

const ID: &str = r#"{"id":7}"#;

/// The header `Authorization` that a registry with these settings sends.
async fn sent(settings: &[(&str, &str)], user_info: &str) -> Option<String> {
    let stub = Stub::start(|_| Reply::json(200, ID)).await;
    let registry = confluent(&stub.url().replace("http://", &format!("http://{user_info}")), settings);
    ask(&registry).await.unwrap();
    let asked = stub.asked();
    assert!(!asked[0].path.contains("user"), "{:?}", asked[0].path);
    asked[0].header("authorization").map(str::to_owned)
}

#[tokio::test]
async fn basic_and_bearer() {
    const USER_INFO: (&str, &str) = ("basic.auth.credentials.source", "USER_INFO");
    const OWN: (&str, &str) = ("basic.auth.user.info", "user:secret");
    let basic = Some("Basic dXNlcjpzZWNyZXQ=".to_owned());
    assert_eq!(sent(&[], "").await, None);
    assert_eq!(sent(&[], "user:secret@").await, basic);
    assert_eq!(sent(&[("basic.auth.credentials.source", "URL")], "user:secret@").await, basic);
    assert_eq!(sent(&[USER_INFO, OWN], "").await, basic);
    assert_eq!(sent(&[USER_INFO, OWN], "other:one@").await, basic);
    assert_eq!(sent(&[USER_INFO, ("schema.registry.basic.auth.user.info", "user:secret")], "").await, basic);
    // Without the source, the key is not used, as in Java.
    assert_eq!(sent(&[OWN], "").await, None);
    // In the address, the text stands as it is, an @ and a percent sign in it too.
    assert_eq!(sent(&[], "user:p@ss%40@").await, Some("Basic dXNlcjpwQHNzJTQw".to_owned()));
    let bearer = Some("Bearer abc".to_owned());
    let token = ("bearer.auth.token", "abc");
    assert_eq!(sent(&[("bearer.auth.credentials.source", "STATIC_TOKEN"), token], "").await, bearer);
    assert_eq!(sent(&[token], "").await, bearer);
    assert_eq!(sent(&[("request.header.Authorization", "Bearer abc")], "").await, bearer);
}

#[test]
fn missing_credentials() {
    #[track_caller]
    fn check(settings: &[(&str, &str)], key: &str) {
        let error = Registry::confluent(&properties(&[("schema.registry.url", "http://r")], settings)).unwrap_err();
        let RegistryError::Setting { key: told, remedy, .. } = &error else { panic!("{error:?}") };
        assert_eq!(told, key);
        assert!(!remedy.is_empty());
        assert!(!format!("{error:?}").contains("s3cr3t"), "{error:?}");
    }
    check(&[("basic.auth.credentials.source", "USER_INFO")], "basic.auth.user.info");
    check(&[("bearer.auth.credentials.source", "STATIC_TOKEN")], "bearer.auth.token");
    check(&[("bearer.auth.credentials.source", "OAUTHBEARER")], "bearer.auth.issuer.endpoint.url");
    let endpoint = ("bearer.auth.issuer.endpoint.url", "http://r/token");
    let oauth = ("bearer.auth.credentials.source", "OAUTHBEARER");
    check(&[oauth, endpoint], "bearer.auth.client.id");
    check(&[oauth, endpoint, ("bearer.auth.client.id", "i")], "bearer.auth.client.secret");
    check(&[("bearer.auth.token", "s3cr3t\u{1}")], "bearer.auth.token");
    check(&[("request.header.X", "s3cr3t\u{1}")], "request.header.X");
    check(&[("request.header.a b", "s3cr3t")], "request.header.a b");
}

/// Tokens of an OAuth server: one for many requests, a new one when it ends, and nothing shown of either.
#[tokio::test]
async fn tokens() {
    let count = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let server = Stub::start(move |_| {
        let number = counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let lives = if number == 0 { 3600 } else { 0 };
        Reply::json(200, &format!(r#"{{"access_token":"hidden{number}","token_type":"Bearer","expires_in":{lives}}}"#))
    })
    .await;
    let registry_stub = Stub::start(|_| Reply::json(200, ID)).await;
    let endpoint = format!("{}/token?realm=a", server.url());
    let settings = [
        ("bearer.auth.credentials.source", "OAUTHBEARER"),
        ("bearer.auth.issuer.endpoint.url", &*endpoint),
        ("bearer.auth.client.id", "me"),
        ("bearer.auth.client.secret", "secret"),
        ("bearer.auth.scope", "a b"),
        ("bearer.auth.logical.cluster", "lsrc-1"),
        ("bearer.auth.identity.pool.id", "pool-1"),
    ];
    let registry = confluent(&registry_stub.url(), &settings);
    for topic in ["a", "b", "c"] {
        registry.resolve(topic, false, None, &avro("\"int\"")).await.unwrap();
    }
    let asked = server.asked();
    assert_eq!(asked.len(), 1, "one token for all");
    assert_eq!((&*asked[0].method, &*asked[0].path), ("POST", "/token?realm=a"));
    assert_eq!(asked[0].body, "grant_type=client_credentials&scope=a+b");
    assert_eq!(asked[0].header("authorization"), Some("Basic bWU6c2VjcmV0"));
    for asked in registry_stub.asked() {
        assert_eq!(asked.header("authorization"), Some("Bearer hidden0"));
        assert_eq!(asked.header("target-sr-cluster"), Some("lsrc-1"));
        assert_eq!(asked.header("confluent-identity-pool-id"), Some("pool-1"));
    }
    // A token that has ended is replaced.
    let short = confluent(&registry_stub.url(), &settings);
    for topic in ["a", "b"] {
        short.resolve(topic, false, None, &avro("\"int\"")).await.unwrap();
    }
    assert_eq!(server.times(), 3);
}

#[tokio::test]
async fn a_server_of_tokens_that_refuses_or_is_away() {
    async fn check(reply: Reply, transient: bool) {
        let server = Stub::start(move |_| reply.clone()).await;
        let settings = [
            ("bearer.auth.credentials.source", "OAUTHBEARER"),
            ("bearer.auth.issuer.endpoint.url", &*server.url()),
            ("bearer.auth.client.id", "me"),
            ("bearer.auth.client.secret", "s3cr3t"),
        ];
        let error = ask(&confluent("http://127.0.0.1:1", &settings)).await.unwrap_err();
        assert_eq!(error.is_transient(), transient, "{error:?}");
        assert!(!format!("{error:?}").contains("hidden") && !format!("{error:?}").contains("s3cr3t"), "{error:?}");
        assert_eq!(server.times(), 1);
    }
    check(Reply::json(401, r#"{"error":"hidden"}"#), false).await;
    check(Reply::json(503, "{}"), true).await;
    check(Reply::json(200, r#"{"token":"hidden"}"#), true).await;
}

/// Neither the client nor its transport shows a secret when it is printed.
#[tokio::test]
async fn nothing_secret_is_printed() {
    let properties = properties(
        &[("schema.registry.url", "http://user:secret@r:1")],
        &[("request.header.X-Key", "secret"), ("schema.registry.ssl.keystore.password", "secret")],
    );
    let values = Values(&properties);
    let (wiring, tls) = (values.confluent_wiring().unwrap(), values.confluent_tls());
    let shown = format!("{wiring:?} {tls:?} {:?}", Registry::confluent(&properties).unwrap());
    assert!(!shown.contains("secret") && shown.contains("Sensitive"), "{shown}");
}
