//! The spans of single records, which only the transform ActivateTracingSpan makes, as Debezium does: `db-log-write` from the
//! time of the change in the source on, and inside of it the operation from the time on at which the record was made.
//!
//! Must not know: records.

use std::sync::Arc;

use transforms::{RecordSpan, RecordSpans, TraceContext};

use super::{Context, Kind, Tracer};

/// The outer span's name in Debezium.
const LOG_WRITE: &str = "db-log-write";

/// Nanoseconds of a millisecond.
const MS: i64 = 1_000_000;

impl Tracer {
    /// What makes the spans of records; nothing when traces are off.
    pub(crate) fn of_records(&self) -> Option<RecordSpans> {
        let tracer = self.clone();
        self.is_on().then(|| -> RecordSpans { Arc::new(move |record| tracer.of_record(record)) })
    }

    fn of_record(&self, record: &RecordSpan<'_>) -> Option<TraceContext> {
        // The column is the user's own choice, so it is honoured whatever is said of callers.
        let parent = record.traceparent.and_then(|text| Context::parse(text, record.tracestate));
        let mut outer = self.begin(LOG_WRITE, Kind::Internal, parent.as_ref())?;
        let context = outer.context();
        let made = TraceContext {
            traceparent: context.traceparent(),
            tracestate: context.state.as_deref().map(str::to_owned),
        };
        if outer.is_recorded() {
            if let Some(written_ms) = record.written_ms {
                outer.begun_at(written_ms * MS);
            }
            for (name, value) in (record.of_source)() {
                outer.set(name, value);
            }
            let mut inner = outer.child(record.operation.to_owned());
            if let Some(made_ms) = record.made_ms {
                inner.begun_at(made_ms * MS);
                inner.set("ts_ms", made_ms.to_string());
            }
            if let Some(op) = &record.op {
                inner.set("op", op.clone());
            }
            inner.end();
        }
        Some(made)
    }
}
