//! The optional metadata of TABLE_MAP (`binlog_row_metadata`).

use super::Fault;
use super::columns::{WireColumn, wire_type};
use super::cursor::{Cursor, name};
use crate::Flavour;

/// What a TABLE_MAP says of its columns besides their types. With `binlog_row_metadata=MINIMAL`, the default, it is the
/// signs, character sets and types of geometries; with FULL it is everything.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Metadata<'a> {
    /// For each column of the table, in order.
    pub columns: Vec<ColumnMetadata<'a>>,
    /// The columns of the primary key in key order, and how many characters of each are in it (0 is all).
    pub primary_key: Vec<(u32, u32)>,
}

/// What a TABLE_MAP says of a column.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ColumnMetadata<'a> {
    /// Whether a number is UNSIGNED.
    pub unsigned: Option<bool>,
    /// The number of the collation of a text, ENUM or SET.
    pub collation: Option<u32>,
    /// The name.
    pub name: Option<&'a str>,
    /// The labels of an ENUM or SET, in the column's character set.
    pub labels: Vec<&'a [u8]>,
    /// The type of a geometry: 0 is GEOMETRY, 1 POINT, 2 LINESTRING, 3 POLYGON, 4 MULTIPOINT, 5 MULTILINESTRING,
    /// 6 MULTIPOLYGON, 7 GEOMETRYCOLLECTION.
    pub geometry: Option<u32>,
    /// Whether `SELECT *` shows it.
    pub visible: Option<bool>,
    /// The number of dimensions of a VECTOR.
    pub dimensions: Option<u32>,
}

/// Classes of columns that fields of the metadata enumerate.
#[derive(Clone, Copy)]
enum Class {
    Number,
    /// Of MySQL.
    Text,
    /// Of MariaDB, which counts geometries among the texts.
    TextOrGeometry,
    Enum,
    Set,
    EnumOrSet,
    Geometry,
    Vector,
}

impl Class {
    fn has(self, kind: u8) -> bool {
        use wire_type as t;
        match self {
            Self::Number => matches!(
                kind,
                t::TINY | t::SHORT | t::INT24 | t::LONG | t::LONGLONG | t::FLOAT | t::DOUBLE | t::NEWDECIMAL | t::YEAR
            ),
            Self::Text => matches!(
                kind,
                t::VARCHAR | t::VAR_STRING | t::STRING | t::TINY_BLOB
                    ..=t::BLOB | t::BLOB_COMPRESSED | t::VARCHAR_COMPRESSED
            ),
            Self::TextOrGeometry => kind == t::GEOMETRY || Self::Text.has(kind),
            Self::Enum => kind == t::ENUM,
            Self::Set => kind == t::SET,
            Self::EnumOrSet => matches!(kind, t::ENUM | t::SET),
            Self::Geometry => kind == t::GEOMETRY,
            Self::Vector => kind == t::VECTOR,
        }
    }
}

const WHAT: &str = "the optional metadata";
const EXTRA: Fault = Fault::Malformed("the optional metadata name more columns than there are");

impl<'a> Metadata<'a> {
    /// Reads fields: type, length, value. A type that is not known is passed over.
    pub(super) fn parse(bytes: &'a [u8], wire: &[WireColumn], flavour: Flavour) -> Result<Self, Fault> {
        let text = if flavour == Flavour::MariaDb { Class::TextOrGeometry } else { Class::Text };
        let mut found = Self { columns: vec![ColumnMetadata::default(); wire.len()], primary_key: Vec::new() };
        let mut fields = Cursor::new(bytes);
        while !fields.is_empty() {
            let kind = fields.u8(WHAT)?;
            let mut field = Cursor::new(fields.packed_bytes(WHAT)?);
            match kind {
                1 => found.bits(
                    field,
                    wire,
                    |kind| Class::Number.has(kind),
                    |column, bit| column.unsigned = Some(bit),
                )?,
                2 => found.default_collation(field, wire, text)?,
                3 => found.each(field, wire, text, |column, cursor| {
                    column.collation = Some(number(cursor)?);
                    Ok(())
                })?,
                4 => {
                    for column in &mut found.columns {
                        if !field.is_empty() {
                            column.name = Some(name(field.packed_bytes(WHAT)?)?);
                        }
                    }
                }
                5 => found.each(field, wire, Class::Set, labels)?,
                6 => found.each(field, wire, Class::Enum, labels)?,
                7 => found.each(field, wire, Class::Geometry, |column, cursor| {
                    column.geometry = Some(number(cursor)?);
                    Ok(())
                })?,
                8 | 9 => {
                    while !field.is_empty() {
                        let column = number(&mut field)?;
                        let prefix = if kind == 9 { number(&mut field)? } else { 0 };
                        found.columns.get(column as usize).ok_or(EXTRA)?;
                        found.primary_key.push((column, prefix));
                    }
                }
                10 => found.default_collation(field, wire, Class::EnumOrSet)?,
                11 => found.each(field, wire, Class::EnumOrSet, |column, cursor| {
                    column.collation = Some(number(cursor)?);
                    Ok(())
                })?,
                12 => found.bits(field, wire, |_| true, |column, bit| column.visible = Some(bit))?,
                13 => found.each(field, wire, Class::Vector, |column, cursor| {
                    column.dimensions = Some(number(cursor)?);
                    Ok(())
                })?,
                _ => {}
            }
        }
        Ok(found)
    }

    /// One bit for each column of a class, the highest bit of a byte first.
    fn bits(
        &mut self,
        field: Cursor<'a>,
        wire: &[WireColumn],
        has: impl Fn(u8) -> bool,
        set: impl Fn(&mut ColumnMetadata<'a>, bool),
    ) -> Result<(), Fault> {
        let bytes = field.rest();
        let columns = self.columns.iter_mut().zip(wire).filter(|(_, wire)| has(wire.kind));
        for (i, (column, _)) in columns.enumerate() {
            let byte = bytes.get(i / 8).ok_or(Fault::Short(WHAT))?;
            set(column, byte & (0x80 >> (i % 8)) != 0);
        }
        Ok(())
    }

    /// One entry for each column of a class.
    fn each(
        &mut self,
        mut field: Cursor<'a>,
        wire: &[WireColumn],
        class: Class,
        mut read: impl FnMut(&mut ColumnMetadata<'a>, &mut Cursor<'a>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let columns = self.columns.iter_mut().zip(wire).filter(|(_, wire)| class.has(wire.kind));
        for (column, _) in columns {
            read(column, &mut field)?;
        }
        Ok(())
    }

    /// The collation of most columns of a class, then pairs of a column (counted within the class) and its own.
    fn default_collation(&mut self, mut field: Cursor<'a>, wire: &[WireColumn], class: Class) -> Result<(), Fault> {
        let usual = number(&mut field)?;
        let mut other = (!field.is_empty()).then(|| number(&mut field)).transpose()?;
        let columns = self.columns.iter_mut().zip(wire).filter(|(_, wire)| class.has(wire.kind));
        for (i, (column, _)) in columns.enumerate() {
            column.collation = Some(usual);
            if other == Some(i as u32) {
                column.collation = Some(number(&mut field)?);
                other = (!field.is_empty()).then(|| number(&mut field)).transpose()?;
            }
        }
        if other.is_some() { Err(EXTRA) } else { Ok(()) }
    }
}

fn number(cursor: &mut Cursor) -> Result<u32, Fault> {
    u32::try_from(cursor.packed(WHAT)?).map_err(|_| Fault::Malformed("a number of the optional metadata is too large"))
}

fn labels<'a>(column: &mut ColumnMetadata<'a>, cursor: &mut Cursor<'a>) -> Result<(), Fault> {
    for _ in 0..cursor.packed(WHAT)? {
        column.labels.push(cursor.packed_bytes(WHAT)?);
    }
    Ok(())
}
