//! The paths of partial updates: `$.a[2]."b c"`.

use std::borrow::Cow;

use super::JsonError;

/// A step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Leg<'a> {
    /// A member of an object.
    Key(Cow<'a, [u8]>),
    /// An element of an array.
    Index(usize),
}

const WRONG: JsonError = JsonError("a path of a difference is malformed");

/// Reads a path as the server writes it: names that are not plain words are in quotes.
pub(super) fn parse(path: &[u8]) -> Result<Vec<Leg<'_>>, JsonError> {
    let mut rest = path.strip_prefix(b"$").ok_or(WRONG)?;
    let mut legs = Vec::new();
    loop {
        rest = match rest {
            [] => return Ok(legs),
            [b'.', b'"', quoted @ ..] => {
                let end = closing_quote(quoted).ok_or(WRONG)?;
                legs.push(Leg::Key(unquote(&quoted[..end])?));
                &quoted[end + 1..]
            }
            [b'.', name @ ..] => {
                let end = name.iter().position(|byte| matches!(byte, b'.' | b'[')).unwrap_or(name.len());
                if end == 0 || name[..end].contains(&b'*') {
                    return Err(WRONG);
                }
                legs.push(Leg::Key(Cow::Borrowed(&name[..end])));
                &name[end..]
            }
            [b'[', index @ ..] => {
                let end = index.iter().position(|byte| *byte == b']').ok_or(WRONG)?;
                let digits = std::str::from_utf8(&index[..end]).map_err(|_| WRONG)?;
                legs.push(Leg::Index(digits.parse::<u32>().map_err(|_| WRONG)? as usize));
                &index[end + 1..]
            }
            _ => return Err(WRONG),
        };
    }
}

fn closing_quote(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    text.iter().position(|byte| {
        let closes = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        closes
    })
}

/// The text of a JSON string.
fn unquote(text: &[u8]) -> Result<Cow<'_, [u8]>, JsonError> {
    if !text.contains(&b'\\') {
        return Ok(Cow::Borrowed(text));
    }
    let quoted = [b"\"", text, b"\""].concat();
    let text: String = serde_json::from_slice(&quoted).map_err(|_| WRONG)?;
    Ok(Cow::Owned(text.into_bytes()))
}
