//! `org.apache.kafka.connect.transforms.SetSchemaMetadata$Key` and `$Value`: gives a schema another name or version.
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.SetSchemaMetadata$Value", "schema.name": "my.Row"}
//! {"topic": "t", "value": {"id": 1, "v": "x"}}
//! => {"types": {"value": "struct my.Row"}}
//! {"topic": "t", "value": null}
//! => {}
//! ```
//!
//! Must not know: headers, topics.

use std::sync::Arc;

use record::{Kind, Node, Part, Payload, Presence, View};
use settings::{Def, Key, Properties};

use crate::TransformError;
use crate::connect_options::{Options, REPLACE_NULL};
use crate::error::Refusal;
use crate::half::Half;
use crate::requirements::{fields, with_schema};
use crate::reshape::{Null, Reshape, Reshaped};
use crate::table::{Made, no_remarks};

const KEYS: &[Key] = &[
    Key::new("schema.name", settings::Kind::String).high().doc("The new name. Not set: the name stays."),
    Key::new("schema.version", settings::Kind::Int).high().doc("The new version. Not set: the version stays."),
    REPLACE_NULL,
];

/// The row of `SetSchemaMetadata$Key` in the table.
pub(crate) const KEY: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.SetSchemaMetadata$Key",
    summary: "Gives the schema of the key another name or version.",
    make: |properties| make(Half::Key, properties),
    ..VALUE
};

/// The row of `SetSchemaMetadata$Value` in the table.
pub(crate) const VALUE: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.SetSchemaMetadata$Value",
    module: module_path!(),
    summary: "Gives the schema of the value another name or version.",
    keys: Def::new(&[KEYS]),
    make: |properties| make(Half::Value, properties),
    remarks: no_remarks,
};

fn make(half: Half, properties: &Properties) -> Made {
    let options = Options::new(KEYS, properties);
    let name: Option<Arc<str>> = options.text("schema.name").map(Arc::from);
    let version = options.text("schema.version").and_then(|text| text.parse().ok());
    if name.is_none() && version.is_none() {
        return Err(vec![Refusal::config("schema.name", "Neither schema name nor version configured")]);
    }
    Ok(Box::new(Reshaped::new(half, SetSchemaMetadata { name, version, replace_null: options.replace_null() })))
}

#[derive(Debug)]
struct SetSchemaMetadata {
    name: Option<Arc<str>>,
    version: Option<i32>,
    replace_null: bool,
}

impl Reshape for SetSchemaMetadata {
    fn null(&self, payload: &Payload<'_>) -> Result<Null, TransformError> {
        Ok(if payload.schema().is_none() { Null::Passes } else { Null::IsShown })
    }

    fn view(&self, payload: &Payload<'_>) -> Result<Arc<View>, TransformError> {
        let found = payload.part().filter(|part| !part.schema.schemaless);
        let whole = found.ok_or_else(|| TransformError::data("Schema required for [updating schema metadata]"))?;
        if !matches!(whole.schema.kind, Kind::Struct(_)) {
            return Err(TransformError::no_fields());
        }
        let name = self.name.clone().or_else(|| whole.schema.name.clone());
        let schema = whole.schema.edit().name(name).version(self.version.or(whole.schema.version)).build();
        let part = with_schema(&schema, fields(&whole, self.replace_null).collect())?;
        let part = Part { node: as_null_as(part.node, whole.node), ..part };
        Ok(View::of(part, payload.slots()))
    }
}

/// The struct `made`, which is null where `old` is.
fn as_null_as(made: Node, old: Node) -> Node {
    let presence = match old {
        Node::Struct(_, presence) => presence,
        Node::Leaf(leaf) => Presence::Of(leaf),
    };
    match made {
        Node::Struct(fields, _) => Node::Struct(fields, presence),
        leaf @ Node::Leaf(_) => leaf,
    }
}
