//! Writers whose transactions interleave, and who record what they committed.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::checker::{Event, Kind};
use super::source::{Link, Source};

/// Number of tables: `t0`, `t1`, ….
pub(crate) const TABLES: usize = 3;
/// Number of writers. Key k belongs to writer k mod WRITERS.
pub(crate) const WRITERS: i64 = 4;

/// Creates the tables and fills them with rows `0..rows`. Returns these rows as events, for each writer.
pub(crate) fn prepare(source: &Source, rows: i64) -> Vec<Vec<Event>> {
    source.fill(rows);
    let filled = |writer: i64| {
        let keys = (0..TABLES)
            .flat_map(move |table| (0..rows).filter(move |k| k % WRITERS == writer).map(move |k| (table, k)));
        let row = format!("0|w{writer} filled");
        keys.map(|(table, key)| Event { table, key, kind: Kind::Read, transaction: 0, row: Some(row.clone()) })
            .collect()
    };
    (0..WRITERS).map(filled).collect()
}

/// One writer: its session, its keys, and what it has committed.
pub(crate) struct Writer {
    id: i64,
    session: Link,
    random: StdRng,
    /// For each table the keys of this writer's rows that exist.
    alive: Vec<Vec<i64>>,
    /// Keys that were deleted and inserted again. They are not deleted a second time: a delete holds nothing but its
    /// key, and after a second copy the judge could not tell two of them apart.
    returned: HashSet<(usize, i64)>,
    next_key: i64,
    transaction: i64,
    version: i64,
    committed: Vec<Event>,
}

impl Writer {
    /// `filled` are this writer's rows that exist already.
    pub(crate) fn new(id: i64, session: Link, seed: u64, filled: Vec<Event>, rows: i64) -> Self {
        let alive = (0..TABLES).map(|t| filled.iter().filter(|e| e.table == t).map(|e| e.key).collect()).collect();
        let next_key = (rows / WRITERS + 1) * WRITERS + id;
        let random = StdRng::seed_from_u64(seed.wrapping_add(id as u64));
        Self {
            id,
            session,
            random,
            alive,
            returned: HashSet::new(),
            next_key,
            transaction: 0,
            version: 0,
            committed: filled,
        }
    }

    /// Writes until `stop` is set. Returns what was committed.
    pub(crate) fn write(mut self, stop: &AtomicBool) -> Vec<Event> {
        while !stop.load(Ordering::Relaxed) {
            self.transact();
            let pause_ms = self.random.random_range(10..60);
            std::thread::sleep(Duration::from_millis(pause_ms));
        }
        self.committed
    }

    fn transact(&mut self) {
        self.transaction += 1;
        let (alive, start) = (self.alive.clone(), self.committed.len());
        if let Link::MySql(session, true) = &self.session {
            let is_compressed = self.random.random_bool(0.5);
            session.run(&format!("set binlog_transaction_compression = {}", u8::from(is_compressed)));
        }
        self.session.run("begin");
        for _ in 0..self.random.random_range(1..8) {
            self.statement();
            // A pause lets the rows of other writers come between those of this transaction.
            if self.random.random_bool(0.2) {
                let pause_ms = self.random.random_range(1..6);
                std::thread::sleep(Duration::from_millis(pause_ms));
            }
        }
        if self.random.random_bool(0.15) {
            // A part of the transaction that is rolled back.
            let (alive, start) = (self.alive.clone(), self.committed.len());
            self.session.run("savepoint s");
            self.statement();
            self.session.run("rollback to s");
            self.alive = alive;
            self.committed.truncate(start);
        }
        if self.random.random_bool(0.15) {
            self.session.run("rollback");
            self.alive = alive;
            self.committed.truncate(start);
        } else {
            self.session.run("commit");
        }
    }

    fn event(&mut self, table: usize, key: i64, kind: Kind, row: Option<String>) {
        self.committed.push(Event { table, key, kind, transaction: self.transaction, row });
    }

    /// Makes a new version of a row: version number, note, and the content that the judge compares.
    fn version(&mut self) -> (i64, String, String) {
        self.version += 1;
        let note = format!("w{} x{}", self.id, self.transaction);
        (self.version, note.clone(), format!("{}|{note}", self.version))
    }

    fn fresh_key(&mut self) -> i64 {
        self.next_key += WRITERS;
        self.next_key
    }

    fn insert(&mut self, table: usize, many: usize) {
        let (mut lines, mut values) = (String::new(), Vec::new());
        for _ in 0..many {
            let (ver, note, row) = self.version();
            let key = self.fresh_key();
            writeln!(lines, "{key}\t{ver}\t{note}").unwrap();
            values.push(format!("({key}, {ver}, '{note}')"));
            self.alive[table].push(key);
            self.event(table, key, Kind::Create, Some(row));
        }
        match &self.session {
            // COPY writes several rows in one WAL record, so they all have the same LSN.
            Link::Postgres(session) if many > 4 => {
                session.copy(&format!("copy t{table}(id, ver, note) from stdin"), lines);
            }
            // In MySQL they are the rows of one event.
            _ => self.session.run(&format!("insert into t{table} values {}", values.join(", "))),
        }
    }

    /// MySQL: one statement that updates or deletes many rows, which are the rows of one event, in the order of their keys.
    fn change_many(&mut self, table: usize) {
        let mut keys: Vec<i64> =
            self.alive[table].iter().copied().filter(|k| !self.returned.contains(&(table, *k))).collect();
        let from = self.random.random_range(0..keys.len().max(1));
        keys = keys.into_iter().skip(from).take(60).collect();
        keys.sort_unstable();
        if keys.is_empty() {
            return;
        }
        let list: Vec<String> = keys.iter().map(i64::to_string).collect();
        let list = list.join(", ");
        if self.random.random_bool(0.8) {
            let (ver, note, row) = self.version();
            self.session.run(&format!("update t{table} set ver = {ver}, note = '{note}' where id in ({list})"));
            for key in keys {
                self.event(table, key, Kind::Update, Some(row.clone()));
            }
        } else {
            self.session.run(&format!("delete from t{table} where id in ({list})"));
            for key in keys {
                self.remove(table, key);
            }
        }
    }

    fn statement(&mut self) {
        let table = self.random.random_range(0..TABLES);
        let key = self.alive[table].choose(&mut self.random).copied();
        if matches!(self.session, Link::MySql(..)) && self.random.random_bool(0.15) {
            return self.change_many(table);
        }
        let choice = self.random.random_range(0..100);
        let Some(key) = key.filter(|_| choice >= 30) else {
            let many = [1, 1, 1, 3, 40].choose(&mut self.random).copied().unwrap_or(1);
            return self.insert(table, many);
        };
        let choice = if self.returned.contains(&(table, key)) { 30 } else { choice };
        match choice {
            30..70 => {
                let (ver, note, row) = self.version();
                self.session.run(&format!("update t{table} set ver = {ver}, note = '{note}' where id = {key}"));
                self.event(table, key, Kind::Update, Some(row));
            }
            70..85 => {
                self.session.run(&format!("delete from t{table} where id = {key}"));
                self.remove(table, key);
            }
            85..92 => {
                // Deletes the row and inserts it again under the same key.
                let (ver, note, row) = self.version();
                self.session.run(&format!("delete from t{table} where id = {key}"));
                self.session.run(&format!("insert into t{table} values ({key}, {ver}, '{note}')"));
                self.remove(table, key);
                self.alive[table].push(key);
                self.returned.insert((table, key));
                self.event(table, key, Kind::Create, Some(row));
            }
            _ => {
                // A change of the key becomes a delete, a tombstone and a create.
                let ((ver, note, row), moved) = (self.version(), self.fresh_key());
                self.session
                    .run(&format!("update t{table} set id = {moved}, ver = {ver}, note = '{note}' where id = {key}"));
                self.remove(table, key);
                self.alive[table].push(moved);
                self.event(table, moved, Kind::Create, Some(row));
            }
        }
    }

    fn remove(&mut self, table: usize, key: i64) {
        self.alive[table].retain(|k| *k != key);
        self.event(table, key, Kind::Delete, None);
        self.event(table, key, Kind::Tombstone, None);
    }
}
