//! The stream of events (the hot path): reads bytes, finds events in them, notices the end and the silence of a server.

use std::ops::Range;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::FutureExt;
use tokio::time::{Instant, timeout, timeout_at};

use super::connection::Connection;
use super::dump::{Dump, Start};
use super::identity::Identity;
use super::options::ConnectOptions;
use super::packets::{self, next_packet};
use crate::error::{Error, ServerError};

/// A server is silent when it sends nothing for this many of the periods in which it was to show that it lives.
const SILENT_PERIODS: u64 = 3;

/// A connection that dumps the binlog. It does not reconnect: whoever reads it knows up to where it has read.
///
/// The caller owns the buffer, which must be the same one over the life of a dump, fills it with [`Replication::fill`] and
/// takes events out of it with [`Replication::next`]. An event's bytes are the server's own: header, body, and the checksum
/// at the end where the binlog has one.
#[derive(Debug)]
pub struct Replication {
    connection: Connection,
    start: Start,
    server_id: u32,
    checksum: String,
    identity: Identity,
    silent_after: Option<Duration>,
    /// When the last bytes came. `None` before the first: a server may look through its binlogs for a long time before it
    /// sends anything.
    last_read: Option<Instant>,
}

/// What stands in the buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A whole event.
    Event {
        /// Where the event's bytes stand in the buffer.
        event: Range<usize>,
        /// Where to look for the next event.
        end: usize,
    },
    /// The event is not there yet. `need` bytes, counted from where was looked, are wanted before it is worth looking again.
    /// The caller reserves the room, for which it may first want a lease.
    Incomplete {
        /// Length in bytes.
        need: usize,
    },
    /// The server has ended the dump in order: it shuts down, or its binlog ends and the dump was asked until there.
    End,
}

impl Replication {
    /// Connects, registers as a replica and asks for the binlog.
    pub async fn start(options: &ConnectOptions, dump: &Dump) -> Result<Self, Error> {
        let mut connection = Connection::open(&ConnectOptions { paced: true, ..options.clone() }).await?;
        let limit = Duration::from_millis(options.connect_timeout_ms);
        let asking = async {
            let identity = Identity::of(&mut connection).await?;
            Ok::<_, Error>((identity, dump.ask(&mut connection).await?))
        };
        let (identity, checksum) =
            timeout(limit, asking).await.map_err(|_| super::socket::late("asking for the binlog", options))??;
        let silent_after =
            Some(Duration::from_millis(dump.heartbeat_ms * SILENT_PERIODS)).filter(|span| !span.is_zero());
        let (start, server_id) = (dump.start.clone(), dump.server_id);
        Ok(Self { connection, start, server_id, checksum, identity, silent_after, last_read: None })
    }

    /// `host:port`, for messages.
    pub fn at(&self) -> String {
        self.connection.options.at()
    }

    /// The checksum that the server used when the dump began: `NONE` or `CRC32`. Each binlog file says its own again.
    pub fn checksum(&self) -> &str {
        &self.checksum
    }

    /// Which server sends the binlog.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        self.connection.is_tls()
    }

    /// The number of this connection on the server, for `KILL`.
    pub fn connection_id(&self) -> u32 {
        self.connection.greeting().connection_id
    }

    /// Waits for bytes and appends one read of them to `buffer`. A full buffer grows by a little; for larger reads the caller
    /// reserves room. The future may be dropped without losing bytes.
    ///
    /// # Errors
    /// The end of the connection, and a server that is silent for three periods of its heartbeat.
    pub async fn fill(&mut self, buffer: &mut BytesMut) -> Result<usize, Error> {
        let filling = self.connection.fill(buffer);
        let read = match self.silent_after.zip(self.last_read) {
            // What is there already is read even when the deadline is over, because nobody may have read for a while.
            Some((limit, last)) => {
                let Ok(read) = timeout_at(last + limit, filling).await else {
                    let silent_ms = last.elapsed().as_millis() as u64;
                    return Err(Error::Silent { at: self.connection.options.at(), silent_ms });
                };
                read
            }
            None => filling.await,
        };
        self.took(read).map(|read| read.unwrap_or(0))
    }

    /// As [`Replication::fill`], but `None` at once when nothing is to be read now ([`relational::Tcp`]).
    pub fn try_fill(&mut self, buffer: &mut BytesMut) -> Result<Option<usize>, Error> {
        match self.connection.fill(buffer).now_or_never() {
            None => Ok(None),
            Some(read) => self.took(read),
        }
    }

    fn took(&mut self, read: std::io::Result<usize>) -> Result<Option<usize>, Error> {
        let read = read.map_err(|source| self.connection.io("reading the binlog", source))?;
        self.last_read = Some(Instant::now());
        Ok(Some(read))
    }

    /// Looks for the event that begins at `from` of `buffer`. An event that was returned must be passed over (`end`): the
    /// pieces of a long one have been moved together.
    ///
    /// # Errors
    /// What the server says instead of an event, and bytes that are not of the protocol.
    #[inline]
    pub fn next(&mut self, buffer: &mut BytesMut, from: usize) -> Result<Next, Error> {
        let Some(rest) = buffer.get_mut(from..) else { return Ok(Next::Incomplete { need: 0 }) };
        match next_packet(rest, self.connection.sequence) {
            packets::Next::Packet(packet) => {
                self.connection.sequence = packet.sequence;
                let payload = &rest[packet.payload.clone()];
                if payload.first() == Some(&0) {
                    let event = from + packet.payload.start + 1..from + packet.payload.end;
                    return Ok(Next::Event { event, end: from + packet.consumed });
                }
                self.other(payload)
            }
            packets::Next::Incomplete { need } => Ok(Next::Incomplete { need }),
            packets::Next::Bad(bad) => Err(Error::bad_packet("reading the binlog", bad)),
        }
    }

    /// A packet that is no event.
    #[cold]
    fn other(&self, payload: &[u8]) -> Result<Next, Error> {
        if let Some(server) = ServerError::parse(payload) {
            return Err(self.ended(server));
        }
        if payload.first() == Some(&0xfe) && payload.len() < 9 {
            return Ok(Next::End);
        }
        Err(self.connection.protocol("reading the binlog", "a packet is neither an event nor an error nor the end"))
    }

    /// The error for a dump that the server ended. Nearly all troubles of a dump have the number 1236; the text tells them
    /// apart (MySQL: `rpl_binlog_sender.cc`, MariaDB: `sql_repl.cc`; the server does not translate these texts).
    fn ended(&self, server: ServerError) -> Error {
        let (at, position) = (self.connection.options.at(), self.start.to_string());
        let says = |parts: &[&str]| parts.iter().any(|part| server.message.contains(part));
        // ER_SLAVE_SAME_ID of MariaDB.
        if server.number == 4052 {
            return Error::ServerIdTaken { at, server_id: self.server_id, server: Box::new(server) };
        }
        if server.number != 1236 {
            return Error::Dump { at, position, server: Box::new(server) };
        }
        if says(&["with the same server_uuid/server_id", "same server_id", "same server id"]) {
            return Error::ServerIdTaken { at, server_id: self.server_id, server: Box::new(server) };
        }
        if says(&[
            "purged",
            "Could not find first log file name",
            "Could not find GTID state",
            "not in the master's binlog",
            "impossible position",
            "position > file size",
            "has more GTIDs than",
        ]) {
            return Error::BinlogLost { at, position, server: Box::new(server) };
        }
        Error::Dump { at, position, server: Box::new(server) }
    }

    /// Ends the dump: closes the socket, after which the server's thread ends at its next event or heartbeat.
    pub async fn close(self) {
        self.connection.close().await;
    }
}

#[cfg(test)]
mod tests;
