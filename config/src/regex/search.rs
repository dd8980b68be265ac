//! Searching, splitting and replacing as `java.util.regex.Matcher` and `java.lang.String` do it.
//!
//! Must not know: what is searched.

use fancy_regex::{Captures, Regex};

use super::replacement::{ReplaceError, expand, parts};
use super::{JavaRegex, RegexError, error};

/// A case-sensitive Java regex for everything that expressions do with one: a match of the whole text, a search inside of
/// it, its groups, `split` and `replaceAll`.
#[derive(Clone, Debug)]
pub struct JavaSearch {
    whole: JavaRegex,
    search: Regex,
}

impl JavaSearch {
    /// Compiles the regex.
    ///
    /// # Errors
    /// When it is not a Java regex.
    pub fn new(source: &str) -> Result<Self, RegexError> {
        Ok(Self { whole: JavaRegex::new_case_sensitive(source)?, search: JavaRegex::searcher(source)? })
    }

    /// The regex as the user wrote it.
    pub fn as_str(&self) -> &str {
        self.whole.as_str()
    }

    /// Whether the whole text matches (`Matcher.matches`).
    ///
    /// # Errors
    /// When the engine gives up backtracking.
    pub fn matches(&self, text: &str) -> Result<bool, RegexError> {
        self.whole.matches(text)
    }

    /// Whether a part of the text matches (`Matcher.find`).
    ///
    /// # Errors
    /// When the engine gives up backtracking.
    pub fn finds(&self, text: &str) -> Result<bool, RegexError> {
        self.search.is_match(text).map_err(|e| error(self.as_str(), &e))
    }

    /// The byte index at which the first match begins.
    ///
    /// # Errors
    /// When the engine gives up backtracking.
    pub fn position(&self, text: &str) -> Result<Option<usize>, RegexError> {
        Ok(self.search.find(text).map_err(|e| error(self.as_str(), &e))?.map(|hit| hit.start()))
    }

    /// The match number `n` (the first is 0): the text of the whole match, then of each group, none where a group took no
    /// part.
    ///
    /// # Errors
    /// When the engine gives up backtracking.
    pub fn groups<'t>(&self, text: &'t str, n: usize) -> Result<Option<Vec<Option<&'t str>>>, RegexError> {
        let Some(hit) = self.search.captures_iter(text).nth(n) else { return Ok(None) };
        let hit = hit.map_err(|e| error(self.as_str(), &e))?;
        Ok(Some((0..hit.len()).map(|group| hit.get(group).map(|part| part.as_str())).collect()))
    }

    /// The text with its first match, or with all matches, replaced (`String.replaceFirst`, `String.replaceAll`). The result
    /// may have at most `most` bytes; otherwise it is none.
    ///
    /// # Errors
    /// When the engine gives up backtracking, or the replacement has a mistake and there is something to replace.
    pub fn replace(&self, text: &str, by: &str, all: bool, most: usize) -> Result<Option<String>, ReplaceError> {
        let (mut out, mut end) = (String::new(), 0);
        let mut by_parts = None;
        for hit in self.search.captures_iter(text).take(if all { usize::MAX } else { 1 }) {
            let hit: Captures<'_> = hit.map_err(|_| ReplaceError::Backtracking(self.as_str().to_owned()))?;
            let range = hit.get(0).map_or(0..0, |whole| whole.range());
            if by_parts.is_none() {
                by_parts = Some(parts(&self.search, by)?);
            }
            out.push_str(text.get(end..range.start).unwrap_or(""));
            expand(by_parts.as_deref().unwrap_or_default(), &hit, &mut out);
            end = range.end;
            if out.len() > most {
                return Ok(None);
            }
        }
        out.push_str(text.get(end..).unwrap_or(""));
        Ok((out.len() <= most).then_some(out))
    }

    /// The pieces between the matches, as `String.split`: without empty pieces at the end, and without an empty piece before
    /// a match of no width at the start.
    ///
    /// # Errors
    /// When the engine gives up backtracking.
    pub fn split<'t>(&self, text: &'t str) -> Result<Vec<&'t str>, RegexError> {
        let (mut pieces, mut end) = (Vec::new(), 0);
        for hit in self.search.find_iter(text) {
            let hit = hit.map_err(|e| error(self.as_str(), &e))?;
            if hit.end() == 0 || (hit.start() == hit.end() && hit.end() == text.len()) {
                continue;
            }
            pieces.push(text.get(end..hit.start()).unwrap_or(""));
            end = hit.end();
        }
        if pieces.is_empty() && end == 0 {
            return Ok(vec![text]);
        }
        pieces.push(text.get(end..).unwrap_or(""));
        while pieces.last().is_some_and(|piece| piece.is_empty()) {
            pieces.pop();
        }
        Ok(pieces)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
mod tests {
    use super::*;

    fn regex(source: &str) -> JavaSearch {
        JavaSearch::new(source).unwrap()
    }

    #[test]
    fn searches() {
        for (source, text, whole, part) in [
            ("srv.*", "srv.a", true, true),
            ("rv", "srv.a", false, true),
            ("^a$", "a", true, true),
            ("a|ab", "ab", true, true),
            ("x", "a", false, false),
            (r"(?<=a)b", "ab", false, true),
        ] {
            let found = (regex(source).matches(text).unwrap(), regex(source).finds(text).unwrap());
            assert_eq!(found, (whole, part), "{source} on {text}");
        }
        assert_eq!(regex("b+").position("abb"), Ok(Some(1)));
        assert!(JavaSearch::new("(").is_err());
    }

    #[test]
    fn groups() {
        let found = regex(r"(\w)(\d)?");
        assert_eq!(found.groups("a1b", 0).unwrap(), Some(vec![Some("a1"), Some("a"), Some("1")]));
        assert_eq!(found.groups("a1b", 1).unwrap(), Some(vec![Some("b"), Some("b"), None]));
        assert_eq!(found.groups("a1b", 2).unwrap(), None);
    }

    #[test]
    fn replaces() {
        #[track_caller]
        fn check(source: &str, text: &str, by: &str, all: bool, expect: Result<Option<&str>, ReplaceError>) {
            let result = regex(source).replace(text, by, all, 20);
            assert_eq!(result, expect.map(|text| text.map(str::to_owned)));
        }
        check(r"(\d)", "a1b2", "<$1>", true, Ok(Some("a<1>b<2>")));
        check(r"\d", "a1b2", "", false, Ok(Some("ab2")));
        check("x", "a", "$9", true, Ok(Some("a")));
        check("a", "a", "$9", true, Err(ReplaceError::NoGroup("9".to_owned())));
        check("", "ab", "-", true, Ok(Some("-a-b-")));
        check("a", "aaa", "0123456789", true, Ok(None));
    }

    #[test]
    fn splits() {
        for (source, text, expect) in [
            (r"\.", "a.b.c", &["a", "b", "c"][..]),
            (",", "a,,b,,", &["a", "", "b"]),
            (",", "", &[""]),
            (",", ",a", &["", "a"]),
            (",", "ab", &["ab"]),
            ("", "ab", &["a", "b"]),
            (",", ",", &[]),
        ] {
            assert_eq!(regex(source).split(text).unwrap(), expect, "{source} on {text}");
        }
    }
}
