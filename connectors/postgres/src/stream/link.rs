//! The streaming connection, and what the server is told over it.
//!
//! The server ends a connection on which it hears nothing for `wal_sender_timeout`, and it keeps its log until a position
//! is confirmed. Statuses, which confirm positions too, are therefore sent on a clock of their own: whatever the loop waits
//! for (the catalogue, the byte budget, a place in the queue), and also when it never waits because changes never pause.
//!
//! Must not know: what the bytes mean, SQL.

use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::BytesMut;
use record::Position;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::silence::{Serving, Silence, Verdict};
use crate::error::Error;
use crate::lsn::Lsn;
use crate::position::{LSN, LSN_COMMIT, LSN_PROC};
use crate::wire::Replication;

/// The settings of a streaming connection.
#[derive(Clone, Debug)]
pub(crate) struct LinkOptions {
    /// The name of the slot that is streamed from, for errors and the log.
    pub(crate) slot: String,
    /// `status.update.interval.ms`, or less if `wal_sender_timeout` demands it.
    pub(crate) status_interval: Duration,
    /// `lsn.flush.mode` other than manual: stored positions are confirmed.
    pub(crate) confirms: bool,
    /// The slot's `confirmed_flush_lsn` when the stream begins.
    pub(crate) confirmed: Lsn,
}

/// A streaming connection, and the clock of its statuses.
pub(crate) struct Link {
    replication: Replication,
    options: LinkOptions,
    /// The last position that is durably stored.
    stored: watch::Receiver<Option<Position>>,
    pub(super) received: Lsn,
    confirmed: Lsn,
    last_status: Instant,
    next_status: Instant,
    silence: Silence,
}

/// The LSN to confirm (`confirmed_flush_lsn`) once this position is stored: the server does not send again what was committed
/// before it.
///
/// That is the end of the last commit. A stream that has not seen a commit yet has only the LSN of a row in its first
/// transaction, which is still open; that one is safe too. Logical decoding sends transactions in the order of their commits,
/// so all that were committed before that LSN came before the row. The transaction itself is committed after it, so the server
/// sends it again whole: what is read again is decided by the slot's `restart_lsn`, which the server keeps at or before the
/// begin of every transaction that it may have to send (PostgreSQL's manual, "pg_replication_slots").
fn confirmable(position: &Position) -> Lsn {
    let lsn = position.word(LSN_COMMIT).or(position.word(LSN_PROC)).or(position.word(LSN)).unwrap_or(0);
    Lsn(lsn as u64)
}

impl Link {
    pub(crate) fn new(
        replication: Replication,
        stored: watch::Receiver<Option<Position>>,
        options: LinkOptions,
    ) -> Self {
        let now = Instant::now();
        Self {
            replication,
            stored,
            received: options.confirmed,
            confirmed: options.confirmed,
            last_status: now,
            next_status: now + options.status_interval,
            silence: Silence::new(options.status_interval),
            options,
        }
    }

    /// The slot that is streamed from.
    pub(super) fn slot(&self) -> &str {
        &self.options.slot
    }

    /// Reads what is there; false when nothing is to be read now ([`relational::Tcp`]).
    pub(super) fn try_read(&mut self, buffer: &mut BytesMut) -> Result<bool, Error> {
        match self.replication.try_fill(buffer) {
            Ok(Some(_)) => {
                self.heard();
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(error) => Err(self.replication.stream_error(error)),
        }
    }

    /// Waits for bytes. The future may be dropped without losing any. The caller then calls [`heard`](Self::heard).
    pub(super) async fn read(&mut self, buffer: &mut BytesMut) -> Result<(), Error> {
        match self.replication.fill(buffer).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.replication.stream_error(error)),
        }
    }

    /// Notes that bytes were read.
    pub(super) fn heard(&mut self) {
        self.silence.heard(Instant::now());
    }

    /// Whether bytes have come after a silence that the task's status had reported. Returns true once per reported silence.
    pub(super) fn speaks_again(&mut self) -> bool {
        self.silence.take_ended()
    }

    /// When the next status is due.
    pub(super) fn due(&self) -> Instant {
        self.next_status
    }

    /// Sends the status that is due, if one is, with the stored position.
    pub(super) async fn keep(&mut self) -> Result<(), Error> {
        if Instant::now() < self.next_status {
            return Ok(());
        }
        self.note_stored();
        // A reply is requested only if the server has sent nothing since the last status.
        let is_quiet = !self.silence.heard_since(self.last_status);
        self.status(is_quiet).await
    }

    /// Confirms the stored position, if it is beyond what was confirmed.
    pub(super) async fn confirm(&mut self) -> Result<(), Error> {
        if self.note_stored() { self.status(false).await } else { Ok(()) }
    }

    /// Answers a keepalive that requests a reply.
    pub(super) async fn answer(&mut self) -> Result<(), Error> {
        self.note_stored();
        self.status(false).await
    }

    /// Takes over the stored position; true if it is beyond what was confirmed.
    fn note_stored(&mut self) -> bool {
        let stored = self.stored.borrow_and_update().as_ref().map(confirmable);
        match stored.filter(|lsn| self.options.confirms && *lsn > self.confirmed) {
            Some(lsn) => {
                self.confirmed = lsn;
                true
            }
            None => false,
        }
    }

    async fn status(&mut self, reply: bool) -> Result<(), Error> {
        let now = Instant::now();
        self.last_status = now;
        self.next_status = now + self.silence.status_interval(self.options.status_interval, now);
        let received = self.received.max(self.confirmed);
        let sent = self.replication.send_status(received, self.confirmed, self.confirmed, reply).await;
        sent.map_err(|error| self.replication.stream_error(error))
    }

    /// Waits for something other than the server, and sends the statuses that are due meanwhile. Nothing is read for so long,
    /// so this time does not count as a silence of the server.
    pub(super) async fn while_waiting<T>(&mut self, waited: impl Future<Output = T>) -> Result<T, Error> {
        let mut waited = pin!(waited);
        loop {
            let done = tokio::select! {
                biased;
                done = &mut waited => Some(done),
                () = sleep_until(self.next_status) => None,
            };
            self.silence.nobody_listens(Instant::now());
            match done {
                Some(done) => return Ok(done),
                None => self.keep().await?,
            }
        }
    }

    /// As [`while_waiting`](Self::while_waiting), for the question why the server is silent: the silence goes on.
    pub(super) async fn while_asking<T>(&mut self, asked: impl Future<Output = T>) -> Result<T, Error> {
        let mut asked = pin!(asked);
        loop {
            tokio::select! {
                biased;
                done = &mut asked => return Ok(done),
                () = sleep_until(self.next_status) => self.keep().await?,
            }
        }
    }

    /// Whether the server has been silent for so long that it is to be asked over another connection.
    pub(super) fn is_silent(&self) -> bool {
        self.silence.asks(Instant::now())
    }

    /// Takes the answer that came over another connection. Returns the text for the task's status, or the error that ends
    /// the stream.
    pub(super) fn explained(&mut self, serving: &Serving) -> Result<String, Error> {
        let verdict = self.silence.answered(serving, Instant::now());
        if let Verdict::GiveUp(reason) = verdict {
            let silent_ms = self.silence.lasts().as_millis() as u64;
            return Err(Error::Silent {
                slot: self.options.slot.clone(),
                at: self.replication.at(),
                silent_ms,
                reason,
            });
        }
        Ok(serving.explained(&self.options.slot))
    }

    /// Confirms the last stored position, and ends the stream in order. `buffer` is the one that was read into.
    pub(super) async fn finish(mut self, last: Option<Position>, buffer: &mut BytesMut, within: Duration) {
        if self.options.confirms {
            self.confirmed = self.confirmed.max(last.as_ref().map_or(Lsn(0), confirmable));
        }
        let slot = self.options.slot.clone();
        let ended = async {
            self.status(false).await?;
            self.replication.finish(buffer, within).await
        };
        // A busy server does not read, so that our write may wait too: the limit holds for everything together.
        match tokio::time::timeout(within, ended).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%slot, %error, "the stream was not ended in order"),
            Err(_) => tracing::warn!(%slot, "the stream was not ended in order: the server does not answer"),
        }
    }

    /// The error for a stream that the server ended.
    pub(super) fn ended_by_server(&self) -> Error {
        self.replication.stream_error(io::Error::new(io::ErrorKind::UnexpectedEof, "the server ended the stream"))
    }
}
