//! The worker's configuration as typed values.
//!
//! Must not know: what is done with the settings.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use settings::{Finding, Properties, Reader, Severity};

use super::keys::{DISTRIBUTED, STANDALONE};
use super::layers::Layers;
use crate::rest::MetricNames;
use crate::runtime::catalog::{Catalog, PartKind};
use crate::runtime::overrides::{self, OverridePolicy};
use crate::runtime::supervisor::RestartSettings;
use crate::runtime::traces::TraceSettings;
use crate::runtime::variables::Variables;
use crate::sink::properties;
use crate::store::TopicSettings;

settings::choices! {
    /// `exactly.once.source.support` (KIP-618).
    pub enum ExactlyOnce {
        /// Records and offsets are written separately.
        Disabled = "disabled",
        /// The leader writes to the config topic with a transactional producer, as a step towards `enabled`.
        Preparing = "preparing",
        /// Records and offsets are written in one transaction.
        Enabled = "enabled",
    }
}

/// Where the worker keeps its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// In Kafka topics.
    Topics {
        /// Connector configurations, in one partition.
        configs: TopicSettings,
        /// Source offsets.
        offsets: TopicSettings,
        /// Statuses of connectors and tasks.
        statuses: TopicSettings,
    },
    /// In a file (stand-alone mode).
    File(PathBuf),
}

/// The worker's configuration.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// The brokers to ask first, as host:port.
    pub bootstrap_servers: Vec<String>,
    /// Name of the group; empty in stand-alone mode.
    pub group_id: String,
    /// Part of the names under which the internal Kafka clients appear at the brokers.
    pub client_id: String,
    /// Class of the key converter for connectors that name none.
    pub key_converter: String,
    /// Class of the value converter for connectors that name none.
    pub value_converter: String,
    /// Class of the header converter for connectors that name none.
    pub header_converter: String,
    /// How long all tasks together may take at a stop.
    pub shutdown_timeout: Duration,
    /// Time between commits of offsets.
    pub offset_flush_interval: Duration,
    /// How long one commit of offsets may take.
    pub offset_flush_timeout: Duration,
    /// Where the worker keeps its state.
    pub state: State,
    /// Whether the list of topics that each connector wrote to is kept.
    pub topic_tracking: bool,
    /// Whether that list may be emptied over REST.
    pub topic_tracking_reset: bool,
    /// REST listeners, `scheme://host:port`.
    pub listeners: Vec<String>,
    /// Listeners of /admin. `None`: the main listeners serve it. Empty: nobody serves it.
    pub admin_listeners: Option<Vec<String>>,
    /// Host under which other workers reach this one.
    pub advertised_host: Option<String>,
    /// Port under which other workers reach this one.
    pub advertised_port: Option<u16>,
    /// http or https: which listener other workers use.
    pub advertised_listener: Option<String>,
    /// Allowed CORS origins, as written.
    pub allow_origin: String,
    /// Allowed CORS methods, as written.
    pub allow_methods: String,
    /// `response.http.headers.config`, as written.
    pub response_headers: String,
    /// Java class names of REST extensions.
    pub rest_extensions: Vec<String>,
    /// Which rules name the metrics of `GET /metrics`.
    pub metric_names: MetricNames,
    /// Identifies this worker across its restarts. `None`: the advertised address is used.
    pub instance_id: Option<String>,
    /// Time without a heartbeat after which a standby takes over.
    pub session_timeout: Duration,
    /// Time between heartbeats to the group.
    pub heartbeat_interval: Duration,
    /// Whether records and offsets are written in one transaction.
    pub exactly_once: ExactlyOnce,
    /// Whether and when tasks that failed are started again by themselves.
    pub restarts: RestartSettings,
    /// Whether and where spans are exported.
    pub traces: TraceSettings,
    /// The providers that resolve `${name:path:key}`.
    pub variables: Variables,
    /// All settings that somebody set, unknown keys too, with variables resolved. Defaults are not among them. Kafka
    /// clients get these.
    pub properties: Properties,
}

/// One setting that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerError {
    /// Name of the setting.
    pub key: String,
    /// Where the value came from; `None`: it is not set.
    pub origin: Option<String>,
    /// What is wrong with the value.
    pub reason: String,
    /// How to correct it.
    pub remedy: String,
}

impl fmt::Display for WorkerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.origin.as_deref().unwrap_or("not set");
        write!(f, "worker setting {} ({origin}): {}. {}", self.key, self.reason.trim_end_matches('.'), self.remedy)
    }
}

impl std::error::Error for WorkerError {}

impl WorkerConfig {
    /// Reads the settings. The error holds all mistakes, not only the first.
    pub fn read(layers: &Layers, standalone: bool) -> Result<Self, Vec<WorkerError>> {
        let def = if standalone { &STANDALONE } else { &DISTRIBUTED };
        let mut errors = Vec::new();
        let variables = Variables::read(&layers.properties()).unwrap_or_else(|e| {
            errors.push(error(layers, &e.key, e.reason, e.remedy));
            Variables::default()
        });
        let resolved = variables.resolve(&layers.properties());
        let mut r = Reader::new(*def, &resolved);
        let mut config = Self {
            bootstrap_servers: r.list("bootstrap.servers"),
            group_id: if standalone { String::new() } else { word(&mut r, "group.id") },
            client_id: word(&mut r, "client.id"),
            key_converter: word(&mut r, "key.converter"),
            value_converter: word(&mut r, "value.converter"),
            header_converter: word(&mut r, "header.converter"),
            shutdown_timeout: r.millis("task.shutdown.graceful.timeout.ms"),
            offset_flush_interval: r.millis("offset.flush.interval.ms"),
            offset_flush_timeout: r.millis("offset.flush.timeout.ms"),
            state: if standalone {
                State::File(word(&mut r, "offset.storage.file.filename").into())
            } else {
                topics(&mut r)
            },
            topic_tracking: r.boolean("topic.tracking.enable"),
            topic_tracking_reset: r.boolean("topic.tracking.allow.reset"),
            listeners: r.list("listeners"),
            admin_listeners: r.is_set("admin.listeners").then(|| r.list("admin.listeners")),
            advertised_host: r.text_or_none("rest.advertised.host.name"),
            advertised_port: r.int_or_none("rest.advertised.port").and_then(|p| u16::try_from(p).ok()),
            advertised_listener: r.text_or_none("rest.advertised.listener"),
            allow_origin: word(&mut r, "access.control.allow.origin"),
            allow_methods: word(&mut r, "access.control.allow.methods"),
            response_headers: r.text("response.http.headers.config"),
            rest_extensions: r.list("rest.extension.classes"),
            metric_names: MetricNames::default(),
            instance_id: if standalone { None } else { r.text_or_none("afterimage.instance.id") },
            session_timeout: if standalone { Duration::ZERO } else { r.millis("session.timeout.ms") },
            heartbeat_interval: if standalone { Duration::ZERO } else { r.millis("heartbeat.interval.ms") },
            exactly_once: if standalone {
                ExactlyOnce::Disabled
            } else {
                r.choice("exactly.once.source.support", ExactlyOnce::Disabled)
            },
            restarts: RestartSettings {
                enabled: r.boolean("task.restart.enabled"),
                first: r.millis("task.restart.backoff.ms"),
                longest: r.millis("task.restart.backoff.max.ms"),
                most: RestartSettings::limit(r.int("task.restart.max.attempts").into()),
            },
            traces: TraceSettings::default(),
            variables,
            properties: layers
                .iter()
                .filter(|s| !s.origin.is_default())
                .filter_map(|s| Some((s.key.as_str(), resolved.get(&s.key)?)))
                .collect(),
        };
        // The policy is read again where a connector's overrides are held against it.
        if let Err(reason) = OverridePolicy::read(&resolved) {
            let remedy = "Use All, None, Principal or Allowlist.".to_owned();
            errors.push(error(layers, overrides::POLICY, reason, remedy));
        }
        match MetricNames::parse(&r.list("metrics.names")) {
            Ok(names) => config.metric_names = names,
            Err(reason) => {
                let remedy = "Use one or more of f1, f2 and f3, and strip-total if dashboards want it.".to_owned();
                errors.push(error(layers, "metrics.names", reason, remedy));
            }
        }
        match TraceSettings::read(&|key| resolved.get(key)) {
            Ok(traces) => config.traces = traces,
            Err(wrong) => errors.extend(wrong.into_iter().map(|e| error(layers, &e.key, e.reason, e.remedy))),
        }
        together(&config, &mut r, layers, &mut errors);
        match r.finish(config) {
            Ok((config, _)) if errors.is_empty() => Ok(config),
            Ok(_) => Err(errors),
            Err(complaints) => {
                let refused = complaints.into_iter().map(|c| {
                    let remedy = remedy(layers, &c.key);
                    error(layers, &c.key, c.message, remedy)
                });
                Err(refused.chain(errors).collect())
            }
        }
    }

    /// Findings to log once at the start: settings that have no effect here.
    pub fn remarks(&self) -> Vec<Finding> {
        let def = if matches!(self.state, State::File(_)) { &STANDALONE } else { &DISTRIBUTED };
        let mut findings = def.without_effect("", &self.properties);
        findings.extend(self.traces.remarks.iter().cloned());
        // Other unknown keys may be somebody else's, but these are Kafka's: it is a slip of the pen.
        let is_security = |name: &str| name.starts_with("sasl.") || name.starts_with("ssl.");
        for (key, _) in self.properties.iter().filter(|(name, _)| is_security(name) && def.find(name).is_none()) {
            findings.push(Finding {
                key: key.to_owned(),
                severity: Severity::Warning,
                reason: "has no effect here: it is not a setting of the worker.".to_owned(),
                remedy: String::new(),
            });
        }
        findings
    }
}

fn word(r: &mut Reader<'_>, name: &str) -> String {
    r.text(name).trim().to_owned()
}

fn error(layers: &Layers, key: &str, reason: String, remedy: String) -> WorkerError {
    WorkerError { key: key.to_owned(), origin: layers.get(key).map(|s| s.origin.to_string()), reason, remedy }
}

fn remedy(layers: &Layers, key: &str) -> String {
    let variable = key.replace('-', "___").replace('_', "__").replace('.', "_").to_ascii_uppercase();
    match layers.get(key) {
        Some(setting) => format!("Correct it in: {}.", setting.origin),
        None => format!("Set {key} in the worker file, CONNECT_{variable} in the environment, or --set {key}=…."),
    }
}

fn topics(r: &mut Reader<'_>) -> State {
    let mut topic = |kind: &str, partitions: i32| {
        let prefix = format!("{kind}.storage.");
        let own = ["topic", "replication.factor", "partitions", "cleanup.policy", "file.filename"];
        let config = r.properties().under(&prefix).filter(|(name, _)| !own.contains(name));
        let config = config.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        TopicSettings {
            name: word(r, &format!("{prefix}topic")),
            replication_factor: r.int(&format!("{prefix}replication.factor")),
            partitions,
            config,
        }
    };
    let (configs, offsets, statuses) = (topic("config", 1), topic("offset", 0), topic("status", 0));
    State::Topics {
        configs,
        offsets: TopicSettings { partitions: r.int("offset.storage.partitions"), ..offsets },
        statuses: TopicSettings { partitions: r.int("status.storage.partitions"), ..statuses },
    }
}

/// Checks settings that must fit each other, and settings with a syntax of their own.
fn together(config: &WorkerConfig, r: &mut Reader<'_>, layers: &Layers, errors: &mut Vec<WorkerError>) {
    let mut refuse = |key: &str, reason: String, remedy: &str| {
        errors.push(error(layers, key, reason, remedy.to_owned()));
    };
    if config.bootstrap_servers.is_empty() && r.is_set("bootstrap.servers") {
        let reason = "Configuration 'bootstrap.servers' must not be empty. Valid values include: any non-empty value";
        refuse("bootstrap.servers", reason.to_owned(), "Name at least one broker as host:port.");
    }
    if let State::Topics { configs, offsets, statuses } = &config.state {
        let named = [
            ("config.storage.topic", &configs.name),
            ("offset.storage.topic", &offsets.name),
            ("status.storage.topic", &statuses.name),
        ];
        for (i, (key, name)) in named.iter().enumerate() {
            for (other, same) in &named[..i] {
                if name == same && !name.is_empty() {
                    refuse(
                        key,
                        format!("'{name}' is the topic of {other} too, and each would overwrite the other's records"),
                        "Give each of the three topics a name of its own.",
                    );
                }
            }
        }
        let algorithm = word(r, "inter.worker.signature.algorithm");
        if !r.list("inter.worker.verification.algorithms").contains(&algorithm) {
            refuse(
                "inter.worker.signature.algorithm",
                "Signature algorithm must be present in inter.worker.verification.algorithms list".to_owned(),
                "Add it to that list.",
            );
        }
    }
    let admin = config.admin_listeners.iter().flatten().map(|l| ("admin.listeners", l));
    for (key, listener) in config.listeners.iter().map(|l| ("listeners", l)).chain(admin) {
        if !is_listener(listener) {
            refuse(key, format!("'{listener}' is no listener"), "Write it as http://host:port or https://host:port.");
        }
    }
    if config.listeners.is_empty() {
        refuse(
            "listeners",
            "there is none, and the worker could not be managed".to_owned(),
            "Name one, such as http://:8083.",
        );
    }
    for class in config.rest_extensions.iter().filter(|class| !crate::rest::auth::is_extension(class)) {
        refuse(
            "rest.extension.classes",
            format!("'{class}' is not built in, and leaving it out could leave the API open"),
            "Use org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension or none.",
        );
    }
    let catalog = Catalog::all();
    for (key, class, kind) in [
        ("key.converter", &config.key_converter, PartKind::Converter),
        ("value.converter", &config.value_converter, PartKind::Converter),
        ("header.converter", &config.header_converter, PartKind::HeaderConverter),
    ] {
        if !class.is_empty() && catalog.find(kind, class).is_none() {
            let reason = format!("Invalid value {class} for configuration {key}: Class {class} could not be found.");
            refuse(key, reason, &format!("\n{}", catalog.lacks(kind, class)));
        }
    }
    // A producer setting that cannot be honoured would make each task fail, so it is refused at the start.
    let own: properties::Properties =
        config.properties.under("producer.").map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for refusal in properties::producer("", &own, &properties::Properties::new()).refusals {
        refuse(&format!("producer.{}", refusal.name), refusal.reason, &format!("{}.", refusal.remedy));
    }
    if let Some(port) = r.int_or_none("rest.advertised.port").filter(|_| config.advertised_port.is_none()) {
        refuse("rest.advertised.port", format!("{port} is no port"), "Use a number from 0 to 65535.");
    }
}

fn is_listener(text: &str) -> bool {
    let Some((scheme, address)) = text.split_once("://") else { return false };
    let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    known && address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}
