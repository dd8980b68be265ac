//! Examples of Debezium's documentation and tests, and laws that hold for every text.

use proptest::prelude::*;
use record::{Adjustment, Kind, Schema, Value};
use serde_json::Value as Json;

use super::*;

fn expander(nulls: Nulls) -> Expander {
    Expander::new(nulls, Adjustment::None)
}

/// A schema on one line: `{a int32?, b [string?]?}?`, with a struct's name before its fields if it is not its path.
fn shown(schema: &Schema, path: Option<&str>) -> String {
    let text = match &schema.kind {
        Kind::Array(of) => format!("[{}]", shown(of, if matches!(of.kind, Kind::Struct(_)) { path } else { None })),
        Kind::Struct(fields) => {
            let name = schema.name.as_deref();
            let other = if name == path { "" } else { name.unwrap_or("-") };
            let field = |field: &record::Field| {
                let inner = path.map_or(field.name.to_string(), |path| format!("{path}.{}", field.name));
                format!("{} {}", field.name, shown(&field.schema, Some(&inner)))
            };
            format!("{other}{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        _ => schema.type_name().to_ascii_lowercase(),
    };
    format!("{text}{}", if schema.optional { "?" } else { "" })
}

fn json(schema: &Schema, value: &Value) -> Json {
    match (&schema.kind, value) {
        (_, Value::Null) => Json::Null,
        (_, Value::Bool(truth)) => Json::from(*truth),
        (_, Value::Int(number)) => Json::from(*number),
        (_, Value::Double(number)) => Json::from(*number),
        (_, Value::Text(text)) => Json::from(text.as_str()),
        (Kind::Array(of), Value::Array(items)) => items.iter().map(|item| json(of, item)).collect(),
        (Kind::Struct(fields), Value::Struct(values)) => {
            assert_eq!(fields.len(), values.len());
            fields.iter().zip(values).map(|(f, value)| (f.name.to_string(), json(&f.schema, value))).collect()
        }
        (kind, value) => panic!("{value:?} is no {kind:?}"),
    }
}

/// Expands `text` and compares the schema and the value; or the reason why it is not expanded.
#[track_caller]
fn check_with(expander: &mut Expander, text: &str, schema: &str, value: &str) {
    match expander.expand("payload", text) {
        Ok((found, made)) => {
            assert_eq!(shown(&found, Some("payload")), schema, "{text}");
            assert_eq!(json(&found, &made).to_string(), value, "{text}");
        }
        Err(reason) => assert_eq!((format!("{reason:?}").as_str(), value), (schema, ""), "{text}"),
    }
}

#[track_caller]
fn check(text: &str, schema: &str, value: &str) {
    check_with(&mut expander(Nulls::Ignore), text, schema, value);
}

#[test]
fn types() {
    check(
        r#"{"s":"x","b":true,"i":1,"l":3000000000,"n":-2147483648,"d":1.0,"e":1e2,"z":-0,"o":{"p":"q"},"u":null,"v":[]}"#,
        "{s string?, b boolean?, i int32?, l int64?, n int32?, d float64?, e float64?, z int32?, o {p string?}?}?",
        r#"{"s":"x","b":true,"i":1,"l":3000000000,"n":-2147483648,"d":1.0,"e":100.0,"z":0,"o":{"p":"q"}}"#,
    );
    check("{}", "{}?", "{}");
    check(r#"{"a":{}}"#, "{a {}?}?", r#"{"a":{}}"#);
    check("{\"a\": \"\\u00e9\\n\"}  trailing", "{a string?}?", r#"{"a":"é\n"}"#);
    check(r#"{"a":1,"b":2,"a":"x"}"#, "{a string?, b int32?}?", r#"{"a":"x","b":2}"#);
    check(r#"{"a":9223372036854775807}"#, "{a int64?}?", r#"{"a":9223372036854775807}"#);
}

#[test]
fn arrays() {
    check(
        r#"{"id":1,"total":12.5,"items":[{"sku":"A","n":2},{"sku":"B","n":1}],"tags":[],"note":null}"#,
        "{id int32?, total float64?, items [{sku string?, n int32?}?]?}?",
        r#"{"id":1,"total":12.5,"items":[{"sku":"A","n":2},{"sku":"B","n":1}]}"#,
    );
    check(r#"{"a":[null,1,null]}"#, "{a [int32?]?}?", r#"{"a":[null,1,null]}"#);
    // The elements' schemas are merged; what was merged is not optional, so a null does not fit any more.
    check(
        r#"{"a":[{"x":1},{"y":[true]}]}"#,
        "{a [{x int32?, y [boolean?]?}]?}?",
        r#"{"a":[{"x":1,"y":null},{"x":null,"y":[true]}]}"#,
    );
    check(r#"{"a":[{"x":1},null]}"#, "{a [{x int32?}?]?}?", r#"{"a":[{"x":1},null]}"#);
    check(r#"{"a":[{"x":1},null,{"y":1}]}"#, "Unfit", "");
    check(r#"{"a":[{"x":1},{"x":"s"}]}"#, "Unfit", "");
    check(r#"{"a":[{"x":3000000000},{"x":1}]}"#, "Unfit", "");
    check(r#"{"a":[{"x":1.5},{"x":1}]}"#, "Unfit", "");
    // Of objects inside of them the first decides: a field that only another one has is lost.
    check(
        r#"{"a":[{"x":{"y":1}},{"x":{"z":1}}]}"#,
        "{a [{x {y int32?}?}]?}?",
        r#"{"a":[{"x":{"y":1}},{"x":{"y":null}}]}"#,
    );
    check(r#"{"a":[{"x":[1]},{"x":[]}]}"#, "{a [{x [int32?]?}]?}?", r#"{"a":[{"x":[1]},{"x":[]}]}"#);
    // Of arrays in arrays the first decides; the structs in them have no name, and names inside of them no root.
    check(r#"{"a":[[1,2],[]]}"#, "{a [[int32?]?]?}?", r#"{"a":[[1,2],[]]}"#);
    check(r#"{"a":[[1],["x"]]}"#, "Unfit", "");
    check(r#"{"a":[[],[1]]}"#, "Untyped", "");
    check(r#"{"a":[[{"x":{"y":1}}]]}"#, "{a [[{x {y int32?}?}?]?]?}?", r#"{"a":[[{"x":{"y":1}}]]}"#);
    check(r#"{"a":[1,2.0]}"#, "Mixed", "");
    check(r#"{"a":[1,3000000000]}"#, "Mixed", "");
    check(r#"{"list":[{"a":1},{"a":2,"b":[1.5,2]}]}"#, "Mixed", "");
    check(r#"{"a":[1,"a"]}"#, "Mixed", "");
    check(r#"{"a":[null]}"#, "Untyped", "");
}

#[test]
fn what_is_not_expanded() {
    for (text, reason) in [
        ("", "Start"),
        (" {}", "Start"),
        ("1", "Start"),
        ("\"x\"", "Start"),
        ("null", "Start"),
        ("{", "Syntax"),
        (r#"{"a":01}"#, "Syntax"),
        (r"{'a':1}", "Syntax"),
        ("{\"a\":\"\n\"}", "Syntax"),
        (r#"{"a":"\ud800"}"#, "Syntax"),
        ("[]", "Root"),
        (r#"[1,"a"]"#, "Root"),
        (r#"[{"a":1}]"#, "Root"),
        (r#"{"a":9223372036854775808}"#, "Unfit"),
        (r#"{"":1}"#, "Nameless"),
    ] {
        check(text, reason, "");
    }
    check(r#"{"":null}"#, "{}?", "{}");
    check(&format!("{{\"a\":{}1{}}}", "[".repeat(300), "]".repeat(300)), "Depth", "");
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(node::DEPTH - 2), "]".repeat(node::DEPTH - 2));
    assert!(expander(Nulls::Ignore).expand("payload", &deep).is_ok());
    // Each of these objects would become a struct with a thousand fields.
    let sparse = (0..1000).map(|i| format!("{{\"a{i}\":1}}")).collect::<Vec<_>>().join(",");
    check(&format!("{{\"a\":[{sparse}]}}"), "Large", "");
    // A view could not refer to the last of these fields.
    let wide = |count: usize| {
        let fields: Vec<String> = (0..count).map(|i| format!("\"a{i}\":1")).collect();
        format!("{{{}}}", fields.join(","))
    };
    assert!(expander(Nulls::Ignore).expand("payload", &wide(1 << 16)).is_ok());
    check(&wide((1 << 16) + 1), "Large", "");
}

#[test]
fn nulls_as_bytes() {
    let check = |text, schema, value| check_with(&mut expander(Nulls::OptionalBytes), text, schema, value);
    check(
        r#"{"heartbeat":1,"email":null,"tags":[]}"#,
        "{heartbeat int32?, email bytes?}?",
        r#"{"heartbeat":1,"email":null}"#,
    );
    // A value gives the type, wherever it stands.
    let schema = "{a [{c string?, d string?}]?}?";
    check(
        r#"{"a":[{"c":"1","d":null},{"c":"2","d":"x"},{"c":"3"}]}"#,
        schema,
        r#"{"a":[{"c":"1","d":null},{"c":"2","d":"x"},{"c":"3","d":null}]}"#,
    );
    check(
        r#"{"a":[{"c":"1","d":null},{"c":"3"}]}"#,
        "{a [{c string?, d bytes?}]?}?",
        r#"{"a":[{"c":"1","d":null},{"c":"3","d":null}]}"#,
    );
    check(r#"{"a":[null]}"#, "{a [bytes?]?}?", r#"{"a":[null]}"#);
}

#[test]
fn adjusted_names() {
    let check =
        |text, schema, value| check_with(&mut Expander::new(Nulls::Ignore, Adjustment::Avro), text, schema, value);
    // The value is looked for under the adjusted name, so it is not found.
    check(r#"{"a-b":1,"c":{"d.e":2}}"#, "{a_b int32?, c {d_e int32?}?}?", r#"{"a_b":null,"c":{"d_e":null}}"#);
    check(r#"{"a-b":1,"a_b":2}"#, "{a_b int32?}?", r#"{"a_b":2}"#);
    check(r#"{"a-b":1,"a_b":"x"}"#, "Unfit", "");
}

#[test]
fn names_of_structs() {
    let name = |root: &str, text: &str| {
        let (schema, _) = expander(Nulls::Ignore).expand(root, text).unwrap();
        let inner = &schema.fields()[0].schema;
        (schema.name.as_deref().map(str::to_owned), inner.name.as_deref().map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(name("p", r#"{"a":{"b":1}}"#), (some("p"), some("p.a")));
    assert_eq!(name(" ", r#"{"a":{"b":1}}"#), (some(" "), some("a")));
}

/// A text of the same form has the same schema, which is not built again.
#[test]
fn one_form_has_one_schema() {
    let mut expander = expander(Nulls::Ignore);
    let mut ids: Vec<u32> = Vec::new();
    for text in [r#"{"a":1,"b":[{"c":1}]}"#, r#"{"a":7,"b":[{"c":2},{"c":3}]}"#, r#"{"a":7,"b":[]}"#] {
        ids.push(expander.expand("p", text).unwrap().0.id);
    }
    assert!(ids[0] == ids[1] && ids[1] != ids[2], "{ids:?}");
    for i in 0..6000 {
        expander.expand("p", &format!("{{\"f{i}\":1}}")).unwrap();
    }
}

/// JSON values with few names, so that objects in arrays share some.
fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        1 => Just(Json::Null),
        2 => any::<bool>().prop_map(Json::from),
        3 => any::<i64>().prop_map(Json::from),
        3 => any::<i16>().prop_map(Json::from),
        2 => (-1e9..1e9).prop_map(Json::from),
        3 => ".{0,6}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let members = proptest::collection::vec(("[abc.-]{1,2}", inner.clone()), 0..4);
        let array = prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4),
            (inner, 1_usize..4).prop_map(|(item, count)| vec![item; count]),
        ];
        prop_oneof![
            members.prop_map(|members| Json::Object(members.into_iter().collect())),
            array.prop_map(Json::Array)
        ]
    })
}

/// Whether what was expanded says nothing that the text does not say, and leaves out only nulls, empty arrays and, in arrays of
/// objects, fields that the first object does not have.
fn agrees(made: &Json, given: &Json, in_array: bool) -> bool {
    match (made, given) {
        (Json::Object(made), Json::Object(given)) => {
            let is_nothing = |json: &Json| json.is_null() || json.as_array().is_some_and(Vec::is_empty);
            made.iter().all(|(name, made)| match given.get(name) {
                Some(given) => agrees(made, given, in_array),
                None => made.is_null(),
            }) && given.iter().all(|(name, given)| in_array || is_nothing(given) || made.contains_key(name))
        }
        (Json::Array(made), Json::Array(given)) => {
            made.len() == given.len() && made.iter().zip(given).all(|(made, given)| agrees(made, given, true))
        }
        _ => made == given,
    }
}

proptest! {
    #[test]
    fn nothing_is_invented(members in proptest::collection::vec(("[abc]{1,2}", any_json()), 0..5), bytes: bool) {
        let given = Json::Object(members.into_iter().collect());
        let mut expander = expander(if bytes { Nulls::OptionalBytes } else { Nulls::Ignore });
        if let Ok((schema, value)) = expander.expand("payload", &given.to_string()) {
            let made = json(&schema, &value);
            prop_assert!(agrees(&made, &given, false), "{} of {}", made, given);
            let (same, again) = expander.expand("payload", &given.to_string()).unwrap();
            prop_assert_eq!((same.id, again), (schema.id, value));
        }
    }

    /// Most texts are expanded: those whose arrays are empty or hold equal values always are.
    #[test]
    fn even_texts_are_expanded(names in proptest::collection::vec("[a-z]{1,3}", 0..6), depth in 0_usize..4) {
        let mut given = Json::Object(names.iter().map(|name| (name.clone(), Json::from(name.len()))).collect());
        for _ in 0..depth {
            given = serde_json::json!({"o": given, "l": [given, given]});
        }
        let (schema, value) = expander(Nulls::Ignore).expand("payload", &given.to_string()).unwrap();
        prop_assert_eq!(json(&schema, &value), given);
    }

    #[test]
    fn any_text(text in r#"[\[{]["\\a-c0-9:,.{}\[\]eE+ -]{0,60}"#, bytes: Vec<u8>) {
        crate::hostile::expand_json(text.as_bytes());
        crate::hostile::expand_json(&bytes);
        crate::hostile::expand_json(&[b"\x03{", bytes.as_slice()].concat());
    }
}
