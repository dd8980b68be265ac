//! How column types become values.
//!
//! Must not know: the types.

use settings::Reader;

use super::modes::{BinaryMode, ConvertFailure, DecimalMode, HstoreMode, IntervalMode, NameAdjustment, TimeMode};

/// The converters that make Avro schemas, which refuse some field names.
const AVRO_CONVERTERS: &[&str] =
    &["io.confluent.connect.avro.AvroConverter", "io.apicurio.registry.utils.converter.AvroConverter"];

/// How column types become values.
#[derive(Clone, Debug)]
pub struct Types {
    /// numeric and money.
    pub decimal: DecimalMode,
    /// Dates and times.
    pub time: TimeMode,
    /// interval.
    pub interval: IntervalMode,
    /// hstore.
    pub hstore: HstoreMode,
    /// bytea.
    pub binary: BinaryMode,
    /// Digits after the point of money.
    pub money_fraction_digits: i32,
    /// Whether columns of unknown types are sent as raw bytes; if not, they are left out.
    pub include_unknown: bool,
    /// What stands for a value that the server did not send.
    pub unavailable: Unavailable,
    /// What becomes of characters in schema names that Avro refuses.
    pub schema_names: NameAdjustment,
    /// What becomes of characters in field names that Avro refuses.
    pub field_names: NameAdjustment,
    /// What becomes of a value that cannot be converted.
    pub convert_failure: ConvertFailure,
}

/// `unavailable.value.placeholder` as text and as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unavailable {
    /// The key's value as it was written.
    pub text: String,
    /// The bytes that stand for a value: those after `hex:`, else the text's.
    pub bytes: Vec<u8>,
}

impl Types {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            decimal: r.choice("decimal.handling.mode", DecimalMode::Precise),
            time: r.choice("time.precision.mode", TimeMode::Adaptive),
            interval: r.choice("interval.handling.mode", IntervalMode::Numeric),
            hstore: r.choice("hstore.handling.mode", HstoreMode::Json),
            binary: r.choice("binary.handling.mode", BinaryMode::Bytes),
            money_fraction_digits: r.int("money.fraction.digits"),
            include_unknown: r.boolean("include.unknown.datatypes"),
            unavailable: unavailable(r),
            schema_names: r.choice("schema.name.adjustment.mode", NameAdjustment::None),
            field_names: field_names(r),
            convert_failure: r.choice("event.converting.failure.handling.mode", ConvertFailure::Warn),
        }
    }
}

/// `field.name.adjustment.mode`. When it is not set: avro if the connector's own config names an Avro converter, else none.
fn field_names(r: &mut Reader<'_>) -> NameAdjustment {
    let avro = ["key.converter", "value.converter"]
        .iter()
        .any(|key| r.properties().get(key).is_some_and(|c| AVRO_CONVERTERS.contains(&c.trim())));
    let default = if avro { NameAdjustment::Avro } else { NameAdjustment::None };
    r.choice("field.name.adjustment.mode", default)
}

fn unavailable(r: &mut Reader<'_>) -> Unavailable {
    let text = r.text("unavailable.value.placeholder");
    let bytes = match text.strip_prefix("hex:").map(hex) {
        None => text.as_bytes().to_vec(),
        Some(Some(bytes)) => bytes,
        Some(None) => {
            super::connection::complain(
                r,
                "unavailable.value.placeholder",
                "Pairs of hex digits are expected after 'hex:'",
            );
            Vec::new()
        }
    };
    Unavailable { text, bytes }
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.trim().as_bytes();
    let nibble = |b: u8| char::from(b).to_digit(16).map(|n| n as u8);
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect()
}
