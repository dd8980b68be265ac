//! Field references of `add.fields` and `add.headers`: `[struct.]field[:new name]`.
//!
//! Must not know: records.

use crate::options::java_split;

/// One item of `add.fields` or `add.headers`: an envelope field to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// The struct of the envelope that holds the field; `None` for the envelope itself.
    pub(super) part: Option<String>,
    /// The field's name in that struct.
    pub(super) field: String,
    /// The field's name in the result, with the prefix.
    pub(super) name: String,
}

impl Reference {
    /// Parses one item; returns an error message when it has more than one colon, or no name.
    pub(super) fn parse(item: &str, prefix: &str) -> Result<Self, String> {
        // Empty parts at the end do not count, as with Java's `split`.
        let unexpected = || format!("Unexpected field name: {item}");
        let parts = java_split(item, ':');
        let (source, rename) = match *parts {
            [source] => (source, None),
            [source, rename] => (source, Some(rename)),
            _ => return Err(unexpected()),
        };
        let (part, field, written) = match *java_split(source, '.') {
            [] => return Err(unexpected()),
            [field] => (inferred(field), field, field.to_owned()),
            [part, field, ..] => (Some(part), field, format!("{part}_{field}")),
        };
        let name = format!("{prefix}{}", rename.unwrap_or(&written));
        Ok(Self { part: part.map(str::to_owned), field: field.to_owned(), name })
    }

    /// Parses a comma-separated list; blanks around items do not matter.
    pub(super) fn parse_list(list: &str, prefix: &str) -> Result<Vec<Self>, String> {
        if list.trim().is_empty() {
            return Ok(Vec::new());
        }
        list.split(',').map(|item| Self::parse(item.trim(), prefix)).collect()
    }
}

fn inferred(field: &str) -> Option<&'static str> {
    match field {
        "op" | "ts_ms" | "ts_us" | "ts_ns" => None,
        "id" | "total_order" | "data_collection_order" => Some("transaction"),
        "updateDescription" => Some("updateDescription"),
        _ => Some("source"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items() {
        for (item, part, field, name) in [
            ("op", None, "op", "__op"),
            ("op:oper", None, "op", "__oper"),
            ("table", Some("source"), "table", "__table"),
            ("source.table", Some("source"), "table", "__source_table"),
            ("source.ts_ms:at", Some("source"), "ts_ms", "__at"),
            ("id", Some("transaction"), "id", "__id"),
            ("a.b.c", Some("a"), "b", "__a_b"),
            ("table:", Some("source"), "table", "__table"),
            ("table:t:", Some("source"), "table", "__t"),
            ("table.", Some("source"), "table", "__table"),
            ("", Some("source"), "", "__"),
        ] {
            let expect = Reference { part: part.map(str::to_owned), field: field.into(), name: name.into() };
            assert_eq!(Reference::parse(item, "__"), Ok(expect), "{item}");
        }
        for item in ["a:b:c", ":", "."] {
            assert_eq!(Reference::parse(item, "__"), Err(format!("Unexpected field name: {item}")));
        }
        assert_eq!(Reference::parse_list(" ", "__"), Ok(Vec::new()));
        assert_eq!(Reference::parse_list("op , lsn", "").map(|list| list.len()), Ok(2));
    }
}
