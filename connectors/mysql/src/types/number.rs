//! Integers, floats and bit strings in their three forms.

use relational::values::number;

use super::form::Form;

/// An integer. An unsigned one above INT64 wraps to a negative number of the same 64 bits.
pub(super) fn integer(form: Form, raw: &[u8], unsigned: bool) -> Option<i64> {
    if form == Form::Text {
        return match number::int(raw) {
            Some(n) => Some(n),
            None if unsigned => std::str::from_utf8(raw).ok()?.parse::<u64>().ok().map(|n| n as i64),
            None => None,
        };
    }
    Some(match <[u8; 8]>::try_from(raw) {
        Ok(bytes) => i64::from_le_bytes(bytes),
        Err(_) => short(raw, unsigned)?,
    })
}

/// A little-endian integer of one to four bytes.
fn short(raw: &[u8], unsigned: bool) -> Option<i64> {
    let (word, bits) = match *raw {
        [a] => (u32::from(a), 8),
        [a, b] => (u32::from_le_bytes([a, b, 0, 0]), 16),
        [a, b, c] => (u32::from_le_bytes([a, b, c, 0]), 24),
        [a, b, c, d] => (u32::from_le_bytes([a, b, c, d]), 32),
        _ => return None,
    };
    let spare = 32 - bits;
    Some(if unsigned { i64::from(word) } else { i64::from((word << spare) as i32 >> spare) })
}

/// An index or a bitmap: one to eight little-endian bytes, without sign.
pub(super) fn unsigned(raw: &[u8]) -> Option<u64> {
    if raw.is_empty() || raw.len() > 8 {
        return None;
    }
    Some(raw.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

/// A number of four bytes.
pub(super) fn single(form: Form, raw: &[u8]) -> Option<f32> {
    if form == Form::Text {
        return number::float(raw);
    }
    Some(f32::from_le_bytes(raw.try_into().ok()?))
}

/// A number of eight bytes; of four, which are widened, where the column has them. `is_single` says so for the text form,
/// whose digits are those of a number of four bytes.
pub(super) fn double(form: Form, raw: &[u8], is_single: bool) -> Option<f64> {
    if raw.len() == 4 && form != Form::Text || is_single && form == Form::Text {
        return single(form, raw).map(f64::from);
    }
    if form == Form::Text {
        return number::float(raw);
    }
    Some(f64::from_le_bytes(raw.try_into().ok()?))
}

/// A bit string of so many bytes, little-endian. All forms have the big-endian bytes.
pub(super) fn bits(raw: &[u8], bytes: usize) -> Option<Vec<u8>> {
    if raw.len() > bytes {
        return None;
    }
    let mut out: Vec<u8> = raw.iter().rev().copied().collect();
    out.resize(bytes, 0);
    Some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::binlog::{WireColumn, wire_type as kind};

    const LOG: Form = Form::Log(WireColumn { kind: kind::LONG, metadata: 0 });

    #[track_caller]
    fn check(raw: &[u8], unsigned: bool, expect: Option<i64>) {
        assert_eq!(integer(LOG, raw, unsigned), expect, "{raw:?}");
        assert_eq!(integer(Form::Binary, raw, unsigned), expect, "{raw:?}");
    }

    #[test]
    fn integers_of_every_width() {
        check(&[0x80], false, Some(-128));
        check(&[0x80], true, Some(128));
        check(&[0xff], true, Some(255));
        check(&[0x00, 0x80], false, Some(-32_768));
        check(&[0xff, 0xff], true, Some(65_535));
        check(&[0x00, 0x00, 0x80], false, Some(-8_388_608));
        check(&[0xff, 0xff, 0xff], true, Some(16_777_215));
        check(&[0, 0, 0, 0x80], false, Some(-2_147_483_648));
        check(&[0xff; 4], true, Some(4_294_967_295));
        check(&[0, 0, 0, 0, 0, 0, 0, 0x80], false, Some(i64::MIN));
        check(&[0xff; 8], true, Some(-1));
        check(&[], false, None);
        check(&[0; 5], false, None);
    }

    #[test]
    fn integers_as_text() {
        for (text, unsigned, expect) in [
            ("-9223372036854775808", false, Some(i64::MIN)),
            ("18446744073709551615", true, Some(-1)),
            ("18446744073709551615", false, None),
            ("00042", true, Some(42)),
            ("", false, None),
            ("1.5", false, None),
        ] {
            assert_eq!(integer(Form::Text, text.as_bytes(), unsigned), expect, "{text}");
        }
    }

    #[test]
    fn floats() {
        assert_eq!(single(LOG, &16_777_216_f32.to_le_bytes()), Some(16_777_216.0));
        assert_eq!(single(Form::Text, b"1.67772e7"), Some(16_777_200.0));
        assert_eq!(double(LOG, &0.1_f32.to_le_bytes(), true), Some(0.100_000_001_490_116_12));
        assert_eq!(double(Form::Text, b"2.142", true), Some(2.141_999_959_945_678_7));
        assert_eq!(double(Form::Text, b"2.142", false), Some(2.142));
        assert_eq!(double(Form::Binary, &1e300_f64.to_le_bytes(), false), Some(1e300));
        assert_eq!(double(LOG, &[1, 2, 3], false), None);
    }

    #[test]
    fn bit_strings_are_little_endian() {
        assert_eq!(bits(&[0x01, 0x01], 2), Some(vec![1, 1]));
        assert_eq!(bits(&[0x01, 0, 0, 0, 0x80], 5), Some(vec![0x80, 0, 0, 0, 1]));
        assert_eq!(bits(&[0x02], 2), Some(vec![2, 0]));
        assert_eq!(bits(&[1, 2, 3], 2), None);
    }

    proptest! {
        #[test]
        fn texts_and_bytes_agree(n in any::<i32>(), u in any::<u64>()) {
            let text = n.to_string();
            prop_assert_eq!(integer(LOG, &n.to_le_bytes(), false), integer(Form::Text, text.as_bytes(), false));
            let text = u.to_string();
            prop_assert_eq!(integer(LOG, &u.to_le_bytes(), true), integer(Form::Text, text.as_bytes(), true));
        }

        #[test]
        fn hostile_bytes_do_not_panic(raw in proptest::collection::vec(any::<u8>(), 0..12)) {
            for form in [LOG, Form::Binary, Form::Text] {
                let _ = (integer(form, &raw, true), single(form, &raw), double(form, &raw, true));
            }
            let _ = (unsigned(&raw), bits(&raw, 8));
        }
    }
}
