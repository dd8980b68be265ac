//! Why a payload could not be written.
//!
//! Must not know: any format.

use std::sync::Arc;

/// Why a converter refuses a record. The message is Kafka Connect's own (people search for it); where the cause stands is
/// in [`ConvertError::field`], what to do in [`ConvertError::remedy`]. Never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// A null where the schema has neither room for it nor a default.
    #[error("Conversion error: null value for field that is required and has no default value")]
    RequiredNull {
        /// Path of the field.
        field: Arc<str>,
    },
    /// A value of another type than its schema says.
    #[error("Invalid type for {expected}: class {found}")]
    Type {
        /// Path of the field.
        field: Arc<str>,
        /// The schema's type.
        expected: &'static str,
        /// The Java class that the value would have.
        found: &'static str,
    },
    /// A decimal whose scale is not its schema's.
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
    /// The converter cannot write this type at all.
    #[error("Invalid schema type for {converter}: {found}")]
    SchemaType {
        /// Simple class name of the converter.
        converter: &'static str,
        /// The schema's type.
        found: &'static str,
    },
    /// Anything but bytes for a converter of bytes.
    #[error("ByteArrayConverter is not compatible with objects of type class {found}")]
    Incompatible {
        /// The Java class that the value would have.
        found: &'static str,
    },
    /// A primitive serializer met another class.
    #[error("Failed to serialize to {word} (was class {found}): ")]
    Primitive {
        /// The type word of the serializer.
        word: &'static str,
        /// The Java class that the value would have.
        found: &'static str,
    },
    /// Something that the converter asks (a schema registry) does not answer. It may answer later.
    #[error("{service} cannot be asked: {reason}")]
    Unavailable {
        /// What is asked, with its address.
        service: String,
        /// What happened.
        reason: String,
    },
    /// An encoder was used with another schema than it was prepared for: a defect of the caller.
    #[error("the encoder was prepared for schema {prepared}, the record has schema {found}; please report this")]
    OtherSchema {
        /// Id that the encoder was prepared for.
        prepared: u32,
        /// Id of the record's schema, 0 without one.
        found: u32,
    },
}

impl ConvertError {
    /// The Java class that a status trace names.
    pub fn java_class(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "org.apache.kafka.connect.errors.RetriableException",
            _ => "org.apache.kafka.connect.errors.DataException",
        }
    }

    /// Where it stands: the path of the field, empty when it is the whole payload.
    pub fn field(&self) -> &str {
        match self {
            Self::RequiredNull { field } | Self::Type { field, .. } | Self::Scale { field, .. } => field,
            _ => "",
        }
    }

    /// What a person can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::RequiredNull { .. } => {
                "The column is NOT NULL but this image of the row lacks it; set REPLICA IDENTITY FULL on the table, or leave the \
                 column out with column.exclude.list."
            }
            Self::Type { .. } | Self::OtherSchema { .. } => {
                "This is a defect of a transform or of the connector; please report it."
            }
            Self::Scale { .. } => {
                "Set decimal.format=NUMERIC on the converter, or decimal.handling.mode=string on the connector."
            }
            Self::Unavailable { .. } => {
                "Check that it runs and that its address is right; errors.retry.timeout lets the task wait for it."
            }
            Self::SchemaType { .. } | Self::Primitive { .. } | Self::Incompatible { .. } => {
                "Choose a converter for structs (JsonConverter), or extract the one field with ExtractField."
            }
        }
    }

    /// Whether trying again may help: conversion is a pure function, but what it is prepared with may have to be asked for.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}
