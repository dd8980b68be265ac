//! Binary values under `binary.handling.mode`.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use record::{Kind, Schema, SchemaBuilder, Value, ValueRef};

use super::{BinaryMode, owned, words};

/// The required schema of bytes under a mode.
pub fn schema(mode: BinaryMode) -> SchemaBuilder {
    Schema::of(if mode == BinaryMode::Bytes { Kind::Bytes } else { Kind::String })
}

/// Bytes in the form that the mode asks for.
pub fn encoded(bytes: Cow<'_, [u8]>, mode: BinaryMode) -> ValueRef<'_> {
    match (mode, bytes) {
        (BinaryMode::Bytes, Cow::Borrowed(bytes)) => ValueRef::Bytes(bytes),
        (BinaryMode::Bytes, Cow::Owned(bytes)) => owned(Value::Bytes(bytes)),
        (BinaryMode::Base64, bytes) => words(STANDARD.encode(bytes)),
        (BinaryMode::Base64UrlSafe, bytes) => words(URL_SAFE.encode(bytes)),
        (BinaryMode::Hex, bytes) => words(hexadecimal(&bytes)),
    }
}

/// Two lower-case hexadecimal digits for each byte.
fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_in_every_mode() {
        for (mode, expect) in [
            (BinaryMode::Bytes, Value::Bytes(vec![0xfb, 0xef, 0xbe, 0xff])),
            (BinaryMode::Base64, Value::text("++++/w==")),
            (BinaryMode::Base64UrlSafe, Value::text("----_w==")),
            (BinaryMode::Hex, Value::text("fbefbeff")),
        ] {
            assert_eq!(encoded(Cow::Borrowed(&[0xfb, 0xef, 0xbe, 0xff]), mode).to_value(), expect, "{mode}");
            assert_eq!(encoded(Cow::Owned(vec![0xfb, 0xef, 0xbe, 0xff]), mode).to_value(), expect, "{mode}");
        }
    }
}
