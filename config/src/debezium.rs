//! Debezium's checks with its error messages: `The '<name>' value is invalid: <problem>`.
//!
//! The check of the type runs first and the key's own checks follow, so one bad value may get the same message twice,
//! as in Debezium. Integers are not trimmed before they are parsed: ` 7 ` is not a number.
//!
//! Must not know: the keys.

use crate::{Asked, Check, Invalid, JavaRegex, Key, Kind, Properties, split_regex_list};

/// The value that is checked: that of the key, else that of an older name, else the default.
pub(crate) fn effective<'a>(key: &'a Key, properties: &'a Properties) -> Option<&'a str> {
    let sent = std::iter::once(&key.name).chain(key.aliases).find_map(|name| properties.get(name));
    sent.or(key.default)
}

/// Every complaint about the value of `key`.
pub(crate) fn complaints(key: &Key, properties: &Properties) -> Vec<Invalid> {
    let value = effective(key, properties);
    let asked = Asked { name: key.name, value, properties, prefix: "" };
    let mut problems = Vec::new();
    if let Some(value) = value {
        problems.extend(type_problem(key.kind, value).map(str::to_owned));
    }
    for check in key.checks {
        run(check, &asked, &mut problems);
    }
    problems.into_iter().map(|p| Invalid::new(key.name, message(key.name, &p))).collect()
}

/// The message around a problem.
pub(crate) fn message(name: &str, problem: &str) -> String {
    format!("The '{name}' value is invalid: {problem}")
}

const INTEGER: &str = "An integer is expected";

fn type_problem(kind: Kind, value: &str) -> Option<&'static str> {
    match kind {
        Kind::Boolean => boolean_problem(value),
        Kind::Int => value.parse::<i32>().is_err().then_some(INTEGER),
        Kind::Short => value.parse::<i16>().is_err().then_some("A short value is expected"),
        Kind::Long => value.parse::<i64>().is_err().then_some("A long value is expected"),
        Kind::Double => value.trim().parse::<f64>().is_err().then_some("A double value is expected"),
        Kind::Class => (!is_java_name(value)).then_some("A Java class name is expected"),
        Kind::String | Kind::List | Kind::Password => None,
    }
}

fn boolean_problem(value: &str) -> Option<&'static str> {
    let value = value.trim();
    let known = value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false");
    (!known).then_some("Either 'true' or 'false' is expected")
}

fn run(check: &Check, asked: &Asked<'_>, problems: &mut Vec<String>) {
    let Some(value) = asked.value else {
        match check {
            Check::Required => problems.push("A value is required".to_owned()),
            Check::Own(own) => problems.extend(own(asked)),
            _ => {}
        }
        return;
    };
    let mut unless = |fine: bool, problem: &str| {
        if !fine {
            problems.push(problem.to_owned());
        }
    };
    match check {
        Check::Required => unless(!value.trim().is_empty(), "A value is required"),
        Check::Boolean => unless(boolean_problem(value).is_none(), "Either 'true' or 'false' is expected"),
        Check::Integer => unless(value.parse::<i32>().is_ok(), INTEGER),
        Check::PositiveInteger => {
            unless(value.parse::<i32>().is_ok_and(|n| n > 0), "A positive, non-zero integer value is expected");
        }
        Check::NonNegativeInteger => {
            unless(value.parse::<i32>().is_ok_and(|n| n >= 0), "An non-negative integer is expected");
        }
        Check::PositiveLong => {
            unless(value.parse::<i64>().is_ok_and(|n| n > 0), "A positive, non-zero long value is expected");
        }
        Check::NonNegativeLong => {
            unless(value.parse::<i64>().is_ok_and(|n| n >= 0), "A non-negative long value is expected");
        }
        Check::RegexList => {
            let bad = split_regex_list(value).iter().find_map(|item| JavaRegex::new(item).err());
            if let Some(e) = bad {
                problems.push(format!("A comma-separated list of valid regular expressions is expected, but {e}"));
            }
        }
        Check::Pairs => unless(
            are_pairs(value),
            "A equivalent-separated map of valid key/value pairs is expected, for example: k1=v1,k2=v2",
        ),
        Check::OneOf(values) => {
            let value = value.trim();
            if !values.iter().any(|v| v.eq_ignore_ascii_case(value)) {
                problems.push(format!("Value must be one of {}", values.join(", ")));
            }
        }
        Check::NotWith { other, shown } => {
            if asked.properties.get(other).is_some() {
                problems.push(format!("\"{shown}\" is already specified"));
            }
        }
        Check::Own(own) => problems.extend(own(asked)),
        Check::Range { .. } | Check::OneOfExactly(_) | Check::OneOfAnyCase(_) | Check::NonEmpty | Check::Distinct => {}
    }
}

/// Whether `value` has the form `k=v,k=v`; a blank text is an empty map.
fn are_pairs(value: &str) -> bool {
    let value = value.trim().trim_end_matches(',');
    value.is_empty()
        || value.split(',').all(|pair| {
            let mut parts = pair.split('=');
            matches!((parts.next(), parts.next(), parts.next()), (Some(_), Some(v), None) if !v.is_empty())
        })
}

/// Java's reserved words (Java Language Specification, 3.9 and 3.10); no part of a class name may be one of them.
const RESERVED: &[&str] = &[
    "abstract",
    "assert",
    "boolean",
    "break",
    "byte",
    "case",
    "catch",
    "char",
    "class",
    "const",
    "continue",
    "default",
    "do",
    "double",
    "else",
    "enum",
    "extends",
    "false",
    "final",
    "finally",
    "float",
    "for",
    "goto",
    "if",
    "implements",
    "import",
    "instanceof",
    "int",
    "interface",
    "long",
    "native",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "short",
    "static",
    "strictfp",
    "super",
    "switch",
    "synchronized",
    "this",
    "throw",
    "throws",
    "transient",
    "true",
    "try",
    "void",
    "volatile",
    "while",
    "_",
];

fn is_java_name(value: &str) -> bool {
    value.split('.').all(|part| {
        let mut chars = part.chars();
        chars.next().is_some_and(|c| c.is_alphabetic() || c == '_' || c == '$')
            && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '$')
            && !RESERVED.contains(&part)
    })
}
