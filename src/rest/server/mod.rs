//! Listeners and connections: who is let in, for how long a client may keep the worker waiting, and how all ends.
//!
//! A client that is slow, silent or hostile costs a bounded amount of memory and of time and holds nobody else up: heads
//! and bodies are bounded, every wait for a client has its limit ([`Limits`]), and when all places are taken the
//! connection whose client has kept the worker waiting the longest makes room for the next one ([`seats`]).
//!
//! Must not know: resources, what the routers do.

mod connection;
mod seats;
mod stream;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use tls::{Tls, TlsError};

use seats::Seats;

/// What a client may cost. Bodies have their own bounds, in the room's `body`.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections of all listeners together.
    pub connections: usize,
    /// Bytes of a request's first line and headers, as in Jetty; above: 431.
    pub head_bytes: usize,
    /// From a head's first byte to its last; then: 408.
    pub head: Duration,
    /// Without a request, after which a connection is closed, as in Connect.
    pub idle: Duration,
    /// For TLS to agree on keys.
    pub handshake: Duration,
    /// Without the client taking a byte of the answer.
    pub write: Duration,
    /// After the answer to what was not read whole (a body that is too large), for the client to read that answer.
    pub linger: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 256,
            head_bytes: 8 * 1024,
            head: Duration::from_secs(30),
            idle: Duration::from_secs(90),
            handshake: Duration::from_secs(10),
            write: Duration::from_secs(30),
            linger: Duration::from_secs(2),
        }
    }
}

/// A bound socket, what is spoken on it, and who answers.
pub struct Listener {
    /// The socket.
    pub socket: TcpListener,
    /// For `https`.
    pub tls: Option<Tls>,
    /// The part of the API that is served there.
    pub router: Router,
}

/// Serves until `stop` turns true, then lets the requests under way end for at most `grace`.
pub async fn serve(listeners: Vec<Listener>, limits: Limits, stop: watch::Receiver<bool>, grace: Duration) {
    let seats = Seats::new(limits.connections);
    let mut serving: JoinSet<()> = listeners
        .into_iter()
        .map(|listener| accept(listener, limits, Arc::clone(&seats), stop.clone(), grace))
        .collect();
    while serving.join_next().await.is_some() {}
}

async fn accept(
    listener: Listener,
    limits: Limits,
    seats: Arc<Seats>,
    mut stop: watch::Receiver<bool>,
    grace: Duration,
) {
    let Listener { socket, tls, router } = listener;
    let mut connections = JoinSet::new();
    let stopped = stop.clone();
    // A sender that is gone means that the daemon ends.
    let stop = stop.wait_for(|stop| *stop);
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            Some(ended) = connections.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a REST connection ended by a fault of the worker's own: please report it");
                }
                continue;
            }
            _ = &mut stop => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            // The client went away between its call and this one: the next caller is waiting.
            Err(error) if is_callers_own(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "REST connections cannot be accepted; the next try follows in a second");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        // Taken for somebody who has knocked, so that nobody is made to leave for nobody. Once accepted the stream must not
        // be in a branch that another one can cut.
        let place = tokio::select! {
            place = seats.take() => place,
            _ = &mut stop => break,
        };
        let _ = stream.set_nodelay(true);
        connections.spawn(connection::serve(stream, tls.clone(), router.clone(), place, limits, stopped.clone()));
    }
    drop(socket);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(grace, all).await.is_err() {
        tracing::warn!("requests were still under way {} ms after the stop and were cut", grace.as_millis());
    }
}

fn is_callers_own(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may")]
mod tests;
