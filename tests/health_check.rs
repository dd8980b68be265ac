//! The image's health check, run against servers that answer as a worker does.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod};

fn docker(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docker").join(name)
}

/// Answers one request on `stream` with `status`; returns the request.
fn answer(stream: &mut (impl std::io::Read + std::io::Write), status: &str) -> String {
    // The whole request is read, because closing the connection with a part unread would reset it.
    let (mut asked, mut byte) = (String::new(), [0]);
    while !asked.ends_with("\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        asked.push(char::from(byte[0]));
    }
    stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\n{{}}").as_bytes()).unwrap();
    asked
}

/// Makes a certificate of its own for a server that answers over TLS.
fn acceptor() -> SslAcceptor {
    let dir = tempfile::tempdir().unwrap();
    let (key, certificate) = (dir.path().join("k.pem"), dir.path().join("c.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=elsewhere", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
    acceptor.set_private_key_file(&key, SslFiletype::PEM).unwrap();
    acceptor.set_certificate_chain_file(&certificate).unwrap();
    acceptor.build()
}

/// Runs the health check against a server that answers with `status`, over TLS with `tls`. `PORT` in `environment` is the
/// server's port. Nobody listens on port 1.
#[track_caller]
fn check_health(tls: Option<&SslAcceptor>, status: &'static str, environment: &[(&str, &str)], healthy: bool) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let tls = tls.cloned();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        match tls {
            Some(tls) => answer(&mut tls.accept(stream).expect("TLS is spoken to it"), status),
            None => answer(&mut stream, status),
        }
    });
    let variables = environment.iter().map(|(name, value)| (*name, value.replace("PORT", &port)));
    let mut check = Command::new(docker("healthcheck.sh"));
    let ran = check.env_clear().env("PATH", "/usr/bin:/bin").envs(variables).output().unwrap();
    assert_eq!(ran.status.success(), healthy, "{environment:?}: {status}: {}", String::from_utf8_lossy(&ran.stderr));
    assert!(server.join().unwrap().starts_with("GET /health "));
}

#[test]
fn the_health_check_asks() {
    const REST_PORT: &[(&str, &str)] = &[("REST_PORT", "PORT")];
    const BOTH: [&str; 3] =
        ["http://:PORT,https://:1", "https://0.0.0.0:1, http://127.0.0.1:PORT", "HTTP://localhost:PORT,http://:1"];
    check_health(None, "200 OK", REST_PORT, true);
    check_health(None, "503 Service Unavailable", REST_PORT, false);
    check_health(None, "500 Internal Server Error", REST_PORT, false);
    // Whoever asks for a password is up.
    check_health(None, "401 Unauthorized", REST_PORT, true);
    check_health(None, "403 Forbidden", REST_PORT, true);
    // By the rules of Confluent's image, and of Debezium's.
    check_health(None, "200 OK", &[("CONNECT_REST_PORT", "PORT"), ("CONNECT_BOOTSTRAP_SERVERS", "k:1")], true);
    let both = [("CONNECT_REST_PORT", "PORT"), ("REST_PORT", "1"), ("CONNECT_BOOTSTRAP_SERVERS", "k:1")];
    check_health(None, "200 OK", &both, true);
    check_health(None, "200 OK", &[("REST_HOST_NAME", "localhost"), ("REST_PORT", "PORT")], true);
    // Nobody answers at the address that the worker would listen on.
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = elsewhere.local_addr().unwrap().port().to_string();
    let mut check = Command::new(docker("healthcheck.sh"));
    let ran = check.envs([("REST_HOST_NAME", "127.0.0.2"), ("REST_PORT", &port)]).output().unwrap();
    assert!(!ran.status.success(), "it asked another address");
    check_health(
        None,
        "200 OK",
        &[("REST_PORT", "PORT"), ("CONNECT_REST_PORT", "1"), ("BOOTSTRAP_SERVERS", "k:1")],
        true,
    );
    for listeners in BOTH {
        check_health(None, "200 OK", &[("CONNECT_LISTENERS", listeners), ("REST_PORT", "1")], true);
    }
    let tls = acceptor();
    for listeners in ["https://:PORT", "https://localhost:PORT,https://:1"] {
        check_health(Some(&tls), "200 OK", &[("CONNECT_LISTENERS", listeners)], true);
        check_health(Some(&tls), "503 Service Unavailable", &[("CONNECT_LISTENERS", listeners)], false);
    }
    let nobody = Command::new(docker("healthcheck.sh")).env("REST_PORT", "1").output().unwrap();
    assert!(!nobody.status.success());
}

/// A certificate of a worker, as `store.pem`, as `store.p12` (password `a"b\c`) and as `store.jks`, which curl cannot read.
struct Certificate(tempfile::TempDir);

impl Certificate {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let openssl = |arguments: &[&str]| {
            let made = Command::new("openssl").current_dir(dir.path()).args(arguments).output().unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        };
        let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
        openssl(&[&new[..], &["-subj", "/CN=worker", "-keyout", "k.pem", "-out", "c.pem"]].concat());
        let export =
            ["pkcs12", "-export", "-inkey", "k.pem", "-in", "c.pem", "-passout", "pass:a\"b\\c", "-out", "store.p12"];
        openssl(&export);
        openssl(&["x509", "-in", "c.pem", "-outform", "DER", "-out", "c.der"]);
        let made = Self(dir);
        let both = ["k.pem", "c.pem"].map(|name| std::fs::read_to_string(made.path(name)).unwrap()).concat();
        std::fs::write(made.path("store.pem"), both).unwrap();
        std::fs::write(made.path("store.jks"), [0xfe, 0xed, 0xfe, 0xed]).unwrap();
        made
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// A listener that wants this certificate of each client.
    fn wanting(&self) -> SslAcceptor {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_private_key_file(self.path("k.pem"), SslFiletype::PEM).unwrap();
        acceptor.set_certificate_chain_file(self.path("c.pem")).unwrap();
        acceptor.set_ca_file(self.path("c.pem")).unwrap();
        acceptor.set_verify(openssl::ssl::SslVerifyMode::PEER | openssl::ssl::SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        acceptor.build()
    }
}

/// Runs the health check against a server that takes any number of connections, and answers with `status` where TLS succeeds.
/// Expects so many answers.
#[track_caller]
fn check_tries(tls: &SslAcceptor, status: &'static str, environment: &[(&str, &str)], healthy: bool, answers: usize) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tls, ended) = (tls.clone(), Arc::new(AtomicBool::new(false)));
    let server = std::thread::spawn({
        let ended = Arc::clone(&ended);
        move || {
            let mut answered = 0;
            // More than the health check ever makes.
            for _ in 0..10 {
                let (stream, _) = listener.accept().unwrap();
                if ended.load(Ordering::Acquire) {
                    break;
                }
                if let Ok(mut stream) = tls.accept(stream) {
                    answer(&mut stream, status);
                    answered += 1;
                }
            }
            answered
        }
    });
    let listeners = format!("https://:{}", address.port());
    let mut check = Command::new(docker("healthcheck.sh"));
    check.env_clear().env("PATH", "/usr/bin:/bin").env("CONNECT_LISTENERS", listeners);
    let ran = check.envs(environment.iter().copied()).output().unwrap();
    ended.store(true, Ordering::Release);
    // Fails only if the server has ended.
    let _ = std::net::TcpStream::connect(address);
    assert_eq!(ran.status.success(), healthy, "{environment:?}: {status}: {}", String::from_utf8_lossy(&ran.stderr));
    assert_eq!(server.join().unwrap(), answers, "{environment:?}: {status}");
}

/// A listener that wants a client's certificate gets the worker's own. Where that cannot be read (JKS), or is not trusted, the
/// worker is up all the same.
#[test]
fn the_health_check_shows_a_certificate() {
    let certificate = Certificate::new();
    let tls = certificate.wanting();
    let (pem, p12) = (certificate.path("store.pem"), certificate.path("store.p12"));
    for (status, healthy) in [("200 OK", true), ("503 Service Unavailable", false)] {
        check_tries(&tls, status, &[("CONNECT_SSL_KEYSTORE_LOCATION", &pem)], healthy, 1);
        let prefixed = [
            ("CONNECT_LISTENERS_HTTPS_SSL_KEYSTORE_LOCATION", p12.as_str()),
            ("CONNECT_LISTENERS_HTTPS_SSL_KEYSTORE_PASSWORD", "a\"b\\c"),
            ("CONNECT_SSL_KEYSTORE_LOCATION", "/none"),
        ];
        check_tries(&tls, status, &prefixed, healthy, 1);
    }
    for store in ["", "store.jks"] {
        let path = certificate.path(store);
        check_tries(&tls, "200 OK", &[("CONNECT_SSL_KEYSTORE_LOCATION", &path)], true, 0);
    }
}

/// A certificate that curl cannot open is left out: its password may be a placeholder that only the worker resolves.
#[test]
fn the_health_check_asks_without_a_certificate_that_it_cannot_open() {
    let certificate = Certificate::new();
    let (open, wanting) = (acceptor(), certificate.wanting());
    for name in ["store.p12", "c.der"] {
        let path = certificate.path(name);
        let keystore = [
            ("CONNECT_SSL_KEYSTORE_LOCATION", path.as_str()),
            ("CONNECT_SSL_KEYSTORE_PASSWORD", "${file:/run/secrets/tls:password}"),
        ];
        check_tries(&open, "200 OK", &keystore, true, 1);
        check_tries(&open, "503 Service Unavailable", &keystore, false, 1);
        check_tries(&wanting, "200 OK", &keystore, true, 0);
    }
}
