//! Logical messages in the stream. A transactional one counts as an event of its transaction; another one stands alone.

use std::sync::Arc;

use record::{Batch, Item, Position};
use relational::reach;

use super::{Decoder, Step};
use crate::position::{KIND, Kind, LSN, LSN_COMMIT, LSN_PROC, TS_US, TX_LSN, TX_ROW};
use crate::stream::logical::MessageTopic;
use crate::stream::message::{LogicalMessage, Malformed};
use crate::stream::reader::Cursor;

impl Decoder {
    pub(super) fn logical(&mut self, mut cursor: Cursor<'_>) -> Result<Step, Malformed> {
        let transactional = cursor.u8()? & 1 == 1;
        let lsn = cursor.i64()?;
        let prefix = cursor.text()?.to_owned();
        let length = cursor.u32()? as usize;
        let content = cursor.take(length)?.to_vec();
        let placed = if transactional { self.place(lsn, Kind::Message) } else { None };
        let (position, is_redelivered) = match placed {
            Some(placed) => placed,
            None => self.outside(lsn),
        };
        if is_redelivered && !(transactional && self.recounts()) {
            return Ok(Step::Done);
        }
        Ok(Step::Message(LogicalMessage { transactional, prefix, content, position, is_redelivered }))
    }

    /// Puts a message into the batch, if its prefix passes the filter. A transactional one counts among the events of its
    /// transaction.
    pub(crate) fn met(&mut self, batch: &mut Batch, message: LogicalMessage, topic: &MessageTopic, now_ms: i64) {
        let is_redelivered = message.is_redelivered;
        if !topic.wants(&message.prefix) {
            return reach(batch, message.position, is_redelivered);
        }
        let counts = self.changes.has_metadata() && message.transactional && self.open.is_some();
        let orders = counts.then(|| {
            self.changes.begun(batch, &message.position, is_redelivered);
            self.changes.count(&Arc::from("LOGICAL_DECODING_MESSAGE"))
        });
        if !is_redelivered {
            batch.items.push(Item::Event(Box::new(topic.event(message, orders, now_ms))));
        }
    }

    /// The position of a message outside of any transaction, which counts as a commit of its own; and whether it was
    /// delivered before the restart.
    fn outside(&mut self, lsn: i64) -> (Position, bool) {
        let is_redelivered = self.resume.as_ref().is_some_and(|stored| {
            stored.position.word(TX_LSN).or(stored.position.word(LSN_PROC)).is_some_and(|last| lsn <= last)
        });
        let mut position = Position { texts: self.texts(), ..Position::UNKNOWN };
        position.words[TS_US] = self.last_commit_us;
        position.words[LSN] = lsn;
        position.words[LSN_PROC] = lsn;
        // Later events must have it as their last commit too: otherwise their lsn_commit would be another after a restart.
        self.last_commit = self.last_commit.max(lsn);
        position.words[LSN_COMMIT] = self.last_commit;
        position.words[KIND] = Kind::Message as i64;
        // Between the messages of an open transaction the stored place must remain one in that transaction.
        if let Some(open) = &self.open {
            position.words[TX_LSN] = open.commit_lsn;
            position.words[TX_ROW] = open.rows;
        } else {
            position.words[TX_LSN] = lsn;
            position.words[TX_ROW] = 0;
            position.words[KIND] = Kind::Commit as i64;
        }
        (position, is_redelivered)
    }
}
