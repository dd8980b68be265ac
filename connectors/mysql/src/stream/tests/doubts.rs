//! Statements that are not understood, tables that are not those of the schema history, and cells that no statement shows.

use super::*;
use crate::model::TableId;

/// The ALTER of a column that the binlog does not know, with `binlog_row_metadata=FULL`: nothing of the table leaves before
/// it is found out, and others are not held up.
#[test]
fn a_table_in_doubt_is_found_out_at_its_next_row() {
    for log in [mysql(MYSQL_DOUBT, By::Gtid), mariadb(MARIADB_DOUBT, By::Gtid), mysql(MYSQL_DOUBT, By::File)] {
        let seen = log.read(&log.start(), &[]).unwrap();
        let expect = ["c t 1", "c u 1", "found t", "c t 2", "c t 3", "u t 3", "c t 4", "found v", "c v 5"];
        assert_eq!(texts(&seen), expect);
        let last = seen.iter().rev().find(|seen| seen.text == "c v 5").unwrap();
        let id = TableId { database: "bin_doubt".into(), table: "v".into() };
        let table = last.from.catalog.table(&id).unwrap();
        let columns: Vec<_> =
            table.columns.iter().map(|c| format!("{} {} {}", c.name, c.type_name, c.optional)).collect();
        assert_eq!(
            columns,
            ["id INT false", "n BIGINT UNSIGNED false", "a VARCHAR true", "e ENUM false", "z INT true"]
        );
        assert_eq!(table.columns[2].default.as_deref(), Some("x"), "what the binlog does not say is kept");
        assert_eq!(*table.primary_key, ["id".into()]);
    }
}

#[test]
fn hidden_cells_of_mariadb_are_passed_over() {
    for by in [By::Gtid, By::File] {
        let log = mariadb(MARIADB_HIDDEN, by);
        let seen = log.read(&log.start(), &[]).unwrap();
        assert_eq!(texts(&seen), ["c b 1", "u b 1", "c m 2", "d m 2", "c s 3", "c s 4", "c n 5", "c b 6"]);
    }
}

/// `change` is a statement that the binlog does not have, before the row `row`.
#[track_caller]
fn check(log: Log, row: &str, change: &str, expect: &str) {
    let seen = log.read(&log.start(), &[]).unwrap();
    let behind = seen.iter().position(|seen| seen.text == row).unwrap();
    let mut from = seen[..behind].iter().rev().find(|seen| !seen.offset.is_empty()).unwrap().from.clone();
    let outcome = from.catalog.apply(&Query { text: change, database: "bin_doubt", sql_mode: None });
    assert_eq!(outcome.not_understood, None);
    for mode in ["fail", "skip"] {
        let read = log.read(&from, &[("inconsistent.schema.handling.mode", mode)]);
        let error = read.map(|seen| texts(&seen).join(", ")).expect_err(change).to_string();
        let (place, reason) = error.split_once(": ").unwrap();
        assert!(place.starts_with("table bin_doubt.") && place.contains(", at b.7:"), "{error}");
        assert!(reason.starts_with(expect) && reason.contains("recovery"), "{error}");
    }
}

#[test]
fn a_table_that_is_not_that_of_the_history_stops_at_its_first_row() {
    for log in [mysql(MYSQL_DOUBT, By::Gtid), mariadb(MARIADB_DOUBT, By::Gtid)] {
        let here = |change, expect| check(log, "c t 4", change, expect);
        here("ALTER TABLE t ADD c INT", "Error processing row in t, internal schema size 6, but row size 5 ,");
        here("ALTER TABLE t RENAME COLUMN a TO b", "column b: in the binlog its name is a");
        here("ALTER TABLE t MODIFY n BIGINT NOT NULL", "column n: it is UNSIGNED in the binlog");
        here("ALTER TABLE t MODIFY id SMALLINT NOT NULL", "column id: in the binlog it is an integer of another size");
        here("ALTER TABLE t MODIFY a DATE", "column a: the binlog's type number 15 is not the type");
        here("ALTER TABLE t MODIFY a VARBINARY(10)", "column a: in the binlog it is a text in latin1");
        here("ALTER TABLE t MODIFY e ENUM('p','r','q')", "column e: in the binlog it has other labels");
    }
}

/// The character set of the TABLE_MAP is that of the bytes, whatever the statements say.
#[test]
fn the_character_set_of_the_binlog_is_used() {
    for log in [mysql(MYSQL_DOUBT, By::Gtid), mariadb(MARIADB_DOUBT, By::Gtid)] {
        let seen = log.read(&log.start(), &[]).unwrap();
        let behind = seen.iter().position(|seen| seen.text == "c t 1").unwrap();
        let mut from = seen[..behind].iter().rev().find(|seen| !seen.offset.is_empty()).unwrap().from.clone();
        let text = "ALTER TABLE t MODIFY a VARCHAR(10) CHARACTER SET utf16 DEFAULT 'x'";
        from.catalog.apply(&Query { text, database: "bin_doubt", sql_mode: None });
        let seen = log.read(&from, &[]).unwrap();
        let row = seen.iter().find(|seen| seen.text == "c t 1").unwrap();
        assert_eq!(row.values[1], Value::text("one"));
    }
}

/// A statement that nobody understands after each other one changes nothing in what is sent: of compressed transactions, of
/// rows that are computed, of XA transactions that are kept.
#[test]
fn rows_of_every_kind_wait_until_their_table_is_found_out() {
    for log in [
        mysql(MYSQL_XA, By::Gtid),
        mysql(MYSQL_IMAGES, By::Gtid),
        mysql(MYSQL_COMPRESSED, By::Gtid),
        mysql(MYSQL_DOUBT, By::File),
        mariadb(MARIADB_XA, By::Gtid),
        mariadb(MARIADB_COMPRESSED, By::Gtid),
        mariadb(MARIADB_HIDDEN, By::File),
    ] {
        let is_row = |seen: &&str| !seen.starts_with("found");
        let plain = log.read(&log.start(), &[]).unwrap();
        let plain: Vec<_> = texts(&plain).into_iter().filter(is_row).collect();
        let seen = log.read_as(&log.start(), &[], Given { doubts: true, kept_bytes: KEPT_BYTES }).unwrap();
        let (found, rows): (Vec<_>, Vec<_>) = texts(&seen).into_iter().partition(|seen| !is_row(seen));
        assert!(!found.is_empty());
        assert_eq!(rows, plain);
    }
}
