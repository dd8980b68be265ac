//! Traces of a running worker, as a collector of OpenTelemetry gets them: batches, a copy and its tables, the start of a task, calls
//! of the REST API and records; and that nothing is held up when the collector is away, slow or in trouble.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, Value as Field};
use protox::Compiler;
use protox::file::{File, FileResolver};
use rig::{Daemon, Database, Kafka, Options, ask, free_port, wait_until, within};
use serde_json::json;

const SOON: Duration = Duration::from_secs(40);
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
/// A text that no span may show.
const CELL: &str = "canary-of-a-cell";
const TOKEN: &str = "canary-of-a-token";

// --- a collector ---

/// A span as it came.
#[derive(Clone, Debug)]
struct Span {
    name: String,
    kind: i64,
    trace: String,
    id: String,
    parent: String,
    begun_ns: u64,
    ended_ns: u64,
    failed: bool,
    attributes: BTreeMap<String, String>,
    resource: BTreeMap<String, String>,
}

impl Span {
    fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

struct Definitions;

impl FileResolver for Definitions {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        File::from_source(name, include_str!("data/otlp/export.proto"))
    }
}

fn export() -> MessageDescriptor {
    let mut compiler = Compiler::with_file_resolver(Definitions);
    compiler.open_file("export.proto").unwrap();
    let pool = DescriptorPool::from_file_descriptor_set(compiler.file_descriptor_set()).unwrap();
    pool.get_message_by_name("otlp.Export").unwrap()
}

fn field(message: &DynamicMessage, name: &str) -> Field {
    message.get_field_by_name(name).unwrap().into_owned()
}

fn all(message: &DynamicMessage, name: &str) -> Vec<DynamicMessage> {
    field(message, name).as_list().unwrap().iter().map(|item| item.as_message().unwrap().clone()).collect()
}

fn text(message: &DynamicMessage, name: &str) -> String {
    field(message, name).as_str().unwrap().to_owned()
}

fn hex(message: &DynamicMessage, name: &str) -> String {
    field(message, name).as_bytes().unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attributes(message: &DynamicMessage) -> BTreeMap<String, String> {
    let pair = |pair: &DynamicMessage| {
        let value = field(pair, "value").as_message().unwrap().clone();
        let value = value.fields().next().map(|(_, value)| match value {
            Field::String(text) => text.clone(),
            Field::I64(number) => number.to_string(),
            other => panic!("{other:?}"),
        });
        (text(pair, "key"), value.unwrap_or_default())
    };
    all(message, "attributes").iter().map(pair).collect()
}

fn spans(body: &[u8], export: &MessageDescriptor) -> Vec<Span> {
    let message = DynamicMessage::decode(export.clone(), body).unwrap();
    let mut found = Vec::new();
    for of_resource in all(&message, "resource_spans") {
        let resource = attributes(field(&of_resource, "resource").as_message().unwrap());
        for span in all(&of_resource, "scope_spans").iter().flat_map(|scope| all(scope, "spans")) {
            assert_eq!(span.unknown_fields().count(), 0);
            found.push(Span {
                name: text(&span, "name"),
                kind: field(&span, "kind").as_i32().unwrap().into(),
                trace: hex(&span, "trace_id"),
                id: hex(&span, "span_id"),
                parent: hex(&span, "parent_span_id"),
                begun_ns: field(&span, "start_time_unix_nano").as_u64().unwrap(),
                ended_ns: field(&span, "end_time_unix_nano").as_u64().unwrap(),
                failed: field(field(&span, "status").as_message().unwrap(), "code").as_i32() == Some(2),
                attributes: attributes(&span),
                resource: resource.clone(),
            });
        }
    }
    found
}

/// What came, and what is answered: a status, or 0 to let the daemon wait.
#[derive(Default)]
struct Shared {
    spans: Mutex<Vec<Span>>,
    heads: Mutex<Vec<String>>,
    status: AtomicU16,
    ends: AtomicBool,
}

/// A collector of OpenTelemetry on loopback, in this process. It ends when it is dropped.
struct Collector {
    port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, shared) = (listener.local_addr().unwrap().port(), Arc::<Shared>::default());
        shared.status.store(200, Ordering::Relaxed);
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let export = export();
            let mut held = Vec::new();
            for stream in listener.incoming() {
                if of_thread.ends.load(Ordering::Relaxed) {
                    return;
                }
                held.extend(stream.ok().and_then(|stream| serve(stream, &of_thread, &export)));
            }
        });
        Self { port, shared, thread: Some(thread) }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn answer(&self, status: u16) {
        self.shared.status.store(status, Ordering::Relaxed);
    }

    fn times(&self) -> usize {
        self.shared.heads.lock().unwrap().len()
    }

    fn spans(&self) -> Vec<Span> {
        self.shared.spans.lock().unwrap().clone()
    }

    /// The spans of this name, once there are as many.
    #[track_caller]
    fn wait(&self, name: &str, count: usize) -> Vec<Span> {
        let mut found = Vec::new();
        let came = within(SOON, || {
            found = self.spans().into_iter().filter(|span| span.name == name).collect();
            found.len() >= count
        });
        let names: Vec<String> = self.spans().into_iter().map(|span| span.name).collect();
        assert!(came, "{} instead of {count} spans {name}; all: {names:?}", found.len());
        found
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Relaxed);
        // Wakes the thread up.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// Answers one request. Gives the connection back if it is to be left waiting.
fn serve(mut stream: TcpStream, shared: &Shared, export: &MessageDescriptor) -> Option<TcpStream> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let (mut came, mut chunk) = (Vec::new(), [0; 16384]);
    let (head, body) = loop {
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        came.extend_from_slice(&chunk[..count]);
        let Some(end) = came.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&came[..end]).to_ascii_lowercase();
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok())?;
        if came.len() >= end + 4 + length {
            break (head, came.split_off(end + 4));
        }
    };
    shared.heads.lock().unwrap().push(head);
    let status = shared.status.load(Ordering::Relaxed);
    match status {
        0 => return Some(stream),
        200 => shared.spans.lock().unwrap().extend(spans(&body, export)),
        _ => {}
    }
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).ok()?;
    stream.shutdown(Shutdown::Write).ok()?;
    None
}

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

fn dropped(daemon: &Daemon, reason: &str) -> u64 {
    metric(daemon, &format!("afterimage_traces_dropped_spans_total{{reason=\"{reason}\"}}")).unwrap()
}

/// How often the log has a text.
fn said(daemon: &Daemon, text: &str) -> usize {
    daemon.log().matches(text).count()
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
    let heads = collector.shared.heads.lock().unwrap().clone();
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

// --- a collector in trouble ---

#[test]
fn a_collector_that_is_away_or_in_trouble_holds_nothing_up() {
    let away = format!("http://127.0.0.1:{}", free_port());
    let broken = Collector::start();
    broken.answer(500);
    let hung = Collector::start();
    hung.answer(0);
    for (label, url, reason) in
        [("away", &away, "queue_full"), ("broken", &broken.url(), "export_failed"), ("hung", &hung.url(), "queue_full")]
    {
        let variables = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "8"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4"),
        ];
        let mut daemon = Daemon::start(options(label, &variables));
        let database = Database::create(label);
        database.run("create table t(id int primary key)");
        daemon.create(label, &database.connector(&[]));
        database.wait_streamed(true);
        let topic = format!("{}.public.t", database.name);
        let kafka = Kafka::shared();
        let began = Instant::now();
        for id in 0..20 {
            database.run(&format!("insert into t values ({id})"));
        }
        wait_until(&format!("{label}: all rows"), SOON, || kafka.length(&topic) == 20);
        println!("{label}: {:?}", began.elapsed());
        for _ in 0..20 {
            daemon.rest("GET", "/connectors", None);
        }
        wait_until(&format!("{label}: dropped spans"), SOON, || dropped(&daemon, reason) > 0);
        assert_eq!(metric(&daemon, "afterimage_traces_exported_spans_total"), Some(0), "{label}");
        if label != "hung" {
            assert_eq!(said(&daemon, "spans cannot be exported"), 1, "{label}: {}", daemon.log());
        }
        let began = Instant::now();
        assert_eq!(daemon.terminate(Duration::from_secs(20)), Some(0), "{label}");
        assert!(began.elapsed() < Duration::from_secs(9), "{label}: {:?}", began.elapsed());
    }
}

#[test]
fn a_collector_that_comes_back_gets_spans_again() {
    let collector = Collector::start();
    collector.answer(500);
    let daemon = Daemon::start(options("back", &[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url())]));
    wait_until("spans are dropped", SOON, || {
        daemon.rest("GET", "/connectors", None);
        dropped(&daemon, "export_failed") > 0
    });
    collector.answer(200);
    wait_until("spans come", SOON, || {
        daemon.rest("GET", "/connectors", None);
        !collector.spans().is_empty()
    });
    wait_until("the log says so", SOON, || said(&daemon, "takes spans again") == 1);
    assert_eq!(said(&daemon, "spans cannot be exported"), 1);
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
