//! The keys of `io.confluent.connect.json.JsonSchemaConverter` beside those of the registry.
//!
//! Must not know: how the mapping is done.

use crate::convert::mapping_keys::{NULLABLES, RULES, SINGLETONS};
use settings::{Check, Key, Kind, Support};

const SUM_TYPES: &str = "the schemas of the connectors here have no unions or enums of Confluent's kind";

/// The keys that decide the mapping.
pub(super) const KEYS: &[Key] = &[
    Key::new("schemas.cache.config", Kind::Int)
        .default("1000")
        .low()
        .doc("Number of schemas whose JSON Schema the Java converter keeps.")
        .support(Support::NoEffect("a schema is converted once a topic, and kept with the topic")),
    Key::new("generalized.sum.type.support", Kind::Boolean)
        .default("false")
        .doc("Whether enums and unions are recognised by the parameters that all of Confluent's formats share.")
        .support(Support::NoEffect(SUM_TYPES)),
    NULLABLES,
    Key::new("object.additional.properties", Kind::Boolean)
        .default("true")
        .doc("Whether the document lets objects have properties that it does not name."),
    Key::new("use.optional.for.nonrequired", Kind::Boolean)
        .default("false")
        .doc("Whether properties that are not required are optional.")
        .support(Support::NoEffect("only reading uses it, in Java too")),
    Key::new("ignore.modern.dialects", Kind::Boolean)
        .default("false")
        .low()
        .doc("Whether dialects of JSON Schema after draft 7 are read as draft 7.")
        .support(Support::NoEffect("only reading uses it, in Java too")),
    Key::new("decimal.format", Kind::String)
        .default("BASE64")
        .low()
        .checks(&[Check::OneOfAnyCase(&["BASE64", "NUMERIC"])])
        .doc("How decimals (Connect's Decimal) are written: BASE64 (the bytes of the unscaled value, in base64) or NUMERIC (a JSON number)."),
    SINGLETONS,
    Key::new("preserve.additional.properties", Kind::Boolean)
        .default("false")
        .doc("Whether properties that the document does not name are kept when they are read.")
        .support(Support::NoEffect("only what was read with it has such properties")),
    Key::new("json.fail.invalid.schema", Kind::Boolean)
        .default("false")
        .low()
        .doc("Whether each record is held against the document before it is sent.")
        .support(Support::NoEffect("a record fits the document that is made of its schema, and another document is held against that one")),
    Key::new("json.validate.before.domain.rules", Kind::Boolean)
        .default("false")
        .low()
        .doc("Whether records are held against the document before rules of a data contract have changed them.")
        .support(Support::NoEffect("rules of data contracts are not run")),
    Key::new("json.oneof.for.nullables", Kind::Boolean)
        .default("true")
        .low()
        .doc("Whether documents that are made of Java classes have a null beside the type.")
        .support(Support::NoEffect("a converter makes documents of schemas, never of classes")),
    Key::new("json.schema.spec.version", Kind::String)
        .default("draft_7")
        .low()
        .doc("The version of JSON Schema for documents that are made of Java classes.")
        .support(Support::NoEffect("a converter makes documents of schemas, never of classes")),
    Key::new("json.indent.output", Kind::Boolean)
        .default("false")
        .low()
        .doc("Whether records are written over several lines.")
        .support(Support::Refused(
            "records are always written on one line",
            "Remove it; consumers read both forms.",
        )),
    Key::new("json.default.property.inclusion", Kind::String)
        .low()
        .doc("Which properties of Java objects are written.")
        .support(Support::NoEffect("a converter never writes Java objects")),
    RULES,
];
