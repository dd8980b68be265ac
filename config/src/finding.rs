//! What is said of a config: refusals and remarks.
//!
//! Must not know: who shows them.

use std::fmt;

/// A refusal: the text is the whole message, as REST lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The key that it stands beside.
    pub key: String,
    /// The whole message.
    pub message: String,
}

impl Invalid {
    /// A refusal of `key`.
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
    /// Good to know.
    Info,
    /// It runs, but probably not as meant.
    Warning,
    /// It will not run.
    Error,
}

/// A remark on a config: what is so, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The key that it is about.
    pub key: String,
    /// How bad.
    pub severity: Severity,
    /// What is so, and its consequence.
    pub reason: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let space = if self.remedy.is_empty() { "" } else { " " };
        write!(f, "{}: {}{space}{}", self.key, self.reason, self.remedy)
    }
}
