//! What the words and texts of a [`Position`] mean for MySQL and MariaDB (the constants are indexes into them), and the
//! offset that is stored. Its keys, their order and their meaning are those of the Java connector, so that either can go on
//! from what the other stored.
//!
//! A position has two parts: where the event stands, which the source block shows, and from where a restart goes on: the
//! begin of the event's transaction (file and position, or the GTIDs before it), and how many events and rows behind that
//! begin are done.

use std::sync::Arc;

use record::{NONE, Position};
use serde_json::{Map, Value as Json};

/// Where the event starts in its file.
pub const POS: usize = 0;
/// The row's place in its event, from 0.
pub const ROW: usize = 1;
/// `server_id` of the server that ran the statement.
pub const SERVER_ID: usize = 2;
/// The session that ran the transaction; MySQL only.
pub const THREAD: usize = 3;
/// The event's time in microseconds since 1970.
pub const TS_US: usize = 4;
/// Where a restart goes on in [`RESTART_FILE`].
pub const RESTART_POS: usize = 5;
/// How many events behind the restart's position are done.
pub const EVENTS: usize = 6;
/// How many rows of the next event are done.
pub const ROWS: usize = 7;
/// [`COPYING`] or [`COPIED`], 0 in the stream.
pub const SNAPSHOT: usize = 8;
/// Where the event's transaction begins in [`FILE`].
pub const TRANSACTION: usize = 9;

/// The file of the event.
pub const FILE: usize = 0;
/// The file that a restart goes on in.
pub const RESTART_FILE: usize = 1;
/// The GTIDs before the restart's position.
pub const GTIDS: usize = 2;
/// The GTID of the event's transaction.
pub const GTID: usize = 3;
/// The statement that changed the rows (`include.query`).
pub const QUERY: usize = 4;
/// The counts of transaction metadata, as an object in JSON: a table's name and its number of events.
pub const COUNTS: usize = 5;
/// The number of texts.
pub const TEXTS: usize = 6;

/// A copy is under way: a start that finds such an offset begins it anew.
pub const COPYING: i64 = 1;
/// A copy's last row: its offset is that of a finished copy.
pub const COPIED: i64 = 2;

const COUNTS_PREFIX: &str = "transaction_data_collection_order_";

/// Whether the position is inside of a transaction, as far as the offset tells.
fn is_inside(position: &Position) -> bool {
    position.word(EVENTS).unwrap_or(0) > 0
}

/// The id of the event's transaction: its GTID, or where its BEGIN stands.
pub fn transaction_id(position: &Position) -> String {
    if let Some(gtid) = position.text(GTID) {
        return gtid.to_owned();
    }
    // A transaction never goes on in another file.
    let begin = position.word(TRANSACTION).or(position.word(RESTART_POS)).unwrap_or(0);
    format!("file={},pos={begin}", position.text(FILE).unwrap_or_default())
}

/// The offset as it is stored, in the order in which the Java connector writes it.
pub fn to_offset(position: &Position) -> Map<String, Json> {
    let mut out = Map::new();
    let counts = position.text(COUNTS).and_then(|text| serde_json::from_str::<Map<String, Json>>(text).ok());
    if counts.is_some() && is_inside(position) {
        out.insert("transaction_id".to_owned(), transaction_id(position).into());
    }
    if let Some(us) = position.word(TS_US) {
        out.insert("ts_sec".to_owned(), us.div_euclid(1_000_000).into());
    }
    out.insert("file".to_owned(), position.text(RESTART_FILE).unwrap_or_default().into());
    out.insert("pos".to_owned(), position.word(RESTART_POS).unwrap_or(0).into());
    for (table, count) in counts.into_iter().flatten().filter(|_| is_inside(position)) {
        out.insert(format!("{COUNTS_PREFIX}{table}"), count);
    }
    if let Some(gtids) = position.text(GTIDS) {
        out.insert("gtids".to_owned(), gtids.into());
    }
    for (key, slot) in [("row", ROWS), ("server_id", SERVER_ID), ("event", EVENTS)] {
        if let Some(number) = position.word(slot).filter(|number| *number != 0) {
            out.insert(key.to_owned(), number.into());
        }
    }
    if position.word(SNAPSHOT) == Some(COPYING) {
        out.insert("snapshot".to_owned(), "INITIAL".into());
    }
    out
}

/// How many entries the maps have together that Debezium keeps with a record at this position: its source partition (one)
/// and its source offset.
pub fn entries(position: &Position) -> u32 {
    1 + to_offset(position).len() as u32
}

/// A stored offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The file to go on in; may be empty, which is the oldest.
    pub file: String,
    /// Where in the file.
    pub pos: u64,
    /// The GTIDs before that.
    pub gtids: Option<String>,
    /// How many events behind the position are done.
    pub events: u64,
    /// How many rows of the next event are done.
    pub rows: u64,
    /// The last event's `server_id`.
    pub server_id: Option<i64>,
    /// The last event's time in seconds.
    pub ts_s: Option<i64>,
    /// A copy was begun and not finished.
    pub is_copying: bool,
}

/// Why an offset cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Source offset '{0}' parameter is missing")]
pub struct Lacking(&'static str);

/// Reads a stored offset, ours or the Java connector's.
///
/// # Errors
/// When it has no file: nothing then says where to go on. The text is Debezium's.
pub fn from_offset(offset: &Map<String, Json>) -> Result<Stored, Lacking> {
    let number = |key: &str| offset.get(key).and_then(Json::as_i64);
    let count = |key: &str| number(key).and_then(|number| u64::try_from(number).ok()).unwrap_or(0);
    // Debezium before 2.0 stored a boolean, or its text.
    let is_copying = match offset.get("snapshot") {
        Some(Json::Bool(is)) => *is,
        Some(Json::String(kind)) => kind.eq_ignore_ascii_case("initial") || kind.eq_ignore_ascii_case("true"),
        _ => false,
    };
    Ok(Stored {
        file: offset.get("file").and_then(Json::as_str).ok_or(Lacking("file"))?.to_owned(),
        pos: count("pos"),
        gtids: offset.get("gtids").and_then(Json::as_str).map(str::to_owned),
        events: count("event"),
        rows: count("row"),
        server_id: number("server_id"),
        ts_s: number("ts_sec"),
        is_copying,
    })
}

impl Stored {
    /// The position that this offset was made of, as far as it tells.
    pub fn position(&self) -> Position {
        let file: Arc<str> = self.file.as_str().into();
        let mut texts: [Option<Arc<str>>; TEXTS] = Default::default();
        texts[FILE] = Some(Arc::clone(&file));
        texts[RESTART_FILE] = Some(file);
        texts[GTIDS] = self.gtids.as_deref().map(Arc::from);
        let mut position = Position { texts: Some(Arc::new(texts)), ..Position::UNKNOWN };
        position.words[POS] = self.pos as i64;
        position.words[RESTART_POS] = self.pos as i64;
        position.words[EVENTS] = self.events as i64;
        position.words[ROWS] = self.rows as i64;
        position.words[ROW] = 0;
        position.words[SERVER_ID] = self.server_id.unwrap_or(0);
        position.words[TS_US] = self.ts_s.map_or(NONE, |s| s.saturating_mul(1_000_000));
        position.words[SNAPSHOT] = if self.is_copying { COPYING } else { 0 };
        position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Map<String, Json> {
        serde_json::from_str(text).unwrap()
    }

    /// An offset reads back as it was, byte for byte.
    #[track_caller]
    fn check(text: &str) {
        let stored = from_offset(&object(text)).unwrap();
        let written = to_offset(&stored.position());
        assert_eq!(serde_json::to_string(&written).unwrap(), text);
        assert_eq!(from_offset(&written), Ok(stored));
    }

    #[test]
    fn offsets_of_the_java_connector_read_back() {
        check(r#"{"ts_sec":1795217468,"file":"binlog.000001","pos":90664288,"gtids":"9e:1-932","snapshot":"INITIAL"}"#);
        check(r#"{"ts_sec":1,"file":"binlog.000001","pos":4,"gtids":"9e:1-932","row":1,"server_id":1,"event":2}"#);
        check(r#"{"file":"","pos":0}"#);
        check(r#"{"ts_sec":1,"file":"m.000009","pos":400,"gtids":"0-1-120","server_id":2,"event":4}"#);
    }

    #[test]
    fn older_marks_of_a_copy() {
        for (mark, is_copying) in
            [("true", true), ("\"true\"", true), ("\"INITIAL\"", true), ("\"INCREMENTAL\"", false)]
        {
            let offset = object(&format!(r#"{{"file":"b.1","pos":4,"snapshot":{mark}}}"#));
            assert_eq!(from_offset(&offset).unwrap().is_copying, is_copying, "{mark}");
        }
    }

    #[test]
    fn an_offset_without_a_file_is_refused() {
        assert_eq!(
            from_offset(&object(r#"{"pos":4}"#)).unwrap_err().to_string(),
            "Source offset 'file' parameter is missing"
        );
    }

    #[test]
    fn counts_are_stored_inside_of_a_transaction_only() {
        let mut texts: [Option<Arc<str>>; TEXTS] = Default::default();
        texts[FILE] = Some("b.1".into());
        texts[RESTART_FILE] = Some("b.1".into());
        texts[COUNTS] = Some(r#"{"d.t":2}"#.into());
        let mut position = Position { texts: Some(Arc::new(texts)), ..Position::UNKNOWN };
        position.words[RESTART_POS] = 157;
        position.words[EVENTS] = 3;
        let inside = serde_json::to_string(&to_offset(&position)).unwrap();
        assert_eq!(
            inside,
            r#"{"transaction_id":"file=b.1,pos=157","file":"b.1","pos":157,"transaction_data_collection_order_d.t":2,"event":3}"#
        );
        position.words[EVENTS] = 0;
        assert_eq!(serde_json::to_string(&to_offset(&position)).unwrap(), r#"{"file":"b.1","pos":157}"#);
    }
}
