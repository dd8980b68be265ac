//! JSON expansion: a JSON text becomes a Connect struct, whose schema is inferred from the text.
//!
//! Schema and value are one step: a text whose values do not fit the schema that was inferred from them is not expanded at
//! all. (Debezium keeps the new schema beside the old text there, and so fails later.) Texts of one form are the rule, so the
//! schemas of their parts are kept, and a text of a form that was seen before makes none.
//!
//! Must not know: records, transforms.

mod node;
mod schema;
#[cfg(test)]
mod tests;
mod value;

use std::sync::Arc;

use record::{Adjustment, Schema, Value};

use self::schema::Schemas;

settings::choices! {
    /// What becomes of a field that is null.
    pub(crate) enum Nulls {
        /// It is left out.
        Ignore = "ignore",
        /// It is kept, with the type BYTES.
        OptionalBytes = "optional_bytes",
    }
}

/// Why a text was not expanded. The texts never show what stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotExpanded {
    #[error("it does not begin with {{ or [")]
    Start,
    #[error("it is not JSON")]
    Syntax,
    #[error("it is nested deeper than {} levels", node::DEPTH)]
    Depth,
    #[error("it is an array, not an object")]
    Root,
    #[error("an array holds values of different types")]
    Mixed,
    #[error("the type of an array's elements cannot be told")]
    Untyped,
    #[error("a field has no name")]
    Nameless,
    #[error("a value does not fit the type that another value gave its field, or is an integer of more than 64 bits")]
    Unfit,
    #[error("as a struct it would be far larger than the text")]
    Large,
}

/// Expands JSON texts. It keeps what it learnt of their schemas.
#[derive(Debug)]
pub(crate) struct Expander {
    schemas: Schemas,
}

impl Expander {
    /// An expander that adjusts the names of fields.
    pub(crate) fn new(nulls: Nulls, names: Adjustment) -> Self {
        Self { schemas: Schemas::new(nulls, names) }
    }

    /// The struct that `text` describes, under a schema called `name`. As in Debezium, what follows the JSON object in the
    /// text does not matter.
    pub(crate) fn expand(&mut self, name: &str, text: &str) -> Result<(Arc<Schema>, Value), NotExpanded> {
        let node = node::parse(text)?;
        let schema = self.schemas.infer(name, &node)?;
        let value = value::of(&node, &schema, text.len())?;
        Ok((schema, value))
    }
}
