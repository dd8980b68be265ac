//! Rewrites a statement as Debezium's default grammar for MySQL does before it reads it; its records quote the result.
//!
//! Strings in double quotes get single quotes, unless `ANSI_QUOTES` makes them names. Words that MySQL 8 reserved get
//! back-ticks where they are names: a statement of an older server may have them.

use std::borrow::Cow;

use super::datatype::is_type_word;
use super::lexer::{Kind, Lexer, Token};
use super::{Dialect, Grammar};

/// Words that became reserved with window functions.
const RESERVED: &[&str] = &[
    "CUME_DIST",
    "DENSE_RANK",
    "FIRST_VALUE",
    "JSON_TABLE",
    "LAG",
    "LAST_VALUE",
    "LEAD",
    "NTH_VALUE",
    "NTILE",
    "PERCENT_RANK",
    "RANK",
    "ROW_NUMBER",
];

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// Whether the word at `at` is a name by what stands around it.
fn is_name(text: &str, tokens: &[Token], at: usize) -> bool {
    let word = |at: usize| tokens.get(at).map_or("", |t| &text[t.start..t.end]);
    let before = |n: usize| at.checked_sub(n).map_or("", word);
    is_one_of(before(1), &["FROM", "JOIN", "INTO"])
        || is_one_of(before(1), &["TABLE"]) && is_one_of(before(2), &["CREATE", "ALTER", "DROP"])
        || is_type_word(word(at + 1))
        || word(at + 1) == ":"
}

/// The statement as the dialect's grammar reads it.
pub(super) fn normal(text: &str, dialect: Dialect) -> Cow<'_, str> {
    match dialect.grammar {
        Grammar::Default => normalise(text, dialect),
        Grammar::Legacy => text.into(),
    }
}

/// The statement as the default grammar reads it.
fn normalise(text: &str, dialect: Dialect) -> Cow<'_, str> {
    // Most statements have neither. Only plain bytes are compared, so the test costs nothing beside reading.
    let quotes = !dialect.ansi_quotes && text.contains('"');
    let upper = text.to_ascii_uppercase();
    if !quotes && !RESERVED.iter().any(|word| upper.contains(word)) {
        return Cow::Borrowed(text);
    }
    let tokens: Vec<Token> = Lexer::new(text, dialect).collect();
    let mut normal = String::with_capacity(text.len() + 16);
    let mut copied = 0;
    for (at, token) in tokens.iter().enumerate() {
        let written = &text[token.start..token.end];
        let changed = match token.kind {
            Kind::Text if written.starts_with('"') => {
                let content = written.get(1..written.len() - 1).unwrap_or("");
                format!("'{}'", content.replace('\'', "''"))
            }
            Kind::Word if is_one_of(written, RESERVED) && is_name(text, &tokens, at) => format!("`{written}`"),
            _ => continue,
        };
        normal.push_str(&text[copied..token.start]);
        normal.push_str(&changed);
        copied = token.end;
    }
    normal.push_str(&text[copied..]);
    Cow::Owned(normal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flavour;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(normalise(text, Dialect::new(Flavour::MySql)), expect);
    }

    #[test]
    fn double_quotes_become_single_ones() {
        check(r#"c varchar(5) default "it's" comment "a""b""#, r#"c varchar(5) default 'it''s' comment 'a""b'"#);
        check(r#"default '"x"' /* "c" */ `"n"` -- "d""#, r#"default '"x"' /* "c" */ `"n"` -- "d""#);
        let ansi = Dialect { ansi_quotes: true, ..Dialect::new(Flavour::MySql) };
        assert_eq!(normalise(r#"create table "t"(a int)"#, ansi), r#"create table "t"(a int)"#);
    }

    #[test]
    fn reserved_words_that_are_names_get_back_ticks() {
        check("create table rank(lag int, b int)", "create table `rank`(`lag` int, b int)");
        check("create table t(`rank` int, b int as (rank))", "create table t(`rank` int, b int as (rank))");
        check("lead: loop", "`lead`: loop");
    }
}
