//! Announces a document to a schema registry, for all formats whose records carry an id.
//!
//! Must not know: any format, HTTP.

use super::ConvertError;
use super::registry::{Document, Frame, Registered, Registry, RegistryError};

/// A registry, and for whom it is asked.
#[derive(Debug)]
pub(super) struct Announcer {
    /// The client.
    pub(super) registry: Registry,
    /// Whether the records' keys are written.
    pub(super) is_key: bool,
    /// The Java converter's words for a failure, for a topic.
    pub(super) failed: fn(topic: &str) -> String,
}

impl Announcer {
    /// What the registry says of a document. `record_name` is the full name of a record's schema.
    ///
    /// # Errors
    /// When the registry refuses the document or does not answer.
    pub(super) async fn announce(
        &self,
        topic: &str,
        record_name: Option<&str>,
        document: &Document,
    ) -> Result<Registered, ConvertError> {
        let answer = self.registry.resolve(topic, self.is_key, record_name, document).await;
        answer.map_err(|error| self.failure(topic, error))
    }

    /// What a record carries beside its data. `indexes` are Protobuf's message indexes in their written form, empty for
    /// other formats.
    ///
    /// # Errors
    /// When the settings ask for what the registry did not give.
    pub(super) fn frame(&self, topic: &str, registered: &Registered, indexes: &[u8]) -> Result<Frame, ConvertError> {
        self.registry.frame(self.is_key, registered, indexes).map_err(|error| self.failure(topic, error))
    }

    fn failure(&self, topic: &str, error: RegistryError) -> ConvertError {
        ConvertError::Registry { doing: (self.failed)(topic), error: Box::new(error) }
    }
}

impl super::Encoder {
    /// Adds the headers of a frame.
    #[must_use]
    pub(super) fn framed(self, frame: Frame) -> Self {
        frame.headers.into_iter().fold(self, |encoder, (name, value)| encoder.with_header(name, value))
    }
}
