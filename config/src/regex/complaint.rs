//! The complaints of `java.util.regex` about the mistakes that people make, word by word: they stand in REST answers.

/// Java's text about `source`, or nothing where its words are not known.
pub(super) fn java(source: &str) -> Option<String> {
    let chars: Vec<char> = source.chars().collect();
    let (mut groups, mut at) = (0_usize, 0);
    // Whether a quantifier has something before it to repeat.
    let mut repeats = false;
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' if chars.get(at + 1) == Some(&'Q') => at = past_quote(&chars, at + 2),
            '\\' => at += 2,
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
                // Lazy and possessive.
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

fn past_class(chars: &[char], from: usize) -> Option<usize> {
    let (mut depth, mut at) = (0_usize, from);
    while let Some(c) = chars.get(at) {
        match c {
            '\\' => at += 1,
            '[' => depth += 1,
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
        check("*", Some("Dangling meta character '*' near index 0\n*\n^"));
        check("a|+b", Some("Dangling meta character '+' near index 2\na|+b\n  ^"));
        check("a**", Some("Dangling meta character '*' near index 2\na**\n  ^"));
        check(")", Some("Unmatched closing ')'\n)"));
        check("a)", Some("Unmatched closing ')' near index 0\na)\n^"));
        for good in ["a", r"\(", r"[(*]+?", r"\Q(*\E", "(?:a|b)*+", "(?i)x", "[[a]b]"] {
            check(good, None);
        }
    }
}
