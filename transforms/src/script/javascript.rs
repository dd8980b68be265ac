//! JavaScript's operators on values.
//!
//! Must not know: syntax, Groovy.

use std::cmp::Ordering;

use super::Dialect;
use super::budget::Budget;
use super::failure::Failure;
use super::item::Item;
use super::members::{has_header, text_order};
use super::number::{Arithmetic, Number};
use super::values::java_text;

/// Whether a value counts as true.
pub(super) fn truth(item: &Item<'_>) -> bool {
    match item {
        Item::Undefined | Item::Null => false,
        Item::Bool(truth) => *truth,
        // A BigDecimal is an object, and objects are true.
        Item::Number(Number::Decimal(_)) => true,
        Item::Number(number) => !number.is_zero() && !number.to_double().is_nan(),
        Item::Text(text) | Item::Template(text) => !text.is_empty(),
        _ => true,
    }
}

/// `===`.
pub(super) fn strict(left: &Item<'_>, right: &Item<'_>) -> bool {
    match (left, right) {
        (Item::Undefined, Item::Undefined) | (Item::Null, Item::Null) => true,
        (Item::Bool(left), Item::Bool(right)) => left == right,
        (Item::Number(Number::Decimal(left)), Item::Number(Number::Decimal(right))) => left.compare(right).is_eq(),
        (Item::Number(Number::Decimal(_)), Item::Number(_)) | (Item::Number(_), Item::Number(Number::Decimal(_))) => {
            false
        }
        (Item::Number(left), Item::Number(right)) => numbers(left, right) == Some(Ordering::Equal),
        (Item::Text(left) | Item::Template(left), Item::Text(right) | Item::Template(right)) => **left == **right,
        (Item::Date(left), Item::Date(right)) => left == right,
        (Item::Type(left), Item::Type(right)) => left == right,
        (Item::Schema(left), Item::Schema(right)) => left.id == right.id,
        _ => false,
    }
}

/// `==`.
pub(super) fn loose(left: &Item<'_>, right: &Item<'_>) -> bool {
    match (left, right) {
        (Item::Undefined | Item::Null, Item::Undefined | Item::Null) => true,
        (Item::Undefined | Item::Null, _) | (_, Item::Undefined | Item::Null) => false,
        (Item::Number(left), Item::Number(right)) => numbers(left, right) == Some(Ordering::Equal),
        (Item::Bool(_) | Item::Number(_), Item::Bool(_) | Item::Number(_) | Item::Text(_))
        | (Item::Text(_), Item::Bool(_) | Item::Number(_)) => {
            number(left).partial_cmp(&number(right)) == Some(Ordering::Equal)
        }
        (left, right) => strict(left, right),
    }
}

/// The order of two values as `<` sees it; none when one of them is not a number.
pub(super) fn order(left: &Item<'_>, right: &Item<'_>, budget: &Budget) -> Result<Option<Ordering>, Failure> {
    Ok(match (left, right) {
        (Item::Text(left) | Item::Template(left), Item::Text(right) | Item::Template(right)) => {
            budget.look(left.len().min(right.len()))?;
            Some(text_order(left, right))
        }
        (Item::Number(left), Item::Number(right)) => numbers(left, right),
        (left, right) => number(left).partial_cmp(&number(right)),
    })
}

fn numbers(left: &Number, right: &Number) -> Option<Ordering> {
    match (left, right) {
        (Number::Whole(left, _), Number::Whole(right, _)) => Some(left.cmp(right)),
        (Number::Decimal(left), Number::Decimal(right)) => Some(left.compare(right)),
        (left, right) => left.to_double().partial_cmp(&right.to_double()),
    }
}

/// `Number(item)`.
pub(super) fn number(item: &Item<'_>) -> f64 {
    match item {
        Item::Null => 0.0,
        Item::Bool(truth) => f64::from(u8::from(*truth)),
        Item::Number(number) => number.to_double(),
        Item::Date(millis) => *millis as f64,
        Item::Text(text) | Item::Template(text) => parse(text.trim()),
        _ => f64::NAN,
    }
}

fn parse(text: &str) -> f64 {
    if text.is_empty() {
        return 0.0;
    }
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let all = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        return i64::from_str_radix(digits, 16).ok().filter(|_| all).map_or(f64::NAN, |number| number as f64);
    }
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    let infinite = text.trim_start_matches(['+', '-']) == "Infinity";
    if plain || infinite { text.parse().unwrap_or(f64::NAN) } else { f64::NAN }
}

/// The bits of a number that the bitwise operators see.
fn bits(number: f64) -> i32 {
    if number.is_finite() { number.trunc().rem_euclid(4_294_967_296.0) as u32 as i32 } else { 0 }
}

/// `left + right` and the other arithmetic operators.
///
/// # Errors
/// When a value has no text.
pub(super) fn compute<'a>(
    op: Arithmetic,
    left: &Item<'a>,
    right: &Item<'a>,
    budget: &Budget,
) -> Result<Item<'a>, Failure> {
    let plain = |item: &Item<'_>| {
        let decimal = matches!(item, Item::Number(Number::Decimal(_)));
        !decimal && matches!(item, Item::Undefined | Item::Null | Item::Bool(_) | Item::Number(_))
    };
    if op == Arithmetic::Add && !(plain(left) && plain(right)) {
        let (left, right) =
            (java_text(left, Dialect::JavaScript, budget)?, java_text(right, Dialect::JavaScript, budget)?);
        budget.text(left.len() + right.len())?;
        return Ok(Item::made([&*left, &*right].concat()));
    }
    let (left, right) = (number(left), number(right));
    Ok(Item::Number(Number::Double(match op {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Remainder => left % right,
        Arithmetic::BitAnd => f64::from(bits(left) & bits(right)),
        Arithmetic::BitOr => f64::from(bits(left) | bits(right)),
        Arithmetic::BitXor => f64::from(bits(left) ^ bits(right)),
    })))
}

/// `name in item`: whether it has such a member.
///
/// # Errors
/// When the right side is no object.
pub(super) fn has(name: &Item<'_>, of: &Item<'_>, budget: &Budget) -> Result<bool, Failure> {
    let name = java_text(name, Dialect::JavaScript, budget)?;
    match of {
        Item::Struct(of) => Ok(of.schema.field(&name).is_some()),
        Item::Headers(headers) => Ok(has_header(headers, &name)),
        Item::Map(map) => {
            budget.steps(map.len())?;
            Ok(map.get(&name).is_some())
        }
        Item::List(list) => Ok(name.parse::<usize>().is_ok_and(|at| at < list.len())),
        _ => Err(Failure::new("TypeError: Cannot use 'in' operator: the right side is no object")),
    }
}

/// `list[at]` and `text[at]`; `undefined` where there is nothing.
///
/// # Errors
/// When the value is null, or of a kind without indexes.
pub(super) fn index<'a>(of: &Item<'a>, at: &Item<'a>, budget: &Budget) -> Result<Item<'a>, Failure> {
    let place = || {
        let at = number(at);
        (at >= 0.0 && at.fract() == 0.0 && at < 4_294_967_296.0).then_some(at as usize)
    };
    let found = match of {
        Item::List(list) => place().and_then(|at| list.get(at)),
        Item::Fields(schema) => place().and_then(|at| schema.fields().get(at).map(|field| Item::Field(field, at))),
        Item::Text(text) => {
            budget.look(text.len())?;
            let unit = place().and_then(|at| text.encode_utf16().nth(at));
            unit.map(|unit| Item::made(String::from_utf16_lossy(&[unit])))
        }
        Item::Map(map) => {
            budget.steps(map.len())?;
            map.get(&java_text(at, Dialect::JavaScript, budget)?)
        }
        other if other.is_null() => {
            let of = java_text(other, Dialect::JavaScript, budget)?;
            return Err(Failure::new(format!("TypeError: Cannot read a property of {}", &*of)));
        }
        other => return Err(Failure::new(format!("{} has no indexes", other.kind().name()))),
    };
    Ok(found.unwrap_or(Item::Undefined))
}

/// `typeof item`.
pub(super) fn type_of(item: &Item<'_>) -> &'static str {
    match item {
        Item::Undefined => "undefined",
        Item::Bool(_) => "boolean",
        Item::Number(Number::Decimal(_)) => "object",
        Item::Number(_) => "number",
        Item::Text(_) | Item::Template(_) => "string",
        _ => "object",
    }
}

/// JavaScript's text of a number; of a BigDecimal, Java's.
pub(super) fn number_text(number: &Number) -> String {
    let number = match number {
        Number::Decimal(_) | Number::Whole(..) => return number.text(),
        other => other.to_double(),
    };
    if number == 0.0 {
        return "0".to_owned();
    }
    if number.is_nan() || number.is_infinite() {
        return Number::Double(number).text();
    }
    if (1e-6..1e21).contains(&number.abs()) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_texts_and_back() {
        for (number, expect) in [
            (1.0, "1"),
            (-0.0, "0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e21, "1e+21"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1e-7, "1e-7"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number_text(&Number::Double(number)), expect);
        }
        for (text, expect) in [("", 0.0), ("12.5", 12.5), ("0x1f", 31.0), ("-Infinity", f64::NEG_INFINITY)] {
            assert_eq!(parse(text).to_bits(), f64::to_bits(expect), "{text}");
        }
        assert!(["inf", "1_0", "0x", "a"].iter().all(|text| parse(text).is_nan()));
        assert_eq!((bits(-1.5), bits(4_294_967_297.0), bits(f64::NAN)), (-1, 1, 0));
    }
}
