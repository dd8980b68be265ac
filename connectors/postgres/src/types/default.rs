//! Column defaults as schema defaults: literals, and the zero of the type for functions (the contract, 4.8).

use record::{Schema, Value};

use super::absent::{fallback, zero};
use super::cell::{Cell, Form};

/// The schema default of a column whose default expression reads `expression` (as `pg_get_expr` prints it).
pub(super) fn default(cell: &Cell, schema: &Schema, expression: &str) -> Option<Value> {
    let value = match literal(expression.trim())? {
        Literal::Text(text) => cell.read(Form::Text, text.as_bytes()).ok()?.to_value(),
        Literal::Call => match cell {
            Cell::Uuid => Value::text("00000000-0000-0000-0000-000000000000"),
            Cell::Hstore(_) => return None,
            Cell::Bits => Value::Bytes(Vec::new()),
            Cell::Text | Cell::Jsonb if schema.name.as_deref() == Some("io.debezium.data.Json") => Value::text("{}"),
            Cell::Decimal { .. }
            | Cell::ZonedTimestamp { .. }
            | Cell::IsoDate
            | Cell::IsoTime
            | Cell::IsoTimestamp
            | Cell::IsoInterval => fallback(cell, schema),
            _ => zero(schema),
        },
    };
    // A struct has no place in a schema's default.
    (!matches!(value, Value::Struct(_) | Value::Null)).then_some(value)
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
    if let Some(quoted) = expression.strip_prefix('\'').or_else(|| expression.strip_prefix("B'")) {
        // The first quoted text; a doubled quote is one quote. Whatever follows must be a cast and nothing else.
        let (mut text, mut chars) = (String::new(), quoted.char_indices());
        while let Some((at, c)) = chars.next() {
            if c == '\'' {
                if quoted[at + 1..].starts_with('\'') {
                    chars.next();
                } else {
                    return is_cast(&quoted[at + 1..]).then_some(Literal::Text(text));
                }
            }
            text.push(c);
        }
        return None;
    }
    let plain = expression.split("::").next().unwrap_or(expression).trim();
    let bare = plain.trim_matches(|c| c == '(' || c == ')');
    if matches!(bare, "true" | "false") || bare.parse::<f64>().is_ok() && !bare.is_empty() {
        return expression[plain.len()..]
            .is_empty()
            .then(|| Literal::Text(bare.to_owned()))
            .or_else(|| is_cast(&expression[plain.len()..]).then(|| Literal::Text(bare.to_owned())));
    }
    let known = ["CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME", "LOCALTIMESTAMP", "LOCALTIME"];
    if known
        .iter()
        .any(|word| upper == *word || upper.starts_with(&format!("{word}(")) || upper.starts_with(&format!("{word}::")))
    {
        return Some(Literal::Call);
    }
    is_call(expression).then_some(Literal::Call)
}

/// Whether the rest is nothing, or casts only (`::character varying(9)`).
fn is_cast(rest: &str) -> bool {
    rest.is_empty()
        || rest.starts_with("::")
            && rest
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, ':' | ' ' | '_' | '(' | ')' | ',' | '"' | '.' | '[' | ']'))
}

/// Whether it is one function call: a name, and parentheses around all the rest (with a cast at most behind them).
fn is_call(expression: &str) -> bool {
    let name = expression.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '"')).count();
    let Some(rest) = expression.get(name..).filter(|rest| name > 0 && rest.starts_with('(')) else { return false };
    let (mut depth, mut in_quotes) = (0, false);
    for (at, c) in rest.char_indices() {
        match c {
            '\'' => in_quotes = !in_quotes,
            '(' if !in_quotes => depth += 1,
            ')' if !in_quotes => {
                depth -= 1;
                if depth == 0 {
                    return is_cast(&rest[at + 1..]);
                }
            }
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::Kind;

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
        check(&Cell::Int, Kind::Int32, "five()", Some(Value::Int(0)));
        check(&Cell::Int, Kind::Int32, "nextval('seq'::regclass)", Some(Value::Int(0)));
        check(&Cell::Text, Kind::String, "'it is'::character varying", Some(Value::text("it is")));
        check(&Cell::Text, Kind::String, "'it''s'::text", Some(Value::text("it's")));
        check(&Cell::Text, Kind::String, "NULL::text", None);
        check(&Cell::Text, Kind::String, "('a'::text || 'b'::text)", None);
        check(&Cell::Bool, Kind::Bool, "true", Some(Value::Bool(true)));
        check(&Cell::Date, Kind::Int32, "now()", Some(Value::Int(0)));
        check(&Cell::Timestamp { divisor: 1 }, Kind::Int64, "CURRENT_TIMESTAMP", Some(Value::Int(0)));
        check(&Cell::Bits, Kind::Bytes, "'101'::\"bit\"", Some(Value::Bytes(vec![5])));
        check(&Cell::Double, Kind::Float64, "2.25", Some(Value::Double(2.25)));
        check(&Cell::Interval, Kind::Int64, "'P1DT2H'::interval", Some(Value::Int(93_600_000_000)));
    }
}
