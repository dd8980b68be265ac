//! Matching and replacing as `java.util.regex.Matcher` does it.

use fancy_regex::{Captures, Regex};

use super::{JavaRegex, RegexError};

/// A case-sensitive Java regex and the text that replaces what it matches.
#[derive(Clone, Debug)]
pub struct JavaReplacement {
    whole: JavaRegex,
    search: Regex,
    /// The parsed replacement text. As in Java, a mistake in it is reported only when there is something to replace.
    parts: Result<Vec<Part>, ReplaceError>,
}

/// Why a text could not be replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplaceError {
    /// The replacement text has a `$` that no group number or `{name}` follows, or ends in a backslash.
    #[error("Illegal group reference")]
    IllegalGroup,
    /// The replacement text names a group that the regex does not have.
    #[error("No group {0}")]
    NoGroup(String),
    /// The regex engine gave up matching: the regex needs too many steps on this text.
    #[error("the regex {0} needs too many steps; make it simpler")]
    Backtracking(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    Group(usize),
}

impl JavaReplacement {
    /// Compiles the regex and parses the replacement: `$1` and `${name}` stand for groups, a backslash makes the next
    /// character a plain one.
    pub fn new(regex: &str, replacement: &str) -> Result<Self, RegexError> {
        let (whole, search) = (JavaRegex::new_case_sensitive(regex)?, JavaRegex::searcher(regex)?);
        let parts = parts(&search, replacement);
        Ok(Self { whole, search, parts })
    }

    /// The mistake in the replacement text, if it has one: `apply` will fail at the first text that matches.
    pub fn problem(&self) -> Option<&ReplaceError> {
        self.parts.as_ref().err()
    }

    /// If the regex matches the whole text, searches the text again from its start and returns it with the first match
    /// replaced; otherwise `None`. The two steps can match different parts (`a|ab` on `ab`), as with Java's `matches`
    /// followed by `replaceFirst`, and users' configs rely on this.
    pub fn apply(&self, text: &str) -> Result<Option<String>, ReplaceError> {
        let gave_up = || ReplaceError::Backtracking(self.whole.as_str().to_owned());
        if !self.whole.matches(text).map_err(|_| gave_up())? {
            return Ok(None);
        }
        let Some(hit) = self.search.captures(text).map_err(|_| gave_up())? else { return Ok(Some(text.to_owned())) };
        let range = hit.get(0).map_or(0..0, |whole| whole.range());
        let mut out = text[..range.start].to_owned();
        expand(self.parts.as_ref().map_err(Clone::clone)?, &hit, &mut out);
        out.push_str(&text[range.end..]);
        Ok(Some(out))
    }
}

/// Writes what replaces one match. A group that did not take part in the match is an empty text.
pub(super) fn expand(parts: &[Part], hit: &Captures<'_>, out: &mut String) {
    for part in parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Group(group) => out.push_str(hit.get(*group).map_or("", |group| group.as_str())),
        }
    }
}

/// Parses a replacement text. Further digits belong to a group's number only while a group of that number exists.
pub(super) fn parts(search: &Regex, replacement: &str) -> Result<Vec<Part>, ReplaceError> {
    let groups = search.captures_len();
    let mut parts = vec![Part::Text(String::new())];
    let literal = |parts: &mut Vec<Part>, c: char| match parts.last_mut() {
        Some(Part::Text(text)) => text.push(c),
        _ => parts.push(Part::Text(c.to_string())),
    };
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => literal(&mut parts, chars.next().ok_or(ReplaceError::IllegalGroup)?),
            '$' if chars.next_if_eq(&'{').is_some() => {
                let name: String = std::iter::from_fn(|| chars.next_if(char::is_ascii_alphanumeric)).collect();
                if name.is_empty() || chars.next() != Some('}') {
                    return Err(ReplaceError::IllegalGroup);
                }
                let group = search.capture_names().position(|known| known == Some(name.as_str()));
                parts.push(Part::Group(group.ok_or(ReplaceError::NoGroup(name))?));
            }
            '$' => {
                let digit = |c: char| c.to_digit(10).map(|digit| digit as usize);
                let mut group = chars.next().and_then(digit).ok_or(ReplaceError::IllegalGroup)?;
                if group >= groups {
                    return Err(ReplaceError::NoGroup(group.to_string()));
                }
                while let Some(longer) = chars.peek().copied().and_then(digit).map(|digit| group * 10 + digit)
                    && longer < groups
                {
                    group = longer;
                    chars.next();
                }
                parts.push(Part::Group(group));
            }
            c => literal(&mut parts, c),
        }
    }
    Ok(parts)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    #[track_caller]
    fn check(regex: &str, replacement: &str, text: &str, expect: Result<Option<&str>, ReplaceError>) {
        let result = JavaReplacement::new(regex, replacement).unwrap().apply(text);
        assert_eq!(result, expect.map(|text| text.map(str::to_owned)));
    }

    #[test]
    fn replacements() {
        let table = r"([^.]+)\.([^.]+)\.([^.]+)";
        check(table, "$3", "srv.public.orders", Ok(Some("orders")));
        check(table, "$3", "srv.orders", Ok(None));
        check(table, r"\$3-$12", "a.b.c", Ok(Some("$3-a2")));
        check("(?<n>x)y", "<${n}>", "xy", Ok(Some("<x>")));
        check("a|ab", "X", "ab", Ok(Some("Xb")));
        check("(.*?)", "X", "ab", Ok(Some("Xab")));
        check("(?<x>a)|(?<y>b)", "[${y}]", "a", Ok(Some("[]")));
        check("(a)|(b)", "[$2]", "a", Ok(Some("[]")));
        check("A", "X", "a", Ok(None));
        check("a", "$", "a", Err(ReplaceError::IllegalGroup));
        check("a", "$x", "a", Err(ReplaceError::IllegalGroup));
        check("a", "$1", "a", Err(ReplaceError::NoGroup("1".into())));
        check("a", "${no}", "a", Err(ReplaceError::NoGroup("no".into())));
        // Nothing matches, so the bad replacement is not reported.
        check("a", "$1", "b", Ok(None));
        assert_eq!(JavaReplacement::new("a", "$1").unwrap().problem(), Some(&ReplaceError::NoGroup("1".into())));
    }
}
