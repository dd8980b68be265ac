//! What Java answered about schemas and values, held against this crate's answers.

mod cases;
mod encoders;
mod property;

use record::{Kind, Schema, Value};
use settings::Properties;

use self::cases::Case;
use super::document::document;
use super::options::{Family, Options};
use super::parse::parse;
use super::plan::plan;
use super::write::write_owned;
use crate::convert::ConvertError;

#[track_caller]
fn check(case: &Case, family: Family, expect: &Result<String, String>) {
    let schemaless = || Schema::of(Kind::String).schemaless().build();
    let made = document(&case.schema.clone().unwrap_or_else(schemaless), Options::read(family, &case.options));
    match (made, expect) {
        (Ok(made), Ok(expect)) => assert_eq!(&made, expect, "{family:?} {}", case.line),
        (Err(_), Err(_)) => {}
        (made, expect) => panic!("{family:?} {}\n  wanted {expect:?}\n  made {made:?}", case.line),
    }
}

#[test]
fn documents_equal_java_to_the_letter() {
    let cases = cases::read();
    assert!(cases.len() > 100, "{} cases", cases.len());
    for case in &cases {
        check(case, Family::Confluent, &case.confluent);
        check(case, Family::Apicurio, &case.apicurio);
    }
}

/// Writes a value as the document of its schema says.
fn bytes(schema: &Schema, value: &Value, document: &str, options: Options) -> Result<Vec<u8>, ConvertError> {
    let of = parse(document).map_err(|error| ConvertError::Avro { field: "".into(), error })?;
    let mut out = Vec::new();
    write_owned(&plan(schema, &of, options)?, value, &mut out)?;
    Ok(out)
}

#[test]
fn bytes_equal_java() {
    let mut compared = 0;
    for case in &cases::read() {
        let (Some(schema), Some(value)) = (&case.schema, &case.value) else { continue };
        if *value == Value::Null {
            continue;
        }
        for (family, document, expect) in [
            (Family::Confluent, &case.confluent, &case.confluent_bytes),
            (Family::Apicurio, &case.apicurio, &case.apicurio_bytes),
        ] {
            let (Ok(document), Some(expect)) = (document, expect) else { continue };
            let made = bytes(schema, value, document, Options::read(family, &case.options));
            compared += 1;
            match (made, expect) {
                (Ok(made), Ok(expect)) => assert_eq!(&made, expect, "{family:?} {}", case.line),
                (Err(_), Err(_)) => {}
                (made, expect) => panic!("{family:?} {}\n  wanted {expect:?}\n  made {made:?}", case.line),
            }
        }
    }
    assert!(compared > 300, "{compared} compared");
}

#[test]
fn documents_of_a_debezium_table() {
    for part in ["key", "value"] {
        let of = cases::schema(&serde_json::from_str(&cases::file(&format!("kinds.{part}.connect.json"))).unwrap());
        let golden: serde_json::Value = serde_json::from_str(&cases::file(&format!("kinds.{part}.avsc"))).unwrap();
        for family in [Family::Confluent, Family::Apicurio] {
            let made = document(&of, Options::read(family, &Properties::new())).unwrap();
            assert_eq!(made, golden.to_string(), "{part} {family:?}");
        }
    }
}

#[test]
fn errors_name_the_field_and_what_to_do() {
    let row = Schema::of(Kind::structure([("odd-name", Schema::of(Kind::Int32).build())])).named("p.Value", None);
    let envelope = Schema::of(Kind::structure([("after", row.optional().build())])).named("p.Envelope", None).build();
    let error = document(&envelope, Options::read(Family::Confluent, &Properties::new())).unwrap_err();
    assert_eq!(error.to_string(), "Illegal character in: odd-name");
    assert_eq!(error.field(), "after.odd-name");
    assert!(error.remedy().contains("field.name.adjustment.mode=avro"), "{}", error.remedy());
}
