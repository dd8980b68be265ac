//! The converter: a document for each schema, an id for each document, an encoder for both.
//!
//! Must not know: HTTP, values.

use record::Part;
use settings::{Def, Properties};

use super::document::document;
use super::{Options, mapping_keys};
use crate::convert::announce::Announcer;
use crate::convert::json::SparseJson;
use crate::convert::registry::{self, Document, DocumentKind, Registry, RegistryError};
use crate::convert::{ConvertError, Converter, Encoder, Prepare, TYPE_KEY};

/// The converter's keys.
pub(in crate::convert) const DEF: Def = Def::new(&[TYPE_KEY, registry::CONFLUENT, mapping_keys::KEYS]);

/// `io.confluent.connect.json.JsonSchemaConverter`.
#[derive(Debug)]
pub struct JsonSchemaConverter {
    announcer: Announcer,
    options: Options,
}

impl JsonSchemaConverter {
    /// A converter from properties that [`DEF`] has already checked.
    ///
    /// # Errors
    /// When a setting of the registry will not do.
    pub(in crate::convert) fn new(properties: &Properties) -> Result<Self, RegistryError> {
        let failed = |topic: &str| {
            format!("Converting Kafka Connect data to byte[] failed due to serialization error of topic {topic}:")
        };
        let is_key = properties.get("converter.type") == Some("key");
        let announcer = Announcer { registry: Registry::confluent(properties)?, is_key, failed };
        Ok(Self { announcer, options: Options::read(properties) })
    }

    async fn encoder(&self, topic: &str, part: &Part) -> Result<Encoder, ConvertError> {
        let text = document(&part.schema, self.options);
        // Confluent's strategies call a document by its title; where there may be a null, the document has none.
        let name = part.schema.name.as_deref().filter(|_| !part.schema.optional);
        let given = Document { kind: DocumentKind::Json, text, references: Vec::new() };
        let registered = self.announcer.announce(topic, name, &given).await?;
        let frame = self.announcer.frame(topic, &registered, &[])?;
        let mut json = SparseJson::of(part, &frame.prefix, self.options.style())?;
        Ok(Encoder::new(move |given, out| json.write(given.payload, out)).framed(frame))
    }
}

impl Converter for JsonSchemaConverter {
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
