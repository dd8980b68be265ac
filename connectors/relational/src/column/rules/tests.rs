use settings::{Check, Def, Key, Kind as KeyKind, Properties};

use super::*;

static KEYS: Def = Def::new(&[&[
    Key::debezium("column.propagate.source.type", KeyKind::List).checks(&[Check::RegexList]),
    Key::debezium("datatype.propagate.source.type", KeyKind::List).checks(&[Check::RegexList]),
]]);

fn rules(properties: &[(&str, &str)]) -> Result<ColumnRules, Vec<String>> {
    let properties: Properties = properties.iter().copied().collect();
    let mut reader = Reader::new(KEYS, &properties);
    let rules = ColumnRules::read(&mut reader);
    let complaints = |found: Vec<Invalid>| found.into_iter().map(|i| i.message).collect();
    reader.finish(rules).map(|(rules, _)| rules).map_err(complaints)
}

fn varchar(length: i32) -> SourceType {
    SourceType { name: "varchar".into(), length: Some(length), scale: Some(0), is_text: true, comment: None }
}

fn int4() -> SourceType {
    SourceType { name: "int4".into(), length: Some(10), scale: Some(0), is_text: false, comment: None }
}

/// Checks what the rules do to one column, written as the schema parameters, then the treatment.
#[track_caller]
fn check(properties: &[(&str, &str)], column: &str, source: &SourceType, kind: Kind, expect: &str) {
    let rules = rules(properties).unwrap();
    let plain = Schema::of(kind).build();
    let shown = rules.of("public.t", column, source, &plain).map_or_else(String::new, |applied| {
        let parameters = applied
            .parameters
            .iter()
            .map(|(name, value)| format!("{}={value} ", name.trim_start_matches("__debezium.source.column.")));
        let treatment = match &applied.treatment {
            None => "-".to_owned(),
            Some(Treatment::Mask(record::Value::Text(text))) => text.clone(),
            Some(Treatment::Mask(other)) => format!("{other:?}"),
            Some(Treatment::Truncate(length)) => format!("cut {length}"),
            Some(Treatment::Hash(hash)) => format!("{:?} {:?} {:?}", hash.digest, hash.form, hash.length),
        };
        let clear = if applied.why_in_clear.is_some() { " in clear" } else { "" };
        parameters.collect::<String>() + &treatment + clear
    });
    assert_eq!(shown, expect, "{column}");
}

const MASK: (&str, &str) = ("column.mask.with.2.chars", "public.t.m.*");
const CUT: (&str, &str) = ("column.truncate.to.3.chars", "public.t..?t");
const HASH: (&str, &str) = ("column.mask.hash.MD5.with.salt.s", "public.t.(h.*|mh|ht)");
const HASH_V2: (&str, &str) = ("column.mask.hash.v2.sha.with.salt.s.x", "public.t.(h2|hb)");
const PROPAGATE: (&str, &str) = ("column.propagate.source.type", "public.t.p,public.t.hp");
const BY_TYPE: (&str, &str) = ("datatype.propagate.source.type", "public.t.int4");

#[test]
fn the_first_family_that_matches_acts() {
    let all = [HASH_V2, HASH, BY_TYPE, PROPAGATE, MASK, CUT];
    let (string, int) = (|| Kind::String, || Kind::Int32);
    check(&all, "m", &varchar(9), string(), "masked=true **");
    check(&all, "M", &varchar(9), string(), "masked=true **");
    check(&all, "mh", &varchar(9), string(), "masked=true **");
    check(&all, "mt", &varchar(9), string(), "truncateLength=3 cut 3 in clear");
    check(&all, "t", &varchar(9), string(), "truncateLength=3 cut 3");
    check(&all, "ht", &varchar(9), string(), "truncateLength=3 cut 3 in clear");
    check(&all, "h", &varchar(9), string(), "masked=true Md5 Serialised Some(9)");
    check(&all, "hb", &varchar(9), string(), "masked=true Md5 Serialised Some(9)");
    check(&all, "p", &varchar(9), string(), "type=VARCHAR length=9 scale=0 name=p -");
    check(&all, "hp", &varchar(9), string(), "type=VARCHAR length=9 scale=0 name=hp Md5 Serialised Some(9)");
    check(&all, "i", &int4(), int(), "type=INT4 length=10 scale=0 name=i -");
    check(&all, "other", &varchar(9), string(), "");
    check(&[HASH_V2], "h2", &varchar(0), string(), "masked=true Sha1 Plain None");
}

#[test]
fn what_is_no_text_is_marked_and_stays() {
    check(&[MASK], "m", &int4(), Kind::Int32, "masked=true - in clear");
    check(&[HASH], "h", &int4(), Kind::Int32, "masked=true - in clear");
    check(&[CUT], "t", &int4(), Kind::Int32, "truncateLength=3 -");
    let bytea =
        SourceType { name: "bytea".into(), length: Some(i32::MAX), scale: Some(0), is_text: false, comment: None };
    check(&[CUT], "t", &bytea, Kind::Bytes, "truncateLength=3 cut 3");
    let array = Kind::Array(Schema::of(Kind::String).build());
    check(&[CUT], "t", &bytea, array, "truncateLength=3 -");
}

#[test]
fn a_column_that_is_no_longer_is_not_cut() {
    check(&[CUT], "t", &varchar(3), Kind::String, "-");
    check(&[CUT], "t", &varchar(4), Kind::String, "truncateLength=3 cut 3");
    let unset = SourceType { length: None, ..varchar(0) };
    check(&[CUT], "t", &unset, Kind::String, "truncateLength=3 cut 3");
    check(&[CUT], "t", &varchar(0), Kind::String, "-");
    check(&[("column.truncate.to.0.chars", "public.t.t")], "t", &varchar(1), Kind::String, "truncateLength=0 cut 0");
}

#[test]
fn of_one_family_a_hash_maps_first_key_acts() {
    let both = [("column.mask.with.4.chars", ".*"), ("column.mask.with.12.chars", ".*")];
    check(&both, "m", &varchar(9), Kind::String, "masked=true ************");
    // With more keys the map has more buckets, and the other key comes first.
    let names: Vec<String> = (0..30).map(|i| format!("other.{i}")).collect();
    let many: Vec<(&str, &str)> = both.into_iter().chain(names.iter().map(|name| (name.as_str(), ""))).collect();
    check(&many, "m", &varchar(9), Kind::String, "masked=true ****");
}

#[test]
fn names_that_are_of_no_family_do_nothing() {
    let names = [
        "column.mask.with.x.chars",
        "column.mask.with.(d+).chars",
        "column.mask.hash.SHA-256.with.salt.",
        "column.mask.hash.a.b.with.salt.x",
        "column.include.list",
    ];
    for name in names {
        assert!(rules(&[(name, ".*")]).unwrap().is_empty(), "{name}");
    }
}

#[test]
fn what_cannot_be_used_is_refused_without_its_salt() {
    let refused = |name: &str, value: &str| rules(&[(name, value)]).unwrap_err().join("; ");
    assert_eq!(
        refused("column.mask.hash.v2.ROT13.with.salt.pepper", ".*"),
        "The 'column.mask.hash.v2.ROT13.with.salt.********' value is invalid: 'ROT13' is no digest of Java's; use one of MD2, \
         MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512, SHA-512/224, SHA-512/256, SHA3-224, SHA3-256, SHA3-384, SHA3-512"
    );
    assert!(refused("column.mask.with.99999999999.chars", ".*").ends_with("An integer is expected"));
    assert!(refused("column.truncate.to.3.chars", "(").contains("regular expressions is expected"));
    assert!(
        refused("column.mask.hash.MD5.with.salt.pepper", "(")
            .starts_with("The 'column.mask.hash.MD5.with.salt.********'")
    );
}
