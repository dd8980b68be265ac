//! Walks over the tokens of one statement.

use super::lexer::{Kind, Lexer, Token};
use super::{Dialect, Name};

/// Why a statement is not understood, and at which byte of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unclear {
    pub(super) why: &'static str,
    pub(super) at: usize,
}

/// What reading gives.
pub(super) type Read<T> = Result<T, Unclear>;

/// A position between the tokens of a text.
pub(super) struct Cursor<'a> {
    pub(super) text: &'a str,
    pub(super) dialect: Dialect,
    tokens: Vec<Token>,
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str, dialect: Dialect) -> Self {
        Self { text, dialect, tokens: Lexer::new(text, dialect).collect(), at: 0 }
    }

    pub(super) fn mark(&self) -> usize {
        self.at
    }

    pub(super) fn back_to(&mut self, mark: usize) {
        self.at = mark;
    }

    fn token(&self, ahead: usize) -> Option<Token> {
        self.tokens.get(self.at + ahead).copied()
    }

    pub(super) fn kind(&self) -> Option<Kind> {
        self.token(0).map(|t| t.kind)
    }

    /// The text of the token that is `ahead` of the next one.
    pub(super) fn peek(&self, ahead: usize) -> &'a str {
        self.token(ahead).map_or("", |t| &self.text[t.start..t.end])
    }

    /// The text of the next token, which is passed.
    pub(super) fn take(&mut self) -> &'a str {
        let text = self.peek(0);
        self.at += usize::from(self.at < self.tokens.len());
        text
    }

    /// Whether the statement has no more tokens: its text or a semicolon ends it.
    pub(super) fn at_end(&self) -> bool {
        matches!(self.kind(), None | Some(Kind::Sign(b';')))
    }

    /// Whether the token that is `ahead` of the next one is the keyword, in any case.
    pub(super) fn is_ahead(&self, ahead: usize, keyword: &str) -> bool {
        let word = self.token(ahead).is_some_and(|t| t.kind == Kind::Word);
        word && self.peek(ahead).eq_ignore_ascii_case(keyword)
    }

    pub(super) fn is(&self, keyword: &str) -> bool {
        self.is_ahead(0, keyword)
    }

    pub(super) fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|k| self.is(k))
    }

    pub(super) fn sign_ahead(&self, ahead: usize, sign: u8) -> bool {
        self.token(ahead).is_some_and(|t| t.kind == Kind::Sign(sign))
    }

    pub(super) fn is_sign(&self, sign: u8) -> bool {
        self.sign_ahead(0, sign)
    }

    /// Passes the keyword if it is next.
    pub(super) fn eat(&mut self, keyword: &str) -> bool {
        let is = self.is(keyword);
        self.at += usize::from(is);
        is
    }

    pub(super) fn eat_any(&mut self, keywords: &[&str]) -> bool {
        keywords.iter().any(|k| self.eat(k))
    }

    /// Passes the keywords if they are next in this order.
    pub(super) fn eat_all(&mut self, keywords: &[&str]) -> bool {
        let all = keywords.iter().enumerate().all(|(n, k)| self.is_ahead(n, k));
        self.at += if all { keywords.len() } else { 0 };
        all
    }

    pub(super) fn eat_sign(&mut self, sign: u8) -> bool {
        let is = self.is_sign(sign);
        self.at += usize::from(is);
        is
    }

    /// `IF EXISTS`.
    pub(super) fn if_exists(&mut self) -> bool {
        self.eat_all(&["IF", "EXISTS"])
    }

    /// `IF NOT EXISTS`.
    pub(super) fn if_not_exists(&mut self) -> bool {
        self.eat_all(&["IF", "NOT", "EXISTS"])
    }

    pub(super) fn unclear<T>(&self, why: &'static str) -> Read<T> {
        let at = self.token(0).map_or(self.text.len(), |t| t.start);
        Err(Unclear { why, at })
    }

    pub(super) fn expect_sign(&mut self, sign: u8, why: &'static str) -> Read<()> {
        if self.eat_sign(sign) { Ok(()) } else { self.unclear(why) }
    }

    /// A name: a word, or quoted.
    pub(super) fn name(&mut self, why: &'static str) -> Read<String> {
        match self.kind() {
            Some(Kind::Word) => Ok(self.take().to_owned()),
            Some(Kind::Quoted) => Ok(unquote_name(self.take())),
            _ => self.unclear(why),
        }
    }

    /// A table's name, with or without its database.
    pub(super) fn table(&mut self) -> Read<Name> {
        // `.t` is a table of the current database, for ODBC's sake.
        if self.eat_sign(b'.') {
            return Ok(Name { database: None, table: self.name("the name of a table is missing")? });
        }
        let first = self.name("the name of a table is missing")?;
        if self.eat_sign(b'.') {
            return Ok(Name { database: Some(first), table: self.name("the name of a table is missing")? });
        }
        Ok(Name { database: None, table: first })
    }

    /// A name of a charset or collation: a word or a string.
    pub(super) fn label(&mut self) -> Read<&'a str> {
        match self.kind() {
            Some(Kind::Word | Kind::Text | Kind::Quoted) => Ok(inner(self.take())),
            _ => self.unclear("the name of a character set or collation is missing"),
        }
    }

    /// The content of a string as it is written, without its quotes.
    pub(super) fn text_content(&mut self) -> Option<&'a str> {
        matches!(self.kind(), Some(Kind::Text)).then(|| inner(self.take()))
    }

    /// At `(`: goes behind the bracket that closes it. Brackets may nest to any depth.
    pub(super) fn skip_group(&mut self) -> Read<()> {
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(token) = self.token(0) {
            self.at += 1;
            match token.kind {
                Kind::Sign(b'(') => depth += 1,
                Kind::Sign(b')') => depth = depth.saturating_sub(1),
                Kind::Broken => break,
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
        self.at = start;
        self.unclear("a bracket is not closed")
    }

    /// Passes one token, or a group in brackets.
    pub(super) fn skip_one(&mut self) -> Read<()> {
        match self.kind() {
            Some(Kind::Sign(b'(')) => self.skip_group(),
            Some(Kind::Broken) => self.unclear("a string is not closed"),
            _ => {
                self.take();
                Ok(())
            }
        }
    }

    /// Passes everything up to the comma, the closing bracket or the end that ends this clause.
    pub(super) fn skip_clause(&mut self) -> Read<()> {
        while !self.at_clause_end() {
            self.skip_one()?;
        }
        Ok(())
    }

    pub(super) fn at_clause_end(&self) -> bool {
        self.at_end() || self.is_sign(b',') || self.is_sign(b')')
    }

    /// Passes the rest of the statement.
    pub(super) fn skip_statement(&mut self) {
        while !self.at_end() {
            self.at += 1;
        }
    }

    pub(super) fn skip_all(&mut self) {
        self.at = self.tokens.len();
    }

    /// The offset of the next token.
    pub(super) fn offset(&self) -> usize {
        self.token(0).map_or(self.text.len(), |t| t.start)
    }

    /// The offset behind the last token that was passed.
    pub(super) fn offset_behind(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |t| t.end)
    }

    /// The text from the token at `mark` to the last one that was passed.
    pub(super) fn since(&self, mark: usize) -> &'a str {
        let start = self.tokens.get(mark).map_or(self.text.len(), |t| t.start);
        self.text.get(start..self.offset_behind()).unwrap_or("")
    }
}

/// A quoted text without its quotes, which are one byte each; any other text as it is.
pub(super) fn inner(text: &str) -> &str {
    match text.as_bytes() {
        [first @ (b'\'' | b'"' | b'`'), .., last] if first == last => &text[1..text.len() - 1],
        _ => text,
    }
}

/// A name in quotes as it is meant: the quote is written twice inside of it.
pub(super) fn unquote_name(text: &str) -> String {
    let name = inner(text);
    match text.as_bytes().first() {
        Some(b'`') => name.replace("``", "`"),
        Some(b'"') => name.replace("\"\"", "\""),
        _ => name.to_owned(),
    }
}
