//! Operands: constants, names, lists, texts with values in them, casts, brackets.
//!
//! Must not know: members.

use super::super::failure::Complaint;
use super::super::item::Kind;
use super::super::number::Number;
use super::super::token::{Piece, Token};
use super::super::tree::{Binding, Constant, Function, Part, Type, What};
use super::binary::{SIGNED, UNARY, compiled};
use super::{Parsed, Parser, node, remedies};

const NO_FUNCTIONS: &str = "functions cannot be used: write includes, indexOf or ===";

/// The part of a record that a name stands for.
pub(super) fn binding(name: &str) -> Option<Binding> {
    Some(match name {
        "key" => Binding::Key,
        "value" => Binding::Value,
        "keySchema" => Binding::KeySchema,
        "valueSchema" => Binding::ValueSchema,
        "topic" => Binding::Topic,
        "header" => Binding::Header,
        _ => return None,
    })
}

/// The type of a simple or whole class name.
pub(super) fn type_named(name: &str) -> Option<Type> {
    Some(match name {
        "Object" | "java.lang.Object" => Type::Object,
        "Number" | "java.lang.Number" => Type::Number,
        "Byte" | "byte" | "java.lang.Byte" => Type::Byte,
        "Short" | "short" | "java.lang.Short" => Type::Short,
        "Integer" | "int" | "java.lang.Integer" => Type::Integer,
        "Long" | "long" | "java.lang.Long" => Type::Long,
        "Float" | "float" | "java.lang.Float" => Type::Float,
        "Double" | "double" | "java.lang.Double" => Type::Double,
        "BigDecimal" | "java.math.BigDecimal" => Type::BigDecimal,
        "Boolean" | "boolean" | "java.lang.Boolean" => Type::Boolean,
        "String" | "java.lang.String" => Type::String,
        "CharSequence" | "java.lang.CharSequence" => Type::CharSequence,
        "GString" | "groovy.lang.GString" => Type::GString,
        "List" | "Collection" | "java.util.List" | "java.util.Collection" => Type::List,
        "Map" | "java.util.Map" => Type::Map,
        "Date" | "java.util.Date" => Type::Date,
        "Struct" | "org.apache.kafka.connect.data.Struct" => Type::Struct,
        _ => return None,
    })
}

/// A regex of JavaScript, compiled as one of Java.
pub(super) fn script_regex(at: usize, source: &str, flags: &str) -> Result<Box<settings::JavaSearch>, Complaint> {
    let mut java = String::new();
    for flag in flags.chars() {
        match flag {
            'i' | 'm' | 's' => java.extend(["(?", flag.encode_utf8(&mut [0; 4]), ")"]),
            'g' | 'u' | 'v' => {}
            other => return Err(Complaint::new(at, format!("the flag {other} of a regex cannot be used"))),
        }
    }
    java.push_str(source);
    compiled(at, &java)
}

impl Parser {
    /// An operand with its unary operators and its members.
    pub(super) fn operand(&mut self) -> Parsed {
        let at = self.at();
        let unary = match self.token(0) {
            Token::Sign(sign @ ("!" | "-" | "+")) => *sign,
            Token::Name(name) if name == "typeof" && !self.is_groovy() => "typeof",
            _ => {
                let primary = self.primary()?;
                let whole = self.members(primary)?;
                self.refuse_operator()?;
                return Ok(whole);
            }
        };
        self.advance();
        let tight = unary == "!" || !self.is_groovy();
        let of = Box::new(self.bound(if tight { UNARY } else { SIGNED })?);
        let (what, kind) = match unary {
            "!" => (What::Not(of), Kind::Bool),
            "-" => (What::Minus(of), Kind::Number),
            "+" => (What::Plus(of), Kind::Number),
            _ => (What::TypeOf(of), Kind::Text),
        };
        node(at, what, kind)
    }

    fn constant(&mut self, at: usize, constant: Constant, kind: Kind) -> Parsed {
        self.advance();
        node(at, What::Constant(constant), kind)
    }

    fn primary(&mut self) -> Parsed {
        let at = self.at();
        match self.token(0).clone() {
            Token::Number(number) => self.constant(at, Constant::Number(number), Kind::Number),
            Token::Text(text) => self.constant(at, Constant::Text(text.into()), Kind::Text),
            Token::Template(pieces) => {
                self.advance();
                self.template(at, pieces)
            }
            Token::Regex { source, flags } => {
                self.advance();
                self.tested(at, &source, &flags)
            }
            Token::Name(name) => self.named(at, &name),
            Token::Sign("(") => self.bracketed(at),
            Token::Sign("[") => {
                self.advance();
                self.collection(at)
            }
            Token::Sign(sign) => {
                let what = match remedies::of_sign(self.dialect, sign) {
                    Some(instead) => format!("{sign} cannot stand here: {instead}"),
                    None => format!("{sign} stands where a value must stand"),
                };
                Err(Complaint::new(at, what))
            }
            Token::NewLine | Token::End => {
                Err(Complaint::new(at, format!("{} stands where a value must stand", self.shown())))
            }
        }
    }

    fn named(&mut self, at: usize, name: &str) -> Parsed {
        let word = match name {
            "true" => Some((Constant::Bool(true), Kind::Bool)),
            "false" => Some((Constant::Bool(false), Kind::Bool)),
            "null" => Some((Constant::Null, Kind::Nothing)),
            "undefined" if !self.is_groovy() => Some((Constant::Undefined, Kind::Nothing)),
            "NaN" if !self.is_groovy() => Some((Constant::Number(Number::Double(f64::NAN)), Kind::Number)),
            _ => None,
        };
        if let Some((constant, kind)) = word {
            return self.constant(at, constant, kind);
        }
        if self.is_sign(1, "=>") {
            return Err(Complaint::new(at, NO_FUNCTIONS));
        }
        if let Some(slot) = self.variable(name) {
            self.advance();
            return node(at, What::Slot(slot), Kind::Any);
        }
        if let Some(binding) = binding(name) {
            self.advance();
            let kind = match binding {
                // graal.js casts both to structs.
                Binding::Key | Binding::Value if !self.is_groovy() => Kind::Struct,
                Binding::Key | Binding::Value => Kind::Any,
                Binding::KeySchema | Binding::ValueSchema => Kind::Schema,
                Binding::Topic => Kind::Text,
                Binding::Header => Kind::Headers,
            };
            return node(at, What::Binding(binding), kind);
        }
        if name == "new" {
            return Err(self.refuse_new(at));
        }
        if !self.is_groovy() && self.is_sign(1, "(") {
            let function = match name {
                "String" => Some((Function::String, Kind::Text)),
                "Number" => Some((Function::Number, Kind::Number)),
                "Boolean" => Some((Function::Boolean, Kind::Bool)),
                "isNaN" => Some((Function::IsNan, Kind::Bool)),
                _ => None,
            };
            if let Some((function, kind)) = function {
                self.place += 2;
                let argument = Box::new(self.expression()?);
                self.expects(")", "after the argument")?;
                return node(at, What::Function(function, argument), kind);
            }
        }
        if let Some(instead) = remedies::of_word(self.dialect, name) {
            return Err(Complaint::new(at, format!("{name} cannot stand here: {instead}")));
        }
        let what = if self.is_sign(1, "(") { "function" } else { "variable" };
        Err(Complaint::new(at, format!("there is no {what} {name}: {}", remedies::of_variable(name))))
    }

    /// Whether the round bracket here is closed before `=>`.
    fn is_parameters(&self) -> bool {
        let mut open = 0;
        for ahead in 0..self.tokens.len() {
            match self.token(ahead) {
                Token::Sign("(") => open += 1,
                Token::Sign(")") if open == 1 => return self.is_sign(ahead + 1, "=>"),
                Token::Sign(")") => open -= 1,
                Token::End => return false,
                _ => {}
            }
        }
        false
    }

    fn refuse_new(&self, at: usize) -> Complaint {
        let mut class = String::new();
        let mut ahead = 1;
        while let Token::Name(part) = self.token(ahead) {
            class.push_str(part);
            if !self.is_sign(ahead + 1, ".") {
                break;
            }
            class.push('.');
            ahead += 2;
        }
        let json = "what stands inside of a JSON text cannot be read; write value.after.contains('…') for a part of the text, \
                    or have the field as a column of its own";
        let instead = if class.contains("Json") { json } else { "write a text, a number or a list: 'a', 1, [1, 2]" };
        Complaint::new(at, format!("new {class}: expressions cannot make objects of classes: {instead}"))
    }

    /// `(expression)`, or a cast.
    fn bracketed(&mut self, at: usize) -> Parsed {
        if self.is_groovy()
            && let Token::Name(name) = self.token(1)
            && self.is_sign(2, ")")
            && self.variable(name).is_none()
            && let Some(of) = type_named(name)
        {
            self.place += 3;
            let value = self.bound(UNARY)?;
            return node(at, What::As(Box::new(value), of), Kind::Any);
        }
        if !self.is_groovy() && self.is_parameters() {
            return Err(Complaint::new(at, NO_FUNCTIONS));
        }
        self.advance();
        let inner = self.expression()?;
        self.expects(")", "to close the bracket")?;
        // In JavaScript brackets end a chain of `?.`.
        if self.is_groovy() || !matches!(inner.what, What::Member(_) | What::Index { .. }) {
            return Ok(inner);
        }
        let kind = inner.kind;
        node(at, What::Block(vec![inner]), kind)
    }

    /// What stands between `[` and `]`: a list or a map.
    fn collection(&mut self, at: usize) -> Parsed {
        if self.is_groovy() && self.takes_sign(":") {
            self.expects("]", "after [:")?;
            return node(at, What::Map(Vec::new()), Kind::Map);
        }
        let (mut items, mut entries) = (Vec::new(), Vec::new());
        while !self.is_sign(0, "]") {
            let is_entry = self.is_groovy() && items.is_empty() && self.is_sign(1, ":");
            if is_entry || !entries.is_empty() {
                let key = self.map_key()?;
                self.expects(":", "after the name in a map")?;
                entries.push((key, self.expression()?));
            } else {
                let item = self.expression()?;
                if self.is_groovy() && items.is_empty() && self.takes_sign(":") {
                    entries.push((item, self.expression()?));
                } else {
                    items.push(item);
                }
            }
            if !self.takes_sign(",") {
                break;
            }
        }
        self.expects("]", "after the list")?;
        if entries.is_empty() {
            return node(at, What::List(items), Kind::List);
        }
        node(at, What::Map(entries), Kind::Map)
    }

    fn map_key(&mut self) -> Parsed {
        let at = self.at();
        match self.token(0).clone() {
            Token::Name(name) => self.constant(at, Constant::Text(name.into()), Kind::Text),
            _ => self.operand(),
        }
    }

    fn template(&mut self, at: usize, pieces: Vec<Piece>) -> Parsed {
        let mut parts = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match piece {
                Piece::Text(text) => parts.push(Part::Text(text.into())),
                Piece::Code(tokens) => {
                    let outer = (std::mem::replace(&mut self.tokens, tokens), std::mem::take(&mut self.place));
                    let value = self.expression()?;
                    if !matches!(self.token(0), Token::End) {
                        return Err(Complaint::new(self.at(), format!("{} cannot stand in ${{}}", self.shown())));
                    }
                    (self.tokens, self.place) = outer;
                    parts.push(Part::Value(value));
                }
            }
        }
        node(at, What::Template(parts), Kind::Text)
    }

    /// JavaScript's `/regex/.test(text)`.
    fn tested(&mut self, at: usize, source: &str, flags: &str) -> Parsed {
        if !(self.is_sign(0, ".") && self.is_name(1, "test") && self.is_sign(2, "(")) {
            let what =
                "a regex stands only in /…/.test(text), text.match(/…/), replace(/…/, '…'), split(/…/) and search(/…/)";
            return Err(Complaint::new(at, what));
        }
        let regex = script_regex(at, source, flags)?;
        self.place += 3;
        let text = Box::new(self.expression()?);
        self.expects(")", "after the text")?;
        node(at, What::Tests(regex, text), Kind::Bool)
    }

    /// A class name, with its package or without.
    pub(super) fn type_name(&mut self) -> Result<Type, Complaint> {
        let at = self.at();
        let mut name = String::new();
        while let Token::Name(part) = self.token(0) {
            name.push_str(part);
            self.advance();
            let goes_on =
                self.is_sign(0, ".") && matches!(self.token(1), Token::Name(_)) && type_named(&name).is_none();
            if !goes_on {
                break;
            }
            name.push('.');
            self.advance();
        }
        type_named(&name).ok_or_else(|| {
            let known = "Number, String, Integer, Long, Short, Byte, Double, Float, BigDecimal, Boolean, List, Map, Date, \
                         CharSequence, GString, Struct, Object";
            let name = if name.is_empty() { self.shown() } else { name };
            Complaint::new(at, format!("the class {name} cannot be used: these can: {known}"))
        })
    }
}
