//! A client's stream with a limit on every wait for that client.
//!
//! HTTP's own code (hyper) reads and writes through it and sees a time-out as an error of the stream. What is dropped is
//! closed in the background: an answer such as 413 or 431 goes out while the client still sends, and closing at once would
//! make the client's system throw that answer away.
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

/// How much of what a client still sends is read, and thrown away, before its connection is closed.
const LINGER_BYTES: u64 = 16 * 1024 * 1024;

pub(super) struct ClientStream<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> {
    /// `None` only while it is being dropped.
    stream: Option<S>,
    place: Option<Arc<Taken>>,
    limits: Limits,
    reading: Pin<Box<Sleep>>,
    writing: Pin<Box<Sleep>>,
    /// A write waits for the client, and `writing` is set.
    is_write_waiting: bool,
    /// The client did not bring its head to an end in time, and is told so.
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

    /// Until when the client may keep the worker waiting; a body's time is the matter of who reads it.
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
        // Outside of a runtime the process ends, and its sockets with it.
        let (Some(stream), Ok(runtime)) = (self.stream.take(), Handle::try_current()) else { return };
        let Some(place) = self.place.take().filter(|place| place.seat().now().0 != Waits::Gone) else { return };
        // From here on only the client is waited for, and the place can be had by somebody else.
        place.seat().turn(&[Waits::ForHead, Waits::ForBody, Waits::ForAnswer], Waits::ForRequest);
        let (is_head_late, limit) = (self.is_head_late, self.limits.linger);
        runtime.spawn(async move {
            tokio::select! {
                // Whatever fails here, the connection is at its end.
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
