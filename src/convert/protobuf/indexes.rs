//! Which message of a document a record is: the indexes that stand behind the id.
//!
//! In a document of ours it is the first one. A registry may answer with another document (`use.latest.version`), in which
//! other messages may stand before it.
//!
//! Must not know: registries, fields.

use super::write::varint;

/// The written form of the place of the first message.
pub(super) const FIRST: &[u8] = &[0];

/// The written form of the place of a message that is not inside of another one.
pub(super) fn written(place: usize) -> Vec<u8> {
    if place == 0 {
        return FIRST.to_vec();
    }
    // The number of indexes and then each of them, in a form in which small negative numbers are short as well.
    let mut out = vec![2];
    varint(&mut out, place as u64 * 2);
    out
}

/// The place of a message among those of a document that are not inside of others, by its full name. None: there is no such
/// message.
pub(super) fn place(document: &str, full_name: &str) -> Option<usize> {
    let words = words(document);
    let package = words.windows(2).find(|pair| pair[0] == "package").map(|pair| pair[1]);
    let name = match package {
        Some(package) => full_name.strip_prefix(package)?.strip_prefix('.')?,
        None => full_name,
    };
    let (mut depth, mut at) = (0_usize, 0);
    for (i, word) in words.iter().enumerate() {
        match *word {
            "{" => depth += 1,
            "}" => depth = depth.saturating_sub(1),
            "message" if depth == 0 => match words.get(i + 1) {
                Some(found) if *found == name => return Some(at),
                _ => at += 1,
            },
            _ => {}
        }
    }
    None
}

/// The names, keywords and braces of a document, without its comments and texts.
fn words(document: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = document;
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        let len = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if matches!(first, '"' | '\'') {
            quoted(rest, first)
        } else if is_name(first) {
            let len = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            words.push(&rest[..len]);
            len
        } else {
            if matches!(first, '{' | '}') {
                words.push(&rest[..1]);
            }
            first.len_utf8()
        };
        rest = &rest[len..];
    }
    words
}

/// The length of a text in quotes.
fn quoted(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            other if other == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let document = "syntax = \"proto3\"; // message a.b.C {\n/* message C { */ package a.b;\nimport \"message {\";\n\
                        message Other { message C {} string s = 1 [default = \"}'\\\"\"]; }\nenum E { X = 0; }\n\
                        message C{ }";
        for (name, expect) in
            [("a.b.Other", Some(0)), ("a.b.C", Some(1)), ("a.b.D", None), ("C", None), ("a.b.message", None)]
        {
            assert_eq!(place(document, name), expect, "{name}");
        }
        assert_eq!(place("message X {}", "X"), Some(0));
        assert_eq!(place("message", "X"), None);
    }

    #[test]
    fn written_forms() {
        for (place, expect) in [(0, &[0][..]), (1, &[2, 2]), (8, &[2, 16]), (100, &[2, 200, 1])] {
            assert_eq!(written(place), expect);
        }
    }
}
