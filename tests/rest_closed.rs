//! A worker whose REST API was closed under Kafka Connect is closed here as well, or does not start.
//!
//! The daemon keeps its state in a file and its broker does not exist: no test here needs one.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use openssl::ssl::{SslConnector, SslMethod};
use rig::{Answer, ask, free_port, wait_until};
use tempfile::TempDir;

const EXTENSION: &str = "org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension";
const MODULE: &str = "org.apache.kafka.connect.rest.basic.auth.extension.PropertyFileLoginModule";

fn get(url: &str, path: &str, authorization: Option<&str>) -> Result<Answer, String> {
    let header = authorization.map(|value| ("authorization".to_owned(), value.to_owned()));
    ask("GET", &format!("{url}{path}"), None, &header.into_iter().collect::<Vec<_>>())
}

/// A folder with a worker file and the files that it names.
struct World {
    dir: TempDir,
    port: u16,
}

impl World {
    fn new() -> Self {
        let world = Self { dir: tempfile::tempdir().unwrap(), port: free_port() };
        world.put("users", "alice=wonder\n");
        let users = world.path("users");
        world.put("login", &format!("KafkaConnect {{ {MODULE} required file=\"{users}\"; }};"));
        let done = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
            .args(["-keyout", &world.path("key.pem"), "-out", &world.path("certificate.pem")])
            .output()
            .unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let both = ["key.pem", "certificate.pem"].map(|name| std::fs::read_to_string(world.path(name)).unwrap());
        world.put("server.pem", &both.concat());
        world
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn command(&self, settings: &[(&str, &str)], environment: &[(&str, &str)]) -> Command {
        let usual = [
            ("bootstrap.servers", "127.0.0.1:1"),
            ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("offset.storage.file.filename", &self.path("offsets")),
            ("listeners", &self.url()),
        ];
        let lines: Vec<_> = usual.iter().chain(settings).map(|(key, value)| format!("{key}={value}")).collect();
        self.put("worker.properties", &lines.join("\n"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_afterimage"));
        command.args(["run", "--standalone", &self.path("worker.properties")]).current_dir(self.dir.path());
        for name in ["KAFKA_OPTS", "EXTRA_ARGS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "KAFKA_JVM_PERFORMANCE_OPTS"]
        {
            command.env_remove(name);
        }
        command.envs(environment.iter().copied()).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Starts the daemon and returns what it says when it does not start.
    #[track_caller]
    fn refused(&self, settings: &[(&str, &str)], environment: &[(&str, &str)]) -> String {
        let ended = self.command(settings, environment).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(2), "{settings:?}: {said}");
        said
    }

    /// Starts the daemon and waits for its first answer, whatever the status.
    fn start(&self, settings: &[(&str, &str)], environment: &[(&str, &str)]) -> Running {
        let log = std::fs::File::create(self.path("log")).unwrap();
        let child = self.command(settings, environment).stderr(log).spawn().unwrap();
        let running = Running(child);
        wait_until("the daemon answers", Duration::from_secs(30), || get(&self.url(), "/health", None).is_ok());
        running
    }

    /// Reads a whole answer over TLS. The client trusts the server's own certificate.
    fn get_tls(&self, port: u16, path: &str, headers: &str) -> String {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
        builder.set_ca_file(self.path("certificate.pem")).unwrap();
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let mut stream = builder.build().connect("localhost", stream).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }
}

/// A running daemon, killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const ALICE: &str = "Basic YWxpY2U6d29uZGVy";

#[test]
fn a_closed_api_stays_closed() {
    let world = World::new();
    let option = format!("-Xmx1g -Djava.security.auth.login.config={}", world.path("login"));
    let login = world.path("login");
    for (own, environment) in [
        (vec![("afterimage.rest.login.config", login.as_str())], vec![]),
        (vec![], vec![("KAFKA_OPTS", option.as_str())]),
        (vec![], vec![("EXTRA_ARGS", option.as_str())]),
    ] {
        world.put("users", "alice=wonder\n");
        let settings: Vec<_> = [("rest.extension.classes", EXTENSION)].into_iter().chain(own).collect();
        let _running = world.start(&settings, &environment);
        let status = |path: &str, authorization: Option<&str>| get(&world.url(), path, authorization).unwrap().status;
        for path in ["/", "/health", "/connectors", "/admin/loggers"] {
            assert_eq!(status(path, None), 401, "{path}");
            assert_eq!(status(path, Some("Basic YWxpY2U6d3Jvbmc=")), 401, "{path}");
            assert_ne!(status(path, Some(ALICE)), 401, "{path}");
        }
        assert_eq!(status("/connectors", Some(ALICE)), 200);
        // As in Connect, a change takes effect at the next start. Until then it neither opens nor closes anything.
        world.put("users", "");
        assert_eq!((status("/connectors", None), status("/connectors", Some(ALICE))), (401, 200));
        let log = std::fs::read_to_string(world.path("log")).unwrap();
        assert!(!log.contains("wonder"), "{log}");
    }
}

#[test]
fn doubt_ends_the_start_and_says_what_to_do() {
    let world = World::new();
    let (login, server) = (world.path("login"), world.path("server.pem"));
    let extension = ("rest.extension.classes", EXTENSION);
    let own = ("afterimage.rest.login.config", login.as_str());
    let https = ("listeners", "https://127.0.0.1:0");
    world.put("broken", "KafkaConnect {");
    let broken = world.path("broken");
    for (settings, names) in [
        (vec![extension], "afterimage.rest.login.config"),
        (vec![extension, ("afterimage.rest.login.config", "/no/where")], "/no/where cannot be read"),
        (vec![extension, ("afterimage.rest.login.config", &broken)], "line 1"),
        (vec![own, ("rest.extension.classes", "org.example.Closed")], "org.example.Closed"),
        (vec![own, ("rest.extension.classes", "org.example.BasicAuthSecurityRestExtension")], "org.example.Basic"),
        (vec![own, ("rest.extension.classes", &format!("{EXTENSION},org.example.Other"))], "org.example.Other"),
        (vec![("response.http.headers.config", "set Bad")], "response.http.headers.config"),
        (vec![https], "ssl.keystore.location"),
        (vec![https, ("ssl.keystore.location", "/no/where")], "/no/where"),
        (vec![https, ("ssl.keystore.location", &server), ("ssl.client.auth", "required")], "ssl.truststore.location"),
        (vec![("admin.listeners", "https://127.0.0.1:0")], "ssl.keystore.location"),
        (vec![("rest.advertised.listener", "ftp")], "ftp"),
    ] {
        let said = world.refused(&settings, &[]);
        assert!(said.contains(names), "{settings:?}: {said}");
    }
    // The file with the users has been deleted.
    std::fs::remove_file(world.path("users")).unwrap();
    let said = world.refused(&[extension, own], &[]);
    assert!(said.contains("users cannot be read"), "{said}");
}

#[test]
fn http_and_https_and_admin_on_ports_of_their_own() {
    let world = World::new();
    let (https, admin) = (free_port(), free_port());
    let server = world.path("server.pem");
    let _running = world.start(
        &[
            ("listeners", &format!("{},https://127.0.0.1:{https}", world.url())),
            ("admin.listeners", &format!("http://127.0.0.1:{admin}")),
            ("listeners.https.ssl.keystore.type", "PEM"),
            ("listeners.https.ssl.keystore.location", &server),
            ("rest.extension.classes", EXTENSION),
            ("afterimage.rest.login.config", &world.path("login")),
            ("response.http.headers.config", "set X-One: 1"),
        ],
        &[],
    );
    let alice = format!("authorization: {ALICE}\r\n");
    for (path, headers, status) in
        [("/connectors", alice.as_str(), 200), ("/connectors", "", 401), ("/admin/loggers", alice.as_str(), 404)]
    {
        let said = world.get_tls(https, path, headers);
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {said}");
        assert!(said.to_ascii_lowercase().contains("x-one: 1"), "{path}: {said}");
        let plain = get(&world.url(), path, Some(ALICE).filter(|_| !headers.is_empty())).unwrap();
        assert_eq!(plain.status, status, "{path}");
    }
    let admin = format!("http://127.0.0.1:{admin}");
    assert_eq!(get(&admin, "/admin/loggers", None).unwrap().status, 200);
    assert_eq!(get(&admin, "/connectors", Some(ALICE)).unwrap().status, 404);
    // No broker is there: the cluster's id is not known, and the first page does not pretend.
    let root = get(&world.url(), "/", Some(ALICE)).unwrap();
    assert_eq!((root.status, root.json()["error_code"].as_i64()), (503, Some(503)), "{}", root.text);
    assert!(root.text.contains("127.0.0.1:1"), "{}", root.text);
    let log = std::fs::read_to_string(world.path("log")).unwrap();
    assert!(log.contains(&format!("answers on https://127.0.0.1:{https}")), "{log}");
}
