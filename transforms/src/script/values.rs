//! What is true of values in both languages, because it is Java's: texts and `equals`.
//!
//! Must not know: operators.

use std::fmt::Write;

use super::Dialect;
use super::budget::Budget;
use super::failure::Failure;
use super::item::{Item, Kind, Text};
use super::javascript;

/// The text of a value: Java's `toString` as Groovy shows it, or JavaScript's.
///
/// # Errors
/// When the value has no text that would be the same everywhere, or the text gets too large.
pub(super) fn java_text<'a>(item: &Item<'a>, dialect: Dialect, budget: &Budget) -> Result<Text<'a>, Failure> {
    match item {
        Item::Text(text) | Item::Template(text) => return Ok(text.clone()),
        Item::Bool(true) => return Ok(Text::Borrowed("true")),
        Item::Bool(false) => return Ok(Text::Borrowed("false")),
        Item::Null => return Ok(Text::Borrowed("null")),
        Item::Undefined => return Ok(Text::Borrowed("undefined")),
        Item::Type(name) => return Ok(Text::Borrowed(name)),
        _ => {}
    }
    let mut out = String::new();
    write(item, dialect, budget, &mut out)?;
    budget.text(out.len())?;
    Ok(out.into())
}

fn write(item: &Item<'_>, dialect: Dialect, budget: &Budget, out: &mut String) -> Result<(), Failure> {
    budget.steps(1)?;
    let is_groovy = dialect == Dialect::Groovy;
    if let Item::Number(number) = item {
        budget.steps(number.weight())?;
    }
    match item {
        Item::Number(number) if is_groovy => out.push_str(&number.text()),
        Item::Number(number) => out.push_str(&javascript::number_text(number)),
        Item::List(list) => {
            out.push_str(if is_groovy { "[" } else { "" });
            for (at, item) in list.iter().enumerate() {
                if at > 0 {
                    out.push_str(if is_groovy { ", " } else { "," });
                }
                if is_groovy || !item.is_null() {
                    write(&item, dialect, budget, out)?;
                }
            }
            out.push_str(if is_groovy { "]" } else { "" });
        }
        Item::Map(map) if is_groovy => {
            out.push('[');
            for (at, (key, value)) in map.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write(&key, dialect, budget, out)?;
                out.push(':');
                write(&value, dialect, budget, out)?;
            }
            out.push_str(if map.len() == 0 { ":]" } else { "]" });
        }
        Item::Struct(of) if is_groovy => {
            out.push_str("Struct{");
            let mut first = true;
            for (at, field) in of.schema.fields().iter().enumerate() {
                let value = of.field(at);
                if value.is_null() {
                    continue;
                }
                let _ = write!(out, "{}{}=", if first { "" } else { "," }, field.name);
                first = false;
                write(&value, dialect, budget, out)?;
            }
            out.push('}');
        }
        Item::Schema(schema) => {
            let _ = match &schema.name {
                Some(name) => write!(out, "Schema{{{name}:{}}}", schema.type_name()),
                None => write!(out, "Schema{{{}}}", schema.type_name()),
            };
        }
        Item::Range(from, to) => {
            let _ = write!(out, "{from}..{to}");
        }
        Item::Text(_) | Item::Template(_) | Item::Bool(_) | Item::Null | Item::Undefined | Item::Type(_) => {
            out.push_str(&java_text(item, dialect, budget)?);
        }
        other => return Err(Failure::new(format!("{} cannot be made a text", other.kind().name()))),
    }
    // What is written is paid for at the end; this is the bound meanwhile.
    if out.len() > budget.left() {
        Err(Failure::new("the expression needs too much memory on this record"))
    } else {
        Ok(())
    }
}

/// `Objects.equals`: numbers of different types differ, and so do decimals of different scales.
///
/// # Errors
/// When the evaluation has taken too long.
pub(super) fn java_equal(left: &Item<'_>, right: &Item<'_>, budget: &Budget) -> Result<bool, Failure> {
    equal(left, right, budget, &|left, right| match (left, right) {
        (Item::Number(left), Item::Number(right)) => Some(left.same(right)),
        (Item::Text(_), Item::Template(_)) | (Item::Template(_), Item::Text(_)) => Some(false),
        _ => None,
    })
}

/// How two values are compared that are no containers; none: as the kind says.
pub(super) type Scalars<'f> = &'f dyn Fn(&Item<'_>, &Item<'_>) -> Option<bool>;

/// Equality of values that may contain others.
///
/// # Errors
/// When the evaluation has taken too long.
pub(super) fn equal(left: &Item<'_>, right: &Item<'_>, budget: &Budget, scalars: Scalars<'_>) -> Result<bool, Failure> {
    budget.steps(1)?;
    if let (Item::Number(left), Item::Number(right)) = (left, right) {
        budget.steps(left.weight() + right.weight())?;
    }
    if let Some(answer) = scalars(left, right) {
        return Ok(answer);
    }
    Ok(match (left, right) {
        (Item::Null | Item::Undefined, Item::Null | Item::Undefined) => true,
        (Item::Bool(left), Item::Bool(right)) => left == right,
        (Item::Text(left) | Item::Template(left), Item::Text(right) | Item::Template(right)) => {
            budget.look(left.len().min(right.len()))?;
            **left == **right
        }
        (Item::Date(left), Item::Date(right)) => left == right,
        (Item::Type(left), Item::Type(right)) => left == right,
        (Item::Schema(left), Item::Schema(right)) => left.id == right.id,
        (Item::List(left), Item::List(right)) => {
            if left.len() != right.len() {
                return Ok(false);
            }
            for (left, right) in left.iter().zip(right.iter()) {
                if !equal(&left, &right, budget, scalars)? {
                    return Ok(false);
                }
            }
            true
        }
        (Item::Map(left), Item::Map(right)) => {
            budget.steps(left.len().saturating_mul(right.len()))?;
            let mut found = 0;
            for (key, value) in left.iter() {
                for (other, candidate) in right.iter() {
                    if java_equal(&key, &other, budget)? && equal(&value, &candidate, budget, scalars)? {
                        found += 1;
                        break;
                    }
                }
            }
            left.len() == right.len() && found == left.len()
        }
        (Item::Struct(left), Item::Struct(right)) => {
            if left.schema.id != right.schema.id {
                return Ok(false);
            }
            for at in 0..left.schema.fields().len() {
                if !java_equal(&left.field(at), &right.field(at), budget)? {
                    return Ok(false);
                }
            }
            true
        }
        (Item::Bytes, Item::Bytes) => return Err(Failure::new("bytes cannot be compared in an expression")),
        (left, right) => {
            debug_assert!(left.kind() != Kind::Any && right.kind() != Kind::Any);
            false
        }
    })
}
