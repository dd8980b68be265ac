//! Asks real servers: for every type and its edges, the text protocol, the binary protocol and the binlog must give the same
//! value, a row must be found by the literal of its cell in the binlog, and every character of every character set must be what
//! the server itself makes of it.
//!
//! `AFTERIMAGE_TEST_MYSQL` and `AFTERIMAGE_TEST_MARIADB` (`host:port`, user root without a password, binlog on) name the
//! servers; without them there is nothing to ask. An older server is asked about the types that it has.

use std::collections::BTreeMap;

use bytes::BytesMut;
use record::{Span, Value};

use super::charset::Charset;
use super::form::{Form, fits};
use super::sample::{column, table};
use super::{Cell, Literal, Modes, plan};
use crate::Flavour;
use crate::binlog::{Body, Checksum, Reader, RowsKind, Side, WireColumn};
use crate::model::Column;
use crate::wire::{ConnectOptions, Connection, Dump, Next, NextRow, Replication, Rows, Start};

/// A type, what follows it in DDL, and values as SQL writes them.
type Case = (&'static str, &'static str, &'static [&'static str]);

const CASES: &[Case] = &[
    ("TINYINT", "", &["-128", "0", "127", "null"]),
    ("TINYINT UNSIGNED", "", &["0", "128", "255"]),
    ("TINYINT(1)", "", &["0", "1", "-1", "9"]),
    ("SMALLINT", "", &["-32768", "32767"]),
    ("SMALLINT UNSIGNED", "", &["0", "32768", "65535"]),
    ("MEDIUMINT", "", &["-8388608", "-1", "8388607"]),
    ("MEDIUMINT UNSIGNED", "", &["0", "8388608", "16777215"]),
    ("INT", "", &["-2147483648", "-1", "2147483647", "null"]),
    ("INT UNSIGNED", "", &["0", "2147483648", "4294967295"]),
    ("INT(5) UNSIGNED ZEROFILL", "", &["0", "42", "123456"]),
    ("BIGINT", "", &["-9223372036854775808", "9223372036854775807"]),
    ("BIGINT UNSIGNED", "", &["0", "9223372036854775808", "18446744073709551615"]),
    ("DECIMAL", "", &["0", "-9999999999", "1234567890"]),
    ("DECIMAL(10,2)", "", &["12345678.91", "-12345678.91", "0.01", "-0.01", "0"]),
    ("DECIMAL(5,5)", "", &["0.99999", "-0.00001"]),
    ("DECIMAL(18,9)", "", &["123456789.123456789", "-123456789.123456789", "-0.000000001"]),
    ("DECIMAL(19,9)", "", &["1234567890.123456789"]),
    ("DECIMAL(38,10)", "", &["1234567890123456789012345678.0123456789", "-0.0000000001"]),
    (
        "DECIMAL(65,30)",
        "",
        &["12345678901234567890123456789012345.123456789012345678901234567890", "-1e-30", "0", "null"],
    ),
    ("DECIMAL(65,0)", "", &["-99999999999999999999999999999999999999999999999999999999999999999"]),
    ("DECIMAL(8,2) UNSIGNED ZEROFILL", "", &["99.99", "0"]),
    ("FLOAT", "", &["0", "3.14", "-3.4e38", "1e-10", "16384"]),
    ("FLOAT(7,3)", "", &["3.142", "1234.567", "-0.001"]),
    ("FLOAT(53)", "", &["2.718281828459045", "-0.1"]),
    ("DOUBLE", "", &["1.7976931348623157e308", "5e-324", "-0.1", "9007199254740993", "0"]),
    ("BIT", "", &["b'0'", "b'1'"]),
    ("BIT(2)", "", &["b'10'", "b'0'"]),
    ("BIT(9)", "", &["b'100000001'", "1", "null"]),
    ("BIT(33)", "", &["b'100000000000000000000000000000001'"]),
    ("BIT(64)", "", &["0x8000000000000001", "18446744073709551615", "0"]),
    ("YEAR", "", &["1901", "2155", "69", "2024"]),
    ("CHAR(10)", "", &["'ab  '", "''", "'häß😀'", "null"]),
    ("VARCHAR(300)", "", &["'héllo 😀'", "repeat('é', 300)", "'q \\\" \\\\ \\n \\0 \\Z'"]),
    ("VARCHAR(50)", " CHARACTER SET latin1", &["'Ünïcödé €'", "_latin1 0x818d8f909d", "'plain'"]),
    ("VARCHAR(50)", " CHARACTER SET ucs2", &["'日本語'"]),
    ("VARCHAR(50)", " CHARACTER SET utf16", &["'u16 😀'"]),
    ("CHAR(20)", " CHARACTER SET gbk", &["'中文'", "'a中'"]),
    ("CHAR(20)", " CHARACTER SET sjis", &["'カナ'", "_sjis 0x815f"]),
    ("TINYTEXT", "", &["'tiny'", "''"]),
    ("TEXT", " CHARACTER SET greek", &["'αβγ'"]),
    ("LONGTEXT", "", &["concat(repeat('x', 70000), '😀')"]),
    ("BINARY(8)", "", &["0x0102", "0x0000000000000000", "'x       '", "''", "0x0120002000"]),
    ("BINARY(255)", "", &["repeat(0xff, 255)"]),
    ("VARBINARY(300)", "", &["0x00ff00", "''", "repeat(0xab, 300)"]),
    ("BLOB", "", &["0x0d0a00", "''", "repeat(0xab, 300)"]),
    ("MEDIUMBLOB", "", &["0xff"]),
    // Labels with a comma or a backslash differ on purpose: labels.rs.
    ("ENUM('a','it''s','','  sp','日本')", "", &["'it''s'", "'日本'", "''", "'a'", "4", "null"]),
    ("SET('red','green','blue','it''s')", "", &["'red,it''s'", "''", "15", "'blue'"]),
    ("DATE", "", &["'2024-02-29'", "'1000-01-01'", "'9999-12-31'", "'0020-03-04'", "'0000-00-00'", "'2020-00-15'"]),
    ("TIME", "", &["'12:34:56'", "'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:01'"]),
    ("TIME(1)", "", &["'-00:00:00.1'", "'23:59:59.9'"]),
    ("TIME(3)", "", &["'12:34:56.789'", "'-00:00:00.001'", "'24:00:00.001'", "'-12:00:00.5'"]),
    ("TIME(6)", "", &["'12:34:56.789012'", "'-00:00:00.000001'", "'-838:59:58.000001'", "'838:59:58.999999'"]),
    ("DATETIME", "", &["'2024-02-29 23:59:59'", "'1000-01-01'", "'0070-01-01'", "'0000-00-00'", "'2020-01-00'"]),
    ("DATETIME(1)", "", &["'1969-12-31 23:59:59.9'"]),
    ("DATETIME(3)", "", &["'2024-02-29 23:59:59.987'"]),
    ("DATETIME(4)", "", &["'1582-10-04 12:00:00.0001'"]),
    ("DATETIME(6)", "", &["'9999-12-31 23:59:59.999999'", "'0099-12-31 01:02:03.000004'", "null"]),
    ("TIMESTAMP", " NULL", &["'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'0000-00-00'", "null"]),
    ("TIMESTAMP(2)", " NULL", &["'1970-01-01 00:00:01.01'", "'2024-02-29 23:59:59.5'"]),
    ("TIMESTAMP(6)", " NULL", &["'2038-01-19 03:14:07.499999'", "'2024-02-29 00:00:00.100000'"]),
    ("POINT", "", &["point(1.5, -2)", "null"]),
    (
        "GEOMETRY",
        "",
        &[
            "point(7, 8)",
            "st_geomfromtext('POLYGON((0 0,4 0,4 4,0 4,0 0))')",
            "st_geomfromtext('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')",
        ],
    ),
    ("MULTIPOINT", "", &["st_geomfromtext('MULTIPOINT((0 0),(1 2))')"]),
];

const OF_MYSQL: &[Case] = &[
    ("POINT", " SRID 4326", &["st_geomfromtext('POINT(48.85 2.35)', 4326)"]),
    ("VECTOR(3)", "", &["string_to_vector('[1,2.5,-3e-5]')", "string_to_vector('[9]')", "null"]),
    ("JSON", "", &["'[]'", "'{\"a\":true,\"b\":[null,-1,\"x\"]}'", "'18446744073709551615'", "null"]),
    ("VARCHAR(20)", " CHARACTER SET gb18030", &["'中💩'"]),
];

const OF_MARIADB: &[Case] = &[
    (
        "UUID",
        "",
        &[
            "'123e4567-e89b-12d3-a456-426655440000'",
            "'018f3f5e-0000-7abc-8def-0123456789ab'",
            "'00000000-0000-0000-0000-000000000000'",
            "'ffffffff-ffff-ffff-ffff-ffffffffff00'",
            "'aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee'",
            "null",
        ],
    ),
    ("INET4", "", &["'1.2.3.4'", "'0.0.0.0'", "'255.255.255.0'"]),
    ("INET6", "", &["'2001:db8::1'", "'::'", "'::ffff:1.2.3.4'", "'::1.2.3.4'", "'fe80::'", "'::1'", "'::0.1.0.0'"]),
    ("JSON", "", &["'{\"a\": [1, 2.50],  \"b\": null}'"]),
    ("VARCHAR(2000)", " COMPRESSED", &["repeat('x', 500)", "'abc'", "''", "null"]),
    ("TEXT", " COMPRESSED CHARACTER SET latin1", &["repeat('ü', 5000)", "'é'"]),
    ("BLOB", " COMPRESSED", &["repeat(0xab, 5000)", "0x00"]),
];

/// The first version that has a type or a character set; what is not listed is older than every server that is asked.
fn since(flavour: Flavour, definition: &str, more: &str) -> (u16, u16, u16) {
    let name = definition.split(['(', ' ']).next().unwrap_or_default();
    match (flavour, name) {
        (Flavour::MySql, "VECTOR") => (9, 0, 0),
        (Flavour::MySql, "JSON") => (5, 7, 8),
        (Flavour::MySql, _) if more.contains("SRID") => (8, 0, 3),
        (Flavour::MySql, _) if more.contains("gb18030") => (5, 7, 4),
        (Flavour::MySql, "TIME" | "DATETIME" | "TIMESTAMP") if definition.contains('(') => (5, 6, 4),
        (Flavour::MariaDb, "UUID") => (10, 7, 0),
        (Flavour::MariaDb, "INET4") => (10, 10, 0),
        (Flavour::MariaDb, "INET6") => (10, 5, 0),
        (Flavour::MariaDb, "JSON") => (10, 2, 7),
        (Flavour::MariaDb, _) if more.contains("COMPRESSED") => (10, 3, 2),
        _ => (0, 0, 0),
    }
}

/// The server that the environment names.
fn named(variable: &str) -> Option<ConnectOptions> {
    let Ok(address) = std::env::var(variable) else {
        println!("{variable} is not set: no server is asked");
        return None;
    };
    let (host, port) = address.rsplit_once(':').unwrap();
    let (host, port) = (host.to_owned(), port.parse().unwrap());
    Some(ConnectOptions { host, port, user: "root".into(), ..ConnectOptions::default() })
}

async fn connected(options: &ConnectOptions) -> Connection {
    let mut connection = Connection::open(options).await.unwrap();
    run(&mut connection, "SET NAMES utf8mb4, time_zone = '+00:00', sql_mode = ''").await;
    connection
}

async fn run(connection: &mut Connection, sql: &str) {
    connection.query("asking", sql).await.unwrap_or_else(|e| panic!("{sql}: {e}"));
}

/// A cell's bytes; none for NULL.
type Raw = Option<Vec<u8>>;

async fn all(mut rows: Rows<'_>) -> Vec<Vec<Raw>> {
    let (mut buffer, mut from, mut found) = (BytesMut::new(), 0, Vec::new());
    loop {
        let mut spans: Vec<Span> = Vec::new();
        match rows.next(&mut buffer, from, &mut spans).unwrap() {
            NextRow::Row { end } => {
                found.push(spans.iter().map(|span| span.bytes(&buffer).map(<[u8]>::to_vec)).collect());
                from = end;
            }
            NextRow::Incomplete { .. } => assert!(rows.fill(&mut buffer).await.unwrap() > 0, "the answer ends early"),
            NextRow::End { .. } => return found,
        }
    }
}

/// The cells of the second column of each table of a database, in the order of the log, from this place on.
async fn streamed(
    options: &ConnectOptions,
    database: &str,
    file: &str,
    position: u64,
) -> BTreeMap<String, Vec<(WireColumn, Raw)>> {
    let dump = Dump {
        start: Start::Position { file: file.to_owned(), position },
        server_id: 4711,
        heartbeat_ms: 0,
        net_write_timeout_s: 0,
        net_read_timeout_s: 0,
        annotate_rows: false,
        until_end: true,
    };
    let mut replication = Replication::start(options, &dump).await.unwrap();
    let checksum = if replication.checksum() == "NONE" { Checksum::None } else { Checksum::Crc32 };
    let mut reader = Reader::new(file, position, checksum);
    let (mut buffer, mut from) = (BytesMut::new(), 0);
    let (mut maps, mut cells) = (BTreeMap::new(), BTreeMap::<String, Vec<_>>::new());
    loop {
        let event = match replication.next(&mut buffer, from).unwrap() {
            Next::Event { event, end } => {
                from = end;
                event
            }
            Next::Incomplete { .. } => {
                assert!(replication.fill(&mut buffer).await.unwrap() > 0, "the dump ends early");
                continue;
            }
            Next::End => return cells,
        };
        match reader.event(&buffer[event.clone()], event.start as u32).unwrap().body {
            Body::TableMap(map) => {
                let table = (map.database == database).then(|| (map.table.to_owned(), map.layout().unwrap()));
                maps.insert(map.table_id, table);
            }
            Body::Rows(rows) if rows.kind == RowsKind::Write => {
                let Some(Some((table, layout))) = maps.get(&rows.table_id) else { continue };
                let (mut spans, mut side) = (Vec::new(), Side::default());
                rows.find(rows.table_id, layout, &mut spans, &mut side, |_| {}).unwrap();
                let of_table = cells.entry(table.clone()).or_default();
                let second = spans.iter().skip(1).step_by(2);
                of_table.extend(second.map(|span| (layout.columns()[1], span.bytes(&buffer).map(<[u8]>::to_vec))));
            }
            _ => {}
        }
    }
}

/// A value without what the documents say is different: the trailing zeros of a second's fraction, of which a snapshot
/// shows none and the stream as many as the column has, and the blanks of JSON.
fn alike(value: Value, cell: &Cell) -> Value {
    match (value, cell) {
        (Value::Text(text), Cell::Timestamp { .. }) => match text.split_once('.') {
            Some((whole, fraction)) => {
                let fraction = fraction.trim_end_matches(['Z', '0']);
                let point = if fraction.is_empty() { "" } else { "." };
                Value::Text(format!("{whole}{point}{fraction}Z"))
            }
            None => Value::Text(text),
        },
        // The server prints JSON with blanks, the stream has none.
        (Value::Text(text), Cell::Json) => Value::Text(text.replace(": ", ":").replace(", ", ",")),
        (value, _) => value,
    }
}

#[track_caller]
fn read(cell: &Cell, form: Form, raw: Option<&[u8]>, what: &str) -> Value {
    let Some(raw) = raw else { return Value::Null };
    let value = cell.read(form, raw).unwrap_or_else(|fault| panic!("{what}: {form:?} {raw:02x?}: {fault:?}"));
    alike(value.to_value(), cell)
}

fn column_of((definition, more, _): &Case) -> Column {
    let charset = more.split("CHARACTER SET ").nth(1).unwrap_or("utf8mb4");
    Column { charset: Some(charset.into()), ..column(definition) }
}

async fn ask(variable: &str, flavour: Flavour, cases: &[Case]) {
    let Some(options) = named(variable) else { return };
    let mut connection = connected(&options).await;
    let version = connection.greeting().version_numbers();
    let cases: Vec<Case> =
        cases.iter().filter(|(definition, more, _)| since(flavour, definition, more) <= version).copied().collect();
    let database = format!("afterimage_types_{}", std::process::id());
    run(&mut connection, &format!("CREATE DATABASE {database} CHARACTER SET utf8mb4")).await;
    run(&mut connection, &format!("USE {database}")).await;
    for (place, (definition, more, _)) in cases.iter().enumerate() {
        run(&mut connection, &format!("CREATE TABLE t{place:03} (id INT PRIMARY KEY, c {definition}{more})")).await;
    }
    let logs = connection.query("asking", "SHOW BINARY LOGS").await.unwrap();
    let (file, position) = logs.last().map(|row| (row.text(0).unwrap(), row.number(1).unwrap())).unwrap();
    for (place, (_, _, values)) in cases.iter().enumerate() {
        for (id, value) in values.iter().enumerate() {
            run(&mut connection, &format!("INSERT INTO t{place:03} VALUES ({id}, {value})")).await;
        }
    }
    let mut results = Vec::new();
    for place in 0..cases.len() {
        let select = format!("SELECT c FROM t{place:03} ORDER BY id");
        let texts = all(connection.rows("asking", &select).await.unwrap()).await;
        results.push((texts, all(connection.binary_rows("asking", &select).await.unwrap()).await));
    }
    let log = streamed(&options, &database, file, position).await;
    for (place, case) in cases.iter().enumerate() {
        let name = format!("t{place:03}");
        let column = column_of(case);
        for (id, (log, raw)) in log[&name].iter().enumerate() {
            let Some((literal, raw)) = Literal::of(&table(), &column, flavour, *log).zip(raw.as_deref()) else {
                continue;
            };
            // A date that the calendar does not have is no literal either.
            let Ok(literal) = literal.write(raw) else { continue };
            let select = format!("SELECT count(*) FROM {name} WHERE c = {literal} AND id = {id}");
            let found = connection.query("asking", &select).await.unwrap_or_else(|e| panic!("{case:?} {select}: {e}"));
            assert_eq!(found[0].text(0), Some("1"), "{case:?} {select}");
        }
    }
    run(&mut connection, &format!("DROP DATABASE {database}")).await;
    for (place, case) in cases.iter().enumerate() {
        let (definition, more, values) = case;
        let column = column_of(case);
        let cell = plan(&table(), &column, flavour, &Modes::default()).unwrap().cell;
        let (texts, binaries) = &results[place];
        let logged = &log[&format!("t{place:03}")];
        assert_eq!((texts.len(), binaries.len(), logged.len()), (values.len(), values.len(), values.len()));
        for (at, sql) in values.iter().enumerate() {
            let what = format!("{definition}{more} {sql}");
            let from_text = read(&cell, Form::Text, texts[at][0].as_deref(), &what);
            assert_eq!(read(&cell, Form::Binary, binaries[at][0].as_deref(), &what), from_text, "{what}");
            let (log, raw) = &logged[at];
            assert!(fits(*log, &cell), "{what}: {log:?}");
            // On MariaDB a zero TIMESTAMP of the stream is the epoch, as Debezium shows it there.
            let is_zero =
                flavour == Flavour::MariaDb && matches!(cell, Cell::Timestamp { .. }) && sql.contains("0000-00-00");
            let expect = if is_zero { Value::text("1970-01-01T00:00:00Z") } else { from_text };
            assert_eq!(read(&cell, Form::Log(*log), raw.as_deref(), &what), expect, "{what}: {log:?}");
        }
    }
}

#[tokio::test]
async fn the_three_forms_agree_on_mysql() {
    ask("AFTERIMAGE_TEST_MYSQL", Flavour::MySql, &[CASES, OF_MYSQL].concat()).await;
}

#[tokio::test]
async fn the_three_forms_agree_on_mariadb() {
    ask("AFTERIMAGE_TEST_MARIADB", Flavour::MariaDb, &[CASES, OF_MARIADB].concat()).await;
}

/// Sequences of so many bytes that the server reads as one character of the set, and the character in UTF-8.
async fn characters(
    connection: &mut Connection,
    set: &str,
    bytes: usize,
    first: u32,
    last: u32,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let raw = format!("unhex(lpad(hex(n), {}, '0'))", 2 * bytes);
    let text = format!("CONVERT({raw} USING {set})");
    let query = format!(
        "WITH RECURSIVE n(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM n WHERE n < {last}) \
         SELECT {raw}, CONVERT({text} USING utf8mb4) FROM n WHERE char_length({text}) = 1 AND hex({text}) = hex({raw})"
    );
    let rows = all(connection.rows("asking", &query).await.unwrap()).await;
    rows.into_iter().map(|mut row| (row[0].take().unwrap(), row[1].take().unwrap_or_default())).collect()
}

async fn ask_characters(variable: &str) {
    let Some(options) = named(variable) else { return };
    let mut connection = connected(&options).await;
    let (version, flavour) = (connection.greeting().version_numbers(), connection.greeting().flavour());
    if version < if flavour == Flavour::MySql { (8, 0, 1) } else { (10, 3, 0) } {
        println!("{variable}: without recursive queries the server cannot list its characters");
        return;
    }
    // MySQL's name of the limit, then MariaDB's.
    if connection.query("asking", "SET cte_max_recursion_depth = 300000").await.is_err() {
        run(&mut connection, "SET max_recursive_iterations = 300000").await;
    }
    let sets = connection.query("asking", "SHOW CHARACTER SET").await.unwrap();
    let mut wrong = Vec::new();
    for row in &sets {
        let (set, most_bytes): (_, u8) = (row.text(0).unwrap(), row.number(3).unwrap());
        let charset = Charset::named(set).unwrap_or_else(|| panic!("{set} is not known"));
        let ranges: &[(usize, u32, u32)] = match (set, most_bytes) {
            ("ucs2" | "utf16" | "utf16le", _) => &[(2, 0, 0xffff), (4, 0xd800_dc00, 0xd800_dfff)],
            ("utf32", _) => &[(4, 0, 0xffff), (4, 0x1_f600, 0x1_f6ff)],
            ("ujis" | "eucjpms", _) => &[(1, 0, 0xff), (2, 0x8000, 0xffff), (3, 0x8f_a1a1, 0x8f_fefe)],
            (_, 1) => &[(1, 0, 0xff)],
            _ => &[(1, 0, 0xff), (2, 0x8000, 0xffff)],
        };
        for (bytes, first, last) in ranges.iter().copied() {
            for (raw, text) in characters(&mut connection, set, bytes, first, last).await {
                // What the server cannot convert is `?` or nothing; half of a pair of UTF-16 is no character either.
                let Ok(text) = String::from_utf8(text) else { continue };
                let is_converted = text.chars().count() == 1 && text != "?";
                if is_converted && charset.text(&raw).to_value() != Value::Text(text.clone()) {
                    wrong.push(format!("{set} {raw:02x?}: {:?} is {text:?}", charset.text(&raw)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of them: {}", wrong.len(), wrong[..wrong.len().min(60)].join("\n"));
}

#[tokio::test]
async fn every_character_of_every_set_on_mysql() {
    ask_characters("AFTERIMAGE_TEST_MYSQL").await;
}

#[tokio::test]
async fn every_character_of_every_set_on_mariadb() {
    ask_characters("AFTERIMAGE_TEST_MARIADB").await;
}
