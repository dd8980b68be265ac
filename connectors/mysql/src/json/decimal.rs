//! Decimals in the server's binary form.

use crate::binlog::decimal_width;

/// Writes a decimal in plain digits. `bytes` are groups of nine digits in four bytes each, the highest byte first, with
/// fewer bytes for the outermost digits on both sides of the point; the first bit is set in numbers that are not
/// negative, and all bits are inverted in those that are. None if the bytes are no such decimal.
pub(super) fn write(out: &mut Vec<u8>, bytes: &[u8], precision: u8, scale: u8) -> Option<()> {
    if usize::from(decimal_width(precision, scale)?) != bytes.len() {
        return None;
    }
    let negative = bytes.first()? & 0x80 == 0;
    let mut bytes = bytes.iter().enumerate().map(|(i, byte)| {
        let byte = if i == 0 { byte ^ 0x80 } else { *byte };
        if negative { !byte } else { byte }
    });
    let mut group = |digits: u8| {
        const BYTES: [u8; 10] = [0, 1, 1, 2, 2, 3, 3, 4, 4, 4];
        let width = usize::from(BYTES[usize::from(digits)]);
        bytes.by_ref().take(width).fold(0_u32, |number, byte| number << 8 | u32::from(byte))
    };
    let mut digits = Vec::with_capacity(usize::from(precision) + 9);
    let mut push = |number: u32, count: u8| {
        let text = format!("{number:0width$}", width = usize::from(count));
        digits.extend_from_slice(text.as_bytes());
        text.len() == usize::from(count)
    };
    let (whole, last) = (precision - scale, scale % 9);
    let mut good = true;
    if whole % 9 > 0 {
        good &= push(group(whole % 9), whole % 9);
    }
    for _ in 0..whole / 9 + scale / 9 {
        good &= push(group(9), 9);
    }
    if last > 0 {
        good &= push(group(last), last);
    }
    if !good {
        return None;
    }
    if negative {
        out.push(b'-');
    }
    let (whole, fraction) = digits.split_at_checked(usize::from(whole))?;
    let zeros = whole.iter().take_while(|digit| **digit == b'0').count();
    match &whole[zeros..] {
        [] => out.push(b'0'),
        digits => out.extend_from_slice(digits),
    }
    if !fraction.is_empty() {
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
    Some(())
}
