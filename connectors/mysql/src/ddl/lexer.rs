//! Cuts a statement into tokens by MySQL's lexical rules.
//!
//! A token is a span of the text, so that a history record can quote the statement exactly. Comments are left out, except
//! those that the server runs: `/*!80023 … */` up to its version, and MariaDB's `/*M!100301 … */`.

use memchr::{memchr, memchr2, memmem};

use super::Dialect;

/// What a [`Token`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A word: a keyword or a name without quotes.
    Word,
    /// A name in back-ticks, or in double quotes under `ANSI_QUOTES`.
    Quoted,
    /// A string in quotes.
    Text,
    /// A string in the national character set: `N'…'`.
    National,
    /// An unsigned number, such as `5`, `.5` and `1e-3`.
    Number,
    /// `x'4D'` or `0x4D`.
    Hex,
    /// `b'101'` or `0b101`.
    Bits,
    /// Any other character of ASCII.
    Sign(u8),
    /// A string or a quoted name that does not end: it reaches to the end of the text.
    Broken,
}

/// A piece of a statement: its bytes from `start` to before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// The offset of its first byte.
    pub start: usize,
    /// The offset behind its last byte.
    pub end: usize,
}

/// Iterates over the tokens of a text.
#[derive(Clone)]
pub struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
    dialect: Dialect,
    /// Inside of a comment that the server runs.
    in_code: bool,
    /// The last token was a dot, so a word may begin with a digit: `db.1st`.
    after_dot: bool,
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

impl<'a> Lexer<'a> {
    /// Starts at the beginning of `text`.
    pub fn new(text: &'a str, dialect: Dialect) -> Self {
        Self { bytes: text.as_bytes(), at: 0, dialect, in_code: false, after_dot: false }
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    fn rest(&self, from: usize) -> &'a [u8] {
        self.bytes.get(from..).unwrap_or_default()
    }

    /// The offset behind the run of word characters that begins at `from`.
    fn word_end(&self, from: usize) -> usize {
        from + self.rest(from).iter().take_while(|b| is_word(**b)).count()
    }

    fn digits_end(&self, from: usize) -> usize {
        from + self.rest(from).iter().take_while(|b| b.is_ascii_digit()).count()
    }

    fn skip_line(&mut self) {
        self.at = memchr(b'\n', self.rest(self.at)).map_or(self.bytes.len(), |n| self.at + n + 1);
    }

    /// Goes behind the comment whose content begins at `from`. `nested`: comments inside of it have an end of their own.
    fn skip_comment(&mut self, from: usize, nested: bool) {
        let mut at = from;
        loop {
            let Some(end) = memmem::find(self.rest(at), b"*/").map(|n| at + n) else {
                self.at = self.bytes.len();
                return;
            };
            let inner = if nested { memmem::find(&self.bytes[at..end], b"/*").map(|n| at + n + 2) } else { None };
            // An inner comment ends before this one goes on; one without an end is none.
            let behind = inner.and_then(|from| memmem::find(self.rest(from), b"*/").map(|n| from + n + 2));
            let Some(behind) = behind else {
                self.at = end + 2;
                return;
            };
            at = behind;
        }
    }

    /// At `/*`: goes behind the comment, or behind its opening if the server runs what is in it.
    fn comment(&mut self) {
        let maria = self.byte(self.at + 2) == b'M' && self.byte(self.at + 3) == b'!';
        let ours = self.dialect.is_mariadb();
        if !(maria && ours) && self.byte(self.at + 2) != b'!' {
            let from = self.at + 2;
            return self.skip_comment(from, false);
        }
        let from = self.at + if maria { 4 } else { 3 };
        let digits = self.rest(from).iter().take(6).take_while(|b| b.is_ascii_digit()).count();
        let mut version = 0_u32;
        let mut behind = from;
        if digits >= 5 {
            behind += digits;
            version = self.bytes[from..behind].iter().fold(0, |n, b| n * 10 + u32::from(b - b'0'));
        }
        // MariaDB passes over what is meant for MySQL 5.7 and later, because it went another way there.
        let foreign = ours && !maria && (50_700..100_000).contains(&version);
        if foreign || version > self.dialect.version || self.in_code {
            return self.skip_comment(behind, true);
        }
        self.in_code = true;
        self.at = behind;
    }

    /// The offset behind the string or name that begins at `from` with its quote, and whether it has an end.
    fn quoted_end(&self, from: usize, escapes: bool) -> (usize, bool) {
        let quote = self.byte(from);
        let mut at = from + 1;
        loop {
            let rest = self.rest(at);
            let found = if escapes { memchr2(quote, b'\\', rest) } else { memchr(quote, rest) };
            let Some(n) = found else { return (self.bytes.len(), false) };
            at += n;
            if self.byte(at) != quote || self.byte(at + 1) == quote {
                at += 2;
            } else {
                return (at + 1, true);
            }
        }
    }

    fn quoted(&mut self, start: usize, quote: usize, kind: Kind) -> Token {
        let escapes = self.dialect.backslash && !matches!(kind, Kind::Quoted);
        let (end, ends) = self.quoted_end(quote, escapes);
        self.at = end;
        Token { kind: if ends { kind } else { Kind::Broken }, start, end }
    }

    /// A number or a word that begins with a digit.
    fn digits(&mut self, start: usize) -> Token {
        let end = self.word_end(start);
        let run = &self.bytes[start..end];
        let all = |from: usize, is: fn(&u8) -> bool| run.len() > from && run[from..].iter().all(is);
        let radix = if run[0] == b'0' { self.byte(start + 1) } else { 0 };
        let (kind, end) = if self.after_dot {
            (Kind::Word, end)
        } else if radix == b'x' && all(2, u8::is_ascii_hexdigit) {
            (Kind::Hex, end)
        } else if radix == b'b' && all(2, |b| matches!(b, b'0' | b'1')) {
            (Kind::Bits, end)
        } else {
            let whole = self.digits_end(start);
            let mut behind = whole;
            if self.byte(whole) == b'.' {
                behind = self.digits_end(whole + 1);
            }
            behind = self.exponent(behind);
            // `1st` is a name, `1e5` and `1.5` are not.
            if behind < end || is_word(self.byte(behind)) { (Kind::Word, end) } else { (Kind::Number, behind) }
        };
        self.at = end;
        Token { kind, start, end }
    }

    /// The offset behind an exponent at `from`, or `from`.
    fn exponent(&self, from: usize) -> usize {
        if self.byte(from) | 0x20 != b'e' {
            return from;
        }
        let sign = usize::from(matches!(self.byte(from + 1), b'+' | b'-'));
        let end = self.digits_end(from + 1 + sign);
        if end > from + 1 + sign { end } else { from }
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let token = loop {
            let start = self.at;
            let byte = *self.bytes.get(start)?;
            let next = self.byte(start + 1);
            match byte {
                0..=b' ' | 0x7f => self.at += 1,
                b'#' => self.skip_line(),
                b'-' if next == b'-' && (start + 2 >= self.bytes.len() || self.byte(start + 2) <= b' ') => {
                    self.skip_line();
                }
                b'/' if next == b'*' => self.comment(),
                b'*' if next == b'/' && self.in_code => {
                    self.in_code = false;
                    self.at += 2;
                }
                b'`' => break self.quoted(start, start, Kind::Quoted),
                b'"' if self.dialect.ansi_quotes => break self.quoted(start, start, Kind::Quoted),
                b'"' | b'\'' => break self.quoted(start, start, Kind::Text),
                b'x' | b'X' if next == b'\'' => break self.quoted(start, start + 1, Kind::Hex),
                b'b' | b'B' if next == b'\'' => break self.quoted(start, start + 1, Kind::Bits),
                b'n' | b'N' if next == b'\'' => break self.quoted(start, start + 1, Kind::National),
                b'0'..=b'9' => break self.digits(start),
                b'.' if next.is_ascii_digit() && !self.names_before(start) => {
                    let end = self.exponent(self.digits_end(start + 1));
                    self.at = end;
                    break Token { kind: Kind::Number, start, end };
                }
                _ if is_word(byte) => {
                    let end = self.word_end(start);
                    self.at = end;
                    break Token { kind: Kind::Word, start, end };
                }
                _ => {
                    self.at += 1;
                    break Token { kind: Kind::Sign(byte), start, end: start + 1 };
                }
            }
        };
        self.after_dot = token.kind == Kind::Sign(b'.');
        Some(token)
    }
}

impl Lexer<'_> {
    /// Whether a name ends directly before `at`, so that a dot there is that of `db.1st`.
    fn names_before(&self, at: usize) -> bool {
        at.checked_sub(1).is_some_and(|before| {
            let byte = self.byte(before);
            is_word(byte) || byte == b'`' || byte == b'"'
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flavour;

    fn dialect(flavour: Flavour, version: u32) -> Dialect {
        Dialect { version, ..Dialect::new(flavour) }
    }

    #[track_caller]
    fn check(dialect: Dialect, text: &str, expect: &[&str]) {
        let tokens: Vec<&str> = Lexer::new(text, dialect).map(|t| &text[t.start..t.end]).collect();
        assert_eq!(tokens, expect);
    }

    #[track_caller]
    fn check_kind(text: &str, expect: Kind) {
        let tokens: Vec<Kind> = Lexer::new(text, Dialect::new(Flavour::MySql)).map(|t| t.kind).collect();
        assert_eq!(tokens, [expect]);
    }

    #[test]
    fn strings_end_at_their_quote() {
        let my = Dialect::new(Flavour::MySql);
        check(my, r"'a''b' 'c\'d' 'e", &["'a''b'", r"'c\'d'", "'e"]);
        check(my, r#""a""b" `c``d`"#, &[r#""a""b""#, "`c``d`"]);
        check(Dialect { backslash: false, ..my }, r"'a\' b", &[r"'a\'", "b"]);
        check(my, r"`a\` b", &[r"`a\`", "b"]);
    }

    #[test]
    fn comments_are_left_out() {
        let my = Dialect::new(Flavour::MySql);
        check(my, "a/* x */b -- c\n# d\nc --d", &["a", "b", "c", "-", "-", "d"]);
        check(my, "a /*+ hint */ b --", &["a", "b"]);
        check(my, "a /* no end", &["a"]);
    }

    #[test]
    fn comments_with_a_version_are_code_up_to_that_of_the_server() {
        let my = dialect(Flavour::MySql, 80_400);
        check(my, "a /*!80023 b */ c", &["a", "b", "c"]);
        check(my, "a /*!080023 b */ c", &["a", "b", "c"]);
        check(my, "a /*!90200 b /* c */ d */ e", &["a", "e"]);
        check(my, "a /*! b /* c */ d */ e", &["a", "b", "d", "e"]);
        check(my, "a /*M!100301 b */ c", &["a", "c"]);
    }

    #[test]
    fn mariadb_passes_over_what_is_for_mysql_5_7_and_later() {
        let maria = dialect(Flavour::MariaDb, 101_100);
        check(maria, "a /*!80023 b */ c", &["a", "c"]);
        check(maria, "a /*!50100 b */ c", &["a", "b", "c"]);
        check(maria, "a /*M!100301 b */ /*!110400 c */ d", &["a", "b", "d"]);
    }

    #[test]
    fn numbers_and_names_that_begin_with_a_digit() {
        let my = Dialect::new(Flavour::MySql);
        check(my, "1.5e-3 .5 1st db.1e5 2e", &["1.5e-3", ".5", "1st", "db", ".", "1e5", "2e"]);
        check_kind("1st", Kind::Word);
        check_kind("1e5", Kind::Number);
        check_kind("0x4D", Kind::Hex);
        check_kind("x'4D'", Kind::Hex);
        check_kind("0b101", Kind::Bits);
        check_kind("0xyz", Kind::Word);
        check_kind("N'x'", Kind::National);
        check_kind("'x", Kind::Broken);
        check_kind("\"x\"", Kind::Text);
    }

    #[test]
    fn double_quotes_hold_names_under_ansi_quotes() {
        let text = "\"a\"";
        let ansi = Dialect { ansi_quotes: true, ..Dialect::new(Flavour::MySql) };
        assert_eq!(Lexer::new(text, ansi).map(|t| t.kind).collect::<Vec<_>>(), [Kind::Quoted]);
    }
}
