use std::borrow::Cow;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::document::{DOUBLE, INT64, LITERAL, STRING, Value};
use super::tree::Node;
use super::*;

fn text(document: &[u8]) -> Result<String, JsonError> {
    let mut out = Vec::new();
    write_text(&mut out, document).map(|()| String::from_utf8(out).unwrap())
}

#[test]
fn documents_of_mysql_have_debeziums_text() {
    let documents = include_str!("../../tests/json/documents.txt");
    for line in documents.lines() {
        let (hex, expect) = line.split_once('\t').unwrap();
        let bytes = record::unhex(hex.as_bytes()).unwrap();
        assert_eq!(text(&bytes).as_deref(), Ok(expect), "{hex}");
    }
    assert_eq!(documents.lines().count(), 94);
}

#[test]
fn an_empty_document_is_null() {
    assert_eq!(text(&[]).unwrap(), "null");
}

#[track_caller]
fn check_wrong(document: &[u8], expect: &'static str) {
    assert_eq!(text(document), Err(JsonError(expect)));
}

#[test]
fn documents_that_cannot_be_read() {
    check_wrong(&[5, 1], "it ends early");
    check_wrong(&[12, 3, b'a'], "it ends early");
    check_wrong(&[12, 0x80, 0x80, 0x80, 0x80, 0x80, 0], "a length is too long");
    check_wrong(&[4, 3], "a literal is unknown");
    check_wrong(&[13, 0], "a type is unknown");
    check_wrong(&[2, 1, 0, 4, 0], "it ends early");
    // An array whose element is the array.
    check_wrong(&[2, 1, 0, 7, 0, 2, 0, 0], "a value stands inside of the entries");
    check_wrong(&[15, 246, 2, 5, 6], "a decimal is malformed");
    check_wrong(&[15, 10, 1, 0], "a time has not eight bytes");
}

/// An array of `count` elements that are all the same bytes.
fn sharing(inner: &[u8], kind: u8, count: u8) -> Vec<u8> {
    let place = 4 + 3 * count;
    let length = usize::from(place) + inner.len();
    let mut out = vec![count, 0, length as u8, (length >> 8) as u8];
    (0..count).for_each(|_| out.extend([kind, place, 0]));
    out.extend(inner);
    out
}

#[test]
fn elements_that_share_bytes_do_not_multiply_them() {
    let mut document = sharing(&[1, b'a'], 12, 2);
    for _ in 0..90 {
        document = sharing(&document, 2, 2);
    }
    document.insert(0, 2);
    check_wrong(&document, "elements share their bytes");
    let differences = difference(0, "$[0]", Some(&json!(1)));
    assert_eq!(apply(&document, &differences, &mut Vec::new()), Err(JsonError("elements share their bytes")));
}

#[test]
fn nesting_has_an_end() {
    let mut document = vec![0, 0, 4, 0];
    for _ in 0..200 {
        document = sharing(&document, 2, 1);
    }
    document.insert(0, 2);
    check_wrong(&document, "it is nested too deeply");
}

/// The binary form of a document, of integers of 64 bits, doubles, literals and strings.
fn binary(json: &Json) -> Vec<u8> {
    fn scalar(json: &Json) -> Option<(u8, Vec<u8>)> {
        Some(match json {
            Json::Null => (LITERAL, vec![0]),
            Json::Bool(yes) => (LITERAL, vec![if *yes { 1 } else { 2 }]),
            Json::Number(number) => match number.as_i64() {
                Some(number) => (INT64, number.to_le_bytes().to_vec()),
                None => (DOUBLE, number.as_f64()?.to_le_bytes().to_vec()),
            },
            Json::String(text) => {
                let mut length = text.len();
                let mut bytes = Vec::new();
                while length > 0x7f {
                    bytes.push(length as u8 | 0x80);
                    length >>= 7;
                }
                bytes.push(length as u8);
                bytes.extend(text.as_bytes());
                (STRING, bytes)
            }
            _ => return None,
        })
    }
    fn node(json: &Json) -> Node<'static> {
        match json {
            Json::Array(elements) => Node::Array(elements.iter().map(node).collect()),
            Json::Object(members) => {
                let mut members: Vec<_> =
                    members.iter().map(|(k, v)| (Cow::Owned(k.clone().into_bytes()), node(v))).collect();
                members.sort_by_key(|(key, _): &(Cow<[u8]>, _)| (key.len(), key.to_vec()));
                Node::Object(members)
            }
            scalar_value => {
                let (kind, data) = scalar(scalar_value).unwrap();
                Node::Whole(Value { kind, data: data.leak() })
            }
        }
    }
    let mut out = Vec::new();
    node(json).write(&mut out).unwrap();
    out
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let length = bytes.len() as u32;
    let mut out =
        if length < 251 { vec![length as u8] } else { [&[0xfe][..], &u64::from(length).to_le_bytes()].concat() };
    out.extend(bytes);
    out
}

fn difference(operation: u8, path: &str, value: Option<&Json>) -> Vec<u8> {
    let mut out = vec![operation];
    out.extend(packed(path.as_bytes()));
    out.extend(value.map(|value| packed(&binary(value))).unwrap_or_default());
    out
}

fn applied(document: &Json, differences: &[u8]) -> Result<Json, JsonError> {
    let mut out = Vec::new();
    apply(&binary(document), differences, &mut out)?;
    Ok(serde_json::from_str(&text(&out)?).unwrap())
}

#[track_caller]
fn check(document: &Json, differences: &[(u8, &str, Option<Json>)], expect: Result<Json, &'static str>) {
    let bytes: Vec<u8> =
        differences.iter().flat_map(|(operation, path, value)| difference(*operation, path, value.as_ref())).collect();
    assert_eq!(applied(document, &bytes), expect.map_err(JsonError));
}

const REPLACE: u8 = 0;
const INSERT: u8 = 1;
const REMOVE: u8 = 2;

#[test]
fn differences_are_applied_in_order() {
    let document = json!({"a": [1, 2, {"b": "x"}], "c": {}});
    check(&document, &[(REPLACE, "$.a[1]", Some(json!("two")))], Ok(json!({"a": [1, "two", {"b": "x"}], "c": {}})));
    check(
        &document,
        &[(REMOVE, "$.a[0]", None), (REPLACE, "$.a[0]", Some(json!(9)))],
        Ok(json!({"a": [9, {"b": "x"}], "c": {}})),
    );
    check(
        &document,
        &[(INSERT, "$.c.\"k.\\\"[\"", Some(json!([])))],
        Ok(json!({"a": [1, 2, {"b": "x"}], "c": {"k.\"[": []}})),
    );
    check(
        &document,
        &[(INSERT, "$.a[0]", Some(json!(0))), (INSERT, "$.a[9]", Some(json!(null)))],
        Ok(json!({"a": [0, 1, 2, {"b": "x"}, null], "c": {}})),
    );
    check(&document, &[(REMOVE, "$.c", None), (REMOVE, "$.a[2].b", None)], Ok(json!({"a": [1, 2, {}]})));
    check(&document, &[(REPLACE, "$", Some(json!(true)))], Ok(json!(true)));
    check(&document, &[(REPLACE, "$.c[0][0]", Some(json!(1)))], Ok(json!({"a": [1, 2, {"b": "x"}], "c": 1})));
}

#[test]
fn differences_that_do_not_fit_the_document() {
    let document = json!({"a": [1]});
    let absent = Err("a difference is to an element that is not there");
    check(&document, &[(REPLACE, "$.b", Some(json!(1)))], absent.clone());
    check(&document, &[(REPLACE, "$.a[1]", Some(json!(1)))], absent.clone());
    check(&document, &[(REMOVE, "$.a.x", None)], absent.clone());
    check(&document, &[(INSERT, "$.a[0].x", Some(json!(1)))], absent);
    check(&document, &[(INSERT, "$.a", Some(json!(1)))], Err("a difference adds a member that is there"));
    check(&document, &[(REMOVE, "$", None)], Err("a difference adds or removes the whole document"));
    check(&document, &[(7, "$.a", None)], Err("a difference has an unknown operation"));
    for path in ["", "a", "$.", "$[", "$[x]", "$.\"a", "$a", "$.*", "$[4294967296]", "$.\"\\x\""] {
        check(&document, &[(REPLACE, path, Some(json!(1)))], Err("a path of a difference is malformed"));
    }
}

#[test]
fn a_document_that_grows_changes_its_form() {
    let large = "x".repeat(70_000);
    let document = json!({"s": "small", "list": [1, {"in": 1}]});
    check(
        &document,
        &[(INSERT, "$.list[1].big", Some(json!(large)))],
        Ok(json!({"s": "small", "list": [1, {"in": 1, "big": large}]})),
    );
    let both = [(INSERT, "$.big", Some(json!(large))), (REMOVE, "$.big", None)];
    check(&document, &both, Ok(document.clone()));
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "[a-c\"\\\\\u{1}ä]{0,5}".prop_map(Json::from),
        Just(Json::from("long ".repeat(40))),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let key = prop_oneof!["[a-d]{1,2}", "[a-c\". ]{0,3}"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Json::from),
            proptest::collection::btree_map(key, inner, 0..5).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// A random path into a document, and what is there.
fn path_into(document: &Json, choices: &[proptest::sample::Index]) -> (String, Json) {
    let (mut path, mut here) = ("$".to_owned(), document.clone());
    for choice in choices {
        here = match here {
            Json::Array(elements) if !elements.is_empty() => {
                let index = choice.index(elements.len());
                path = format!("{path}[{index}]");
                elements[index].clone()
            }
            Json::Object(members) if !members.is_empty() => {
                let (key, value) = members.iter().nth(choice.index(members.len())).unwrap();
                path = format!("{path}.{}", Json::from(key.as_str()));
                value.clone()
            }
            other => return (path, other),
        };
    }
    (path, here)
}

proptest! {
    #[test]
    fn a_document_is_read_back(document in any_json()) {
        prop_assert_eq!(serde_json::from_str::<Json>(&text(&binary(&document)).unwrap()).unwrap(), document);
    }

    #[test]
    fn what_is_replaced_is_there(document in any_json(), new in any_json(), choices: [proptest::sample::Index; 3]) {
        let (path, _) = path_into(&document, &choices);
        let changed = applied(&document, &difference(REPLACE, &path, Some(&new))).unwrap();
        let (_, there) = path_into_same(&changed, &path);
        prop_assert_eq!(there, new);
    }

    #[test]
    fn what_is_added_can_be_removed(mut elements in proptest::collection::vec(any_json(), 0..5), new in any_json()) {
        let document = Json::from(elements.clone());
        let add = difference(INSERT, "$[1]", Some(&new));
        let both = [add.clone(), difference(REMOVE, &format!("$[{}]", elements.len().min(1)), None)].concat();
        prop_assert_eq!(applied(&document, &both).unwrap(), document.clone());
        elements.insert(elements.len().min(1), new);
        prop_assert_eq!(applied(&document, &add).unwrap(), Json::from(elements));
    }

    #[test]
    fn damaged_documents_and_differences(document in any_json(), at: proptest::sample::Index, byte: u8, path in "[$.\\[\\]0-9a\"]{0,6}") {
        let mut bytes = binary(&document);
        let place = at.index(bytes.len());
        bytes[place] = byte;
        let mut out = Vec::new();
        let _ = write_text(&mut out, &bytes);
        let mut differences = difference(at.index(3) as u8, &path, Some(&document));
        let _ = apply(&bytes, &differences, &mut out);
        let place = at.index(differences.len());
        differences[place] = byte;
        let _ = apply(&bytes, &differences, &mut out);
    }
}

/// What is at a path that `path_into` made.
fn path_into_same(document: &Json, path: &str) -> (String, Json) {
    let mut here = document;
    for leg in path::parse(path.as_bytes()).unwrap() {
        here = match leg {
            path::Leg::Key(key) => &here[std::str::from_utf8(&key).unwrap()],
            path::Leg::Index(index) => &here[index],
        };
    }
    (path.to_owned(), here.clone())
}
