//! A column's default as its schema's default: the value of a literal, or the zero of the type for a function call. Other
//! expressions give no default. The rules are Debezium's.

use record::{Schema, Value};

use super::absent::fallback;
use super::cell::{Cell, Form};
use super::number::{self, Numeric};

/// The schema default of a column whose default expression reads `expression` (as `pg_get_expr` prints it).
pub(super) fn default(cell: &Cell, schema: &Schema, expression: &str) -> Option<Value> {
    let value = match literal(expression.trim())? {
        Literal::Text(text) => given(cell, &text)?,
        Literal::Call => of_call(cell, schema)?,
    };
    // A schema's default is never a struct.
    (!matches!(value, Value::Struct(_) | Value::Null)).then_some(value)
}

/// A literal's value. A number is brought to the column's scale; a number with more digits than that is no default.
fn given(cell: &Cell, text: &str) -> Option<Value> {
    let scale = match cell {
        Cell::Decimal { scale } => Some(*scale),
        Cell::DecimalDouble { scale } | Cell::DecimalString { scale } => *scale,
        _ => None,
    };
    let scaled = match (scale, number::numeric(text.as_bytes())) {
        (Some(scale), Some(Numeric::Finite(digits))) if digits.scale > scale => return None,
        (Some(scale), Some(Numeric::Finite(digits))) => Some(digits.at_scale(scale).to_plain()),
        _ => None,
    };
    let text = scaled.as_deref().unwrap_or(text);
    if matches!(cell, Cell::ZonedTimestamp { .. }) && matches!(text, "infinity" | "-infinity") {
        return None;
    }
    Some(cell.read(Form::Text, text.as_bytes()).ok()?.to_value())
}

/// The default for a function call, whose result is not known: the zero of the type.
fn of_call(cell: &Cell, schema: &Schema) -> Option<Value> {
    Some(match (cell, schema.name.as_deref()) {
        (Cell::Uuid, _) => Value::text("00000000-0000-0000-0000-000000000000"),
        (Cell::Hstore(_), _) | (_, Some("io.debezium.data.Enum")) => return None,
        (Cell::Bits, _) => Value::Bytes(Vec::new()),
        (_, Some("io.debezium.data.Json")) => Value::text("{}"),
        (Cell::ZonedTimestamp { digits }, _) if *digits > 0 => {
            Value::Text(format!("1970-01-01T00:00:00.{:0width$}Z", 0, width = usize::from(*digits)))
        }
        (Cell::DecimalString { scale: None }, _) => Value::text("0.0"),
        _ => fallback(cell, schema),
    })
}

enum Literal {
    Text(String),
    Call,
}

fn literal(expression: &str) -> Option<Literal> {
    let upper = expression.to_ascii_uppercase();
    if upper == "NULL" || upper.starts_with("NULL::") {
        return None;
    }
    // A cast of a cast is printed in parentheses: `('{}'::json)::jsonb`.
    let opened = expression.trim_start_matches('(');
    if let Some(quoted) = opened.strip_prefix('\'').or_else(|| expression.strip_prefix("B'")) {
        // The first quoted text; a doubled quote is one quote. Whatever follows must be a cast and nothing else.
        let (mut text, mut chars) = (String::new(), quoted.char_indices());
        while let Some((at, c)) = chars.next() {
            match c {
                '\'' if quoted[at + 1..].starts_with('\'') => drop(chars.next()),
                '\'' => return is_cast(&quoted[at + 1..]).then_some(Literal::Text(text)),
                // Debezium's pattern does not match beyond a line's end.
                '\n' | '\r' => return None,
                _ => {}
            }
            text.push(c);
        }
        return None;
    }
    let plain = expression.split("::").next().unwrap_or(expression).trim();
    let bare = plain.trim_matches(|c| c == '(' || c == ')');
    if matches!(bare, "true" | "false") || bare.parse::<f64>().is_ok() {
        // In parentheses and cast, as in `(0)::numeric`, it is no default in Debezium.
        let is_cast_whole = bare.len() < plain.len() && plain.len() < expression.len();
        let is_literal = !is_cast_whole && is_cast(&expression[plain.len()..]);
        return is_literal.then(|| Literal::Text(bare.to_owned()));
    }
    let known = ["CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "LOCALTIMESTAMP", "LOCALTIME"];
    (known.contains(&upper.as_str()) || begins_with_call(expression)).then_some(Literal::Call)
}

/// Whether the rest is nothing, or casts only (`::character varying(9)`).
fn is_cast(rest: &str) -> bool {
    rest.is_empty()
        || rest.starts_with("::")
            && rest
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, ':' | ' ' | '_' | '(' | ')' | ',' | '"' | '.' | '[' | ']'))
}

/// Whether it begins with a function's call, perhaps in parentheses: `now()`, `(now() AT TIME ZONE 'utc'::text)`.
fn begins_with_call(expression: &str) -> bool {
    let inner = expression.strip_prefix('(').unwrap_or(expression);
    let name = inner.bytes().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'.')).count();
    name > 0 && inner[name..].starts_with('(') && inner[name..].contains(')')
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::Kind;
    use relational::values::temporal::{DateForm, TimeForm};

    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "cases are written in place")]
    fn check(cell: &Cell, kind: Kind, expression: &str, expect: Option<Value>) {
        let schema = Schema::of(kind).build();
        assert_eq!(default(cell, &schema, expression), expect, "{expression}");
    }

    #[test]
    fn defaults() {
        check(&Cell::Int, Kind::Int32, "7", Some(Value::Int(7)));
        check(&Cell::Int, Kind::Int32, "'-2'::integer", Some(Value::Int(-2)));
        check(&Cell::Int, Kind::Int32, "(-2)", Some(Value::Int(-2)));
        check(&Cell::Int, Kind::Int32, "(1 + 1)", None);
        check(&Cell::Int, Kind::Int64, "(5)::bigint", None);
        check(&Cell::Int, Kind::Int32, "((0)::bigint)::integer", None);
        check(&Cell::Double, Kind::Float64, "(0)::double precision", None);
        check(&Cell::Text, Kind::String, "('{}'::json)::text", Some(Value::text("{}")));
        check(&Cell::DecimalString { scale: Some(2) }, Kind::String, "('0'::text)::numeric", Some(Value::text("0.00")));
        check(&Cell::Int, Kind::Int32, "five()", Some(Value::Int(0)));
        check(&Cell::Int, Kind::Int32, "nextval('seq'::regclass)", Some(Value::Int(0)));
        check(&Cell::Text, Kind::String, "'it is'::character varying", Some(Value::text("it is")));
        check(&Cell::Text, Kind::String, "'it''s'::text", Some(Value::text("it's")));
        check(&Cell::Text, Kind::String, "'a\nb'::text", None);
        check(&Cell::Text, Kind::String, "NULL::text", None);
        check(&Cell::Text, Kind::String, "\"left\"('abc'::text, 2)", None);
        check(&Cell::DecimalString { scale: Some(3) }, Kind::String, "'-1'::integer", Some(Value::text("-1.000")));
        check(&Cell::DecimalString { scale: None }, Kind::String, "5", Some(Value::text("5")));
        for scale in [Some(3), Some(0)] {
            check(&Cell::DecimalString { scale }, Kind::String, "1.23456", None);
            check(&Cell::DecimalDouble { scale }, Kind::Float64, "1.23456", None);
        }
        check(&Cell::Decimal { scale: 3 }, Kind::Bytes, "1.23456", None);
        let zoned = Cell::ZonedTimestamp { digits: 6 };
        check(&zoned, Kind::String, "now()", Some(Value::text("1970-01-01T00:00:00.000000Z")));
        check(&zoned, Kind::String, "'infinity'::timestamp with time zone", None);
        let in_utc = "(now() AT TIME ZONE 'utc'::text)";
        check(&Cell::Timestamp(TimeForm::Micros), Kind::Int64, in_utc, Some(Value::Int(0)));
        check(&Cell::Int, Kind::Int32, "(now() - 'x'::interval)", Some(Value::Int(0)));
        check(&Cell::Text, Kind::String, "('a'::text || 'b'::text)", None);
        check(&Cell::Bool, Kind::Bool, "true", Some(Value::Bool(true)));
        check(&Cell::Date(DateForm::Days), Kind::Int32, "now()", Some(Value::Int(0)));
        check(&Cell::Timestamp(TimeForm::Micros), Kind::Int64, "CURRENT_TIMESTAMP", Some(Value::Int(0)));
        check(&Cell::Bits, Kind::Bytes, "'101'::\"bit\"", Some(Value::Bytes(vec![5])));
        check(&Cell::Double, Kind::Float64, "2.25", Some(Value::Double(2.25)));
        check(&Cell::Interval, Kind::Int64, "'P1DT2H'::interval", Some(Value::Int(93_600_000_000)));
    }
}
