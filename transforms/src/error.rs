//! Why a record could not be transformed, with Kafka Connect's messages.
//!
//! Must not know: transforms.

use settings::ReplaceError;

/// Why a transform failed on one record. The messages are Connect's; they name fields and types, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransformError {
    /// The schema has no field of this name.
    #[error("{0} is not a valid field name")]
    NoField(String),
    /// A field has another type than the transform needs.
    #[error("Field '{field}' is not of type {expected}")]
    FieldType {
        /// The field's name.
        field: String,
        /// The type that the transform needs.
        expected: &'static str,
    },
    /// `add.fields` or `add.headers` names a whole struct, array or map that is not null.
    #[error("Struct schemas do not match.")]
    StructMismatch,
    /// Two output fields have this name.
    #[error("Cannot create field because of field name duplication {0}")]
    Duplicate(String),
    /// The header that `drop.fields.header.name` names does not hold a list of texts.
    #[error("the header {0} is not a list of field names, as drop.fields.header.name needs it")]
    HeaderType(String),
    /// The regex engine gave up, or a replacement text is wrong.
    #[error(transparent)]
    Regex(#[from] ReplaceError),
}

impl TransformError {
    /// The Java exception class that a status trace shows for this error.
    pub fn java_class(&self) -> &'static str {
        match self {
            Self::NoField(_) | Self::FieldType { .. } | Self::StructMismatch => {
                "org.apache.kafka.connect.errors.DataException"
            }
            Self::Duplicate(_) => "org.apache.kafka.connect.errors.SchemaBuilderException",
            Self::HeaderType(_) => "java.lang.ClassCastException",
            Self::Regex(ReplaceError::IllegalGroup) => "java.lang.IllegalArgumentException",
            Self::Regex(ReplaceError::NoGroup(_)) => "java.lang.IndexOutOfBoundsException",
            Self::Regex(ReplaceError::Backtracking(_)) => "java.lang.StackOverflowError",
        }
    }

    /// Whether trying again may help: never, because a transform gives the same result for the same record.
    pub fn is_transient(&self) -> bool {
        false
    }
}
