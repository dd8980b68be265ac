//! The converters of the two families: a document for each schema, an id for each document, an encoder for both.
//!
//! Must not know: HTTP, values.

use record::Part;
use settings::{Def, Properties};

use super::document::document;
use super::encoder::encoder;
use super::mapping_keys;
use super::options::{Family, Options};
use super::parse::parse;
use super::types::Form;
use crate::convert::announce::Announcer;
use crate::convert::registry::{self, Document, DocumentKind, Registry, RegistryError};
use crate::convert::{ConvertError, Converter, Encoder, Prepare, TYPE_KEY};

/// The keys of Confluent's converter.
pub(in crate::convert) const CONFLUENT: Def = Def::new(&[TYPE_KEY, registry::CONFLUENT, mapping_keys::CONFLUENT]);
/// The keys of Apicurio's converter.
pub(in crate::convert) const APICURIO: Def = Def::new(&[TYPE_KEY, registry::APICURIO, mapping_keys::APICURIO]);

/// `io.confluent.connect.avro.AvroConverter` or `io.apicurio.registry.utils.converter.AvroConverter`.
#[derive(Debug)]
pub struct AvroConverter {
    announcer: Announcer,
    options: Options,
}

impl AvroConverter {
    /// Confluent's, from properties that [`CONFLUENT`] has already checked.
    ///
    /// # Errors
    /// When a setting of the registry will not do.
    pub(in crate::convert) fn confluent(properties: &Properties) -> Result<Self, RegistryError> {
        Ok(Self::new(Registry::confluent(properties)?, Family::Confluent, properties))
    }

    /// Apicurio's, from properties that [`APICURIO`] has already checked.
    ///
    /// # Errors
    /// When a setting of the registry will not do.
    pub(in crate::convert) fn apicurio(properties: &Properties) -> Result<Self, RegistryError> {
        Ok(Self::new(Registry::apicurio(properties)?, Family::Apicurio, properties))
    }

    fn new(registry: Registry, family: Family, properties: &Properties) -> Self {
        let is_key = properties.get("converter.type") == Some("key");
        let failed = |topic: &str| format!("Failed to serialize Avro data from topic {topic}:");
        Self { announcer: Announcer { registry, is_key, failed }, options: Options::read(family, properties) }
    }

    async fn encoder(&self, topic: &str, part: &Part) -> Result<Encoder, ConvertError> {
        let text = document(&part.schema, self.options)?;
        let of = parse(&text).map_err(|error| ConvertError::Avro { field: "".into(), error })?;
        let name = if let Form::Record(record) = &of.form { Some(record.name.text()) } else { None };
        let given = Document { kind: DocumentKind::Avro, text, references: Vec::new() };
        let registered = self.announcer.announce(topic, name.as_deref(), &given).await?;
        let frame = self.announcer.frame(topic, &registered, &[])?;
        let encoder = encoder(part, &given.text, registered.document.as_deref(), &frame.prefix, self.options)?;
        Ok(encoder.framed(frame))
    }
}

impl Converter for AvroConverter {
    fn prepare<'a>(&'a self, topic: &'a str, part: Option<&'a Part>) -> Prepare<'a> {
        Box::pin(async move {
            match part {
                Some(part) => self.encoder(topic, part).await,
                // Without a schema there are only nulls, which have no bytes and need no registry.
                None => Ok(Encoder::new(|_, _| Ok(false))),
            }
        })
    }
}
