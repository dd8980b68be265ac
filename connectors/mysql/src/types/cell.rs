//! Reading one cell, in whichever form its bytes arrive.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::tz::TimeZone;
use record::{Value, ValueRef, write_double, write_float, write_int};
use relational::values::temporal::{DateForm, TimeForm, ZONED_EPOCH, is_time};
use relational::values::{BinaryMode, DecimalMode, binary, empty_geometry, owned, point_of, words, zero};

use super::charset::Charset;
use super::form::{Form, is_compressed};
use super::labels::Labels;
use crate::json;

use super::{address, compressed, decimal, geometry, moment, number};

/// How the bytes of a cell become a value. A variant names the type that it reads and, where a setting chooses among
/// several, the form of the value.
#[derive(Clone, Debug)]
pub enum Cell {
    /// TINYINT to BIGINT.
    Int {
        /// UNSIGNED, or ZEROFILL, which implies it. Of a BIGINT the upper half wraps to negative numbers.
        unsigned: bool,
    },
    /// BOOLEAN, as typed in DDL: any number but 0 is true.
    Flag,
    /// BIGINT UNSIGNED as Decimal.
    UnsignedBigint,
    /// FLOAT as FLOAT32.
    Float,
    /// FLOAT and DOUBLE as FLOAT64.
    Double {
        /// Whether the column's numbers have four bytes.
        is_single: bool,
    },
    /// DECIMAL.
    Decimal {
        /// Digits behind the point.
        scale: i32,
        /// `decimal.handling.mode`.
        mode: DecimalMode,
    },
    /// BIT(1).
    Bit,
    /// BIT(n).
    Bits {
        /// Bytes of the value.
        bytes: usize,
    },
    /// YEAR.
    Year {
        /// `enable.time.adjuster`.
        adjusts: bool,
    },
    /// CHAR, VARCHAR, TEXT; JSON of MariaDB.
    Text(Charset),
    /// BINARY, VARBINARY, BLOB.
    Bytes {
        /// `binary.handling.mode`.
        mode: BinaryMode,
        /// The length to which a BINARY is filled with zero bytes, 0 for other types: the binlog cuts them.
        width: usize,
    },
    /// ENUM.
    Enum(Arc<Labels>),
    /// SET.
    Set(Arc<Labels>),
    /// JSON of MySQL.
    Json,
    /// DATE.
    Date {
        /// As a number or as text.
        form: DateForm,
        /// `enable.time.adjuster`.
        adjusts: bool,
    },
    /// TIME.
    Time(TimeForm),
    /// DATETIME.
    Datetime {
        /// As a number or as text.
        form: TimeForm,
        /// `enable.time.adjuster`.
        adjusts: bool,
    },
    /// TIMESTAMP.
    Timestamp {
        /// Fraction digits that a streamed value shows; none: as many as are not trailing zeros, as in a snapshot.
        digits: Option<u8>,
        /// Whether the zero timestamp of the binlog is the epoch, as Debezium's MariaDB connector 3.5.0 sends it. Otherwise
        /// it is null, as it is in a query.
        zero_is_epoch: bool,
        /// The zone in which a query prints it; none: UTC.
        zone: Option<TimeZone>,
    },
    /// POINT.
    Point,
    /// Any other geometry.
    Geometry,
    /// VECTOR.
    Vector,
    /// UUID of MariaDB.
    Uuid,
    /// INET4 of MariaDB.
    Inet4,
    /// INET6 of MariaDB.
    Inet6,
    /// A cell whose value a converter of the configuration (`converters`) changes.
    Converted(Box<Cell>, Conversion),
}

/// What a converter makes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// BOOLEAN: whether a number is above zero.
    Positive,
    /// INT16: 1 for true and for a number above zero, else 0.
    One,
    /// FLOAT64.
    Double,
    /// FLOAT32.
    Float,
    /// STRING.
    Words,
}

/// Why a cell has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The bytes are not a value of the type. The reason never holds the bytes, which may be secret.
    Value(&'static str),
    /// A date that the calendar does not have.
    Calendar,
}

impl From<&'static str> for Fault {
    fn from(reason: &'static str) -> Self {
        Self::Value(reason)
    }
}

impl Cell {
    /// Reads a cell. A zero date is read as null.
    ///
    /// # Errors
    /// See [`Fault`].
    pub fn read<'a>(&'a self, form: Form, raw: &'a [u8]) -> Result<ValueRef<'a>, Fault> {
        if let Form::Log(log) = form
            && is_compressed(log)
        {
            let plain = compressed::plain(raw).ok_or("not a compressed value")?;
            return Ok(owned(self.plain(form, &plain)?.to_value()));
        }
        self.plain(form, raw)
    }

    fn plain<'a>(&'a self, form: Form, raw: &'a [u8]) -> Result<ValueRef<'a>, Fault> {
        let is_log = matches!(form, Form::Log(_));
        Ok(match self {
            Self::Int { unsigned } => ValueRef::Int(number::integer(form, raw, *unsigned).ok_or("not an integer")?),
            Self::Text(charset) => if is_log { *charset } else { Charset::UTF8 }.text(raw),
            Self::Decimal { scale, mode } => decimal::value(form, raw, *scale, *mode).ok_or("not a decimal number")?,
            Self::Datetime { form: shown, adjusts } => match moment::datetime(form, raw, *adjusts)? {
                Some(micros) => shown.timestamp(micros)?,
                None => ValueRef::Null,
            },
            Self::Timestamp { digits, zero_is_epoch, zone } => {
                let zero = (is_log && *zero_is_epoch).then_some(0);
                match moment::timestamp(form, raw, zone.as_ref())?.or(zero) {
                    Some(micros) => {
                        let digits = digits.filter(|_| is_log).unwrap_or_else(|| moment::shown_digits(micros));
                        ValueRef::Zoned { micros, digits }
                    }
                    None => ValueRef::Null,
                }
            }
            Self::Date { form: shown, adjusts } => match moment::date(form, raw, *adjusts)? {
                Some(days) => shown.value(days)?,
                None => ValueRef::Null,
            },
            Self::Time(shown) => time_value(*shown, moment::time(form, raw)?)?,
            Self::Double { is_single } => {
                ValueRef::Double(number::double(form, raw, *is_single).ok_or("not a number")?)
            }
            Self::Float => ValueRef::Float(number::single(form, raw).ok_or("not a number")?),
            Self::Bytes { mode, width } if raw.len() < *width => {
                let mut padded = raw.to_vec();
                padded.resize(*width, 0);
                binary::encoded(Cow::Owned(padded), *mode)
            }
            Self::Bytes { mode, .. } => binary::encoded(Cow::Borrowed(raw), *mode),
            Self::Enum(labels) if is_log => {
                let index = number::unsigned(raw).ok_or("not an ENUM's index")?;
                labels.label(index).ok_or("an ENUM's index without a label")?
            }
            Self::Set(labels) if is_log => {
                let bits = number::unsigned(raw).ok_or("not a SET's bits")?;
                labels.labels(bits).ok_or("a SET's bit without a label")?
            }
            Self::Enum(_) | Self::Set(_) => Charset::UTF8.text(raw),
            Self::Json if raw.is_empty() => ValueRef::Null,
            Self::Json if is_log => words(json_text(raw)?),
            Self::Json => Charset::UTF8.text(raw),
            Self::Flag => ValueRef::Bool(number::integer(form, raw, false).ok_or("not an integer")? != 0),
            Self::UnsignedBigint => decimal::unsigned(number::integer(form, raw, true).ok_or("not an integer")? as u64),
            Self::Bit => ValueRef::Bool(number::bits(raw, 1).ok_or("not a single bit")?[0] & 1 == 1),
            Self::Bits { bytes } => {
                owned(Value::Bytes(number::bits(raw, *bytes).ok_or("more bits than the column has")?))
            }
            Self::Year { adjusts } => ValueRef::Int(year(form, raw, *adjusts).ok_or("not a year")?),
            Self::Point => owned(geometry::point(raw).ok_or("not a POINT")?),
            Self::Geometry => owned(geometry::geometry(raw).ok_or("not a geometry")?),
            Self::Vector => owned(geometry::vector(raw).ok_or("not a vector")?),
            Self::Uuid => address::uuid(form, raw).ok_or("not a UUID")?,
            Self::Inet4 => address::inet4(form, raw).ok_or("not an IPv4 address")?,
            Self::Inet6 => address::inet6(form, raw).ok_or("not an IPv6 address")?,
            Self::Converted(inner, conversion) => conversion.of(inner.plain(form, raw)?)?,
        })
    }

    /// Makes a query's result be read as one of a session in UTC, whatever zone the settings give to snapshots.
    pub(super) fn in_utc(&mut self) {
        match self {
            Self::Timestamp { zone, .. } => *zone = None,
            Self::Converted(inner, _) => inner.in_utc(),
            _ => {}
        }
    }

    /// The value that stands for NULL in a NOT NULL column without a default: zero, empty, the epoch.
    pub(super) fn fallback(&self, schema: &record::Schema) -> Value {
        match self {
            Self::Timestamp { .. } | Self::Datetime { form: TimeForm::Iso, .. } => Value::text(ZONED_EPOCH),
            Self::Time(TimeForm::Iso) => Value::text("00:00:00Z"),
            Self::Date { form: DateForm::Iso, .. } => Value::text("1970-01-01Z"),
            Self::Decimal { scale, mode } => decimal::zero(*scale, *mode),
            Self::UnsignedBigint => decimal::zero(0, DecimalMode::Precise),
            Self::Point => point_of(0.0, 0.0),
            Self::Geometry => empty_geometry(),
            Self::Json => Value::text("{}"),
            Self::Text(_) if schema.name.as_deref() == Some("io.debezium.data.Json") => Value::text("{}"),
            _ => zero(schema),
        }
    }
}

/// A TIME under a mode. Connect's times and ISO texts are times of day.
pub(super) fn time_value<'a>(shown: TimeForm, micros: i64) -> Result<ValueRef<'a>, Fault> {
    if matches!(shown, TimeForm::Millis | TimeForm::Iso) && !is_time(micros) {
        return Err(Fault::Value(
            "a TIME outside of 00:00:00 to 24:00:00, which this time.precision.mode cannot show (microseconds can)",
        ));
    }
    Ok(shown.time(micros))
}

/// The text of MySQL's binary JSON.
fn json_text(raw: &[u8]) -> Result<String, Fault> {
    let mut out = Vec::with_capacity(raw.len());
    json::write_text(&mut out, raw).map_err(|error| Fault::Value(error.0))?;
    String::from_utf8(out).map_err(|_| Fault::Value("a JSON value with a text that is not UTF-8"))
}

/// A YEAR: in the binlog the years since 1900, and 0 for the year 0, which Debezium takes for 1900.
fn year(form: Form, raw: &[u8], adjusts: bool) -> Option<i64> {
    let year = match (form, raw) {
        (Form::Log(_), [byte]) => 1900 + u16::from(*byte),
        (Form::Log(_), _) => return None,
        _ => u16::try_from(number::integer(form, raw, true)?).ok()?,
    };
    Some(i64::from(if adjusts { moment::adjusted(year) } else { year }))
}

impl Conversion {
    pub(super) fn of(self, value: ValueRef<'_>) -> Result<ValueRef<'_>, Fault> {
        let value = match value {
            // A column's default.
            ValueRef::Shared(Value::Int(n)) => ValueRef::Int(*n),
            ValueRef::Shared(Value::Float(n)) => ValueRef::Float(*n),
            ValueRef::Shared(Value::Double(n)) => ValueRef::Double(*n),
            ValueRef::Shared(Value::Bool(flag)) => ValueRef::Bool(*flag),
            value => value,
        };
        if value.is_null() {
            return Ok(ValueRef::Null);
        }
        Ok(match self {
            Self::Positive => ValueRef::Bool(is_positive(&value)?),
            Self::One => ValueRef::Int(i64::from(is_positive(&value)?)),
            Self::Double => ValueRef::Double(number_of(&value)?),
            Self::Float => ValueRef::Float(number_of(&value)? as f32),
            Self::Words => match value {
                ValueRef::Text(_) | ValueRef::Zoned { .. } | ValueRef::Uuid(_) => value,
                ValueRef::Bytes(bytes) => Charset::UTF8.text(bytes),
                value => words(shown(&value)?),
            },
        })
    }
}

fn is_positive(value: &ValueRef<'_>) -> Result<bool, Fault> {
    match value {
        ValueRef::Bool(flag) => Ok(*flag),
        // As Debezium does, the whole part decides.
        value => Ok(number_of(value)? as i32 > 0),
    }
}

fn number_of(value: &ValueRef<'_>) -> Result<f64, Fault> {
    match value {
        ValueRef::Int(n) => Ok(*n as f64),
        ValueRef::Float(n) => Ok(f64::from(*n)),
        ValueRef::Double(n) => Ok(*n),
        value => shown(value)?.parse().map_err(|_| Fault::Value("not a number, which the converter asks for")),
    }
}

/// A value's text.
fn shown(value: &ValueRef<'_>) -> Result<String, Fault> {
    let mut out = Vec::new();
    match value {
        ValueRef::Int(n) => write_int(&mut out, *n),
        ValueRef::Float(n) => write_float(&mut out, *n),
        ValueRef::Double(n) => write_double(&mut out, *n),
        ValueRef::Bool(flag) => out.extend_from_slice(if *flag { b"true" } else { b"false" }),
        ValueRef::Decimal { unscaled, scale } => {
            record::write_decimal(&mut out, *unscaled, *scale);
        }
        value => match value.to_value() {
            Value::Text(text) => return Ok(text),
            Value::Bytes(bytes) => return Ok(String::from_utf8_lossy(&bytes).into_owned()),
            _ => return Err(Fault::Value("a value without a text, which the converter asks for")),
        },
    }
    Ok(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests;
