//! The table of all converters, and finding one by a class name or an alias.
//!
//! Must not know: who asks.

use settings::{Def, Invalid, Properties, names_class};

use super::registry::RegistryError;
use super::{
    ApicurioProtobufConverter, AvroConverter, ByteArrayConverter, CloudEventsConverter, Converter, DelegatingConverter,
    ExtJsonConverter, JsonConverter, JsonSchemaConverter, PrimitiveConverter, ProtobufConverter, SimpleHeaderConverter,
    StringConverter,
};
use super::{avro, bytes, cloud_events, delegate, ext_json, header, json, json_schema, primitive, protobuf, string};

/// What a converter is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Record keys.
    Key,
    /// Record values.
    Value,
    /// Record headers.
    Header,
}

impl Role {
    /// The value of `converter.type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Value => "value",
            Self::Header => "header",
        }
    }
}

/// A converter class: one row of [`ALL`].
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The Java class name.
    pub class: &'static str,
    /// What the converter writes, in one sentence.
    pub summary: &'static str,
    /// Whether the converter can write keys and values.
    pub for_records: bool,
    /// Whether the converter can write headers. Confluent's and Apicurio's converters cannot.
    pub for_headers: bool,
    /// The keys of the converter.
    pub keys: Def,
    make: Make,
}

/// How a converter is made of properties that were checked against its keys.
#[derive(Clone, Copy, Debug)]
enum Make {
    /// It can always be made.
    Always(fn(&Properties) -> Box<dyn Converter>),
    /// It needs more than its keys can check, such as files for TLS.
    Perhaps(fn(&Properties) -> Result<Box<dyn Converter>, Refusal>),
}

const fn primitive_entry(
    class: &'static str,
    summary: &'static str,
    make: fn(&Properties) -> Box<dyn Converter>,
) -> Entry {
    Entry { class, summary, for_records: true, for_headers: true, keys: primitive::DEF, make: Make::Always(make) }
}

/// Every converter.
pub static ALL: &[Entry] = &[
    Entry {
        class: "io.apicurio.registry.utils.converter.AvroConverter",
        summary: "Writes Avro, with the id of a schema in an Apicurio registry.",
        for_records: true,
        for_headers: false,
        keys: avro::APICURIO,
        make: Make::Perhaps(|properties| Ok(Box::new(AvroConverter::apicurio(properties)?))),
    },
    Entry {
        class: "io.apicurio.registry.utils.converter.ExtJsonConverter",
        summary: "Writes JSON whose Connect schema Apicurio's registry stores.",
        for_records: true,
        for_headers: false,
        keys: ext_json::DEF,
        make: Make::Perhaps(|properties| Ok(Box::new(ExtJsonConverter::new(properties)?))),
    },
    Entry {
        class: "io.apicurio.registry.utils.converter.ProtobufConverter",
        summary: "Writes Protobuf whose document Apicurio's registry stores.",
        for_records: true,
        for_headers: false,
        keys: protobuf::APICURIO,
        make: Make::Perhaps(|properties| Ok(Box::new(ApicurioProtobufConverter::new(properties)?))),
    },
    Entry {
        class: "io.confluent.connect.avro.AvroConverter",
        summary: "Writes Avro, with the id of a schema in a registry that has Confluent's API.",
        for_records: true,
        for_headers: false,
        keys: avro::CONFLUENT,
        make: Make::Perhaps(|properties| Ok(Box::new(AvroConverter::confluent(properties)?))),
    },
    Entry {
        class: "io.confluent.connect.json.JsonSchemaConverter",
        summary: "Writes JSON whose JSON Schema a registry stores.",
        for_records: true,
        for_headers: false,
        keys: json_schema::DEF,
        make: Make::Perhaps(|properties| Ok(Box::new(JsonSchemaConverter::new(properties)?))),
    },
    Entry {
        class: "io.confluent.connect.protobuf.ProtobufConverter",
        summary: "Writes Protobuf whose document a registry stores.",
        for_records: true,
        for_headers: false,
        keys: protobuf::DEF,
        make: Make::Perhaps(|properties| Ok(Box::new(ProtobufConverter::new(properties)?))),
    },
    Entry {
        class: "io.debezium.converters.BinaryDataConverter",
        summary: "Writes bytes unchanged, and everything else with another converter.",
        for_records: true,
        for_headers: true,
        keys: delegate::DEF,
        make: Make::Perhaps(|properties| Ok(Box::new(DelegatingConverter::new(delegate::Bytes::All, properties)?))),
    },
    Entry {
        class: "io.debezium.converters.ByteArrayConverter",
        summary: "Writes Java's byte arrays unchanged, and everything else, such as the bytes of a column, with another converter.",
        for_records: true,
        for_headers: true,
        keys: delegate::DEF,
        make: Make::Perhaps(|properties| Ok(Box::new(DelegatingConverter::new(delegate::Bytes::Arrays, properties)?))),
    },
    Entry {
        class: "io.debezium.converters.CloudEventsConverter",
        summary: "Writes changes as events of the CloudEvents specification, in JSON or Avro.",
        for_records: true,
        for_headers: false,
        keys: cloud_events::DEF,
        make: Make::Perhaps(|properties| Ok(Box::new(CloudEventsConverter::new(properties)?))),
    },
    primitive_entry("org.apache.kafka.connect.converters.BooleanConverter", "Writes a BOOLEAN as one byte.", |_| {
        Box::new(PrimitiveConverter::Boolean)
    }),
    Entry {
        class: "org.apache.kafka.connect.converters.ByteArrayConverter",
        summary: "Writes bytes unchanged.",
        for_records: true,
        for_headers: true,
        keys: bytes::DEF,
        make: Make::Always(|_| Box::new(ByteArrayConverter)),
    },
    primitive_entry(
        "org.apache.kafka.connect.converters.DoubleConverter",
        "Writes a FLOAT64 as eight bytes, big-endian.",
        |_| Box::new(PrimitiveConverter::Double),
    ),
    primitive_entry(
        "org.apache.kafka.connect.converters.FloatConverter",
        "Writes a FLOAT32 as four bytes, big-endian.",
        |_| Box::new(PrimitiveConverter::Float),
    ),
    primitive_entry(
        "org.apache.kafka.connect.converters.IntegerConverter",
        "Writes an INT32 as four bytes, big-endian.",
        |_| Box::new(PrimitiveConverter::Integer),
    ),
    primitive_entry(
        "org.apache.kafka.connect.converters.LongConverter",
        "Writes an INT64 as eight bytes, big-endian.",
        |_| Box::new(PrimitiveConverter::Long),
    ),
    primitive_entry(
        "org.apache.kafka.connect.converters.ShortConverter",
        "Writes an INT16 as two bytes, big-endian.",
        |_| Box::new(PrimitiveConverter::Short),
    ),
    Entry {
        class: "org.apache.kafka.connect.json.JsonConverter",
        summary: "Writes JSON, with or without the schema beside each payload.",
        for_records: true,
        for_headers: true,
        keys: json::DEF,
        make: Make::Always(|properties| Box::new(JsonConverter::new(properties))),
    },
    Entry {
        class: "org.apache.kafka.connect.storage.StringConverter",
        summary: "Writes the text that Java's toString gives.",
        for_records: true,
        for_headers: true,
        keys: string::DEF,
        make: Make::Always(|_| Box::new(StringConverter)),
    },
    Entry {
        class: "org.apache.kafka.connect.storage.SimpleHeaderConverter",
        summary: "Writes headers as texts that can be read back as values.",
        for_records: false,
        for_headers: true,
        keys: header::DEF,
        make: Make::Always(|_| Box::new(SimpleHeaderConverter)),
    },
];

/// Finds a converter for `role` by its Java class name, its simple name, or its simple name without the suffix
/// (`Json`). Of several, Kafka's own is meant: a worker without further plug-ins has only that one. If none of them is
/// Kafka's, as with the two classes `AvroConverter`, the short name finds nothing.
pub fn find(class: &str, role: Role) -> Option<&'static Entry> {
    let named = |entry: &&Entry| {
        names_class(class, entry.class, if entry.for_records { &["Converter"] } else { &["HeaderConverter"] })
    };
    let serves = |entry: &&Entry| if role == Role::Header { entry.for_headers } else { entry.for_records };
    let found: Vec<_> = ALL.iter().filter(serves).filter(named).collect();
    match found[..] {
        [one] => Some(one),
        _ => found.into_iter().find(|entry| entry.class.starts_with("org.apache.kafka.")),
    }
}

/// Why a converter cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no converter of this class for the role. The error belongs to the key that named the class:
    /// `key.converter`, `value.converter` or `header.converter`.
    #[error("Class {0} could not be found.")]
    Unknown(String),
    /// Properties of the converter are wrong. The messages are Connect's; the keys have no prefix.
    #[error("{}", .0.iter().map(|invalid| invalid.message.as_str()).collect::<Vec<_>>().join("; "))]
    Properties(Vec<Invalid>),
    /// A file that a property names cannot be used. It may be in the middle of its renewal.
    #[error("{}", .0.message)]
    File(Invalid),
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        let (key, of_file) = if let RegistryError::Setting { key, of_file, .. } = &error {
            (key.clone(), *of_file)
        } else {
            (String::new(), false)
        };
        let invalid = Invalid::new(key, format!("{error}. {}", error.remedy()));
        if of_file { Self::File(invalid) } else { Self::Properties(vec![invalid]) }
    }
}

/// Makes a converter for `role` from its properties, whose names are without the prefix `key.converter.` and the like.
///
/// # Errors
/// When the class is unknown or a property is wrong.
pub fn create(class: &str, properties: &Properties, role: Role) -> Result<Box<dyn Converter>, Refusal> {
    let entry = find(class.trim(), role).ok_or_else(|| Refusal::Unknown(class.to_owned()))?;
    let mut properties = properties.clone();
    properties.insert("converter.type", role.as_str());
    let complaints = entry.keys.complaints(&properties);
    if !complaints.is_empty() {
        return Err(Refusal::Properties(complaints));
    }
    match entry.make {
        Make::Always(make) => Ok(make(&properties)),
        Make::Perhaps(make) => make(&properties),
    }
}
