//! The settings of traces: the standard variables of OpenTelemetry, under the names that they have as properties
//! (`OTEL_TRACES_SAMPLER` is `otel.traces.sampler`, as in OpenTelemetry's own configuration for Java).
//!
//! Without an endpoint nothing else is looked at, so that variables that a platform puts into all processes do no harm. With
//! one, what makes it impossible to send spans as asked (another protocol, an endpoint that is no address, a header that is
//! none) ends the start; what is only odd is said in the log, and the default counts, as the specification wants it.
//!
//! Must not know: where the settings come from, how spans are sent.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Url;
use settings::{Finding, Severity};

use super::sampler::{Sampler, Wrong};

const ENDPOINT: &str = "otel.exporter.otlp.endpoint";
const TRACES_ENDPOINT: &str = "otel.exporter.otlp.traces.endpoint";

/// A setting for traces alone, and the one for all signals that counts without it.
type Pair = [&'static str; 2];

const PROTOCOL: Pair = ["otel.exporter.otlp.traces.protocol", "otel.exporter.otlp.protocol"];
const HEADERS: Pair = ["otel.exporter.otlp.traces.headers", "otel.exporter.otlp.headers"];
const TIMEOUT: Pair = ["otel.exporter.otlp.traces.timeout", "otel.exporter.otlp.timeout"];
const CERTIFICATE: Pair = ["otel.exporter.otlp.traces.certificate", "otel.exporter.otlp.certificate"];
const CLIENT_CERTIFICATE: Pair =
    ["otel.exporter.otlp.traces.client.certificate", "otel.exporter.otlp.client.certificate"];
const CLIENT_KEY: Pair = ["otel.exporter.otlp.traces.client.key", "otel.exporter.otlp.client.key"];

/// The worker's settings of traces.
#[derive(Clone, Debug, Default)]
pub struct TraceSettings {
    /// How spans are exported; none: traces are off.
    pub exporting: Option<Exporting>,
    /// What is odd in the settings, for the log.
    pub remarks: Vec<Finding>,
}

/// How spans are exported.
#[derive(Clone, Debug)]
pub struct Exporting {
    /// Where spans are sent to. It may hold a password: it is not shown.
    pub(super) url: Hidden,
    /// The headers of each export; their values are marked as sensitive and are not shown.
    pub(super) headers: HeaderMap,
    /// How long the collector may take for one answer.
    pub(super) timeout: Duration,
    /// The file of the authorities to trust, and the setting that names it.
    pub(super) certificate: Option<(&'static str, String)>,
    /// The file of the client's certificates.
    pub(super) client_certificate: Option<(&'static str, String)>,
    /// The file of the client's private key.
    pub(super) client_key: Option<(&'static str, String)>,
    /// `service.name`.
    pub(super) service: String,
    /// What else is said of this process.
    pub(super) attributes: Vec<(String, String)>,
    pub(super) sampler: Sampler,
    /// Whether the context of callers is honoured.
    pub(super) propagates: bool,
    /// The longest wait of a span before it is sent.
    pub(super) delay: Duration,
    /// How many spans may wait. One that comes later is dropped.
    pub(super) queue: usize,
    /// How many spans are sent together at most.
    pub(super) batch: usize,
    /// How long one export may take, with all its attempts. Then its spans are dropped.
    pub(super) patience: Duration,
}

/// An address that is not shown, because a user and a password may stand in it.
#[derive(Clone)]
pub(super) struct Hidden(pub(super) Url);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.place())
    }
}

impl Hidden {
    /// Host and port, for the log.
    pub(super) fn place(&self) -> String {
        let port = self.0.port_or_known_default().unwrap_or_default();
        format!("{}:{port}", self.0.host_str().unwrap_or_default())
    }
}

/// Reads settings, and keeps what is to be said of them.
struct Read<'g, 'a> {
    get: &'g dyn Fn(&str) -> Option<&'a str>,
    remarks: Vec<Finding>,
    errors: Vec<Finding>,
}

impl TraceSettings {
    /// Reads the settings. `get` gives the value of a property.
    ///
    /// # Errors
    /// All that stands in the way of an export that was asked for.
    pub fn read<'a>(get: &dyn Fn(&str) -> Option<&'a str>) -> Result<Self, Vec<Finding>> {
        let mut read = Read { get, remarks: Vec::new(), errors: Vec::new() };
        let exporting = read.exporting();
        if read.errors.is_empty() { Ok(Self { exporting, remarks: read.remarks }) } else { Err(read.errors) }
    }
}

impl<'a> Read<'_, 'a> {
    fn exporting(&mut self) -> Option<Exporting> {
        if self.value("otel.sdk.disabled").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return None;
        }
        let exporters: Vec<&str> =
            self.value("otel.traces.exporter").unwrap_or("otlp").split(',').map(str::trim).collect();
        if exporters.contains(&"none") {
            return None;
        }
        let given = [TRACES_ENDPOINT, ENDPOINT].into_iter().find_map(|key| Some((key, self.value(key)?)));
        let Some((key, endpoint)) = given else {
            if self.value("otel.traces.exporter").is_some() {
                self.remark("otel.traces.exporter", "has no effect without an endpoint: no spans are exported.", SET);
            }
            return None;
        };
        if let Some(other) = exporters.iter().find(|exporter| **exporter != "otlp") {
            let reason = format!("'{other}' is not built in: spans are exported by OTLP only");
            self.refuse("otel.traces.exporter", reason, "Use otlp, or none to switch traces off.");
        }
        let url = self.url(key, endpoint);
        self.protocol(key, url.as_ref());
        let headers = self.headers();
        let (client_certificate, client_key) = (self.either(CLIENT_CERTIFICATE), self.either(CLIENT_KEY));
        if let (Some((key, _)), None) | (None, Some((key, _))) = (client_certificate, client_key) {
            let reason = "a client's certificate and its private key are needed together".to_owned();
            self.refuse(key, reason, "Set both, or none of them.");
        }
        let owned = |(key, file): (&'static str, &str)| (key, file.to_owned());
        let mut attributes = self.attributes();
        let mut service = "afterimage".to_owned();
        // OTEL_SERVICE_NAME counts more than a service.name among the attributes.
        attributes.retain(|(name, value)| {
            if name == "service.name" {
                service.clone_from(value);
            }
            name != "service.name"
        });
        if let Some(name) = self.value("otel.service.name") {
            name.clone_into(&mut service);
        }
        let queue = self.number("otel.bsp.max.queue.size", 2048);
        let mut batch = self.number("otel.bsp.max.export.batch.size", 512);
        if batch > queue {
            self.remark("otel.bsp.max.export.batch.size", "is more than otel.bsp.max.queue.size, which counts.", "");
            batch = queue;
        }
        let propagators = self.value("otel.propagators").unwrap_or("tracecontext");
        Some(Exporting {
            url: Hidden(url?),
            headers,
            timeout: self.millis(TIMEOUT, 10_000),
            certificate: self.either(CERTIFICATE).map(owned),
            client_certificate: client_certificate.map(owned),
            client_key: client_key.map(owned),
            service,
            attributes,
            sampler: self.sampler(),
            propagates: propagators.split(',').any(|name| name.trim() == "tracecontext"),
            delay: self.millis(["otel.bsp.schedule.delay"; 2], 5000),
            queue: usize::try_from(queue).unwrap_or(MOST_SPANS).min(MOST_SPANS),
            batch: usize::try_from(batch).unwrap_or(MOST_SPANS).min(MOST_SPANS),
            patience: self.millis(["otel.bsp.export.timeout"; 2], 30_000),
        })
    }

    /// The value of a property; an empty one counts as not set, as the specification says.
    fn value(&self, key: &str) -> Option<&'a str> {
        (self.get)(key).map(str::trim).filter(|value| !value.is_empty())
    }

    /// The value of the first of two properties that is set, with its name.
    fn either(&self, pair: Pair) -> Option<(&'static str, &'a str)> {
        pair.into_iter().find_map(|key| Some((key, self.value(key)?)))
    }

    fn refuse(&mut self, key: &str, reason: String, remedy: &str) {
        let (key, remedy) = (key.to_owned(), remedy.to_owned());
        self.errors.push(Finding { key, severity: Severity::Error, reason, remedy });
    }

    fn remark(&mut self, key: &str, reason: impl Into<String>, remedy: &str) {
        let (key, reason, remedy) = (key.to_owned(), reason.into(), remedy.to_owned());
        self.remarks.push(Finding { key, severity: Severity::Warning, reason, remedy });
    }

    /// Where spans are sent to. To the endpoint of all signals the path of traces is added; that of traces is taken as it is.
    fn url(&mut self, key: &str, endpoint: &str) -> Option<Url> {
        let parsed = endpoint.parse::<Url>().ok();
        let Some(mut url) = parsed.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) else {
            // The address itself is not shown: a password may stand in it.
            self.refuse(key, "this is no address of http or https".to_owned(), "Write it as http://host:4318.");
            return None;
        };
        if key == ENDPOINT {
            let path = format!("{}/v1/traces", url.path().trim_end_matches('/'));
            url.set_path(&path);
        }
        Some(url)
    }

    fn protocol(&mut self, of_endpoint: &str, url: Option<&Url>) {
        match self.either(PROTOCOL) {
            None | Some((_, "http/protobuf")) => {
                if url.is_some_and(|url| url.port() == Some(4317)) {
                    self.remark(
                        of_endpoint,
                        "names port 4317, at which collectors usually speak gRPC; spans are sent by HTTP.",
                        "If they do not arrive, use port 4318.",
                    );
                }
            }
            Some((key, "grpc")) => self.refuse(
                key,
                "grpc is not spoken here: spans are sent by HTTP with protobuf".to_owned(),
                "Use http/protobuf, and the collector's port for it, usually 4318. Collectors that take grpc take it too.",
            ),
            Some((key, other)) => {
                let reason = format!("'{other}' is not spoken here: spans are sent by HTTP with protobuf");
                self.refuse(key, reason, "Use http/protobuf, which every collector with HTTP takes.");
            }
        }
    }

    /// `name=value` pairs between commas, with percent-encoded values (as in the header `baggage`).
    fn headers(&mut self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let Some((key, text)) = self.either(HEADERS) else { return headers };
        for (at, pair) in text.split(',').map(str::trim).enumerate().filter(|(_, pair)| !pair.is_empty()) {
            let header = pair.split_once('=').and_then(|(name, value)| {
                let name: HeaderName = name.trim().parse().ok()?;
                let mut value = HeaderValue::from_str(&decoded(value.trim())?).ok()?;
                value.set_sensitive(true);
                Some((name, value))
            });
            match header {
                Some((name, value)) => drop(headers.append(name, value)),
                // What it is may be a key or a password.
                None => self.refuse(
                    key,
                    format!("part {} of it is no header", at + 1),
                    "Write name=value pairs with commas between them, and %2C for a comma in a value.",
                ),
            }
        }
        headers
    }

    /// Of attributes that cannot be read none counts, as the specification says.
    fn attributes(&mut self) -> Vec<(String, String)> {
        let key = "otel.resource.attributes";
        let Some(text) = self.value(key) else { return Vec::new() };
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=')?;
            Some((decoded(name.trim()).filter(|name| !name.is_empty())?, decoded(value.trim())?))
        };
        let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
        pairs.map(pair).collect::<Option<Vec<_>>>().unwrap_or_else(|| {
            self.remark(key, "is not in the form name=value,name=value, and is left out.", "");
            Vec::new()
        })
    }

    fn sampler(&mut self) -> Sampler {
        let (key, argument) = ("otel.traces.sampler", "otel.traces.sampler.arg");
        let Some(name) = self.value(key) else { return Sampler::default() };
        match Sampler::parse(name, self.value(argument)) {
            Ok(sampler) => sampler,
            Err(Wrong::Name) => {
                let remedy = "Use always_on, always_off, traceidratio, or one of them with parentbased_ in front.";
                self.remark(key, "names no sampler that is built in; parentbased_always_on counts.", remedy);
                Sampler::default()
            }
            Err(Wrong::Argument(sampler)) => {
                self.remark(argument, "is no number from 0 to 1; 1 counts.", "");
                sampler
            }
        }
    }

    fn number(&mut self, key: &str, default: u64) -> u64 {
        let Some(text) = self.value(key) else { return default };
        text.parse().ok().filter(|number| *number > 0).unwrap_or_else(|| {
            self.remark(key, format!("is no whole number above 0; {default} counts."), "");
            default
        })
    }

    fn millis(&mut self, pair: Pair, default: u64) -> Duration {
        let millis = self.either(pair).map_or(default, |(key, _)| self.number(key, default));
        Duration::from_millis(millis.min(LONGEST_MS))
    }
}

/// What to do when an endpoint is missing.
const SET: &str = "Set OTEL_EXPORTER_OTLP_ENDPOINT, for example to http://localhost:4318.";

/// More spans than these are not kept or sent together, whatever is asked: each takes some hundreds of bytes.
const MOST_SPANS: usize = 1 << 16;
/// A day: no time is longer.
const LONGEST_MS: u64 = 86_400_000;

/// Decodes percent-encoding; nothing when it is none, or not UTF-8.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = tail;
            continue;
        }
        let (digits, tail) = tail.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}
