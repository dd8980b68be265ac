//! How column types become values.
//!
//! Must not know: the types.

use relational::Adjustments;
use relational::values::{BinaryMode, ConvertFailure, DecimalMode, TimeMode};
use settings::Reader;

use super::modes::{HstoreMode, IntervalMode};

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
    /// What stands for a value that the server did not send: the bytes after `hex:`, else those of the text.
    pub unavailable: Vec<u8>,
    /// What becomes of characters in names that Avro refuses.
    pub names: Adjustments,
    /// What becomes of a value that cannot be converted.
    pub convert_failure: ConvertFailure,
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
            names: Adjustments::read(r),
            convert_failure: r.choice("event.converting.failure.handling.mode", ConvertFailure::Warn),
        }
    }
}

fn unavailable(r: &mut Reader<'_>) -> Vec<u8> {
    let text = r.text("unavailable.value.placeholder");
    let Some(digits) = text.strip_prefix("hex:") else { return text.into_bytes() };
    record::unhex(digits.trim().as_bytes()).unwrap_or_else(|| {
        let problem = "Pairs of hex digits are expected after 'hex:'";
        r.refuse("unavailable.value.placeholder", problem);
        Vec::new()
    })
}
