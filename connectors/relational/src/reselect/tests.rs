#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use record::{Kind as Type, Schema, Value};
use settings::{Def, Key, Kind, Properties, Reader};

use super::{CLASS, Missed, Reselect, Selectable, When, Why};
use crate::Meters;

static KEYS: Def = Def::new(&[&[Key::debezium("post.processors", Kind::String)]]);

const TYPE: (&str, &str) = ("post.processors.r.type", CLASS);

/// Reads a config: the processors and what was remarked, or what was complained of.
fn read(properties: &[(&str, &str)]) -> Result<(Vec<Reselect>, Vec<String>), Vec<String>> {
    let properties: Properties = properties.iter().copied().collect();
    let mut reader = Reader::new(KEYS, &properties);
    let read = Reselect::read_all(&mut reader);
    match reader.finish(read) {
        Ok((read, findings)) => Ok((read, findings.iter().map(ToString::to_string).collect())),
        Err(complaints) => Err(complaints.into_iter().map(|one| format!("{}: {}", one.key, one.message)).collect()),
    }
}

fn with<'a>(options: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [("post.processors", "r"), TYPE].iter().chain(options).copied().collect()
}

#[track_caller]
fn complains(properties: &[(&str, &str)], expect: &str) {
    match read(properties) {
        Err(complaints) => assert!(complaints.iter().any(|text| text.contains(expect)), "{complaints:?}"),
        Ok(read) => panic!("{read:?} and not {expect}"),
    }
}

#[track_caller]
fn remarks(properties: &[(&str, &str)], expect: &[&str]) {
    let (_, findings) = read(properties).unwrap();
    assert_eq!(findings.len(), expect.len(), "{findings:?}");
    for (finding, expect) in findings.iter().zip(expect) {
        assert!(finding.starts_with(expect), "{finding}");
    }
}

#[test]
fn declarations() {
    assert!(read(&[]).unwrap().0.is_empty());
    remarks(&[("post.processors", "r"), TYPE], &[]);
    assert_eq!(read(&[("post.processors", " r, s ,"), TYPE, ("post.processors.s.type", CLASS)]).unwrap().0.len(), 2);
    let missing = "post.processors: Post processor 'r' is missing 'r.type' and/or 'r.<option>' configurations";
    complains(&[("post.processors", "r")], missing);
    complains(&[("post.processors", "r"), ("r.reselect.null.values", "true")], missing);
    // One key of the present spelling, and the older one is not read.
    complains(&[("post.processors", "r"), ("r.type", CLASS), ("post.processors.r.x", "1")], missing);
    let mine =
        "post.processors.r.type: The 'post.processors.r.type' value is invalid: com.example.Mine is not built in";
    complains(&[("post.processors", "r"), ("post.processors.r.type", "com.example.Mine")], mine);
    complains(&[("post.processors", "r"), ("post.processors.r.type", "com.example.Mine")], CLASS);
    complains(
        &[("post.processors", "r"), ("r.type", "x.Y")],
        "r.type: The 'r.type' value is invalid: x.Y is not built in",
    );
    let bad = "post.processors.r.reselect.columns.include.list: The 'post.processors.r.reselect.columns.include.list' value \
               is invalid: A comma-separated list of valid regular expressions is expected, but ";
    complains(&with(&[("post.processors.r.reselect.columns.include.list", "a[")]), bad);
}

#[test]
fn remarks_of_declarations() {
    remarks(
        &[("post.processors", "r"), ("r.type", CLASS)],
        &["r.type: The configuration used for post-processors is deprecated, please refer to the documentation."],
    );
    remarks(
        &with(&[
            ("post.processors.r.reselect.unavailable.values", "FALSE"),
            ("post.processors.r.reselect.null.values", "false"),
        ]),
        &[
            "post.processors.r.reselect.unavailable.values: Reselect post-processor disables both null and unavailable columns, \
           no-reselection will occur.",
        ],
    );
    remarks(
        &with(&[
            ("post.processors.r.reselect.columns.includelist", "public.t:a"),
            ("post.processors.r.reselect.null.values", "no"),
            ("post.processors.r.reselect.error.handling.mode", "stop"),
        ]),
        &[
            "post.processors.r.reselect.columns.includelist: is no option of this post processor and does nothing.",
            "post.processors.r.reselect.null.values: is neither true nor false; the default (true) is used instead.",
            "post.processors.r.reselect.error.handling.mode: is neither warn nor fail; the default (warn)",
        ],
    );
}

fn processor(options: &[(&str, &str)]) -> Reselect {
    let keys: Vec<String> = options.iter().map(|(option, _)| format!("post.processors.r.reselect.{option}")).collect();
    let options: Vec<_> = keys.iter().map(String::as_str).zip(options.iter().map(|(_, value)| *value)).collect();
    read(&with(&options)).unwrap().0.remove(0)
}

const PLACEHOLDER: &str = "__debezium_unavailable_value";

fn word() -> Value {
    Value::text(PLACEHOLDER)
}

fn numbers() -> Value {
    Value::Array(PLACEHOLDER.bytes().map(|byte| Value::Int(i64::from(byte))).collect())
}

/// What is done to a nullable column of a type that shows `absent`: `a` when it is absent, `n` when it is null.
#[track_caller]
fn check(options: &[(&str, &str)], name: &str, schema: &Schema, absent: Option<Value>, expect: &str) {
    check_column(options, &Selectable { name, schema, may_be_absent: true, absent, null: Value::Null }, expect);
}

#[track_caller]
fn check_column(options: &[(&str, &str)], column: &Selectable<'_>, expect: &str) {
    let when = processor(options).when("public.t", column, PLACEHOLDER.as_bytes());
    let shown = match when {
        None => "",
        Some(When { is_absent: true, is_null: true }) => "an",
        Some(When { is_absent: true, .. }) => "a",
        Some(_) => "n",
    };
    assert_eq!(shown, expect, "{options:?} {column:?}");
}

#[test]
fn columns_are_selected_by_name() {
    let text = Schema::of(Type::String).optional().build();
    let of = |options: &[(&str, &str)], name: &str, expect: &str| check(options, name, &text, Some(word()), expect);
    of(&[], "body", "an");
    for list in ["public.t:body", "x.*, PUBLIC\\.t:BODY", "public.t:(note|body)", "public\\..*"] {
        of(&[("columns.include.list", list)], "body", "an");
        of(&[("columns.exclude.list", list)], "body", "");
    }
    for list in [r"public\.t\.body", "t:body", "body", "public.t:bod", "public.u:body"] {
        of(&[("columns.include.list", list)], "body", "");
        of(&[("columns.exclude.list", list)], "body", "an");
    }
    of(&[("columns.include.list", " ")], "body", "an");
    // With an include list the exclude list is not read.
    of(&[("columns.include.list", "public.t:body"), ("columns.exclude.list", "public.t:body")], "body", "an");
    of(&[("columns.include.list", "public.t:body")], "note", "");
}

#[test]
fn columns_are_read_again_when_they_lack() {
    let text = || Schema::of(Type::String);
    let plain = text().optional().build();
    let no_null: &[(&str, &str)] = &[("null.values", "false")];
    let only_null: &[(&str, &str)] = &[("unavailable.values", "false")];
    check(no_null, "c", &plain, Some(word()), "a");
    check(only_null, "c", &plain, Some(word()), "n");
    check(&[("null.values", "false"), ("unavailable.values", "false")], "c", &plain, Some(word()), "");
    // A null that Connect reads as the field's default.
    check(&[], "c", &text().optional().default(Some(Value::text("x"))).build(), Some(word()), "a");
    check(&[], "c", &text().optional().default(Some(Value::Null)).build(), Some(word()), "an");
    // A type without a placeholder shows null.
    check(&[], "c", &Schema::of(Type::Float64).optional().build(), None, "an");
    // A mask hides whatever is read, a cut or a hash makes of the placeholder what is none.
    let masked = Selectable {
        name: "c",
        schema: &plain,
        may_be_absent: true,
        absent: Some(Value::text("***")),
        null: Value::text("***"),
    };
    check_column(&[], &masked, "");
    check(&[], "c", &plain, Some(Value::text("__debe")), "n");
    // Not nullable, and of fixed size: nothing of it can lack.
    let number = Schema::of(Type::Int32).build();
    let fixed = Selectable { name: "c", schema: &number, may_be_absent: false, absent: None, null: Value::Int(0) };
    check_column(&[], &fixed, "");
}

#[test]
fn placeholders_have_a_form_for_each_type() {
    let of = |kind: Type, absent: Value, expect: &str| {
        check(&[("null.values", "false")], "c", &Schema::of(kind).optional().build(), Some(absent), expect);
    };
    let item = |kind: Type| Type::Array(Schema::of(kind).optional().build());
    let map = || Type::Map(Schema::of(Type::String).build(), Schema::of(Type::String).optional().build());
    let json = Value::Text(format!("{{\"{PLACEHOLDER}\":\"{PLACEHOLDER}\"}}"));
    of(Type::String, Value::text("other"), "");
    of(Type::String, json.clone(), "");
    of(Type::Bytes, Value::Bytes(PLACEHOLDER.into()), "a");
    of(Type::Bytes, Value::Bytes(vec![1]), "");
    of(map(), Value::Map(vec![(word(), word())]), "a");
    of(map(), Value::Map(vec![(word(), Value::Null)]), "");
    of(map(), Value::Map(Vec::new()), "");
    of(item(Type::String), Value::Array(vec![Value::text("x"), word()]), "a");
    of(item(Type::String), Value::Array(vec![Value::Null]), "");
    of(item(Type::Bytes), Value::Array(vec![Value::Bytes(PLACEHOLDER.into())]), "a");
    of(item(Type::Int32), numbers(), "a");
    of(item(Type::Int64), numbers(), "a");
    of(item(Type::Int64), Value::Array(vec![Value::Int(1)]), "");
    of(item(Type::Int16), numbers(), "");
    of(item(Type::Float64), Value::Array(Vec::new()), "");
    let document = Schema::of(Type::String).optional().named("io.debezium.data.Json", Some(1)).build();
    check(&[], "c", &document, Some(json), "an");
    check(&[], "c", &document, Some(word()), "an");
}

#[test]
fn what_could_not_be_read() {
    let missed = |why| Missed { table: "public.t".into(), key: "id".into(), position: "0/16B3748".into(), why };
    let meters = Meters::new("c".into());
    let (row, refused) = (missed(Why::NoRow), missed(Why::Refused("no such column".into())));
    for mode in [&[][..], &[("error.handling.mode", "warn")]] {
        assert_eq!(processor(mode).settle(row.clone(), &meters), Ok(()));
    }
    assert_eq!(processor(&[("error.handling.mode", " FAIL ")]).settle(refused.clone(), &meters), Err(refused.clone()));
    assert_eq!(row.to_string(), "Failed to find row in table public.t with key id (the change is at 0/16B3748)");
    assert_eq!(
        refused.to_string(),
        "Failed to re-select columns for table public.t and key id (the change is at 0/16B3748): no such column"
    );
}
