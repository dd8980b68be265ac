//! Reads the type of a column, and knows what each type is in `java.sql.Types`.

use std::sync::Arc;

use super::cursor::{Cursor, Read};
use super::lexer::Kind;
use super::{Dialect, Grammar};

/// The type of a column as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DataType {
    pub(super) jdbc: i32,
    /// In upper case, with `UNSIGNED`, `ZEROFILL` and `BINARY`.
    pub(super) name: String,
    pub(super) length: Option<i32>,
    pub(super) scale: Option<i32>,
    pub(super) charset: Option<String>,
    pub(super) labels: Vec<Arc<str>>,
    pub(super) serial: bool,
}

/// The numbers in `java.sql.Types` that Debezium stores and chooses by.
mod jdbc {
    pub(super) const CHAR: i32 = 1;
    pub(super) const NUMERIC: i32 = 2;
    pub(super) const DECIMAL: i32 = 3;
    pub(super) const INTEGER: i32 = 4;
    pub(super) const SMALLINT: i32 = 5;
    pub(super) const FLOAT: i32 = 6;
    pub(super) const REAL: i32 = 7;
    pub(super) const DOUBLE: i32 = 8;
    pub(super) const VARCHAR: i32 = 12;
    pub(super) const BOOLEAN: i32 = 16;
    pub(super) const DATE: i32 = 91;
    pub(super) const TIME: i32 = 92;
    pub(super) const TIMESTAMP: i32 = 93;
    pub(super) const OTHER: i32 = 1111;
    pub(super) const BLOB: i32 = 2004;
    pub(super) const TIMESTAMP_WITH_TIMEZONE: i32 = 2014;
    pub(super) const BINARY: i32 = -2;
    pub(super) const VARBINARY: i32 = -3;
    pub(super) const BIGINT: i32 = -5;
    pub(super) const BIT: i32 = -7;
    pub(super) const NVARCHAR: i32 = -9;
    pub(super) const NCHAR: i32 = -15;
}

/// Whether columns of the type have a character set.
pub(super) fn has_charset(jdbc: i32) -> bool {
    matches!(jdbc, jdbc::CHAR | jdbc::VARCHAR | jdbc::NCHAR | jdbc::NVARCHAR)
}

/// Whether columns of the type hold whole numbers.
pub(super) fn is_integer(jdbc: i32) -> bool {
    matches!(jdbc, jdbc::SMALLINT | jdbc::INTEGER | jdbc::BIGINT)
}

/// What follows the word of a type.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Nothing.
    Plain,
    /// A length.
    Length,
    /// A number of fractional digits.
    Fraction,
    /// A display width, then `UNSIGNED` and `ZEROFILL`.
    Integer,
    /// Digits and scale, then `UNSIGNED` and `ZEROFILL`.
    Decimal,
    /// A length, then a character set.
    Chars,
    /// A list of labels, then a character set.
    Labels,
}

/// The types whose name is one word.
const TYPES: &[(&str, i32, Form)] = &[
    ("TINYINT", jdbc::SMALLINT, Form::Integer),
    ("INT1", jdbc::SMALLINT, Form::Integer),
    ("SMALLINT", jdbc::SMALLINT, Form::Integer),
    ("INT2", jdbc::SMALLINT, Form::Integer),
    ("MEDIUMINT", jdbc::INTEGER, Form::Integer),
    ("INT3", jdbc::INTEGER, Form::Integer),
    ("MIDDLEINT", jdbc::INTEGER, Form::Integer),
    ("INT", jdbc::INTEGER, Form::Integer),
    ("INTEGER", jdbc::INTEGER, Form::Integer),
    ("INT4", jdbc::INTEGER, Form::Integer),
    ("YEAR", jdbc::INTEGER, Form::Integer),
    ("BIGINT", jdbc::BIGINT, Form::Integer),
    ("INT8", jdbc::BIGINT, Form::Integer),
    ("SERIAL", jdbc::BIGINT, Form::Plain),
    ("REAL", jdbc::REAL, Form::Decimal),
    ("DOUBLE", jdbc::DOUBLE, Form::Decimal),
    ("FLOAT8", jdbc::DOUBLE, Form::Decimal),
    ("FLOAT", jdbc::FLOAT, Form::Decimal),
    ("FLOAT4", jdbc::FLOAT, Form::Decimal),
    ("DECIMAL", jdbc::DECIMAL, Form::Decimal),
    ("DEC", jdbc::DECIMAL, Form::Decimal),
    ("FIXED", jdbc::DECIMAL, Form::Decimal),
    ("NUMBER", jdbc::DECIMAL, Form::Decimal),
    ("NUMERIC", jdbc::NUMERIC, Form::Decimal),
    ("BIT", jdbc::BIT, Form::Length),
    ("BOOL", jdbc::BOOLEAN, Form::Plain),
    ("BOOLEAN", jdbc::BOOLEAN, Form::Plain),
    ("DATE", jdbc::DATE, Form::Plain),
    ("TIME", jdbc::TIME, Form::Fraction),
    ("DATETIME", jdbc::TIMESTAMP, Form::Fraction),
    ("TIMESTAMP", jdbc::TIMESTAMP_WITH_TIMEZONE, Form::Fraction),
    ("CHAR", jdbc::CHAR, Form::Chars),
    ("CHARACTER", jdbc::CHAR, Form::Chars),
    ("VARCHAR", jdbc::VARCHAR, Form::Chars),
    ("VARCHARACTER", jdbc::VARCHAR, Form::Chars),
    ("VARCHAR2", jdbc::VARCHAR, Form::Chars),
    ("TINYTEXT", jdbc::VARCHAR, Form::Chars),
    ("TEXT", jdbc::VARCHAR, Form::Chars),
    ("MEDIUMTEXT", jdbc::VARCHAR, Form::Chars),
    ("LONGTEXT", jdbc::VARCHAR, Form::Chars),
    ("CLOB", jdbc::VARCHAR, Form::Chars),
    ("LONG", jdbc::VARCHAR, Form::Chars),
    ("NCHAR", jdbc::NCHAR, Form::Chars),
    ("NVARCHAR", jdbc::NVARCHAR, Form::Chars),
    ("BINARY", jdbc::BINARY, Form::Length),
    ("VARBINARY", jdbc::VARBINARY, Form::Length),
    ("RAW", jdbc::VARBINARY, Form::Length),
    ("TINYBLOB", jdbc::BLOB, Form::Length),
    ("BLOB", jdbc::BLOB, Form::Length),
    ("MEDIUMBLOB", jdbc::BLOB, Form::Length),
    ("LONGBLOB", jdbc::BLOB, Form::Length),
    ("ENUM", jdbc::CHAR, Form::Labels),
    ("SET", jdbc::CHAR, Form::Labels),
    ("JSON", jdbc::OTHER, Form::Plain),
    ("VECTOR", jdbc::OTHER, Form::Length),
    ("GEOMETRY", jdbc::OTHER, Form::Plain),
    ("GEOMETRYCOLLECTION", jdbc::OTHER, Form::Plain),
    ("GEOMCOLLECTION", jdbc::OTHER, Form::Plain),
    ("POINT", jdbc::OTHER, Form::Plain),
    ("LINESTRING", jdbc::OTHER, Form::Plain),
    ("POLYGON", jdbc::OTHER, Form::Plain),
    ("MULTIPOINT", jdbc::OTHER, Form::Plain),
    ("MULTILINESTRING", jdbc::OTHER, Form::Plain),
    ("MULTIPOLYGON", jdbc::OTHER, Form::Plain),
    ("UUID", jdbc::OTHER, Form::Plain),
    ("INET4", jdbc::OTHER, Form::Plain),
    ("INET6", jdbc::OTHER, Form::Plain),
    ("XMLTYPE", jdbc::OTHER, Form::Plain),
];

/// The types whose name is more than one word: the words, and what the first word alone does not say.
const LONG_NAMES: &[(&[&str], i32, Form)] = &[
    (&["DOUBLE", "PRECISION"], jdbc::DOUBLE, Form::Decimal),
    (&["FLOAT8", "PRECISION"], jdbc::DOUBLE, Form::Decimal),
    (&["CHAR", "VARYING"], jdbc::VARCHAR, Form::Chars),
    (&["CHARACTER", "VARYING"], jdbc::VARCHAR, Form::Chars),
    (&["LONG", "VARBINARY"], jdbc::BLOB, Form::Plain),
    (&["LONG", "VARCHAR"], jdbc::VARCHAR, Form::Chars),
    (&["LONG", "VARCHARACTER"], jdbc::VARCHAR, Form::Chars),
    (&["LONG", "CHAR", "VARYING"], jdbc::VARCHAR, Form::Chars),
    (&["LONG", "CHARACTER", "VARYING"], jdbc::VARCHAR, Form::Chars),
    (&["NATIONAL", "CHAR", "VARYING"], jdbc::NVARCHAR, Form::Chars),
    (&["NATIONAL", "CHARACTER", "VARYING"], jdbc::NVARCHAR, Form::Chars),
    (&["NATIONAL", "VARCHAR"], jdbc::NVARCHAR, Form::Chars),
    (&["NATIONAL", "VARCHARACTER"], jdbc::NVARCHAR, Form::Chars),
    (&["NATIONAL", "CHAR"], jdbc::NCHAR, Form::Chars),
    (&["NATIONAL", "CHARACTER"], jdbc::NCHAR, Form::Chars),
    (&["NCHAR", "VARYING"], jdbc::NVARCHAR, Form::Chars),
    (&["NCHAR", "VARCHAR"], jdbc::NVARCHAR, Form::Chars),
    (&["NCHAR", "VARCHARACTER"], jdbc::NVARCHAR, Form::Chars),
];

/// Whether the word begins the name of a type.
pub(super) fn is_type_word(word: &str) -> bool {
    let is = |name: &str| name.eq_ignore_ascii_case(word);
    TYPES.iter().any(|(name, ..)| is(name)) || is("NATIONAL")
}

/// Reads the name of a type: the name in upper case, its number, what may follow.
fn name(c: &mut Cursor<'_>) -> Read<(String, i32, Form)> {
    for (words, jdbc, form) in LONG_NAMES {
        if c.eat_all(words) {
            return Ok((words.join(" "), *jdbc, *form));
        }
    }
    if c.kind() != Some(Kind::Word) {
        return c.unclear("the type of a column is missing");
    }
    if c.dialect.oracle && c.eat("DATE") {
        return Ok(("DATETIME".to_owned(), jdbc::TIMESTAMP, Form::Plain));
    }
    for (word, jdbc, form) in TYPES {
        if c.eat(word) {
            return Ok(((*word).to_owned(), *jdbc, *form));
        }
    }
    if c.dialect.is_mariadb() {
        // A type of a plug-in. Its values come as text or bytes, as its storage has them.
        return Ok((c.take().to_ascii_uppercase(), jdbc::OTHER, Form::Length));
    }
    c.unclear("a type is not known")
}

/// Reads the type of a column.
pub(super) fn data_type(c: &mut Cursor<'_>) -> Read<DataType> {
    let (name, jdbc, form) = name(c)?;
    let mut data = DataType { jdbc, name, length: None, scale: None, charset: None, labels: Vec::new(), serial: false };
    match form {
        Form::Plain => {}
        Form::Length | Form::Integer | Form::Chars => data.length = numbers(c)?.first().map(|n| length(n, c.dialect)),
        Form::Fraction => data.length = numbers(c)?.first().and_then(|n| n.parse().ok()),
        Form::Decimal => {
            let numbers = numbers(c)?;
            data.length = numbers.first().map(|n| length(n, c.dialect));
            data.scale = numbers.get(1).and_then(|n| n.parse().ok());
        }
        Form::Labels => labels(c, &mut data)?,
    }
    match form {
        Form::Integer | Form::Decimal => signs(c, &mut data),
        Form::Chars | Form::Labels => charset(c, &mut data)?,
        _ => {}
    }
    implied(&mut data, c.dialect);
    Ok(data)
}

/// What the types have that is not written.
fn implied(data: &mut DataType, dialect: Dialect) {
    match (data.jdbc, data.name.as_str()) {
        (jdbc::DECIMAL | jdbc::NUMERIC, _) => {
            data.length.get_or_insert(10);
            data.scale.get_or_insert(0);
        }
        (jdbc::BIT, _) => {
            data.length.get_or_insert(1);
        }
        (jdbc::NCHAR, _) => {
            data.length.get_or_insert(1);
            data.charset = Some("utf8".to_owned());
        }
        (jdbc::NVARCHAR, _) => data.charset = Some("utf8".to_owned()),
        (_, "SERIAL") => {
            "BIGINT UNSIGNED".clone_into(&mut data.name);
            data.serial = true;
        }
        (_, "VECTOR") if dialect.grammar == Grammar::Legacy && !dialect.is_mariadb() => {
            data.length.get_or_insert(2048);
        }
        _ => {}
    }
}

/// Numbers in brackets, if any.
fn numbers<'a>(c: &mut Cursor<'a>) -> Read<Vec<&'a str>> {
    let mut numbers = Vec::new();
    if !c.eat_sign(b'(') {
        return Ok(numbers);
    }
    while c.kind() == Some(Kind::Number) {
        numbers.push(c.take());
        if !c.eat_sign(b',') {
            break;
        }
    }
    // Oracle's mode of MariaDB: VARCHAR2(10 CHAR).
    let _unit = c.eat_any(&["CHAR", "BYTE"]);
    c.expect_sign(b')', "the length of a type is not a number")?;
    Ok(numbers)
}

/// A length as the model keeps it.
fn length(text: &str, dialect: Dialect) -> i32 {
    let whole = text.split(['.', 'e', 'E']).next().unwrap_or("");
    let number = whole.parse().unwrap_or(if whole.is_empty() { 0 } else { i64::from(i32::MAX) });
    // Debezium's default grammar takes 0 for a mistake and stores ten.
    let zero = if dialect.grammar == Grammar::Default || text.contains('.') { 10 } else { 0 };
    if number == 0 { zero } else { i32::try_from(number).unwrap_or(i32::MAX) }
}

fn signs(c: &mut Cursor<'_>, data: &mut DataType) {
    let (mut sign, mut zerofill) = ("", false);
    loop {
        if c.eat("UNSIGNED") {
            sign = " UNSIGNED";
        } else if c.eat("SIGNED") {
            sign = " SIGNED";
        } else if c.eat("ZEROFILL") {
            zerofill = true;
        } else {
            break;
        }
    }
    data.name.push_str(if zerofill { " UNSIGNED ZEROFILL" } else { sign });
}

/// `CHARACTER SET`, in its spellings.
pub(super) fn eat_character_set(c: &mut Cursor<'_>) -> bool {
    c.eat("CHARSET") || c.eat_all(&["CHARACTER", "SET"]) || c.eat_all(&["CHAR", "SET"])
}

fn charset(c: &mut Cursor<'_>, data: &mut DataType) -> Read<()> {
    let mut binary = false;
    loop {
        if eat_character_set(c) {
            data.charset = Some(c.label()?.to_owned());
        } else if c.eat("ASCII") {
            data.charset = Some("latin1".to_owned());
        } else if c.eat("UNICODE") {
            data.charset = Some("ucs2".to_owned());
        } else if c.eat("BINARY") {
            binary = true;
        } else if !c.eat("BYTE") {
            break;
        }
    }
    if binary && data.labels.is_empty() {
        data.name.push_str(" BINARY");
    }
    Ok(())
}

/// The labels of ENUM and SET.
fn labels(c: &mut Cursor<'_>, data: &mut DataType) -> Read<()> {
    const WHY: &str = "the labels of an ENUM or SET are missing";
    c.expect_sign(b'(', WHY)?;
    loop {
        if !matches!(c.kind(), Some(Kind::Text | Kind::Hex | Kind::Bits | Kind::National)) {
            return c.unclear(WHY);
        }
        data.labels.push(Arc::from(c.take()));
        if !c.eat_sign(b',') {
            break;
        }
    }
    c.expect_sign(b')', WHY)?;
    let count = i32::try_from(data.labels.len()).unwrap_or(i32::MAX / 2);
    data.length = Some(if data.name == "SET" { 2 * count - 1 } else { 1 });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flavour;

    #[track_caller]
    fn check_in(dialect: Dialect, text: &str, jdbc: i32, name: &str, length: Option<i32>, scale: Option<i32>) {
        let mut c = Cursor::new(text, dialect);
        let data = data_type(&mut c).unwrap();
        assert!(c.at_end(), "left over: {}", c.peek(0));
        assert_eq!((data.jdbc, data.name.as_str(), data.length, data.scale), (jdbc, name, length, scale));
    }

    #[track_caller]
    fn check(text: &str, jdbc: i32, name: &str, length: Option<i32>, scale: Option<i32>) {
        check_in(Dialect::new(Flavour::MySql), text, jdbc, name, length, scale);
    }

    #[test]
    fn each_type_has_its_number() {
        for (words, number) in [
            ("TINYINT INT1 SMALLINT INT2", 5),
            ("MEDIUMINT INT3 MIDDLEINT INT INTEGER INT4 YEAR", 4),
            ("BIGINT INT8", -5),
            ("REAL", 7),
            ("DOUBLE FLOAT8", 8),
            ("FLOAT FLOAT4", 6),
            ("BOOL BOOLEAN", 16),
            ("DATE", 91),
            ("TIME", 92),
            ("DATETIME", 93),
            ("TIMESTAMP", 2014),
            ("VARCHAR VARCHARACTER TINYTEXT TEXT MEDIUMTEXT LONGTEXT LONG", 12),
            ("BINARY", -2),
            ("VARBINARY", -3),
            ("TINYBLOB BLOB MEDIUMBLOB LONGBLOB", 2004),
            ("JSON GEOMETRY POINT LINESTRING POLYGON MULTIPOINT MULTILINESTRING MULTIPOLYGON", 1111),
            ("GEOMETRYCOLLECTION GEOMCOLLECTION VECTOR UUID", 1111),
        ] {
            for word in words.split(' ') {
                check(&word.to_ascii_lowercase(), number, word, None, None);
            }
        }
    }

    #[test]
    fn names_of_several_words() {
        check("double precision", 8, "DOUBLE PRECISION", None, None);
        check("character varying(7)", 12, "CHARACTER VARYING", Some(7), None);
        check("long varchar", 12, "LONG VARCHAR", None, None);
        check("long varbinary", 2004, "LONG VARBINARY", None, None);
        check("national char(4)", -15, "NATIONAL CHAR", Some(4), None);
        check("nchar", -15, "NCHAR", Some(1), None);
        check("nchar varchar(3)", -9, "NCHAR VARCHAR", Some(3), None);
        check("national character varying(3)", -9, "NATIONAL CHARACTER VARYING", Some(3), None);
    }

    #[test]
    fn lengths_and_what_is_implied() {
        check("int(11)", 4, "INT", Some(11), None);
        check("decimal", 3, "DECIMAL", Some(10), Some(0));
        check("numeric(5)", 2, "NUMERIC", Some(5), Some(0));
        check("fixed(4,2)", 3, "FIXED", Some(4), Some(2));
        check("float(5,2)", 6, "FLOAT", Some(5), Some(2));
        check("bit", -7, "BIT", Some(1), None);
        check("timestamp(6)", 2014, "TIMESTAMP", Some(6), None);
        check("time(0)", 92, "TIME", Some(0), None);
        check("year(4)", 4, "YEAR", Some(4), None);
        check("longtext", 12, "LONGTEXT", None, None);
        check("text(4294967295)", 12, "TEXT", Some(i32::MAX), None);
        check("enum('a','b')", 1, "ENUM", Some(1), None);
        check("set('a','b','c')", 1, "SET", Some(5), None);
        check("serial", -5, "BIGINT UNSIGNED", None, None);
    }

    #[test]
    fn a_length_of_zero_depends_on_the_grammar() {
        check("char(0)", 1, "CHAR", Some(10), None);
        let legacy = Dialect { grammar: Grammar::Legacy, ..Dialect::new(Flavour::MySql) };
        check_in(legacy, "char(0)", 1, "CHAR", Some(0), None);
        check_in(legacy, "vector", 1111, "VECTOR", Some(2048), None);
    }

    #[test]
    fn signs() {
        check("int unsigned", 4, "INT UNSIGNED", None, None);
        check("int(5) zerofill", 4, "INT UNSIGNED ZEROFILL", Some(5), None);
        check("decimal(5,2) zerofill unsigned", 3, "DECIMAL UNSIGNED ZEROFILL", Some(5), Some(2));
        check("bigint signed", -5, "BIGINT SIGNED", None, None);
    }

    #[test]
    fn charsets() {
        check("char(60) binary", 1, "CHAR BINARY", Some(60), None);
        check("char byte", 1, "CHAR", None, None);
        check("varchar(5) character set latin1", 12, "VARCHAR", Some(5), None);
        check("text charset 'utf8mb4' binary", 12, "TEXT BINARY", None, None);
    }

    #[test]
    fn mariadb_takes_types_of_plugins() {
        check_in(Dialect::new(Flavour::MariaDb), "inet6", 1111, "INET6", None, None);
        check_in(Dialect::new(Flavour::MariaDb), "mytype(3)", 1111, "MYTYPE", Some(3), None);
        assert!(data_type(&mut Cursor::new("mytype", Dialect::new(Flavour::MySql))).is_err());
    }
}
