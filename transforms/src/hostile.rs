//! Feeds arbitrary bytes to the code that reads texts of users' tables: nothing may panic, and what is made of a text must fit
//! its schema.
//!
//! The fuzz targets (`fuzz/`) call these functions with libFuzzer's inputs; unit tests call them with texts that are nearly
//! right.

use record::{Adjustment, Kind, Logical, Schema, Value};

use crate::expand_json::{Expander, Nulls};

pub use crate::script::hostile::expression;

/// Expands a JSON text. The first byte holds the options; the rest is the text.
///
/// # Panics
/// If the expansion panics, or gives a value that does not fit its schema.
pub fn expand_json(bytes: &[u8]) {
    let Some((flags, text)) = bytes.split_first() else { return };
    let nulls = if flags & 1 == 0 { Nulls::Ignore } else { Nulls::OptionalBytes };
    let names = match flags >> 1 & 3 {
        0 => Adjustment::Avro,
        1 => Adjustment::None,
        _ => Adjustment::AvroUnicode,
    };
    let text = String::from_utf8_lossy(text);
    let mut expander = Expander::new(nulls, names);
    if let Ok((schema, value)) = expander.expand("payload", &text) {
        assert!(fits(&schema, &value), "a value does not fit its schema");
        let again = expander.expand("payload", &text);
        assert!(again.is_ok_and(|(same, _)| same.id == schema.id), "the same text has another schema");
    }
}

fn fits(schema: &Schema, value: &Value) -> bool {
    assert_eq!(schema.logical, Logical::Plain);
    match (&schema.kind, value) {
        (_, Value::Null) => schema.optional,
        (Kind::Bool, Value::Bool(_)) | (Kind::String, Value::Text(_)) | (Kind::Float64, Value::Double(_)) => true,
        (Kind::Int32, Value::Int(number)) => i32::try_from(*number).is_ok(),
        (Kind::Int64, Value::Int(_)) => true,
        (Kind::Array(of), Value::Array(items)) => items.iter().all(|item| fits(of, item)),
        (Kind::Struct(fields), Value::Struct(values)) => {
            fields.len() == values.len()
                && fields.iter().zip(values).all(|(field, value)| !field.name.is_empty() && fits(&field.schema, value))
        }
        _ => false,
    }
}
