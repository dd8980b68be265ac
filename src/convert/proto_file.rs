//! Reads as much of a `.proto` file as must be known of one that somebody else registered: where its messages stand, and which
//! fields they have.
//!
//! Must not know: registries, Connect's schemas.

use std::collections::{BTreeMap, HashMap};

/// The words and marks of a file, without its comments. A text in quotes is one word.
pub(super) fn words(file: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = file;
    while let Some(first) = rest.chars().next() {
        let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
        let (len, is_word) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), false)
        } else if rest.starts_with("/*") {
            (rest.find("*/").map_or(rest.len(), |end| end + 2), false)
        } else if matches!(first, '"' | '\'') {
            (quoted(rest, first), true)
        } else if is_name(first) {
            (rest.find(|c| !is_name(c)).unwrap_or(rest.len()), true)
        } else {
            (first.len_utf8(), !first.is_whitespace())
        };
        let (word, behind) = rest.split_at(len);
        words.extend(is_word.then_some(word));
        rest = behind;
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

/// The package of a file.
fn package<'f>(words: &[&'f str]) -> Option<&'f str> {
    words.windows(2).find(|pair| pair[0] == "package").map(|pair| pair[1])
}

/// The place of a message among those of a file that are not inside of others, by its full name. None: there is no such
/// message.
pub(super) fn place(file: &str, full_name: &str) -> Option<usize> {
    let words = words(file);
    let name = match package(&words) {
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

/// A field of a message.
#[derive(Debug, PartialEq, Eq)]
struct Field<'f> {
    name: &'f str,
    /// The name of its type.
    of: String,
    label: Option<&'f str>,
}

/// The fields of each message by their numbers; a message inside of another one has both names.
fn messages<'f>(words: &[&'f str]) -> HashMap<String, BTreeMap<u32, Field<'f>>> {
    let mut messages = HashMap::new();
    // The blocks around a statement: the path of the message that its fields belong to; none in a block without fields.
    let mut blocks: Vec<Option<String>> = Vec::new();
    let mut statement: Vec<&str> = Vec::new();
    // How many brackets are open: options of a field stand between them.
    let mut brackets = 0_usize;
    for word in words {
        match *word {
            "[" => brackets += 1,
            "]" => brackets = brackets.saturating_sub(1),
            _ if brackets > 0 => {}
            "{" => {
                let around = blocks.last().cloned().flatten();
                blocks.push(match (&statement[..], around) {
                    (["message", name], around) => {
                        let path = around.map_or_else(|| (*name).to_owned(), |around| format!("{around}.{name}"));
                        messages.entry(path.clone()).or_insert_with(BTreeMap::new);
                        Some(path)
                    }
                    (["oneof", ..], around) => around,
                    _ => None,
                });
                statement.clear();
            }
            "}" => {
                blocks.pop();
                statement.clear();
            }
            ";" => {
                let fields = blocks.last().and_then(|path| messages.get_mut(path.as_ref()?));
                if let (Some(fields), Some((number, field))) = (fields, field(&statement)) {
                    fields.insert(number, field);
                }
                statement.clear();
            }
            word => statement.push(word),
        }
    }
    messages
}

/// The field that a statement declares, and its number.
fn field<'f>(statement: &[&'f str]) -> Option<(u32, Field<'f>)> {
    let [of @ .., name, "=", number] = statement else { return None };
    let number = number.parse().ok()?;
    let (label, of) = match of {
        ["option", ..] => return None,
        [label @ ("optional" | "required" | "repeated"), of @ ..] => (Some(*label), of),
        of => (None, of),
    };
    Some((number, Field { name, of: of.concat(), label }))
}

/// Whether a message that is written as `ours` says is read as well by `theirs`: it has all fields with their numbers and
/// types. It may have more of them.
///
/// # Errors
/// Says where it is not.
pub(super) fn reads(theirs: &str, ours: &str) -> Result<(), String> {
    let (theirs, ours) = (words(theirs), words(ours));
    if package(&theirs) != package(&ours) {
        return Err("the packages differ".to_owned());
    }
    let theirs = messages(&theirs);
    for (path, fields) in messages(&ours) {
        let Some(others) = theirs.get(&path) else { return Err(format!("there is no message {path}")) };
        for (number, field) in &fields {
            if !others.get(number).is_some_and(|other| same(field, other)) {
                return Err(format!(
                    "there is no field {path}.{} of type {} with number {number}",
                    field.name, field.of
                ));
            }
        }
        if let Some((_, field)) =
            others.iter().find(|(number, other)| other.label == Some("required") && !fields.contains_key(number))
        {
            return Err(format!("it requires a field {path}.{}", field.name));
        }
    }
    Ok(())
}

/// Whether a field has the same bytes in both messages.
fn same(ours: &Field<'_>, theirs: &Field<'_>) -> bool {
    let short = |of: &str| of.rsplit('.').next().unwrap_or_default().to_owned();
    let of = (short(&ours.of), short(&theirs.of));
    let is_list = |field: &Field<'_>| field.label == Some("repeated");
    ours.name == theirs.name
        && is_list(ours) == is_list(theirs)
        && (of.0 == of.1 || matches!((&*of.0, &*of.1), ("int32", "int64") | ("string", "bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        let file = "syntax = \"proto3\"; // message a.b.C {\n/* message C { */ package a.b;\nimport \"message {\";\n\
                    message Other { message C {} string s = 1 [default = \"}'\\\"\"]; }\nenum E { X = 0; }\n\
                    message C{ }";
        for (name, expect) in
            [("a.b.Other", Some(0)), ("a.b.C", Some(1)), ("a.b.D", None), ("C", None), ("a.b.message", None)]
        {
            assert_eq!(place(file, name), expect, "{name}");
        }
        assert_eq!(place("message X {}", "X"), Some(0));
        assert_eq!(place("message", "X"), None);
    }

    #[test]
    fn what_another_file_reads() {
        #[track_caller]
        fn check(theirs: &str, expect: Result<(), &str>) {
            const OURS: &str = "syntax = \"proto3\"; package p; message Row { int32 id = 1; repeated string tags = 2; \
                                google.type.Date day = 3 [(confluent.field_meta) = { params: [ { key: \"a;\" } ] }]; Inner in = 4;\
                                message Inner { optional bool b = 1; } }";
            let theirs = format!("package p; option java_package = \"x\"; {theirs}");
            assert_eq!(reads(&theirs, OURS), expect.map_err(str::to_owned), "{theirs}");
        }
        const REST: &str = "repeated string tags = 2; .google.type.Date day = 3; Inner in = 4;";
        const INNER: &str = "message Inner { bool b = 1; }";
        check(&format!("message Row {{ int32 id = 1; {REST} {INNER} }}"), Ok(()));
        // In another order, with more fields and messages, a wider number, and a choice.
        check(
            &format!(
                "message First {{}} message Row {{ {INNER} reserved 9; option deprecated = true; string more = 7; {REST} \
                 oneof any {{ int64 id = 1; }} enum E {{ A = 0; }} map<string, int32> m = 8; }}"
            ),
            Ok(()),
        );
        check(
            &format!("message Row {{ int32 id = 5; {REST} {INNER} }}"),
            Err("there is no field Row.id of type int32 with number 1"),
        );
        check(
            &format!("message Row {{ repeated int32 id = 1; {REST} {INNER} }}"),
            Err("there is no field Row.id of type int32 with number 1"),
        );
        check(&format!("message Row {{ int32 id = 1; {REST} }} {INNER}"), Err("there is no message Row.Inner"));
        check(
            &format!("message Row {{ int32 id = 1; required int32 x = 6; {REST} {INNER} }}"),
            Err("it requires a field Row.x"),
        );
        assert_eq!(reads("package q;", "package p;"), Err("the packages differ".to_owned()));
    }
}
