//! Where the server is and how to speak to it.
//!
//! Must not know: how a connection is opened.

use std::path::PathBuf;
use std::time::Duration;

use relational::Credentials;
use settings::{Reader, Secret};

use crate::wire::SslMode;

#[derive(Clone, Debug)]
pub struct Tls {
    pub mode: SslMode,
    /// File of the client certificate.
    pub certificate: Option<PathBuf>,
    /// File of the client certificate's private key: PKCS-8 DER or PEM.
    pub key: Option<PathBuf>,
    /// Password of the key file.
    pub key_password: Option<Secret>,
    /// File of the authorities for verify-ca and verify-full.
    pub root_certificates: Option<PathBuf>,
}

/// The connection of one connector.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Host name or address.
    pub host: String,
    pub port: u16,
    pub user: String,
    /// None when the server trusts the client or asks for a certificate.
    pub password: Option<Secret>,
    /// Reads user and password again for each connection, where they have variables.
    pub credentials: Option<Credentials>,
    pub database: String,
    /// How long an ordinary statement may take; zero sets no limit.
    pub query_timeout: Duration,
    /// SQL to run on each new ordinary connection.
    pub initial_statements: Vec<String>,
    pub tls: Tls,
    /// Whether to send TCP keep-alive probes.
    pub tcp_keep_alive: bool,
    /// How long the test connection of a validation may take.
    pub validation_timeout: Duration,
    /// How long opening an ordinary connection may take.
    pub connect_timeout: Duration,
    /// Options of the server's session: `driver.options`, else `database.options`.
    pub options: Option<String>,
}

/// The JDBC driver's factory that checks nothing; taken as `sslmode=require`.
const NO_CHECK_FACTORY: &str = "org.postgresql.ssl.NonValidatingFactory";
/// The JDBC driver's default factories, which do what `sslmode` says.
const DEFAULT_FACTORIES: &[&str] = &["org.postgresql.ssl.LibPQFactory", "org.postgresql.ssl.jdbc4.LibPQFactory"];

impl Connection {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let port = u16::try_from(r.int("database.port")).unwrap_or_else(|_| {
            r.refuse("database.port", "A port between 0 and 65535 is expected");
            0
        });
        Self {
            host: r.text("database.hostname"),
            port,
            user: r.text("database.user"),
            password: r.secret("database.password"),
            credentials: Credentials::read(r),
            database: r.text("database.dbname"),
            query_timeout: r.millis("database.query.timeout.ms"),
            initial_statements: statements(&r.text("database.initial.statements")),
            tls: tls(r),
            tcp_keep_alive: r.boolean("database.tcpKeepAlive"),
            validation_timeout: r.millis("connection.validation.timeout.ms"),
            connect_timeout: r.millis("database.connection.timeout.ms"),
            options: r.text_or_none("driver.options").or_else(|| r.text_or_none("database.options")),
        }
    }
}

fn tls(r: &mut Reader<'_>) -> Tls {
    let mut mode = r.choice("database.sslmode", SslMode::Prefer);
    match r.text_or_none("database.sslfactory").as_deref().map(str::trim) {
        None | Some("") => {}
        Some(NO_CHECK_FACTORY) => mode = SslMode::Require,
        Some(known) if DEFAULT_FACTORIES.contains(&known) => {}
        Some(_) => r.refuse("database.sslfactory",
            "Java socket factories do not run here; remove it and use database.sslmode, database.sslrootcert, database.sslcert and database.sslkey",
        ),
    }
    let mut path = |name| r.text_or_none(name).filter(|p| !p.is_empty()).map(PathBuf::from);
    Tls {
        mode,
        certificate: path("database.sslcert"),
        key: path("database.sslkey"),
        root_certificates: path("database.sslrootcert"),
        key_password: r.secret("database.sslpassword"),
    }
}

/// Splits statements at `;`. `;;` stands for a literal `;`, and blank statements are dropped.
fn statements(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c == ';' && chars.next_if_eq(&';').is_none() {
            found.push(String::new());
        } else if let Some(last) = found.last_mut() {
            last.push(c);
        }
    }
    found.iter().map(|s| s.trim()).filter(|s| !s.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_between_semicolons() {
        #[track_caller]
        fn check(text: &str, expect: &[&str]) {
            assert_eq!(statements(text), expect, "{text}");
        }
        check("", &[]);
        check(" ; ", &[]);
        check("SET a = 1", &["SET a = 1"]);
        check("SET a = 1; SET b = 2;", &["SET a = 1", "SET b = 2"]);
        check("DO $$BEGIN x;; END;;$$; SELECT 1", &["DO $$BEGIN x; END;$$", "SELECT 1"]);
    }
}
