//! The span of a task's start (`task.start`): until it runs, or has failed.
//!
//! Must not know: what a start consists of.

use std::sync::{Arc, Mutex, PoisonError};

use relational::TaskError;

use super::{TaskSpec, Worker};
use crate::runtime::traces::{Kind, Span};

/// The start of a task, as long as it goes on. A copy is the same start.
#[derive(Clone, Default)]
pub(super) struct Starting(Option<Arc<Mutex<Option<Span>>>>);

impl Starting {
    /// The task starts now.
    pub(super) fn of(spec: &TaskSpec, worker: &Worker) -> Self {
        let span = worker.traces.begin("task.start", Kind::Internal, None).map(|mut span| {
            span.set("afterimage.connector", &spec.connector);
            span.set("afterimage.task", 0_i64);
            span.set("afterimage.connector.class", spec.plugin.class);
            Arc::new(Mutex::new(Some(span)))
        });
        Self(span)
    }

    fn take(&self) -> Option<Span> {
        self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The task runs.
    pub(super) fn runs(&self) {
        drop(self.take());
    }

    /// The task has ended with this error; that matters only if it did not run before.
    pub(super) fn failed(&self, error: &TaskError) {
        if let Some(mut span) = self.take() {
            // The class alone: a message may say more than a trace should.
            let class = error.trace.split([':', '\n']).next().unwrap_or_default();
            span.fail(class.to_owned());
        }
    }
}
