//! What follows an operand: members, calls, indexes.
//!
//! Must not know: operators.

use std::cell::Cell;

use super::super::failure::Complaint;
use super::super::item::Kind;
use super::super::members::{self, Regex, Row};
use super::super::token::Token;
use super::super::tree::{Constant, Member, Node, What};
use super::binary::compiled;
use super::primary::script_regex;
use super::{Parsed, Parser, node, remedies};

/// Arguments, and the regex that is the first of them with its flags.
struct Arguments {
    nodes: Vec<Node>,
    /// Byte index, source and flags.
    regex: Option<(usize, String, String)>,
}

impl Parser {
    /// An operand with everything that follows it.
    pub(super) fn members(&mut self, mut of: Node) -> Parsed {
        loop {
            // A call chain may go on at the next line.
            let mut ahead = 0;
            while matches!(self.token(ahead), Token::NewLine) {
                ahead += 1;
            }
            let at = self.at();
            match self.token(ahead) {
                Token::Sign(sign @ ("." | "?." | "*.")) => {
                    let sign = *sign;
                    self.place += ahead + 1;
                    self.skip_lines();
                    of = match sign {
                        "*." => self.spread(of)?,
                        "?." if !self.is_groovy() && self.takes_sign("[") => self.index(at, of, true)?,
                        sign => self.member(of, sign == "?.")?,
                    };
                }
                Token::Sign(sign @ ("[" | "?[")) if ahead == 0 => {
                    let safe = *sign == "?[";
                    self.advance();
                    of = self.index(at, of, safe)?;
                }
                Token::Sign("(") if ahead == 0 => {
                    return Err(Complaint::new(at, "this is no function: only methods can be called"));
                }
                Token::Sign("{") if ahead == 0 && self.is_groovy() && matches!(of.what, What::Member(_)) => {
                    let what = "closures cannot be used: write in, contains or containsAll";
                    return Err(Complaint::new(at, what));
                }
                _ => return Ok(of),
            }
        }
    }

    fn index(&mut self, at: usize, of: Node, safe: bool) -> Parsed {
        let index = self.expression()?;
        self.expects("]", "after the index")?;
        node(at, What::Index { of: Box::new(of), at: Box::new(index), safe }, Kind::Any)
    }

    /// `list*.member`.
    fn spread(&mut self, list: Node) -> Parsed {
        let at = self.at();
        let slot = self.declare("", false);
        let item = node(at, What::Slot(slot), Kind::Any)?;
        let each = self.member(item, true)?;
        node(at, What::Spread { of: Box::new(list), slot, each: Box::new(each) }, Kind::List)
    }

    /// A property or a call, behind its point.
    fn member(&mut self, of: Node, safe: bool) -> Parsed {
        let at = self.at();
        let name = match self.token(0).clone() {
            Token::Name(name) => name,
            Token::Text(name) if self.is_groovy() => name,
            Token::Sign("@" | "&") => return Err(Complaint::new(at, "write . and the name")),
            _ => {
                return Err(Complaint::new(
                    at,
                    format!("{} stands where the name of a member must stand", self.shown()),
                ));
            }
        };
        self.advance();
        if !self.is_sign(0, "(") {
            return self.property(at, of, name, safe);
        }
        self.advance();
        let arguments = self.arguments()?;
        self.call(at, of, name, safe, arguments)
    }

    fn arguments(&mut self) -> Result<Arguments, Complaint> {
        let mut found = Arguments { nodes: Vec::new(), regex: None };
        while !self.is_sign(0, ")") {
            let at = self.at();
            if let Token::Regex { source, flags } = self.token(0).clone()
                && found.nodes.is_empty()
                && !self.is_sign(1, ".")
            {
                self.advance();
                // In its place stands whether all matches are meant.
                let all = Constant::Bool(flags.contains('g'));
                found.nodes.push(node(at, What::Constant(all), Kind::Any)?);
                found.regex = Some((at, source, flags));
            } else {
                found.nodes.push(self.expression()?);
            }
            if !self.takes_sign(",") {
                break;
            }
        }
        self.expects(")", "after the arguments")?;
        Ok(found)
    }

    fn property(&self, at: usize, of: Node, name: String, safe: bool) -> Parsed {
        let dialect = self.dialect;
        if self.is_groovy() && matches!(name.as_str(), "class" | "metaClass") {
            let what = format!(
                "{name} is Java's class, not a field: write get('{name}') for a field of this name, instanceof for a class"
            );
            return Err(Complaint::new(at, what));
        }
        let rows = members::named(dialect, &name, false);
        let kind = match of.kind {
            Kind::Any | Kind::Struct | Kind::Map => Kind::Any,
            Kind::Headers => Kind::Header,
            known => match members::find(&rows, known, None) {
                Some(row) => row.gives,
                None => return Err(self.unknown(at, known, &name, false)),
            },
        };
        let cache = Cell::new((0, 0));
        let member = Member { of, name: name.into(), safe, rows, cache, arguments: None, regex: None };
        node(at, What::Member(Box::new(member)), kind)
    }

    fn call(&self, at: usize, of: Node, name: String, safe: bool, arguments: Arguments) -> Parsed {
        let count = arguments.nodes.len();
        let all = members::named(self.dialect, &name, true);
        let has = |row: &&&'static Row| of.kind == Kind::Any || row.on == of.kind || row.on == Kind::Any;
        let on_kind: Vec<&'static Row> = all.iter().filter(has).copied().collect();
        if on_kind.is_empty() {
            return Err(self.unknown(at, of.kind, &name, true));
        }
        let rows: Vec<&'static Row> = on_kind.iter().filter(|row| row.takes(count)).copied().collect();
        if rows.is_empty() {
            let takes: Vec<String> = on_kind
                .iter()
                .filter_map(|row| row.arguments)
                .map(|(least, most)| if least == most { least.to_string() } else { format!("{least} to {most}") })
                .collect();
            let what = format!("{name}() takes {} arguments, not {count}", takes.join(" or "));
            return Err(Complaint::new(at, what));
        }
        let regex = match &arguments.regex {
            Some((at, source, flags)) => {
                if rows.iter().all(|row| row.regex == Regex::Never) {
                    return Err(Complaint::new(*at, format!("the argument of {name}() is no regex: write a text")));
                }
                if name == "match" && flags.contains('g') {
                    return Err(Complaint::new(*at, "match with the flag g cannot be used: write it without g"));
                }
                Some(script_regex(*at, source, flags)?)
            }
            None if rows.iter().any(|row| row.regex == Regex::Always) => {
                let first = arguments.nodes.first().map(|first| (&first.what, first.at));
                let Some((What::Constant(Constant::Text(source)), at)) = first else {
                    let what =
                        format!("the regex of {name}() must be written out as a text, so that it can be checked now");
                    return Err(Complaint::new(at, what));
                };
                Some(compiled(at as usize, source)?)
            }
            None if matches!(name.as_str(), "match" | "search") && !self.is_groovy() => {
                return Err(Complaint::new(at, format!("the argument of {name}() must be a regex: write {name}(/…/)")));
            }
            None => None,
        };
        let first = rows[0].gives;
        let kind = if rows.iter().all(|row| row.gives == first) { first } else { Kind::Any };
        let (cache, arguments) = (Cell::new((0, 0)), Some(arguments.nodes));
        let member = Member { of, name: name.into(), safe, rows, cache, arguments, regex };
        node(at, What::Member(Box::new(member)), kind)
    }

    /// The complaint about a member that this kind of value does not have.
    fn unknown(&self, at: usize, kind: Kind, name: &str, called: bool) -> Complaint {
        let (what, brackets) = if called { ("method", "()") } else { ("property", "") };
        let instead = remedies::of_member(self.dialect, name, called).map(str::to_owned);
        let has = || {
            let names = members::names(self.dialect, kind);
            if names.is_empty() { "it has none".to_owned() } else { format!("it has {names}") }
        };
        let text = match kind {
            Kind::Any => {
                let instead = instead.unwrap_or_else(|| "no value of a record has it".to_owned());
                format!("there is no {what} {name}{brackets}: {instead}")
            }
            known => format!("{} has no {what} {name}{brackets}: {}", known.name(), instead.unwrap_or_else(has)),
        };
        Complaint::new(at, text)
    }
}
