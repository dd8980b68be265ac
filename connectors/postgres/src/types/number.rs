//! Numbers: numeric from text and from its binary form, money (manual chapters 8.1, 8.2).

use relational::values::decimal::Digits;

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
    Digits::parse(text).map(Numeric::Finite)
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

    proptest! {
        #[test]
        fn hostile_numerics_do_not_panic(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = numeric_binary(&raw);
            let _ = numeric(&raw);
            let _ = money(&raw);
        }
    }
}
