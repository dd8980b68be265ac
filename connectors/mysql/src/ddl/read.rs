//! Reads a statement that can change a table; anything else is passed over without being read.

use super::alter::clauses;
use super::create::{create_table, parts};
use super::cursor::{Cursor, Read, Unclear, inner};
use super::datatype::eat_character_set;
use super::lexer::{Kind, Lexer};
use super::statement::{Key, Name, Statement};
use super::{Dialect, NotUnderstood};

/// A statement and its text, from its first word to its last, without what precedes and what follows it.
#[derive(Debug)]
pub(super) struct Sentence {
    pub(super) statement: Result<Statement, Failed>,
    pub(super) text: String,
}

/// A statement that names a table and is not understood.
#[derive(Debug)]
pub(super) struct Failed {
    /// None: the name cannot be read either.
    pub(super) table: Option<Name>,
    pub(super) verb: &'static str,
    pub(super) why: &'static str,
    pub(super) at: usize,
}

impl Failed {
    pub(super) fn outcome(&self, table: Option<crate::model::TableId>) -> NotUnderstood {
        NotUnderstood { table, statement: self.verb, why: self.why, at: self.at }
    }
}

/// The statements that this reader knows, by their first words.
const READ: &[(&str, &[&str])] = &[
    ("CREATE", &["TABLE", "INDEX", "UNIQUE", "DATABASE", "SCHEMA", "OR", "TEMPORARY", "ONLINE", "OFFLINE"]),
    ("ALTER", &["TABLE", "DATABASE", "SCHEMA", "ONLINE", "OFFLINE", "IGNORE"]),
    ("DROP", &["TABLE", "TABLES", "DATABASE", "SCHEMA", "TEMPORARY"]),
    ("RENAME", &["TABLE", "TABLES"]),
];

/// Whether a text begins as one of the statements that are read. It looks at a few tokens only, because bodies of routines
/// are long.
fn is_read(text: &str, dialect: Dialect) -> bool {
    let mut words = Lexer::new(text, dialect).filter(|t| t.kind != Kind::Sign(b';')).map(|t| &text[t.start..t.end]);
    let (first, second) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    if ["USE", "SET", "TRUNCATE"].iter().any(|w| w.eq_ignore_ascii_case(first)) {
        return true;
    }
    let of = READ.iter().find(|(verb, _)| verb.eq_ignore_ascii_case(first));
    of.is_some_and(|(_, seconds)| seconds.iter().any(|s| s.eq_ignore_ascii_case(second)))
}

/// Reads the statements of a text: one, or several with semicolons between them.
pub(super) fn read(text: &str, dialect: Dialect) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    if !is_read(text, dialect) {
        return sentences;
    }
    let mut c = Cursor::new(text, dialect);
    loop {
        while c.eat_sign(b';') {}
        if c.at_end() {
            return sentences;
        }
        // MariaDB: SET STATEMENT variable=value, … FOR statement.
        if c.eat_all(&["SET", "STATEMENT"]) {
            while !c.at_end() && !c.eat("FOR") {
                c.take();
            }
        }
        let mark = c.mark();
        let statement = sentence(&mut c);
        if matches!(statement, Ok(Statement::Other)) {
            // What follows may belong to the body of a routine.
            c.skip_all();
        } else {
            c.skip_statement();
        }
        sentences.push(Sentence { statement, text: c.since(mark).to_owned() });
    }
}

fn sentence(c: &mut Cursor<'_>) -> Result<Statement, Failed> {
    let start = c.mark();
    if c.eat("CREATE") {
        let replace = c.eat_all(&["OR", "REPLACE"]);
        let _how = c.eat_any(&["ONLINE", "OFFLINE", "TEMPORARY"]);
        if c.eat("TABLE") {
            let table = table_ahead(c);
            let read = create_table(c, replace);
            return read.map(Statement::CreateTable).map_err(|e| failed(table, "CREATE TABLE", &e));
        }
        if c.eat_all(&["UNIQUE", "INDEX"]) {
            return unique_index(c).map_err(|e| failed(None, "CREATE UNIQUE INDEX", &e));
        }
        if c.eat_any(&["DATABASE", "SCHEMA"]) {
            let _guard = c.if_not_exists();
            return create_database(c).map_err(|e| failed(None, "CREATE DATABASE", &e));
        }
    } else if c.eat("ALTER") {
        while c.eat_any(&["ONLINE", "OFFLINE", "IGNORE"]) {}
        if c.eat("TABLE") {
            let _guard = c.if_exists();
            let table = table_ahead(c);
            return alter_table(c).map_err(|e| failed(table, "ALTER TABLE", &e));
        }
        if c.eat_any(&["DATABASE", "SCHEMA"]) {
            return Ok(alter_database(c));
        }
    } else if c.eat("DROP") {
        let _how = c.eat("TEMPORARY");
        if c.eat_any(&["TABLE", "TABLES"]) {
            return drop_tables(c, start).map_err(|e| failed(None, "DROP TABLE", &e));
        }
        if c.eat_any(&["DATABASE", "SCHEMA"]) {
            let _guard = c.if_exists();
            let name = c.name("the name of a database is missing");
            return name.map(Statement::DropDatabase).map_err(|e| failed(None, "DROP DATABASE", &e));
        }
    } else if c.eat("RENAME") {
        if c.eat_any(&["TABLE", "TABLES"]) {
            return rename_tables(c, start).map_err(|e| failed(None, "RENAME TABLE", &e));
        }
    } else if c.eat("TRUNCATE") {
        let _word = c.eat("TABLE");
        return c.table().map(Statement::Truncate).map_err(|e| failed(None, "TRUNCATE", &e));
    } else if c.eat("USE") {
        return Ok(c.name("").map_or(Statement::Other, Statement::Use));
    } else if c.eat("SET") {
        return Ok(set(c));
    }
    Ok(Statement::Other)
}

fn failed(table: Option<Name>, verb: &'static str, e: &Unclear) -> Failed {
    Failed { table, verb, why: e.why, at: e.at }
}

/// The name of the table that follows, without passing it.
fn table_ahead(c: &mut Cursor<'_>) -> Option<Name> {
    let mark = c.mark();
    let _guard = c.if_not_exists();
    let name = c.table().ok();
    c.back_to(mark);
    name
}

fn alter_table(c: &mut Cursor<'_>) -> Read<Statement> {
    let table = c.table()?;
    let clauses = clauses(c)?;
    Ok(Statement::AlterTable { table, clauses })
}

fn unique_index(c: &mut Cursor<'_>) -> Read<Statement> {
    while !c.at_end() && !c.is("ON") {
        c.skip_one()?;
    }
    c.take();
    let table = c.table()?;
    let parts = parts(c)?;
    Ok(Statement::CreateUniqueIndex { table, parts })
}

/// The character set among the options of a database; a collation tells it too.
fn database_charset(c: &mut Cursor<'_>) -> Option<String> {
    let (mut charset, mut collation) = (None, None);
    while !c.at_end() {
        if eat_character_set(c) {
            let _sign = c.eat_sign(b'=');
            charset = c.label().ok();
        } else if c.eat("COLLATE") {
            let _sign = c.eat_sign(b'=');
            collation = c.label().ok();
        } else {
            c.take();
        }
    }
    charset.map(str::to_owned).or_else(|| collation.and_then(charset_of_collation))
}

/// The character set that a collation is for: its name up to the first `_`.
pub(super) fn charset_of_collation(collation: &str) -> Option<String> {
    // MariaDB's `uca1400_ai_ci` is a collation for every set of Unicode.
    let charset = collation.split('_').next().filter(|c| !c.eq_ignore_ascii_case("uca1400"))?;
    (charset.len() < collation.len() || charset.eq_ignore_ascii_case("binary")).then(|| charset.to_owned())
}

fn create_database(c: &mut Cursor<'_>) -> Read<Statement> {
    let name = c.name("the name of a database is missing")?;
    let charset = database_charset(c);
    Ok(Statement::CreateDatabase { name, charset })
}

fn alter_database(c: &mut Cursor<'_>) -> Statement {
    const OPTIONS: &[&str] =
        &["DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "ENCRYPTION", "READ", "COMMENT", "UPGRADE"];
    let name = if c.is_any(OPTIONS) { None } else { c.name("").ok() };
    let charset = database_charset(c);
    Statement::AlterDatabase { name, charset }
}

fn drop_tables(c: &mut Cursor<'_>, start: usize) -> Read<Statement> {
    let _guard = c.if_exists();
    let head = head(c, start);
    let mut tables = vec![c.table()?];
    while c.eat_sign(b',') {
        tables.push(c.table()?);
    }
    let mut tail = "";
    while !c.at_end() {
        tail = if c.is("RESTRICT") {
            " RESTRICT"
        } else if c.is("CASCADE") {
            " CASCADE"
        } else {
            tail
        };
        c.take();
    }
    Ok(Statement::DropTables { head, tables, tail })
}

fn rename_tables(c: &mut Cursor<'_>, start: usize) -> Read<Statement> {
    let _guard = c.if_exists();
    let head = head(c, start);
    let mut pairs = Vec::new();
    loop {
        let mark = c.mark();
        let old = c.table()?;
        while !c.at_clause_end() && !c.eat("TO") {
            c.take();
        }
        let new = c.table()?;
        pairs.push((old, new, c.since(mark).to_owned()));
        if !c.eat_sign(b',') {
            break;
        }
    }
    if c.at_end() { Ok(Statement::RenameTables { head, pairs }) } else { c.unclear("a list of names does not end") }
}

/// The text from the token at `start` to before the next token.
fn head(c: &Cursor<'_>, start: usize) -> String {
    let words = c.since(start);
    let from = c.offset_behind() - words.len();
    c.text.get(from..c.offset()).unwrap_or(words).to_owned()
}

/// Behind `SET`: assignments of system variables.
fn set(c: &mut Cursor<'_>) -> Statement {
    let mut variables = Vec::new();
    while !c.at_end() {
        let _scope = c.eat_any(&["GLOBAL", "SESSION", "LOCAL", "PERSIST", "PERSIST_ONLY"]);
        let user = c.is_sign(b'@') && !c.sign_ahead(1, b'@');
        while c.eat_sign(b'@') {}
        if c.is_any(&["GLOBAL", "SESSION", "LOCAL", "PERSIST"]) && c.sign_ahead(1, b'.') {
            c.take();
            c.take();
        }
        let name = c.name("").ok();
        let _colon = c.eat_sign(b':');
        let password = name.as_ref().is_some_and(|n| n.eq_ignore_ascii_case("PASSWORD"));
        if let Some(name) = name.filter(|_| c.eat_sign(b'=') && !user && !password) {
            let mark = c.mark();
            if c.skip_clause().is_err() {
                break;
            }
            variables.push((name, inner(c.since(mark)).to_owned()));
        } else if c.skip_clause().is_err() {
            break;
        }
        // A bracket that nothing opened ends a clause too.
        let _bracket = c.eat_sign(b')');
        let _comma = c.eat_sign(b',');
    }
    if variables.is_empty() { Statement::Other } else { Statement::Set(variables) }
}

impl Key {
    /// Whether it takes the place of every other key.
    pub(super) fn is_primary(&self) -> bool {
        matches!(self, Self::Primary(_))
    }
}
