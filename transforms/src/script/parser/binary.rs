//! Operators between two operands, by their binding powers.
//!
//! Must not know: operands.

use super::super::Dialect;
use super::super::failure::Complaint;
use super::super::item::Kind;
use super::super::number::Arithmetic;
use super::super::token::Token;
use super::super::tree::{Constant, Node, Order, What};
use super::primary::type_named;
use super::{Parsed, Parser, node, remedies};

/// How tightly an operator binds; a larger number binds tighter.
const CHOICE: u8 = 2;
/// The power of unary plus and minus.
pub(super) const SIGNED: u8 = 26;
/// The power of `!` and `typeof`.
pub(super) const UNARY: u8 = 30;

/// The binding power of an operator between two operands; none for other tokens.
fn power(dialect: Dialect, operator: &str) -> Option<u8> {
    let groovy = dialect == Dialect::Groovy;
    Some(match operator {
        "?" => CHOICE,
        "?:" if groovy => CHOICE,
        "||" => 4,
        "??" if !groovy => 4,
        "&&" => 6,
        "|" => 8,
        "^" => 10,
        "&" => 12,
        "=~" | "==~" if groovy => 14,
        "==" | "!=" | "===" | "!==" => 16,
        "<=>" if groovy => 16,
        "<" | "<=" | ">" | ">=" | "in" | "instanceof" => 18,
        "!in" | "!instanceof" | "as" if groovy => 18,
        ".." if groovy => 20,
        "+" | "-" => 22,
        "*" | "/" | "%" => 24,
        _ => return None,
    })
}

/// A Java regex, compiled.
pub(super) fn compiled(at: usize, source: &str) -> Result<Box<settings::JavaSearch>, Complaint> {
    let regex = settings::JavaSearch::new(source).map_err(|error| Complaint::new(at, error.to_string()))?;
    Ok(Box::new(regex))
}

impl Parser {
    /// A whole expression.
    pub(super) fn expression(&mut self) -> Parsed {
        self.bound(0)
    }

    /// The operator that follows, and how many tokens away it ends. It may stand on the next line, unless it could begin
    /// a statement there.
    fn operator(&self) -> Option<(&'static str, usize)> {
        let mut ahead = 0;
        while matches!(self.token(ahead), Token::NewLine) {
            ahead += 1;
        }
        let found = match self.token(ahead) {
            Token::Sign("!") => match self.token(ahead + 1) {
                Token::Name(name) if name == "in" => return (self.is_groovy()).then_some(("!in", ahead + 2)),
                Token::Name(name) if name == "instanceof" => {
                    return (self.is_groovy()).then_some(("!instanceof", ahead + 2));
                }
                _ => return None,
            },
            Token::Sign(sign) => sign,
            Token::Name(name) => match name.as_str() {
                "in" => "in",
                "instanceof" => "instanceof",
                "as" => "as",
                _ => return None,
            },
            _ => return None,
        };
        let starts_statement = ahead > 0 && self.is_groovy() && matches!(found, "+" | "-");
        if starts_statement { None } else { Some((found, ahead + 1)) }
    }

    /// An expression whose operators bind tighter than `least`.
    pub(super) fn bound(&mut self, least: u8) -> Parsed {
        self.nested(|parser| {
            let mut left = parser.operand()?;
            while let Some((operator, tokens)) = parser.operator() {
                let Some(power) = power(parser.dialect, operator) else {
                    break;
                };
                if power <= least {
                    break;
                }
                let at = parser.tokens[parser.place + tokens - 1].at;
                parser.place += tokens;
                parser.skip_lines();
                left = parser.operation(at, operator, power, left)?;
            }
            Ok(left)
        })
    }

    fn operation(&mut self, at: usize, operator: &'static str, power: u8, left: Node) -> Parsed {
        let boxed = |node| Box::new(node);
        let what = match operator {
            "?" => {
                let yes = self.expression()?;
                self.skip_lines();
                self.expects(":", "between the two results of ?")?;
                self.skip_lines();
                let no = self.bound(CHOICE - 1)?;
                let kind = if yes.kind == no.kind { yes.kind } else { Kind::Any };
                return node(at, What::Choice(boxed(left), boxed(yes), boxed(no)), kind);
            }
            "?:" | "??" => {
                let right = self.bound(power - 1)?;
                let kind = if left.kind == right.kind { left.kind } else { Kind::Any };
                let what = What::Else { by_null: operator == "??", left: boxed(left), right: boxed(right) };
                return node(at, what, kind);
            }
            "||" | "&&" => {
                let right = self.bound(power)?;
                let is_or = operator == "||";
                let parts = match left.what {
                    What::Or(mut parts) if is_or => {
                        parts.push(right);
                        parts
                    }
                    What::And(mut parts) if !is_or => {
                        parts.push(right);
                        parts
                    }
                    _ => vec![left, right],
                };
                let kind = if self.is_groovy() { Kind::Bool } else { Kind::Any };
                return node(at, if is_or { What::Or(parts) } else { What::And(parts) }, kind);
            }
            "==" | "!=" | "===" | "!==" => {
                let strict = operator.len() == 3;
                if strict && self.is_groovy() {
                    return Err(Complaint::new(
                        at,
                        format!("{operator} compares objects, not values: write {}", &operator[..2]),
                    ));
                }
                let right = boxed(self.bound(power)?);
                What::Equal { strict, negated: operator.starts_with('!'), left: boxed(left), right }
            }
            "<" | "<=" | ">" | ">=" | "<=>" => {
                let order = match operator {
                    "<" => Order::Less,
                    "<=" => Order::LessOrEqual,
                    ">" => Order::Greater,
                    ">=" => Order::GreaterOrEqual,
                    _ => Order::Compare,
                };
                let right = self.bound(power)?;
                let kind = if order == Order::Compare { Kind::Number } else { Kind::Bool };
                return node(at, What::Order(order, boxed(left), boxed(right)), kind);
            }
            "in" | "!in" => return self.membership(at, operator == "!in", power, left),
            "instanceof" | "!instanceof" => {
                if !self.is_groovy() {
                    return Err(Complaint::new(at, "instanceof cannot be used: write typeof x == 'number'"));
                }
                What::Is { negated: operator.starts_with('!'), left: boxed(left), of: self.type_name()? }
            }
            "as" => {
                let of = self.type_name()?;
                return node(at, What::As(boxed(left), of), Kind::Any);
            }
            "=~" | "==~" => {
                let regex = self.regex_operand(power)?;
                if operator == "=~" {
                    return node(at, What::Finds(boxed(left), regex), Kind::Matcher);
                }
                What::Matches { negated: false, left: boxed(left), regex }
            }
            ".." => {
                let right = self.bound(power)?;
                return node(at, What::Range(boxed(left), boxed(right)), Kind::Range);
            }
            sign => {
                let arithmetic = match sign {
                    "+" => Arithmetic::Add,
                    "-" => Arithmetic::Subtract,
                    "*" => Arithmetic::Multiply,
                    "/" => Arithmetic::Divide,
                    "%" => Arithmetic::Remainder,
                    "&" => Arithmetic::BitAnd,
                    "|" => Arithmetic::BitOr,
                    _ => Arithmetic::BitXor,
                };
                let right = self.bound(power)?;
                let text = left.kind == Kind::Text && arithmetic == Arithmetic::Add;
                let kind = if text { Kind::Text } else { Kind::Any };
                return node(at, What::Compute(arithmetic, boxed(left), boxed(right)), kind);
            }
        };
        node(at, what, Kind::Bool)
    }

    /// What follows `in`: a list, a map, a range, a class or a regex.
    fn membership(&mut self, at: usize, negated: bool, power: u8, left: Node) -> Parsed {
        let left = Box::new(left);
        if self.is_groovy() && self.is_sign(0, "~") {
            let regex = self.regex_operand(power)?;
            return node(at, What::Matches { negated, left, regex }, Kind::Bool);
        }
        if let Token::Name(name) = self.token(0)
            && self.is_groovy()
            && self.variable(name).is_none()
            && type_named(name).is_some()
        {
            let of = self.type_name()?;
            return node(at, What::Is { negated, left, of }, Kind::Bool);
        }
        let right = Box::new(self.bound(power)?);
        node(at, What::In { negated, left, right }, Kind::Bool)
    }

    /// A regex behind `==~` or `=~`: a text that is written out.
    fn regex_operand(&mut self, power: u8) -> Result<Box<settings::JavaSearch>, Complaint> {
        let at = self.at();
        self.takes_sign("~");
        let operand = self.bound(power)?;
        let What::Constant(Constant::Text(source)) = &operand.what else {
            let what = "a regex must be written out here, as in topic ==~ /srv\\..*/, so that it can be checked now";
            return Err(Complaint::new(at, what));
        };
        compiled(at, source)
    }

    /// Refuses an operator that no language part here has; called where an operand is over.
    pub(super) fn refuse_operator(&self) -> Result<(), Complaint> {
        if let Token::Sign(sign) = self.token(0)
            && power(self.dialect, sign).is_none()
            && let Some(instead) = remedies::of_sign(self.dialect, sign)
        {
            return Err(Complaint::new(self.at(), format!("{sign} cannot stand here: {instead}")));
        }
        Ok(())
    }
}
