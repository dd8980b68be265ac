//! Where the stream stands, and what positions are made from: the present event, and the point that a restart goes on from.
//!
//! Must not know: rows, tables.

use std::sync::Arc;

use record::{NONE, Position, Texts};

use super::executed::{Executed, MySqlId};
use crate::binlog::Header;
use crate::gtid::MariaGtid;
use crate::position::{
    EVENTS, FILE, GTID, GTIDS, POS, QUERY, RESTART_FILE, RESTART_POS, ROW, ROWS, SERVER_ID, SNAPSHOT, Stored, TEXTS,
    THREAD, TRANSACTION, TS_US,
};

/// What the present event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    /// Nothing: a restart goes on behind the event.
    None,
    /// A transaction, which a commit ends. A restart begins at its first event, and counts the others.
    Open,
    /// A single statement of MariaDB, which no commit ends.
    Standalone,
    /// The first phase of an XA transaction. A restart begins at its first event.
    Xa,
}

/// A point that a restart can go on from.
#[derive(Clone, Debug)]
pub(crate) struct Restart {
    file: Arc<str>,
    pos: u64,
    /// The transactions before it.
    gtids: Option<Arc<str>>,
    /// How many events had been counted there.
    counted: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Place {
    file: Arc<str>,
    restart: Restart,
    /// Where kept XA transactions were prepared, the oldest first, with numbers that the caller gave: as long as there are any,
    /// a restart goes back to the oldest.
    anchors: Vec<(u64, Restart)>,
    executed: Executed,
    gtid: Option<Arc<str>>,
    mysql_id: Option<MySqlId>,
    query: Option<Arc<str>>,
    group: Group,
    /// The completed events of all transactions since the connection began. The begin of a transaction counts, its commit
    /// too, and what stands outside of transactions does not.
    counted: u64,
    /// Where the present transaction begins.
    transaction: u64,
    thread: Option<i64>,
    server_id: i64,
    ts_us: i64,
    /// When the transaction was committed on the server that ran it first.
    commit_us: Option<i64>,
    /// The last row of the last event that had rows. The source block of a statement shows it, as in Debezium.
    row: i64,
    /// The texts of positions, until one of them changes.
    texts: Option<Texts>,
}

impl Place {
    /// Where an offset says. `executed` are the transactions that the server is told not to send.
    pub(crate) fn new(stored: &Stored, mut executed: Executed) -> Self {
        let file: Arc<str> = stored.file.as_str().into();
        let restart = Restart { file: Arc::clone(&file), pos: stored.pos, gtids: executed.text(), counted: 0 };
        Self {
            restart,
            file,
            anchors: Vec::new(),
            executed,
            gtid: None,
            mysql_id: None,
            query: None,
            group: Group::None,
            counted: 0,
            transaction: stored.pos,
            thread: None,
            server_id: stored.server_id.unwrap_or(NONE),
            ts_us: stored.ts_s.map_or(NONE, |s| s.saturating_mul(1_000_000)),
            commit_us: None,
            row: 0,
            texts: None,
        }
    }

    /// Whether a transaction is open that a commit will end. A single statement of MariaDB is a transaction without one.
    pub(crate) fn is_inside(&self) -> bool {
        matches!(self.group, Group::Open | Group::Xa)
    }

    /// The completed events of all transactions since the connection began.
    #[inline]
    pub(crate) fn counted(&self) -> u64 {
        self.counted
    }

    /// The file of the present event.
    pub(crate) fn file(&self) -> &str {
        &self.file
    }

    /// The time of the present event in milliseconds.
    pub(crate) fn ts_ms(&self) -> i64 {
        self.ts_us.div_euclid(1000)
    }

    /// An event of the log begins. Those that the server makes for the connection have no time of their own.
    #[inline]
    pub(crate) fn event(&mut self, header: &Header) {
        if header.artificial() || header.timestamp_s == 0 {
            return;
        }
        self.server_id = header.server_id.into();
        self.ts_us = self.commit_us.unwrap_or(i64::from(header.timestamp_s) * 1_000_000);
    }

    /// The events go on in this file. True if it is another one and a restart can begin there.
    pub(crate) fn rotated(&mut self, file: &str, pos: u64) -> bool {
        let is_new = *self.file != *file;
        if is_new {
            self.file = file.into();
        }
        let is_between = self.group == Group::None || self.group == Group::Standalone;
        if is_between {
            self.between(pos);
        }
        self.texts = None;
        is_new && is_between
    }

    /// A restart can begin at this position of the present file.
    fn between(&mut self, pos: u64) {
        self.group = Group::None;
        self.restart.file = Arc::clone(&self.file);
        self.restart.pos = pos;
        self.restart.counted = self.counted;
    }

    /// The transactions that have been read.
    pub(crate) fn executed(&mut self) -> &mut Executed {
        &mut self.executed
    }

    /// [`Place::executed`] has become whole at the begin of a file.
    pub(crate) fn executed_is_known(&mut self) {
        self.restart.gtids = self.executed.text();
        self.texts = None;
    }

    /// A transaction of MySQL begins, with this id and this text of it.
    pub(crate) fn mysql_gtid(&mut self, id: MySqlId, text: impl FnOnce() -> String, commit_us: Option<u64>) {
        self.forget_gtid();
        if self.executed.has_ids() {
            self.restart.gtids = self.executed.text();
            self.executed.add(id);
            self.gtid = Some(text().into());
            self.mysql_id = Some(id);
            self.commit_us = commit_us.filter(|us| *us > 0).map(|us| us as i64);
        }
    }

    /// A transaction without an id begins: its events have times of their own.
    pub(crate) fn forget_gtid(&mut self) {
        self.commit_us = None;
        self.gtid = None;
        self.mysql_id = None;
        self.texts = None;
    }

    /// The id of the present transaction of MySQL.
    pub(crate) fn mysql_id(&self) -> Option<MySqlId> {
        self.mysql_id
    }

    /// A transaction of MariaDB begins, with this id; a second call says of which kind it is.
    pub(crate) fn mariadb_gtid(&mut self, id: MariaGtid) {
        self.restart.gtids = self.executed.text();
        self.executed.add_mariadb(id);
        self.gtid = self.executed.has_ids().then(|| id.to_string().into());
        self.texts = None;
    }

    fn start(&mut self, group: Group, start: u64) {
        self.between(start);
        self.group = group;
        self.transaction = start;
        self.texts = None;
    }

    /// A transaction begins at `start`.
    pub(crate) fn begin(&mut self, start: u64, thread: Option<u32>) {
        self.start(Group::Open, start);
        self.thread = thread.map(i64::from);
    }

    /// A single statement of MariaDB begins at `start`.
    pub(crate) fn begin_statement(&mut self, start: u64) {
        self.start(Group::Standalone, start);
        self.thread = None;
    }

    /// The first phase of an XA transaction begins at `start`.
    pub(crate) fn begin_xa(&mut self, start: u64) {
        self.start(Group::Xa, start);
        self.thread = None;
    }

    /// The transaction, or a statement that is one by itself, ends at `end`.
    pub(crate) fn commit(&mut self, end: u64) {
        if self.group == Group::Open {
            self.counted += 1;
        }
        if self.executed.has_ids() {
            self.restart.gtids = self.executed.text();
        }
        self.between(end);
        self.query = None;
        self.thread = None;
        self.texts = None;
    }

    /// The first phase of an XA transaction was its only one: it counts as a transaction, and a restart still goes back to its
    /// begin.
    pub(crate) fn is_one_phase(&mut self) {
        self.group = Group::Open;
    }

    /// From now on a restart goes back to the begin of the present transaction, until [`Place::release`] is given the same
    /// number.
    pub(crate) fn anchor(&mut self, number: u64) {
        self.anchors.push((number, self.restart.clone()));
        self.texts = None;
    }

    /// See [`Place::anchor`].
    pub(crate) fn release(&mut self, number: u64) {
        self.anchors.retain(|(other, _)| *other != number);
        self.texts = None;
    }

    /// The last row of the present event is `row`, from 0.
    #[inline]
    pub(crate) fn rows_done(&mut self, row: usize) {
        self.row = row as i64;
    }

    /// The event, which ends at `end`, is done.
    #[inline]
    pub(crate) fn done(&mut self, end: u64) {
        match self.group {
            Group::Open | Group::Standalone => self.counted += 1,
            Group::None => self.restart.pos = end,
            Group::Xa => {}
        }
    }

    /// The statement that the next rows come from.
    pub(crate) fn query(&mut self, statement: &[u8]) {
        self.query = Some(String::from_utf8_lossy(statement).into());
        self.texts = None;
    }

    fn back(&self) -> &Restart {
        self.anchors.first().map_or(&self.restart, |(_, restart)| restart)
    }

    /// The texts that all positions of this moment share.
    fn texts(&mut self) -> Texts {
        if let Some(texts) = &self.texts {
            return Arc::clone(texts);
        }
        let mut texts: [Option<Arc<str>>; TEXTS] = Default::default();
        texts[FILE] = Some(Arc::clone(&self.file));
        texts[RESTART_FILE] = Some(Arc::clone(&self.back().file));
        texts[GTIDS].clone_from(&self.back().gtids);
        texts[GTID].clone_from(&self.gtid);
        texts[QUERY].clone_from(&self.query);
        let texts: Texts = Arc::new(texts);
        self.texts = Some(Arc::clone(&texts));
        texts
    }

    /// The position of an event that starts at `start`. Its rows have it with their own numbers, see [`of_row`].
    pub(crate) fn position(&mut self, start: u64) -> Position {
        let mut position = Position { texts: Some(self.texts()), ..Position::UNKNOWN };
        position.words[POS] = start as i64;
        position.words[ROW] = self.row;
        position.words[SERVER_ID] = self.server_id;
        position.words[THREAD] = self.thread.unwrap_or(NONE);
        position.words[TS_US] = self.ts_us;
        position.words[RESTART_POS] = self.back().pos as i64;
        position.words[EVENTS] = (self.counted - self.back().counted) as i64;
        position.words[ROWS] = 0;
        position.words[SNAPSHOT] = 0;
        position.words[TRANSACTION] = self.transaction as i64;
        position
    }
}

/// The position of row `row` (from 0) of an event, of which `before` rows belong to other events that are counted as one
/// with it.
#[inline]
pub(crate) fn of_row(event: &Position, row: usize, before: u64) -> Position {
    let mut position = event.clone();
    position.words[ROW] = row as i64;
    position.words[ROWS] = before as i64 + row as i64 + 1;
    position
}
