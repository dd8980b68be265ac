//! Tests of the API on a store in a temporary file, with a fake connector that runs until it is stopped.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use relational::TaskError;
use serde_json::{Map, Value, json};
use settings::{Check, Def, Finding, Key, Kind, Properties, Severity};
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;

use super::{Config, Forwarder, Loggers, MetricNames, Part, ResponseHeaders, router};
use crate::plugins::Plugin;
use crate::runtime::catalog::Catalog;
use crate::runtime::fenced::Fenced;
use crate::runtime::own_offsets::OffsetTopics;
use crate::runtime::owner::{Fence, Ownership};
use crate::runtime::supervisor::{Launched, Supervisor, SupervisorSettings};
use crate::runtime::task::{TaskEvent, TaskSpec};
use crate::store::{File, Offsets};

static KEYS: Def = Def::new(&[&[
    Key::debezium("topic.prefix", Kind::String).high().at("Fake", 1).checks(&[Check::Required]),
    Key::debezium("database.port", Kind::Int).default("1").at("Fake", 2),
]]);

static PLUGINS: &[Plugin] = &[Plugin {
    class: "org.example.FakeConnector",
    task_class: "org.example.FakeTask",
    version: "1.2.3",
    metrics_kind: "fake",
    keys: || &KEYS,
    warnings: |p| {
        let finding = || Finding {
            key: "database.server.name".to_owned(),
            severity: Severity::Warning,
            reason: "is no longer known.".to_owned(),
            remedy: "Use topic.prefix.".to_owned(),
        };
        p.contains("database.server.name").then(finding).into_iter().collect()
    },
    check: |p| {
        let unmet = || Finding {
            key: "database.port".to_owned(),
            severity: Severity::Unmet,
            reason: "the server says no.".to_owned(),
            remedy: "Run ALTER SYSTEM.".to_owned(),
        };
        let found = p.contains("fake.unmet").then(unmet).into_iter().collect();
        let hangs = p.contains("fake.hangs");
        Box::pin(async move { if hangs { std::future::pending().await } else { found } })
    },
    start: |_, _| Box::pin(async { Ok(()) }),
    partition: |_| Map::new(),
    headers: |_| Vec::new(),
    offset: |_| Map::new(),
    keeps_history: false,
    origin_entries: |_| 1,
    chunks: |_, _| Box::new(|| Err("there is no database".to_owned())),
}];

/// Starts a fake task. It reports RUNNING and a topic, fails when `fail` is set, and ends when it is told to.
fn launch(spec: TaskSpec) -> Launched {
    let events: mpsc::UnboundedSender<TaskEvent> = spec.events;
    let fails = spec.config.get("fail").is_some();
    let first =
        if fails { TaskEvent::Failed(TaskError::lasting("java.lang.X: no\n\tat a")) } else { TaskEvent::Running };
    events.send(first).expect("the keeper listens");
    if !fails {
        events.send(TaskEvent::Topic("fake.t".into())).expect("the keeper listens");
    }
    Launched {
        stop: Box::new(move |_| {
            drop(events);
            Box::pin(async { true })
        }),
    }
}

pub(in crate::rest) struct Api {
    pub(in crate::rest) router: axum::Router,
    ownership: watch::Sender<Ownership>,
    stop: watch::Sender<bool>,
    cluster: watch::Sender<String>,
    _dir: tempfile::TempDir,
}

impl Api {
    fn new() -> (Self, Arc<Supervisor>) {
        Self::with(Part::Whole, |_| {})
    }

    /// An API with changes to the usual settings.
    fn with(part: Part, set: impl FnOnce(&mut Config)) -> (Self, Arc<Supervisor>) {
        let dir = tempfile::tempdir().expect("a directory");
        let store = Fenced::new(Arc::new(File::new(dir.path().join("offsets"))));
        let loggers = Loggers::new("INFO", Arc::new(|_, _| {}));
        let of_cluster = loggers.clone();
        let settings = SupervisorSettings {
            traces: crate::runtime::traces::Tracer::default(),
            restarts: crate::runtime::supervisor::RestartSettings::default(),
            worker_id: "h:8083".to_owned(),
            graceful_stop: Duration::from_secs(5),
            topic_tracking: true,
            topic_tracking_reset: true,
            worker: Properties::new(),
            plugins: PLUGINS,
            catalog: Catalog::all(),
            resolve: Arc::new(|p| p),
            launch: Arc::new(launch),
            exactly_once: None,
            set_log_level: Arc::new(move |logger, level| drop(of_cluster.set(logger, level))),
        };
        let supervisor = Supervisor::new(Arc::clone(&store), OffsetTopics::of_worker(Offsets::new(store)), settings);
        let (cluster, kafka_cluster_id) = watch::channel("cluster".to_owned());
        let mut config = Config {
            commit: "c".to_owned(),
            kafka_cluster_id,
            bootstrap_servers: "k:9092".to_owned(),
            advertised_url: "http://h:8083".to_owned(),
            cors: None,
            response_headers: ResponseHeaders::default(),
            auth: None,
            loggers,
            metric_names: MetricNames::default(),
            forwarder: Forwarder::new(&Properties::new()).expect("no settings"),
            traces: crate::runtime::traces::Tracer::default(),
        };
        set(&mut config);
        let router = router(Arc::clone(&supervisor), config, part);
        let fence = Arc::new(Fence::unguarded());
        let (ownership, _) = watch::channel(Ownership::Owner { tenure: 1, fence });
        let (stop, _) = watch::channel(false);
        (Self { router, ownership, stop, cluster, _dir: dir }, supervisor)
    }

    async fn running() -> Self {
        let (api, supervisor) = Self::new();
        let (ownership, stop) = (api.ownership.subscribe(), api.stop.subscribe());
        tokio::spawn(async move { supervisor.run(ownership, stop).await });
        for _ in 0..200 {
            if api.call("GET /health", "").await.0 == 200 {
                return api;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not healthy");
    }

    /// Calls the API. Returns the status, the content type and the body (null when empty).
    async fn call(&self, line: &str, body: &str) -> (u16, String, Value) {
        self.send(line, &[("content-type", "application/json")], body).await
    }

    async fn send(&self, line: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, Value) {
        let (status, headers, value) = self.whole(line, headers, body).await;
        let media = headers.get("content-type").map_or("", |v| v.to_str().expect("text")).to_owned();
        (status, media, value)
    }

    /// Sends the request and returns all headers of the answer too.
    async fn whole(&self, line: &str, headers: &[(&str, &str)], body: &str) -> (u16, HeaderMap, Value) {
        let (method, uri) = line.split_once(' ').expect("METHOD /path");
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let media = headers.get("content-type").map_or("", |v| v.to_str().expect("text"));
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
        let value =
            if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or_else(|_| text()) };
        super::openapi::tests::told(method, uri, status, media.split(';').next().unwrap_or_default(), &value);
        (status, headers, value)
    }

    #[track_caller]
    fn check<'a>(&'a self, line: &'a str, body: &'a str, status: u16, expect: Value) -> impl Future<Output = ()> + 'a {
        let at = std::panic::Location::caller();
        async move {
            let (seen, _, value) = self.call(line, body).await;
            assert_eq!((seen, value), (status, expect), "{line} at {at}");
        }
    }

    async fn until(&self, line: &str, text: &str) -> Value {
        for _ in 0..300 {
            let value = self.call(line, "").await.2;
            if value.to_string().contains(text) {
                return value;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{line}: never {text}");
    }
}

fn error(code: u16, message: &str) -> Value {
    json!({"error_code": code, "message": message})
}

const ONE: &str = r#"{"name":"one","config":{"connector.class":"FakeConnector","topic.prefix":"t","tasks.max":1}}"#;

#[tokio::test]
async fn lifecycle() {
    let api = Api::running().await;
    let config = json!({"connector.class": "FakeConnector", "topic.prefix": "t", "tasks.max": "1", "name": "one"});
    let info = json!({"name": "one", "config": config, "tasks": [], "type": "source"});
    api.check("POST /connectors/", ONE, 201, info).await;
    api.check("POST /connectors", ONE, 409, error(409, "Connector one already exists")).await;
    let part = json!({"state": "RUNNING", "worker_id": "h:8083", "version": "1.2.3"});
    let task = json!({"id": 0, "state": "RUNNING", "worker_id": "h:8083", "version": "1.2.3"});
    let status = json!({"name": "one", "connector": part, "tasks": [task], "type": "source"});
    let running = r#""id":0,"state":"RUNNING""#;
    assert_eq!(api.until("GET /connectors/one/status", running).await, status);
    api.until("GET /connectors/one/topics", "fake.t").await;
    api.check("PUT /connectors/one/topics/reset", "", 202, Value::Null).await;
    api.check("GET /connectors/one/topics", "", 200, json!({"one": {"topics": ["fake.t"]}})).await;
    api.until("GET /connectors/one/topics", "[]").await;
    let tasks = api.call("GET /connectors/one/tasks", "").await.2;
    assert_eq!(tasks[0]["config"]["task.class"], "org.example.FakeTask");
    api.check("GET /connectors?expand=status&expand=nonsense", "", 200, json!({"one": {"status": status}})).await;
    api.check("PUT /connectors/one/pause", "null", 202, Value::Null).await;
    api.until("GET /connectors/one/status", r#""id":0,"state":"PAUSED""#).await;
    api.check("PUT /connectors/one/resume", "", 202, Value::Null).await;
    api.until("GET /connectors/one/status", running).await;
    api.check("POST /connectors/one/restart", "", 204, Value::Null).await;
    let healthy = "POST /connectors/one/restart?includeTasks=True&onlyFailed=true";
    api.check(healthy, "", 202, status.clone()).await;
    let planned = api.call("POST /connectors/one/restart?includeTasks=true", "").await.2;
    assert_eq!(
        (&planned["connector"]["state"], &planned["tasks"][0]["state"]),
        (&json!("RESTARTING"), &json!("RESTARTING"))
    );
    api.until("GET /connectors/one/status", running).await;
    api.check("POST /connectors/one/tasks/0/restart", "", 204, Value::Null).await;
    let stopped = "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the \
                   specified connector by issuing a 'PUT' request to the '/connectors/one/stop' endpoint";
    api.check("DELETE /connectors/one/offsets", "", 400, error(400, stopped)).await;
    api.check("PUT /connectors/one/stop", "", 204, Value::Null).await;
    assert_eq!(api.until("GET /connectors/one/status", r#""tasks":[]"#).await["connector"]["state"], "STOPPED");
    let offset = r#"{"offsets":[{"partition":{"server":"t"},"offset":{"lsn":1}}]}"#;
    assert_eq!(api.call("PATCH /connectors/one/offsets", offset).await.0, 200);
    let stored = json!({"offsets": [{"partition": {"server": "t"}, "offset": {"lsn": 1}}]});
    api.check("GET /connectors/one/offsets", "", 200, stored).await;
    assert_eq!(api.call("DELETE /connectors/one/offsets", "").await.0, 200);
    api.check("GET /connectors/one/offsets", "", 200, json!({"offsets": []})).await;
    api.check("DELETE /connectors/one", "", 204, Value::Null).await;
    api.check("GET /connectors", "", 200, json!([])).await;
    api.until("GET /connectors/one/status", "No status found for connector one").await;
}

#[tokio::test]
async fn a_failed_task_stays_failed_alone() {
    let api = Api::running().await;
    let bad = ONE.replace("\"one\"", "\"bad\"").replace("\"tasks.max\"", "\"fail\":1,\"tasks.max\"");
    assert_eq!(api.call("POST /connectors", &bad).await.0, 201);
    assert_eq!(api.call("POST /connectors", ONE).await.0, 201);
    let status = api.until("GET /connectors/bad/status", r#""id":0,"state":"FAILED""#).await;
    assert_eq!(status["tasks"][0]["trace"], "java.lang.X: no\n\tat a");
    assert_eq!(status["connector"]["state"], "RUNNING");
    api.until("GET /connectors/one/status", r#""id":0,"state":"RUNNING""#).await;
    let plan = api.call("POST /connectors/bad/restart?includeTasks=true&onlyFailed=true", "").await.2;
    assert_eq!(
        (&plan["tasks"][0]["state"], &plan["tasks"][0]["trace"]),
        (&json!("RESTARTING"), &status["tasks"][0]["trace"])
    );
    api.until("GET /connectors/bad/status", r#""id":0,"state":"FAILED""#).await;
    assert_eq!(api.call("PATCH /connectors/bad/config", r#"{"fail":null}"#).await.0, 200);
    api.until("GET /connectors/bad/status", r#""id":0,"state":"RUNNING""#).await;
}

#[tokio::test]
async fn errors() {
    let api = Api::running().await;
    for (line, body, status, message) in [
        ("GET /nowhere", "", 404, "HTTP 404 Not Found"),
        ("PUT /connectors", "{}", 405, "HTTP 405 Method Not Allowed"),
        ("GET /connectors/a/status/", "", 404, "No status found for connector a"),
        ("GET /connectors/a/tasks/7/status", "", 404, "No status found for task a-7"),
        ("GET /connectors/a/tasks/-1/status", "", 404, "No status found for task a--1"),
        ("GET /connectors/a/tasks/x/status", "", 404, "HTTP 404 Not Found"),
        ("GET /connectors/a%20b/config", "", 404, "Connector a b not found"),
        ("GET /connectors/a;b=c/config", "", 404, "Connector a not found"),
        ("GET /connectors/a%3Bb/config", "", 404, "Connector a;b not found"),
        ("PUT /connectors/a/pause", "", 404, "Unknown connector a"),
        ("POST /connectors/a/restart", "", 404, "Unknown connector: a"),
        ("DELETE /connectors/a", "", 404, "Connector a not found"),
        (
            "PATCH /connectors/a/offsets",
            r#"{"offsets":[]}"#,
            400,
            "Partitions / offsets need to be provided for an alter offsets request",
        ),
        (
            "POST /connectors",
            r#"{"name":"x","config":{}}"#,
            400,
            "Connector config {name=x} contains no connector type",
        ),
        ("GET /connector-plugins/NoSuch/config", "", 404, "Unknown plugin NoSuch."),
        ("PUT /admin/loggers/x", r#"{"level":"loud"}"#, 404, "invalid log level 'loud'."),
        (
            "PUT /admin/loggers/x",
            r#"{"level":""}"#,
            400,
            "Desired 'level' parameter is empty: one of the levels' names is expected",
        ),
        ("POST /connectors/a/tasks", "[]", 400, "Internal request missing required signature"),
        (
            "POST /connectors",
            r#"{"name":"x","config":{"connector.class":"Fake","database.server.name":"s","database.port":"seven"}}"#,
            400,
            "Connector configuration is invalid and contains the following 2 error(s):\nThe 'topic.prefix' value is invalid: A \
             value is required\nThe 'database.port' value is invalid: An integer is expected\nYou can also find the above list \
             of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`\n'database.server.name' is \
             no longer known. Use topic.prefix.",
        ),
    ] {
        api.check(line, body, status, error(status, message)).await;
    }
    for (body, status) in [
        (r#"{"name":"#, 400),
        ("[]", 400),
        ("", 400),
        (r#"{"name":"x","bogus":1,"config":{}}"#, 400),
        (r#"{"name":"x","initial_state":"SIDEWAYS","config":{}}"#, 400),
        (r#"{"name":"x","config":{"connector.class":"Fake","name":"y"}}"#, 400),
        (r#"{"name":"x","config":{"connector.class":{}}}"#, 400),
        (r#"{"name":"a\u0001b","config":{"connector.class":"Fake","topic.prefix":"t"}}"#, 400),
        (r#"{"name":"x","config":{"connector.class":"Fake","topic.prefix":"t","unknown":null}}"#, 400),
        (
            r#"{"name":"x","config":{"connector.class":"Fake","topic.prefix":"t","transforms":"a","transforms.a.type":"no.Such"}}"#,
            400,
        ),
    ] {
        assert_eq!(api.call("POST /connectors", body).await.0, status, "{body}");
    }
    for (line, headers, expect) in [
        ("POST /connectors", vec![("content-type", "text/plain")], (415, "")),
        ("POST /connectors", vec![], (415, "")),
        ("GET /connectors", vec![("accept", "text/html")], (406, "")),
        ("GET /connectors", vec![], (200, "application/json")),
        ("HEAD /connectors", vec![], (200, "application/json")),
        ("OPTIONS /connectors", vec![], (200, "text/plain")),
        ("GET /connectors/a%2Fb", vec![], (400, "text/html;charset=iso-8859-1")),
        ("PUT /connectors/a%2Fb/pause", vec![], (400, "")),
        ("GET //connectors", vec![], (400, "text/html;charset=iso-8859-1")),
        ("GET /connectors/a%0Ab", vec![], (400, "text/html;charset=iso-8859-1")),
        ("GET /connectors/%zz", vec![], (400, "text/html;charset=iso-8859-1")),
        ("GET /connectors/a%25b", vec![], (400, "text/html;charset=iso-8859-1")),
        ("GET /connectors/a%5Cb", vec![], (400, "text/html;charset=iso-8859-1")),
        ("GET /connectors/%2e%2e/x", vec![], (400, "text/html;charset=iso-8859-1")),
    ] {
        let (status, media, _) = api.send(line, &headers, "{}").await;
        assert_eq!((status, media.as_str()), expect, "{line}");
    }
    assert_eq!(api.send("OPTIONS /connectors", &[], "").await.2, "HEAD, POST, GET, OPTIONS");
}

#[tokio::test]
async fn nothing_before_the_state_is_read_and_no_change_without_the_group() {
    let (api, supervisor) = Api::new();
    assert_eq!(api.call("GET /health", "").await.2["status"], "starting");
    for line in ["GET /connectors", "GET /connectors/a", "GET /connectors/a/status", "DELETE /connectors/a"] {
        let (status, _, body) = api.call(line, "").await;
        assert_eq!((status, &body["error_code"]), (503, &json!(503)), "{line}");
    }
    api.ownership.send_replace(Ownership::Foreign { members: vec!["connect-1".to_owned()] });
    let (ownership, stop) = (api.ownership.subscribe(), api.stop.subscribe());
    tokio::spawn(async move { supervisor.run(ownership, stop).await });
    api.until("GET /health", "connect-1").await;
    api.check("GET /connectors", "", 200, json!([])).await;
    assert_eq!(api.call("POST /connectors", ONE).await.0, 409);
    api.ownership.send_replace(Ownership::Owner { tenure: 1, fence: Arc::new(Fence::unguarded()) });
    api.until("GET /health", "healthy").await;
    assert_eq!(api.call("POST /connectors", ONE).await.0, 201);
    api.until("GET /connectors/one/status", r#""id":0,"state":"RUNNING""#).await;
    api.ownership.send_replace(Ownership::Lost);
    api.until("GET /health", "unhealthy").await;
    api.check("GET /connectors", "", 200, json!(["one"])).await;
    api.stop.send_replace(true);
}

#[tokio::test]
async fn every_row_of_the_table_has_a_handler() {
    let api = Api::running().await;
    for row in super::routes::ROWS {
        for (method, ..) in row.methods {
            let path = row.path.replace("{task}", "0").replace(['{', '}'], "");
            let (status, media, body) = api.call(&format!("{method} {path}"), "{}").await;
            assert!(status != 405 && !(status == 404 && media.is_empty()), "{method} {path}: {status} {body}");
        }
    }
}

#[tokio::test]
async fn metrics_are_a_text_for_prometheus() {
    let api = Api::running().await;
    assert_eq!(api.call("POST /connectors", ONE).await.0, 201);
    api.until("GET /connectors/one/status", r#""id":0,"state":"RUNNING""#).await;
    let accept = [("accept", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5")];
    let (status, media, body) = api.send("GET /metrics", &accept, "").await;
    assert_eq!((status, media.as_str()), (200, "text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "kafka_connect_connect_worker_metrics_connector_count 1.0",
        "kafka_connect_connect_worker_metrics_task_startup_success_total 1",
        r#"kafka_connect_connector_metrics_status{connector="one",status="running"} 1.0"#,
        r#"kafka_connect_source_task_metrics_source_record_poll_total{connector="one",task="0"} 0"#,
    ] {
        assert!(body.as_str().is_some_and(|text| text.lines().any(|known| known == line)), "{line} is not in {body}");
    }
}

mod calls;
mod configured;
mod health;
mod validated;
