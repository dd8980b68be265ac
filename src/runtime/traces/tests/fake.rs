//! A tracer whose spans a test looks at.

use std::fmt::Write as _;
use std::sync::Arc;

use tokio::sync::mpsc::{self, Receiver};

use crate::runtime::traces::span::{Ended, Value};
use crate::runtime::traces::{Counts, Sampler, Shared, Tracer};

/// A tracer and the spans that have ended.
pub(crate) struct Fake {
    pub(crate) tracer: Tracer,
    ended: Receiver<Ended>,
}

impl Fake {
    /// With room for so many spans.
    pub(crate) fn new(room: usize, sampler: Sampler) -> Self {
        let (queue, ended) = mpsc::channel(room);
        let shared = Shared { sampler, propagates: true, queue, counts: Arc::<Counts>::default() };
        Self { tracer: Tracer(Some(Arc::new(shared))), ended }
    }

    /// The spans that have ended since the last call.
    pub(in crate::runtime::traces) fn spans(&mut self) -> Vec<Ended> {
        std::iter::from_fn(|| self.ended.try_recv().ok()).collect()
    }

    /// The same, each in a line: its name, that of its parent if that has ended too, its attributes by name, and `failed`.
    pub(crate) fn lines(&mut self) -> Vec<String> {
        let spans = self.spans();
        let parent = |span: &Ended| spans.iter().find(|other| span.parent == Some(other.context.span));
        let line = |span: &Ended| {
            let mut line = span.name.to_string();
            if let Some(parent) = parent(span) {
                assert_eq!(span.context.trace, parent.context.trace);
                let _ = write!(line, " in {}", parent.name);
            }
            let mut attributes: Vec<String> = span
                .attributes
                .iter()
                .filter(|(name, _)| *name != "afterimage.connector" && *name != "afterimage.task")
                .map(|(name, value)| match value {
                    Value::Text(text) => format!(" {name}={text}"),
                    Value::Int(number) => format!(" {name}={number}"),
                })
                .collect();
            attributes.sort();
            line.extend(attributes);
            if span.has_failed {
                line.push_str(" failed");
            }
            assert!(span.begun_ns > 0 && span.until_ns >= span.begun_ns, "{line}");
            line
        };
        spans.iter().map(line).collect()
    }
}
