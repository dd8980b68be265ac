//! The streaming connection, and what the server is told over it.
//!
//! The server gives up a reader that says nothing for `wal_sender_timeout`, and keeps its log until a position is
//! confirmed. So both are told on a clock of their own, whatever else is waited for: the catalogue, the byte budget, a place
//! in the queue, or nothing at all because a flood never lets up.
//!
//! Must not know: what the bytes mean, SQL.

use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::BytesMut;
use record::Position;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::pace::Pace;
use super::silence::{Serving, Silence, Verdict};
use crate::error::Error;
use crate::lsn::Lsn;
use crate::position::{LSN, LSN_COMMIT, LSN_PROC};
use crate::wire::Replication;

/// How the connection is kept.
#[derive(Clone, Debug)]
pub(crate) struct LinkOptions {
    /// The slot that is streamed from, for messages.
    pub(crate) slot: String,
    /// `status.update.interval.ms`, or less where the server would give us up before that.
    pub(crate) status_interval: Duration,
    /// `lsn.flush.mode` other than manual: stored positions are confirmed.
    pub(crate) confirms: bool,
    /// What the server has been told before.
    pub(crate) confirmed: Lsn,
}

/// The connection.
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
    pace: Pace,
}

/// What a stored position allows the server to forget.
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
            pace: Pace::new(),
            options,
        }
    }

    /// The slot that is streamed from.
    pub(super) fn slot(&self) -> &str {
        &self.options.slot
    }

    /// Reads what is there; false when the socket is empty.
    pub(super) async fn try_read(&mut self, buffer: &mut BytesMut) -> Result<bool, Error> {
        match self.replication.try_fill(buffer) {
            Ok(Some(_)) => {
                self.heard().await;
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(error) => Err(self.replication.stream_error(error)),
        }
    }

    /// Waits for bytes. May be dropped without losing any; [`heard`](Self::heard) comes after it.
    pub(super) async fn read(&mut self, buffer: &mut BytesMut) -> Result<(), Error> {
        match self.replication.fill(buffer).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.replication.stream_error(error)),
        }
    }

    /// Bytes were read.
    pub(super) async fn heard(&mut self) {
        self.silence.heard(Instant::now());
        self.pace.read().await;
    }

    /// Whether a silence that somebody was told of has ended; once.
    pub(super) fn speaks_again(&mut self) -> bool {
        self.silence.take_ended()
    }

    /// When the server is to be told again that we are there.
    pub(super) fn due(&self) -> Instant {
        self.next_status
    }

    /// Sends the status that is due, if one is, with the stored position.
    pub(super) async fn keep(&mut self) -> Result<(), Error> {
        if Instant::now() < self.next_status {
            return Ok(());
        }
        self.note_stored();
        // A server that has been heard of since the last status need not be asked for a word.
        let is_quiet = !self.silence.heard_since(self.last_status);
        self.status(is_quiet).await
    }

    /// Confirms the stored position, if it is news.
    pub(super) async fn confirm(&mut self) -> Result<(), Error> {
        if self.note_stored() { self.status(false).await } else { Ok(()) }
    }

    /// Answers a server that asks for us.
    pub(super) async fn answer(&mut self) -> Result<(), Error> {
        self.note_stored();
        self.status(false).await
    }

    /// Takes over what is stored; true when it is more than was confirmed.
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

    /// Waits for something else than the server, which is told meanwhile that we are there.
    pub(super) async fn while_waiting<T>(&mut self, waited: impl Future<Output = T>) -> Result<T, Error> {
        let mut waited = pin!(waited);
        loop {
            tokio::select! {
                biased;
                done = &mut waited => return Ok(done),
                () = sleep_until(self.next_status) => self.keep().await?,
            }
        }
    }

    /// Whether the server has said nothing for so long that another connection is to tell why.
    pub(super) fn is_silent(&self) -> bool {
        self.silence.asks(Instant::now())
    }

    /// What another connection says of the process that serves this one: the text for a person who wonders why nothing
    /// comes, or the end of the stream.
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

    /// Tells the last stored position, and ends the stream in order. `buffer` is the one that was read into.
    pub(super) async fn finish(mut self, last: Option<Position>, buffer: &mut BytesMut, within: Duration) {
        if self.options.confirms {
            self.confirmed = self.confirmed.max(last.as_ref().map_or(Lsn(0), confirmable));
        }
        let slot = self.options.slot.clone();
        let ended = async {
            self.status(false).await?;
            self.replication.finish(buffer, within).await
        };
        // A server that is busy does not read: it is not waited for longer than for its answer.
        match tokio::time::timeout(within, ended).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%slot, %error, "the stream was not ended in order"),
            Err(_) => tracing::warn!(%slot, "the stream was not ended in order: the server does not answer"),
        }
    }

    /// An error of the stream itself.
    pub(super) fn ended_by_server(&self) -> Error {
        self.replication.stream_error(io::Error::new(io::ErrorKind::UnexpectedEof, "the server ended the stream"))
    }
}
