//! Reads `CREATE TABLE` and the parts that `ALTER TABLE` shares with it: keys and options.

use super::column::{definition, references};
use super::cursor::{Cursor, Read};
use super::datatype::eat_character_set;
use super::lexer::Kind;
use super::statement::{Body, CreateTable, Elements, Key, Options};

/// More than any server allows. The limits keep the work on a hostile text small.
pub(super) const MOST_COLUMNS: usize = 4096;
pub(super) const MOST_KEYS: usize = 256;
const MOST_PARTS: usize = 64;

/// Behind `CREATE [OR REPLACE] [TEMPORARY] TABLE`.
pub(super) fn create_table(c: &mut Cursor<'_>, replace: bool) -> Read<CreateTable> {
    let if_not_exists = c.if_not_exists();
    let table = c.table()?;
    let body = if c.eat("LIKE") {
        Body::Like(c.table()?)
    } else if c.is_sign(b'(') && c.is_ahead(1, "LIKE") {
        c.take();
        c.take();
        let like = c.table()?;
        c.expect_sign(b')', "a bracket is not closed")?;
        Body::Like(like)
    } else {
        let mut elements = Elements::default();
        let query = c.is_sign(b'(') && (c.is_ahead(1, "SELECT") || c.is_ahead(1, "WITH") || c.sign_ahead(1, b'('));
        if c.is_sign(b'(') && !query {
            elements.listed = true;
            list(c, &mut elements)?;
        }
        options(c, &mut elements.options)?;
        Body::Elements(elements)
    };
    // The rest cannot change the columns that are listed: partitions, a query, START TRANSACTION.
    c.skip_statement();
    Ok(CreateTable { table, if_not_exists, replace, body })
}

fn list(c: &mut Cursor<'_>, elements: &mut Elements) -> Read<()> {
    c.expect_sign(b'(', "a list of columns is missing")?;
    loop {
        element(c, elements)?;
        if elements.columns.len() > MOST_COLUMNS || elements.keys.len() > MOST_KEYS {
            return c.unclear("a table has more columns or keys than a server allows");
        }
        if c.eat_sign(b',') {
            continue;
        }
        return c.expect_sign(b')', "a list of columns is not closed");
    }
}

fn element(c: &mut Cursor<'_>, elements: &mut Elements) -> Read<()> {
    if period(c)? {
        // Its columns are among the others.
    } else if starts_key(c) {
        elements.keys.extend(key(c)?);
    } else {
        let column = definition(c)?;
        if column.attributes.primary {
            elements.keys.push(Key::Primary(vec![column.name.clone()]));
        } else if column.attributes.unique || column.attributes.serial {
            elements.keys.push(Key::UniqueColumn(column.name.clone()));
        }
        elements.columns.push(column);
    }
    Ok(())
}

/// Passes `PERIOD FOR name (start, end)` if it is next.
pub(super) fn period(c: &mut Cursor<'_>) -> Read<bool> {
    const WHY: &str = "the columns of a period are missing";
    if !c.eat_all(&["PERIOD", "FOR"]) {
        return Ok(false);
    }
    let _guard = c.if_not_exists();
    c.name(WHY)?;
    if c.is_sign(b'(') { c.skip_group().map(|()| true) } else { c.unclear(WHY) }
}

/// Whether a key, an index or a constraint follows, not a column.
pub(super) fn starts_key(c: &Cursor<'_>) -> bool {
    let vector = c.is("VECTOR") && (c.is_ahead(1, "INDEX") || c.is_ahead(1, "KEY") || c.sign_ahead(1, b'('));
    let words = ["CONSTRAINT", "PRIMARY", "UNIQUE", "INDEX", "KEY", "FULLTEXT", "SPATIAL", "FOREIGN", "CHECK"];
    vector || c.is_any(&words)
}

/// Reads a key, an index or a constraint; only those that can become the key of the records are told.
pub(super) fn key(c: &mut Cursor<'_>) -> Read<Option<Key>> {
    if c.eat("CONSTRAINT") && !c.is_any(&["PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]) {
        let _guard = c.if_not_exists();
        c.name("the name of a constraint is missing")?;
    }
    if c.eat("PRIMARY") {
        let _key = c.eat("KEY");
        let parts = parts(c)?;
        // An expression cannot be a part of a primary key.
        return Ok(Some(Key::Primary(parts.unwrap_or_default())));
    }
    if c.eat("UNIQUE") {
        let _key = c.eat_any(&["INDEX", "KEY"]);
        return Ok(Some(Key::Unique(parts(c)?)));
    }
    if c.eat("FOREIGN") {
        while !c.at_clause_end() && !c.eat("REFERENCES") {
            c.skip_one()?;
        }
        references(c)?;
        return Ok(None);
    }
    c.skip_clause()?;
    Ok(None)
}

/// The columns of a key, behind its name and method; what follows the list is passed too. None: a part is an expression.
pub(super) fn parts(c: &mut Cursor<'_>) -> Read<Option<Vec<String>>> {
    const WHY: &str = "the columns of a key are missing";
    while !c.is_sign(b'(') {
        if c.at_clause_end() {
            return c.unclear(WHY);
        }
        c.skip_one()?;
    }
    c.take();
    let (mut names, mut plain) = (Vec::new(), true);
    loop {
        if c.is_sign(b'(') {
            plain = false;
            c.skip_group()?;
        } else {
            let name = c.name(WHY)?;
            if c.is_sign(b'(') {
                c.skip_group()?;
            }
            // A period is no column.
            if !c.eat_all(&["WITHOUT", "OVERLAPS"]) {
                names.push(name);
            }
        }
        let _order = c.eat_any(&["ASC", "DESC"]);
        if names.len() > MOST_PARTS {
            return c.unclear("a key has more columns than a server allows");
        }
        if c.eat_sign(b',') {
            continue;
        }
        c.expect_sign(b')', WHY)?;
        break;
    }
    c.skip_clause()?;
    Ok(plain.then_some(names))
}

/// The options of a table, up to what ends them.
fn options(c: &mut Cursor<'_>, options: &mut Options) -> Read<()> {
    while !c.at_end() {
        let query = c.is_any(&["PARTITION", "SELECT", "AS", "START", "IGNORE", "REPLACE", "VALUES", "TABLE"]);
        if query || c.is_sign(b'(') || c.is("WITH") && !c.is_ahead(1, "SYSTEM") {
            return Ok(());
        }
        if !c.eat_all(&["WITH", "SYSTEM", "VERSIONING"]) && !option(c, options)? {
            c.skip_one()?;
            if c.eat_sign(b'=') {
                c.skip_one()?;
            }
        }
    }
    Ok(())
}

/// Reads an option that the model has; passes nothing if another one is next.
pub(super) fn option(c: &mut Cursor<'_>, options: &mut Options) -> Read<bool> {
    let mark = c.mark();
    let _word = c.eat("DEFAULT");
    if eat_character_set(c) {
        let _sign = c.eat_sign(b'=');
        options.charset = Some(c.label()?.to_owned());
    } else if c.eat("COLLATE") {
        let _sign = c.eat_sign(b'=');
        options.collation = Some(c.label()?.to_owned());
    } else if c.is("COMMENT") {
        c.take();
        let _sign = c.eat_sign(b'=');
        if c.kind() != Some(Kind::Text) {
            return c.unclear("a comment is not a string");
        }
        options.comment = c.text_content().map(str::to_owned);
    } else {
        c.back_to(mark);
        return Ok(false);
    }
    Ok(true)
}
