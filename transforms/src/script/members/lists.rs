//! Members of lists, maps, ranges and of what `=~` gives.
//!
//! Must not know: structs.

use super::super::item::{List, Map};
use super::super::javascript::strict;
use super::super::number::Number;
use super::super::values::{java_equal, java_text};
use super::texts::gave_up;
use super::{Call, Dialect, Failure, Item, Kind, Out, Row, groovy, method, script};

const L: Kind = Kind::List;
const M: Kind = Kind::Map;
const B: Kind = Kind::Bool;
const N: Kind = Kind::Number;

pub(super) const ROWS: &[Row] = &[
    method(L, "size", (0, 0), N, |c| Ok(Item::count(list(c)?.len()))),
    method(L, "length", (0, 0), N, |c| Ok(Item::count(list(c)?.len()))).property(),
    method(L, "isEmpty", (0, 0), B, |c| Ok(Item::Bool(list(c)?.len() == 0))),
    method(L, "get", (1, 1), Kind::Any, |c| {
        let at = usize::try_from(c.whole(0)?).ok();
        let item = at.and_then(|at| list(c).ok()?.get(at));
        item.ok_or_else(|| Failure::new("java.lang.IndexOutOfBoundsException: the list has no item of this index"))
    }),
    groovy(L, "first", (0, 0), Kind::Any, |c| list(c)?.get(0).ok_or_else(empty)),
    groovy(L, "last", (0, 0), Kind::Any, |c| {
        let list = list(c)?;
        list.len().checked_sub(1).and_then(|at| list.get(at)).ok_or_else(empty)
    }),
    method(L, "contains", (1, 1), B, |c| position(c).map(|at| Item::Bool(at.is_some()))),
    script(L, "includes", (1, 1), B, |c| position(c).map(|at| Item::Bool(at.is_some()))),
    method(L, "indexOf", (1, 1), N, |c| position(c).map(|at| at.map_or(Item::Number(Number::int(-1)), Item::count))),
    method(L, "containsAll", (1, 1), B, |c| match c.argument(0) {
        Item::List(wanted) => contains_all(c, list(c)?, wanted),
        _ => Err(c.no_signature()),
    }),
    groovy(L, "join", (0, 1), Kind::Text, |c| join(c, "")),
    script(L, "join", (0, 1), Kind::Text, |c| join(c, ",")),
    method(M, "get", (1, 1), Kind::Any, |c| value(c).map(Item::or_null)),
    method(M, "getOrDefault", (2, 2), Kind::Any, |c| {
        value(c).map(|found| found.unwrap_or_else(|| c.argument(1).clone()))
    }),
    method(M, "containsKey", (1, 1), B, |c| value(c).map(|found| Item::Bool(found.is_some()))),
    method(M, "size", (0, 0), N, |c| Ok(Item::count(map(c)?.len()))),
    method(M, "isEmpty", (0, 0), B, |c| Ok(Item::Bool(map(c)?.len() == 0))),
    method(M, "keySet", (0, 0), L, |c| {
        c.budget.list(map(c)?.len())?;
        Ok(Item::list(map(c)?.iter().map(|(key, _)| key).collect()))
    }),
    method(M, "values", (0, 0), L, |c| {
        c.budget.list(map(c)?.len())?;
        Ok(Item::list(map(c)?.iter().map(|(_, value)| value).collect()))
    }),
    groovy(Kind::Range, "size", (0, 0), N, |c| match c.this {
        Item::Range(from, to) => Ok(Item::Number(Number::int(from.abs_diff(*to).saturating_add(1) as i64))),
        _ => Err(c.no_signature()),
    }),
    groovy(Kind::Range, "contains", (1, 1), B, |c| {
        java_in_range(c.this, c.argument(0)).map(Item::Bool).ok_or_else(|| c.no_signature())
    }),
    groovy(Kind::Matcher, "find", (0, 0), B, |c| match c.this {
        Item::Matcher(regex, text) => {
            c.budget.look(text.len())?;
            regex.finds(text).map(Item::Bool).map_err(|_| gave_up())
        }
        _ => Err(c.no_signature()),
    }),
    groovy(Kind::Matcher, "matches", (0, 0), B, |c| match c.this {
        Item::Matcher(regex, text) => {
            c.budget.look(text.len())?;
            regex.matches(text).map(Item::Bool).map_err(|_| gave_up())
        }
        _ => Err(c.no_signature()),
    }),
];

/// Whether a range has a number, which Java asks only of Integers.
pub(in super::super) fn java_in_range(range: &Item<'_>, item: &Item<'_>) -> Option<bool> {
    use super::super::number::Width;
    match (range, item) {
        (Item::Range(from, to), Item::Number(Number::Whole(number, Width::Int))) => {
            Some((*from.min(to)..=*from.max(to)).contains(number))
        }
        (Item::Range(..), _) => Some(false),
        _ => None,
    }
}

fn list<'c, 'a>(call: &Call<'a, 'c>) -> Result<&'c List<'a>, Failure> {
    match call.this {
        Item::List(list) => Ok(list),
        _ => Err(call.no_signature()),
    }
}

fn map<'c, 'a>(call: &Call<'a, 'c>) -> Result<&'c Map<'a>, Failure> {
    match call.this {
        Item::Map(map) => Ok(map),
        _ => Err(call.no_signature()),
    }
}

fn empty() -> Failure {
    Failure::new("java.util.NoSuchElementException: the list is empty")
}

fn position(call: &Call<'_, '_>) -> Result<Option<usize>, Failure> {
    let (list, wanted) = (list(call)?, call.argument(0));
    call.budget.steps(list.len())?;
    for (at, item) in list.iter().enumerate() {
        let same = match call.dialect {
            Dialect::Groovy => java_equal(&item, wanted, call.budget)?,
            Dialect::JavaScript => strict(&item, wanted),
        };
        if same {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Whether one list has every item of another.
pub(super) fn contains_all<'a>(call: &Call<'a, '_>, all: &List<'a>, wanted: &List<'a>) -> Out<'a> {
    call.budget.steps(all.len().saturating_mul(wanted.len()))?;
    for item in wanted.iter() {
        let mut found = false;
        for other in all.iter() {
            found = found || java_equal(&other, &item, call.budget)?;
        }
        if !found {
            return Ok(Item::Bool(false));
        }
    }
    Ok(Item::Bool(true))
}

fn join<'a>(call: &Call<'a, '_>, default: &str) -> Out<'a> {
    let between = if call.arguments.is_empty() { default } else { call.text(0)? };
    let list = list(call)?;
    call.budget.steps(list.len())?;
    call.budget.text(list.len().saturating_mul(between.len()))?;
    let mut out = String::new();
    for (at, item) in list.iter().enumerate() {
        if at > 0 {
            out.push_str(between);
        }
        let blank = call.dialect == Dialect::JavaScript && item.is_null();
        if !blank {
            out.push_str(&java_text(&item, call.dialect, call.budget)?);
        }
    }
    call.made(out)
}

fn value<'a>(call: &Call<'a, '_>) -> Result<Option<Item<'a>>, Failure> {
    let map = map(call)?;
    call.budget.steps(map.len())?;
    for (key, value) in map.iter() {
        if java_equal(&key, call.argument(0), call.budget)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}
