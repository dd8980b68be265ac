//! What a rule does to the values of one column.
//!
//! A rule is applied to the value that the record would show, wherever that value came from: a cell, SQL NULL, the
//! default or zero that replaces a missing cell, or the placeholder for a value that the log does not carry.
//!
//! Must not know: which columns are treated, and why.

use record::{Value, ValueRef};
use settings::Secret;

use super::digest::{Digest, Form};

/// What each value of a column is replaced by.
#[derive(Clone, Debug, PartialEq)]
pub enum Treatment {
    /// Every value, also NULL, becomes this text.
    Mask(Value),
    /// A text becomes its digest; NULL stays NULL.
    Hash(Hash),
    /// A text is cut to this many UTF-16 units, a byte string to this many bytes.
    Truncate(usize),
}

/// How texts are digested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash {
    /// The algorithm.
    pub digest: Digest,
    /// Which bytes stand for a text in the digest.
    pub form: Form,
    /// Put before the text, so that nobody can look up the digests of common values.
    pub salt: Secret,
    /// The column's length, to which the digits are cut, so that they fit a column of that length in a target database.
    /// `None`: all digits.
    pub length: Option<usize>,
}

impl Treatment {
    /// A mask of `length` asterisks.
    pub fn mask(length: usize) -> Self {
        Self::Mask(Value::Text("*".repeat(length)))
    }

    /// The value that the record shows instead of `value`.
    pub fn apply<'a>(&'a self, value: ValueRef<'a>) -> ValueRef<'a> {
        match self {
            Self::Mask(mask) => ValueRef::Shared(mask),
            Self::Hash(hash) => hash.apply(&value),
            Self::Truncate(length) => truncated(value, *length),
        }
    }
}

impl Hash {
    fn apply<'a>(&self, value: &ValueRef<'a>) -> ValueRef<'a> {
        let mut written = Vec::new();
        let text: &str = match value {
            ValueRef::Text(text) => text,
            ValueRef::Shared(Value::Text(text)) => text,
            // Other forms of text are first written as the record would show them. Anything else becomes null.
            _ if value.write_text(&mut written) => match std::str::from_utf8(&written) {
                Ok(text) => text,
                Err(_) => return ValueRef::Null,
            },
            _ => return ValueRef::Null,
        };
        let mut digits = self.digest.hex(self.salt.reveal().as_bytes(), text, self.form);
        digits.truncate(self.length.unwrap_or(digits.len()));
        ValueRef::Owned(Box::new(Value::Text(digits)))
    }
}

fn truncated(value: ValueRef<'_>, length: usize) -> ValueRef<'_> {
    match value {
        ValueRef::Text(text) => ValueRef::Text(cut(text, length)),
        ValueRef::Shared(Value::Text(text)) => ValueRef::Text(cut(text, length)),
        ValueRef::Bytes(bytes) => ValueRef::Bytes(&bytes[..length.min(bytes.len())]),
        ValueRef::Hex(digits) => ValueRef::Hex(&digits[..length.saturating_mul(2).min(digits.len())]),
        ValueRef::Owned(mut value) => {
            match value.as_mut() {
                Value::Text(text) => {
                    let end = cut(text, length).len();
                    text.truncate(end);
                }
                Value::Bytes(bytes) => bytes.truncate(length),
                _ => {}
            }
            ValueRef::Owned(value)
        }
        ValueRef::Zoned { .. } | ValueRef::Uuid(_) => match value.to_value() {
            Value::Text(mut text) => {
                let end = cut(&text, length).len();
                text.truncate(end);
                ValueRef::Owned(Box::new(Value::Text(text)))
            }
            _ => value,
        },
        // The placeholder for a value that the log does not carry is not cut when it is bytes, as in Debezium, so that
        // consumers recognise it.
        _ => value,
    }
}

/// The first `length` UTF-16 units of a text. Where the cut would split the two units of one character, Java keeps the
/// first of them, a lone surrogate that UTF-8 cannot encode; here the whole character is dropped.
fn cut(text: &str, length: usize) -> &str {
    // A text never has more UTF-16 units than UTF-8 bytes.
    if text.len() <= length {
        return text;
    }
    let mut units = 0;
    for (at, c) in text.char_indices() {
        units += c.len_utf16();
        if units > length {
            return &text[..at];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(treatment: &Treatment, value: ValueRef<'_>, expect: &Value) {
        let shown = format!("{value:?}");
        assert_eq!(treatment.apply(value).to_value(), *expect, "{shown}");
    }

    fn sha256(length: Option<usize>) -> Treatment {
        let hash = Hash { digest: Digest::Sha256, form: Form::Plain, salt: Secret::new("s4lt"), length };
        Treatment::Hash(hash)
    }

    #[test]
    fn a_mask_hides_all_there_is_and_whether_there_is_any() {
        let mask = Treatment::mask(3);
        for value in [ValueRef::Null, ValueRef::Text(""), ValueRef::Text("secret"), ValueRef::Int(7)] {
            check(&mask, value, &Value::text("***"));
        }
        check(&Treatment::mask(0), ValueRef::Null, &Value::text(""));
    }

    #[test]
    fn a_hash_keeps_null_and_the_columns_length() {
        let digest = "1ae2d4e1c01eee8eb699247c3d669124ef1de715164cb21f6749f124b1a9fb0d";
        check(&sha256(None), ValueRef::Text("ü@x.org"), &Value::text(digest));
        check(&sha256(Some(30)), ValueRef::Text("ü@x.org"), &Value::text(&digest[..30]));
        check(&sha256(Some(99)), ValueRef::Text("ü@x.org"), &Value::text(digest));
        let owned = Value::text("ü@x.org");
        check(&sha256(None), ValueRef::Shared(&owned), &Value::text(digest));
        check(&sha256(None), ValueRef::Owned(Box::new(owned.clone())), &Value::text(digest));
        check(&sha256(None), ValueRef::Null, &Value::Null);
    }

    #[test]
    fn truncation_counts_utf16_units_and_bytes() {
        let cases = [
            ("abcdef", 4, "abcd"),
            ("abc", 4, "abc"),
            ("漢字漢字漢", 4, "漢字漢字"),
            ("a😀b", 3, "a😀"),
            ("a😀b", 0, ""),
        ];
        for (text, length, expect) in cases {
            check(&Treatment::Truncate(length), ValueRef::Text(text), &Value::text(expect));
            check(&Treatment::Truncate(length), ValueRef::Owned(Box::new(Value::text(text))), &Value::text(expect));
        }
        // A character is not cut in half.
        check(&Treatment::Truncate(2), ValueRef::Text("a😀b"), &Value::text("a"));
        check(&Treatment::Truncate(2), ValueRef::Bytes(b"abc"), &Value::Bytes(b"ab".to_vec()));
        check(&Treatment::Truncate(2), ValueRef::Hex(b"616263"), &Value::Bytes(b"ab".to_vec()));
        check(&Treatment::Truncate(3), ValueRef::Zoned { micros: 0, digits: 6 }, &Value::text("197"));
        check(&Treatment::Truncate(3), ValueRef::Uuid(&[0xab; 16]), &Value::text("aba"));
        let placeholder = Value::Bytes(b"__debezium_unavailable_value".to_vec());
        check(&Treatment::Truncate(3), ValueRef::Shared(&placeholder), &placeholder);
        for value in [ValueRef::Null, ValueRef::Int(12345), ValueRef::Bool(true)] {
            let same = value.to_value();
            check(&Treatment::Truncate(1), value, &same);
        }
    }

    proptest! {
        /// The same as Java's `substring`, except that no half character is left at the end.
        #[test]
        fn a_cut_is_the_longest_beginning_that_fits(text in "[a😀ü漢]{0,12}", length in 0_usize..20) {
            let found = cut(&text, length);
            prop_assert!(text.starts_with(found));
            let units = |text: &str| text.encode_utf16().count();
            prop_assert!(units(found) <= length);
            let next = text[found.len()..].chars().next();
            prop_assert!(next.is_none_or(|c| units(found) + c.len_utf16() > length));
        }
    }
}
