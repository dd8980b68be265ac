use std::collections::BTreeMap;

use super::*;
use crate::position::{GTID, SERVER_ID, THREAD, TS_US};

/// What the source block shows of each change, in their order.
fn shown(log: Log, settings: &[(&str, &str)], show: impl Fn(&Position) -> String) -> Vec<String> {
    let seen = log.read(&log.start(), settings).unwrap();
    let changes = seen.iter().filter(|seen| !seen.text.is_empty());
    changes.map(|seen| format!("{}: {}", seen.text, show(&seen.position))).collect()
}

fn gtid_and_server(position: &Position) -> String {
    format!("{} of {}", position.text(GTID).unwrap_or("-"), position.word(SERVER_ID).unwrap())
}

/// The event of a GTID names domain and number; the server that ran the transaction is in the event's header.
#[test]
fn gtids_of_mariadb_have_the_server_of_the_header() {
    assert_eq!(
        shown(mariadb(MARIADB_SERVERS, By::Gtid), &[], gtid_and_server),
        [
            "c t 1: 0-2-3 of 2",
            "c t 2: 0-7-4 of 7",
            "c t 3: 0-7-4 of 7",
            "c t 4: 3-7-1 of 7",
            "c t 5: 3-8-2 of 8",
            "c t 60: 3-8-4 of 8",
            "c t 70: 3-8-7 of 8",
        ]
    );
    let by_file = shown(mariadb(MARIADB_SERVERS, By::File), &[], gtid_and_server);
    assert_eq!(by_file[1], "c t 2: - of 7");
}

/// The last id of each server of a domain is kept, and a restart is possible behind each.
#[test]
fn the_set_of_two_servers_and_two_domains() {
    let log = mariadb(MARIADB_SERVERS, By::Gtid);
    let seen = log.read(&log.start(), &[]).unwrap();
    let sets: Vec<&str> = seen.iter().filter_map(|seen| seen.from.stored.gtids.as_deref()).collect();
    assert_eq!(sets.last(), Some(&"0-2-3,0-7-4,3-7-1,3-8-7"));
    for seen in seen.iter().filter(|seen| !seen.text.is_empty()) {
        let rest = log.read(&seen.from, &[]).unwrap();
        assert!(!texts(&rest).contains(&seen.text.as_str()), "{} comes again behind {}", seen.text, seen.offset);
    }
}

/// `gtid.source.includes` and `gtid.source.excludes` are held against `domain-server`.
#[test]
fn changes_of_other_sources_are_left_out() {
    let of = |settings| shown(mariadb(MARIADB_SERVERS, By::Gtid), settings, |_| String::new());
    assert_eq!(of(&[("gtid.source.includes", "0-7,3-7")]), ["c t 2: ", "c t 3: ", "c t 4: "]);
    assert_eq!(of(&[("gtid.source.excludes", "3-.*")]), ["c t 1: ", "c t 2: ", "c t 3: "]);
}

/// Rows of a transaction of MySQL, which BEGIN names, and of MariaDB, which names none.
#[test]
fn threads() {
    let thread = |position: &Position| format!("{}", position.word(THREAD).is_some());
    for by in [By::Gtid, By::File] {
        assert_eq!(shown(mysql(MYSQL_XA, by), &[], thread)[0], "c t 1: true");
        assert!(shown(mariadb(MARIADB_SERVERS, by), &[], thread).iter().all(|shown| shown.ends_with(": false")));
    }
}

/// The times of the changes of each transaction, in microseconds.
fn times(log: Log) -> Vec<Vec<i64>> {
    let seen = log.read(&log.start(), &[]).unwrap();
    let mut times: BTreeMap<(i64, String), Vec<i64>> = BTreeMap::new();
    for seen in seen.iter().filter(|seen| !seen.text.is_empty()) {
        let restart = (seen.from.stored.pos as i64, transaction_id(&seen.position));
        times.entry(restart).or_default().push(seen.position.word(TS_US).unwrap());
    }
    times.into_values().collect()
}

/// The event of a GTID of MySQL says when the transaction was committed; otherwise the events' own whole seconds are shown.
#[test]
fn a_transaction_with_a_gtid_has_one_time_in_microseconds() {
    let fine = times(mysql(MYSQL_IMAGES, By::Gtid));
    assert!(fine.iter().any(|rows| rows.len() > 1));
    assert!(fine.iter().all(|rows| rows.iter().all(|us| *us == rows[0])), "{fine:?}");
    assert!(fine.iter().any(|rows| rows[0] % 1_000_000 != 0), "{fine:?}");
    for log in [mysql(MYSQL_IMAGES, By::File), mariadb(MARIADB_SERVERS, By::Gtid)] {
        let whole = times(log);
        assert!(whole.iter().flatten().all(|us| us % 1_000_000 == 0), "{whole:?}");
    }
}
