//! Tests of the worker's settings for the API: passwords, a separate admin listener, headers, and the answers before a
//! broker has told the cluster's id. The expected answers are those of a Kafka Connect 4.3.1 worker with the same
//! settings.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as CODE;

use std::sync::Arc;

use serde_json::json;

use super::{Api, Part, ResponseHeaders, error};
use crate::rest::BasicAuth;

/// Basic authentication with one user, alice.
fn auth() -> Arc<BasicAuth> {
    let dir = tempfile::tempdir().expect("a directory");
    let (users, login) = (dir.path().join("users"), dir.path().join("login"));
    std::fs::write(&users, "alice=wonder\n").expect("a file");
    let module = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";
    let text = format!("KafkaConnect {{ {module} required file=\"{}\"; }};", users.display());
    std::fs::write(&login, text).expect("a file");
    Arc::new(BasicAuth::read(&login).expect("it is in form"))
}

#[tokio::test]
async fn a_closed_api_asks_for_a_password() {
    let (api, _supervisor) = Api::with(Part::Whole, |config| config.auth = Some(auth()));
    let (good, bad) =
        (format!("Basic {}", CODE.encode("alice:wonder")), format!("Basic {}", CODE.encode("alice:wrong")));
    let refusal = json!("User cannot access the resource.");
    let unsigned = error(400, "Internal request missing required signature");
    for (line, status, media, body) in [
        ("GET /", 401, "application/json", &refusal),
        ("GET /health", 401, "application/json", &refusal),
        ("GET /openapi.json", 401, "application/json", &refusal),
        ("GET /connectors/", 401, "application/json", &refusal),
        ("POST /connectors", 401, "application/json", &refusal),
        ("PATCH /connectors/a/config", 401, "application/json", &refusal),
        ("GET /connectors/a/tasks", 401, "application/json", &refusal),
        ("GET /connectors/a/tasks/x/status", 401, "application/json", &refusal),
        ("POST /connectors/a/tasks/0/restart", 401, "application/json", &refusal),
        ("GET /admin/loggers", 401, "application/json", &refusal),
        ("OPTIONS /connectors", 401, "text/plain", &refusal),
        // The calls between workers are signed and need no password.
        ("POST /connectors/a/tasks", 400, "application/json", &unsigned),
        ("POST /connectors/a/tasks/", 400, "application/json", &unsigned),
        ("POST /connectors/a;b=c/tasks", 400, "application/json", &unsigned),
        ("PUT /connectors/a/fence", 400, "application/json", &unsigned),
        // Answers that come before a resource is chosen need no password either.
        ("GET /nowhere", 404, "", &error(404, "HTTP 404 Not Found")),
        ("PUT /", 405, "", &error(405, "HTTP 405 Method Not Allowed")),
    ] {
        for header in [&bad, ""] {
            let headers = [("content-type", "application/json"), ("authorization", header)];
            let headers = &headers[..if header.is_empty() { 1 } else { 2 }];
            let seen = api.send(line, headers, "[]").await;
            assert_eq!(seen, (status, media.to_owned(), body.clone()), "{line} {header}");
        }
    }
    assert_eq!(api.send("HEAD /", &[], "").await.0, 401);
    assert!(!api.whole("GET /", &[], "").await.1.contains_key("www-authenticate"), "browsers must not ask");
    assert_eq!(api.send("POST /connectors", &[("content-type", "text/plain")], "").await.0, 415);
    assert_eq!(api.send("GET /", &[("accept", "text/html")], "").await.0, 406);
    for line in ["GET /", "HEAD /", "OPTIONS /connectors", "GET /openapi.json", "GET /admin/loggers"] {
        assert_eq!(api.send(line, &[("authorization", &good)], "").await.0, 200, "{line}");
    }
}

#[tokio::test]
async fn admin_is_served_where_it_is_configured() {
    for (part, main, admin) in [(Part::Whole, 200, 200), (Part::WithoutAdmin, 200, 404), (Part::Admin, 404, 200)] {
        let (api, _supervisor) = Api::with(part, |_| {});
        for (line, expect) in [
            ("GET /", main),
            ("GET /openapi.json", main),
            ("GET /connector-plugins", main),
            ("GET /admin/loggers", admin),
            ("GET /admin/loggers/root", admin),
            ("OPTIONS /admin/loggers", admin),
            ("GET /admin", 404),
        ] {
            assert_eq!(api.send(line, &[], "").await.0, expect, "{part:?} {line}");
        }
    }
    // In Connect, admin listeners have neither a password nor configured headers.
    let (api, _supervisor) = Api::with(Part::Admin, |config| {
        config.auth = Some(auth());
        config.response_headers = ResponseHeaders::read("set X-One: 1").expect("in form");
    });
    let (status, headers, _) = api.whole("GET /admin/loggers/root", &[], "").await;
    assert_eq!((status, headers.get("x-one")), (200, None));
}

#[tokio::test]
async fn configured_headers_are_on_every_answer() {
    let rules = "add X-One: 1,add X-One: 2,set Content-Type: text/html,\"set Cache-Control: no-cache, no-store\"";
    let (api, _supervisor) = Api::with(Part::Whole, |config| {
        config.response_headers = ResponseHeaders::read(rules).expect("in form");
        config.auth = Some(auth());
    });
    let good = format!("Basic {}", CODE.encode("alice:wonder"));
    for (line, status, media) in [
        ("GET /", 200, "application/json"),
        ("GET /nowhere", 404, "text/html"),
        ("PUT /", 405, "text/html"),
        ("OPTIONS /", 200, "text/plain"),
    ] {
        let (seen, headers, _) = api.whole(line, &[("authorization", &good)], "").await;
        let all = |name: &str| headers.get_all(name).iter().map(|v| v.to_str().expect("text")).collect::<Vec<_>>();
        assert_eq!((seen, all("content-type")), (status, vec![media]), "{line}");
        assert_eq!((all("x-one"), all("cache-control")), (vec!["1", "2"], vec!["no-cache, no-store"]), "{line}");
    }
    assert_eq!(api.whole("GET /", &[], "").await.1["x-one"], "1", "and on a refusal");
}

#[tokio::test]
async fn the_first_page_waits_for_a_broker_once() {
    let (api, _supervisor) = Api::new();
    api.cluster.send_replace(String::new());
    let (status, _, body) = api.call("GET /", "").await;
    assert_eq!((status, &body["error_code"]), (503, &json!(503)));
    let message = body["message"].as_str().expect("a text");
    assert!(message.contains("k:9092") && message.contains("cluster's id"), "{message}");
    api.cluster.send_replace("id".to_owned());
    api.check("GET /", "", 200, json!({"version": "4.3.1", "commit": "c", "kafka_cluster_id": "id"})).await;
}
