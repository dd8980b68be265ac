//! Expressions on records, as Debezium's Filter and ContentBasedRouter have them: the parts of Groovy and of JavaScript
//! that people write, and CEL.
//!
//! Why an own evaluator and no engine: people bring expressions such as `value.after?.amount > 1000 ? 'high' : null`, whose
//! meaning (null is below every number, numbers of different types are equal by value, anything counts as true or false)
//! no library for Rust has. A small language is also safe by its make: no loops, no classes, no input or output, bounded
//! depth, steps and memory. An expression is parsed when the connector is created ([`parser`]), and what it may not say is
//! refused there. Of a record it reads only the fields that it names.
//!
//! Must not know: transforms, topics, what an expression's result is used for.

mod bindings;
mod budget;
mod casts;
mod cel;
mod decimal;
mod evaluation;
mod failure;
mod groovy;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod hostile;
mod item;
mod javascript;
mod members;
mod number;
mod parser;
mod quoted;
#[cfg(test)]
mod tests;
mod token;
mod tree;
mod values;

use record::Record;

use self::bindings::Bindings;
use self::cel::Cel;
use self::evaluation::Evaluation;
use self::failure::Complaint;
use self::item::Item;
use self::tree::Node;

/// A language of expressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    /// `jsr223.groovy`.
    Groovy,
    /// `jsr223.graal.js`.
    JavaScript,
    /// `cel`, which Debezium does not have.
    Cel,
}

impl Language {
    /// The name of CEL in an option.
    pub(crate) const CEL: &'static str = "cel";

    /// The language of this name in an option.
    pub(crate) fn find(name: &str) -> Option<Self> {
        match name {
            "jsr223.groovy" | "jsr223.Groovy" => Some(Self::Groovy),
            "jsr223.graal.js" => Some(Self::JavaScript),
            Self::CEL => Some(Self::Cel),
            _ => None,
        }
    }
}

/// The two languages that the own evaluator runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Groovy,
    JavaScript,
}

/// What an expression gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Null,
    Bool(bool),
    Text(String),
    /// Anything else, by the name of its class.
    Other(&'static str),
}

impl Outcome {
    /// The name of the value's class.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "java.lang.Boolean",
            Self::Text(_) => "java.lang.String",
            Self::Other(class) => class,
        }
    }
}

/// A parsed expression.
#[derive(Debug)]
pub(crate) struct Expression {
    source: String,
    program: Program,
}

#[derive(Debug)]
enum Program {
    Tree { dialect: Dialect, root: Node, slots: usize },
    Cel(Cel),
}

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    /// Debezium's message, with the place of the first mistake, or of the first thing that expressions may not say, and what
    /// to write instead.
    pub(crate) fn new(language: Language, source: &str) -> Result<Self, String> {
        let tree = |dialect| {
            let (root, slots) = parser::parse(source, dialect)?;
            Ok(Program::Tree { dialect, root, slots })
        };
        let program = match language {
            Language::Groovy => tree(Dialect::Groovy),
            Language::JavaScript => tree(Dialect::JavaScript),
            Language::Cel => Cel::new(source).map(Program::Cel),
        };
        let program = program.map_err(|complaint: Complaint| complaint.message(source))?;
        Ok(Self { source: source.to_owned(), program })
    }

    /// The expression as the user wrote it.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The expression's value on a record.
    ///
    /// # Errors
    /// When an operation does not fit the record's values, or a bound of time or memory is reached: the reason and the place
    /// in the expression.
    pub(crate) fn evaluate(&self, record: &Record<'_>) -> Result<Outcome, String> {
        match &self.program {
            Program::Tree { dialect, root, slots } => {
                let item = Evaluation::new(*dialect, *slots, Bindings(record)).run(root);
                item.map(|item| outcome(&item)).map_err(|failure| failure.message(&self.source))
            }
            Program::Cel(cel) => cel.evaluate(&self.source, record),
        }
    }
}

fn outcome(item: &Item<'_>) -> Outcome {
    match item {
        Item::Null | Item::Undefined => Outcome::Null,
        Item::Bool(truth) => Outcome::Bool(*truth),
        Item::Text(text) => Outcome::Text(text.to_string()),
        other => Outcome::Other(other.class()),
    }
}
