//! Why a schema or a value cannot be Protobuf. The messages are those of Confluent's converter and of Protobuf's Java library.
//!
//! Must not know: registries.

/// Why a schema or a value cannot be written as Protobuf. No text contains a value of a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProtobufError {
    /// Lists and maps cannot be whole records.
    #[error("Unsupported root schema of type {found}")]
    Root {
        /// The schema's type.
        found: &'static str,
    },
    /// A list cannot hold lists.
    #[error("Array cannot be nested")]
    NestedArray,
    /// A whole record must be a struct.
    #[error("Top-level Protobuf converter schema must be a struct")]
    NoStruct,
    /// A map's keys must be texts.
    #[error("Only string map keys are supported by the Protobuf converter")]
    Keys,
    /// A list or a map cannot hold maps.
    #[error("Nested map-in-collection is not supported. Wrap the inner map in a struct field.")]
    NestedMap,
    /// A logical type has no form in Protobuf.
    #[error("Unsupported bytes value: class {found}")]
    Logical {
        /// The Java class that the value would have.
        found: &'static str,
    },
    /// A list cannot hold maps.
    #[error("Wrong object type used with protocol message reflection.")]
    MapInArray,
    /// A name is empty.
    #[error("Invalid protobuf schema definition: {full}: Missing name.")]
    Unnamed {
        /// The name with those around it.
        full: String,
    },
    /// A name has something else in it than letters, digits and underscores, or begins with a digit.
    #[error("Invalid protobuf schema definition: {full}: \"{name}\" is not a valid identifier.")]
    Identifier {
        /// The name with those around it.
        full: String,
        /// The name.
        name: String,
    },
    /// Two things in a message have the same name.
    #[error("Invalid protobuf schema definition: {full}: \"{name}\" is already defined in \"{around}\".")]
    Twice {
        /// The name with those around it.
        full: String,
        /// The name.
        name: String,
        /// The message.
        around: String,
    },
    /// Two structs have the same name but different fields, and Protobuf knows one of them only.
    #[error("Cannot find field with name {name}")]
    Field {
        /// The field that only the other struct has.
        name: String,
    },
    /// A list has an element that is null.
    #[error("A list has an element that is null, which Protobuf cannot express")]
    NullElement,
    /// A time of day is outside of a day.
    #[error("Time values must use number of millis greater than 0 and less than 86400000")]
    Time,
    /// An instant is before year 1 or after year 9999.
    #[error("Timestamp is not valid. See proto definition for valid values.")]
    Timestamp,
    /// The registry's document has no message for the record.
    #[error("The registered schema has no message {name}")]
    Message {
        /// Full name of the message.
        name: String,
    },
}

impl ProtobufError {
    /// The Java exception class that a status trace shows for this error.
    pub(in crate::convert) fn java_class(&self) -> &'static str {
        match self {
            Self::Field { .. } | Self::Time => "org.apache.kafka.connect.errors.DataException",
            Self::NullElement => "java.lang.NullPointerException",
            Self::Message { .. } => "org.apache.kafka.common.errors.SerializationException",
            _ => "java.lang.IllegalArgumentException",
        }
    }

    /// What a user can do about the error.
    pub(in crate::convert) fn remedy(&self) -> &'static str {
        match self {
            Self::Root { .. } | Self::NoStruct => {
                "Choose another converter for this topic, such as org.apache.kafka.connect.json.JsonConverter."
            }
            Self::Logical { .. } => "Set decimal.handling.mode=string or double on the connector.",
            Self::NestedArray
            | Self::MapInArray
            | Self::NestedMap
            | Self::Keys
            | Self::NullElement
            | Self::Time
            | Self::Timestamp => {
                "Leave the column out with column.exclude.list, or choose another converter, such as \
                 io.confluent.connect.avro.AvroConverter."
            }
            Self::Unnamed { .. } | Self::Identifier { .. } => {
                "Set scrub.invalid.names=true on the converter, or field.name.adjustment.mode=avro on the connector."
            }
            Self::Twice { .. } | Self::Field { .. } => {
                "Rename the column, or leave it out with column.exclude.list: Protobuf takes types for one that have the same name."
            }
            Self::Message { .. } => "Register a schema with this message, or set auto.register.schemas=true.",
        }
    }
}
