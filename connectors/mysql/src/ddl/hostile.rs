//! Feeds arbitrary bytes to the code that reads what the server sends: nothing may panic, and what is read must make sense.
//!
//! The fuzz targets (`fuzz/`) call these functions with libFuzzer's inputs. The tests below call them with statements that
//! are put together from the words of statements.

use serde_json::Map;

use crate::Flavour;
use crate::ddl::{Catalog, Dialect, Grammar, Query, Rules};
use crate::history::HistoryRecord;
use crate::model::TableId;

/// The tables that are there before the statement.
const BEFORE: &[&str] = &[
    "create table t(id int primary key, a varchar(5) default 'x', b enum('y','z') not null)",
    "create table u(a int not null, b text, unique(a))",
];

/// Reads DDL. The first byte holds flags of the dialect, the rest is the statement.
///
/// # Panics
/// If the reader panics, if a table's key has a column that the table lacks, or if a history record is not read back as it
/// was written.
pub fn ddl(bytes: &[u8]) {
    let Some((flags, text)) = bytes.split_first() else { return };
    let flag = |bit: u8| flags & bit != 0;
    let text = String::from_utf8_lossy(text);
    let mut dialect = Dialect::new(if flag(1) { Flavour::MariaDb } else { Flavour::MySql });
    if flag(2) {
        dialect.grammar = Grammar::Legacy;
    }
    (dialect.ansi_quotes, dialect.backslash) = (flag(4), !flag(8));
    let rules = Rules { dialect, comments: flag(16), lower_case_table_names: (flags >> 5) % 3 };
    let mut catalog = Catalog::new(rules);
    for text in BEFORE {
        catalog.apply(&Query { text, database: "d", sql_mode: None });
    }
    let outcome = catalog.apply(&Query { text: &text, database: "d", sql_mode: None });
    for table in catalog.tables() {
        let lost = table.primary_key.iter().find(|key| table.column(key).is_none());
        assert!(lost.is_none(), "the key has {lost:?}, which is no column of {}", table.id);
    }
    // A statement can have as many records as it names tables; some tell as much as all.
    for record in outcome.records.into_iter().take(100) {
        let written = HistoryRecord {
            source: Map::new(),
            position: Map::new(),
            ts_ms: 0,
            database: Some(record.database),
            ddl: Some(record.ddl),
            changes: record.changes,
        };
        let read = HistoryRecord::parse(written.to_json().as_bytes());
        assert_eq!(read.map(visible), Ok(visible(written)));
    }
    assert!(catalog.table(&TableId { database: "no".into(), table: "no".into() }).is_none());
}

/// Without what a record does not hold.
fn visible(mut record: HistoryRecord) -> HistoryRecord {
    for table in record.changes.iter_mut().filter_map(|change| change.table.as_mut()) {
        std::sync::Arc::make_mut(table).columns.iter_mut().for_each(|column| column.computed = false);
    }
    record
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Words of statements, in an order that makes neighbours likely.
    const WORDS: &str = "create or replace temporary table if not exists like as select start transaction alter add column \
        change modify drop rename to primary key unique index constraint foreign references check first after set default \
        null convert character charset collate comment engine = 5 -1 1.5 0x10 b'1' 'x' 'it''s' \"q\" `n` `a``b` t u d.t .t id \
        a b c int integer unsigned zerofill varchar(5) char text enum('a','b') set('p') decimal(5,2) timestamp(3) datetime \
        bit json serial national long varbinary ( ) , ; . @ @@ /* */ /*! /*!80023 /*M! -- # ' \" ` \\ current_timestamp \
        on update now() auto_increment generated always (a + 1) stored virtual invisible with system versioning period for \
        without overlaps partition by range (a) truncate use database schema statement for _utf8mb4 N'x' wait 5 values \
        order by algorithm instant lock row 日本 \u{1F600} \u{0} \u{7f}";

    fn statement() -> impl Strategy<Value = String> {
        let heads = ["create table t(", "create table x(", "alter table t ", "alter table u add ", "drop table ", ""];
        let words: Vec<&str> = WORDS.split(' ').filter(|w| !w.is_empty()).collect();
        (select(heads.to_vec()), vec(select(words), 0..24))
            .prop_map(|(head, words)| format!("{head}{}", words.join(" ")))
    }

    proptest! {
        #[test]
        fn any_statement(flags: u8, text in statement()) {
            ddl(&[&[flags], text.as_bytes()].concat());
        }

        #[test]
        fn any_bytes(bytes: Vec<u8>) {
            ddl(&bytes);
        }

        #[test]
        fn any_text_behind_alter_table(flags: u8, text in ".{0,60}") {
            ddl(&[&[flags], b"alter table t ".as_slice(), text.as_bytes()].concat());
        }
    }

    /// A text of a megabyte is read in a time that grows with its length; one that grew with its square would take hours.
    #[track_caller]
    fn check_time(head: &str, again: &str, tail: &str) {
        let text = format!("\0{head}{}{tail}", again.repeat(1_000_000 / again.len()));
        let start = Instant::now();
        ddl(text.as_bytes());
        assert!(start.elapsed() < Duration::from_secs(60), "{:?} for {again:?}", start.elapsed());
    }

    #[test]
    fn long_texts_are_read_in_time() {
        check_time("create table x(a int default ", "(", "");
        check_time("create table x(a int default ", "(1)", ")");
        check_time("create table x(", "a int,", "b int)");
        check_time("create table x(a int not null,", "unique(a),", "b int)");
        check_time("create table x(a int, unique(", "a,", "a))");
        check_time("create table x(a enum(", "'l',", "'m'))");
        check_time("create table x(a int ", "comment 'x' ", ")");
        check_time("alter table t ", "add c int,", "add d int");
        check_time("alter table t ", "modify a int first,", "add d int");
        check_time("alter table t ", "drop index i,", "add d int");
        check_time("alter table t ", "order by a,", "a");
        check_time("alter table t add unique(a) ", "/*!", "*/");
        check_time("drop table ", "a,", "b");
        check_time("rename table ", "t to u, u to t,", "t to u");
        check_time("set ", "a=1,", "b=2");
        check_time("create table x(a int) ", "\"\"", "");
        check_time("create table x(a int) comment ", "\"q\" ", "");
        check_time("/*!", "/*", "");
        check_time("/*!99999 ", "/* */", "");
        check_time("use d", ";use d", "");
    }
}
