//! Numbers from texts and from decimals, as Java's `parseInt`, `parseDouble` and `BigDecimal` make them.
//!
//! Must not know: schemas, any transform.

use record::{Value, unscaled_of, write_long_decimal};

/// A number of any length: what Java's `BigDecimal` is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Decimal {
    /// Big-endian two's complement.
    unscaled: Vec<u8>,
    /// Digits behind the point.
    scale: i32,
}

impl Decimal {
    pub(crate) fn new(unscaled: Vec<u8>, scale: i32) -> Self {
        Self { unscaled, scale }
    }

    pub(crate) fn scale(&self) -> i32 {
        self.scale
    }

    /// The digits of the unscaled value, without a sign, and whether it is negative.
    fn digits(&self) -> (bool, Vec<u8>) {
        let mut text = Vec::new();
        write_long_decimal(&mut text, &self.unscaled, 0);
        let negative = text.first() == Some(&b'-');
        if negative {
            text.remove(0);
        }
        (negative, text)
    }

    /// The whole part; of a number that is too large, its lowest 64 bits.
    pub(crate) fn to_i64(&self) -> i64 {
        let (negative, digits) = self.digits();
        let kept = digits.len().saturating_sub(usize::try_from(self.scale).unwrap_or(0));
        let mut number = digits[..kept].iter().fold(0_i64, |n, digit| push_digit(n, digit - b'0'));
        // 10^64 is a multiple of 2^64.
        for _ in 0..self.scale.saturating_neg().min(64) {
            number = push_digit(number, 0);
        }
        if negative { number.wrapping_neg() } else { number }
    }

    /// The nearest double.
    pub(crate) fn to_f64(&self) -> f64 {
        self.exponential().parse().unwrap_or(f64::NAN)
    }

    /// The nearest float.
    pub(crate) fn to_f32(&self) -> f32 {
        self.exponential().parse().unwrap_or(f32::NAN)
    }

    fn exponential(&self) -> String {
        let (negative, digits) = self.digits();
        let sign = if negative { "-" } else { "" };
        format!("{sign}{}e{}", String::from_utf8_lossy(&digits), -i64::from(self.scale))
    }

    /// The number without a fraction, if it has none.
    fn whole(&self) -> Option<Self> {
        let (negative, mut digits) = self.digits();
        if let Ok(fraction) = usize::try_from(self.scale) {
            let kept = digits.len().saturating_sub(fraction);
            if digits[kept..].iter().any(|digit| *digit != b'0') {
                return None;
            }
            digits.truncate(kept);
        } else {
            digits.resize(digits.len() + self.scale.unsigned_abs() as usize, b'0');
        }
        Some(Self::new(unscaled_of(&digits, negative), 0))
    }

    /// The number as 64 bits, if it has no fraction and fits.
    pub(crate) fn exact_i64(&self) -> Option<i64> {
        // More than 18 zeros at the end cannot fit, unless the number is 0.
        if self.scale < -18 && self.unscaled.iter().any(|byte| *byte != 0) {
            return None;
        }
        let whole = if self.scale < -18 { Self::new(vec![0], 0) } else { self.whole()? };
        let (negative, digits) = whole.digits();
        let text = String::from_utf8(digits).ok()?;
        format!("{}{text}", if negative { "-" } else { "" }).parse().ok()
    }

    pub(crate) fn into_value(self) -> Value {
        Value::Decimal { unscaled: self.unscaled, scale: self.scale }
    }
}

fn push_digit(number: i64, digit: u8) -> i64 {
    number.wrapping_mul(10).wrapping_add(i64::from(digit))
}

/// The parts of a text such as `-12.5e3`: whether it is negative, the digits before and behind the point, the exponent's text.
fn parts(text: &str) -> Option<(bool, &str, &str, Option<&str>)> {
    let (negative, text) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_digits = exponent.map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    let fits = is_digits(whole) && is_digits(fraction) && !(whole.is_empty() && fraction.is_empty());
    (fits && exponent_digits.is_none_or(|digits| !digits.is_empty() && is_digits(digits)))
        .then_some((negative, whole, fraction, exponent))
}

/// What `new BigDecimal(text)` makes; `None` where it throws.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    let (negative, whole, fraction, exponent) = parts(text)?;
    let exponent = exponent.map_or(Some(0), |exponent| exponent.parse::<i32>().ok())?;
    let scale = i32::try_from(fraction.len() as i64 - i64::from(exponent)).ok()?;
    let digits = [whole.as_bytes(), fraction.as_bytes()].concat();
    Some(Decimal::new(unscaled_of(&digits, negative), scale))
}

/// What `Double.parseDouble` makes; `None` where it throws. Hexadecimal floating point numbers are not known here.
pub(crate) fn double(text: &str) -> Option<f64> {
    let plain = real(text)?;
    plain.parse().ok()
}

/// What `Float.parseFloat` makes; `None` where it throws. Hexadecimal floating point numbers are not known here.
pub(crate) fn float(text: &str) -> Option<f32> {
    let plain = real(text)?;
    plain.parse().ok()
}

/// A text that Rust and Java read alike, for a text that Java reads as a floating point number.
fn real(text: &str) -> Option<&str> {
    let text = text.trim_matches(|c| c <= ' ');
    if matches!(text.trim_start_matches(['+', '-']), "NaN" | "Infinity") && text.matches(['+', '-']).count() < 2 {
        return Some(if text.ends_with("NaN") { "NaN" } else { text });
    }
    let plain = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    parts(plain).map(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals() {
        for (text, expect) in [
            ("1e3", Some((1000, Some(1000), 1000.0))),
            ("-1.5E2", Some((-150, Some(-150), -150.0))),
            ("+7", Some((7, Some(7), 7.0))),
            (".5", Some((0, None, 0.5))),
            ("5.", Some((5, Some(5), 5.0))),
            ("-0.9", Some((0, None, -0.9))),
            ("7.00", Some((7, Some(7), 7.0))),
            ("0e-30", Some((0, Some(0), 0.0))),
            ("0e30", Some((0, Some(0), 0.0))),
            ("1e18", Some((1_000_000_000_000_000_000, Some(1_000_000_000_000_000_000), 1e18))),
            ("99999999999999999999", Some((7_766_279_631_452_241_919, None, 1e20))),
            ("-99999999999999999999.99", Some((-7_766_279_631_452_241_919, None, -1e20))),
            ("-9223372036854775808", Some((i64::MIN, Some(i64::MIN), -9_223_372_036_854_775_808.0))),
            ("1e400", Some((0, None, f64::INFINITY))),
            ("1e-400", Some((0, None, 0.0))),
            ("x", None),
            ("", None),
            ("-", None),
            (".", None),
            ("1e", None),
            ("1e+", None),
            (" 5", None),
            ("0x10", None),
            ("1f", None),
            ("1_0", None),
            ("NaN", None),
            ("1e2147483648", None),
            ("1e-2147483648", None),
        ] {
            let found = decimal(text).map(|number| (number.to_i64(), number.exact_i64(), number.to_f64()));
            assert_eq!(found, expect, "{text}");
        }
    }

    #[test]
    fn floating_point() {
        for (text, expect) in [
            ("1.25", Some(1.25)),
            (" 1.25\t", Some(1.25)),
            ("-1e3f", Some(-1000.0)),
            ("2D", Some(2.0)),
            ("+Infinity", Some(f64::INFINITY)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("1e400", Some(f64::INFINITY)),
            ("infinity", None),
            ("+-Infinity", None),
            ("inf", None),
            ("nan", None),
            ("1ff", None),
            ("", None),
            ("f", None),
            ("1 2", None),
        ] {
            assert_eq!(double(text), expect, "{text}");
            assert_eq!(float(text), expect.map(|number: f64| number as f32), "{text}");
        }
        assert!(double("-NaN").is_some_and(f64::is_nan));
    }
}
