//! Reads the clauses of `ALTER TABLE`.

use super::column::{default, definition, place};
use super::create::{MOST_COLUMNS, MOST_KEYS, key, option, period, starts_key};
use super::cursor::{Cursor, Read};
use super::datatype::eat_character_set;
use super::statement::{Clause, Definition, Key, Options};

/// Enough to drop, add and index as many columns as a table can have.
const MOST_CLAUSES: usize = 3 * MOST_COLUMNS;

/// Options of tables, and ways of altering them, that cannot change the model: a word, then perhaps `=`, then a value.
const OPTIONS: &[&str] = &[
    "ENGINE",
    "TYPE",
    "AUTO_INCREMENT",
    "AUTOEXTEND_SIZE",
    "AVG_ROW_LENGTH",
    "CHECKSUM",
    "TABLE_CHECKSUM",
    "COMPRESSION",
    "CONNECTION",
    "DELAY_KEY_WRITE",
    "ENCRYPTION",
    "ENGINE_ATTRIBUTE",
    "SECONDARY_ENGINE",
    "SECONDARY_ENGINE_ATTRIBUTE",
    "INSERT_METHOD",
    "KEY_BLOCK_SIZE",
    "MAX_ROWS",
    "MIN_ROWS",
    "PACK_KEYS",
    "PASSWORD",
    "ROW_FORMAT",
    "STATS_AUTO_RECALC",
    "STATS_PERSISTENT",
    "STATS_SAMPLE_PAGES",
    "TABLESPACE",
    "STORAGE",
    "UNION",
    "PAGE_CHECKSUM",
    "TRANSACTIONAL",
    "SEQUENCE",
    "ALGORITHM",
    "LOCK",
    "WAIT",
];

/// Words that are a clause of their own and cannot change the model.
const PHRASES: &[&[&str]] = &[
    &["FORCE"],
    &["NOWAIT"],
    &["DISABLE", "KEYS"],
    &["ENABLE", "KEYS"],
    &["DISCARD", "TABLESPACE"],
    &["IMPORT", "TABLESPACE"],
    &["WITH", "VALIDATION"],
    &["WITHOUT", "VALIDATION"],
    &["SECONDARY_LOAD"],
    &["SECONDARY_UNLOAD"],
    &["REMOVE", "PARTITIONING"],
    &["UPGRADE", "PARTITIONING"],
];

/// Words before `PARTITION` that fill the rest of a statement and cannot change the model.
const PARTITION_WORK: &[&str] = &[
    "COALESCE",
    "REORGANIZE",
    "EXCHANGE",
    "ANALYZE",
    "CHECK",
    "OPTIMIZE",
    "REBUILD",
    "REPAIR",
    "TRUNCATE",
    "DISCARD",
    "IMPORT",
];

/// Reads the clauses behind the table's name.
pub(super) fn clauses(c: &mut Cursor<'_>) -> Read<Vec<Clause>> {
    let mut clauses = Vec::new();
    while !c.at_end() {
        if c.eat_sign(b',') {
            continue;
        }
        clause(c, &mut clauses)?;
        let keys = clauses.iter().rev().take_while(|c| matches!(c, Clause::AddKey(_))).count();
        if clauses.len() > MOST_CLAUSES || keys > MOST_KEYS {
            return c.unclear("it has more clauses than a server allows");
        }
    }
    Ok(clauses)
}

fn clause(c: &mut Cursor<'_>, to: &mut Vec<Clause>) -> Read<()> {
    let mut options = Options::default();
    if c.is("PARTITION") || PARTITION_WORK.iter().any(|w| c.is(w)) && c.is_ahead(1, "PARTITION") {
        c.skip_statement();
    } else if c.eat("ADD") {
        add(c, to)?;
    } else if c.eat("CHANGE") {
        let _word = c.eat("COLUMN");
        let if_exists = c.if_exists();
        let old = c.name("the name of a column is missing")?;
        let definition = definition(c)?;
        keys_of(&definition, to);
        let place = place(c)?;
        to.push(Clause::Change { old, definition, place, if_exists });
    } else if c.eat("MODIFY") {
        let _word = c.eat("COLUMN");
        let if_exists = c.if_exists();
        let definition = definition(c)?;
        keys_of(&definition, to);
        let place = place(c)?;
        to.push(Clause::Modify { definition, place, if_exists });
    } else if c.eat("DROP") {
        drop(c, to)?;
    } else if c.eat("RENAME") {
        rename(c, to)?;
    } else if c.eat("ALTER") {
        alter(c, to)?;
    } else if c.eat("CONVERT") {
        convert(c, to)?;
    } else if c.eat_all(&["ORDER", "BY"]) {
        order(c)?;
    } else if option(c, &mut options)? {
        to.extend(options.charset.map(Clause::Charset));
        to.extend(options.collation.map(Clause::Collation));
        to.extend(options.comment.map(Clause::Comment));
    } else if !PHRASES.iter().any(|words| c.eat_all(words)) {
        other_option(c)?;
    }
    Ok(())
}

/// `UNIQUE` and `PRIMARY KEY` in a column's definition.
fn keys_of(definition: &Definition, to: &mut Vec<Clause>) {
    if definition.attributes.primary {
        to.push(Clause::AddKey(Key::Primary(vec![definition.name.clone()])));
    } else if definition.attributes.unique || definition.attributes.serial {
        to.push(Clause::AddKey(Key::UniqueColumn(definition.name.clone())));
    }
}

fn add(c: &mut Cursor<'_>, to: &mut Vec<Clause>) -> Read<()> {
    if c.is("PARTITION") {
        c.skip_statement();
        return Ok(());
    }
    if c.eat_all(&["SYSTEM", "VERSIONING"]) || period(c)? {
        return Ok(());
    }
    if starts_key(c) {
        to.extend(key(c)?.map(Clause::AddKey));
        return Ok(());
    }
    let _word = c.eat("COLUMN");
    let if_not_exists = c.if_not_exists();
    if !c.eat_sign(b'(') {
        let definition = definition(c)?;
        keys_of(&definition, to);
        let place = place(c)?;
        to.push(Clause::Add { definition, place, if_not_exists });
        return Ok(());
    }
    let mut columns = Vec::new();
    let mut keys = Vec::new();
    loop {
        if starts_key(c) {
            keys.extend(key(c)?.map(Clause::AddKey));
        } else if !period(c)? {
            let column = definition(c)?;
            keys_of(&column, &mut keys);
            columns.push(column);
        }
        if columns.len() > MOST_COLUMNS {
            return c.unclear("a table has more columns than a server allows");
        }
        if !c.eat_sign(b',') {
            break;
        }
    }
    c.expect_sign(b')', "a list of columns is not closed")?;
    to.push(Clause::AddMany(columns));
    to.append(&mut keys);
    Ok(())
}

fn drop(c: &mut Cursor<'_>, to: &mut Vec<Clause>) -> Read<()> {
    const WHY: &str = "the name of what is dropped is missing";
    if c.is("PARTITION") {
        c.skip_statement();
    } else if c.eat("PRIMARY") {
        let _key = c.eat("KEY");
        to.push(Clause::DropPrimaryKey);
    } else if c.eat_all(&["SYSTEM", "VERSIONING"]) {
        // The columns stay as they are.
    } else if c.eat_all(&["PERIOD", "FOR"]) {
        let _guard = c.if_exists();
        c.name(WHY)?;
    } else if c.eat("CONSTRAINT") {
        let _guard = c.if_exists();
        if c.name(WHY)?.eq_ignore_ascii_case("PRIMARY") {
            to.push(Clause::DropPrimaryKey);
        }
    } else if c.eat_any(&["INDEX", "KEY", "CHECK"]) || c.eat_all(&["FOREIGN", "KEY"]) {
        let _guard = c.if_exists();
        c.name(WHY)?;
    } else {
        let _word = c.eat("COLUMN");
        let if_exists = c.if_exists();
        let column = c.name(WHY)?;
        let _how = c.eat_any(&["RESTRICT", "CASCADE"]);
        to.push(Clause::Drop { column, if_exists });
    }
    Ok(())
}

fn rename(c: &mut Cursor<'_>, to: &mut Vec<Clause>) -> Read<()> {
    const WHY: &str = "a new name is missing";
    let column = c.eat("COLUMN");
    if column || c.eat_any(&["INDEX", "KEY"]) {
        let if_exists = c.if_exists();
        let old = c.name(WHY)?;
        if !c.eat("TO") {
            return c.unclear(WHY);
        }
        let new = c.name(WHY)?;
        if column {
            to.push(Clause::RenameColumn { old, new, if_exists });
        }
        return Ok(());
    }
    let _word = c.eat_any(&["TO", "AS"]) || c.eat_sign(b'=');
    to.push(Clause::RenameTable(c.table()?));
    Ok(())
}

fn alter(c: &mut Cursor<'_>, to: &mut Vec<Clause>) -> Read<()> {
    if c.is_any(&["INDEX", "KEY", "CHECK", "CONSTRAINT"]) {
        return c.skip_clause();
    }
    let _word = c.eat("COLUMN");
    let _guard = c.if_exists();
    let column = c.name("the name of a column is missing")?;
    if c.eat_all(&["SET", "DEFAULT"]) {
        let default = default(c, 0)?;
        to.push(Clause::SetDefault { column, default });
    } else if c.eat_all(&["DROP", "DEFAULT"]) {
        to.push(Clause::DropDefault { column });
    } else if !c.eat_all(&["SET", "VISIBLE"]) && !c.eat_all(&["SET", "INVISIBLE"]) {
        return c.unclear("an ALTER of a column is not known");
    }
    Ok(())
}

fn convert(c: &mut Cursor<'_>, to: &mut Vec<Clause>) -> Read<()> {
    if c.eat("PARTITION") {
        c.name("the name of a partition is missing")?;
        if c.eat_all(&["TO", "TABLE"]) {
            to.push(Clause::ToTable(c.table()?));
        }
        return c.skip_clause();
    }
    if c.eat("TABLE") {
        to.push(Clause::FromTable(c.table()?));
        c.skip_statement();
        return Ok(());
    }
    if !c.eat("TO") || !eat_character_set(c) {
        return c.unclear("a CONVERT is not known");
    }
    let charset = c.label()?;
    let charset = (!charset.eq_ignore_ascii_case("DEFAULT")).then(|| charset.to_owned());
    let collation = if c.eat("COLLATE") { Some(c.label()?.to_owned()) } else { None };
    to.push(Clause::Convert { charset, collation });
    Ok(())
}

/// Behind `ORDER BY`: a list, whose commas do not end the clause unless a word that begins a clause follows.
fn order(c: &mut Cursor<'_>) -> Read<()> {
    const CLAUSES: &[&str] = &["ADD", "ALTER", "CHANGE", "CONVERT", "DROP", "MODIFY", "RENAME", "FORCE"];
    loop {
        c.skip_clause()?;
        if !c.is_sign(b',') || CLAUSES.iter().any(|w| c.is_ahead(1, w)) {
            return Ok(());
        }
        c.take();
    }
}

fn other_option(c: &mut Cursor<'_>) -> Read<()> {
    let directory = c.is_any(&["DATA", "INDEX"]) && c.is_ahead(1, "DIRECTORY");
    if directory || c.is("DEFAULT") {
        c.take();
    }
    // MariaDB's engines have options of their own, always with an equals sign.
    if directory || c.is_any(OPTIONS) || c.sign_ahead(1, b'=') {
        c.take();
        let _sign = c.eat_sign(b'=');
        return c.skip_one();
    }
    c.unclear("a clause is not known")
}
