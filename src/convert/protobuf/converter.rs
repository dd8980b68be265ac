//! The converter: a document for each schema, an id for each document, an encoder for both.
//!
//! Must not know: HTTP, values.

use record::{Kind, Node, Part, Presence, Schema};
use settings::{Def, Properties};

use super::document::{WRAPPERS, document};
use super::error::ProtobufError;
use super::model::{model, scalar};
use super::plan::{Item, Member, plan, plan_scalar};
use super::write::{write_members, write_record, write_root};
use super::{Options, indexes, mapping_keys, root};
use crate::convert::announce::Announcer;
use crate::convert::registry::{self, Document, DocumentKind, Registry, RegistryError};
use crate::convert::{ConvertError, Converter, Encoder, Prepare, TYPE_KEY, proto_file};

/// The converter's keys.
pub(in crate::convert) const DEF: Def = Def::new(&[TYPE_KEY, registry::CONFLUENT, mapping_keys::KEYS]);

/// `io.confluent.connect.protobuf.ProtobufConverter`.
#[derive(Debug)]
pub struct ProtobufConverter {
    announcer: Announcer,
    options: Options,
}

/// A schema's document, and how its records are written.
struct Mapped {
    text: String,
    /// The full name of the document, for strategies that need a record's name.
    name: String,
    /// The full name of the message, and its place in a document of ours; none for a message that is not in the document.
    message: Option<(String, usize)>,
    written: Written,
}

/// How records are written.
pub(super) enum Written {
    Struct(Box<[Member]>),
    Scalar(Item),
}

impl ProtobufConverter {
    /// A converter from properties that [`DEF`] has already checked.
    ///
    /// # Errors
    /// When a setting of the registry will not do.
    pub(in crate::convert) fn new(properties: &Properties) -> Result<Self, RegistryError> {
        let failed = |topic: &str| format!("Failed to serialize Protobuf data from topic {topic}:");
        let is_key = properties.get("converter.type") == Some("key");
        let announcer = Announcer { registry: Registry::confluent(properties)?, is_key, failed };
        Ok(Self { announcer, options: Options::read(properties) })
    }

    async fn encoder(&self, topic: &str, part: &Part) -> Result<Encoder, ConvertError> {
        let mapped = Mapped::of(&part.schema, self.options)?;
        let given = Document { kind: DocumentKind::Protobuf, text: mapped.text, references: Vec::new() };
        let registered = self.announcer.announce(topic, Some(&mapped.name), &given).await?;
        let written = match (&mapped.message, registered.document.as_deref()) {
            (None, _) => indexes::FIRST.to_vec(),
            (Some((_, place)), None) => indexes::written(*place),
            (Some((name, _)), Some(other)) => {
                let place = proto_file::place(other, name).ok_or_else(|| {
                    let error = ProtobufError::Message { name: name.clone() };
                    ConvertError::Protobuf { field: "".into(), error }
                });
                indexes::written(place?)
            }
        };
        let frame = self.announcer.frame(topic, &registered, &written)?;
        Ok(encoder(part, mapped.written, frame.prefix.clone()).framed(frame))
    }
}

impl Mapped {
    fn of(schema: &Schema, options: Options) -> Result<Self, ConvertError> {
        if let Kind::Struct(_) = schema.kind {
            let model = model(schema, options)?;
            let name = match (&model.package, &model.messages[0].name) {
                (Some(package), name) => format!("{package}.{name}"),
                (None, name) => name.clone(),
            };
            let written = Written::Struct(plan(schema, &model, options));
            return Ok(Self { text: document(&model), message: Some((name.clone(), 0)), name, written });
        }
        let (Some(of), Some(item)) = (scalar(&schema.kind), plan_scalar(schema)) else { return Err(root(schema)) };
        let (name, place) = of.wrapper();
        // In Java too, a decimal, date or time that is a whole record gets the document of its plain type, and the place of
        // a message that is not in it.
        let message = matches!(item, Item::Wrapper(_)).then(|| (name.to_owned(), usize::from(place)));
        Ok(Self { text: WRAPPERS.to_owned(), name: name.to_owned(), message, written: Written::Scalar(item) })
    }
}

/// The encoder for the records of a part; `head` stands before each of them.
pub(super) fn encoder(part: &Part, written: Written, head: Vec<u8>) -> Encoder {
    match (written, &part.node) {
        (Written::Scalar(item), node) => {
            let node = node.clone();
            Encoder::new(move |given, out| {
                if given.payload.is_null() || node.is_null(given.payload.frame()) {
                    return Ok(false);
                }
                out.extend_from_slice(&head);
                let part = record::ValueRef::Owned(Box::new(given.payload.to_value()));
                write_root(&item, &part, out).map(|()| true)
            })
        }
        (Written::Struct(members), Node::Struct(nodes, presence)) => {
            let (nodes, presence) = (nodes.clone(), presence.clone());
            Encoder::new(move |given, out| {
                let frame = given.payload.frame();
                if given.payload.is_null() || (presence != Presence::Always && !presence.holds(frame)) {
                    return Ok(false);
                }
                out.extend_from_slice(&head);
                write_members(&members, &nodes, frame, out).map(|()| true)
            })
        }
        (Written::Struct(members), Node::Leaf(leaf)) => {
            let leaf = leaf.clone();
            Encoder::new(move |given, out| {
                let value = leaf.value(given.payload.frame());
                if value == record::Value::Null {
                    return Ok(false);
                }
                out.extend_from_slice(&head);
                write_record(&members, &value, out).map(|()| true)
            })
        }
    }
}

impl Converter for ProtobufConverter {
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
