//! Why a record could not be transformed, in the words of Kafka Connect.
//!
//! Must not know: transforms.

use settings::ReplaceError;

/// A refusal of one record. Messages are Connect's; they name fields and types, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransformError {
    /// No such field.
    #[error("{0} is not a valid field name")]
    NoField(String),
    /// A field of another type than the transform needs.
    #[error("Field '{field}' is not of type {expected}")]
    FieldType {
        /// The field.
        field: String,
        /// The type that was needed.
        expected: &'static str,
    },
    /// A whole struct where only a plain field can go.
    #[error("Struct schemas do not match.")]
    StructMismatch,
    /// Two fields of one name.
    #[error("Cannot create field because of field name duplication {0}")]
    Duplicate(String),
    /// A header that should hold a list of names and does not.
    #[error("the header {0} is not a list of field names; let it be written by ExtractChangedRecordState")]
    HeaderType(String),
    /// A regex that gave up, or its replacement that names no group.
    #[error(transparent)]
    Regex(#[from] ReplaceError),
}

impl TransformError {
    /// The Java class that a status trace names.
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

    /// Whether trying again may help: never, a transform is a function of its record.
    pub fn is_transient(&self) -> bool {
        false
    }
}
