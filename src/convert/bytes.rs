//! `org.apache.kafka.connect.converters.ByteArrayConverter`: writes bytes unchanged.
//!
//! Must not know: text.

use record::{Kind, Part, Payload, Value};
use settings::Def;

use super::{ConvertError, Converter, Encoder, Prepare};

/// The converter's keys.
pub(super) const DEF: Def = Def::new(&[super::TYPE_KEY]);

/// Writes bytes unchanged; refuses schemas of other types.
#[derive(Clone, Copy, Debug)]
pub struct ByteArrayConverter;

impl Converter for ByteArrayConverter {
    fn prepare<'a>(&'a self, _topic: &'a str, part: Option<&'a Part>) -> Prepare<'a> {
        let refused = part.map(|part| &part.schema).filter(|schema| !matches!(schema.kind, Kind::Bytes));
        let encoder = || Ok(Encoder::new(|given, out| write(given.payload, out)));
        let answer = refused.map_or_else(encoder, |schema| {
            Err(ConvertError::SchemaType { converter: "ByteArrayConverter", found: schema.type_name() })
        });
        Box::pin(std::future::ready(answer))
    }
}

/// Appends the bytes; returns false for a null.
pub(super) fn write(payload: &Payload<'_>, out: &mut Vec<u8>) -> Result<bool, ConvertError> {
    match payload.to_value() {
        Value::Null => Ok(false),
        Value::Bytes(bytes) => {
            out.extend_from_slice(&bytes);
            Ok(true)
        }
        value => Err(ConvertError::Incompatible { found: super::java_class_names::of_value(&value) }),
    }
}
