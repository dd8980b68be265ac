//! Whether a record of the history stands before or behind a stored offset.

use std::cmp::Ordering;

use serde_json::{Map, Value};

/// How the set of transactions of a record relates to that of the offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GtidRelation {
    /// They are the same.
    Equal,
    /// The offset's set has all of the record's, and more.
    Within,
    /// The record's set has some that the offset's lacks.
    Beyond,
}

/// Where a record stands beside a stored offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Its statement is not read again.
    Before,
    /// At the very offset: it is applied, and its statement is read once more, because the offset is that before it.
    At,
    /// It is not to be applied.
    After,
}

/// Where a record at `recorded` stands for a start at `stored`; both are offsets of this connector.
///
/// `relation` compares two sets of global transaction ids in text, after whatever filter of sources applies.
pub fn compare(
    recorded: &Map<String, Value>,
    stored: &Map<String, Value>,
    relation: impl FnOnce(&str, &str) -> GtidRelation,
) -> When {
    let text = |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
    let number = |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_i64);
    let event = |map| number(map, "event").unwrap_or(0);
    let is_snapshot = |map: &Map<String, Value>| map.contains_key("snapshot");
    let by = |order: Ordering| match order {
        Ordering::Less => When::Before,
        // What a snapshot recorded is not read again.
        Ordering::Equal if is_snapshot(recorded) => When::Before,
        Ordering::Equal => When::At,
        Ordering::Greater => When::After,
    };
    match (text(recorded, "gtids"), text(stored, "gtids")) {
        (Some(recorded_set), Some(stored_set)) => match relation(&recorded_set, &stored_set) {
            GtidRelation::Equal if !is_snapshot(recorded) && is_snapshot(stored) => When::After,
            GtidRelation::Equal => by(event(recorded).cmp(&event(stored))),
            GtidRelation::Within => When::Before,
            GtidRelation::Beyond => When::After,
        },
        // Servers come to have GTIDs rather than lose them, so a record without is the older one.
        (None, Some(_)) => When::Before,
        // An offset without, although the record has some, is that of a connector that passes over GTIDs
        // (`gtid.ignore.on.recovery`): both name their file.
        (Some(_) | None, None) => {
            // Files of two servers have nothing to do with each other. A snapshot's offset names no server.
            if let (Some(a), Some(b)) = (number(recorded, "server_id"), number(stored, "server_id"))
                && a != b
            {
                let second = |map| number(map, "ts_sec").unwrap_or(0);
                return if second(recorded) <= second(stored) { When::Before } else { When::After };
            }
            let file = |map| text(map, "file").unwrap_or_default();
            let (recorded_file, stored_file) = (file(recorded), file(stored));
            let (a, b) = (split(&recorded_file), split(&stored_file));
            // Another base name has numbers of its own. A table that is known too early is better than one that is not.
            if a.0 != b.0 {
                return When::Before;
            }
            let place = |map: &Map<String, Value>, number_of_file| {
                let or = |key, none| number(map, key).unwrap_or(none);
                (number_of_file, or("pos", -1), or("event", 0), or("row", -1))
            };
            by(place(recorded, a.1).cmp(&place(stored, b.1)))
        }
    }
}

/// A file's name and its number: `binlog.000003`.
fn split(file: &str) -> (&str, u64) {
    file.rsplit_once('.').map_or((file, 0), |(base, number)| (base, number.parse().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::When::{After, At, Before};
    use super::*;

    /// The sets are numbers of transactions from 1 on.
    fn relation(recorded: &str, stored: &str) -> GtidRelation {
        match recorded.parse::<u32>().unwrap().cmp(&stored.parse().unwrap()) {
            std::cmp::Ordering::Equal => GtidRelation::Equal,
            std::cmp::Ordering::Less => GtidRelation::Within,
            std::cmp::Ordering::Greater => GtidRelation::Beyond,
        }
    }

    #[track_caller]
    fn check(recorded: &str, stored: &str, expect: When) {
        let map = |text| serde_json::from_str(text).unwrap();
        assert_eq!(compare(&map(recorded), &map(stored), relation), expect);
    }

    #[test]
    fn sets_of_transactions_decide() {
        check(r#"{"gtids":"5"}"#, r#"{"gtids":"6"}"#, Before);
        check(r#"{"gtids":"7"}"#, r#"{"gtids":"6"}"#, After);
        check(r#"{"gtids":"6","event":1}"#, r#"{"gtids":"6","event":2}"#, Before);
        check(r#"{"gtids":"6","event":2}"#, r#"{"gtids":"6","event":2}"#, At);
        check(r#"{"gtids":"6","event":3}"#, r#"{"gtids":"6","event":2}"#, After);
        check(r#"{"gtids":"6"}"#, r#"{"gtids":"6","snapshot":"INITIAL"}"#, After);
        check(r#"{"gtids":"6","snapshot":"INITIAL"}"#, r#"{"gtids":"6"}"#, Before);
    }

    #[test]
    fn where_one_side_has_no_transactions() {
        check(r#"{"file":"b.9"}"#, r#"{"gtids":"6"}"#, Before);
        check(r#"{"gtids":"6","file":"b.8","pos":4}"#, r#"{"file":"b.9","pos":4}"#, Before);
        check(r#"{"gtids":"6","file":"b.9","pos":5}"#, r#"{"file":"b.9","pos":4}"#, After);
    }

    #[test]
    fn files_and_positions() {
        check(r#"{"file":"b.000009","pos":9}"#, r#"{"file":"b.000010","pos":4}"#, Before);
        check(r#"{"file":"b.000010","pos":4}"#, r#"{"file":"b.000010","pos":4}"#, At);
        check(r#"{"file":"b.000010","pos":5}"#, r#"{"file":"b.000010","pos":4}"#, After);
        check(r#"{"file":"b.1","pos":4,"event":2}"#, r#"{"file":"b.1","pos":4,"event":1}"#, After);
        check(r#"{"file":"b.1","pos":4,"row":1}"#, r#"{"file":"b.1","pos":4,"row":2}"#, Before);
        check(r#"{"file":"a.000010","pos":5}"#, r#"{"file":"b.000001","pos":4}"#, Before);
    }

    #[test]
    fn two_servers_are_compared_by_time() {
        let (older, newer) =
            (r#"{"server_id":1,"ts_sec":5,"file":"b.9"}"#, r#"{"server_id":2,"ts_sec":6,"file":"b.1"}"#);
        check(older, newer, Before);
        check(newer, older, After);
        check(r#"{"file":"b.1","pos":9}"#, r#"{"server_id":2,"file":"b.1","pos":9}"#, At);
    }
}
