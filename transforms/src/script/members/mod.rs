//! The properties and methods that values have, as tables: one row for each name and kind of value.
//!
//! Why tables: the parser refuses a name that no row has, the evaluator runs the row, and a message lists the rows, so the
//! three cannot disagree.
//!
//! Must not know: syntax, how an expression is walked.

mod lists;
mod numbers;
mod structs;
mod texts;

use settings::JavaSearch;

use super::Dialect;
use super::budget::Budget;
use super::failure::Failure;
use super::item::{Item, Kind};
use super::number::Number;

pub(super) use self::lists::java_in_range;
pub(super) use self::structs::{has_header, header};
pub(super) use self::texts::{decimal, floating, gave_up, order as text_order};

/// What a member gives.
pub(super) type Out<'a> = Result<Item<'a>, Failure>;

/// One look at a member of a value.
#[derive(Debug)]
pub(super) struct Call<'a, 'c> {
    pub(super) this: &'c Item<'a>,
    pub(super) name: &'c str,
    pub(super) arguments: &'c [Item<'a>],
    /// The regex that is the first argument; `arguments` then holds in its place whether all matches are meant (`/…/g`).
    pub(super) regex: Option<&'a JavaSearch>,
    pub(super) dialect: Dialect,
    pub(super) budget: &'c Budget,
}

/// Whether the first argument of a method is a regex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Regex {
    Never,
    /// A regex, or a text that is none (JavaScript).
    Maybe,
    /// A text that is a regex (Java).
    Always,
}

/// A property or method of one kind of value.
#[derive(Debug)]
pub(super) struct Row {
    /// The kind that has it; [`Kind::Any`] stands for all but null.
    pub(super) on: Kind,
    pub(super) name: &'static str,
    /// The least and the most arguments; none for a property.
    pub(super) arguments: Option<(usize, usize)>,
    pub(super) regex: Regex,
    /// The kind of its result.
    pub(super) gives: Kind,
    groovy: bool,
    javascript: bool,
    pub(super) run: for<'a> fn(&Call<'a, '_>) -> Out<'a>,
}

type Run = for<'a> fn(&Call<'a, '_>) -> Out<'a>;

/// A method of Java's, for both languages.
const fn method(on: Kind, name: &'static str, arguments: (usize, usize), gives: Kind, run: Run) -> Row {
    Row { on, name, arguments: Some(arguments), regex: Regex::Never, gives, groovy: true, javascript: true, run }
}

/// A method that Groovy alone has.
const fn groovy(on: Kind, name: &'static str, arguments: (usize, usize), gives: Kind, run: Run) -> Row {
    Row { javascript: false, ..method(on, name, arguments, gives, run) }
}

/// A method that JavaScript alone has.
const fn script(on: Kind, name: &'static str, arguments: (usize, usize), gives: Kind, run: Run) -> Row {
    Row { groovy: false, ..method(on, name, arguments, gives, run) }
}

impl Row {
    /// The same as a property.
    const fn property(self) -> Self {
        Self { arguments: None, ..self }
    }

    /// The first argument is, or may be, a regex.
    const fn regex(self, regex: Regex) -> Self {
        Self { regex, ..self }
    }

    pub(super) fn takes(&self, count: usize) -> bool {
        self.arguments.is_some_and(|(least, most)| (least..=most).contains(&count))
    }

    fn is_of(&self, dialect: Dialect) -> bool {
        match dialect {
            Dialect::Groovy => self.groovy,
            Dialect::JavaScript => self.javascript,
        }
    }
}

static TABLES: &[&[Row]] = &[texts::ROWS, numbers::ROWS, lists::ROWS, structs::ROWS];

fn rows(dialect: Dialect) -> impl Iterator<Item = &'static Row> {
    TABLES.iter().flat_map(|table| table.iter()).filter(move |row| row.is_of(dialect))
}

/// The rows of this name: properties, or methods.
pub(super) fn named(dialect: Dialect, name: &str, called: bool) -> Vec<&'static Row> {
    rows(dialect).filter(|row| row.name == name && row.arguments.is_some() == called).collect()
}

/// The names that a kind of value has, as a message lists them: methods with brackets.
pub(super) fn names(dialect: Dialect, kind: Kind) -> String {
    let named = |row: &Row| if row.arguments.is_some() { format!("{}()", row.name) } else { row.name.to_owned() };
    let mut all: Vec<String> = rows(dialect).filter(|row| row.on == kind).map(named).collect();
    all.dedup();
    all.join(", ")
}

/// The row for this kind of value, and for this number of arguments.
pub(super) fn find(rows: &[&'static Row], kind: Kind, arguments: Option<usize>) -> Option<&'static Row> {
    let fits = |row: &Row| match arguments {
        None => row.arguments.is_none(),
        Some(count) => row.takes(count),
    };
    let on = |kind: Kind| rows.iter().find(|row| row.on == kind && fits(row)).copied();
    on(kind).or_else(|| if kind == Kind::Nothing { None } else { on(Kind::Any) })
}

impl<'a> Call<'a, '_> {
    fn argument(&self, at: usize) -> &Item<'a> {
        self.arguments.get(at).unwrap_or(&Item::Undefined)
    }

    /// The failure of a method whose arguments do not fit, in Groovy's words.
    pub(super) fn no_signature(&self) -> Failure {
        Failure::new(no_signature(self.this.class(), self.name, self.arguments))
    }

    /// An argument that must be a text.
    fn text(&self, at: usize) -> Result<&str, Failure> {
        match self.argument(at) {
            Item::Text(text) | Item::Template(text) => Ok(text),
            _ => Err(self.no_signature()),
        }
    }

    /// An argument that must be a whole number.
    fn whole(&self, at: usize) -> Result<i64, Failure> {
        match self.argument(at) {
            Item::Number(Number::Whole(number, _)) => Ok(*number),
            Item::Number(Number::Double(number)) if self.dialect == Dialect::JavaScript => Ok(*number as i64),
            _ => Err(self.no_signature()),
        }
    }

    /// The regex that is the first argument.
    fn pattern(&self) -> Result<&'a JavaSearch, Failure> {
        self.regex.ok_or_else(|| self.no_signature())
    }

    /// A text that was made, paid for.
    fn made(&self, text: String) -> Out<'a> {
        self.budget.text(text.len())?;
        Ok(Item::made(text))
    }
}

/// The failure of a look at a member that the value does not have: a property, or a method with these arguments.
pub(super) fn missing(dialect: Dialect, of: &Item<'_>, name: &str, arguments: Option<&[Item<'_>]>) -> Failure {
    let (class, kind) = (of.class(), of.kind().name());
    Failure::new(match (dialect, of.is_null(), arguments) {
        (Dialect::JavaScript, true, _) => {
            let of = if matches!(of, Item::Null) { "null" } else { "undefined" };
            format!("TypeError: Cannot read property '{name}' of {of}")
        }
        (Dialect::JavaScript, false, Some(_)) => format!("TypeError: {kind} has no method {name}()"),
        (Dialect::JavaScript, false, None) => format!("{kind} has no property {name}"),
        (Dialect::Groovy, true, Some(_)) => format!("Cannot invoke method {name}() on null object"),
        (Dialect::Groovy, true, None) => format!("Cannot get property '{name}' on null object"),
        (Dialect::Groovy, false, None) => format!("No such property: {name} for class: {class}"),
        (Dialect::Groovy, false, Some(arguments)) => no_signature(class, name, arguments),
    })
}

fn no_signature(class: &str, name: &str, arguments: &[Item<'_>]) -> String {
    let types: Vec<&str> = arguments.iter().map(Item::class).collect();
    let types = types.join(", ");
    format!("No signature of method: {class}.{name}() is applicable for argument types: ({types})")
}
