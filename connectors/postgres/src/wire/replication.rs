//! The commands of the replication protocol, up to the start of streaming.

use std::time::Duration;

use bytes::Buf;
use postgres_protocol::escape::{escape_identifier, escape_literal};
use postgres_protocol::message::frontend;
use tokio::time::timeout;

use super::frames::FRAME_MAX_BYTES;
use super::options::ConnectOptions;
use super::startup::{Canceller, Session, protocol, unexpected};
use crate::error::{Error, ServerError};
use crate::lsn::Lsn;

/// A row of a simple query: for each column a text, or `None` for NULL.
pub type Row = Vec<Option<String>>;

/// A session in replication mode (`replication=database`).
///
/// Dropping it closes the socket; [`Replication::finish`] ends a stream in order.
#[derive(Debug)]
pub struct Replication {
    pub(super) session: Session,
    pub(super) streaming: bool,
}

/// Answer of `CREATE_REPLICATION_SLOT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedSlot {
    /// Everything committed before it is in the snapshot, everything after it in the stream.
    pub consistent_point: Lsn,
    /// For `SET TRANSACTION SNAPSHOT`. Lives until the next command on this connection, or its end.
    pub snapshot_name: Option<String>,
}

impl Replication {
    /// Connects and logs in. `connect_timeout_ms` bounds reaching the server, `handshake_timeout_ms` TLS and log-in each.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, Error> {
        Ok(Self { session: Session::open(&ConnectOptions { paced: true, ..options.clone() }).await?, streaming: false })
    }

    /// A stream over a test's socket.
    #[cfg(test)]
    pub(crate) fn over(socket: impl super::stream::TestSocket + 'static) -> Self {
        Self { session: Session::over(super::Stream::Test(Box::new(socket))), streaming: true }
    }

    /// The pid of the server process of this session, as the log-in reported it. A connection pooler in between reports a
    /// number of its own.
    pub fn pid(&self) -> i32 {
        self.session.pid
    }

    /// `host:port`, for error messages.
    pub(crate) fn at(&self) -> String {
        self.session.options.at()
    }

    /// The pid of the server process that serves this session, and its `wal_sender_timeout` in milliseconds, after which it
    /// ends a silent connection (0: never).
    pub(crate) async fn served_by(&mut self) -> Result<(i32, u64), Error> {
        let doing = "asking for wal_sender_timeout";
        let sql =
            "SELECT pg_catalog.pg_backend_pid(), setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'";
        let limit = self.session.options.handshake_timeout_ms;
        let at = self.session.options.at();
        let rows = timeout(Duration::from_millis(limit), self.query(doing, sql))
            .await
            .map_err(|_| Error::TimedOut { doing: doing.into(), at, after_ms: limit })??;
        let short = || protocol(doing, "the answer lacks a column");
        let [pid, timeout_ms] = first_row::<2>(rows).ok_or_else(short)?;
        let number = |text: Option<String>| text.and_then(|text| text.parse::<u64>().ok()).ok_or_else(short);
        Ok((i32::try_from(number(pid)?).map_err(|_| short())?, number(timeout_ms)?))
    }

    /// As `server_version_num`: 150018 for 15.18.
    pub fn server_version(&self) -> u32 {
        self.session.server_version
    }

    /// Whether the session is encrypted.
    pub fn is_tls(&self) -> bool {
        self.session.stream.is_tls()
    }

    /// How to end a running command from outside.
    pub fn canceller(&self) -> Canceller {
        self.session.canceller()
    }

    /// Runs SQL (several statements are allowed) and gives the rows of all of them. Not bounded in time: the caller
    /// wraps what may wait for locks.
    pub async fn simple_query(&mut self, sql: &str) -> Result<Vec<Row>, Error> {
        self.query("running a statement on the replication connection", sql).await
    }

    /// As [`Replication::simple_query`]; an error begins with `doing`, which says what the query is for.
    pub(crate) async fn query(&mut self, doing: &str, sql: &str) -> Result<Vec<Row>, Error> {
        if self.streaming {
            return Err(protocol(doing, "the connection is streaming"));
        }
        frontend::query(sql, &mut self.session.outbox).map_err(|error| protocol(doing, &error.to_string()))?;
        self.session.flush(doing).await?;
        let mut rows = Vec::new();
        let mut failed = None;
        loop {
            let (tag, payload) = self.session.message(doing, FRAME_MAX_BYTES).await?;
            match tag {
                b'D' => rows.push(data_row(&payload).ok_or_else(|| protocol(doing, "a row is cut short"))?),
                b'E' => {
                    let server = ServerError::parse(&payload);
                    if server.severity == "FATAL" || server.severity == "PANIC" {
                        return Err(Error::from_server(doing, server));
                    }
                    failed.get_or_insert(server);
                }
                b'Z' => break,
                b'N' => notice(&payload),
                b'T' | b'C' | b'I' | b'S' | b'A' => {}
                other => return Err(unexpected(doing, other)),
            }
        }
        failed.map_or(Ok(rows), |server| Err(Error::from_server(doing, server)))
    }

    /// `CREATE_REPLICATION_SLOT … LOGICAL`, exporting its snapshot. Waits for every transaction that is open now to end.
    /// `failover` may be set only for a server of version 17 or later that is not a standby; the caller checks that.
    pub async fn create_slot(&mut self, name: &str, plugin: &str, failover: bool) -> Result<CreatedSlot, Error> {
        let doing = format!("creating replication slot \"{name}\"");
        let (slot, plugin) = (escape_identifier(name), escape_identifier(plugin));
        let sql = if failover {
            format!("CREATE_REPLICATION_SLOT {slot} LOGICAL {plugin} (SNAPSHOT 'export', FAILOVER)")
        } else {
            format!("CREATE_REPLICATION_SLOT {slot} LOGICAL {plugin}")
        };
        let rows = self.query(&doing, &sql).await?;
        let short = || protocol(&doing, "the answer lacks a column");
        let [_, point, snapshot, _] = first_row::<4>(rows).ok_or_else(short)?;
        Ok(CreatedSlot {
            consistent_point: point.and_then(|text| text.parse().ok()).ok_or_else(short)?,
            snapshot_name: snapshot.filter(|name| !name.is_empty()),
        })
    }

    /// `START_REPLICATION`: enters streaming. The server begins at `confirmed_flush_lsn` if `lsn` is before it.
    /// Option names and values are quoted here.
    pub async fn start(&mut self, slot: &str, lsn: Lsn, options: &[(String, String)]) -> Result<(), Error> {
        let doing = format!("starting to stream from slot \"{slot}\" at {lsn}");
        let mut sql = format!("START_REPLICATION SLOT {} LOGICAL {lsn}", escape_identifier(slot));
        for (index, (name, value)) in options.iter().enumerate() {
            sql.push_str(if index == 0 { " (" } else { ", " });
            sql.push_str(&escape_identifier(name));
            sql.push(' ');
            sql.push_str(&quote_value(value));
        }
        if !options.is_empty() {
            sql.push(')');
        }
        frontend::query(&sql, &mut self.session.outbox).map_err(|error| protocol(&doing, &error.to_string()))?;
        self.session.flush(&doing).await?;
        let mut failed: Option<ServerError> = None;
        loop {
            let (tag, payload) = self.session.message(&doing, FRAME_MAX_BYTES).await?;
            match tag {
                b'W' => {
                    self.streaming = true;
                    return Ok(());
                }
                b'E' => {
                    let server = ServerError::parse(&payload);
                    let ended = server.severity == "FATAL" || server.severity == "PANIC";
                    failed.get_or_insert(server);
                    if ended {
                        break;
                    }
                }
                b'Z' => break,
                b'N' => notice(&payload),
                b'S' | b'C' => {}
                other => return Err(unexpected(&doing, other)),
            }
        }
        let server = failed.unwrap_or_default();
        let cause = start_failure(&doing, slot, server);
        Err(Error::StreamStart { slot: slot.into(), lsn, cause: Box::new(cause) })
    }
}

/// The error for a refused START_REPLICATION.
fn start_failure(doing: &str, slot: &str, server: ServerError) -> Error {
    let slot = slot.to_owned();
    match server.sqlstate.as_str() {
        "55006" => Error::slot_taken(slot, server),
        "58P01" => Error::SlotLost { slot, reason: server.said() },
        // "can no longer get changes from replication slot", "cannot read from logical replication slot": invalidated.
        "55000" if server.message.contains("replication slot") => Error::SlotLost { slot, reason: server.to_string() },
        _ => Error::from_server(doing, server),
    }
}

/// Quotes a literal for the replication grammar, which knows `''` but no `E''`, and takes a backslash literally.
fn quote_value(value: &str) -> String {
    let quoted = escape_literal(value);
    if quoted.starts_with('\'') { quoted } else { format!("'{}'", value.replace('\'', "''")) }
}

/// Logs a NoticeResponse.
fn notice(payload: &[u8]) {
    let notice = ServerError::parse(payload);
    tracing::debug!(sqlstate = %notice.sqlstate, "PostgreSQL: {}", notice.message);
}

fn first_row<const N: usize>(rows: Vec<Row>) -> Option<[Option<String>; N]> {
    rows.into_iter().next()?.try_into().ok()
}

/// The texts of a DataRow.
fn data_row(mut payload: &[u8]) -> Option<Row> {
    let columns = payload.try_get_u16().ok()?;
    let mut row = Row::with_capacity(usize::from(columns).min(payload.len()));
    for _ in 0..columns {
        let length = payload.try_get_i32().ok()?;
        if length < 0 {
            row.push(None);
            continue;
        }
        let (text, rest) = payload.split_at_checked(length as usize)?;
        row.push(Some(String::from_utf8_lossy(text).into_owned()));
        payload = rest;
    }
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rows() {
        assert_eq!(data_row(b"\0\x02\0\0\0\x01a\xff\xff\xff\xff"), Some(vec![Some("a".into()), None]));
        assert_eq!(data_row(b"\0\x01\0\0\0\x09a"), None);
    }

    #[test]
    fn values() {
        assert_eq!(quote_value("1"), "'1'");
        assert_eq!(quote_value("it's"), "'it''s'");
        assert_eq!(quote_value("a\\b"), "'a\\b'");
    }

    proptest! {
        #[test]
        fn hostile_rows_never_panic(bytes: Vec<u8>) {
            let _ = data_row(&bytes);
        }
    }
}
