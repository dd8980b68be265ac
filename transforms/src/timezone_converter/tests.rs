//! Cases whose results Debezium wrote, and the options that are refused.

use super::*;

#[track_caller]
fn check(example: &str) {
    crate::example::check(KIND.class, example);
}

/// A row with a field of each type: `ts` and `ts3` without a zone, `tsz` and `tz` with an offset.
fn row(zone: &str, list: &str, record: &str, expect: &str) -> String {
    format!(
        r#"{{"converted.timezone": "{zone}"{list}}}
        {{"topic": "srv.public.a", "value": {record},
          "types": {{"after.ts": "int64? io.debezium.time.MicroTimestamp", "after.ts3": "int64? io.debezium.time.Timestamp",
            "after.tsz": "string? io.debezium.time.ZonedTimestamp", "after.tz": "string? io.debezium.time.ZonedTime",
            "after.d": "int32? io.debezium.time.Date", "after.t": "int64? io.debezium.time.MicroTime",
            "after.ns": "int64? io.debezium.time.NanoTimestamp",
            "after.c": "int64?=0 org.apache.kafka.connect.data.Timestamp"}}}}
        => {expect}"#
    )
}

#[test]
fn what_debezium_wrote() {
    let list = r#", "include.list": "source:a""#;
    check(&row(
        "Europe/Warsaw",
        list,
        r#"{"op": "r", "after": {"id": 1, "ts": 1719835200123456, "ts3": 1704110400123, "tsz": "2024-07-01T12:00:00.123456Z",
            "d": 19905, "t": 43200000000, "tz": "12:00:00Z"}}"#,
        r#"{"value": {"before": null, "after": {"id": 1, "ts": 1719828000123456, "ts3": 1704106800123,
            "tsz": "2024-07-01T14:00:00.123456+02:00", "d": 19905, "t": 43200000000, "tz": "13:00:00+01:00"}}}"#,
    ));
    check(&row(
        "Europe/Warsaw",
        list,
        r#"{"op": "u", "after": {"id": 1, "ts": null, "tsz": "1969-12-31T23:59:59.500000Z", "tz": null}}"#,
        r#"{"value": {"after": {"id": 1, "ts": null, "tsz": "1970-01-01T00:59:59.5+01:00", "tz": null}}}"#,
    ));
    // A rule of one topic, and another item that holds for a topic named c.
    let list = r#", "include.list": "topic:srv.public.a:tsz,c:ts""#;
    check(&row(
        "+05:30",
        list,
        r#"{"op": "r", "after": {"id": 1, "ts": 1711848600000000, "tsz": "2024-03-31T01:30:00.000000Z"}}"#,
        r#"{"value": {"after": {"id": 1, "ts": 1711848600000000, "tsz": "2024-03-31T07:00:00+05:30"}}}"#,
    ));
    check(&row(
        "-03:30",
        r#", "exclude.list": "source:a:tsz""#,
        r#"{"op": "r", "after": {"id": 1, "ts3": 1717243200000, "ts": 1717243200500000, "tsz": "2024-06-02T05:29:59.123456+05:30"}}"#,
        r#"{"value": {"after": {"id": 1, "ts3": 1717255800000, "ts": 1717255800500000, "tsz": "2024-06-02T05:29:59.123456+05:30"}}}"#,
    ));
}

#[test]
fn types_and_defaults() {
    // 2018-03-27T02:00Z in Cairo, which was two hours ahead; a null with a default is the default, and is converted.
    check(&row(
        "Africa/Cairo",
        "",
        r#"{"op": "c", "after": {"id": 1, "c": 1522116000000, "ns": -1}}"#,
        r#"{"value": {"after": {"id": 1, "c": 1522108800000, "ns": -7200000000001}}}"#,
    ));
    check(&row(
        "Africa/Cairo",
        "",
        r#"{"op": "c", "after": {"id": 1, "c": null}}"#,
        r#"{"value": {"after": {"id": 1, "c": -7200000}}}"#,
    ));
    check(&row(
        "+01:00",
        "",
        r#"{"op": "c", "after": {"id": 1, "tsz": "never"}}"#,
        "fails: The text of the field tsz could not be parsed as a time with an offset",
    ));
    check(&row("PST", "", r#"{"op": "c", "after": {"id": 1, "ts": 0}}"#, "fails: Unknown time-zone ID: PST"));
    check(&row("PST", "", r#"{"op": "c", "after": {"id": 1, "ts": null, "d": 1}}"#, "{}"));
}

#[test]
fn lists() {
    let exclude = |list: &str| format!(r#", "exclude.list": "{list}""#);
    let record = r#"{"op": "c", "after": {"id": 1, "ts3": 3600000, "ts": 3600000000}}"#;
    let both = r#"{"value": {"after": {"id": 1, "ts3": 0, "ts": 0}, "source": {"ts_ms": 1700000000000}}}"#;
    check(&row("+01:00", "", record, both));
    check(&row("+01:00", r#", "include.list": "topic:srv.public.a""#, record, both));
    check(&row("+01:00", r#", "include.list": "topic:srv.public.b""#, record, "{}"));
    check(&row("+01:00", &exclude("source:b"), record, both));
    check(&row("+01:00", &exclude("source:a"), record, "{}"));
    check(&row(
        "+01:00",
        &exclude("source:a:after.ts"),
        record,
        r#"{"value": {"after": {"id": 1, "ts3": 0, "ts": 3600000000}, "source": {"ts_ms": 1700000000000}}}"#,
    ));
    // An excluded time of the source block brings all others of the block in.
    check(&row(
        "+01:00",
        &exclude("source:a:source.ts_ms"),
        record,
        r#"{"value": {"after": {"id": 1, "ts3": 0, "ts": 0},
            "source": {"ts_ms": 1700000000000, "ts_us": 1700003600000000, "ts_ns": 1700003600000000000}}}"#,
    ));
    // What is no change stays.
    check(
        r#"{"converted.timezone": "+01:00"}
        {"topic": "srv.public.a", "value": {"ts": 0}, "types": {"ts": "int64? io.debezium.time.Timestamp"}}
        => {}
        {"topic": "srv.public.a", "key": {"id": 1}, "value": null}
        => {}"#,
    );
}

#[test]
fn refused_options() {
    #[track_caller]
    fn check(options: &[(&str, &str)], expect: &str) {
        let made = KIND.create(&options.iter().copied().collect());
        let wrong = made.err().unwrap_or_default();
        let found: Vec<_> = wrong.iter().map(|wrong| format!("{} {wrong}", wrong.java_class)).collect();
        assert!(found.len() == 1 && found[0].starts_with(expect), "{found:?}");
    }
    const CONFIG: &str = "org.apache.kafka.common.config.ConfigException Invalid value ";
    let required =
        |value: &str| format!("{CONFIG}{value} for configuration {ZONE}: The '{ZONE}' value is invalid: A value");
    check(&[], &required("null"));
    check(&[(ZONE, " ")], &required(" "));
    check(
        &[(ZONE, "+1"), (INCLUDE, "a:b")],
        "io.debezium.DebeziumException Invalid timezone format. Please specify either",
    );
    check(&[(ZONE, "+1"), (INCLUDE, "a")], "io.debezium.DebeziumException Invalid include list format.");
    check(&[(ZONE, "+1"), (EXCLUDE, "a")], "io.debezium.DebeziumException Invalid exclude list format.");
    let both = "io.debezium.DebeziumException Both include and exclude lists are specified. Please specify only one.";
    check(&[(ZONE, "UTC"), (INCLUDE, "a:b"), (EXCLUDE, "a:b")], both);
    let found = remarks(&[(ZONE, "PST")].into_iter().collect());
    assert_eq!(found[0].remedy, "Set converted.timezone=America/Los_Angeles.");
    assert!(remarks(&[(ZONE, "UTC")].into_iter().collect()).is_empty());
}
