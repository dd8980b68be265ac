//! What a CEL expression may say, checked on its syntax tree when the connector is created.
//!
//! Must not know: records.

use std::collections::HashMap;

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue, operators};
use cel::{IdedExpr as Node, Program};
use settings::JavaSearch;

use super::super::failure::Complaint;

/// How deep operations may stand inside each other; the evaluator's stack depends on it.
const MOST_DEPTH: usize = 64;
/// What a record gives to an expression.
const VARIABLES: &[&str] = &["key", "value", "keySchema", "valueSchema", "topic", "header"];
/// The functions and methods of CEL's standard library, and of its optional values.
const FUNCTIONS: &[&str] = &[
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "size",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "bool",
    "dyn",
    "type",
    "of",
    "none",
    "ofNonZeroValue",
    "hasValue",
    "value",
    "or",
    "orValue",
];

/// A node that is still to be looked at.
struct Step<'p> {
    node: &'p Node,
    depth: usize,
    /// Whether it is evaluated once for each item of a list.
    looped: bool,
    /// The names of items that are known here.
    names: Vec<&'p str>,
}

/// Checks every node, and compiles the regexes.
pub(super) fn look_at(source: &str, program: &Program) -> Result<HashMap<String, JavaSearch>, Complaint> {
    let mut regexes = HashMap::new();
    let mut steps = vec![Step { node: program.expression(), depth: 1, looped: false, names: Vec::new() }];
    while let Some(step) = steps.pop() {
        let at = program.source_info().offset_for(step.node.id).map_or(0, |(from, _)| byte(source, from as usize));
        if step.depth > MOST_DEPTH {
            return Err(Complaint::new(at, format!("more than {MOST_DEPTH} operations stand inside each other here")));
        }
        let mut next = |node| {
            steps.push(Step { node, depth: step.depth + 1, looped: step.looped, names: step.names.clone() });
        };
        match &step.node.expr {
            Expr::Ident(name) => {
                let known = VARIABLES.contains(&name.as_str()) || step.names.contains(&name.as_str());
                if !known && !is_type(name) {
                    return Err(Complaint::new(
                        at,
                        format!(
                            "there is no variable {name}: an expression knows key, value, keySchema, valueSchema, topic and header"
                        ),
                    ));
                }
            }
            Expr::Call(call) => {
                let name = call.func_name.as_str();
                let is_operator = !name.starts_with(|c: char| c.is_ascii_alphabetic());
                if !is_operator && !FUNCTIONS.contains(&name) {
                    return Err(Complaint::new(
                        at,
                        format!("there is no function {name}: the functions are {}", FUNCTIONS.join(", ")),
                    ));
                }
                if name == "matches" {
                    let regex = call.args.last().map(|argument| &argument.expr);
                    let Some(Expr::Literal(LiteralValue::String(regex))) = regex else {
                        let what =
                            "the regex of matches() must be written out as a text, so that it can be checked now";
                        return Err(Complaint::new(at, what));
                    };
                    let compiled = JavaSearch::new(regex).map_err(|error| Complaint::new(at, error.to_string()))?;
                    regexes.insert(regex.inner().to_owned(), compiled);
                }
                let namespace = matches!(&call.target, Some(target) if matches!(&target.expr, Expr::Ident(name) if name == "optional"));
                for node in call.target.iter().map(|target| &**target).filter(|_| !namespace).chain(&call.args) {
                    next(node);
                }
            }
            Expr::Select(select) => next(&select.operand),
            Expr::List(list) => list.elements.iter().for_each(&mut next),
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        next(&entry.key);
                        next(&entry.value);
                    }
                }
            }
            Expr::Comprehension(comprehension) => {
                if step.looped {
                    let what = "all, exists, exists_one or filter cannot stand inside of another one: its time would have no bound";
                    return Err(Complaint::new(at, what));
                }
                if makes_list(&comprehension.loop_step, &comprehension.iter_var) {
                    let what = "map cannot be used: write exists, all or filter";
                    return Err(Complaint::new(at, what));
                }
                steps.push(Step {
                    node: &comprehension.iter_range,
                    depth: step.depth + 1,
                    looped: false,
                    names: step.names.clone(),
                });
                let mut names = step.names.clone();
                names.extend([comprehension.iter_var.as_str(), comprehension.accu_var.as_str()]);
                names.extend(comprehension.iter_var2.as_deref());
                for node in [
                    &comprehension.loop_cond,
                    &comprehension.loop_step,
                    &comprehension.result,
                    &comprehension.accu_init,
                ] {
                    steps.push(Step { node, depth: step.depth + 1, looped: true, names: names.clone() });
                }
            }
            Expr::Struct(of) => {
                return Err(Complaint::new(at, format!("there is no type {}", of.type_name)));
            }
            Expr::Literal(_) | Expr::Unspecified => {}
        }
    }
    Ok(regexes)
}

/// Whether a comprehension collects something else than the items that it looks at.
fn makes_list(step: &IdedExpr, item: &str) -> bool {
    let Expr::Call(call) = &step.expr else { return false };
    match (call.func_name.as_str(), call.args.as_slice()) {
        (operators::ADD, [_, added]) => match &added.expr {
            Expr::List(list) => !list.elements.iter().all(|e| matches!(&e.expr, Expr::Ident(name) if name == item)),
            _ => false,
        },
        (operators::CONDITIONAL, [_, yes, _]) => makes_list(yes, item),
        _ => false,
    }
}

fn is_type(name: &str) -> bool {
    let types = ["int", "uint", "double", "string", "bytes", "bool", "list", "map", "type", "null_type"];
    types.contains(&name) || name.starts_with('@')
}

/// The byte index of a character.
fn byte(source: &str, characters: usize) -> usize {
    source.char_indices().nth(characters).map_or(source.len(), |(at, _)| at)
}
