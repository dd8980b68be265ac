//! How to reach a server, as one plain struct for replication and ordinary connections.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use relational::Credentials;

settings::choices! {
    /// `database.sslmode`; each word means what it means to libpq (PostgreSQL manual, "SSL Support", Table "SSL Mode
    /// Descriptions").
    #[derive(Default)]
    pub enum SslMode {
        /// Never encrypted.
        Disable = "disable",
        /// Plain first; encrypted only if the server refuses plain.
        Allow = "allow",
        /// Encrypted if the server offers it, else plain.
        #[default]
        Prefer = "prefer",
        /// Encrypted; the certificate is verified only if a root certificate is named.
        Require = "require",
        /// Encrypted, and the certificate descends from a trusted root.
        VerifyCa = "verify-ca",
        /// As `VerifyCa`, and the certificate names the host that was asked for.
        VerifyFull = "verify-full",
    }
}

/// Everything that is needed to open a connection. `Debug` hides the secrets.
#[derive(Clone)]
pub struct ConnectOptions {
    /// Name or address of the server; all addresses of a name are tried.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Role to log in as.
    pub user: String,
    /// The role's password; `None` where the server asks for none.
    pub password: Option<String>,
    /// Reads `user` and `password` again for each connection, where the configuration has variables for them.
    pub credentials: Option<Credentials>,
    /// The one database that is read.
    pub dbname: String,
    /// Whether and how to encrypt.
    pub sslmode: SslMode,
    /// PEM or DER file with the roots to trust. If it is absent, the system's roots are used where verification is asked for.
    pub sslrootcert: Option<PathBuf>,
    /// PEM or DER file with the client's certificate (chain).
    pub sslcert: Option<PathBuf>,
    /// The key of the client's certificate, not encrypted: PKCS-8, PKCS-1 or SEC-1, as PEM or DER (such as the Java driver's
    /// `.pk8`).
    pub sslkey: Option<PathBuf>,
    /// Password of `sslkey`. Encrypted keys are refused with the command that decrypts them.
    pub sslpassword: Option<String>,
    /// Whether the kernel closes a connection when the network or the other host is gone without a word: it probes an idle
    /// connection, and counts how long sent bytes stay unacknowledged. Without that a cut network is noticed only when the
    /// kernel's retransmissions end (about a quarter of an hour), and never on a connection that only waits.
    pub tcp_keepalive: bool,
    /// Whether the socket is read at intervals under load ([`relational::Tcp`]), as suits a stream of changes.
    pub paced: bool,
    /// Limit of each attempt to reach the server.
    pub connect_timeout_ms: u64,
    /// Limit of TLS, log-in and each short exchange of the replication connection.
    pub handshake_timeout_ms: u64,
    /// Limit of an ordinary statement (`database.query.timeout.ms`); after it the statement is cancelled and the connection
    /// closed. 0 means none. Copying rows and waiting for a table's lock are not limited.
    pub query_timeout_ms: u64,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
    /// The user's own `options` (`-c name=value …`). The settings that this crate pins come after them and win.
    pub options: Option<String>,
    /// Statements of `database.initial.statements`, run on each new ordinary connection.
    pub initial_statements: Vec<String>,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            host: "localhost".into(),
            port: 5432,
            user: String::new(),
            password: None,
            credentials: None,
            dbname: String::new(),
            sslmode: SslMode::default(),
            sslrootcert: None,
            sslcert: None,
            sslkey: None,
            sslpassword: None,
            tcp_keepalive: true,
            paced: false,
            connect_timeout_ms: 10_000,
            handshake_timeout_ms: 30_000,
            query_timeout_ms: 600_000,
            application_name: "Debezium General".into(),
            options: None,
            initial_statements: Vec::new(),
        }
    }
}

/// Session settings that decide how values look and how long a statement may run. Pinned on every connection, so that
/// `ALTER DATABASE … SET` and `ALTER ROLE … SET` cannot change what is read. All are known to every server since 9.6.
const PINNED: &[(&str, &str)] = &[
    ("client_encoding", "UTF8"),
    ("DateStyle", "ISO,YMD"),
    ("IntervalStyle", "iso_8601"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "3"),
    ("bytea_output", "hex"),
    ("lc_monetary", "C"),
    ("xmlbinary", "base64"),
    ("standard_conforming_strings", "on"),
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
    ("idle_in_transaction_session_timeout", "0"),
];

/// A further pin, for servers of version 14 and later: an older one does not know the setting.
pub(crate) const PIN_SINCE_14: &str = "SET idle_session_timeout = 0";
/// A further pin, for servers of version 17 and later.
pub(crate) const PIN_SINCE_17: &str = "SET transaction_timeout = 0";

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
            options.password = now.password.map(|secret| secret.reveal().to_owned()).or(options.password);
        }
        options
    }

    /// The same server under another `application_name`.
    #[must_use]
    pub fn named(&self, application_name: &str) -> Self {
        Self { application_name: application_name.into(), ..self.clone() }
    }

    /// The `options` parameter of the startup message: the user's, then the pinned settings.
    pub(crate) fn startup_options(&self) -> String {
        let mut text = self.options.clone().unwrap_or_default();
        for (name, value) in PINNED {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str("-c ");
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text
    }
}

impl fmt::Debug for ConnectOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectOptions")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "********"))
            .field("dbname", &self.dbname)
            .field("sslmode", &self.sslmode)
            .field("sslrootcert", &self.sslrootcert)
            .field("sslcert", &self.sslcert)
            .field("sslkey", &self.sslkey)
            .field("application_name", &self.application_name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let options = ConnectOptions {
            password: Some("hunter2".into()),
            sslpassword: Some("hunter3".into()),
            ..ConnectOptions::default()
        };
        let printed = format!("{options:?}");
        assert!(!printed.contains("hunter") && printed.contains("********"), "{printed}");
    }

    #[test]
    fn pinned_settings_stand_after_the_users() {
        let options =
            ConnectOptions { options: Some("-c TimeZone=Asia/Kathmandu".into()), ..ConnectOptions::default() };
        let text = options.startup_options();
        assert!(text.starts_with("-c TimeZone=Asia/Kathmandu -c client_encoding=UTF8 "), "{text}");
        assert!(text.contains(" -c TimeZone=UTC ") && !text.contains("idle_session"), "{text}");
    }
}
