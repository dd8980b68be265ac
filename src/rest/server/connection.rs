//! Serves one connection, from its handshake to its last answer.
//!
//! Must not know: which requests exist.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{Request, Response};
use hyper::body::{Frame, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::seats::{Seat, Taken, Waits};
use super::stream::ClientStream;
use super::{Limits, Tls};

/// Above this size hyper gives up a head that has not ended. A head that ends, but is larger than
/// [`Limits::head_bytes`], is refused as well; that connection can still be closed in order.
const BUFFER_BYTES: usize = 32 * 1024;

/// Serves the connection until the client, a limit or the stop ends it, or until its place is given to another
/// connection.
pub(super) async fn serve(
    stream: TcpStream,
    tls: Option<Tls>,
    router: Router,
    place: Taken,
    limits: Limits,
    stop: watch::Receiver<bool>,
) {
    let place = Arc::new(place);
    let seat = Arc::clone(place.seat());
    let served = async {
        match tls {
            None => talk(stream, router, place, limits, stop).await,
            Some(tls) => match timeout(limits.handshake, tls.accept(stream)).await {
                Ok(Ok(stream)) => talk(stream, router, place, limits, stop).await,
                Ok(Err(error)) => tracing::debug!(%error, "a REST client's TLS handshake failed"),
                Err(_) => tracing::debug!("a REST client did not end its TLS handshake in time"),
            },
        }
    };
    tokio::select! {
        () = served => {}
        () = seat.left() => tracing::debug!("a REST connection that waited for its client made room for another one"),
    }
}

/// Serves a stream whose handshake is done.
pub(super) async fn talk<S>(
    stream: S,
    router: Router,
    place: Arc<Taken>,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let seat = Arc::clone(place.seat());
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let (router, seat) = (router.clone(), Arc::clone(&seat));
        async move {
            if !seat.turn(&[Waits::ForRequest, Waits::ForHead], Waits::ForAnswer) {
                // The place already belongs to another connection. This error closes the connection, and the client
                // sends again.
                return Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted));
            }
            let request = request.map(|body| Body::new(ClientBody { body, seat: Arc::clone(&seat) }));
            let answer: Result<Response<Body>, Infallible> = router.oneshot(request).await;
            seat.turn(&[Waits::ForBody, Waits::ForAnswer], Waits::ForRequest);
            answer.map_err(|never| match never {})
        }
    });
    let mut http = http1::Builder::new();
    // `ClientStream` measures the time, because it can tell an idle connection from a head that is late.
    http.header_read_timeout(None).max_header_size(limits.head_bytes).max_buf_size(BUFFER_BYTES);
    let stream = TokioIo::new(ClientStream::new(stream, place, limits));
    let mut connection = pin!(http.serve_connection(stream, service));
    // When the sender is gone, the daemon is ending.
    let stopped = async { drop(stop.wait_for(|stop| *stop).await) };
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stopped => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a REST connection ended early");
    }
}

/// The body of a request. While it waits for the client, the connection's place is marked so.
struct ClientBody<B> {
    body: B,
    seat: Arc<Seat>,
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for ClientBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        if frame.is_pending() {
            self.seat.turn(&[Waits::ForAnswer], Waits::ForBody);
        } else {
            self.seat.turn(&[Waits::ForBody], Waits::ForAnswer);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
