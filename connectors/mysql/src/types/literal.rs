//! A cell of the binlog as a literal of SQL, so that a row can be looked for by its key.
//!
//! A literal means the same as the cell under any `sql_mode`, in a session in UTC, and in a form for which the server can use
//! an index on the column.

use record::{Value, ValueRef, civil_from_days};
use relational::values::{BinaryMode, DecimalMode};

use super::cell::{Cell, Fault};
use super::form::Form;
use super::modes::Modes;
use super::plan::plan;
use super::{moment, number};
use crate::Flavour;
use crate::binlog::WireColumn;
use crate::model::{Column, TableId};
use crate::sql::{quoted_bytes, quoted_text};

/// How the cells of a column of the binlog become literals.
#[derive(Clone, Debug)]
pub struct Literal {
    cell: Cell,
    form: Form,
}

impl Literal {
    /// For a column that the binlog gives in this type; `None` for a column of a type that nothing can be equal to.
    pub fn of(table: &TableId, column: &Column, flavour: Flavour, log: WireColumn) -> Option<Self> {
        // Whatever the settings say of records, here a value keeps all that it has.
        let modes = Modes { decimal: DecimalMode::String, binary: BinaryMode::Bytes, ..Modes::default() };
        let cell = plan(table, column, flavour, &modes)?.cell;
        let has_none = matches!(cell, Cell::Json | Cell::Point | Cell::Geometry | Cell::Vector | Cell::Converted(..));
        (!has_none).then_some(Self { cell, form: Form::Log(log) })
    }

    /// The literal for a cell with these bytes.
    ///
    /// # Errors
    /// When the bytes are not a value of the column.
    pub fn write(&self, raw: &[u8]) -> Result<String, Fault> {
        let form = self.form;
        Ok(match &self.cell {
            Cell::Int { unsigned } => {
                let n = number::integer(form, raw, *unsigned).ok_or("not an integer")?;
                if *unsigned { (n as u64).to_string() } else { n.to_string() }
            }
            Cell::Flag => number::integer(form, raw, false).ok_or("not an integer")?.to_string(),
            Cell::UnsignedBigint => (number::integer(form, raw, true).ok_or("not an integer")? as u64).to_string(),
            // The server compares a number of four bytes as the DOUBLE of the same value.
            Cell::Float | Cell::Double { is_single: true } => {
                format!("{:e}", f64::from(number::single(form, raw).ok_or("not a number")?))
            }
            Cell::Double { is_single: false } => {
                format!("{:e}", number::double(form, raw, false).ok_or("not a number")?)
            }
            Cell::Bit | Cell::Bits { .. } => bits(raw).ok_or("more bits than a BIT has")?.to_string(),
            Cell::Year { .. } => match raw {
                [0] => "0".to_owned(),
                [years] => (1900 + u16::from(*years)).to_string(),
                _ => return Err(Fault::Value("not a year")),
            },
            Cell::Date { .. } => match moment::date(form, raw, false)? {
                Some(days) => format!("'{}'", date(days)),
                None if raw.iter().all(|byte| *byte == 0) => "'0000-00-00'".to_owned(),
                None => return Err(NO_DAY),
            },
            Cell::Datetime { .. } => datetime(moment::datetime(form, raw, false)?, raw)?,
            Cell::Timestamp { .. } => datetime(moment::timestamp(form, raw, None)?, raw)?,
            Cell::Time(_) => {
                let micros = moment::time(form, raw)?;
                format!("'{}{}'", if micros < 0 { "-" } else { "" }, time(micros.unsigned_abs()))
            }
            Cell::Json | Cell::Point | Cell::Geometry | Cell::Vector | Cell::Converted(..) => {
                return Err(Fault::Value("a type without literals"));
            }
            Cell::Decimal { .. }
            | Cell::Text(_)
            | Cell::Bytes { .. }
            | Cell::Enum(_)
            | Cell::Set(_)
            | Cell::Uuid
            | Cell::Inet4
            | Cell::Inet6 => self.quoted(raw)?,
        })
    }

    fn quoted(&self, raw: &[u8]) -> Result<String, Fault> {
        match self.cell.read(self.form, raw)? {
            ValueRef::Bytes(bytes) => Ok(quoted_bytes(bytes)),
            value => match value.to_value() {
                Value::Text(text) if matches!(self.cell, Cell::Decimal { .. }) => Ok(text),
                Value::Text(text) => Ok(quoted_text(&text)),
                Value::Bytes(bytes) => Ok(quoted_bytes(&bytes)),
                _ => Err(Fault::Value("a value without a text")),
            },
        }
    }
}

/// A BIT is a number in big-endian order.
fn bits(raw: &[u8]) -> Option<u64> {
    (raw.len() <= 8).then(|| raw.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
}

const DAY_MICROS: i64 = 86_400_000_000;

fn date(days: i64) -> String {
    let (year, month, day) = civil_from_days(days);
    format!("{year:04}-{month:02}-{day:02}")
}

fn time(micros: u64) -> String {
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    format!("{:02}:{:02}:{:02}.{micros:06}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A date with a month or a day of zero. It is shown like the zero date, but is another value.
const NO_DAY: Fault = Fault::Value("a date that has a month or a day of zero");

/// Microseconds since 1970 in UTC; none for the zero date, and for dates with a month or a day of zero.
fn datetime(micros: Option<i64>, raw: &[u8]) -> Result<String, Fault> {
    match (micros, raw) {
        (Some(micros), _) => {
            let of_day = micros.rem_euclid(DAY_MICROS).unsigned_abs();
            Ok(format!("'{} {}'", date(micros.div_euclid(DAY_MICROS)), time(of_day)))
        }
        // The first bit of a packed DATETIME is set.
        (None, [0 | 0x80, rest @ ..]) if rest.iter().all(|byte| *byte == 0) => Ok("'0000-00-00 00:00:00'".to_owned()),
        (None, _) => Err(NO_DAY),
    }
}

#[cfg(test)]
mod tests;
