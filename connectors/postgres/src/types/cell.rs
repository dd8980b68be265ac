//! Reading one cell: pgoutput's text and COPY's binary forms.

use std::borrow::Cow;

use record::{Value, ValueRef};
use relational::in_map_order;
use relational::values::binary::encoded;
use relational::values::temporal::{DateForm, TimeForm, is_time, time_text};
use relational::values::{decimal, number as plain, owned, words};

use super::array::{Element, elements};
use super::misc;
use super::number::{self, Numeric, Special};
use super::plan::{BinaryMode, HstoreMode};
use super::time::{self, Interval};

/// How the bytes of a cell look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The type's text output (pgoutput without `binary`, a column cast to text).
    Text,
    /// The type's binary send form (COPY BINARY).
    Binary,
}

/// How the bytes of a cell become a value. A variant names the PostgreSQL type that it reads and, where a setting chooses
/// among several, the form of the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// BOOLEAN.
    Bool,
    /// int2, int4, int8.
    Int,
    /// oid: unsigned in binary.
    Oid,
    /// float4.
    Float,
    /// float8.
    Double,
    /// Types shown as text whose binary form is the same bytes.
    Text,
    /// Types shown as text whose binary form is not text: snapshots ask the server to print them.
    PrintedText,
    /// inet: a cast to text shows a mask that the type's output leaves out, so snapshots call the output function.
    Inet,
    /// xml: a cast to text keeps a declaration that the type's output leaves out, so snapshots call the output function.
    Xml,
    /// jsonb: a version byte before the text in binary.
    Jsonb,
    /// uuid.
    Uuid,
    /// bytea.
    Bytea(BinaryMode),
    /// numeric(p,s).
    Decimal {
        /// Digits behind the point.
        scale: i32,
    },
    /// numeric without a modifier.
    VariableDecimal,
    /// numeric as FLOAT64.
    DecimalDouble {
        /// Digits behind the point, where the column fixes them: a default may not have more.
        scale: Option<i32>,
    },
    /// numeric as STRING.
    DecimalString {
        /// Digits behind the point, where the column fixes them.
        scale: Option<i32>,
    },
    /// money.
    Money {
        /// `money.fraction.digits`.
        scale: i32,
    },
    /// money as FLOAT64.
    MoneyDouble,
    /// money as STRING, with the digits that the server has.
    MoneyString {
        /// `money.fraction.digits`, for the zero that stands for a missing value.
        scale: i32,
    },
    /// date.
    Date(DateForm),
    /// time.
    Time(TimeForm),
    /// timetz.
    ZonedTime,
    /// timestamp.
    Timestamp(TimeForm),
    /// timestamptz.
    ZonedTimestamp {
        /// Fraction digits shown.
        digits: u8,
    },
    /// interval in microseconds.
    Interval,
    /// interval as ISO text.
    IsoInterval,
    /// bit(1).
    Bit,
    /// bit(n), varbit.
    Bits,
    /// point.
    Point,
    /// PostGIS geometry and geography.
    Geometry,
    /// hstore.
    Hstore(HstoreMode),
    /// pgvector's vector and halfvec.
    Vector {
        /// FLOAT32 elements.
        single: bool,
    },
    /// pgvector's sparsevec.
    SparseVector,
    /// An array.
    Array {
        /// What its elements are.
        element: Box<Cell>,
        /// Whether an element may be null. If not, the whole value with a null element cannot be converted.
        nullable: bool,
        /// What stands between elements (`pg_type.typdelim`).
        delimiter: u8,
    },
    /// An array of bit: no value can be converted.
    Unreadable,
    /// box, circle, line, lseg, path, polygon: unknown types, sent only with `include.unknown.datatypes`. The numbers in
    /// their text are written as Java writes them.
    Geometric(BinaryMode),
    /// An unknown type, sent only with `include.unknown.datatypes`: its text, as bytes.
    Opaque(BinaryMode),
}

type Read<'a> = Result<ValueRef<'a>, &'static str>;

fn utf8(raw: &[u8]) -> Result<&str, &'static str> {
    std::str::from_utf8(raw).map_err(|_| "not valid UTF-8")
}

fn fixed<const N: usize>(raw: &[u8]) -> Result<[u8; N], &'static str> {
    raw.try_into().map_err(|_| "a binary value of another length than its type has")
}

impl Cell {
    /// The expression that a snapshot selects for a column, given its quoted name: the column itself, or its text where its
    /// binary form is not read here.
    pub fn selected(&self, column: &str) -> String {
        match self {
            Self::Inet => format!("pg_catalog.textin(pg_catalog.inet_out({column}))"),
            Self::Xml => format!("pg_catalog.textin(pg_catalog.xml_out({column}))"),
            _ if self.has_binary() => column.to_owned(),
            _ => format!("{column}::text"),
        }
    }

    fn has_binary(&self) -> bool {
        matches!(
            self,
            Self::Bool
                | Self::Int
                | Self::Oid
                | Self::Float
                | Self::Double
                | Self::Text
                | Self::Jsonb
                | Self::Uuid
                | Self::Bytea(_)
                | Self::Decimal { .. }
                | Self::VariableDecimal
                | Self::DecimalDouble { .. }
                | Self::DecimalString { .. }
                | Self::Date(_)
                | Self::Time(_)
                | Self::Timestamp(_)
                | Self::ZonedTimestamp { .. }
        )
    }

    /// Reads a cell.
    ///
    /// # Errors
    /// The reason why the bytes are not a value of the type. It never holds the bytes, which may be secret.
    pub fn read<'a>(&self, form: Form, raw: &'a [u8]) -> Read<'a> {
        match form {
            Form::Text => self.text(raw),
            Form::Binary => self.binary(raw),
        }
    }

    fn text<'a>(&self, raw: &'a [u8]) -> Read<'a> {
        Ok(match self {
            Self::Text | Self::PrintedText | Self::Inet | Self::Xml | Self::Jsonb => ValueRef::Text(utf8(raw)?),
            Self::Int | Self::Oid => ValueRef::Int(plain::int(raw).ok_or("not an integer")?),
            Self::Bool => match raw {
                b"t" | b"true" => ValueRef::Bool(true),
                b"f" | b"false" => ValueRef::Bool(false),
                _ => return Err("not a boolean"),
            },
            Self::Float => ValueRef::Float(plain::float(raw).ok_or("not a number")?),
            Self::Double => ValueRef::Double(plain::float(raw).ok_or("not a number")?),
            Self::Uuid => ValueRef::Text(utf8(raw).ok().filter(|t| t.len() == 36).ok_or("not a uuid")?),
            Self::Bytea(mode) => {
                let digits = raw.strip_prefix(b"\\x").ok_or("not in the hex format that this connection asked for")?;
                if *mode == BinaryMode::Bytes {
                    if digits.len() % 2 != 0 || !digits.iter().all(u8::is_ascii_hexdigit) {
                        return Err("not hexadecimal digits");
                    }
                    ValueRef::Hex(digits)
                } else {
                    encoded(Cow::Owned(record::unhex(digits).ok_or("not hexadecimal digits")?), *mode)
                }
            }
            Self::Decimal { scale } => match decimal::short(raw, *scale) {
                Some(unscaled) => ValueRef::Decimal { unscaled, scale: *scale },
                None => self.numeric(number::numeric(raw).ok_or("not a number")?)?,
            },
            Self::VariableDecimal | Self::DecimalDouble { .. } | Self::DecimalString { .. } => {
                self.numeric(number::numeric(raw).ok_or("not a number")?)?
            }
            Self::Money { scale } => number::money(raw).ok_or("not an amount of money")?.at_scale(*scale).to_decimal(),
            Self::MoneyDouble => {
                let plain = number::money(raw).ok_or("not an amount of money")?.to_plain();
                ValueRef::Double(plain.parse().map_err(|_| "not a number")?)
            }
            Self::MoneyString { .. } => words(number::money(raw).ok_or("not an amount of money")?.to_plain()),
            Self::Date(form) => form.value(time::date(raw).ok_or("not a date")?)?,
            Self::Time(form) => time_of_day(*form, time::time(raw).ok_or("not a time")?)?,
            Self::ZonedTime => words(time_text(time::time_with_zone(raw).ok_or("not a time with zone")?)),
            Self::Timestamp(_) | Self::ZonedTimestamp { .. } => {
                self.instant(time::timestamp(raw).ok_or("not a timestamp")?)?
            }
            Self::Interval => ValueRef::Int(Interval::parse(raw).ok_or("not an interval")?.to_micros()),
            Self::IsoInterval => words(Interval::parse(raw).ok_or("not an interval")?.to_text()),
            Self::Bit => ValueRef::Bool(raw == b"1"),
            Self::Bits => owned(Value::Bytes(misc::bits(raw).ok_or("not a bit string")?)),
            Self::Point => owned(misc::point(raw).ok_or("not a point")?),
            Self::Geometry => owned(misc::geometry(raw).ok_or("not EWKB")?),
            Self::Hstore(mode) => hstore(utf8(raw)?, *mode)?,
            Self::Vector { single } => owned(misc::vector(utf8(raw)?, *single).ok_or("not a vector")?),
            Self::SparseVector => {
                owned(misc::sparse_vector(utf8(raw)?).ok_or("not a sparse vector of at most 32767 dimensions")?)
            }
            Self::Array { element, nullable, delimiter } => {
                let mut values = Vec::new();
                for item in elements(raw, *delimiter).ok_or("not an array")? {
                    values.push(match item {
                        // The schema has one dimension; an inner array becomes a null element, as in Debezium.
                        Element::Null | Element::Nested if *nullable => Value::Null,
                        Element::Null | Element::Nested => return Err("a null element where elements are required"),
                        Element::Text(text) => element.text(&text)?.to_value(),
                    });
                }
                owned(Value::Array(values))
            }
            Self::Unreadable => return Err("arrays of this type have no Connect form"),
            Self::Geometric(mode) => encoded(Cow::Owned(misc::geometric(utf8(raw)?).into_bytes()), *mode),
            Self::Opaque(mode) => encoded(Cow::Borrowed(raw), *mode),
        })
    }

    fn binary<'a>(&self, raw: &'a [u8]) -> Read<'a> {
        Ok(match self {
            Self::Text => ValueRef::Text(utf8(raw)?),
            Self::Jsonb => match raw.split_first() {
                Some((1, text)) => ValueRef::Text(utf8(text)?),
                _ => return Err("a version of jsonb that is not known"),
            },
            Self::Int => ValueRef::Int(match raw.len() {
                2 => i64::from(i16::from_be_bytes(fixed(raw)?)),
                4 => i64::from(i32::from_be_bytes(fixed(raw)?)),
                _ => i64::from_be_bytes(fixed(raw)?),
            }),
            Self::Oid => ValueRef::Int(i64::from(u32::from_be_bytes(fixed(raw)?))),
            Self::Bool => ValueRef::Bool(fixed::<1>(raw)?[0] != 0),
            Self::Float => ValueRef::Float(f32::from_be_bytes(fixed(raw)?)),
            Self::Double => ValueRef::Double(f64::from_be_bytes(fixed(raw)?)),
            Self::Uuid => ValueRef::Uuid(raw.try_into().map_err(|_| "not sixteen bytes")?),
            Self::Bytea(mode) => encoded(Cow::Borrowed(raw), *mode),
            Self::Decimal { .. } | Self::VariableDecimal | Self::DecimalDouble { .. } | Self::DecimalString { .. } => {
                self.numeric(number::numeric_binary(raw).ok_or("not a numeric")?)?
            }
            Self::Date(form) => match i32::from_be_bytes(fixed(raw)?) {
                i32::MAX => form.value(time::INFINITY_DAYS)?,
                i32::MIN => form.value(time::MINUS_INFINITY_DAYS)?,
                days => form.value(i64::from(days) + time::EPOCH_DAYS)?,
            },
            Self::Time(form) => time_of_day(*form, i64::from_be_bytes(fixed(raw)?))?,
            Self::Timestamp(_) | Self::ZonedTimestamp { .. } => {
                self.instant(match i64::from_be_bytes(fixed(raw)?) {
                    i64::MAX => time::INFINITY_MICROS,
                    i64::MIN => time::MINUS_INFINITY_MICROS,
                    micros => micros.checked_add(time::EPOCH_MICROS).ok_or("a timestamp out of range")?,
                })?
            }
            // Every other type is copied as text.
            _ => self.text(raw)?,
        })
    }

    fn numeric<'a>(&self, numeric: Numeric) -> Read<'a> {
        let digits = match numeric {
            Numeric::Finite(digits) => digits,
            Numeric::Special(special) => {
                return match (self, special) {
                    (Self::DecimalDouble { .. }, Special::NaN) => Ok(ValueRef::Double(f64::NAN)),
                    (Self::DecimalDouble { .. }, Special::Infinity) => Ok(ValueRef::Double(f64::INFINITY)),
                    (Self::DecimalDouble { .. }, Special::MinusInfinity) => Ok(ValueRef::Double(f64::NEG_INFINITY)),
                    (Self::DecimalString { .. }, Special::NaN) => Ok(words("NAN".into())),
                    (Self::DecimalString { .. }, Special::Infinity) => Ok(words("POSITIVE_INFINITY".into())),
                    (Self::DecimalString { .. }, Special::MinusInfinity) => Ok(words("NEGATIVE_INFINITY".into())),
                    _ => Err("NaN and infinities have no exact decimal form (decimal.handling.mode=string shows them)"),
                };
            }
        };
        Ok(match self {
            Self::Decimal { scale } => digits.at_scale(*scale).to_decimal(),
            Self::DecimalDouble { .. } => ValueRef::Double(digits.to_plain().parse().map_err(|_| "not a number")?),
            Self::DecimalString { .. } => words(digits.to_plain()),
            _ => digits.to_variable(),
        })
    }

    fn instant<'a>(&self, micros: i64) -> Read<'a> {
        Ok(match self {
            Self::ZonedTimestamp { digits } => match micros {
                time::INFINITY_MICROS => ValueRef::Text("infinity"),
                time::MINUS_INFINITY_MICROS => ValueRef::Text("-infinity"),
                micros => ValueRef::Zoned { micros, digits: *digits },
            },
            Self::Timestamp(TimeForm::Nanos) if micros == time::INFINITY_MICROS => ValueRef::Int(i64::MAX),
            Self::Timestamp(TimeForm::Nanos) if micros == time::MINUS_INFINITY_MICROS => ValueRef::Int(i64::MIN),
            Self::Timestamp(form) => form.timestamp(micros)?,
            _ => return Err("not a timestamp"),
        })
    }
}

fn time_of_day<'a>(form: TimeForm, micros: i64) -> Read<'a> {
    if is_time(micros) { Ok(form.time(micros)) } else { Err("a time out of range") }
}

fn hstore<'a>(text: &str, mode: HstoreMode) -> Read<'a> {
    let mut pairs = misc::hstore(text).ok_or("not an hstore")?;
    // The order in which Debezium's Java map gives them out.
    let count = pairs.len();
    in_map_order(&mut pairs, count, |(key, _)| key);
    Ok(owned(match mode {
        HstoreMode::Map => {
            Value::Map(pairs.into_iter().map(|(k, v)| (Value::Text(k), v.map_or(Value::Null, Value::Text))).collect())
        }
        HstoreMode::Json => {
            let map: serde_json::Map<_, _> = pairs.into_iter().map(|(k, v)| (k, v.into())).collect();
            Value::Text(serde_json::Value::Object(map).to_string())
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(nullable: bool, text: &str, expect: Option<Vec<Value>>) {
        let cell = Cell::Array { element: Box::new(Cell::Int), nullable, delimiter: b',' };
        let found = cell.read(Form::Text, text.as_bytes()).ok().map(|value| value.to_value());
        assert_eq!(found, expect.map(Value::Array), "{text}");
    }

    #[test]
    fn dates_and_times_beyond_their_types() {
        #[track_caller]
        fn check(cell: &Cell, raw: &[u8], expect: impl Into<Option<Value>>) {
            let found = cell.read(Form::Binary, raw).ok().map(|value| value.to_value());
            assert_eq!(found, expect.into(), "{cell:?} {raw:?}");
        }
        let last = i32::MAX - 10_957;
        check(&Cell::Date(DateForm::Days), &last.to_be_bytes(), Value::Int(i64::from(i32::MAX)));
        check(&Cell::Date(DateForm::Iso), &0_i32.to_be_bytes(), Value::text("2000-01-01Z"));
        check(&Cell::Date(DateForm::Iso), &i32::MAX.to_be_bytes(), Value::text("+5881580-07-11Z"));
        for cell in [Cell::Date(DateForm::Days), Cell::Date(DateForm::Iso)] {
            check(&cell, &(last + 1).to_be_bytes(), None);
            assert!(cell.read(Form::Text, b"999999999999999999-01-01").is_err());
        }
        let nanos = Cell::Time(TimeForm::Nanos);
        check(&nanos, &86_400_000_000_i64.to_be_bytes(), Value::Int(86_400_000_000_000));
        for cell in [nanos, Cell::Time(TimeForm::Millis), Cell::Time(TimeForm::Iso)] {
            for micros in [86_400_000_001, i64::MAX, -1, i64::MIN] {
                check(&cell, &micros.to_be_bytes(), None);
            }
        }
    }

    #[test]
    fn an_array_of_required_elements_takes_no_null() {
        check(true, "{1,NULL}", Some(vec![Value::Int(1), Value::Null]));
        check(true, "{{1},{2}}", Some(vec![Value::Null, Value::Null]));
        check(false, "{1,2}", Some(vec![Value::Int(1), Value::Int(2)]));
        check(false, "{1,NULL}", None);
        check(false, "{{1},{2}}", None);
    }
}
