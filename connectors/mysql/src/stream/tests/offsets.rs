use super::*;

const METADATA: &[(&str, &str)] = &[("provide.transaction.metadata", "true")];

/// Items and the offset behind each, from the first of that text on.
#[track_caller]
fn check(log: Log, settings: &[(&str, &str)], first: &str, expect: &[&str]) {
    let seen = log.read(&log.start(), settings).unwrap();
    let from = seen.iter().position(|seen| seen.text == first).unwrap();
    let found: Vec<String> =
        seen[from..].iter().take(expect.len()).map(|seen| format!("{}: {}", seen.text, seen.offset)).collect();
    assert_eq!(found, expect);
}

/// BEGIN and TABLE_MAP are the first two events; the restart is at BEGIN, and the executed ids are those before it.
#[test]
fn rows_and_the_end_of_their_transaction() {
    check(
        mysql(MYSQL_XA, By::Gtid),
        &[],
        "c t 1",
        &[
            "c t 1: event=2 file=b.7 pos=687 gtids=U:1-6559 row=1",
            "c t 2: event=2 file=b.7 pos=687 gtids=U:1-6559 row=2",
            "c t 3: event=2 file=b.7 pos=687 gtids=U:1-6559 row=3",
            ": gtids=U:1-6560 file=b.7 pos=908",
        ],
    );
    check(mysql(MYSQL_XA, By::File), &[], "c t 3", &["c t 3: event=2 file=b.7 pos=687 row=3", ": pos=908 file=b.7"]);
}

/// The GTID is MariaDB's BEGIN, and the statement (ANNOTATE_ROWS) an event too.
#[test]
fn rows_of_mariadb() {
    check(
        mariadb(MARIADB_XA, By::Gtid),
        &[],
        "c t 2",
        &[
            "c t 2: event=3 file=b.7 pos=682 gtids=0-2-4554 row=2",
            "c t 3: event=3 file=b.7 pos=682 gtids=0-2-4554 row=3",
            ": gtids=0-2-4555 file=b.7 pos=930",
        ],
    );
}

/// The savepoint counts; the halves of a change of the key are one row.
#[test]
fn savepoints_and_changes_of_the_key() {
    check(
        mysql(MYSQL_XA, By::Gtid),
        &[],
        "c t 9",
        &[
            "c t 9: event=2 file=b.7 pos=5596 gtids=U:1-6575 row=1",
            "d t 2: ",
            "c t 12: event=5 file=b.7 pos=5596 gtids=U:1-6575 row=1",
            ": gtids=U:1-6576 file=b.7 pos=5995",
        ],
    );
}

/// TABLE_MAP and rows of a table that is not captured count as those of one that is, so that an offset means the same place
/// whatever the lists say.
#[test]
fn events_of_tables_that_are_not_captured_count() {
    let all = [
        "c a 1: event=2 file=b.7 pos=843 row=1",
        "c a 2: event=2 file=b.7 pos=843 row=2",
        "c b 1: event=4 file=b.7 pos=843 row=1",
        "d a 1: event=6 file=b.7 pos=843 row=1",
        "d b 1: ",
        "c b 3: event=8 file=b.7 pos=843 row=1",
    ];
    let log = mysql(MYSQL_TWO_TABLES, By::File);
    check(log, &[], "c a 1", &all);
    check(log, &[("table.include.list", "bin_two.b")], "c b 1", &[all[2], all[4], all[5]]);
}

/// CREATE TABLE … SELECT is a statement inside of a transaction.
#[test]
fn statements_inside_of_a_transaction_count() {
    check(mysql(MYSQL_XA, By::Gtid), &[], "c n 2", &["c n 2: event=3 file=b.7 pos=5132 gtids=U:1-6574 row=1"]);
}

/// Two prepared transactions (6561 and 6562) are missing until they end, 6562 by a rollback. The one that is committed counts
/// as one event with three rows.
#[test]
fn prepared_transactions_of_mysql_are_gaps() {
    check(
        mysql(MYSQL_XA, By::Gtid),
        &[],
        "c t 6",
        &[
            "c t 6: event=2 file=b.7 pos=3816 gtids=U:1-6560:6562-6568 row=1",
            ": gtids=U:1-6560:6562-6568:6570-6570 file=b.7 pos=4023",
            "c t 10: row=1 file=b.7 pos=4100 gtids=U:1-6560:6562-6568:6570-6570",
            "c t 11: row=2 file=b.7 pos=4100 gtids=U:1-6560:6562-6568:6570-6570",
            "u t 10: row=3 file=b.7 pos=4100 gtids=U:1-6560:6562-6568:6570-6570",
            ": gtids=U:1-6568:6570-6571 file=b.7 pos=4193",
        ],
    );
}

/// Without gaps the restart goes back to the oldest prepared transaction, and all events behind it are counted.
#[test]
fn prepared_transactions_of_mariadb_are_anchors() {
    check(
        mariadb(MARIADB_XA, By::Gtid),
        &[],
        "c t 6",
        &[
            "c t 6: event=27 file=b.7 pos=930 gtids=0-2-4555 row=1",
            ": event=29 file=b.7 pos=930 gtids=0-2-4555",
            "c t 10: event=30 file=b.7 pos=930 gtids=0-2-4555 row=1",
            "c t 11: event=30 file=b.7 pos=930 gtids=0-2-4555 row=2",
            "u t 10: event=30 file=b.7 pos=930 gtids=0-2-4555 row=3",
            ": event=7 file=b.7 pos=2942 gtids=0-2-4563",
        ],
    );
}

/// The Java connector reads the counts of the open transaction.
#[test]
fn counts_of_transaction_metadata() {
    let begin = "transaction_id=file=b.7,pos=1895 event=";
    let counts = "file=b.7 pos=987 transaction_data_collection_order_bin_xa.t";
    check(
        mysql(MYSQL_XA, By::File),
        METADATA,
        "c t 5",
        &[
            &format!("c t 5: {begin}2 {counts}=2 row=2"),
            &format!("d t 1: {begin}4 {counts}=3 row=1"),
            "END: event=6 file=b.7 pos=987",
        ],
    );
}

/// As in Debezium, which meets their rows outside of any transaction. The transactions around them have theirs.
#[test]
fn xa_transactions_have_no_metadata() {
    let two_phases = "c t 6, END, c t 10, c t 11, u t 10, c t 7, c t 8, END, c t 30, c t 31, c t 40, ";
    for (log, behind) in [
        (mysql(MYSQL_XA, By::Gtid), "c n 2"),
        (mysql(MYSQL_XA, By::File), "c n 2"),
        // A transaction of one phase is like any other in MariaDB's binlog.
        (mariadb(MARIADB_XA, By::Gtid), "END, c n 2"),
    ] {
        let seen = log.read(&log.start(), METADATA).unwrap();
        let all = texts(&seen).join(", ");
        assert!(all.contains(&format!("{two_phases}{behind}")), "{all}");
    }
}

#[track_caller]
fn check_without_tables(log: Log, mode: &str, expect: Result<usize, &str>) {
    let settings = [("inconsistent.schema.handling.mode", mode), ("table.include.list", "bin_xa.t")];
    let seen = log.read(&log.start(), &settings).unwrap();
    let mut from = seen.iter().find(|seen| seen.text == "c t 3").unwrap().from.clone();
    from.catalog = log.start().catalog;
    let found = log.read(&from, &settings).map(|seen| texts(&seen).len()).map_err(|error| error.to_string());
    assert_eq!(found, expect.map_err(str::to_owned));
}

#[test]
fn a_table_that_is_not_known() {
    let text = "Encountered change event for table bin_xa.t whose schema isn't known to this connector (restart it with \
        snapshot.mode=recovery, or pass over such rows with inconsistent.schema.handling.mode=warn)";
    for log in [mysql(MYSQL_XA, By::Gtid), mariadb(MARIADB_XA, By::Gtid)] {
        check_without_tables(log, "fail", Err(text));
        check_without_tables(log, "warn", Ok(0));
        check_without_tables(log, "skip", Ok(0));
    }
}

#[test]
fn a_table_of_another_number_of_columns() {
    let log = mysql(MYSQL_XA, By::Gtid);
    let seen = log.read(&log.start(), &[]).unwrap();
    let mut from = seen.iter().find(|seen| seen.text == "c t 3").unwrap().from.clone();
    let query = Query { text: "ALTER TABLE t ADD c INT", database: "bin_xa", sql_mode: None };
    from.catalog.apply(&query);
    let error = log.read(&from, &[("inconsistent.schema.handling.mode", "skip")]).err().unwrap().to_string();
    let text = "Error processing row in t, internal schema size 3, but row size 2 , restart connector with schema recovery mode.";
    assert!(error.starts_with("table bin_xa.t, at b.7:") && error.ends_with(text), "{error}");
}
