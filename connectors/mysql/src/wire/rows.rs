//! Statements and their rows: whole for the small answers of the catalogue, in place in the caller's buffer for tables.

use bytes::BytesMut;
use futures_util::FutureExt;
use record::Span;

use super::connection::{Connection, command};
use super::packets::{
    self, BadPacket, BinaryWidth, PACKET_MAX_BYTES, binary_row, next_packet, take_integer, take_text, text_row,
};
use crate::error::{Error, ServerError};

/// A row of texts, for answers that are read whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row(Vec<Option<String>>);

impl Row {
    #[cfg(test)]
    pub(crate) fn of(texts: &[&str]) -> Self {
        Self(texts.iter().map(|text| Some((*text).to_owned())).collect())
    }

    /// The text of a column; `None` for NULL and for a column that the answer does not have.
    pub fn text(&self, column: usize) -> Option<&str> {
        self.0.get(column)?.as_deref()
    }

    /// A column as a number; `None` if it is none.
    pub fn number<T: std::str::FromStr>(&self, column: usize) -> Option<T> {
        self.text(column)?.parse().ok()
    }
}

/// A column of an answer (MySQL Source Code Documentation, "Protocol::ColumnDefinition41").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnDefinition {
    /// The name, or the alias.
    pub name: String,
    /// The number of the collation; 63 for bytes without a character set.
    pub collation: u16,
    /// The longest value in bytes.
    pub length: u32,
    /// The type (`enum_field_types`).
    pub column_type: u8,
    /// The flags: 1 NOT NULL, 32 UNSIGNED, 64 ZEROFILL, 128 BINARY …
    pub flags: u16,
    /// Digits behind the decimal point, or of a fraction of a second.
    pub decimals: u8,
}

impl ColumnDefinition {
    fn parse(mut packet: &[u8]) -> Result<Self, BadPacket> {
        let rest = &mut packet;
        // Catalogue, schema, table, original table; then the name, the original name.
        for _ in 0..4 {
            take_text(rest).ok_or(BadPacket::Short)?;
        }
        let name = String::from_utf8_lossy(take_text(rest).ok_or(BadPacket::Short)?).into_owned();
        take_text(rest).ok_or(BadPacket::Short)?;
        take_integer(rest).ok_or(BadPacket::Short)?;
        let fixed = rest.first_chunk::<10>().ok_or(BadPacket::Short)?;
        Ok(Self {
            name,
            collation: u16::from_le_bytes([fixed[0], fixed[1]]),
            length: u32::from_le_bytes([fixed[2], fixed[3], fixed[4], fixed[5]]),
            column_type: fixed[6],
            flags: u16::from_le_bytes([fixed[7], fixed[8]]),
            decimals: fixed[9],
        })
    }
}

/// The status bit of a packet behind which another answer follows (`SERVER_MORE_RESULTS_EXISTS`).
const MORE_RESULTS: u8 = 8;
/// More columns than any server has in a table (4096) or a query.
const COLUMNS_MAX: u64 = 65_535;

/// Whether an EOF packet stands here, and if so, whether another answer follows.
fn end_of_rows(payload: &[u8]) -> Option<bool> {
    match payload {
        [0xfe, rest @ ..] if payload.len() < 9 => Some(rest.get(2).is_some_and(|status| status & MORE_RESULTS != 0)),
        _ => None,
    }
}

/// Whether another answer follows an OK packet.
fn more_after_ok(payload: &[u8]) -> bool {
    let mut rest = payload.get(1..).unwrap_or_default();
    let affected = take_integer(&mut rest).and_then(|_| take_integer(&mut rest));
    affected.is_some() && rest.first().is_some_and(|status| status & MORE_RESULTS != 0)
}

/// The begin of an answer.
enum Head {
    /// No rows; whether another answer follows.
    Done(bool),
    /// Rows of these columns follow.
    Columns(Vec<ColumnDefinition>),
}

impl Connection {
    /// Runs a statement and gives the rows of its first answer that has any. Not bounded in time.
    pub async fn query(&mut self, doing: &str, sql: &str) -> Result<Vec<Row>, Error> {
        self.command(doing, command::QUERY, sql.as_bytes()).await?;
        let mut rows: Option<Vec<Row>> = None;
        loop {
            let more = match self.head(doing).await? {
                Head::Done(more) => more,
                Head::Columns(columns) => {
                    let (found, more) = self.whole_rows(doing, columns.len()).await?;
                    rows.get_or_insert(found);
                    more
                }
            };
            if !more {
                self.is_busy = false;
                return Ok(rows.unwrap_or_default());
            }
        }
    }

    /// Begins a query of which the rows are read in place, in the text protocol.
    pub async fn rows(&mut self, doing: &str, sql: &str) -> Result<Rows<'_>, Error> {
        self.command(doing, command::QUERY, sql.as_bytes()).await?;
        match self.head(doing).await? {
            Head::Columns(columns) => Ok(Rows::new(self, doing, columns, false)),
            Head::Done(_) => Err(self.protocol(doing, "the statement has no rows")),
        }
    }

    /// As [`Connection::rows`], in the binary protocol, which servers speak only for prepared statements.
    pub async fn binary_rows(&mut self, doing: &str, sql: &str) -> Result<Rows<'_>, Error> {
        self.command(doing, command::PREPARE, sql.as_bytes()).await?;
        let packet = self.answer(doing).await?;
        let (Some((0, id)), Some(counts)) = (packet.get(..5).and_then(<[u8]>::split_first), packet.get(5..9)) else {
            return Err(self.protocol(doing, "the answer to a statement that was prepared is cut short"));
        };
        let id = id.to_vec();
        for count in [u16::from_le_bytes([counts[2], counts[3]]), u16::from_le_bytes([counts[0], counts[1]])] {
            // The definitions of parameters and of columns, each list with an EOF packet behind it if it is not empty.
            for _ in 0..if count == 0 { 0 } else { u32::from(count) + 1 } {
                self.packet(doing, PACKET_MAX_BYTES).await?;
            }
        }
        self.is_busy = false;
        // No cursor, one iteration.
        let body = [id.as_slice(), &[0, 1, 0, 0, 0]].concat();
        self.command(doing, command::EXECUTE, &body).await?;
        match self.head(doing).await? {
            Head::Columns(columns) => Ok(Rows::new(self, doing, columns, true)),
            Head::Done(_) => Err(self.protocol(doing, "the statement has no rows")),
        }
    }

    /// The first packet of an answer; an error of the server ends the answer.
    async fn answer(&mut self, doing: &str) -> Result<bytes::Bytes, Error> {
        let packet = self.packet(doing, PACKET_MAX_BYTES).await?;
        if let Some(server) = ServerError::parse(&packet) {
            self.is_busy = false;
            return Err(self.server_error(doing, server));
        }
        Ok(packet)
    }

    async fn head(&mut self, doing: &str) -> Result<Head, Error> {
        let packet = self.answer(doing).await?;
        match packet.first() {
            Some(0) => return Ok(Head::Done(more_after_ok(&packet))),
            Some(0xfb) => {
                return Err(self.protocol(doing, "the server asks for a file of this machine, which it does not get"));
            }
            _ => {}
        }
        let count = take_integer(&mut &packet[..]).filter(|count| (1..=COLUMNS_MAX).contains(count));
        let count = count.ok_or_else(|| self.protocol(doing, "the answer has an impossible number of columns"))?;
        let mut columns = Vec::new();
        for _ in 0..count {
            let packet = self.packet(doing, PACKET_MAX_BYTES).await?;
            columns.push(ColumnDefinition::parse(&packet).map_err(|bad| Error::bad_packet(doing, bad))?);
        }
        let packet = self.packet(doing, PACKET_MAX_BYTES).await?;
        match end_of_rows(&packet) {
            Some(_) => Ok(Head::Columns(columns)),
            None => Err(self.protocol(doing, "the list of columns has no end")),
        }
    }

    async fn whole_rows(&mut self, doing: &str, columns: usize) -> Result<(Vec<Row>, bool), Error> {
        let (mut rows, mut spans) = (Vec::new(), Vec::new());
        loop {
            let packet = self.answer(doing).await?;
            if let Some(more) = end_of_rows(&packet) {
                return Ok((rows, more));
            }
            spans.clear();
            text_row(&packet, 0, columns, &mut spans).map_err(|bad| Error::bad_packet(doing, bad))?;
            let text = |span: &Span| span.bytes(&packet).map(|text| String::from_utf8_lossy(text).into_owned());
            rows.push(Row(spans.iter().map(text).collect()));
        }
    }
}

/// The rows of a query, decoded where they stand in the caller's buffer.
///
/// The caller owns the buffer, fills it with [`Rows::fill`] and takes rows out of it with [`Rows::next`]. A connection whose
/// rows were not read to their end cannot be used any more.
#[derive(Debug)]
pub struct Rows<'c> {
    connection: &'c mut Connection,
    doing: String,
    columns: Vec<ColumnDefinition>,
    /// For the binary protocol: how each column's cells lie.
    widths: Option<Vec<BinaryWidth>>,
}

/// What stands in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextRow {
    /// A whole row, of which the spans were appended.
    Row {
        /// Where to look for the next row.
        end: usize,
    },
    /// The row is not there yet. `need` bytes, counted from where was looked, are wanted before it is worth looking again.
    Incomplete {
        /// Length in bytes.
        need: usize,
    },
    /// There are no more rows.
    End {
        /// Behind the last byte of the answer.
        end: usize,
    },
}

impl<'c> Rows<'c> {
    fn new(connection: &'c mut Connection, doing: &str, columns: Vec<ColumnDefinition>, is_binary: bool) -> Self {
        let widths = is_binary.then(|| columns.iter().map(|column| BinaryWidth::of(column.column_type)).collect());
        Self { connection, doing: doing.into(), columns, widths }
    }

    /// The columns of the answer.
    pub fn columns(&self) -> &[ColumnDefinition] {
        &self.columns
    }

    /// Waits for bytes and appends one read of them to `buffer`. A full buffer grows by a little; for larger reads the caller
    /// reserves room. The future may be dropped without losing bytes.
    pub async fn fill(&mut self, buffer: &mut BytesMut) -> Result<usize, Error> {
        let read = self.connection.fill(buffer).await;
        read.map_err(|source| self.connection.io(&self.doing, source))
    }

    /// As [`Rows::fill`], but `None` at once when the socket is empty.
    pub fn try_fill(&mut self, buffer: &mut BytesMut) -> Result<Option<usize>, Error> {
        let read = self.connection.fill(buffer).now_or_never().transpose();
        read.map_err(|source| self.connection.io(&self.doing, source))
    }

    /// Looks for the row that begins at `from` of `buffer`, and appends a span for each of its cells: the bytes of the text,
    /// or of the binary form without the length in front. A row that was returned must be passed over (`end`): the pieces of
    /// a long one have been moved together.
    #[inline]
    pub fn next(&mut self, buffer: &mut BytesMut, from: usize, spans: &mut Vec<Span>) -> Result<NextRow, Error> {
        let Some(rest) = buffer.get_mut(from..) else { return Ok(NextRow::Incomplete { need: 0 }) };
        let packet = match next_packet(rest, self.connection.sequence) {
            packets::Next::Packet(packet) => packet,
            packets::Next::Incomplete { need } => return Ok(NextRow::Incomplete { need }),
            packets::Next::Bad(bad) => return Err(Error::bad_packet(&self.doing, bad)),
        };
        self.connection.sequence = packet.sequence;
        let (base, end) = (from + packet.payload.start, from + packet.consumed);
        let payload = &rest[packet.payload];
        if payload.first().is_some_and(|first| *first >= 0xfe)
            && let Some(last) = self.last(payload)
        {
            return last.map(|()| NextRow::End { end });
        }
        let read = match &self.widths {
            None => text_row(payload, base, self.columns.len(), spans),
            Some(widths) => binary_row(payload, base, widths, spans),
        };
        read.map_err(|bad| Error::bad_packet(&self.doing, bad))?;
        Ok(NextRow::Row { end })
    }

    /// The end of the rows, or an error in place of it. `None` for a row whose first cell is very long.
    #[cold]
    fn last(&mut self, payload: &[u8]) -> Option<Result<(), Error>> {
        if let Some(server) = ServerError::parse(payload) {
            self.connection.is_busy = false;
            return Some(Err(self.connection.server_error(&self.doing, server)));
        }
        let more = end_of_rows(payload)?;
        self.connection.is_busy = more;
        Some(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn definitions() {
        let packet = b"\x03def\x01d\x01t\x01t\x01n\x01n\x0c\x2d\0\xfc\x03\0\0\xfd\x21\0\x02\0\0";
        let expect = ColumnDefinition {
            name: "n".into(),
            collation: 45,
            length: 1020,
            column_type: 253,
            flags: 33,
            decimals: 2,
        };
        assert_eq!(ColumnDefinition::parse(packet), Ok(expect));
        assert_eq!(ColumnDefinition::parse(&packet[..20]), Err(BadPacket::Short));
    }

    #[test]
    fn ends() {
        assert_eq!(end_of_rows(b"\xfe\0\0\x02\0"), Some(false));
        assert_eq!(end_of_rows(b"\xfe\0\0\x0a\0"), Some(true));
        assert_eq!(end_of_rows(b"\xfe\x01\0\0\0\0\0\0\0x"), None);
        assert!(more_after_ok(b"\0\0\0\x0a\0\0\0"));
        assert!(!more_after_ok(b"\0\0\0\x02\0\0\0"));
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            let _ = (ColumnDefinition::parse(&bytes), end_of_rows(&bytes), more_after_ok(&bytes));
        }
    }
}
