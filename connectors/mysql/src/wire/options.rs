//! How to reach a server, as one plain struct for the connection of the binlog and ordinary connections.

use std::path::PathBuf;
use std::time::Duration;

use relational::Credentials;
use settings::Secret;

settings::choices! {
    /// `database.ssl.mode` of the MySQL connector.
    #[derive(Default)]
    pub enum MySqlSslMode {
        /// Never encrypted.
        Disabled = "disabled",
        /// Encrypted if the server offers it, else plain.
        #[default]
        Preferred = "preferred",
        /// Encrypted, with any certificate.
        Required = "required",
        /// Encrypted, and the certificate descends from a trusted root.
        VerifyCa = "verify_ca",
        /// As `VerifyCa`, and the certificate names the host that was asked for.
        VerifyIdentity = "verify_identity",
    }

    /// `database.ssl.mode` of the MariaDB connector.
    #[derive(Default)]
    pub enum MariaDbSslMode {
        /// Never encrypted.
        #[default]
        Disable = "disable",
        /// Encrypted, with any certificate.
        Trust = "trust",
        /// Encrypted, and the certificate descends from a trusted root.
        VerifyCa = "verify-ca",
        /// As `VerifyCa`, and the certificate names the host that was asked for.
        VerifyFull = "verify-full",
    }
}

/// Whether and how a connection is encrypted: what the words of both connectors mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsMode {
    /// Plain.
    #[default]
    Off,
    /// TLS with any certificate if the server offers TLS, else plain.
    IfOffered,
    /// TLS with any certificate.
    AnyCertificate,
    /// TLS; the certificate descends from a trusted root.
    VerifyChain,
    /// TLS; as `VerifyChain`, and the certificate names the host.
    VerifyHost,
}

impl From<MySqlSslMode> for TlsMode {
    fn from(mode: MySqlSslMode) -> Self {
        match mode {
            MySqlSslMode::Disabled => Self::Off,
            MySqlSslMode::Preferred => Self::IfOffered,
            MySqlSslMode::Required => Self::AnyCertificate,
            MySqlSslMode::VerifyCa => Self::VerifyChain,
            MySqlSslMode::VerifyIdentity => Self::VerifyHost,
        }
    }
}

impl From<MariaDbSslMode> for TlsMode {
    fn from(mode: MariaDbSslMode) -> Self {
        match mode {
            MariaDbSslMode::Disable => Self::Off,
            MariaDbSslMode::Trust => Self::AnyCertificate,
            MariaDbSslMode::VerifyCa => Self::VerifyChain,
            MariaDbSslMode::VerifyFull => Self::VerifyHost,
        }
    }
}

/// Everything that is needed to open a connection. `Debug` hides the secrets.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Name or address of the server; all addresses of a name are tried.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Account to log in as.
    pub user: String,
    /// The account's password; empty where it has none.
    pub password: Secret,
    /// Reads `user` and `password` again for each connection, where the configuration has variables for them.
    pub credentials: Option<Credentials>,
    /// Whether and how to encrypt.
    pub tls: TlsMode,
    /// PEM or PKCS-12 file with the client's certificates and key (`database.ssl.keystore`).
    pub keystore: Option<PathBuf>,
    /// Opens `keystore`.
    pub keystore_password: Secret,
    /// PEM or PKCS-12 file with the roots to trust (`database.ssl.truststore`). If it is absent, the system's roots are used
    /// where verification is asked for.
    pub truststore: Option<PathBuf>,
    /// Opens `truststore`.
    pub truststore_password: Secret,
    /// Limit of reaching the server, and again of TLS and log-in (`connect.timeout.ms`).
    pub connect_timeout_ms: u64,
    /// Whether the kernel closes a connection when the network or the other host is gone without a word: it probes an idle
    /// connection, and counts how long sent bytes stay unacknowledged. Without that a cut network is noticed only when the
    /// kernel's retransmissions end (about a quarter of an hour), and never on a connection that only waits.
    pub tcp_keepalive: bool,
    /// Whether the socket is read at intervals under load ([`relational::Tcp`]), as suits a stream of changes.
    pub paced: bool,
    /// Whether closing the socket drops what was not yet sent (`use.nongraceful.disconnect`).
    pub abrupt_close: bool,
    /// Limit of an ordinary statement (`database.query.timeout.ms`); after it the statement is cancelled and the connection
    /// closed. 0 means none. Streaming the rows of a table is not limited.
    pub query_timeout_ms: u64,
    /// Statements of `database.initial.statements`, run on each new ordinary connection, and not on that of the binlog.
    pub initial_statements: Vec<String>,
    /// Shown in `performance_schema.session_connect_attrs`.
    pub program_name: String,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            host: "localhost".into(),
            port: 3306,
            user: String::new(),
            password: Secret::default(),
            credentials: None,
            tls: TlsMode::Off,
            keystore: None,
            keystore_password: Secret::default(),
            truststore: None,
            truststore_password: Secret::default(),
            connect_timeout_ms: 30_000,
            tcp_keepalive: true,
            paced: false,
            abrupt_close: false,
            query_timeout_ms: 600_000,
            initial_statements: Vec::new(),
            program_name: "afterimage".into(),
        }
    }
}

impl ConnectOptions {
    /// `host:port`, for error messages.
    pub fn at(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The same with the user and the password of this moment.
    pub(crate) async fn renewed(&self) -> Self {
        let mut options = self.clone();
        if let Some(credentials) = &self.credentials {
            let now = credentials.now(Duration::from_millis(self.connect_timeout_ms)).await;
            options.user = now.user.unwrap_or(options.user);
            options.password = now.password.unwrap_or(options.password);
        }
        options
    }
}

/// The statements of `database.initial.statements`: separated by `;`, where `;;` stands for a semicolon inside a statement.
/// Blank statements are left out.
pub fn initial_statements(text: &str) -> Vec<String> {
    let mut statements = vec![String::new()];
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == ';' && letters.next_if_eq(&';').is_none() {
            statements.push(String::new());
        } else if let Some(last) = statements.last_mut() {
            last.push(letter);
        }
    }
    statements
        .into_iter()
        .map(|statement| statement.trim().to_owned())
        .filter(|statement| !statement.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use settings::Choice;

    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let secret = || Secret::new("hunter2");
        let options = ConnectOptions {
            password: secret(),
            keystore_password: secret(),
            truststore_password: secret(),
            ..ConnectOptions::default()
        };
        let printed = format!("{options:?}");
        assert!(!printed.contains("hunter"), "{printed}");
    }

    #[test]
    fn statements() {
        #[track_caller]
        fn check(text: &str, expect: &[&str]) {
            assert_eq!(initial_statements(text), expect);
        }
        check("", &[]);
        check("SET a=1", &["SET a=1"]);
        check("SET a=1; SET b=2 ;", &["SET a=1", "SET b=2"]);
        check("SET a='x;;y';SET b=';;;;'", &["SET a='x;y'", "SET b=';;'"]);
        check("a;;;b", &["a;", "b"]);
    }

    #[test]
    fn modes_of_both_connectors() {
        let of_mysql: Vec<TlsMode> = MySqlSslMode::NAMES.iter().map(|(_, mode)| (*mode).into()).collect();
        let all =
            [TlsMode::Off, TlsMode::IfOffered, TlsMode::AnyCertificate, TlsMode::VerifyChain, TlsMode::VerifyHost];
        assert_eq!(of_mysql, all);
        let of_mariadb: Vec<TlsMode> = MariaDbSslMode::NAMES.iter().map(|(_, mode)| (*mode).into()).collect();
        assert_eq!(of_mariadb, [&all[..1], &all[2..]].concat());
    }
}
