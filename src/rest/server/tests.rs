//! Tests of the limits for clients, with a small router of the tests' own.

use std::io;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::*;
use crate::rest::body;

fn router() -> Router {
    let big = || async { "x".repeat(1024 * 1024) };
    let read = |request: Request| async { body::read(request.into_body()).await.map(|_| StatusCode::NO_CONTENT) };
    Router::new()
        .route("/", get(|| async { "ok" }))
        .route("/big", get(big))
        .route("/read", post(read))
        .route("/never", get(std::future::pending::<()>))
}

/// A connection over an in-memory pipe. The clock stands still except while something waits for it.
fn piped(limits: Limits) -> (DuplexStream, watch::Sender<bool>) {
    let (client, server) = duplex(1024);
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        let place = Arc::new(Seats::new(1).take().await);
        connection::talk(server, router(), place, limits, stopped).await;
    });
    (client, stop)
}

async fn rest_of(client: &mut DuplexStream) -> String {
    let mut text = String::new();
    client.read_to_string(&mut text).await.expect("text");
    text
}

/// Reads one answer and checks that its body is `ok`.
async fn answer(client: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let (mut text, mut byte) = (String::new(), [0]);
    while !text.ends_with("\r\n\r\nok") {
        client.read_exact(&mut byte).await.expect("an answer");
        text.push(char::from(byte[0]));
    }
    text
}

const ASK: &[u8] = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n";

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed() {
    let (mut client, _stop) = piped(Limits::default());
    let begin = Instant::now();
    for _ in 0..3 {
        client.write_all(ASK).await.expect("it is open");
        answer(&mut client).await;
        sleep(Duration::from_secs(80)).await;
    }
    assert_eq!(rest_of(&mut client).await, "", "no answer to what was not asked");
    assert_eq!(begin.elapsed().as_secs(), 80 + 80 + 90);
}

#[tokio::test(start_paused = true)]
async fn a_slow_head_is_given_up_however_it_drips() {
    let (mut client, _stop) = piped(Limits::default());
    let begin = Instant::now();
    for byte in ASK {
        if client.write_all(&[*byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_secs(10)).await;
        if begin.elapsed() >= Duration::from_secs(30) {
            break;
        }
    }
    let said = rest_of(&mut client).await;
    assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
    assert_eq!(begin.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_is_given_up() {
    let (mut client, _stop) = piped(Limits::default());
    let begin = Instant::now();
    let head = b"POST /read HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\n{";
    client.write_all(head).await.expect("it is open");
    let said = rest_of(&mut client).await;
    assert!(said.starts_with("HTTP/1.1 408 ") && said.contains("\"error_code\":408"), "{said}");
    assert!((30..=35).contains(&begin.elapsed().as_secs()));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_given_up() {
    let (mut client, _stop) = piped(Limits::default());
    client.write_all(b"GET /big HTTP/1.1\r\nhost: h\r\n\r\n").await.expect("it is open");
    sleep(Duration::from_secs(40)).await;
    let said = rest_of(&mut client).await;
    assert!(said.len() < 16 * 1024, "{} bytes were kept for it", said.len());
}

struct Served {
    at: std::net::SocketAddr,
    stop: watch::Sender<bool>,
    ended: tokio::task::JoinHandle<()>,
}

impl Served {
    async fn start(limits: Limits, grace: Duration) -> Self {
        let socket = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let at = socket.local_addr().expect("an address");
        let (stop, stopped) = watch::channel(false);
        let listener = Listener { socket, tls: None, router: router() };
        let ended = tokio::spawn(serve(vec![listener], limits, stopped, grace));
        Self { at, stop, ended }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.at).await.expect("it listens")
    }

    /// Sends `bytes`, then reads until the server closes the connection.
    async fn ask(&self, bytes: &[u8]) -> io::Result<String> {
        let mut client = self.connect().await;
        client.write_all(bytes).await?;
        let mut text = String::new();
        client.read_to_string(&mut text).await?;
        Ok(text)
    }
}

#[tokio::test]
async fn heads_and_bodies_have_bounds_and_every_client_reads_why() {
    let served = Served::start(Limits::default(), Duration::from_secs(1)).await;
    let head =
        |bytes: usize| format!("GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\nx: {}\r\n\r\n", "x".repeat(bytes));
    let many = (0..200).map(|i| format!("x{i}: y\r\n")).collect::<Vec<_>>().concat();
    let body = |bytes: usize| {
        let head = format!("POST /read HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: {bytes}\r\n\r\n");
        head + &" ".repeat(bytes)
    };
    let chunks = "100000\r\n".to_owned() + &" ".repeat(1024 * 1024) + "\r\n";
    let chunked =
        "POST /read HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n".to_owned() + &chunks.repeat(10);
    for (name, request, status) in [
        ("a usual head", head(10), 200),
        ("a large head", head(8 * 1024 - 100), 200),
        ("a head above the limit", head(9 * 1024), 431),
        ("a head far above the limit", head(1024 * 1024), 431),
        ("a head that never ends", format!("GET / HTTP/1.1\r\nx: {}", "x".repeat(100 * 1024)), 431),
        ("many headers", format!("GET / HTTP/1.1\r\nhost: h\r\n{many}\r\n"), 431),
        ("a long path", format!("GET /{} HTTP/1.1\r\nhost: h\r\n\r\n", "x".repeat(20 * 1024)), 431),
        ("a body of blanks", body(1024), 400),
        ("a body above the limit", body(9 * 1024 * 1024), 413),
        ("the same in chunks", chunked, 413),
        ("no HTTP", "hello\r\n\r\n".to_owned(), 400),
    ] {
        let said = served.ask(request.as_bytes()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{name}: {said}");
    }
}

#[tokio::test]
async fn silent_clients_keep_nobody_out_and_a_stuck_call_stays_alone() {
    let served = Served::start(Limits { connections: 3, ..Limits::default() }, Duration::from_millis(50)).await;
    let mut stuck = served.connect().await;
    stuck.write_all(b"GET /never HTTP/1.1\r\nhost: h\r\n\r\n").await.expect("it is open");
    let mut silent = Vec::new();
    for begun in [&b""[..], b"GET", b"POST /read HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\n{", b"", b"GET / HT"] {
        let mut client = served.connect().await;
        client.write_all(begun).await.expect("it is open");
        silent.push(client);
        let mut client = served.connect().await;
        client.write_all(ASK).await.expect("it is open");
        answer(&mut client).await;
    }
    // The stuck connection still has its place: one that waits for an answer is never closed for another.
    let mut byte = [0];
    let read = tokio::time::timeout(Duration::from_millis(50), stuck.read(&mut byte)).await;
    assert!(read.is_err(), "it was closed");
}

#[tokio::test]
async fn the_stop_lets_calls_end_and_then_cuts_them() {
    let served = Served::start(Limits::default(), Duration::from_millis(200)).await;
    let (mut idle, mut stuck) = (served.connect().await, served.connect().await);
    idle.write_all(ASK).await.expect("it is open");
    answer(&mut idle).await;
    stuck.write_all(b"GET /never HTTP/1.1\r\nhost: h\r\n\r\n").await.expect("it is open");
    // An answer to a call that was sent later shows that the stuck call's head has been read.
    let (sent, read) = oneshot::channel();
    let mut later = served.connect().await;
    tokio::spawn(async move {
        later.write_all(ASK).await.expect("it is open");
        answer(&mut later).await;
        let _ = sent.send(());
    });
    read.await.expect("answered");
    served.stop.send_replace(true);
    assert_eq!(idle.read(&mut [0]).await.expect("closed in order"), 0);
    served.ended.await.expect("no panic");
    assert!(TcpStream::connect(served.at).await.is_err(), "nobody listens any more");
}
