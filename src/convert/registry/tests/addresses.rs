//! Several addresses, redirects and proxies.

use super::*;

const ID: &str = r#"{"id":7}"#;

#[tokio::test]
async fn the_next_address_is_asked_when_one_does_not_answer() {
    let broken = Stub::start(|_| Reply::error(503, 50301, "away")).await;
    let good = Stub::start(|_| Reply::json(200, ID)).await;
    let registry = confluent(&format!("{},{}", broken.url(), good.url()), &[]);
    assert_eq!(ask(&registry).await.unwrap().id, 7);
    // The one that answered is asked first from now on.
    registry.resolve("other", false, None, &avro("\"int\"")).await.unwrap();
    assert_eq!((broken.times(), good.times()), (1, 2));
}

#[tokio::test]
async fn all_addresses_are_named_when_none_answers() {
    let (a, b) = (Stub::start(|_| Reply::error(503, 1, "a")).await, Stub::start(|_| Reply::error(500, 1, "b")).await);
    let error = ask(&confluent(&format!("{},{}", a.url(), b.url()), &[])).await.unwrap_err();
    let told = error.to_string();
    assert!(error.is_transient());
    assert!(told.contains("503: a") && told.contains("500: b") && told.contains(&a.url()), "{told}");
    assert_eq!((a.times(), b.times()), (1, 1));
}

#[tokio::test]
async fn a_refusal_is_not_asked_for_elsewhere() {
    let no = Stub::start(|_| Reply::error(409, 409, "no {oldSchemaVersion: 1} compatibility: 'FULL'")).await;
    let good = Stub::start(|_| Reply::json(200, ID)).await;
    let error = ask(&confluent(&format!("{},{}", no.url(), good.url()), &[])).await.unwrap_err();
    assert!(matches!(error, RegistryError::Incompatible { .. }), "{error:?}");
    assert_eq!((no.times(), good.times()), (1, 0));
}

const SECRETS: &[(&str, &str)] = &[
    ("basic.auth.credentials.source", "USER_INFO"),
    ("basic.auth.user.info", "user:secret"),
    ("request.header.X-Api-Key", "key"),
];

/// A redirect within the host keeps the credentials; one to another host (a port is another one) does not. Method and
/// body stay.
#[tokio::test]
async fn redirects() {
    for status in [301, 302, 307, 308] {
        let target = Stub::start(|_| Reply::json(200, ID)).await;
        let to = format!("{}/elsewhere", target.url());
        let source = Stub::start(move |asked| match &*asked.path {
            "/again" => Reply::redirect(status, &to),
            _ => Reply::redirect(status, "/again"),
        })
        .await;
        let registry = confluent(&source.url(), SECRETS);
        assert_eq!(ask(&registry).await.unwrap().id, 7, "{status}");
        let [first, again] = &source.asked()[..] else { panic!("{:?}", source.asked()) };
        for asked in [first, again] {
            assert_eq!(asked.header("authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
            assert_eq!(asked.header("x-api-key"), Some("key"));
        }
        let [arrived] = &target.asked()[..] else { panic!("{:?}", target.asked()) };
        assert_eq!((arrived.header("authorization"), arrived.header("x-api-key")), (None, None));
        assert_eq!((&*arrived.method, &*arrived.path), ("POST", "/elsewhere"));
        assert_eq!(arrived.body, r#"{"schema":"\"int\""}"#);
        assert_eq!(arrived.header("content-type"), Some("application/vnd.schemaregistry.v1+json"));
        assert!(!format!("{arrived:?}").contains("secret"));
    }
}

/// A configured address is trusted, so a redirect between two of them keeps the credentials.
#[tokio::test]
async fn a_redirect_to_another_configured_address() {
    let second = Stub::start(|_| Reply::json(200, ID)).await;
    let to = format!("{}/x", second.url());
    let first = Stub::start(move |_| Reply::redirect(307, &to)).await;
    let registry = confluent(&format!("{},{}", first.url(), second.url()), SECRETS);
    ask(&registry).await.unwrap();
    assert_eq!(second.asked()[0].header("authorization"), Some("Basic dXNlcjpzZWNyZXQ="));
}

#[tokio::test]
async fn redirects_that_lead_nowhere() {
    async fn check(reply: Reply, transient: bool, told: &str) {
        let stub = Stub::start(move |_| reply.clone()).await;
        let error = ask(&confluent(&stub.url(), SECRETS)).await.unwrap_err();
        assert_eq!(error.is_transient(), transient, "{error:?}");
        assert!(error.to_string().contains(told) && !error.to_string().contains("secret"), "{error}");
        assert!(stub.times() <= 6);
    }
    check(Reply::redirect(307, "/round"), false, "it redirects to http://127.0.0.1").await;
    check(Reply::redirect(303, "http://127.0.0.1:1/login?secret"), false, "it redirects to http://127.0.0.1:1/login")
        .await;
    check(Reply::redirect(302, "ftp://127.0.0.1/x"), false, "it redirects to ftp://127.0.0.1/x").await;
    check(Reply { location: None, ..Reply::redirect(302, "") }, true, "302 Found without a target").await;
}

#[tokio::test]
async fn through_a_proxy() {
    let proxy = Stub::start(|_| Reply::json(200, ID)).await;
    let port = proxy.url().rsplit(':').next().unwrap().to_owned();
    let registry = confluent("http://registry.invalid:8081", &[("proxy.host", "127.0.0.1"), ("proxy.port", &port)]);
    assert_eq!(ask(&registry).await.unwrap().id, 7);
    assert_eq!(proxy.asked()[0].header("host"), Some("registry.invalid:8081"));
    assert_eq!(proxy.asked()[0].path, "/subjects/t-value/versions?normalize=false");
}
