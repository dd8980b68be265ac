//! What validation reports about a config: errors ([`Invalid`]) and remarks ([`Finding`]).
//!
//! Must not know: who shows them.

use std::fmt;

/// An error of one key. The message is complete, as REST lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The key that REST lists the error under.
    pub key: String,
    /// The whole message.
    pub message: String,
}

impl Invalid {
    /// An error of `key`.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Invalid {}

/// How bad a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The connector runs, but probably not as the user meant.
    Warning,
    /// The configuration is in order, but as the server is now its task fails or changes are lost. A validation lists it as an
    /// error. The configuration is stored all the same, as Connect does: a person may be about to change the server.
    Unmet,
    /// The connector will not run.
    Error,
}

/// A remark on one key of a config: what was found, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The key that the remark is about.
    pub key: String,
    /// How bad the finding is.
    pub severity: Severity,
    /// What was found, and what follows from it.
    pub reason: String,
    /// What to do about it; empty when nothing needs doing.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.remedy.is_empty() { "" } else { " " };
        write!(f, "{}: {}{space}{}", self.key, self.reason, self.remedy)
    }
}
