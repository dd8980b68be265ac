//! From tokens to a tree: a Pratt parser for the parts of Groovy and JavaScript that expressions may use.
//!
//! What it accepts, it accepts with the meaning that the language gives it. Everything else is refused here, when the
//! connector is created, with the place and with what to write instead, because an expression that is understood wrongly
//! loses records.
//!
//! Must not know: records.

mod binary;
mod postfix;
mod primary;
mod remedies;
mod statements;

use super::Dialect;
use super::failure::Complaint;
use super::item::Kind;
use super::token::{Spanned, Token, tokens};
use super::tree::{Node, What};

/// How deep operations may stand inside each other. The evaluator's stack depends on it.
const MOST_DEPTH: u16 = 120;

/// An expression, and the number of its variables.
pub(super) fn parse(source: &str, dialect: Dialect) -> Result<(Node, usize), Complaint> {
    let mut parser =
        Parser { dialect, tokens: tokens(source, dialect)?, place: 0, scopes: vec![Vec::new()], slots: 0, nesting: 0 };
    let statements = parser.statements(false)?;
    if statements.is_empty() {
        return Err(Complaint::new(0, "the expression is empty"));
    }
    let root = node(0, What::Block(statements), Kind::Any)?;
    Ok((root, parser.slots))
}

struct Parser {
    dialect: Dialect,
    tokens: Vec<Spanned>,
    place: usize,
    /// The variables that are known, from the outermost block to the innermost.
    scopes: Vec<Vec<(String, usize)>>,
    slots: usize,
    nesting: u16,
}

type Parsed = Result<Node, Complaint>;

static END: Token = Token::End;

/// An operation with its place, unless too many stand inside each other.
fn node(at: usize, what: What, kind: Kind) -> Parsed {
    let depth = what.depth() + 1;
    if depth > MOST_DEPTH {
        return Err(Complaint::new(at, format!("more than {MOST_DEPTH} operations stand inside each other here")));
    }
    Ok(Node { at: at as u32, depth, kind, what })
}

impl Parser {
    fn is_groovy(&self) -> bool {
        self.dialect == Dialect::Groovy
    }

    fn token(&self, ahead: usize) -> &Token {
        self.tokens.get(self.place + ahead).map_or(&END, |spanned| &spanned.token)
    }

    fn at(&self) -> usize {
        let last = self.tokens.last().map_or(0, |last| last.at);
        self.tokens.get(self.place).map_or(last, |spanned| spanned.at)
    }

    fn advance(&mut self) {
        self.place += 1;
    }

    fn is_sign(&self, ahead: usize, sign: &str) -> bool {
        matches!(self.token(ahead), Token::Sign(found) if *found == sign)
    }

    fn is_name(&self, ahead: usize, name: &str) -> bool {
        matches!(self.token(ahead), Token::Name(found) if found == name)
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(0, sign);
        self.place += usize::from(found);
        found
    }

    fn expects(&mut self, sign: &str, after: &str) -> Result<(), Complaint> {
        if self.takes_sign(sign) {
            return Ok(());
        }
        Err(Complaint::new(self.at(), format!("{} stands where {sign} must stand {after}", self.shown())))
    }

    /// The token, as a message names it.
    fn shown(&self) -> String {
        match self.token(0) {
            Token::Name(name) => name.clone(),
            Token::Number(number) => number.text(),
            Token::Text(_) | Token::Template(_) => "a text".to_owned(),
            Token::Regex { .. } => "a regex".to_owned(),
            Token::Sign(sign) => (*sign).to_owned(),
            Token::NewLine => "the end of the line".to_owned(),
            Token::End => "the end".to_owned(),
        }
    }

    fn skip_lines(&mut self) {
        while matches!(self.token(0), Token::NewLine) {
            self.advance();
        }
    }

    /// Runs `parse` one level deeper.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T, Complaint>) -> Result<T, Complaint> {
        if self.nesting >= MOST_DEPTH {
            let what = format!("more than {MOST_DEPTH} operations stand inside each other here");
            return Err(Complaint::new(self.at(), what));
        }
        self.nesting += 1;
        let parsed = parse(self);
        self.nesting -= 1;
        parsed
    }

    fn variable(&self, name: &str) -> Option<usize> {
        let all = self.scopes.iter().rev().flat_map(|scope| scope.iter().rev());
        all.into_iter().find(|(known, _)| known == name).map(|(_, slot)| *slot)
    }

    /// A fresh variable in the innermost or the outermost block.
    fn declare(&mut self, name: &str, outermost: bool) -> usize {
        let slot = self.slots;
        self.slots += 1;
        let scope = if outermost { self.scopes.first_mut() } else { self.scopes.last_mut() };
        if let Some(scope) = scope {
            scope.push((name.to_owned(), slot));
        }
        slot
    }
}
