//! `io.debezium.converters.CloudEventsConverter`: writes changes as events of the CloudEvents specification.
//!
//! An event is a struct of attributes (who, what, when) with the change as its data. Attributes and data are compiled once for
//! records of one kind and then written by the converters for JSON or Avro. Records that are no changes become Kafka's nulls,
//! as in Debezium.
//!
//! Headers are read as the transforms have left them, so it does not matter how `header.converter` writes them.
//!
//! Must not know: databases, Kafka.

mod attribute;
mod config;
mod event;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use record::Part;
use settings::{Def, Invalid, Properties};

use self::config::{Config, Serializer};
use self::event::{Contents, Event};
use super::json::{JsonConverter, JsonEncoder};
use super::table::{self, Refusal, Role};
use super::{ConvertError, Converter, Encoder, Given, Prepare};

/// The converter's keys.
pub(super) const DEF: Def = Def::new(&[super::TYPE_KEY, config::KEYS]);

/// Writes changes as CloudEvents.
#[derive(Debug)]
pub struct CloudEventsConverter {
    config: Config,
    /// For the attributes of events.
    json: JsonConverter,
    /// For data.
    json_data: JsonConverter,
    avro: Option<Avro>,
}

/// An Avro converter and the addresses of its registry.
#[derive(Debug)]
struct Avro {
    converter: Box<dyn Converter>,
    addresses: String,
}

impl CloudEventsConverter {
    /// A converter from properties that [`DEF`] has already checked.
    ///
    /// # Errors
    /// When the properties contradict each other, or the Avro converter cannot be made.
    pub(super) fn new(properties: &Properties) -> Result<Self, Refusal> {
        let config = Config::read(properties)?;
        let json_data: Properties = properties.under("json.").collect();
        let mut json = json_data.clone();
        json.insert("schemas.enable", "false");
        for json in [&json, &json_data] {
            let mut json = json.clone();
            json.insert("converter.type", "value");
            let complaints = super::json::DEF.complaints(&json);
            if !complaints.is_empty() {
                return Err(Refusal::Properties(complaints));
            }
        }
        let is_avro = [config.event, config.data].contains(&Serializer::Avro);
        let avro = if is_avro { Some(Avro::new(properties)?) } else { None };
        let (json, json_data) = (JsonConverter::new(&json), JsonConverter::new(&json_data));
        Ok(Self { config, json, json_data, avro })
    }

    async fn encoder(&self, topic: &str, event: Event) -> Result<Encoder, ConvertError> {
        let config = self.config.clone();
        match (&self.avro, config.event) {
            (Some(avro), Serializer::Avro) => avro.event(topic, event, config).await,
            (Some(avro), Serializer::Json) => avro.data(topic, event, config, self.json).await,
            (None, _) => {
                let mut head = self.json.encoder(Some(&event.part))?;
                let mut data = self.json_data.encoder(Some(&event.data))?;
                let mut event = event;
                Ok(Encoder::new(move |given, out| {
                    if given.payload.is_null() || !event::is_event(&config, given) {
                        return Ok(false);
                    }
                    let made = event.make(&config, given, None, None)?;
                    write_event(&mut head, &made, out, |out| data.write(given.payload, out).map(|_| ()))
                }))
            }
        }
    }
}

/// Writes the attributes of an event in JSON, and the data as the last one.
fn write_event(
    head: &mut JsonEncoder,
    event: &record::Payload<'_>,
    out: &mut Vec<u8>,
    data: impl FnOnce(&mut Vec<u8>) -> Result<(), ConvertError>,
) -> Result<bool, ConvertError> {
    head.write(event, out)?;
    // The brace at the end comes behind the data.
    out.pop();
    out.extend_from_slice(b",\"data\":");
    data(out)?;
    out.push(b'}');
    Ok(true)
}

impl Avro {
    fn new(properties: &Properties) -> Result<Self, Refusal> {
        let own: Properties = properties.under("avro.").collect();
        let of = |key: &str| own.get(key).map(|list| list.split(',').map(str::trim).collect::<Vec<_>>().join(","));
        let (class, addresses) = match (of("apicurio.registry.url"), of("schema.registry.url")) {
            (Some(addresses), _) => ("io.apicurio.registry.utils.converter.AvroConverter", addresses),
            (None, Some(addresses)) => ("io.confluent.connect.avro.AvroConverter", addresses),
            (None, None) => {
                let message = "Need URL(s) for schema registry instances for CloudEvents when using Apache Avro";
                return Err(Refusal::Properties(vec![Invalid::new("avro.schema.registry.url", message)]));
            }
        };
        Ok(Self { converter: table::create(class, &own, Role::Value)?, addresses })
    }

    /// The address of the schema with which the data was written: as in Java, by the four bytes behind the first one.
    fn address(addresses: &str, data: &[u8]) -> String {
        let id = data.get(1..5).map_or([0; 4], |id| [id[0], id[1], id[2], id[3]]);
        format!("{addresses}/schemas/ids/{}", i32::from_be_bytes(id))
    }

    /// Events in JSON with data in Avro.
    async fn data(
        &self,
        topic: &str,
        mut event: Event,
        config: Config,
        json: JsonConverter,
    ) -> Result<Encoder, ConvertError> {
        let mut data = self.converter.prepare(topic, Some(&event.data)).await?;
        let mut head = json.encoder(Some(&event.part))?;
        let (addresses, view) = (self.addresses.clone(), event.data_view());
        let mut bytes = Vec::new();
        Ok(Encoder::new(move |given, out| {
            if given.payload.is_null() || !event::is_event(&config, given) {
                return Ok(false);
            }
            bytes.clear();
            data.write(Given { payload: &given.payload.clone().through(&view, []), ..given }, &mut bytes)?;
            let made = event.make(&config, given, Some(Self::address(&addresses, &bytes)), None)?;
            write_event(&mut head, &made, out, |out| {
                out.push(b'"');
                out.extend_from_slice(STANDARD.encode(&bytes).as_bytes());
                out.push(b'"');
                Ok(())
            })
        }))
    }

    /// Events in Avro with data in Avro, which has a subject of its own.
    async fn event(&self, topic: &str, mut event: Event, config: Config) -> Result<Encoder, ConvertError> {
        let mut data = self.converter.prepare(&format!("{topic}-data"), Some(&event.data)).await?;
        let mut whole = self.converter.prepare(topic, Some(&event.part)).await?;
        let headers = whole.headers().to_vec();
        let (addresses, view) = (self.addresses.clone(), event.data_view());
        let encoder = Encoder::new(move |given, out| {
            if given.payload.is_null() || !event::is_event(&config, given) {
                return Ok(false);
            }
            let mut bytes = Vec::new();
            data.write(Given { payload: &given.payload.clone().through(&view, []), ..given }, &mut bytes)?;
            let made = event.make(&config, given, Some(Self::address(&addresses, &bytes)), Some(bytes))?;
            whole.write(Given { payload: &made, ..given }, out)
        });
        Ok(headers.into_iter().fold(encoder, |encoder, (name, value)| encoder.with_header(name, value)))
    }
}

impl Converter for CloudEventsConverter {
    fn prepare<'a>(&'a self, _topic: &'a str, _part: Option<&'a Part>) -> Prepare<'a> {
        // Only a record's headers tell of what kind its event is, so the encoder asks to be prepared for the record.
        Box::pin(std::future::ready(Ok(Encoder::new(|given, _| {
            if given.payload.is_null() { Ok(false) } else { Err(ConvertError::Changed) }
        }))))
    }

    fn prepare_for<'a>(&'a self, topic: &'a str, given: Given<'a, 'a>) -> Prepare<'a> {
        let is_avro = self.config.data == Serializer::Avro;
        let contents = Contents { schema_address: is_avro, data: self.config.event == Serializer::Avro };
        let is_event = !given.payload.is_null() && event::is_event(&self.config, given);
        let event = is_event.then(|| Event::compile(&self.config, given, contents)).transpose();
        Box::pin(async move {
            if let Some(event) = event? {
                return self.encoder(topic, event).await;
            }
            let config = self.config.clone();
            // Another record of the same kind may have a value and the headers that make it an event.
            Ok(Encoder::new(move |given, _| {
                let is_event = !given.payload.is_null() && event::is_event(&config, given);
                if is_event { Err(ConvertError::Changed) } else { Ok(false) }
            }))
        })
    }
}

#[cfg(test)]
mod tests;
