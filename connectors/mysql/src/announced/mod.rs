//! What a TABLE_MAP says of a table, in the words of the model: held against the table as the statements left it, and made
//! into a table where the statements say too little.
//!
//! Purpose: a row is decoded with the schema that the history has, and the TABLE_MAP before it is the only witness of what the
//! table really is. How much it says depends on the server's `binlog_row_metadata`: with NO_LOG types only, with MINIMAL also
//! signs and character sets, with FULL names, labels and the primary key.
//!
//! Must not know: the socket, statements, Connect's schemas.

mod check;
mod rebuild;
#[cfg(test)]
mod tests;

use record::Value;

use crate::Flavour;
use crate::binlog::{ColumnMetadata, Fault, Layout, TableMap, WireColumn, wire_type as kind};
use crate::model::TableId;
use crate::types::{Charset, charset_of_collation};

/// How the hidden columns are named in which MariaDB keeps the hash of a long unique key.
const HASH: &str = "DB_ROW_HASH_";
/// The hidden columns of `WITH SYSTEM VERSIONING`.
const PERIOD: [&str; 2] = ["row_start", "row_end"];

/// What a TABLE_MAP says of a table besides the layout of its rows. Made once for each TABLE_MAP that differs from the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) id: TableId,
    columns: Vec<Said>,
    /// The primary key's columns in key order; empty where there is none, or where it is not said.
    primary_key: Vec<usize>,
}

/// What is said of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    wire: WireColumn,
    nullable: bool,
    name: Option<Box<str>>,
    unsigned: Option<bool>,
    charset: Option<&'static str>,
    /// Of ENUM and SET.
    labels: Vec<String>,
    /// The number of a geometry's type.
    geometry: Option<u32>,
    /// Of a VECTOR.
    dimensions: Option<u32>,
}

impl Announced {
    /// # Errors
    /// When the event's bytes are not what a server writes.
    pub(crate) fn new(map: &TableMap<'_>, layout: &Layout, flavour: Flavour) -> Result<Self, Fault> {
        let metadata = map.metadata(flavour)?;
        let said = |(i, (wire, found)): (usize, (&WireColumn, &ColumnMetadata<'_>))| {
            let charset = found.collation.and_then(charset_of_collation);
            let decoder = charset.and_then(Charset::named).unwrap_or(Charset::UTF8);
            Said {
                wire: *wire,
                nullable: map.nullable.get(i),
                name: found.name.map(Box::from),
                unsigned: found.unsigned,
                charset,
                labels: found.labels.iter().map(|label| text(decoder, label)).collect(),
                geometry: found.geometry,
                dimensions: found.dimensions,
            }
        };
        let columns = layout.columns().iter().zip(&metadata.columns).enumerate().map(said).collect();
        let primary_key = metadata.primary_key.iter().map(|(column, _)| *column as usize).collect();
        Ok(Self { id: TableId { database: map.database.into(), table: map.table.into() }, columns, primary_key })
    }

    /// A table of whose columns nothing is said but their types in the log.
    #[cfg(test)]
    pub(crate) fn plain(id: TableId, layout: &Layout) -> Self {
        let said = |wire: &WireColumn| Said {
            wire: *wire,
            nullable: true,
            name: None,
            unsigned: None,
            charset: None,
            labels: Vec::new(),
            geometry: None,
            dimensions: None,
        };
        Self { id, columns: layout.columns().iter().map(said).collect(), primary_key: Vec::new() }
    }

    /// Whether the columns are named, so that the table can be told from this alone.
    pub(crate) fn has_names(&self) -> bool {
        self.columns.iter().all(|column| column.name.is_some())
    }

    /// The character set of a text column's cells, if it is said.
    pub(crate) fn charset(&self, column: usize) -> Option<&'static str> {
        self.columns.get(column).and_then(|said| said.charset)
    }

    /// How many cells stand behind those of the table's `own` columns that no statement and no history shows. MariaDB has
    /// two of them for `WITH SYSTEM VERSIONING`, the times of the row's version, and behind these one for each unique key
    /// over a BLOB or a long text, the key's hash.
    ///
    /// Where the columns are not named, a nullable BIGINT at the end that the statements do not know is taken for a hash.
    pub(crate) fn hidden(&self, own: usize, flavour: Flavour) -> usize {
        let behind = self.columns.get(own..).unwrap_or_default();
        if flavour != Flavour::MariaDb || behind.is_empty() {
            return 0;
        }
        let period = behind.first_chunk::<2>().filter(|[start, end]| start.is_period(0) && end.is_period(1));
        let hashes = if period.is_some() { &behind[PERIOD.len()..] } else { behind };
        if hashes.iter().all(Said::is_hash) { behind.len() } else { 0 }
    }
}

fn text(charset: Charset, bytes: &[u8]) -> String {
    match charset.text(bytes).to_value() {
        Value::Text(text) => text,
        _ => String::new(),
    }
}

impl Said {
    fn is_hash(&self) -> bool {
        let is_named = self.name.as_ref().is_none_or(|name| name.starts_with(HASH));
        is_named && self.wire.kind == kind::LONGLONG && self.nullable && self.unsigned != Some(false)
    }

    /// Whether it may be the start (0) or the end (1) of a row's version.
    fn is_period(&self, which: usize) -> bool {
        let is_named = self.name.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(PERIOD[which]));
        is_named && matches!(self.wire.kind, kind::TIMESTAMP2 | kind::LONGLONG) && !self.nullable
    }

    fn is_integer(&self) -> bool {
        matches!(self.wire.kind, kind::TINY | kind::SHORT | kind::INT24 | kind::LONG | kind::LONGLONG)
    }
}
