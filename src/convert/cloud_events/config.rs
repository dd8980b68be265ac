//! The keys of the converter, and what they mean together.
//!
//! Must not know: records.

use record::Adjustment;
use settings::{Check, Invalid, Key, Kind, Properties};

use crate::convert::table::Refusal;

/// The keys of the converter.
pub(super) const KEYS: &[Key] = &[
    Key::new("serializer.type", Kind::String)
        .unlisted()
        .default("json")
        .high()
        .checks(&[Check::OneOfAnyCase(&["JSON", "AVRO"])])
        .doc("How events are written: json or avro. avro needs data.serializer.type=avro."),
    Key::new("data.serializer.type", Kind::String)
        .unlisted()
        .default("json")
        .high()
        .checks(&[Check::OneOfAnyCase(&["JSON", "AVRO"])])
        .doc("How the data of an event is written: json, or avro (inside of an event in JSON as base64)."),
    Key::new("opentelemetry.tracing.attributes.enable", Kind::Boolean)
        .unlisted()
        .default("false")
        .high()
        .doc("Whether events have the attribute traceparent, which is taken from the header of that name."),
    Key::new("extension.attributes.enable", Kind::Boolean)
        .unlisted()
        .default("true")
        .high()
        .doc("Whether events have an attribute for the operation, for each field of the source block and of the transaction block."),
    Key::new("schema.name.adjustment.mode", Kind::String)
        .unlisted()
        .default("avro")
        .low()
        .checks(&[Check::OneOfAnyCase(&["NONE", "AVRO", "AVRO_UNICODE"])])
        .doc("How the name of the event's schema is adjusted: none, avro or avro_unicode."),
    Key::new("schema.cloudevents.name", Kind::String)
        .unlisted()
        .low()
        .doc("The name of the event's schema, instead of one that is made of the names of server and database."),
    Key::new("schema.data.name.source.header.enable", Kind::Boolean)
        .unlisted()
        .default("false")
        .low()
        .doc("Whether dataSchemaName:header in metadata.source counts."),
    Key::new("metadata.source", Kind::List)
        .unlisted()
        .default("value,id:generate,type:generate,traceparent:header,dataSchemaName:generate")
        .high()
        .doc(
            "Where source, operation and transaction come from: value (the record is an envelope) or header (it has the headers \
             source, op and transaction, as HeaderFrom makes them). Behind it, where id, type, traceparent and dataSchemaName come \
             from: generate or header.",
        ),
    Key::new("json.<option>", Kind::String)
        .unlisted()
        .family("json.<option>")
        .doc("An option of JsonConverter for events and data in JSON; json.schemas.enable is for the data only."),
    Key::new("avro.<option>", Kind::String).unlisted().family("avro.<option>").doc(
        "An option of the Avro converter: Apicurio's with avro.apicurio.registry.url, Confluent's with avro.schema.registry.url.",
    ),
];

/// A way to write something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Serializer {
    Json,
    Avro,
}

impl Serializer {
    /// The media type of data that is written so.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Avro => "application/avro",
        }
    }
}

/// Where one attribute comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Value,
    Header,
    Generate,
}

impl Place {
    fn of(text: &str) -> Option<Self> {
        [("value", Self::Value), ("header", Self::Header), ("generate", Self::Generate)]
            .into_iter()
            .find_map(|(name, place)| name.eq_ignore_ascii_case(text.trim()).then_some(place))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Value => "VALUE",
            Self::Header => "HEADER",
            Self::Generate => "GENERATE",
        }
    }
}

/// Where attributes come from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// The source block, the operation and the transaction block.
    pub(super) all: Place,
    pub(super) id: Place,
    pub(super) kind: Place,
    pub(super) trace_parent: Place,
    pub(super) data_name: Place,
}

/// The settings of the converter.
#[derive(Clone, Debug)]
pub(super) struct Config {
    pub(super) event: Serializer,
    pub(super) data: Serializer,
    pub(super) places: Places,
    pub(super) trace_parent: bool,
    pub(super) extensions: bool,
    pub(super) adjustment: Adjustment,
    pub(super) event_name: Option<String>,
}

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// When they contradict each other.
    pub(super) fn read(properties: &Properties) -> Result<Self, Refusal> {
        let text = |name: &str| properties.get(name).map(str::trim);
        let is = |name: &str, default: bool| text(name).map_or(default, |text| text.eq_ignore_ascii_case("true"));
        let serializer = |name: &str| match text(name) {
            Some(text) if text.eq_ignore_ascii_case("avro") => Serializer::Avro,
            _ => Serializer::Json,
        };
        let (event, data) = (serializer("serializer.type"), serializer("data.serializer.type"));
        if (event, data) == (Serializer::Avro, Serializer::Json) {
            let message = "Cannot use 'application/json' data content type within Avro events";
            return Err(refused("data.serializer.type", message));
        }
        let trace_parent = is("opentelemetry.tracing.attributes.enable", false);
        let mut places = places(text("metadata.source").unwrap_or(DEFAULT_PLACES))?;
        // The headers of these two are read only where another key says so as well.
        if places.trace_parent == Place::Header && !trace_parent {
            places.trace_parent = Place::Generate;
        }
        if places.data_name == Place::Header && !is("schema.data.name.source.header.enable", false) {
            places.data_name = Place::Generate;
        }
        let adjustment = match text("schema.name.adjustment.mode").map(str::to_ascii_lowercase).as_deref() {
            Some("none") => Adjustment::None,
            Some("avro_unicode") => Adjustment::AvroUnicode,
            _ => Adjustment::Avro,
        };
        Ok(Self {
            event,
            data,
            places,
            trace_parent,
            extensions: is("extension.attributes.enable", true),
            adjustment,
            event_name: properties.get("schema.cloudevents.name").map(str::to_owned),
        })
    }
}

const DEFAULT_PLACES: &str = "value,id:generate,type:generate,traceparent:header,dataSchemaName:generate";

fn refused(key: &str, message: impl Into<String>) -> Refusal {
    Refusal::Properties(vec![Invalid::new(key, message)])
}

fn places(list: &str) -> Result<Places, Refusal> {
    let fails = |message: String| refused("metadata.source", message);
    let mut items = list.split(',').map(str::trim);
    let first = items.next().unwrap_or_default();
    let all = match Place::of(first) {
        Some(place @ (Place::Value | Place::Header)) => place,
        Some(place) => return Err(fails(format!("Global metadata source can't be {}", place.name()))),
        None => return Err(fails(format!("Global metadata source `{first}` is not valid"))),
    };
    let mut places = Places { all, id: all, kind: all, trace_parent: all, data_name: all };
    for item in items {
        let (field, place) = item.split_once(':').unwrap_or((item, ""));
        let place = match Place::of(place) {
            Some(Place::Value) => return Err(fails("Field metadata source can't be VALUE".to_owned())),
            Some(place) => place,
            None => return Err(fails(format!("Field source `{place}` is not valid"))),
        };
        match field {
            "id" => places.id = place,
            "type" => places.kind = place,
            "traceparent" => places.trace_parent = place,
            "dataSchemaName" => places.data_name = place,
            _ => return Err(fails(format!("Field `{field}` is not allowed to set custom source"))),
        }
    }
    Ok(places)
}
