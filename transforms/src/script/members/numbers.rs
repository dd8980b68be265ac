//! Members of numbers, booleans and dates, and those that every value has.
//!
//! Must not know: texts, lists, structs.

use super::super::number::{Number, Width};
use super::super::values::{java_equal, java_text};
use super::{Call, Failure, Item, Kind, Out, Row, groovy, method, script};

const N: Kind = Kind::Number;

pub(super) const ROWS: &[Row] = &[
    method(N, "longValue", (0, 0), N, |c| number(c).map(|n| Item::Number(Number::Whole(n.to_long(), Width::Long)))),
    method(N, "intValue", (0, 0), N, |c| number(c).map(|n| Item::Number(Number::int(n.to_int())))),
    method(N, "doubleValue", (0, 0), N, |c| number(c).map(|n| Item::Number(Number::Double(n.to_double())))),
    groovy(N, "floatValue", (0, 0), N, |c| number(c).map(|n| Item::Number(Number::Float(n.to_double() as f32)))),
    groovy(N, "toLong", (0, 0), N, |c| number(c).map(|n| Item::Number(Number::Whole(n.to_long(), Width::Long)))),
    groovy(N, "toInteger", (0, 0), N, |c| number(c).map(|n| Item::Number(Number::int(n.to_int())))),
    groovy(N, "toDouble", (0, 0), N, |c| number(c).map(|n| Item::Number(Number::Double(n.to_double())))),
    groovy(N, "toFloat", (0, 0), N, |c| number(c).map(|n| Item::Number(Number::Float(n.to_double() as f32)))),
    groovy(N, "toBigDecimal", (0, 0), N, |c| {
        let decimal =
            number(c)?.to_decimal().ok_or_else(|| Failure::new("java.lang.NumberFormatException: no decimal"))?;
        Ok(Item::Number(Number::Decimal(decimal)))
    }),
    groovy(N, "abs", (0, 0), N, |c| {
        let number = number(c)?;
        let negative = number.compare(&Number::int(0)).is_lt();
        Ok(Item::Number(if negative { number.negate() } else { number.clone() }))
    }),
    groovy(N, "intdiv", (1, 1), N, |c| match (number(c)?, c.argument(0)) {
        (Number::Whole(left, one), Item::Number(Number::Whole(right, two))) => {
            let quotient = left.checked_div(*right).or((*right != 0).then_some(*left));
            let quotient = quotient.ok_or_else(|| Failure::new("Division by zero"))?;
            Ok(Item::Number(Number::Whole(quotient, (*one).max(*two).max(Width::Int))))
        }
        _ => Err(c.no_signature()),
    }),
    groovy(N, "compareTo", (1, 1), N, |c| match c.argument(0) {
        Item::Number(other) => {
            c.budget.steps(number(c)?.weight() + other.weight())?;
            Ok(Item::Number(Number::int(number(c)?.compare(other) as i64)))
        }
        _ => Err(c.no_signature()),
    }),
    groovy(N, "hashCode", (0, 0), N, |c| match number(c)? {
        Number::Whole(number, Width::Long) => {
            Ok(Item::Number(Number::int(i64::from((number ^ (number >> 32)) as i32))))
        }
        Number::Whole(number, _) => Ok(Item::Number(Number::int(*number))),
        _ => Err(Failure::new("hashCode() of a number that is not whole is not supported")),
    }),
    groovy(N, "isNaN", (0, 0), Kind::Bool, |c| match number(c)? {
        Number::Float(_) | Number::Double(_) => Ok(Item::Bool(number(c)?.to_double().is_nan())),
        _ => Err(c.no_signature()),
    }),
    script(N, "toFixed", (0, 1), Kind::Text, |c| {
        let digits = if c.arguments.is_empty() { 0 } else { c.whole(0)? };
        let digits = usize::try_from(digits).ok().filter(|digits| *digits <= 100);
        let digits =
            digits.ok_or_else(|| Failure::new("RangeError: toFixed() digits argument must be between 0 and 100"))?;
        Ok(Item::made(format!("{:.digits$}", number(c)?.to_double())))
    }),
    groovy(Kind::Bool, "booleanValue", (0, 0), Kind::Bool, |c| Ok(c.this.clone())),
    method(Kind::Date, "getTime", (0, 0), N, time),
    groovy(Kind::Date, "time", (0, 0), N, time).property(),
    groovy(Kind::Date, "before", (1, 1), Kind::Bool, |c| match (c.this, c.argument(0)) {
        (Item::Date(left), Item::Date(right)) => Ok(Item::Bool(left < right)),
        _ => Err(c.no_signature()),
    }),
    groovy(Kind::Date, "after", (1, 1), Kind::Bool, |c| match (c.this, c.argument(0)) {
        (Item::Date(left), Item::Date(right)) => Ok(Item::Bool(left > right)),
        _ => Err(c.no_signature()),
    }),
    // What every object of Java has; and in Groovy null, too.
    method(Kind::Any, "toString", (0, 0), Kind::Text, |c| java_text(c.this, c.dialect, c.budget).map(Item::Text)),
    groovy(Kind::Nothing, "toString", (0, 0), Kind::Text, |_| Ok(Item::text("null"))),
    groovy(Kind::Any, "equals", (1, 1), Kind::Bool, |c| java_equal(c.this, c.argument(0), c.budget).map(Item::Bool)),
    groovy(Kind::Nothing, "equals", (1, 1), Kind::Bool, |c| Ok(Item::Bool(c.argument(0).is_null()))),
];

fn number<'c>(call: &Call<'_, 'c>) -> Result<&'c Number, Failure> {
    match call.this {
        Item::Number(number) => Ok(number),
        _ => Err(call.no_signature()),
    }
}

fn time<'a>(call: &Call<'a, '_>) -> Out<'a> {
    match call.this {
        Item::Date(millis) => Ok(Item::Number(Number::Whole(*millis, Width::Long))),
        _ => Err(call.no_signature()),
    }
}
