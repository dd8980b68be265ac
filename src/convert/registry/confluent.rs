//! A registry that speaks Confluent's API.
//!
//! The division of work: `schema_registry_converter` knows the API (which path and method a call has, what its answer
//! means); its requests are sent through [`Transport`], which knows what the crate does not: credentials that stay with
//! their host, failing over only where nobody answered, statuses, proxies, answers that are no answers. So `normalize`,
//! which the crate does not know either, is put into the request on its way. Only the compatibility rule, which the
//! crate has no call for, is asked for directly. Documents are passed on as they are: none of the crate's encoders is
//! used.
//!
//! Must not know: topics, Connect.

use std::error::Error as _;
use std::pin::Pin;
use std::sync::Arc;

use http::Extensions;
use reqwest::{Method, Request, Response};
use reqwest_middleware::Next;
use schema_registry_converter::async_impl::schema_registry::{SrSettings, perform_sr_call};
use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::{RawRegisteredSchema, SrCall};
use serde_json::{Value, json};
use tokio_rustls::rustls::ClientConfig;

use super::fits::{Fit, fits};
use super::settings::ConfluentRules;
use super::subject::Place;
use super::transport::{Failure, Transport, Walk, Wiring, builder, shown};
use super::{Document, DocumentKind, Registered, RegistryError};

/// The client.
pub(super) struct Confluent {
    pub(super) rules: ConfluentRules,
    transport: Arc<Transport>,
    /// The crate's settings for each address of the transport.
    settings: Vec<SrSettings>,
}

impl Confluent {
    /// # Errors
    /// When the settings do not fit together.
    pub(super) fn new(rules: ConfluentRules, wiring: Wiring, tls: ClientConfig) -> Result<Self, RegistryError> {
        let clients: Vec<_> = wiring.addresses.iter().map(|_| builder(&wiring, tls.clone())).collect();
        let transport = Arc::new(Transport::new(wiring, tls)?);
        let settings = clients.into_iter().enumerate().map(|(place, client)| {
            let (carrier, normalize) = (Arc::clone(&transport), rules.normalize);
            let base = transport.address(place).as_str().trim_end_matches('/').to_owned();
            SrSettings::new_builder(base)
                .with_middleware(carried(move |request, _, _| {
                    let carrier = Arc::clone(&carrier);
                    Box::pin(async move { carry(&carrier, normalize, request).await })
                }))
                .build_with(client)
                .map_err(|error| {
                    RegistryError::setting("schema.registry.url", error.to_string(), "Write http://host:port.")
                })
        });
        let settings = settings.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { rules, transport, settings })
    }

    /// The id of a schema, as the rules say.
    pub(super) async fn resolve(&self, place: &Place, document: &Document) -> Result<Registered, RegistryError> {
        let subject = &*place.name;
        let kind = document.kind.shown();
        let name = encoded(subject);
        if self.rules.auto_register {
            let (doing, body) = (format!("Error registering {kind} schema"), body(document)?);
            return match self.call(SrCall::PostNew(&name, &body)).await {
                Ok(raw) => self.registered(raw, None, document),
                Err(Failure::Refused { status: 409, code, message, .. }) => {
                    Err(self.incompatible(subject, doing, code, message).await)
                }
                Err(failure) => Err(self.refusal(failure, subject, doing)),
            };
        }
        if let Some(id) = self.rules.schema_id {
            let doing = "Error retrieving schema ID".to_owned();
            let found = self.call(SrCall::GetById(id)).await;
            let raw = found.map_err(|failure| self.refusal(failure, subject, doing.clone()))?;
            return self.foreign(raw, Some(id), document, (subject, doing), "id.compatibility.strict");
        }
        if self.rules.latest {
            let doing = format!("Error retrieving latest version of {kind} schema");
            let found = self.call(SrCall::GetLatest(&name)).await;
            let raw = found.map_err(|failure| self.refusal(failure, subject, doing.clone()))?;
            return self.foreign(raw, None, document, (subject, doing), "latest.compatibility.strict");
        }
        let (doing, body) = (format!("Error retrieving {kind} schema"), body(document)?);
        match self.call(SrCall::PostForVersion(&name, &body)).await {
            Ok(raw) => self.registered(raw, None, document),
            Err(failure) => Err(self.refusal(failure, subject, doing)),
        }
    }

    async fn call(&self, call: SrCall<'_>) -> Result<RawRegisteredSchema, Failure> {
        let mut walk = self.transport.walk();
        while let Some(place) = walk.next() {
            let outcome = perform_sr_call(&self.settings[place], call).await;
            let outcome = outcome.map_err(|error| told(&shown(self.transport.address(place)), &error));
            if let Some(outcome) = walk.take(place, outcome) {
                return outcome;
            }
        }
        Err(Walk::nobody())
    }

    fn registered(
        &self,
        raw: RawRegisteredSchema,
        id: Option<u32>,
        document: &Document,
    ) -> Result<Registered, RegistryError> {
        let Some(id) = id.or(raw.id) else {
            let reason = "its answer has no schema id".to_owned();
            return Err(RegistryError::Unavailable { at: self.transport.shown(), reason });
        };
        let guid = raw.guid.and_then(|guid| uuid::Uuid::parse_str(&guid).ok()).map(uuid::Uuid::into_bytes);
        Ok(Registered {
            id: i64::from(id),
            guid,
            version: raw.version.map(i64::from),
            kind: document.kind,
            document: None,
        })
    }

    /// A schema that somebody else registered: what is written carries its id, so it must fit.
    fn foreign(
        &self,
        raw: RawRegisteredSchema,
        id: Option<u32>,
        document: &Document,
        (subject, doing): (&str, String),
        strict_key: &'static str,
    ) -> Result<Registered, RegistryError> {
        let text = raw.schema.clone().unwrap_or_default();
        let strict = if id.is_some() { self.rules.id_strict } else { self.rules.latest_strict };
        let mut registered = self.registered(raw, id, document)?;
        if text == document.text {
            return Ok(registered);
        }
        match fits(document.kind, &document.text, &text) {
            Ok(Fit::Same) => {}
            Err(difference) if strict => {
                return Err(RegistryError::Incompatible {
                    doing,
                    subject: subject.to_owned(),
                    version: registered.version,
                    rule: None,
                    reason: format!(
                        "Incompatible schema of type '{}'. Set {strict_key}=false to disable this check: {difference}",
                        document.kind.confluent().unwrap_or_default()
                    ),
                    code: 409,
                });
            }
            Ok(Fit::Rewritten) | Err(_) => registered.document = Some(text.into()),
        }
        Ok(registered)
    }

    fn refusal(&self, failure: Failure, subject: &str, doing: String) -> RegistryError {
        let subject = subject.to_owned();
        match failure {
            Failure::Unavailable { at, reason } => RegistryError::Unavailable { at, reason },
            Failure::Hopeless(error) => error,
            Failure::Refused { at, status: status @ (401 | 403), message, .. } => {
                RegistryError::Forbidden { at, doing, subject, status, reason: message }
            }
            Failure::Refused { status: 404, code, message, .. } if code > 40_000 => {
                let remedy = if self.rules.schema_id.is_some() {
                    "Set use.schema.id to the id of a schema that the registry has, or set auto.register.schemas=true."
                } else {
                    "Register the schema under this subject, or set auto.register.schemas=true."
                };
                RegistryError::NotFound { doing, subject, reason: message, code, remedy }
            }
            Failure::Refused { at, status: 404 | 405, message, .. } => RegistryError::Other {
                at,
                reason: format!("{doing} for subject \"{subject}\": {message}"),
                remedy: "Check the path in schema.registry.url: Confluent's API must be there (of Apicurio: \
                         /apis/ccompat/v7)."
                    .to_owned(),
            },
            Failure::Refused { code, message, .. } => RegistryError::Invalid { doing, subject, reason: message, code },
        }
    }

    /// Names the version and the rule that a schema breaks. Confluent's message has both; where it has not, they are
    /// asked for.
    async fn incompatible(&self, subject: &str, doing: String, code: i64, message: String) -> RegistryError {
        let mut version = number_after(&message, "oldSchemaVersion:");
        if version.is_none() {
            let latest = self.call(SrCall::GetLatest(&encoded(subject))).await;
            version = latest.ok().and_then(|raw| raw.version).map(i64::from);
        }
        let mut rule =
            message.split("compatibility: '").nth(1).and_then(|rest| rest.split('\'').next()).map(str::to_owned);
        if rule.is_none() {
            rule = self.rule(subject).await;
        }
        RegistryError::Incompatible { doing, subject: subject.to_owned(), version, rule, reason: message, code }
    }

    async fn rule(&self, subject: &str) -> Option<String> {
        // Asked right after an answer, so the address that answered is asked first, and no other one is tried.
        let place = self.transport.walk().next()?;
        let query = [("defaultToGlobal", "true")];
        let request = self.transport.request(place, Method::GET, &["config", subject], &query);
        let answer = self.transport.send(request).await.ok()?;
        let config: Value = serde_json::from_str(&answer.text).ok()?;
        config.get("compatibilityLevel").and_then(Value::as_str).map(str::to_owned)
    }
}

/// The body of a registration or a search. The type is left out for Avro, as Java does.
fn body(document: &Document) -> Result<String, RegistryError> {
    let Some(kind) = document.kind.confluent() else {
        return Err(RegistryError::setting(
            "schema.registry.url",
            "a registry of Confluent has no such schemas",
            "Use a converter of Confluent's.",
        ));
    };
    let mut body = json!({ "schema": document.text });
    if document.kind != DocumentKind::Avro {
        body["schemaType"] = json!(kind);
    }
    if !document.references.is_empty() {
        let references = document.references.iter().map(
            |reference| json!({ "name": reference.name, "subject": reference.subject, "version": reference.version }),
        );
        body["references"] = references.collect();
    }
    Ok(body.to_string())
}

/// A name as a part of a path. The crate itself encodes only slashes.
fn encoded(name: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte as char),
            // Writing to a text cannot fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

fn number_after(text: &str, mark: &str) -> Option<i64> {
    let rest = text.split(mark).nth(1)?.trim_start();
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

type Carried<'a> = Pin<Box<dyn Future<Output = reqwest_middleware::Result<Response>> + Send + 'a>>;

/// Tells the compiler what kind of closure is meant.
fn carried<F>(carry: F) -> F
where
    F: for<'a> Fn(Request, &'a mut Extensions, Next<'a>) -> Carried<'a> + Send + Sync + 'static,
{
    carry
}

/// Sends a request of the crate through the transport.
async fn carry(
    transport: &Transport,
    normalize: bool,
    mut request: Request,
) -> Result<Response, reqwest_middleware::Error> {
    if request.method() == Method::POST {
        request.url_mut().query_pairs_mut().append_pair("normalize", if normalize { "true" } else { "false" });
    }
    let answer = transport.send(request).await.map_err(reqwest_middleware::Error::middleware)?;
    let response = http::Response::builder().status(answer.status).body(answer.text);
    response.map(Response::from).map_err(reqwest_middleware::Error::middleware)
}

/// What the transport had said, taken out of the crate's error around it.
fn told(at: &str, error: &SRCError) -> Failure {
    let carried = error.source().and_then(|source| source.downcast_ref::<reqwest_middleware::Error>());
    if let Some(reqwest_middleware::Error::Middleware(inner)) = carried
        && let Some(failure) = inner.downcast_ref::<Failure>()
    {
        return failure.clone();
    }
    Failure::Unavailable { at: at.to_owned(), reason: format!("its answer cannot be read: {}", error.error) }
}
