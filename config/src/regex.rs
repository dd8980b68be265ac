//! Java's regular expressions, run by `fancy-regex`.
//!
//! Users write include lists, routers and masks for `java.util.regex`. The two dialects mostly agree; where they
//! differ, the pattern is rewritten: in Java `\d \w \s` are ASCII only, `\Q…\E` quotes, POSIX classes are written
//! `\p{Alpha}`, and any punctuation may be escaped. Java's case-insensitive matching ignores the case of ASCII letters
//! only, and so does this one, except for letters inside a character class.
//!
//! Must not know: what is matched.

mod complaint;
mod replacement;
mod search;

use std::fmt;

use fancy_regex::Regex;

pub use replacement::{JavaReplacement, ReplaceError};
pub use search::JavaSearch;

/// A compiled Java regex that is matched against a whole text, as `Matcher.matches` does.
#[derive(Clone)]
pub struct JavaRegex {
    source: String,
    regex: Regex,
}

/// A regex that does not compile, or that the engine gave up matching.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RegexError {
    /// Java's message where it is known (it contains the pattern), otherwise the engine's reason.
    pub message: String,
    /// The regex as the user wrote it.
    pub pattern: String,
}

impl JavaRegex {
    /// Compiles `source` for matching that ignores case, as Debezium's filters do.
    pub fn new(source: &str) -> Result<Self, RegexError> {
        Self::build(source, "(?i)")
    }

    /// Compiles `source` for case-sensitive matching, Java's default.
    pub fn new_case_sensitive(source: &str) -> Result<Self, RegexError> {
        Self::build(source, "")
    }

    fn build(source: &str, flags: &str) -> Result<Self, RegexError> {
        // The engine takes a brace that is not a repetition literally; Java refuses it.
        if let Some(message) = source.contains('{').then(|| complaint::java(source)).flatten() {
            return Err(RegexError { message, pattern: source.to_owned() });
        }
        let body = translate(source);
        // Compile the body without the group around it first: the group would hide the mistake in `a)(?:b`.
        Regex::new(&body).map_err(|e| error(source, &e))?;
        // A comment at the end of a `(?x)` regex would swallow the closing bracket; a line feed before the bracket ends
        // the comment.
        let regex = Regex::new(&format!(r"{flags}\A(?:{body})\z"))
            .or_else(|_| Regex::new(&format!("{flags}\\A(?:{body}\n)\\z")))
            .map_err(|e| error(source, &e))?;
        Ok(Self { source: source.to_owned(), regex })
    }

    /// Whether the whole of `text` matches. Returns an error when the engine gives up backtracking.
    pub fn matches(&self, text: &str) -> Result<bool, RegexError> {
        self.regex.is_match(text).map_err(|e| error(&self.source, &e))
    }

    /// A case-sensitive engine regex that also matches a part of a text: for finding and replacing.
    fn searcher(source: &str) -> Result<Regex, RegexError> {
        Regex::new(&translate(source)).map_err(|e| error(source, &e))
    }

    /// The regex as the user wrote it.
    pub fn as_str(&self) -> &str {
        &self.source
    }
}

impl fmt::Debug for JavaRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

fn error(pattern: &str, e: &fancy_regex::Error) -> RegexError {
    if let Some(message) = complaint::java(pattern) {
        return RegexError { message, pattern: pattern.to_owned() };
    }
    let text = e.to_string();
    let message = text.lines().rev().map(str::trim).find(|l| !l.is_empty()).unwrap_or("it cannot be read");
    let message = message.strip_prefix("error: ").unwrap_or(message);
    RegexError { message: format!("{message} in '{pattern}'"), pattern: pattern.to_owned() }
}

/// Splits a list of regexes at each comma, except where the comma is written `\,`; such a comma becomes part of the
/// item without its backslash. Surrounding blanks and empty items are dropped.
pub fn split_regex_list(text: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut item = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ',' => items.push(std::mem::take(&mut item)),
            '\\' => match chars.next() {
                Some(',') => item.push(','),
                next => {
                    item.push(c);
                    item.extend(next);
                }
            },
            _ => item.push(c),
        }
    }
    items.push(item);
    items.iter().map(|i| i.trim()).filter(|i| !i.is_empty()).map(str::to_owned).collect()
}

/// Java's POSIX class names.
const POSIX: &[(&str, &str)] = &[
    ("Lower", "lower"),
    ("Upper", "upper"),
    ("Alpha", "alpha"),
    ("Digit", "digit"),
    ("Alnum", "alnum"),
    ("Punct", "punct"),
    ("Graph", "graph"),
    ("Print", "print"),
    ("Blank", "blank"),
    ("Cntrl", "cntrl"),
    ("XDigit", "xdigit"),
    ("Space", "space"),
    ("ASCII", "ascii"),
];

fn translate(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 8);
    let mut class_depth = 0_usize;
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => escape(&mut chars, &mut out, class_depth > 0),
            '[' => {
                class_depth += 1;
                out.push('[');
            }
            ']' if class_depth > 0 => {
                class_depth -= 1;
                out.push(']');
            }
            // The engine takes `--` and `~~` as set operators; to Java they are plain characters.
            '-' | '~' if class_depth > 0 && chars.peek() == Some(&c) => {
                out.push('\\');
                out.push(c);
            }
            c if class_depth == 0 => letter(c, &mut out),
            _ => out.push(c),
        }
    }
    out
}

fn escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String, in_class: bool) {
    let Some(c) = chars.next() else {
        out.push('\\'); // the engine reports the lone backslash
        return;
    };
    let mut set = |inside: &str, negated: bool| {
        if in_class && !negated {
            out.push_str(inside);
        } else {
            let not = if negated { "^" } else { "" };
            out.extend(["[", not, inside, "]"]);
        }
    };
    match c {
        'd' | 'D' => set("0-9", c == 'D'),
        'w' | 'W' => set("a-zA-Z0-9_", c == 'W'),
        's' | 'S' => set(r" \t\n\x0B\x0C\r", c == 'S'),
        'h' | 'H' => set(r" \t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}", c == 'H'),
        'R' => out.push_str(r"(?:\r\n|[\n\x0B\x0C\r\x{85}\x{2028}\x{2029}])"),
        'Z' => out.push_str(r"(?=\n?\z)"),
        'e' => out.push_str(r"\x1B"),
        'u' => {
            let digits: String = std::iter::from_fn(|| chars.next_if(char::is_ascii_hexdigit)).take(4).collect();
            out.extend([r"\x{", &digits, "}"]);
        }
        'Q' => quote(chars, out, in_class),
        'p' | 'P' => property(c, chars, out),
        c if c.is_ascii_alphanumeric() => {
            out.push('\\');
            out.push(c);
        }
        c => literal(c, out),
    }
}

/// Writes a character that stands for itself, inside or outside a class.
fn literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation()
        && !matches!(c, '<' | '>' | '_' | '%' | '@' | '\'' | '"' | '`' | ';' | ':' | '!' | '=' | ',' | '/')
    {
        out.push('\\');
    }
    out.push(c);
}

/// Writes a letter so that only an ASCII letter is matched without regard to case, as in Java.
fn letter(c: char, out: &mut String) {
    if c.is_alphabetic() && !c.is_ascii() {
        out.extend(["(?-i:", c.encode_utf8(&mut [0; 4]), ")"]);
    } else {
        out.push(c);
    }
}

fn quote(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String, in_class: bool) {
    while let Some(c) = chars.next() {
        if c == '\\' && chars.next_if_eq(&'E').is_some() {
            return;
        }
        if in_class || c.is_ascii() { literal(c, out) } else { letter(c, out) }
    }
}

fn property(p: char, chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    if chars.next_if_eq(&'{').is_none() {
        out.push('\\');
        out.push(p);
        return;
    }
    let name: String = std::iter::from_fn(|| chars.next_if(|&c| c != '}')).collect();
    chars.next();
    let negated = p == 'P';
    if let Some((_, posix)) = POSIX.iter().find(|(java, _)| *java == name) {
        let not = if negated { "^" } else { "" };
        // The doubled brackets are also right inside a class, because a nested class means a union.
        out.extend(["[[:", not, posix, ":]]"]);
        return;
    }
    let name = match name.as_str() {
        "javaLowerCase" => "Lowercase",
        "javaUpperCase" => "Uppercase",
        "javaWhitespace" => "White_Space",
        other => other.strip_prefix("Is").or_else(|| other.strip_prefix("In")).unwrap_or(other),
    };
    out.push('\\');
    out.push(p);
    out.extend(["{", name, "}"]);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn matches_as_java() {
        #[track_caller]
        fn check(pattern: &str, text: &str, expect: bool) {
            let regex = JavaRegex::new(pattern).unwrap_or_else(|e| panic!("{pattern}: {e}"));
            assert_eq!(regex.matches(text), Ok(expect), "{pattern} on {text}");
        }
        check(r"public\.orders", "public.orders", true);
        check(r"public\.orders", "PUBLIC.Orders", true);
        check(r"public\.orders", "public.orders2", false);
        check("public.a|public.b", "public.b", true);
        check("public.a|public.b", "public.ab", false);
        check(r"(?!public\.tmp_).*", "public.tmp_x", false);
        check(r"(?!public\.tmp_).*", "public.x", true);
        check(r"\Qa.b\E.*", "a.bc", true);
        check(r"\Qa.b\E.*", "axbc", false);
        check(r"\Qa.b", "a.b", true);
        check(r"t\d+", "t42", true);
        check(r"t\d+", "t४", false);
        check(r"[\w.]+", "a_1.b", true);
        check(r"[^\s]+", "a b", false);
        check(r"[\D]+", "ab", true);
        check(r"\p{Alpha}+", "ab", true);
        check(r"[\p{Digit}x]+", "4x", true);
        check(r"\p{IsLatin}+", "é", true);
        check(r"a\,b\-c\_d\<e", "a,b-c_d<e", true);
        check(r"a\u0041", "aA", true);
        check(r"[a--z]+", "-", true);
        check(r"(a)\1", "aa", true);
        check("a++b", "aab", true);
        // The whole text must match, whichever alternative comes first, also with the user's own anchors and flags.
        check("a|ab", "ab", true);
        check("a|ab", "abc", false);
        check("^a$|^ab$", "ab", true);
        check("(?-i)a|ab", "AB", false);
        check("(?i:a)b", "AB", true);
        check("(?x) a | a b # the comment", "ab", true);
        check("(?x) a | a b # the comment", "abc", false);
        check("(?x: a # inside\n)b", "ab", true);
        check("(?x: a # inside\n)b", "ab\n", false);
        check("a", "a\n", false);
        check("a.b", "a\nb", false);
        check("(?s)a.b", "a\nb", true);
        let minding = |pattern, text| JavaRegex::new_case_sensitive(pattern).unwrap().matches(text);
        assert_eq!((minding("a", "A"), minding("(?i)a", "A"), minding("a|ab", "ab")), (Ok(false), Ok(true), Ok(true)));
        check("s.ü+", "S.üü", true);
        check("s.ü", "S.Ü", false);
        check(r"\Qs.ü\E", "S.Ü", false);
    }

    #[test]
    fn mistakes_are_named() {
        for pattern in ["[", "(a", "*a", "a)(?:b", r"\", "a{2,1}", r"\p{Nonsense}"] {
            let e = JavaRegex::new(pattern).unwrap_err();
            assert_eq!(e.pattern, pattern);
            assert!(e.message.contains(pattern), "{pattern}: {e:?}");
        }
    }

    #[test]
    fn lists() {
        #[track_caller]
        fn check(text: &str, expect: &[&str]) {
            assert_eq!(split_regex_list(text), expect, "{text}");
        }
        check("", &[]);
        check(" , ", &[]);
        check("a, b ,c", &["a", "b", "c"]);
        check(r"a\,b,c", &["a,b", "c"]);
        check(r"a{1\,2}", &["a{1,2}"]);
        check(r"a\\,b", &[r"a\\", "b"]);
        check(r"a\", &[r"a\"]);
    }
}
