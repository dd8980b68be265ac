//! The character sets of the servers, for texts that the binlog carries in their column's set.
//!
//! Purpose: a streamed text equals what the server itself converts to UTF-8, so what each byte means was asked of the
//! servers (`tables`, `exceptions`); where the standards that `encoding_rs` follows agree with them, it decodes.
//!
//! Must not know: columns, the binlog's types.

mod collations;
mod exceptions;
mod tables;

pub(crate) use collations::{charset_of_collation, most_bytes};

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, SHIFT_JIS};
use record::ValueRef;
use relational::values::words;

/// How the bytes of a text are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charset(Decoder);

#[derive(Clone, Copy, Debug)]
enum Decoder {
    Utf8,
    /// Bytes below 0x80 are ASCII, the others stand in the table.
    Single(&'static [u16; 128]),
    /// ASCII; other bytes are no characters.
    Ascii,
    /// Swedish: seven bits, with letters in the place of some ASCII characters.
    Swe7,
    /// ISO-8859-1: the `binary` set of a text column.
    Bytes,
    Utf16 {
        big: bool,
    },
    Utf32,
    Multi(&'static Multi),
}

/// A set of one to four bytes a character.
#[derive(Debug)]
struct Multi {
    encoding: &'static Encoding,
    /// Characters of two bytes (three with a leading 0x8f) that the servers read in another way, in order; `?` where they
    /// know no character.
    exceptions: &'static [(u16, u16)],
}

impl PartialEq for Decoder {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Single(one), Self::Single(two)) => std::ptr::eq(*one, *two),
            (Self::Multi(one), Self::Multi(two)) => std::ptr::eq(*one, *two),
            (Self::Utf16 { big: one }, Self::Utf16 { big: two }) => one == two,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Eq for Decoder {}

static BIG5_SET: Multi = Multi { encoding: BIG5, exceptions: exceptions::BIG5 };
static GBK_SET: Multi = Multi { encoding: GBK, exceptions: exceptions::GBK };
static GB2312_SET: Multi = Multi { encoding: GBK, exceptions: exceptions::GB2312 };
static GB18030_SET: Multi = Multi { encoding: GB18030, exceptions: exceptions::GB18030 };
static SJIS_SET: Multi = Multi { encoding: SHIFT_JIS, exceptions: exceptions::SJIS };
static CP932_SET: Multi = Multi { encoding: SHIFT_JIS, exceptions: exceptions::CP932 };
static UJIS_SET: Multi = Multi { encoding: EUC_JP, exceptions: exceptions::UJIS };
static EUCJPMS_SET: Multi = Multi { encoding: EUC_JP, exceptions: exceptions::EUCJPMS };
static EUCKR_SET: Multi = Multi { encoding: EUC_KR, exceptions: exceptions::EUCKR };

/// The sets, by the servers' names (`SHOW CHARACTER SET`).
static SETS: &[(&str, Decoder)] = &[
    ("armscii8", Decoder::Single(&tables::ARMSCII8)),
    ("ascii", Decoder::Ascii),
    ("big5", Decoder::Multi(&BIG5_SET)),
    ("binary", Decoder::Bytes),
    ("cp1250", Decoder::Single(&tables::CP1250)),
    ("cp1251", Decoder::Single(&tables::CP1251)),
    ("cp1256", Decoder::Single(&tables::CP1256)),
    ("cp1257", Decoder::Single(&tables::CP1257)),
    ("cp850", Decoder::Single(&tables::CP850)),
    ("cp852", Decoder::Single(&tables::CP852)),
    ("cp866", Decoder::Single(&tables::CP866)),
    ("cp932", Decoder::Multi(&CP932_SET)),
    ("dec8", Decoder::Single(&tables::DEC8)),
    ("eucjpms", Decoder::Multi(&EUCJPMS_SET)),
    ("euckr", Decoder::Multi(&EUCKR_SET)),
    ("gb18030", Decoder::Multi(&GB18030_SET)),
    ("gb2312", Decoder::Multi(&GB2312_SET)),
    ("gbk", Decoder::Multi(&GBK_SET)),
    ("geostd8", Decoder::Single(&tables::GEOSTD8)),
    ("greek", Decoder::Single(&tables::GREEK)),
    ("hebrew", Decoder::Single(&tables::HEBREW)),
    ("hp8", Decoder::Single(&tables::HP8)),
    ("keybcs2", Decoder::Single(&tables::KEYBCS2)),
    ("koi8r", Decoder::Single(&tables::KOI8R)),
    ("koi8u", Decoder::Single(&tables::KOI8U)),
    ("latin1", Decoder::Single(&tables::LATIN1)),
    ("latin2", Decoder::Single(&tables::LATIN2)),
    ("latin5", Decoder::Single(&tables::LATIN5)),
    ("latin7", Decoder::Single(&tables::LATIN7)),
    ("macce", Decoder::Single(&tables::MACCE)),
    ("macroman", Decoder::Single(&tables::MACROMAN)),
    ("sjis", Decoder::Multi(&SJIS_SET)),
    ("swe7", Decoder::Swe7),
    ("tis620", Decoder::Single(&tables::TIS620)),
    ("ucs2", Decoder::Utf16 { big: true }),
    ("ujis", Decoder::Multi(&UJIS_SET)),
    ("utf16", Decoder::Utf16 { big: true }),
    ("utf16le", Decoder::Utf16 { big: false }),
    ("utf32", Decoder::Utf32),
    ("utf8", Decoder::Utf8),
    ("utf8mb3", Decoder::Utf8),
    ("utf8mb4", Decoder::Utf8),
];

impl Charset {
    /// UTF-8: what a query's result is in, and what a column is taken to be in whose set is not known.
    pub const UTF8: Self = Self(Decoder::Utf8);

    /// The set of this name, in whatever case; none for a name that the servers do not have.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        SETS.binary_search_by_key(&name.as_str(), |(known, _)| known).ok().map(|at| Self(SETS[at].1))
    }

    /// A text. Bytes that are no text of the set are shown as the servers show them: `?`, in UTF-8 U+FFFD.
    pub fn text(self, raw: &[u8]) -> ValueRef<'_> {
        let is_ascii_alike = !matches!(self.0, Decoder::Utf16 { .. } | Decoder::Utf32 | Decoder::Swe7);
        if is_ascii_alike
            && (matches!(self.0, Decoder::Utf8) || raw.is_ascii())
            && let Ok(text) = std::str::from_utf8(raw)
        {
            return ValueRef::Text(text);
        }
        words(self.decoded(raw))
    }

    fn decoded(self, raw: &[u8]) -> String {
        let unit = |unit: u16| char::from_u32(u32::from(unit)).unwrap_or('?');
        match self.0 {
            Decoder::Utf8 => String::from_utf8_lossy(raw).into_owned(),
            Decoder::Single(table) => raw
                .iter()
                .map(|byte| if *byte < 0x80 { char::from(*byte) } else { unit(table[usize::from(byte - 0x80)]) })
                .collect(),
            Decoder::Ascii => raw.iter().map(|byte| if *byte < 0x80 { char::from(*byte) } else { '?' }).collect(),
            Decoder::Swe7 => raw.iter().map(|byte| swe7(*byte)).collect(),
            Decoder::Bytes => raw.iter().map(|byte| char::from(*byte)).collect(),
            Decoder::Utf16 { big } => {
                let units = raw.chunks(2).map(|pair| match *pair {
                    [a, b] if big => u16::from_be_bytes([a, b]),
                    [a, b] => u16::from_le_bytes([a, b]),
                    _ => u16::from(b'?'),
                });
                char::decode_utf16(units).map(|unit| unit.unwrap_or('?')).collect()
            }
            Decoder::Utf32 => raw
                .chunks(4)
                .map(|word| {
                    <[u8; 4]>::try_from(word)
                        .ok()
                        .and_then(|word| char::from_u32(u32::from_be_bytes(word)))
                        .unwrap_or('?')
                })
                .collect(),
            Decoder::Multi(set) => set.decoded(raw),
        }
    }
}

/// The Swedish set of seven bits (ISO 646-SE2).
fn swe7(byte: u8) -> char {
    match byte {
        b'@' => 'É',
        b'[' => 'Ä',
        b'\\' => 'Ö',
        b']' => 'Å',
        b'^' => 'Ü',
        b'`' => 'é',
        b'{' => 'ä',
        b'|' => 'ö',
        b'}' => 'å',
        b'~' => 'ü',
        0x7f.. => '?',
        byte => char::from(byte),
    }
}

impl Multi {
    fn decoded(&self, raw: &[u8]) -> String {
        let mut out = String::with_capacity(raw.len());
        let (mut at, mut begun) = (0, 0);
        while at < raw.len() {
            let (length, code) = self.next(&raw[at..]);
            if let Some(unit) = code.and_then(|code| self.exception(code)) {
                self.run(&raw[begun..at], &mut out);
                out.push(char::from_u32(u32::from(unit)).unwrap_or('?'));
                begun = at + length;
            }
            at += length;
        }
        self.run(&raw[begun..], &mut out);
        out
    }

    /// What the servers make of a code where it is not what the standard makes of it.
    fn exception(&self, code: u16) -> Option<u16> {
        let [row, cell] = code.to_be_bytes();
        // The last ten rows of the Japanese sets belong to the user: Unicode's private use area.
        if self.encoding == EUC_JP && row >= 0xf5 {
            let place = u16::from(row - 0xf5) * 94 + u16::from((cell | 0x80) - 0xa1);
            return Some(if cell >= 0x80 { 0xe000 } else { 0xe3ac } + place);
        }
        let found = self.exceptions.binary_search_by_key(&code, |(code, _)| *code).ok()?;
        Some(self.exceptions[found].1)
    }

    /// The length of the next character, and its code for the exceptions: of three bytes the last two without their high
    /// bit in the second, which no code of two bytes looks like.
    fn next(&self, raw: &[u8]) -> (usize, Option<u16>) {
        match *raw {
            [0x8e, _, ..] if self.encoding == EUC_JP => (2, None),
            [0x8f, a @ 0xa1..=0xfe, b @ 0xa1..=0xfe, ..] if self.encoding == EUC_JP => {
                (3, Some(u16::from_be_bytes([a, b & 0x7f])))
            }
            [0xa1..=0xdf, ..] if self.encoding == SHIFT_JIS => (1, None),
            [_, b'0'..=b'9', _, _, ..] if self.encoding == GB18030 && raw[0] >= 0x81 => (4, None),
            [0x80..=0xff, b, ..] if self.encoding != EUC_JP || (0xa1..=0xfe).contains(&b) => {
                (2, Some(u16::from_be_bytes([raw[0], b])))
            }
            _ => (1, None),
        }
    }

    fn run(&self, raw: &[u8], out: &mut String) {
        let (text, has_errors) = self.encoding.decode_without_bom_handling(raw);
        if has_errors { out.push_str(&text.replace('\u{fffd}', "?")) } else { out.push_str(&text) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use record::Value;

    use super::*;

    #[track_caller]
    fn check(set: &str, raw: &[u8], expect: &str) {
        assert_eq!(Charset::named(set).unwrap().text(raw).to_value(), Value::text(expect), "{set} {raw:02x?}");
    }

    #[test]
    fn texts_of_each_kind_of_set() {
        check("utf8mb4", "héllo 😀".as_bytes(), "héllo 😀");
        check("latin1", b"\xdcn\xefc\xf6d\xe9 \x80", "Ünïcödé €");
        check("latin1", b"\x81\x8d\x8f\x90\x9d", "\u{81}\u{8d}\u{8f}\u{90}\u{9d}");
        check("LATIN1", b"plain", "plain");
        check("greek", b"\xe1\xe2\xe3", "αβγ");
        check("koi8r", b"\xf0\xd2\xc9", "При");
        check("cp850", b"\x84\x94", "äö");
        check("macroman", b"\x8a", "ä");
        check("tis620", b"\xa1", "ก");
        check("ascii", b"a\xff", "a?");
        check("swe7", b"[@]~", "ÄÉÅü");
        check("binary", b"a\xe9\x80", "aé\u{80}");
        check("gbk", b"\xd6\xd0\xce\xc4", "中文");
        check("gb2312", b"\xd6\xd0", "中");
        check("gb18030", b"\xd6\xd0\x94\x39\xda\x33", "中💩");
        check("sjis", b"\xb6\xc5\x83J", "ｶﾅカ");
        check("sjis", b"\x81\x5f", "\\");
        check("cp932", b"\x87\x40\x81\x5f", "①＼");
        check("ujis", b"\xa4\xa2\x8e\xb6\x8f\xb0\xa1", "あｶ丂");
        check("eucjpms", b"\xad\xa1", "①");
        check("euckr", b"\xb0\xa1", "가");
        check("big5", b"\xa4\xa4\xf9\xd6", "中碁");
        check("ucs2", b"\x65\xe5\x67\x2c", "日本");
        check("utf16", b"\0u\xd8\x3d\xde\0", "u😀");
        check("utf16le", b"u\0\x3d\xd8\0\xde", "u😀");
        check("utf32", b"\0\x01\xf6\0", "😀");
    }

    #[test]
    fn names_that_no_server_has() {
        assert_eq!(Charset::named("klingon"), None);
        assert!(SETS.is_sorted_by_key(|(name, _)| name));
    }

    #[test]
    fn bytes_that_are_no_text() {
        check("utf8mb4", b"a\xff", "a\u{fffd}");
        check("utf16", b"\xd8\x3d", "?");
        check("utf16", b"\0a\0", "a?");
        check("utf32", b"\xff\xff\xff\xff", "?");
        check("gbk", b"\xd6", "?");
    }

    proptest! {
        #[test]
        fn hostile_bytes_do_not_panic(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            for (name, _) in SETS {
                let _ = Charset::named(name).unwrap().text(&raw);
            }
        }

        #[test]
        fn ascii_is_borrowed(text in "[ -~]{0,20}") {
            for name in ["latin1", "utf8mb4", "gbk", "sjis", "ascii", "binary"] {
                prop_assert_eq!(Charset::named(name).unwrap().text(text.as_bytes()), ValueRef::Text(&text));
            }
        }
    }
}
