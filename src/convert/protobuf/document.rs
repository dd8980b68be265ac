//! The text of a `.proto` file, as Confluent's registry client writes it: to the letter, because registries compare it.
//!
//! Must not know: Connect's schemas.

use std::fmt::Write as _;

use super::model::{Field, Label, Message, Model, Scalar, Type};

/// The file of Google's messages that hold one scalar; it is the document of records that are scalars themselves.
pub(super) const WRAPPERS: &str = r#"syntax = "proto3";
package google.protobuf;

option java_package = "com.google.protobuf";
option java_outer_classname = "WrappersProto";
option java_multiple_files = true;
option go_package = "google.golang.org/protobuf/types/known/wrapperspb";
option cc_enable_arenas = true;
option objc_class_prefix = "GPB";
option csharp_namespace = "Google.Protobuf.WellKnownTypes";

message DoubleValue {
  double value = 1 [json_name = "value"];
}
message FloatValue {
  float value = 1 [json_name = "value"];
}
message Int64Value {
  int64 value = 1 [json_name = "value"];
}
message UInt64Value {
  uint64 value = 1 [json_name = "value"];
}
message Int32Value {
  int32 value = 1 [json_name = "value"];
}
message UInt32Value {
  uint32 value = 1 [json_name = "value"];
}
message BoolValue {
  bool value = 1 [json_name = "value"];
}
message StringValue {
  string value = 1 [json_name = "value"];
}
message BytesValue {
  bytes value = 1 [json_name = "value"];
}
"#;

impl Scalar {
    /// The name of the type.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bool => "bool",
            Self::Text => "string",
            Self::Bytes => "bytes",
        }
    }

    /// The full name of the message that holds such a scalar, and its place in Google's file.
    pub(super) fn wrapper(self) -> (&'static str, u8) {
        match self {
            Self::Double => ("google.protobuf.DoubleValue", 0),
            Self::Float => ("google.protobuf.FloatValue", 1),
            Self::Int64 => ("google.protobuf.Int64Value", 2),
            Self::Int32 => ("google.protobuf.Int32Value", 4),
            Self::Bool => ("google.protobuf.BoolValue", 6),
            Self::Text => ("google.protobuf.StringValue", 7),
            Self::Bytes => ("google.protobuf.BytesValue", 8),
        }
    }
}

/// The text of the document.
pub(super) fn document(model: &Model) -> String {
    let mut out = String::from("syntax = \"proto3\";\n");
    if let Some(package) = &model.package {
        let _ = writeln!(out, "package {package};");
    }
    if !model.imports.is_empty() {
        out.push('\n');
    }
    for file in &model.imports {
        let _ = writeln!(out, "import \"{file}\";");
    }
    out.push('\n');
    if let Some(root) = model.messages.first() {
        write_message(&mut out, model, root, "");
    }
    out
}

fn write_message(out: &mut String, model: &Model, message: &Message, indent: &str) {
    let _ = write!(out, "{indent}message {} {{", message.name);
    if message.fields.is_empty() && message.inner.is_empty() {
        out.push_str("}\n");
        return;
    }
    out.push('\n');
    for field in &message.fields {
        write_field(out, model, field, indent);
    }
    if !message.inner.is_empty() {
        let _ = writeln!(out, "{indent}");
    }
    for inner in &message.inner {
        write_message(out, model, &model.messages[*inner], &format!("{indent}  "));
    }
    let _ = writeln!(out, "{indent}}}");
}

fn write_field(out: &mut String, model: &Model, field: &Field, indent: &str) {
    let label = match field.label {
        Label::None => "",
        Label::Optional => "optional ",
        Label::Repeated => "repeated ",
    };
    let of = match field.of {
        Type::Scalar(scalar) => scalar.word(),
        Type::Wrapper(scalar) => scalar.wrapper().0,
        Type::Decimal => "confluent.type.Decimal",
        Type::Date => "google.type.Date",
        Type::Time => "google.type.TimeOfDay",
        Type::Timestamp => "google.protobuf.Timestamp",
        Type::Struct(id) | Type::Entry(id) | Type::List(id) => &model.messages[id].name,
    };
    let _ = write!(out, "{indent}  {label}{of} {} = {}", field.name, field.tag);
    if !field.meta.is_empty() {
        let _ = writeln!(out, " [(confluent.field_meta) = {{\n{indent}    params: [");
        for (i, (key, value)) in field.meta.iter().enumerate() {
            let (key_line, value_line) = (format!("key: \"{key}\""), format!("value: \"{}\"", escaped(value)));
            // Precision and scale of decimals have been written the other way round since before other keys came.
            let lines = if *key == "connect.type" { [key_line, value_line] } else { [value_line, key_line] };
            let end = if i + 1 < field.meta.len() { "," } else { "" };
            let _ = write!(
                out,
                "{indent}      {{\n{indent}        {},\n{indent}        {}\n{indent}      }}{end}\n",
                lines[0], lines[1]
            );
        }
        let _ = write!(out, "{indent}    ]\n{indent}  }}]");
    }
    out.push_str(";\n");
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}
