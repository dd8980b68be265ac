//! Traces of a running worker, as a collector of OpenTelemetry gets them: batches, a copy and its tables, the start of a task, calls
//! of the REST API and records; and that nothing is held up when the collector is away, slow or in trouble.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod collector;
#[path = "../rig/mod.rs"]
mod rig;
mod trouble;

use std::collections::BTreeMap;
use std::time::Duration;

use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod, SslVerifyMode};
use rig::{Certificates, Daemon, Database, Kafka, MySqlDatabase, Options, Product, ask, wait_until};
use serde_json::json;

use collector::{Collector, Span};

const SOON: Duration = Duration::from_secs(40);
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
/// A text that no span may show.
const CELL: &str = "canary-of-a-cell";
const TOKEN: &str = "canary-of-a-token";

// --- a worker ---

fn options(label: &str, variables: &[(&str, &str)]) -> Options {
    let mut options = Options::new(label);
    let usual = [("OTEL_BSP_SCHEDULE_DELAY", "100")];
    options.environment = usual.iter().chain(variables).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    options
}

fn metric(daemon: &Daemon, name: &str) -> Option<u64> {
    let text = daemon.rest("GET", "/metrics", None).text;
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}

// --- what comes ---

#[test]
fn batches_a_copy_a_start_and_calls_have_spans() {
    let collector = Collector::start();
    let mut daemon = Daemon::start(options(
        "spans",
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url()),
            ("OTEL_EXPORTER_OTLP_HEADERS", &format!("x-token={TOKEN}")),
            ("OTEL_SERVICE_NAME", "cdc"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"),
        ],
    ));
    let database = Database::create("spans");
    database.run(&format!(
        "create table a(id int primary key, v text); create table b(id int primary key, v text);
         insert into a select n, '{CELL}' from generate_series(1, 700) n; insert into b values (1, '{CELL}')"
    ));
    let body = json!({"name": "c", "config": database.connector(&[])}).to_string();
    let headers = [
        ("traceparent".to_owned(), format!("00-{TRACE}-{CALLER}-01")),
        ("tracestate".to_owned(), "vendor=1".to_owned()),
    ];
    let created = ask("POST", &format!("{}/connectors", daemon.url()), Some(&body), &headers).unwrap();
    assert_eq!(created.status, 201, "{}", created.text);

    let call = collector.wait("POST /connectors", 1).remove(0);
    assert_eq!((call.trace.as_str(), call.parent.as_str(), call.kind), (TRACE, CALLER, 2));
    let says = |name| call.get(name);
    assert_eq!((says("http.request.method"), says("http.route")), ("POST", "/connectors"));
    assert_eq!((says("http.response.status_code"), call.failed), ("201", false));

    let start = collector.wait("task.start", 1).remove(0);
    assert_eq!((start.get("afterimage.connector"), start.failed, start.parent.as_str()), ("c", false, ""));
    assert_eq!(start.get("afterimage.connector.class"), "io.debezium.connector.postgresql.PostgresConnector");

    let copy = collector.wait("snapshot", 1).remove(0);
    let tables = collector.wait("snapshot.table", 2);
    let rows: BTreeMap<&str, &str> =
        tables.iter().map(|table| (table.get("afterimage.table"), table.get("afterimage.rows"))).collect();
    assert_eq!(rows, BTreeMap::from([("public.a", "700"), ("public.b", "1")]));
    assert!(tables.iter().all(|table| table.parent == copy.id && table.trace == copy.trace), "{tables:?}");

    database.wait_streamed(true);
    database.run(&format!("insert into b values (2, '{CELL}')"));
    let streamed = |span: &Span| span.name == "batch" && span.get("afterimage.batch.copied_rows") == "0";
    wait_until("a streamed batch", SOON, || collector.spans().iter().any(streamed));
    let all = collector.spans();
    let batch = all.iter().find(|span| streamed(span)).unwrap();
    assert_eq!((batch.kind, batch.parent.as_str(), batch.failed), (4, "", false), "{batch:?}");
    assert_eq!((batch.get("messaging.batch.message_count"), batch.get("messaging.system")), ("1", "kafka"));
    let lag_ms: i64 = batch.get("afterimage.lag_ms").parse().unwrap();
    assert!((0..60_000).contains(&lag_ms), "{lag_ms}");
    let mut inside: Vec<&Span> = all.iter().filter(|span| span.parent == batch.id).collect();
    inside.sort_by_key(|span| span.begun_ns);
    let names: Vec<&str> = inside.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["batch.queue", "batch.convert", "batch.deliver"]);
    assert!(inside.iter().all(|span| span.trace == batch.trace), "{inside:?}");
    let [queue, convert, deliver] = inside[..] else { unreachable!() };
    assert_eq!((batch.begun_ns, batch.ended_ns), (queue.begun_ns, deliver.ended_ns));
    assert_eq!((queue.ended_ns, convert.ended_ns), (convert.begun_ns, deliver.begun_ns));
    assert!(deliver.ended_ns > deliver.begun_ns, "{deliver:?}");

    // A call that fails at the client's hand has not failed, and one without a trace begins one.
    daemon.rest("GET", "/connectors/nobody/status?q=1", None);
    let call = collector.wait("GET /connectors/{connector}/status", 1).remove(0);
    assert_eq!((call.get("http.response.status_code"), call.failed, call.parent.as_str()), ("404", false, ""));
    assert_eq!((call.get("url.path"), call.get("afterimage.connector")), ("/connectors/nobody/status", "nobody"));

    assert!(metric(&daemon, "afterimage_traces_exported_spans_total").unwrap() > 5);
    daemon.rest("PUT", "/connectors/c/pause", None);
    assert_eq!(daemon.terminate(Duration::from_secs(20)), Some(0));
    // What ended just before the stop has come too.
    assert!(collector.spans().iter().any(|span| span.name == "PUT /connectors/{connector}/pause"));
    let all = collector.spans();
    assert!(all.iter().all(|span| span.name != "GET /health" && span.name != "GET /metrics"));
    let resource = &all[0].resource;
    let says = |name: &str| resource.get(name).map(String::as_str).unwrap_or_default();
    assert_eq!((says("service.name"), says("deployment.environment")), ("cdc", "test"));
    assert!(says("service.instance.id").contains(':') && says("service.version") == env!("CARGO_PKG_VERSION"));
    for span in &all {
        assert!(span.ended_ns >= span.begun_ns && span.begun_ns > 1_600_000_000_000_000_000, "{span:?}");
        let shown = format!("{span:?}");
        assert!(![CELL, TOKEN, "password"].iter().any(|secret| shown.contains(secret)), "{shown}");
    }
    let heads = collector.heads();
    assert!(heads.iter().all(|head| head.starts_with("post /v1/traces http/1.1")), "{:?}", heads[0]);
    assert!(heads[0].contains("content-type: application/x-protobuf") && heads[0].contains(TOKEN), "{}", heads[0]);
    assert!(!daemon.log().contains(TOKEN));
}

#[test]
fn records_have_spans_where_a_transform_asks_for_them() {
    let collector = Collector::start();
    let daemon = Daemon::start(options("record", &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &collector.url())]));
    let database = Database::create("record");
    database.run(&format!(
        "create table t(id int primary key, tracingspancontext text, v text);
         insert into t values (1, 'traceparent=00-{TRACE}-{CALLER}-01', '{CELL}')"
    ));
    let transform = [("transforms", "x"), ("transforms.x.type", "io.debezium.transforms.tracing.ActivateTracingSpan")];
    daemon.create("c", &database.connector(&transform));
    let topic = format!("{}.public.t", database.name);
    let kafka = Kafka::shared();
    wait_until("the row", SOON, || kafka.length(&topic) == 1);
    let outer = collector.wait("db-log-write", 1).remove(0);
    let inner = collector.wait("debezium-read", 1).remove(0);
    assert_eq!((outer.trace.as_str(), outer.parent.as_str()), (TRACE, CALLER));
    assert_eq!((inner.trace.as_str(), &inner.parent), (TRACE, &outer.id));
    assert_eq!((outer.get("db.table"), outer.get("db.type"), inner.get("op")), ("t", "postgresql", "r"));
    let headers = &kafka.consume(&topic)[0].headers;
    let header = headers.iter().find(|(name, _)| name == "traceparent").and_then(|(_, value)| value.clone()).unwrap();
    assert_eq!(String::from_utf8(header).unwrap(), format!("00-{TRACE}-{}-01", outer.id));
    assert!(!format!("{:?}", collector.spans()).contains(CELL));
}

#[test]
fn a_trace_that_is_not_sampled_is_not_sent() {
    let collector = Collector::start();
    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url()), ("OTEL_TRACES_SAMPLER", "parentbased_always_off")];
    let daemon = Daemon::start(options("sampled", &variables));
    let call = |flags: &str, path: &str| {
        let traceparent = ("traceparent".to_owned(), format!("00-{TRACE}-{CALLER}-{flags}"));
        let answer = ask("GET", &format!("{}{path}", daemon.url()), None, &[traceparent]).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text);
    };
    call("00", "/connectors");
    call("01", "/connector-plugins");
    collector.wait("GET /connector-plugins", 1);
    let spans = collector.spans();
    assert_eq!(spans.len(), 1, "{spans:?}");
}

#[test]
fn a_call_that_is_passed_on_stays_in_its_trace() {
    let collector = Collector::start();
    let options = options("passed", &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())]);
    let owner = Daemon::start(options.clone());
    wait_until("it owns the group", SOON, || owner.ask("GET", "/health", None).text.contains("completed startup"));
    let standby = Daemon::start(options);
    standby.wait_standby();
    wait_until("it knows the owner", SOON, || standby.ask("GET", "/health", None).text.contains(&owner.url()));
    let headers = [
        ("traceparent".to_owned(), format!("00-{TRACE}-{CALLER}-01")),
        ("tracestate".to_owned(), "vendor=1".to_owned()),
    ];
    let answer = ask("PUT", &format!("{}/connectors/nobody/pause", standby.url()), None, &headers).unwrap();
    assert_eq!(answer.status, 404, "{}", answer.text);
    let calls = collector.wait("PUT /connectors/{connector}/pause", 2);
    let of_standby = calls.iter().find(|call| call.parent == CALLER).unwrap();
    let of_owner = calls.iter().find(|call| call.parent == of_standby.id).unwrap();
    assert!(calls.iter().all(|call| call.trace == TRACE), "{calls:?}");
    assert_ne!(of_standby.resource["service.instance.id"], of_owner.resource["service.instance.id"]);
}

#[test]
fn a_copy_of_mysql_and_its_changes_have_spans() {
    let collector = Collector::start();
    let daemon = Daemon::start(options("mysql", &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())]));
    let database = MySqlDatabase::create(Product::MySql, "spans");
    database.run("create table a(id int primary key); insert into a values (1), (2), (3)");
    database.run("create table b(id int primary key); insert into b values (1)");
    daemon.create("c", &database.connector(&[]));
    let copy = collector.wait("snapshot", 1).remove(0);
    let tables = collector.wait("snapshot.table", 2);
    let rows: BTreeMap<String, &str> = tables
        .iter()
        .map(|table| (table.get("afterimage.table").replace(&database.name, "d"), table.get("afterimage.rows")))
        .collect();
    assert_eq!(rows, BTreeMap::from([("d.a".to_owned(), "3"), ("d.b".to_owned(), "1")]));
    assert!(tables.iter().all(|table| table.parent == copy.id && !table.failed), "{tables:?}");
    database.run("insert into a values (4)");
    wait_until("a streamed batch", SOON, || {
        collector.spans().iter().any(|span| span.name == "batch" && !span.get("afterimage.lag_ms").is_empty())
    });
}

#[test]
fn a_collector_by_tls_is_checked_and_may_ask_who_is_there() {
    let certificates = Certificates::new();
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_private_key_file(certificates.path("server.key"), SslFiletype::PEM).unwrap();
    acceptor.set_certificate_chain_file(certificates.path("server.crt")).unwrap();
    acceptor.set_ca_file(certificates.path("ca.crt")).unwrap();
    acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    let collector = Collector::start_tls(acceptor.build());
    for (label, authority, fits) in [("stranger", "stranger.crt", false), ("trusted", "ca.crt", true)] {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url()),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", &certificates.path(authority)),
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", &certificates.path("client.crt")),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", &certificates.path("client.key")),
        ];
        let daemon = Daemon::start(options(label, &variables));
        if fits {
            collector.wait("GET /connectors", 1);
        } else {
            wait_until("the log says so", SOON, || daemon.log().contains("spans cannot be exported"));
            assert_eq!(collector.times(), 0);
        }
    }
}

// --- off ---

#[test]
fn without_an_endpoint_nothing_is_sent() {
    let collector = Collector::start();
    let url = collector.url();
    let switched_off: [&[(&str, &str)]; 3] = [
        &[("OTEL_SERVICE_NAME", "x")],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", &url), ("OTEL_TRACES_EXPORTER", "none")],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", &url), ("OTEL_SDK_DISABLED", "true")],
    ];
    for (nth, variables) in switched_off.into_iter().enumerate() {
        let mut daemon = Daemon::start(options(&format!("off{nth}"), variables));
        let text = daemon.rest("GET", "/metrics", None).text;
        assert!(!text.contains("afterimage_traces"), "{text}");
        assert_eq!(daemon.terminate(Duration::from_secs(20)), Some(0));
        assert!(!daemon.log().contains("spans are exported"), "{}", daemon.log());
    }
    assert_eq!(collector.times(), 0);
}

#[test]
fn grpc_ends_the_start_with_what_to_do() {
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
    let mut options = options("grpc", &variables);
    options.wait = false;
    let mut daemon = Daemon::start(options);
    wait_until("the end", SOON, || !daemon.is_alive());
    let log = daemon.log();
    assert!(
        log.contains("otel.exporter.otlp.protocol (environment OTEL_EXPORTER_OTLP_PROTOCOL): grpc is not spoken"),
        "{log}"
    );
    assert!(log.contains("http/protobuf"), "{log}");
}
