//! Merges the worker's settings from defaults, file, environment and flags. A later layer wins, and each value
//! remembers where it came from.
//!
//! There are three kinds of environment variables. `CONNECT_A_B` is the property `a.b` and wins over the file. So do the standard
//! variables of OpenTelemetry that are known here: `OTEL_A_B` is the property `otel.a.b`. The names that container images use
//! (`BOOTSTRAP_SERVERS`, `GROUP_ID` and so on) only fill in what nothing else sets.
//!
//! Must not know: what the settings mean.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use config::{ConfigError, Map, Source, Value};
use settings::{Def, Kind, MASK, Properties, SecretNames};

use super::keys::{DISTRIBUTED, STANDALONE};

/// The log level: a setting of afterimage, which Connect does not have.
pub(super) const LOG_LEVEL: &str = "afterimage.log.level";

/// Why the layers cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The worker file is missing or not readable.
    #[error("the worker file {path} cannot be read: {source}. Name the file of worker properties after 'run'.")]
    File {
        /// The worker file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The worker file is not in the form of Java properties.
    #[error("the worker file {path} is not in the form of Java properties: {reason}")]
    Form {
        /// The worker file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The layers cannot be merged.
    #[error("the worker's settings cannot be put together: {0}")]
    Merge(#[from] ConfigError),
}

/// Where a value came from, in words: the default, the file, a variable or a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Whether the value is the default, which nobody set.
    pub fn is_default(&self) -> bool {
        self.0 == DEFAULT
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const DEFAULT: &str = "default";

/// One setting with its effective value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Name of the property.
    pub key: String,
    /// The value as text.
    pub value: String,
    /// Where the value came from.
    pub origin: Origin,
}

/// The effective settings, sorted by name.
#[derive(Clone, Debug)]
pub struct Layers {
    def: &'static Def,
    settings: Vec<Setting>,
}

/// One layer as a source of the `config` crate. That crate reads dots as paths, so that `key.converter` beside
/// `key.converter.schemas.enable` would be a text and a table at once. Names are therefore passed with `/` in place of
/// `.`.
#[derive(Clone, Debug)]
struct Layer(Vec<(String, String, String)>);

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let entry = |(key, value, origin): &(String, String, String)| {
            (key.replace('.', "/"), Value::new(Some(origin), value.as_str()))
        };
        Ok(self.0.iter().map(entry).collect())
    }
}

/// Variables of container images, and the property that each sets.
const CONTAINER: &[(&str, &str)] = &[
    ("BOOTSTRAP_SERVERS", "bootstrap.servers"),
    ("GROUP_ID", "group.id"),
    ("CONFIG_STORAGE_TOPIC", "config.storage.topic"),
    ("OFFSET_STORAGE_TOPIC", "offset.storage.topic"),
    ("STATUS_STORAGE_TOPIC", "status.storage.topic"),
    ("KEY_CONVERTER", "key.converter"),
    ("VALUE_CONVERTER", "value.converter"),
    ("ADVERTISED_HOST_NAME", "rest.advertised.host.name"),
    ("ADVERTISED_PORT", "rest.advertised.port"),
    ("OFFSET_FLUSH_INTERVAL_MS", "offset.flush.interval.ms"),
    ("OFFSET_FLUSH_TIMEOUT_MS", "offset.flush.timeout.ms"),
    ("SHUTDOWN_TIMEOUT", "task.shutdown.graceful.timeout.ms"),
    ("LOG_LEVEL", LOG_LEVEL),
];

impl Layers {
    /// Reads and merges `file`, the environment, and `flags` (key, value, origin).
    pub fn read(
        standalone: bool,
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
        flags: &[(String, String, String)],
    ) -> Result<Self, LayerError> {
        let environment: Vec<_> = environment.into_iter().collect();
        let def = if standalone { &STANDALONE } else { &DISTRIBUTED };
        let default = |key: &settings::Key| Some((key.name.to_owned(), key.default?.to_owned(), DEFAULT.to_owned()));
        let defaults = def.keys().filter_map(default).collect();
        let file = file.map(read_file).transpose()?.unwrap_or_default();
        let merged = config::Config::builder()
            .add_source(Layer(defaults))
            .add_source(Layer(container(&environment)))
            .add_source(Layer(file))
            .add_source(Layer(opentelemetry(def, &environment)))
            .add_source(Layer(connect(&environment)))
            .add_source(Layer(flags.to_vec()))
            .build()?;
        let mut settings = Vec::new();
        for (key, value) in merged.collect()? {
            let origin = Origin(value.origin().unwrap_or(DEFAULT).to_owned());
            settings.push(Setting { key: key.replace('/', "."), value: value.into_string()?, origin });
        }
        settings.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(Self { def, settings })
    }

    /// The setting `key`; `None` when nobody set it and it has no default.
    pub fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.binary_search_by(|s| s.key.as_str().cmp(key)).ok().map(|i| &self.settings[i])
    }

    /// All settings, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = &Setting> {
        self.settings.iter()
    }

    /// All settings as properties.
    pub fn properties(&self) -> Properties {
        self.settings.iter().map(|s| (s.key.as_str(), s.value.as_str())).collect()
    }

    /// The log level as a tracing filter. `afterimage.log.level` counts first. Otherwise the variables of Java's images
    /// count: `CONNECT_LOG4J_ROOT_LOGLEVEL`, `CONNECT_LOG4J_LOGGERS` (a level, appenders, or `logger=level` pairs) and
    /// `CONNECT_LOG4J_LOGGER_…`.
    pub fn log_level(&self) -> String {
        let own = self.get(LOG_LEVEL).filter(|level| !level.origin.is_default());
        let mut root = self.get("log4j.root.loglevel").map(|level| level.value.trim());
        let mut loggers: Vec<(&str, &str)> = Vec::new();
        for item in self.get("log4j.loggers").map_or("", |loggers| loggers.value.as_str()).split(',').map(str::trim) {
            match item.split_once('=') {
                Some((logger, level)) => loggers.push((logger.trim(), level.trim())),
                None if root.is_none() && is_level(item) => root = Some(item),
                // An appender's name is skipped, because there is only one log here.
                None => {}
            }
        }
        let named = |s: &'_ Setting| s.key.starts_with("log4j.logger.");
        let named = self.settings.iter().filter(|s| named(s));
        loggers.extend(named.filter_map(|s| {
            // An appender's name may follow the level.
            Some((s.key.strip_prefix("log4j.logger.")?, s.value.split(',').next().unwrap_or_default().trim()))
        }));
        let level = own.map_or_else(|| root.unwrap_or("info"), |level| level.value.trim());
        let mut filter = super::logging::word(level);
        if own.is_none() {
            loggers.retain(|(_, level)| is_level(level));
            super::logging::add(&mut filter, &loggers);
        }
        filter
    }

    /// Writes one line for each setting, `key = value    # origin`, with secrets hidden.
    pub fn print(&self, out: &mut impl Write) -> io::Result<()> {
        for setting in &self.settings {
            let password = self.def.get(&setting.key).is_some_and(|key| key.kind == Kind::Password);
            let hidden = (password || SecretNames::Usual.hides(&setting.key)) && !setting.value.is_empty();
            let value = if hidden { MASK } else { &setting.value };
            writeln!(out, "{} = {value}    # {}", setting.key, setting.origin)?;
        }
        Ok(())
    }
}

/// Whether `text` is one of log4j's names of levels.
fn is_level(text: &str) -> bool {
    ["off", "fatal", "error", "warn", "warning", "info", "debug", "trace", "all"]
        .iter()
        .any(|level| text.eq_ignore_ascii_case(level))
}

fn read_file(path: &Path) -> Result<Vec<(String, String, String)>, LayerError> {
    let pairs = read_properties(path).map_err(|e| match e {
        PropertiesFailure::Io(source) => LayerError::File { path: path.to_owned(), source },
        PropertiesFailure::Form(reason) => LayerError::Form { path: path.to_owned(), reason },
    })?;
    let origin = format!("file {}", path.display());
    Ok(pairs.into_iter().map(|(key, value)| (key, value, origin.clone())).collect())
}

/// Why a properties file cannot be read.
pub(super) enum PropertiesFailure {
    Io(io::Error),
    Form(String),
}

/// Reads a Java properties file in order. The last value of a repeated name counts, as in Java.
pub(super) fn read_properties(path: &Path) -> Result<Vec<(String, String)>, PropertiesFailure> {
    let bytes = std::fs::read(path).map_err(PropertiesFailure::Io)?;
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut put = |key: String, value: String| match pairs.iter_mut().find(|(k, _)| *k == key) {
        Some(pair) => pair.1 = value,
        None => pairs.push((key, value)),
    };
    java_properties::PropertiesIter::new(bytes.as_slice())
        .read_into(&mut put)
        .map_err(|e| PropertiesFailure::Form(e.to_string()))?;
    Ok(pairs)
}

/// Makes properties of `CONNECT_…` variables: `CONNECT_A_B` is `a.b`, `CONNECT_A__B` is `a_b`, and three underscores
/// are a hyphen, as in the usual Connect images.
fn connect(environment: &[(String, String)]) -> Vec<(String, String, String)> {
    let property = |(name, value): &(String, String)| {
        let rest = name.strip_prefix("CONNECT_").filter(|rest| !rest.is_empty())?;
        let key = rest.replace("___", "-").replace("__", "\u{0}").replace('_', ".").replace('\u{0}', "_");
        Some((key.to_ascii_lowercase(), value.clone(), format!("environment {name}")))
    };
    let mut found: Vec<_> = environment.iter().filter_map(property).collect();
    found.sort();
    found
}

/// Makes properties of the standard variables of OpenTelemetry. Those that no key stands for belong to other programs or signals.
fn opentelemetry(def: &Def, environment: &[(String, String)]) -> Vec<(String, String, String)> {
    let property = |(name, value): &(String, String)| {
        let key = name.starts_with("OTEL_").then(|| name.to_ascii_lowercase().replace('_', "."))?;
        // The specification says that an empty value means the same as none.
        let is_set = def.get(&key).is_some() && !value.trim().is_empty();
        is_set.then(|| (key, value.clone(), format!("environment {name}")))
    };
    environment.iter().filter_map(property).collect()
}

fn container(environment: &[(String, String)]) -> Vec<(String, String, String)> {
    // Docker Compose passes a variable that is not set as an empty text.
    let get = |name: &str| environment.iter().find(|(n, v)| n == name && !v.is_empty()).map(|(_, v)| v.as_str());
    let origin = |name: &str| format!("environment {name} (container)");
    let mut found: Vec<_> = CONTAINER
        .iter()
        .filter_map(|(name, key)| Some(((*key).to_owned(), get(name)?.to_owned(), origin(name))))
        .collect();
    if get("REST_PORT").is_some() || get("REST_HOST_NAME").is_some() {
        let name = if get("REST_PORT").is_some() { "REST_PORT" } else { "REST_HOST_NAME" };
        let listener = format!("http://{}:{}", get("REST_HOST_NAME").unwrap_or(""), get("REST_PORT").unwrap_or("8083"));
        found.push(("listeners".to_owned(), listener, origin(name)));
    }
    for (name, key) in [("SCHEMA_REGISTRY_URL", "schema.registry.url"), ("APICURIO_REGISTRY", "apicurio.registry.url")]
    {
        let Some(url) = get(name) else { continue };
        for side in ["key", "value"] {
            found.push((format!("{side}.converter.{key}"), url.to_owned(), origin(name)));
        }
    }
    found
}
