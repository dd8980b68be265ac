//! What Java answered about schemas and values, held against this crate's answers.

use super::Options;
use super::document::document;
use crate::convert::json::SparseJson;
use crate::convert::tests::answers::{self, Case, first_difference};

#[test]
fn documents_equal_java_to_the_letter() {
    let (mut count, mut wrong) = (0, 0);
    for case in &answers::read("converters/json_schema.jsonl") {
        let Some(Ok(Some(expect))) = case.answer("document") else { continue };
        let made = document(case.schema.as_ref().unwrap(), Options::read(&case.options));
        count += 1;
        if made != expect {
            wrong += 1;
            println!("{}\n{}", case.line, first_difference(&made, &expect));
        }
    }
    assert_eq!(wrong, 0);
    assert!(count > 300, "{count}");
}

fn payload(case: &Case) -> Result<Option<String>, String> {
    let payload = case.payload();
    let Some(part) = payload.part() else { return Ok(None) };
    let mut out = Vec::new();
    let mut writer = SparseJson::of(&part, b"", Options::read(&case.options).style()).unwrap();
    match writer.write(&payload, &mut out) {
        Ok(there) => Ok(there.then(|| String::from_utf8(out).unwrap())),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn payloads_equal_java() {
    let (mut count, mut wrong) = (0, 0);
    for case in &answers::read("converters/json_schema.jsonl") {
        let Some(expect) = case.answer("payload") else { continue };
        let made = payload(case);
        count += 1;
        if made != expect {
            wrong += 1;
            println!("{}\n  wanted {expect:?}\n  made   {made:?}", case.line);
        }
    }
    assert_eq!(wrong, 0);
    assert!(count > 250, "{count}");
}
