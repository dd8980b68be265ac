use super::*;

#[test]
fn numeric_modifiers() {
    for (precision, scale) in [(5, 2), (10, 0), (38, 3), (1000, 0), (10, -2)] {
        let typmod = (precision << 16 | (scale & 0x7ff)) + 4;
        assert_eq!(numeric_modifier(typmod), Some((precision, scale)));
    }
    assert_eq!(numeric_modifier(-1), None);
}

#[track_caller]
fn check(name: &str, typmod: i32, mode: TimeMode, expect: &str) {
    let mut catalogue = Catalogue::default();
    catalogue.extend([PgType::built_in(1, name, TypeKind::Base)]);
    let modes = Modes { time: mode, ..Modes::default() };
    let schema = plan(&catalogue, 1, typmod, &modes).unwrap().schema.build();
    assert_eq!(format!("{} {}", schema.type_name(), schema.name.as_deref().unwrap_or("-")), expect, "{name} {mode:?}");
}

#[test]
fn times() {
    check("time", 3, TimeMode::Adaptive, "INT32 io.debezium.time.Time");
    check("time", -1, TimeMode::Adaptive, "INT64 io.debezium.time.MicroTime");
    check("time", 3, TimeMode::AdaptiveTimeMicroseconds, "INT64 io.debezium.time.MicroTime");
    check("time", 6, TimeMode::Connect, "INT32 org.apache.kafka.connect.data.Time");
    check("timestamp", 3, TimeMode::AdaptiveTimeMicroseconds, "INT64 io.debezium.time.Timestamp");
    check("timestamp", 3, TimeMode::Microseconds, "INT64 io.debezium.time.MicroTimestamp");
    check("timestamp", -1, TimeMode::Nanoseconds, "INT64 io.debezium.time.NanoTimestamp");
    check("timestamptz", -1, TimeMode::Connect, "STRING io.debezium.time.ZonedTimestamp");
    check("date", -1, TimeMode::Isostring, "STRING io.debezium.time.IsoDate");
}

#[test]
fn an_unknown_type_has_no_field_unless_asked_for() {
    let mut catalogue = Catalogue::default();
    catalogue.extend([PgType::built_in(1, "circle", TypeKind::Base)]);
    assert!(plan(&catalogue, 1, -1, &Modes::default()).is_none());
    let modes = Modes { include_unknown: true, ..Modes::default() };
    assert_eq!(plan(&catalogue, 1, -1, &modes).unwrap().cell, Cell::Geometric(BinaryMode::Bytes));
}

#[test]
fn arrays() {
    let plain = |oid, name: &str| PgType::built_in(oid, name, TypeKind::Base);
    let array = |oid| PgType::built_in(oid + 100, "_x", TypeKind::Array(oid));
    let names = ["int4", "xml", "bit", "tsquery", "box"];
    let mut catalogue = Catalogue::default();
    catalogue.extend((1..).zip(names).flat_map(|(oid, name)| [plain(oid, name), array(oid)]));
    let shown = |oid: u32, include_unknown| {
        let planned = plan(&catalogue, oid + 100, 3, &Modes { include_unknown, ..Modes::default() })?;
        let schema = planned.schema.build();
        let Kind::Array(item) = &schema.kind else { return Some(schema.type_name().to_owned()) };
        Some(format!("{} of {}{}", schema.type_name(), item.type_name(), if item.optional { "?" } else { "" }))
    };
    for (oid, known, unknown) in [
        (1, Some("ARRAY of INT32?"), Some("ARRAY of INT32?")),
        (2, None, None),
        (3, Some("BYTES"), Some("BYTES")),
        (4, None, Some("ARRAY of BYTES")),
        (5, None, Some("ARRAY of BYTES")),
    ] {
        let found = (shown(oid, false), shown(oid, true));
        assert_eq!((found.0.as_deref(), found.1.as_deref()), (known, unknown), "{}", names[oid as usize - 1]);
    }
}

#[test]
fn a_column_of_a_domain_shows_no_default() {
    let mut catalogue = Catalogue::default();
    let domain = TypeKind::Domain { base: 1, typmod: -1 };
    catalogue.extend([PgType::built_in(1, "int4", TypeKind::Base), PgType::built_in(2, "age", domain)]);
    let shows = |oid| plan(&catalogue, oid, -1, &Modes::default()).unwrap().has_default;
    assert_eq!((shows(1), shows(2)), (true, false));
}

#[test]
fn a_domain_is_its_base_type_with_its_own_modifier() {
    let mut catalogue = Catalogue::default();
    catalogue.extend([
        PgType::built_in(1, "numeric", TypeKind::Base),
        PgType::built_in(2, "price", TypeKind::Domain { base: 1, typmod: (8 << 16 | 2) + 4 }),
    ]);
    assert_eq!(plan(&catalogue, 2, -1, &Modes::default()).unwrap().cell, Cell::Decimal { scale: 2 });
}

/// A catalogue in which the schema `app` has types with the names of built-in ones.
fn app() -> Catalogue {
    let mut catalogue = Catalogue::default();
    let built_in = [(1, "text"), (2, "money"), (3, "int4"), (4, "bytea")];
    catalogue.extend(built_in.map(|(oid, name)| PgType::built_in(oid, name, TypeKind::Base)));
    catalogue.extend([PgType::built_in(5, "int4range", TypeKind::Other)]);
    let own = |oid, name: &str, kind| PgType { schema: "app".into(), ..PgType::built_in(oid, name, kind) };
    let domain = |base| TypeKind::Domain { base, typmod: -1 };
    catalogue.extend([
        own(11, "money", TypeKind::Other),
        own(12, "int4", domain(1)),
        own(13, "date", TypeKind::Enum(vec!["never".into()])),
        own(14, "point", TypeKind::Other),
        own(15, "bytea", domain(3)),
        own(16, "timestamp", TypeKind::Other),
        own(17, "hstore", domain(1)),
        own(18, "hstore", TypeKind::Base),
        own(19, "int8", TypeKind::Base),
        own(21, "_money", TypeKind::Array(11)),
        own(22, "_int4", TypeKind::Array(12)),
        own(23, "_date", TypeKind::Array(13)),
    ]);
    catalogue
}

#[test]
fn a_users_type_is_not_the_built_in_one_of_its_name() {
    let catalogue = app();
    let shown = |oid, include_unknown| {
        let planned = plan(&catalogue, oid, -1, &Modes { include_unknown, ..Modes::default() })?;
        let schema = planned.schema.build();
        Some(format!("{} {:?} {}", schema.type_name(), planned.cell, planned.has_default))
    };
    let opaque = "Opaque(Bytes)";
    for (oid, known, unknown) in [
        (2, "BYTES Money { scale: 2 } false", "BYTES Money { scale: 2 } false"),
        (5, "STRING PrintedText false", "STRING PrintedText false"),
        (11, "", "BYTES Opaque(Bytes) false"),
        (12, "STRING Text false", "STRING Text false"),
        (13, "STRING Text true", "STRING Text true"),
        (14, "", "BYTES Opaque(Bytes) false"),
        (15, "INT32 Int false", "INT32 Int false"),
        (16, "", "BYTES Opaque(Bytes) false"),
        (17, "STRING Text false", "STRING Text false"),
        (18, "STRING Hstore(Json) false", "STRING Hstore(Json) false"),
        (19, "", "BYTES Opaque(Bytes) false"),
    ] {
        let found = (shown(oid, false).unwrap_or_default(), shown(oid, true).unwrap_or_default());
        assert_eq!((found.0.as_str(), found.1.as_str()), (known, unknown), "{:?}", catalogue.get(oid));
    }
    // Arrays of these types: of unknown types and of domains only as bytes, of an enum as texts.
    for (oid, known, unknown) in [(21, false, true), (22, false, true), (23, true, true)] {
        let found = (shown(oid, false), shown(oid, true));
        assert_eq!((found.0.is_some(), found.1.is_some()), (known, unknown), "{oid}");
        assert!(oid == 23 || found.1.is_some_and(|shown| shown.contains(opaque)), "{oid}");
    }
}

#[test]
fn a_dropped_type_that_the_log_names_is_its_text() {
    let mut catalogue = app();
    let modes = Modes::default();
    assert!(plan(&catalogue, 99, -1, &modes).is_none());
    catalogue.named_in_log(99, "app".into(), "mood".into());
    let planned = plan(&catalogue, 99, -1, &modes).unwrap();
    assert_eq!((planned.schema.build().type_name(), planned.cell), ("STRING", Cell::Text));
    let shown = Modes { include_unknown: true, ..Modes::default() };
    assert_eq!(plan(&catalogue, 99, -1, &shown).unwrap().cell, Cell::Opaque(BinaryMode::Bytes));
    // A type that the catalogue has is not a dropped one, whatever the log has named.
    catalogue.named_in_log(12, "app".into(), "int4".into());
    assert!(catalogue.dropped(12).is_none());
}
