//! Asks a schema registry for the id of a schema: the client of all converters whose records carry such an id.
//!
//! A converter gives a topic and a document ([`Registry::resolve`]) and gets an id, and from that what stands before
//! the data or in the headers ([`Registry::frame`]). Two kinds of registries are spoken to, Confluent's API
//! (`schema.registry.*`) and Apicurio's own (`apicurio.registry.*`); they differ in names, rules and framing, and share
//! everything below: one cache, one transport, one kind of error.
//!
//! Why so: registries are restarted, sit behind proxies and refuse schemas. What is known must go on without them, what
//! is new must be asked for once and not more, and whoever reads an error must learn subject, version and rule. Nothing
//! here waits before it asks again: for an error for which [`RegistryError::is_transient`] is true the pipeline asks again
//! later, with pauses, and can be stopped meanwhile.
//!
//! Must not know: columns, records, Kafka.

mod apicurio;
mod apicurio_keys;
mod cache;
mod confluent;
mod confluent_keys;
mod error;
mod fits;
mod frame;
mod oauth;
mod settings;
mod subject;
mod tls;
mod transport;

use std::sync::Arc;

use ::settings::Properties;
use ring::digest;
use tokio::sync::Semaphore;

use self::apicurio::Apicurio;
pub use self::apicurio_keys::APICURIO;
use self::cache::Cache;
use self::confluent::Confluent;
pub use self::confluent_keys::CONFLUENT;
pub use self::error::RegistryError;
use self::settings::Values;
use self::subject::Place;
pub use self::subject::SubjectStrategy;

/// How many ids are remembered.
const REMEMBERED: usize = 10_000;
/// How many requests are under way at once. A registry behind a proxy answers 429 to more.
const AT_ONCE: usize = 8;

/// The language of a schema document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// Avro.
    Avro,
    /// JSON Schema.
    Json,
    /// Protobuf.
    Protobuf,
    /// A schema as Kafka Connect's JSON converter writes it; Apicurio's `KCONNECT`.
    Connect,
}

impl DocumentKind {
    /// The name in messages.
    fn shown(self) -> &'static str {
        match self {
            Self::Avro => "Avro",
            Self::Json => "JSON",
            Self::Protobuf => "Protobuf",
            Self::Connect => "Connect",
        }
    }

    /// Confluent's name.
    fn confluent(self) -> Option<&'static str> {
        match self {
            Self::Avro => Some("AVRO"),
            Self::Json => Some("JSON"),
            Self::Protobuf => Some("PROTOBUF"),
            Self::Connect => None,
        }
    }
}

/// A schema document, as it is registered: to the letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its language.
    pub kind: DocumentKind,
    /// Its text.
    pub text: String,
    /// Documents that it refers to, which are registered already.
    pub references: Vec<Reference>,
}

/// A registered document that another one refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The name by which it is referred to.
    pub name: String,
    /// The subject that it is registered under.
    pub subject: String,
    /// Its version there.
    pub version: i64,
}

/// What a registry says of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The id that records carry.
    pub id: i64,
    /// The GUID, where the registry gives one (Confluent 8 and later).
    pub guid: Option<[u8; 16]>,
    /// The version under the subject, where the registry tells.
    pub version: Option<i64>,
    /// The document that records must be written by, when the id belongs to another schema than the given one (the
    /// latest version, or that of `use.schema.id`) and the given one's bytes would not do. It fits the given one, unless
    /// `latest.compatibility.strict` or `id.compatibility.strict` is false: then a converter that cannot write by it
    /// must say so.
    pub document: Option<Arc<str>>,
    kind: DocumentKind,
}

/// What a record carries beside its data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The bytes before the data.
    pub prefix: Vec<u8>,
    /// Headers, which come after the record's own.
    pub headers: Vec<(Arc<str>, Vec<u8>)>,
}

/// The client of one converter. Cheap to clone; clones share what they know.
#[derive(Clone)]
pub struct Registry(Arc<Shared>);

struct Shared {
    client: Client,
    cache: Arc<Cache<Question, Registered>>,
    gate: Semaphore,
}

enum Client {
    Confluent(Confluent),
    Apicurio(Box<Apicurio>),
}

/// A place, and the SHA-256 of the document that is to be there.
type Question = (Place, [u8; 32]);

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match &self.0.client {
            Client::Confluent(_) => "Confluent",
            Client::Apicurio(_) => "Apicurio",
        };
        f.debug_tuple("Registry").field(&kind).finish()
    }
}

impl Registry {
    /// The client of a converter of Confluent's, from properties that [`CONFLUENT`] has already checked. Reads the files
    /// of certificates and keys.
    ///
    /// # Errors
    /// Names the setting that will not do.
    pub fn confluent(properties: &Properties) -> Result<Self, RegistryError> {
        let values = Values(properties);
        let tls = values.confluent_tls().client_config()?;
        let client = Confluent::new(values.confluent_rules(), values.confluent_wiring()?, tls)?;
        Ok(Self::new(Client::Confluent(client)))
    }

    /// The client of a converter of Apicurio's, from properties that [`APICURIO`] has already checked. Reads the files of
    /// certificates and keys.
    ///
    /// # Errors
    /// Names the setting that will not do.
    pub fn apicurio(properties: &Properties) -> Result<Self, RegistryError> {
        let values = Values(properties);
        let tls = values.apicurio_tls().client_config()?;
        let client = Apicurio::new(values.apicurio_rules(), values.apicurio_wiring()?, tls)?;
        Ok(Self::new(Client::Apicurio(Box::new(client))))
    }

    fn new(client: Client) -> Self {
        let (cache, gate) = (Arc::new(Cache::new(REMEMBERED)), Semaphore::new(AT_ONCE));
        Self(Arc::new(Shared { client, cache, gate }))
    }

    /// The id of a schema: registers it, or finds it, as the settings say. `record_name` is the full name of a record's
    /// schema. The registry is asked once for each document and subject, however many ask for it at once, and a refusal
    /// is kept for ten seconds. May be dropped at any time.
    ///
    /// # Errors
    /// When there is no id. Ask again later only if [`RegistryError::is_transient`].
    pub async fn resolve(
        &self,
        topic: &str,
        is_key: bool,
        record_name: Option<&str>,
        document: &Document,
    ) -> Result<Registered, RegistryError> {
        let place = match &self.0.client {
            Client::Confluent(Confluent { rules, .. }) => {
                let strategy = if is_key { rules.key_strategy } else { rules.value_strategy };
                Place { group: String::new(), name: strategy.subject(topic, is_key, record_name)? }
            }
            Client::Apicurio(client) => client.place(topic, is_key, record_name)?,
        };
        let question = (place, fingerprint(document));
        let ask = || {
            let (shared, place, document) = (Arc::clone(&self.0), question.0.clone(), document.clone());
            async move { shared.ask(&place, &document).await }
        };
        self.0.cache.get(&question, ask).await
    }

    /// What a record with this schema carries beside its data. `indexes` are Protobuf's message indexes in their written
    /// form, empty for other formats; they follow the id.
    ///
    /// # Errors
    /// When the settings ask for what the registry did not give, such as a GUID.
    pub fn frame(&self, is_key: bool, registered: &Registered, indexes: &[u8]) -> Result<Frame, RegistryError> {
        match &self.0.client {
            Client::Confluent(client) => frame::confluent(&client.rules, is_key, registered, indexes),
            Client::Apicurio(client) => frame::apicurio(&client.rules, is_key, registered, indexes),
        }
    }
}

impl Shared {
    async fn ask(&self, place: &Place, document: &Document) -> Result<Registered, RegistryError> {
        // The gate is never closed.
        let _pass = self.gate.acquire().await;
        match &self.client {
            Client::Confluent(client) => client.resolve(place, document).await,
            Client::Apicurio(client) => client.resolve(place, document).await,
        }
    }
}

/// Tells documents apart.
fn fingerprint(document: &Document) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut add = |text: &str| {
        context.update(&text.len().to_be_bytes());
        context.update(text.as_bytes());
    };
    add(document.kind.shown());
    add(&document.text);
    for reference in &document.references {
        add(&reference.name);
        add(&reference.subject);
        add(&reference.version.to_string());
    }
    let mut out = [0; 32];
    out.copy_from_slice(context.finish().as_ref());
    out
}

#[cfg(test)]
mod tests;
