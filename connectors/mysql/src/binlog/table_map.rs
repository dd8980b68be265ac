//! TABLE_MAP: which table the next rows are of, and how their columns are written.

use super::columns::Layout;
use super::cursor::{Cursor, name};
use super::metadata::Metadata;
use super::{Bitmap, EventKind, Fault, Format};
use crate::Flavour;

/// A TABLE_MAP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableMap<'a> {
    /// The number that the rows name the table by, until the file ends or another TABLE_MAP takes it.
    pub table_id: u64,
    /// The database.
    pub database: &'a str,
    /// The table.
    pub table: &'a str,
    /// The columns' types; their count is the number of columns.
    types: &'a [u8],
    metadata: &'a [u8],
    /// Which columns may be NULL.
    pub nullable: Bitmap<'a>,
    optional: &'a [u8],
    signature: &'a [u8],
}

/// The server has at most 4096 columns in a table; records count the cells of a row in sixteen bits.
const MAX_COLUMNS: u64 = u16::MAX as u64;

impl<'a> TableMap<'a> {
    pub(super) fn parse(body: &'a [u8], format: &Format) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(body);
        let fixed = format.post_header_len(EventKind::TABLE_MAP, 8);
        let table_id = cursor.uint(if fixed == 6 { 4 } else { 6 }, "the table's number")?;
        cursor.u16("the flags")?;
        let signature = cursor.rest();
        let database = name(cursor.short_bytes("the database")?)?;
        cursor.u8("the database")?;
        let table = name(cursor.short_bytes("the table")?)?;
        cursor.u8("the table")?;
        let count = cursor.packed("the number of columns")?;
        if count > MAX_COLUMNS {
            return Err(Fault::TooLarge { what: "the number of columns", size: count, most: MAX_COLUMNS });
        }
        let types = cursor.take(count as usize, "the columns' types")?;
        let metadata = cursor.packed_bytes("the columns' metadata")?;
        let nullable = Bitmap::new(cursor.take(types.len().div_ceil(8), "the NULL bits")?);
        Ok(Self { table_id, database, table, types, metadata, nullable, optional: cursor.rest(), signature })
    }

    /// The number of columns.
    pub fn len(&self) -> usize {
        self.types.len()
    }

    /// Whether the table has no columns; MySQL has no such tables.
    pub fn is_empty(&self) -> bool {
        self.types.is_empty()
    }

    /// All that is said of the table. Two TABLE_MAPs with equal bytes here have the same layout and metadata.
    pub fn signature(&self) -> &'a [u8] {
        self.signature
    }

    /// How the rows are written.
    pub fn layout(&self) -> Result<Layout, Fault> {
        Layout::parse(self.types, self.metadata)
    }

    /// What the server says of the columns besides. How much that is depends on `binlog_row_metadata`; which columns it is
    /// about, on whose binlog it is.
    pub fn metadata(&self, flavour: Flavour) -> Result<Metadata<'a>, Fault> {
        Metadata::parse(self.optional, self.layout()?.columns(), flavour)
    }
}
