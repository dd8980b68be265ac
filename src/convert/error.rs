//! Why a payload could not be converted.
//!
//! Must not know: any format.

use std::sync::Arc;

use retry::Outlook;

use super::AvroError;
use super::ProtobufError;
use super::registry::RegistryError;

/// Why a converter refuses a record. The message is Kafka Connect's, because people search for it.
/// [`ConvertError::field`] names the field, and [`ConvertError::remedy`] says what to do. No text contains a value of
/// the record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// The value is null, but the schema is required and has no default.
    #[error("Conversion error: null value for field that is required and has no default value")]
    RequiredNull {
        /// Path of the field.
        field: Arc<str>,
    },
    /// The value has another type than its schema.
    #[error("Invalid type for {expected}: class {found}")]
    Type {
        /// Path of the field.
        field: Arc<str>,
        /// The schema's type.
        expected: &'static str,
        /// The Java class that the value would have.
        found: &'static str,
    },
    /// The decimal's scale is not that of its schema.
    #[error(
        "Decimal value has mismatching scale for given Decimal schema. Schema has scale {schema}, value has scale {value}."
    )]
    Scale {
        /// Path of the field.
        field: Arc<str>,
        /// Scale of the schema.
        schema: i32,
        /// Scale of the value.
        value: i32,
    },
    /// The converter cannot write schemas of this type.
    #[error("Invalid schema type for {converter}: {found}")]
    SchemaType {
        /// Simple class name of the converter.
        converter: &'static str,
        /// The schema's type.
        found: &'static str,
    },
    /// The value is not bytes, but the converter writes bytes only.
    #[error("ByteArrayConverter is not compatible with objects of type class {found}")]
    Incompatible {
        /// The Java class that the value would have.
        found: &'static str,
    },
    /// The record cannot be an event of CloudEvents.
    #[error("{message}")]
    CloudEvent {
        /// The Java exception class.
        java_class: &'static str,
        /// What is wrong, in Debezium's words.
        message: String,
    },
    /// The encoder was prepared for records with other headers than this one's. It must be prepared again.
    #[error("The record's headers are of another kind than those of the records before it")]
    Changed,
    /// The value is no bytes, and no other converter was named for such values.
    #[error("A {topic} of type '{found}' requires a delegate.converter.type to be configured")]
    NoDelegate {
        /// The topic.
        topic: String,
        /// The simple name of the Java class that the value would have.
        found: &'static str,
    },
    /// The value is not of the type that the primitive converter writes.
    #[error("Failed to serialize to {word} (was class {found}): ")]
    Primitive {
        /// The name of the converter's type, such as `long`.
        word: &'static str,
        /// The Java class that the value would have.
        found: &'static str,
    },
    /// Avro cannot express the schema, or the value does not fit it.
    #[error("{error}")]
    Avro {
        /// Path of the field.
        field: Arc<str>,
        /// What is wrong.
        error: AvroError,
    },
    /// The schema registry gave no id for the schema.
    #[error("{doing} {error}")]
    Registry {
        /// What failed, in the words of the Java converter, such as `Failed to serialize Avro data from topic t:`.
        doing: String,
        /// Why.
        error: Box<RegistryError>,
    },
    /// Protobuf cannot express the schema or the value.
    #[error("{error}")]
    Protobuf {
        /// Path of the field.
        field: Arc<str>,
        /// What is wrong.
        error: ProtobufError,
    },
    /// A service that the converter needs, such as a schema registry, does not answer. It may answer later.
    #[error("{service} cannot be asked: {reason}")]
    Unavailable {
        /// The service, with its address.
        service: String,
        /// Why it did not answer.
        reason: String,
    },
}

impl ConvertError {
    /// The Java exception class that a status trace shows for this error.
    pub fn java_class(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "org.apache.kafka.connect.errors.RetriableException",
            Self::Avro { error, .. } => error.java_class(),
            Self::Registry { error, .. } => error.java_class(),
            Self::Protobuf { error, .. } => error.java_class(),
            Self::CloudEvent { java_class, .. } => java_class,
            _ => "org.apache.kafka.connect.errors.DataException",
        }
    }

    /// The path of the field that the error is about, such as `after.id`; empty for the whole payload.
    pub fn field(&self) -> &str {
        match self {
            Self::RequiredNull { field }
            | Self::Type { field, .. }
            | Self::Scale { field, .. }
            | Self::Avro { field, .. }
            | Self::Protobuf { field, .. } => field,
            _ => "",
        }
    }

    /// What a user can do about the error.
    pub fn remedy(&self) -> &str {
        match self {
            Self::RequiredNull { .. } => {
                "The column is NOT NULL but this image of the row lacks it; set REPLICA IDENTITY FULL on the table, or leave the \
                 column out with column.exclude.list."
            }
            Self::Type { .. } => "This is a defect of a transform or of the connector; please report it.",
            Self::Scale { .. } => {
                "Set decimal.format=NUMERIC on the converter, or decimal.handling.mode=string on the connector."
            }
            Self::Avro { error, .. } => error.remedy(),
            Self::Registry { error, .. } => error.remedy(),
            Self::Protobuf { error, .. } => error.remedy(),
            Self::Unavailable { .. } => {
                "Check that it runs and that its address is right; errors.retry.timeout lets the task wait for it."
            }
            Self::CloudEvent { .. } => {
                "See metadata.source of the converter: events are made of envelopes, or of records with the headers source, op and \
                 transaction, as the transform HeaderFrom makes them."
            }
            Self::Changed => "This is a defect of a converter; please report it.",
            Self::NoDelegate { .. } => {
                "Set delegate.converter.type on the converter, for example to org.apache.kafka.connect.json.JsonConverter."
            }
            Self::SchemaType { .. } | Self::Primitive { .. } | Self::Incompatible { .. } => {
                "Choose a converter for structs, such as org.apache.kafka.connect.json.JsonConverter."
            }
        }
    }

    /// Whether trying again may help: only if a service did not answer, because writing itself gives the same result
    /// again.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Registry { error, .. } => error.is_transient(),
            _ => false,
        }
    }

    /// Whether a task that fails because of this may succeed when it is started again later.
    pub fn outlook(&self) -> Outlook {
        match self {
            Self::Unavailable { .. } => Outlook::MayPass,
            Self::Registry { error, .. } => error.outlook(),
            // Defects, each of which its remedy calls by that name.
            Self::Type { .. } | Self::Changed => Outlook::Unknown,
            _ => Outlook::CannotPass,
        }
    }
}
