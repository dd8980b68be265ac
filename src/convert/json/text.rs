//! JSON strings and base64, as Jackson writes them.
//!
//! Most text needs no escape, so it is scanned eight bytes at a time and copied in runs.
//!
//! Must not know: schemas.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use record::unhex_checked;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;
const UPPER_HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Whether a byte ends a run that can be copied: control characters, the quote, the backslash, and the lead byte of a
/// character beyond U+FFFF.
const fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\' || byte >= 0xf0
}

static SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = is_special(i as u8);
        i += 1;
    }
    table
};

/// Whether none of the eight bytes in `word` is special. A subtraction borrows only out of a byte that is special
/// itself, so a wrong bit can appear only beside a right one, and the answer is exact.
fn is_plain(word: u64) -> bool {
    let below = |x: u64, n: u8| x.wrapping_sub(ONES * u64::from(n)) & !x;
    let quote = below(word ^ (ONES * u64::from(b'"')), 1);
    let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
    let beyond = word & (word << 1) & (word << 2) & (word << 3);
    (below(word, 0x20) | quote | backslash | beyond) & HIGH == 0
}

/// Index of the first special byte at or after `from`; the length of `bytes` without one.
fn next_special(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    let (chunks, _) = bytes[from..].as_chunks::<8>();
    for chunk in chunks {
        if !is_plain(u64::from_le_bytes(*chunk)) {
            break;
        }
        at += 8;
    }
    bytes[at..].iter().position(|byte| SPECIAL[usize::from(*byte)]).map_or(bytes.len(), |i| at + i)
}

/// Writes a quoted JSON string.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut start = 0;
    loop {
        let end = next_special(bytes, start);
        out.extend_from_slice(&bytes[start..end]);
        let Some(&byte) = bytes.get(end) else { break };
        start = end + escape(out, byte, &text[end..]);
    }
    out.push(b'"');
}

/// Writes the escape for the character at the start of `rest`, whose first byte is `byte`; returns how many bytes of
/// the text it replaces.
#[cold]
fn escape(out: &mut Vec<u8>, byte: u8, rest: &str) -> usize {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0xf0.. => {
            let mut units = [0; 2];
            let pair = rest.chars().next().unwrap_or('\u{fffd}');
            for unit in pair.encode_utf16(&mut units) {
                unicode(out, *unit);
            }
            return pair.len_utf8();
        }
        _ => {
            unicode(out, u16::from(byte));
            return 1;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
    1
}

fn unicode(out: &mut Vec<u8>, unit: u16) {
    let digit = |shift: u16| UPPER_HEX[usize::from(unit >> shift & 15)];
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

/// Writes a quoted JSON string as Jackson writes it into a text that does not become bytes at once: characters beyond U+FFFF
/// stay as they are.
pub(crate) fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' => {
                out.push_str(if character < '\u{10}' { "\\u000" } else { "\\u001" });
                out.push(char::from(UPPER_HEX[character as usize & 15]));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// The same JSON with characters beyond U+FFFF as they are, where [`write_string`] has escaped them.
pub(super) fn without_pairs(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let unit =
            |at: usize| rest[..at].ends_with("\\u").then(|| u32::from_str_radix(&rest[at..at + 4], 16).ok()).flatten();
        let high = unit(2.min(rest.len())).filter(|high| high & !0x3ff == 0xd800);
        // A first half is always followed by a second one.
        let low = high.and_then(|_| unit(8));
        let character =
            high.zip(low).and_then(|(high, low)| char::from_u32(0x1_0000 + ((high & 0x3ff) << 10 | low & 0x3ff)));
        let len = if let Some(character) = character {
            out.push(character);
            12
        } else {
            out.push_str(&rest[..2]);
            2
        };
        rest = &rest[len..];
    }
    out.push_str(rest);
    out
}

/// Writes bytes as unquoted base64, padded.
pub(crate) fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    // Cannot fail: the slice has exactly the length of the padded form.
    let _ = STANDARD.encode_slice(bytes, &mut out[start..]);
}

/// Writes bytes that are given as hexadecimal digits, which the decoder has checked, as unquoted base64.
pub(crate) fn write_hex_as_base64(out: &mut Vec<u8>, digits: &[u8]) {
    // 48 bytes make 64 characters without padding, so the pieces can be written one after the other.
    let mut piece = [0; 48];
    for part in digits.chunks(96) {
        let bytes = unhex_checked(part);
        let len = bytes.len();
        piece.iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte);
        write_base64(out, &piece[..len]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn string(text: &str) -> String {
        let mut out = Vec::new();
        write_string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escapes_are_jacksons() {
        for (text, expect) in [
            ("", r#""""#),
            ("a\"b\\c/", r#""a\"b\\c/""#),
            ("\u{8}\u{c}\n\r\t", r#""\b\f\n\r\t""#),
            ("\u{0}\u{1f}\u{7f}", "\"\\u0000\\u001F\u{7f}\""),
            ("éß漢\u{2028}", "\"éß漢\u{2028}\""),
            ("😀", r#""\uD83D\uDE00""#),
            ("12345678😀12345678\"", r#""12345678\uD83D\uDE0012345678\"""#),
        ] {
            assert_eq!(string(text), expect);
        }
    }

    #[test]
    fn texts_keep_characters_beyond_the_first_plane() {
        let mut out = String::new();
        write_text(&mut out, "a\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}é😀");
        assert_eq!(out, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001F\u{7f}é😀\"");
    }

    #[test]
    fn bytes() {
        for (bytes, expect) in
            [(&b""[..], ""), (b"a", "YQ=="), (b"ab", "YWI="), (b"abc", "YWJj"), (b"\xff\xfe", "//4=")]
        {
            let mut out = b"x".to_vec();
            write_base64(&mut out, bytes);
            assert_eq!(out, format!("x{expect}").as_bytes());
        }
    }

    proptest! {
        #[test]
        fn pairs_are_characters_again(text in "[\\\\u\"d8c0-9a-f😀\u{10ffff}é\n]*") {
            let plain = without_pairs(&string(&text));
            prop_assert_eq!(serde_json::from_str::<String>(&plain).unwrap(), text.clone());
            prop_assert_eq!(plain.matches('😀').count(), text.matches('😀').count());
        }

        #[test]
        fn strings_read_back(text in ".*") {
            prop_assert_eq!(serde_json::from_str::<String>(&string(&text)).unwrap(), text);
        }

        #[test]
        fn strings_of_any_characters_read_back(chars in proptest::collection::vec(any::<char>(), 0..60)) {
            let text: String = chars.into_iter().collect();
            prop_assert_eq!(serde_json::from_str::<String>(&string(&text)).unwrap(), text);
        }

        #[test]
        fn hex_is_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200), upper in any::<bool>()) {
            let digits: String = bytes.iter().map(|b| if upper { format!("{b:02X}") } else { format!("{b:02x}") }).collect();
            let (mut one, mut other) = (Vec::new(), Vec::new());
            write_hex_as_base64(&mut one, digits.as_bytes());
            write_base64(&mut other, &bytes);
            prop_assert_eq!(one, other);
        }
    }
}
