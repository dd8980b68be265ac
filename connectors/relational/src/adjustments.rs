//! How names are adjusted (`schema.name.adjustment.mode`, `field.name.adjustment.mode`).
//!
//! Must not know: which characters Avro refuses (`record` knows them).

use record::Adjustment;
use settings::Reader;

/// The converters that make Avro schemas, which refuse some field names.
const AVRO_CONVERTERS: &[&str] =
    &["io.confluent.connect.avro.AvroConverter", "io.apicurio.registry.utils.converter.AvroConverter"];

settings::choices! {
    /// `schema.name.adjustment.mode`, `field.name.adjustment.mode`.
    pub enum NameAdjustment {
        /// Names stay as they are.
        None = "none",
        /// `_` for each character that Avro refuses.
        Avro = "avro",
        /// `_uXXXX` for each character that Avro refuses: names stay distinct.
        AvroUnicode = "avro_unicode",
    }
}

impl From<NameAdjustment> for Adjustment {
    fn from(mode: NameAdjustment) -> Self {
        match mode {
            NameAdjustment::None => Self::None,
            NameAdjustment::Avro => Self::Avro,
            NameAdjustment::AvroUnicode => Self::AvroUnicode,
        }
    }
}

/// What becomes of characters in names that Avro refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adjustments {
    /// Those in names of schemas.
    pub schema_names: Adjustment,
    /// Those in names of fields.
    pub field_names: Adjustment,
}

impl Adjustments {
    /// Reads both modes. `field.name.adjustment.mode`, when it is not set, is avro if the connector's own config names an
    /// Avro converter, else none.
    pub fn read(r: &mut Reader<'_>) -> Self {
        let avro = ["key.converter", "value.converter"]
            .iter()
            .any(|key| r.properties().get(key).is_some_and(|c| AVRO_CONVERTERS.contains(&c.trim())));
        let default = if avro { NameAdjustment::Avro } else { NameAdjustment::None };
        Self {
            schema_names: r.choice("schema.name.adjustment.mode", NameAdjustment::None).into(),
            field_names: r.choice("field.name.adjustment.mode", default).into(),
        }
    }
}
