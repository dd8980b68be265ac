//! A TCP connection that is read at intervals while changes come without a pause.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::mem;
use std::ops::RangeInclusive;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::coop::poll_proceed;
use tokio::time::{Instant, Sleep, sleep};

/// A connection to a server that writes each row to its socket by itself. A reader that is faster than the server would be
/// woken for every row and read it with a system call of its own. So a paced connection that was read [`READS`] times in two
/// milliseconds leaves the reactor, which would wake up for every segment that arrives, and is read at [intervals](INTERVAL). It
/// comes back as soon as an interval brings less than [`LITTLE_BYTES`], or when a write has to wait.
///
/// From a server that is near it takes little at a time ([`WINDOW_BYTES`]), so that the window is closed between two reads.
/// Rows that cannot be sent yet are put together by the server's kernel and come in one segment. Each row in a segment of its
/// own would cost both sides more, and the server by far the most: BENCHMARKS.md, "A closed window".
///
/// Without pace it is a plain [`TcpStream`]. One task at a time may use it: leaving the reactor forgets a writer that waits in it.
#[derive(Debug)]
pub struct Tcp {
    socket: Socket,
    pace: Option<Pace>,
}

/// Reads within [`SOON`] after which the connection is read at intervals.
const READS: u32 = 24;
const SOON: Duration = Duration::from_millis(2);
/// The time between two reads at intervals; tokio's clock ticks once in a millisecond and rounds up, so it takes up to one more.
/// The longer one makes the window close, if the server sends enough to close it; the shorter one keeps the rate of a server that
/// is held up by it.
const INTERVAL: Duration = Duration::from_millis(2);
const INTERVAL_OF_MUCH: Duration = Duration::from_millis(1);
/// So many bytes in an interval have closed the window, which a newer Linux makes almost as large as the receive buffer.
const MUCH_BYTES: usize = 96 * 1024;
/// An older Linux makes the window half of the receive buffer. It shows in this many intervals in a row that bring so much, and
/// never more. (An interval with an open window may bring as much, but then others bring more.)
const HALVES: u32 = 64;
const HALF_BYTES: RangeInclusive<usize> = 48 * 1024..=66 * 1024;
/// Fewer bytes than this in an interval, 24 rows of 85 bytes, are no more than [`READS`] in [`SOON`].
const LITTLE_BYTES: usize = 2 * 1024;
/// The longest read at an interval: the room for it is filled with zeroes first. A read that brings less ends the interval, and
/// what the server sends into the window that it opened stays for the next one.
const READ_BYTES: usize = 64 * 1024;
/// The receive buffer of a connection to a server that is [`NEAR`]. The kernel doubles it, and counts its own records too.
const WINDOW_BYTES: usize = 64 * 1024;
/// A connection that was made within this time is near. Over a longer way a small window would limit the rate, so there the
/// kernel chooses it.
const NEAR: Duration = Duration::from_micros(500);

#[derive(Debug)]
enum Socket {
    /// The reactor wakes whoever waits.
    Woken(TcpStream),
    /// Read at intervals. It does not block either.
    Apart(std::net::TcpStream),
    /// Moving it between the two failed, which the next call says.
    Lost(Option<io::Error>),
}

#[derive(Debug)]
struct Pace {
    /// Reads of a woken socket since `began`.
    reads: u32,
    began: Instant,
    /// Bytes since the last rest.
    bytes: usize,
    /// Intervals in a row that brought half a window.
    halves: u32,
    /// Nothing is to be read before it is over.
    rest: Pin<Box<Sleep>>,
}

impl Pace {
    fn rest(&mut self) {
        let interval = interval_after(self.bytes, &mut self.halves);
        self.bytes = 0;
        self.rest.as_mut().reset(Instant::now() + interval);
    }

    /// Notes a read of a woken socket; true if there have been many in a short time.
    fn is_fast(&mut self) -> bool {
        self.reads += 1;
        if self.reads < READS {
            return false;
        }
        self.reads = 0;
        let now = Instant::now();
        now.duration_since(mem::replace(&mut self.began, now)) < SOON
    }
}

impl Tcp {
    /// A connection that is read as soon as something arrives.
    pub fn new(tcp: TcpStream) -> Self {
        Self { socket: Socket::Woken(tcp), pace: None }
    }

    /// Connects to the first address of a name that answers. Also says how long that address took, which is one way there and
    /// back.
    ///
    /// # Errors
    /// The last address's, or that of resolving the name.
    pub async fn reach(host: &str, port: u16) -> io::Result<(TcpStream, Duration)> {
        let mut failed = None;
        for address in lookup_host((host, port)).await? {
            let began = Instant::now();
            match TcpStream::connect(address).await {
                Ok(tcp) => return Ok((tcp, began.elapsed())),
                Err(error) => failed = Some(error),
            }
        }
        Err(failed.unwrap_or_else(|| io::Error::new(ErrorKind::NotFound, "the name has no address")))
    }

    /// A connection that is read at intervals under load; [`reach`](Self::reach) took `round_trip`.
    ///
    /// # Errors
    /// What setting the receive buffer gives.
    ///
    /// # Panics
    /// Outside of a runtime whose clock is enabled.
    pub fn paced(tcp: TcpStream, round_trip: Duration) -> io::Result<Self> {
        let window_bytes = window_bytes(round_trip);
        tracing::debug!(round_trip_us = round_trip.as_micros() as u64, window_bytes, "a stream's receive buffer");
        if let Some(bytes) = window_bytes {
            SockRef::from(&tcp).set_recv_buffer_size(bytes)?;
        }
        let (began, rest) = (Instant::now(), Box::pin(sleep(Duration::ZERO)));
        let pace = Pace { reads: 0, began, bytes: 0, halves: 0, rest };
        Ok(Self { socket: Socket::Woken(tcp), pace: Some(pace) })
    }

    fn leave_reactor(&mut self) {
        self.socket = match mem::replace(&mut self.socket, Socket::Lost(None)) {
            Socket::Woken(tcp) => tcp.into_std().map_or_else(|error| Socket::Lost(Some(error)), Socket::Apart),
            other => other,
        };
    }

    fn come_back(&mut self) {
        self.socket = match mem::replace(&mut self.socket, Socket::Lost(None)) {
            Socket::Apart(tcp) => {
                TcpStream::from_std(tcp).map_or_else(|error| Socket::Lost(Some(error)), Socket::Woken)
            }
            other => other,
        };
    }

    /// The socket in the reactor, where it is brought back to if it was apart.
    fn woken(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        if matches!(self.socket, Socket::Apart(_)) {
            self.come_back();
        }
        match &mut self.socket {
            Socket::Woken(tcp) => Ok(Pin::new(tcp)),
            Socket::Lost(error) => Err(error.take().unwrap_or_else(|| ErrorKind::NotConnected.into())),
            Socket::Apart(_) => Err(ErrorKind::NotConnected.into()),
        }
    }
}

/// How long to rest after an interval that brought so many bytes.
fn interval_after(bytes: usize, halves: &mut u32) -> Duration {
    *halves = if HALF_BYTES.contains(&bytes) { (*halves + 1).min(HALVES) } else { 0 };
    if bytes >= MUCH_BYTES || *halves == HALVES { INTERVAL_OF_MUCH } else { INTERVAL }
}

/// The receive buffer of a connection that took `round_trip` to make; `None` where the kernel is to choose it.
fn window_bytes(round_trip: Duration) -> Option<usize> {
    (round_trip < NEAR).then_some(WINDOW_BYTES)
}

impl AsyncRead for Tcp {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let (Socket::Apart(tcp), Some(pace)) = (&mut this.socket, &mut this.pace) {
            // The clock is asked first: a timer may be over without the runtime having noticed.
            if Instant::now() < pace.rest.deadline() {
                ready!(pace.rest.as_mut().poll(cx));
            }
            let turn = ready!(poll_proceed(cx));
            let room = buffer.remaining().min(READ_BYTES);
            match tcp.read(buffer.initialize_unfilled_to(room)) {
                Ok(read) => {
                    turn.made_progress();
                    buffer.advance(read);
                    pace.bytes += read;
                    if read == room {
                        // There may be more, which is read at once.
                    } else if pace.bytes < LITTLE_BYTES {
                        this.come_back();
                    } else {
                        pace.rest();
                    }
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock && pace.bytes >= LITTLE_BYTES => {
                    pace.rest();
                    // Registers the waker with the clock; it cannot be over yet, and if it were, the caller reads again.
                    if pace.rest.as_mut().poll(cx).is_ready() {
                        cx.waker().wake_by_ref();
                    }
                    return Poll::Pending;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        ready!(this.woken()?.poll_read(cx, buffer))?;
        if let Some(pace) = &mut this.pace
            && pace.is_fast()
        {
            pace.rest();
            this.leave_reactor();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tcp {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Socket::Apart(tcp) = &mut this.socket {
            match tcp.write_vectored(pieces) {
                Err(error) if error.kind() == ErrorKind::Interrupted || error.kind() == ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
        this.woken()?.poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket has nothing to flush.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().woken()?.poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpSocket};

    async fn pair() -> (Tcp, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (client, server) = tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let server = server.unwrap().0;
        server.set_nodelay(true).unwrap();
        (Tcp::paced(client.unwrap(), Duration::ZERO).unwrap(), server)
    }

    /// Sends small pieces, one after each read, until the reader reads at intervals.
    async fn set_apart(reader: &mut Tcp, server: &mut TcpStream) {
        for _ in 0..10_000 {
            server.write_all(b"row").await.unwrap();
            let mut row = [0; 3];
            reader.read_exact(&mut row).await.unwrap();
            assert_eq!(&row, b"row");
            if matches!(reader.socket, Socket::Apart(_)) {
                return;
            }
        }
        panic!("10,000 small reads were never 24 in two milliseconds");
    }

    #[tokio::test]
    async fn many_small_reads_set_it_apart_and_an_interval_with_little_brings_it_back() {
        let (mut reader, mut server) = pair().await;
        set_apart(&mut reader, &mut server).await;
        let mut room = [0; LITTLE_BYTES * 2];
        for _ in 0..3 {
            server.write_all(&[7; LITTLE_BYTES]).await.unwrap();
            assert_eq!(reader.read(&mut room).await.unwrap(), LITTLE_BYTES);
            assert!(matches!(reader.socket, Socket::Apart(_)), "{reader:?}");
        }
        server.write_all(b"x").await.unwrap();
        assert_eq!(reader.read(&mut room).await.unwrap(), 1);
        assert!(matches!(reader.socket, Socket::Woken(_)), "{reader:?}");
    }

    #[test]
    fn an_interval_is_short_when_the_last_one_closed_the_window() {
        let mut halves = 0;
        assert_eq!(interval_after(MUCH_BYTES, &mut halves), INTERVAL_OF_MUCH);
        for _ in 1..HALVES {
            assert_eq!(interval_after(64 * 1024, &mut halves), INTERVAL);
        }
        assert_eq!(interval_after(64 * 1024, &mut halves), INTERVAL_OF_MUCH);
        assert_eq!(interval_after(50 * 1024, &mut halves), INTERVAL_OF_MUCH);
        assert_eq!(interval_after(80 * 1024, &mut halves), INTERVAL);
        assert_eq!(interval_after(64 * 1024, &mut halves), INTERVAL);
    }

    #[test]
    fn a_server_far_away_gets_the_window_that_the_kernel_chooses() {
        assert_eq!(window_bytes(NEAR), None);
        assert_eq!(window_bytes(NEAR / 2), Some(WINDOW_BYTES));
    }

    #[tokio::test]
    async fn a_name_that_leads_nowhere_is_an_error() {
        // Bound, and not listening.
        let bound = TcpSocket::new_v4().unwrap();
        bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let port = bound.local_addr().unwrap().port();
        assert_eq!(Tcp::reach("127.0.0.1", port).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        assert!(Tcp::reach("no\0host", 1).await.is_err());
    }

    #[tokio::test]
    async fn a_reader_that_is_apart_sees_the_end() {
        let (mut reader, mut server) = pair().await;
        set_apart(&mut reader, &mut server).await;
        drop(server);
        assert_eq!(reader.read(&mut [0; 8]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn an_interval_without_bytes_brings_it_back() {
        let (mut reader, mut server) = pair().await;
        set_apart(&mut reader, &mut server).await;
        let late = async {
            sleep(INTERVAL * 20).await;
            server.write_all(b"x").await.unwrap();
        };
        let (byte, ()) = tokio::join!(reader.read_u8(), late);
        assert_eq!(byte.unwrap(), b'x');
        assert!(matches!(reader.socket, Socket::Woken(_)), "{reader:?}");
    }

    #[tokio::test]
    async fn bytes_that_come_in_any_pieces_are_read_once_and_in_order() {
        let (mut reader, mut server) = pair().await;
        let sent: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
        let pieces = [1, 90, 7, 130, 2_000, 100_000, 40];
        let copy = sent.clone();
        let writer = tokio::spawn(async move {
            let mut rest = &copy[..];
            for piece in pieces.iter().cycle() {
                let (piece, others) = rest.split_at(rest.len().min(*piece));
                server.write_all(piece).await.unwrap();
                if others.is_empty() {
                    break;
                }
                rest = others;
            }
        });
        let mut found = Vec::new();
        reader.read_to_end(&mut found).await.unwrap();
        writer.await.unwrap();
        assert!(found == sent, "{} of {} bytes", found.len(), sent.len());
    }

    #[tokio::test]
    async fn a_reader_that_is_apart_writes() {
        let (mut reader, mut server) = pair().await;
        set_apart(&mut reader, &mut server).await;
        // More than the buffers of two sockets hold, so that the writer has to wait for room.
        let sent = vec![9; 64 << 20];
        let mut found = vec![0; sent.len()];
        let (written, read) = tokio::join!(reader.write_all(&sent), server.read_exact(&mut found));
        written.unwrap();
        read.unwrap();
        assert!(found == sent);
        assert!(matches!(reader.socket, Socket::Woken(_)), "{reader:?}");
    }
}
