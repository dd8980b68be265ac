use super::*;

/// A reader that goes on from any item's position sees exactly the rest.
#[track_caller]
fn check(log: Log, settings: &[(&str, &str)]) {
    check_some(log, settings, 1);
}

/// The same from each `step`th item only.
#[track_caller]
pub(super) fn check_some(log: Log, settings: &[(&str, &str)], step: usize) {
    let whole = log.read(&log.start(), settings).unwrap();
    let all = texts(&whole);
    assert!(!all.is_empty());
    let mut done = 0;
    for (place, seen) in whole.iter().enumerate() {
        done += usize::from(!seen.text.is_empty());
        if seen.offset.is_empty() || place % step != 0 {
            continue;
        }
        let rest = log.read(&seen.from, settings).unwrap();
        assert_eq!(texts(&rest), all[done..], "behind {} at {} {:?}", seen.text, seen.offset, log.by);
    }
}

/// A reader that goes on from any item's position sees the rest, and before it perhaps some of what was seen.
#[track_caller]
fn check_nothing_is_lost(kept_bytes: usize, log: Log) {
    let given = Given { doubts: false, kept_bytes };
    let whole = log.read_as(&log.start(), &[], given).unwrap();
    let all = texts(&whole);
    let mut done = 0;
    for seen in &whole {
        done += usize::from(!seen.text.is_empty());
        if seen.offset.is_empty() {
            continue;
        }
        let rest = log.read_as(&seen.from, &[], given).unwrap();
        let mut rest = texts(&rest).into_iter();
        let missing = all[done..].iter().find(|text| !rest.any(|other| other == **text));
        assert_eq!(missing, None, "behind {} at {} {:?}, {kept_bytes}", seen.text, seen.offset, log.by);
    }
}

#[test]
fn every_row_of_xa_transactions() {
    for by in [By::Gtid, By::File] {
        check(mysql(MYSQL_XA, by), &[]);
        check(mariadb(MARIADB_XA, by), &[]);
    }
}

#[test]
fn every_row_with_transaction_metadata() {
    check(mysql(MYSQL_IMAGES, By::Gtid), &[("provide.transaction.metadata", "true")]);
}

#[test]
fn every_row_of_savepoints_tags_and_statements() {
    for by in [By::Gtid, By::File] {
        check(mysql(MYSQL_IMAGES, by), &[]);
    }
}

#[test]
fn every_row_of_a_compressed_transaction() {
    for by in [By::Gtid, By::File] {
        check(mysql(MYSQL_COMPRESSED, by), &[]);
    }
    check(mariadb(MARIADB_COMPRESSED, By::Gtid), &[]);
}

#[track_caller]
fn check_xa(kept_bytes: usize, log: Log, expect: &[&str]) {
    assert_eq!(texts(&log.read_as(&log.start(), &[], Given { doubts: false, kept_bytes }).unwrap()), expect);
}

/// The rows of a prepared transaction come where it is committed, those of one that is rolled back never.
#[test]
fn prepared_transactions() {
    let expect = [
        "c t 1", "c t 2", "c t 3", "c t 4", "c t 5", "d t 1", "c u 1", "c u 2", "c t 6", "c t 10", "c t 11", "u t 10",
        "c t 7", "c t 8", "c t 30", "c t 31", "c t 40", "c n 2", "c n 3", "c n 4", "c t 9", "d t 2", "c t 12",
    ];
    for by in [By::Gtid, By::File] {
        check_xa(KEPT_BYTES, mysql(MYSQL_XA, by), &expect);
        check_xa(KEPT_BYTES, mariadb(MARIADB_XA, by), &expect);
    }
}

/// Where nothing may be kept, the rows come where they are prepared, also those of the transaction that is rolled back (20),
/// and none comes again when it is committed.
#[test]
fn prepared_transactions_that_are_not_kept() {
    let expect = [
        "c t 1", "c t 2", "c t 3", "c t 10", "c t 11", "u t 10", "c t 20", "c t 4", "c t 5", "d t 1", "c u 1", "c u 2",
        "c t 30", "c t 31", "c t 6", "c t 7", "c t 8", "c t 40", "c n 2", "c n 3", "c n 4", "c t 9", "d t 2", "c t 12",
    ];
    for by in [By::Gtid, By::File] {
        check_xa(0, mysql(MYSQL_XA, by), &expect);
        check_xa(0, mariadb(MARIADB_XA, by), &expect);
    }
}

/// Some of the transactions fit beside each other and others do not; some do not fit from their second event on. No row is lost,
/// although some may come twice.
#[test]
fn every_row_of_xa_transactions_that_do_not_fit() {
    for kept_bytes in [0, 100, 200, 300] {
        for by in [By::Gtid, By::File] {
            check_nothing_is_lost(kept_bytes, mysql(MYSQL_XA, by));
            check_nothing_is_lost(kept_bytes, mariadb(MARIADB_XA, by));
        }
    }
}

/// What was found out is in the catalogue that goes with each place.
#[test]
fn every_row_of_a_table_that_was_in_doubt() {
    for by in [By::Gtid, By::File] {
        check(mysql(MYSQL_DOUBT, by), &[]);
        check(mariadb(MARIADB_DOUBT, by), &[]);
        check(mariadb(MARIADB_HIDDEN, by), &[]);
    }
}
