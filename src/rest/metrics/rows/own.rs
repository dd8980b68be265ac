//! Metrics that only afterimage has.
//!
//! Must not know: how names are made.

use super::super::names::Group;
use super::{Read, Row, row, since};

pub(super) static ROWS: &[Row] = &[
    row(
        Group::Own,
        "afterimage_build_info",
        "The version and the commit of this daemon",
        Read::WorkerSeries(&["version", "commit"], |s| {
            vec![(vec![env!("CARGO_PKG_VERSION").to_owned(), s.commit.clone()], 1.0)]
        }),
    ),
    row(
        Group::Own,
        "afterimage_task_latency_seconds",
        "Time from the commit in the database to the broker's acknowledgement, of the first change of each batch that is \
         sent; by the two machines' clocks",
        Read::Times(|n| n.latency),
    ),
    row(
        Group::Own,
        "afterimage_task_lag_records",
        "Changes that were read from the database and are not acknowledged by the broker",
        Read::Counted(|n| Some((n.queued_events + n.under_way) as f64)),
    ),
    row(
        Group::Own,
        "afterimage_task_lag_seconds",
        "Age of the oldest change that was sent and is not acknowledged by the broker; 0 without one",
        Read::Counted(|n| Some(n.oldest_under_way_ms.map_or(0.0, |oldest_ms| since(Some(oldest_ms)) / 1000.0))),
    ),
    row(
        Group::Own,
        "afterimage_task_retained_log_bytes",
        "Log that the database has for the connector and that is not done with: PostgreSQL's WAL from the slot's restart_lsn on, \
         MySQL's binlog behind the position that was read; asked for every minute, and not shown for a task that FAILED",
        Read::Counted(|n| n.retained.map(|retained| retained.bytes as f64)),
    ),
    row(
        Group::Own,
        "afterimage_task_safe_log_bytes",
        "Bytes that may still be written to PostgreSQL's WAL before the slot may be lost; only with max_slot_wal_keep_size, \
         and not shown for a task that FAILED",
        Read::Counted(|n| n.retained.and_then(|retained| retained.safe_bytes).map(|bytes| bytes as f64)),
    ),
    row(
        Group::Own,
        "afterimage_task_sent_bytes_total",
        "Bytes of keys and values handed to the producer, before compression",
        Read::Counted(|n| Some(n.sent_bytes as f64)),
    ),
    row(
        Group::Own,
        "afterimage_task_dropped_records_total",
        "Records that transforms dropped",
        Read::Counted(|n| Some(n.dropped as f64)),
    ),
    row(
        Group::Own,
        "afterimage_task_restarts_total",
        "How often a task that failed has restarted by itself",
        Read::Task(|t| Some(t.restarts.total as f64)),
    ),
    row(
        Group::Own,
        "afterimage_task_restart_due_seconds",
        "Seconds until a task that failed restarts by itself",
        Read::Task(|t| t.restarts.due_s),
    ),
    row(
        Group::Own,
        "afterimage_traces_exported_spans_total",
        "Spans that the collector of traces took; only where traces are exported",
        Read::Worker(|s| Some(s.worker.traces?.exported as f64)),
    ),
    row(
        Group::Own,
        "afterimage_traces_dropped_spans_total",
        "Spans that were dropped, by reason: queue_full (the collector is slow or away), export_failed (an export did not succeed \
         in time) and rejected (the collector refused them); only where traces are exported",
        Read::WorkerSeries(&["reason"], |s| {
            let Some(traces) = s.worker.traces else { return Vec::new() };
            [("queue_full", traces.full), ("export_failed", traces.failed), ("rejected", traces.rejected)]
                .map(|(reason, count)| (vec![reason.to_owned()], count as f64))
                .into()
        }),
    ),
];
