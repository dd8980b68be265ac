//! Well-known binary, plain (WKB) and with an SRID inside (EWKB): swapping coordinates, adding and removing the SRID.
//!
//! A geometry is a byte that says the order of bytes, a type and what belongs to the type. The type has flags in its high bits
//! for a third and a fourth coordinate and for an SRID behind it, as PostGIS writes it.
//!
//! Must not know: records, SRIDs' meaning.

const Z: u32 = 0x8000_0000;
const M: u32 = 0x4000_0000;
const SRID: u32 = 0x2000_0000;

/// Geometry collections may hold geometry collections; no sane geometry does so this often.
const DEEPEST: u32 = 64;

/// Why bytes are no geometry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    /// The bytes end in the middle of something.
    #[error("the geometry ends early")]
    Short,
    /// The type's low byte is none of the seven types.
    #[error("Invalid geometry type: {0}")]
    Type(u32),
    /// Collections in collections.
    #[error("the geometry has too many collections inside of one another")]
    Deep,
}

/// The order of the bytes of numbers.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn of(byte: u8) -> Self {
        if byte == 1 { Self::Little } else { Self::Big }
    }

    fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    fn bytes(self, number: u32) -> [u8; 4] {
        match self {
            Self::Little => number.to_le_bytes(),
            Self::Big => number.to_be_bytes(),
        }
    }
}

/// The order of bytes and the type.
fn head(wkb: &[u8]) -> Option<(Order, u32)> {
    let order = Order::of(*wkb.first()?);
    Some((order, order.u32(wkb.get(1..5)?.try_into().ok()?)))
}

/// Whether an SRID is inside; false for what is too short for a geometry.
pub(super) fn has_srid(wkb: &[u8]) -> bool {
    head(wkb).is_some_and(|(_, kind)| kind & SRID != 0)
}

/// The geometry with an SRID inside. It must have none.
pub(super) fn with_srid(wkb: &[u8], srid: i32) -> Result<Vec<u8>, Malformed> {
    let (order, kind) = head(wkb).ok_or(Malformed::Short)?;
    let mut out = Vec::with_capacity(wkb.len() + 4);
    out.push(wkb[0]);
    out.extend_from_slice(&order.bytes(kind | SRID));
    out.extend_from_slice(&order.bytes(srid as u32));
    out.extend_from_slice(&wkb[5..]);
    Ok(out)
}

/// The geometry without the SRID inside. It must have one.
pub(super) fn without_srid(ewkb: &[u8]) -> Result<Vec<u8>, Malformed> {
    let (order, kind) = head(ewkb).ok_or(Malformed::Short)?;
    let rest = ewkb.get(9..).ok_or(Malformed::Short)?;
    let mut out = Vec::with_capacity(ewkb.len() - 4);
    out.push(ewkb[0]);
    out.extend_from_slice(&order.bytes(kind & !SRID));
    out.extend_from_slice(rest);
    Ok(out)
}

/// The geometry with the first two numbers of each coordinate swapped. Bytes behind the geometry are left out.
pub(super) fn swapped(wkb: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut walk = Walk { bytes: wkb.to_vec(), at: 0 };
    walk.geometry(0)?;
    walk.bytes.truncate(walk.at);
    Ok(walk.bytes)
}

/// Goes through a geometry and swaps coordinates in place.
struct Walk {
    bytes: Vec<u8>,
    at: usize,
}

impl Walk {
    fn take(&mut self, count: usize) -> Result<usize, Malformed> {
        let from = self.at;
        let to = from.checked_add(count).filter(|to| *to <= self.bytes.len()).ok_or(Malformed::Short)?;
        self.at = to;
        Ok(from)
    }

    fn order(&mut self) -> Result<Order, Malformed> {
        let at = self.take(1)?;
        Ok(Order::of(self.bytes[at]))
    }

    fn u32(&mut self, order: Order) -> Result<u32, Malformed> {
        let at = self.take(4)?;
        let bytes = &self.bytes[at..at + 4];
        Ok(order.u32([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn geometry(&mut self, depth: u32) -> Result<(), Malformed> {
        let order = self.order()?;
        let kind = self.u32(order)?;
        let stride = 2 + usize::from(kind & Z != 0) + usize::from(kind & M != 0);
        if kind & SRID != 0 {
            self.take(4)?;
        }
        match kind & 0xff {
            1 => self.point(stride),
            2 => self.points(order, stride),
            3 => self.rings(order, stride),
            4 => self.parts(order, |walk, _| walk.point(stride)),
            5 => self.parts(order, |walk, order| walk.points(order, stride)),
            6 => self.parts(order, |walk, order| walk.rings(order, stride)),
            7 if depth >= DEEPEST => Err(Malformed::Deep),
            7 => {
                for _ in 0..self.count(order)? {
                    self.geometry(depth + 1)?;
                }
                Ok(())
            }
            other => Err(Malformed::Type(other)),
        }
    }

    /// A number of things that follow. Java reads it as a signed number, so a large one means none.
    fn count(&mut self, order: Order) -> Result<u32, Malformed> {
        Ok(u32::try_from(self.u32(order)? as i32).unwrap_or(0))
    }

    fn point(&mut self, stride: usize) -> Result<(), Malformed> {
        let at = self.take(8 * stride)?;
        self.bytes[at..at + 16].rotate_left(8);
        Ok(())
    }

    fn points(&mut self, order: Order, stride: usize) -> Result<(), Malformed> {
        for _ in 0..self.count(order)? {
            self.point(stride)?;
        }
        Ok(())
    }

    fn rings(&mut self, order: Order, stride: usize) -> Result<(), Malformed> {
        for _ in 0..self.count(order)? {
            self.points(order, stride)?;
        }
        Ok(())
    }

    /// The parts of a multi-geometry, each with its own order of bytes and its own type; their coordinates are as long as those
    /// of the whole.
    fn parts(
        &mut self,
        order: Order,
        part: impl Fn(&mut Self, Order) -> Result<(), Malformed>,
    ) -> Result<(), Malformed> {
        for _ in 0..self.count(order)? {
            let order = self.order()?;
            self.take(4)?;
            part(self, order)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: String = hex.split_whitespace().collect();
        record::unhex(digits.as_bytes()).unwrap()
    }

    /// 1.0, 2.0 and so on, little-endian.
    const NUMBERS: [&str; 6] = [
        "000000000000f03f",
        "0000000000000040",
        "0000000000000840",
        "0000000000001040",
        "0000000000001440",
        "0000000000001840",
    ];

    /// Writes `{1}` in `text` as the first number.
    fn geometry(text: &str) -> Vec<u8> {
        let mut text = text.to_owned();
        for (i, number) in NUMBERS.iter().enumerate() {
            text = text.replace(&format!("{{{}}}", i + 1), number);
        }
        bytes(&text)
    }

    #[track_caller]
    fn check(before: &str, after: &str) {
        assert_eq!(swapped(&geometry(before)), Ok(geometry(after)), "{before}");
    }

    #[test]
    fn each_type_is_swapped() {
        // POINT, with an SRID, with Z, with Z and M.
        check("01 01000000 {1}{2}", "01 01000000 {2}{1}");
        check("01 01000020 e6100000 {1}{2}", "01 01000020 e6100000 {2}{1}");
        check("01 01000080 {1}{2}{3}", "01 01000080 {2}{1}{3}");
        check("01 010000c0 {1}{2}{3}{4}", "01 010000c0 {2}{1}{3}{4}");
        // LINESTRING, POLYGON with two rings.
        check("01 02000000 02000000 {1}{2}{3}{4}", "01 02000000 02000000 {2}{1}{4}{3}");
        check(
            "01 03000000 02000000 01000000 {1}{2} 01000000 {3}{4}",
            "01 03000000 02000000 01000000 {2}{1} 01000000 {4}{3}",
        );
        // MULTIPOINT, MULTILINESTRING, MULTIPOLYGON.
        check(
            "01 04000000 02000000 01 01000000 {1}{2} 01 01000000 {3}{4}",
            "01 04000000 02000000 01 01000000 {2}{1} 01 01000000 {4}{3}",
        );
        check(
            "01 05000080 01000000 01 02000080 01000000 {1}{2}{3}",
            "01 05000080 01000000 01 02000080 01000000 {2}{1}{3}",
        );
        check(
            "01 06000000 01000000 01 03000000 01000000 01000000 {1}{2}",
            "01 06000000 01000000 01 03000000 01000000 01000000 {2}{1}",
        );
        // GEOMETRYCOLLECTION of a point and a line, and an empty one.
        check(
            "01 07000020 e6100000 02000000 01 01000000 {1}{2} 01 02000000 01000000 {3}{4}",
            "01 07000020 e6100000 02000000 01 01000000 {2}{1} 01 02000000 01000000 {4}{3}",
        );
        check("01 07000000 00000000", "01 07000000 00000000");
        // Big-endian, and a big-endian point in a little-endian MULTIPOINT.
        check("00 00000001 {1}{2}", "00 00000001 {2}{1}");
        check("01 04000000 01000000 00 00000001 {1}{2}", "01 04000000 01000000 00 00000001 {2}{1}");
        // What follows the geometry is left out.
        check("01 01000000 {1}{2} ffff", "01 01000000 {2}{1}");
    }

    #[test]
    fn malformed_ones() {
        for (hex, expect) in [
            ("", Malformed::Short),
            ("01 0100", Malformed::Short),
            ("01 01000000 {1}", Malformed::Short),
            ("01 02000000 ffffff7f {1}{2}", Malformed::Short),
            ("01 08000000", Malformed::Type(8)),
            ("01 e9030000 {1}{2}{3}", Malformed::Type(0xe9)),
        ] {
            assert_eq!(swapped(&geometry(hex)), Err(expect), "{hex}");
        }
        let deep = geometry("01 07000000 01000000").repeat(100);
        assert_eq!(swapped(&deep), Err(Malformed::Deep));
    }

    #[test]
    fn srids() {
        let plain = geometry("01 02000080 00000000");
        let with = geometry("01 020000a0 e6100000 00000000");
        assert!(!has_srid(&plain) && has_srid(&with) && !has_srid(&[1, 1]));
        assert_eq!(with_srid(&plain, 4326), Ok(with.clone()));
        assert_eq!(without_srid(&with), Ok(plain));
        assert_eq!(with_srid(&geometry("00 00000001 {1}{2}"), 4326), Ok(geometry("00 20000001 000010e6 {1}{2}")));
        assert_eq!(with_srid(&[1, 1], 1), Err(Malformed::Short));
        assert_eq!(without_srid(&bytes("01 01000020 e610")), Err(Malformed::Short));
    }

    proptest! {
        #[test]
        fn swapping_twice_is_nothing_and_no_bytes_are_too_much(
            noise in proptest::collection::vec(any::<u8>(), 0..200),
            points in proptest::collection::vec(any::<[u8; 16]>(), 0..6),
        ) {
            let _ = swapped(&noise);
            let _ = with_srid(&noise, 1);
            let _ = without_srid(&noise);
            let mut line = bytes("01 02000000");
            line.extend_from_slice(&(points.len() as u32).to_le_bytes());
            line.extend(points.iter().flatten());
            let once = swapped(&line).unwrap();
            prop_assert_eq!(swapped(&once), Ok(line));
        }
    }
}
