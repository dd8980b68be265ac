//! What to copy and when: the decisions of a snapshot, without a socket.
//!
//! Purpose: which start copies rows, which only streams and which must refuse is a table of a few lines ([`decide`]), and
//! so are the marks that rows carry ([`Marks`]). Kept apart from the copying, both can be read and tested whole.
//!
//! Must not know: SQL, sockets, tokio.

mod marks;
mod mode;

pub use marks::Marks;
pub use mode::{Copies, Decision, Refusal, Rule, Stored, decide};
