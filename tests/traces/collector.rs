//! A collector of OpenTelemetry in the test's process. It reads what comes with an independent decoder.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use openssl::ssl::SslAcceptor;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, Value as Field};
use protox::Compiler;
use protox::file::{File, FileResolver};

use super::SOON;
use crate::rig::within;

/// A span as it came.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) kind: i64,
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) begun_ns: u64,
    pub(crate) ended_ns: u64,
    pub(crate) failed: bool,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) resource: BTreeMap<String, String>,
}

impl Span {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

struct Definitions;

impl FileResolver for Definitions {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        File::from_source(name, include_str!("../data/otlp/export.proto"))
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
    field(message, name).as_bytes().unwrap().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
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
pub(crate) struct Collector {
    scheme: &'static str,
    port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        Self::start_with(None)
    }

    /// A collector that speaks TLS.
    pub(crate) fn start_tls(tls: SslAcceptor) -> Self {
        Self::start_with(Some(tls))
    }

    fn start_with(tls: Option<SslAcceptor>) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
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
                let Ok(stream) = stream else { continue };
                stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
                let stream: Option<Box<dyn Stream>> = match &tls {
                    None => Some(Box::new(stream)),
                    Some(tls) => tls.accept(stream).ok().map(|stream| Box::new(stream) as _),
                };
                held.extend(stream.and_then(|stream| serve(stream, &of_thread, &export)));
            }
        });
        Self { scheme, port, shared, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    pub(crate) fn answer(&self, status: u16) {
        self.shared.status.store(status, Ordering::Relaxed);
    }

    pub(crate) fn times(&self) -> usize {
        self.shared.heads.lock().unwrap().len()
    }

    /// The heads of all requests, in lower case.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.shared.heads.lock().unwrap().clone()
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        self.shared.spans.lock().unwrap().clone()
    }

    /// The spans of this name, once there are as many.
    #[track_caller]
    pub(crate) fn wait(&self, name: &str, count: usize) -> Vec<Span> {
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

/// A connection, with TLS or without.
trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// Answers one request. Gives the connection back if it is to be left waiting.
fn serve(mut stream: Box<dyn Stream>, shared: &Shared, export: &MessageDescriptor) -> Option<Box<dyn Stream>> {
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
    None
}
