//! What PostgreSQL's JDBC driver tells Debezium of a column's type: name, length, scale. The column rules use it
//! (`column.truncate.to.N.chars`, hashes that are cut to a column's length, `*.propagate.source.type`).
//!
//! Debezium's snapshot asks the driver for the table's columns (`getColumns`), its stream for the type (`TypeInfo`). Where
//! the two answers differ, they differ here too (`is_copied`).
//!
//! Must not know: which rules there are.

use relational::SourceType;

use super::catalogue::{Catalogue, PgType, TypeKind};
use super::plan::numeric_modifier;

/// A length without a limit.
const UNLIMITED: i32 = i32::MAX;
/// The length of a numeric without a modifier in the stream: the most digits that a numeric can have.
const MOST_DIGITS: i32 = 131_089;

/// The type of a column, for rows of a snapshot (`is_copied`) or of the stream. `default` is the column's default
/// expression: in a snapshot an integer column with `nextval(…)` is a serial one.
pub(crate) fn source_type(
    catalogue: &Catalogue,
    oid: u32,
    typmod: i32,
    default: Option<&str>,
    is_copied: bool,
) -> SourceType {
    let own = catalogue.get(oid).or_else(|| catalogue.dropped(oid));
    let base = catalogue.base(oid, typmod);
    let (kind, typmod) = base.map_or(("", typmod), |(found, typmod)| (measured_as(catalogue, found), typmod));
    let is_array = base.is_some_and(|(found, _)| matches!(found.kind, TypeKind::Array(_)));
    let (length, scale) = measures(kind, typmod, is_copied && !is_array);
    let is_enum = base.is_some_and(|(found, _)| matches!(found.kind, TypeKind::Enum(_)));
    let is_text = is_enum || !is_array && matches!(kind, "char" | "bpchar" | "varchar" | "text" | "name");
    let name = own.map_or_else(String::new, |own| shown_name(own, default, is_copied));
    SourceType { name, length, scale, is_text, comment: None }
}

/// The name of the type that gives length and scale: for an array, the type of its elements.
fn measured_as<'a>(catalogue: &'a Catalogue, found: &'a PgType) -> &'a str {
    match found.kind {
        TypeKind::Array(element) => catalogue.get(element).map_or("", PgType::known_name),
        _ => found.known_name(),
    }
}

fn shown_name(own: &PgType, default: Option<&str>, is_copied: bool) -> String {
    if !is_copied {
        return own.name.clone();
    }
    let is_serial = default.is_some_and(|expression| expression.contains("nextval("));
    match own.known_name() {
        "int2" if is_serial => "smallserial".to_owned(),
        "int4" if is_serial => "serial".to_owned(),
        "int8" if is_serial => "bigserial".to_owned(),
        _ if own.is_on_path => own.name.clone(),
        _ => format!("\"{}\".\"{}\"", own.schema, own.name),
    }
}

/// Length and scale of a type, as the driver counts them.
fn measures(name: &str, typmod: i32, is_copied: bool) -> (Option<i32>, Option<i32>) {
    // Characters of a second's fraction, with the point. The driver counts one digit as two.
    let fraction = match typmod {
        0 => 0,
        1 => 3,
        2..=6 => typmod + 1,
        _ => 7,
    };
    let digits = if (0..=6).contains(&typmod) { typmod } else { 6 };
    let (length, scale) = match name {
        "int2" => (5, 0),
        "int4" | "oid" => (10, 0),
        "int8" => (19, 0),
        "float4" => (8, 8),
        "float8" => (17, 17),
        "bool" | "char" => (1, 0),
        "bpchar" | "varchar" if typmod >= 4 => (typmod - 4, 0),
        "bit" | "varbit" if typmod >= 0 => (typmod, 0),
        "numeric" => match numeric_modifier(typmod) {
            Some(fixed) => fixed,
            None if is_copied => return (Some(0), None),
            None => (MOST_DIGITS, 0),
        },
        "date" => (13, 0),
        "time" => (8 + fraction, digits),
        "timetz" => (14 + fraction, digits),
        "timestamp" => (22 + fraction, digits),
        "timestamptz" => (28 + fraction, digits),
        // The scale is the lower half of the modifier; the upper half says which fields the interval has.
        "interval" => (49, if typmod < 0 { 6 } else { typmod & 0xffff }),
        _ => (UNLIMITED, 0),
    };
    (Some(length), Some(scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, typmod: i32, is_copied: bool, expect: (Option<i32>, Option<i32>)) {
        assert_eq!(measures(name, typmod, is_copied), expect, "{name} {typmod} {is_copied}");
    }

    #[test]
    fn measures_are_the_drivers() {
        for (name, typmod, length, scale) in [
            ("int4", -1, 10, 0),
            ("float8", -1, 17, 17),
            ("bpchar", 10, 6, 0),
            ("bpchar", -1, UNLIMITED, 0),
            ("varchar", 24, 20, 0),
            ("text", -1, UNLIMITED, 0),
            ("bit", 4, 4, 0),
            ("varbit", -1, UNLIMITED, 0),
            ("numeric", (7 << 16 | 3) + 4, 7, 3),
            ("time", -1, 15, 6),
            ("time", 3, 12, 3),
            ("time", 0, 8, 0),
            ("timetz", 2, 17, 2),
            ("timestamp", 0, 22, 0),
            ("timestamp", 3, 26, 3),
            ("timestamptz", -1, 35, 6),
            ("interval", -1, 49, 6),
            ("interval", 0x7fff_0003, 49, 3),
            ("", -1, UNLIMITED, 0),
        ] {
            check(name, typmod, false, (Some(length), Some(scale)));
            check(name, typmod, true, (Some(length), Some(scale)));
        }
        check("numeric", -1, false, (Some(131_089), Some(0)));
        check("numeric", -1, true, (Some(0), None));
    }

    #[test]
    fn names_are_the_drivers() {
        let mut catalogue = Catalogue::default();
        let own = |oid, schema: &str, kind| {
            let is_on_path = schema == "public";
            PgType { schema: schema.into(), is_on_path, ..PgType::built_in(oid, "mood", kind) }
        };
        let labels = || TypeKind::Enum(vec!["a".into()]);
        catalogue.extend([
            PgType::built_in(1, "int4", TypeKind::Base),
            PgType::built_in(2, "numeric", TypeKind::Base),
            PgType::built_in(3, "_numeric", TypeKind::Array(2)),
            own(4, "public", labels()),
            own(5, "other", labels()),
            own(6, "public", TypeKind::Domain { base: 1, typmod: -1 }),
        ]);
        let shown = |oid, default, is_copied| {
            let found = source_type(&catalogue, oid, -1, default, is_copied);
            format!("{} {:?} {}", found.name, found.length.unwrap_or(-1), found.is_text)
        };
        assert_eq!(shown(1, None, true), "int4 10 false");
        assert_eq!(shown(1, Some("nextval('s'::regclass)"), true), "serial 10 false");
        assert_eq!(shown(1, Some("nextval('s'::regclass)"), false), "int4 10 false");
        assert_eq!(shown(3, None, true), "_numeric 131089 false");
        assert_eq!(shown(4, None, true), "mood 2147483647 true");
        assert_eq!(shown(5, None, true), "\"other\".\"mood\" 2147483647 true");
        assert_eq!(shown(5, None, false), "mood 2147483647 true");
        assert_eq!(shown(6, None, true), "mood 10 false");
    }
}
