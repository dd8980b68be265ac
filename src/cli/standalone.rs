//! Connector files of stand-alone mode. Three forms are tried in the order of Kafka's own worker: a flat JSON map,
//! `{name, config, initial_state}`, and Java properties.
//!
//! Must not know: what the connectors do.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use settings::Properties;

use super::layers::{PropertiesFailure, read_properties};
use crate::store::TargetState;

/// One connector to create at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorFile {
    /// The file.
    pub path: PathBuf,
    /// Name of the connector.
    pub name: String,
    /// The configuration, with `name` in it.
    pub config: Properties,
    /// The state in which the connector is created (KIP-980).
    pub initial_state: TargetState,
}

/// The connectors that the command line names in stand-alone mode.
#[derive(Clone, Debug, Default)]
pub struct Standalone {
    /// The connectors in the order of the files.
    pub connectors: Vec<ConnectorFile>,
}

/// Why a connector file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file is missing or not readable.
    #[error("the connector file {path} cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The file has none of the three forms.
    #[error(
        "the connector file {path} is neither a JSON object of texts, nor JSON with name and config, nor Java properties: {reason}"
    )]
    Form {
        /// The file.
        path: PathBuf,
        /// Why it could not be read.
        reason: String,
    },
    /// The file gives the connector no name.
    #[error("the connector file {path} has no 'name': add one, offsets are kept under it")]
    NoName {
        /// The file.
        path: PathBuf,
    },
    /// A value is null.
    #[error("the connector file {path} has null for '{key}': give a text or leave the key out")]
    Null {
        /// The file.
        path: PathBuf,
        /// The key with the null.
        key: String,
    },
    /// The file gives the connector two different names.
    #[error(
        "the connector file {path} names the connector '{outer}' and, in its config, '{inner}': they must be equal"
    )]
    TwoNames {
        /// The file.
        path: PathBuf,
        /// The name beside `config`.
        outer: String,
        /// The name inside `config`.
        inner: String,
    },
    /// The initial state is not known.
    #[error("the connector file {path} has initial_state '{state}': it is RUNNING, PAUSED or STOPPED")]
    State {
        /// The file.
        path: PathBuf,
        /// The state as given.
        state: String,
    },
    /// Two files give the same connector.
    #[error("the connector files {first} and {second} both name '{name}': give one of them another name")]
    Twice {
        /// The earlier file.
        first: PathBuf,
        /// The later file.
        second: PathBuf,
        /// The name in both.
        name: String,
    },
}

impl Standalone {
    /// Reads the files in order and checks that no name comes twice.
    pub fn read(paths: &[PathBuf]) -> Result<Self, FileError> {
        let mut connectors: Vec<ConnectorFile> = Vec::new();
        for path in paths {
            let file = read(path)?;
            if let Some(first) = connectors.iter().find(|c| c.name == file.name) {
                return Err(FileError::Twice { first: first.path.clone(), second: file.path, name: file.name });
            }
            connectors.push(file);
        }
        Ok(Self { connectors })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    name: String,
    config: Properties,
    initial_state: Option<String>,
}

fn read(path: &Path) -> Result<ConnectorFile, FileError> {
    let owned = || path.to_owned();
    let bytes = std::fs::read(path).map_err(|source| FileError::Read { path: owned(), source })?;
    if let Ok(config) = serde_json::from_slice::<Properties>(&bytes) {
        return connector(path, None, config, None);
    }
    if let Ok(wrapped) = serde_json::from_slice::<Wrapped>(&bytes) {
        return connector(path, Some(wrapped.name), wrapped.config, wrapped.initial_state);
    }
    // Nearly any text can be read as properties. A text that begins like JSON is therefore read as JSON only.
    let begin = bytes.iter().find(|b| !b.is_ascii_whitespace());
    if begin == Some(&b'{') {
        let reason = serde_json::from_slice::<Wrapped>(&bytes).err().map(|e| e.to_string()).unwrap_or_default();
        return Err(FileError::Form { path: owned(), reason });
    }
    let pairs = read_properties(path).map_err(|e| match e {
        PropertiesFailure::Io(source) => FileError::Read { path: owned(), source },
        PropertiesFailure::Form(reason) => FileError::Form { path: owned(), reason },
    })?;
    connector(path, None, pairs.into_iter().collect(), None)
}

fn connector(
    path: &Path,
    outer: Option<String>,
    mut config: Properties,
    state: Option<String>,
) -> Result<ConnectorFile, FileError> {
    let path = path.to_owned();
    if let Some(key) = config.first_null() {
        let key = key.to_owned();
        return Err(FileError::Null { path, key });
    }
    let name = match (outer, config.get("name").map(str::to_owned)) {
        (Some(outer), Some(inner)) if outer != inner => return Err(FileError::TwoNames { path, outer, inner }),
        (Some(name), _) | (None, Some(name)) if !name.trim().is_empty() => name.trim().to_owned(),
        _ => return Err(FileError::NoName { path }),
    };
    config.insert("name", name.clone());
    let initial_state = match state {
        None => TargetState::Started,
        Some(state) => TargetState::from_initial(&state).ok_or(FileError::State { path: path.clone(), state })?,
    };
    Ok(ConnectorFile { path, name, config, initial_state })
}
