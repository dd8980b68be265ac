//! The user's own SELECT in place of a table's rows (`snapshot.select.statement.overrides`).
//!
//! The statement becomes a subquery of a COPY, so that its columns can be converted to the table's types. It may end with a
//! semicolon or a comment, as a statement does that was written to be run alone.

use crate::config::Snapshot;
use crate::error::Error;
use crate::sql::{SnapshotReader, Table};
use crate::table::Given;

/// The FROM item with the statement for a table, and what the statement gives; `None` if the table itself is read.
pub(super) async fn for_table(
    reader: &SnapshotReader,
    snapshot: &Snapshot,
    table: &Table,
) -> Result<Option<(String, Given)>, Error> {
    let name = table.name.to_string();
    let Some(statement) = snapshot.copying.select(&name) else { return Ok(None) };
    let doing = format!("preparing the statement of snapshot.select.statement.overrides.{name}");
    let columns = reader.describe(&doing, statement).await?;
    if columns.is_empty() {
        return Err(Error::Override {
            table: name,
            reason: "the statement gives no columns: it must be a SELECT".into(),
        });
    }
    // The line break ends a comment that stands at the end of the statement.
    let names: Vec<String> = (0..columns.len()).map(given_name).collect();
    let from = format!("(\n{}\n) AS given ({})", without_end(statement), names.join(", "));
    Ok(Some((from, Given { columns, failure: snapshot.selects_failure })))
}

/// The name in the COPY for the statement's column at `place` (from 0). The statement's own names are not used, because it
/// may give a name twice, or none.
pub(crate) fn given_name(place: usize) -> String {
    format!("c{place}")
}

/// The statement up to its semicolon. What stands after it can only be blanks and comments, or the server would have
/// refused to prepare it.
fn without_end(statement: &str) -> &str {
    let bytes = statement.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        at = match (byte, bytes.get(at + 1)) {
            (b';', _) => return &statement[..at],
            (b'-', Some(b'-')) => after(statement, at, "\n"),
            (b'/', Some(b'*')) => after_comment(bytes, at),
            (b'"', _) => after(statement, at + 1, "\""),
            (b'\'', _) => after_text(bytes, at),
            (b'$', _) => after_dollars(statement, at),
            _ => at + 1,
        };
    }
    statement
}

/// The offset behind the next `end`, or the statement's length. A doubled quote counts as the end of one quotation and the
/// begin of the next.
fn after(statement: &str, from: usize, end: &str) -> usize {
    statement[from..].find(end).map_or(statement.len(), |found| from + found + end.len())
}

/// The offset behind a comment of the form `/* … */`. Such comments nest.
fn after_comment(bytes: &[u8], from: usize) -> usize {
    let (mut depth, mut at) = (0_usize, from);
    while at < bytes.len() {
        match &bytes[at..(at + 2).min(bytes.len())] {
            b"/*" => (depth, at) = (depth + 1, at + 2),
            b"*/" if depth == 1 => return at + 2,
            b"*/" => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

/// The offset behind a text in quotes. With an E before the text a backslash escapes the quote after it.
fn after_text(bytes: &[u8], from: usize) -> usize {
    let before = |back: usize| from.checked_sub(back).and_then(|at| bytes.get(at)).copied();
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80;
    let escapes = matches!(before(1), Some(b'e' | b'E')) && !before(2).is_some_and(in_name);
    let mut at = from + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\'' => return at + 1,
            b'\\' if escapes => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The offset behind `$$ … $$` or `$tag$ … $tag$`. A dollar that opens neither is part of a name or of a parameter.
fn after_dollars(statement: &str, from: usize) -> usize {
    let bytes = statement.as_bytes();
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
    if from > 0 && in_name(&bytes[from - 1]) {
        return from + 1;
    }
    let tag = bytes[from + 1..].iter().take_while(|byte| in_name(byte)).count();
    if bytes.get(from + 1).is_some_and(u8::is_ascii_digit) || bytes.get(from + 1 + tag) != Some(&b'$') {
        return from + 1;
    }
    let open = &statement[from..from + tag + 2];
    after(statement, from + open.len(), open)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(statement: &str, expect: &str) {
        assert_eq!(without_end(statement), expect, "{statement}");
    }

    #[test]
    fn a_statement_ends_at_its_semicolon() {
        let same = [
            "",
            "select 1",
            "select 1 -- the; end",
            "select ';', E'\\';', 'it''s;', \"a;b\", \"a\"\";\"",
            "select $$;$$, $t$ ; $$ ; $t$, a$1, b$c$ from t where x = $1",
            "select /* ; /* ; */ ; */ 1 /* open ;",
            "select ne'\\' as x",
            "select 'open ;",
            "select $tag$ open ;",
            "select 'ü;' as ü",
        ];
        for statement in same {
            check(statement, statement);
        }
        check("select 1;", "select 1");
        check("select 1 ; ; ", "select 1 ");
        check("select 1; -- all of it", "select 1");
        check("select ';' /* ; */ from t -- ;\n where x; /* y */", "select ';' /* ; */ from t -- ;\n where x");
        check("select ne'\\'; x", "select ne'\\'");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_cut_at_a_semicolon_or_not_at_all(text in "(?s)[;'\"$a/*\\\\\n-]{0,40}|(?s).{0,40}") {
            let cut = without_end(&text);
            proptest::prop_assert!(cut.len() == text.len() || text[cut.len()..].starts_with(';'));
        }
    }
}
