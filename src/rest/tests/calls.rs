//! Single calls: spellings, names, flags, versions of plug-ins, log levels, signed calls, a server that lacks something. The
//! expected answers are those of a Kafka Connect 4.3.1 worker, but 400 where it answers 500 to its caller's mistake.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Api, ONE, error};

const FAKE: &str = r#""connector.class":"FakeConnector","topic.prefix":"t""#;

#[tokio::test]
async fn configurations_keep_what_was_sent() {
    let api = Api::running().await;
    let sent = format!(r#"{{{FAKE},"a":1.50,"b":true,"c":1e3,"a":2.0,"unknown.key":""}}"#);
    let (status, _, body) = api.call("PUT /connectors/two/config", &sent).await;
    assert_eq!(status, 201);
    let config = json!({
        "connector.class": "FakeConnector", "topic.prefix": "t", "a": "2.0", "b": "true", "c": "1e3", "unknown.key": "",
        "name": "two",
    });
    assert_eq!(body["config"], config);
    // In the order in which it was sent, then the name.
    let names: Vec<&str> = body["config"].as_object().expect("a map").keys().map(String::as_str).collect();
    assert_eq!(names, ["connector.class", "topic.prefix", "a", "b", "c", "unknown.key", "name"]);
    api.check("GET /connectors/two/config", "", 200, config).await;
    assert_eq!(api.call("PUT /connectors/two/config", &sent).await.0, 200);
    let patched = api.call("PATCH /connectors/two/config", r#"{"a":null,"d":7}"#).await;
    assert_eq!((patched.0, &patched.2["config"]["a"], &patched.2["config"]["d"]), (200, &Value::Null, &json!("7")));
    // What GET answers is no request for POST: it has fields that a request has not.
    let shown = api.call("GET /connectors/two", "").await.2.to_string();
    let (status, _, body) = api.call("POST /connectors", &shown).await;
    assert_eq!(status, 400);
    assert!(
        body["message"].as_str().is_some_and(|m| m.starts_with("Unrecognized field \"tasks\" (class org.apache")),
        "{body}"
    );
}

#[tokio::test]
async fn names() {
    let api = Api::running().await;
    let empty = "Invalid value  for configuration name: String may not be empty";
    for name in [r#""name":"   ","#, r#""name":null,"#, ""] {
        let (status, _, body) = api.call("POST /connectors", &format!("{{{name}\"config\":{{{FAKE}}}}}")).await;
        assert_eq!(status, 400, "{name}");
        assert!(body["message"].as_str().is_some_and(|m| m.contains(empty)), "{name} {body}");
    }
    let (status, _, body) =
        api.call("POST /connectors", &format!(r#"{{"name":"a\u0009b\u000a","config":{{{FAKE}}}}}"#)).await;
    assert_eq!(status, 400);
    let control = "String may not contain control sequences but had the following ASCII chars: 9";
    assert!(body["message"].as_str().is_some_and(|m| m.contains(control)), "{body}");
    let mismatch = "Connector name configuration (y) doesn't match connector name in the URL (x)";
    for (line, body) in [
        ("POST /connectors", format!(r#"{{"name":"x","config":{{{FAKE},"name":"y"}}}}"#)),
        ("PUT /connectors/x/config", format!(r#"{{{FAKE},"name":"y"}}"#)),
    ] {
        api.check(line, &body, 400, error(400, mismatch)).await;
    }
    // Any other character is one.
    let odd = format!(r#"{{"name":" ä ?&=+#;x ","config":{{{FAKE}}}}}"#);
    assert_eq!(api.call("POST /connectors", &odd).await.0, 201);
    api.check("GET /connectors", "", 200, json!(["ä ?&=+#;x"])).await;
    assert_eq!(api.call("GET /connectors/%C3%A4%20%3F&=+%23%3Bx/config", "").await.0, 200);
    assert_eq!(api.call("DELETE /connectors/%C3%A4%20%3F&=+%23%3Bx/", "").await.0, 204);
    assert_eq!(api.call("POST /connectors", ONE).await.0, 201);
    let other = "Connector name configuration (zzz) doesn't match connector name in the URL (one)";
    api.check("PATCH /connectors/one/config", r#"{"name":"zzz"}"#, 400, error(400, other)).await;
    // An invalid configuration is told before the name that is taken.
    let taken = r#"{"name":"one","config":{"connector.class":"FakeConnector"}}"#;
    assert_eq!(api.call("POST /connectors", taken).await.0, 400);
}

#[tokio::test]
async fn the_first_state() {
    let api = Api::running().await;
    for (state, expect) in [("stopped", "STOPPED"), ("Paused", "PAUSED"), ("RUNNING", "RUNNING")] {
        let body = format!(r#"{{"name":"{expect}","config":{{{FAKE}}},"initial_state":"{state}"}}"#);
        assert_eq!(api.call("POST /connectors", &body).await.0, 201, "{state}");
        let line = format!("GET /connectors/{expect}/status");
        api.until(&line, &format!(r#""connector":{{"state":"{expect}""#)).await;
    }
    let wrong = format!(r#"{{"name":"x","config":{{{FAKE}}},"initial_state":"ASLEEP"}}"#);
    let (status, _, body) = api.call("POST /connectors", &wrong).await;
    assert_eq!(status, 400);
    assert!(body["message"].as_str().is_some_and(|m| m.contains("[STOPPED, PAUSED, RUNNING]")), "{body}");
}

#[tokio::test]
async fn flags_of_a_restart() {
    let api = Api::running().await;
    assert_eq!(api.call("POST /connectors", ONE).await.0, 201);
    api.until("GET /connectors/one/status", r#""id":0,"state":"RUNNING""#).await;
    for (query, status) in [
        ("", 204),
        ("?includeTasks=yes", 204),
        ("?includeTasks=1&onlyFailed=no", 204),
        ("?includeTasks=TRUE&unknown=1", 202),
        ("?onlyFailed=True", 202),
        ("?includeTasks=false&onlyFailed=False", 204),
    ] {
        assert_eq!(api.call(&format!("POST /connectors/one/restart{query}"), "").await.0, status, "{query}");
    }
    api.check("POST /connectors/x/restart?includeTasks=true", "", 404, error(404, "Unknown connector: x")).await;
    api.check("POST /connectors/one/tasks/7/restart", "", 404, error(404, "Unknown task: one-7")).await;
    api.check("POST /connectors/x/tasks/0/restart", "", 404, error(404, "Unknown connector: x")).await;
    let seen = api.call("GET /connectors/one/tasks/first/status", "").await;
    assert_eq!(seen, (404, "application/json".to_owned(), error(404, "HTTP 404 Not Found")));
}

#[tokio::test]
async fn versions_of_a_plugin() {
    let api = Api::running().await;
    for asked in ["", "?version=latest", "?version=1.2.3", "?version=%5B1.0,2.0)", "?version=%5B1,2),%5B3,)"] {
        let (status, _, body) = api.call(&format!("GET /connector-plugins/FakeConnector/config{asked}"), "").await;
        assert_eq!((status, &body[0]["name"]), (200, &json!("topic.prefix")), "{asked}");
    }
    for (asked, message) in [
        (
            "1.0",
            "Plugin org.example.FakeConnector not found that matches the version range [1.0,1.0], available versions: [1.2.3]",
        ),
        (
            "any",
            "Plugin org.example.FakeConnector not found that matches the version range [any,any], available versions: [1.2.3]",
        ),
        ("(1.0", "Invalid version specification: (1.0"),
    ] {
        let line = format!("GET /connector-plugins/Fake/config?version={asked}");
        api.check(&line, "", 400, error(400, message)).await;
    }
}

#[tokio::test]
async fn log_levels_of_all_workers() {
    let api = Api::running().await;
    let (status, _, changed) = api.call("PUT /admin/loggers/a.b", r#"{"level":"debug"}"#).await;
    assert_eq!((status, changed), (200, json!(["a.b"])));
    // Another scope is taken as that of this worker.
    assert_eq!(api.call("PUT /admin/loggers/a.b?scope=planet", r#"{"level":"INFO"}"#).await.2, json!(["a.b"]));
    api.check("PUT /admin/loggers/a?scope=cluster", r#"{"level":"trace"}"#, 204, Value::Null).await;
    let level = api.until("GET /admin/loggers/a", "TRACE").await;
    assert!(level["last_modified"].is_number(), "{level}");
    assert_eq!(api.call("GET /admin/loggers/a.b", "").await.2["level"], "TRACE", "those below too");
    for (body, status, message) in [
        (r#"{"level":"loud"}"#, 404, "invalid log level 'loud'."),
        ("{}", 400, "Desired 'level' parameter was not specified in request."),
    ] {
        api.check("PUT /admin/loggers/a?scope=cluster", body, status, error(status, message)).await;
    }
    api.check("GET /admin/loggers/never", "", 404, error(404, "Logger never not found.")).await;
}

#[tokio::test]
async fn calls_between_workers() {
    let (starting, _supervisor) = Api::new();
    let api = Api::running().await;
    let unsigned = error(400, "Internal request missing required signature");
    let signature = ("x-connect-authorization", "c2lnbmVk");
    let algorithm = ("x-connect-request-signature-algorithm", "HmacSHA256");
    let other = ("x-connect-request-signature-algorithm", "HmacMD5");
    let json = ("content-type", "application/json");
    for line in ["POST /connectors/one/tasks", "PUT /connectors/one/fence?forward=true"] {
        for headers in [&[json][..], &[json, signature], &[json, algorithm]] {
            let (status, _, body) = api.send(line, headers, "[]").await;
            assert_eq!((status, body), (400, unsigned.clone()), "{line} {headers:?}");
        }
        let (status, _, body) = api.send(line, &[json, signature, other], "[]").await;
        assert_eq!(status, 400);
        let begin = "This worker does not support the 'HmacMD5' key signing algorithm used by other workers. This worker is \
                     currently configured to use: [HmacSHA256]. ";
        assert!(body["message"].as_str().is_some_and(|m| m.starts_with(begin)), "{body}");
        let refused = error(403, "Internal request contained invalid signature.");
        let (status, _, body) = api.send(line, &[json, signature, algorithm], "[]").await;
        assert_eq!((status, body), (403, refused), "{line}");
        let (status, _, body) = starting.send(line, &[json, signature, algorithm], "[]").await;
        assert_eq!(status, 503, "{body}");
    }
}

/// What the server lacks is an error of a validation. The configuration is stored all the same, as in Connect.
#[tokio::test]
async fn a_server_that_lacks_something() {
    let api = Api::running().await;
    let config = format!(r#"{{{FAKE},"name":"x","fake.unmet":"1"}}"#);
    let (status, _, body) = api.call("PUT /connector-plugins/FakeConnector/config/validate", &config).await;
    assert_eq!((status, &body["error_count"]), (200, &json!(1)));
    let port = body["configs"].as_array().expect("a list").iter().find(|one| one["value"]["name"] == "database.port");
    let errors = &port.expect("the key")["value"]["errors"];
    assert_eq!(errors, &json!(["the server says no. Run ALTER SYSTEM."]));
    assert_eq!(api.call("POST /connectors", &format!(r#"{{"name":"x","config":{config}}}"#)).await.0, 201);
    // With an error of the configuration itself, what the server lacks is not told: it may be another server's.
    let wrong = config.replace("\"t\"", "\"t\",\"database.port\":\"x\"");
    let body = api.call("PUT /connector-plugins/FakeConnector/config/validate", &wrong).await.2;
    assert_eq!(body["error_count"], 1, "{body}");
}

/// A database that never answers keeps its own call waiting, for as long as Connect would, and no other.
#[tokio::test]
async fn a_check_that_hangs_holds_up_no_other_call() {
    let api = Api::running().await;
    let hanging = format!(r#"{{{FAKE},"name":"x","fake.hangs":"1"}}"#);
    let begin = tokio::time::Instant::now();
    let hung = api.call("PUT /connector-plugins/FakeConnector/config/validate", &hanging);
    let others = async {
        assert_eq!(api.call("POST /connectors", ONE).await.0, 201);
        api.until("GET /connectors/one/status", r#""id":0,"state":"RUNNING""#).await;
        assert_eq!(api.call("DELETE /connectors/one", "").await.0, 204);
        assert!(begin.elapsed() < Duration::from_secs(10));
        // Nobody else waits now: the clock goes on to the moment at which the call is given up.
        tokio::time::pause();
    };
    let ((status, _, body), ()) = tokio::join!(hung, others);
    assert_eq!(status, 500);
    assert!((90..100).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    let text = body["message"].as_str().expect("a text");
    let stage = "Request timed out. The worker is currently validating the configuration of a connector of class \
                 FakeConnector, which began at ";
    assert!(text.starts_with(stage), "{text}");
}
