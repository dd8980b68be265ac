//! DECIMAL: the packed form of the binlog (the server's `decimal2bin`), and text in both protocols.
//!
//! Nine decimal digits take four bytes, big-endian; the digits that are left over before and behind the point take one to
//! four bytes. The first bit is set for numbers that are not negative; all other bits of a negative number are inverted.

use record::{Value, ValueRef};
use relational::values::decimal::{Digits, short};
use relational::values::{DecimalMode, words};

use super::form::Form;

/// How many bytes so many left-over digits take.
const BYTES: [usize; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
/// The most digits of a DECIMAL.
const MOST_DIGITS: usize = 65;
/// The digits that an `i128` has room for.
const DIGITS_OF_I128: usize = 38;

/// A DECIMAL's value under a mode. A number of another scale than the column's is brought to it, half up.
pub(super) fn value<'a>(form: Form, raw: &[u8], scale: i32, mode: DecimalMode) -> Option<ValueRef<'a>> {
    match form {
        Form::Log(log) => {
            let (precision, of_log) = (usize::from(log.metadata >> 8), usize::from(log.metadata as u8));
            if precision <= DIGITS_OF_I128 {
                let unscaled = packed(raw, precision, of_log)?;
                if of_log as i32 == scale && mode == DecimalMode::Precise {
                    return Some(ValueRef::Decimal { unscaled, scale });
                }
                return shown(digits_of(unscaled, of_log as i32), scale, mode);
            }
            shown(packed_digits(raw, precision, of_log)?, scale, mode)
        }
        Form::Text | Form::Binary => match short(raw, scale) {
            Some(unscaled) if mode == DecimalMode::Precise => Some(ValueRef::Decimal { unscaled, scale }),
            _ => shown(Digits::parse(raw)?, scale, mode),
        },
    }
}

/// A number under a mode, at the column's scale.
pub(super) fn shown<'a>(digits: Digits, scale: i32, mode: DecimalMode) -> Option<ValueRef<'a>> {
    let digits = if digits.scale == scale { digits } else { digits.at_scale(scale) };
    Some(match mode {
        DecimalMode::Precise => digits.to_decimal(),
        DecimalMode::Double => ValueRef::Double(digits.to_plain().parse().ok()?),
        DecimalMode::String => words(digits.to_plain()),
    })
}

/// The Connect Decimal of an unsigned number of 64 bits.
pub(super) fn unsigned<'a>(n: u64) -> ValueRef<'a> {
    ValueRef::Decimal { unscaled: i128::from(n), scale: 0 }
}

/// The zero of a DECIMAL's column.
pub(super) fn zero(scale: i32, mode: DecimalMode) -> Value {
    let zero = Digits { negative: false, digits: Vec::new(), scale };
    match mode {
        DecimalMode::Precise => Value::Decimal { unscaled: vec![0], scale },
        DecimalMode::Double => Value::Double(0.0),
        DecimalMode::String => Value::Text(zero.to_plain()),
    }
}

fn digits_of(unscaled: i128, scale: i32) -> Digits {
    let text = if unscaled == 0 { String::new() } else { unscaled.unsigned_abs().to_string() };
    Digits { negative: unscaled < 0, digits: text.into_bytes(), scale }
}

/// Calls `group` with each group of digits: its value, and how many digits it has. Gives whether the number is negative.
fn groups(raw: &[u8], precision: usize, scale: usize, mut group: impl FnMut(u32, usize)) -> Option<bool> {
    if precision > MOST_DIGITS || scale > precision {
        return None;
    }
    let whole = precision - scale;
    let counts = [whole % 9, whole / 9, scale / 9, scale % 9];
    if raw.len() != BYTES[counts[0]] + 4 * (counts[1] + counts[2]) + BYTES[counts[3]] {
        return None;
    }
    let negative = raw.first()? & 0x80 == 0;
    let flip = if negative { 0xff } else { 0 };
    let (mut at, mut mask) = (0, 0x80);
    let mut next = |digits: usize| {
        let bytes = &raw[at..at + BYTES[digits]];
        at += bytes.len();
        let mut n = 0_u32;
        for byte in bytes {
            n = n << 8 | u32::from(byte ^ flip ^ mask);
            mask = 0;
        }
        // More digits than the group has room for: not a DECIMAL.
        if n >= 10_u32.pow(digits as u32) {
            return false;
        }
        group(n, digits);
        true
    };
    for (digits, times) in [(counts[0], 1), (9, counts[1]), (9, counts[2]), (counts[3], 1)] {
        for _ in 0..times {
            if digits > 0 && !next(digits) {
                return None;
            }
        }
    }
    Some(negative)
}

/// The unscaled value of a number of at most 38 digits.
fn packed(raw: &[u8], precision: usize, scale: usize) -> Option<i128> {
    if precision <= 18 {
        let mut n = 0_u64;
        let negative = groups(raw, precision, scale, |group, digits| {
            n = n * 10_u64.pow(digits as u32) + u64::from(group);
        })?;
        return Some(if negative { -i128::from(n) } else { i128::from(n) });
    }
    let mut n = 0_i128;
    let negative = groups(raw, precision, scale, |group, digits| {
        n = n * 10_i128.pow(digits as u32) + i128::from(group);
    })?;
    Some(if negative { -n } else { n })
}

fn packed_digits(raw: &[u8], precision: usize, scale: usize) -> Option<Digits> {
    let mut digits = Vec::with_capacity(precision);
    let negative = groups(raw, precision, scale, |group, count| {
        for place in (0..count as u32).rev() {
            let digit = b'0' + (group / 10_u32.pow(place) % 10) as u8;
            if !(digits.is_empty() && digit == b'0') {
                digits.push(digit);
            }
        }
    })?;
    Some(Digits { negative, digits, scale: scale as i32 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::binlog::{WireColumn, wire_type as kind};

    fn log(precision: u8, scale: u8) -> Form {
        Form::Log(WireColumn { kind: kind::NEWDECIMAL, metadata: u16::from_be_bytes([precision, scale]) })
    }

    #[track_caller]
    fn check(precision: u8, scale: u8, raw: &[u8], expect: Option<&str>) {
        let found = value(log(precision, scale), raw, i32::from(scale), DecimalMode::String);
        let expect = expect.map(Value::text);
        assert_eq!(found.map(|value| value.to_value()), expect, "{raw:02x?}");
    }

    /// The example of the server's source (`decimal2bin`), and edges.
    #[test]
    fn packed_numbers() {
        let example = [0x81, 0x0d, 0xfb, 0x38, 0xd2, 0x04, 0xd2];
        check(14, 4, &example, Some("1234567890.1234"));
        check(14, 4, &example.map(|byte| !byte), Some("-1234567890.1234"));
        check(10, 2, &[0x80, 0, 0, 0, 0], Some("0.00"));
        check(5, 0, &[0x80, 0x00, 0x07], Some("7"));
        check(4, 4, &[0xa7, 0x0f], Some("0.9999"));
        check(10, 0, &[0x7e, 0xc4, 0x65, 0x36, 0x00], Some("-1999999999"));
        check(10, 2, &[0x80, 0, 0, 0], None);
        check(1, 0, &[0xff], None);
        check(66, 0, &[0x80; 30], None);
        check(5, 6, &[0x80; 4], None);
    }

    #[test]
    fn the_columns_scale_wins() {
        let found = |scale, mode| value(log(5, 2), &[0x80, 0x01, 0x32], scale, mode).map(|value| value.to_value());
        assert_eq!(found(1, DecimalMode::String), Some(Value::text("1.5")));
        assert_eq!(found(2, DecimalMode::Double), Some(Value::Double(1.5)));
        assert_eq!(found(2, DecimalMode::Precise), Some(Value::Decimal { unscaled: vec![0, 150], scale: 2 }));
        assert_eq!(found(0, DecimalMode::Precise), Some(Value::Decimal { unscaled: vec![2], scale: 0 }));
    }

    /// Packs a number as the server does.
    fn pack(digits: &str, scale: usize, negative: bool) -> Vec<u8> {
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        let mut raw = Vec::new();
        let mut push = |group: &str| {
            let n: u32 = if group.is_empty() { return } else { group.parse().unwrap() };
            raw.extend_from_slice(&n.to_be_bytes()[4 - BYTES[group.len()]..]);
        };
        let first = whole.len() % 9;
        push(&whole[..first]);
        whole.as_bytes()[first..].chunks(9).for_each(|group| push(std::str::from_utf8(group).unwrap()));
        fraction.as_bytes().chunks(9).for_each(|group| push(std::str::from_utf8(group).unwrap()));
        if negative {
            raw = raw.iter().map(|byte| !byte).collect();
        }
        raw[0] ^= 0x80;
        raw
    }

    proptest! {
        #[test]
        fn the_log_and_the_text_agree(digits in "[0-9]{1,65}", scale in 0_usize..31, negative in any::<bool>()) {
            let scale = scale.min(digits.len());
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            let sign = if negative { "-" } else { "" };
            let text = if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") };
            let packed = pack(&digits, scale, negative);
            for mode in [DecimalMode::Precise, DecimalMode::String, DecimalMode::Double] {
                let read = |form, raw: &[u8]| value(form, raw, scale as i32, mode).map(|value| value.to_value());
                let from_log = read(log(digits.len() as u8, scale as u8), &packed);
                prop_assert!(from_log.is_some());
                prop_assert_eq!(from_log, read(Form::Text, text.as_bytes()));
            }
        }

        #[test]
        fn hostile_bytes_do_not_panic(raw in proptest::collection::vec(any::<u8>(), 0..40), meta in any::<u16>()) {
            for mode in [DecimalMode::Precise, DecimalMode::String, DecimalMode::Double] {
                let _ = value(Form::Log(WireColumn { kind: kind::NEWDECIMAL, metadata: meta }), &raw, 2, mode);
                let _ = value(Form::Text, &raw, 2, mode);
            }
        }
    }
}
