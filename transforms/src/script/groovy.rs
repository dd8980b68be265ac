//! Groovy's operators on values.
//!
//! Must not know: syntax, JavaScript.

use std::cmp::Ordering;

use super::Dialect;
use super::budget::Budget;
use super::failure::Failure;
use super::item::{Item, List};
use super::members::{gave_up, has_header, java_in_range, text_order};
use super::number::{Arithmetic, Number};
use super::values::{self, java_equal, java_text};

/// Groovy truth.
///
/// # Errors
/// When a regex gives up.
pub(super) fn truth(item: &Item<'_>) -> Result<bool, Failure> {
    Ok(match item {
        Item::Undefined | Item::Null => false,
        Item::Bool(truth) => *truth,
        Item::Number(number) => !number.is_zero(),
        Item::Text(text) | Item::Template(text) => !text.is_empty(),
        Item::List(list) => list.len() > 0,
        Item::Map(map) => map.len() > 0,
        Item::Fields(schema) => !schema.fields().is_empty(),
        Item::Headers(headers) => headers.iter().next().is_some(),
        Item::Matcher(regex, text) => regex.finds(text).map_err(|_| gave_up())?,
        Item::Date(_)
        | Item::Bytes
        | Item::Range(..)
        | Item::Struct(_)
        | Item::Schema(_)
        | Item::Field(..)
        | Item::Type(_)
        | Item::Header(_) => true,
    })
}

/// `==`: null-safe, and by value among numbers.
///
/// # Errors
/// When the evaluation has taken too long.
pub(super) fn equal(left: &Item<'_>, right: &Item<'_>, budget: &Budget) -> Result<bool, Failure> {
    values::equal(left, right, budget, &|left, right| match (left, right) {
        (Item::Number(left), Item::Number(right)) => Some(left.compare(right).is_eq()),
        _ => None,
    })
}

/// `<=>`: null is below everything.
///
/// # Errors
/// When the values have no order.
pub(super) fn order(left: &Item<'_>, right: &Item<'_>, budget: &Budget) -> Result<Ordering, Failure> {
    Ok(match (left, right) {
        (left, right) if left.is_null() || right.is_null() => right.is_null().cmp(&left.is_null()),
        (Item::Number(left), Item::Number(right)) => {
            budget.steps(left.weight() + right.weight())?;
            left.compare(right)
        }
        (Item::Text(left) | Item::Template(left), Item::Text(right) | Item::Template(right)) => {
            budget.look(left.len().min(right.len()))?;
            text_order(left, right)
        }
        (Item::Bool(left), Item::Bool(right)) => left.cmp(right),
        (Item::Date(left), Item::Date(right)) => left.cmp(right),
        (left, right) => return Err(Failure::new(format!("Cannot compare {} and {}", left.class(), right.class()))),
    })
}

/// `left + right` and the other arithmetic operators.
///
/// # Errors
/// When the types have no such operator.
pub(super) fn compute<'a>(
    op: Arithmetic,
    left: &Item<'a>,
    right: &Item<'a>,
    budget: &Budget,
) -> Result<Item<'a>, Failure> {
    match (op, left, right) {
        (_, Item::Number(left), Item::Number(right)) => {
            budget.steps(left.weight() + right.weight())?;
            left.compute(op, right).map(Item::Number)
        }
        (Arithmetic::Add, Item::Template(_), Item::Text(_) | Item::Template(_)) => {
            let Item::Text(text) = joined(left, right, budget)? else { return Ok(Item::Null) };
            Ok(Item::Template(text))
        }
        (Arithmetic::Add, Item::Text(_) | Item::Template(_), _)
        | (Arithmetic::Add, Item::Number(_) | Item::Null, Item::Text(_) | Item::Template(_)) => {
            joined(left, right, budget)
        }
        (Arithmetic::Add, Item::List(list), other) => {
            let more = if let Item::List(more) = other { more.clone() } else { List::Made([other.clone()].into()) };
            budget.list(list.len() + more.len())?;
            Ok(Item::list(list.iter().chain(more.iter()).collect()))
        }
        (Arithmetic::BitAnd, Item::Bool(left), Item::Bool(right)) => Ok(Item::Bool(*left && *right)),
        (Arithmetic::BitOr, Item::Bool(left), Item::Bool(right)) => Ok(Item::Bool(*left || *right)),
        (Arithmetic::BitXor, Item::Bool(left), Item::Bool(right)) => Ok(Item::Bool(left != right)),
        (op, left, right) => {
            let (method, class) = (op.method(), left.class());
            Err(Failure::new(if left.is_null() {
                format!("Cannot invoke method {method} on null object")
            } else {
                format!(
                    "No signature of method: {class}.{method} is applicable for argument types: ({})",
                    right.class()
                )
            }))
        }
    }
}

fn joined<'a>(left: &Item<'a>, right: &Item<'a>, budget: &Budget) -> Result<Item<'a>, Failure> {
    let (left, right) = (java_text(left, Dialect::Groovy, budget)?, java_text(right, Dialect::Groovy, budget)?);
    budget.text(left.len() + right.len())?;
    Ok(Item::made([&*left, &*right].concat()))
}

/// `item in all` (`isCase`).
///
/// # Errors
/// When the evaluation has taken too long.
pub(super) fn contains(item: &Item<'_>, all: &Item<'_>, budget: &Budget) -> Result<bool, Failure> {
    let text = |item: &Item<'_>| match item {
        Item::Text(text) | Item::Template(text) => Some(text.to_string()),
        _ => None,
    };
    Ok(match all {
        Item::List(list) => {
            for other in list.iter() {
                if java_equal(&other, item, budget)? {
                    return Ok(true);
                }
            }
            false
        }
        Item::Map(map) => {
            budget.steps(map.len())?;
            text(item).is_some_and(|name| map.get(&name).is_some())
        }
        Item::Headers(headers) => text(item).is_some_and(|name| has_header(headers, &name)),
        Item::Range(..) => java_in_range(all, item).unwrap_or(false),
        Item::Text(_) | Item::Template(_) => text(item).is_some() && text(item) == text(all),
        Item::Number(number) => matches!(item, Item::Number(other) if number.compare(other).is_eq()),
        other => java_equal(other, item, budget)?,
    })
}

/// `-item`.
///
/// # Errors
/// When the value is no number.
pub(super) fn negative<'a>(item: &Item<'a>) -> Result<Item<'a>, Failure> {
    match item {
        Item::Number(number) => Ok(Item::Number(number.negate())),
        Item::Null => Err(Failure::new("Cannot invoke method negative() on null object")),
        other => Err(Failure::new(format!("No signature of method: {}.negative() is applicable", other.class()))),
    }
}

/// `list[at]`, `text[at]`, `map[name]`, `struct[name]` without the struct.
///
/// # Errors
/// When the value has no such index.
pub(super) fn index<'a>(of: &Item<'a>, at: &Item<'a>, budget: &Budget) -> Result<Item<'a>, Failure> {
    let place = |length: usize| match at {
        Item::Number(Number::Whole(at, _)) => {
            let at = if *at < 0 { at.checked_add(length as i64)? } else { *at };
            usize::try_from(at).ok().filter(|at| *at < length)
        }
        _ => None,
    };
    let is_number = matches!(at, Item::Number(Number::Whole(..)));
    match of {
        Item::List(list) if is_number => Ok(Item::or_null(place(list.len()).and_then(|at| list.get(at)))),
        Item::Fields(schema) if is_number => {
            let fields = schema.fields();
            Ok(Item::or_null(place(fields.len()).map(|at| Item::Field(&fields[at], at))))
        }
        Item::Map(map) => {
            for (key, value) in map.iter() {
                if java_equal(&key, at, budget)? {
                    return Ok(value);
                }
            }
            Ok(Item::Null)
        }
        Item::Text(text) | Item::Template(text) if is_number || matches!(at, Item::Range(..)) => {
            budget.look(text.len())?;
            let units: Vec<u16> = text.encode_utf16().collect();
            let length = units.len();
            let outside = || Failure::new("java.lang.StringIndexOutOfBoundsException: String index out of range");
            let (from, to) = if let Item::Range(from, to) = at {
                let real = |at: i64| if at < 0 { at + length as i64 } else { at };
                let inside = |at: i64| usize::try_from(real(at)).ok().filter(|at| *at < length).ok_or_else(outside);
                (inside(*from)?, inside(*to)?)
            } else {
                let at = place(length).ok_or_else(outside)?;
                (at, at)
            };
            let (from, to) = (from.min(to), from.max(to));
            budget.text(to + 1 - from)?;
            Ok(Item::made(String::from_utf16_lossy(&units[from..=to])))
        }
        Item::Matcher(regex, text) if is_number => {
            budget.look(text.len())?;
            let Item::Number(Number::Whole(at, _)) = at else { return Ok(Item::Null) };
            let outside = || Failure::new("java.lang.IndexOutOfBoundsException: the regex has fewer matches");
            let at = usize::try_from(*at).map_err(|_| outside())?;
            let groups = regex.groups(text, at).map_err(|_| gave_up())?.ok_or_else(outside)?;
            let mut items = Vec::with_capacity(groups.len());
            for group in &groups {
                budget.text(group.map_or(0, str::len))?;
                items.push(group.map_or(Item::Null, |group| Item::made(group.to_owned())));
            }
            Ok(if items.len() == 1 { items.swap_remove(0) } else { Item::list(items) })
        }
        other => Err(Failure::new(if other.is_null() {
            "Cannot invoke method getAt() on null object".to_owned()
        } else {
            format!(
                "No signature of method: {}.getAt() is applicable for argument types: ({})",
                other.class(),
                at.class()
            )
        })),
    }
}
