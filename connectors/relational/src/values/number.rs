//! Integers and floats from text.

/// An integer from text: a minus sign and at most 19 digits. `None` for anything else.
pub fn int(text: &[u8]) -> Option<i64> {
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

/// A float from text (`NaN`, `Infinity`, `-Infinity` included). `None` for anything else.
pub fn float<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn integers(n in any::<i64>()) {
            prop_assert_eq!(int(n.to_string().as_bytes()), Some(n));
        }

        #[test]
        fn hostile_texts_do_not_panic(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (int(&raw), float::<f64>(&raw), float::<f32>(&raw));
        }
    }
}
