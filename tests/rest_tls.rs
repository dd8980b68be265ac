//! The REST API with certificates on both sides: who gets in, and calls that one worker passes on to another.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use openssl::ssl::{SslConnector, SslFiletype, SslMethod};
use rig::{Certificates, Daemon, KEY_PASSWORD, Options, STORE_PASSWORD, free_port, wait_until};
use serde_json::json;

/// What a client hears at this port; with a name, it shows the certificate and key of `NAME.pem`.
fn get(certificates: &Certificates, port: u16, name: Option<&str>) -> Result<String, String> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).unwrap();
    builder.set_ca_file(certificates.path("ca.crt")).unwrap();
    if let Some(name) = name {
        let pem = certificates.path(&format!("{name}.pem"));
        builder.set_certificate_file(&pem, SslFiletype::PEM).unwrap();
        builder.set_private_key_file(&pem, SslFiletype::PEM).unwrap();
    }
    let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|e| e.to_string())?;
    let mut stream = builder.build().connect("localhost", stream).map_err(|e| e.to_string())?;
    let mut text = String::new();
    // With TLS 1.3 the server refuses a client's certificate only at this point.
    stream
        .write_all(b"GET /connectors HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .and_then(|()| stream.read_to_string(&mut text))
        .map_err(|e| e.to_string())?;
    Ok(text)
}

/// A worker of a group, whose address for other workers is https with certificates on both sides.
fn options(label: &str, stores: &[(&str, &str)]) -> Options {
    let options = Options { https: Some(free_port()), ..Options::new(label) }
        .with("rest.advertised.listener", "https")
        .with("rest.advertised.host.name", "localhost")
        .with("listeners.https.ssl.client.auth", "required");
    stores.iter().fold(options, |options, (key, value)| options.with(&format!("listeners.https.{key}"), value))
}

#[test]
fn workers_pass_calls_on_with_certificates_on_both_sides() {
    let certificates = Certificates::new();
    let file = |name: &str| certificates.path(name);
    let (pem, ca) = (file("server.pem"), file("ca.crt"));
    let (jks, jks_ca) = (file("server.jks"), file("ca.jks"));
    for (form, stores) in [
        ("PEM", &[("ssl.keystore.location", &*pem), ("ssl.truststore.location", &*ca)][..]),
        (
            "JKS",
            &[
                ("ssl.keystore.location", &*jks),
                ("ssl.keystore.password", STORE_PASSWORD),
                ("ssl.key.password", KEY_PASSWORD),
                ("ssl.truststore.location", &*jks_ca),
                ("ssl.truststore.password", STORE_PASSWORD),
            ][..],
        ),
    ] {
        let first = options("resttls", stores);
        let second = Options { https: Some(free_port()), ..first.clone() };
        let (port, group) = (first.https.unwrap(), first.group.clone());
        let owner = Daemon::start(first);
        wait_until("the first owns the group", Duration::from_secs(30), || {
            owner.ask("GET", "/health", None).text.contains("Worker has completed startup")
        });
        let standby = Daemon::start(second);
        standby.wait_standby();
        let at = format!("https://localhost:{port}");
        wait_until("the second knows the first", Duration::from_secs(10), || {
            standby.ask("GET", "/health", None).text.contains(&at)
        });
        // Only the owner knows the answer to a change.
        let answer = standby.ask("POST", "/connectors", Some(&json!({"name": group, "config": {}}).to_string()));
        assert_eq!(answer.status, 400, "{form}: {}", answer.text);
        let answer = standby.ask("DELETE", "/connectors/none", None);
        assert_eq!((answer.status, answer.text.contains("none not found")), (404, true), "{form}: {}", answer.text);

        let heard = get(&certificates, port, Some("client")).unwrap();
        assert!(heard.starts_with("HTTP/1.1 200"), "{form}: {heard}");
        assert!(get(&certificates, port, None).is_err(), "{form}: a client without a certificate is not let in");
        for daemon in [&owner, &standby] {
            let log = daemon.log();
            assert!(!log.contains(STORE_PASSWORD) && !log.contains(KEY_PASSWORD), "{form}: a password is in the log");
        }
    }
}
