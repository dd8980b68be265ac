//! JSON texts as trees, with numbers told apart as Debezium's parser does.
//!
//! Must not know: schemas.

use std::borrow::Cow;
use std::collections::HashMap;

use hifijson::SliceLexer;
use hifijson::token::Lex;
use hifijson::value::{Value, parse_bounded};

use super::NotExpanded;

/// How deep arrays and objects may be nested. Debezium's limit is 1000, which would need more stack than a task has.
pub(super) const DEPTH: usize = 256;

/// A JSON value.
#[derive(Debug, PartialEq)]
pub(super) enum Node<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer of more than 64 bits.
    Big,
    Double(f64),
    Text(Cow<'a, str>),
    Array(Vec<Node<'a>>),
    /// The members in their order. Of members with one name the first gives the place and the last the value.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// Parses the JSON value at the start of a text.
pub(super) fn parse(text: &str) -> Result<Node<'_>, NotExpanded> {
    if !text.starts_with(['{', '[']) {
        return Err(NotExpanded::Start);
    }
    let mut lexer = SliceLexer::new(text.as_bytes());
    let next = lexer.ws_peek().ok_or(NotExpanded::Syntax)?;
    let value = parse_bounded(DEPTH, next, &mut lexer).map_err(|error| match error {
        hifijson::Error::Depth => NotExpanded::Depth,
        _ => NotExpanded::Syntax,
    })?;
    Ok(node(value))
}

/// A value as the parser gives it.
type Parsed<'a> = Value<&'a str, Cow<'a, str>>;

fn node(value: Parsed<'_>) -> Node<'_> {
    match value {
        Value::Null => Node::Null,
        Value::Bool(truth) => Node::Bool(truth),
        Value::Number((digits, parts)) if parts.is_int() => digits.parse().map_or(Node::Big, Node::Int),
        // Rust reads what JSON calls a number; an exponent that is too large gives infinity, as in Java.
        Value::Number((digits, _)) => Node::Double(digits.parse().unwrap_or(f64::NAN)),
        Value::String(text) => Node::Text(text),
        Value::Array(items) => Node::Array(items.into_iter().map(node).collect()),
        Value::Object(members) => Node::Object(object(members)),
    }
}

fn object<'a>(members: Vec<(Cow<'a, str>, Parsed<'a>)>) -> Vec<(Cow<'a, str>, Node<'a>)> {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    if names.windows(2).all(|pair| pair[0] != pair[1]) {
        return members.into_iter().map(|(name, value)| (name, node(value))).collect();
    }
    let mut places: HashMap<Cow<'a, str>, usize> = HashMap::new();
    let mut out: Vec<(Cow<'a, str>, Node<'a>)> = Vec::with_capacity(members.len());
    for (name, value) in members {
        if let Some(place) = places.get(&name) {
            out[*place].1 = node(value);
        } else {
            places.insert(name.clone(), out.len());
            out.push((name, node(value)));
        }
    }
    out
}
