//! Why a transform could not be made, or a record not be transformed, with Kafka Connect's messages.
//!
//! Must not know: transforms.

use settings::{Invalid, ReplaceError};

/// The Java exception classes that traces show.
pub(crate) mod java {
    pub(crate) const CLASS_CAST: &str = "java.lang.ClassCastException";
    pub(crate) const CONFIG: &str = "org.apache.kafka.common.config.ConfigException";
    pub(crate) const CONNECT: &str = "org.apache.kafka.connect.errors.ConnectException";
    pub(crate) const DATA: &str = "org.apache.kafka.connect.errors.DataException";
    pub(crate) const DEBEZIUM: &str = "io.debezium.DebeziumException";
    pub(crate) const ILLEGAL_ARGUMENT: &str = "java.lang.IllegalArgumentException";
    pub(crate) const ILLEGAL_STATE: &str = "java.lang.IllegalStateException";
    pub(crate) const NULL_POINTER: &str = "java.lang.NullPointerException";
    pub(crate) const SCHEMA_BUILDER: &str = "org.apache.kafka.connect.errors.SchemaBuilderException";
}

/// Why a transform failed on one record. The messages are those of Kafka Connect and Debezium, because people search for
/// them. They name fields and types, never values.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransformError {
    class: &'static str,
    message: String,
    remedy: &'static str,
}

impl TransformError {
    /// An error that a trace shows as this Java exception.
    pub(crate) fn new(class: &'static str, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), remedy: "" }
    }

    /// A `DataException`.
    pub(crate) fn data(message: impl Into<String>) -> Self {
        Self::new(java::DATA, message)
    }

    /// Adds what a user can do about it.
    pub(crate) fn remedy_is(self, remedy: &'static str) -> Self {
        Self { remedy, ..self }
    }

    /// A `ConnectException`.
    pub(crate) fn connect(message: impl Into<String>) -> Self {
        Self::new(java::CONNECT, message)
    }

    /// The schema has no field of this name.
    pub(crate) fn no_field(name: &str) -> Self {
        Self::data(format!("{name} is not a valid field name"))
    }

    /// A field has another type than the transform needs.
    pub(crate) fn field_type(field: &str, expected: &str) -> Self {
        Self::data(format!("Field '{field}' is not of type {expected}"))
    }

    /// A value with another schema is put into a field.
    pub(crate) fn struct_mismatch() -> Self {
        Self::data("Struct schemas do not match.")
    }

    /// Two output fields have this name.
    pub(crate) fn duplicate(name: &str) -> Self {
        Self::new(java::SCHEMA_BUILDER, format!("Cannot create field because of field name duplication {name}"))
    }

    /// The value is not a struct. `purpose` stands in the message as Connect writes it, `found` is the Java class.
    pub(crate) fn not_a_struct(purpose: &str, found: &str) -> Self {
        Self::data(format!("Only Struct objects supported for [{purpose}], found: {found}"))
    }

    /// The value is no map, as it must be where there is no schema.
    pub(crate) fn not_a_map(purpose: &str, found: &str) -> Self {
        Self::data(format!("Only Map objects supported in absence of schema for [{purpose}], found: {found}"))
    }

    /// The fields of something else than a struct are asked for. Connect does so where it builds schemas without a look at
    /// the value.
    pub(crate) fn no_fields() -> Self {
        Self::data("Cannot list fields on non-struct type")
    }

    /// A field of something else than a struct is asked for.
    pub(crate) fn no_field_in() -> Self {
        Self::data("Cannot look up fields on non-struct type")
    }

    /// A null is put into a required field.
    pub(crate) fn required(field: &str, type_name: &str) -> Self {
        Self::data(format!("Invalid value: null used for required field: \"{field}\", schema type: {type_name}"))
    }

    /// The Java exception class that a status trace shows for this error.
    pub fn java_class(&self) -> &'static str {
        self.class
    }

    /// What a user can do about the error; empty where the message says it.
    pub fn remedy(&self) -> &'static str {
        self.remedy
    }

    /// Whether trying again may help: never, because a transform gives the same result for the same record.
    pub fn is_transient(&self) -> bool {
        false
    }
}

impl From<ReplaceError> for TransformError {
    /// The regex engine gave up, or a replacement text is wrong.
    fn from(error: ReplaceError) -> Self {
        let class = match error {
            ReplaceError::IllegalGroup => java::ILLEGAL_ARGUMENT,
            ReplaceError::NoGroup(_) => "java.lang.IndexOutOfBoundsException",
            ReplaceError::Backtracking(_) => "java.lang.StackOverflowError",
        };
        Self::new(class, error.to_string())
    }
}

/// Why a transform or predicate cannot be made from its properties. Connect notices some of these mistakes when the
/// connector is created, and others only when its task starts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .invalid.message)]
pub struct Refusal {
    /// The key and the message.
    pub invalid: Invalid,
    /// The Java exception class that a status trace shows.
    pub java_class: &'static str,
}

impl Refusal {
    /// A `ConfigException` that Connect raises when it configures the transform.
    pub(crate) fn config(key: &str, message: impl Into<String>) -> Self {
        Self::new(java::CONFIG, key, message)
    }

    /// A refusal that a trace shows as this Java exception. `key` is without the prefix `transforms.NAME.`.
    pub(crate) fn new(java_class: &'static str, key: &str, message: impl Into<String>) -> Self {
        Self { invalid: Invalid::new(key, message.into()), java_class }
    }
}

impl From<Invalid> for Refusal {
    fn from(invalid: Invalid) -> Self {
        Self { invalid, java_class: java::CONFIG }
    }
}

/// The complaints as refusals with a `ConfigException`, as Connect's own validators give them.
pub(crate) fn refusals(complaints: Vec<Invalid>) -> Vec<Refusal> {
    complaints.into_iter().map(Refusal::from).collect()
}
