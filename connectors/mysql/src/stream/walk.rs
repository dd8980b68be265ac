//! Reads a part of the binlog that is there already, beside the stream and over a connection of its own, to look for something
//! in it. Events that are of no interest cost no memory, however large they are decompressed.
//!
//! Must not know: what is looked for.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use relational::{Lease, Outlet};
use tokio::task::yield_now;
use tokio::time::timeout;

use crate::binlog::{BinlogError, Body, Checksum, EventKind, HEADER_LEN, Payload, PayloadReader, Reader};
use crate::error::Error;
use crate::wire::{ConnectOptions, Dump, Identity, Next, Replication, Start};

/// An event up to this size is read without a lease of the byte budget.
const SMALL_BYTES: usize = 320 << 10;
/// So long a lease is waited for: the stream waits meanwhile, and may be what holds the budget.
const PATIENCE: Duration = Duration::from_secs(5);
/// An event in a compressed transaction that is longer than this is not read.
const MOST_INNER_BYTES: usize = 16 << 20;

/// See the module.
#[derive(Debug)]
pub(crate) struct Walk<'o> {
    link: Replication,
    buffer: BytesMut,
    at: usize,
    lease: Option<Lease>,
    outlet: &'o Outlet,
}

/// What comes next.
#[derive(Debug)]
pub(crate) enum Found<'b> {
    /// The bytes of an event.
    Event(&'b [u8]),
    /// An event of more bytes than the caller takes.
    TooLarge,
    /// The binlog ends.
    End,
}

/// An event of a compressed transaction.
#[derive(Debug)]
pub(crate) enum Inner<'b> {
    Read(Body<'b>),
    /// It is too large to be read.
    TooLarge,
}

impl<'o> Walk<'o> {
    /// Begins at a place of the binlog; ends where the binlog ends.
    pub(crate) async fn from(
        options: &ConnectOptions,
        (file, position): (&str, u64),
        outlet: &'o Outlet,
    ) -> Result<Self, Error> {
        let dump = Dump {
            start: Start::Position { file: file.to_owned(), position },
            server_id: 0,
            heartbeat_ms: 0,
            net_write_timeout_s: 0,
            net_read_timeout_s: 0,
            annotate_rows: false,
            until_end: true,
        };
        let link = Replication::start(options, &dump).await?;
        Ok(Self { link, buffer: BytesMut::new(), at: 0, lease: None, outlet })
    }

    /// Which server sends it.
    pub(crate) fn identity(&self) -> &Identity {
        self.link.identity()
    }

    /// How the first events are protected.
    pub(crate) fn checksum(&self) -> Checksum {
        if self.link.checksum() == "NONE" { Checksum::None } else { Checksum::Crc32 }
    }

    /// The next event, of at most so many bytes.
    pub(crate) async fn next(&mut self, most_bytes: u64) -> Result<Found<'_>, Error> {
        loop {
            match self.link.next(&mut self.buffer, self.at)? {
                Next::Event { event, end } => {
                    self.at = end;
                    return Ok(Found::Event(&self.buffer[event]));
                }
                Next::Incomplete { need } if need as u64 > most_bytes => return Ok(Found::TooLarge),
                Next::Incomplete { need } => {
                    let _read = self.buffer.split_to(std::mem::take(&mut self.at));
                    if self.lease.is_none() {
                        self.lease = leased(self.outlet, need).await;
                    }
                    self.buffer.reserve(need.saturating_sub(self.buffer.len()));
                    self.link.fill(&mut self.buffer).await?;
                }
                Next::End => return Ok(Found::End),
            }
        }
    }

    /// Ends it.
    pub(crate) async fn close(self) {
        self.link.close().await;
    }
}

/// Gives `take` the events of these kinds out of a compressed transaction, which `reader` has just met.
pub(crate) async fn unpack(
    reader: &Reader,
    payload: Payload<'_>,
    kinds: &[EventKind],
    outlet: &Outlet,
    mut take: impl FnMut(Inner<'_>),
) -> Result<(), BinlogError> {
    let mut reader = reader.clone();
    let data = Bytes::copy_from_slice(payload.data);
    let inner = PayloadReader::new(payload.compression, payload.uncompressed_len, data);
    let mut inner = inner.map_err(|fault| reader.error(fault))?;
    let mut buffer = BytesMut::new();
    while let Some(header) = inner.header(&mut buffer).map_err(|fault| reader.error(fault))? {
        let (length, is_wanted) = (header.length as usize, kinds.contains(&header.kind));
        let is_read = is_wanted && length <= MOST_INNER_BYTES;
        let lease = if is_read { leased(outlet, length).await } else { None };
        let mut left = length - HEADER_LEN;
        while left > 0 {
            left -= inner.step(left, &mut buffer).map_err(|fault| reader.error(fault))?;
            if !is_read {
                buffer.clear();
            }
            // A transaction may be of any length, and others wait for this thread.
            yield_now().await;
        }
        if is_read {
            take(Inner::Read(reader.inner(&buffer, 0)?.body));
        } else if is_wanted {
            take(Inner::TooLarge);
        }
        buffer.clear();
        drop(lease);
    }
    Ok(())
}

/// A lease of the byte budget for a large event, if it can be had soon.
async fn leased(outlet: &Outlet, bytes: usize) -> Option<Lease> {
    if bytes <= SMALL_BYTES {
        return None;
    }
    timeout(PATIENCE, outlet.lease(bytes)).await.ok()
}
