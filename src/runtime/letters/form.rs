//! The form of a letter: key and value of the record before the chain as JSON with schemas, the record's own headers in the same
//! form, then headers that say what failed (as Connect's dead letter queue of sinks names them), and where the record comes from.
//!
//! A letter that is larger than a record may be is written in parts: the value's bytes one after the other, each with the same
//! key and headers.
//!
//! Must not know: where letters are written.

use record::{Headers, Payload};
use ring::digest::{Context, SHA256};
use serde::{Deserialize, Serialize};

use crate::convert::{Unreadable, read_payload};

/// The header that makes a record a letter; its value is [`Letter`] as JSON.
pub(super) const LETTER: &str = "__afterimage.letter";
/// The source partition, as it is stored.
pub(super) const SOURCE_PARTITION: &str = "__afterimage.source.partition";
/// The source offset, as it is stored.
pub(super) const SOURCE_OFFSET: &str = "__afterimage.source.offset";
/// The header of a record that says that a letter was replayed; its value is [`Mark`] as JSON.
pub(super) const REPLAYED: &str = "__afterimage.replayed";

pub(super) const TOPIC: &str = "__connect.errors.topic";
pub(super) const PARTITION: &str = "__connect.errors.partition";
pub(super) const CONNECTOR: &str = "__connect.errors.connector.name";
pub(super) const TASK: &str = "__connect.errors.task.id";
pub(super) const STAGE: &str = "__connect.errors.stage";
pub(super) const CLASS: &str = "__connect.errors.class.name";
pub(super) const EXCEPTION: &str = "__connect.errors.exception.class.name";
pub(super) const MESSAGE: &str = "__connect.errors.exception.message";
pub(super) const TRACE: &str = "__connect.errors.exception.stacktrace";

/// The version of the form.
pub(super) const VERSION: u32 = 1;

/// What a replay must know of a letter beside key, value and headers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Letter {
    /// The version of the form.
    pub(super) version: u32,
    /// One of its own for each letter.
    pub(super) id: String,
    /// The connector's name.
    pub(super) connector: String,
    /// The record's topic before the chain.
    pub(super) topic: String,
    /// The record's partition, if the connector chose one.
    pub(super) partition: Option<i32>,
    /// The time at which the record would have been sent, in milliseconds since 1970.
    pub(super) timestamp: i64,
    /// The record's place among those of its source event: 0, and 1 for a tombstone.
    pub(super) nth: u8,
    /// Whether source position, topic, key and `nth` are those of this record only. They are not for rows without a key that were
    /// copied, which share a position, and for records that are no rows.
    pub(super) by_position: bool,
    /// How many of the headers, from the first on, are the record's own.
    pub(super) headers: usize,
    /// The number of this part, from 0.
    pub(super) part: u32,
    /// The number of parts.
    pub(super) parts: u32,
}

/// Says that a letter was replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The connector's name.
    pub(super) connector: String,
    /// The letter's [identity](Identity), in hexadecimal digits.
    pub(super) letter: String,
    /// The topic that it was sent to; `None` when today's transforms drop the record.
    pub(super) to: Option<String>,
}

/// Names a record: equal for two letters of one record, which a crash may have left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Identity([u8; 16]);

impl Identity {
    /// As a mark has it.
    pub(super) fn hex(self) -> String {
        format!("{:032x}", u128::from_be_bytes(self.0))
    }

    /// Reads what [`hex`](Self::hex) wrote.
    pub(super) fn from_hex(text: &str) -> Option<Self> {
        record::unhex(text.as_bytes())?.try_into().ok().map(Self)
    }
}

/// A digest of parts that cannot run into each other.
pub(super) fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Identity {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part);
    }
    let mut short = [0; 16];
    short.copy_from_slice(&context.finish().as_ref()[..16]);
    Identity(short)
}

/// Parts of PostgreSQL's offsets that say from where the log was read, not which event it is: they differ when an event is read
/// again. Its own place is in the other parts.
const NOT_OF_THE_EVENT: [&str; 4] = ["lsn_proc", "lsn_commit", "xmin", "copied"];

/// What of a stored offset names the event: the same whenever it is read.
pub(super) fn of_event(offset: &[u8]) -> Vec<u8> {
    let Ok(mut all) = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(offset) else {
        return offset.to_vec();
    };
    all.retain(|name, _| !NOT_OF_THE_EVENT.contains(&name.as_str()));
    serde_json::to_vec(&all).unwrap_or_default()
}

impl Letter {
    /// Which record it is. `partition` and `offset` are the headers of the source, `key` the letter's key.
    pub(super) fn identity(&self, partition: &[u8], offset: &[u8], key: Option<&[u8]>) -> Identity {
        if !self.by_position {
            return digest([self.id.as_bytes()]);
        }
        let (has_key, key) = (u8::from(key.is_some()), key.unwrap_or_default());
        digest([partition, offset, self.topic.as_bytes(), &[self.nth, has_key], key])
    }
}

/// A letter's record, made whole again.
pub(super) struct Opened {
    pub(super) key: Payload<'static>,
    pub(super) value: Payload<'static>,
    pub(super) headers: Headers<'static>,
}

/// Reads the record of a letter.
///
/// # Errors
/// When key, value or a header is no JSON with its schema.
pub(super) fn open<'a>(
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
) -> Result<Opened, Unreadable> {
    let mut all = Headers::default();
    for (name, value) in headers {
        all.push(record::Header { name: name.into(), value: read_payload(value)? });
    }
    Ok(Opened { key: read_payload(key)?, value: read_payload(value)?, headers: all })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identity_is_that_of_the_record() {
        let letter = |id: &str, nth, by_position| Letter {
            version: VERSION,
            id: id.to_owned(),
            connector: "c".to_owned(),
            topic: "t".to_owned(),
            partition: None,
            timestamp: 1,
            nth,
            by_position,
            headers: 0,
            part: 0,
            parts: 1,
        };
        let of = |letter: &Letter, offset: &str, key: Option<&str>| {
            letter.identity(b"{}", offset.as_bytes(), key.map(str::as_bytes))
        };
        let (one, again, tombstone) = (letter("a", 0, true), letter("b", 0, true), letter("c", 1, true));
        assert_eq!(of(&one, "1", Some("k")), of(&again, "1", Some("k")), "a crash left two letters");
        for (other, what) in [
            (of(&one, "2", Some("k")), "another position"),
            (of(&one, "1", Some("l")), "another key"),
            (of(&one, "1", None), "no key"),
            (of(&tombstone, "1", Some("k")), "the tombstone"),
        ] {
            assert_ne!(of(&one, "1", Some("k")), other, "{what}");
        }
        assert_ne!(of(&one, "1", None), of(&one, "1", Some("")), "an empty key is a key");
        let (copied, other) = (letter("a", 0, false), letter("b", 0, false));
        assert_ne!(of(&copied, "1", None), of(&other, "1", None), "two equal rows without a key");
        let hex = of(&one, "1", None).hex();
        assert_eq!(Identity::from_hex(&hex), Some(of(&one, "1", None)));
        assert_eq!((hex.len(), Identity::from_hex("00"), Identity::from_hex("zz")), (32, None, None));
    }
}
