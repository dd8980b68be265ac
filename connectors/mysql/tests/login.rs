//! Logging in: every mode of TLS, key and trust stores, every authentication plugin that the servers at hand have.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "rig/own.rs"]
mod own;
#[path = "rig/mod.rs"]
mod rig;

use mysql::sql::Sql;
use mysql::wire::{ConnectOptions, TlsMode};
use mysql::{Error, Flavour};
use own::Own;
use settings::Secret;

/// TLS mode, host, trust store; then whether the session is encrypted, or a part of the error.
type Case = (TlsMode, &'static str, Option<&'static str>, Result<bool, &'static str>);

const CASES: &[Case] = &[
    (TlsMode::Off, "localhost", None, Ok(false)),
    (TlsMode::IfOffered, "localhost", None, Ok(true)),
    (TlsMode::IfOffered, "127.0.0.1", Some("stranger.crt"), Ok(true)),
    (TlsMode::AnyCertificate, "127.0.0.1", None, Ok(true)),
    (TlsMode::VerifyChain, "127.0.0.1", Some("ca.crt"), Ok(true)),
    (TlsMode::VerifyChain, "127.0.0.1", Some("ca.p12"), Ok(true)),
    (TlsMode::VerifyChain, "127.0.0.1", Some("ca.jks"), Ok(true)),
    (TlsMode::VerifyChain, "127.0.0.1", Some("server.crt"), Ok(true)),
    (TlsMode::VerifyChain, "localhost", Some("stranger.crt"), Err("database.ssl.truststore")),
    (TlsMode::VerifyChain, "localhost", None, Err("database.ssl.truststore")),
    (TlsMode::VerifyChain, "localhost", Some("damaged.jks"), Err("damaged")),
    (TlsMode::VerifyChain, "localhost", Some("server.key"), Err("certificate")),
    (TlsMode::VerifyHost, "localhost", Some("ca.crt"), Ok(true)),
    (TlsMode::VerifyHost, "127.0.0.1", Some("ca.crt"), Err("subjectAltName")),
    (TlsMode::VerifyHost, "localhost", Some("no-such-file"), Err("cannot be read")),
];

async fn every_mode(flavour: Flavour) {
    let server = Own::start(flavour, &format!("modes-{flavour:?}"), "server", "");
    let base = rig::options(&server.at);
    for (tls, host, store, expect) in CASES {
        let options = ConnectOptions {
            tls: *tls,
            host: (*host).into(),
            truststore: store.map(|name| server.file(name)),
            truststore_password: Secret::new("geheim"),
            ..base.clone()
        };
        let case = format!("{flavour:?} {tls:?} {host} {store:?}");
        match (Sql::connect(&options).await, expect) {
            (Ok(mut sql), Ok(encrypted)) => {
                let cipher = sql.query("test", "SHOW SESSION STATUS LIKE 'Ssl_cipher'").await.unwrap();
                let seen = cipher[0].text(1).is_some_and(|name| !name.is_empty());
                assert_eq!((sql.connection().is_tls(), seen), (*encrypted, *encrypted), "{case}");
            }
            (Err(error), Err(part)) => {
                assert!(error.to_string().contains(part), "{case}: {error}");
                assert!(!error.is_transient(), "{case}: {error}");
            }
            (Ok(_), _) => panic!("{case}: connected"),
            (Err(error), _) => panic!("{case}: {error}"),
        }
    }
    let mut root = Sql::connect(&base).await.unwrap();
    client_certificates(&server, &mut root).await;
    plugins(flavour, &mut root).await;
}

/// An account that must show a certificate.
async fn client_certificates(server: &Own, root: &mut Sql) {
    let options = rig::account(root, "by_cert", "USAGE").await;
    root.execute("test", "ALTER USER 'by_cert'@'localhost' REQUIRE X509").await.unwrap();
    for (store, password, expect) in [
        (Some("client.p12"), "geheim", Ok(())),
        (Some("client.jks"), "geheim", Ok(())),
        (Some("client.pem"), "", Ok(())),
        (None, "", Err("database.ssl.mode")),
        (Some("client.p12"), "falsch", Err("database.ssl.keystore.password")),
        (Some("client.jks"), "falsch", Err("database.ssl.keystore.password")),
        (Some("client.crt"), "", Err("no private key")),
    ] {
        let options = ConnectOptions {
            tls: TlsMode::AnyCertificate,
            keystore: store.map(|name| server.file(name)),
            keystore_password: Secret::new(password),
            ..options.clone()
        };
        match (Sql::connect(&options).await, expect) {
            (Ok(sql), Ok(())) => sql.close().await,
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{store:?}: {error}"),
            (got, _) => panic!("{store:?}: {got:?}"),
        }
    }
}

/// Each plugin with and without TLS, with right, wrong, empty and strange passwords.
async fn plugins(flavour: Flavour, root: &mut Sql) {
    let mut made: Vec<(&str, &str)> = match flavour {
        Flavour::MySql => vec![
            ("caching_sha2_password", "IDENTIFIED WITH caching_sha2_password BY"),
            ("sha256_password", "IDENTIFIED WITH sha256_password BY"),
        ],
        Flavour::MariaDb => {
            root.execute("test", "INSTALL SONAME 'auth_ed25519'").await.unwrap();
            vec![("mysql_native_password", "IDENTIFIED BY"), ("ed25519", "IDENTIFIED VIA ed25519 USING PASSWORD")]
        }
    };
    // MariaDB has it since 11.6, as a plugin that is not installed by itself.
    if flavour == Flavour::MariaDb && root.version() >= (11, 6, 0) {
        root.execute("test", "INSTALL SONAME 'auth_parsec'").await.unwrap();
        made.push(("parsec", "IDENTIFIED VIA parsec USING PASSWORD"));
    }
    let long = "x".repeat(100);
    for (plugin, identified) in &made {
        for password in ["geheim", "a@:/?#%&+'\"\\ \u{1f511}", &long, ""] {
            // These two of MariaDB take no empty password, and their own grammar.
            let is_in_parentheses = matches!(*plugin, "ed25519" | "parsec");
            if password.is_empty() && is_in_parentheses {
                continue;
            }
            for tls in [TlsMode::Off, TlsMode::AnyCertificate] {
                let text = mysql::sql::quoted_text(password).replace("_utf8mb4 ", "");
                // The grammar wants a quoted text here.
                let quoted = format!("'{}'", password.replace('\\', "\\\\").replace('\'', "''"));
                let quoted = if is_in_parentheses { format!("({quoted})") } else { quoted };
                for statement in [
                    "DROP USER IF EXISTS 'who'@'localhost'".to_owned(),
                    format!("CREATE USER 'who'@'localhost' {identified} {quoted}"),
                    // So that nothing is cached, and caching_sha2_password must exchange the password itself.
                    "FLUSH PRIVILEGES".to_owned(),
                ] {
                    root.execute("test", &statement).await.unwrap_or_else(|error| panic!("{plugin} {text}: {error}"));
                }
                let options = ConnectOptions {
                    user: "who".into(),
                    password: Secret::new(password),
                    tls,
                    ..root.connection().options().clone()
                };
                // The second time caching_sha2_password goes the short way.
                for _ in 0..2 {
                    let sql = Sql::connect(&options).await;
                    sql.unwrap_or_else(|error| panic!("{plugin} {tls:?} {text}: {error}")).close().await;
                }
                let wrong = ConnectOptions { password: Secret::new("falsch"), ..options };
                let error = Sql::connect(&wrong).await.unwrap_err();
                assert_eq!(error.number(), Some(1045), "{plugin} {tls:?} {text}: {error}");
                assert!(matches!(error, Error::Auth { .. }) && !error.is_transient(), "{error}");
                assert!(!error.trace().contains("falsch"), "{}", error.trace());
                // The server does not count parsec's signature as a password.
                let using = if *plugin == "parsec" { "NO" } else { "YES" };
                let text =
                    format!("Unable to connect: Access denied for user 'who'@'localhost' (using password: {using})");
                assert_eq!(error.validation(), text);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_into_mysql() {
    every_mode(Flavour::MySql).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_into_mariadb() {
    every_mode(Flavour::MariaDb).await;
}

/// A certificate without extensions (X.509 version 1), as MySQL's manual makes it, and a server without TLS.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_servers() {
    for flavour in rig::BOTH {
        let old = Own::start(flavour, &format!("old-{flavour:?}"), "old", "");
        let with = |tls| ConnectOptions { tls, host: "localhost".into(), ..rig::options(&old.at) };
        for tls in [TlsMode::IfOffered, TlsMode::AnyCertificate] {
            let sql = Sql::connect(&with(tls)).await;
            assert!(sql.unwrap_or_else(|error| panic!("{flavour:?} {tls:?}: {error}")).connection().is_tls());
        }
        for (tls, host, store, expect) in [
            (TlsMode::VerifyChain, "127.0.0.1", "ca.crt", Ok(())),
            (TlsMode::VerifyHost, "localhost", "ca.crt", Ok(())),
            (TlsMode::VerifyHost, "localhost", "old.crt", Ok(())),
            (TlsMode::VerifyHost, "127.0.0.1", "ca.crt", Err("NotValidForName")),
            (TlsMode::VerifyHost, "127.0.0.1", "old.crt", Err("NotValidForName")),
            (TlsMode::VerifyChain, "localhost", "stranger.crt", Err("UnknownIssuer")),
        ] {
            let options = ConnectOptions { truststore: Some(old.file(store)), host: host.into(), ..with(tls) };
            match (Sql::connect(&options).await, expect) {
                (Ok(sql), Ok(())) => sql.close().await,
                (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{tls:?} {store}: {error}"),
                (got, _) => panic!("{tls:?} {host} {store}: {got:?}"),
            }
        }
        let plain = Own::start(flavour, &format!("plain-{flavour:?}"), "", "");
        let with = |tls| ConnectOptions { tls, ..rig::options(&plain.at) };
        assert!(!Sql::connect(&with(TlsMode::IfOffered)).await.unwrap().connection().is_tls());
        let error = Sql::connect(&with(TlsMode::AnyCertificate)).await.unwrap_err();
        assert!(matches!(&error, Error::Tls { reason, .. } if reason.contains("does not offer")), "{error}");
    }
}
