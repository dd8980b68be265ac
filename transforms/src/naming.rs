//! How the two transforms of Debezium's JDBC sink rename topics and fields: a style, then a prefix and a suffix.
//!
//! Must not know: records.

pub(crate) mod collection;
pub(crate) mod field;

use settings::{Choice, Properties};

use crate::error::{Refusal, java};

settings::choices! {
    /// How a name is written.
    enum Style {
        /// `orderLines1` becomes `order_lines_1`; a dot becomes `_`.
        Snake = "SNAKE_CASE",
        /// `order_lines.old` becomes `orderLinesOld`.
        Camel = "CAMEL_CASE",
        /// All letters become capitals.
        Upper = "UPPER_CASE",
        /// All letters become small.
        Lower = "LOWER_CASE",
        /// The name stays.
        Default = "DEFAULT",
    }
}

/// The options of one of the transforms.
#[derive(Debug)]
struct Naming {
    style: Style,
    prefix: String,
    suffix: String,
}

impl Naming {
    /// Reads the options of these names: prefix, suffix and style.
    fn new(properties: &Properties, [prefix, suffix, key]: [&str; 3]) -> Result<Self, Vec<Refusal>> {
        let text = |key: &str| properties.get(key).unwrap_or_default().to_owned();
        let style = properties.get(key).unwrap_or("default");
        let Some(style) = Style::from_name(style) else {
            let names: Vec<_> = Style::NAMES.iter().map(|(name, _)| *name).collect();
            let message = format!("Invalid naming style: {style}. Allowed styles are: {}", names.join(", "));
            return Err(vec![Refusal::new(java::DEBEZIUM, key, message)]);
        };
        Ok(Self { style, prefix: text(prefix), suffix: text(suffix) })
    }

    /// The new name.
    fn apply(&self, name: &str) -> String {
        let styled = match self.style {
            Style::Snake => snake(name),
            Style::Camel => camel(name),
            Style::Upper => name.to_uppercase(),
            Style::Lower => name.to_lowercase(),
            Style::Default => name.to_owned(),
        };
        format!("{}{styled}{}", self.prefix, self.suffix)
    }
}

/// Puts `_` for each dot and between the two characters of each pair of a small and a capital letter, a letter and a digit,
/// or a digit and a letter. Pairs do not overlap: of `a1b` only `a1` is parted.
fn snake(name: &str) -> String {
    let parts_at = |pair: (char, char)| match pair {
        (a, b) if a.is_ascii_lowercase() && b.is_ascii_uppercase() => true,
        (a, b) => a.is_ascii_alphabetic() && b.is_ascii_digit() || a.is_ascii_digit() && b.is_ascii_alphabetic(),
    };
    let mut out = String::with_capacity(name.len() + 8);
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '.' {
            out.push('_');
            continue;
        }
        out.push(c);
        if let Some(next) = chars.next_if(|next| parts_at((c, *next))) {
            out.push('_');
            out.push(next);
        }
    }
    out.to_lowercase()
}

/// Joins the words between dots and underscores: the first in small letters, each other one with a capital first.
fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    // A separator at the beginning leaves an empty first word, so the word behind it is not the first.
    for (i, word) in name.split(['.', '_']).enumerate() {
        let mut rest = word.chars();
        match rest.next() {
            Some(first) if i > 0 => {
                let mut capital = first.to_uppercase();
                // Java's `Character.toUpperCase` leaves a letter that would become several.
                out.push(if capital.len() == 1 { capital.next().unwrap_or(first) } else { first });
                out.push_str(&rest.as_str().to_lowercase());
            }
            _ => out.push_str(&word.to_lowercase()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles() {
        let apply = |style, name: &str| Naming { style, prefix: String::new(), suffix: String::new() }.apply(name);
        for (style, name, expect) in [
            (Style::Snake, "camelCaseName", "camel_case_name"),
            (Style::Snake, "NameWithNumbers123", "name_with_numbers_123"),
            (Style::Snake, "SnakeCase1", "snake_case_1"),
            (Style::Snake, "123Numbers", "123_numbers"),
            (Style::Snake, "srv.public.orderLines", "srv_public_order_lines"),
            (Style::Snake, "a1b", "a_1b"),
            (Style::Snake, "ABC", "abc"),
            (Style::Snake, "", ""),
            (Style::Camel, "camel_case_name", "camelCaseName"),
            (Style::Camel, "name_with_numbers_123", "nameWithNumbers123"),
            (Style::Camel, "hello__world..universe", "helloWorldUniverse"),
            (Style::Camel, "HELLO_WORLD", "helloWorld"),
            (Style::Camel, "_id", "Id"),
            (Style::Camel, "a_ßx", "aßx"),
            (Style::Camel, "__", ""),
            (Style::Upper, "camelCaseName", "CAMELCASENAME"),
            (Style::Lower, "NAME_1", "name_1"),
            (Style::Default, "camelCaseName", "camelCaseName"),
        ] {
            assert_eq!(apply(style, name), expect, "{style} of {name}");
        }
    }

    #[test]
    fn options() {
        #[track_caller]
        fn check(style: &str, expect: Result<&str, &str>) {
            let properties = [("x.style", style), ("x.prefix", "p "), ("x.suffix", "-s")].into_iter().collect();
            let made = Naming::new(&properties, ["x.prefix", "x.suffix", "x.style"]).map(|naming| naming.apply("aB"));
            let made = made.map_err(|wrong| format!("{} {}", wrong[0].java_class, wrong[0]));
            assert_eq!(made, expect.map(str::to_owned).map_err(str::to_owned));
        }
        check("snake_case", Ok("p a_b-s"));
        check(" Upper_Case ", Ok("p AB-s"));
        check("default", Ok("p aB-s"));
        check(
            "kebab",
            Err(
                "io.debezium.DebeziumException Invalid naming style: kebab. Allowed styles are: SNAKE_CASE, CAMEL_CASE, UPPER_CASE, LOWER_CASE, DEFAULT",
            ),
        );
        assert_eq!(
            Naming::new(&Properties::new(), ["p", "s", "t"]).map(|naming| naming.apply("aB")),
            Ok("aB".to_owned())
        );
    }
}
