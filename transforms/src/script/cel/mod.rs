//! Expressions in CEL, the Common Expression Language, run by the `cel` crate.
//!
//! The crate evaluates; this room gives it the record field by field, and keeps it bounded: an expression may not be deep, may
//! not have a loop over items inside of another one, and may not make lists, so that no value grows beyond the record. What it
//! reads of the record is counted.
//!
//! Must not know: Groovy, JavaScript.

mod check;
mod objects;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use cel::common::types::{CelBool, CelNull, CelString};
use cel::common::value::CowVal;
use cel::extractors::This;
use cel::{Context, Env, ExecutionError, Value};
use record::Record;
use settings::JavaSearch;

use self::check::look_at;
use self::objects::Bound;
use super::Outcome;
use super::failure::Complaint;

/// The most bytes of an expression.
const MOST_BYTES: usize = 8 << 10;
/// The stack of the thread that parses. The crate's parser calls itself for each operator of a chain, so the longest
/// expression needs more than the stack of a usual thread; memory that is not touched costs nothing.
const STACK_BYTES: usize = 64 << 20;

/// A compiled expression.
pub(super) struct Cel {
    program: cel::Program,
    /// The functions that expressions can call.
    context: Context<'static, 'static>,
}

impl fmt::Debug for Cel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cel").finish_non_exhaustive()
    }
}

impl Cel {
    /// Compiles an expression.
    ///
    /// # Errors
    /// The first mistake, or the first thing that expressions may not say.
    pub(super) fn new(source: &str) -> Result<Self, Complaint> {
        if source.len() > MOST_BYTES {
            let what = format!("the expression has {} bytes; at most {MOST_BYTES} are allowed", source.len());
            return Err(Complaint::new(MOST_BYTES, what));
        }
        let (env, program, regexes) = parsed(source)?;
        let mut context = Context::with_env(env);
        let matches = move |this: This<Arc<String>>, regex: Arc<String>| find(&regexes, &this.0, &regex);
        context.add_function("matches", matches).map_err(|error| Complaint::new(0, error.to_string()))?;
        Ok(Self { program, context })
    }

    /// The expression's value on a record.
    ///
    /// # Errors
    /// Why it failed, without values of the record.
    pub(super) fn evaluate(&self, source: &str, record: &Record<'_>) -> Result<Outcome, String> {
        let bound = Bound::new(record);
        let root: &Context<'_, '_> = &self.context;
        let mut context = root.new_inner_scope();
        context.set_variable_resolver(&bound);
        let result = Value::resolve_val(self.program.expression(), &context).map(|value| outcome(&value));
        if bound.is_exhausted() {
            return Err("the expression needs too many steps on this record".to_owned());
        }
        result.map_err(|error| why(source, &error))
    }
}

type Parsed = (Arc<Env>, cel::Program, HashMap<String, JavaSearch>);

/// Parses and checks an expression, in a thread of its own.
fn parsed(source: &str) -> Result<Parsed, Complaint> {
    let text = source.to_owned();
    let parse = move || {
        let env = Arc::new(Env::stdlib());
        let program = env.compile(&text).map_err(|errors| complaint(&text, &errors))?;
        let regexes = look_at(&text, &program)?;
        Ok((env, program, regexes))
    };
    let thread = std::thread::Builder::new().name("cel".to_owned()).stack_size(STACK_BYTES).spawn(parse);
    let thread = thread.map_err(|error| Complaint::new(0, format!("no thread to parse it in: {error}")))?;
    thread.join().unwrap_or_else(|_| Err(Complaint::new(0, "the parser of CEL cannot read it")))
}

fn find(regexes: &HashMap<String, JavaSearch>, text: &str, regex: &str) -> Result<bool, ExecutionError> {
    let found = regexes.get(regex).map(|regex| regex.finds(text));
    match found {
        Some(Ok(found)) => Ok(found),
        _ => Err(ExecutionError::function_error("matches", "the regex needs too many steps")),
    }
}

fn outcome(value: &CowVal<'_, '_>) -> Outcome {
    let value = value.as_ref();
    if let Some(truth) = value.downcast_ref::<CelBool>() {
        return Outcome::Bool(*truth.inner());
    }
    if let Some(text) = value.downcast_ref::<CelString>() {
        return Outcome::Text(text.inner().to_owned());
    }
    if value.downcast_ref::<CelNull>().is_some() {
        return Outcome::Null;
    }
    Outcome::Other(match value.get_type().name() {
        "int" => "int",
        "uint" => "uint",
        "double" => "double",
        "list" => "list",
        "map" => "map",
        _ => "object",
    })
}

/// The first mistake that the parser found.
fn complaint(source: &str, errors: &cel::ParseErrors) -> Complaint {
    let Some(first) = errors.errors.first() else { return Complaint::new(0, "it is no CEL expression") };
    let (line, column) = (usize::try_from(first.pos.0).unwrap_or(1), usize::try_from(first.pos.1).unwrap_or(1));
    let before: usize = source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = source.get(before..).unwrap_or("");
    let inside = rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
    let message = first.msg.lines().next().unwrap_or("it is no CEL expression");
    Complaint::new(before + inside, message)
}

/// Why an evaluation failed. Names stand in the message only if they stand in the expression, because a name that was
/// computed may be a value of the record.
fn why(source: &str, error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(name) if source.contains(name.as_str()) => {
            format!("{name} is not a valid field name")
        }
        ExecutionError::NoSuchKey(_) => "there is no such field".to_owned(),
        ExecutionError::NoSuchOverload(of)
            if of.function() == "_._" && of.argument_types().first().is_some_and(|on| on == "null_type") =>
        {
            "a field of null is read: ask first, as in value.after != null && value.after.id == 1".to_owned()
        }
        ExecutionError::NoSuchOverload(overload) => overload.to_string(),
        ExecutionError::UndeclaredReference(name) if source.contains(name.as_str()) => {
            format!("there is no variable or function {name}")
        }
        ExecutionError::UnexpectedType { got, want } => format!("the type is {got}, where {want} is needed"),
        ExecutionError::InvalidArgumentCount { expected, actual } => {
            format!("a function takes {expected} arguments, not {actual}")
        }
        ExecutionError::ValuesNotComparable(left, right)
        | ExecutionError::UnsupportedBinaryOperator(_, left, right)
        | ExecutionError::Overflow(_, left, right) => {
            let what = if matches!(error, ExecutionError::Overflow(..)) { "overflow" } else { "no operator" };
            format!("{what} of {} and {}", left.type_of(), right.type_of())
        }
        ExecutionError::FunctionError { function, message } if function == objects::READING => message.clone(),
        ExecutionError::FunctionError { function, .. } => format!("the function {function} failed"),
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "division by zero".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "the list has no item of this index".to_owned(),
        _ => "an operation does not fit the values".to_owned(),
    }
}
