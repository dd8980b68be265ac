//! Any Connect value, written by us: the crates `protox` and `prost-reflect` understand our document and read the same value.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage, Value as Read};
use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use record::{Kind, Logical, Schema, Value};

use super::document::document;
use super::error::ProtobufError;
use super::model::{Model, model};
use super::plan::plan;
use super::write::write_record;
use super::{Family, Options, flat};
use crate::convert::ConvertError;
use crate::convert::tests::any::{schemas, values};

/// Files that registries know, as far as our documents use them.
const KNOWN: &[(&str, &str)] = &[
    (
        "confluent/meta.proto",
        "syntax = \"proto3\"; package confluent; import \"google/protobuf/descriptor.proto\";\
         message Meta { string doc = 1; map<string, string> params = 2; }\
         extend google.protobuf.FieldOptions { Meta field_meta = 1088; }",
    ),
    (
        "confluent/type/decimal.proto",
        "syntax = \"proto3\"; package confluent.type; message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }",
    ),
    (
        "google/type/date.proto",
        "syntax = \"proto3\"; package google.type; message Date { int32 year = 1; int32 month = 2; int32 day = 3; }",
    ),
    (
        "google/type/timeofday.proto",
        "syntax = \"proto3\"; package google.type; message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; \
         int32 nanos = 4; }",
    ),
];

struct Files(HashMap<String, String>);

impl FileResolver for Files {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.get(name) {
            Some(text) => File::from_source(name, text),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// A message of a document, as the oracle understands it.
fn message(text: &str, name: &str) -> MessageDescriptor {
    // Registries know the file in which the option of fields is defined without an import.
    let imported = text.replacen("\n\nmessage", "\nimport \"confluent/meta.proto\";\n\nmessage", 1);
    let text = if text.contains("confluent.field_meta") { imported } else { text.to_owned() };
    let known = KNOWN.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let files = Files(known.chain([("t.proto".to_owned(), text.clone())]).collect());
    let mut resolver = ChainFileResolver::new();
    resolver.add(GoogleFileResolver::new());
    resolver.add(files);
    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_imports(true);
    if let Err(error) = compiler.open_file("t.proto") {
        panic!("{error:?}\n{text}");
    }
    let pool = DescriptorPool::from_file_descriptor_set(compiler.file_descriptor_set()).unwrap();
    pool.get_message_by_name(name).unwrap()
}

/// Whether the oracle read what was written. A null is written as the default, or left out and so read as zero.
fn same(schema: &Schema, value: &Value, read: Option<&Read>, is_field: bool) -> bool {
    let value = match (value, &schema.default) {
        (Value::Null, Some(default)) if is_field => default,
        (value, _) => value,
    };
    let Some(read) = read else { return *value == Value::Null };
    let part = |message: &DynamicMessage, name: &str| message.get_field_by_name(name).map(std::borrow::Cow::into_owned);
    let whole = |message: &DynamicMessage, name: &str| match part(message, name) {
        Some(Read::I32(number)) => i64::from(number),
        Some(Read::I64(number)) => number,
        Some(Read::U32(number)) => i64::from(number),
        _ => 0,
    };
    match (&schema.kind, schema.logical, value, read) {
        (_, _, Value::Null, Read::Message(_)) => false,
        (_, _, Value::Null, _) => true,
        (_, Logical::Decimal { .. }, Value::Decimal { unscaled, scale }, Read::Message(message)) => {
            part(message, "value") == Some(Read::Bytes(unscaled.clone().into()))
                && whole(message, "scale") == i64::from(*scale)
        }
        (_, Logical::Date, Value::Int(_), Read::Message(message)) => (1..=12).contains(&whole(message, "month")),
        (_, Logical::Time, Value::Int(ms), Read::Message(message)) => {
            let seconds = whole(message, "hours") * 3600 + whole(message, "minutes") * 60 + whole(message, "seconds");
            (seconds * 1000 + whole(message, "nanos") / 1_000_000) % 86_400_000 == *ms % 86_400_000
        }
        (_, Logical::Timestamp, Value::Int(ms), Read::Message(message)) => {
            whole(message, "seconds") * 1000 + whole(message, "nanos") / 1_000_000 == *ms
        }
        // A list inside of another one, or in a map.
        (Kind::Array(_), _, value, Read::Message(message)) => {
            same(schema, value, part(message, "items").as_ref(), is_field)
        }
        // A wrapper.
        (_, Logical::Plain, value, Read::Message(message)) if !matches!(schema.kind, Kind::Struct(_)) => {
            let plain = schema.edit().default(None).build();
            same(&plain, value, part(message, "value").as_ref(), false)
        }
        (_, _, Value::Bool(value), Read::Bool(read)) => value == read,
        (_, _, Value::Int(value), Read::I32(read)) => *value == i64::from(*read),
        (_, _, Value::Int(value), Read::I64(read)) => value == read,
        (_, _, Value::Float(value), Read::F32(read)) => value.to_bits() == read.to_bits(),
        (_, _, Value::Double(value), Read::F64(read)) => value.to_bits() == read.to_bits(),
        (_, _, Value::Text(value), Read::String(read)) => value == read,
        (_, _, Value::Bytes(value), Read::Bytes(read)) => value[..] == read[..],
        (Kind::Array(items), _, Value::Array(values), Read::List(read)) => {
            values.len() == read.len()
                && values.iter().zip(read).all(|(value, read)| same(items, value, Some(read), false))
        }
        (Kind::Map(keys, of), _, Value::Map(entries), Read::List(read)) => {
            let found = |((key, value), read): (&(Value, Value), &Read)| {
                let Read::Message(entry) = read else { return false };
                let there = |name: &str| {
                    let field = entry.descriptor().get_field_by_name(name).unwrap();
                    (!field.supports_presence() || entry.has_field(&field)).then(|| part(entry, name).unwrap())
                };
                same(keys, key, there("key").as_ref(), false) && same(of, value, there("value").as_ref(), false)
            };
            entries.len() == read.len() && entries.iter().zip(read).all(found)
        }
        (Kind::Struct(fields), _, Value::Struct(values), Read::Message(message)) => {
            fields.iter().zip(values).all(|(field, value)| {
                let of = message.descriptor().get_field_by_name(&field.name).unwrap();
                let read =
                    (!of.supports_presence() || message.has_field(&of)).then(|| message.get_field(&of).into_owned());
                same(&field.schema, value, read.as_ref(), true)
            })
        }
        _ => false,
    }
}

/// A struct of a few fields, some of which may be null.
fn struct_and_value() -> impl Strategy<Value = (Arc<Schema>, Value)> {
    let field = (schemas(), any::<bool>()).prop_map(|(schema, optional)| schema.edit().optional_if(optional).build());
    prop::collection::vec(field, 1..4).prop_flat_map(|fields| {
        let names = ["x", "y", "z"];
        let schema = Schema::of(Kind::structure(names.into_iter().zip(fields))).named("test.pack.Row", None).build();
        values(&schema).prop_map(move |value| (schema.clone(), value))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, max_global_rejects: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back((schema, value) in struct_and_value(), optional: bool, wrapper: bool) {
        let options = Options { family: Family::Confluent, optional, wrapper, keep_null: false, scrub_names: false };
        reads_back(&schema, &value, options, || model(&schema, options).map(|model| (document(&model), model)))?;
    }

    #[test]
    fn what_apicurios_writes_is_read_back((schema, value) in struct_and_value()) {
        let options =
            Options { family: Family::Apicurio, optional: true, wrapper: false, keep_null: false, scrub_names: true };
        let made = || {
            let (model, order) = flat::model(&schema, options)?;
            // Protobuf's compiler does not let a document say this, but the registry does.
            Ok((flat::document(&model, &order).replace("  option map_entry = true;\n", ""), model))
        };
        reads_back(&schema, &value, options, made)?;
    }
}

fn reads_back(
    schema: &Schema,
    value: &Value,
    options: Options,
    made: impl FnOnce() -> Result<(String, Model), ConvertError>,
) -> Result<(), TestCaseError> {
    let mut out = Vec::new();
    let (text, model) = match made() {
        Ok(made) => made,
        // What the converters cannot express.
        Err(ConvertError::Protobuf { error: ProtobufError::NestedArray | ProtobufError::Keys, .. }) => {
            return Err(TestCaseError::reject(""));
        }
        Err(error) => panic!("{error}"),
    };
    match write_record(&plan(schema, &model, options), value, &mut out) {
        Ok(()) => {}
        Err(ConvertError::Protobuf { .. }) => return Err(TestCaseError::reject("")),
        Err(error) => panic!("{error}"),
    }
    let read = DynamicMessage::decode(message(&text, "test.pack.Row"), &out[..]).unwrap();
    prop_assert_eq!(read.unknown_fields().count(), 0);
    prop_assert!(same(schema, value, Some(&Read::Message(read.clone())), false), "{}\n{:?}\n{:?}", text, value, read);
    Ok(())
}
