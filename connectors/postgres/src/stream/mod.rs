//! Following the log: the loop that reads, decodes in place, and closes batches.
//!
//! Purpose: one task owns the socket. Bytes are read into one buffer, decoded where they stand, and the buffer becomes the
//! batch. While the task waits (for the server, the catalogue, the byte budget, a place in the queue) it goes on sending
//! statuses, so that the server does not take a slow consumer for a dead one. A silent server is asked over another
//! connection before it is taken for dead.
//!
//! Must not know: the text of SQL statements, the topics of tables, how values are written.

mod follow;
mod link;
mod logical;
mod message;
mod pgoutput;
mod reader;
mod reselected;
mod silence;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use follow::{End, Follow, Lasting, now_ms};
pub(crate) use link::{Link, LinkOptions};
pub(crate) use logical::MessageTopic;
pub(crate) use message::Relation;
#[cfg(test)]
pub(crate) use message::RelationColumn;
pub(crate) use pgoutput::Decoder;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use pgoutput::Step;
pub(crate) use reader::Cursor;
pub(crate) use state::{Known, Seen};
