//! An Avro schema as a tree of types.
//!
//! Must not know: Connect's schemas.

use std::sync::Arc;

use super::names::Name;

/// A type, and the properties that it carries besides those that Avro knows.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) form: Form,
    pub(super) properties: Properties,
}

/// Names and JSON texts of properties, in the order in which they are written.
pub(super) type Properties = Vec<(String, String)>;

/// Which type it is.
#[derive(Debug)]
pub(super) enum Form {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    String,
    Bytes,
    Array(Arc<Type>),
    Map(Arc<Type>),
    Union(Vec<Arc<Type>>),
    Record(Record),
    Enum(Enum),
    Fixed(Fixed),
    /// A record inside of itself. Connect has no such schemas, so no value of ours has this type.
    Recursive(Name),
}

#[derive(Debug)]
pub(super) struct Record {
    pub(super) name: Name,
    pub(super) doc: Option<String>,
    pub(super) fields: Vec<Field>,
}

#[derive(Debug)]
pub(super) struct Enum {
    pub(super) name: Name,
    pub(super) doc: Option<String>,
    pub(super) symbols: Vec<String>,
    pub(super) default: Option<String>,
}

#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) name: Name,
    /// Number of bytes.
    pub(super) size: usize,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) of: Arc<Type>,
    pub(super) doc: Option<String>,
    /// The default as JSON text.
    pub(super) default: Option<String>,
    pub(super) properties: Properties,
}

impl Form {
    /// The type without properties.
    pub(super) fn bare(self) -> Type {
        Type { form: self, properties: Properties::new() }
    }

    /// The name of a record, an enum or a fixed.
    pub(super) fn name(&self) -> Option<&Name> {
        match self {
            Self::Record(Record { name, .. }) | Self::Enum(Enum { name, .. }) | Self::Fixed(Fixed { name, .. }) => {
                Some(name)
            }
            _ => None,
        }
    }

    /// The word that stands for the type in a document, and in a union tells it from the others.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Union(_) => "union",
            Self::Record(_) | Self::Recursive(_) => "record",
            Self::Enum(_) => "enum",
            Self::Fixed(_) => "fixed",
        }
    }

    /// Whether it has a name, or is a union with a type that has one.
    pub(super) fn holds_named(&self) -> bool {
        match self {
            Self::Union(branches) => branches.iter().any(|branch| branch.form.name().is_some()),
            form => form.name().is_some(),
        }
    }
}
