//! Opening an ordinary connection over our own socket, with the same TLS and pinned settings as the replication
//! connection.

use std::future::{Ready, ready};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::config::{ChannelBinding as Binding, SslMode, SslNegotiation};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{CancelToken, Client, Config, Row};

use crate::error::{Error, ServerError};
use crate::wire::options::{PIN_SINCE_14, PIN_SINCE_17};
use crate::wire::{ConnectOptions, Encrypt, Stream, attempts, refusal, version_number, worth_another_attempt};

/// An ordinary session. Closed when dropped.
#[derive(Debug)]
pub struct Sql {
    pub(super) client: Client,
    options: ConnectOptions,
    server_version: u32,
    /// Whether a statement was given up. The next answer on this connection would be that statement's, so nothing may be asked
    /// on it any more.
    is_left: AtomicBool,
    encrypt: Encrypt,
}

/// Asks the server to cancel a statement that nobody waits for any more. Whether that succeeds does not matter, because the
/// session is given up anyway.
async fn cancel(token: CancelToken, options: ConnectOptions, encrypt: Encrypt) {
    let cancelled = async {
        let stream = Stream::open(&options, encrypt).await?;
        token
            .cancel_query_raw(stream, AsItIs)
            .await
            .map_err(|error| Error::from_sql("cancelling", &options.at(), error))
    };
    let limit = Duration::from_millis(options.connect_timeout_ms);
    match timeout(limit, cancelled).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!("a statement could not be cancelled: {error}"),
        Err(_) => tracing::debug!("a statement could not be cancelled in time"),
    }
}

/// The socket has done its TLS handshake already. This only tells tokio-postgres so, and hands over the data that SCRAM's
/// channel binding needs.
struct AsItIs;

impl TlsConnect<Stream> for AsItIs {
    type Stream = Stream;
    type Error = io::Error;
    type Future = Ready<io::Result<Stream>>;

    fn connect(self, stream: Stream) -> Self::Future {
        ready(Ok(stream))
    }
}

impl TlsStream for Stream {
    fn channel_binding(&self) -> ChannelBinding {
        self.server_end_point().map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

/// Whether tokio-postgres gave up because the server asked for a password and there is none.
fn wants_password(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.to_string() == "password missing")
}

impl Sql {
    /// Connects, logs in, pins the settings and runs `initial_statements`.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, Error> {
        let options = &options.renewed().await;
        let mut last = None;
        for encrypt in attempts(options.sslmode) {
            match Self::attempt(options, *encrypt).await {
                Ok(sql) => return sql.prepared().await,
                Err(error) if worth_another_attempt(&error) => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::Protocol { doing: "connecting".into(), reason: "no way to connect".into() }))
    }

    async fn attempt(options: &ConnectOptions, encrypt: Encrypt) -> Result<Self, Error> {
        let stream = Stream::open(options, encrypt).await?;
        let sent = if stream.is_tls() { Encrypt::Must } else { Encrypt::No };
        let mut config = Config::new();
        config
            .user(&options.user)
            .dbname(&options.dbname)
            .application_name(&options.application_name)
            .options(options.startup_options())
            .ssl_mode(SslMode::Require)
            .ssl_negotiation(SslNegotiation::Direct)
            .channel_binding(Binding::Prefer);
        if let Some(password) = &options.password {
            config.password(password);
        }
        let limit = options.handshake_timeout_ms;
        let doing = "logging in to PostgreSQL";
        let (client, connection) = timeout(Duration::from_millis(limit), config.connect_raw(stream, AsItIs))
            .await
            .map_err(|_| Error::TimedOut { doing: doing.into(), at: options.at(), after_ms: limit })?
            .map_err(|error| match error.as_db_error() {
                Some(db) => refusal(options, ServerError::from_db(db)),
                None if options.password.is_none() && wants_password(&error) => Error::Config {
                    key: "database.password".into(),
                    reason: format!("{} asks for a password of user \"{}\": set it", options.at(), options.user),
                },
                None => Error::from_sql(doing, &options.at(), error),
            })?;
        let server_version =
            connection.parameter("server_version").and_then(|text| version_number(text.as_bytes())).unwrap_or(0);
        let at = options.at();
        tokio::spawn(async move {
            // Whoever waits for an answer gets this error too; here it is only logged.
            if let Err(error) = connection.await {
                tracing::debug!(%at, "ordinary connection ended: {error}");
            }
        });
        Ok(Self { client, options: options.clone(), server_version, is_left: AtomicBool::new(false), encrypt: sent })
    }

    async fn prepared(self) -> Result<Self, Error> {
        for (since, statement) in [(140_000, PIN_SINCE_14), (170_000, PIN_SINCE_17)] {
            if self.server_version >= since {
                self.execute("pinning session settings", statement).await?;
            }
        }
        for (index, statement) in self.options.initial_statements.iter().enumerate() {
            let doing = format!("running statement {} of database.initial.statements", index + 1);
            self.execute(&doing, statement).await?;
        }
        Ok(self)
    }

    /// The server's version in the form of `server_version_num`: 150018 for 15.18.
    pub fn server_version(&self) -> u32 {
        self.server_version
    }

    /// The options that this session was opened with.
    pub fn options(&self) -> &ConnectOptions {
        &self.options
    }

    /// Whether the connection is gone, or must not be used any more because a statement on it took too long.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed() || self.is_left.load(Ordering::Relaxed)
    }

    /// Runs SQL without looking at rows; several statements are allowed. `doing` stands in the error.
    ///
    /// # Errors
    /// What the server answers, or [`Error::TimedOut`] after `database.query.timeout.ms`.
    pub async fn execute(&self, doing: &str, sql: &str) -> Result<(), Error> {
        self.in_time(doing, self.client.batch_execute(sql)).await
    }

    /// As [`Sql::execute`], but without a time limit: for statements that wait for other sessions' locks.
    pub(super) async fn execute_patiently(&self, doing: &str, sql: &str) -> Result<(), Error> {
        self.client.batch_execute(sql).await.map_err(|error| self.failed(doing, error))
    }

    /// Waits for an answer, at most `query_timeout_ms`. A statement that takes longer is cancelled and the session given up.
    async fn in_time<T>(
        &self,
        doing: &str,
        answer: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        let limit_ms = self.options.query_timeout_ms;
        let answer = async { answer.await.map_err(|error| self.failed(doing, error)) };
        if limit_ms == 0 {
            return answer.await;
        }
        let Ok(answer) = timeout(Duration::from_millis(limit_ms), answer).await else {
            self.is_left.store(true, Ordering::Relaxed);
            tokio::spawn(cancel(self.client.cancel_token(), self.options.clone(), self.encrypt));
            return Err(Error::TimedOut { doing: doing.into(), at: self.options.at(), after_ms: limit_ms });
        };
        answer
    }

    /// The rows of a statement with typed parameters, in one round trip.
    pub(super) async fn rows(
        &self,
        doing: &str,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, Error> {
        self.in_time(doing, self.client.query_typed(sql, parameters)).await
    }

    /// The row of a statement that gives exactly one.
    pub(super) async fn row(
        &self,
        doing: &str,
        sql: &str,
        parameters: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Row, Error> {
        let rows = self.rows(doing, sql, parameters).await?;
        rows.into_iter().next().ok_or_else(|| Error::Protocol { doing: doing.into(), reason: "no row".into() })
    }

    pub(super) fn failed(&self, doing: &str, error: tokio_postgres::Error) -> Error {
        Error::from_sql(doing, &self.options.at(), error)
    }
}
