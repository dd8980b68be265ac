//! Values written as texts, whose types are found out as Kafka Connect's class `Values` does: `true`, `7`, `3.14`, dates,
//! `[1,2]`, `{"a":1}`; anything else is a text.
//!
//! Must not know: any transform.

mod aligned;
#[cfg(test)]
mod tests;
mod tokens;

use std::sync::Arc;

use record::{Kind, Schema, Value};

use self::aligned::Common;
use self::tokens::Tokens;
use crate::date_format::DateFormat;
use crate::{java_number, logical};

/// How many lists and maps may be inside of one another. A text with more of them is a text; Connect's class ends with a stack
/// overflow there.
const DEEPEST: usize = 128;

/// A value and its schema; nothing for null.
pub(crate) type Literal = Option<(Arc<Schema>, Value)>;

/// What stands in brackets or braces is not a list or map; the text is then taken as a text.
struct NoLiteral;

/// Finds out what a text is.
pub(crate) fn parse(text: &str) -> Literal {
    let string = || Some((of(Kind::String), Value::text(text)));
    if text.is_empty() {
        return string();
    }
    let mut parser = Parser { tokens: Tokens::new(text), text };
    parser.value(0).unwrap_or_else(|NoLiteral| string())
}

fn of(kind: Kind) -> Arc<Schema> {
    Schema::of(kind).build()
}

struct Parser<'t> {
    tokens: Tokens<'t>,
    text: &'t str,
}

impl Parser<'_> {
    /// Reads a value that stands in `depth` lists and maps.
    fn value(&mut self, depth: usize) -> Result<Literal, NoLiteral> {
        if depth > DEEPEST {
            return Err(NoLiteral);
        }
        let inner = depth > 0;
        if !self.tokens.has_more() {
            return Ok(None);
        }
        if inner && self.tokens.take("\"") {
            return Ok(Some(self.quoted()));
        }
        let mut words = [("null", None), ("true", Some(true)), ("false", Some(false))].into_iter();
        if let Some((_, word)) = words.find(|(word, _)| self.only(word, inner)) {
            return Ok(word.map(|truth| (of(Kind::Bool), Value::Bool(truth))));
        }
        let start = self.tokens.mark();
        let collection = if self.tokens.take("[") {
            Some(self.list(depth + 1))
        } else if self.tokens.take("{") {
            Some(self.map(depth + 1))
        } else {
            None
        };
        match collection {
            Some(Ok(found)) => return Ok(Some(found)),
            Some(Err(NoLiteral)) => self.tokens.back_to(start),
            None => {}
        }
        let token = self.tokens.next();
        let trimmed = token.trim_matches(|c| c <= ' ');
        if trimmed.is_empty() {
            return Ok(Some((of(Kind::String), Value::text(token))));
        }
        self.scalar(trimmed, inner).map(Some)
    }

    /// Whether the next token is this word, and outside of lists and maps the last token too.
    fn only(&mut self, word: &str, inner: bool) -> bool {
        let start = self.tokens.mark();
        if self.tokens.take(word) && (inner || !self.tokens.has_more()) {
            return true;
        }
        self.tokens.back_to(start);
        false
    }

    /// A date, a number, or outside of lists and maps a text.
    fn scalar(&mut self, token: &str, inner: bool) -> Result<(Arc<Schema>, Value), NoLiteral> {
        let is_digit = token.starts_with(|c: char| c.is_ascii_digit());
        if is_digit && let Some(date) = self.date(token) {
            return Ok(date);
        }
        if (is_digit || token.starts_with(['+', '-']))
            && let Some(number) = number(token)
        {
            return Ok(number);
        }
        if inner { Err(NoLiteral) } else { Ok((of(Kind::String), Value::text(self.text))) }
    }

    /// A date or time. Its colons part it into five tokens, of which this one is the first.
    fn date(&mut self, token: &str) -> Option<(Arc<Schema>, Value)> {
        let start = self.tokens.mark();
        if let Some(rest) = self.tokens.next_four()
            && let Some(date) = temporal(&format!("{token}{rest}"))
        {
            return Some(date);
        }
        self.tokens.back_to(start);
        temporal(token)
    }

    fn quoted(&mut self) -> (Arc<Schema>, Value) {
        let mut content = String::new();
        while self.tokens.has_more() && !self.tokens.take("\"") {
            content.push_str(self.tokens.next());
        }
        temporal(&content).unwrap_or_else(|| (of(Kind::String), Value::Text(content)))
    }

    fn list(&mut self, depth: usize) -> Result<(Arc<Schema>, Value), NoLiteral> {
        let (mut items, mut common) = (Vec::new(), Common::default());
        while self.tokens.has_more() {
            if self.tokens.take("]") {
                return common.list(items);
            }
            if self.tokens.take(",") {
                return Err(NoLiteral);
            }
            let item = self.value(depth)?;
            common.meets(item.as_ref());
            items.push(item);
            let end = self.tokens.mark();
            if self.tokens.take("]") {
                self.tokens.back_to(end);
            } else if !self.tokens.take(",") {
                return Err(NoLiteral);
            }
        }
        Err(NoLiteral)
    }

    fn map(&mut self, depth: usize) -> Result<(Arc<Schema>, Value), NoLiteral> {
        let mut entries: Vec<((Arc<Schema>, Value), Literal)> = Vec::new();
        let (mut keys, mut values) = (Common::default(), Common::default());
        while self.tokens.has_more() {
            if self.tokens.take("}") {
                return keys.map(&values, entries);
            }
            if self.tokens.take(",") {
                return Err(NoLiteral);
            }
            let key = self.value(depth)?.ok_or(NoLiteral)?;
            if !self.tokens.take(":") {
                return Err(NoLiteral);
            }
            let value = self.value(depth)?;
            self.tokens.take(",");
            keys.meets(Some(&key));
            values.meets(value.as_ref());
            match entries.iter_mut().find(|(known, _)| known.1 == key.1 && known.0.id == key.0.id) {
                Some(entry) => entry.1 = value,
                None => entries.push((key, value)),
            }
        }
        Err(NoLiteral)
    }
}

/// A date, a time or both, told apart by the length of the text.
fn temporal(token: &str) -> Option<(Arc<Schema>, Value)> {
    let text = token.replace("\\:", ":");
    let (schema, pattern) = match text.encode_utf16().count() {
        10 => (logical::date(false), "yyyy-MM-dd"),
        13 => (logical::time(false), "HH:mm:ss.SSS'Z'"),
        24 => (logical::timestamp(false), "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"),
        _ => return None,
    };
    let ms = DateFormat::new(pattern).ok()?.read(&text)?;
    let value = if pattern == "yyyy-MM-dd" { ms.div_euclid(86_400_000) } else { ms };
    Some((schema, Value::Int(value)))
}

/// A number in the smallest type that it fits into.
fn number(token: &str) -> Option<(Arc<Schema>, Value)> {
    let decimal = java_number::decimal(token)?;
    if let Some(whole) = decimal.exact_i64() {
        let kind = match whole {
            -128..=127 => Kind::Int8,
            -32_768..=32_767 => Kind::Int16,
            -2_147_483_648..=2_147_483_647 => Kind::Int32,
            _ => Kind::Int64,
        };
        return Some((of(kind), Value::Int(whole)));
    }
    let (float, double) = (decimal.to_f32(), decimal.to_f64());
    Some(match decimal.scale() {
        scale if scale != 0 && float.is_finite() => (of(Kind::Float32), Value::Float(float)),
        scale if scale != 0 && double.is_finite() => (of(Kind::Float64), Value::Double(double)),
        scale => (logical::decimal(scale), decimal.into_value()),
    })
}
