//! Debezium's metrics, of the contexts `streaming`, `snapshot` and `schema-history`.
//!
//! Not here: texts that differ from event to event (`LastEvent`, `SourceEventPosition`, `LastTransactionId`, `GtidSet`), because
//! each would be a series of its own; `HoldingGlobalLock` of a snapshot; what belongs to incremental snapshots and to
//! `internal.advanced.metrics.enable`.
//!
//! Must not know: how names are made.

use relational::{HistoryNumbers, HistoryState, LogNumbers, Numbers, SnapshotState};

use super::super::names::Group;
use super::{Read, Row, flag, row, since};

const STREAMING: Group = Group::Debezium("streaming");
const SNAPSHOT: Group = Group::Debezium("snapshot");
const HISTORY: Group = Group::Debezium("schema-history");

pub(super) static ROWS: &[Row] = &[
    // --- streaming ---
    row(STREAMING, "Connected", "Whether the connector reads the log", Read::Counted(|n| flag(n.is_connected))),
    row(
        STREAMING,
        "MilliSecondsBehindSource",
        "How far the last event was behind its source's clock, -1 before the first",
        Read::Counted(|n| Some(n.lag_ms.unwrap_or(-1) as f64)),
    ),
    row(
        STREAMING,
        "MilliSecondsBehindSourceMinValue",
        "The least lag",
        Read::Counted(|n| (n.lags.count > 0).then_some(n.lags.min as f64)),
    ),
    row(
        STREAMING,
        "MilliSecondsBehindSourceMaxValue",
        "The greatest lag",
        Read::Counted(|n| (n.lags.count > 0).then_some(n.lags.max as f64)),
    ),
    row(STREAMING, "MilliSecondsBehindSourceAverageValue", "The mean lag", Read::Counted(|n| n.lags.mean())),
    row(
        STREAMING,
        "MilliSecondsBehindSourceP50",
        "The lag that half of the batches do not exceed",
        Read::Counted(|n| n.lags.percentile(0.5)),
    ),
    row(
        STREAMING,
        "MilliSecondsBehindSourceP95",
        "The lag that 95 of 100 batches do not exceed",
        Read::Counted(|n| n.lags.percentile(0.95)),
    ),
    row(
        STREAMING,
        "MilliSecondsBehindSourceP99",
        "The lag that 99 of 100 batches do not exceed",
        Read::Counted(|n| n.lags.percentile(0.99)),
    ),
    row(
        STREAMING,
        "MilliSecondsSinceLastEvent",
        "Time since the last event, -1 before the first",
        Read::Counted(|n| Some(since(n.last_event_ms))),
    ),
    row(
        STREAMING,
        "TotalNumberOfEventsSeen",
        "Changes that were read, filtered ones included; in a snapshot, rows that were copied",
        Read::Counted(|n| Some((n.streamed() + n.filtered) as f64)),
    ),
    row(SNAPSHOT, "TotalNumberOfEventsSeen", "", Read::Counted(|n| Some(n.reads as f64))),
    row(
        STREAMING,
        "TotalNumberOfCreateEventsSeen",
        "Inserts that were read",
        Read::Counted(|n| Some(n.creates as f64)),
    ),
    row(SNAPSHOT, "TotalNumberOfCreateEventsSeen", "", Read::Counted(|_| Some(0.0))),
    row(
        STREAMING,
        "TotalNumberOfUpdateEventsSeen",
        "Updates that were read",
        Read::Counted(|n| Some(n.updates as f64)),
    ),
    row(SNAPSHOT, "TotalNumberOfUpdateEventsSeen", "", Read::Counted(|_| Some(0.0))),
    row(
        STREAMING,
        "TotalNumberOfDeleteEventsSeen",
        "Deletes that were read",
        Read::Counted(|n| Some(n.deletes as f64)),
    ),
    row(SNAPSHOT, "TotalNumberOfDeleteEventsSeen", "", Read::Counted(|_| Some(0.0))),
    row(
        STREAMING,
        "NumberOfEventsFiltered",
        "Changes of tables that are not captured",
        Read::Counted(|n| Some(n.filtered as f64)),
    ),
    row(SNAPSHOT, "NumberOfEventsFiltered", "", Read::Counted(|_| Some(0.0))),
    row(
        STREAMING,
        "NumberOfUnchangedEventsSkipped",
        "Updates that changed no captured column and were left out, -1 without skip.messages.without.change",
        Read::Counted(|n| Some(n.unchanged.map_or(-1.0, |count| count as f64))),
    ),
    row(
        STREAMING,
        "NumberOfErroneousEvents",
        "Values that could not be converted",
        Read::Counted(|n| Some(n.erroneous as f64)),
    ),
    row(SNAPSHOT, "NumberOfErroneousEvents", "", Read::Counted(|n| Some(n.snapshot.erroneous as f64))),
    row(
        STREAMING,
        "NumberOfCommittedTransactions",
        "Transactions that were read to their end",
        Read::Counted(|n| Some(n.transactions as f64)),
    ),
    row(
        STREAMING,
        "QueueTotalCapacity",
        "Batches that may wait to be converted",
        Read::Counted(|n| Some(n.queue_capacity as f64)),
    ),
    row(SNAPSHOT, "QueueTotalCapacity", "", Read::Counted(|n| Some(n.queue_capacity as f64))),
    row(STREAMING, "QueueRemainingCapacity", "Batches for which there is room", Read::Counted(room)),
    row(SNAPSHOT, "QueueRemainingCapacity", "", Read::Counted(room)),
    row(
        STREAMING,
        "CurrentQueueSizeInBytes",
        "Bytes that wait to be converted",
        Read::Counted(|n| Some(n.queued_bytes as f64)),
    ),
    row(SNAPSHOT, "CurrentQueueSizeInBytes", "", Read::Counted(|n| Some(n.queued_bytes as f64))),
    row(
        STREAMING,
        "MaxQueueSizeInBytes",
        "0: there is no such bound of one connector, as all share one byte budget",
        Read::Counted(|_| Some(0.0)),
    ),
    row(SNAPSHOT, "MaxQueueSizeInBytes", "", Read::Counted(|_| Some(0.0))),
    // --- snapshot ---
    row(SNAPSHOT, "MilliSecondsSinceLastEvent", "", Read::Counted(|n| Some(since(n.snapshot.last_event_ms)))),
    row(SNAPSHOT, "TotalTableCount", "Tables that the copy reads", Read::Counted(|n| Some(n.snapshot.tables as f64))),
    row(
        SNAPSHOT,
        "RemainingTableCount",
        "Tables that are not copied to their end",
        Read::Counted(|n| Some(n.snapshot.tables_left as f64)),
    ),
    row(
        SNAPSHOT,
        "SnapshotRunning",
        "Whether tables are being copied",
        Read::Counted(|n| is(n, SnapshotState::Running)),
    ),
    row(SNAPSHOT, "SnapshotPaused", "Whether the copy is paused, which it never is", Read::Counted(|_| Some(0.0))),
    row(
        SNAPSHOT,
        "SnapshotCompleted",
        "Whether the copy is complete",
        Read::Counted(|n| is(n, SnapshotState::Completed)),
    ),
    row(SNAPSHOT, "SnapshotAborted", "Whether the copy failed", Read::Counted(|n| is(n, SnapshotState::Aborted))),
    row(
        SNAPSHOT,
        "SnapshotSkipped",
        "Whether this start copies nothing",
        Read::Counted(|n| is(n, SnapshotState::Skipped)),
    ),
    row(
        SNAPSHOT,
        "SnapshotDurationInSeconds",
        "How long the copy has taken so far, or in all",
        Read::Counted(|n| Some(n.snapshot.took().as_secs() as f64)),
    ),
    row(SNAPSHOT, "SnapshotPausedDurationInSeconds", "How long the copy was paused", Read::Counted(|_| Some(0.0))),
    row(
        SNAPSHOT,
        "RowsScanned",
        "Rows that were copied, by table",
        Read::CountedSeries(&["table"], |n| {
            n.snapshot.rows.iter().map(|(table, rows)| (vec![table.to_string()], *rows as f64)).collect()
        }),
    ),
    // --- streaming of a binlog ---
    row(
        STREAMING,
        "BinlogFilename",
        "The file of the last event that was handed on",
        Read::CountedSeries(&["filename"], |n| {
            let file = n.log.as_ref().and_then(|log| log.file.as_ref());
            file.map(|file| (vec![file.to_string()], 1.0)).into_iter().collect()
        }),
    ),
    row(
        STREAMING,
        "BinlogPosition",
        "Where the last event that was handed on begins in its file",
        Read::Counted(|n| n.log.as_ref().and_then(|log| log.position).map(|position| position as f64)),
    ),
    row(
        STREAMING,
        "IsGtidModeEnabled",
        "Whether the server gives each transaction a GTID",
        Read::Counted(|n| log(n, |log| u64::from(log.has_transaction_ids))),
    ),
    row(
        STREAMING,
        "NumberOfDisconnects",
        "How often the connection of the binlog was lost",
        Read::Counted(|n| log(n, |log| log.disconnects)),
    ),
    row(
        STREAMING,
        "NumberOfSkippedEvents",
        "Events that could not be read and were passed over",
        Read::Counted(|n| log(n, |log| log.passed_over)),
    ),
    row(
        STREAMING,
        "NumberOfRolledBackTransactions",
        "Transactions that were rolled back and thrown away (binlog.buffer.size)",
        Read::Counted(|n| log(n, |log| log.rolled_back)),
    ),
    row(
        STREAMING,
        "NumberOfNotWellFormedTransactions",
        "Transactions that began before the one before them had ended (binlog.buffer.size)",
        Read::Counted(|n| log(n, |log| log.not_well_formed)),
    ),
    row(
        STREAMING,
        "NumberOfLargeTransactions",
        "Transactions that did not fit into binlog.buffer.size",
        Read::Counted(|n| log(n, |log| log.large)),
    ),
    // --- schema history ---
    row(
        HISTORY,
        "Status",
        "What the schema history does: 1 for the state, 0 for all others",
        Read::CountedSeries(&["status"], |n| {
            let Some(history) = n.history else { return Vec::new() };
            [
                ("STOPPED", HistoryState::Stopped),
                ("RECOVERING", HistoryState::Recovering),
                ("RUNNING", HistoryState::Running),
            ]
            .map(|(name, state)| (vec![name.to_owned()], f64::from(u8::from(history.state == state))))
            .to_vec()
        }),
    ),
    row(
        HISTORY,
        "RecoveryStartTime",
        "When the history was last begun to be read, seconds since 1970, -1 for never",
        Read::Counted(|n| {
            history(n, |history| history.recovery_began_ms.map_or(-1.0, |began_ms| began_ms.div_euclid(1000) as f64))
        }),
    ),
    row(
        HISTORY,
        "ChangesRecovered",
        "Records of the history that were read",
        Read::Counted(|n| history(n, |history| history.recovered as f64)),
    ),
    row(
        HISTORY,
        "ChangesApplied",
        "Changes of tables that were applied, those of the history included",
        Read::Counted(|n| history(n, |history| history.applied as f64)),
    ),
    row(
        HISTORY,
        "MilliSecondsSinceLastRecoveredChange",
        "Time since a record of the history was read, -1 for never",
        Read::Counted(|n| history(n, |history| since(history.last_recovered_ms))),
    ),
    row(
        HISTORY,
        "MilliSecondsSinceLastAppliedChange",
        "Time since a change of a table was applied, -1 for never",
        Read::Counted(|n| history(n, |history| since(history.last_applied_ms))),
    ),
];

#[allow(clippy::unnecessary_wraps, reason = "a row reads an option")]
fn is(numbers: &Numbers, state: SnapshotState) -> Option<f64> {
    flag(numbers.snapshot.state == state)
}

#[allow(clippy::unnecessary_wraps, reason = "a row reads an option")]
fn room(numbers: &Numbers) -> Option<f64> {
    Some(numbers.queue_capacity.saturating_sub(numbers.queued) as f64)
}

fn log(numbers: &Numbers, value: impl Fn(&LogNumbers) -> u64) -> Option<f64> {
    numbers.log.as_ref().map(|log| value(log) as f64)
}

fn history(numbers: &Numbers, value: impl Fn(&HistoryNumbers) -> f64) -> Option<f64> {
    numbers.history.as_ref().map(value)
}
