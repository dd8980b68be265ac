//! `org.apache.kafka.connect.converters.{Short,Integer,Long,Float,Double,Boolean}Converter`: writes one number,
//! big-endian.
//!
//! Must not know: structs.

use record::{Kind, Logical, Part, Payload, Value};
use settings::Def;

use super::java_class_names::of_part;
use super::{ConvertError, Converter, Encoder, Prepare};

/// The converters' keys.
pub(super) const DEF: Def = Def::new(&[super::TYPE_KEY]);

/// Writes one value of a primitive type; the variant is the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrimitiveConverter {
    /// INT16 in two bytes.
    Short,
    /// INT32 in four bytes.
    Integer,
    /// INT64 in eight bytes.
    Long,
    /// FLOAT32 in four bytes.
    Float,
    /// FLOAT64 in eight bytes.
    Double,
    /// One byte, 1 or 0.
    Boolean,
}

impl PrimitiveConverter {
    fn word(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Integer => "integer",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Boolean => "boolean",
        }
    }

    /// Appends the number; returns false for a null.
    pub(super) fn write(self, payload: &Payload<'_>, out: &mut Vec<u8>) -> Result<bool, ConvertError> {
        let value = payload.to_value();
        let schema = payload.schema().map(|schema| &**schema);
        // The values of Connect's Date, Time and Timestamp are no numbers in Java.
        let kind = schema.filter(|schema| schema.logical == Logical::Plain).map(|schema| &schema.kind);
        match (self, &value, kind) {
            (_, Value::Null, _) => return Ok(false),
            (Self::Short, Value::Int(number), Some(Kind::Int16)) => {
                out.extend_from_slice(&(*number as i16).to_be_bytes());
            }
            (Self::Integer, Value::Int(number), Some(Kind::Int32)) => {
                out.extend_from_slice(&(*number as i32).to_be_bytes());
            }
            (Self::Long, Value::Int(number), Some(Kind::Int64)) => out.extend_from_slice(&number.to_be_bytes()),
            (Self::Float, Value::Float(number), _) => out.extend_from_slice(&number.to_be_bytes()),
            (Self::Double, Value::Double(number), _) => out.extend_from_slice(&number.to_be_bytes()),
            (Self::Boolean, Value::Bool(truth), _) => out.push(u8::from(*truth)),
            _ => return Err(ConvertError::Primitive { word: self.word(), found: of_part(schema, &value) }),
        }
        Ok(true)
    }
}

impl Converter for PrimitiveConverter {
    fn prepare<'a>(&'a self, _topic: &'a str, part: Option<&'a Part>) -> Prepare<'a> {
        let primitive = *self;
        // As in Connect, only the boolean converter checks the schema; the others check each value.
        let schema = part.map(|part| &part.schema).filter(|_| primitive == Self::Boolean);
        let refused = schema.filter(|schema| !matches!(schema.kind, Kind::Bool));
        let encoder = || Ok(Encoder::new(move |given, out| primitive.write(given.payload, out)));
        let answer = refused.map_or_else(encoder, |schema| {
            Err(ConvertError::SchemaType { converter: "BooleanConverter", found: schema.type_name() })
        });
        Box::pin(std::future::ready(answer))
    }
}
