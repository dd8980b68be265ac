//! `io.debezium.transforms.SwapGeometryCoordinates`: swaps the first two numbers of each coordinate, as longitude and latitude.
//!
//! Geometries whose SRID is in the list are changed, wherever they are in the value; points and geographies of Debezium's
//! other types are not. On the way nulls become the defaults of their fields, as in Debezium.
//!
//! A point of 13.4 and 52.5 (here in hexadecimal):
//!
//! ```json
//! {}
//! {"topic": "srv.public.places", "key": {"id": 1}, "value": {"op": "c", "after": {"id": 1, "at":
//!     {"wkb": "0x0101000000cdcccccccccc2a400000000000404a40", "srid": 4326}, "n": null}},
//!   "types": {"after.at": "struct? io.debezium.data.geometry.Geometry", "after.at.wkb": "bytes", "after.n": "int32?=7"}}
//! => {"value": {"after": {"id": 1, "at":
//!     {"wkb": "0x01010000000000000000404a40cdcccccccccc2a40", "srid": 4326}, "n": 7}, "before": null}}
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

const SRIDS: &str = "srids";

const KEYS: &[Key] = &[crate::options::key(
    SRIDS,
    settings::Kind::String,
    "Geometry SRIDs that should be considered for coordinate swapping",
    settings::Width::Medium,
)
.low()
.doc("SRIDs with commas between: geometries with one of them are swapped. Not set: 4326, 3857 and 4269.")];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.SwapGeometryCoordinates",
    module: module_path!(),
    summary: "Swaps the first two numbers of each coordinate of geometries with certain SRIDs.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(SwapCoordinates { srids: srids(properties)?, known: Known::new(true) })),
    remarks: no_remarks,
};

fn srids(properties: &Properties) -> Result<Vec<i64>, Vec<Refusal>> {
    if !properties.contains(SRIDS) {
        return Ok(vec![4326, 3857, 4269]);
    }
    let srid = |item: &str| {
        item.parse::<i32>().map(i64::from).map_err(|_| {
            let message = format!("For input string: \"{item}\"");
            vec![Refusal::new("java.lang.NumberFormatException", SRIDS, message)]
        })
    };
    Options::new(properties).list(SRIDS).into_iter().map(srid).collect()
}

#[derive(Debug)]
struct SwapCoordinates {
    srids: Vec<i64>,
    known: Known,
}

impl Transform for SwapCoordinates {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() {
            return Ok(Some(record));
        }
        let Some(geometries) = self.known.of(&record.value)? else { return Ok(Some(record)) };
        let srids = &self.srids;
        record.value = geometries.change(record.value, &mut |bytes, srid| {
            if !srid.is_some_and(|srid| srids.contains(&srid)) {
                return Ok(None);
            }
            let fails =
                |why| TransformError::new(java::DEBEZIUM, format!("Failed to swap EWKB/WKB coordinates: {why}"));
            wkb::swapped(bytes).map(Some).map_err(fails)
        })?;
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_geometries_are() {
        crate::example::check(
            KIND.class,
            r#"{"srids": " 1 ,2,"}
            {"topic": "t", "value": {"none": null, "other": {"wkb": "0x00000000010102030405060708aaaaaaaaaaaaaaaa", "srid": 3},
                "no srid": {"wkb": "0xff", "srid": null},
                "list": [{"wkb": "0x00000000010102030405060708aaaaaaaaaaaaaaaa", "srid": 2}], "deep": {"list": [{"n": null}]}},
             "types": {"none": "struct? io.debezium.data.geometry.Geometry", "none.wkb": "bytes", "none.srid": "int32?",
                "other": "struct? io.debezium.data.geometry.Geometry", "other.wkb": "bytes",
                "no srid": "struct? io.debezium.data.geometry.Geometry", "no srid.wkb": "bytes", "no srid.srid": "int32?",
                "list.[]": "struct io.debezium.data.geometry.Geometry", "list.[].wkb": "bytes",
                "deep.list.[].n": "int32?=5"}}
            => {"value": {"none": null, "other": {"wkb": "0x00000000010102030405060708aaaaaaaaaaaaaaaa", "srid": 3},
                "no srid": {"wkb": "0xff", "srid": null},
                "list": [{"wkb": "0x0000000001aaaaaaaaaaaaaaaa0102030405060708", "srid": 2}], "deep": {"list": [{"n": 5}]}}}
            {"topic": "t", "value": {"at": {"wkb": "0x0101", "srid": 1}},
             "types": {"at": "struct? io.debezium.data.geometry.Geometry", "at.wkb": "bytes"}}
            => fails: Failed to swap EWKB/WKB coordinates: the geometry ends early
            {"topic": "t", "value": {"at": {"wkb": "0x0101", "srid": 1}},
             "types": {"at": "struct? io.debezium.data.geometry.Geography", "at.wkb": "bytes"}}
            => {}
            {"topic": "t", "value": "text"}
            => {}"#,
        );
    }

    #[test]
    fn lists() {
        #[track_caller]
        fn check(text: &str, expect: Result<Vec<i64>, &str>) {
            let made = srids(&[(SRIDS, text)].into_iter().collect());
            assert_eq!(made.map_err(|wrong| wrong[0].to_string()), expect.map_err(str::to_owned));
        }
        check("4326", Ok(vec![4326]));
        check("4326, 3857,", Ok(vec![4326, 3857]));
        check(",", Ok(vec![]));
        check("", Err("For input string: \"\""));
        check("1,x", Err("For input string: \"x\""));
    }
}
