//! The messages of `java.util.regex` about common mistakes, word for word, because REST answers show them.

/// Java's message about `source`; `None` when there is no mistake, or its message is not known here.
pub(super) fn java(source: &str) -> Option<String> {
    let chars: Vec<char> = source.chars().collect();
    let (mut groups, mut at) = (0_usize, 0);
    // Whether a quantifier has something before it to repeat.
    let mut repeats = false;
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' if chars.get(at + 1) == Some(&'Q') => at = past_quote(&chars, at + 2),
            '\\' if matches!(chars.get(at + 1), Some('p' | 'P' | 'x' | 'N')) && chars.get(at + 2) == Some(&'{') => {
                at = (at..chars.len()).find(|i| chars[*i] == '}').map_or(chars.len(), |end| end + 1);
            }
            '\\' => at += 2,
            '{' => match past_count(&chars, at + 1) {
                Ok(end) => at = end,
                Err((what, index)) => return Some(text(what, source, &chars, index)),
            },
            '[' => match past_class(&chars, at) {
                Some(end) => at = end,
                None => return Some(text("Unclosed character class", source, &chars, chars.len() - 1)),
            },
            '(' => {
                groups += 1;
                at += if chars.get(at + 1) == Some(&'?') { 2 } else { 1 };
            }
            ')' if groups == 0 && at == 0 => return Some(format!("Unmatched closing ')'\n{source}")),
            ')' if groups == 0 => return Some(text("Unmatched closing ')'", source, &chars, at - 1)),
            ')' => {
                groups -= 1;
                at += 1;
            }
            '*' | '+' | '?' if !repeats => {
                return Some(text(&format!("Dangling meta character '{c}'"), source, &chars, at));
            }
            '*' | '+' | '?' => {
                at += 1;
                // The second character makes the quantifier lazy or possessive.
                if matches!(chars.get(at), Some('?' | '+')) {
                    at += 1;
                }
                repeats = false;
                continue;
            }
            _ => at += 1,
        }
        repeats = !matches!(c, '(' | '|');
    }
    (groups > 0).then(|| text("Unclosed group", source, &chars, chars.len()))
}

fn text(what: &str, source: &str, chars: &[char], index: usize) -> String {
    let mut text = format!("{what} near index {index}\n{source}");
    if index < chars.len() {
        text.push('\n');
        text.extend(std::iter::repeat_n(' ', index));
        text.push('^');
    }
    text
}

fn past_quote(chars: &[char], from: usize) -> usize {
    (from..chars.len()).find(|i| chars[*i..].starts_with(&['\\', 'E'])).map_or(chars.len(), |end| end + 2)
}

/// The index behind `{n}`, `{n,}` or `{n,m}`, where `from` is the index behind the brace. Java refuses any other brace;
/// the error holds its message and the index that the message names.
fn past_count(chars: &[char], from: usize) -> Result<usize, (&'static str, usize)> {
    let number = |from: usize| {
        let end = (from..chars.len()).find(|i| !chars[*i].is_ascii_digit()).unwrap_or(chars.len());
        (chars[from..end].iter().collect::<String>(), end)
    };
    let (least, mut at) = number(from);
    if least.is_empty() {
        return Err(("Illegal repetition", from));
    }
    let mut most = String::new();
    if chars.get(at) == Some(&',') {
        (most, at) = number(at + 1);
    }
    if chars.get(at) != Some(&'}') {
        return Err(("Unclosed counted closure", at));
    }
    match (least.parse::<i32>(), most.parse::<i32>()) {
        (Ok(least), Ok(most)) if most < least => Err(("Illegal repetition range", at)),
        _ => Ok(at + 1),
    }
}

fn past_class(chars: &[char], from: usize) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, from);
    while let Some(c) = chars.get(at) {
        match c {
            '\\' => at += 1,
            '[' => {
                depth += 1;
                // A `]` right behind `[` or `[^` is a plain character.
                let first = at + 1 + usize::from(chars.get(at + 1) == Some(&'^'));
                at = if chars.get(first) == Some(&']') { first } else { at };
            }
            ']' => depth -= 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #[track_caller]
    fn check(source: &str, expect: Option<&str>) {
        assert_eq!(super::java(source).as_deref(), expect, "{source}");
    }

    #[test]
    fn texts() {
        check("(", Some("Unclosed group near index 1\n("));
        check("a(b", Some("Unclosed group near index 3\na(b"));
        check("[", Some("Unclosed character class near index 0\n[\n^"));
        check("a[b", Some("Unclosed character class near index 2\na[b\n  ^"));
        check("[]", Some("Unclosed character class near index 1\n[]\n ^"));
        check("[^]", Some("Unclosed character class near index 2\n[^]\n  ^"));
        check("*", Some("Dangling meta character '*' near index 0\n*\n^"));
        check("a|+b", Some("Dangling meta character '+' near index 2\na|+b\n  ^"));
        check("a**", Some("Dangling meta character '*' near index 2\na**\n  ^"));
        check("a.${x}b", Some("Illegal repetition near index 4\na.${x}b\n    ^"));
        check("a{", Some("Illegal repetition near index 2\na{"));
        check("a{1", Some("Unclosed counted closure near index 3\na{1"));
        check("a{2,1}", Some("Illegal repetition range near index 5\na{2,1}\n     ^"));
        check(")", Some("Unmatched closing ')'\n)"));
        check("a)", Some("Unmatched closing ')' near index 0\na)\n^"));
        for good in
            ["a", r"\(", r"[(*]+?", r"\Q(*\E", "(?:a|b)*+", "(?i)x", "[[a]b]", r"\p{Alpha}\x{41}", "a{2}b{1,}c{1,2}?"]
        {
            check(good, None);
        }
    }
}
