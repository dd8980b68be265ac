//! A socket to the server, plain or encrypted: reaching it, its TCP options, the SSL request.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::message::frontend;
use relational::Tcp;
use relational::tls::notice_dead_peers;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::options::{ConnectOptions, SslMode};
use crate::error::Error;
use crate::tls;

/// A connection to the server.
#[derive(Debug)]
pub enum Stream {
    /// Not encrypted.
    Plain(Tcp),
    /// Encrypted.
    Tls(Box<TlsStream<Tcp>>),
    /// A server in a test's memory, so that the test can run on a paused clock.
    #[cfg(test)]
    Test(Box<dyn TestSocket>),
}

/// The other side of a connection in a test.
#[cfg(test)]
pub trait TestSocket: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug {}

#[cfg(test)]
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug> TestSocket for T {}

/// How much one attempt wants TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encrypt {
    No,
    IfOffered,
    Must,
}

/// The attempts that an `sslmode` stands for, in their order.
pub(crate) fn attempts(mode: SslMode) -> &'static [Encrypt] {
    match mode {
        SslMode::Disable => &[Encrypt::No],
        SslMode::Allow => &[Encrypt::No, Encrypt::Must],
        SslMode::Prefer => &[Encrypt::IfOffered, Encrypt::No],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Encrypt::Must],
    }
}

/// Whether the next attempt may succeed where this one did not: `pg_hba.conf` does not allow this kind of connection (28000;
/// a wrong password is 28P01), or TLS itself failed.
pub(crate) fn worth_another_attempt(error: &Error) -> bool {
    matches!(error, Error::Tls { .. }) || error.sqlstate() == Some("28000")
}

impl Stream {
    /// Connects within `connect_timeout_ms`, and then does the TLS handshake within `handshake_timeout_ms`.
    pub(crate) async fn open(options: &ConnectOptions, encrypt: Encrypt) -> Result<Self, Error> {
        let at = options.at();
        let failed = |doing: &str, source| Error::Io { doing: doing.into(), at: at.clone(), source };
        let late = |doing: &str, after_ms| Error::TimedOut { doing: doing.into(), at: at.clone(), after_ms };
        let reach = Tcp::reach(&options.host, options.port);
        let (tcp, round_trip) = timeout(Duration::from_millis(options.connect_timeout_ms), reach)
            .await
            .map_err(|_| late("connecting to PostgreSQL", options.connect_timeout_ms))?
            .map_err(|source| failed("connecting to PostgreSQL", source))?;
        tcp.set_nodelay(true).map_err(|source| failed("setting TCP_NODELAY", source))?;
        if options.tcp_keepalive {
            notice_dead_peers(&tcp).map_err(|source| failed("setting TCP keep-alive", source))?;
        }
        let mut tcp = if options.paced {
            Tcp::paced(tcp, round_trip).map_err(|source| failed("setting the receive buffer", source))?
        } else {
            Tcp::new(tcp)
        };
        if encrypt == Encrypt::No {
            return Ok(Self::Plain(tcp));
        }
        let negotiate = async {
            let mut request = BytesMut::new();
            frontend::ssl_request(&mut request);
            tcp.write_all(&request).await.map_err(|source| failed("asking for TLS", source))?;
            // One byte exactly: whatever came behind it would be unauthenticated plain text (CVE-2021-23222).
            let answer = tcp.read_u8().await.map_err(|source| failed("asking for TLS", source))?;
            match answer {
                b'S' => Ok(Self::Tls(Box::new(tls::handshake(tcp, options).await?))),
                b'N' if encrypt == Encrypt::IfOffered => Ok(Self::Plain(tcp)),
                b'N' => Err(Error::Tls {
                    at: at.clone(),
                    reason: "the server does not offer it: set ssl=on there, or database.sslmode=prefer".into(),
                }),
                // An old or overloaded server answers with an ErrorResponse; its text is not trusted before TLS.
                other => Err(Error::Protocol {
                    doing: format!("asking {at} for TLS"),
                    reason: format!("unexpected answer {other:#04x}"),
                }),
            }
        };
        timeout(Duration::from_millis(options.handshake_timeout_ms), negotiate)
            .await
            .map_err(|_| late("TLS handshake", options.handshake_timeout_ms))?
    }

    /// The data for SCRAM's channel binding (`tls-server-end-point`, RFC 5929); `None` without TLS.
    pub(crate) fn server_end_point(&self) -> Option<Vec<u8>> {
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => tls::server_end_point(stream),
            #[cfg(test)]
            Self::Test(_) => None,
        }
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
            #[cfg(test)]
            Self::Test(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
            #[cfg(test)]
            Self::Test(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
            #[cfg(test)]
            Self::Test(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
            #[cfg(test)]
            Self::Test(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
