//! `io.debezium.transforms.partitions.PartitionRouting`: chooses the partition by fields of the change.
//!
//! The hashes of the fields' values are added up; the sum modulo the number of partitions is the partition. Both hash functions
//! give what Debezium's give, to the bit: records must not change their partition when a worker is replaced.
//!
//! `change.product` is the field of the row after, or of the row before for a delete:
//!
//! ```json
//! {"partition.payload.fields": "change.id, change.product", "partition.topic.num": "100"}
//! {"topic": "srv.public.products", "types": {"after.id": "int64"}, "value": {"op": "c", "after": {"id": 1, "product": "orange"}}}
//! => {"partition": 39}
//! {"topic": "srv.public.products", "types": {"before.id": "int64"}, "value": {"op": "d", "before": {"id": 1, "product": "orange"}}}
//! => {"partition": 39}
//! {"topic": "srv.public.products", "value": null}
//! => {}
//! ```
//!
//! The other hash function; fields that the change does not have, or that are null, do not count:
//!
//! ```json
//! {"partition.payload.fields": "change.product,change.missing,source.nosuch", "partition.topic.num": "2",
//!  "partition.hash.function": "murmur"}
//! {"topic": "srv.public.products", "value": {"op": "u", "before": {"id": 1, "product": "x"}, "after": {"id": 1, "product": "hammer"}}}
//! => {"partition": 1}
//! {"topic": "srv.public.products", "value": {"op": "c", "after": {"id": 1, "product": null}}}
//! => {}
//! ```
//!
//! Must not know: how many partitions a topic really has.

mod hash;
#[cfg(test)]
mod tests;

use record::{Cache, Frame, Kind, Part, Payload, Record};
use settings::{Choice, Def, Key, Properties, Width};

use self::hash::Hash;
use crate::envelope::{is_envelope, operation};
use crate::error::{Refusal, java};
use crate::options::{Options, java_split};
use crate::structs::java_class;
use crate::{Transform, TransformError};

/// The number of inputs (usually tables) of which something is kept.
const CACHE: usize = 4096;
const FIELDS: &str = "partition.payload.fields";
const COUNT: &str = "partition.topic.num";

const fn key(name: &'static str, kind: settings::Kind, order: i32, title: &'static str) -> Key {
    Key::new(name, kind).at("partitions", order).shown(title, Width::None)
}

const KEYS: &[Key] = &[
    key(FIELDS, settings::Kind::List, 1, "List of payload fields to use for compute partition.")
        .high()
        .doc("The fields whose values decide on the partition, with points for fields of structs, such as source.table; change stands for before in a delete, else for after. Must be set."),
    key(COUNT, settings::Kind::Int, 2, "Number of partition configured for topic")
        .high()
        .doc("The number of partitions among which to choose. It is not compared with that of the topic. Must be set."),
    key("partition.hash.function", settings::Kind::String, 3, "Hash function")
        .low()
        .default("java")
        .doc("The hash function: java or murmur. Any other word means java."),
];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.partitions.PartitionRouting",
    module: module_path!(),
    summary: "Chooses the partition by fields of the change.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(PartitionRouting::new(properties)?)),
    remarks: crate::table::no_remarks,
};

/// Chooses the partition by fields of the change. Options and results are those of Debezium's
/// [partition routing](https://debezium.io/documentation/reference/stable/transformations/partition-routing.html).
#[derive(Debug)]
struct PartitionRouting {
    /// The names on the way to each field.
    fields: Vec<Vec<String>>,
    /// How many partitions there are, at least one.
    count: i32,
    hash: Hash,
    /// Where the fields are in an input, by the payload's id.
    plans: Cache<u32, Plan>,
    /// Memory for texts, used again for each record.
    buffer: Vec<u8>,
}

/// Where the fields are in an envelope.
#[derive(Debug)]
struct Plan {
    operation: Part,
    in_delete: Vec<Found>,
    in_others: Vec<Found>,
}

/// Where one field is.
#[derive(Debug)]
struct Found {
    /// The structs that it is inside of.
    around: Vec<Part>,
    /// None if the input has no such field.
    value: Option<Part>,
}

impl PartitionRouting {
    fn new(properties: &Properties) -> Result<Self, Vec<Refusal>> {
        let mut options = Options::new(properties);
        let fields = options.list(FIELDS);
        if !options.required(FIELDS).trim().is_empty() && fields.contains(&"") {
            options.problem(FIELDS, "Empty string element(s) not permitted");
        }
        let count = options.required(COUNT);
        let count = match count.parse::<i32>() {
            Ok(count) if count > 0 => count,
            // `required` has complained.
            _ if count.trim().is_empty() => 1,
            Ok(_) => {
                options.problem(COUNT, "A positive, non-zero integer value is expected");
                1
            }
            Err(_) => {
                options.problem(COUNT, "An integer is expected");
                1
            }
        };
        let hash = options.text("partition.hash.function").and_then(Hash::from_name).unwrap_or(Hash::Java);
        options.each_refused()?;
        let names = |field: &str| java_split(field, '.').into_iter().map(|name| name.trim().to_owned()).collect();
        let fields = fields.into_iter().map(names).collect();
        Ok(Self { fields, count, hash, plans: Cache::new(CACHE), buffer: Vec::new() })
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
            return Err(TransformError::new(java::CLASS_CAST, format!("the envelope is no struct, but {class}")));
        }
        let operation = envelope.field("op").ok_or_else(|| TransformError::no_field("op"))?;
        let found = |row: &str| self.fields.iter().map(|names| find(&envelope, names, row)).collect();
        let plan = Plan { in_delete: found("before"), in_others: found("after"), operation };
        Ok(Some(self.plans.insert(id, plan)))
    }
}

/// Looks for a field; `row` is what the name `change` stands for. A name that does not exist, or is that of a value inside of
/// which there are no fields, means that there is no such field.
fn find(envelope: &Part, names: &[String], row: &str) -> Found {
    let mut around: Vec<Part> = Vec::new();
    let Some((last, structs)) = names.split_last() else { return Found { around, value: None } };
    for name in structs {
        let name = if name == "change" { row } else { name };
        let inner = around.last().unwrap_or(envelope).field(name);
        match inner.filter(|inner| matches!(inner.schema.kind, Kind::Struct(_))) {
            Some(inner) => around.push(inner),
            None => return Found { around, value: None },
        }
    }
    let value = around.last().unwrap_or(envelope).field(last).map(Part::or_default);
    Found { around, value }
}

impl Found {
    /// The hash of the value; none if it is null.
    fn hash(&self, hash: Hash, frame: Frame<'_>, buffer: &mut Vec<u8>) -> Result<Option<i32>, TransformError> {
        if self.around.iter().any(|part| part.is_null(frame)) {
            let message =
                "Unprocessable message: a field of partition.payload.fields is inside of a struct that is null";
            let error = TransformError::new(java::DEBEZIUM, message);
            return Err(
                error.remedy_is("Write change instead of before or after, or keep such records away by a predicate.")
            );
        }
        let Some(value) = &self.value else { return Ok(None) };
        Ok(value.with(frame, |cell| (!cell.is_null()).then(|| hash.of(&value.schema, cell, buffer))))
    }
}

impl Transform for PartitionRouting {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() {
            return Ok(Some(record));
        }
        let Some(place) = self.place(&record.value)? else { return Ok(Some(record)) };
        let plan = self.plans.at(place);
        let frame = record.value.frame();
        let fields = match operation(&plan.operation, frame) {
            Some(b't' | b'm') => return Ok(Some(record)),
            Some(b'd') => &plan.in_delete,
            _ => &plan.in_others,
        };
        let mut sum: Option<i32> = None;
        for field in fields {
            if let Some(hash) = field.hash(self.hash, frame, &mut self.buffer)? {
                sum = Some(sum.unwrap_or(0).wrapping_add(hash));
            }
        }
        if let Some(sum) = sum {
            // The sign is masked; the largest number counts as 0.
            let sum = sum & i32::MAX;
            record.partition = Some(if sum == i32::MAX { 0 } else { sum % self.count });
        }
        Ok(Some(record))
    }
}
