//! The tables as the statements up to here left them, and what each statement leaves behind: records of the schema history
//! and of the topic of schema changes.
//!
//! A statement's history records are acknowledged before anything that follows it is sent: otherwise a restart could meet
//! rows whose schema nobody knows.
//!
//! Must not know: the socket, the snapshot's steps, Kafka.

use std::sync::Arc;

use record::{Event, Position, SnapshotMark};
use relational::{History, HistoryError, Kept};
use serde_json::{Map, Value as Json};

use crate::config::{self, MySqlConfig};
use crate::ddl::{Catalog, Dialect, Grammar, NotUnderstood, Query, Rules, SchemaChange};
use crate::error::Error;
use crate::gtid::{MariaSet, MySqlSet};
use crate::history::{GtidRelation, HistoryRecord, Recovery, Storing, compare, damaged, recover};
use crate::model::{ChangeKind, Table, TableChange, TableId};
use crate::position::to_offset;
use crate::schema_changes::{Said, SchemaTopic};
use crate::sql::Server;
use crate::tables::Tables;
use crate::{Flavour, stream::now_ms};

/// See the module.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) catalog: Catalog,
    history: History,
    settings: config::Schema,
    /// None with `include.schema.changes=false`.
    topic: Option<SchemaTopic>,
    /// The source that the records name: `server` and the topic prefix.
    source: Map<String, Json>,
    flavour: Flavour,
    /// Of which sources GTIDs count.
    sources: config::GtidSources,
    /// The statements of the history that stand at the position from which the stream goes on: it brings them once more.
    again: Vec<(String, String)>,
}

/// A statement to apply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ddl<'a> {
    pub(crate) query: Query<'a>,
    pub(crate) position: &'a Position,
}

/// What a statement left behind.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// What the topic of schema changes tells of it.
    pub(crate) changes: Vec<SchemaChange>,
    /// Records of the history, to be acknowledged before anything after the statement is sent.
    pub(crate) history: Vec<String>,
    /// A captured table that TRUNCATE emptied.
    pub(crate) truncated: Option<TableId>,
}

impl Schema {
    pub(crate) fn new(config: &MySqlConfig, tables: &Tables, history: History, source: Map<String, Json>) -> Self {
        let settings = config.schema.clone();
        let flavour = config.flavour;
        Self {
            catalog: empty(flavour, settings.grammar, settings.comments, 0),
            history,
            topic: settings.publishes.then(|| tables.schema_topic(config)),
            settings,
            source,
            flavour,
            sources: config.binlog.sources.clone(),
            again: Vec::new(),
        }
    }

    /// Forgets all tables; what statements mean depends on the server's variables.
    pub(crate) fn begin(&mut self, server: &Server) {
        let case = server.lower_case_table_names.as_deref().and_then(|mode| mode.parse().ok()).unwrap_or(0);
        self.catalog = empty(self.flavour, self.settings.grammar, self.settings.comments, case);
    }

    /// A catalogue without tables, for [`Schema::made`].
    pub(crate) fn fresh(&self, server: &Server) -> Catalog {
        let case = server.lower_case_table_names.as_deref().and_then(|mode| mode.parse().ok()).unwrap_or(0);
        let mut catalog = empty(self.flavour, self.settings.grammar, self.settings.comments, case);
        if let Some(mode) = server.sql_mode.as_deref() {
            catalog.set_variable("sql_mode", mode);
        }
        catalog
    }

    /// What is not understood in a statement that the server gave for a table as it is now.
    pub(crate) fn not_understood(&self, server: &Server, database: &str, text: &str) -> Option<NotUnderstood> {
        self.fresh(server).apply(&Query { text, database, sql_mode: None }).not_understood
    }

    /// Applies a statement that the server gave for a table as it is now, without a trace in the history.
    pub(crate) fn made(&self, catalog: &mut Catalog, database: &str, text: &str, tables: &Tables) -> Result<(), Error> {
        let outcome = catalog.apply(&Query { text, database, sql_mode: None });
        match outcome.not_understood {
            Some(failed) => self.passes_over(failed, tables),
            None => Ok(()),
        }
    }

    /// Whether a statement of a snapshot that is not understood may be passed over.
    fn passes_over(&self, failed: NotUnderstood, tables: &Tables) -> Result<(), Error> {
        let is_captured = failed.table.as_ref().is_none_or(|table| tables.captures(table));
        if is_captured && !self.settings.skip_unparseable {
            return Err(Error::Ddl { reason: failed });
        }
        tracing::warn!("{failed}; the table is left out of the schema history");
        Ok(())
    }

    /// What there is of the history.
    pub(crate) async fn kept(&self) -> Result<Kept, Error> {
        self.history.find().await.map_err(history)
    }

    /// Makes the topic or file of the history.
    pub(crate) async fn create(&self) -> Result<(), Error> {
        self.history.create().await.map_err(history)
    }

    /// Appends records to the history, and waits until they are acknowledged.
    pub(crate) async fn append(&self, records: Vec<String>) -> Result<(), Error> {
        if records.is_empty() { Ok(()) } else { self.history.append(records).await.map_err(history) }
    }

    /// Reads the history up to a stored offset. Returns how many of its records were applied.
    ///
    /// # Errors
    /// When it cannot be read, and when one of this connector's own records is damaged.
    pub(crate) async fn recover(&mut self, stored: &Map<String, Json>) -> Result<usize, Error> {
        self.again.clear();
        let mut loading = self.history.load().await.map_err(history)?;
        let recovery =
            Recovery { source: &self.source, filter: &self.settings.filter, prefer_ddl: self.settings.prefer_ddl };
        let (mut applied, mut unreadable, mut number) = (0, 0_u64, 0_u64);
        while let Some(text) = loading.next().await.map_err(history)? {
            number += 1;
            let record = match HistoryRecord::parse(text.as_bytes()) {
                Ok(record) => record,
                Err(error) if damaged(text.as_bytes(), &self.source) && !self.settings.skip_unparseable => {
                    return Err(Error::HistoryDamaged { number, reason: error.to_string() });
                }
                Err(error) => {
                    // As in Debezium, what is no record is passed over.
                    unreadable += 1;
                    tracing::warn!(number, %error, "a record of the schema history is passed over");
                    continue;
                }
            };
            let done = recover([&record], &mut self.catalog, &recovery, |recorded| {
                compare(recorded, stored, |recorded, stored| relation(self.flavour, &self.sources, recorded, stored))
            });
            applied += done.applied;
            self.again.extend(done.again);
            for failed in done.in_doubt {
                tracing::debug!("a statement of the schema history leaves its tables in doubt: {failed}");
            }
        }
        self.history.recovered(applied);
        tracing::info!(applied, unreadable, tables = self.catalog.tables().count(), "the schema history was read");
        Ok(applied)
    }

    /// Applies a statement of the stream.
    pub(crate) fn streamed(&mut self, ddl: Ddl<'_>, tables: &Tables) -> Left {
        let is_dropped = self.settings.filter.drops(ddl.query.text);
        let is_truncate = ddl.query.text.len() >= 8 && ddl.query.text.to_ascii_uppercase().contains("TRUNCATE");
        if is_dropped && !is_truncate {
            return Left::default();
        }
        let outcome = if let Some(outcome) = self.catalog.again(&ddl.query, &self.again) {
            outcome
        } else {
            self.again.clear();
            self.catalog.apply(&ddl.query)
        };
        if let Some(failed) = &outcome.not_understood {
            let at = place_of(ddl.position);
            self.catalog.note_place(&at);
            if failed.table.as_ref().is_none_or(|table| tables.captures(table)) {
                tracing::warn!(position = %at, "{failed}. Before the next row of a captured table that it may have changed, the \
                    table is looked up in the binlog's metadata or on the server");
            }
        }
        let truncated = outcome.truncated.filter(|table| tables.captures(table));
        let records = if is_dropped { Vec::new() } else { outcome.records };
        Left { truncated, ..self.left(records, outcome.not_understood.as_ref(), ddl.position, tables) }
    }

    /// Takes the table that was found out where a statement is not understood, and says what the history and the topic of
    /// schema changes tell of it: the statement, as if it had been understood.
    pub(crate) fn found_out(&mut self, table: Table, position: &Position, tables: &Tables) -> Left {
        let id = table.id.clone();
        let kind = if self.catalog.table(&id).is_some() { ChangeKind::Alter } else { ChangeKind::Create };
        let text = self.catalog.doubt(&id).map(|doubt| Arc::clone(&doubt.text)).unwrap_or_default();
        let table = Arc::new(table);
        self.catalog.put(Arc::clone(&table));
        let (database, shown) = (id.database.to_string(), Arc::from([id.clone()]));
        let change = TableChange { kind, id, previous: None, table: Some(table) };
        let record = SchemaChange { database, ddl: text.to_string(), changes: vec![change], tables: Some(shown) };
        self.left(vec![record], None, position, tables)
    }

    /// Whether a table stays as it was known where nobody tells how a statement has left it
    /// (`schema.history.internal.skip.unparseable.ddl`).
    pub(crate) fn keeps_doubtful(&self) -> bool {
        self.settings.skip_unparseable
    }

    /// Applies a statement that a snapshot made up.
    pub(crate) fn snapshotted(&mut self, ddl: Ddl<'_>, tables: &Tables) -> Result<Left, Error> {
        let outcome = self.catalog.apply(&ddl.query);
        if let Some(failed) = outcome.not_understood {
            self.passes_over(failed, tables)?;
        }
        Ok(self.left(outcome.records, None, ddl.position, tables))
    }

    /// `failed`: the statement is not understood.
    fn left(
        &self,
        records: Vec<SchemaChange>,
        failed: Option<&NotUnderstood>,
        position: &Position,
        tables: &Tables,
    ) -> Left {
        let storing: Storing = self.settings.storing;
        let captured = |table: &TableId| tables.captures(table);
        let mut left = Left::default();
        // Whatever else is kept: a restart must know of the doubt.
        let leaves_doubt = failed.is_some_and(|failed| failed.table.as_ref().is_none_or(captured));
        let in_doubt = |table: &TableId| captured(table) && self.catalog.doubt(table).is_some();
        if !leaves_doubt && !storing.publishes(&records, captured, |database| tables.captures_database(database)) {
            return left;
        }
        let ts_ms = now_ms();
        let keeps = |change: &&SchemaChange| {
            leaves_doubt || storing.keeps(change, captured) || change.tables.iter().flat_map(|t| &**t).any(in_doubt)
        };
        for change in records.iter().filter(keeps) {
            let record = HistoryRecord {
                source: self.source.clone(),
                position: to_offset(position),
                ts_ms,
                database: Some(change.database.clone()),
                ddl: Some(change.ddl.clone()),
                changes: change.changes.clone(),
            };
            left.history.push(record.to_json());
        }
        left.changes = records;
        left
    }

    /// The record that the topic of schema changes tells a change by; `None` with `include.schema.changes=false`.
    pub(crate) fn event(
        &self,
        change: &SchemaChange,
        position: &Position,
        mark: SnapshotMark,
        tables: &Tables,
    ) -> Option<Event> {
        let named = change.source_table();
        let source = tables.source_of(&change.database, named.as_deref());
        let said = Said { source: &source, position, mark, ts_ms: now_ms() };
        self.topic.as_ref().map(|topic| topic.event(change, &said))
    }

    /// How many captured tables are known.
    pub(crate) fn captured(&self, tables: &Tables) -> usize {
        self.catalog.tables().filter(|table| tables.captures(&table.id)).count()
    }

    /// Whether at least one captured table is known.
    pub(crate) fn knows_captured(&self, tables: &Tables) -> bool {
        self.captured(tables) > 0
    }

    /// Which tables a snapshot reads the structure of.
    pub(crate) fn reads(&self, table: &TableId, tables: &Tables) -> bool {
        self.settings.storing.snapshots(tables.captures(table), tables.captures_database(&table.database))
    }
}

fn empty(flavour: Flavour, grammar: Grammar, comments: bool, lower_case_table_names: u8) -> Catalog {
    let dialect = Dialect { grammar, ..Dialect::new(flavour) };
    Catalog::new(Rules { dialect, comments, lower_case_table_names })
}

fn history(error: HistoryError) -> Error {
    Error::History { reason: error.reason, is_transient: error.is_transient }
}

/// `file:position` of a statement, for messages.
pub(crate) fn place_of(position: &Position) -> String {
    let (file, pos) = (position.text(crate::position::FILE), position.word(crate::position::POS));
    format!("{}:{}", file.unwrap_or_default(), pos.unwrap_or(0))
}

/// How a record's set of transactions relates to that of the offset, both without the sources that do not count: a stream that
/// leaves them out stores none of theirs. Texts that cannot be read relate as they are spelled.
fn relation(flavour: Flavour, sources: &config::GtidSources, recorded: &str, stored: &str) -> GtidRelation {
    let keeps = |source: &str| sources.keeps(source);
    let spelled = (recorded == stored, false);
    let (equal, within) = match flavour {
        Flavour::MySql => match (recorded.parse::<MySqlSet>(), stored.parse::<MySqlSet>()) {
            (Ok(mut recorded), Ok(mut stored)) => {
                recorded.retain(keeps);
                stored.retain(keeps);
                (recorded == stored, stored.contains(&recorded))
            }
            _ => spelled,
        },
        Flavour::MariaDb => match (recorded.parse::<MariaSet>(), stored.parse::<MariaSet>()) {
            (Ok(mut recorded), Ok(mut stored)) => {
                recorded.retain(keeps);
                stored.retain(keeps);
                (recorded == stored, stored.contains(&recorded))
            }
            _ => spelled,
        },
    };
    match (equal, within) {
        (true, _) => GtidRelation::Equal,
        (false, true) => GtidRelation::Within,
        (false, false) => GtidRelation::Beyond,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_that_do_not_count_are_not_compared() {
        const A: &str = "11111111-1111-1111-1111-111111111111";
        const B: &str = "22222222-2222-2222-2222-222222222222";
        let check = |excluded: &str, recorded: &str, stored: &str, expect: GtidRelation| {
            let pairs = [
                ("topic.prefix", "t"),
                ("database.hostname", "h"),
                ("database.user", "u"),
                ("database.server.id", "7"),
                ("gtid.source.excludes", excluded),
            ];
            let config = MySqlConfig::read(Flavour::MySql, &pairs.into_iter().collect()).unwrap();
            assert_eq!(relation(Flavour::MySql, &config.binlog.sources, recorded, stored), expect, "{excluded}");
        };
        let (both, one) = (format!("{A}:1-9,{B}:1-5"), format!("{B}:1-6"));
        check("", &both, &one, GtidRelation::Beyond);
        check(A, &both, &one, GtidRelation::Within);
        check(A, &both, &format!("{B}:1-5"), GtidRelation::Equal);
        check(A, &both, &format!("{B}:1-4"), GtidRelation::Beyond);
    }
}
