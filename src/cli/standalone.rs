//! Connector files of stand-alone mode: a flat JSON map, `{name, config, initial_state}`, or properties, tried in that
//! order as Kafka's own worker does.
//!
//! Must not know: connectors.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use settings::Properties;

use super::layers::{PropertiesFailure, read_properties};

/// The state that a connector is created in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TargetState {
    /// It runs.
    #[default]
    Running,
    /// It has its tasks, which do nothing.
    Paused,
    /// It has no tasks.
    Stopped,
}

impl TargetState {
    /// The state named so, any case.
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "RUNNING" => Some(Self::Running),
            "PAUSED" => Some(Self::Paused),
            "STOPPED" => Some(Self::Stopped),
            _ => None,
        }
    }
}

/// One connector to create at start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorFile {
    /// Where it stood.
    pub path: PathBuf,
    /// Its name.
    pub name: String,
    /// Its config, `name` in it.
    pub config: Properties,
    /// The state to create it in.
    pub initial_state: TargetState,
}

/// What stand-alone mode was given.
#[derive(Clone, Debug, Default)]
pub struct Standalone {
    /// The connectors in order.
    pub connectors: Vec<ConnectorFile>,
}

/// Why a connector file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Not there or not readable.
    #[error("the connector file {path} cannot be read: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// None of the three forms.
    #[error(
        "the connector file {path} is neither a JSON object of texts, nor JSON with name and config, nor Java properties: {reason}"
    )]
    Form {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// No name in it.
    #[error("the connector file {path} has no 'name': add one, offsets are kept under it")]
    NoName {
        /// Which.
        path: PathBuf,
    },
    /// A null in it.
    #[error("the connector file {path} has null for '{key}': give a text or leave the key out")]
    Null {
        /// Which.
        path: PathBuf,
        /// The key.
        key: String,
    },
    /// Names disagree.
    #[error(
        "the connector file {path} names the connector '{outer}' and, in its config, '{inner}': they must be equal"
    )]
    TwoNames {
        /// Which.
        path: PathBuf,
        /// Outside.
        outer: String,
        /// In the config.
        inner: String,
    },
    /// An unknown state.
    #[error("the connector file {path} has initial_state '{state}': it is RUNNING, PAUSED or STOPPED")]
    State {
        /// Which.
        path: PathBuf,
        /// As given.
        state: String,
    },
    /// Two files name one connector.
    #[error("the connector files {first} and {second} both name '{name}': give one of them another name")]
    Twice {
        /// The first.
        first: PathBuf,
        /// The second.
        second: PathBuf,
        /// The name.
        name: String,
    },
}

impl Standalone {
    /// Reads the files in order.
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
    // Almost anything reads as properties: what begins like JSON is meant as JSON.
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
        None => TargetState::Running,
        Some(state) => TargetState::from_name(&state).ok_or(FileError::State { path: path.clone(), state })?,
    };
    Ok(ConnectorFile { path, name, config, initial_state })
}
