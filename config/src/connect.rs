//! Parses and checks values as Kafka's `ConfigDef` does, with its error messages.
//!
//! When a text cannot be parsed, the value is null and the validators still run, so `tasks.max=abc` gets two messages.
//! For a key of an SMT, a validator's message names the key without its `transforms.A.` prefix; the type check names it
//! with the prefix.
//!
//! Must not know: the keys.

use crate::{Asked, Check, HIDDEN, Key, Kind, Properties};

/// A parsed value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Parsed {
    Null,
    Boolean(bool),
    Integer(i64),
    Double(f64),
    Text(String),
    List(Vec<String>),
    Password(String),
}

impl Parsed {
    /// The value as a validation answer shows it.
    pub(crate) fn shown(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::List(items) => Some(items.join(",")),
            other => Some(other.to_java()),
        }
    }

    /// The value as Java prints it in a message.
    fn to_java(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Boolean(b) => b.to_string(),
            Self::Integer(n) => n.to_string(),
            Self::Double(d) => format!("{d:?}").replace('e', "E"),
            Self::Text(t) => t.clone(),
            Self::List(items) => format!("[{}]", items.join(", ")),
            Self::Password(_) => HIDDEN.to_owned(),
        }
    }
}

/// Parses and checks the value that `properties` hold for `key` under `prefix`; returns it with the error messages.
pub(crate) fn check(key: &Key, prefix: &str, properties: &Properties) -> (Parsed, Vec<String>) {
    let name = format!("{prefix}{}", key.name);
    let mut errors = Vec::new();
    let value = if properties.contains(&name) {
        match properties.get(&name) {
            None => Parsed::Null,
            Some(text) => parse(&name, key.kind, text).unwrap_or_else(|e| {
                errors.push(e);
                Parsed::Null
            }),
        }
    } else if key.required {
        errors.push(format!("Missing required configuration \"{name}\" which has no default value."));
        Parsed::Null
    } else {
        // A default that cannot be parsed is a mistake in a key table; the tests of the tables find it.
        key.default.and_then(|d| parse(&name, key.kind, d).ok()).unwrap_or(Parsed::Null)
    };
    for check in key.checks {
        run(check, key.name, &value, (prefix, properties), &mut errors);
    }
    (value, errors)
}

/// Parses `text` as Connect does. The error message quotes the text untrimmed.
pub(crate) fn parse(name: &str, kind: Kind, text: &str) -> Result<Parsed, String> {
    let invalid = |detail: &str| format!("Invalid value {text} for configuration {name}: {detail}");
    // Java's `trim` also removes control characters, and no character above U+0020.
    let trimmed = text.trim_matches(|c| c <= ' ');
    let number = |parsed: Option<i64>| {
        parsed.map(Parsed::Integer).ok_or_else(|| invalid(&format!("Not a number of type {}", kind.as_str())))
    };
    match kind {
        Kind::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok(Parsed::Boolean(true)),
        Kind::Boolean if trimmed.eq_ignore_ascii_case("false") => Ok(Parsed::Boolean(false)),
        Kind::Boolean => Err(invalid("Expected value to be either true or false")),
        Kind::Int => number(trimmed.parse::<i32>().ok().map(i64::from)),
        Kind::Short => number(trimmed.parse::<i16>().ok().map(i64::from)),
        Kind::Long => number(trimmed.parse::<i64>().ok()),
        Kind::Double => trimmed.parse().map(Parsed::Double).map_err(|_| invalid("Not a number of type DOUBLE")),
        Kind::List => Ok(Parsed::List(split_list(trimmed))),
        Kind::String | Kind::Class => Ok(Parsed::Text(trimmed.to_owned())),
        Kind::Password => Ok(Parsed::Password(trimmed.to_owned())),
    }
}

/// The items between commas without surrounding blanks; an empty text has no items.
pub(crate) fn split_list(text: &str) -> Vec<String> {
    if text.is_empty() { Vec::new() } else { text.split(',').map(|item| item.trim().to_owned()).collect() }
}

fn run(check: &Check, bare: &str, value: &Parsed, whole: (&str, &Properties), errors: &mut Vec<String>) {
    let invalid = |detail: &str| format!("Invalid value {} for configuration {bare}: {detail}", value.to_java());
    let text = if let Parsed::Text(t) = value { Some(t.as_str()) } else { None };
    match check {
        Check::Range { min, max } => {
            let number = match value {
                Parsed::Integer(n) => Some(*n as f64),
                Parsed::Double(d) => Some(*d),
                _ => None,
            };
            match (number, min, max) {
                (None, ..) => errors.push(invalid("Value must be non-null")),
                (Some(n), Some(min), _) if n < *min as f64 => {
                    errors.push(invalid(&format!("Value must be at least {min}")));
                }
                (Some(n), _, Some(max)) if n > *max as f64 => {
                    errors.push(invalid(&format!("Value must be no more than {max}")));
                }
                _ => {}
            }
        }
        Check::OneOfExactly(values) if !text.is_some_and(|t| values.contains(&t)) => {
            errors.push(invalid(&format!("String must be one of: {}", values.join(", "))));
        }
        Check::OneOfAnyCase(values) if !text.is_some_and(|t| values.iter().any(|v| v.eq_ignore_ascii_case(t))) => {
            let values = values.join(", ").to_uppercase();
            errors.push(invalid(&format!("String must be one of (case insensitive): {values}")));
        }
        Check::NonEmpty if text == Some("") => errors.push(invalid("String must be non-empty")),
        Check::Distinct => {
            if let Parsed::List(items) = value
                && items.iter().enumerate().any(|(i, item)| items[..i].contains(item))
            {
                errors.push(format!("Configuration '{bare}' values must not be duplicated."));
            }
        }
        Check::Own(own) => {
            let shown = match value {
                Parsed::Password(p) => Some(p.clone()),
                other => other.shown(),
            };
            let (prefix, properties) = whole;
            errors.extend(own(&Asked { name: bare, value: shown.as_deref(), properties, prefix }));
        }
        _ => {}
    }
}
