//! Why a schema has no Avro document, or a value does not fit its own. The messages are those of Avro's Java library and
//! of Confluent's converter, because people search for them.
//!
//! Must not know: registries.

/// Why a schema or a value cannot be Avro. No text contains a value of a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AvroError {
    /// A name is empty.
    #[error("Empty name")]
    EmptyName,
    /// A name begins with something else than a letter or an underscore.
    #[error("Illegal initial character: {name}")]
    InitialCharacter {
        /// The name.
        name: String,
    },
    /// A name has something else in it than letters, digits and underscores.
    #[error("Illegal character in: {name}")]
    Character {
        /// The name.
        name: String,
    },
    /// A record has the name of a primitive type.
    #[error("Schemas may not be named after primitives: {name}")]
    Primitive {
        /// The name.
        name: String,
    },
    /// Two fields of a struct have the same name, often only after the names were adjusted.
    #[error("Duplicate field {name} in record {record}")]
    DuplicateField {
        /// Name of both fields.
        name: String,
        /// Full name of the record.
        record: String,
    },
    /// Two branches of a union cannot be told apart.
    #[error("Duplicate in union:{branch}")]
    DuplicateBranch {
        /// Type or name of the branch.
        branch: String,
    },
    /// A union stands directly in a union.
    #[error("Nested union")]
    NestedUnion,
    /// The schema's parameters do not describe the enum, fixed or decimal that its name or they themselves announce.
    #[error("{reason}")]
    Parameters {
        /// What is wrong with them.
        reason: String,
    },
    /// A logical type stands on another type than Avro's.
    #[error("{logical} can only be used with an underlying {wanted} type")]
    Logical {
        /// The logical type, as Java's messages name it.
        logical: &'static str,
        /// The type that it needs.
        wanted: &'static str,
    },
    /// A default has another type than its schema.
    #[error("Invalid type used for default value of {found} field")]
    Default {
        /// The schema's type.
        found: &'static str,
    },
    /// A value is null, but its schema is required and has no default.
    #[error("Found null value for non-optional schema")]
    Null,
    /// Two types of one schema get the same name in Avro, but have different fields: readers could not tell them apart.
    #[error("Two types of the schema have the same name in Avro: {reason}")]
    SameName {
        /// What differs.
        reason: String,
    },
    /// The value cannot be written as the document that the registry gave (`use.latest.version` and the like) wants it.
    #[error("The registered schema cannot hold the record: {reason}")]
    Registered {
        /// What does not fit.
        reason: String,
    },
}

impl AvroError {
    /// The Java exception class that a status trace shows for this error.
    pub(in crate::convert) fn java_class(&self) -> &'static str {
        match self {
            Self::EmptyName | Self::InitialCharacter { .. } | Self::Character { .. } => {
                "org.apache.avro.SchemaParseException"
            }
            Self::SameName { .. } => "org.apache.avro.SchemaParseException",
            Self::Primitive { .. } => "org.apache.avro.AvroTypeException",
            Self::DuplicateField { .. } | Self::DuplicateBranch { .. } | Self::NestedUnion => {
                "org.apache.avro.AvroRuntimeException"
            }
            Self::Parameters { .. } | Self::Logical { .. } => "java.lang.IllegalArgumentException",
            Self::Default { .. } | Self::Null => "org.apache.kafka.connect.errors.DataException",
            Self::Registered { .. } => "org.apache.kafka.common.errors.SerializationException",
        }
    }

    /// What a user can do about the error.
    pub(in crate::convert) fn remedy(&self) -> &'static str {
        match self {
            Self::EmptyName | Self::InitialCharacter { .. } | Self::Character { .. } | Self::Primitive { .. } => {
                "Let the connector adjust names: field.name.adjustment.mode=avro for columns, schema.name.adjustment.mode=avro \
                 for topics, schemas and tables. Confluent's converter can do it too: scrub.invalid.names=true."
            }
            Self::DuplicateField { .. } => {
                "Two columns get the same name. field.name.adjustment.mode=avro_unicode keeps them apart; or leave one out \
                 with column.exclude.list."
            }
            Self::SameName { .. } => {
                "Leave one of the columns out with column.exclude.list, or change its type: maps whose keys are no texts get \
                 Confluent's name MapEntry all of them."
            }
            Self::Null => {
                "The column is NOT NULL but this image of the row lacks it; set REPLICA IDENTITY FULL on the table, or leave the \
                 column out with column.exclude.list."
            }
            Self::Registered { .. } => {
                "Register a schema that has all of the record's fields with these types, or set auto.register.schemas=true and \
                 use.latest.version=false."
            }
            Self::DuplicateBranch { .. }
            | Self::NestedUnion
            | Self::Parameters { .. }
            | Self::Logical { .. }
            | Self::Default { .. } => "This is a defect of a transform or of the connector; please report it.",
        }
    }
}
