//! From a socket to a session: startup message, log-in, the server's parameters; and cancelling.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::frames::{FRAME_MAX_BYTES, Next, next_frame, take_text};
use super::options::{ConnectOptions, PIN_SINCE_14, PIN_SINCE_17};
use super::stream::{Encrypt, Stream, attempts, worth_another_attempt};
use crate::error::{Error, ServerError};

/// During the log-in no message may be longer, because the other side may not be a PostgreSQL server (libpq has the same
/// bound).
const LOGIN_FRAME_MAX_BYTES: usize = 30_000;

/// A logged-in session, with the bytes that were read and not yet taken (`inbox`), or not yet written (`outbox`).
#[derive(Debug)]
pub(super) struct Session {
    pub(super) stream: Stream,
    pub(super) inbox: BytesMut,
    pub(super) outbox: BytesMut,
    pub(super) options: ConnectOptions,
    pub(super) pid: i32,
    secret: i32,
    /// As `server_version_num`: 150018 for 15.18; 0 if the server did not say.
    pub(super) server_version: u32,
}

impl Session {
    /// A session that is streaming over a test's socket.
    #[cfg(test)]
    pub(super) fn over(stream: Stream) -> Self {
        let (inbox, outbox) = (BytesMut::new(), BytesMut::new());
        Self { stream, inbox, outbox, options: ConnectOptions::default(), pid: 0, secret: 0, server_version: 150_000 }
    }

    /// Logs in with `replication=database`, by the attempts that `sslmode` stands for.
    pub(super) async fn open(options: &ConnectOptions) -> Result<Self, Error> {
        let options = &options.renewed().await;
        let mut last = None;
        for encrypt in attempts(options.sslmode) {
            match Self::attempt(options, *encrypt).await {
                Ok(session) => return Ok(session),
                Err(error) if worth_another_attempt(&error) => last = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::Protocol { doing: "connecting".into(), reason: "no way to connect".into() }))
    }

    async fn attempt(options: &ConnectOptions, encrypt: Encrypt) -> Result<Self, Error> {
        let stream = Stream::open(options, encrypt).await?;
        let mut session = Self {
            stream,
            inbox: BytesMut::with_capacity(8 * 1024),
            outbox: BytesMut::new(),
            options: options.clone(),
            pid: 0,
            secret: 0,
            server_version: 0,
        };
        let limit = options.handshake_timeout_ms;
        timeout(Duration::from_millis(limit), session.log_in()).await.map_err(|_| Error::TimedOut {
            doing: "logging in to PostgreSQL".into(),
            at: options.at(),
            after_ms: limit,
        })??;
        Ok(session)
    }

    async fn log_in(&mut self) -> Result<(), Error> {
        let doing = "logging in to PostgreSQL";
        let startup_options = self.options.startup_options();
        let parameters = [
            ("user", self.options.user.as_str()),
            ("database", self.options.dbname.as_str()),
            ("replication", "database"),
            ("application_name", self.options.application_name.as_str()),
            ("client_encoding", "UTF8"),
            ("options", startup_options.as_str()),
        ];
        frontend::startup_message(parameters, &mut self.outbox).map_err(|error| config("database.user", &error))?;
        self.flush(doing).await?;
        self.authenticate(doing).await?;
        loop {
            let (tag, payload) = self.message(doing, LOGIN_FRAME_MAX_BYTES).await?;
            match tag {
                b'K' => {
                    let mut fields = payload;
                    if fields.len() < 8 {
                        return Err(protocol(doing, "the BackendKeyData message is cut short"));
                    }
                    (self.pid, self.secret) = (fields.get_i32(), fields.get_i32());
                }
                b'S' => self.parameter(&payload),
                b'Z' => break,
                b'E' => return Err(self.refusal(ServerError::parse(&payload))),
                b'N' | b'v' => {}
                other => return Err(unexpected(doing, other)),
            }
        }
        if self.server_version >= 140_000 {
            self.command("pinning idle_session_timeout", PIN_SINCE_14).await?;
        }
        if self.server_version >= 170_000 {
            self.command("pinning transaction_timeout", PIN_SINCE_17).await?;
        }
        Ok(())
    }

    async fn authenticate(&mut self, doing: &str) -> Result<(), Error> {
        let mut scram: Option<ScramSha256> = None;
        let mut proven = true;
        loop {
            let (tag, mut payload) = self.message(doing, LOGIN_FRAME_MAX_BYTES).await?;
            match tag {
                b'R' => {}
                b'E' => return Err(self.refusal(ServerError::parse(&payload))),
                b'N' | b'v' => continue,
                other => return Err(unexpected(doing, other)),
            }
            if payload.len() < 4 {
                return Err(protocol(doing, "an authentication request is cut short"));
            }
            match payload.get_i32() {
                // Once SCRAM has begun, the server must prove that it knows the password too.
                0 if proven => return Ok(()),
                0 => return Err(protocol(doing, "the server skipped its part of SCRAM")),
                3 => {
                    let password = self.password()?;
                    frontend::password_message(password.as_bytes(), &mut self.outbox)
                        .map_err(|error| config("database.password", &error))?;
                }
                5 => {
                    let salt = payload.first_chunk::<4>().copied();
                    let salt = salt.ok_or_else(|| protocol(doing, "a salt is cut short"))?;
                    let hash = md5_hash(self.options.user.as_bytes(), self.password()?.as_bytes(), salt);
                    frontend::password_message(hash.as_bytes(), &mut self.outbox)
                        .map_err(|error| config("database.password", &error))?;
                }
                10 => {
                    proven = false;
                    scram = Some(self.begin_scram(doing, &payload)?);
                }
                11 => {
                    let scram = scram.as_mut().ok_or_else(|| protocol(doing, "SCRAM goes on before it began"))?;
                    scram.update(&payload).map_err(|error| protocol(doing, &error.to_string()))?;
                    frontend::sasl_response(scram.message(), &mut self.outbox)
                        .map_err(|error| protocol(doing, &error.to_string()))?;
                }
                12 => {
                    let mut scram = scram.take().ok_or_else(|| protocol(doing, "SCRAM ends before it began"))?;
                    scram.finish(&payload).map_err(|error| {
                        protocol(doing, &format!("the server does not know the password either: {error}"))
                    })?;
                    proven = true;
                }
                method => {
                    let name = match method {
                        2 | 7 | 8 => "GSSAPI or Kerberos",
                        9 => "SSPI",
                        _ => "an unknown method",
                    };
                    return Err(Error::Config {
                        key: "database.user".into(),
                        reason: format!(
                            "{} asks for {name} to log in; supported are trust, cert, password, md5 and scram-sha-256: \
                             change the line of this user in pg_hba.conf",
                            self.options.at()
                        ),
                    });
                }
            }
            self.flush(doing).await?;
        }
    }

    fn begin_scram(&mut self, doing: &str, mut mechanisms: &[u8]) -> Result<ScramSha256, Error> {
        let (mut plain, mut plus) = (false, false);
        while let Some(mechanism) = take_text(&mut mechanisms) {
            plain |= mechanism == SCRAM_SHA_256.as_bytes();
            plus |= mechanism == SCRAM_SHA_256_PLUS.as_bytes();
        }
        let binding = self.stream.server_end_point();
        let (mechanism, binding) = match (plus, plain, binding) {
            (true, _, Some(hash)) => (SCRAM_SHA_256_PLUS, ChannelBinding::tls_server_end_point(hash)),
            // We support channel binding and the server does not offer it. Saying so lets the server notice a man in the
            // middle.
            (false, true, Some(_)) => (SCRAM_SHA_256, ChannelBinding::unrequested()),
            (_, true, None) => (SCRAM_SHA_256, ChannelBinding::unsupported()),
            _ => return Err(protocol(doing, "the server offers no SASL mechanism that we know")),
        };
        let scram = ScramSha256::new(self.password()?.as_bytes(), binding);
        frontend::sasl_initial_response(mechanism, scram.message(), &mut self.outbox)
            .map_err(|error| protocol(doing, &error.to_string()))?;
        Ok(scram)
    }

    fn password(&self) -> Result<String, Error> {
        self.options.password.clone().ok_or_else(|| Error::Config {
            key: "database.password".into(),
            reason: format!("{} asks for a password of user \"{}\": set it", self.options.at(), self.options.user),
        })
    }

    fn refusal(&self, server: ServerError) -> Error {
        refusal(&self.options, server)
    }

    fn parameter(&mut self, payload: &[u8]) {
        let mut fields = payload;
        if take_text(&mut fields) == Some(b"server_version") {
            self.server_version = take_text(&mut fields).and_then(version_number).unwrap_or(0);
        }
    }

    /// Runs a statement and ignores its rows.
    async fn command(&mut self, doing: &str, sql: &str) -> Result<(), Error> {
        frontend::query(sql, &mut self.outbox).map_err(|error| protocol(doing, &error.to_string()))?;
        self.flush(doing).await?;
        let mut failed = None;
        loop {
            let (tag, payload) = self.message(doing, LOGIN_FRAME_MAX_BYTES).await?;
            match tag {
                b'E' => failed = Some(ServerError::parse(&payload)),
                b'Z' => break,
                _ => {}
            }
        }
        failed.map_or(Ok(()), |server| Err(Error::from_server(doing, server)))
    }

    /// Writes the outbox. If the future is dropped, the rest stays in the outbox, so that no message is cut.
    pub(super) async fn flush(&mut self, doing: &str) -> Result<(), Error> {
        self.write_out().await.map_err(|source| self.io(doing, source))
    }

    pub(super) async fn write_out(&mut self) -> io::Result<()> {
        self.stream.write_all_buf(&mut self.outbox).await?;
        self.stream.flush().await
    }

    /// The next message: its tag and payload.
    pub(super) async fn message(&mut self, doing: &str, limit: usize) -> Result<(u8, Bytes), Error> {
        loop {
            match next_frame(&self.inbox) {
                Next::Frame(frame) => {
                    let bytes = self.inbox.split_to(frame.consumed).freeze();
                    return Ok((frame.tag, bytes.slice(frame.payload)));
                }
                Next::Bad(bad) => return Err(Error::bad_frame(doing, bad)),
                Next::Incomplete { need } if need > limit.min(FRAME_MAX_BYTES) => {
                    return Err(protocol(
                        doing,
                        &format!("the server announces a message of {need} bytes, which is too long"),
                    ));
                }
                Next::Incomplete { need } => self.inbox.reserve(need - self.inbox.len()),
            }
            let read = self.stream.read_buf(&mut self.inbox).await.map_err(|source| self.io(doing, source))?;
            if read == 0 {
                return Err(self.io(doing, closed()));
            }
        }
    }

    pub(super) fn io(&self, doing: &str, source: io::Error) -> Error {
        if crate::tls::is_tls_error(&source) {
            return Error::Tls { at: self.options.at(), reason: source.to_string() };
        }
        Error::Io { doing: doing.into(), at: self.options.at(), source }
    }

    pub(super) fn canceller(&self) -> Canceller {
        Canceller { options: self.options.clone(), encrypt: self.stream.is_tls(), pid: self.pid, secret: self.secret }
    }
}

/// Cancels the running statement of a session, over a connection of its own.
#[derive(Debug, Clone)]
pub struct Canceller {
    options: ConnectOptions,
    encrypt: bool,
    pid: i32,
    secret: i32,
}

impl Canceller {
    /// Asks the server to cancel. `Ok` means that the request was sent; the server does not say whether anything was running.
    pub async fn cancel(&self) -> Result<(), Error> {
        let encrypt = if self.encrypt { Encrypt::Must } else { Encrypt::No };
        let mut stream = Stream::open(&self.options, encrypt).await?;
        let mut request = BytesMut::new();
        frontend::cancel_request(self.pid, self.secret, &mut request);
        let sent = async {
            stream.write_all(&request).await?;
            stream.flush().await?;
            // The server closes when it has taken the request.
            let _ = stream.read_u8().await;
            Ok(())
        };
        timeout(Duration::from_millis(self.options.connect_timeout_ms), sent)
            .await
            .unwrap_or(Ok(()))
            .map_err(|source| Error::Io { doing: "cancelling a statement".into(), at: self.options.at(), source })
    }
}

/// `15.18 (Debian …)`, `9.6.24`, `17beta1` as the number that `server_version_num` shows.
pub(crate) fn version_number(text: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(text).ok()?;
    let number = text.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let mut parts = number.split('.').map(str::parse::<u32>);
    let major = parts.next()?.ok()?;
    let minor = parts.next().and_then(Result::ok).unwrap_or(0);
    if major >= 10 {
        return Some(major * 10_000 + minor);
    }
    Some(major * 10_000 + minor * 100 + parts.next().and_then(Result::ok).unwrap_or(0))
}

/// A server's refusal of a session, with the remedy that its code suggests.
pub(crate) fn refusal(options: &ConnectOptions, server: ServerError) -> Error {
    let remedy = match server.sqlstate.as_str() {
        "28P01" => "Check database.user and database.password",
        "28000" => {
            "Check the lines for this user in pg_hba.conf (a replication connection needs one too), LOGIN of the role, and database.sslmode"
        }
        "42501" if server.message.contains("database") => "GRANT CONNECT ON DATABASE … TO the role",
        "42501" => "ALTER ROLE … REPLICATION (on Amazon RDS: GRANT rds_replication TO …)",
        "3D000" => "Check database.dbname",
        _ => return Error::from_server(format!("logging in to {}", options.at()), server),
    };
    Error::Auth {
        at: options.at(),
        user: options.user.clone(),
        dbname: options.dbname.clone(),
        server: Box::new(server),
        remedy,
    }
}

pub(super) fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection")
}

pub(super) fn protocol(doing: &str, reason: &str) -> Error {
    Error::Protocol { doing: doing.into(), reason: reason.into() }
}

pub(super) fn unexpected(doing: &str, tag: u8) -> Error {
    protocol(doing, &format!("unexpected message {:?}", char::from(tag)))
}

fn config(key: &str, error: &io::Error) -> Error {
    Error::Config { key: key.into(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::version_number;

    #[track_caller]
    fn check(text: &str, expect: Option<u32>) {
        assert_eq!(version_number(text.as_bytes()), expect, "{text}");
    }

    #[test]
    fn versions() {
        check("15.18 (Debian 15.18-0+deb12u1)", Some(150_018));
        check("9.6.24", Some(90_624));
        check("17beta1", Some(170_000));
        check("devel", None);
    }
}
