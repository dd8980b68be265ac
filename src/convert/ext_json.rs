//! `io.apicurio.registry.utils.converter.ExtJsonConverter`: JSON whose Connect schema a registry stores under an id.
//!
//! Apicurio's version 2 writes the globalId, version 3 the contentId; here `apicurio.registry.use-id` says which.
//!
//! Must not know: HTTP, databases.

use record::Part;
use settings::{Def, Properties};

use super::announce::Announcer;
use super::json::{self, JsonConverter};
use super::registry::{self, Document, DocumentKind, Registry, RegistryError};
use super::{ConvertError, Converter, Encoder, Prepare, TYPE_KEY};

/// The converter's keys.
pub(super) const DEF: Def = Def::new(&[TYPE_KEY, registry::APICURIO, json::KEYS]);

/// Writes the id of a schema and a payload, as members of one object.
#[derive(Debug)]
pub struct ExtJsonConverter {
    announcer: Announcer,
    json: JsonConverter,
}

impl ExtJsonConverter {
    /// A converter from properties that [`DEF`] has already checked.
    ///
    /// # Errors
    /// When a setting of the registry will not do.
    pub(super) fn new(properties: &Properties) -> Result<Self, RegistryError> {
        let failed = |topic: &str| format!("Failed to serialize JSON data from topic {topic}:");
        let is_key = properties.get("converter.type") == Some("key");
        let mut properties = properties.clone();
        // The Java class sets this itself, whatever the configuration says.
        properties.insert("schemas.enable", "false");
        let announcer = Announcer { registry: Registry::apicurio(&properties)?, is_key, failed };
        Ok(Self { announcer, json: JsonConverter::new(&properties) })
    }

    async fn encoder(&self, topic: &str, part: &Part) -> Result<Encoder, ConvertError> {
        let text = self.json.schema_text(&part.schema);
        let given = Document { kind: DocumentKind::Connect, text, references: Vec::new() };
        let registered = self.announcer.announce(topic, part.schema.name.as_deref(), &given).await?;
        let mut json = self.json.encoder(Some(part))?;
        let head = format!("{{\"schemaId\":{},\"payload\":", registered.id).into_bytes();
        Ok(Encoder::new(move |given, out| {
            out.extend_from_slice(&head);
            json.write(given.payload, out)?;
            out.push(b'}');
            Ok(true)
        }))
    }
}

impl Converter for ExtJsonConverter {
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
