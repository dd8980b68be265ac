//! What is copied, when and how.
//!
//! Must not know: SQL.

use std::time::Duration;

use settings::{Properties, Reader};
use snapshot::{Copies, Rule};

use super::connection::complain;
use super::modes::{
    ConvertFailure, RowCountOrder, SnapshotIsolation, SnapshotLocking, SnapshotMode, SnapshotQuery, Watermarking,
};

/// The flags of `snapshot.mode=configuration_based`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ConfigurationBased {
    /// Copy rows.
    data: bool,
    /// Read the tables' structure. A connector to PostgreSQL reads it at every start; what the flag changes is that a start
    /// which finds an unfinished copy, and may not copy rows, goes on instead of being refused.
    schema: bool,
    /// Stream afterwards.
    stream: bool,
    /// Copy again when the stored position is gone.
    on_data_error: bool,
}

impl ConfigurationBased {
    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            data: r.boolean("snapshot.mode.configuration.based.snapshot.data"),
            schema: r.boolean("snapshot.mode.configuration.based.snapshot.schema"),
            stream: r.boolean("snapshot.mode.configuration.based.start.stream"),
            on_data_error: r.boolean("snapshot.mode.configuration.based.snapshot.on.data.error"),
        }
    }

    /// Debezium asks the flag `…snapshot.data` anew at each start, whatever is stored: with it rows come at every start.
    fn rule(self) -> Rule {
        Rule {
            copies: if self.data { Copies::EveryStart } else { Copies::Never },
            copies_when_lost: self.on_data_error,
            streams: self.stream,
            leaves_unfinished: self.schema,
        }
    }
}

/// The snapshot.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// `snapshot.mode`, for messages; what it means is [`Snapshot::rule`].
    pub mode: SnapshotMode,
    /// When rows are copied, and whether the log is followed.
    pub rule: Rule,
    /// Isolation; an exported snapshot is repeatable read whatever this says.
    pub isolation: SnapshotIsolation,
    /// Table locks.
    pub locking: SnapshotLocking,
    /// Limit of waiting for one.
    pub lock_timeout: Duration,
    /// Of the captured tables, those that are copied (regexes on `schema.table`); empty: all.
    pub tables: Vec<String>,
    /// Rows asked for at a time.
    pub fetch_size: usize,
    /// The same for other queries; 0: the server's choice.
    pub query_fetch_size: usize,
    /// Connections side by side.
    pub threads: usize,
    /// Chunks a table for each thread.
    pub chunks_per_thread: usize,
    /// The same for one table, by `schema.table`.
    pub chunks_per_thread_of: Vec<(String, usize)>,
    /// One table a thread, no chunks.
    pub table_per_thread: bool,
    /// Wait before it.
    pub delay: Duration,
    /// Wait between it and streaming.
    pub streaming_delay: Duration,
    /// SELECT by `schema.table`, for the tables listed; a listed one without a statement is absent here.
    pub selects: Vec<(String, String)>,
    /// What becomes of a value of these SELECTs that does not fit its column: as event.converting.failure.handling.mode says
    /// where it is set. Its default, a null, would take a wrong statement for a right one, so without it the task fails.
    pub selects_failure: ConvertFailure,
    /// Tables listed for a SELECT of their own that have none: warn, and copy all rows.
    pub selects_missing: Vec<String>,
    /// Order of tables, with several threads.
    pub order: RowCountOrder,
    /// Read the columns of all tables, not only of the captured ones.
    pub scan_all_columns: bool,
}

const FETCH_SIZE: i32 = 10_240;

/// What stands in the place of a Java snapshotter.
const SNAPSHOT_MODES: &str = "initial, always, initial_only, no_data or when_needed, or say what is copied and when with \
                              configuration_based and the keys snapshot.mode.configuration.based.*";

impl Snapshot {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let mode = r.choice("snapshot.mode", SnapshotMode::Initial);
        let locking = r.choice("snapshot.locking.mode", SnapshotLocking::None);
        let query = r.choice("snapshot.query.mode", SnapshotQuery::SelectAll);
        refuse_plugins(r, mode, locking, query);
        let (selects, selects_missing) = selects(r);
        Self {
            mode,
            rule: rule(mode, ConfigurationBased::read(r)),
            isolation: r.choice("snapshot.isolation.mode", SnapshotIsolation::Serializable),
            locking,
            lock_timeout: r.millis("snapshot.lock.timeout.ms"),
            tables: r.regex_texts("snapshot.include.collection.list"),
            fetch_size: usize::try_from(r.int_or_none("snapshot.fetch.size").unwrap_or(FETCH_SIZE)).unwrap_or(0),
            query_fetch_size: r.count("query.fetch.size"),
            threads: r.count("snapshot.max.threads"),
            chunks_per_thread: r.count("snapshot.max.threads.multiplier"),
            chunks_per_thread_of: multipliers(r),
            table_per_thread: r.boolean("legacy.snapshot.max.threads"),
            delay: r.millis("snapshot.delay.ms"),
            streaming_delay: r.millis("streaming.delay.ms"),
            selects,
            selects_failure: r
                .is_set("event.converting.failure.handling.mode")
                .then(|| r.choice("event.converting.failure.handling.mode", ConvertFailure::Warn))
                .unwrap_or(ConvertFailure::Fail),
            selects_missing,
            order: r.choice("snapshot.tables.order.by.row.count", RowCountOrder::Disabled),
            scan_all_columns: r.boolean("internal.snapshot.scan.all.columns.force"),
        }
    }
}

/// What a mode asks for.
fn rule(mode: SnapshotMode, flags: ConfigurationBased) -> Rule {
    match mode {
        SnapshotMode::Initial => Rule::INITIAL,
        SnapshotMode::Always => Rule::ALWAYS,
        SnapshotMode::InitialOnly => Rule::INITIAL_ONLY,
        SnapshotMode::NoData => Rule::NO_DATA,
        SnapshotMode::WhenNeeded => Rule::WHEN_NEEDED,
        SnapshotMode::ConfigurationBased => flags.rule(),
        // Refused by `refuse_plugins`: no connector starts with it.
        SnapshotMode::Custom => Rule { copies: Copies::Never, streams: false, ..Rule::INITIAL },
    }
}

/// Java plug-ins cannot run here: better a refusal than another snapshot than the one asked for.
fn refuse_plugins(r: &mut Reader<'_>, mode: SnapshotMode, locking: SnapshotLocking, query: SnapshotQuery) {
    let custom = [
        ("snapshot.mode", mode == SnapshotMode::Custom, SNAPSHOT_MODES),
        ("snapshot.locking.mode", locking == SnapshotLocking::Custom, "none or shared"),
        ("snapshot.query.mode", query == SnapshotQuery::Custom, "select_all"),
    ];
    for (key, is_custom, instead) in custom {
        if is_custom {
            complain(r, key, &format!("'custom' names a Java plug-in, and these do not run here; use {instead}"));
        }
    }
}

fn multipliers(r: &mut Reader<'_>) -> Vec<(String, usize)> {
    const PREFIX: &str = "snapshot.max.threads.multiplier.";
    let properties: &Properties = r.properties();
    let mut found = Vec::new();
    for (table, text) in properties.under(PREFIX) {
        match text.trim().parse::<usize>() {
            Ok(n) if n > 0 => found.push((table.to_owned(), n)),
            _ => complain(r, &format!("{PREFIX}{table}"), "A positive, non-zero integer value is expected"),
        }
    }
    found
}

type Selects = (Vec<(String, String)>, Vec<String>);

fn selects(r: &mut Reader<'_>) -> Selects {
    let properties = r.properties();
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for table in r.list("snapshot.select.statement.overrides") {
        match properties.get(&format!("snapshot.select.statement.overrides.{table}")) {
            Some(select) if !select.trim().is_empty() => found.push((table, select.to_owned())),
            _ => missing.push(table),
        }
    }
    (found, missing)
}

/// Incremental snapshots.
#[derive(Clone, Copy, Debug)]
pub struct IncrementalSnapshot {
    /// Rows in one window.
    pub chunk_size: usize,
    /// How the window is marked.
    pub watermarking: Watermarking,
    /// Write nothing: windows by transaction snapshots (PostgreSQL 13).
    pub read_only: bool,
}

impl IncrementalSnapshot {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            chunk_size: r.count("incremental.snapshot.chunk.size"),
            watermarking: r.choice("incremental.snapshot.watermarking.strategy", Watermarking::InsertInsert),
            read_only: r.boolean("read.only"),
        }
    }
}
