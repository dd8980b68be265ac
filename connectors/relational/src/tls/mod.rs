//! What TLS with a database needs beyond rustls: degrees of verification that are not the web's, and facts of certificates.
//!
//! Purpose: the drivers of all databases here have modes that accept any certificate or any host name, and take a
//! certificate that names its host the old way. Both connectors and the client of schema registries verify by the same code.
//!
//! Must not know: any database's protocol, configuration keys.

mod der;
mod first_version;
mod verify;

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio_rustls::rustls::Error as RustlsError;

pub use der::{Hash, signature_hash};
pub use verify::Verifier;

/// Whether TLS itself failed (a certificate, a protocol version): trying again later does not help.
pub fn is_tls_error(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<RustlsError>)
}

/// A peer that is gone without a word (a host that lost its power, a firewall that forgot the connection) is noticed after
/// this long, whether the connection is idle or has sent something.
const DEAD_AFTER: Duration = Duration::from_secs(60);
const FIRST_PROBE_AFTER: Duration = Duration::from_secs(30);
const PROBE_EVERY: Duration = Duration::from_secs(10);
const PROBES: u32 = 3;

/// Has the kernel close the connection when the other side's kernel acknowledges nothing any more. A busy server is not
/// affected: its kernel acknowledges for it.
pub fn notice_dead_peers(tcp: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(tcp);
    let probes = TcpKeepalive::new().with_time(FIRST_PROBE_AFTER).with_interval(PROBE_EVERY).with_retries(PROBES);
    socket.set_tcp_keepalive(&probes)?;
    // No probes are sent while sent bytes are not acknowledged. TCP_USER_TIMEOUT limits that time, where the system has it.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(DEAD_AFTER))?;
    Ok(())
}
