//! Transforms that only show another struct: they drop, rename, move or add fields, and compute nothing. All of them work
//! the same way, so each has only to say what its view of an input is.
//!
//! Must not know: any transform.

use std::sync::Arc;

use record::{Payload, Record, View};

use crate::half::{Compiled, Half};
use crate::{Transform, TransformError};

/// What becomes of a record whose half is null.
pub(crate) enum Null {
    /// The record passes unchanged.
    Passes,
    /// The half is seen through the view, as values are.
    IsShown,
    /// The half becomes this.
    Becomes(Payload<'static>),
}

/// What a transform shows of its input.
pub(crate) trait Reshape: Send {
    /// Says what becomes of a null.
    fn null(&self, _payload: &Payload<'_>) -> Result<Null, TransformError> {
        Ok(Null::Passes)
    }

    /// Says what becomes of a map without a schema, as `HoistField` makes one of a null; none if it is taken like any other
    /// value.
    fn bare(&self, _map: &Payload<'_>) -> Option<Payload<'static>> {
        None
    }

    /// Makes the view of inputs like this one. That happens once for each kind of input.
    fn view(&self, payload: &Payload<'_>) -> Result<Arc<View>, TransformError>;
}

/// The transform.
#[derive(Debug)]
pub(crate) struct Reshaped<S> {
    half: Half,
    shape: S,
    views: Compiled<Arc<View>>,
}

impl<S> Reshaped<S> {
    pub(crate) fn new(half: Half, shape: S) -> Self {
        Self { half, shape, views: Compiled::new() }
    }
}

impl<S: Reshape> Transform for Reshaped<S> {
    fn apply<'a>(&mut self, record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let payload = self.half.of(&record);
        if payload.is_null() {
            match self.shape.null(payload)? {
                Null::Passes => return Ok(Some(record)),
                Null::Becomes(other) => return Ok(Some(self.half.changed(record, |_| other))),
                Null::IsShown => {}
            }
        }
        if payload.schema().is_some_and(|schema| schema.schemaless)
            && let Some(other) = self.shape.bare(payload)
        {
            return Ok(Some(self.half.changed(record, |_| other)));
        }
        let view = self.views.of(payload, |payload| self.shape.view(payload))?;
        Ok(Some(self.half.changed(record, |payload| payload.through(view, []))))
    }
}
