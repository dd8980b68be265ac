//! The half of a record that a transform works on. Kafka has two classes of many transforms, `NAME$Key` and `NAME$Value`.
//!
//! Must not know: any transform.

use record::{Cache, Payload, Record};

use crate::TransformError;

/// The number of inputs for which a transform remembers what it compiled. Compiling takes as long as transforming many
/// records, so there is room for every table of a large database.
pub(crate) const CACHE: usize = 4096;

/// The key or the value of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    /// The key.
    Key,
    /// The value.
    Value,
}

impl Half {
    /// This half of the record.
    pub(crate) fn of<'r, 'a>(self, record: &'r Record<'a>) -> &'r Payload<'a> {
        match self {
            Self::Key => &record.key,
            Self::Value => &record.value,
        }
    }

    /// The record with this half changed: what Connect's `newRecord` gives, so with a list of headers of its own.
    pub(crate) fn changed<'a>(
        self,
        mut record: Record<'a>,
        change: impl FnOnce(Payload<'a>) -> Payload<'a>,
    ) -> Record<'a> {
        let half = match self {
            Self::Key => &mut record.key,
            Self::Value => &mut record.value,
        };
        let payload = std::mem::replace(half, Payload::Null);
        *half = change(payload);
        record.headers.detach();
        record
    }

    /// The name of the half in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Value => "value",
        }
    }
}

/// What a transform has compiled for its inputs, by [`Payload::id`].
#[derive(Debug)]
pub(crate) struct Compiled<T>(Cache<u32, T>);

impl<T> Compiled<T> {
    /// Nothing compiled yet.
    pub(crate) fn new() -> Self {
        Self(Cache::new(CACHE))
    }

    /// What was compiled for payloads like this one; `compile` makes it at the first such payload. A failure is not
    /// remembered.
    pub(crate) fn of(
        &mut self,
        payload: &Payload<'_>,
        compile: impl FnOnce(&Payload<'_>) -> Result<T, TransformError>,
    ) -> Result<&mut T, TransformError> {
        let id = payload.id();
        let place = match self.0.place(|known| *known == id, || id) {
            Some(place) => place,
            None => self.0.insert(id, compile(payload)?),
        };
        Ok(self.0.at(place))
    }
}
