//! What to copy and when: the decisions of a snapshot, without a socket.
//!
//! Purpose: which start copies rows, which only streams and which must refuse is a table of a few lines ([`decide`]), and so is
//! which start reads the structure of the tables into a schema history ([`StructureRule`]). Kept
//! apart from the copying, it can be read and tested whole.
//!
//! Must not know: SQL, sockets, tokio.

mod asked;
mod mode;
mod structure;

pub use asked::{Asked, Mode};
pub use mode::{Copies, Decision, Flags, Refusal, Rule, Stored, decide};
pub use structure::{StructureRefusal, StructureRule};
