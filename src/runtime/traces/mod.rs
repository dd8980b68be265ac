//! Traces: spans of batches, copied tables, starts of tasks and REST calls, sent to a collector of OpenTelemetry.
//!
//! Purpose: an operator who has a collector sees where the time of a batch goes, and a call or a row that belongs to a trace
//! stays in it. Off unless the worker is given an endpoint (`settings.rs` has the standard variables): then a [`Tracer`] is an
//! empty option, and the tasks ask for no time and make nothing for it. When it is on, a span is made once for a batch, a table
//! or a call, and never for a row, unless the transform ActivateTracingSpan asks for that.
//!
//! Nothing waits for the collector: a span that has ended goes into a bounded queue (`exporter.rs`), and one for which there is
//! no room is dropped and counted. Spans say names, numbers and times; values of cells, statements and secrets never stand in
//! them.
//!
//! OTLP is written here (`otlp.rs`, less than two hundred lines) and sent with the HTTP client that is here anyway. The maintained
//! crates for it (`opentelemetry`, `_sdk`, `-otlp`, `-proto` and `-http`, 0.33 at the time) would bring nine crates more into what
//! is shipped, with prost and its macros, and being 0.x each of their minor versions may break what uses them. What is used of
//! them would be a queue and a message. The message is frozen (OTLP 1.x), and the queue has to count for `/metrics`, to keep quiet
//! in the log while a collector is away, and to end with the daemon's own deadline.
//!
//! Must not know: HTTP of the REST API, SQL, which connector.

mod context;
mod exporter;
mod otlp;
mod records;
mod sampler;
mod settings;
mod span;
mod tls;
mod waiting;

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc::Sender;

pub use self::context::Context;
pub use self::exporter::{Flusher, TraceError, start};
pub use self::sampler::Sampler;
pub use self::settings::{Exporting, TraceSettings};
pub use self::span::{Kind, Span};
pub(crate) use self::waiting::{Delivering, Waiting};

use self::span::Ended;

/// Makes spans. A copy is the same tracer.
#[derive(Clone, Debug, Default)]
pub struct Tracer(Option<Arc<Shared>>);

/// What the spans of a process share.
#[derive(Debug)]
struct Shared {
    sampler: Sampler,
    /// Whether the context of a caller is honoured (`tracecontext` among `OTEL_PROPAGATORS`).
    propagates: bool,
    queue: Sender<Ended>,
    counts: Arc<Counts>,
}

/// What has become of the spans that ended.
#[derive(Debug, Default)]
struct Counts {
    exported: AtomicU64,
    /// There was no room in the queue.
    full: AtomicU64,
    /// The collector did not take them.
    failed: AtomicU64,
    /// The collector answered that it does not want them.
    rejected: AtomicU64,
}

/// What has become of the spans that ended, since the start of the worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceNumbers {
    /// Spans that the collector took.
    pub exported: u64,
    /// Spans that were dropped because the queue was full.
    pub full: u64,
    /// Spans that were dropped because the collector was away, or answered with an error.
    pub failed: u64,
    /// Spans that the collector refused in an answer that was otherwise a success.
    pub rejected: u64,
}

impl Tracer {
    /// Whether spans are made at all.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Begins a span now; nothing when traces are off. A span without a parent is the first of a new trace.
    pub fn begin(&self, name: impl Into<Cow<'static, str>>, kind: Kind, parent: Option<&Context>) -> Option<Span> {
        self.0.as_ref().map(|shared| Span::begin(shared, name.into(), kind, parent))
    }

    /// The context of a caller, from the headers of W3C's trace context. Nothing when traces are off, when the text is not in
    /// that form, or when the caller's context is not to be honoured.
    pub fn caller(&self, traceparent: Option<&str>, tracestate: Option<&str>) -> Option<Context> {
        self.0.as_ref().filter(|shared| shared.propagates)?;
        Context::parse(traceparent?, tracestate)
    }

    /// What has become of the spans; nothing when traces are off.
    pub fn numbers(&self) -> Option<TraceNumbers> {
        let counts = &self.0.as_ref()?.counts;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Some(TraceNumbers {
            exported: read(&counts.exported),
            full: read(&counts.full),
            failed: read(&counts.failed),
            rejected: read(&counts.rejected),
        })
    }
}

impl Shared {
    /// Takes a span that has ended. Never waits.
    fn take(&self, span: Ended) {
        if self.queue.try_send(span).is_err() {
            self.counts.full.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Nanoseconds since 1970.
pub(crate) fn now_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as i64
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use self::tests::Fake;
