//! Exact decimals under `decimal.handling.mode`: their schema, the bytes of their unscaled value, their text.

use record::{Kind, SchemaBuilder, Value, ValueRef, unscaled_of};

use super::connect;

/// The required schema of Connect's Decimal; `precision` only where the column has one.
pub fn schema(precision: Option<i32>, scale: i32) -> SchemaBuilder {
    let schema = connect(Kind::Bytes, "Decimal").parameter("scale", &scale.to_string());
    match precision {
        Some(precision) => schema.parameter("connect.decimal.precision", &precision.to_string()),
        None => schema,
    }
}

/// A number as sign, digits and scale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digits {
    /// Whether there is a minus sign. A zero may have one; it is not shown.
    pub negative: bool,
    /// ASCII digits without leading zeros; empty for zero.
    #[allow(clippy::struct_field_names, reason = "the manual's word")]
    pub digits: Vec<u8>,
    /// Digits behind the point.
    pub scale: i32,
}

/// The unscaled value of a usual decimal, without allocating: at most 38 characters, exactly `scale` digits behind the
/// point. `None` for any other text, which [`Digits::parse`] reads.
pub fn short(text: &[u8], scale: i32) -> Option<i128> {
    let (negative, text) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    if text.len() > 38 {
        return None;
    }
    let mut seen = -1_i32;
    // Most numbers are short enough for 64-bit arithmetic, which is faster than 128-bit.
    if text.len() <= 19 {
        let mut n: u64 = 0;
        for b in text {
            match b {
                b'0'..=b'9' => n = n * 10 + u64::from(b - b'0'),
                b'.' if seen < 0 => {
                    seen = 0;
                    continue;
                }
                _ => return None,
            }
            seen += i32::from(seen >= 0);
        }
        return (seen.max(0) == scale).then(|| if negative { -i128::from(n) } else { i128::from(n) });
    }
    let mut n: i128 = 0;
    for b in text {
        match b {
            b'0'..=b'9' => n = n.checked_mul(10)?.checked_add(i128::from(b - b'0'))?,
            b'.' if seen < 0 => {
                seen = 0;
                continue;
            }
            _ => return None,
        }
        seen += i32::from(seen >= 0);
    }
    (seen.max(0) == scale).then_some(if negative { -n } else { n })
}

impl Digits {
    /// A finite number from text: a minus sign, digits, a point. `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (negative, text) = match text.split_first()? {
            (b'-', rest) => (true, rest),
            _ => (false, text),
        };
        let (mut digits, mut scale, mut point) = (Vec::with_capacity(text.len()), 0, false);
        for b in text {
            match b {
                b'0'..=b'9' => {
                    if !(digits.is_empty() && *b == b'0') {
                        digits.push(*b);
                    }
                    scale += i32::from(point);
                }
                b'.' if !point => point = true,
                _ => return None,
            }
        }
        Some(Self { negative, digits, scale })
    }

    /// The number at another scale. Digits that do not fit are rounded half up (Java's `RoundingMode.HALF_UP`).
    #[must_use]
    pub fn at_scale(mut self, scale: i32) -> Self {
        if scale >= self.scale {
            if !self.digits.is_empty() {
                self.digits.resize(self.digits.len() + (scale - self.scale) as usize, b'0');
            }
        } else {
            let cut = (self.scale - scale) as usize;
            let up =
                if cut <= self.digits.len() { self.digits.get(self.digits.len() - cut) >= Some(&b'5') } else { false };
            self.digits.truncate(self.digits.len().saturating_sub(cut));
            if up {
                let mut i = self.digits.len();
                loop {
                    if i == 0 {
                        self.digits.insert(0, b'1');
                        break;
                    }
                    i -= 1;
                    if self.digits[i] == b'9' {
                        self.digits[i] = b'0';
                    } else {
                        self.digits[i] += 1;
                        break;
                    }
                }
            }
        }
        self.scale = scale;
        self
    }

    /// Without trailing zeros behind the point; a scale is never below zero.
    #[must_use]
    pub fn stripped(mut self) -> Self {
        while self.scale > 0 && self.digits.last() == Some(&b'0') {
            self.digits.pop();
            self.scale -= 1;
        }
        if self.digits.is_empty() {
            self.scale = 0;
        }
        self
    }

    /// The minimal big-endian two's complement of the unscaled value.
    pub fn unscaled(&self) -> Vec<u8> {
        unscaled_of(&self.digits, self.negative && !self.digits.is_empty())
    }

    /// A Connect Decimal.
    pub fn to_decimal<'a>(&self) -> ValueRef<'a> {
        ValueRef::Owned(Box::new(Value::Decimal { unscaled: self.unscaled(), scale: self.scale }))
    }

    /// io.debezium.data.VariableScaleDecimal.
    #[allow(clippy::wrong_self_convention, reason = "it is used up")]
    pub fn to_variable<'a>(self) -> ValueRef<'a> {
        let own = self.stripped();
        let value = Value::Struct(vec![Value::Int(i64::from(own.scale)), Value::Bytes(own.unscaled())]);
        ValueRef::Owned(Box::new(value))
    }

    /// The number in plain notation, without an exponent.
    pub fn to_plain(&self) -> String {
        let mut out = String::with_capacity(self.digits.len() + 3);
        if self.negative && !self.digits.is_empty() {
            out.push('-');
        }
        let scale = self.scale as usize;
        let padded = format!("{:0>width$}", std::str::from_utf8(&self.digits).unwrap_or(""), width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        out.push_str(whole);
        if scale > 0 {
            out.push('.');
            out.push_str(fraction);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rounding_is_half_up() {
        for (text, scale, expect) in
            [("1.25", 1, "1.3"), ("-1.25", 1, "-1.3"), ("9.99", 0, "10"), ("0.004", 2, "0.00"), ("7", 2, "7.00")]
        {
            assert_eq!(Digits::parse(text.as_bytes()).unwrap().at_scale(scale).to_plain(), expect);
        }
    }

    proptest! {
        #[test]
        fn the_short_way_gives_the_same(n in any::<i64>(), scale in 0_i32..20) {
            let digits = format!("{:0>21}", n.unsigned_abs());
            let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
            let sign = if n < 0 { "-" } else { "" };
            let text = if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") };
            let parsed = Digits::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(short(text.as_bytes(), scale), Some(i128::from(n)));
            prop_assert_eq!(parsed.unscaled(), record::twos_complement(i128::from(n)));
            prop_assert_eq!(parsed.scale, scale);
        }

        #[test]
        fn hostile_texts_do_not_panic(raw in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = short(&raw, 2);
            let _ = Digits::parse(&raw).map(|digits| digits.at_scale(2).stripped().to_plain());
        }
    }
}
