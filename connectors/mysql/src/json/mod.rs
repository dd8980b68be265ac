//! MySQL's binary JSON, and the partial updates of it, as text.
//!
//! Purpose: the binlog carries JSON in the server's own binary form; records carry text, in the form in which Debezium
//! writes it, which is not the server's. A partial update ([`apply`]) is worked on the binary form, so that there is one
//! way to the text. Documents come from outside: what is read is bounded by the document's own length and a depth.
//!
//! Must not know: the binlog's events, Connect's schemas.

mod decimal;
mod difference;
mod document;
mod opaque;
mod path;
#[cfg(test)]
mod tests;
mod text;
mod tree;

pub use difference::apply;
pub use text::write_text;

/// A document or a list of differences that cannot be read. Says what is wrong, never a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the JSON value cannot be read: {0}")]
pub struct JsonError(pub &'static str);

/// How deep documents may be nested. The server allows 100.
const MAX_DEPTH: usize = 128;
