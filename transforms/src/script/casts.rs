//! `as`, casts and `instanceof`.
//!
//! Must not know: syntax, records.

use super::budget::Budget;
use super::failure::Failure;
use super::item::Item;
use super::members::{decimal, floating};
use super::number::{Number, Width};
use super::tree::Type;
use super::values::java_text;
use super::{Dialect, groovy};

/// `item as Type`.
pub(super) fn cast<'a>(item: &Item<'a>, to: Type, dialect: Dialect, budget: &Budget) -> Result<Item<'a>, Failure> {
    let refused =
        || Failure::new(format!("Cannot cast object of class '{}' to the class that is asked for", item.class()));
    if item.is_null() {
        return Ok(if to == Type::Boolean { Item::Bool(false) } else { Item::Null });
    }
    match to {
        Type::Object => return Ok(item.clone()),
        Type::Boolean => return groovy::truth(item).map(Item::Bool),
        Type::String | Type::CharSequence => return java_text(item, dialect, budget).map(Item::Text),
        _ if is(item, to) => return Ok(item.clone()),
        _ => {}
    }
    let whole = |number: i64, width| Ok(Item::Number(Number::Whole(number, width)));
    let number = match item {
        Item::Number(number) => number.clone(),
        Item::Text(text) | Item::Template(text) => {
            let text = text.trim_matches(|c| c <= ' ');
            budget.look(text.len())?;
            let wrong = || Failure::new("java.lang.NumberFormatException: the text is no such number");
            let number = match to {
                Type::Float | Type::Double => floating(text).map(Number::Double),
                Type::BigDecimal | Type::Number => decimal(text),
                Type::Byte => text.parse::<i8>().ok().map(|n| Number::int(n.into())),
                Type::Short => text.parse::<i16>().ok().map(|n| Number::int(n.into())),
                Type::Integer => text.parse::<i32>().ok().map(|n| Number::int(n.into())),
                _ => text.parse().ok().map(|n| Number::Whole(n, Width::Long)),
            };
            number.ok_or_else(wrong)?
        }
        _ => return Err(refused()),
    };
    match to {
        Type::Byte => whole(i64::from(number.to_int() as i8), Width::Byte),
        Type::Short => whole(i64::from(number.to_int() as i16), Width::Short),
        Type::Integer => whole(number.to_int(), Width::Int),
        Type::Long => whole(number.to_long(), Width::Long),
        Type::Float => Ok(Item::Number(Number::Float(number.to_double() as f32))),
        Type::Double => Ok(Item::Number(Number::Double(number.to_double()))),
        Type::Number => Ok(Item::Number(number)),
        Type::BigDecimal => number.to_decimal().map(|n| Item::Number(Number::Decimal(n))).ok_or_else(refused),
        _ => Err(refused()),
    }
}

/// `item instanceof Type`.
pub(super) fn is(item: &Item<'_>, of: Type) -> bool {
    match (of, item) {
        (_, Item::Null | Item::Undefined) => false,
        (Type::Object, _)
        | (Type::Number, Item::Number(_))
        | (Type::Byte, Item::Number(Number::Whole(_, Width::Byte)))
        | (Type::Short, Item::Number(Number::Whole(_, Width::Short)))
        | (Type::Integer, Item::Number(Number::Whole(_, Width::Int)))
        | (Type::Long, Item::Number(Number::Whole(_, Width::Long)))
        | (Type::Float, Item::Number(Number::Float(_)))
        | (Type::Double, Item::Number(Number::Double(_)))
        | (Type::BigDecimal, Item::Number(Number::Decimal(_)))
        | (Type::Boolean, Item::Bool(_))
        | (Type::String, Item::Text(_))
        | (Type::CharSequence, Item::Text(_) | Item::Template(_))
        | (Type::GString, Item::Template(_))
        | (Type::List, Item::List(_) | Item::Fields(_) | Item::Range(..))
        | (Type::Map, Item::Map(_) | Item::Headers(_))
        | (Type::Date, Item::Date(_))
        | (Type::Struct, Item::Struct(_)) => true,
        _ => false,
    }
}
