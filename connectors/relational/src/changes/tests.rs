use record::{Decode, DecodeError, Kind, NONE, Schema, Shape, ShapeViews, SourceShape, ValueRef};

use super::*;
use crate::{Adjustment, TopicNaming};

/// Decodes each cell as the text of its span.
struct Texts;

impl Decode for Texts {
    fn row<'a>(&'a self, buffer: &'a [u8], spans: &'a [Span], out: &mut Vec<ValueRef<'a>>) -> Result<(), DecodeError> {
        let text = |span: &Span| span.bytes(buffer).and_then(|bytes| std::str::from_utf8(bytes).ok());
        out.extend(spans.iter().map(|span| text(span).map_or(ValueRef::Null, ValueRef::Text)));
        Ok(())
    }
}

/// A table of which the first two columns are in the value; the first is its key.
fn shape() -> Arc<Shape> {
    let row = Schema::of(Kind::Struct(Vec::new())).build();
    let source = SourceShape { schema: Arc::clone(&row), fields: Vec::new() };
    Arc::new(Shape {
        table: "s.t".into(),
        topic: "t".into(),
        key: None,
        row: Arc::clone(&row),
        envelope: row,
        cells: vec![0, 1],
        source,
        decode: Box::new(Texts),
        views: ShapeViews::default(),
    })
}

fn at(number: i64) -> Position {
    let mut words = [NONE; Position::WORDS];
    words[0] = number;
    Position { words, texts: None }
}

/// One row of three one-letter cells; `-` is null, `?` missing, `=` unchanged.
fn row(batch: &mut Batch, buffer: &mut Vec<u8>, text: &str) -> RowRef {
    let first = batch.spans.len() as u32;
    for cell in text.bytes() {
        batch.spans.push(match cell {
            b'-' => Span::NULL,
            b'?' => Span::MISSING,
            b'=' => Span::UNCHANGED,
            _ => Span { start: buffer.len() as u32, len: 1 },
        });
        buffer.push(cell);
    }
    RowRef { first, count: text.len() as u16 }
}

/// What stands in a batch: changes as their letter, `t` for a tombstone, `m` for half of a key's move, `.` for the last of an
/// event, `n/m` for the numbers in the transaction; `@` for a position; `B` and `E` with their id for metadata.
fn shown(batch: &Batch) -> String {
    let one = |item: &Item| match item {
        Item::Position(position) => format!("@{}", position.words[0]),
        Item::Event(event) => match (&event.position, &event.key) {
            (None, Some((_, key))) => format!("B {key:?}"),
            (_, key) => format!("E {:?}", key.as_ref().map(|(_, key)| key)),
        },
        Item::Change(change) => {
            let flag = |is: bool, text: &'static str| if is { text } else { "" };
            let numbers = change.transaction.as_ref().map(|m| format!(" {}/{}", m.total_order, m.collection_order));
            format!(
                "{}{}{}{}{}",
                change.op.letter(),
                flag(change.tombstone, "t"),
                flag(change.moved.is_some(), "m"),
                flag(change.last, "."),
                numbers.unwrap_or_default()
            )
        }
    };
    batch.items.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn wanted(skipped: &str) -> Wanted {
    Wanted {
        skip_create: skipped.contains('c'),
        skip_update: skipped.contains('u'),
        skip_delete: skipped.contains('d'),
        skip_truncate: skipped.contains('t'),
        skip_unchanged: skipped.contains('s'),
        tombstones: !skipped.contains('x'),
        moves_as_update: skipped.contains('m'),
    }
}

/// An update of the table with key column 0. `skipped` are operations, `s` for updates without a change, `x` for tombstones,
/// `m` where a change of the key is an update.
#[track_caller]
fn check(skipped: &str, before: &str, after: &str, expect: &str) {
    let (mut batch, mut buffer) = (Batch { shapes: vec![shape()], ..Batch::default() }, Vec::new());
    let before = (!before.is_empty()).then(|| row(&mut batch, &mut buffer, before));
    let after = row(&mut batch, &mut buffer, after);
    let mut changes = Changes::new(wanted(skipped), None, |_| String::new());
    let at = At { shape: 0, position: at(7), is_redelivered: false };
    changes.update(&mut batch, &buffer, at, (before, after), &[0]);
    assert_eq!(shown(&batch), expect);
}

#[test]
fn updates() {
    check("", "ab", "ac", "u.");
    check("", "", "ac", "u.");
    check("u", "ab", "ac", "@7");
    check("s", "abc", "abd", "@7");
    check("s", "abc", "acc", "u.");
    check("s", "", "abc", "u.");
}

#[test]
fn a_changed_key_is_a_delete_and_a_create() {
    check("", "ab", "bb", "dtm cm.");
    check("x", "ab", "bb", "dm cm.");
    check("u", "ab", "bb", "dtm cm.");
    check("d", "ab", "bb", "cm.");
    check("c", "ab", "bb", "dtm @7");
    check("cd", "ab", "bb", "@7");
    check("cdm", "ab", "bb", "dtm cm.");
    check("", "?b", "ab", "dtm cm.");
    check("", "ab", "=b", "u.");
    // Another number of columns than in the new row: nothing can be compared.
    check("", "abc", "bb", "u.");
}

#[test]
fn the_last_position_of_several_stays() {
    let mut batch = Batch::default();
    for (number, is_redelivered) in [(1, false), (2, false), (3, true)] {
        reach(&mut batch, at(number), is_redelivered);
    }
    assert_eq!(shown(&batch), "@2");
}

#[test]
fn one_truncate_of_several_tables_ends_with_the_last() {
    let mut batch = Batch { shapes: vec![shape(), shape()], ..Batch::default() };
    let mut changes = Changes::new(wanted(""), None, |_| String::new());
    changes.truncate(&mut batch, &[0, 1], &at(1), false);
    changes.truncate(&mut batch, &[], &at(2), false);
    assert_eq!(shown(&batch), "t t. @2");
}

/// The events of one transaction with metadata; `r` before a letter: it was delivered before a restart.
#[track_caller]
fn check_metadata(events: &[&str], expect: &str) {
    let (mut batch, mut buffer) = (Batch { shapes: vec![shape()], ..Batch::default() }, Vec::new());
    let topic = TransactionTopic::new(&TopicNaming::new("p"), Adjustment::None);
    let mut changes = Changes::new(wanted(""), Some(topic), |position| position.words[0].to_string());
    changes.begin(5);
    for (number, event) in (1..).zip(events) {
        let row = row(&mut batch, &mut buffer, "ab");
        let at = At { shape: 0, position: at(number), is_redelivered: event.starts_with('r') };
        if event.ends_with('c') { changes.insert(&mut batch, at, row) } else { changes.delete(&mut batch, at, row) }
    }
    changes.end(&mut batch, || "none".to_owned(), 6, at(9));
    assert_eq!(shown(&batch), expect);
}

#[test]
fn transaction_metadata() {
    let id = |id: &str| format!("Struct([Text(\"{id}\")])");
    check_metadata(&["c", "d"], &format!("B {} c. 1/1 dt. 2/2 E Some({})", id("1"), id("9")));
    check_metadata(&["rc", "d"], &format!("dt. 2/2 E Some({})", id("9")));
    check_metadata(&[], &format!("B {} E Some({})", id("none"), id("9")));
}
