//! Following the log: the loop that reads, decodes in place, and closes batches.
//!
//! Purpose: one task owns the socket. Bytes are read into one buffer, decoded where they stand, and the buffer becomes the
//! batch. While it waits (for the server, the byte budget, a place in the queue) it keeps answering the server, so that a
//! slow consumer is never taken for a dead one.
//!
//! Must not know: SQL, topics, how values are written.

mod follow;
mod logical;
mod message;
mod pgoutput;
mod reader;
mod state;

pub(crate) use follow::{End, Follow, Parts, Settings, now_ms};
pub(crate) use logical::MessageTopic;
pub(crate) use message::Relation;
#[cfg(test)]
pub(crate) use message::RelationColumn;
pub(crate) use pgoutput::Decoder;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use pgoutput::Step;
pub(crate) use reader::Cursor;
pub(crate) use state::{Known, Wanted};
