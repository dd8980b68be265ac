//! The types of columns as the binlog knows them, and how long their values are.

use super::Fault;
use super::cursor::Cursor;

/// Numbers of types in a TABLE_MAP.
pub mod wire_type {
    #![allow(missing_docs, reason = "the names are those of the manual's column types")]
    pub const DECIMAL: u8 = 0;
    pub const TINY: u8 = 1;
    pub const SHORT: u8 = 2;
    pub const LONG: u8 = 3;
    pub const FLOAT: u8 = 4;
    pub const DOUBLE: u8 = 5;
    pub const NULL: u8 = 6;
    pub const TIMESTAMP: u8 = 7;
    pub const LONGLONG: u8 = 8;
    pub const INT24: u8 = 9;
    pub const DATE: u8 = 10;
    pub const TIME: u8 = 11;
    pub const DATETIME: u8 = 12;
    pub const YEAR: u8 = 13;
    pub const NEWDATE: u8 = 14;
    pub const VARCHAR: u8 = 15;
    pub const BIT: u8 = 16;
    pub const TIMESTAMP2: u8 = 17;
    pub const DATETIME2: u8 = 18;
    pub const TIME2: u8 = 19;
    /// MariaDB: a BLOB or TEXT with the attribute COMPRESSED.
    pub const BLOB_COMPRESSED: u8 = 140;
    /// MariaDB: a VARCHAR or VARBINARY with the attribute COMPRESSED.
    pub const VARCHAR_COMPRESSED: u8 = 141;
    pub const VECTOR: u8 = 242;
    pub const JSON: u8 = 245;
    pub const NEWDECIMAL: u8 = 246;
    pub const ENUM: u8 = 247;
    pub const SET: u8 = 248;
    pub const TINY_BLOB: u8 = 249;
    pub const MEDIUM_BLOB: u8 = 250;
    pub const LONG_BLOB: u8 = 251;
    pub const BLOB: u8 = 252;
    pub const VAR_STRING: u8 = 253;
    pub const STRING: u8 = 254;
    pub const GEOMETRY: u8 = 255;
}

/// A column's type in a TABLE_MAP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WireColumn {
    /// The type's number ([`wire_type`]). ENUM and SET, which the server writes as STRING with their own number in the
    /// metadata, have their own number here.
    pub kind: u8,
    /// What the type needs besides: the number of fractional digits (TIME2, DATETIME2, TIMESTAMP2); precision in the upper
    /// byte, scale in the lower (NEWDECIMAL); bytes in the upper, bits beyond them in the lower (BIT); the greatest length
    /// in bytes (STRING, VARCHAR); the number of bytes of a value (ENUM, SET, FLOAT, DOUBLE) or of its length (BLOB, JSON,
    /// GEOMETRY, VECTOR).
    pub metadata: u16,
}

/// How long a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// Always so many bytes.
    Fixed(u8),
    /// As a number of so many bytes (1 to 4) before the value says.
    Prefixed(u8),
}

impl WireColumn {
    /// Reads the metadata of a type.
    fn parse(kind: u8, cursor: &mut Cursor) -> Result<Self, Fault> {
        use wire_type as t;
        const WHAT: &str = "the columns' metadata";
        let metadata = match kind {
            t::FLOAT | t::DOUBLE | t::TIME2 | t::DATETIME2 | t::TIMESTAMP2 | t::BLOB_COMPRESSED => {
                u16::from(cursor.u8(WHAT)?)
            }
            t::TINY_BLOB..=t::BLOB | t::JSON | t::GEOMETRY | t::VECTOR => u16::from(cursor.u8(WHAT)?),
            t::VARCHAR | t::VAR_STRING | t::VARCHAR_COMPRESSED | t::BIT => cursor.u16(WHAT)?,
            t::NEWDECIMAL => cursor.array(WHAT).map(u16::from_be_bytes)?,
            t::STRING | t::ENUM | t::SET => {
                // The real type. Lengths over 255 have their upper two bits in two bits of the type, inverted.
                let [real, low] = cursor.array(WHAT)?;
                if real & 0x30 != 0x30 {
                    let high = u16::from((real & 0x30) ^ 0x30) << 4;
                    return Ok(Self { kind: real | 0x30, metadata: high | u16::from(low) });
                }
                return Ok(Self { kind: if real == 0 { kind } else { real }, metadata: u16::from(low) });
            }
            _ => 0,
        };
        Ok(Self { kind, metadata })
    }

    /// How long values are; nothing for a type that is not known.
    pub(super) fn width(self) -> Option<Width> {
        use wire_type as t;
        let fraction =
            |whole: u8| (self.metadata <= 6).then(|| Width::Fixed(whole + (self.metadata as u8).div_ceil(2)));
        let text = || Width::Prefixed(if self.metadata > 255 { 2 } else { 1 });
        let prefixed = || (1..=4).contains(&self.metadata).then_some(Width::Prefixed(self.metadata as u8));
        Some(match self.kind {
            t::TINY | t::YEAR => Width::Fixed(1),
            t::SHORT => Width::Fixed(2),
            t::INT24 | t::DATE | t::NEWDATE | t::TIME => Width::Fixed(3),
            t::LONG | t::FLOAT | t::TIMESTAMP => Width::Fixed(4),
            t::LONGLONG | t::DOUBLE | t::DATETIME => Width::Fixed(8),
            t::NULL => Width::Fixed(0),
            t::TIMESTAMP2 => fraction(4)?,
            t::DATETIME2 => fraction(5)?,
            t::TIME2 => fraction(3)?,
            t::BIT => {
                let [bytes, bits] = self.metadata.to_be_bytes();
                if bytes > 8 || bits > 7 {
                    return None;
                }
                Width::Fixed(bytes + u8::from(bits > 0))
            }
            t::NEWDECIMAL => {
                let [precision, scale] = self.metadata.to_be_bytes();
                Width::Fixed(decimal_width(precision, scale)?)
            }
            t::ENUM | t::SET if (1..=8).contains(&self.metadata) => Width::Fixed(self.metadata as u8),
            t::STRING | t::VARCHAR | t::VAR_STRING | t::VARCHAR_COMPRESSED => text(),
            t::TINY_BLOB..=t::BLOB | t::JSON | t::GEOMETRY | t::VECTOR | t::BLOB_COMPRESSED => prefixed()?,
            _ => return None,
        })
    }
}

/// The bytes of a decimal: four for nine digits, fewer for the rest on each side of the point. None if there is no such
/// decimal.
pub(crate) fn decimal_width(precision: u8, scale: u8) -> Option<u8> {
    const BYTES: [u8; 9] = [0, 1, 1, 2, 2, 3, 3, 4, 4];
    let whole = precision.checked_sub(scale)?;
    let side = |digits: u8| digits / 9 * 4 + BYTES[usize::from(digits % 9)];
    (1..=81).contains(&precision).then(|| side(whole) + side(scale))
}

/// The columns of a TABLE_MAP, ready to find the cells of its rows. Made once for a table; the caller keeps it as long as
/// the table's TABLE_MAPs have the same [`TableMap::signature`](super::TableMap::signature).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pub(super) columns: Vec<WireColumn>,
    pub(super) widths: Vec<Width>,
    /// How many columns are JSON.
    pub(super) json: usize,
}

impl Layout {
    /// From the types of a TABLE_MAP and the metadata that follow each other without gaps.
    pub(crate) fn parse(types: &[u8], metadata: &[u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(metadata);
        let columns: Vec<_> =
            types.iter().map(|kind| WireColumn::parse(*kind, &mut cursor)).collect::<Result<_, _>>()?;
        let unknown = |i: usize, kind| Fault::ColumnType { column: i as u16, kind };
        let widths =
            columns.iter().enumerate().map(|(i, c)| c.width().ok_or(unknown(i, c.kind))).collect::<Result<_, _>>()?;
        if !cursor.is_empty() {
            return Err(Fault::Malformed("the columns' metadata are longer than the columns need"));
        }
        let json = columns.iter().filter(|column| column.kind == wire_type::JSON).count();
        Ok(Self { columns, widths, json })
    }

    /// The columns, in the order of the table.
    pub fn columns(&self) -> &[WireColumn] {
        &self.columns
    }
}

#[cfg(test)]
mod tests {
    use super::wire_type as t;
    use super::*;

    #[track_caller]
    fn check(types: &[u8], metadata: &[u8], expect: &[(u8, u16, Width)]) {
        let layout = Layout::parse(types, metadata).unwrap();
        let found: Vec<_> = layout.columns.iter().zip(&layout.widths).map(|(c, w)| (c.kind, c.metadata, *w)).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn texts_have_one_or_two_bytes_of_length() {
        check(&[t::VARCHAR], &[255, 0], &[(t::VARCHAR, 255, Width::Prefixed(1))]);
        check(&[t::VARCHAR], &[0, 1], &[(t::VARCHAR, 256, Width::Prefixed(2))]);
        check(&[t::STRING], &[0xfe, 40], &[(t::STRING, 40, Width::Prefixed(1))]);
        // CHAR(255) of utf8mb4: 1020 bytes.
        check(&[t::STRING], &[0xce, 0xfc], &[(t::STRING, 1020, Width::Prefixed(2))]);
    }

    #[test]
    fn enum_and_set_hide_in_string() {
        check(
            &[t::STRING, t::STRING],
            &[247, 2, 248, 8],
            &[(t::ENUM, 2, Width::Fixed(2)), (t::SET, 8, Width::Fixed(8))],
        );
    }

    #[test]
    fn numbers_and_times() {
        check(&[t::NEWDECIMAL], &[65, 30], &[(t::NEWDECIMAL, 0x411e, Width::Fixed(30))]);
        check(&[t::NEWDECIMAL], &[10, 2], &[(t::NEWDECIMAL, 0x0a02, Width::Fixed(5))]);
        check(&[t::BIT], &[2, 1], &[(t::BIT, 0x102, Width::Fixed(2))]);
        check(&[t::DATETIME2], &[6], &[(t::DATETIME2, 6, Width::Fixed(8))]);
        check(&[t::TIME2], &[1], &[(t::TIME2, 1, Width::Fixed(4))]);
        check(&[t::YEAR], &[], &[(t::YEAR, 0, Width::Fixed(1))]);
    }

    #[track_caller]
    fn check_fault(types: &[u8], metadata: &[u8], expect: Fault) {
        assert_eq!(Layout::parse(types, metadata), Err(expect));
    }

    #[test]
    fn an_unknown_type_is_named() {
        check_fault(&[t::LONG, 200], &[], Fault::ColumnType { column: 1, kind: 200 });
        check_fault(&[t::BLOB], &[5], Fault::ColumnType { column: 0, kind: t::BLOB });
        check_fault(&[t::NEWDECIMAL], &[5, 6], Fault::ColumnType { column: 0, kind: t::NEWDECIMAL });
        check_fault(&[t::TIME2], &[7], Fault::ColumnType { column: 0, kind: t::TIME2 });
    }

    #[test]
    fn metadata_of_another_length() {
        check_fault(&[t::VARCHAR], &[1], Fault::Short("the columns' metadata"));
        check_fault(&[t::LONG], &[1], Fault::Malformed("the columns' metadata are longer than the columns need"));
    }
}
