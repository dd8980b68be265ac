//! A converter at work: its encoders, one for each topic and way in which payloads are made, and the bytes that were written
//! last.

use std::sync::Arc;

use record::{Cache, Headers, Payload, View};

use super::attempts::Attempts;
use crate::convert::{ConvertError, Converter, Encoder, Given};
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
    encoders: Cache<(Arc<str>, u32), Prepared>,
    /// The place of the encoder that wrote last.
    last: usize,
    bytes: Vec<u8>,
}

/// An encoder. The view for which it was prepared is kept, so that a table that is announced again without a change has the
/// same view, and so this encoder.
#[derive(Debug)]
struct Prepared {
    encoder: Encoder,
    _view: Option<Arc<View>>,
}

impl Writer {
    pub(crate) fn new(stage: Stage, class: &'static str, converter: Box<dyn Converter>) -> Self {
        Self { stage, class, converter, encoders: Cache::new(ENCODERS), last: 0, bytes: Vec::new() }
    }

    /// Converts a payload of a record for this topic; false for a Kafka null.
    ///
    /// # Errors
    /// When the converter cannot be prepared for the schema or refuses the value.
    pub(super) fn write(
        &mut self,
        topic: &Arc<str>,
        payload: &Payload<'_>,
        headers: &Headers<'_>,
        attempts: &mut Attempts,
    ) -> Result<bool, Failure> {
        self.bytes.clear();
        let (stage, id) = (self.stage, payload.id());
        let given = Given { payload, headers };
        let is = |(name, known): &(Arc<str>, u32)| *known == id && (Arc::ptr_eq(name, topic) || name == topic);
        let place = if let Some(place) = self.encoders.place(is, || (Arc::clone(topic), id)) {
            place
        } else {
            self.prepare(topic, given, attempts)?
        };
        self.last = place;
        let written = match self.encoders.at(place).encoder.write(given, &mut self.bytes) {
            Err(ConvertError::Changed) => {
                self.last = self.prepare(topic, given, attempts)?;
                self.encoders.at(self.last).encoder.write(given, &mut self.bytes)
            }
            written => written,
        };
        written.map_err(|error| Failure::convert(stage, &error))
    }

    /// Prepares an encoder and gives its place. A failure is not remembered: it may lie in this one record (CloudEvents are
    /// prepared by the headers of the first), and a schema registry's refusal is remembered by its client.
    fn prepare(&mut self, topic: &Arc<str>, given: Given<'_, '_>, attempts: &mut Attempts) -> Result<usize, Failure> {
        let (stage, converter) = (self.stage, &*self.converter);
        let encoder = attempts.run_async(|| async {
            converter.prepare_for(topic, given).await.map_err(|error| Failure::convert(stage, &error))
        })?;
        let view = if let Payload::View(view, ..) = given.payload { Some(Arc::clone(view)) } else { None };
        let key = (Arc::clone(topic), given.payload.id());
        Ok(self.encoders.insert(key, Prepared { encoder, _view: view }))
    }

    /// The headers that the encoder that wrote last adds to each record.
    pub(super) fn headers(&mut self) -> &[(Arc<str>, Vec<u8>)] {
        self.encoders.at(self.last).encoder.headers()
    }

    /// The bytes that were written last.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
