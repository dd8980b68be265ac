//! Writes JSON as Debezium's pretty printer does, byte for byte.

use std::fmt::Write as _;

use serde_json::Value;

/// The JSON text of a value: two blanks an object, arrays on one line, `"name" : value`.
pub(super) fn pretty(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out
}

fn write(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(map) if map.is_empty() => out.push_str("{ }"),
        Value::Object(map) => {
            for (n, (name, value)) in map.iter().enumerate() {
                out.push_str(if n == 0 { "{" } else { "," });
                line(out, depth + 1);
                string(out, name);
                out.push_str(" : ");
                write(out, value, depth + 1);
            }
            line(out, depth);
            out.push('}');
        }
        Value::Array(items) => {
            out.push_str("[ ");
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push_str(", ");
                }
                write(out, item, depth);
            }
            out.push_str(if items.is_empty() { "]" } else { " ]" });
        }
        Value::String(text) => string(out, text),
        // `null`, `true` and numbers have one spelling.
        other => {
            let _infallible = write!(out, "{other}");
        }
    }
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => {
                let _infallible = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: &Value, expect: &str) {
        assert_eq!(pretty(value), expect);
    }

    #[test]
    fn arrays_stay_on_their_line() {
        check(
            &json!({"a": [1, "x"], "b": [], "c": {}}),
            "{\n  \"a\" : [ 1, \"x\" ],\n  \"b\" : [ ],\n  \"c\" : { }\n}",
        );
        check(
            &json!({"a": [{"b": null}, {"c": [{"d": true}]}]}),
            "{\n  \"a\" : [ {\n    \"b\" : null\n  }, {\n    \"c\" : [ {\n      \"d\" : true\n    } ]\n  } ]\n}",
        );
    }

    #[test]
    fn control_characters_are_escaped() {
        check(&json!("\u{1f}\n\"\\/é😀"), "\"\\u001F\\n\\\"\\\\/é😀\"");
    }
}
