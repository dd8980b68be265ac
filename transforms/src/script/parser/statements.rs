//! Statements: declarations, assignments, `if`, `return`, and expressions in their order.
//!
//! Must not know: operators.

use super::super::failure::Complaint;
use super::super::item::Kind;
use super::super::token::Token;
use super::super::tree::{Constant, What};
use super::primary::{binding, type_named};
use super::{Parsed, Parser, node, remedies};

impl Parser {
    /// Statements up to the end, or in a block up to its brace.
    pub(super) fn statements(&mut self, in_block: bool) -> Result<Vec<super::Node>, Complaint> {
        let mut found = Vec::new();
        loop {
            while matches!(self.token(0), Token::NewLine) || self.is_sign(0, ";") {
                self.advance();
            }
            if matches!(self.token(0), Token::End) || in_block && self.is_sign(0, "}") {
                return Ok(found);
            }
            let before = self.place;
            let statement = self.nested(Self::statement)?;
            let behind_block = self.place > before && matches!(self.tokens[self.place - 1].token, Token::Sign("}"));
            found.push(statement);
            let over = matches!(self.token(0), Token::NewLine | Token::End)
                || self.is_sign(0, ";")
                || in_block && self.is_sign(0, "}");
            if !over && !behind_block {
                return Err(self.unexpected());
            }
        }
    }

    /// The complaint about a token that cannot follow here.
    fn unexpected(&self) -> Complaint {
        let instead = match self.token(0) {
            Token::Name(word) => remedies::of_word(self.dialect, word),
            Token::Sign(sign) => remedies::of_sign(self.dialect, sign),
            _ => None,
        };
        let shown = self.shown();
        let what = match instead {
            Some(instead) => format!("{shown} cannot stand here: {instead}"),
            None => format!("{shown} cannot stand here; between two statements there is a ;"),
        };
        Complaint::new(self.at(), what)
    }

    fn statement(&mut self) -> Parsed {
        let at = self.at();
        let Token::Name(word) = self.token(0).clone() else {
            if self.is_sign(0, "{") && !self.is_groovy() {
                return self.block();
            }
            return self.expression();
        };
        match word.as_str() {
            "if" => {
                self.advance();
                self.choice(at)
            }
            "return" => {
                if !self.is_groovy() {
                    let what =
                        "return cannot stand outside of a function: the value of the last statement is the result";
                    return Err(Complaint::new(at, what));
                }
                self.advance();
                let nothing = matches!(self.token(0), Token::NewLine | Token::End | Token::Sign(";" | "}"));
                let value = if nothing { None } else { Some(Box::new(self.expression()?)) };
                node(at, What::Return(value), Kind::Any)
            }
            "def" | "final" if self.is_groovy() => {
                self.advance();
                let typed = matches!((self.token(0), self.token(1)), (Token::Name(_), Token::Name(_)));
                if typed { self.typed_declaration() } else { self.declaration(None, false) }
            }
            "var" => {
                self.advance();
                let outermost = !self.is_groovy();
                self.declaration(None, outermost)
            }
            "let" | "const" if !self.is_groovy() => {
                self.advance();
                self.declaration(None, false)
            }
            _ if self.is_groovy() && matches!(self.token(1), Token::Name(_)) && type_named(&word).is_some() => {
                self.typed_declaration()
            }
            _ if self.is_sign(1, "=") => self.assignment(&word),
            _ => match remedies::of_word(self.dialect, &word).filter(|_| self.variable(&word).is_none()) {
                Some(instead) => Err(Complaint::new(at, format!("{word} cannot stand here: {instead}"))),
                None => self.expression(),
            },
        }
    }

    /// `Type name = value`, the type being the next token.
    fn typed_declaration(&mut self) -> Parsed {
        let at = self.at();
        let Token::Name(name) = self.token(0).clone() else { return Err(self.unexpected()) };
        let Some(of) = type_named(&name) else {
            return Err(Complaint::new(at, format!("the type {name} is not known here: write def")));
        };
        self.advance();
        self.declaration(Some(of), false)
    }

    fn declaration(&mut self, of: Option<super::super::tree::Type>, outermost: bool) -> Parsed {
        let at = self.at();
        let Token::Name(name) = self.token(0).clone() else {
            return Err(Complaint::new(at, format!("{} stands where a variable's name must stand", self.shown())));
        };
        if binding(&name).is_some() {
            return Err(Complaint::new(at, format!("{name} is a part of the record: give the variable another name")));
        }
        self.advance();
        if self.is_sign(0, "(") {
            return Err(Complaint::new(at, "functions cannot be declared"));
        }
        let value = if self.takes_sign("=") {
            self.skip_lines();
            let value = self.expression()?;
            match of {
                Some(of) => node(at, What::As(Box::new(value), of), Kind::Any)?,
                None => value,
            }
        } else {
            let nothing = if self.is_groovy() { Constant::Null } else { Constant::Undefined };
            node(at, What::Constant(nothing), Kind::Any)?
        };
        let slot = self.declare(&name, outermost);
        let value = Box::new(value);
        let what = if self.is_groovy() { What::Assign(slot, value) } else { What::Declare(slot, value) };
        let first = node(at, what, Kind::Any)?;
        if !self.takes_sign(",") {
            return Ok(first);
        }
        let second = self.nested(|parser| parser.declaration(of, outermost))?;
        node(at, What::Block(vec![first, second]), Kind::Any)
    }

    fn assignment(&mut self, name: &str) -> Parsed {
        let at = self.at();
        if binding(name).is_some() {
            let what = format!("{name} is a part of the record and cannot be changed: write == to compare");
            return Err(Complaint::new(at, what));
        }
        self.place += 2;
        self.skip_lines();
        let value = Box::new(self.expression()?);
        let slot = self.variable(name).unwrap_or_else(|| self.declare(name, true));
        node(at, What::Assign(slot, value), Kind::Any)
    }

    fn choice(&mut self, at: usize) -> Parsed {
        self.expects("(", "after if")?;
        let condition = self.expression()?;
        self.expects(")", "after the condition")?;
        self.skip_lines();
        let yes = self.branch()?;
        // `else` may stand on the next line.
        let mut ahead = 0;
        while matches!(self.token(ahead), Token::NewLine) || self.is_sign(ahead, ";") && self.is_name(ahead + 1, "else")
        {
            ahead += 1;
        }
        let mut no = None;
        if self.is_name(ahead, "else") {
            self.place += ahead + 1;
            self.skip_lines();
            no = Some(Box::new(self.branch()?));
        }
        node(at, What::If(Box::new(condition), Box::new(yes), no), Kind::Any)
    }

    fn branch(&mut self) -> Parsed {
        if self.is_sign(0, "{") { self.block() } else { self.nested(Self::statement) }
    }

    fn block(&mut self) -> Parsed {
        let at = self.at();
        self.expects("{", "before the block")?;
        self.scopes.push(Vec::new());
        let statements = self.statements(true)?;
        self.scopes.pop();
        self.expects("}", "after the block")?;
        node(at, What::Block(statements), Kind::Any)
    }
}
