//! Builds the records of examples: raw changes of a table with a source block like PostgreSQL's, and owned values.
//!
//! Must not know: how outcomes are written.

use std::sync::Arc;

use record::{
    Change, Decode, DecodeError, Decoded, Field, Header, Headers, KeyShape, Kind, NONE, Op, Payload, Position, Record,
    Schema, SchemaBuilder, Shape, ShapeViews, SourceField, SourceShape, Span, TransactionMark, Value, ValueRef, unhex,
    unscaled_of,
};
use serde_json::{Map, Value as Json};

/// A record of an example.
pub(super) struct Given {
    json: Json,
    types: Map<String, Json>,
}

/// The schema of a logical decoding message.
const MESSAGE: &str = "io.debezium.connector.postgresql.MessageValue";

struct NoDecode;

impl Decode for NoDecode {
    fn row<'a>(&'a self, _: &'a [u8], _: &'a [Span], _: &mut Vec<ValueRef<'a>>) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// 2023-11-14T22:13:20Z in microseconds: the time of each change's commit.
const COMMITTED_US: i64 = 1_700_000_000_000_000;
/// When the change was processed: 123 ms later.
const PROCESSED_NS: i64 = 1_700_000_000_123_456_789;

impl Given {
    pub(super) fn new(json: &Json) -> Result<Self, String> {
        let types = json.get("types").and_then(Json::as_object).cloned().unwrap_or_default();
        if json.get("topic").is_none() {
            return Err(format!("a record without topic: {json}"));
        }
        Ok(Self { json: json.clone(), types })
    }

    pub(super) fn json(&self) -> &Json {
        &self.json
    }

    /// Builds the record and passes it on; with `owned`, its values are owned.
    pub(super) fn with<R>(&self, owned: bool, run: impl FnOnce(Record<'_>) -> R) -> R {
        let topic = self.json["topic"].as_str().unwrap_or_default();
        let headers: Vec<Header<'static>> = (self.json["headers"].as_array().into_iter().flatten())
            .map(|header| {
                let name = header[0].as_str().unwrap_or_default();
                let schema = self.schema(&format!("header:{name}"), &header[1], "");
                Header::new(name, Arc::clone(&schema), value(&schema, &header[1]))
            })
            .collect();
        let key = self.plain("key", topic);
        let record = |key, value| {
            let mut list = Headers::default();
            list.extend(headers.clone());
            Record {
                topic: topic.into(),
                partition: self.json["partition"].as_i64().map(|partition| partition as i32),
                timestamp_ms: self.json["timestamp"].as_i64(),
                key,
                value,
                headers: list,
            }
        };
        let Some(envelope) = self.json["value"].as_object().filter(|value| is_change(value)) else {
            return run(record(key, self.plain("value", topic)));
        };
        let shape = self.shape(topic, envelope);
        let change = change(envelope);
        let row = |image: &str| {
            let Value::Struct(values) = value(&shape.row, envelope.get(image)?) else { return None };
            Some(values)
        };
        let (before, after) = (row("before"), row("after"));
        // The cells stand in reverse order, so that mixing up a cell's index and a field's index fails a test.
        let cells = |row: &Option<Vec<Value>>| {
            row.as_ref().map(|values| values.iter().rev().cloned().map(cell).collect::<Vec<_>>())
        };
        let (before, after) = (cells(&before), cells(&after));
        let decoded = Decoded::new(&shape, &change, before.as_deref(), after.as_deref(), PROCESSED_NS);
        let envelope = decoded.envelope();
        run(record(key, if owned { envelope.into_owned() } else { envelope }))
    }

    /// A key or value that is not a change.
    fn plain(&self, part: &str, topic: &str) -> Payload<'static> {
        let Some(json) = self.json.get(part).filter(|json| !json.is_null()) else { return Payload::Null };
        let name = match (part, json.get("op")) {
            ("key", _) => format!("{topic}.Key"),
            (_, Some(_)) => MESSAGE.to_owned(),
            _ => format!("{topic}.Value"),
        };
        let schema = self.schema(if part == "value" { "" } else { part }, json, &name);
        let value = value(&schema, json);
        Payload::Value(schema, value)
    }

    /// The schema of a value at a path: as `types` says, else as the JSON looks.
    fn schema(&self, path: &str, json: &Json, name: &str) -> Arc<Schema> {
        let named = |builder: SchemaBuilder| if name.is_empty() { builder } else { builder.named(name, None) };
        if let Some(text) = self.types.get(path).and_then(Json::as_str) {
            return self.typed(path, text, json);
        }
        let of = |kind| Schema::of(kind).optional().build();
        match json {
            Json::Null | Json::String(_) => of(Kind::String),
            Json::Bool(_) => of(Kind::Bool),
            Json::Number(number) if number.is_f64() => of(Kind::Float64),
            Json::Number(number) if number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => of(Kind::Int32),
            Json::Number(_) => of(Kind::Int64),
            Json::Array(items) => {
                let of_items = self.schema(&join(path, "[]"), items.first().unwrap_or(&Json::Null), "");
                of(Kind::Array(of_items))
            }
            Json::Object(members) => named(Schema::of(self.structure(path, members))).build(),
        }
    }

    fn structure(&self, path: &str, members: &Map<String, Json>) -> Kind {
        let field = |(name, json): (&String, &Json)| {
            let schema = self.schema(&join(path, name), json, "");
            let inner = matches!(schema.kind, Kind::Struct(_)) && !self.types.contains_key(&join(path, name));
            // Only `id` is required, as the column of a primary key is; structs inside of others are optional.
            let required = name == "id" && !self.types.contains_key(&join(path, name));
            let schema = if required { schema.edit().optional_if(false).build() } else { schema };
            let schema = if inner { schema.edit().optional().build() } else { schema };
            Field { name: name.as_str().into(), schema }
        };
        Kind::Struct(members.iter().map(field).collect())
    }

    /// A type as examples write it, such as `int64?=5 io.debezium.time.Timestamp`, or `struct NAME` over what the JSON has.
    /// Parameters may follow in braces: `int32 {name=value,name=value}`.
    fn typed(&self, path: &str, text: &str, json: &Json) -> Arc<Schema> {
        if let Some((text, parameters)) = text.strip_suffix('}').and_then(|text| text.split_once(" {")) {
            let pairs = parameters.split(',').filter_map(|pair| pair.split_once('='));
            let plain = self.typed(path, text, json).edit();
            return pairs.fold(plain, |schema, (name, value)| schema.parameter(name, value)).build();
        }
        let (text, name) = text.split_once(' ').map_or((text, None), |(text, name)| (text, Some(name)));
        let (text, default) = text.split_once('=').map_or((text, None), |(text, default)| (text, Some(default)));
        let (base, optional) = text.strip_suffix('?').map_or((text, false), |base| (base, true));
        let mut builder = if let Some(scale) = base.strip_prefix("decimal(").and_then(|rest| rest.strip_suffix(')')) {
            Schema::of(Kind::Bytes).named("org.apache.kafka.connect.data.Decimal", Some(1)).parameter("scale", scale)
        } else {
            Schema::of(self.kind(path, base, json))
        };
        if let Some(name) = name {
            builder =
                builder.named(name, if name.contains(".time.") || name.contains(".data.") { Some(1) } else { None });
        }
        let schema = builder.optional_if(optional).build();
        let Some(default) = default else { return schema };
        let default = serde_json::from_str(default).unwrap_or_else(|_| Json::String(default.to_owned()));
        schema.edit().default(Some(value(&schema, &default))).build()
    }

    fn kind(&self, path: &str, base: &str, json: &Json) -> Kind {
        let inner = |text: &str| Arc::new(text.to_owned());
        match base {
            "int8" => Kind::Int8,
            "int16" => Kind::Int16,
            "int32" => Kind::Int32,
            "int64" => Kind::Int64,
            "float32" => Kind::Float32,
            "float64" => Kind::Float64,
            "boolean" => Kind::Bool,
            "string" => Kind::String,
            "bytes" => Kind::Bytes,
            "struct" => self.structure(path, json.as_object().unwrap_or(&Map::new())),
            other => {
                let of = |open: &str| other.strip_prefix(open).and_then(|rest| rest.strip_suffix('>')).map(inner);
                if let Some(of) = of("array<") {
                    let first = json.as_array().and_then(|items| items.first()).unwrap_or(&Json::Null);
                    return Kind::Array(self.typed(&join(path, "[]"), &of, first));
                }
                let of = of("map<").unwrap_or_else(|| panic!("an unknown type: {other}"));
                let (key, of) = of.split_once(',').unwrap_or_else(|| panic!("no map: {other}"));
                let key = self.typed(path, key, &Json::Null);
                Kind::Map(key, self.typed(&join(path, "{}"), of, &Json::Null))
            }
        }
    }

    fn shape(&self, topic: &str, envelope: &Map<String, Json>) -> Shape {
        let images = ["before", "after"].map(|image| (image, envelope.get(image).and_then(Json::as_object)));
        let mut fields: Vec<Field> = Vec::new();
        for (image, columns) in images {
            let Kind::Struct(found) =
                columns.map_or(Kind::Struct(Vec::new()), |columns| self.structure(image, columns))
            else {
                continue;
            };
            for field in found {
                match fields.iter_mut().find(|known| known.name == field.name) {
                    // A null says nothing of the type, so the other image's value decides.
                    Some(known) if !columns.is_some_and(|columns| columns[&*field.name].is_null()) => *known = field,
                    Some(_) => {}
                    None => fields.push(field),
                }
            }
        }
        let cells: Vec<u16> = (0..fields.len() as u16).rev().collect();
        let row = Schema::of(Kind::Struct(fields)).optional().named(&format!("{topic}.Value"), None).build();
        let int = || Schema::of(Kind::Int64).build();
        let maybe = |kind| Schema::of(kind).optional().build();
        let source = source(topic, envelope.get("source").and_then(Json::as_object));
        let transaction = Kind::structure([
            ("id", Schema::of(Kind::String).build()),
            ("total_order", int()),
            ("data_collection_order", int()),
        ]);
        let time = maybe(Kind::Int64);
        let whole = Schema::of(Kind::structure([
            ("before", Arc::clone(&row)),
            ("after", Arc::clone(&row)),
            ("source", Arc::clone(&source.schema)),
            ("transaction", Schema::of(transaction).optional().named("event.block", Some(1)).build()),
            ("op", Schema::of(Kind::String).build()),
            ("ts_ms", Arc::clone(&time)),
            ("ts_us", Arc::clone(&time)),
            ("ts_ns", time),
        ]));
        let key = row.field("id").map(|at| {
            let id = ("id", row.fields()[at].schema.clone());
            let schema = Schema::of(Kind::structure([id])).named(&format!("{topic}.Key"), None).build();
            KeyShape { schema, cells: vec![cells[at]] }
        });
        Shape {
            table: topic.splitn(2, '.').last().unwrap_or_default().into(),
            topic: topic.into(),
            key,
            row,
            envelope: whole.named(&format!("{topic}.Envelope"), Some(2)).build(),
            cells,
            source,
            decode: Box::new(NoDecode),
            views: ShapeViews::default(),
        }
    }
}

/// Whether a value is a change of a table. A logical message has the operation `m`.
fn is_change(value: &Map<String, Json>) -> bool {
    value.get("op").is_some_and(|op| op != "m")
}

/// A value as a cell; a decoder never gives a null in any other form than this.
fn cell(value: Value) -> ValueRef<'static> {
    if value == Value::Null { ValueRef::Null } else { ValueRef::Owned(Box::new(value)) }
}

fn join(path: &str, step: &str) -> String {
    if path.is_empty() { step.to_owned() } else { format!("{path}.{step}") }
}

fn source(topic: &str, given: Option<&Map<String, Json>>) -> SourceShape {
    let mut names = topic.rsplitn(3, '.');
    let (table, schema, server) = (names.next(), names.next(), names.next());
    let text = |name: &str, usual: &str| {
        let given = given.and_then(|given| given.get(name)).and_then(Json::as_str);
        SourceField::Text(given.unwrap_or(usual).into())
    };
    let string = || Schema::of(Kind::String).build();
    let maybe = |kind| Schema::of(kind).optional().build();
    let snapshot = Schema::of(Kind::String)
        .optional()
        .named("io.debezium.data.Enum", Some(1))
        .parameter("allowed", "true,last,false")
        .default(Some(Value::text("false")))
        .build();
    let fields = [
        ("version", string(), text("version", "3.6.1.Final")),
        ("connector", string(), text("connector", "postgresql")),
        ("name", string(), text("name", server.unwrap_or("srv"))),
        ("ts_ms", Schema::of(Kind::Int64).build(), SourceField::Millis(0)),
        ("snapshot", snapshot, SourceField::Snapshot),
        ("db", string(), text("db", "shop")),
        ("sequence", maybe(Kind::String), SourceField::Sequence { commit: 3, lsn: 1 }),
        ("ts_us", maybe(Kind::Int64), SourceField::Micros(0)),
        ("ts_ns", maybe(Kind::Int64), SourceField::Nanos(0)),
        ("schema", string(), text("schema", schema.unwrap_or("public"))),
        ("table", string(), text("table", table.unwrap_or("t"))),
        ("txId", maybe(Kind::Int64), SourceField::Steady(2)),
        ("lsn", maybe(Kind::Int64), SourceField::Word(1)),
        ("xmin", maybe(Kind::Int64), SourceField::Steady(4)),
    ];
    let schema = Schema::of(Kind::structure(fields.iter().map(|(name, schema, _)| (*name, Arc::clone(schema)))))
        .named("io.debezium.connector.postgresql.Source", Some(1))
        .build();
    SourceShape { schema, fields: fields.into_iter().map(|(_, _, field)| field).collect() }
}

fn change(envelope: &Map<String, Json>) -> Change {
    let op = match envelope["op"].as_str() {
        Some("c") => Op::Create,
        Some("r") => Op::Read,
        Some("u") => Op::Update,
        Some("d") => Op::Delete,
        Some("t") => Op::Truncate,
        other => panic!("an unknown op: {other:?}"),
    };
    let mut words = [NONE; Position::WORDS];
    words[..3].copy_from_slice(&[COMMITTED_US, 24_023_128, 555]);
    let mut change = Change::new(0, op, Position { words, texts: None });
    change.tombstone = op == Op::Delete;
    if let Some(block) = envelope.get("transaction").and_then(Json::as_object) {
        change.transaction = Some(Box::new(TransactionMark {
            id: block["id"].as_str().unwrap_or_default().into(),
            total_order: block["total_order"].as_i64().unwrap_or(1),
            collection_order: block["data_collection_order"].as_i64().unwrap_or(1),
        }));
    }
    change
}

/// A JSON value under a schema.
fn value(schema: &Schema, json: &Json) -> Value {
    match (&schema.kind, json) {
        (_, Json::Null) => Value::Null,
        (Kind::Bool, Json::Bool(truth)) => Value::Bool(*truth),
        (Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64, Json::Number(number)) => Value::int(number.as_i64()),
        (Kind::Float32, Json::Number(number)) => Value::Float(number.as_f64().unwrap_or_default() as f32),
        (Kind::Float64, Json::Number(number)) => Value::Double(number.as_f64().unwrap_or_default()),
        (Kind::String, Json::String(text)) => Value::text(text),
        (Kind::Bytes, Json::String(text)) if schema.parameters.iter().any(|(name, _)| &**name == "scale") => {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let scale = text.split_once('.').map_or(0, |(_, fraction)| fraction.len() as i32);
            Value::Decimal { unscaled: unscaled_of(digits.as_bytes(), text.starts_with('-')), scale }
        }
        (Kind::Bytes, Json::String(text)) => {
            let hex = text.strip_prefix("0x").and_then(|digits| unhex(digits.as_bytes()));
            Value::Bytes(hex.unwrap_or_else(|| text.as_bytes().to_vec()))
        }
        (Kind::Array(of), Json::Array(items)) => Value::Array(items.iter().map(|item| value(of, item)).collect()),
        (Kind::Map(key, of), Json::Object(members)) => {
            let key = |name: &str| match (&key.kind, name.parse()) {
                (Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64, Ok(number)) => Value::Int(number),
                _ => Value::text(name),
            };
            Value::Map(members.iter().map(|(name, json)| (key(name), value(of, json))).collect())
        }
        (Kind::Struct(fields), Json::Object(members)) => {
            let field = |field: &Field| value(&field.schema, members.get(&*field.name).unwrap_or(&Json::Null));
            Value::Struct(fields.iter().map(field).collect())
        }
        (kind, json) => panic!("{json} is no {kind:?}"),
    }
}
