//! Numbers with the types that Java gives them, and Groovy's arithmetic on them.
//!
//! Must not know: values that are not numbers, JavaScript.

use std::cmp::Ordering;
use std::sync::Arc;

use record::{write_double, write_float, write_int};

use super::decimal::Decimal;
use super::failure::Failure;

/// The Java type of a whole number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Width {
    Byte,
    Short,
    Int,
    Long,
}

/// A number.
#[derive(Clone, Debug)]
pub(crate) enum Number {
    /// Byte, Short, Integer or Long.
    Whole(i64, Width),
    /// Float.
    Float(f32),
    /// Double, and every number that JavaScript computes.
    Double(f64),
    /// BigDecimal.
    Decimal(Arc<Decimal>),
}

/// An operation of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    BitAnd,
    BitOr,
    BitXor,
}

impl Arithmetic {
    /// The method that Groovy's messages name.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Add => "plus()",
            Self::Subtract => "minus()",
            Self::Multiply => "multiply()",
            Self::Divide => "div()",
            Self::Remainder => "mod()",
            Self::BitAnd => "and()",
            Self::BitOr => "or()",
            Self::BitXor => "xor()",
        }
    }
}

impl Number {
    pub(crate) fn int(number: i64) -> Self {
        Self::Whole(number, Width::Int)
    }

    /// A length or an index: Integer.
    pub(crate) fn count(count: usize) -> Self {
        Self::Whole(i64::try_from(count).unwrap_or(i64::MAX), Width::Int)
    }

    /// The name of the Java class.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Whole(_, Width::Byte) => "java.lang.Byte",
            Self::Whole(_, Width::Short) => "java.lang.Short",
            Self::Whole(_, Width::Int) => "java.lang.Integer",
            Self::Whole(_, Width::Long) => "java.lang.Long",
            Self::Float(_) => "java.lang.Float",
            Self::Double(_) => "java.lang.Double",
            Self::Decimal(_) => "java.math.BigDecimal",
        }
    }

    pub(crate) fn to_double(&self) -> f64 {
        match self {
            Self::Whole(number, _) => *number as f64,
            Self::Float(number) => f64::from(*number),
            Self::Double(number) => *number,
            Self::Decimal(number) => number.to_double(),
        }
    }

    /// `Number.longValue`: cuts off the fraction, and the bits above 64.
    pub(crate) fn to_long(&self) -> i64 {
        match self {
            Self::Whole(number, _) => *number,
            Self::Float(number) => *number as i64,
            Self::Double(number) => *number as i64,
            Self::Decimal(number) => number.to_long(),
        }
    }

    /// `Number.intValue`.
    pub(crate) fn to_int(&self) -> i64 {
        match self {
            Self::Float(number) => i64::from(*number as i32),
            Self::Double(number) => i64::from(*number as i32),
            other => i64::from(other.to_long() as i32),
        }
    }

    /// The number as a decimal; none for NaN and the infinities.
    pub(crate) fn to_decimal(&self) -> Option<Arc<Decimal>> {
        match self {
            Self::Whole(number, _) => Some(Arc::new(Decimal::of_whole(*number))),
            Self::Decimal(number) => Some(Arc::clone(number)),
            Self::Float(_) | Self::Double(_) => Decimal::parse(&self.text()).map(Arc::new),
        }
    }

    pub(crate) fn is_zero(&self) -> bool {
        match self {
            Self::Whole(number, _) => *number == 0,
            Self::Float(number) => *number == 0.0,
            Self::Double(number) => *number == 0.0,
            Self::Decimal(number) => number.is_zero(),
        }
    }

    /// What an operation with this number costs, in the steps of a [`Budget`](super::budget::Budget), beyond the usual one.
    pub(crate) fn weight(&self) -> usize {
        if let Self::Decimal(number) = self { number.weight() } else { 0 }
    }

    fn is_floating(&self) -> bool {
        matches!(self, Self::Float(_) | Self::Double(_))
    }

    /// Order by value across types, as Groovy compares numbers.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Whole(left, _), Self::Whole(right, _)) => left.cmp(right),
            (left, right) if left.is_floating() || right.is_floating() => {
                // Double.compare: NaN equals itself and is above all others.
                let (left, right) = (left.to_double(), right.to_double());
                left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
            }
            (left, right) => match (left.to_decimal(), right.to_decimal()) {
                (Some(left), Some(right)) => left.compare(&right),
                _ => Ordering::Equal,
            },
        }
    }

    /// `equals` of Java's number classes: only numbers of one type are equal, decimals only with one scale.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Whole(left, one), Self::Whole(right, two)) => one == two && left == right,
            (Self::Float(left), Self::Float(right)) => left.to_bits() == right.to_bits(),
            (Self::Double(left), Self::Double(right)) => left.to_bits() == right.to_bits(),
            (Self::Decimal(left), Self::Decimal(right)) => left == right,
            _ => false,
        }
    }

    /// Groovy's arithmetic: int wraps at 32 bits, long at 64, `/` of whole numbers is a decimal, and a float or double on
    /// either side makes a double.
    ///
    /// # Errors
    /// Division by zero, an operator that the types do not have, and decimals that get too large.
    pub(crate) fn compute(&self, op: Arithmetic, other: &Self) -> Result<Self, Failure> {
        let unsupported =
            |class: &str| Failure::new(format!("Cannot use {} on this number type: {class}", op.method()));
        if self.is_floating() || other.is_floating() {
            let (left, right) = (self.to_double(), other.to_double());
            return Ok(Self::Double(match op {
                Arithmetic::Add => left + right,
                Arithmetic::Subtract => left - right,
                Arithmetic::Multiply => left * right,
                Arithmetic::Divide => left / right,
                Arithmetic::Remainder => left % right,
                _ => return Err(unsupported(self.class())),
            }));
        }
        if let (Self::Whole(left, one), Self::Whole(right, two)) = (self, other)
            && op != Arithmetic::Divide
        {
            let number = match op {
                Arithmetic::Add => left.wrapping_add(*right),
                Arithmetic::Subtract => left.wrapping_sub(*right),
                Arithmetic::Multiply => left.wrapping_mul(*right),
                Arithmetic::Remainder if *right == 0 => return Err(Failure::new("Division by zero")),
                Arithmetic::Remainder => left.wrapping_rem(*right),
                Arithmetic::BitAnd => left & right,
                Arithmetic::BitOr => left | right,
                Arithmetic::BitXor => left ^ right,
                Arithmetic::Divide => 0,
            };
            let width = (*one).max(*two).max(Width::Int);
            return Ok(Self::Whole(if width == Width::Int { i64::from(number as i32) } else { number }, width));
        }
        let (Some(left), Some(right)) = (self.to_decimal(), other.to_decimal()) else {
            return Err(unsupported(self.class()));
        };
        let result = match op {
            Arithmetic::Add => left.add(&right),
            Arithmetic::Subtract => left.subtract(&right),
            Arithmetic::Multiply => left.multiply(&right),
            Arithmetic::Divide if right.is_zero() => return Err(Failure::new("Division by zero")),
            Arithmetic::Divide => left.divide(&right),
            _ => return Err(unsupported("java.math.BigDecimal")),
        };
        let result = result.ok_or_else(|| Failure::new("a number gets too large"))?;
        Ok(Self::Decimal(Arc::new(result)))
    }

    pub(crate) fn negate(&self) -> Self {
        match self {
            Self::Whole(number, Width::Long) => Self::Whole(number.wrapping_neg(), Width::Long),
            Self::Whole(number, _) => Self::Whole(i64::from((*number as i32).wrapping_neg()), Width::Int),
            Self::Float(number) => Self::Float(-number),
            Self::Double(number) => Self::Double(-number),
            Self::Decimal(number) => Self::Decimal(Arc::new(number.negate())),
        }
    }

    /// Java's text of the number.
    pub(crate) fn text(&self) -> String {
        let mut out = Vec::with_capacity(24);
        match self {
            Self::Whole(number, _) => write_int(&mut out, *number),
            Self::Float(number) => write_float(&mut out, *number),
            Self::Double(number) => write_double(&mut out, *number),
            Self::Decimal(number) => return number.text(),
        }
        // Only ASCII was written.
        String::from_utf8(out).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Number {
        Number::Decimal(Arc::new(Decimal::parse(text).unwrap()))
    }

    fn long(number: i64) -> Number {
        Number::Whole(number, Width::Long)
    }

    #[test]
    fn java_texts() {
        for (number, expect) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-12.5, "-12.5"),
            (0.001, "0.001"),
            (0.0001, "1.0E-4"),
            (1_234_567.0, "1234567.0"),
            (12_345_678.0, "1.2345678E7"),
            (1e21, "1.0E21"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(Number::Double(number).text(), expect);
        }
        assert_eq!(Number::Float(1.1).text(), "1.1");
    }

    #[test]
    fn arithmetic() {
        #[track_caller]
        fn check(left: &Number, op: Arithmetic, right: &Number, expect: &str) {
            let shown =
                left.compute(op, right).map(|n| format!("{} {}", n.class().rsplit('.').next().unwrap(), n.text()));
            assert_eq!(shown.unwrap_or_else(|failure| failure.to_string()), expect);
        }
        use Arithmetic::{Add, BitAnd, Divide, Multiply, Remainder};
        check(&Number::int(i64::from(i32::MAX)), Add, &Number::int(1), "Integer -2147483648");
        check(&Number::Whole(127, Width::Byte), Add, &Number::Whole(1, Width::Byte), "Integer 128");
        check(&long(i64::MAX), Add, &Number::int(1), "Long -9223372036854775808");
        check(&Number::int(1), Divide, &Number::int(2), "BigDecimal 0.5");
        check(&long(7), Remainder, &Number::int(-3), "Long 1");
        check(&long(7), Remainder, &long(0), "Division by zero");
        check(&long(7), Divide, &long(0), "Division by zero");
        check(&decimal("1.5"), Multiply, &Number::int(2), "BigDecimal 3.0");
        check(&decimal("1.5"), Add, &Number::Double(1.0), "Double 2.5");
        check(
            &decimal("5.5"),
            Remainder,
            &Number::int(2),
            "Cannot use mod() on this number type: java.math.BigDecimal",
        );
        check(&Number::Double(1.0), Divide, &Number::int(0), "Double Infinity");
        check(&Number::int(6), BitAnd, &long(3), "Long 2");
    }

    #[test]
    fn comparison() {
        let same = [Number::Whole(2, Width::Byte), long(2), decimal("2.00"), Number::Double(2.0), Number::Float(2.0)];
        for left in &same {
            for right in &same {
                assert_eq!(left.compare(right), Ordering::Equal);
            }
        }
        assert!(long(2).same(&long(2)) && !long(2).same(&Number::int(2)) && !decimal("2.0").same(&decimal("2")));
        assert_eq!(Number::Float(1.1).compare(&decimal("1.1")), Ordering::Greater);
        assert_eq!(
            (Number::Double(-2.7).to_int(), long(1 << 32).to_int(), Number::Double(1e10).to_int()),
            (-2, 0, 2_147_483_647)
        );
    }
}
