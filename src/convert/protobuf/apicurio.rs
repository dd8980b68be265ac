//! `io.apicurio.registry.utils.converter.ProtobufConverter`: Protobuf whose document Apicurio's registry stores.
//!
//! Must not know: HTTP, values.

use record::Part;
use settings::{Def, Key, Kind, Properties, Support};

use super::converter::{Written, encoder};
use super::plan::plan;
use super::write::varint;
use super::{Family, Options, flat};
use crate::convert::announce::Announcer;
use crate::convert::registry::{self, Document, DocumentKind, Registry, RegistryError};
use crate::convert::{ConvertError, Converter, Encoder, Prepare, TYPE_KEY};

const KEYS: &[Key] = &[
    Key::new("apicurio.registry.serde.send-type-ref", Kind::Boolean)
        .default("true")
        .doc("Whether the name of the message stands before it."),
    Key::new("apicurio.registry.serde.send-indexes", Kind::Boolean)
        .default("false")
        .doc("Whether the place of the message in its document stands before it.")
        .support(Support::Refused(
            "places of messages are not written here",
            "Remove it: the name of the message is written.",
        )),
    Key::new("apicurio.registry.headers.key.msgType.name", Kind::String)
        .default("apicurio.key.msgType")
        .low()
        .doc("Name of the header with the Java class of a key's message, with apicurio.registry.headers.enabled."),
    Key::new("apicurio.registry.headers.value.msgType.name", Kind::String)
        .default("apicurio.value.msgType")
        .low()
        .doc("Name of the header with the Java class of a value's message, with apicurio.registry.headers.enabled."),
];

/// The converter's keys.
pub(in crate::convert) const APICURIO: Def = Def::new(&[TYPE_KEY, registry::APICURIO, KEYS]);

/// `io.apicurio.registry.utils.converter.ProtobufConverter`.
#[derive(Debug)]
pub struct ApicurioProtobufConverter {
    announcer: Announcer,
    /// Whether the name of the message stands before it.
    names_message: bool,
    /// The name of the header with the message's Java class, if there are headers.
    class_header: Option<String>,
}

impl ApicurioProtobufConverter {
    /// A converter from properties that [`APICURIO`] has already checked.
    ///
    /// # Errors
    /// When a setting of the registry will not do.
    pub(in crate::convert) fn new(properties: &Properties) -> Result<Self, RegistryError> {
        let failed = |topic: &str| format!("Failed to serialize Protobuf data from topic {topic}:");
        let is_key = properties.get("converter.type") == Some("key");
        let is = |name: &str, default: bool| {
            properties.get(name).map_or(default, |text| text.trim().eq_ignore_ascii_case("true"))
        };
        let name = if is_key {
            "apicurio.registry.headers.key.msgType.name"
        } else {
            "apicurio.registry.headers.value.msgType.name"
        };
        let usual = if is_key { "apicurio.key.msgType" } else { "apicurio.value.msgType" };
        let class_header = properties.get(name).unwrap_or(usual).to_owned();
        Ok(Self {
            announcer: Announcer { registry: Registry::apicurio(properties)?, is_key, failed },
            names_message: is("apicurio.registry.serde.send-type-ref", true),
            class_header: is("apicurio.registry.headers.enabled", false).then_some(class_header),
        })
    }

    async fn encoder(&self, topic: &str, part: &Part) -> Result<Encoder, ConvertError> {
        let options =
            Options { family: Family::Apicurio, optional: true, wrapper: false, keep_null: false, scrub_names: true };
        let (model, order) = flat::model(&part.schema, options)?;
        let message = model.messages[0].name.clone();
        let full = format!("{}.{message}", model.package.as_deref().unwrap_or_default());
        let text = flat::document(&model, &order);
        let given = Document { kind: DocumentKind::Protobuf, text, references: Vec::new() };
        let registered = self.announcer.announce(topic, Some(&full), &given).await?;
        let frame = self.announcer.frame(topic, &registered, &[])?;
        let mut head = frame.prefix.clone();
        if self.names_message {
            head.extend_from_slice(&named(&message));
        }
        let mut encoder = encoder(part, Written::Struct(plan(&part.schema, &model, options)), head).framed(frame);
        if let Some(header) = &self.class_header {
            let of = if self.announcer.is_key { "apicurio.protobuf.type.key" } else { "apicurio.protobuf.type" };
            encoder = encoder.with_header(header.as_str(), b"com.google.protobuf.DynamicMessage".to_vec());
            encoder = encoder.with_header(of, message.into_bytes());
        }
        Ok(encoder)
    }
}

/// A message that holds the name of the one behind it, with its length before it.
fn named(message: &str) -> Vec<u8> {
    let mut inner = vec![0x0a];
    varint(&mut inner, message.len() as u64);
    inner.extend_from_slice(message.as_bytes());
    let mut out = Vec::new();
    varint(&mut out, inner.len() as u64);
    out.extend_from_slice(&inner);
    out
}

impl Converter for ApicurioProtobufConverter {
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
