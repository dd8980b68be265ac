//! Geometry and vectors: what the server stores, as Debezium's structs.
//!
//! A geometry is four little-endian bytes of the SRID and the value in well-known binary form, always little-endian.

use record::Value;

/// The SRID (none for 0) and the WKB.
fn parts(raw: &[u8]) -> Option<(Value, &[u8])> {
    let (srid, wkb) = raw.split_at_checked(4)?;
    let srid = u32::from_le_bytes(srid.try_into().ok()?);
    // A type's number and byte order at least.
    (wkb.len() >= 5).then_some((if srid == 0 { Value::Null } else { Value::Int(i64::from(srid as i32)) }, wkb))
}

/// A POINT: `x`, `y`, `wkb`, `srid`. None for another geometry.
pub(super) fn point(raw: &[u8]) -> Option<Value> {
    let (srid, wkb) = parts(raw)?;
    if wkb.len() != 21 || wkb[..5] != [1, 1, 0, 0, 0] {
        return None;
    }
    let coordinate = |at: usize| Some(Value::Double(f64::from_le_bytes(wkb[at..at + 8].try_into().ok()?)));
    Some(Value::Struct(vec![coordinate(5)?, coordinate(13)?, Value::Bytes(wkb.to_vec()), srid]))
}

/// Any geometry: `wkb`, `srid`.
pub(super) fn geometry(raw: &[u8]) -> Option<Value> {
    let (srid, wkb) = parts(raw)?;
    Some(Value::Struct(vec![Value::Bytes(wkb.to_vec()), srid]))
}

/// A VECTOR: little-endian numbers of four bytes.
pub(super) fn vector(raw: &[u8]) -> Option<Value> {
    if !raw.len().is_multiple_of(4) {
        return None;
    }
    let single = |bytes: &[u8]| Some(Value::Float(f32::from_le_bytes(bytes.try_into().ok()?)));
    raw.chunks_exact(4).map(single).collect::<Option<Vec<_>>>().map(Value::Array)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stored(srid: u32, wkb: &[u8]) -> Vec<u8> {
        [&srid.to_le_bytes()[..], wkb].concat()
    }

    fn point_wkb(x: f64, y: f64) -> Vec<u8> {
        [&[1, 1, 0, 0, 0][..], &x.to_le_bytes(), &y.to_le_bytes()].concat()
    }

    #[test]
    fn points() {
        let wkb = point_wkb(2.35, 48.85);
        let expect = |srid| {
            Some(Value::Struct(vec![Value::Double(2.35), Value::Double(48.85), Value::Bytes(wkb.clone()), srid]))
        };
        assert_eq!(point(&stored(4326, &wkb)), expect(Value::Int(4326)));
        assert_eq!(point(&stored(0, &wkb)), expect(Value::Null));
        let line = [&[1, 2, 0, 0, 0, 0, 0, 0, 0][..], &[0; 12]].concat();
        assert_eq!(point(&stored(0, &line)), None);
        assert_eq!(point(&[]), None);
    }

    #[test]
    fn geometries() {
        let empty = [1, 7, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(geometry(&stored(0, &empty)), Some(Value::Struct(vec![Value::Bytes(empty.to_vec()), Value::Null])));
        assert_eq!(geometry(&[0, 0, 0]), None);
    }

    #[test]
    fn vectors() {
        let raw = [1_f32, 2.5, -3e-5].map(f32::to_le_bytes).concat();
        assert_eq!(vector(&raw), Some(Value::Array([1.0, 2.5, -3e-5].map(Value::Float).to_vec())));
        assert_eq!(vector(&[]), Some(Value::Array(Vec::new())));
        assert_eq!(vector(&raw[1..]), None);
    }

    proptest! {
        #[test]
        fn hostile_bytes_do_not_panic(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (point(&raw), geometry(&raw), vector(&raw));
        }
    }
}
