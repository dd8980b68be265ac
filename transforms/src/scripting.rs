//! What Debezium's transforms with expressions have in common: their options, which records they look at, and the words of
//! their failures.
//!
//! Must not know: what an expression's result is used for, how expressions are evaluated.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use record::{Cache, Record};
use settings::{Asked, Check, Choice, JavaRegex, Key, Properties, ReplaceError, Width};

use crate::TransformError;
use crate::error::{Refusal, java};
use crate::script::{Expression, Language, Outcome};

/// The number of topics of which it is remembered whether `topic.regex` matches them.
const CACHE: usize = 4096;

settings::choices! {
    /// What happens to a record whose value is null (`null.handling.mode`).
    enum NullHandling {
        /// It passes as it is.
        Keep = "keep",
        /// It is dropped.
        Drop = "drop",
        /// The expression decides.
        Evaluate = "evaluate",
    }
}

pub(crate) const TOPIC_REGEX: Key = Key::new("topic.regex", settings::Kind::String)
    .low()
    .shown("Topic regex", Width::Long)
    .doc("A Java regex. Records of topics that it does not match as a whole pass untouched, without evaluation.");

pub(crate) const LANGUAGE: Key = Key::new("language", settings::Kind::String)
    .high()
    .shown("Expression language", Width::Medium)
    .doc("The language of the expression: jsr223.groovy, jsr223.graal.js or cel.");

pub(crate) const NULL_HANDLING: Key = Key::new("null.handling.mode", settings::Kind::String)
    .low()
    .shown("Handle null records", Width::Short)
    .default("keep")
    .one_of(&["keep", "drop", "evaluate"], &[])
    .doc("What happens to a record whose value is null: keep (it passes), drop, or evaluate (the expression decides).");

/// The key that holds the expression.
pub(crate) const fn expression(name: &'static str, title: &'static str) -> Key {
    Key::new(name, settings::Kind::String).high().shown(title, Width::Medium).checks(&[Check::Own(parses)])
}

/// Refuses an expression when the connector is created. The other options are looked at when the task starts, as Debezium
/// does; by then keys have no prefix.
fn parses(asked: &Asked<'_>) -> Vec<String> {
    let (Some(source), Some(language)) = (asked.value, asked.beside("language")) else { return Vec::new() };
    let wrong = if asked.prefix.is_empty() { None } else { parse(language, source).err() };
    wrong.into_iter().collect()
}

/// Parses an expression, or says with Debezium's messages why there is none.
fn parse(language: &str, source: &str) -> Result<Expression, String> {
    let language = language.trim();
    if let Some(found) = Language::find(language) {
        return Expression::new(found, source);
    }
    let Some(name) = ["jsr223.", "wasm."].iter().find_map(|prefix| language.strip_prefix(prefix)) else {
        return Err(
            "Value for option 'language' must begin with 'jsr223.' or 'wasm', e.g. 'jsr223.groovy'; or be 'cel'"
                .to_owned(),
        );
    };
    Err(format!(
        "Failed to parse expression '{source}': Implementation of language '{name}' not found on the classpath; the languages \
         are jsr223.groovy, jsr223.graal.js and cel"
    ))
}

/// An expression and the records that it is for.
#[derive(Debug)]
pub(crate) struct Scripting {
    expression: Expression,
    /// The regex of topics, and which topics it matches.
    topics: Option<(JavaRegex, Cache<Arc<str>, bool>)>,
    nulls: NullHandling,
}

/// What is to be done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It passes untouched.
    Pass,
    Drop,
    Evaluate,
}

impl Scripting {
    /// Reads the options and parses the expression under `key`.
    ///
    /// # Errors
    /// When an option is missing or wrong, the language is not there, or the expression is refused.
    pub(crate) fn new(properties: &Properties, key: &str) -> Result<Self, Vec<Refusal>> {
        let text = |name: &str| properties.get(name).unwrap_or_default();
        let mut refusals = Vec::new();
        let mut refuse = |name: &str, problem: &str| {
            let value = properties.get(name).map_or(String::new(), |text| format!("'{text}' "));
            let message = format!(
                "The provided configuration isn't valid; check the error log for details. The '{name}' value {value}is \
                 invalid: {problem}"
            );
            refusals.push(Refusal::new(java::DEBEZIUM, name, message));
        };
        let topics = Some(text("topic.regex")).filter(|regex| !regex.is_empty()).map(JavaRegex::new_case_sensitive);
        let topics = topics.transpose().unwrap_or_else(|error| {
            refuse("topic.regex", &format!("A valid regular expressions is expected, but {error}"));
            None
        });
        for name in ["language", key] {
            if text(name).trim().is_empty() {
                refuse(name, "A value is required");
            }
        }
        let nulls = properties.get("null.handling.mode").map_or(Some(NullHandling::Keep), NullHandling::from_name);
        let nulls = nulls.unwrap_or_else(|| {
            refuse("null.handling.mode", "Value must be one of keep, drop, evaluate");
            NullHandling::Keep
        });
        if !refusals.is_empty() {
            return Err(refusals);
        }
        let topics = topics.map(|regex| (regex, Cache::new(CACHE)));
        let expression = parse(text("language"), text(key));
        let expression = expression.map_err(|message| vec![Refusal::new(java::DEBEZIUM, key, message)])?;
        Ok(Self { expression, topics, nulls })
    }

    /// Whether the expression is asked about this record.
    ///
    /// # Errors
    /// When the regex of topics gives up.
    pub(crate) fn turn(&mut self, record: &Record<'_>) -> Result<Turn, TransformError> {
        if let Some((regex, known)) = &mut self.topics {
            let topic = &record.topic;
            let place = if let Some(place) = known.place(|known| known == topic, || Arc::clone(topic)) {
                place
            } else {
                let gave_up = |_| ReplaceError::Backtracking(regex.as_str().to_owned());
                known.insert(Arc::clone(topic), regex.matches(topic).map_err(gave_up)?)
            };
            if !*known.at(place) {
                return Ok(Turn::Pass);
            }
        }
        Ok(match self.nulls {
            _ if !record.value.is_null() => Turn::Evaluate,
            NullHandling::Keep => Turn::Pass,
            NullHandling::Drop => Turn::Drop,
            NullHandling::Evaluate => Turn::Evaluate,
        })
    }

    /// The expression as the user wrote it.
    pub(crate) fn source(&self) -> &str {
        self.expression.source()
    }

    /// The expression's result.
    ///
    /// # Errors
    /// When the evaluation fails.
    pub(crate) fn evaluate(&self, record: &Record<'_>) -> Result<Outcome, TransformError> {
        self.expression.evaluate(record).map_err(|why| self.failed(record, &why))
    }

    /// The failure of an expression whose result is of another type.
    pub(crate) fn wrong_type(&self, record: &Record<'_>, outcome: &Outcome, wanted: &str) -> TransformError {
        let class = outcome.class();
        let why = format!("The value returned by the expression is not a {wanted}, but of the class {class}");
        self.failed(record, &why)
    }

    /// Debezium's message; of the record it names the topic only.
    fn failed(&self, record: &Record<'_>, why: &str) -> TransformError {
        let (source, topic) = (self.source(), &record.topic);
        TransformError::new(
            java::DEBEZIUM,
            format!(
                "Error while evaluating expression '{source}' for record 'ConnectRecord{{topic='{topic}'}}': {why}"
            ),
        )
    }
}
