//! The keys of `io.confluent.connect.protobuf.ProtobufConverter` beside those of the registry.
//!
//! Must not know: how the mapping is done.

use crate::convert::mapping_keys::{NULLABLES, RULES};
use settings::{Key, Kind, Support};

const ONLY_READING: Support = Support::NoEffect("only reading uses it, in Java too");
const NO_SUM_TYPES: Support =
    Support::NoEffect("the schemas of the connectors here have no unions or enums of Confluent's kind");
const NO_REFERENCES: Support =
    Support::NoEffect("documents refer to files of Google's and Confluent's only, which every registry knows");

/// The keys that decide the mapping.
pub(super) const KEYS: &[Key] = &[
    Key::new("schemas.cache.config", Kind::Int)
        .default("1000")
        .low()
        .doc("Number of schemas whose Protobuf form the Java converter keeps.")
        .support(Support::NoEffect("a schema is converted once a topic, and kept with the topic")),
    Key::new("generalized.sum.type.support", Kind::Boolean)
        .default("false")
        .doc("Whether enums and unions are recognised by the parameters that all of Confluent's formats share.")
        .support(NO_SUM_TYPES),
    NULLABLES,
    Key::new("enhanced.protobuf.schema.support", Kind::Boolean)
        .default("false")
        .doc("Whether the names of packages are kept when messages are read.")
        .support(ONLY_READING),
    Key::new("scrub.invalid.names", Kind::Boolean).default("false").doc(
        "Whether names that Protobuf does not allow are changed: characters are encoded as in a web form, what is no letter, digit \
         or underscore then becomes an underscore, and a first digit or underscore gets an x before it.",
    ),
    Key::new("int.for.enums", Kind::Boolean)
        .default("false")
        .doc("Whether enums are read as numbers.")
        .support(ONLY_READING),
    Key::new("optional.for.nullables", Kind::Boolean)
        .default("false")
        .doc("Whether a field that may be null is optional in the document, so that readers can tell null from zero."),
    Key::new("optional.for.proto2", Kind::Boolean)
        .default("true")
        .doc("Whether optional fields of documents in proto2 may be null.")
        .support(ONLY_READING),
    Key::new("wrapper.for.nullables", Kind::Boolean).default("false").doc(
        "Whether a number, text or bytes that may be null are one of Google's messages that hold one value, so that readers can \
         tell null from zero.",
    ),
    Key::new("wrapper.for.raw.primitives", Kind::Boolean)
        .default("true")
        .doc("Whether a record that is one of Google's messages that hold one value is read as that value.")
        .support(ONLY_READING),
    Key::new("generate.struct.for.nulls", Kind::Boolean)
        .default("false")
        .doc("Whether a message that is missing is read as an empty one.")
        .support(ONLY_READING),
    Key::new("generate.index.for.unions", Kind::Boolean)
        .default("true")
        .doc("Whether the names of unions that are read end with a number.")
        .support(ONLY_READING),
    Key::new("flatten.unions", Kind::Boolean)
        .default("false")
        .doc("Whether the fields of unions that are read stand beside the other fields.")
        .support(ONLY_READING),
    Key::new("reference.lookup.only", Kind::Boolean)
        .default("false")
        .low()
        .doc("Whether documents that a document refers to are never registered.")
        .support(NO_REFERENCES),
    Key::new("reference.subject.name.strategy", Kind::Class)
        .default("io.confluent.kafka.serializers.subject.DefaultReferenceSubjectNameStrategy")
        .low()
        .doc("Under which subject a document that another one refers to is registered.")
        .support(NO_REFERENCES),
    Key::new("skip.known.types", Kind::Boolean)
        .default("true")
        .low()
        .doc("Whether files that every registry knows (Google's and Confluent's types) are not registered.")
        .support(Support::Refused(
            "the files of Google's and Confluent's types are not registered here",
            "Leave it at true: registries know these files.",
        )),
    RULES,
];
