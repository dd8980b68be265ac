//! Reads the definition of a column: its name, type, attributes and default.

use super::cursor::{Cursor, Read, inner};
use super::datatype::{self, data_type, eat_character_set, is_integer};
use super::lexer::Kind;
use super::statement::{Attributes, DefaultValue, Definition, Place};

/// What Debezium stores for `CURRENT_TIMESTAMP` and its synonyms.
const EPOCH: &str = "1970-01-01 00:00:00";
const NOW: &[&str] = &["CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"];

/// Reads a column: name, type and attributes.
pub(super) fn definition(c: &mut Cursor<'_>) -> Read<Definition> {
    let name = c.name("the name of a column is missing")?;
    let data = data_type(c)?;
    let attributes = attributes(c, &data)?;
    Ok(Definition { name, data, attributes })
}

/// `FIRST` or `AFTER`.
pub(super) fn place(c: &mut Cursor<'_>) -> Read<Option<Place>> {
    if c.eat("FIRST") {
        return Ok(Some(Place::First));
    }
    if c.eat("AFTER") {
        return Ok(Some(Place::After(c.name("the column behind AFTER is missing")?)));
    }
    Ok(None)
}

fn attributes(c: &mut Cursor<'_>, data: &datatype::DataType) -> Read<Attributes> {
    let mut a = Attributes { serial: data.serial, ..Attributes::default() };
    while !c.at_clause_end() && !c.is_any(&["FIRST", "AFTER"]) {
        if c.eat_all(&["NOT", "NULL"]) {
            a.optional = Some(false);
        } else if c.eat("NULL") {
            a.optional = Some(true);
        } else if c.eat("DEFAULT") {
            a.default = Some(default(c, data.jdbc)?);
        } else if c.eat("AUTO_INCREMENT") {
            a.auto_increment = true;
        } else if c.eat_all(&["SERIAL", "DEFAULT", "VALUE"]) {
            a.serial = true;
        } else if c.eat_all(&["ON", "UPDATE"]) {
            a.on_update = true;
            c.skip_one()?;
            if c.is_sign(b'(') {
                c.skip_group()?;
            }
        } else if c.eat("UNIQUE") {
            a.unique = true;
            let _key = c.eat("KEY");
        } else if c.eat("PRIMARY") {
            a.primary = true;
            let _key = c.eat("KEY");
        } else if c.eat("KEY") {
            a.primary = true;
        } else if c.eat("COMMENT") {
            a.comment = c.text_content().map(str::to_owned);
        } else if c.eat("COLLATE") {
            let _sign = c.eat_sign(b'=');
            a.collation = Some(c.label()?.to_owned());
        } else if eat_character_set(c) {
            let _sign = c.eat_sign(b'=');
            a.charset = Some(c.label()?.to_owned());
        } else if c.eat("REFERENCES") {
            references(c)?;
        } else if c.eat("AS") {
            // `AS ROW START` and `AS ROW END` of MariaDB's periods.
            a.computed |= !c.eat("ROW");
            c.skip_one()?;
        } else if !c.eat_all(&["WITH", "SYSTEM", "VERSIONING"]) {
            other(c)?;
        }
    }
    Ok(a)
}

/// Passes an attribute that the model does not have.
fn other(c: &mut Cursor<'_>) -> Read<()> {
    let word = c.kind() == Some(Kind::Word);
    let named = c.is_any(&["COLUMN_FORMAT", "STORAGE", "SRID", "CONSTRAINT", "ENGINE_ATTRIBUTE"])
        || c.is("SECONDARY_ENGINE_ATTRIBUTE");
    // The name of a constraint may be left out.
    let nameless = c.is("CONSTRAINT") && c.is_ahead(1, "CHECK");
    c.skip_one()?;
    if (word && c.eat_sign(b'=')) || (named && !nameless && !c.at_clause_end()) {
        let _sign = c.eat_sign(b'=');
        c.skip_one()?;
    }
    Ok(())
}

/// Behind `REFERENCES`: the table, the columns and the actions.
pub(super) fn references(c: &mut Cursor<'_>) -> Read<()> {
    c.table()?;
    if c.is_sign(b'(') {
        c.skip_group()?;
    }
    loop {
        if c.eat("MATCH") {
            c.take();
        } else if c.eat_all(&["ON", "DELETE"]) || c.eat_all(&["ON", "UPDATE"]) {
            let two = c.eat_any(&["SET", "NO"]);
            let _action =
                if two { c.eat_any(&["NULL", "DEFAULT", "ACTION"]) } else { c.eat_any(&["RESTRICT", "CASCADE"]) };
        } else {
            return Ok(());
        }
    }
}

/// Behind `DEFAULT`: the value. `jdbc` is the number of the column's type.
pub(super) fn default(c: &mut Cursor<'_>, jdbc: i32) -> Read<DefaultValue> {
    let text = |text: &str| Ok(DefaultValue::Text(text.to_owned()));
    match c.kind() {
        Some(Kind::Sign(b'(')) => {
            c.skip_group()?;
            Ok(DefaultValue::Expression)
        }
        Some(Kind::Sign(sign @ (b'+' | b'-'))) => {
            c.take();
            if !matches!(c.kind(), Some(Kind::Number | Kind::Text)) {
                return c.unclear("a default behind a sign is not a number");
            }
            Ok(DefaultValue::Text(format!("{}{}", char::from(sign), inner(c.take()))))
        }
        Some(Kind::Number) => text(c.take()),
        Some(Kind::Text) => Ok(DefaultValue::Text(strings(c))),
        Some(Kind::National) => text(inner(&c.take()[1..])),
        Some(Kind::Hex | Kind::Bits) => Ok(DefaultValue::Text(digits(c.take(), jdbc))),
        Some(Kind::Word | Kind::Quoted) => word(c, jdbc),
        Some(Kind::Sign(b'{')) => {
            while !c.at_clause_end() && !c.eat_sign(b'}') {
                c.skip_one()?;
            }
            Ok(DefaultValue::Expression)
        }
        _ => c.unclear("a default is missing"),
    }
}

/// Strings side by side are one string. Debezium strikes the outer quotes off, and so leaves those between two of them.
fn strings(c: &mut Cursor<'_>) -> String {
    let mut written = String::new();
    while c.kind() == Some(Kind::Text) {
        written.push_str(c.take());
    }
    if c.eat("COLLATE") {
        c.take();
    }
    inner(&written).to_owned()
}

/// The digits of `b'101'` and `x'4D'`. For a whole number without quotes (`0x10`) its decimal digits.
fn digits(token: &str, jdbc: i32) -> String {
    let digits = &token[2..];
    let Some(quoted) = digits.strip_suffix('\'') else {
        let radix = if token.as_bytes()[1] == b'x' { 16 } else { 2 };
        let number = if is_integer(jdbc) { u64::from_str_radix(digits, radix).ok() } else { None };
        return number.map_or_else(|| digits.to_owned(), |n| n.to_string());
    };
    quoted.to_owned()
}

/// A default that begins with a word.
fn word(c: &mut Cursor<'_>, jdbc: i32) -> Read<DefaultValue> {
    if c.eat("NULL") {
        return Ok(DefaultValue::Null);
    }
    if c.is_any(&["TRUE", "FALSE"]) {
        return Ok(DefaultValue::Text(c.take().to_owned()));
    }
    if c.eat_any(NOW) {
        if c.is_sign(b'(') {
            c.skip_group()?;
        }
        return Ok(DefaultValue::Text(EPOCH.to_owned()));
    }
    let introducer = c.peek(0).starts_with('_') || c.is_any(&["DATE", "TIME", "TIMESTAMP"]);
    let mark = c.mark();
    c.take();
    if introducer && matches!(c.kind(), Some(Kind::Text | Kind::Hex | Kind::Bits)) {
        return default(c, jdbc);
    }
    c.back_to(mark);
    // MariaDB takes a call without brackets around it.
    if !c.eat_all(&["NEXT", "VALUE", "FOR"]) && !c.eat_all(&["PREVIOUS", "VALUE", "FOR"]) && c.eat("CASE") {
        while !c.at_end() && !c.eat("END") {
            c.skip_one()?;
        }
        return Ok(DefaultValue::Expression);
    }
    c.take();
    while c.eat_sign(b'.') {
        c.take();
    }
    if c.is_sign(b'(') {
        c.skip_group()?;
    }
    Ok(DefaultValue::Expression)
}
