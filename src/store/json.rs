//! JSON as Jackson writes it, which is what Java's `JsonConverter` stores: no blanks, order kept, UTF-8 left as it is.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// Differs from serde_json's compact form in one point: control characters without a short escape are `\u001F`, not
/// `\u001f`.
struct Jackson;

impl Formatter for Jackson {
    fn write_char_escape<W: ?Sized + io::Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        let short: &[u8] = match escape {
            CharEscape::Quote => b"\\\"",
            CharEscape::ReverseSolidus => b"\\\\",
            CharEscape::Solidus => b"\\/",
            CharEscape::Backspace => b"\\b",
            CharEscape::FormFeed => b"\\f",
            CharEscape::LineFeed => b"\\n",
            CharEscape::CarriageReturn => b"\\r",
            CharEscape::Tab => b"\\t",
            CharEscape::AsciiControl(byte) => return write!(writer, "\\u{byte:04X}"),
        };
        writer.write_all(short)
    }
}

/// Writes `value` as JSON.
pub(super) fn bytes<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    // Maps with text keys and no I/O: serialising them cannot fail.
    let written = value.serialize(&mut Serializer::with_formatter(&mut out, Jackson));
    debug_assert!(written.is_ok(), "JSON into memory");
    out
}

/// Reads a JSON object; `None` if `bytes` are something else.
pub(super) fn object(bytes: &[u8]) -> Option<super::Object> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)] // tests
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str) {
        let value: Value = serde_json::from_str(given).expect("test JSON");
        assert_eq!(String::from_utf8(bytes(&value)).expect("UTF-8"), given);
    }

    #[test]
    fn as_jackson() {
        for given in [
            r#"{"z":1,"a":[true,null,"é😀/"]}"#,
            r#"{"n":9223372036854775807,"m":-9223372036854775808,"d":1.5}"#,
            "\"\\u001F\\u0000\\b\\t\\n\\f\\r\\\"\\\\\u{7f}\"",
        ] {
            check(given);
        }
    }
}
