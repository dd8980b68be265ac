//! The tree that an expression is parsed to.
//!
//! Must not know: texts, records.

use std::cell::Cell;

use settings::JavaSearch;

use super::item::Kind;
use super::members::Row;
use super::number::{Arithmetic, Number};

/// An operation, and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    /// Byte index in the expression.
    pub(super) at: u32,
    /// How many operations stand inside each other here.
    pub(super) depth: u16,
    /// What kind of value it gives, where that is known.
    pub(super) kind: Kind,
    pub(super) what: What,
}

/// A binding: what the record gives to an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Binding {
    Key,
    Value,
    KeySchema,
    ValueSchema,
    Topic,
    Header,
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// Groovy's `<=>`.
    Compare,
}

/// The types that `instanceof`, `as`, casts and declarations can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Object,
    Number,
    Byte,
    Short,
    Integer,
    Long,
    Float,
    Double,
    BigDecimal,
    Boolean,
    String,
    CharSequence,
    GString,
    List,
    Map,
    Date,
    Struct,
}

/// A constant.
#[derive(Debug)]
pub(super) enum Constant {
    Undefined,
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
}

/// A part of a text with values in it.
#[derive(Debug)]
pub(super) enum Part {
    Text(Box<str>),
    Value(Node),
}

/// A look at a member: a property, or a method that is called.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) of: Node,
    pub(super) name: Box<str>,
    /// Null gives null (`?.`).
    pub(super) safe: bool,
    /// The members of this name that some kind of value has.
    pub(super) rows: Vec<&'static Row>,
    /// The schema of the struct that was looked at last, and the index of the field in it.
    pub(super) cache: Cell<(u32, u32)>,
    /// None: a property.
    pub(super) arguments: Option<Vec<Node>>,
    /// The regex that is the first argument.
    pub(super) regex: Option<Box<JavaSearch>>,
}

/// What an operation does.
#[derive(Debug)]
pub(super) enum What {
    Constant(Constant),
    Binding(Binding),
    /// A variable.
    Slot(usize),
    Template(Vec<Part>),
    Member(Box<Member>),
    Index {
        of: Box<Node>,
        at: Box<Node>,
        safe: bool,
    },
    /// `list*.member`: the slot holds each item in turn.
    Spread {
        of: Box<Node>,
        slot: usize,
        each: Box<Node>,
    },
    /// A function of JavaScript, such as `Number(x)`.
    Function(Function, Box<Node>),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
    Range(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Minus(Box<Node>),
    Plus(Box<Node>),
    Compute(Arithmetic, Box<Node>, Box<Node>),
    Order(Order, Box<Node>, Box<Node>),
    Equal {
        strict: bool,
        negated: bool,
        left: Box<Node>,
        right: Box<Node>,
    },
    /// `left in right`.
    In {
        negated: bool,
        left: Box<Node>,
        right: Box<Node>,
    },
    /// `left in String`, `left instanceof String`.
    Is {
        negated: bool,
        left: Box<Node>,
        of: Type,
    },
    As(Box<Node>, Type),
    /// `left ==~ regex`, and `left in ~regex`.
    Matches {
        negated: bool,
        left: Box<Node>,
        regex: Box<JavaSearch>,
    },
    /// `left =~ regex`.
    Finds(Box<Node>, Box<JavaSearch>),
    /// JavaScript's `regex.test(text)`.
    Tests(Box<JavaSearch>, Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    /// `left ?: right` by truth, or `left ?? right` by null.
    Else {
        by_null: bool,
        left: Box<Node>,
        right: Box<Node>,
    },
    Choice(Box<Node>, Box<Node>, Box<Node>),
    TypeOf(Box<Node>),
    Assign(usize, Box<Node>),
    /// A declaration in JavaScript, which is no value of the script.
    Declare(usize, Box<Node>),
    If(Box<Node>, Box<Node>, Option<Box<Node>>),
    Block(Vec<Node>),
    Return(Option<Box<Node>>),
}

/// A function of JavaScript that stands alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    String,
    Number,
    Boolean,
    IsNan,
}

impl What {
    /// The depth of the deepest operation inside of this one.
    pub(super) fn depth(&self) -> u16 {
        let all = |nodes: &[Node]| nodes.iter().map(|node| node.depth).max().unwrap_or(0);
        match self {
            Self::Constant(_) | Self::Binding(_) | Self::Slot(_) => 0,
            Self::Template(parts) => parts
                .iter()
                .map(|part| match part {
                    Part::Text(_) => 0,
                    Part::Value(node) => node.depth,
                })
                .max()
                .unwrap_or(0),
            Self::Member(member) => member.of.depth.max(member.arguments.as_deref().map_or(0, all)),
            Self::List(nodes) | Self::And(nodes) | Self::Or(nodes) | Self::Block(nodes) => all(nodes),
            Self::Map(entries) => entries.iter().map(|(key, value)| key.depth.max(value.depth)).max().unwrap_or(0),
            Self::Index { of: left, at: right, .. }
            | Self::Spread { of: left, each: right, .. }
            | Self::Range(left, right)
            | Self::Compute(_, left, right)
            | Self::Order(_, left, right)
            | Self::Equal { left, right, .. }
            | Self::In { left, right, .. }
            | Self::Else { left, right, .. } => left.depth.max(right.depth),
            Self::Function(_, node)
            | Self::Not(node)
            | Self::Minus(node)
            | Self::Plus(node)
            | Self::Is { left: node, .. }
            | Self::As(node, _)
            | Self::Matches { left: node, .. }
            | Self::Finds(node, _)
            | Self::Tests(_, node)
            | Self::TypeOf(node)
            | Self::Assign(_, node)
            | Self::Declare(_, node) => node.depth,
            Self::Choice(condition, yes, no) => condition.depth.max(yes.depth).max(no.depth),
            Self::If(condition, yes, no) => condition.depth.max(yes.depth).max(no.as_ref().map_or(0, |no| no.depth)),
            Self::Return(node) => node.as_ref().map_or(0, |node| node.depth),
        }
    }
}
