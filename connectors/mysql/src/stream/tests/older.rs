//! Binlogs of older servers (`tests/older/record.sh`): which changes come, and that a reader goes on behind them.

use super::*;

fn recorded(flavour: Flavour, server: &str, by: By) -> Log {
    let file = format!("{}/tests/older/{server}-full.binlog", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    Log { flavour, bytes: Vec::leak(bytes), by }
}

/// The changes of the tables that every server can have.
const EVERYWHERE: &str = "c numbers 1, c numbers 2, c numbers 3, u numbers 1, c texts 1, c texts 2, c texts 3, u texts 1, \
    c moments 1, c moments 2, c moments 3, c moments 4, c moments 5, c shapes 1, c shapes 2, c changed 1, c changed 2, \
    c changed 3, c changed 4, u changed 1, u changed 2, u changed 3, u changed 4, d renamed 3, d renamed 1, c renamed 30, \
    c renamed 1, c unsafe 1, c unsafe 2, u unsafe 2, c numbers 10, c renamed 10, u numbers 10, c renamed 20, c pairs 1, \
    c pairs 2, c pairs 1, d pairs 2, c copied 1, c copied 1";

/// Tables whose types came later.
const LATER: [&str; 8] =
    ["fractions", "documents", "partly", "old_moments", "squeezed", "addresses", "identities", "vectors"];

#[track_caller]
fn check(flavour: Flavour, server: &str, ways: &[By]) {
    for by in ways {
        let log = recorded(flavour, server, *by);
        let seen = log.read(&log.start(), &[]).unwrap_or_else(|error| panic!("{server} {by:?}: {error}"));
        let is_later = |text: &&str| LATER.iter().any(|table| text.contains(table));
        let (later, everywhere): (Vec<&str>, Vec<&str>) = texts(&seen).into_iter().partition(is_later);
        assert_eq!(everywhere.join(", "), EVERYWHERE, "{server} {by:?}");
        assert_eq!(later.is_empty(), server == "mysql-5.5.34", "{server} {by:?}: {later:?}");
        restarts::check_some(log, &[], 7);
    }
}

#[test]
fn changes_of_older_mysql() {
    check(Flavour::MySql, "mysql-5.5.34", &[By::File]);
    for server in ["mysql-5.6.14", "mysql-5.7.22", "mysql-8.0.15", "mysql-8.0.33"] {
        check(Flavour::MySql, server, &[By::File, By::Gtid]);
    }
}

#[test]
fn changes_of_older_and_newer_mariadb() {
    for version in ["10.1.23", "10.2.11", "10.5", "10.11.5", "11.4.5", "11.8"] {
        check(Flavour::MariaDb, &format!("mariadb-{version}"), &[By::File, By::Gtid]);
    }
}
