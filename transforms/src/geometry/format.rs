//! `io.debezium.transforms.GeometryFormatTransformer`: adds SRIDs to the WKB of geometries, or takes them out.
//!
//! In spite of its name the option `format` is not what comes out. With `wkb`, the default, a plain WKB gets the SRID inside
//! (EWKB). With `ewkb` the SRID is taken out of an EWKB, and a plain WKB stays. And the first EWKB that is seen sets the option to
//! `ewkb` for good. That is how Debezium's transform behaves. Geometries in arrays and maps stay; nulls become the defaults of
//! their fields.
//!
//! ```json
//! {}
//! {"topic": "srv.public.places", "value": {"id": 1, "at": {"wkb": "0x0107000000ff", "srid": 4326}},
//!   "types": {"at": "struct? io.debezium.data.geometry.Geometry", "at.wkb": "bytes"}}
//! => {"value": {"id": 1, "at": {"wkb": "0x0107000020e6100000ff", "srid": 4326}}}
//! {"topic": "srv.public.places", "value": {"id": 1, "at": {"wkb": "0x0107000020e6100000ff", "srid": 4326}},
//!   "types": {"at": "struct? io.debezium.data.geometry.Geometry", "at.wkb": "bytes"}}
//! => {"value": {"id": 1, "at": {"wkb": "0x0107000000ff", "srid": 4326}}}
//! ```
//!
//! Must not know: connectors.

use record::Record;
use settings::{Def, Key, Properties};

use super::{Known, wkb};
use crate::error::{Refusal, java};
use crate::options::Options;
use crate::table::no_remarks;
use crate::{Transform, TransformError};

const FORMAT: &str = "format";

settings::choices! {
    /// What is done with geometries (`format`).
    enum Format {
        /// Adds the SRID.
        Wkb = "wkb",
        /// Takes the SRID out.
        Ewkb = "ewkb",
    }
}

const KEYS: &[Key] = &[crate::options::key(FORMAT, settings::Kind::String, "Target Format", settings::Width::Medium)
    .default("wkb")
    .low()
    .doc("wkb adds the SRID to plain WKBs, until the first EWKB is seen; ewkb takes the SRID out of EWKBs.")];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.GeometryFormatTransformer",
    module: module_path!(),
    summary: "Adds SRIDs to the WKB of geometries, or takes them out.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(GeometryFormat { format: format(properties)?, known: Known::new(false) })),
    remarks: no_remarks,
};

fn format(properties: &Properties) -> Result<Format, Vec<Refusal>> {
    let mut options = Options::new(properties);
    let format = options.choice(FORMAT, Format::Wkb);
    options.each_refused().map(|()| format)
}

#[derive(Debug)]
struct GeometryFormat {
    format: Format,
    known: Known,
}

impl Transform for GeometryFormat {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() {
            return Ok(Some(record));
        }
        let Some(geometries) = self.known.of(&record.value)? else { return Ok(Some(record)) };
        let format = &mut self.format;
        record.value = geometries.change(record.value, &mut |bytes, srid| {
            if wkb::has_srid(bytes) {
                *format = Format::Ewkb;
            }
            let changed = match (*format, srid) {
                (Format::Ewkb, _) if !wkb::has_srid(bytes) => return Ok(None),
                (Format::Ewkb, _) => wkb::without_srid(bytes),
                (Format::Wkb, Some(srid)) => wkb::with_srid(bytes, srid as i32),
                (Format::Wkb, None) => {
                    return Err(TransformError::new(java::CONNECT, "Cannot convert to EWKB when SRID is null"));
                }
            };
            let fails =
                |why| TransformError::new("java.nio.BufferUnderflowException", format!("a WKB is malformed: {why}"));
            changed.map(Some).map_err(fails)
        })?;
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        crate::example::check(
            KIND.class,
            r#"{"format": " EWKB "}
            {"topic": "t", "value": {"at": {"wkb": "0x0107000000ff", "srid": null}, "n": null},
             "types": {"at": "struct? io.debezium.data.geometry.Geometry", "at.wkb": "bytes", "at.srid": "int32?", "n": "string?=x"}}
            => {"value": {"at": {"wkb": "0x0107000000ff", "srid": null}, "n": "x"}}"#,
        );
        crate::example::check(
            KIND.class,
            r#"{}
            {"topic": "t", "value": {"at": {"wkb": "0x0107000000ff", "srid": null}},
             "types": {"at": "struct? io.debezium.data.geometry.Geometry", "at.wkb": "bytes", "at.srid": "int32?"}}
            => fails: Cannot convert to EWKB when SRID is null
            {"topic": "t", "value": {"at": {"wkb": "0x0107", "srid": 1}},
             "types": {"at": "struct? io.debezium.data.geometry.Geometry", "at.wkb": "bytes"}}
            => fails: a WKB is malformed: the geometry ends early"#,
        );
        let wrong = format(&[(FORMAT, "x")].into_iter().collect()).unwrap_err();
        let expect =
            "Invalid value x for configuration format: The 'format' value is invalid: Value must be one of wkb, ewkb";
        assert_eq!(wrong[0].to_string(), expect);
    }
}
