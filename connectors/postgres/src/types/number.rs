//! Numbers: integers and floats from text, numeric from text and from its binary form, money (manual chapters 8.1, 8.2).

use record::{Value, ValueRef, unscaled_of};

/// An integer from text.
pub(super) fn int(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut n: i64 = 0;
    for d in digits {
        if !d.is_ascii_digit() {
            return None;
        }
        // Counted downwards, so that i64::MIN fits.
        n = n.checked_mul(10)?.checked_sub(i64::from(d - b'0'))?;
    }
    if negative { Some(n) } else { n.checked_neg() }
}

/// A float from text (`NaN`, `Infinity`, `-Infinity` included).
pub(super) fn float<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A numeric as sign, digits and scale.
pub(super) struct Digits {
    pub(super) negative: bool,
    /// ASCII digits without leading zeros; empty for zero.
    #[allow(clippy::struct_field_names, reason = "the manual's word")]
    pub(super) digits: Vec<u8>,
    pub(super) scale: i32,
}

/// The special values of numeric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    NaN,
    Infinity,
    MinusInfinity,
}

pub(super) enum Numeric {
    Finite(Digits),
    Special(Special),
}

/// A numeric from text.
pub(super) fn numeric(text: &[u8]) -> Option<Numeric> {
    match text {
        b"NaN" => return Some(Numeric::Special(Special::NaN)),
        b"Infinity" => return Some(Numeric::Special(Special::Infinity)),
        b"-Infinity" => return Some(Numeric::Special(Special::MinusInfinity)),
        _ => {}
    }
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
    Some(Numeric::Finite(Digits { negative, digits, scale }))
}

/// The unscaled value of a usual decimal, without allocating: at most 38 characters, exactly `scale` digits behind the
/// point. `None` for any other text, which [`numeric`] reads.
pub(super) fn decimal(text: &[u8], scale: i32) -> Option<i128> {
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
    /// The number at another scale. Digits that do not fit are rounded half up (Java's `RoundingMode.HALF_UP`).
    pub(super) fn at_scale(mut self, scale: i32) -> Self {
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
    pub(super) fn stripped(mut self) -> Self {
        while self.scale > 0 && self.digits.last() == Some(&b'0') {
            self.digits.pop();
            self.scale -= 1;
        }
        if self.digits.is_empty() {
            self.scale = 0;
        }
        self
    }

    pub(super) fn unscaled(&self) -> Vec<u8> {
        unscaled_of(&self.digits, self.negative && !self.digits.is_empty())
    }

    /// A Connect Decimal.
    pub(super) fn to_decimal<'a>(&self) -> ValueRef<'a> {
        ValueRef::Owned(Box::new(Value::Decimal { unscaled: self.unscaled(), scale: self.scale }))
    }

    /// io.debezium.data.VariableScaleDecimal.
    #[allow(clippy::wrong_self_convention, reason = "it is used up")]
    pub(super) fn to_variable<'a>(self) -> ValueRef<'a> {
        let own = self.stripped();
        let value = Value::Struct(vec![Value::Int(i64::from(own.scale)), Value::Bytes(own.unscaled())]);
        ValueRef::Owned(Box::new(value))
    }

    /// The number in plain notation, without an exponent.
    pub(super) fn to_plain(&self) -> String {
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

/// A numeric in its binary form (`numeric_send`): digits in base 10000, weight, sign, display scale.
pub(super) fn numeric_binary(raw: &[u8]) -> Option<Numeric> {
    let word = |i: usize| Some(u16::from_be_bytes([*raw.get(i * 2)?, *raw.get(i * 2 + 1)?]));
    let (count, weight, sign, scale) = (word(0)?, word(1)? as i16, word(2)?, word(3)?);
    let negative = match sign {
        0x0000 => false,
        0x4000 => true,
        0xc000 => return Some(Numeric::Special(Special::NaN)),
        0xd000 => return Some(Numeric::Special(Special::Infinity)),
        0xf000 => return Some(Numeric::Special(Special::MinusInfinity)),
        _ => return None,
    };
    // weight+1 groups stand before the point. The groups behind it hold `scale` decimal digits, the last group perhaps fewer
    // than four.
    let whole = i32::from(weight) + 1;
    let behind = (i32::from(scale) + 3) / 4;
    let mut digits = Vec::with_capacity(((whole.max(0) + behind) * 4) as usize);
    for i in 0..(whole.max(0) + behind) {
        // Index of the stored group that holds this place.
        let at = if whole >= 0 { i } else { i + whole };
        let value = if at >= 0 && at < i32::from(count) { word(4 + at as usize)? } else { 0 };
        if value > 9999 {
            return None;
        }
        for divisor in [1000, 100, 10, 1] {
            digits.push(b'0' + (value / divisor % 10) as u8);
        }
    }
    let keep = (whole.max(0) * 4 + i32::from(scale)) as usize;
    digits.truncate(keep);
    let zeros = digits.iter().take_while(|d| **d == b'0').count();
    digits.drain(..zeros);
    Some(Numeric::Finite(Digits { negative, digits, scale: i32::from(scale) }))
}

/// Money as the server prints it under lc_monetary=C (`-$1,234.50`): symbol and group marks are dropped, parentheses mean
/// negative.
pub(super) fn money(text: &[u8]) -> Option<Digits> {
    let negative = text.iter().any(|b| matches!(b, b'-' | b'('));
    let plain: Vec<u8> = text.iter().copied().filter(|b| b.is_ascii_digit() || *b == b'.').collect();
    match numeric(&plain)? {
        Numeric::Finite(digits) => Some(Digits { negative, ..digits }),
        Numeric::Special(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn plain(numeric: Option<Numeric>) -> String {
        match numeric {
            Some(Numeric::Finite(digits)) => digits.to_plain(),
            Some(Numeric::Special(special)) => format!("{special:?}"),
            None => "none".into(),
        }
    }

    #[test]
    fn binary_numerics() {
        for (words, expect) in [
            (vec![2, 0, 0, 2, 123, 4500], "123.45"),
            (vec![1, 0xffff, 0x4000, 3, 10], "-0.001"),
            (vec![1, 1, 0, 0, 1], "10000"),
            (vec![0, 0, 0, 2], "0.00"),
            (vec![1, 0xfffe, 0, 8, 1], "0.00000001"),
            (vec![3, 1, 0, 4, 12, 3456, 7890], "123456.7890"),
            (vec![0, 0, 0xc000, 0], "NaN"),
        ] {
            let raw: Vec<u8> = words.iter().flat_map(|w: &u16| w.to_be_bytes()).collect();
            assert_eq!(plain(numeric_binary(&raw)), expect);
        }
    }

    #[test]
    fn money_texts() {
        for (text, expect) in
            [("$12.34", "12.34"), ("-$92,233,720,368,547,758.08", "-92233720368547758.08"), ("($1.00)", "-1.00")]
        {
            assert_eq!(money(text.as_bytes()).unwrap().to_plain(), expect);
        }
    }

    #[test]
    fn rounding_is_half_up() {
        for (text, scale, expect) in
            [("1.25", 1, "1.3"), ("-1.25", 1, "-1.3"), ("9.99", 0, "10"), ("0.004", 2, "0.00"), ("7", 2, "7.00")]
        {
            let Some(Numeric::Finite(digits)) = numeric(text.as_bytes()) else { panic!() };
            assert_eq!(digits.at_scale(scale).to_plain(), expect);
        }
    }

    proptest! {
        #[test]
        fn text_and_binary_integers(n in any::<i64>()) {
            prop_assert_eq!(int(n.to_string().as_bytes()), Some(n));
            prop_assert_eq!(decimal(n.to_string().as_bytes(), 0), Some(i128::from(n)));
        }

        #[test]
        fn hostile_numerics_do_not_panic(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = numeric_binary(&raw);
            let _ = numeric(&raw);
            let _ = decimal(&raw, 2);
            let _ = money(&raw);
        }
    }
}
