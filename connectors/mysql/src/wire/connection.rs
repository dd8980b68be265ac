//! From a socket to a session: greeting, TLS, log-in; and commands with their answers.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::auth::{Exchange, Plugin, Reply};
use super::greeting::{Capabilities, Greeting};
use super::options::{ConnectOptions, TlsMode};
use super::packets::{Next, PACKET_MAX_BYTES, next_packet, put_packet};
use super::socket::{Socket, late, reach};
use super::tls;
use crate::error::{Error, ServerError};

/// During the log-in no packet may be longer, because the other side may not be a MySQL server.
const LOGIN_PACKET_MAX_BYTES: usize = 64 * 1024;
/// A server that changes its mind more often than this about how to log in is none.
const LOGIN_PACKETS_MAX: usize = 16;

/// Commands (first byte of a packet that a client sends).
pub(super) mod command {
    pub(in super::super) const QUIT: u8 = 0x01;
    pub(in super::super) const QUERY: u8 = 0x03;
    pub(in super::super) const BINLOG_DUMP: u8 = 0x12;
    pub(in super::super) const REGISTER_REPLICA: u8 = 0x15;
    pub(in super::super) const PREPARE: u8 = 0x16;
    pub(in super::super) const EXECUTE: u8 = 0x17;
    pub(in super::super) const BINLOG_DUMP_GTID: u8 = 0x1e;
}

/// A logged-in session. Dropping it closes the socket.
#[derive(Debug)]
pub struct Connection {
    socket: Box<dyn Socket>,
    /// Bytes that were read and not yet taken.
    inbox: BytesMut,
    /// The number of the next packet that is read.
    pub(super) sequence: u8,
    pub(super) options: ConnectOptions,
    greeting: Greeting,
    is_tls: bool,
    /// Whether an answer has not been read to its end. Nothing may be asked on this connection then: what comes next would be
    /// the rest of that answer.
    pub(super) is_busy: bool,
}

impl Connection {
    /// Connects, encrypts as the options say, and logs in.
    pub async fn open(options: &ConnectOptions) -> Result<Self, Error> {
        let options = &options.renewed().await;
        let socket = reach(options).await?;
        let limit = Duration::from_millis(options.connect_timeout_ms);
        timeout(limit, Self::log_in_over(socket, options)).await.map_err(|_| late("logging in", options))?
    }

    async fn log_in_over(socket: Box<dyn Socket>, options: &ConnectOptions) -> Result<Self, Error> {
        let mut connection = Self::over(socket, options);
        let packet = connection.packet("waiting for the server's greeting", LOGIN_PACKET_MAX_BYTES).await?;
        if let Some(server) = ServerError::parse(&packet) {
            return Err(connection.refused(server));
        }
        connection.greeting = Greeting::parse(&packet).map_err(|bad| Error::bad_packet("reading the greeting", bad))?;
        let offered = connection.greeting.capabilities.contains(Capabilities::SSL);
        if options.tls != TlsMode::Off && offered {
            connection = connection.encrypted().await?;
        } else if !matches!(options.tls, TlsMode::Off | TlsMode::IfOffered) {
            return Err(Error::Tls {
                at: options.at(),
                reason: "the server does not offer it: give it a certificate, or weaken database.ssl.mode".into(),
            });
        }
        connection.log_in().await?;
        Ok(connection)
    }

    /// A session over any socket, before the greeting.
    pub(super) fn over(socket: Box<dyn Socket>, options: &ConnectOptions) -> Self {
        Self {
            socket,
            inbox: BytesMut::with_capacity(16 * 1024),
            sequence: 0,
            options: options.clone(),
            greeting: Greeting::default(),
            is_tls: false,
            is_busy: false,
        }
    }

    /// What the server said of itself.
    pub fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// How this connection was opened.
    pub fn options(&self) -> &ConnectOptions {
        &self.options
    }

    async fn encrypted(mut self) -> Result<Self, Error> {
        // Whatever came behind the greeting would be unauthenticated plain text.
        if !self.inbox.is_empty() {
            return Err(self.protocol("asking for TLS", "the server sent more than its greeting"));
        }
        let request = self.greeting.ssl_request();
        self.send("asking for TLS", &request).await?;
        let socket = tls::handshake(self.socket, &self.options).await?;
        Ok(Self { socket, is_tls: true, ..self })
    }

    async fn log_in(&mut self) -> Result<(), Error> {
        let doing = "logging in";
        let first = Plugin::named(&self.greeting.plugin).filter(|plugin| *plugin == Plugin::CachingSha2);
        let password = self.options.password.clone();
        let nonce = std::mem::take(&mut self.greeting.nonce);
        let mut exchange = Exchange::new(first.unwrap_or(Plugin::Native), &password, &nonce, self.is_tls);
        let answer =
            exchange.first().map_err(|reason| self.unusable(exchange.plugin.first_name().as_bytes(), reason))?;
        let response = self.greeting.response(&self.options, self.is_tls, exchange.plugin.first_name(), &answer);
        self.send(doing, &response).await?;
        let mut name = exchange.plugin.first_name().as_bytes().to_vec();
        for _ in 0..LOGIN_PACKETS_MAX {
            let packet = self.packet(doing, LOGIN_PACKET_MAX_BYTES).await?;
            if let Some(server) = ServerError::parse(&packet) {
                return Err(self.refused(server));
            }
            match packet.split_first() {
                Some((0, _)) => return Ok(()),
                Some((0xfe, [])) => {
                    let reason = "it is the way of servers before 4.1, which shows the password to whoever listens: give the \
                                  account another plugin";
                    return Err(self.unusable(b"mysql_old_password", reason));
                }
                Some((0xfe, switch)) => {
                    let end = memchr::memchr(0, switch).unwrap_or(switch.len());
                    name = switch[..end].to_vec();
                    let reason = "it is not known here: give the account one of caching_sha2_password, sha256_password, \
                                  mysql_native_password, mysql_clear_password (over TLS), ed25519 and parsec";
                    let plugin = Plugin::named(&name).ok_or_else(|| self.unusable(&name, reason))?;
                    let nonce = switch.get(end + 1..).unwrap_or_default();
                    exchange = Exchange::new(plugin, &password, nonce, self.is_tls);
                    let answer = exchange.first().map_err(|reason| self.unusable(&name, reason))?;
                    self.send(doing, &answer).await?;
                }
                Some((mark, data)) => {
                    // The first servers with parsec sent its salt without the mark.
                    let data = if *mark == 1 { data } else { &packet[..] };
                    match exchange.more(data).map_err(|reason| self.unusable(&name, reason))? {
                        Reply::Send(answer) => self.send(doing, &answer).await?,
                        Reply::Wait => {}
                    }
                }
                None => return Err(self.protocol(doing, "the server sent an empty packet")),
            }
        }
        Err(self.protocol(doing, "the server does not come to an end"))
    }

    /// Sends a command; its answer begins with packet number 1.
    pub(super) async fn command(&mut self, doing: &str, command: u8, body: &[u8]) -> Result<(), Error> {
        if self.is_busy {
            return Err(self.protocol(doing, "an earlier answer on this connection was not read to its end"));
        }
        self.is_busy = true;
        self.sequence = 0;
        let mut payload = Vec::with_capacity(1 + body.len());
        payload.push(command);
        payload.extend_from_slice(body);
        self.send(doing, &payload).await
    }

    /// The answer to a command that has no rows.
    pub(super) async fn expect_ok(&mut self, doing: &str) -> Result<(), Error> {
        let packet = self.packet(doing, PACKET_MAX_BYTES).await?;
        self.is_busy = false;
        if let Some(server) = ServerError::parse(&packet) {
            return Err(self.server_error(doing, server));
        }
        if packet.first() == Some(&0) { Ok(()) } else { Err(self.protocol(doing, "the answer is no OK packet")) }
    }

    /// Says good-bye and closes the socket. Errors do not matter any more.
    pub async fn close(mut self) {
        let said = async {
            let mut out = Vec::new();
            put_packet(&mut out, &[command::QUIT], 0);
            self.socket.write_all(&out).await?;
            self.socket.shutdown().await
        };
        let _ = timeout(Duration::from_secs(2), said).await;
    }

    async fn send(&mut self, doing: &str, payload: &[u8]) -> Result<(), Error> {
        let mut out = Vec::with_capacity(payload.len() + 4);
        self.sequence = put_packet(&mut out, payload, self.sequence);
        let written = async {
            self.socket.write_all(&out).await?;
            self.socket.flush().await
        };
        let written = written.await;
        written.map_err(|source| self.io(doing, source))
    }

    /// The payload of the next packet.
    pub(super) async fn packet(&mut self, doing: &str, limit_bytes: usize) -> Result<Bytes, Error> {
        loop {
            match next_packet(&mut self.inbox, self.sequence) {
                Next::Packet(packet) => {
                    self.sequence = packet.sequence;
                    let bytes = self.inbox.split_to(packet.consumed).freeze();
                    return Ok(bytes.slice(packet.payload));
                }
                Next::Bad(bad) => return Err(Error::bad_packet(doing, bad)),
                Next::Incomplete { need } if need > limit_bytes => {
                    let reason = format!("the server announces a packet of {need} bytes, which is too long here");
                    return Err(self.protocol(doing, &reason));
                }
                Next::Incomplete { need } => self.inbox.reserve(need.saturating_sub(self.inbox.len())),
            }
            let read = self.socket.read_buf(&mut self.inbox).await.map_err(|source| self.io(doing, source))?;
            if read == 0 {
                return Err(self.io(doing, closed()));
            }
        }
    }

    /// Waits for bytes and appends one read of them to `buffer`; first those that are left from earlier reads. A full buffer
    /// grows by a little; for larger reads the caller reserves room. The future may be dropped without losing bytes.
    pub(super) async fn fill(&mut self, buffer: &mut BytesMut) -> std::io::Result<usize> {
        if let Some(left) = self.take_left_over(buffer) {
            return Ok(left);
        }
        make_room(buffer);
        match self.socket.read_buf(buffer).await? {
            0 => Err(closed()),
            read => Ok(read),
        }
    }

    fn take_left_over(&mut self, buffer: &mut BytesMut) -> Option<usize> {
        if self.inbox.is_empty() {
            return None;
        }
        buffer.extend_from_slice(&self.inbox);
        let left = self.inbox.len();
        self.inbox.advance(left);
        Some(left)
    }

    /// Puts an error of the socket in context.
    pub(super) fn io(&self, doing: &str, source: std::io::Error) -> Error {
        if relational::tls::is_tls_error(&source) {
            return Error::Tls { at: self.options.at(), reason: source.to_string() };
        }
        Error::Io { doing: doing.into(), at: self.options.at(), source }
    }

    /// The error for a refused statement.
    pub(super) fn server_error(&self, doing: &str, server: ServerError) -> Error {
        let (at, user) = (self.options.at(), self.options.user.clone());
        Error::Server { doing: doing.into(), at, user, server: Box::new(server) }
    }

    pub(super) fn protocol(&self, doing: &str, reason: &str) -> Error {
        Error::Protocol { doing: format!("{doing} at {}", self.options.at()), reason: reason.into() }
    }

    fn refused(&self, server: ServerError) -> Error {
        Error::Auth { at: self.options.at(), user: self.options.user.clone(), server: Box::new(server) }
    }

    fn unusable(&self, plugin: &[u8], reason: &str) -> Error {
        Error::AuthPlugin {
            at: self.options.at(),
            user: self.options.user.clone(),
            plugin: String::from_utf8_lossy(plugin).into_owned(),
            reason: reason.into(),
        }
    }
}

/// A full buffer grows by this much.
const READ_BYTES: usize = 64 * 1024;

fn make_room(buffer: &mut BytesMut) {
    if buffer.capacity() == buffer.len() {
        buffer.reserve(READ_BYTES);
    }
}

fn closed() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "the server closed the connection")
}

#[cfg(test)]
mod tests;
