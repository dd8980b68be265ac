//! A converter at work: its encoders, one for each topic and schema, and the bytes that were written last.

use std::sync::Arc;

use record::{Cache, Payload};

use super::attempts::Attempts;
use crate::convert::{Converter, Encoder};
use crate::runtime::failure::{Failure, Stage};

/// How many encoders are kept. With more topics and schemas some are prepared again now and then; the bound keeps tables
/// that were dropped long ago from taking memory.
const ENCODERS: usize = 4096;

/// Writes keys, values or headers.
#[derive(Debug)]
pub(crate) struct Writer {
    stage: Stage,
    /// The converter's Java class, for messages.
    pub(super) class: &'static str,
    converter: Box<dyn Converter>,
    encoders: Cache<(Arc<str>, u32), Encoder>,
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(stage: Stage, class: &'static str, converter: Box<dyn Converter>) -> Self {
        Self { stage, class, converter, encoders: Cache::new(ENCODERS), bytes: Vec::new() }
    }

    /// Converts a payload of a record for this topic; false for a Kafka null.
    ///
    /// # Errors
    /// When the converter cannot be prepared for the schema or refuses the value.
    pub(super) fn write(
        &mut self,
        topic: &Arc<str>,
        payload: &Payload<'_>,
        attempts: &mut Attempts,
    ) -> Result<bool, Failure> {
        self.bytes.clear();
        let (stage, schema) = (self.stage, payload.schema());
        let id = schema.map_or(0, |schema| schema.id);
        let is = |(name, known): &(Arc<str>, u32)| *known == id && (Arc::ptr_eq(name, topic) || name == topic);
        let place = if let Some(place) = self.encoders.place(is, || (Arc::clone(topic), id)) {
            place
        } else {
            let converter = &*self.converter;
            let encoder = attempts.run(|handle| {
                handle.block_on(converter.prepare(topic, schema)).map_err(|error| Failure::convert(stage, &error))
            })?;
            self.encoders.insert((Arc::clone(topic), id), encoder)
        };
        self.encoders.at(place).write(payload, &mut self.bytes).map_err(|error| Failure::convert(stage, &error))
    }

    /// The bytes that were written last.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
