//! Whether a record can carry the id of another schema than its own.
//!
//! With `use.latest.version` or `use.schema.id`, a record carries the id of a schema that somebody else registered, and
//! readers decode the record's bytes with that one. There are three cases. Both schemas may mean the same bytes,
//! whatever their documentation, defaults and Connect's parameters say: then nothing is different. The data may fit the
//! other schema when it is written by it: a wider number, a union around a type. Or it does not fit.
//!
//! For Avro that is decided from both documents, by Avro's rules of resolution, except that both must have the same
//! fields in the same order: Java's writer goes by their positions. JSON schemas must say the same apart from
//! annotations. A Protobuf file must have all fields with their numbers and types; its messages may stand in another order.
//!
//! Must not know: registries.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::DocumentKind;
use crate::convert::proto_file;

/// How data of one schema fits another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// It has the same bytes by both.
    Same,
    /// It must be written by the other one.
    Rewritten,
}

/// How data that has the schema `ours` fits the schema `theirs`.
///
/// # Errors
/// Says where it does not.
pub(super) fn fits(kind: DocumentKind, ours: &str, theirs: &str) -> Result<Fit, String> {
    let json =
        |text: &str, whose: &str| serde_json::from_str::<Value>(text).map_err(|_| format!("{whose} schema is no JSON"));
    match kind {
        DocumentKind::Protobuf if proto_file::words(ours) == proto_file::words(theirs) => Ok(Fit::Same),
        DocumentKind::Protobuf => proto_file::reads(theirs, ours).map(|()| Fit::Rewritten),
        DocumentKind::Avro => {
            let (ours, theirs) = (json(ours, "this")?, json(theirs, "the registry's")?);
            let (ours, theirs) = (Document::new(&ours), Document::new(&theirs));
            let roots = (At { value: ours.root, space: "" }, At { value: theirs.root, space: "" });
            let compare = |fit| {
                let mut pair = Pair { ours: &ours, theirs: &theirs, fit, seen: HashSet::new() };
                pair.compare(roots.0, roots.1, "/").map(|()| fit)
            };
            compare(Fit::Same).or_else(|_| compare(Fit::Rewritten))
        }
        DocumentKind::Json | DocumentKind::Connect => {
            let (ours, theirs) = (json(ours, "this")?, json(theirs, "the registry's")?);
            if bare(ours) == bare(theirs) { Ok(Fit::Same) } else { Err("the JSON schemas differ".to_owned()) }
        }
    }
}

/// A JSON schema without annotations, which do not decide what is valid.
fn bare(value: Value) -> Value {
    const ANNOTATIONS: &[&str] = &["title", "description", "default", "examples", "$id", "$schema", "$comment"];
    match value {
        Value::Object(members) => {
            let is_kept = |name: &str| !ANNOTATIONS.contains(&name) && !name.starts_with("connect.");
            let members = members.into_iter().filter_map(|(name, value)| {
                // The members of `properties` are the names of fields, of whatever text.
                let value = match value {
                    Value::Object(fields) if name == "properties" => {
                        Value::Object(fields.into_iter().map(|(field, schema)| (field, bare(schema))).collect())
                    }
                    value => bare(value),
                };
                is_kept(&name).then_some((name, value))
            });
            Value::Object(members.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(bare).collect()),
        other => other,
    }
}

/// A place in an Avro document, and the namespace that holds there.
#[derive(Clone, Copy)]
struct At<'a> {
    value: &'a Value,
    space: &'a str,
}

/// An Avro document and its named types.
struct Document<'a> {
    root: &'a Value,
    named: HashMap<String, At<'a>>,
}

impl<'a> Document<'a> {
    fn new(root: &'a Value) -> Self {
        let mut document = Self { root, named: HashMap::new() };
        document.collect(At { value: root, space: "" });
        document
    }

    fn collect(&mut self, at: At<'a>) {
        match at.value {
            Value::Array(branches) => branches.iter().for_each(|value| self.collect(At { value, ..at })),
            Value::Object(members) => {
                let mut inside = at.space;
                if let Some(name) = members.get("name").and_then(Value::as_str) {
                    let (space, full) = qualified(name, members.get("namespace").and_then(Value::as_str), at.space);
                    inside = space;
                    self.named.insert(full, At { value: at.value, space });
                }
                for (member, value) in members {
                    let within = At { value, space: inside };
                    match (member.as_str(), value) {
                        ("type" | "items" | "values", _) => self.collect(within),
                        ("fields", Value::Array(fields)) => {
                            let types = fields.iter().filter_map(|field| field.get("type"));
                            types.for_each(|value| self.collect(At { value, ..within }));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    /// The type at a place: names are looked up, and `{"type": …}` around a type is taken off.
    fn shape(&self, at: At<'a>) -> Shape<'a> {
        let mut at = at;
        loop {
            match at.value {
                Value::Array(branches) => return Shape::Union(branches, at.space),
                Value::String(name) if is_primitive(name) => return Shape::Primitive(name),
                Value::String(name) => match self.named.get(&qualified(name, None, at.space).1) {
                    Some(found) => at = *found,
                    None => return Shape::Unknown,
                },
                Value::Object(members) => {
                    let name = members.get("name").and_then(Value::as_str);
                    let namespace = members.get("namespace").and_then(Value::as_str);
                    let (space, full) = name.map_or((at.space, String::new()), |n| qualified(n, namespace, at.space));
                    let member = |name: &str| members.get(name).unwrap_or(&Value::Null);
                    match members.get("type") {
                        Some(Value::String(kind)) => match kind.as_str() {
                            "record" | "error" => {
                                let fields = member("fields").as_array().map_or(&[][..], Vec::as_slice);
                                return Shape::Record { full, fields, space };
                            }
                            "enum" => return Shape::Enum { full, symbols: member("symbols") },
                            "fixed" => return Shape::Fixed { full, size: member("size") },
                            "array" => return Shape::Array(At { value: member("items"), space }),
                            "map" => return Shape::Map(At { value: member("values"), space }),
                            _ => at = At { value: member("type"), ..at },
                        },
                        Some(_) => at = At { value: member("type"), ..at },
                        None => return Shape::Unknown,
                    }
                }
                _ => return Shape::Unknown,
            }
        }
    }
}

fn is_primitive(name: &str) -> bool {
    matches!(name, "null" | "boolean" | "int" | "long" | "float" | "double" | "bytes" | "string")
}

/// The namespace of a name, and the name with it.
fn qualified<'a>(name: &'a str, namespace: Option<&'a str>, around: &'a str) -> (&'a str, String) {
    if let Some((space, _)) = name.rsplit_once('.') {
        return (space, name.to_owned());
    }
    let space = namespace.unwrap_or(around);
    (space, if space.is_empty() { name.to_owned() } else { format!("{space}.{name}") })
}

enum Shape<'a> {
    Primitive(&'a str),
    Record { full: String, fields: &'a [Value], space: &'a str },
    Enum { full: String, symbols: &'a Value },
    Fixed { full: String, size: &'a Value },
    Array(At<'a>),
    Map(At<'a>),
    Union(&'a [Value], &'a str),
    Unknown,
}

struct Pair<'a> {
    ours: &'a Document<'a>,
    theirs: &'a Document<'a>,
    /// The fit that is looked for.
    fit: Fit,
    /// The records that are being compared or were, by their names: a record may hold itself.
    seen: HashSet<(String, String)>,
}

impl<'a> Pair<'a> {
    fn compare(&mut self, ours: At<'a>, theirs: At<'a>, path: &str) -> Result<(), String> {
        let differ = |what: &str| Err(format!("{what} at {path}"));
        match (self.ours.shape(ours), self.theirs.shape(theirs)) {
            (Shape::Primitive(a), Shape::Primitive(b)) if a == b || becomes(self.fit, a, b) => Ok(()),
            (Shape::Record { full, fields, space }, Shape::Record { full: other, fields: others, space: theirs }) => {
                self.records((full, fields, space), (other, others, theirs), path)
            }
            (Shape::Enum { full, symbols }, Shape::Enum { full: other, symbols: others }) => {
                let known = |symbol: &Value| others.as_array().is_some_and(|others| others.contains(symbol));
                let all = symbols == others
                    || (self.fit == Fit::Rewritten && symbols.as_array().is_some_and(|own| own.iter().all(known)));
                if short(&full) == short(&other) && all { Ok(()) } else { differ("the enums differ") }
            }
            (Shape::Fixed { full, size }, Shape::Fixed { full: other, size: others }) => {
                if short(&full) == short(&other) && size == others { Ok(()) } else { differ("the sizes differ") }
            }
            (Shape::Array(a), Shape::Array(b)) => self.compare(a, b, &format!("{path}items/")),
            (Shape::Map(a), Shape::Map(b)) => self.compare(a, b, &format!("{path}values/")),
            (Shape::Union(a, space), Shape::Union(b, other)) if self.fit == Fit::Same => {
                if a.len() != b.len() {
                    return differ("the unions differ");
                }
                for (place, (a, b)) in a.iter().zip(b).enumerate() {
                    let path = format!("{path}{place}/");
                    self.compare(At { value: a, space }, At { value: b, space: other }, &path)?;
                }
                Ok(())
            }
            (Shape::Union(branches, space), _) if self.fit == Fit::Rewritten => {
                for (place, value) in branches.iter().enumerate() {
                    self.compare(At { value, space }, theirs, &format!("{path}{place}/"))?;
                }
                Ok(())
            }
            (_, Shape::Union(branches, space)) if self.fit == Fit::Rewritten => {
                for value in branches {
                    let before = self.seen.clone();
                    if self.compare(ours, At { value, space }, path).is_ok() {
                        return Ok(());
                    }
                    self.seen = before;
                }
                differ("the union has no such type")
            }
            _ => differ("the types differ"),
        }
    }

    fn records(
        &mut self,
        (full, fields, space): (String, &'a [Value], &'a str),
        (other, others, theirs): (String, &'a [Value], &'a str),
        path: &str,
    ) -> Result<(), String> {
        if short(&full) != short(&other) {
            return Err(format!("the record is {full} and not {other} at {path}"));
        }
        if !self.seen.insert((full, other)) {
            return Ok(());
        }
        let name = |field: &Value| field.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let (mine, registered): (Vec<_>, Vec<_>) =
            (fields.iter().map(name).collect(), others.iter().map(name).collect());
        if mine != registered {
            return Err(format!("the fields are {} and not {} at {path}", mine.join(", "), registered.join(", ")));
        }
        for ((a, b), name) in fields.iter().zip(others).zip(mine) {
            let of = |field: &'a Value| field.get("type").unwrap_or(&Value::Null);
            let path = format!("{path}{name}/");
            self.compare(At { value: of(a), space }, At { value: of(b), space: theirs }, &path)?;
        }
        Ok(())
    }
}

/// Whether a value of the primitive type `ours` can be written as one of `theirs`. An int and a long of the same number
/// have the same bytes, and so have a string and its bytes.
fn becomes(fit: Fit, ours: &str, theirs: &str) -> bool {
    match (ours, theirs) {
        ("int", "long") | ("string", "bytes") | ("bytes", "string") => true,
        ("int" | "long", "float" | "double") | ("float", "double") => fit == Fit::Rewritten,
        _ => false,
    }
}

fn short(full: &str) -> &str {
    full.rsplit('.').next().unwrap_or(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: DocumentKind, ours: &str, theirs: &str, expect: Result<Fit, &str>) {
        assert_eq!(fits(kind, ours, theirs).as_ref().map(|fit| *fit).map_err(String::as_str), expect);
    }

    fn row(fields: &str) -> String {
        format!(r#"{{"type":"record","name":"R","namespace":"n","fields":[{fields}]}}"#)
    }

    const A: &str = r#"{"name":"a","type":["null","int"],"default":null}"#;

    #[test]
    fn avro_with_the_same_bytes() {
        let same = |a: &str, b: &str| check(DocumentKind::Avro, a, b, Ok(Fit::Same));
        same("\"int\"", "{\"type\":\"int\",\"connect.type\":\"int16\"}");
        same("\"int\"", "\"long\"");
        same("\"bytes\"", "{\"type\":\"string\"}");
        same(&row(A), &row(r#"{"name":"a","type":["null",{"type":"int","connect.doc":"x"}],"doc":"y"}"#));
        same(&row(A), &row(A).replace("\"n\"", "\"m\""));
        // Names by reference, with and without a namespace, and a record that holds itself.
        let list = r#"{"name":"next","type":["null","R"]}"#;
        same(&row(list), &row(&list.replace("\"R\"", "\"n.R\"")));
        let twice = r#"{"name":"x","type":{"type":"fixed","name":"m.F","size":4}},{"name":"y","type":"m.F"}"#;
        same(&row(twice), &row(twice));
        let before = r#"{"name":"b","type":["null",{"type":"record","name":"V","fields":[{"name":"i","type":"int"}]}]},{"name":"c","type":["null","V"]}"#;
        same(&row(before), &row(before));
        same("{\"type\":\"map\",\"values\":\"int\"}", "{\"type\":\"map\",\"values\":\"long\"}");
    }

    #[test]
    fn avro_that_must_be_rewritten() {
        let other = |a: &str, b: &str| check(DocumentKind::Avro, a, b, Ok(Fit::Rewritten));
        other("\"float\"", "\"double\"");
        other("\"int\"", "[\"null\",\"double\"]");
        other(&row(A), &row(r#"{"name":"a","type":["int","null"]}"#));
        other(&row(A), &row(r#"{"name":"a","type":["string","null","long"]}"#));
        let e = r#"{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}}"#;
        other(&row(e), &row(&e.replace("[\"A\",\"B\"]", "[\"B\",\"A\",\"C\"]")));
    }

    #[test]
    fn avro_that_does_not_fit() {
        let not = |a: &str, b: &str, why: &str| check(DocumentKind::Avro, a, b, Err(why));
        not("\"long\"", "\"int\"", "the types differ at /");
        not("\"int\"", "[\"null\",\"string\"]", "the union has no such type at /");
        not(&row(A), &row(r#"{"name":"a","type":"int"}"#), "the types differ at /a/0/");
        not(&row(A), &row(&format!(r#"{A},{{"name":"b","type":"int"}}"#)), "the fields are a and not a, b at /");
        not(&row(A), &row(A).replace("\"R\"", "\"S\""), "the record is n.R and not n.S at /");
        not(&row(A), "[\"int\"]", "the union has no such type at /");
        let fixed = r#"{"name":"x","type":{"type":"fixed","name":"m.F","size":4}}"#;
        not(&row(fixed), &row(&fixed.replace('4', "5")), "the sizes differ at /x/");
        let e = r#"{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}}"#;
        not(&row(e), &row(&e.replace("\"A\",", "")), "the enums differ at /e/");
        not(
            "{\"type\":\"array\",\"items\":\"int\"}",
            "{\"type\":\"array\",\"items\":\"string\"}",
            "the types differ at /items/",
        );
        not("\"int\"", "{", "the registry's schema is no JSON");
        not("\"int\"", "\"Unknown\"", "the types differ at /");
    }

    #[test]
    fn json_and_protobuf() {
        let json = DocumentKind::Json;
        let ours = r#"{"type":"object","title":"a","properties":{"title":{"type":"integer","connect.index":0}}}"#;
        check(json, ours, r#"{"properties":{"title":{"type":"integer"}},"type":"object"}"#, Ok(Fit::Same));
        check(json, ours, r#"{"properties":{},"type":"object"}"#, Err("the JSON schemas differ"));
        let proto = DocumentKind::Protobuf;
        let ours = "syntax = \"proto3\";\nmessage A { int32 a = 1; }";
        check(proto, ours, "syntax=\"proto3\"; // x\nmessage A {\n int32 a=1;\n}", Ok(Fit::Same));
        check(proto, ours, &format!("{ours} message B {{}}"), Ok(Fit::Rewritten));
        check(proto, ours, &ours.replace("int32", "bool"), Err("there is no field A.a of type int32 with number 1"));
    }
}
