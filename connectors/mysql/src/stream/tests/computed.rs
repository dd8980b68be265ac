//! Generated columns, which MariaDB 11.8 leaves out of the images of rows.

use super::*;

/// The changes with their values; `?` where a value cannot be told.
fn read(settings: &[(&str, &str)]) -> Vec<String> {
    let log = mariadb(MARIADB_COMPUTED, By::Gtid);
    let shown = |value: &Value| match value {
        Value::Int(number) => number.to_string(),
        Value::Null => "-".to_owned(),
        other => format!("{other:?}"),
    };
    let change = |seen: &Seen| {
        let values: Vec<_> = seen.values.iter().map(shown).collect();
        format!("{}: {}", seen.text, if values.is_empty() { "?".to_owned() } else { values.join(" ") })
    };
    let seen = log.read(&log.start(), settings).unwrap();
    seen.iter().filter(|seen| !seen.text.is_empty()).map(change).collect()
}

/// They are null. What the session itself leaves out (binlog_row_image=MINIMAL) cannot be told.
#[test]
fn columns_that_mariadb_computes_are_null_where_the_binlog_lacks_them() {
    let expect = [
        "c t 1: 1 1 2 3 5",
        "u t 1: 1 5 - - 5",
        "d t 1: 1 5 - - 5",
        "c t 2: 2 2 3 4 5",
        "u t 2: 2 7 - - 5",
        "u t 2: 2 8 - 5 -",
        // This one lacks the key, too.
        "d t 2: ?",
        "c t 0: ?",
    ];
    assert_eq!(read(&[]), expect);
}

/// As a part of a key, null would name another row.
#[test]
fn a_computed_column_of_a_key_is_not_null() {
    let seen = read(&[("message.key.columns", "bin_computed.t:id,s")]);
    assert_eq!(seen[..2], ["c t 1: 1 1 2 3 5", "u t 1: ?"]);
}
