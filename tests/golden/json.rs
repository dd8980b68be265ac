//! JSON that keeps what `serde_json` loses and a comparison must see: the order of an object's members, and each number
//! as it is written (`1`, `1.0`, `1.0E10`, integers of any length, digits that no double holds).

use std::fmt::Write as _;

/// A JSON value. Objects keep their order. A repeated name keeps its last value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    /// A number as written.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Map(Vec<(String, Json)>),
}

impl Json {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Self::Map(entries) => entries.iter().find(|(k, _)| k == name).map(|(_, v)| v),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Json> {
        match self {
            Self::Map(entries) => entries.iter_mut().find(|(k, _)| k == name).map(|(_, v)| v),
            _ => None,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(crate) fn as_int(&self) -> Option<i128> {
        if let Self::Number(digits) = self { digits.parse().ok() } else { None }
    }

    /// The value in one line, with sorted names, and numbers by value. Equal values give equal lines.
    pub(crate) fn line(&self) -> String {
        self.shown(Form::Values, false)
    }

    /// The value as text: one line, or with `is_long` many lines, so that a person can read a difference.
    pub(crate) fn shown(&self, form: Form, is_long: bool) -> String {
        let mut out = String::new();
        self.write(&mut out, form, is_long.then_some(0));
        out
    }

    fn write(&self, out: &mut String, form: Form, depth: Option<usize>) {
        let next = depth.map(|d| d + 1);
        let pad = |out: &mut String, depth: Option<usize>| {
            if let Some(depth) = depth {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', depth));
            }
        };
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(b) => write!(out, "{b}").unwrap(),
            Self::Number(digits) if form == Form::Written => out.push_str(digits),
            Self::Number(digits) => out.push_str(&worth(digits)),
            Self::Text(text) => out.push_str(&serde_json::to_string(text).unwrap()),
            Self::List(items) if items.is_empty() => out.push_str("[]"),
            Self::Map(entries) if entries.is_empty() => out.push_str("{}"),
            Self::List(items) => {
                for (i, item) in items.iter().enumerate() {
                    out.push_str(if i == 0 { "[" } else { "," });
                    pad(out, next);
                    item.write(out, form, next);
                }
                pad(out, depth);
                out.push(']');
            }
            Self::Map(entries) => {
                let mut sorted: Vec<_> = entries.iter().collect();
                if form == Form::Values {
                    sorted.sort_by(|a, b| a.0.cmp(&b.0));
                }
                for (i, (name, value)) in sorted.into_iter().enumerate() {
                    out.push_str(if i == 0 { "{" } else { "," });
                    pad(out, next);
                    write!(out, "{}: ", serde_json::to_string(name).unwrap()).unwrap();
                    value.write(out, form, next);
                }
                pad(out, depth);
                out.push('}');
            }
        }
    }

    /// Parses a whole text; `None` when it is not JSON.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { text, at: 0 };
        let value = parser.value()?;
        parser.space();
        (parser.at == text.len()).then_some(value)
    }
}

/// What is compared of a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Only the values: members may be in any order, and numbers may be written differently (`1.0E10`, `1E10`).
    Values,
    /// Also the order of the members, and how numbers are written.
    Written,
}

/// A number by value. A decimal that a double cannot hold, or whose scale counts, is shown as text.
fn worth(text: &str) -> String {
    if !text.contains(['.', 'e', 'E']) {
        return text.to_owned();
    }
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let scaled = mantissa.split_once('.').is_some_and(|(_, fraction)| fraction.len() > 1 && fraction.ends_with('0'));
    if digits > 17 || scaled { format!("\"number {text}\"") } else { format!("{:?}", text.parse::<f64>().unwrap()) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn take(&mut self, token: &str) -> bool {
        self.space();
        let there = self.rest().starts_with(token);
        if there {
            self.at += token.len();
        }
        there
    }

    fn value(&mut self) -> Option<Json> {
        self.space();
        match self.rest().bytes().next()? {
            b'{' => self.map(),
            b'[' => self.list(),
            b'"' => self.string().map(Json::Text),
            b'-' | b'0'..=b'9' => self.number(),
            _ => {
                let words = [("null", Json::Null), ("true", Json::Bool(true)), ("false", Json::Bool(false))];
                words.into_iter().find(|(word, _)| self.take(word)).map(|(_, value)| value)
            }
        }
    }

    fn number(&mut self) -> Option<Json> {
        let length = self.rest().bytes().take_while(|b| b.is_ascii_digit() || b"+-.eE".contains(b)).count();
        let text = self.rest()[..length].to_owned();
        text.parse::<f64>().ok()?;
        self.at += length;
        Some(Json::Number(text))
    }

    fn string(&mut self) -> Option<String> {
        let bytes = self.rest().as_bytes();
        let mut end = 1;
        while *bytes.get(end)? != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let text = serde_json::from_str(self.rest().get(..=end)?).ok()?;
        self.at += end + 1;
        Some(text)
    }

    fn list(&mut self) -> Option<Json> {
        self.take("[");
        let mut items = Vec::new();
        if self.take("]") {
            return Some(Json::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.take("]") {
                return Some(Json::List(items));
            }
            if !self.take(",") {
                return None;
            }
        }
    }

    fn map(&mut self) -> Option<Json> {
        self.take("{");
        let mut entries: Vec<(String, Json)> = Vec::new();
        if self.take("}") {
            return Some(Json::Map(entries));
        }
        loop {
            self.space();
            if !self.rest().starts_with('"') {
                return None;
            }
            let name = self.string()?;
            if !self.take(":") {
                return None;
            }
            let value = self.value()?;
            match entries.iter_mut().find(|(k, _)| *k == name) {
                Some(entry) => entry.1 = value,
                None => entries.push((name, value)),
            }
            if self.take("}") {
                return Some(Json::Map(entries));
            }
            if !self.take(",") {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        assert_eq!(Json::parse(text).map(|v| v.line()).as_deref(), expect, "{text}");
    }

    #[test]
    fn reads_what_is_json() {
        check(r#" {"b": [1, -2.5, "x\"\u00e9"], "a": null} "#, Some(r#"{"a": null,"b": [1,-2.5,"x\"é"]}"#));
        check(r#"{"a": 1, "a": 2}"#, Some(r#"{"a": 2}"#));
        check("123456789012345678901234567890", Some("123456789012345678901234567890"));
        check("12345678901234567890.5", Some(r#""number 12345678901234567890.5""#));
        check("1.50", Some(r#""number 1.50""#));
        check("1.0", Some("1.0"));
        check("1e22", Some("1e22"));
        check("[true, false, {}, []]", Some("[true,false,{},[]]"));
    }

    #[test]
    fn shows_what_is_written() {
        let written = |text: &str| Json::parse(text).map(|v| v.shown(Form::Written, false));
        let text = r#"{"b": 1.50,"a": [1,1.0,1.0E10,1e-7,123456789012345678901234567890],"A": {"z": 0,"y": -0.0}}"#;
        assert_eq!(written(text).as_deref(), Some(text));
        assert_ne!(written("1"), written("1.0"));
        assert_ne!(written("1.0E10"), written("1.0e10"));
        assert_ne!(written(r#"{"a":1,"b":2}"#), written(r#"{"b":2,"a":1}"#));
    }

    #[test]
    fn refuses_what_is_not() {
        for text in ["", "abc", "{", "[1,]", "{\"a\" 1}", "1 2", "\"open", "c_pg"] {
            check(text, None);
        }
    }
}
