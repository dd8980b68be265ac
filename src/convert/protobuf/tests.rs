//! What Java answered about schemas and values, held against this crate's answers.

use record::{Frame, Kind, Node, Part, Schema, Value, ValueRef};

use super::document::{WRAPPERS, document};
use super::model::{model, scalar};
use super::plan::{plan, plan_scalar};
use super::write::{write_members, write_record, write_root};
use super::{Family, Options, flat};
use crate::convert::ConvertError;
use crate::convert::tests::answers::{self, Case, first_difference};

fn text(schema: &Schema, options: Options) -> Result<String, ConvertError> {
    match schema.kind {
        Kind::Struct(_) => model(schema, options).map(|model| document(&model)),
        _ if scalar(&schema.kind).is_some() => Ok(WRAPPERS.to_owned()),
        _ => Err(super::root(schema)),
    }
}

/// What an error says, without where.
fn what(error: &str) -> &str {
    error.rsplit(": ").next().unwrap_or_default()
}

#[track_caller]
fn check(case: &Case, made: &Result<Option<String>, String>, expect: &Result<Option<String>, String>, wrong: &mut u32) {
    match (made, expect) {
        // Java says more of some values, and looks at the innermost message first.
        (Err(made), Err(expect)) if expect.starts_with(made.as_str()) || what(expect) == what(made) => {}
        (made, expect) if *made == *expect => {}
        (Ok(Some(made)), Ok(Some(expect))) => {
            *wrong += 1;
            println!("{}\n{}", case.line, first_difference(made, expect));
        }
        (made, expect) => {
            *wrong += 1;
            println!("{}\n  wanted {expect:?}\n  made   {made:?}", case.line);
        }
    }
}

#[test]
fn documents_equal_java_to_the_letter() {
    let (mut count, mut wrong) = (0, 0);
    for case in &answers::read("converters/protobuf.jsonl") {
        let (Some(schema), Some(expect)) = (&case.schema, case.answer("document")) else { continue };
        let made = text(schema, Options::read(&case.options)).map(Some).map_err(|error| error.to_string());
        count += 1;
        check(case, &made, &expect, &mut wrong);
    }
    assert_eq!(wrong, 0);
    assert!(count > 200, "{count}");
}

/// The bytes by the quick way, from cells, and by way of one owned value.
fn bytes(case: &Case) -> [Result<Option<String>, String>; 2] {
    let (Some(schema), Some(value)) = (&case.schema, &case.value) else { return [Ok(None), Ok(None)] };
    if *value == Value::Null {
        return [Ok(None), Ok(None)];
    }
    let options = Options::read(&case.options);
    let (mut quick, mut slow) = (Vec::new(), Vec::new());
    let (one, other) = if let Some(item) = plan_scalar(schema) {
        let done = write_root(&item, &ValueRef::Shared(value), &mut quick);
        slow.clone_from(&quick);
        (done.clone(), done)
    } else {
        let members = plan(schema, &model(schema, options).unwrap(), options);
        let nodes: Vec<Node> = Part::owned(schema.clone(), 0).fields().map(|(_, part)| part.node).collect();
        let frame = Frame { decoded: None, owned: std::slice::from_ref(value) };
        (write_members(&members, &nodes, frame, &mut quick), write_record(&members, value, &mut slow))
    };
    let shown = |done: Result<(), ConvertError>, bytes: &[u8]| {
        done.map(|()| Some(answers::hex(bytes))).map_err(|error| error.to_string())
    };
    [shown(one, &quick), shown(other, &slow)]
}

#[test]
fn bytes_equal_java() {
    let (mut count, mut wrong) = (0, 0);
    for case in &answers::read("converters/protobuf.jsonl") {
        let Some(expect) = case.answer("bytes") else { continue };
        count += 1;
        for made in bytes(case) {
            check(case, &made, &expect, &mut wrong);
        }
    }
    assert_eq!(wrong, 0);
    assert!(count > 200, "{count}");
}

/// Apicurio's converter: documents and bytes, with the name of the message before them.
#[test]
fn apicurios_are_as_in_java() {
    let options =
        Options { family: Family::Apicurio, optional: true, wrapper: false, keep_null: false, scrub_names: true };
    let (mut count, mut wrong) = (0, 0);
    for case in &answers::read("converters/apicurio_protobuf.jsonl") {
        let (Some(schema), Some(value)) = (&case.schema, &case.value) else { continue };
        let made = flat::model(schema, options).and_then(|(model, order)| {
            let mut out = Vec::new();
            write_record(&plan(schema, &model, options), value, &mut out)?;
            Ok((flat::document(&model, &order), format!("{} {}", model.messages[0].name, answers::hex(&out))))
        });
        for (question, is_document) in [("document", true), ("bytes", false)] {
            let one = |(document, bytes): (String, String)| Some(if is_document { document } else { bytes });
            let made = made.clone().map(one).map_err(|error| error.to_string());
            check(case, &made, &case.answer(question).unwrap(), &mut wrong);
            count += 1;
        }
    }
    assert_eq!(wrong, 0);
    assert!(count > 200, "{count}");
}
