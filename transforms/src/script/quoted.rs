//! Texts in quotes, and regexes between slashes: where they end, and what their backslashes mean.
//!
//! Must not know: the code inside of `${}`.

use super::Dialect;
use super::failure::Complaint;

/// Reads one text, piece by piece.
pub(super) struct Quoted<'s> {
    source: &'s str,
    dialect: Dialect,
    /// Where the text begins.
    start: usize,
    /// Where reading goes on: behind the text, or at a value in it.
    pub(super) at: usize,
    /// `'`, `"`, `/`, a backtick, or three of the same quotes.
    quote: &'static str,
    /// Whether a value follows the piece that was read last.
    pub(super) value_follows: bool,
    /// Whether that value stands in braces.
    pub(super) in_braces: bool,
    /// The flags behind a JavaScript regex, which is none of the other texts.
    pub(super) flags: Option<String>,
}

impl<'s> Quoted<'s> {
    /// A reader of the text that begins at this index.
    pub(super) fn new(source: &'s str, at: usize, dialect: Dialect) -> Self {
        let rest = &source[at..];
        let quotes: &[&'static str] = match dialect {
            Dialect::Groovy => &["'''", "\"\"\"", "'", "\"", "/"],
            Dialect::JavaScript => &["'", "\"", "`", "/"],
        };
        let quote = quotes.iter().find(|quote| rest.starts_with(**quote)).copied().unwrap_or("'");
        Self {
            source,
            dialect,
            start: at,
            at: at + quote.len(),
            quote,
            value_follows: false,
            in_braces: false,
            flags: None,
        }
    }

    fn has_values(&self) -> bool {
        match self.dialect {
            Dialect::Groovy => matches!(self.quote, "\"" | "\"\"\"" | "/"),
            Dialect::JavaScript => self.quote == "`",
        }
    }

    /// Reads up to the end of the text or to the next value in it.
    pub(super) fn text(&mut self) -> Result<String, Complaint> {
        let mut text = String::new();
        let mut in_class = false;
        self.value_follows = false;
        loop {
            let rest = &self.source[self.at..];
            let Some(c) = rest.chars().next() else { return Err(self.endless()) };
            let is_regex = self.quote == "/" && self.dialect == Dialect::JavaScript;
            if rest.starts_with(self.quote) && !(is_regex && in_class) {
                self.at += self.quote.len();
                if is_regex {
                    let behind = &self.source[self.at..];
                    let end = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
                    self.flags = Some(behind[..end].to_owned());
                    self.at += end;
                }
                return Ok(text);
            }
            match c {
                '\n' if matches!(self.quote, "'" | "\"") || is_regex => return Err(self.endless()),
                '\\' if is_regex => {
                    text.push(c);
                    self.at += 1;
                    let Some(next) = self.source[self.at..].chars().next() else { return Err(self.endless()) };
                    text.push(next);
                    self.at += next.len_utf8();
                    continue;
                }
                // In Groovy's /…/ a backslash only protects a slash.
                '\\' if self.quote == "/" => {
                    let slash = rest[1..].starts_with('/');
                    text.push(if slash { '/' } else { '\\' });
                    self.at += if slash { 2 } else { 1 };
                    continue;
                }
                '\\' => {
                    self.escape(&mut text)?;
                    continue;
                }
                '$' if self.has_values() => {
                    let next = rest[1..].chars().next();
                    if next == Some('{') {
                        (self.value_follows, self.in_braces) = (true, true);
                        self.at += 2;
                        return Ok(text);
                    }
                    let name = next.is_some_and(|c| c.is_alphabetic() || c == '_');
                    if self.dialect == Dialect::Groovy && name {
                        (self.value_follows, self.in_braces) = (true, false);
                        self.at += 1;
                        return Ok(text);
                    }
                    if self.dialect == Dialect::Groovy && self.quote != "/" {
                        return Err(Complaint::new(
                            self.at,
                            "a $ in a text between \" stands before a name or {: write \\$ for the character",
                        ));
                    }
                }
                '[' if is_regex => in_class = true,
                ']' if is_regex => in_class = false,
                _ => {}
            }
            text.push(c);
            self.at += c.len_utf8();
        }
    }

    fn endless(&self) -> Complaint {
        Complaint::new(self.start, format!("the text has no end: a {} is missing", self.quote))
    }

    fn escape(&mut self, text: &mut String) -> Result<(), Complaint> {
        let at = self.at;
        let mut chars = self.source[at + 1..].chars();
        let Some(c) = chars.next() else { return Err(self.endless()) };
        self.at += 1 + c.len_utf8();
        let plain = match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            '\n' => return Ok(()),
            'u' | 'x' if c == 'u' || self.dialect == Dialect::JavaScript => {
                let count = if c == 'u' { 4 } else { 2 };
                let digits: String = chars.take(count).collect();
                let whole = digits.len() == count && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
                let code = u32::from_str_radix(&digits, 16).ok().filter(|_| whole);
                let Some(plain) = code.and_then(char::from_u32) else {
                    return Err(Complaint::new(at, format!("\\{c} needs {count} hexadecimal digits of a character")));
                };
                self.at += count;
                plain
            }
            '\'' | '"' | '\\' | '$' | '/' | '`' => c,
            c if self.dialect == Dialect::JavaScript && !c.is_ascii_digit() => c,
            c => {
                let what = format!("\\{c} has no meaning in a text: write \\\\{c} for a backslash, or /…/ for a regex");
                return Err(Complaint::new(at, what));
            }
        };
        text.push(plain);
        Ok(())
    }
}
