//! A registry that speaks Apicurio's own API, version 2 or 3.
//!
//! No crate speaks it, so the few calls are made here. The versions differ in paths, in the form of a new artifact and in
//! how a broken rule is told: 409 in version 2, 400 in version 3, both with the name `RuleViolationException`. An address
//! that does not show the version is asked for it once.
//!
//! Must not know: topics, Connect.

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use serde_json::{Value, json};
use tokio::sync::OnceCell;
use tokio_rustls::rustls::ClientConfig;

use super::fits::{Fit, fits};
use super::settings::{ApicurioRules, IfExists};
use super::subject::Place;
use super::transport::{Failure, Transport, Wiring};
use super::{Document, DocumentKind, Registered, RegistryError};

/// The client.
pub(super) struct Apicurio {
    pub(super) rules: ApicurioRules,
    transport: Transport,
    api: OnceCell<Api>,
}

/// A version of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Api {
    V2,
    V3,
}

impl Api {
    /// The parts of the path before those of a call.
    fn root(self) -> [&'static str; 3] {
        ["apis", "registry", if self == Self::V2 { "v2" } else { "v3" }]
    }
}

impl Apicurio {
    /// # Errors
    /// When the settings do not fit together.
    pub(super) fn new(rules: ApicurioRules, wiring: Wiring, tls: ClientConfig) -> Result<Self, RegistryError> {
        let api = rules.api.map(|version| if version == 2 { Api::V2 } else { Api::V3 });
        Ok(Self { rules, transport: Transport::new(wiring, tls)?, api: OnceCell::new_with(api) })
    }

    /// Where a schema stands.
    pub(super) fn place(&self, topic: &str, is_key: bool, record_name: Option<&str>) -> Result<Place, RegistryError> {
        let Place { group, name } = self.rules.strategy.artifact(topic, is_key, record_name)?;
        Ok(Place {
            group: self.rules.group.clone().unwrap_or(group),
            name: self.rules.artifact.clone().unwrap_or(name),
        })
    }

    /// The id of a schema, as the rules say.
    pub(super) async fn resolve(&self, place: &Place, document: &Document) -> Result<Registered, RegistryError> {
        let kind = document.kind.shown();
        if self.rules.auto_register {
            let doing = format!("Error registering {kind} schema");
            return match self.create(place, document).await {
                Ok(found) => self.registered(&found, document),
                Err(Failure::Refused { name, code, message, .. })
                    if name == "RuleViolationException" && message.contains("Incompatible") =>
                {
                    Err(self.incompatible(place, doing, code, message).await)
                }
                Err(failure) => Err(self.refusal(failure, place, doing)),
            };
        }
        if self.rules.find_latest || self.rules.version.is_some() {
            let doing = format!("Error retrieving {kind} schema");
            let found = self.version(place, self.rules.version.as_deref()).await;
            let (found, text) = found.map_err(|failure| self.refusal(failure, place, doing.clone()))?;
            let mut registered = self.registered(&found, document)?;
            if text != document.text {
                match fits(document.kind, &document.text, &text) {
                    Ok(Fit::Same) => {}
                    Ok(Fit::Rewritten) => registered.document = Some(text.into()),
                    Err(difference) => {
                        let (subject, version) = (place.to_string(), registered.version);
                        let reason = format!("the data does not fit the registry's schema: {difference}");
                        return Err(RegistryError::Incompatible {
                            doing,
                            subject,
                            version,
                            rule: None,
                            reason,
                            code: 409,
                        });
                    }
                }
            }
            return Ok(registered);
        }
        let doing = format!("Error retrieving {kind} schema");
        match self.by_content(place, document).await {
            Ok(found) => self.registered(&found, document),
            Err(failure) => Err(self.refusal(failure, place, doing)),
        }
    }

    async fn api(&self) -> Result<Api, Failure> {
        self.api.get_or_try_init(|| self.find_api()).await.copied()
    }

    async fn find_api(&self) -> Result<Api, Failure> {
        for api in [Api::V3, Api::V2] {
            match self.transport.send(self.request(api, Method::GET, &["system", "info"], &[])).await {
                Err(Failure::Refused { status: 404, .. }) => {}
                Err(failure) => return Err(failure),
                Ok(_) => return Ok(api),
            }
        }
        Err(Failure::Hopeless(RegistryError::Other {
            at: self.transport.shown(),
            reason: "it has neither version 2 nor version 3 of Apicurio's API".to_owned(),
            remedy: "Check apicurio.registry.url, or set apicurio.registry.url.version.".to_owned(),
        }))
    }

    fn request(&self, api: Api, method: Method, path: &[&str], query: &[(&str, &str)]) -> Request {
        self.transport.request(0, method, &[&api.root()[..], path].concat(), query)
    }

    async fn json(&self, request: Request) -> Result<Value, Failure> {
        let answer = self.transport.send(request).await?;
        Ok(serde_json::from_str(&answer.text).unwrap_or_default())
    }

    /// Makes an artifact, or a version of it. Returns the version's description.
    async fn create(&self, place: &Place, document: &Document) -> Result<Value, Failure> {
        let api = self.api().await?;
        let canonical = if self.rules.canonicalize { "true" } else { "false" };
        let if_exists = match (api, self.rules.if_exists) {
            (_, IfExists::Fail) => "FAIL",
            (Api::V2, IfExists::FindOrCreate) => "RETURN_OR_UPDATE",
            (Api::V2, IfExists::Create) => "UPDATE",
            (Api::V3, IfExists::FindOrCreate) => "FIND_OR_CREATE_VERSION",
            (Api::V3, IfExists::Create) => "CREATE_VERSION",
        };
        let query = [("ifExists", if_exists), ("canonical", canonical)];
        let mut request = self.request(api, Method::POST, &["groups", &place.group, "artifacts"], &query);
        let references: Value = document
            .references
            .iter()
            .map(|reference| {
                json!({
                    "name": reference.name,
                    "groupId": "default",
                    "artifactId": reference.subject,
                    "version": reference.version.to_string(),
                })
            })
            .collect();
        let content_type = content_type(document.kind);
        if api == Api::V3 {
            let content = json!({ "content": document.text, "contentType": content_type, "references": references });
            let mut version = json!({ "content": content });
            if let Some(number) = &self.rules.version {
                version["version"] = json!(number);
            }
            let artifact = json!({
                "artifactId": place.name,
                "artifactType": artifact_type(document.kind),
                "firstVersion": version,
            });
            body(&mut request, "application/json", artifact.to_string());
            let made = self.json(request).await?;
            return Ok(made.get("version").cloned().unwrap_or_default());
        }
        for (name, value) in [
            ("x-registry-artifactid", Some(&*place.name)),
            ("x-registry-artifacttype", Some(artifact_type(document.kind))),
            ("x-registry-version", self.rules.version.as_deref()),
        ] {
            let Some(value) = value else { continue };
            let value = HeaderValue::try_from(value).map_err(|_| {
                RegistryError::setting(
                    "apicurio.registry.artifact.artifact-id",
                    "version 2 of the API cannot be told this name",
                    "Use another name, or version 3 of the API.",
                )
            })?;
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
        if document.references.is_empty() {
            body(&mut request, content_type, document.text.clone());
        } else {
            let content = json!({ "content": document.text, "references": references });
            body(&mut request, "application/create.extended+json", content.to_string());
        }
        self.json(request).await
    }

    /// The version with this content. Of several, the newest that is in use.
    async fn by_content(&self, place: &Place, document: &Document) -> Result<Value, Failure> {
        let api = self.api().await?;
        let canonical = if self.rules.canonicalize { "true" } else { "false" };
        if api == Api::V2 {
            let path = ["groups", &place.group, "artifacts", &place.name, "meta"];
            let mut request = self.request(api, Method::POST, &path, &[("canonical", canonical)]);
            body(&mut request, content_type(document.kind), document.text.clone());
            return self.json(request).await;
        }
        let query = [
            ("groupId", &*place.group),
            ("artifactId", &*place.name),
            ("canonical", canonical),
            ("artifactType", artifact_type(document.kind)),
            ("orderby", "globalId"),
            ("order", "desc"),
            ("limit", "100"),
        ];
        let mut request = self.request(api, Method::POST, &["search", "versions"], &query);
        body(&mut request, content_type(document.kind), document.text.clone());
        let found = self.json(request).await?;
        let versions = found.get("versions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let used = versions.iter().find(|version| version.get("state").and_then(Value::as_str) != Some("DISABLED"));
        used.cloned().ok_or_else(|| Failure::Refused {
            at: self.transport.shown(),
            status: 404,
            code: 404,
            name: String::new(),
            message: "Could not resolve artifact reference by content".to_owned(),
        })
    }

    /// A version's description and its text; without a version, the latest one's.
    async fn version(&self, place: &Place, version: Option<&str>) -> Result<(Value, String), Failure> {
        let api = self.api().await?;
        let latest = if api == Api::V2 { "latest" } else { "branch=latest" };
        let path = ["groups", &place.group, "artifacts", &place.name, "versions", version.unwrap_or(latest)];
        let described = if api == Api::V2 { [&path[..], &["meta"]].concat() } else { path.to_vec() };
        let found = self.json(self.request(api, Method::GET, &described, &[])).await?;
        // The text of just this version, even if a newer one came in between.
        let id = found.get("globalId").and_then(Value::as_i64).unwrap_or_default().to_string();
        let text = self.transport.text(self.request(api, Method::GET, &["ids", "globalIds", &id], &[])).await?;
        Ok((found, text))
    }

    fn registered(&self, found: &Value, document: &Document) -> Result<Registered, RegistryError> {
        let name = if self.rules.global_id { "globalId" } else { "contentId" };
        let Some(id) = found.get(name).and_then(Value::as_i64) else {
            let reason = format!("its answer has no {name}");
            return Err(RegistryError::Unavailable { at: self.transport.shown(), reason });
        };
        Ok(Registered { id, guid: None, version: number_of(found), kind: document.kind, document: None })
    }

    fn refusal(&self, failure: Failure, place: &Place, doing: String) -> RegistryError {
        let subject = place.to_string();
        match failure {
            Failure::Unavailable { at, reason } => RegistryError::Unavailable { at, reason },
            Failure::Hopeless(error) => error,
            Failure::Refused { at, status: status @ (401 | 403), message, .. } => {
                RegistryError::Forbidden { at, doing, subject, status, reason: message }
            }
            Failure::Refused { status: 404, code, message, .. } if !self.rules.auto_register => {
                let remedy = "Register the schema under this artifact, or set apicurio.registry.auto-register=true.";
                RegistryError::NotFound { doing, subject, reason: message, code, remedy }
            }
            Failure::Refused { at, status: 404 | 405, message, .. } => RegistryError::Other {
                at,
                reason: format!("{doing} for artifact \"{subject}\": {message}"),
                remedy: "Check apicurio.registry.url and apicurio.registry.artifact.group-id.".to_owned(),
            },
            Failure::Refused { at, status: 409, message, .. } => RegistryError::Other {
                at,
                reason: format!("{doing} for artifact \"{subject}\": {message}"),
                remedy: "Set apicurio.registry.auto-register.if-exists=FIND_OR_CREATE_VERSION.".to_owned(),
            },
            Failure::Refused { code, message, .. } => RegistryError::Invalid { doing, subject, reason: message, code },
        }
    }

    /// The compatibility rule that holds for an artifact: its own, its group's, or the registry's.
    async fn rule(&self, place: &Place) -> Option<String> {
        let api = self.api().await.ok()?;
        let own = ["groups", &place.group, "artifacts", &place.name, "rules", "COMPATIBILITY"];
        let of_group = ["groups", &place.group, "rules", "COMPATIBILITY"];
        for path in [&own[..], &of_group, &["admin", "rules", "COMPATIBILITY"]] {
            if let Ok(rule) = self.json(self.request(api, Method::GET, path, &[])).await {
                return rule.get("config").and_then(Value::as_str).map(str::to_owned);
            }
        }
        None
    }

    /// Names the version and the rule that a schema breaks. The message has neither, so they are asked for.
    async fn incompatible(&self, place: &Place, doing: String, code: i64, message: String) -> RegistryError {
        let latest = self.version(place, None).await.ok();
        let version = latest.and_then(|(found, _)| number_of(&found));
        let rule = self.rule(place).await;
        RegistryError::Incompatible { doing, subject: place.to_string(), version, rule, reason: message, code }
    }
}

/// The number of a version by its description: a number, or a text with one. None for a version that somebody named.
fn number_of(found: &Value) -> Option<i64> {
    let version = found.get("version")?;
    version.as_i64().or_else(|| version.as_str()?.parse().ok())
}

fn body(request: &mut Request, content_type: &'static str, text: String) {
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    *request.body_mut() = Some(text.into());
}

fn content_type(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Protobuf => "application/x-protobuf",
        DocumentKind::Avro | DocumentKind::Json | DocumentKind::Connect => "application/json",
    }
}

fn artifact_type(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Avro => "AVRO",
        DocumentKind::Json => "JSON",
        DocumentKind::Protobuf => "PROTOBUF",
        DocumentKind::Connect => "KCONNECT",
    }
}
