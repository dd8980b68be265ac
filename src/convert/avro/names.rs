//! Names of Avro types and fields: how they are made of Connect's names, and which ones Avro allows.
//!
//! Must not know: schemas.

use super::error::AvroError;
use super::options::{Family, Options};
use crate::convert::scrub;

/// The namespace of types that have no name in Connect.
pub(super) const NAMESPACE: &str = "io.confluent.connect.avro";

/// The name of a record, an enum or a fixed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    /// What stands before the last dot; none for a name without a dot.
    pub(super) namespace: Option<String>,
    /// What stands after the last dot.
    pub(super) short: String,
}

impl Name {
    /// A name that is complete already.
    pub(super) fn full(text: &str) -> Self {
        match text.rsplit_once('.') {
            Some((namespace, short)) => Self::of(Some(namespace), short),
            None => Self::of(None, text),
        }
    }

    /// A name in a namespace; the empty namespace is none.
    pub(super) fn of(namespace: Option<&str>, short: &str) -> Self {
        Self { namespace: namespace.filter(|space| !space.is_empty()).map(str::to_owned), short: short.to_owned() }
    }

    /// The name with its namespace.
    pub(super) fn text(&self) -> String {
        match &self.namespace {
            Some(namespace) => format!("{namespace}.{}", self.short),
            None => self.short.clone(),
        }
    }

    /// The name as it is written inside of a type of the namespace `around`.
    pub(super) fn seen_from(&self, around: Option<&str>) -> String {
        if self.namespace.as_deref() == around { self.short.clone() } else { self.text() }
    }
}

/// The Avro name for the name of a Connect schema.
///
/// # Errors
/// When Avro does not allow the last part. What stands before it is not looked at here, as in Java: registries differ
/// in what they accept there, and say so themselves.
pub(super) fn type_name(connect: &str, options: Options) -> Result<Name, AvroError> {
    let name = match options.family {
        Family::Apicurio => Name::full(connect),
        Family::Confluent => {
            // Java's String.split leaves out empty parts at the end.
            let parts = connect.trim_end_matches('.').split('.').map(|part| scrubbed(part, options));
            Name::full(&parts.collect::<Vec<_>>().join("."))
        }
    };
    check(&name.short)?;
    if name.namespace.is_none() && PRIMITIVES.contains(&name.short.as_str()) {
        return Err(AvroError::Primitive { name: name.short });
    }
    Ok(name)
}

/// The Avro name of a field of a struct.
///
/// # Errors
/// When Avro does not allow it.
pub(super) fn field_name(connect: &str, options: Options) -> Result<String, AvroError> {
    let name = scrubbed(connect, options);
    check(&name)?;
    Ok(name)
}

/// What a record type of another name would be confused with.
const PRIMITIVES: [&str; 8] = ["string", "bytes", "int", "long", "float", "double", "boolean", "null"];

/// Whether Avro (Java's library since 1.12, which allows letters of any alphabet) accepts a name.
fn check(name: &str) -> Result<(), AvroError> {
    // Java looks at UTF-16 units, so no character beyond U+FFFF is a letter for it.
    let letter = |c: char| c == '_' || (c.is_alphabetic() && c <= '\u{ffff}');
    let inner = |c: char| letter(c) || (c.is_numeric() && c <= '\u{ffff}');
    match name.chars().next() {
        None => Err(AvroError::EmptyName),
        Some(first) if !letter(first) => Err(AvroError::InitialCharacter { name: name.to_owned() }),
        Some(_) if !name.chars().all(inner) => Err(AvroError::Character { name: name.to_owned() }),
        Some(_) => Ok(()),
    }
}

/// With `scrub.invalid.names`, a name that Avro allows everywhere.
fn scrubbed(name: &str, options: Options) -> String {
    if options.scrub_names { scrub::scrubbed(name, |first| first.is_ascii_digit()) } else { name.to_owned() }
}
