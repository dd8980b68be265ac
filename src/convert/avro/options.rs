//! The settings that decide how a schema is written as an Avro document, and values as bytes.
//!
//! Must not know: registries.

use settings::Properties;

/// Whose mapping is followed. Apicurio's converter is a copy of an older state of Confluent's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// `io.confluent.connect.avro.AvroConverter`.
    Confluent,
    /// `io.apicurio.registry.utils.converter.AvroConverter`.
    Apicurio,
}

/// The settings of a converter that the mapping depends on, named after the converter's keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Whose mapping is followed.
    pub(crate) family: Family,
    /// `connect.meta.data`: whether types carry the properties `connect.*`.
    pub(crate) meta_data: bool,
    /// `enhanced.avro.schema.support`: whether strings that say so in their parameters are Avro enums.
    pub(crate) enums: bool,
    /// `generalized.sum.type.support`: the same, by the parameters that all formats share.
    pub(crate) sum_types: bool,
    /// `scrub.invalid.names`: whether names that Avro does not allow are changed.
    pub(crate) scrub_names: bool,
    /// `ignore.default.for.nullables`: whether a null stays null in a field that has a default.
    pub(crate) keep_null: bool,
    /// `allow.optional.map.keys`: whether a map with optional text keys is an Avro map.
    pub(crate) optional_map_keys: bool,
    /// `discard.type.doc.default`: whether a field's documentation comes from its schema's.
    pub(crate) doc_of_schema: bool,
}

impl Options {
    /// Reads the settings from properties that were checked already. Apicurio's converter knows two of the keys.
    pub(crate) fn read(family: Family, properties: &Properties) -> Self {
        let flag = |name: &str, default: bool| match properties.get(name) {
            Some(text) => text.trim().eq_ignore_ascii_case("true"),
            None => default,
        };
        let of_confluent = |name: &str| family == Family::Confluent && flag(name, false);
        Self {
            family,
            meta_data: flag("connect.meta.data", true),
            enums: flag("enhanced.avro.schema.support", false),
            sum_types: of_confluent("generalized.sum.type.support"),
            scrub_names: of_confluent("scrub.invalid.names"),
            keep_null: of_confluent("ignore.default.for.nullables"),
            optional_map_keys: of_confluent("allow.optional.map.keys"),
            doc_of_schema: of_confluent("discard.type.doc.default"),
        }
    }
}
