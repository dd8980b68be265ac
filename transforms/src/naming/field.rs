//! `io.debezium.connector.jdbc.transforms.FieldNameTransformation`: renames the fields of key and row by a style, a prefix and
//! a suffix.
//!
//! It comes with Debezium's JDBC sink, where a field's name becomes a column's. In a change event only the fields of the rows
//! before and after are renamed; in every other struct, the fields of the struct. The fields inside of a field keep their
//! names.
//!
//! ```json
//! {"column.naming.style": "UPPER_CASE"}
//! {"topic": "srv.public.orders", "key": {"id": 1}, "value": {"op": "u", "before": null, "after": {"id": 1, "name": "Ann"}}}
//! => {"key": {"ID": 1}, "value": {"op": "u", "before": null, "after": {"ID": 1, "NAME": "Ann"}}}
//! {"topic": "orders", "key": {"id": 1}, "value": {"id": 1, "at": {"x": 1}}}
//! => {"key": {"ID": 1}, "value": {"ID": 1, "AT": {"x": 1}}}
//! {"topic": "orders", "key": {"id": 1}, "value": "text"}
//! => {}
//! ```
//!
//! The key of a tombstone keeps its names, so it no longer is the key of the rows before it:
//!
//! ```json
//! {"column.naming.prefix": "c_"}
//! {"topic": "srv.public.orders", "key": {"id": 1}, "value": {"op": "d", "before": {"id": 1}}}
//! => {"key": {"c_id": 1}, "value": {"op": "d", "before": {"c_id": 1}, "after": null}}
//! {"topic": "srv.public.orders", "key": {"id": 1}, "value": null}
//! => {}
//! ```
//!
//! Must not know: topics, values.

use std::sync::Arc;

use record::{Cache, Kind, Part, Payload, Record, View};
use settings::{Def, Key};

use super::Naming;
use crate::envelope::is_envelope;
use crate::structs::structure;
use crate::table::no_remarks;
use crate::{Transform, TransformError};

/// The number of schemas whose renamed forms are remembered.
const CACHE: usize = 4096;

const PREFIX: &str = "column.naming.prefix";
const SUFFIX: &str = "column.naming.suffix";
const STYLE: &str = "column.naming.style";

const KEYS: &[Key] = &[
    key(PREFIX, "Column Name Prefix").default("").doc("Stands before the name of each field."),
    key(SUFFIX, "Column Name Suffix").default("").doc("Stands behind the name of each field."),
    key(STYLE, "Column Naming Style").default("default").doc(
        "How the name itself is written: snake_case, camel_case, UPPER_CASE, lower_case or default, which leaves it.",
    ),
];

const fn key(name: &'static str, display_name: &'static str) -> Key {
    crate::options::key(name, settings::Kind::String, display_name, settings::Width::None).low()
}

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.connector.jdbc.transforms.FieldNameTransformation",
    module: module_path!(),
    summary: "Renames the fields of key and row by a style, a prefix and a suffix.",
    keys: Def::new(&[KEYS]),
    make: |properties| {
        let naming = Naming::new(properties, [PREFIX, SUFFIX, STYLE])?;
        Ok(Box::new(FieldName { naming, keys: Cache::new(CACHE), values: Cache::new(CACHE) }))
    },
    remarks: no_remarks,
};

#[derive(Debug)]
struct FieldName {
    naming: Naming,
    keys: Cache<u32, Arc<View>>,
    values: Cache<u32, Arc<View>>,
}

impl FieldName {
    /// The struct with new names for its fields.
    fn renamed(&self, part: &Part) -> Result<Part, TransformError> {
        let fields = part.fields().map(|(name, field)| (self.naming.apply(&name).into(), field)).collect();
        structure(&part.schema, fields, part.presence())
    }

    fn key(&mut self, key: &Payload<'_>) -> Result<Option<Arc<View>>, TransformError> {
        let id = key.id();
        if let Some(place) = self.keys.place(|known| *known == id, || id) {
            return Ok(Some(Arc::clone(self.keys.at(place))));
        }
        let Some(part) = key.part().filter(|part| matches!(part.schema.kind, Kind::Struct(_))) else { return Ok(None) };
        let view = View::of(self.renamed(&part)?, key.slots());
        self.keys.insert(id, Arc::clone(&view));
        Ok(Some(view))
    }

    fn value(&mut self, value: &Payload<'_>) -> Result<Option<Arc<View>>, TransformError> {
        let id = value.id();
        if let Some(place) = self.values.place(|known| *known == id, || id) {
            return Ok(Some(Arc::clone(self.values.at(place))));
        }
        let Some(whole) = value.part().filter(|part| matches!(part.schema.kind, Kind::Struct(_))) else {
            return Ok(None);
        };
        let renamed = if is_envelope(&whole.schema) {
            let mut fields = Vec::with_capacity(whole.schema.fields().len());
            for (name, field) in whole.fields() {
                let is_row = matches!(&*name, "before" | "after") && matches!(field.schema.kind, Kind::Struct(_));
                fields.push((name, if is_row { self.renamed(&field)? } else { field }));
            }
            Part::structure(&whole.schema, fields, whole.presence())
        } else {
            self.renamed(&whole)?
        };
        let view = View::of(renamed, value.slots());
        self.values.insert(id, Arc::clone(&view));
        Ok(Some(view))
    }
}

fn seen_through<'a>(payload: Payload<'a>, view: &Arc<View>) -> Payload<'a> {
    if payload.is_null() { Payload::NullOf(Arc::clone(&view.part.schema)) } else { payload.through(view, []) }
}

impl Transform for FieldName {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let Some(value) = self.value(&record.value)? else { return Ok(Some(record)) };
        if let Some(key) = self.key(&record.key)? {
            record.key = seen_through(record.key, &key);
        }
        record.value = seen_through(record.value, &value);
        record.headers.detach();
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use super::KIND;

    #[test]
    fn two_fields_of_one_name() {
        crate::example::check(
            KIND.class,
            r#"{"column.naming.style": "lower_case"}
            {"topic": "t", "value": {"a": 1, "A": 2}}
            => fails: Cannot create field because of field name duplication a"#,
        );
    }

    #[test]
    fn types_stay() {
        crate::example::check(
            KIND.class,
            r#"{"column.naming.suffix": "_"}
            {"topic": "t", "value": {"a": 1, "l": [1], "n": null}, "types": {"n": "int64?=5"}}
            => {"value": {"a_": 1, "l_": [1], "n_": null},
                "types": {"value.a_": "int32?", "value.l_": "array<int32?>?", "value.n_": "int64?=5"}}"#,
        );
    }
}
