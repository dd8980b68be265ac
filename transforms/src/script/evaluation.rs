//! Walks the tree of an expression on one record.
//!
//! Must not know: syntax, how payloads are made.

use std::cmp::Ordering;

use record::Schema;

use super::bindings::{Bindings, Struct, payload};
use super::budget::Budget;
use super::casts::{cast, is};
use super::failure::Failure;
use super::item::{Item, List, Map, Text};
use super::members::{self, Call, gave_up, header};
use super::number::Number;
use super::tree::{Binding, Constant, Function, Member, Node, Order, Part, What};
use super::values::java_text;
use super::{Dialect, groovy, javascript};

type Out<'a> = Result<Item<'a>, Failure>;

/// One evaluation.
#[derive(Debug)]
pub(super) struct Evaluation<'a> {
    dialect: Dialect,
    bindings: Bindings<'a>,
    budget: Budget,
    /// The variables; none: not yet assigned.
    slots: Vec<Option<Item<'a>>>,
}

/// What a statement did.
enum Done<'a> {
    /// It has a value, or none (a declaration in JavaScript).
    Value(Option<Item<'a>>),
    /// It ended the expression with this value.
    Return(Item<'a>),
}

impl<'a> Evaluation<'a> {
    pub(super) fn new(dialect: Dialect, slots: usize, bindings: Bindings<'a>) -> Self {
        Self { dialect, bindings, budget: Budget::default(), slots: vec![None; slots] }
    }

    /// The value of the last statement, or of the first `return`.
    pub(super) fn run(&mut self, root: &'a Node) -> Out<'a> {
        if self.dialect == Dialect::JavaScript {
            self.check_structs()?;
        }
        Ok(match self.statement(root)? {
            Done::Return(item) | Done::Value(Some(item)) => item,
            Done::Value(None) => self.nothing(),
        })
    }

    /// graal.js casts key and value to structs before it looks at the expression.
    fn check_structs(&self) -> Result<(), Failure> {
        for part in [self.binding(Binding::Key), self.binding(Binding::Value)] {
            if !matches!(part, Item::Null | Item::Struct(_)) {
                let class = part.class();
                let what = "cannot be cast to class org.apache.kafka.connect.data.Struct";
                return Err(Failure::new(format!("java.lang.ClassCastException: class {class} {what}")));
            }
        }
        Ok(())
    }

    fn nothing(&self) -> Item<'a> {
        match self.dialect {
            Dialect::Groovy => Item::Null,
            Dialect::JavaScript => Item::Undefined,
        }
    }

    fn statement(&mut self, node: &'a Node) -> Result<Done<'a>, Failure> {
        self.budget.steps(1)?;
        match &node.what {
            What::Block(statements) => {
                let mut last = None;
                for statement in statements {
                    match self.statement(statement)? {
                        Done::Value(Some(item)) => last = Some(item),
                        // A statement without a value leaves the one before (JavaScript).
                        Done::Value(None) => {}
                        done @ Done::Return(_) => return Ok(done),
                    }
                }
                Ok(Done::Value(last))
            }
            What::If(condition, yes, no) => {
                if self.test(condition)? {
                    return self.statement(yes);
                }
                match no {
                    Some(no) => self.statement(no),
                    None => Ok(Done::Value(Some(self.nothing()))),
                }
            }
            What::Return(value) => Ok(Done::Return(match value {
                Some(value) => self.item(value)?,
                None => self.nothing(),
            })),
            What::Declare(slot, value) => {
                let item = self.item(value)?;
                self.assign(*slot, item);
                Ok(Done::Value(None))
            }
            _ => self.item(node).map(|item| Done::Value(Some(item))),
        }
    }

    fn assign(&mut self, slot: usize, item: Item<'a>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Some(item);
        }
    }

    /// Whether a value counts as true.
    fn truth(&self, item: &Item<'a>) -> Result<bool, Failure> {
        match self.dialect {
            Dialect::Groovy => groovy::truth(item),
            Dialect::JavaScript => Ok(javascript::truth(item)),
        }
    }

    fn test(&mut self, node: &'a Node) -> Result<bool, Failure> {
        let item = self.item(node)?;
        self.truth(&item).map_err(|failure| failure.at(node.at))
    }

    fn text(&self, item: &Item<'a>) -> Result<Text<'a>, Failure> {
        java_text(item, self.dialect, &self.budget)
    }

    /// The value of an expression.
    fn item(&mut self, node: &'a Node) -> Out<'a> {
        self.budget.steps(1)?;
        match &node.what {
            What::Constant(constant) => Ok(match constant {
                Constant::Undefined => Item::Undefined,
                Constant::Null => Item::Null,
                Constant::Bool(truth) => Item::Bool(*truth),
                Constant::Number(number) => Item::Number(number.clone()),
                Constant::Text(text) => Item::text(text),
            }),
            What::Binding(binding) => Ok(self.binding(*binding)),
            // The usual property, without the detours of calls and of chains.
            What::Member(member) if self.dialect == Dialect::Groovy && member.arguments.is_none() => {
                let of = self.item(&member.of)?;
                match &of {
                    Item::Struct(of) => field(of, member),
                    of if member.safe && of.is_null() => Ok(Item::Null),
                    of => self.member(of, member),
                }
                .map_err(|failure| failure.at(node.at))
            }
            What::Member(_) | What::Index { .. } => {
                let item = self.chain(node)?;
                Ok(item.unwrap_or_else(|| self.nothing()))
            }
            What::Equal { strict, negated, left, right } => {
                let (left, right) = (self.item(left)?, self.item(right)?);
                let same = match self.dialect {
                    Dialect::Groovy => groovy::equal(&left, &right, &self.budget),
                    Dialect::JavaScript if *strict => Ok(javascript::strict(&left, &right)),
                    Dialect::JavaScript => Ok(javascript::loose(&left, &right)),
                };
                same.map(|same| Item::Bool(same != *negated)).map_err(|failure| failure.at(node.at))
            }
            What::And(parts) => self.all(parts, true),
            What::Or(parts) => self.all(parts, false),
            What::Not(of) => self.test(of).map(|truth| Item::Bool(!truth)),
            What::Choice(condition, yes, no) => {
                let chosen = if self.test(condition)? { yes } else { no };
                self.item(chosen)
            }
            What::Slot(slot) => match (self.slots.get(*slot).cloned().flatten(), self.dialect) {
                (Some(item), _) => Ok(item),
                (None, Dialect::JavaScript) => Ok(Item::Undefined),
                (None, Dialect::Groovy) => Err(Failure::new("the variable has no value yet").at(node.at)),
            },
            What::Assign(slot, value) => {
                let item = self.item(value)?;
                self.assign(*slot, item.clone());
                Ok(item)
            }
            What::Block(_) | What::If(..) | What::Return(_) | What::Declare(..) => match self.statement(node)? {
                Done::Value(Some(item)) | Done::Return(item) => Ok(item),
                Done::Value(None) => Ok(self.nothing()),
            },
            _ => self.operation(node).map_err(|failure| failure.at(node.at)),
        }
    }

    /// What is less frequent than members, comparisons and logic.
    #[inline(never)]
    fn operation(&mut self, node: &'a Node) -> Out<'a> {
        match &node.what {
            What::Template(parts) => self.template(parts),
            What::Order(order, left, right) => {
                let (left, right) = (self.item(left)?, self.item(right)?);
                self.order(*order, &left, &right)
            }
            What::Compute(op, left, right) => {
                let (left, right) = (self.item(left)?, self.item(right)?);
                match self.dialect {
                    Dialect::Groovy => groovy::compute(*op, &left, &right, &self.budget),
                    Dialect::JavaScript => javascript::compute(*op, &left, &right, &self.budget),
                }
            }
            What::In { negated, left, right } => {
                let item = self.item(left)?;
                let found = match (&right.what, self.dialect) {
                    // The usual list of constants is not made first.
                    (What::List(items), Dialect::Groovy) => self.is_among(&item, items)?,
                    (_, Dialect::Groovy) => {
                        let all = self.item(right)?;
                        groovy::contains(&item, &all, &self.budget)?
                    }
                    (_, Dialect::JavaScript) => {
                        let of = self.item(right)?;
                        javascript::has(&item, &of, &self.budget)?
                    }
                };
                Ok(Item::Bool(found != *negated))
            }
            What::Is { negated, left, of } => Ok(Item::Bool(is(&self.item(left)?, *of) != *negated)),
            What::As(of, to) => {
                let item = self.item(of)?;
                cast(&item, *to, self.dialect, &self.budget)
            }
            What::Matches { negated, left, regex } => {
                let item = self.item(left)?;
                if item.is_null() {
                    return Ok(Item::Bool(*negated));
                }
                let text = self.text(&item)?;
                self.budget.look(text.len())?;
                Ok(Item::Bool(regex.matches(&text).map_err(|_| gave_up())? != *negated))
            }
            What::Finds(left, regex) => {
                let item = self.item(left)?;
                let text = self.text(&item)?;
                self.budget.look(text.len())?;
                Ok(Item::Matcher(regex, text))
            }
            What::Tests(regex, text) => {
                let item = self.item(text)?;
                let text = self.text(&item)?;
                self.budget.look(text.len())?;
                regex.finds(&text).map(Item::Bool).map_err(|_| gave_up())
            }
            What::Else { by_null, left, right } => {
                let item = self.item(left)?;
                let keeps = if *by_null { !item.is_null() } else { self.truth(&item)? };
                if keeps { Ok(item) } else { self.item(right) }
            }
            What::List(items) => {
                self.budget.list(items.len())?;
                let items: Result<Vec<_>, _> = items.iter().map(|item| self.item(item)).collect();
                items.map(Item::list)
            }
            What::Map(entries) => {
                self.budget.list(2 * entries.len())?;
                let entries: Result<Vec<_>, Failure> =
                    entries.iter().map(|(key, value)| Ok((self.item(key)?, self.item(value)?))).collect();
                entries.map(|entries| Item::Map(Map::Made(entries.into())))
            }
            What::Range(from, to) => match (self.item(from)?, self.item(to)?) {
                (Item::Number(Number::Whole(from, _)), Item::Number(Number::Whole(to, _))) => Ok(Item::Range(from, to)),
                (from, to) => {
                    Err(Failure::new(format!("a range cannot be made of {} and {}", from.class(), to.class())))
                }
            },
            What::Minus(of) => {
                let item = self.item(of)?;
                match self.dialect {
                    Dialect::Groovy => groovy::negative(&item),
                    Dialect::JavaScript => Ok(Item::Number(Number::Double(-javascript::number(&item)))),
                }
            }
            What::Plus(of) => {
                let item = self.item(of)?;
                match (self.dialect, &item) {
                    (Dialect::JavaScript, _) => Ok(Item::Number(Number::Double(javascript::number(&item)))),
                    (_, Item::Number(_)) => Ok(item),
                    _ => groovy::negative(&item),
                }
            }
            What::Spread { of, slot, each } => self.spread(of, *slot, each),
            What::Function(function, argument) => {
                let item = self.item(argument)?;
                Ok(match function {
                    Function::String => Item::Text(self.text(&item)?),
                    Function::Number => Item::Number(Number::Double(javascript::number(&item))),
                    Function::Boolean => Item::Bool(javascript::truth(&item)),
                    Function::IsNan => Item::Bool(javascript::number(&item).is_nan()),
                })
            }
            What::TypeOf(of) => Ok(Item::text(javascript::type_of(&self.item(of)?))),
            _ => Ok(self.nothing()),
        }
    }

    fn binding(&self, binding: Binding) -> Item<'a> {
        let schema = |of: &'a record::Payload<'a>| Item::or_null(of.schema().map(Item::Schema));
        match binding {
            Binding::Key => payload(&self.bindings.0.key),
            Binding::Value => payload(&self.bindings.0.value),
            Binding::KeySchema => schema(&self.bindings.0.key),
            Binding::ValueSchema => schema(&self.bindings.0.value),
            Binding::Topic => Item::text(self.bindings.topic()),
            Binding::Header => Item::Headers(self.bindings.headers()),
        }
    }

    /// `&&` (`wanted`) and `||`. Groovy gives a boolean, JavaScript the operand that decides.
    fn all(&mut self, parts: &'a [Node], wanted: bool) -> Out<'a> {
        let mut last = Item::Bool(wanted);
        for part in parts {
            last = self.item(part)?;
            let truth = self.truth(&last).map_err(|failure| failure.at(part.at))?;
            if truth != wanted {
                return Ok(if self.dialect == Dialect::Groovy { Item::Bool(!wanted) } else { last });
            }
        }
        Ok(if self.dialect == Dialect::Groovy { Item::Bool(wanted) } else { last })
    }

    fn is_among(&mut self, item: &Item<'a>, items: &'a [Node]) -> Result<bool, Failure> {
        for other in items {
            let other = self.item(other)?;
            if super::values::java_equal(&other, item, &self.budget)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn order(&self, order: Order, left: &Item<'a>, right: &Item<'a>) -> Out<'a> {
        let found = match self.dialect {
            Dialect::Groovy => Some(groovy::order(left, right, &self.budget)?),
            Dialect::JavaScript => javascript::order(left, right, &self.budget)?,
        };
        Ok(match order {
            Order::Compare => Item::Number(Number::int(found.map_or(0, |order| order as i64))),
            Order::Less => Item::Bool(found == Some(Ordering::Less)),
            Order::LessOrEqual => Item::Bool(found.is_some_and(Ordering::is_le)),
            Order::Greater => Item::Bool(found == Some(Ordering::Greater)),
            Order::GreaterOrEqual => Item::Bool(found.is_some_and(Ordering::is_ge)),
        })
    }

    fn template(&mut self, parts: &'a [Part]) -> Out<'a> {
        let mut out = String::new();
        for part in parts {
            let text = match part {
                Part::Text(text) => Text::Borrowed(text),
                Part::Value(node) => {
                    let item = self.item(node)?;
                    self.text(&item)?
                }
            };
            self.budget.text(text.len())?;
            out.push_str(&text);
        }
        Ok(match self.dialect {
            Dialect::Groovy => Item::Template(out.into()),
            Dialect::JavaScript => Item::made(out),
        })
    }

    fn spread(&mut self, of: &'a Node, slot: usize, each: &'a Node) -> Out<'a> {
        let items: Vec<Item<'a>> = match self.item(of)? {
            Item::Null => return Ok(Item::Null),
            Item::List(list) => {
                self.budget.list(list.len())?;
                list.iter().collect()
            }
            Item::Fields(schema) => {
                self.budget.list(schema.fields().len())?;
                schema.fields().iter().enumerate().map(|(at, field)| Item::Field(field, at)).collect()
            }
            other => return Err(Failure::new(format!("*. needs a list, not {}", other.kind().name()))),
        };
        let mut results = Vec::with_capacity(items.len());
        for item in items {
            self.assign(slot, item);
            results.push(self.item(each)?);
        }
        Ok(Item::List(List::Made(results.into())))
    }

    /// A member or an index; none where `?.` ended the chain.
    fn chain(&mut self, node: &'a Node) -> Result<Option<Item<'a>>, Failure> {
        let (of, safe) = match &node.what {
            What::Member(member) => (&member.of, member.safe),
            What::Index { of, safe, .. } => (&**of, *safe),
            _ => return self.item(node).map(Some),
        };
        self.budget.steps(1)?;
        let of = match self.dialect {
            Dialect::Groovy => self.item(of)?,
            // In JavaScript `a?.b.c` is undefined as a whole when `a` is null.
            Dialect::JavaScript => match self.chain(of)? {
                Some(of) => of,
                None => return Ok(None),
            },
        };
        if safe && of.is_null() {
            return Ok(None);
        }
        let found = match &node.what {
            What::Member(member) => self.member(&of, member),
            What::Index { at, .. } => {
                let at = self.item(at)?;
                self.index(&of, &at)
            }
            _ => return Ok(None),
        };
        found.map(Some).map_err(|failure| failure.at(node.at))
    }

    fn index(&self, of: &Item<'a>, at: &Item<'a>) -> Out<'a> {
        match (of, at) {
            (Item::Struct(of), Item::Text(name) | Item::Template(name)) => {
                of.schema.field(name).map(|at| of.get(at)).ok_or_else(|| no_field(name))
            }
            (Item::Headers(headers), Item::Text(name) | Item::Template(name)) => {
                Ok(header(headers, name).unwrap_or_else(|| self.nothing()))
            }
            _ if self.dialect == Dialect::Groovy => groovy::index(of, at, &self.budget),
            _ => javascript::index(of, at, &self.budget),
        }
    }

    fn member(&mut self, of: &Item<'a>, member: &'a Member) -> Out<'a> {
        let name = &*member.name;
        let mut arguments = Vec::new();
        for argument in member.arguments.iter().flatten() {
            arguments.push(self.item(argument)?);
        }
        let called = member.arguments.is_some();
        if !called {
            match of {
                Item::Struct(of) => return field(of, member),
                Item::Map(map) => {
                    self.budget.steps(map.len())?;
                    return Ok(map.get(name).unwrap_or_else(|| self.nothing()));
                }
                Item::Headers(headers) => return Ok(header(headers, name).unwrap_or_else(|| self.nothing())),
                _ => {}
            }
        }
        let count = called.then_some(arguments.len());
        let Some(row) = members::find(&member.rows, of.kind(), count) else {
            return Err(members::missing(self.dialect, of, name, called.then_some(&*arguments)));
        };
        let regex = member.regex.as_deref();
        let call = Call { this: of, name, arguments: &arguments, regex, dialect: self.dialect, budget: &self.budget };
        (row.run)(&call)
    }
}

fn no_field(name: &str) -> Failure {
    Failure::new(format!("{name} is not a valid field name"))
}

/// A field of a struct (`Struct.get`). Where it stands in the schema is remembered for the next record.
fn field<'a>(of: &Struct<'a>, member: &Member) -> Out<'a> {
    let schema: &Schema = of.schema;
    let (id, place) = member.cache.get();
    let place = if id == schema.id {
        place as usize
    } else {
        let place = schema.field(&member.name).ok_or_else(|| no_field(&member.name))?;
        member.cache.set((schema.id, place as u32));
        place
    };
    Ok(of.get(place))
}
