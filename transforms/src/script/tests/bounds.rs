//! Whatever an expression says and a record contains, parsing and evaluation end, without using much memory or stack.
//!
//! Must not know: how the bounds are counted.

use super::super::Language;
use super::{check, result};

const MEMORY: &str = "fails: the expression needs too much memory on this record";
const STEPS: &str = "fails: the expression needs too many steps on this record";

/// Operations inside of each other, in every way that the syntax has.
#[test]
fn depth() {
    let nested = |open: &str, inner: &str, close: &str, count: usize| open.repeat(count) + inner + &close.repeat(count);
    for (language, open, inner, close) in [
        (Language::Groovy, "(", "1", ")"),
        (Language::Groovy, "[", "1", "]"),
        (Language::Groovy, "[a: ", "1", "]"),
        (Language::Groovy, "!", "true", ""),
        (Language::Groovy, "- ", "1", ""),
        (Language::Groovy, "true ? 1 : ", "1", ""),
        (Language::Groovy, "null ?: ", "1", ""),
        (Language::Groovy, "if (true) { ", "1", " }"),
        (Language::Groovy, "if (false) 1 else ", "2", ""),
        (Language::Groovy, "topic.equals(", "1", ")"),
        (Language::Groovy, "(int) ", "1", ""),
        (Language::Groovy, "[1][", "0", "]"),
        (Language::Groovy, "", "1", " + 1"),
        (Language::Groovy, "", "1", " == 1"),
        (Language::Groovy, "", "value", ".a"),
        (Language::Groovy, "", "topic", ".trim()"),
        (Language::Groovy, "", "[1]", "*.x"),
        (Language::Groovy, "", "1", " as int"),
        (Language::Groovy, "\"${", "1", "}\""),
        (Language::Groovy, "return ", "1", ""),
        (Language::Groovy, "def a, ", "b", ""),
        (Language::JavaScript, "typeof ", "1", ""),
        (Language::JavaScript, "`${", "1", "}`"),
        (Language::JavaScript, "{ ", "1", " }"),
        (Language::JavaScript, "Number(", "1", ")"),
        (Language::JavaScript, "", "value", "?.[0]"),
    ] {
        // As deep as is allowed, it runs on the stack of a test's thread, which is that of a task.
        for count in [5, 20, 50, 115] {
            result(language, &nested(open, inner, close, count), "update");
        }
        let found = result(language, &nested(open, inner, close, 5_000), "update");
        assert!(found.starts_with("refused: "), "{open}{inner}{close}: {found}");
    }
    let wide = |sign: &str| "value.op == 'u'".to_owned() + &format!(" {sign} value.op == 'u'").repeat(1000);
    assert_eq!(result(Language::Groovy, &wide("||"), "update"), "true");
    assert_eq!(result(Language::JavaScript, &wide("&&"), "update"), "true");
    let found = result(Language::Groovy, &"x".repeat(70_000), "update");
    assert_eq!(found, "refused: line 1, column 65537: the expression has 70000 bytes; at most 65536 are allowed");
}

#[test]
fn memory_and_steps() {
    let doubled = |start: &str, times: usize| format!("x = {start}; {} x.size()", "x = x + x; ".repeat(times));
    let table = [
        (doubled("topic", 40), MEMORY),
        (doubled("[1]", 40), STEPS),
        (doubled("2", 40).replace("size()", "toString()"), "'0'"),
        (format!("x = 9.5; {} x > 1", "x = x * x; ".repeat(40)), "fails: a number gets too large"),
        (
            format!("x = 9.5; {} l = [1]; {} l*.compareTo(x / 3)", "x = x * x; ".repeat(11), "l = l + l; ".repeat(14)),
            STEPS,
        ),
        ("'a'.padLeft(2000000000)".to_owned(), MEMORY),
        (format!("x = topic; {} x.replaceAll('', x).size()", "x = x + x; ".repeat(12)), MEMORY),
        (format!("x = topic; {} x.replace('r', x).size()", "x = x + x; ".repeat(12)), MEMORY),
        (format!("x = [1]; {} x.containsAll(x)", "x = x + x; ".repeat(14)), STEPS),
        (format!("x = topic; {} \"$x$x$x$x\".size() > 0", "x = x + x; ".repeat(18)), "true"),
    ];
    for (source, expect) in table {
        let found = result(Language::Groovy, &source, "update");
        let bare = found.split(" (column").next().unwrap_or_default();
        assert_eq!(bare, expect, "{source}");
    }
    check(
        Language::JavaScript,
        "update",
        &[
            ("'ab'.repeat(1000000000)", "fails: the expression needs too much memory on this record (column 6)"),
            ("'ab'.padEnd(1000000000)", "fails: the expression needs too much memory on this record (column 6)"),
            ("'a'.repeat(-1)", "fails: Invalid count value (column 5)"),
        ],
    );
}

/// A regex that goes back and forth ends with a failure.
#[test]
fn regexes() {
    check(
        Language::Groovy,
        "update",
        &[(
            "('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' + topic) ==~ /(a|a)*(?=b)\\1/",
            "fails: the regex needs too many steps on this record; make it simpler (column 54)",
        )],
    );
}
