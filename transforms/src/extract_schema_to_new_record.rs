//! `io.debezium.transforms.ExtractSchemaToNewRecord`: adds the description of the table to each change, as the field
//! `sourceSchema` of the envelope.
//!
//! What is said of the columns comes from parameters of their schemas, so the connector must run with
//! `column.propagate.source.type=.*`. The description is made once for each table, and is the same constant in all its
//! records.
//!
//! ```json
//! {}
//! {"topic": "srv.public.orders", "value": {"op": "c", "after": {"id": 1}}, "types": {"after.id":
//!  "int32 {__debezium.source.column.name=id,__debezium.source.column.type=INT,__debezium.source.column.length=10}"}}
//! => {"value": {"after": {"id": 1}, "sourceSchema": {"id": "orders", "table": {"columns":
//!      [{"name": "id", "typeName": "INT", "length": 10, "scale": null, "comment": null}]}}},
//!     "types": {"value.sourceSchema": "struct io.debezium.connector.source.Schema"}}
//! {"topic": "srv.public.orders", "value": {"op": "t"}}
//! => {}
//! ```
//!
//! ```json
//! {}
//! {"topic": "srv.public.orders", "value": {"op": "c", "after": {"id": 1}}}
//! => fails: Ensure that enable configurations "column.propagate.source.type" or "datatype.propagate.source.type" and the value is set to ".*"
//! ```
//!
//! Must not know: tables, databases.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use record::{
    Adjustment, Cache, Frame, Kind, Part, Payload, Presence, Record, Schema, Value, View, adjust_schema_name,
};
use settings::{Def, Key, Properties, Width};

use crate::envelope::is_envelope;
use crate::error::{Refusal, java};
use crate::options::{Names, Options};
use crate::structs::{java_class, structure};
use crate::{Transform, TransformError};

/// The number of inputs (usually tables) of which something is kept.
const CACHE: usize = 4096;
/// The number of descriptions that are kept, as in Debezium.
const DESCRIPTIONS: usize = 10_240;

const KEYS: &[Key] = &[
    // Debezium reads it, but does not declare it.
    Key::new("schema.name.adjustment.mode", settings::Kind::String)
        .default("none")
        .shown("Schema Name Adjustment", Width::Medium)
        .unlisted()
        .doc("How the names of the new field's schemas are adjusted: none, avro or avro_unicode."),
];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.ExtractSchemaToNewRecord",
    module: module_path!(),
    summary: "Adds the description of the table to each change.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(ExtractSchemaToNewRecord::new(properties)?)),
    remarks: crate::table::no_remarks,
};

/// Adds the description of the table to each change. Results are those of Debezium's
/// [`ExtractSchemaToNewRecord`](https://debezium.io/documentation/reference/stable/transformations/schema-change-event-filter.html).
#[derive(Debug)]
struct ExtractSchemaToNewRecord {
    names: Adjustment,
    /// Descriptions by the envelope's schema, which is held so that its id stays its own. As in Debezium, the first record with
    /// a schema decides.
    descriptions: Cache<u32, (Arc<Schema>, Arc<Part>)>,
    /// What was found out about an input, by the payload's id.
    plans: Cache<u32, Plan>,
}

/// An input.
#[derive(Debug)]
struct Plan {
    before: Part,
    after: Part,
    /// The envelope with its new field, once a row was there.
    view: Option<Arc<View>>,
}

impl ExtractSchemaToNewRecord {
    fn new(properties: &Properties) -> Result<Self, Vec<Refusal>> {
        let mut options = Options::new(properties);
        let names = options.choice("schema.name.adjustment.mode", Names::None);
        options.refused_as_a_whole(java::DEBEZIUM)?;
        Ok(Self { names: names.into(), descriptions: Cache::new(DESCRIPTIONS), plans: Cache::new(CACHE) })
    }

    /// The place of what is known of an input; none if it is no envelope.
    fn place(&mut self, value: &Payload<'_>) -> Result<Option<usize>, TransformError> {
        let id = value.id();
        if let Some(place) = self.plans.place(|known| *known == id, || id) {
            return Ok(Some(place));
        }
        let Some(envelope) = value.part().filter(|part| is_envelope(&part.schema)) else { return Ok(None) };
        if !matches!(envelope.schema.kind, Kind::Struct(_)) {
            let class = java_class(&envelope.schema);
            return Err(TransformError::not_a_struct("field extraction", class));
        }
        let row = |name: &str| {
            let unknown = || TransformError::new(java::ILLEGAL_ARGUMENT, format!("Unknown field: {name}"));
            envelope.field(name).ok_or_else(unknown)
        };
        let plan = Plan { after: row("after")?, before: row("before")?, view: None };
        Ok(Some(self.plans.insert(id, plan)))
    }

    /// The envelope with its new field.
    fn view(&mut self, value: &Payload<'_>) -> Result<Arc<View>, TransformError> {
        let envelope = value.part().ok_or_else(TransformError::struct_mismatch)?;
        let id = envelope.schema.id;
        let place = if let Some(place) = self.descriptions.place(|known| *known == id, || id) {
            place
        } else {
            let description = Arc::new(self.description(&envelope, value.frame())?);
            self.descriptions.insert(id, (Arc::clone(&envelope.schema), description))
        };
        let description = Part::clone(&self.descriptions.at(place).1);
        let mut fields: Vec<(Arc<str>, Part)> =
            envelope.fields().map(|(name, part)| (name, part.or_default())).collect();
        fields.push(("sourceSchema".into(), description));
        let basics = envelope.schema.edit().default(None).build();
        Ok(View::of(structure(&basics, fields, Presence::Always)?, value.slots()))
    }

    /// The description of the table whose rows an envelope holds.
    fn description(&self, envelope: &Part, frame: Frame<'_>) -> Result<Part, TransformError> {
        let field = |part: &Part, name: &str| part.field(name).ok_or_else(|| TransformError::no_field(name));
        let table = field(&field(envelope, "source")?, "table")?.or_default().value(frame);
        let row = field(envelope, "after")?.schema;
        let columns: Result<Vec<Value>, TransformError> =
            row.fields().iter().map(|field| column(&field.schema)).collect();
        let text = || Schema::of(Kind::String).build();
        let number = || Schema::of(Kind::Int32).optional().build();
        let named = |kind, name: &str| Schema::of(kind).named(name, Some(1)).build();
        let adjusted = |name: &str| adjust_schema_name(self.names, name);
        let of_column = Kind::structure([
            ("name", text()),
            ("typeName", text()),
            ("length", number()),
            ("scale", number()),
            ("comment", Schema::of(Kind::String).optional().build()),
        ]);
        let of_column = named(of_column, &adjusted("io.debezium.connector.source.schema.Column"));
        let of_columns = Schema::of(Kind::Array(of_column)).build();
        // Debezium adjusts the names of the other two only.
        let of_table = named(Kind::structure([("columns", of_columns)]), "io.debezium.connector.source.schema.Table");
        let whole = Kind::structure([("id", text()), ("table", of_table)]);
        let whole = named(whole, &adjusted("io.debezium.connector.source.Schema"));
        let columns = Value::Struct(vec![Value::Array(columns?)]);
        Ok(Part::constant(whole, Value::Struct(vec![table, columns])))
    }
}

/// The description of a column, from the parameters of its schema.
fn column(schema: &Schema) -> Result<Value, TransformError> {
    let parameter = |name: &str| {
        let found =
            schema.parameters.iter().find(|(known, _)| known.strip_prefix("__debezium.source.column.") == Some(name));
        found.map(|(_, value)| &**value)
    };
    let text = |name: &str| parameter(name).map_or(Value::Null, Value::text);
    let number = |name: &str| {
        let Some(text) = parameter(name) else { return Ok(Value::Null) };
        let wrong = |_| TransformError::new("java.lang.NumberFormatException", format!("For input string: \"{text}\""));
        text.parse::<i32>().map(|number| Value::Int(number.into())).map_err(wrong)
    };
    if parameter("name").is_none() || parameter("type").is_none() {
        let message = "Ensure that enable configurations \"column.propagate.source.type\" or \
                       \"datatype.propagate.source.type\" and the value is set to \".*\"";
        return Err(TransformError::new(java::DEBEZIUM, message));
    }
    Ok(Value::Struct(vec![text("name"), text("type"), number("length")?, number("scale")?, text("comment")]))
}

impl Transform for ExtractSchemaToNewRecord {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() {
            return Ok(Some(record));
        }
        let Some(place) = self.place(&record.value)? else { return Ok(Some(record)) };
        let plan = self.plans.at(place);
        let frame = record.value.frame();
        if plan.after.is_null(frame) && plan.before.is_null(frame) {
            return Ok(Some(record));
        }
        let view = if let Some(view) = &plan.view {
            Arc::clone(view)
        } else {
            let view = self.view(&record.value)?;
            self.plans.at(place).view = Some(Arc::clone(&view));
            view
        };
        record.value = record.value.through(&view, []);
        Ok(Some(record))
    }
}
