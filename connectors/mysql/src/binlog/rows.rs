//! Events with rows: where the cells are.

use record::{RowRef, Span};

use super::columns::{Layout, Width, wire_type};
use super::cursor::{Cursor, little_endian};
use super::inflate::inflate_into;
use super::side::Side;
use super::{Bitmap, EventKind, Fault, Format};
use crate::json;

/// What happened to the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowsKind {
    /// They were inserted.
    Write,
    /// They were updated.
    Update,
    /// They were deleted.
    Delete,
}

/// A row of an event: its cells before and after the change, as ranges of the batch's spans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Before an update or a delete.
    pub before: Option<RowRef>,
    /// After an insert or an update.
    pub after: Option<RowRef>,
}

/// WRITE_ROWS, UPDATE_ROWS, DELETE_ROWS of versions 1 and 2, PARTIAL_UPDATE_ROWS, and MariaDB's compressed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rows<'a> {
    /// What happened to the rows.
    pub kind: RowsKind,
    /// The table's number, which a TABLE_MAP before has explained.
    pub table_id: u64,
    /// The rows are the last of their statement.
    pub statement_end: bool,
    /// The partition, of partitioned tables of MySQL 8.0.16 and later; for updates that of the row after the change.
    pub partition: Option<u16>,
    columns: usize,
    before: Bitmap<'a>,
    after: Bitmap<'a>,
    partial: bool,
    compressed: bool,
    data: &'a [u8],
    at: u32,
}

/// How an event type is to be read.
struct Form {
    kind: RowsKind,
    version: u8,
    compressed: bool,
}

fn form(kind: EventKind) -> Option<Form> {
    use RowsKind::{Delete, Update, Write};
    let (kind, version, compressed) = match kind {
        EventKind::WRITE_ROWS_V1 => (Write, 1, false),
        EventKind::UPDATE_ROWS_V1 => (Update, 1, false),
        EventKind::DELETE_ROWS_V1 => (Delete, 1, false),
        EventKind::WRITE_ROWS => (Write, 2, false),
        EventKind::UPDATE_ROWS | EventKind::PARTIAL_UPDATE_ROWS => (Update, 2, false),
        EventKind::DELETE_ROWS => (Delete, 2, false),
        EventKind::WRITE_ROWS_COMPRESSED_V1 => (Write, 1, true),
        EventKind::UPDATE_ROWS_COMPRESSED_V1 => (Update, 1, true),
        EventKind::DELETE_ROWS_COMPRESSED_V1 => (Delete, 1, true),
        EventKind::WRITE_ROWS_COMPRESSED => (Write, 2, true),
        EventKind::UPDATE_ROWS_COMPRESSED => (Update, 2, true),
        EventKind::DELETE_ROWS_COMPRESSED => (Delete, 2, true),
        _ => return None,
    };
    Some(Form { kind, version, compressed })
}

/// The table's number in an event that only ends a statement.
const NO_TABLE: u64 = 0x00ff_ffff;

const SHORT: Fault = Fault::Short("a row");

impl<'a> Rows<'a> {
    /// Reads an event's body, of which the first byte is at `at` in the batch's buffer. None if the type has no rows.
    pub(super) fn parse(body: &'a [u8], at: u32, kind: EventKind, format: &Format) -> Option<Result<Self, Fault>> {
        form(kind).map(|form| Self::read(body, at, kind, &form, format))
    }

    fn read(body: &'a [u8], at: u32, kind: EventKind, form: &Form, format: &Format) -> Result<Self, Fault> {
        const STATEMENT_END: u16 = 1;
        let mut cursor = Cursor::new(body);
        let fixed = format.post_header_len(kind, 8);
        let table_id = cursor.uint(if fixed == 6 { 4 } else { 6 }, "the table's number")?;
        let flags = cursor.u16("the flags")?;
        let mut partition = None;
        if form.version == 2 {
            let length = usize::from(cursor.u16("the extra data")?);
            let length = length.checked_sub(2).ok_or(Fault::Malformed("the extra data have an impossible length"))?;
            partition = extra(cursor.take(length, "the extra data")?, form.kind)?;
        }
        let columns = cursor.packed("the number of columns")?;
        let too_many = Fault::TooLarge { what: "the number of columns", size: columns, most: u64::from(u16::MAX) };
        let columns = usize::from(u16::try_from(columns).map_err(|_| too_many)?);
        let mut bitmap = || cursor.take(columns.div_ceil(8), "the columns' bits").map(Bitmap::new);
        let before = bitmap()?;
        let after = if form.kind == RowsKind::Update { bitmap()? } else { before };
        let data = cursor.rest();
        Ok(Self {
            kind: form.kind,
            table_id,
            statement_end: flags & STATEMENT_END != 0,
            partition,
            columns,
            before,
            after,
            partial: kind == EventKind::PARTIAL_UPDATE_ROWS,
            compressed: form.compressed,
            data,
            // The event is in the buffer, whose offsets have 32 bits.
            at: at.saturating_add((body.len() - data.len()) as u32),
        })
    }

    /// Whether there are no rows: the event only ends a statement.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// The columns that the rows before the change have (`binlog_row_image`).
    pub fn before(&self) -> Bitmap<'a> {
        self.before
    }

    /// The columns that the rows after the change have.
    pub fn after(&self) -> Bitmap<'a> {
        self.after
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Whether all images have all columns.
    pub fn full(&self) -> bool {
        self.before.count(self.columns) == self.columns && self.after.count(self.columns) == self.columns
    }

    /// Finds the cells of all rows: for each image appends one span for each column of the table to `spans`, and then calls
    /// `row`. A cell's span covers the value without the length before it; [`Span::NULL`] is NULL, [`Span::MISSING`] a
    /// column that the image lacks. Cells that had to be computed are in `side`.
    ///
    /// `table_id` and `layout` are those of the TABLE_MAP.
    ///
    /// # Errors
    /// When the rows are of another table or have another number of columns, or when they cannot be read. Spans of rows
    /// before the fault may then be in `spans`.
    pub fn find(
        &self,
        table_id: u64,
        layout: &Layout,
        spans: &mut Vec<Span>,
        side: &mut Side,
        row: impl FnMut(Row),
    ) -> Result<(), Fault> {
        if self.table_id == NO_TABLE && self.data.is_empty() {
            return Ok(());
        }
        if self.table_id != table_id {
            return Err(Fault::TableNumber { rows: self.table_id, map: table_id });
        }
        if self.columns != layout.columns.len() {
            return Err(Fault::ColumnCount { rows: self.columns as u64, map: layout.columns.len() });
        }
        if self.compressed {
            let start = side.bytes.len();
            inflate_into(self.data, &mut side.bytes)?;
            let at = side.span_from(start)?.start;
            let data = std::mem::take(&mut side.bytes);
            // Only MySQL has partial updates, and only MariaDB compresses rows.
            let found = self.find_in(data.get(start..).unwrap_or_default(), at, layout, spans, None, row);
            side.bytes = data;
            return found;
        }
        let end = u64::from(self.at) + self.data.len() as u64;
        if end > u64::from(Side::START) {
            return Err(Fault::TooLarge { what: "the batch", size: end, most: u64::from(Side::START) });
        }
        self.find_in(self.data, self.at, layout, spans, Some(side), row)
    }

    fn find_in(
        &self,
        data: &[u8],
        at: u32,
        layout: &Layout,
        spans: &mut Vec<Span>,
        mut side: Option<&mut Side>,
        mut row: impl FnMut(Row),
    ) -> Result<(), Fault> {
        let mut images = Images { data, at, position: 0, layout, spans };
        let has_before = self.kind != RowsKind::Write;
        let has_after = self.kind != RowsKind::Delete;
        let (before, after) = (Present::of(self.before, self.columns), Present::of(self.after, self.columns));
        if data.is_empty() && (!has_before || before.count == 0) && (!has_after || after.count == 0) {
            // A row without columns takes no bytes, so nothing says how many there are.
            return Err(Fault::Malformed(
                "the rows have no columns at all: set binlog_row_image=FULL in the session that writes",
            ));
        }
        while images.position < data.len() {
            let start = images.position;
            let mut found = Row { before: None, after: None };
            if has_before {
                found.before = Some(images.image(&before)?);
            }
            if has_after {
                found.after = Some(match (self.partial, side.as_deref_mut(), found.before) {
                    (true, Some(side), Some(row)) => images.partial(&after, row, side)?,
                    _ => images.image(&after)?,
                });
            }
            if images.position == start {
                return Err(Fault::Malformed("there are bytes behind rows that have no columns"));
            }
            row(found);
        }
        Ok(())
    }
}

/// The extra data of version 2: the partition, for tables that have them; what NDB adds is passed over.
fn extra(bytes: &[u8], kind: RowsKind) -> Result<Option<u16>, Fault> {
    const WHAT: &str = "the extra data";
    const NDB: u8 = 0;
    const PARTITION: u8 = 1;
    let mut cursor = Cursor::new(bytes);
    let mut partition = None;
    while !cursor.is_empty() {
        match cursor.u8(WHAT)? {
            NDB => {
                // The length counts itself.
                let length = cursor.u8(WHAT)?;
                cursor.take(usize::from(length.saturating_sub(1)), WHAT)?;
            }
            PARTITION => {
                partition = Some(cursor.u16(WHAT)?);
                if kind == RowsKind::Update {
                    cursor.u16(WHAT)?;
                }
            }
            // Unknown data: their length is unknown as well.
            _ => break,
        }
    }
    Ok(partition)
}

/// The columns that an image has.
struct Present<'a> {
    bits: Bitmap<'a>,
    count: usize,
    all: bool,
}

impl<'a> Present<'a> {
    fn of(bits: Bitmap<'a>, columns: usize) -> Self {
        let count = bits.count(columns);
        Self { bits, count, all: count == columns }
    }
}

/// Walks through the images of rows.
struct Images<'a> {
    data: &'a [u8],
    /// Where `data` begins for spans.
    at: u32,
    position: usize,
    layout: &'a Layout,
    spans: &'a mut Vec<Span>,
}

impl Images<'_> {
    /// The next image, and one span for each column.
    fn image(&mut self, present: &Present) -> Result<RowRef, Fault> {
        let (first, count) = (self.spans.len(), self.layout.widths.len());
        self.spans.resize(first + count, Span::NULL);
        let cells = self.spans.get_mut(first..).unwrap_or_default();
        let nulls =
            self.data.get(self.position..).and_then(|rest| rest.get(..present.count.div_ceil(8))).ok_or(SHORT)?;
        let mut position = self.position + nulls.len();
        if present.all {
            let eights = nulls.iter().zip(self.layout.widths.chunks(8)).zip(cells.chunks_mut(8));
            for ((nulls, widths), cells) in eights {
                let mut nulls = *nulls;
                for (width, cell) in widths.iter().zip(cells) {
                    if nulls & 1 == 0 {
                        *cell = span(self.data, self.at, &mut position, *width)?;
                    }
                    nulls >>= 1;
                }
            }
        } else {
            let (nulls, mut seen) = (Bitmap::new(nulls), 0);
            for (i, (width, cell)) in self.layout.widths.iter().zip(cells).enumerate() {
                if !present.bits.get(i) {
                    *cell = Span::MISSING;
                    continue;
                }
                if !nulls.get(seen) {
                    *cell = span(self.data, self.at, &mut position, *width)?;
                }
                seen += 1;
            }
        }
        // Positions only grow, so this checks all cells at once.
        if position > self.data.len() {
            return Err(SHORT);
        }
        self.position = position;
        // Batches have fewer than 2^32 spans, tables fewer than 2^16 columns.
        Ok(RowRef { first: first as u32, count: count as u16 })
    }

    /// The next image of PARTIAL_UPDATE_ROWS: in front of it stand options, and a bit for each JSON column of the table that
    /// says whether the value is whole or a list of differences to the value in `before`.
    fn partial(&mut self, present: &Present, before: RowRef, side: &mut Side) -> Result<RowRef, Fault> {
        const PARTIAL_JSON: u64 = 1;
        let mut cursor = Cursor::new(self.data.get(self.position..).unwrap_or_default());
        let whole = cursor.left();
        let options = cursor.packed("the options")?;
        if options & !PARTIAL_JSON != 0 {
            return Err(Fault::Malformed("the rows have options that are unknown"));
        }
        let bits = match options {
            PARTIAL_JSON => Bitmap::new(cursor.take(self.layout.json.div_ceil(8), "the partial bits")?),
            _ => Bitmap::new(&[]),
        };
        self.position += whole - cursor.left();
        let image = self.image(present)?;
        let json = self.layout.columns.iter().enumerate().filter(|(_, column)| column.kind == wire_type::JSON);
        for (nth, (column, _)) in json.enumerate().filter(|(nth, _)| bits.get(*nth)) {
            debug_assert!(nth < self.layout.json);
            let index = image.first as usize + column;
            let (Some(now), Some(old)) = (self.spans.get(index), self.spans.get(before.first as usize + column)) else {
                continue;
            };
            let (now, old) = (*now, *old);
            // Differences to NULL there are not, and an absent column has none.
            let Some(differences) = self.bytes(now) else { continue };
            let document = self.bytes(old).ok_or(Fault::PartialWithoutBefore(column as u16))?;
            let span = if differences.is_empty() {
                old
            } else {
                let start = side.bytes.len();
                json::apply(document, differences, &mut side.bytes)
                    .map_err(|fault| Fault::Json { column: column as u16, fault })?;
                side.span_from(start)?
            };
            if let Some(cell) = self.spans.get_mut(index) {
                *cell = span;
            }
        }
        Ok(image)
    }

    /// The bytes of a cell that is in `data`.
    fn bytes(&self, span: Span) -> Option<&[u8]> {
        let start = span.start.checked_sub(self.at)?;
        Span { start, ..span }.bytes(self.data)
    }
}

/// The span of a value that begins at `position`, which moves behind it; maybe beyond the end of `data`.
#[inline]
fn span(data: &[u8], at: u32, position: &mut usize, width: Width) -> Result<Span, Fault> {
    let len = match width {
        Width::Fixed(len) => u32::from(len),
        Width::Prefixed(1) => {
            let len = *data.get(*position).ok_or(SHORT)?;
            *position += 1;
            u32::from(len)
        }
        Width::Prefixed(bytes) => {
            let bytes = usize::from(bytes);
            let prefix = data.get(*position..).and_then(|rest| rest.get(..bytes)).ok_or(SHORT)?;
            *position += bytes;
            // A prefix has four bytes at most.
            little_endian(prefix) as u32
        }
    };
    let start = at.wrapping_add(*position as u32);
    *position += len as usize;
    Ok(Span { start, len })
}
