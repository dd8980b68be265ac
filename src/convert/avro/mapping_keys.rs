//! The keys of both Avro converters that decide the mapping; those of the registry are in `src/convert/registry/`.
//!
//! Must not know: how the mapping is done.

use crate::convert::mapping_keys::{NULLABLES, RULES, SINGLETONS};
use settings::{Key, Kind, Support};

const CACHE: Key = Key::new("schemas.cache.config", Kind::Int)
    .default("1000")
    .low()
    .doc("Number of schemas whose Avro form the Java converter keeps.")
    .support(Support::NoEffect("a schema is converted once a topic, and kept with the topic"));

const META_DATA: Key = Key::new("connect.meta.data", Kind::Boolean).default("true").low().doc(
    "Whether the Avro schema carries what only Connect knows (name, version, parameters, default of a type), in properties \
     whose names begin with connect.",
);

const ENUMS: Key = Key::new("enhanced.avro.schema.support", Kind::Boolean).default("false").doc(
    "Whether a text whose schema has the parameter io.confluent.connect.avro.Enum and one for each symbol becomes an Avro enum. \
     The schemas of the connectors here have no such parameters.",
);

/// The keys of `io.confluent.connect.avro.AvroConverter`.
pub(super) const CONFLUENT: &[Key] = &[
    Key::new("generalized.sum.type.support", Kind::Boolean).default("false").doc(
        "Whether enums and unions are recognised by the parameters that all of Confluent's formats share \
         (org.apache.kafka.connect.data.Enum, org.apache.kafka.connect.data.Union).",
    ),
    NULLABLES,
    CACHE,
    ENUMS,
    Key::new("scrub.invalid.names", Kind::Boolean).default("false").doc(
        "Whether names that Avro does not allow are changed: characters are encoded as in a web form, what is no letter, digit \
         or underscore then becomes an underscore, and a first digit gets an x before it.",
    ),
    META_DATA,
    Key::new("discard.type.doc.default", Kind::Boolean).default("false").low().doc(
        "Whether the documentation of a field's schema becomes the documentation of the Avro field, and the documentation of \
         records and enums comes from the parameters connect.record.doc and connect.enum.doc.",
    ),
    Key::new("allow.optional.map.keys", Kind::Boolean)
        .default("false")
        .low()
        .doc("Whether a map whose keys are optional texts is an Avro map. Otherwise it is an array of entries."),
    SINGLETONS,
    Key::new("avro.reflection.allow.null", Kind::Boolean)
        .default("false")
        .doc("Whether Java objects may have null fields.")
        .support(Support::NoEffect("a converter never writes Java objects")),
    Key::new("avro.use.logical.type.converters", Kind::Boolean)
        .default("false")
        .doc("Whether Avro's own conversions of logical types are used.")
        .support(Support::NoEffect("Connect converts logical types itself before Avro sees them")),
    Key::new("avro.remove.java.properties", Kind::Boolean)
        .default("false")
        .doc("Whether properties that only Java needs are left out of schemas.")
        .support(Support::NoEffect("schemas of a converter have no such properties")),
    RULES,
];

/// The keys of `io.apicurio.registry.utils.converter.AvroConverter`.
pub(super) const APICURIO: &[Key] = &[ENUMS, META_DATA, CACHE];
