//! Finding and replacing as `java.util.regex.Matcher` does it.
//!
//! Must not know: what the texts are.

use settings::{JavaRegex, RegexError};

use crate::TransformError;

/// A regex in both its uses: as a whole, and searched for.
#[derive(Clone, Debug)]
pub(crate) struct Finder {
    whole: JavaRegex,
    search: fancy_regex::Regex,
}

impl Finder {
    pub(crate) fn new(source: &str) -> Result<Self, RegexError> {
        Ok(Self { whole: JavaRegex::new_case_sensitive(source)?, search: JavaRegex::searcher(source)? })
    }

    /// When the whole text matches: the text with the first hit of a new search replaced. The two steps may see different
    /// hits (`a|ab` on `ab`), and users' configs rely on it.
    pub(crate) fn replace_matching(&self, text: &str, replacement: &str) -> Result<Option<String>, TransformError> {
        let gave_up = || TransformError::Backtracking(self.whole.as_str().to_owned());
        if !self.whole.matches(text).map_err(|_| gave_up())? {
            return Ok(None);
        }
        let Some(hit) = self.search.captures(text).map_err(|_| gave_up())? else { return Ok(Some(text.to_owned())) };
        let range = hit.get(0).map_or(0..0, |whole| whole.range());
        let mut out = text[..range.start].to_owned();
        let names: Vec<Option<&str>> = self.search.capture_names().collect();
        expand(&hit, &names, replacement, &mut out)?;
        out.push_str(&text[range.end..]);
        Ok(Some(out))
    }
}

/// Java's replacement text: `$1`, `${name}`, and a backslash before a character that stands for itself. A group's number
/// takes further digits only while such a group exists.
fn expand(
    hit: &fancy_regex::Captures<'_>,
    names: &[Option<&str>],
    replacement: &str,
    out: &mut String,
) -> Result<(), TransformError> {
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(chars.next().ok_or(TransformError::IllegalGroup)?),
            '$' if chars.next_if_eq(&'{').is_some() => {
                let name: String = std::iter::from_fn(|| chars.next_if(char::is_ascii_alphanumeric)).collect();
                if name.is_empty() || chars.next() != Some('}') {
                    return Err(TransformError::IllegalGroup);
                }
                if !names.iter().flatten().any(|known| *known == name) {
                    return Err(TransformError::NoGroup(name));
                }
                out.push_str(hit.name(&name).map_or("", |group| group.as_str()));
            }
            '$' => {
                let first = chars.next().and_then(|c| c.to_digit(10)).ok_or(TransformError::IllegalGroup)?;
                let mut group = first as usize;
                if group >= hit.len() {
                    return Err(TransformError::NoGroup(group.to_string()));
                }
                while let Some(digit) = chars.peek().and_then(|c| c.to_digit(10)) {
                    let longer = group * 10 + digit as usize;
                    if longer >= hit.len() {
                        break;
                    }
                    group = longer;
                    chars.next();
                }
                // A group that took no part is an empty text.
                out.push_str(hit.get(group).map_or("", |group| group.as_str()));
            }
            c => out.push(c),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(regex: &str, replacement: &str, text: &str, expect: Result<Option<&str>, TransformError>) {
        let result = Finder::new(regex).unwrap().replace_matching(text, replacement);
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
        check("a", "$", "a", Err(TransformError::IllegalGroup));
        check("a", "$x", "a", Err(TransformError::IllegalGroup));
        check("a", "$1", "a", Err(TransformError::NoGroup("1".into())));
        check("a", "${no}", "a", Err(TransformError::NoGroup("no".into())));
    }
}
