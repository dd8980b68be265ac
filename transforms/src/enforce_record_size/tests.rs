//! Estimates and shares, and the options that are refused.

use super::*;

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

#[track_caller]
fn check(options: &str, record: &str, expect: &str) {
    crate::example::check(KIND.class, &format!("{options}\n{record}\n=> {expect}"));
}

/// The estimate of a record without headers and key, whose topic is `t` and which has only a value.
#[track_caller]
fn estimate(fields: &str, types: &str, expect: i64) {
    let record = format!(r#"{{"topic": "t", "value": {{"after": {{"cut": "{A}"}}{fields}}}, "types": {{{types}}}}}"#);
    let of_max = |max: i64| format!(r#"{{"max.bytes": {max}, "min.field.size": 1}}"#);
    check(&of_max(expect), &record, "{}");
    let one_less = format!(r#"{{"value": {{"after": {{"cut": "{}"}}{fields}}}}}"#, &A[1..]);
    check(&of_max(expect - 1), &record, &one_less);
}

#[test]
fn estimates() {
    // The maps' entries, the timestamp, the topic, the value's struct, `after` and its one text of 50 characters.
    const BASE: i64 = 600 + 8 + 1 + 56 + (8 + 56) + (8 + 56 + 50);
    estimate("", "", BASE);
    estimate(r#", "b": true, "i": 1, "d": 0.5, "none": null"#, r#""none": "int64?""#, BASE + 4 * (8 + 24));
    estimate(r#", "s": "äb", "none": null"#, "", BASE + (8 + 56 + 3) + 8);
    estimate(r#", "b": "0x0102ff", "none": null"#, r#""b": "bytes", "none": "bytes?""#, BASE + (8 + 24 + 3) + 8);
    estimate(r#", "n": "-1.28""#, r#""n": "decimal(2)""#, BASE + (8 + 24 + 1));
    estimate(r#", "n": "1.28""#, r#""n": "decimal(2)""#, BASE + (8 + 24 + 2));
    estimate(r#", "l": [1, 2], "none": null"#, r#""none": "array<string>?""#, BASE + (8 + 64 + 2 * (8 + 24)) + 8);
    let map = 8 + 88 + 16 + (56 + 1) + (56 + 2);
    estimate(r#", "m": {"k": "vw"}"#, r#""m": "map<string,string>""#, BASE + map);
    estimate(r#", "s": {"x": 1, "y": {"z": "a"}}"#, "", BASE + 8 + 56 + (8 + 24) + 8 + 56 + (8 + 56 + 1));
    estimate(r#", "l": [{"x": 1}]"#, "", BASE + 8 + 64 + 8 + 56 + (8 + 24));
}

#[test]
fn headers_keys_and_the_ratio() {
    // 600 (entries) + 8 + 4 (topic) + 100 (header) + 56 + 8 + 24 (key) + 56 + 8 + 56 + 8 + 56 + 50 (value) = 1034.
    let record = format!(
        r#"{{"topic": "topi", "headers": [["h", "x"]], "key": {{"id": 1}}, "value": {{"after": {{"cut": "{A}"}}}}}}"#
    );
    check(r#"{"max.bytes": 1034, "min.field.size": 1}"#, &record, "{}");
    check(r#"{"max.bytes": 517, "min.field.size": 1, "compression.ratio": 0.5}"#, &record, "{}");
    let cut = |left: usize| format!(r#"{{"value": {{"after": {{"cut": "{}"}}}}}}"#, &A[..left]);
    check(r#"{"max.bytes": 1033, "min.field.size": 1}"#, &record, &cut(49));
    check(r#"{"max.bytes": 516, "min.field.size": 1, "compression.ratio": 0.5}"#, &record, &cut(49));
    check(r#"{"max.bytes": 1, "min.field.size": 1}"#, &record, &cut(0));
    check(r#"{"max.bytes": 1, "min.field.size": 50}"#, &record, "{}");
    check(r#"{"max.bytes": 1}"#, &record, "{}");
    // A key that is no struct costs nothing: 934 + 12 without it.
    let plain = record.replace(r#"{"id": 1}"#, "7");
    check(r#"{"max.bytes": 946, "min.field.size": 1}"#, &plain, "{}");
    // What has no rows is never cut.
    check(r#"{"max.bytes": 1, "min.field.size": 1}"#, r#"{"topic": "t", "value": {"text": "aaaa"}}"#, "{}");
    check(r#"{"max.bytes": 1, "min.field.size": 1}"#, r#"{"topic": "t", "value": "aaaa"}"#, "{}");
}

#[test]
fn shares() {
    // 600 + 8 + 1 + 56 + before (8 + 56 + 8 + 56 + 10) + after (8 + 56 + 2 * (8 + 56) + 30 + 8 + 24 + 20 + 8 + 24 + 1) = 1110: 60
    // bytes in the large columns. The excess is 11: 2 of before, 10 of after, of which 6 of the text and 4 of the bytes.
    check(
        r#"{"max.bytes": 1099, "min.field.size": 9}"#,
        r#"{"topic": "t", "value": {"before": {"a": "0123456789"}, "after": {"a": "012345678901234567890123456789", "s": "",
            "b": "01234567890123456789", "n": "1.00"}}, "types": {"after.b": "bytes", "after.n": "decimal(2)"}}"#,
        r#"{"value": {"before": {"a": "01234567"}, "after": {"a": "012345678901234567890123", "s": "",
            "b": "0123456789012345", "n": "1.00"}}}"#,
    );
    // Java counts a character beyond U+FFFF twice, and it is not parted. 600 + 8 + 1 + 56 + 8 + 56 + 8 + 56 + 16 =
    // 809.
    let four = r#"{"topic": "t", "value": {"after": {"a": "😀😀😀😀"}}}"#;
    check(r#"{"max.bytes": 807, "min.field.size": 1}"#, four, r#"{"value": {"after": {"a": "😀😀😀"}}}"#);
    check(r#"{"max.bytes": 806, "min.field.size": 1}"#, four, r#"{"value": {"after": {"a": "😀😀"}}}"#);
    check(r#"{"max.bytes": 806, "min.field.size": 8}"#, four, "{}");
}

/// One column of 200 000 characters in a record that is 101 000 bytes too large.
#[test]
fn a_large_column() {
    let estimate = 600 + 8 + 1 + 56 + (8 + 56) + (8 + 56 + 200_000);
    let record = |length| format!(r#"{{"topic": "t", "value": {{"after": {{"body": "{}"}}}}}}"#, "x".repeat(length));
    let expect = record(99_000).replace(r#""topic": "t", "#, "");
    check(&format!(r#"{{"max.bytes": {}, "min.field.size": 25000}}"#, estimate - 101_000), &record(200_000), &expect);
}

#[test]
fn refused_options() {
    #[track_caller]
    fn check(options: &[(&str, &str)], expect: &[&str]) {
        let made = KIND.create(&options.iter().copied().collect());
        let wrong: Vec<_> = made.err().unwrap_or_default().iter().map(ToString::to_string).collect();
        assert_eq!(wrong, expect);
    }
    check(&[(MAX, "1")], &[]);
    check(&[], &["Missing required configuration \"max.bytes\" which has no default value."]);
    check(&[(MAX, "x")], &["Invalid value x for configuration max.bytes: Not a number of type INT"]);
    check(
        &[(MAX, " 0 "), (RATIO, "-2"), (MIN_FIELD, "-1")],
        &[
            "Invalid value 0 for configuration max.bytes: Must be a positive integer",
            "Invalid value -2.0 for configuration compression.ratio: Must be a positive number",
            "Invalid value -1 for configuration min.field.size: Must be non-negative",
        ],
    );
}
