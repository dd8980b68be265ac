//! An exporter and a collector on loopback that answers as a test says.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::oracle::Message;
use crate::runtime::traces::{Flusher, Kind, TraceNumbers, TraceSettings, Tracer, start};

/// What an answer is made of: the status, a header, the body.
type Reply = (u16, Option<(&'static str, &'static str)>, &'static [u8]);

const OK: Reply = (200, None, &[]);

/// What came: headers and the names of the spans.
type Came = Arc<Mutex<Vec<(HeaderMap, Vec<String>)>>>;

struct Collector {
    url: String,
    came: Came,
    task: JoinHandle<()>,
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Collector {
    /// Answers the nth export, counted from 0, with `reply`; without one never.
    async fn start(reply: impl Fn(usize) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (came, count, reply) = (Came::default(), Arc::new(AtomicUsize::new(0)), Arc::new(reply));
        let noted = Arc::clone(&came);
        let router = Router::new().fallback(move |headers: HeaderMap, body: Bytes| {
            let names = names(&body);
            noted.lock().unwrap().push((headers, names));
            let reply = reply(count.fetch_add(1, Ordering::Relaxed));
            async move {
                let Some((status, header, body)) = reply else { return std::future::pending::<Response>().await };
                let mut response = (StatusCode::from_u16(status).unwrap(), Body::from(body)).into_response();
                if let Some((name, value)) = header {
                    response.headers_mut().insert(name, value.parse().unwrap());
                }
                response
            }
        });
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, came, task }
    }

    fn times(&self) -> usize {
        self.came.lock().unwrap().len()
    }
}

fn names(body: &[u8]) -> Vec<String> {
    let export = Message::read("otlp.Export", body);
    let scopes: Vec<Message> = export.all("resource_spans").iter().flat_map(|one| one.all("scope_spans")).collect();
    scopes.iter().flat_map(|scope| scope.all("spans")).map(|span| span.text("name")).collect()
}

/// A tracer that sends to `url`, soon.
fn tracer(url: &str, more: &[(&'static str, &'static str)]) -> (Tracer, Flusher) {
    let url: &'static str = url.to_owned().leak();
    let more: &'static [(&str, &str)] = more.to_vec().leak();
    let get = move |key: &str| {
        let usual = [("otel.exporter.otlp.endpoint", url), ("otel.bsp.schedule.delay", "20")];
        more.iter().chain(&usual).find(|(known, _)| *known == key).map(|(_, value)| *value)
    };
    let settings = TraceSettings::read(&get).unwrap();
    let (tracer, flusher) = start(settings.exporting, "w:1").unwrap();
    (tracer, flusher.unwrap())
}

fn spans(tracer: &Tracer, names: &[&'static str]) {
    for name in names {
        drop(tracer.begin(*name, Kind::Internal, None));
    }
}

async fn until(what: &str, mut yes: impl FnMut() -> bool) {
    let waited = async {
        while !yes() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(timeout(Duration::from_secs(20), waited).await.is_ok(), "{what}");
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(5)
}

#[tokio::test]
async fn spans_come_with_headers_and_the_last_ones_at_the_stop() {
    let collector = Collector::start(|_| Some(OK)).await;
    let (tracer, flusher) = tracer(&collector.url, &[("otel.exporter.otlp.headers", "x-token=t%20t")]);
    spans(&tracer, &["a"]);
    until("the first comes by itself", || collector.times() == 1).await;
    spans(&tracer, &["b", "c"]);
    flusher.flush(soon()).await;
    let came = collector.came.lock().unwrap().clone();
    let names: Vec<&str> = came.iter().flat_map(|(_, names)| names).map(String::as_str).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let header = |name: &str| came[0].0.get(name).unwrap().to_str().unwrap();
    assert_eq!((header("content-type"), header("x-token")), ("application/x-protobuf", "t t"));
    assert_eq!(tracer.numbers().unwrap(), TraceNumbers { exported: 3, ..TraceNumbers::default() });
    // What ends later is dropped.
    spans(&tracer, &["d"]);
    assert_eq!(tracer.numbers().unwrap().full, 1);
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_nothing_else_is() {
    for (first, times, expect) in [
        ((503, Some(("retry-after", "0")), &b"busy"[..]), 2, TraceNumbers { exported: 1, ..TraceNumbers::default() }),
        ((429, None, &[]), 2, TraceNumbers { exported: 1, ..TraceNumbers::default() }),
        ((500, None, &[]), 1, TraceNumbers { failed: 1, ..TraceNumbers::default() }),
        ((400, None, &[]), 1, TraceNumbers { failed: 1, ..TraceNumbers::default() }),
        // A redirect could lead a token elsewhere.
        ((302, Some(("location", "/other")), &[]), 1, TraceNumbers { failed: 1, ..TraceNumbers::default() }),
        ((200, None, &[0x0a, 2, 0x08, 1]), 1, TraceNumbers { rejected: 1, ..TraceNumbers::default() }),
    ] {
        let collector = Collector::start(move |nth| Some(if nth == 0 { first } else { OK })).await;
        let (tracer, flusher) = tracer(&collector.url, &[]);
        spans(&tracer, &["a"]);
        until(&format!("{first:?}"), || tracer.numbers().unwrap() == expect).await;
        flusher.flush(soon()).await;
        assert_eq!((collector.times(), tracer.numbers().unwrap()), (times, expect), "{first:?}");
    }
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_nothing_up() {
    let collector = Collector::start(|_| None).await;
    let (tracer, flusher) =
        tracer(&collector.url, &[("otel.bsp.max.queue.size", "4"), ("otel.bsp.max.export.batch.size", "2")]);
    spans(&tracer, &["a", "b"]);
    until("it is asked", || collector.times() == 1).await;
    let began = Instant::now();
    spans(&tracer, &["x"; 100]);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    assert_eq!(tracer.numbers().unwrap().full, 96, "four wait");
    let began = Instant::now();
    flusher.flush(Instant::now() + Duration::from_millis(200)).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test]
async fn an_export_is_given_up_in_time() {
    let collector = Collector::start(|_| None).await;
    let (tracer, flusher) = tracer(&collector.url, &[("otel.bsp.export.timeout", "50")]);
    spans(&tracer, &["a"]);
    until("it is given up", || tracer.numbers().unwrap().failed == 1).await;
    flusher.flush(soon()).await;
}

#[tokio::test]
async fn at_the_stop_nobody_is_waited_for_who_is_not_there() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let (tracer, flusher) = tracer(&url, &[]);
    spans(&tracer, &["a", "b"]);
    let began = Instant::now();
    flusher.flush(soon()).await;
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(tracer.numbers().unwrap().failed, 2);
}

#[tokio::test]
async fn without_an_endpoint_there_is_nothing() {
    let (tracer, flusher) = start(None, "w:1").unwrap();
    assert!(!tracer.is_on() && flusher.is_none() && tracer.numbers().is_none());
    assert!(tracer.begin("a", Kind::Internal, None).is_none());
    assert!(tracer.of_records().is_none());
    assert!(tracer.caller(Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), None).is_none());
}
