use relational::values::{BinaryMode, TimeMode};

use super::*;
use crate::types::sample::{column, table};

/// Every setting at its default.
pub(in crate::types) fn modes() -> Modes {
    Modes::default()
}

fn shown(schema: &Schema) -> String {
    let name = schema.name.as_deref().map(|name| format!(" {}", name.rsplit("data.").next().unwrap_or(name)));
    let parameters = schema.parameters.iter().map(|(key, value)| format!(" {key}={value}"));
    let kind = match &schema.kind {
        Kind::Array(item) => format!("ARRAY of {}", item.type_name()),
        _ => schema.type_name().to_owned(),
    };
    kind + &name.unwrap_or_default() + &parameters.collect::<String>()
}

#[track_caller]
fn check_with(modes: &Modes, flavour: Flavour, definition: &str, expect: &str) {
    let planned = plan(&table(), &column(definition), flavour, modes);
    let found = planned.map_or_else(|| "-".to_owned(), |planned| shown(&planned.schema.build()));
    assert_eq!(found, expect, "{definition}");
}

#[track_caller]
fn check(definition: &str, expect: &str) {
    check_with(&modes(), Flavour::MySql, definition, expect);
}

#[test]
fn numbers() {
    for (definition, expect) in [
        ("BOOL", "BOOLEAN"),
        ("BOOLEAN", "BOOLEAN"),
        ("TINYINT(1)", "INT16"),
        ("TINYINT", "INT16"),
        ("TINYINT UNSIGNED", "INT16"),
        ("INT1 UNSIGNED", "INT16"),
        ("SMALLINT", "INT16"),
        ("SMALLINT UNSIGNED", "INT32"),
        ("SMALLINT(4) UNSIGNED ZEROFILL", "INT32"),
        ("INT2 UNSIGNED", "INT32"),
        ("MEDIUMINT", "INT32"),
        ("MEDIUMINT UNSIGNED", "INT32"),
        ("INT", "INT32"),
        ("INTEGER UNSIGNED", "INT64"),
        ("INT(5) UNSIGNED ZEROFILL", "INT64"),
        ("INT4 UNSIGNED", "INT64"),
        ("BIGINT", "INT64"),
        ("BIGINT UNSIGNED", "INT64"),
        ("FLOAT", "FLOAT32"),
        ("FLOAT(24)", "FLOAT32"),
        ("FLOAT UNSIGNED", "FLOAT32"),
        ("FLOAT(25)", "FLOAT64"),
        ("FLOAT(7,3)", "FLOAT64"),
        ("FLOAT4", "FLOAT64"),
        ("REAL", "FLOAT32"),
        ("DOUBLE", "FLOAT64"),
        ("DOUBLE PRECISION UNSIGNED", "FLOAT64"),
        ("FLOAT8", "FLOAT64"),
        ("BIT", "BOOLEAN"),
        ("BIT(1)", "BOOLEAN"),
        ("BIT(10)", "BYTES Bits length=10"),
        ("YEAR", "INT32 io.debezium.time.Year"),
        ("DECIMAL", "BYTES Decimal scale=0 connect.decimal.precision=10"),
        ("NUMERIC(65,30)", "BYTES Decimal scale=30 connect.decimal.precision=65"),
        ("DECIMAL(8,2) UNSIGNED", "BYTES Decimal scale=2 connect.decimal.precision=8"),
    ] {
        check(definition, expect);
    }
}

#[test]
fn numbers_by_mode() {
    let precise = Modes { bigint_unsigned: BigintUnsignedMode::Precise, ..modes() };
    let decimal = "BYTES Decimal scale=0 connect.decimal.precision=20";
    for definition in ["BIGINT UNSIGNED", "BIGINT(20) UNSIGNED ZEROFILL", "INT8 UNSIGNED"] {
        check_with(&precise, Flavour::MySql, definition, decimal);
    }
    check_with(&precise, Flavour::MySql, "BIGINT", "INT64");
    let both = Modes { decimal: DecimalMode::String, ..precise };
    check_with(&both, Flavour::MySql, "BIGINT UNSIGNED", decimal);
    check_with(&both, Flavour::MySql, "DECIMAL(5,2)", "STRING");
    check_with(&Modes { decimal: DecimalMode::Double, ..modes() }, Flavour::MySql, "DECIMAL(5,2)", "FLOAT64");
}

#[test]
fn texts_and_bytes() {
    for definition in ["CHAR(3)", "VARCHAR(20)", "TINYTEXT", "LONGTEXT", "NCHAR(5)", "NVARCHAR(5)"] {
        check(definition, "STRING");
    }
    check("ENUM('small','it''s','x\\\\y')", "STRING Enum allowed=small,it's,x\\\\y");
    check("SET('p','q')", "STRING EnumSet allowed=p,q");
    let hex = Modes { binary: BinaryMode::Hex, ..modes() };
    for definition in ["BINARY(8)", "VARBINARY(8)", "BLOB", "TINYBLOB"] {
        check(definition, "BYTES");
        check_with(&hex, Flavour::MySql, definition, "STRING");
    }
    check_with(&hex, Flavour::MySql, "BIT(9)", "BYTES Bits length=9");
    check("JSON", "STRING Json");
    check("VECTOR(3)", "ARRAY of FLOAT32 FloatVector");
    check("POINT", "STRUCT geometry.Point");
    for definition in ["GEOMETRY", "LINESTRING", "MULTIPOLYGON", "GEOMCOLLECTION", "GEOMETRYCOLLECTION"] {
        check(definition, "STRUCT geometry.Geometry");
    }
    for (definition, expect) in
        [("UUID", "STRING Uuid"), ("INET4", "STRING"), ("INET6", "STRING"), ("JSON", "STRING Json"), ("XMLTYPE", "-")]
    {
        check_with(&modes(), Flavour::MariaDb, definition, expect);
    }
}

#[track_caller]
fn check_times(time: TimeMode, expect: [&str; 5]) {
    let modes = Modes { time, ..modes() };
    let types = ["DATE", "TIME(3)", "DATETIME(3)", "DATETIME(6)", "TIMESTAMP(3)"];
    for (definition, expect) in types.into_iter().zip(expect) {
        let planned = plan(&table(), &column(definition), Flavour::MySql, &modes).unwrap();
        let schema = planned.schema.build();
        let name = schema.name.as_deref().unwrap();
        let found = format!("{} {}", schema.type_name(), name.trim_start_matches("io.debezium.time."));
        assert_eq!(found.replace("org.apache.kafka.connect.data.", "connect."), expect, "{time} {definition}");
    }
}

#[test]
fn dates_and_times_by_mode() {
    let zoned = "STRING ZonedTimestamp";
    check_times(
        TimeMode::AdaptiveTimeMicroseconds,
        ["INT32 Date", "INT64 MicroTime", "INT64 Timestamp", "INT64 MicroTimestamp", zoned],
    );
    check_times(
        TimeMode::Connect,
        ["INT32 connect.Date", "INT32 connect.Time", "INT64 connect.Timestamp", "INT64 connect.Timestamp", zoned],
    );
    check_times(
        TimeMode::Isostring,
        ["STRING IsoDate", "STRING IsoTime", "STRING IsoTimestamp", "STRING IsoTimestamp", zoned],
    );
    check_times(
        TimeMode::Microseconds,
        ["INT32 Date", "INT64 MicroTime", "INT64 MicroTimestamp", "INT64 MicroTimestamp", zoned],
    );
    check_times(
        TimeMode::Nanoseconds,
        ["INT32 Date", "INT64 NanoTime", "INT64 NanoTimestamp", "INT64 NanoTimestamp", zoned],
    );
}
