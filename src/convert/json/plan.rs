//! A schema compiled for writing: every field name, brace and default is prepared as text.
//!
//! Must not know: where values come from.

use std::sync::Arc;

use record::{Kind, Logical, Schema, Value};

use super::text::write_string;
use super::write::write_owned;
use super::{Pairs, Style};

/// How values of one schema are written.
#[derive(Debug)]
pub(crate) struct Node {
    pub(super) form: Form,
    /// What a null becomes: `null` or the default's text. `None`: a null is an error.
    pub(super) null: Option<Box<[u8]>>,
    /// Path of the field, for error messages, such as `after.id`.
    pub(super) field: Arc<str>,
}

#[derive(Debug)]
pub(crate) enum Form {
    Bool,
    Int(&'static str),
    Float,
    Double,
    Text,
    Bytes,
    /// A decimal as base64 of the unscaled value; its scale must be the one given here.
    Decimal(i32),
    /// A decimal as digits, of any scale.
    Numeric,
    Array(Box<Node>),
    /// A map with text keys, written as an object.
    Object(Box<Node>),
    /// A map with other keys, written as an array of pairs. The texts stand before, between and behind the two of a pair.
    Pairs(Box<(Node, Node)>, [&'static str; 3]),
    Struct(Box<[Member]>),
}

#[derive(Debug)]
pub(crate) struct Member {
    /// `{"name":` or `,"name":`.
    pub(super) prefix: Box<[u8]>,
    pub(super) node: Node,
}

impl Node {
    pub(super) fn of(schema: &Schema, field: &str, style: Style) -> Self {
        let inner = |schema: &Schema| Box::new(Self::of(schema, field, style));
        let form = match (&schema.kind, schema.logical) {
            (Kind::Bytes, Logical::Decimal { .. }) if style.numeric => Form::Numeric,
            (Kind::Bytes, Logical::Decimal { scale }) => Form::Decimal(scale),
            (Kind::Bool, _) => Form::Bool,
            (Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64, _) => Form::Int(schema.type_name()),
            (Kind::Float32, _) => Form::Float,
            (Kind::Float64, _) => Form::Double,
            (Kind::String, _) => Form::Text,
            (Kind::Bytes, _) => Form::Bytes,
            (Kind::Array(items), _) => Form::Array(inner(items)),
            (Kind::Map(keys, values), _)
                if matches!(keys.kind, Kind::String) && (style.pairs == Pairs::Arrays || !keys.optional) =>
            {
                Form::Object(inner(values))
            }
            (Kind::Map(keys, values), _) => Form::Pairs(
                Box::new((Self::of(keys, field, style), Self::of(values, field, style))),
                match style.pairs {
                    Pairs::Arrays => ["[", ",", "]"],
                    Pairs::Objects => ["{\"key\":", ",\"value\":", "}"],
                },
            ),
            (Kind::Struct(fields), _) => Form::Struct(
                fields
                    .iter()
                    .enumerate()
                    .map(|(i, member)| {
                        let path =
                            if field.is_empty() { member.name.to_string() } else { [field, &member.name].join(".") };
                        let mut text = Vec::new();
                        prefix(i, &member.name, &mut text);
                        Member { prefix: text.into(), node: Self::of(&member.schema, &path, style) }
                    })
                    .collect(),
            ),
        };
        let mut node = Self { form, null: None, field: field.into() };
        node.null = node.null_text(schema, style);
        node
    }

    fn null_text(&self, schema: &Schema, style: Style) -> Option<Box<[u8]>> {
        if let Some(default) = schema.default.as_ref().filter(|value| style.replace_null && **value != Value::Null) {
            // A default that does not fit its schema is not reported here. A null that would need it is then reported
            // as a null without default.
            return self.rendered(default);
        }
        (schema.optional || style.any_null).then(|| b"null"[..].into())
    }

    /// A value as text; `None` when it does not fit the schema.
    pub(super) fn rendered(&self, value: &Value) -> Option<Box<[u8]>> {
        let mut out = Vec::new();
        write_owned(self, value, &mut out).ok()?;
        Some(out.into())
    }

    /// The name of the schema's type, as in Connect's messages.
    pub(super) fn type_name(&self) -> &'static str {
        match &self.form {
            Form::Bool => "BOOLEAN",
            Form::Int(name) => name,
            Form::Float => "FLOAT32",
            Form::Double => "FLOAT64",
            Form::Text => "STRING",
            Form::Bytes | Form::Decimal(_) | Form::Numeric => "BYTES",
            Form::Array(_) => "ARRAY",
            Form::Object(_) | Form::Pairs(..) => "MAP",
            Form::Struct(_) => "STRUCT",
        }
    }
}

/// Writes `{"name":` for the first member, `,"name":` for the others.
pub(super) fn prefix(index: usize, name: &str, out: &mut Vec<u8>) {
    out.push(if index == 0 { b'{' } else { b',' });
    write_string(out, name);
    out.push(b':');
}
