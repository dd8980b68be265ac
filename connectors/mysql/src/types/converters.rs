//! `converters`: the three converters that Debezium ships with its MySQL and MariaDB connectors. Converters of a user's own
//! are Java classes, and refused.
//!
//! Each is a choice made once a column, when it is planned: the column's schema and cell are replaced.

use jiff::civil;
use record::{Kind, Schema, SchemaBuilder, Value};
use relational::Patterns;
use relational::values::temporal::{self, DateForm};
use relational::values::{TimeMode, debezium};
use settings::{Invalid, Properties, split_regex_list};

use super::cell::{Cell, Conversion};
use super::charset::Charset;
use super::plan::{Fallback, Planned, digits};
use crate::model::{Column, TableId};

/// The packages that the classes may be written with; the second is of versions before 3.0.
const PACKAGES: [&str; 2] = ["io.debezium.connector.binlog.converters.", "io.debezium.connector.mysql.converters."];

/// The converters of a connector, in the order of the configuration: the first that takes a column converts it.
#[derive(Clone, Debug, Default)]
pub struct Converters(Vec<Converter>);

#[derive(Clone, Debug)]
enum Converter {
    TinyIntOneToBoolean { columns: Option<Patterns>, checks_length: bool },
    JdbcSinkDataTypes { booleans: Patterns, reals: Patterns, strings: Patterns, as_double: bool },
    ZeroDateFallback(Box<ZeroDates>),
}

/// What stands for a zero date, by type and by column.
#[derive(Clone, Debug)]
struct ZeroDates {
    columns: Option<Patterns>,
    /// DATE, DATETIME, TIMESTAMP: whether it acts on the type, and the literal; none is null.
    types: [(bool, Option<String>); 3],
    /// `db.table.column` and its literal.
    of_columns: Vec<(String, Option<String>)>,
}

impl Converters {
    /// Reads `converters`, `<name>.type` and the options of each.
    ///
    /// # Errors
    /// One complaint for each converter that is not one of the three, and for each option that cannot be used.
    pub fn read(properties: &Properties) -> Result<Self, Vec<Invalid>> {
        let names = properties.get("converters").unwrap_or("");
        let (mut all, mut complaints) = (Vec::new(), Vec::new());
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match Converter::read(properties, name) {
                Ok(converter) => all.push(converter),
                Err((option, why)) => {
                    let key = format!("{name}.{option}");
                    let text = format!("The '{}' value is invalid: {why}", settings::shown_name(&key));
                    complaints.push(Invalid::new(&key, text));
                }
            }
        }
        if complaints.is_empty() { Ok(Self(all)) } else { Err(complaints) }
    }

    /// The plan of a column after the first converter that takes it.
    pub(super) fn convert(&self, table: &TableId, column: &Column, planned: Planned) -> Planned {
        if self.0.is_empty() {
            return planned;
        }
        let name = format!("{table}.{}", column.name);
        self.0.iter().find_map(|converter| converter.convert(&name, column, &planned)).unwrap_or(planned)
    }
}

impl Converter {
    fn read(properties: &Properties, name: &str) -> Result<Self, (String, String)> {
        let option =
            |option: &str| properties.get(&format!("{name}.{option}")).map(str::trim).filter(|v| !v.is_empty());
        let class = option("type").ok_or_else(|| ("type".to_owned(), "A value is required".to_owned()))?;
        let patterns = |key: &str| {
            let list = split_regex_list(option(key).unwrap_or(""));
            let complaint = |e| format!("A comma-separated list of valid regular expressions is expected, but {e}");
            Patterns::new(&list).map_err(|e| (key.to_owned(), complaint(e)))
        };
        // Without a selector, or with `.*`, every column is taken.
        let selector = || option("selector").filter(|list| *list != ".*").map(|_| patterns("selector")).transpose();
        // As Java's Boolean.parseBoolean.
        let flag = |key: &str| option(key).is_none_or(|text| text.eq_ignore_ascii_case("true"));
        let short = PACKAGES.iter().find_map(|package| class.strip_prefix(package));
        match short {
            Some("TinyIntOneToBooleanConverter") => {
                Ok(Self::TinyIntOneToBoolean { columns: selector()?, checks_length: flag("length.checker") })
            }
            Some("JdbcSinkDataTypesConverter") => Ok(Self::JdbcSinkDataTypes {
                booleans: patterns("selector.boolean")?,
                reals: patterns("selector.real")?,
                strings: patterns("selector.string")?,
                as_double: flag("treat.real.as.double"),
            }),
            Some("ZeroDateFallbackConverter") if class.starts_with(PACKAGES[0]) => {
                ZeroDates::read(properties, name, selector()?).map(|zero| Self::ZeroDateFallback(Box::new(zero)))
            }
            _ => Err((
                "type".to_owned(),
                format!(
                    "{class} is a Java class; there are TinyIntOneToBooleanConverter, JdbcSinkDataTypesConverter and \
                     ZeroDateFallbackConverter of {}",
                    PACKAGES[0].trim_end_matches('.')
                ),
            )),
        }
    }

    fn convert(&self, name: &str, column: &Column, planned: &Planned) -> Option<Planned> {
        let takes = |patterns: &Patterns| !patterns.is_empty() && patterns.matches(name);
        let converted = |schema: SchemaBuilder, conversion| {
            let cell = Cell::Converted(Box::new(planned.cell.clone()), conversion);
            Some(Planned { schema, cell, fallback: None })
        };
        match self {
            Self::TinyIntOneToBoolean { columns, checks_length } => {
                let is_tiny = matches!(&*column.type_name, "TINYINT" | "TINYINT UNSIGNED");
                let is_taken = is_tiny
                    && (!checks_length || column.length == Some(1))
                    && columns.as_ref().is_none_or(|columns| columns.matches(name));
                if is_taken { converted(Schema::of(Kind::Bool), Conversion::Positive) } else { None }
            }
            Self::JdbcSinkDataTypes { booleans, .. } if takes(booleans) => {
                converted(Schema::of(Kind::Int16), Conversion::One)
            }
            Self::JdbcSinkDataTypes { reals, as_double: true, .. } if takes(reals) => {
                converted(Schema::of(Kind::Float64), Conversion::Double)
            }
            Self::JdbcSinkDataTypes { reals, .. } if takes(reals) => {
                converted(Schema::of(Kind::Float32), Conversion::Float)
            }
            Self::JdbcSinkDataTypes { strings, .. } if takes(strings) => {
                let schema = Schema::of(Kind::String);
                let schema = match &column.charset {
                    Some(charset) => schema.parameter("__debezium.source.column.character_set", charset),
                    None => schema,
                };
                match &planned.cell {
                    Cell::Text(_) | Cell::Enum(_) | Cell::Set(_) | Cell::Json => {
                        Some(Planned { schema, cell: planned.cell.clone(), fallback: None })
                    }
                    Cell::Bytes { .. } => Some(Planned { schema, cell: Cell::Text(Charset::UTF8), fallback: None }),
                    _ => converted(schema, Conversion::Words),
                }
            }
            Self::JdbcSinkDataTypes { .. } => None,
            Self::ZeroDateFallback(zero) => zero.convert(name, column, planned),
        }
    }
}

impl ZeroDates {
    fn read(properties: &Properties, name: &str, columns: Option<Patterns>) -> Result<Self, (String, String)> {
        let option = |key: &str| properties.get(&format!("{name}.{key}")).map(str::trim);
        let targets = option("target.types").unwrap_or("DATE,DATETIME,TIMESTAMP").to_ascii_uppercase();
        let targets: Vec<&str> = targets.split(',').map(str::trim).collect();
        let mut types = [(false, None), (false, None), (false, None)];
        for (place, (of, key)) in
            [("DATE", "fallback.date"), ("DATETIME", "fallback.datetime"), ("TIMESTAMP", "fallback.timestamp")]
                .into_iter()
                .enumerate()
        {
            let text = literal(option(key));
            if let Some(text) = &text {
                parsed(place, text, 6).ok_or_else(|| (key.to_owned(), format!("'{text}' is not a {of}")))?;
            }
            types[place] = (targets.contains(&of), text);
        }
        let prefix = format!("{name}.column.");
        let mut of_columns = Vec::new();
        for (key, value) in properties.iter() {
            let Some(column) = key.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(".fallback")) else {
                continue;
            };
            let text = literal(value);
            // Which type the column has is known only later.
            if text.as_ref().is_some_and(|text| (0..3).all(|place| parsed(place, text, 6).is_none())) {
                return Err((
                    format!("column.{column}.fallback"),
                    "a date, a date and time or an instant is expected".into(),
                ));
            }
            of_columns.push((column.to_owned(), text));
        }
        Ok(Self { columns, types, of_columns })
    }

    fn convert(&self, name: &str, column: &Column, planned: &Planned) -> Option<Planned> {
        if self.columns.as_ref().is_some_and(|columns| !columns.matches(name)) {
            return None;
        }
        let place = match &planned.cell {
            Cell::Date { .. } => 0,
            Cell::Datetime { .. } => 1,
            Cell::Timestamp { .. } => 2,
            _ => return None,
        };
        let (acts, of_type) = &self.types[place];
        if !acts {
            return None;
        }
        let literal = self.of_columns.iter().find(|(of, _)| of == name).map_or(of_type, |(_, literal)| literal);
        let digits = digits(column);
        let value = literal.as_deref().map(|text| parsed(place, text, digits));
        if value == Some(None) {
            tracing::warn!(
                column = name,
                "the column's fallback is not a literal of its type; null stands for a zero date"
            );
        }
        let fallback = value.flatten().unwrap_or(Value::Null);
        // The forms do not follow time.precision.mode, as in Debezium.
        let (schema, cell) = match planned.cell.clone() {
            Cell::Date { adjusts, .. } => {
                (debezium(Kind::Int32, "time.Date"), Cell::Date { form: DateForm::Days, adjusts })
            }
            Cell::Datetime { adjusts, .. } => {
                let (schema, form) = temporal::timestamp(digits, TimeMode::AdaptiveTimeMicroseconds);
                (schema, Cell::Datetime { form, adjusts })
            }
            Cell::Timestamp { zone, .. } => {
                (temporal::zoned(), Cell::Timestamp { digits: None, zero_is_epoch: false, zone })
            }
            _ => return None,
        };
        Some(Planned { schema, cell, fallback: Some(Fallback(fallback)) })
    }
}

/// A literal; none for null, however it is written.
fn literal(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty() && !text.eq_ignore_ascii_case("null")).map(str::to_owned)
}

/// A fallback's value: of a DATE (0) `2000-01-01`, of a DATETIME (1) `2000-01-01 00:00:00`, of a TIMESTAMP (2)
/// `2000-01-01T00:00:00Z` or with another offset.
fn parsed(place: usize, text: &str, digits: u8) -> Option<Value> {
    match place {
        0 => {
            let date: civil::Date = text.parse().ok().filter(|_| text.len() == 10)?;
            let days = record::days_from_civil(date.year().into(), date.month() as u32, date.day() as u32);
            Some(Value::Int(days))
        }
        1 => {
            let at = civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text).ok()?;
            let micros = jiff::tz::TimeZone::UTC.to_timestamp(at).ok()?.as_microsecond();
            let (_, form) = temporal::timestamp(digits, TimeMode::AdaptiveTimeMicroseconds);
            Some(form.timestamp(micros).ok()?.to_value())
        }
        _ => {
            let at: jiff::Timestamp = text.parse().ok()?;
            let micros = at.as_microsecond();
            let digits = super::moment::shown_digits(micros);
            Some(record::ValueRef::Zoned { micros, digits }.to_value())
        }
    }
}

#[cfg(test)]
mod tests;
