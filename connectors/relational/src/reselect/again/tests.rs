#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use record::{Change, Kind, Op, Schema, Value};
use settings::{Def, Key, Properties, Reader};

use super::super::plan::{Announced, ReadCells, Shown};
use super::super::{CLASS, Reselect};
use super::*;
use crate::{Budget, Column, Filling, MAX_BYTES, Outlet, Table};

static KEYS: Def = Def::new(&[&[Key::debezium("post.processors", settings::Kind::String)]]);

/// Post-processors `r` and, with options of its own, `s`.
fn processors(options: &[(&str, &str)]) -> Vec<Reselect> {
    let base = [("post.processors", "r,s"), ("post.processors.r.type", CLASS), ("post.processors.s.type", CLASS)];
    let options: Vec<_> = options.iter().map(|(name, value)| (format!("post.processors.{name}"), *value)).collect();
    let options = options.iter().map(|(name, value)| (name.as_str(), *value));
    let properties: Properties = base.into_iter().chain(options).collect();
    let mut reader = Reader::new(KEYS, &properties);
    let read = Reselect::read_all(&mut reader);
    reader.finish(read).unwrap().0
}

/// A table whose rows have the cells `id`, `a` and `b`, with `id` as its key.
fn plans(processors: &[Reselect], read_cells: ReadCells, own_key: &[&str]) -> Plans<(), String> {
    let names = ["id", "a", "b"];
    let columns = names.map(|name| Column {
        name: name.into(),
        schema: Schema::of(Kind::String).optional().build(),
        in_value: true,
        rule: None,
    });
    let table = Table { schema: "s".into(), name: "t".into(), columns: columns.into(), key: vec![0] };
    let shown = || Some(Shown { codec: &(), may_be_absent: false, absent: None, null: &Value::Null });
    let own_key: Vec<String> = own_key.iter().map(|&name| name.to_owned()).collect();
    let announced = Announced {
        table: &table,
        names: &names,
        cells: vec![shown(), shown(), shown()],
        event_key: &[0],
        own_key: &own_key,
        read_cells,
        placeholder: b"",
    };
    announced.plans(processors, |key| format!("by {key:?}"))
}

/// Answers in turn; notes what it was asked.
#[derive(Default)]
struct Scripted {
    answers: Vec<Answer>,
    asked: Vec<String>,
    most: usize,
}

impl Lookup for Scripted {
    type Column = ();
    type Query = String;
    type Error = Missed;

    async fn rows(&mut self, asks: &[Ask<'_, (), String>]) -> Result<Vec<Answer>, Missed> {
        self.most = self.most.max(asks.len());
        for ask in asks {
            let columns: Vec<&str> = ask.columns.iter().map(|column| &*column.name).collect();
            let key: Vec<_> = ask.key.iter().map(|value| value.map(|bytes| String::from_utf8_lossy(bytes))).collect();
            self.asked.push(format!("{} {} {key:?}", columns.join(","), ask.query));
        }
        Ok(asks.iter().map(|_| self.answers.remove(0)).collect())
    }

    fn position(position: &Position) -> String {
        position.words[0].to_string()
    }
}

#[allow(clippy::unnecessary_wraps, reason = "it stands beside answers that are errors")]
fn found(cells: &[Option<&'static str>]) -> Answer {
    let cells = cells.iter().map(|cell| cell.map(|text| Bytes::from_static(text.as_bytes()))).collect();
    Ok(Found { cells, is_one_of_several: false })
}

/// A batch with one change for each row; a row is its cells, of which `-` is NULL.
fn filling(rows: &[&str]) -> Filling {
    let mut filling = Filling::default();
    for row in rows {
        let first = filling.batch.spans.len() as u32;
        for cell in row.split(' ') {
            let start = filling.buffer.len() as u32;
            let span = if cell == "-" { Span::NULL } else { Span { start, len: cell.len() as u32 } };
            filling.buffer.extend_from_slice(cell.as_bytes());
            filling.batch.spans.push(span);
        }
        let after = Some(record::RowRef { first, count: 3 });
        let mut position = Position::UNKNOWN;
        position.words[0] = i64::from(first);
        filling.batch.items.push(Item::Change(Change { after, ..Change::new(0, Op::Create, position) }));
    }
    filling.decoded(filling.buffer.len());
    filling
}

/// The cells of each row of a batch.
fn rows(batch: &Batch) -> Vec<String> {
    let cell = |span: &Span| match *span {
        Span::NULL => "-".to_owned(),
        Span::MISSING => "?".to_owned(),
        span => String::from_utf8_lossy(span.bytes(&batch.buffer).unwrap()).into_owned(),
    };
    let row = |item: &Item| match item {
        Item::Change(change) => batch.cells(change.after.unwrap()).iter().map(cell).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    };
    batch.items.iter().map(row).collect()
}

async fn fill(
    plans: &[Plans<(), String>],
    rows_in: &[&str],
    answers: Vec<Answer>,
) -> (Result<Vec<String>, String>, Scripted) {
    let mut filling = filling(rows_in);
    let lookup = Scripted { answers, ..Scripted::default() };
    let mut reselector = Reselector::new(lookup, Arc::new(Meters::new("c".into())));
    let (mut done, mut more) = (0, BytesMut::new());
    while done < rows_in.len() {
        let (buffer, batch) = filling.parts();
        let unfinished = Unfinished { batch, plans, buffer, more: &mut more };
        match reselector.fill(done, unfinished).await {
            Ok(now) => done = now,
            Err(missed) => return (Err(missed.to_string()), reselector.lookup),
        }
    }
    let batch = filling.take_first(done, &more).unwrap();
    (Ok(rows(&batch)), reselector.lookup)
}

const ONE: &[(&str, &str)] = &[("s.reselect.null.values", "false")];

#[tokio::test]
async fn what_a_change_lacks_is_asked_for_and_put_into_its_row() {
    for (read_cells, expect) in [
        (ReadCells::InPlace, ["1 A x", "2 y z", "3 - B"]),
        (ReadCells::Behind, ["1 - x ? A ?", "2 y z", "3 - - ? - B"]),
    ] {
        let plans = [plans(&processors(ONE), read_cells, &["id"])];
        let answers = vec![found(&[Some("A")]), found(&[None, Some("B")])];
        let (read, lookup) = fill(&plans, &["1 - x", "2 y z", "3 - -"], answers).await;
        assert_eq!(read.unwrap(), expect);
        assert_eq!(lookup.asked, ["a by [0] [Some(\"1\")]", "a,b by [0] [Some(\"3\")]"]);
    }
}

#[tokio::test]
async fn several_processors_act_in_their_order() {
    // The second reads what the first has left out, or found null again.
    let both = processors(&[("r.reselect.columns.include.list", "s.t:a")]);
    for (read_cells, expect) in [(ReadCells::InPlace, "1 A B"), (ReadCells::Behind, "1 - - ? A B")] {
        let answers = vec![found(&[Some("A")]), found(&[Some("B")])];
        let (read, lookup) = fill(&[plans(&both, read_cells, &["id"])], &["1 - -"], answers).await;
        assert_eq!(read.unwrap(), [expect]);
        assert_eq!(lookup.asked, ["a by [0] [Some(\"1\")]", "b by [0] [Some(\"1\")]"]);
        let answers = vec![found(&[None]), found(&[Some("A"), Some("B")])];
        let (_, lookup) = fill(&[plans(&both, read_cells, &["id"])], &["1 - -"], answers).await;
        assert_eq!(lookup.asked[1], "a,b by [0] [Some(\"1\")]");
    }
}

#[tokio::test]
async fn a_change_whose_row_was_not_read_stays_or_ends_the_task() {
    let fail = &[ONE, &[("r.reselect.error.handling.mode", "fail")]].concat();
    let refused = || Err(Why::Refused("no SELECT privilege".to_owned()));
    let of = |options, own_key| [plans(&processors(options), ReadCells::Behind, own_key)];
    let answers = vec![Err(Why::NoRow), refused(), found(&[Some("A")])];
    let (read, _) = fill(&of(ONE, &["id"]), &["1 - x", "2 - x", "3 - x"], answers).await;
    assert_eq!(read.unwrap(), ["1 - x", "2 - x", "3 - x ? A ?"]);
    let (read, _) = fill(&of(fail, &["id"]), &["0 y z", "1 - x"], vec![Err(Why::NoRow)]).await;
    assert_eq!(read.unwrap_err(), "Failed to find row in table s.t with key id (the change is at 3)");
    let (read, lookup) = fill(&of(fail, &[]), &["1 - x"], Vec::new()).await;
    assert!(read.unwrap_err().contains("key none (the change is at 0): the table has no primary key"));
    assert!(lookup.asked.is_empty(), "there is no key to ask by");
}

#[tokio::test]
async fn questions_are_asked_many_at_a_time_and_fewer_where_answers_are_large() {
    let plans = [plans(&processors(ONE), ReadCells::InPlace, &["id"])];
    let rows = ["1 - x"; 100];
    let small = || found(&[Some("A")]);
    let (_, lookup) = fill(&plans, &rows, (0..100).map(|_| small()).collect()).await;
    // The first answer tells how large they are.
    assert_eq!((lookup.asked.len(), lookup.most), (100, MOST_AT_A_TIME));
    let large: &'static str = Box::leak("x".repeat(AT_A_TIME_BYTES / 2).into_boxed_str());
    let (_, lookup) = fill(&plans, &rows[..8], (0..8).map(|_| found(&[Some(large)])).collect()).await;
    assert_eq!((lookup.asked.len(), lookup.most), (8, 2));
}

/// What is lost with the connection behind a part comes once more from the last position that was reached.
#[tokio::test]
async fn a_part_ends_where_a_position_is_reached() {
    let plans = [plans(&processors(ONE), ReadCells::InPlace, &["id"])];
    let large: &'static str = Box::leak("x".repeat(MAX_BYTES).into_boxed_str());
    let meters = Arc::new(Meters::new("c".into()));
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let (outlet, _ends) =
        Outlet::new("c".into(), None, stopped, &Budget::new(1 << 20, 1 << 20), 1, Arc::clone(&meters));
    for (is_first_whole, expect) in [(true, [1, 1]), (false, [2, 1])] {
        let mut filling = filling(&["1 - x", "2 - x", "3 - x"]);
        if let Some(Item::Change(change)) = filling.batch.items.first_mut() {
            change.last = is_first_whole;
        }
        let lookup = Scripted { answers: (0..3).map(|_| found(&[Some(large)])).collect(), ..Scripted::default() };
        let mut reselector = Reselector::new(lookup, Arc::clone(&meters));
        // Answers are known to be large, so that one row is asked for at a time.
        reselector.largest_bytes = AT_A_TIME_BYTES;
        let mut parts = Vec::new();
        for _ in 0..2 {
            let part = reselector.part(&mut filling, &plans, &outlet).await.unwrap().unwrap();
            parts.push(part.count);
            drop(filling.take_first(part.count, &part.more).unwrap());
        }
        assert_eq!(parts, expect);
    }
}
