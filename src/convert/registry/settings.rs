//! Reads a client's settings from properties that their tables of keys have already checked.
//!
//! Must not know: HTTP requests, schemas.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Proxy, Url};
use settings::{Properties, Secret};

use super::RegistryError;
use super::apicurio_keys::id_bytes;
use super::oauth::Tokens;
use super::subject::{ArtifactStrategy, SubjectStrategy};
use super::tls::{Set, Store, Tls};
use super::transport::{Address, Credentials, Wiring};

/// What Confluent's serialisers ask a registry for, and how.
#[derive(Clone, Debug)]
pub(super) struct ConfluentRules {
    pub(super) auto_register: bool,
    pub(super) normalize: bool,
    /// `use.schema.id`, when it is not negative.
    pub(super) schema_id: Option<u32>,
    pub(super) id_strict: bool,
    pub(super) latest: bool,
    pub(super) latest_strict: bool,
    pub(super) key_strategy: SubjectStrategy,
    pub(super) value_strategy: SubjectStrategy,
    pub(super) key_in_header: bool,
    pub(super) value_in_header: bool,
}

/// What Apicurio's serialisers ask a registry for, and how.
#[derive(Clone, Debug)]
pub(super) struct ApicurioRules {
    pub(super) auto_register: bool,
    /// `auto-register.if-exists` as version 3 of the API names it.
    pub(super) if_exists: IfExists,
    pub(super) find_latest: bool,
    pub(super) canonicalize: bool,
    pub(super) strategy: ArtifactStrategy,
    pub(super) group: Option<String>,
    pub(super) artifact: Option<String>,
    pub(super) version: Option<String>,
    pub(super) global_id: bool,
    pub(super) id_bytes: usize,
    pub(super) in_headers: bool,
    /// Names of the headers for the id that is written: of a key and of a value.
    pub(super) header_names: [Arc<str>; 2],
    /// The version of the API, when the address or a key says it.
    pub(super) api: Option<u8>,
}

/// What registering does when the artifact exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IfExists {
    /// The version with this content is found, else made.
    FindOrCreate,
    /// A version is made.
    Create,
    /// Nothing is made.
    Fail,
}

/// Reads properties; absent and blank texts are the same.
pub(super) struct Values<'a>(pub(super) &'a Properties);

impl Values<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(str::trim).filter(|text| !text.is_empty())
    }

    fn owned(&self, key: &str) -> Option<String> {
        self.text(key).map(str::to_owned)
    }

    fn secret(&self, key: &str) -> Option<Secret> {
        self.text(key).map(Secret::new)
    }

    fn flag(&self, key: &str, default: bool) -> bool {
        self.text(key).map_or(default, |text| text.eq_ignore_ascii_case("true"))
    }

    fn number(&self, key: &str, default: u64) -> u64 {
        self.text(key).and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    fn millis(&self, key: &str, default: u64) -> Duration {
        Duration::from_millis(self.number(key, default))
    }

    fn file(&self, key: &'static str) -> Option<Set<Store>> {
        self.owned(key).map(|path| Set { key, value: Store::File(path) })
    }

    fn pem(&self, key: &'static str) -> Option<Set<Store>> {
        self.secret(key).map(|text| Set { key, value: Store::Text(text) })
    }

    /// PEM text, or a PEM file.
    fn either(&self, key: &'static str) -> Option<Set<Store>> {
        if self.text(key)?.contains("-----BEGIN ") { self.pem(key) } else { self.file(key) }
    }

    fn headers(&self, prefix: &str) -> Result<HeaderMap, RegistryError> {
        let mut headers = HeaderMap::new();
        for (name, value) in self.0.under(prefix) {
            let key = format!("{prefix}{name}");
            let bad = |what: &str| RegistryError::setting(&key, what, "Write what HTTP allows in a header.");
            let header = HeaderName::try_from(name).map_err(|_| bad("no header can have this name"))?;
            headers.insert(header, secret_header(value.trim()).ok_or_else(|| bad("no header can have this value"))?);
        }
        Ok(headers)
    }

    pub(super) fn confluent_rules(&self) -> ConfluentRules {
        let strategy = |key: &str| self.text(key).and_then(SubjectStrategy::of_class).unwrap_or_default();
        let in_header = |key: &str| self.text(key).is_some_and(|class| class.ends_with("HeaderSchemaIdSerializer"));
        ConfluentRules {
            auto_register: self.flag("auto.register.schemas", true),
            normalize: self.flag("normalize.schemas", false),
            // A negative number does not parse, and means that there is none.
            schema_id: self.text("use.schema.id").and_then(|text| text.parse().ok()),
            id_strict: self.flag("id.compatibility.strict", true),
            latest: self.flag("use.latest.version", false),
            latest_strict: self.flag("latest.compatibility.strict", true),
            key_strategy: strategy("key.subject.name.strategy"),
            value_strategy: strategy("value.subject.name.strategy"),
            key_in_header: in_header("key.schema.id.serializer"),
            value_in_header: in_header("value.schema.id.serializer"),
        }
    }

    pub(super) fn confluent_wiring(&self) -> Result<Wiring, RegistryError> {
        const URLS: &str = "schema.registry.url";
        let mut headers = self.headers("request.header.")?;
        let shared = self.confluent_credentials(&mut headers)?;
        let mut addresses = Vec::new();
        for text in self.text(URLS).unwrap_or_default().split(',').map(str::trim).filter(|text| !text.is_empty()) {
            let (url, user_info) = address(URLS, text)?;
            let credentials = match (&shared, user_info) {
                (Some(shared), _) => shared.clone(),
                (None, Some(user_info)) => basic(URLS, &user_info)?,
                (None, None) => Credentials::None,
            };
            addresses.push(Address { url, credentials });
        }
        if addresses.is_empty() {
            return Err(RegistryError::setting(URLS, "it names no registry", "Write http://host:port."));
        }
        Ok(Wiring {
            addresses,
            headers,
            proxy: self.proxy("proxy.host", "proxy.port")?,
            connect_timeout: self.millis("http.connect.timeout.ms", 60_000),
            read_timeout: self.millis("http.read.timeout.ms", 60_000),
        })
    }

    /// The credentials for all addresses; `None` when they are in the addresses.
    fn confluent_credentials(&self, headers: &mut HeaderMap) -> Result<Option<Credentials>, RegistryError> {
        const TOKEN: &str = "bearer.auth.token";
        const USER: &str = "basic.auth.user.info";
        if self.text("bearer.auth.credentials.source").is_some_and(|source| source.eq_ignore_ascii_case("OAUTHBEARER"))
        {
            for (key, header) in [
                ("bearer.auth.logical.cluster", "target-sr-cluster"),
                ("bearer.auth.identity.pool.id", "confluent-identity-pool-id"),
            ] {
                if let Some(value) = self.text(key) {
                    let value = HeaderValue::try_from(value).map_err(|_| {
                        RegistryError::setting(
                            key,
                            "no header can have this value",
                            "Write what HTTP allows in a header.",
                        )
                    })?;
                    headers.insert(HeaderName::from_static(header), value);
                }
            }
            let buffer = Duration::from_secs(self.number("bearer.auth.cache.expiry.buffer.seconds", 300));
            let tokens = self.tokens(
                "bearer.auth.issuer.endpoint.url",
                ["bearer.auth.client.id", "bearer.auth.client.secret", "bearer.auth.scope"],
                buffer,
            )?;
            return Ok(Some(tokens));
        }
        let token = self.secret(TOKEN).map(|token| bearer(TOKEN, &token)).transpose()?;
        if self.text("bearer.auth.credentials.source").is_some() && token.is_none() {
            return Err(RegistryError::setting(
                TOKEN,
                "it is missing",
                "Set it: bearer.auth.credentials.source asks for it.",
            ));
        }
        if !self.text("basic.auth.credentials.source").is_some_and(|source| source.eq_ignore_ascii_case("USER_INFO")) {
            return Ok(token);
        }
        let user_info = self.secret("schema.registry.basic.auth.user.info").or_else(|| self.secret(USER));
        match user_info {
            Some(user_info) => basic(USER, &user_info).map(Some),
            None => Err(RegistryError::setting(
                USER,
                "it is missing",
                "Set it to user:password: basic.auth.credentials.source=USER_INFO asks for it.",
            )),
        }
    }

    pub(super) fn confluent_tls(&self) -> Tls {
        let host_check = self.0.get("schema.registry.ssl.endpoint.identification.algorithm");
        let versions = self.text("schema.registry.ssl.enabled.protocols").unwrap_or_default();
        let texts = self.pem("schema.registry.ssl.truststore.certificates");
        let chain = self.pem("schema.registry.ssl.keystore.certificate.chain");
        Tls {
            trusted: texts.or_else(|| self.file("schema.registry.ssl.truststore.location")).into_iter().collect(),
            trusted_password: self.secret("schema.registry.ssl.truststore.password"),
            own: chain.or_else(|| self.file("schema.registry.ssl.keystore.location")),
            own_key: self.pem("schema.registry.ssl.keystore.key"),
            own_password: self.secret("schema.registry.ssl.keystore.password"),
            key_password: self.key_password("schema.registry.ssl.key.password"),
            checks_host: host_check.is_none_or(|name| !matches!(name.trim(), "" | "none")),
            checks_certificate: true,
            versions: versions.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect(),
        }
    }

    fn key_password(&self, key: &'static str) -> Option<Set<Secret>> {
        self.secret(key).map(|value| Set { key, value })
    }

    pub(super) fn apicurio_rules(&self) -> ApicurioRules {
        let if_exists = match self.text("apicurio.registry.auto-register.if-exists") {
            Some("CREATE_VERSION" | "UPDATE") => IfExists::Create,
            Some("FAIL") => IfExists::Fail,
            _ => IfExists::FindOrCreate,
        };
        let strategy = self.text("apicurio.registry.artifact-resolver-strategy");
        let handler = self.text("apicurio.registry.id-handler").and_then(id_bytes);
        let short = self.flag("apicurio.registry.as-confluent", false);
        let global_id = self.text("apicurio.registry.use-id").is_some_and(|id| id.eq_ignore_ascii_case("globalId"));
        let name = |key: &str, usual: &str| Arc::from(self.text(key).unwrap_or(usual));
        let header_names = if global_id {
            [
                name("apicurio.registry.headers.key.globalId.name", "apicurio.key.globalId"),
                name("apicurio.registry.headers.value.globalId.name", "apicurio.value.globalId"),
            ]
        } else {
            [
                name("apicurio.registry.headers.key.contentId.name", "apicurio.key.contentId"),
                name("apicurio.registry.headers.value.contentId.name", "apicurio.value.contentId"),
            ]
        };
        let said =
            self.text("apicurio.registry.url.version").and_then(|text| text.trim_start_matches('v').parse().ok());
        let url = self.text("apicurio.registry.url").unwrap_or_default();
        let seen = [("/apis/registry/v2", 2), ("/apis/registry/v3", 3)];
        let seen = seen.into_iter().find_map(|(part, version)| url.contains(part).then_some(version));
        ApicurioRules {
            auto_register: self.flag("apicurio.registry.auto-register", false),
            if_exists,
            find_latest: self.flag("apicurio.registry.find-latest", false),
            canonicalize: self.flag("apicurio.registry.canonicalize", false),
            strategy: strategy.and_then(ArtifactStrategy::of_class).unwrap_or_default(),
            group: self.owned("apicurio.registry.artifact.group-id"),
            artifact: self.owned("apicurio.registry.artifact.artifact-id"),
            version: self.owned("apicurio.registry.artifact.version"),
            global_id,
            id_bytes: if short { 4 } else { handler.unwrap_or(4) },
            in_headers: self.flag("apicurio.registry.headers.enabled", false),
            header_names,
            api: said.or(seen),
        }
    }

    pub(super) fn apicurio_wiring(&self) -> Result<Wiring, RegistryError> {
        const URL: &str = "apicurio.registry.url";
        const USER: &str = "apicurio.registry.auth.username";
        const PASSWORD: &str = "apicurio.registry.auth.password";
        let (mut url, user_info) = address(URL, self.text(URL).unwrap_or_default())?;
        // The path up to the API, whose version may not be known yet.
        let root = url.path().split("/apis/registry").next().unwrap_or_default().to_owned();
        url.set_path(&root);
        let credentials = if self.text("apicurio.registry.auth.service.token.endpoint").is_some() {
            self.tokens(
                "apicurio.registry.auth.service.token.endpoint",
                [
                    "apicurio.registry.auth.client.id",
                    "apicurio.registry.auth.client.secret",
                    "apicurio.registry.auth.client.scope",
                ],
                Duration::from_secs(10),
            )?
        } else if let Some(user) = self.text(USER) {
            let Some(password) = self.secret(PASSWORD) else {
                let remedy = format!("Set it: {USER} is set.");
                return Err(RegistryError::setting(PASSWORD, "it is missing", remedy));
            };
            basic(PASSWORD, &Secret::new(format!("{user}:{}", password.reveal())))?
        } else if let Some(user_info) = user_info {
            basic(URL, &user_info)?
        } else {
            Credentials::None
        };
        let mut proxy = self.proxy("apicurio.registry.proxy.host", "apicurio.registry.proxy.port")?;
        if let (Some(user), Some(password)) =
            (self.text("apicurio.registry.proxy.username"), self.secret("apicurio.registry.proxy.password"))
        {
            proxy = proxy.map(|proxy| proxy.basic_auth(user, password.reveal()));
        }
        Ok(Wiring {
            addresses: vec![Address { url, credentials }],
            headers: self.headers("apicurio.registry.request.headers.")?,
            proxy,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
        })
    }

    pub(super) fn apicurio_tls(&self) -> Tls {
        const CERTIFICATES: &str = "apicurio.registry.tls.certificates";
        let mut trusted: Vec<Set<Store>> = self.file("apicurio.registry.tls.truststore.location").into_iter().collect();
        match self.text(CERTIFICATES) {
            Some(text) if trusted.is_empty() && text.contains("-----BEGIN ") => trusted.extend(self.pem(CERTIFICATES)),
            Some(files) if trusted.is_empty() => {
                let files = files.split(',').map(|path| Store::File(path.trim().to_owned()));
                trusted.extend(files.map(|value| Set { key: CERTIFICATES, value }));
            }
            _ => {}
        }
        let store = self.file("apicurio.registry.tls.keystore.location");
        Tls {
            trusted,
            trusted_password: self.secret("apicurio.registry.tls.truststore.password"),
            own: store.or_else(|| self.either("apicurio.registry.tls.client-certificate")),
            own_key: self.either("apicurio.registry.tls.client-key"),
            own_password: self.secret("apicurio.registry.tls.keystore.password"),
            key_password: None,
            checks_host: self.flag("apicurio.registry.tls.verify-host", true),
            checks_certificate: !self.flag("apicurio.registry.tls.trust-all", false),
            versions: Vec::new(),
        }
    }

    fn proxy(&self, host_key: &str, port_key: &str) -> Result<Option<Proxy>, RegistryError> {
        let (Some(host), Some(port)) = (self.text(host_key), self.text(port_key).filter(|port| *port != "-1")) else {
            return Ok(None);
        };
        let proxy = Proxy::all(format!("http://{host}:{port}")).map_err(|_| {
            let reason = format!("with {port_key} it is no address");
            RegistryError::setting(host_key, reason, "Write a host, and a port between 1 and 65535.")
        })?;
        Ok(Some(proxy))
    }

    fn tokens(
        &self,
        endpoint: &'static str,
        [id, secret, scope]: [&'static str; 3],
        buffer: Duration,
    ) -> Result<Credentials, RegistryError> {
        let missing = |key: &str| RegistryError::setting(key, "it is missing", format!("Set it: {endpoint} needs it."));
        let server = self.text(endpoint).ok_or_else(|| {
            RegistryError::setting(endpoint, "it is missing", "Set it to the address of the OAuth server's tokens.")
        })?;
        Ok(Credentials::Tokens(Arc::new(Tokens {
            endpoint: address(endpoint, server)?.0,
            client_id: self.owned(id).ok_or_else(|| missing(id))?,
            client_secret: self.secret(secret).ok_or_else(|| missing(secret))?,
            scope: self.owned(scope),
            buffer,
            key: secret,
            held: tokio::sync::Mutex::new(None),
        })))
    }
}

/// An address without its `user:password@`, and that text. As in Java, the text is taken as it stands: `%40` stays
/// `%40`.
fn address(key: &str, text: &str) -> Result<(Url, Option<Secret>), RegistryError> {
    let bad = || RegistryError::setting(key, "an address in it is no http(s) URL", "Write http://host:port.");
    let (scheme, rest) = text.split_once("://").ok_or_else(bad)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user_info, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let url = Url::parse(&format!("{scheme}://{host}{path}")).map_err(|_| bad())?;
    if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
        return Err(bad());
    }
    Ok((url, user_info.filter(|text| !text.is_empty()).map(Secret::new)))
}

fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn basic(key: &str, user_info: &Secret) -> Result<Credentials, RegistryError> {
    let value = secret_header(&format!("Basic {}", STANDARD.encode(user_info.reveal())));
    let bad = || RegistryError::setting(key, "it cannot be sent", "Write user:password.");
    value.map(Credentials::Header).ok_or_else(bad)
}

fn bearer(key: &str, token: &Secret) -> Result<Credentials, RegistryError> {
    let value = secret_header(&format!("Bearer {}", token.reveal()));
    let bad = || RegistryError::setting(key, "no header can have this value", "Write the token without blanks.");
    value.map(Credentials::Header).ok_or_else(bad)
}
