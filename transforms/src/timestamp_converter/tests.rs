use super::units::{Form, Precision};

const CLASS: &str = "org.apache.kafka.connect.transforms.TimestampConverter$Value";

/// Converts the field `at` of this type; `expect` is the value, and its type.
#[track_caller]
fn check(options: &str, kind: &str, value: &str, expect: &str, expect_type: &str) {
    let example = format!(
        r#"{{"field": "at", {options}}}
        {{"topic": "t", "types": {{"at": "{kind}"}}, "value": {{"id": 1, "at": {value}}}}}
        => {{"value": {{"id": 1, "at": {expect}}}, "types": {{"value.at": "{expect_type}"}}}}"#
    );
    crate::example::check(CLASS, &example);
}

#[track_caller]
fn fails(options: &str, kind: &str, value: &str, message: &str) {
    let example = format!(
        r#"{{{options}}}
        {{"topic": "t", "types": {{"at": "{kind}"}}, "value": {{"id": 1, "at": {value}}}}}
        => fails: {message}"#
    );
    crate::example::check(CLASS, &example);
}

#[test]
fn each_form_into_each_other() {
    let kafka = |name: &str, kind: &str| format!("{kind}? org.apache.kafka.connect.data.{name}");
    let (date, time, timestamp) = (kafka("Date", "int32"), kafka("Time", "int32"), kafka("Timestamp", "int64"));
    let format = r#""format": "yyyy-MM-dd HH:mm:ss.SSS", "unix.precision": "seconds", "target.type""#;
    for (from, value, text, unix, day, in_day, moment) in [
        (
            timestamp.as_str(),
            "1704164645678",
            "2024-01-02 03:04:05.678",
            1_704_164_645,
            19_724,
            11_045_678,
            1_704_164_645_678_i64,
        ),
        (timestamp.as_str(), "-1", "1969-12-31 23:59:59.999", 0, -1, 86_399_999, -1),
        (date.as_str(), "19724", "2024-01-02 00:00:00.000", 1_704_153_600, 19_724, 0, 1_704_153_600_000),
        (time.as_str(), "3600001", "1970-01-01 01:00:00.001", 3600, 0, 3_600_001, 3_600_001),
        ("int64?", "1704164645", "2024-01-02 03:04:05.000", 1_704_164_645, 19_724, 11_045_000, 1_704_164_645_000),
        (
            "string?",
            "\"2024-01-02 03:04:05.678\"",
            "2024-01-02 03:04:05.678",
            1_704_164_645,
            19_724,
            11_045_678,
            1_704_164_645_678,
        ),
    ] {
        check(&format!(r#"{format}: "string""#), from, value, &format!("{text:?}"), "string?");
        check(&format!(r#"{format}: "unix""#), from, value, &unix.to_string(), "int64?");
        check(&format!(r#"{format}: "Date""#), from, value, &day.to_string(), &date);
        check(&format!(r#"{format}: "Time""#), from, value, &in_day.to_string(), &time);
        check(&format!(r#"{format}: "Timestamp""#), from, value, &moment.to_string(), &timestamp);
    }
}

#[test]
fn units() {
    for (name, number, ms, back) in [
        ("seconds", 5, 5000, 5),
        ("milliseconds", 5678, 5678, 5678),
        ("microseconds", 5_678_901, 5678, 5_678_000),
        ("nanoseconds", -1_999_999, -1, -1_000_000),
        ("seconds", i64::MAX, i64::MAX, i64::MAX / 1000),
    ] {
        let precision = Precision::parse(name);
        assert_eq!(Form::Unix.to_ms(number, precision), ms, "{name}");
        assert_eq!(Form::Unix.of_ms(ms, precision), back, "{name}");
    }
    let micros = r#""unix.precision": "microseconds", "target.type": "unix""#;
    check(micros, "int64 io.debezium.time.MicroTimestamp", "1704164645678901", "1704164645678000", "int64");
}

#[test]
fn what_fails() {
    let unix = r#""field": "at", "target.type": "unix""#;
    fails(
        unix,
        "string?",
        "\"2024\"",
        "Cannot invoke \"java.text.SimpleDateFormat.parse(String)\" because \"config.format\" is null",
    );
    let formatted = format!(r#"{unix}, "format": "yyyy-MM-dd'T'HH:mm:ssX""#);
    let message = "Could not parse timestamp: value (of the field at) does not match pattern (yyyy-MM-dd'T'HH:mm:ssX)";
    fails(&formatted, "string? io.debezium.time.ZonedTimestamp", "\"2024-01-02T03:04:05.123Z\"", message);
    check(
        &format!(r#"{}, "format": "yyyy-MM-dd'T'HH:mm:ssX""#, r#""target.type": "unix""#),
        "string? io.debezium.time.ZonedTimestamp",
        "\"2024-01-02T03:04:05Z\"",
        "1704164645000",
        "int64?",
    );
    fails(unix, "int32?", "5", "Schema Schema{INT32} does not correspond to a known timestamp type format");
    fails(unix, "boolean?", "null", "Schema Schema{BOOLEAN} does not correspond to a known timestamp type format");
    let whole = "Schema Schema{t.Value:STRUCT} does not correspond to a known timestamp type format";
    fails(r#""target.type": "unix""#, "int64", "5", whole);
}

/// A field that is not there: nothing is converted, and the schema is made anew.
#[test]
fn other_values() {
    crate::example::check(
        CLASS,
        r#"{"field": "nosuch", "target.type": "unix"} {"topic": "t", "value": {"id": 1}} => {}
        {"topic": "t", "value": "text"}
        => fails: Only Struct objects supported for [converting timestamp formats], found: java.lang.String"#,
    );
    crate::example::check(
        "org.apache.kafka.connect.transforms.TimestampConverter$Key",
        r#"{"target.type": "string", "format": "yyyy"}
        {"topic": "t", "types": {"key": "int64"}, "key": 1704164645678, "value": {"id": 1}}
        => {"key": "2024", "types": {"key": "string"}}"#,
    );
}
