//! The text form of arrays: `{1,NULL,"a,b"}`, with an optional dimension prefix (manual chapter 8.15).

use std::borrow::Cow;

/// One element of an array's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Element<'a> {
    /// `NULL`, unquoted.
    Null,
    /// A scalar's text.
    Text(Cow<'a, [u8]>),
    /// A whole inner array.
    Nested,
}

/// The elements of an array's text, separated by the type's delimiter; `None` when the text is not an array.
pub(super) fn elements(text: &[u8], delimiter: u8) -> Option<Vec<Element<'_>>> {
    // `[0:1]={…}`: bounds other than the default are passed over, as Connect's arrays have none.
    let text = match text.first()? {
        b'[' => {
            let equals = text.iter().position(|b| *b == b'=')?;
            &text[equals + 1..]
        }
        _ => text,
    };
    let mut rest = text.strip_prefix(b"{")?;
    let mut out = Vec::new();
    if rest == b"}" {
        return Some(out);
    }
    loop {
        match rest.first()? {
            b'"' => {
                let (element, after) = quoted(&rest[1..])?;
                out.push(Element::Text(element));
                rest = after;
            }
            b'{' => {
                out.push(Element::Nested);
                rest = skip_nested(rest)?;
            }
            _ => {
                let end = rest.iter().position(|b| *b == delimiter || *b == b'}')?;
                let item = &rest[..end];
                out.push(if item == b"NULL" { Element::Null } else { Element::Text(unescaped(item)) });
                rest = &rest[end..];
            }
        }
        match rest.split_first()? {
            (b'}', b"") => return Some(out),
            (b, after) if *b == delimiter => rest = after,
            _ => return None,
        }
    }
}

fn unescaped(item: &[u8]) -> Cow<'_, [u8]> {
    if item.contains(&b'\\') {
        let mut out = Vec::with_capacity(item.len());
        let mut bytes = item.iter();
        while let Some(b) = bytes.next() {
            out.push(if *b == b'\\' { bytes.next().copied().unwrap_or(b'\\') } else { *b });
        }
        return Cow::Owned(out);
    }
    Cow::Borrowed(item)
}

fn quoted(text: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let mut i = 0;
    loop {
        match text.get(i)? {
            b'"' => return Some((unescaped(&text[..i]), &text[i + 1..])),
            b'\\' => i += 2,
            _ => i += 1,
        }
    }
}

/// Skips `{…}`; braces inside quotes do not count.
fn skip_nested(text: &[u8]) -> Option<&[u8]> {
    let (mut depth, mut in_quotes, mut i) = (0, false, 0);
    loop {
        match text.get(i)? {
            b'\\' => i += 1,
            b'"' => in_quotes = !in_quotes,
            b'{' if !in_quotes => depth += 1,
            b'}' if !in_quotes => {
                depth -= 1;
                if depth == 0 {
                    return text.get(i + 1..);
                }
            }
            _ => {}
        }
        i += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expect: &[Option<&str>]) {
        let found = elements(text.as_bytes(), if text.contains(';') { b';' } else { b',' }).unwrap();
        let shown: Vec<Option<String>> = found
            .iter()
            .map(|e| match e {
                Element::Null => None,
                Element::Text(t) => Some(String::from_utf8_lossy(t).into_owned()),
                Element::Nested => Some("<nested>".into()),
            })
            .collect();
        assert_eq!(shown, expect.iter().map(|e| e.map(str::to_owned)).collect::<Vec<_>>(), "{text}");
    }

    #[test]
    fn arrays() {
        check("{}", &[]);
        check("{1,NULL,-2}", &[Some("1"), None, Some("-2")]);
        check(r#"{a,"b,c","q\"q",NULL,"null"}"#, &[Some("a"), Some("b,c"), Some("q\"q"), None, Some("null")]);
        check("{{1,2},{3,4}}", &[Some("<nested>"), Some("<nested>")]);
        check("[0:1]={7,8}", &[Some("7"), Some("8")]);
        check("{(1,1),(0,0);(2,2),(1,1)}", &[Some("(1,1),(0,0)"), Some("(2,2),(1,1)")]);
        check(r#"{"NULL",""}"#, &[Some("NULL"), Some("")]);
        for bad in ["", "{", "{1", "1,2", "{\"a}"] {
            assert_eq!(elements(bad.as_bytes(), b','), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn hostile_text_does_not_panic(raw in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = elements(&raw, b',');
        }
    }
}
