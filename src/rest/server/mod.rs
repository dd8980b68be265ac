//! Listeners and connections: who is let in, how long a client may keep the worker waiting, and how connections end.
//!
//! Purpose: a client that is slow, silent or hostile costs a bounded amount of memory and time, and delays nobody else.
//! Heads and bodies are bounded, and every wait for a client has a limit ([`Limits`]). When all places are taken, the
//! connection whose client has kept the worker waiting longest is closed for the next one (`seats.rs`).
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

/// What a client may cost. The bounds of bodies are in `rest/body.rs`.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most connections of all listeners together.
    pub connections: usize,
    /// Most bytes of a request's first line and headers, as in Jetty. A larger head is answered with 431.
    pub head_bytes: usize,
    /// Time from the first byte of a head to its last. A later end is answered with 408.
    pub head: Duration,
    /// Time without a request after which a connection is closed, as in Connect.
    pub idle: Duration,
    /// Time for the TLS handshake.
    pub handshake: Duration,
    /// Time in which the client must take at least one byte of the answer.
    pub write: Duration,
    /// Time for the client to read an answer to a request that was not read whole, such as a body that is too large.
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

/// A bound socket, its protocol, and the router that answers.
pub struct Listener {
    /// The bound socket.
    pub socket: TcpListener,
    /// Set for `https`.
    pub tls: Option<Tls>,
    /// The part of the API that is served there.
    pub router: Router,
}

/// Serves until `stop` turns true. Requests under way may then take `grace` longer.
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
    // When the sender is gone, the daemon is ending.
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
            // The client went away before its connection was accepted. The next one may be waiting.
            Err(error) if is_callers_own(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "REST connections cannot be accepted; the next try follows in a second");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        // A place is taken only once a connection is waiting, so that no other one is closed for nothing. Once it is
        // accepted, the stream must not be held by a `select!` branch, because another branch may cancel that one.
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
