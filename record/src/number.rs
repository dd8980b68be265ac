//! Writes numbers as Java does: `Double.toString`, `Float.toString`, `BigDecimal.toString`.
//!
//! Consumers compare texts, so digits, point and exponent are those of Java 17, which Debezium's images run on: the shortest
//! digits that read back as the same number, at least two of them, except for large numbers (`large.rs`).
//!
//! Must not know: quotes, fields, schemas.

mod large;

use std::fmt::LowerExp;

use zmij::Float;

use self::large::Large;

/// Writes an integer.
pub fn write_int(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Writes a double as `Double.toString` does; `NaN` and `Infinity` are not quoted.
pub fn write_double(out: &mut Vec<u8>, number: f64) {
    if !number.is_finite() {
        return out.extend_from_slice(non_finite(number.is_nan(), number > 0.0));
    }
    let bits = number.to_bits();
    let (fraction, exponent) = (bits & ((1 << 52) - 1) | 1 << 52, (bits >> 52 & 0x7ff) as i32);
    match Large::of(fraction, exponent - 1075, 53) {
        Some(large) => write_large(out, number.is_sign_negative(), &large),
        None => write_shortest(out, number),
    }
}

/// Writes a float as `Float.toString` does.
pub fn write_float(out: &mut Vec<u8>, number: f32) {
    if !number.is_finite() {
        return out.extend_from_slice(non_finite(number.is_nan(), number > 0.0));
    }
    #[allow(clippy::float_cmp, reason = "this one number is meant")]
    if number.abs() == f32::MIN_POSITIVE {
        // Java 17 writes the smallest normal float with one digit more than needed.
        out.extend_from_slice(if number < 0.0 { b"-1.17549435E-38" } else { b"1.17549435E-38" });
        return;
    }
    let bits = number.to_bits();
    let (fraction, exponent) = (bits & ((1 << 23) - 1) | 1 << 23, (bits >> 23 & 0xff) as i32);
    match Large::of(u64::from(fraction), exponent - 150, 24) {
        Some(large) => write_large(out, number.is_sign_negative(), &large),
        None => write_shortest(out, number),
    }
}

fn write_large(out: &mut Vec<u8>, negative: bool, large: &Large) {
    if negative {
        out.push(b'-');
    }
    let digits = large.digits();
    place(out, &digits.bytes[..digits.count], digits.exponent);
}

fn non_finite(nan: bool, positive: bool) -> &'static [u8] {
    match (nan, positive) {
        (true, _) => b"NaN",
        (false, true) => b"Infinity",
        (false, false) => b"-Infinity",
    }
}

/// Writes a finite number by its shortest digits.
fn write_shortest(out: &mut Vec<u8>, number: impl Float + LowerExp) {
    let mut buffer = zmij::Buffer::new();
    let mut text = buffer.format_finite(number).as_bytes();
    if let [b'-', rest @ ..] = text {
        out.push(b'-');
        text = rest;
    }
    let (text, power) = match text.iter().position(|byte| *byte == b'e') {
        Some(e) => (&text[..e], signed(&text[e + 1..])),
        None => (text, 0),
    };
    // The digits without the point and without zeros in front, and how many of them stand before the point.
    let (mut digits, mut count, mut whole) = ([b'0'; 24], 0, 0);
    let mut before_point = true;
    for byte in text {
        match byte {
            b'.' => before_point = false,
            b'0' if count == 0 => whole -= i32::from(!before_point),
            byte if count < digits.len() => {
                digits[count] = *byte;
                count += 1;
                whole += i32::from(before_point);
            }
            _ => {}
        }
    }
    match &digits[..count] {
        [] => place(out, b"0", 0),
        // Java writes two digits at least. For the smallest numbers the two nearest are others than the nearest one and a zero.
        [_] if power < -40 => {
            let text = format!("{number:.1e}");
            let (digits, exponent) = text.trim_start_matches('-').split_once('e').unwrap_or_default();
            place(out, digits.replace('.', "").as_bytes(), signed(exponent.as_bytes()));
        }
        digits => place(out, digits, power + whole - 1),
    }
}

/// Writes digits in Java's form: without an exponent for 1e-3 ≤ |x| < 1e7 and for zero, otherwise with one. `exponent` is that
/// of the first digit.
fn place(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    let spare = digits.iter().skip(1).rev().take_while(|digit| **digit == b'0').count();
    let digits = &digits[..digits.len() - spare];
    if digits != b"0" && !(-3..7).contains(&exponent) {
        out.extend_from_slice(&[digits[0], b'.']);
        out.extend_from_slice(if digits.len() > 1 { &digits[1..] } else { b"0" });
        out.push(b'E');
        return write_int(out, i64::from(exponent));
    }
    if exponent < 0 {
        out.extend_from_slice(&b"0.000"[..(1 - exponent) as usize]);
        return out.extend_from_slice(digits);
    }
    let whole = exponent as usize + 1;
    for place in 0..whole {
        out.push(digits.get(place).copied().unwrap_or(b'0'));
    }
    out.push(b'.');
    out.extend_from_slice(digits.get(whole..).filter(|rest| !rest.is_empty()).unwrap_or(b"0"));
}

fn signed(text: &[u8]) -> i32 {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let number = digits.iter().fold(0, |n, d| n * 10 + i32::from(d - b'0'));
    if negative { -number } else { number }
}

/// Writes a decimal as `BigDecimal.toString` does: with an exponent when the scale is negative or the first digit is
/// more than six places after the point.
pub fn write_decimal(out: &mut Vec<u8>, unscaled: i128, scale: i32) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(unscaled.unsigned_abs());
    place_decimal(out, unscaled < 0, digits.as_bytes(), scale);
}

/// As [`write_decimal`], for an unscaled value of any length, given as big-endian two's complement.
pub fn write_long_decimal(out: &mut Vec<u8>, unscaled: &[u8], scale: i32) {
    if let Some(number) = small(unscaled) {
        return write_decimal(out, number, scale);
    }
    let negative = unscaled.first().is_some_and(|b| *b >= 0x80);
    place_decimal(out, negative, &magnitude(unscaled, negative), scale);
}

fn small(bytes: &[u8]) -> Option<i128> {
    if bytes.len() > 16 {
        return None;
    }
    let sign = if bytes.first().is_some_and(|b| *b >= 0x80) { -1 } else { 0 };
    Some(bytes.iter().fold(sign, |n: i128, b| n << 8 | i128::from(*b)))
}

/// The decimal digits of a two's complement of more than sixteen bytes, by long division by 10^9. Such numbers are
/// rare, so the speed does not matter.
fn magnitude(bytes: &[u8], negative: bool) -> Vec<u8> {
    let mut number: Vec<u8> = bytes.iter().map(|b| if negative { !*b } else { *b }).collect();
    if negative {
        for byte in number.iter_mut().rev() {
            let (sum, over) = byte.overflowing_add(1);
            *byte = sum;
            if !over {
                break;
            }
        }
    }
    let mut groups = Vec::new();
    while number.iter().any(|b| *b != 0) {
        let mut rest = 0_u64;
        for byte in &mut number {
            let part = rest << 8 | u64::from(*byte);
            *byte = (part / 1_000_000_000) as u8;
            rest = part % 1_000_000_000;
        }
        groups.push(rest as u32);
    }
    let mut out = Vec::with_capacity(groups.len() * 9);
    for (i, group) in groups.iter().rev().enumerate() {
        let mut buffer = itoa::Buffer::new();
        let digits = buffer.format(*group).as_bytes();
        if i > 0 {
            out.extend_from_slice(&b"000000000"[digits.len()..]);
        }
        out.extend_from_slice(digits);
    }
    out
}

/// Writes decimal digits as `BigDecimal.toString` does, with `scale` digits behind the point. There is at least one digit.
pub fn place_decimal(out: &mut Vec<u8>, negative: bool, digits: &[u8], scale: i32) {
    if negative {
        out.push(b'-');
    }
    if scale == 0 {
        return out.extend_from_slice(digits);
    }
    let adjusted = digits.len() as i64 - 1 - i64::from(scale);
    if scale > 0 && adjusted >= -6 {
        let point = digits.len() as i64 - i64::from(scale);
        if point > 0 {
            let (whole, fraction) = digits.split_at(point as usize);
            out.extend_from_slice(whole);
            out.push(b'.');
            return out.extend_from_slice(fraction);
        }
        out.extend_from_slice(b"0.");
        // `adjusted` is at least −6, so there are at most five zeros.
        out.extend_from_slice(&b"00000"[..(-point) as usize]);
        return out.extend_from_slice(digits);
    }
    out.push(digits[0]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits[1..]);
    }
    if adjusted != 0 {
        out.extend_from_slice(if adjusted > 0 { b"E+" } else { b"E" });
        write_int(out, adjusted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(write: impl FnOnce(&mut Vec<u8>), expect: &str) {
        let mut out = Vec::new();
        write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn doubles() {
        for (number, expect) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (0.001, "0.001"),
            (0.000_999, "9.99E-4"),
            (0.012_34, "0.01234"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (1_234_567.25, "1234567.25"),
            (100.0, "100.0"),
            (1e10, "1.0E10"),
            (1e-5, "1.0E-5"),
            (2e23, "1.9999999999999998E23"),
            (1.0e23, "9.999999999999999E22"),
            (-9_007_199_254_740_994.0, "-9.007199254740994E15"),
            (7.859_382_671_188_63e16, "7.8593826711886304E16"),
            (4.821_36e21, "4.821360000000001E21"),
            (4.979_57e20, "4.9795699999999997E20"),
            (1_125_899_906_842_624.2, "1.1258999068426242E15"),
            (2.746_230_004_821_391_6e25, "2.7462300048213915E25"),
            (2e-323, "2.0E-323"),
            (1e-323, "9.9E-324"),
            (5e-324, "4.9E-324"),
            (f64::MAX, "1.7976931348623157E308"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            check(|out| write_double(out, number), expect);
        }
        check(|out| write_float(out, f32::from_bits(1)), "1.4E-45");
        check(|out| write_float(out, 0.1), "0.1");
        check(|out| write_float(out, 3.402_823_5e38), "3.4028235E38");
        check(|out| write_float(out, 1.0e10), "1.0E10");
        check(|out| write_float(out, 1_388_552.2), "1388552.2");
        check(|out| write_float(out, -f32::MIN_POSITIVE), "-1.17549435E-38");
    }

    #[test]
    fn numbers_are_java_17s() {
        let read =
            |name: &str| std::fs::read_to_string(format!("{}/../tests/data/java/{name}", env!("CARGO_MANIFEST_DIR")));
        let mut count = 0;
        for (name, is_double) in [("doubles.txt", true), ("floats.txt", false)] {
            for line in read(name).unwrap().lines() {
                let (bits, expect) = line.split_once(' ').unwrap();
                let bits = u64::from_str_radix(bits, 16).unwrap();
                if is_double {
                    check(|out| write_double(out, f64::from_bits(bits)), expect);
                } else {
                    check(|out| write_float(out, f32::from_bits(bits as u32)), expect);
                }
                count += 1;
            }
        }
        assert!(count > 1000, "{count}");
    }

    #[test]
    fn decimals() {
        for (unscaled, scale, expect) in [
            (150, 2, "1.50"),
            (-150, 2, "-1.50"),
            (5, 2, "0.05"),
            (0, 2, "0.00"),
            (1, 6, "0.000001"),
            (1, 7, "1E-7"),
            (123, 9, "1.23E-7"),
            (0, 10, "0E-10"),
            (1, -3, "1E+3"),
            (12, -3, "1.2E+4"),
            (123, 0, "123"),
            (i128::MIN, 0, "-170141183460469231731687303715884105728"),
        ] {
            check(|out| write_decimal(out, unscaled, scale), expect);
            check(|out| write_long_decimal(out, &crate::twos_complement(unscaled), scale), expect);
        }
        let digits = "1234567890123456789012345678901234567890000000001234567890";
        for negative in [false, true] {
            let sign = if negative { "-" } else { "" };
            let expect = format!("{sign}{}.{}", &digits[..56], &digits[56..]);
            check(|out| write_long_decimal(out, &crate::unscaled_of(digits.as_bytes(), negative), 2), &expect);
        }
    }
}
