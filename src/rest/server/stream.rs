//! A client's stream that has a limit for every wait for the client.
//!
//! hyper reads and writes through it and sees a timeout as an error of the stream. A stream that is dropped is closed
//! in the background. An answer such as 413 or 431 is sent while the client is still sending; closing at once would
//! make the client's system discard that answer.
//!
//! Must not know: TLS, resources.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep_until, timeout};

use super::Limits;
use super::seats::{Taken, Waits};

/// Most bytes that are still read from a client, and thrown away, before its connection is closed.
const LINGER_BYTES: u64 = 16 * 1024 * 1024;

pub(super) struct ClientStream<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> {
    /// `None` only while the stream is being dropped.
    stream: Option<S>,
    place: Option<Arc<Taken>>,
    limits: Limits,
    reading: Pin<Box<Sleep>>,
    writing: Pin<Box<Sleep>>,
    /// Whether a write waits for the client. Its limit is then in `writing`.
    is_write_waiting: bool,
    /// Whether the client did not send its whole head in time. It is answered with 408.
    is_head_late: bool,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> ClientStream<S> {
    pub(super) fn new(stream: S, place: Arc<Taken>, limits: Limits) -> Self {
        let now = Instant::now();
        Self {
            stream: Some(stream),
            place: Some(place),
            limits,
            reading: Box::pin(sleep_until(now)),
            writing: Box::pin(sleep_until(now)),
            is_write_waiting: false,
            is_head_late: false,
        }
    }

    fn stream(&mut self) -> io::Result<Pin<&mut S>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Until when the client may keep the worker waiting. The time for a body is measured by its reader, in
    /// `rest/body.rs`.
    fn deadline(&self) -> Option<Instant> {
        let (waits, since) = self.place.as_ref()?.seat().now();
        match waits {
            Waits::ForRequest => Some(since + self.limits.idle),
            Waits::ForHead => Some(since + self.limits.head),
            Waits::ForBody | Waits::ForAnswer => None,
            Waits::Gone => Some(since),
        }
    }

    fn poll_wrote<T>(&mut self, cx: &mut Context<'_>, wrote: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if wrote.is_ready() {
            self.is_write_waiting = false;
            return wrote;
        }
        if !self.is_write_waiting {
            self.is_write_waiting = true;
            self.writing.as_mut().reset(Instant::now() + self.limits.write);
        }
        self.writing.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> AsyncRead for ClientStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = self.stream()?.poll_read(cx, buf);
        if read.is_ready() {
            if let Some(place) = self.place.as_ref().filter(|_| buf.filled().len() > before) {
                place.seat().turn(&[Waits::ForRequest], Waits::ForHead);
            }
            return read;
        }
        let Some(deadline) = self.deadline() else { return Poll::Pending };
        if self.reading.deadline() != deadline {
            self.reading.as_mut().reset(deadline);
        }
        if self.reading.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        self.is_head_late = self.place.as_ref().is_some_and(|place| place.seat().now().0 == Waits::ForHead);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> AsyncWrite for ClientStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = self.stream()?.poll_write(cx, bytes);
        self.poll_wrote(cx, wrote)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = self.stream()?.poll_write_vectored(cx, bytes);
        self.poll_wrote(cx, wrote)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.stream()?.poll_flush(cx);
        self.poll_wrote(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = self.stream()?.poll_shutdown(cx);
        self.poll_wrote(cx, shut)
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Drop for ClientStream<S> {
    fn drop(&mut self) {
        // Outside of a runtime the process is ending, and its sockets are closed with it.
        let (Some(stream), Ok(runtime)) = (self.stream.take(), Handle::try_current()) else { return };
        let Some(place) = self.place.take().filter(|place| place.seat().now().0 != Waits::Gone) else { return };
        // From here on the connection only waits for its client, so that its place may be given to another one.
        place.seat().turn(&[Waits::ForHead, Waits::ForBody, Waits::ForAnswer], Waits::ForRequest);
        let (is_head_late, limit) = (self.is_head_late, self.limits.linger);
        runtime.spawn(async move {
            tokio::select! {
                // Whether this fails does not matter: the connection ends in either case.
                _ = timeout(limit, close(stream, is_head_late)) => {}
                () = place.seat().left() => {}
            }
        });
    }
}

async fn close(mut stream: impl AsyncRead + AsyncWrite + Unpin, is_head_late: bool) -> io::Result<()> {
    if is_head_late {
        stream.write_all(b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await?;
    }
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(LINGER_BYTES), &mut tokio::io::sink()).await?;
    Ok(())
}
