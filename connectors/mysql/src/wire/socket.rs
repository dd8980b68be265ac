//! A socket to the server, plain or encrypted: reaching it, its TCP options.

use std::fmt::Debug;
use std::time::Duration;

use relational::Tcp;
use relational::tls::notice_dead_peers;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;

use super::options::ConnectOptions;
use crate::error::Error;

/// What a connection reads and writes: a TCP stream, TLS over one, or a test's memory. One dyn call a read, never a row.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Sync + Unpin + Debug {}

impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin + Debug> Socket for T {}

/// Connects within `connect_timeout_ms`.
pub(super) async fn reach(options: &ConnectOptions) -> Result<Box<dyn Socket>, Error> {
    let failed = |doing: &str, source| Error::Io { doing: doing.into(), at: options.at(), source };
    let reach = Tcp::reach(&options.host, options.port);
    let (tcp, round_trip) = timeout(Duration::from_millis(options.connect_timeout_ms), reach)
        .await
        .map_err(|_| late("connecting to the server", options))?
        .map_err(|source| failed("connecting to the server", source))?;
    tcp.set_nodelay(true).map_err(|source| failed("setting TCP_NODELAY", source))?;
    if options.tcp_keepalive {
        notice_dead_peers(&tcp).map_err(|source| failed("setting TCP keep-alive", source))?;
    }
    if options.abrupt_close {
        let linger = SockRef::from(&tcp).set_linger(Some(Duration::ZERO));
        linger.map_err(|source| failed("setting SO_LINGER", source))?;
    }
    if !options.paced {
        return Ok(Box::new(Tcp::new(tcp)));
    }
    let paced = Tcp::paced(tcp, round_trip).map_err(|source| failed("setting the receive buffer", source))?;
    Ok(Box::new(paced))
}

/// The error for a server that was not reached, or did not log us in, in time.
pub(super) fn late(doing: &str, options: &ConnectOptions) -> Error {
    Error::ConnectTimedOut {
        doing: doing.into(),
        at: options.at(),
        user: options.user.clone(),
        after_ms: options.connect_timeout_ms,
    }
}
