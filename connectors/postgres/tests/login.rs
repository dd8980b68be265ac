//! Logging in: every sslmode, SCRAM with and without channel binding, md5, client certificates; on replication and on
//! ordinary connections alike.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "rig/scratch.rs"]
mod scratch;

use postgres::Error;
use postgres::sql::Sql;
use postgres::wire::{ConnectOptions, Replication, SslMode};
use scratch::Scratch;

const HBA: &str = "\
hostssl all         only_plain 127.0.0.1/32 reject
hostnossl all       only_tls   127.0.0.1/32 reject
hostssl all         by_cert    127.0.0.1/32 cert map=any
host    all         by_md5     127.0.0.1/32 md5
host    all         by_word    127.0.0.1/32 password
host    all         all        127.0.0.1/32 scram-sha-256
";

/// sslmode, host, root certificate; then whether the session is encrypted, or a part of the error.
type Case = (SslMode, &'static str, Option<&'static str>, Result<bool, &'static str>);

/// Opens a replication connection and an ordinary one; both must succeed, or fail alike.
async fn connect(options: &ConnectOptions) -> Result<Replication, Error> {
    let replication = Replication::connect(options).await;
    let sql = Sql::connect(options).await;
    match (&replication, &sql) {
        (Ok(_), Ok(_)) => {}
        (Err(one), Err(other)) => {
            assert_eq!(one.sqlstate(), other.sqlstate(), "{one} / {other}");
            assert_eq!(std::mem::discriminant(one), std::mem::discriminant(other), "{one} / {other}");
            assert_eq!(one.is_transient(), other.is_transient(), "{one}");
        }
        (one, other) => panic!("replication: {one:?}, ordinary: {other:?}"),
    }
    replication
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_way_in() {
    let server = Scratch::start(HBA, "server");
    let base = ConnectOptions {
        host: "localhost".into(),
        port: server.port,
        user: "postgres".into(),
        password: Some("geheim".into()),
        dbname: "postgres".into(),
        ..ConnectOptions::default()
    };
    let admin = Sql::connect(&base).await.unwrap();
    admin
        .execute(
            "test",
            "CREATE ROLE only_plain LOGIN REPLICATION PASSWORD 'geheim'; CREATE ROLE only_tls LOGIN REPLICATION PASSWORD 'geheim'; \
             CREATE ROLE by_cert LOGIN REPLICATION; CREATE ROLE by_word LOGIN REPLICATION PASSWORD 'geheim'; \
             SET password_encryption = 'md5'; CREATE ROLE by_md5 LOGIN REPLICATION PASSWORD 'geheim'",
        )
        .await
        .unwrap();

    // (sslmode, host, root) → whether the session is encrypted, or a part of the error.
    let cases: &[Case] = &[
        (SslMode::Disable, "localhost", None, Ok(false)),
        (SslMode::Allow, "localhost", None, Ok(false)),
        (SslMode::Prefer, "localhost", None, Ok(true)),
        (SslMode::Require, "127.0.0.1", None, Ok(true)),
        (SslMode::Require, "127.0.0.1", Some("ca.crt"), Ok(true)),
        (SslMode::Require, "localhost", Some("stranger.crt"), Err("TLS with")),
        (SslMode::VerifyCa, "127.0.0.1", Some("ca.crt"), Ok(true)),
        (SslMode::VerifyCa, "127.0.0.1", Some("server.crt"), Ok(true)),
        (SslMode::VerifyCa, "localhost", Some("stranger.crt"), Err("database.sslrootcert")),
        (SslMode::VerifyCa, "localhost", Some("password"), Err("neither PEM nor")),
        (SslMode::VerifyFull, "localhost", Some("ca.crt"), Ok(true)),
        (SslMode::VerifyFull, "localhost", Some("server.crt"), Ok(true)),
        (SslMode::VerifyFull, "127.0.0.1", Some("ca.crt"), Err("subjectAltName")),
        (SslMode::VerifyFull, "localhost", Some("no-such-file"), Err("cannot be read")),
    ];
    for (sslmode, host, root, expect) in cases {
        let options = ConnectOptions {
            sslmode: *sslmode,
            host: (*host).into(),
            sslrootcert: root.map(|root| server.file(root)),
            ..base.clone()
        };
        let case = format!("{sslmode:?} {host} {root:?}");
        match (connect(&options).await, expect) {
            (Ok(session), Ok(encrypted)) => assert_eq!(session.is_tls(), *encrypted, "{case}"),
            (Err(error), Err(part)) => {
                assert!(error.to_string().contains(part), "{case}: {error}");
                assert!(!error.is_transient(), "{case}: {error}");
            }
            (got, _) => panic!("{case}: {got:?}"),
        }
    }

    // (user, sslmode) → whether the session is encrypted.
    for (user, sslmode, encrypted) in [
        ("only_plain", SslMode::Prefer, false),
        ("only_tls", SslMode::Allow, true),
        ("by_md5", SslMode::Disable, false),
        ("by_word", SslMode::Require, true),
    ] {
        let session = connect(&ConnectOptions { user: user.into(), sslmode, ..base.clone() }).await;
        assert_eq!(session.unwrap_or_else(|error| panic!("{user}: {error}")).is_tls(), encrypted, "{user}");
    }
    let refused = connect(&ConnectOptions { user: "only_tls".into(), sslmode: SslMode::Disable, ..base.clone() }).await;
    assert_eq!(refused.unwrap_err().sqlstate(), Some("28000"));

    // Certificates in place of a password.
    for (certificate, key, password, expect) in [
        (Some("client.crt"), "client.key", None, None),
        (Some("client.crt"), "client.pk8", None, None),
        (Some("client.crt"), "locked.pk8", Some("x"), None),
        (Some("client.crt"), "locked.pk8", None, Some("database.sslpassword: the private key")),
        (Some("client.crt"), "locked.pk8", Some("y"), Some("database.sslpassword: the password does not open")),
        (None, "client.p12", Some("x"), None),
        (None, "client.p12", Some("y"), Some("database.sslpassword: the password does not open")),
        (None, "client.key", None, Some("database.sslcert: must be set")),
    ] {
        let options = ConnectOptions {
            user: "by_cert".into(),
            password: None,
            sslmode: SslMode::Require,
            sslcert: certificate.map(|name| server.file(name)),
            sslkey: Some(server.file(key)),
            sslpassword: password.map(str::to_owned),
            ..base.clone()
        };
        match (connect(&options).await, expect) {
            (Ok(session), None) => assert!(session.is_tls()),
            (Err(error), Some(part)) => assert!(error.to_string().contains(part), "{error}"),
            (got, _) => panic!("{key}: {got:?}"),
        }
    }
    let halved = ConnectOptions { sslmode: SslMode::Require, sslcert: Some(server.file("client.crt")), ..base.clone() };
    assert!(connect(&halved).await.unwrap_err().to_string().contains("database.sslkey: must be set"));

    // Passwords.
    for (user, sslmode) in
        [("postgres", SslMode::Disable), ("postgres", SslMode::Require), ("by_md5", SslMode::Require)]
    {
        let wrong = ConnectOptions { user: user.into(), password: Some("falsch".into()), sslmode, ..base.clone() };
        let error = connect(&wrong).await.unwrap_err();
        assert_eq!(error.sqlstate(), Some("28P01"));
        assert!(!error.is_transient() && !error.trace().contains("falsch"), "{}", error.trace());
        let first =
            format!("org.postgresql.util.PSQLException: FATAL: password authentication failed for user \"{user}\"\n");
        assert!(error.trace().starts_with(&first), "{}", error.trace());
    }
    let none = connect(&ConnectOptions { password: None, ..base.clone() }).await.unwrap_err();
    assert!(none.to_string().starts_with("database.password: "), "{none}");

    // A role without REPLICATION gets an ordinary session only.
    admin.execute("test", "RESET password_encryption; CREATE ROLE reader LOGIN PASSWORD 'geheim'").await.unwrap();
    let reader = ConnectOptions { user: "reader".into(), ..base.clone() };
    let error = Replication::connect(&reader).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("42501"), "{error}");
    assert!(!error.is_transient() && error.to_string().contains("REPLICATION"), "{error}");
    Sql::connect(&reader).await.unwrap();

    // A command is cancelled over TLS too.
    let mut session = Replication::connect(&ConnectOptions { sslmode: SslMode::Require, ..base }).await.unwrap();
    let canceller = session.canceller();
    let cancel = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        canceller.cancel().await.unwrap();
    };
    let (slept, ()) = tokio::join!(session.simple_query("SELECT pg_sleep(30)"), cancel);
    assert_eq!(slept.unwrap_err().sqlstate(), Some("57014"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_that_names_its_host_the_old_way() {
    let server = Scratch::start(HBA, "bare");
    let options = |host: &str, root: &str| ConnectOptions {
        host: host.into(),
        port: server.port,
        user: "postgres".into(),
        password: Some("geheim".into()),
        dbname: "postgres".into(),
        sslmode: SslMode::VerifyFull,
        sslrootcert: Some(server.file(root)),
        ..ConnectOptions::default()
    };
    for root in ["ca.crt", "bare.crt"] {
        assert!(connect(&options("localhost", root)).await.unwrap().is_tls());
        let error = connect(&options("127.0.0.1", root)).await.unwrap_err();
        assert!(matches!(error, Error::Tls { .. }), "{error}");
    }
    let error = connect(&options("localhost", "stranger.crt")).await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error}");
}
