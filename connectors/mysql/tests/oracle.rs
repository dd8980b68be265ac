//! The server's own functions as the judge: sets of GTIDs against GTID_SUBSET and GTID_SUBTRACT, JSON out of the binlog
//! against CAST(… AS CHAR).
//!
//! Run by `make test`, which names a MySQL in `AFTERIMAGE_TEST_MYSQL`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

use futures_util::StreamExt;
use mysql::binlog::{Body, Checksum, Layout, Reader, Side};
use mysql::gtid::MySqlSet;
use mysql_async::prelude::Queryable;
use mysql_async::{BinlogStreamRequest, Conn, OptsBuilder};
use mysql_common::binlog::consts::BinlogVersion;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value as Json;

async fn connect() -> Conn {
    let at = std::env::var("AFTERIMAGE_TEST_MYSQL").expect(
        "AFTERIMAGE_TEST_MYSQL is not set: these tests need a MySQL with GTIDs (host:port, user root, no password)",
    );
    let (host, port) = at.rsplit_once(':').expect("AFTERIMAGE_TEST_MYSQL must be host:port");
    let options =
        OptsBuilder::default().ip_or_hostname(host).tcp_port(port.parse().expect("a port")).user(Some("root"));
    Conn::new(options).await.unwrap()
}

/// The text of a set, as a user may write it: intervals in any order, which may overlap.
fn set_text() -> impl Strategy<Value = String> {
    let source = (0..3, prop_oneof![Just(""), Just(":tag"), Just(":other_1")]);
    let entry = (source, proptest::collection::vec((1..40, 0..9), 1..4));
    proptest::collection::vec(entry, 0..5).prop_map(|entries| {
        let one = |((server, tag), intervals): ((i32, &str), Vec<(i32, i32)>)| {
            let numbers: Vec<_> = intervals.iter().map(|(first, more)| format!("{first}-{}", first + more)).collect();
            format!("3e11fa47-71ca-11e1-9e33-c80aa942956{server}{tag}:{}", numbers.join(":"))
        };
        entries.into_iter().map(one).collect::<Vec<_>>().join(",")
    })
}

#[tokio::test]
async fn sets_are_the_servers() {
    let mut server = connect().await;
    let mut runner = TestRunner::deterministic();
    let (mut parts, mut rests) = (0, 0);
    for _ in 0..500 {
        let a = set_text().new_tree(&mut runner).unwrap().current();
        let b = set_text().new_tree(&mut runner).unwrap().current();
        let asked = "SELECT GTID_SUBSET(?, ?), GTID_SUBTRACT(?, ?), GTID_SUBTRACT(?, '')";
        let answer = server.exec_first(asked, (&a, &b, &a, &b, &a)).await.unwrap();
        let (subset, subtracted, same): (bool, String, String) = answer.unwrap();
        let (ours, theirs): (MySqlSet, MySqlSet) = (a.parse().unwrap(), b.parse().unwrap());
        assert_eq!(theirs.contains(&ours), subset, "{a} in {b}");
        let mut rest = ours.clone();
        rest.subtract(&theirs);
        assert_eq!(rest, subtracted.parse().unwrap(), "{a} without {b}");
        assert_eq!(ours, same.parse().unwrap(), "{a}");
        parts += i32::from(subset);
        rests += i32::from(!rest.is_empty());
    }
    assert!(parts > 10 && rests > 100, "{parts} {rests}: the sets are too much alike");
}

/// Documents whose numbers have the same text in both forms.
fn document() -> impl Strategy<Value = Json> {
    let number = prop_oneof![-9_i64..9, -70_000_i64..70_000, any::<i64>()].prop_map(Json::from);
    let text = prop_oneof![Just("long ".repeat(50)), "[a-z\"\\\\ä€]{0,8}".prop_map(String::from)];
    let leaf = prop_oneof![Just(Json::Null), any::<bool>().prop_map(Json::from), number, text.prop_map(Json::from)];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            proptest::collection::btree_map("[a-d]{1,2}", inner, 0..6).prop_map(|m| m.into_iter().collect::<Json>()),
        ]
    })
}

/// An expression that changes `d` in a way that the server can write as differences.
fn change() -> impl Strategy<Value = String> {
    let path = "\\$(\\.[a-d]{1,2}|\\[[0-4]\\]){1,3}";
    let value = document()
        .prop_map(|json| format!("CAST('{}' AS JSON)", json.to_string().replace('\\', "\\\\").replace('\'', "''")));
    (prop_oneof![Just("JSON_SET"), Just("JSON_REPLACE"), Just("JSON_REMOVE")], path, value).prop_map(
        |(function, path, value)| match function {
            "JSON_REMOVE" => format!("JSON_REMOVE(d, '{path}')"),
            _ => format!("{function}(d, '{path}', {value})"),
        },
    )
}

#[tokio::test]
async fn documents_and_partial_updates_are_the_servers() {
    let mut server = connect().await;
    for statement in [
        "DROP DATABASE IF EXISTS oracle_json",
        "CREATE DATABASE oracle_json",
        "USE oracle_json",
        "CREATE TABLE j (id INT PRIMARY KEY, d JSON)",
    ] {
        server.query_drop(statement).await.unwrap();
    }
    let status = server.query_first("SHOW BINARY LOG STATUS").await.unwrap();
    let (file, position, ..): (String, u64, String, String, String) = status.unwrap();
    server.query_drop("SET SESSION binlog_row_value_options=PARTIAL_JSON").await.unwrap();
    let mut runner = TestRunner::deterministic();
    let mut expect: Vec<Json> = Vec::new();
    for id in 0..60 {
        // An object on the outside, so that paths lead somewhere.
        let members = proptest::collection::btree_map("[a-d]{1,2}", document(), 4..9).new_tree(&mut runner).unwrap();
        let document: Json = members.current().into_iter().collect();
        server.exec_drop("INSERT INTO j VALUES (?, ?)", (id, document.to_string())).await.unwrap();
        expect.push(document);
        for _ in 0..12 {
            let change = change().new_tree(&mut runner).unwrap().current();
            server.query_drop(format!("UPDATE j SET d = {change} WHERE id = {id}")).await.unwrap();
            let text: String =
                server.exec_first("SELECT CAST(d AS CHAR) FROM j WHERE id = ?", (id,)).await.unwrap().unwrap();
            let now: Json = serde_json::from_str(&text).unwrap();
            // The binlog has no update that changes nothing.
            if expect.last() != Some(&now) {
                expect.push(now);
            }
        }
    }
    server.query_drop("DROP DATABASE oracle_json").await.unwrap();
    let (found, partial) = read(&file, position).await;
    assert!(partial > 100, "{partial} partial updates");
    assert_eq!(found.len(), expect.len());
    for (found, expect) in found.iter().zip(&expect) {
        assert_eq!(found, expect);
    }
}

/// The documents after each change of the table, and how many changes were partial.
async fn read(file: &str, position: u64) -> (Vec<Json>, usize) {
    let request = BinlogStreamRequest::new(4711).with_filename(file.as_bytes()).with_pos(position).with_non_blocking();
    let mut stream = connect().await.get_binlog_stream(request).await.unwrap();
    let mut reader = Reader::new(file, position, Checksum::None);
    let (mut documents, mut partial) = (Vec::new(), 0);
    let mut table: Option<(u64, Layout)> = None;
    while let Some(event) = stream.next().await {
        let mut bytes = Vec::new();
        event.unwrap().write(BinlogVersion::Version4, &mut bytes).unwrap();
        let event = reader.event(&bytes, 0).unwrap();
        match &event.body {
            Body::TableMap(map) => {
                let ours = map.database == "oracle_json" && map.table == "j";
                table = ours.then(|| (map.table_id, map.layout().unwrap()));
            }
            Body::Rows(rows) => {
                let Some((id, layout)) = &table else { continue };
                partial += usize::from(event.header.kind == mysql::binlog::EventKind::PARTIAL_UPDATE_ROWS);
                let (mut spans, mut side, mut found) = (Vec::new(), Side::default(), Vec::new());
                rows.find(*id, layout, &mut spans, &mut side, |row| found.push(row.after.unwrap())).unwrap();
                let mut buffer = bytes::BytesMut::from(bytes.as_slice());
                side.settle(&mut buffer, &mut spans).unwrap();
                for row in found {
                    let mut text = Vec::new();
                    let document = spans[row.first as usize + 1].bytes(&buffer).unwrap();
                    mysql::json::write_text(&mut text, document).unwrap();
                    documents.push(serde_json::from_slice(&text).unwrap());
                }
            }
            _ => {}
        }
    }
    (documents, partial)
}
