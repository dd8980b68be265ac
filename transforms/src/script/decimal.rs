//! Exact decimals of any size: `java.math.BigDecimal` as Groovy uses it.
//!
//! Must not know: other kinds of numbers.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};
use record::write_long_decimal;

/// The most bits of an unscaled value, and the largest scale. They bound the memory and time of an operation; the database's
/// own decimals are far smaller.
const MOST_BITS: u64 = 16_384;
const MOST_SCALE: i64 = 5_000;
/// How many more digits than its operands a quotient has when it has no end (`groovy.division.extra.precision`), and how
/// many digits behind the point at least (`groovy.division.min.scale`).
const EXTRA_DIGITS: i64 = 10;
const LEAST_SCALE: i64 = 10;

/// `unscaled × 10^-scale`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Decimal {
    unscaled: BigInt,
    scale: i64,
}

fn power(exponent: i64) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(0))
}

/// The number of decimal digits; 1 for zero.
fn digits(number: &BigInt) -> i64 {
    number.magnitude().to_string().len() as i64
}

impl Decimal {
    /// A decimal, unless it is larger than expressions may use.
    pub(crate) fn new(unscaled: BigInt, scale: i64) -> Option<Self> {
        (unscaled.bits() <= MOST_BITS && scale.abs() <= MOST_SCALE).then_some(Self { unscaled, scale })
    }

    /// From big-endian two's complement.
    pub(crate) fn of_bytes(unscaled: &[u8], scale: i32) -> Option<Self> {
        Self::new(BigInt::from_signed_bytes_be(unscaled), i64::from(scale))
    }

    pub(crate) fn of_whole(number: i64) -> Self {
        Self { unscaled: BigInt::from(number), scale: 0 }
    }

    /// Reads digits with an optional sign, point and exponent, as `new BigDecimal(text)` does.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let bare = whole.strip_prefix(['-', '+']).unwrap_or(whole);
        let mut both = [bare.as_bytes(), part.as_bytes()].concat();
        if both.is_empty() || !both.iter().all(u8::is_ascii_digit) || both.len() as u64 > MOST_BITS {
            return None;
        }
        if whole.starts_with('-') {
            both.insert(0, b'-');
        }
        Self::new(BigInt::parse_bytes(&both, 10)?, part.len() as i64 - i64::from(exponent))
    }

    /// The unscaled values of both at the same scale.
    fn aligned(&self, other: &Self) -> (BigInt, BigInt, i64) {
        let scale = self.scale.max(other.scale);
        let raised = |decimal: &Self| &decimal.unscaled * power(scale - decimal.scale);
        (raised(self), raised(other), scale)
    }

    pub(crate) fn add(&self, other: &Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other);
        Self::new(left + right, scale)
    }

    pub(crate) fn subtract(&self, other: &Self) -> Option<Self> {
        self.add(&other.negate())
    }

    pub(crate) fn multiply(&self, other: &Self) -> Option<Self> {
        Self::new(&self.unscaled * &other.unscaled, self.scale + other.scale)
    }

    pub(crate) fn negate(&self) -> Self {
        Self { unscaled: -&self.unscaled, scale: self.scale }
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.unscaled.sign() == Sign::NoSign
    }

    /// The quotient: exact where it has an end, else rounded as Groovy rounds it. `other` must not be zero.
    pub(crate) fn divide(&self, other: &Self) -> Option<Self> {
        let preferred = self.scale - other.scale;
        if self.is_zero() {
            return Self::new(BigInt::ZERO, preferred);
        }
        // The divisor without its factors 2 and 5 says whether the quotient has an end.
        let mut rest = other.unscaled.clone();
        let mut needed = 0;
        for factor in [10_u8, 5, 2] {
            while (&rest % factor).sign() == Sign::NoSign {
                rest /= factor;
                needed += 1;
            }
        }
        if (&self.unscaled % &rest).sign() == Sign::NoSign {
            let exact = &self.unscaled * power(needed) / &other.unscaled;
            return Self::new(exact, preferred + needed)?.stripped(preferred);
        }
        let precision = digits(&self.unscaled).max(digits(&other.unscaled)) + EXTRA_DIGITS;
        // One digit more than needed may result; rounding takes it off.
        let shift = precision + 1 + digits(&other.unscaled) - digits(&self.unscaled);
        let (numerator, denominator) = if shift >= 0 {
            (&self.unscaled * power(shift), other.unscaled.clone())
        } else {
            (self.unscaled.clone(), &other.unscaled * power(-shift))
        };
        let quotient = Self { unscaled: numerator / denominator, scale: preferred + shift };
        let result = quotient.rounded(digits(&quotient.unscaled) - precision);
        let scale = self.scale.max(other.scale).max(LEAST_SCALE);
        let result = result.rounded(result.scale - scale);
        Self::new(result.unscaled, result.scale)
    }

    /// Without this many digits at the end, rounded half up. Digits that a division cut off before do not matter: they
    /// never make less than a half a half.
    fn rounded(&self, drop: i64) -> Self {
        if drop <= 0 {
            return self.clone();
        }
        let unit = power(drop);
        let half: BigInt = &unit / 2;
        let half = if self.unscaled.sign() == Sign::Minus { -half } else { half };
        Self { unscaled: (&self.unscaled + half) / unit, scale: self.scale - drop }
    }

    /// Without zeros at the end, but not below this scale.
    fn stripped(mut self, least: i64) -> Option<Self> {
        while self.scale > least && (&self.unscaled % 10_u8).sign() == Sign::NoSign {
            self.unscaled /= 10_u8;
            self.scale -= 1;
        }
        Self::new(self.unscaled, self.scale)
    }

    /// The nearest double.
    pub(crate) fn to_double(&self) -> f64 {
        format!("{}e{}", self.unscaled, -self.scale).parse().unwrap_or(f64::NAN)
    }

    /// The whole part, cut to 64 bits as `BigDecimal.longValue` cuts it.
    pub(crate) fn to_long(&self) -> i64 {
        let whole =
            if self.scale > 0 { &self.unscaled / power(self.scale) } else { &self.unscaled * power(-self.scale) };
        let low = whole.magnitude().iter_u64_digits().next().unwrap_or(0) as i64;
        if whole.sign() == Sign::Minus { low.wrapping_neg() } else { low }
    }

    /// `BigDecimal.compareTo`: the scale does not count.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let (left, right, _) = self.aligned(other);
        left.cmp(&right)
    }

    /// The text of `BigDecimal.toString`.
    pub(crate) fn text(&self) -> String {
        let mut out = Vec::new();
        // A scale is at most MOST_SCALE.
        write_long_decimal(&mut out, &self.unscaled.to_signed_bytes_be(), self.scale as i32);
        // Only ASCII was written.
        String::from_utf8(out).unwrap_or_default()
    }

    /// What an operation with this number costs, in steps: time goes with the square of the number's length, the zeros
    /// included that its scale stands for.
    pub(crate) fn weight(&self) -> usize {
        // In words of 64 bits, each of which holds 19 digits.
        let words = self.unscaled.bits() / 64 + self.scale.unsigned_abs() / 19;
        (words * words / 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is no decimal"))
    }

    #[test]
    fn texts() {
        for (text, expect) in [
            ("0", "0"),
            ("-1.50", "-1.50"),
            (".5", "0.5"),
            ("1e3", "1E+3"),
            ("0.0000001", "1E-7"),
            ("12e-9", "1.2E-8"),
            ("0.00", "0.00"),
        ] {
            assert_eq!(decimal(text).text(), expect);
        }
        for wrong in ["", "-", "1.2.3", "a", "1e", "1e99999", "--1", "1_0"] {
            assert_eq!(Decimal::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn arithmetic() {
        #[track_caller]
        fn check(result: Option<Decimal>, expect: &str) {
            assert_eq!(result.unwrap().text(), expect);
        }
        check(decimal("1.10").add(&decimal("2")), "3.10");
        check(decimal("1").subtract(&decimal("0.1")), "0.9");
        check(decimal("1.5").multiply(&decimal("-1.5")), "-2.25");
        check(decimal("1").divide(&decimal("2")), "0.5");
        check(decimal("10").divide(&decimal("5")), "2");
        check(decimal("6").divide(&decimal("3")), "2");
        check(decimal("1").divide(&decimal("3")), "0.3333333333");
        check(decimal("2").divide(&decimal("3")), "0.6666666667");
        check(decimal("-2").divide(&decimal("3")), "-0.6666666667");
        check(decimal("100").divide(&decimal("3")), "33.3333333333");
        check(decimal("1.00").divide(&decimal("4")), "0.25");
        check(decimal("0").divide(&decimal("4.00")), "0E+2");
        assert_eq!(decimal("1.0").compare(&decimal("1.00")), Ordering::Equal);
        assert_eq!(decimal("-1").compare(&decimal("1e-3")), Ordering::Less);
        assert_eq!((decimal("-7.9").to_long(), decimal("1e3").to_long()), (-7, 1000));
        assert_eq!(decimal("18446744073709551617").to_long(), 1);
        assert!((decimal("0.1").to_double() - 0.1).abs() < f64::EPSILON);
    }

    #[test]
    fn sizes_are_bounded() {
        let mut large = decimal("9");
        let mut squares = 0;
        while let Some(square) = large.multiply(&large) {
            large = square;
            squares += 1;
        }
        assert!((10..20).contains(&squares), "{squares}");
        assert!(decimal("1e4000").multiply(&decimal("1e4000")).is_none());
    }
}
