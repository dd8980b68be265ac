//! The attributes of an event, compiled for records of one kind: the schema of the event, and how each value is made.
//!
//! Must not know: how an event is written.

use std::sync::Arc;

use record::{Kind, Part, Payload, Presence, Schema, Value, View, adjust_schema_name, write_zoned};

use super::attribute::{Attribute, header};
use super::config::{Config, Place};
use crate::convert::{ConvertError, Given};

const DEBEZIUM_EXCEPTION: &str = "io.debezium.DebeziumException";
const DATA_EXCEPTION: &str = "org.apache.kafka.connect.errors.DataException";
const ILLEGAL_ARGUMENT: &str = "java.lang.IllegalArgumentException";

/// A connector whose records can be events.
struct Connector {
    name: &'static str,
    /// The fields of the source block that an event's id is made of, each with what stands before it.
    id: &'static [(&'static str, &'static str)],
    /// The fields of an envelope that are the event's data; nothing for all of them.
    data: &'static [&'static str],
}

const CONNECTORS: &[Connector] = &[
    Connector {
        name: "postgresql",
        id: &[("name:", "name"), (";lsn:", "lsn"), (";txId:", "txId"), (";sequence:", "sequence")],
        data: &["before", "after"],
    },
    Connector {
        name: "mysql",
        id: &[("name:", "name"), (";file:", "file"), (";pos:", "pos")],
        data: &["before", "after"],
    },
    Connector { name: "mariadb", id: &[("name:", "name"), (";file:", "file"), (";pos:", "pos")], data: &[] },
];

/// How an attribute is made that no part of the record is as it stands.
#[derive(Debug)]
enum Made {
    /// Texts and attributes, one behind the other.
    Joined(Vec<(&'static str, Attribute)>),
    /// An instant in milliseconds, as a text.
    Time(Attribute),
    /// A number as a text.
    Text(Attribute),
    /// The attribute as it is.
    Copy(Attribute),
    /// The text of a header that must be there.
    Header(Attribute, &'static str),
    /// The address of the data's schema, or the data. It is given when an event is made.
    Later(Later),
}

/// What is only known when the data has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Later {
    SchemaAddress,
    Data,
}

/// The events of records of one kind.
#[derive(Debug)]
pub(super) struct Event {
    /// The event; with the data only if the data is to be one of its fields.
    pub(super) part: Part,
    /// The data.
    pub(super) data: Part,
    view: Arc<View>,
    /// How many owned values the record's value has.
    slots: u16,
    made: Vec<Made>,
    /// What must be the same in all records that this was compiled for.
    same: Same,
}

/// What events of one kind have in common.
#[derive(Debug, PartialEq)]
struct Same {
    connector: String,
    /// Id of the header `source`; 0 where the source block is in the value.
    source: u32,
    data_name: Option<String>,
}

/// What an event contains beside its attributes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Contents {
    /// Whether the event names the address of the data's schema.
    pub(super) schema_address: bool,
    /// Whether the data is a field of the event: bytes.
    pub(super) data: bool,
}

/// Whether a record is an event at all: it is an envelope, or has the headers of one.
pub(super) fn is_event(config: &Config, given: Given<'_, '_>) -> bool {
    if config.places.all == Place::Header {
        return ["source", "op"].iter().all(|name| header(given.headers, name).is_some());
    }
    let name = given.payload.schema().and_then(|schema| schema.name.as_deref());
    name.is_some_and(|name| name.ends_with(".Envelope"))
}

struct Compiler<'c> {
    config: &'c Config,
    /// How many owned values the record's value has. A part of a value without any can be a part of the event as well.
    slots: u16,
    fields: Vec<(Arc<str>, Part)>,
    made: Vec<Made>,
}

impl Event {
    /// Compiles the attributes for records like the given one, which is an event.
    ///
    /// # Errors
    /// When an attribute that an event must have cannot be made.
    pub(super) fn compile(config: &Config, given: Given<'_, '_>, contents: Contents) -> Result<Self, ConvertError> {
        let mismatch = || refused(DATA_EXCEPTION, "Mismatching schema");
        let part = given.payload.part().filter(|part| matches!(part.schema.kind, Kind::Struct(_)));
        let part = part.ok_or_else(mismatch)?;
        let of_header = config.places.all == Place::Header;
        let source = if of_header {
            header(given.headers, "source").and_then(|source| source.value.part())
        } else {
            part.field("source")
        };
        let source = source.ok_or_else(|| refused(DATA_EXCEPTION, "source is not a valid field name"))?;
        let of = |field: &str| {
            if of_header {
                return Attribute::header("source", Some(field));
            }
            part.field("source").and_then(|source| source.field(field)).map_or_else(null, attribute)
        };
        let same = Same::of(config, given)?;
        let connector = CONNECTORS.iter().find(|known| known.name == same.connector).ok_or_else(|| {
            let text = format!("No usable CloudEvents converters for connector type \"{}\"", same.connector);
            refused(DATA_EXCEPTION, text)
        })?;
        let data = data(connector, &part, &same, of_header)?;
        let mut compiler = Compiler { config, slots: given.payload.slots(), fields: Vec::new(), made: Vec::new() };
        compiler.required(connector, &of)?;
        if contents.schema_address {
            compiler.add("dataschema", &text(false), Made::Later(Later::SchemaAddress));
        }
        compiler.trace_parent()?;
        if config.extensions {
            compiler.extensions(&part, &source, of_header)?;
        }
        if contents.data {
            compiler.add("data", &Schema::of(Kind::Bytes).build(), Made::Later(Later::Data));
        }
        let name = match &config.event_name {
            Some(name) => name.clone(),
            None => format!("{}.{}.CloudEvents.Envelope", of("name").text(given), of("db").text(given)),
        };
        let name = adjust_schema_name(config.adjustment, &name);
        let basics = Schema::of(Kind::Struct(Vec::new())).named(&name, None).build();
        let part = Part::structure(&basics, compiler.fields, Presence::Always);
        let view = View::of(part.clone(), compiler.made.len() as u16);
        Ok(Self { part, data, view, slots: given.payload.slots(), made: compiler.made, same })
    }

    /// The view of a record's value that shows the data.
    pub(super) fn data_view(&self) -> Arc<View> {
        View::of(self.data.clone(), self.slots)
    }

    /// The event of a record. `address` and `data` are what the [`Contents`] have promised.
    ///
    /// # Errors
    /// When an attribute that an event must have is missing, or the record is of another kind than the one that this was
    /// compiled for.
    pub(super) fn make<'a>(
        &mut self,
        config: &Config,
        given: Given<'_, 'a>,
        address: Option<String>,
        data: Option<Vec<u8>>,
    ) -> Result<Payload<'a>, ConvertError> {
        if Same::of(config, given)? != self.same {
            return Err(ConvertError::Changed);
        }
        let (mut address, mut data) = (address, data);
        let mut owned = Vec::with_capacity(self.made.len());
        for made in &mut self.made {
            owned.push(match made {
                Made::Joined(parts) => {
                    let mut text = String::new();
                    for (before, attribute) in parts {
                        text.push_str(before);
                        text.push_str(&attribute.text(given));
                    }
                    Value::Text(text)
                }
                Made::Time(attribute) => match attribute.read(given) {
                    Value::Int(ms) => Value::Text(time(ms)),
                    other => other,
                },
                Made::Text(attribute) => match attribute.read(given) {
                    Value::Int(number) => Value::Text(number.to_string()),
                    other => other,
                },
                Made::Copy(attribute) => attribute.read(given),
                Made::Header(attribute, name) => match (header(given.headers, name), attribute.read(given)) {
                    (None, _) if *name != "traceparent" => return Err(provided(name)),
                    (_, Value::Null) => return Err(missing(name)),
                    (_, value) => value,
                },
                Made::Later(Later::SchemaAddress) => address.take().map_or(Value::Null, Value::Text),
                Made::Later(Later::Data) => data.take().map_or(Value::Null, Value::Bytes),
            });
        }
        let decoded = if let Payload::View(_, decoded, _) = given.payload { *decoded } else { None };
        Ok(Payload::View(Arc::clone(&self.view), decoded, owned))
    }
}

impl Same {
    fn of(config: &Config, given: Given<'_, '_>) -> Result<Self, ConvertError> {
        let (mut connector, source) = if config.places.all == Place::Header {
            let source = header(given.headers, "source").map_or(0, |header| header.value.id());
            (Attribute::header("source", Some("connector")), source)
        } else {
            let source = given.payload.part().and_then(|part| part.field("source"));
            (source.and_then(|source| source.field("connector")).map_or_else(null, attribute), 0)
        };
        let data_name = if config.places.data_name == Place::Header {
            let Value::Text(name) = Attribute::header("dataSchemaName", None).read(given) else {
                return Err(provided("dataSchemaName"));
            };
            Some(name)
        } else {
            None
        };
        Ok(Self { connector: connector.text(given), source, data_name })
    }
}

impl Compiler<'_> {
    /// Adds an attribute that is made.
    fn add(&mut self, name: &str, schema: &Arc<Schema>, made: Made) {
        let part = Part::owned(Arc::clone(schema), self.made.len() as u16);
        self.made.push(made);
        self.fields.push((name.into(), part));
    }

    /// Adds an attribute that is the same in all events.
    fn constant(&mut self, name: &str, value: &str) {
        self.fields.push((name.into(), Part::constant(text(false), Value::text(value))));
    }

    /// The attributes up to `datacontenttype`, which every event has.
    fn required(&mut self, connector: &Connector, of: &dyn Fn(&str) -> Attribute) -> Result<(), ConvertError> {
        match self.config.places.id {
            Place::Generate => {
                let id = connector.id.iter().map(|(before, field)| (*before, of(field)));
                self.add("id", &text(false), Made::Joined(id.collect()));
            }
            Place::Header => self.add("id", &text(false), Made::Header(Attribute::header("id", None), "id")),
            Place::Value => return Err(missing("id")),
        }
        let source = vec![("/debezium/", of("connector")), ("/", of("name"))];
        self.add("source", &text(false), Made::Joined(source));
        self.constant("specversion", "1.0");
        match self.config.places.kind {
            Place::Generate => {
                self.constant("type", &format!("io.debezium.connector.{}.DataChangeEvent", connector.name));
            }
            Place::Header => self.add("type", &text(false), Made::Header(Attribute::header("type", None), "type")),
            Place::Value => return Err(missing("type")),
        }
        self.add("time", &text(false), Made::Time(of("ts_ms")));
        self.constant("datacontenttype", self.config.data.content_type());
        Ok(())
    }

    fn trace_parent(&mut self) -> Result<(), ConvertError> {
        if !self.config.trace_parent {
            return Ok(());
        }
        if self.config.places.trace_parent != Place::Header {
            let text = "Value for `traceparent` CloudEvents field currently can't be obtained from a record value and can only \
                        be obtained from a record header";
            return Err(refused(DATA_EXCEPTION, text));
        }
        let header = Attribute::header("traceparent", None);
        self.add("traceparent", &text(false), Made::Header(header, "traceparent"));
        Ok(())
    }

    fn extensions(&mut self, part: &Part, source: &Part, of_header: bool) -> Result<(), ConvertError> {
        if of_header {
            self.add("iodebeziumop", &text(false), Made::Copy(Attribute::header("op", None)));
        } else {
            let op = part.field("op").ok_or_else(|| refused(DATA_EXCEPTION, "op is not a valid field name"))?;
            self.field("iodebeziumop", op.or_default(), &text(false));
        }
        for (field, part) in source.fields() {
            let name = extension(&field);
            let schema = extension_schema(&part.schema)?;
            let is_long = matches!(part.schema.kind, Kind::Int64);
            match (of_header, is_long) {
                (true, true) => self.add(&name, &schema, Made::Text(Attribute::header("source", Some(&field)))),
                (true, false) => self.add(&name, &schema, Made::Copy(Attribute::header("source", Some(&field)))),
                (false, true) => self.add(&name, &schema, Made::Text(attribute(part))),
                (false, false) => self.field(&name, part.or_default(), &schema),
            }
        }
        let transaction = if of_header { None } else { part.field("transaction") };
        for field in ["id", "total_order", "data_collection_order"] {
            let attribute = match (of_header, &transaction) {
                (true, _) => Attribute::header("transaction", Some(field)),
                (false, Some(part)) => part.field(field).map_or_else(null, attribute),
                (false, None) => null(),
            };
            self.add(&extension(&format!("tx{field}")), &text(true), Made::Text(attribute));
        }
        Ok(())
    }

    /// Adds an attribute that is a field of the record's value.
    fn field(&mut self, name: &str, part: Part, schema: &Arc<Schema>) {
        if self.slots == 0 {
            let part = Part { schema: Arc::clone(schema), node: part.node };
            self.fields.push((name.into(), part));
        } else {
            self.add(name, schema, Made::Copy(Attribute::Value(part)));
        }
    }
}

/// The data of an event: fields of the envelope, or the whole value where the source block is in a header.
fn data(connector: &Connector, part: &Part, same: &Same, of_header: bool) -> Result<Part, ConvertError> {
    let name = match &same.data_name {
        Some(name) => name.clone(),
        None => format!("io.debezium.connector.{}.Data", connector.name),
    };
    let fields: Vec<_> = if of_header || connector.data.is_empty() {
        part.fields().map(|(name, part)| (name, part.or_default())).collect()
    } else {
        let field = |name: &&str| Some((Arc::from(*name), part.field(name)?.or_default()));
        let fields: Option<_> = connector.data.iter().map(field).collect();
        fields.ok_or_else(|| refused(DATA_EXCEPTION, "before is not a valid field name"))?
    };
    let basics = Schema::of(Kind::Struct(Vec::new())).named(&name, None).build();
    Ok(Part::structure(&basics, fields, Presence::Always))
}

fn attribute(part: Part) -> Attribute {
    Attribute::Value(part.or_default())
}

/// An attribute that is null in every record.
fn null() -> Attribute {
    Attribute::Value(Part::constant(text(true), Value::Null))
}

fn text(optional: bool) -> Arc<Schema> {
    Schema::of(Kind::String).optional_if(optional).build()
}

/// The name of an extension attribute: only ASCII letters and digits are allowed in it.
fn extension(field: &str) -> String {
    let letters = field.chars().filter(char::is_ascii_alphanumeric);
    "iodebezium".chars().chain(letters).collect()
}

/// The schema of an extension attribute. CloudEvents have no numbers of 64 bits.
fn extension_schema(schema: &Schema) -> Result<Arc<Schema>, ConvertError> {
    let kind = match schema.kind {
        Kind::Bool => Kind::Bool,
        Kind::Int8 | Kind::Int16 | Kind::Int32 => Kind::Int32,
        Kind::String | Kind::Int64 => Kind::String,
        _ => {
            let found = schema.type_name();
            let text =
                format!("Source field of type {found} cannot be converted into CloudEvents extension attribute.");
            return Err(refused(ILLEGAL_ARGUMENT, text));
        }
    };
    Ok(Schema::of(kind).optional_if(schema.optional).build())
}

/// An instant in UTC, as Java's `SimpleDateFormat` writes it.
fn time(ms: i64) -> String {
    let mut out = Vec::with_capacity(24);
    write_zoned(&mut out, ms.saturating_mul(1000), 3);
    // Years beyond 9999 have no sign there.
    String::from_utf8_lossy(&out).trim_start_matches('+').to_owned()
}

fn refused(java_class: &'static str, message: impl Into<String>) -> ConvertError {
    ConvertError::CloudEvent { java_class, message: message.into() }
}

fn provided(header: &str) -> ConvertError {
    refused(DEBEZIUM_EXCEPTION, format!("Header `{header}` was not provided"))
}

fn missing(attribute: &str) -> ConvertError {
    let text = format!("Invalid value: null used for required field: \"{attribute}\", schema type: STRING");
    refused(DATA_EXCEPTION, text)
}
