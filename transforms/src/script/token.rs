//! From the text of an expression to tokens, for Groovy and JavaScript.
//!
//! Must not know: what tokens mean together.

use std::sync::Arc;

use super::Dialect;
use super::decimal::Decimal;
use super::failure::Complaint;
use super::number::{Number, Width};
use super::quoted::Quoted;

/// The most bytes of an expression.
const MOST_BYTES: usize = 64 << 10;
/// How deep texts with `${}` may stand inside each other.
const MOST_TEMPLATES: usize = 8;

/// A token.
#[derive(Clone, Debug)]
pub(super) enum Token {
    /// A name or a keyword.
    Name(String),
    Number(Number),
    /// A text without values in it. Groovy's `/regex/` is one.
    Text(String),
    /// A text with values in it.
    Template(Vec<Piece>),
    /// JavaScript's `/regex/flags`.
    Regex {
        source: String,
        flags: String,
    },
    /// An operator or a bracket.
    Sign(&'static str),
    /// The end of a line, outside of round and square brackets.
    NewLine,
    End,
}

/// A part of a text with values in it.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Text(String),
    /// What stands between `${` and `}`.
    Code(Vec<Spanned>),
}

/// A token and its byte index.
#[derive(Clone, Debug)]
pub(super) struct Spanned {
    pub(super) token: Token,
    pub(super) at: usize,
}

/// Every operator and bracket of both languages, also those that expressions may not use; longer ones first.
const SIGNS: &[&str] = &[
    ">>>=", "<=>", "==~", "===", "!==", "..<", "**=", "<<=", ">>=", ">>>", "...", "??=", "&&=", "||=", "?.", "*.",
    ".&", ".@", "::", "->", "=>", "==", "!=", "=~", "<=", ">=", "&&", "||", "??", "?:", "?[", "..", "**", "++", "--",
    "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<", ">>", "+", "-", "*", "/", "%", "<", ">", "=", "!", "?", ":",
    ".", ",", ";", "(", ")", "[", "]", "{", "}", "&", "|", "^", "~", "@",
];

/// Signs that one of the languages does not have, so that it reads them as two.
fn has_sign(dialect: Dialect, sign: &str, rest: &str) -> bool {
    match (dialect, sign) {
        (Dialect::Groovy, "??" | "??=" | "&&=" | "||=" | "=>") => false,
        (Dialect::JavaScript, "==~" | "<=>" | "=~" | "?:" | "?[" | "..<" | ".." | "*." | ".&" | ".@" | "->" | "::") => {
            false
        }
        // A condition before a number: `a ?.5 : 1`.
        (_, "?.") => !rest[2..].starts_with(|c: char| c.is_ascii_digit()),
        _ => true,
    }
}

/// Splits an expression into tokens.
pub(super) fn tokens(source: &str, dialect: Dialect) -> Result<Vec<Spanned>, Complaint> {
    if source.len() > MOST_BYTES {
        let what = format!("the expression has {} bytes; at most {MOST_BYTES} are allowed", source.len());
        return Err(Complaint::new(MOST_BYTES, what));
    }
    let mut lexer = Lexer { source, dialect, at: 0, out: Vec::new(), brackets: Vec::new() };
    lexer.run(0)?;
    Ok(lexer.out)
}

struct Lexer<'s> {
    source: &'s str,
    dialect: Dialect,
    at: usize,
    out: Vec<Spanned>,
    /// The brackets that are open.
    brackets: Vec<&'static str>,
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

fn continues_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

impl<'s> Lexer<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn push(&mut self, token: Token, at: usize) {
        self.out.push(Spanned { token, at });
    }

    /// Reads tokens up to the end, or inside of a text (`templates` above 0) up to the brace that closes `${`.
    fn run(&mut self, templates: usize) -> Result<(), Complaint> {
        while let Some(c) = self.rest().chars().next() {
            let (at, rest) = (self.at, self.rest());
            if c == '\n' {
                self.at += 1;
                if self.brackets.last().is_none_or(|open| *open == "{") {
                    self.push(Token::NewLine, at);
                }
            } else if c.is_whitespace() {
                self.at += c.len_utf8();
            } else if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                let end = rest.find("*/").ok_or_else(|| Complaint::new(at, "the comment has no end: write */"))?;
                self.at += end + 2;
            } else if starts_name(c) {
                let end = rest.find(|c| !continues_name(c)).unwrap_or(rest.len());
                self.at += end;
                self.push(Token::Name(rest[..end].to_owned()), at);
            } else if c.is_ascii_digit() || c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
                self.number()?;
            } else if matches!(c, '\'' | '"')
                || c == '`' && self.dialect == Dialect::JavaScript
                || c == '/' && self.expects_operand()
            {
                self.quoted(templates)?;
            } else if templates > 0 && c == '}' && self.brackets.is_empty() {
                self.push(Token::End, at);
                return Ok(());
            } else {
                self.sign()?;
            }
        }
        if templates > 0 {
            return Err(Complaint::new(self.at, "the text has no end: a } and a closing quote are missing"));
        }
        if let Some(open) = self.brackets.last() {
            return Err(Complaint::new(self.at, format!("a bracket is missing that closes {open}")));
        }
        self.push(Token::End, self.at);
        Ok(())
    }

    /// Whether an operand must follow, so that `/` begins a regex and does not divide.
    fn expects_operand(&self) -> bool {
        match self.out.last().map(|last| &last.token) {
            Some(Token::Name(name)) => {
                matches!(name.as_str(), "return" | "in" | "instanceof" | "typeof" | "else" | "case")
            }
            Some(Token::Number(_) | Token::Text(_) | Token::Template(_) | Token::Regex { .. }) => false,
            Some(Token::Sign(sign)) => !matches!(*sign, ")" | "]" | "}"),
            Some(Token::NewLine | Token::End) | None => true,
        }
    }

    fn number(&mut self) -> Result<(), Complaint> {
        let (at, rest) = (self.at, self.rest());
        let hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
        let mut end = 0;
        let bytes = rest.as_bytes();
        let (mut point, mut exponent) = (false, false);
        while let Some(byte) = bytes.get(end) {
            let next_is_digit = bytes.get(end + 1).is_some_and(u8::is_ascii_digit);
            match byte {
                b'.' if !point && !exponent && !hexadecimal && next_is_digit => point = true,
                b'.' => break,
                b'+' | b'-' if exponent && matches!(bytes[end - 1], b'e' | b'E') => {}
                b'e' | b'E' if !hexadecimal && !exponent => exponent = true,
                b'_' => {}
                byte if byte.is_ascii_alphanumeric() => {}
                _ => break,
            }
            end += 1;
        }
        let written = &rest[..end];
        self.at += end;
        let number = match self.dialect {
            Dialect::Groovy => groovy_number(written, point || exponent),
            Dialect::JavaScript => script_number(written),
        };
        match number {
            Ok(number) => {
                self.push(Token::Number(number), at);
                Ok(())
            }
            Err(why) => Err(Complaint::new(at, format!("{written} is no number that can be used here: {why}"))),
        }
    }

    fn quoted(&mut self, templates: usize) -> Result<(), Complaint> {
        let at = self.at;
        let mut pieces = Vec::new();
        let mut quoted = Quoted::new(self.source, at, self.dialect);
        loop {
            let text = quoted.text()?;
            self.at = quoted.at;
            if !text.is_empty() {
                pieces.push(Piece::Text(text));
            }
            if !quoted.value_follows {
                break;
            }
            if templates >= MOST_TEMPLATES {
                return Err(Complaint::new(self.at, "texts with ${} stand too deep inside each other"));
            }
            pieces.push(Piece::Code(self.code(quoted.in_braces, templates)?));
            quoted.at = self.at;
        }
        let token = if let Some(flags) = quoted.flags {
            let source = if let Some(Piece::Text(source)) = pieces.pop() { source } else { String::new() };
            Token::Regex { source, flags }
        } else if pieces.iter().any(|piece| matches!(piece, Piece::Code(_))) {
            Token::Template(pieces)
        } else {
            Token::Text(if let Some(Piece::Text(text)) = pieces.pop() { text } else { String::new() })
        };
        self.push(token, at);
        Ok(())
    }

    /// The tokens of a value in a text: `${…}` up to its brace, or the path of names of `$a.b`.
    fn code(&mut self, in_braces: bool, templates: usize) -> Result<Vec<Spanned>, Complaint> {
        let mut inner =
            Lexer { source: self.source, dialect: self.dialect, at: self.at, out: Vec::new(), brackets: Vec::new() };
        if in_braces {
            inner.run(templates + 1)?;
            self.at = inner.at + 1;
        } else {
            loop {
                let (at, rest) = (inner.at, inner.rest());
                let end = rest.find(|c| !continues_name(c) || c == '$').unwrap_or(rest.len());
                inner.at += end;
                inner.push(Token::Name(rest[..end].to_owned()), at);
                let mut behind = inner.rest().chars();
                if behind.next() != Some('.') || !behind.next().is_some_and(|c| starts_name(c) && c != '$') {
                    break;
                }
                inner.push(Token::Sign("."), inner.at);
                inner.at += 1;
            }
            inner.push(Token::End, inner.at);
            self.at = inner.at;
        }
        Ok(inner.out)
    }

    fn sign(&mut self) -> Result<(), Complaint> {
        let (at, rest) = (self.at, self.rest());
        let found = SIGNS.iter().find(|sign| rest.starts_with(**sign) && has_sign(self.dialect, sign, rest));
        let Some(sign) = found.copied() else {
            let c = rest.chars().next().unwrap_or(' ');
            return Err(Complaint::new(at, format!("the character {c} has no meaning here")));
        };
        match sign {
            "(" | "[" | "{" => self.brackets.push(sign),
            "?[" => self.brackets.push("["),
            ")" | "]" | "}" => {
                let opens = match sign {
                    ")" => "(",
                    "]" => "[",
                    _ => "{",
                };
                if self.brackets.pop() != Some(opens) {
                    return Err(Complaint::new(at, format!("the bracket {sign} closes nothing")));
                }
            }
            _ => {}
        }
        self.at += sign.len();
        self.push(Token::Sign(sign), at);
        Ok(())
    }
}

fn groovy_number(written: &str, fraction: bool) -> Result<Number, &'static str> {
    let clean = written.replace('_', "");
    let lower = clean.to_ascii_lowercase();
    let large = "whole numbers have at most 64 bits; write a decimal, such as 1.0";
    let whole = |digits: &str, radix: u32, width: Option<Width>| {
        let number = i64::from_str_radix(digits, radix).map_err(|_| large)?;
        let width = width.unwrap_or(if i32::try_from(number).is_ok() { Width::Int } else { Width::Long });
        Ok(Number::Whole(number, width))
    };
    let (bare, width) = match lower.strip_suffix(['l', 'i']) {
        Some(bare) if lower.ends_with('l') => (bare, Some(Width::Long)),
        Some(bare) => (bare, Some(Width::Int)),
        None => (lower.as_str(), None),
    };
    if let Some(digits) = bare.strip_prefix("0x") {
        return whole(digits, 16, width);
    }
    let decimal = |text: &str| Decimal::parse(text).ok_or("its digits cannot be read");
    if let Some(text) = lower.strip_suffix('d') {
        return text.parse().map(Number::Double).map_err(|_| "its digits cannot be read");
    }
    if let Some(text) = lower.strip_suffix('f') {
        return text.parse().map(Number::Float).map_err(|_| "its digits cannot be read");
    }
    if let Some(text) = lower.strip_suffix('g') {
        return if fraction { Ok(Number::Decimal(Arc::new(decimal(text)?))) } else { Err(large) };
    }
    if fraction {
        return Ok(Number::Decimal(Arc::new(decimal(&lower)?)));
    }
    if !bare.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("its digits cannot be read");
    }
    if bare.len() > 1 && bare.starts_with('0') {
        return i64::from_str_radix(bare, 8).map_err(|_| "digits behind a 0 are octal").map(|number| {
            Number::Whole(number, width.unwrap_or(if i32::try_from(number).is_ok() { Width::Int } else { Width::Long }))
        });
    }
    whole(bare, 10, width)
}

fn script_number(written: &str) -> Result<Number, &'static str> {
    let clean = written.replace('_', "").to_ascii_lowercase();
    if clean.ends_with('n') {
        return Err("write it without n");
    }
    if let Some(digits) = clean.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16)
            .map(|n| Number::Double(n as f64))
            .map_err(|_| "its digits cannot be read");
    }
    if clean.len() > 1 && clean.starts_with('0') && clean.as_bytes()[1].is_ascii_digit() {
        return Err("digits behind a 0 are ambiguous");
    }
    clean.parse().map(Number::Double).map_err(|_| "its digits cannot be read")
}
