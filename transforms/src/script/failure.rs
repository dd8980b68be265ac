//! Why an expression is refused, and why it fails on a record.
//!
//! Must not know: what an expression may say.

use std::fmt;

/// A mistake in an expression, found when the connector is created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Byte index in the expression.
    pub(super) at: usize,
    /// What is wrong, and what to write instead.
    pub(super) what: String,
}

impl Complaint {
    pub(super) fn new(at: usize, what: impl Into<String>) -> Self {
        Self { at, what: what.into() }
    }

    /// Debezium's message, with the place and the reason behind it.
    pub(crate) fn message(&self, expression: &str) -> String {
        let (line, column) = place(expression, self.at);
        format!("Failed to parse expression '{expression}': line {line}, column {column}: {}", self.what)
    }
}

/// Line and column of a byte index, both counted from 1; a column is a character.
pub(super) fn place(expression: &str, at: usize) -> (usize, usize) {
    let before = expression.get(..at).unwrap_or(expression);
    let line = before.rsplit('\n').next().unwrap_or(before);
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

/// Why an expression failed on a record. The texts are those of Java, Groovy or JavaScript without the values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure(Box<Cause>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Cause {
    what: String,
    /// Byte index in the expression of the operation that failed.
    at: Option<usize>,
}

impl Failure {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(Box::new(Cause { what: what.into(), at: None }))
    }

    /// Adds the place, unless an inner operation has already named its own.
    pub(super) fn at(mut self, at: u32) -> Self {
        self.0.at = self.0.at.or(Some(at as usize));
        self
    }

    /// The reason, and where in the expression the operation stands that failed.
    pub(crate) fn message(&self, expression: &str) -> String {
        let what = &self.0.what;
        match self.0.at.map(|at| place(expression, at)) {
            None => what.clone(),
            Some((1, column)) => format!("{what} (column {column})"),
            Some((line, column)) => format!("{what} (line {line}, column {column})"),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.what)
    }
}
