//! Members of texts. Indexes count UTF-16 units, as in Java and JavaScript.
//!
//! Must not know: other kinds of values.

use super::super::decimal::Decimal;
use super::super::number::{Number, Width};
use super::{Call, Failure, Item, Kind, Out, Regex, Row, groovy, method, script};
use std::sync::Arc;

const T: Kind = Kind::Text;
const B: Kind = Kind::Bool;
const N: Kind = Kind::Number;

pub(super) const ROWS: &[Row] = &[
    method(T, "startsWith", (1, 1), B, |c| test(c, |text, part| text.starts_with(part))),
    method(T, "endsWith", (1, 1), B, |c| test(c, |text, part| text.ends_with(part))),
    groovy(T, "contains", (1, 1), B, |c| test(c, |text, part| text.contains(part))),
    script(T, "includes", (1, 1), B, |c| test(c, |text, part| text.contains(part))),
    groovy(T, "equalsIgnoreCase", (1, 1), B, |c| {
        let same = |left: &str, right: &str| left == right || folded(left) == folded(right);
        if c.argument(0).is_null() { Ok(Item::Bool(false)) } else { test(c, same) }
    }),
    groovy(T, "containsIgnoreCase", (1, 1), B, |c| test(c, |text, part| folded(text).contains(&folded(part)))),
    groovy(T, "startsWithIgnoreCase", (1, 1), B, |c| test(c, |text, part| folded(text).starts_with(&folded(part)))),
    groovy(T, "endsWithIgnoreCase", (1, 1), B, |c| test(c, |text, part| folded(text).ends_with(&folded(part)))),
    groovy(T, "length", (0, 0), N, |c| Ok(Item::count(length(this(c)?)))),
    groovy(T, "size", (0, 0), N, |c| Ok(Item::count(length(this(c)?)))),
    script(T, "length", (0, 0), N, |c| Ok(Item::count(length(this(c)?)))).property(),
    groovy(T, "isEmpty", (0, 0), B, |c| Ok(Item::Bool(this(c)?.is_empty()))),
    groovy(T, "isBlank", (0, 0), B, |c| Ok(Item::Bool(this(c)?.trim().is_empty()))),
    method(T, "toLowerCase", (0, 0), T, |c| make(c, str::to_lowercase)),
    method(T, "toUpperCase", (0, 0), T, |c| make(c, str::to_uppercase)),
    groovy(T, "trim", (0, 0), T, |c| make(c, |text| text.trim_matches(|c| c <= ' ').to_owned())),
    groovy(T, "strip", (0, 0), T, |c| make(c, |text| text.trim().to_owned())),
    script(T, "trim", (0, 0), T, |c| make(c, |text| text.trim().to_owned())),
    script(T, "trimStart", (0, 0), T, |c| make(c, |text| text.trim_start().to_owned())),
    script(T, "trimEnd", (0, 0), T, |c| make(c, |text| text.trim_end().to_owned())),
    groovy(T, "capitalize", (0, 0), T, |c| make(c, capitalized)),
    groovy(T, "reverse", (0, 0), T, |c| make(c, |text| text.chars().rev().collect())),
    groovy(T, "substring", (1, 2), T, substring),
    script(T, "substring", (1, 2), T, |c| slice(c, false)),
    script(T, "slice", (1, 2), T, |c| slice(c, true)),
    groovy(T, "take", (1, 1), T, |c| cut(c, 0, usize::try_from(c.whole(0)?).unwrap_or(0))),
    groovy(T, "drop", (1, 1), T, |c| cut(c, usize::try_from(c.whole(0)?).unwrap_or(0), usize::MAX)),
    script(T, "charAt", (1, 1), T, |c| {
        let at = usize::try_from(c.whole(0)?).unwrap_or(usize::MAX);
        cut(c, at, at.saturating_add(1))
    }),
    method(T, "indexOf", (1, 2), N, |c| index(c, false)),
    method(T, "lastIndexOf", (1, 1), N, |c| index(c, true)),
    method(T, "concat", (1, 1), T, |c| {
        c.budget.text(this(c)?.len() + c.text(0)?.len())?;
        Ok(Item::made([this(c)?, c.text(0)?].concat()))
    }),
    groovy(T, "replace", (2, 2), T, |c| replaced(c, usize::MAX)),
    groovy(T, "replaceAll", (2, 2), T, |c| replaced_by_regex(c, c.text(1)?, true)).regex(Regex::Always),
    groovy(T, "replaceFirst", (2, 2), T, |c| replaced_by_regex(c, c.text(1)?, false)).regex(Regex::Always),
    groovy(T, "matches", (1, 1), B, |c| {
        c.budget.look(this(c)?.len())?;
        c.pattern()?.matches(this(c)?).map(Item::Bool).map_err(|_| gave_up())
    })
    .regex(Regex::Always),
    groovy(T, "split", (1, 1), Kind::List, split).regex(Regex::Always),
    groovy(T, "split", (0, 0), Kind::List, |c| list(c, this(c)?.split_whitespace())),
    groovy(T, "tokenize", (0, 1), Kind::List, |c| match c.arguments {
        [] => list(c, this(c)?.split_whitespace()),
        _ => {
            list(c, this(c)?.split(|letter| c.text(0).is_ok_and(|all| all.contains(letter))).filter(|p| !p.is_empty()))
        }
    }),
    script(T, "replace", (2, 2), T, |c| script_replace(c, false)).regex(Regex::Maybe),
    script(T, "replaceAll", (2, 2), T, |c| script_replace(c, true)).regex(Regex::Maybe),
    script(T, "split", (1, 1), Kind::List, |c| if c.regex.is_some() { split(c) } else { script_split(c) })
        .regex(Regex::Maybe),
    script(T, "match", (1, 1), Kind::Any, |c| {
        c.budget.look(this(c)?.len())?;
        let groups = c.pattern()?.groups(this(c)?, 0).map_err(|_| gave_up())?;
        let Some(groups) = groups else { return Ok(Item::Null) };
        list(c, groups.into_iter().map(Option::unwrap_or_default))
    })
    .regex(Regex::Maybe),
    script(T, "search", (1, 1), N, |c| {
        c.budget.look(this(c)?.len())?;
        let place = c.pattern()?.position(this(c)?).map_err(|_| gave_up())?;
        Ok(place.map_or(Item::Number(Number::int(-1)), |at| Item::count(length(&this(c).unwrap_or_default()[..at]))))
    })
    .regex(Regex::Maybe),
    script(T, "repeat", (1, 1), T, |c| {
        let count = usize::try_from(c.whole(0)?).map_err(|_| Failure::new("Invalid count value"))?;
        c.budget.text(this(c)?.len().saturating_mul(count))?;
        Ok(Item::made(this(c)?.repeat(count)))
    }),
    groovy(T, "padLeft", (1, 2), T, |c| padded(c, true)),
    groovy(T, "padRight", (1, 2), T, |c| padded(c, false)),
    script(T, "padStart", (1, 2), T, |c| padded(c, true)),
    script(T, "padEnd", (1, 2), T, |c| padded(c, false)),
    groovy(T, "toInteger", (0, 0), N, |c| parsed(c, |text| text.parse::<i32>().ok().map(|n| Number::int(n.into())))),
    groovy(T, "toLong", (0, 0), N, |c| parsed(c, |text| text.parse().ok().map(|n| Number::Whole(n, Width::Long)))),
    groovy(T, "toDouble", (0, 0), N, |c| parsed(c, |text| floating(text).map(Number::Double))),
    groovy(T, "toFloat", (0, 0), N, |c| parsed(c, |text| floating(text).map(|n| Number::Float(n as f32)))),
    groovy(T, "toBigDecimal", (0, 0), N, |c| parsed(c, decimal)),
    groovy(T, "toBoolean", (0, 0), B, |c| {
        let text = this(c)?.trim_matches(|c| c <= ' ');
        Ok(Item::Bool(text == "1" || text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("y")))
    }),
    groovy(T, "isNumber", (0, 0), B, |c| Ok(Item::Bool(decimal(this(c)?.trim_matches(|c| c <= ' ')).is_some()))),
    groovy(T, "isInteger", (0, 0), B, |c| Ok(Item::Bool(this(c)?.trim_matches(|c| c <= ' ').parse::<i32>().is_ok()))),
    groovy(T, "isLong", (0, 0), B, |c| Ok(Item::Bool(this(c)?.trim_matches(|c| c <= ' ').parse::<i64>().is_ok()))),
    groovy(T, "compareTo", (1, 1), N, |c| {
        let order = order(this(c)?, c.text(0)?) as i64;
        Ok(Item::Number(Number::int(order)))
    }),
    groovy(T, "hashCode", (0, 0), N, |c| {
        c.budget.look(this(c)?.len())?;
        let hash =
            this(c)?.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
        Ok(Item::Number(Number::int(hash.into())))
    }),
    method(T, "toString", (0, 0), T, |c| Ok(plain(c))),
    script(T, "valueOf", (0, 0), T, |c| Ok(plain(c))),
];

/// The text whose member it is.
fn this<'c>(call: &'c Call<'_, '_>) -> Result<&'c str, Failure> {
    match call.this {
        Item::Text(text) | Item::Template(text) => Ok(text),
        _ => Err(call.no_signature()),
    }
}

/// The text as a String.
fn plain<'a>(call: &Call<'a, '_>) -> Item<'a> {
    match call.this {
        Item::Template(text) => Item::Text(text.clone()),
        other => other.clone(),
    }
}

fn test<'a>(call: &Call<'a, '_>, test: impl Fn(&str, &str) -> bool) -> Out<'a> {
    let (text, part) = (this(call)?, call.text(0)?);
    call.budget.look(text.len())?;
    Ok(Item::Bool(test(text, part)))
}

fn make<'a>(call: &Call<'a, '_>, make: impl Fn(&str) -> String) -> Out<'a> {
    let text = this(call)?;
    call.budget.look(text.len())?;
    call.made(make(text))
}

fn list<'a, 't>(call: &Call<'a, '_>, parts: impl Iterator<Item = &'t str>) -> Out<'a> {
    call.budget.text(this(call)?.len())?;
    let parts: Vec<Item<'a>> = parts.map(|part| Item::made(part.to_owned())).collect();
    call.budget.list(parts.len())?;
    Ok(Item::list(parts))
}

/// Without regard to case, as Java compares two characters: by upper case, then by lower case.
fn folded(text: &str) -> String {
    // A character whose other case is not one character stays as it is, as in Java.
    let single = |mut cased: Vec<char>, c: char| if cased.len() == 1 { cased.pop().unwrap_or(c) } else { c };
    let upper = text.chars().map(|c| single(c.to_uppercase().collect(), c));
    upper.map(|c| single(c.to_lowercase().collect(), c)).collect()
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// The number of UTF-16 units.
pub(in super::super) fn length(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// The order of Java's and JavaScript's texts: by UTF-16 units.
pub(in super::super) fn order(left: &str, right: &str) -> std::cmp::Ordering {
    if left.is_ascii() && right.is_ascii() { left.cmp(right) } else { left.encode_utf16().cmp(right.encode_utf16()) }
}

/// The byte index of a UTF-16 index; an index behind the end, or in the middle of a character, gives the next end.
fn byte(text: &str, units: usize) -> usize {
    if text.is_ascii() {
        return units.min(text.len());
    }
    let mut seen = 0;
    for (at, c) in text.char_indices() {
        if seen >= units {
            return at;
        }
        seen += c.len_utf16();
    }
    text.len()
}

/// The part between two UTF-16 indexes, as far as it exists.
fn part(text: &str, from: usize, to: usize) -> &str {
    text.get(byte(text, from)..byte(text, to).max(byte(text, from))).unwrap_or("")
}

fn cut<'a>(call: &Call<'a, '_>, from: usize, to: usize) -> Out<'a> {
    make(call, |text| part(text, from, to).to_owned())
}

/// Java's `substring`, which fails beyond the text.
fn substring<'a>(call: &Call<'a, '_>) -> Out<'a> {
    let length = length(this(call)?) as i64;
    let from = call.whole(0)?;
    let to = if call.arguments.len() > 1 { call.whole(1)? } else { length };
    if from < 0 || to > length || from > to {
        return Err(Failure::new("java.lang.StringIndexOutOfBoundsException: String index out of range"));
    }
    cut(call, from as usize, to as usize)
}

/// JavaScript's `slice` and `substring`, which cut what lies beyond the text.
fn slice<'a>(call: &Call<'a, '_>, from_end: bool) -> Out<'a> {
    let length = length(this(call)?) as i64;
    let clamp = |at: i64| if at < 0 && from_end { (length + at).max(0) } else { at.clamp(0, length) };
    let from = clamp(call.whole(0)?);
    let to = if call.arguments.len() > 1 { clamp(call.whole(1)?) } else { length };
    let (from, to) = if from_end { (from, to.max(from)) } else { (from.min(to), from.max(to)) };
    cut(call, from as usize, to as usize)
}

fn index<'a>(call: &Call<'a, '_>, last: bool) -> Out<'a> {
    let (text, wanted) = (this(call)?, call.text(0)?);
    call.budget.look(text.len())?;
    let start = if call.arguments.len() > 1 { byte(text, usize::try_from(call.whole(1)?).unwrap_or(0)) } else { 0 };
    let rest = &text[start..];
    let found = if last { rest.rfind(wanted) } else { rest.find(wanted) };
    let place = found.map_or(-1, |at| length(&text[..start + at]) as i64);
    Ok(Item::Number(Number::int(place)))
}

/// With the first `most` occurrences of a text replaced.
fn replaced<'a>(call: &Call<'a, '_>, most: usize) -> Out<'a> {
    let (text, from, to) = (this(call)?, call.text(0)?, call.text(1)?);
    call.budget.look(text.len())?;
    let hits = text.matches(from).take(most).count();
    call.budget.text(text.len().saturating_add(hits.saturating_mul(to.len())))?;
    Ok(Item::made(text.replacen(from, to, most)))
}

fn replaced_by_regex<'a>(call: &Call<'a, '_>, by: &str, all: bool) -> Out<'a> {
    let text = this(call)?;
    call.budget.look(text.len())?;
    let result = call.pattern()?.replace(text, by, all, call.budget.left());
    match result.map_err(|error| Failure::new(error.to_string()))? {
        Some(text) => call.made(text),
        None => Err(Failure::new("the expression needs too much memory on this record")),
    }
}

/// JavaScript's `replace`: of a text once, of a regex as its flag `g` says.
fn script_replace<'a>(call: &Call<'a, '_>, all: bool) -> Out<'a> {
    if call.regex.is_none() {
        return replaced(call, if all { usize::MAX } else { 1 });
    }
    let global = all || matches!(call.argument(0), Item::Bool(true));
    replaced_by_regex(call, &java_replacement(call.text(1)?), global)
}

/// A replacement of JavaScript in Java's words.
fn java_replacement(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', _) => out.push_str("\\\\"),
            ('$', Some('$')) => {
                chars.next();
                out.push_str("\\$");
            }
            ('$', Some('&')) => {
                chars.next();
                out.push_str("$0");
            }
            ('$', Some(digit)) if digit.is_ascii_digit() => out.push('$'),
            ('$', _) => out.push_str("\\$"),
            (c, _) => out.push(c),
        }
    }
    out
}

fn split<'a>(call: &Call<'a, '_>) -> Out<'a> {
    let text = this(call)?;
    call.budget.look(text.len())?;
    let parts = call.pattern()?.split(text).map_err(|_| gave_up())?;
    list(call, parts.into_iter())
}

/// JavaScript's `split` by a text, which keeps empty pieces.
fn script_split<'a>(call: &Call<'a, '_>) -> Out<'a> {
    let (text, by) = (this(call)?, call.text(0)?);
    if by.is_empty() {
        return list(call, text.split("").filter(|piece| !piece.is_empty()));
    }
    list(call, text.split(by))
}

fn padded<'a>(call: &Call<'a, '_>, left: bool) -> Out<'a> {
    let text = this(call)?;
    let pad = if call.arguments.len() > 1 { call.text(1)? } else { " " };
    let missing = usize::try_from(call.whole(0)?).unwrap_or(0).saturating_sub(length(text));
    if missing == 0 || pad.is_empty() {
        return Ok(plain(call));
    }
    call.budget.text(text.len().saturating_add(missing.saturating_mul(4)))?;
    let fill: String = pad.chars().cycle().take(missing).collect();
    Ok(Item::made(if left { fill + text } else { text.to_owned() + &fill }))
}

fn parsed<'a>(call: &Call<'a, '_>, parse: impl Fn(&str) -> Option<Number>) -> Out<'a> {
    let text = this(call)?.trim_matches(|c| c <= ' ');
    call.budget.look(text.len())?;
    let why = || Failure::new(format!("java.lang.NumberFormatException: the text is no number for {}()", call.name));
    parse(text).map(Item::Number).ok_or_else(why)
}

/// A double as Java reads it.
pub(in super::super) fn floating(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
    let named = matches!(text.trim_start_matches(['+', '-']), "NaN" | "Infinity");
    if plain || named { text.parse().ok() } else { None }
}

pub(in super::super) fn decimal(text: &str) -> Option<Number> {
    Decimal::parse(text).map(|decimal| Number::Decimal(Arc::new(decimal)))
}

/// The failure of a regex that needs too many steps.
pub(in super::super) fn gave_up() -> Failure {
    Failure::new("the regex needs too many steps on this record; make it simpler")
}
