//! Where a field is: its name, or in syntax V2 a path through structs, `a.b`, with backticks around names with dots.
//!
//! Must not know: any transform.

use std::sync::Arc;

use record::{Kind, Part, Payload, Schema, Value};

use crate::TransformError;
use crate::requirements::or_default;

/// The names of the fields on the way, at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldPath(Vec<String>);

impl FieldPath {
    /// Syntax V1: the whole text is a name.
    pub(crate) fn name(text: &str) -> Self {
        Self(vec![text.to_owned()])
    }

    /// Syntax V2: names with dots between. A name that starts with a backtick ends at the next backtick before a dot or at
    /// the end of the text; a backslash before that backtick makes it a part of the name.
    ///
    /// # Errors
    /// Connect's message for a backtick that is not closed.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut names = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let at = text.len() - rest.len();
            if let Some(quoted) = rest.strip_prefix('`') {
                let (name, after) = quoted_name(quoted).ok_or_else(|| {
                    // Java counts UTF-16 units.
                    let at = text[..at].encode_utf16().count();
                    format!(
                        "Incomplete backtick pair in path: [{text}], consider adding a backslash before backtick at \
                         position {at} to escape it"
                    )
                })?;
                names.push(name);
                rest = after;
            } else {
                let (name, after) = rest.split_once('.').unwrap_or((rest, ""));
                names.push(name.to_owned());
                rest = after;
            }
        }
        if text.ends_with('.') {
            names.push(String::new());
        }
        Ok(Self(names))
    }

    /// The field in a struct, if it has it; a null on the way, or at its end, becomes its default where `replace_null` says
    /// so.
    ///
    /// # Errors
    /// When something on the way is no struct.
    pub(crate) fn find(&self, whole: &Part, replace_null: bool) -> Result<Option<Part>, TransformError> {
        let mut part = whole.clone();
        for (step, name) in self.0.iter().enumerate() {
            if !matches!(part.schema.kind, Kind::Struct(_)) {
                return Err(TransformError::no_field_in());
            }
            let Some(field) = part.field(name) else { return Ok(None) };
            part = or_default(field, replace_null || step + 1 < self.0.len());
        }
        Ok(Some(part))
    }

    /// The value in maps that have no schema; null where one of them lacks the name.
    pub(crate) fn find_bare(&self, mut schema: Arc<Schema>, mut value: Value) -> Payload<'static> {
        for name in &self.0 {
            let (Kind::Map(_, of), Value::Map(entries)) = (&schema.kind, value) else { return Payload::Null };
            let found = entries.into_iter().find(|(key, _)| *key == Value::text(name));
            value = found.map_or(Value::Null, |(_, value)| value);
            schema = Arc::clone(of);
        }
        if value == Value::Null { Payload::Null } else { Payload::Value(schema, value) }
    }
}

/// The name in front of its closing backtick, and what follows the dot behind that.
fn quoted_name(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut start = 0;
    for (at, _) in text.match_indices('`') {
        let after = &text[at + 1..];
        let escaped = text[..at].ends_with('\\');
        if after.is_empty() && !escaped {
            name.push_str(&text[start..at]);
            return Some((name, ""));
        }
        let Some(next) = after.strip_prefix('.') else { continue };
        if !escaped {
            name.push_str(&text[start..at]);
            return Some((name, next));
        }
        name.push_str(&text[start..at - 1]);
        name.push('`');
        start = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&[&str], usize>) {
        let found = FieldPath::parse(text);
        match expect {
            Ok(names) => {
                assert_eq!(found, Ok(FieldPath(names.iter().map(|&name| name.to_owned()).collect())), "{text}");
            }
            Err(at) => {
                let message = found.expect_err(text);
                assert!(message.starts_with(&format!("Incomplete backtick pair in path: [{text}]")), "{message}");
                assert!(message.contains(&format!("at position {at} ")), "{message}");
            }
        }
    }

    /// The expectations come from Connect's class.
    #[test]
    fn paths() {
        check("a", Ok(&["a"]));
        check("a.b.c", Ok(&["a", "b", "c"]));
        check("a..b", Ok(&["a", "", "b"]));
        check("a.", Ok(&["a", ""]));
        check(".a", Ok(&["", "a"]));
        check(".", Ok(&["", ""]));
        check("`a.b`.c", Ok(&["a.b", "c"]));
        check("a.`b.c`", Ok(&["a", "b.c"]));
        check("`a`b`.c", Ok(&["a`b", "c"]));
        check("a`b.c", Ok(&["a`b", "c"]));
        check(r"`a\`.b`.c", Ok(&["a`.b", "c"]));
        check(r"`a\`", Err(0));
        check(r"x.`a\`.b", Err(2));
        check("`a", Err(0));
        check("`", Err(0));
        check("é.`a", Err(2));
        check("``", Ok(&[""]));
        check("``.a", Ok(&["", "a"]));
        check("`a.b`.", Ok(&["a.b", ""]));
    }
}
