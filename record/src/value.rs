//! Values: owned ones (defaults, keys that outlive their batch, computed columns) and the borrowed form of a cell.

use crate::text::write_zoned;

/// An owned Connect value. Each variant names the Connect types that it holds; which of them it is, the schema says.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Null, of any type.
    Null,
    /// BOOLEAN.
    Bool(bool),
    /// INT8 to INT64, and the logical types over them.
    Int(i64),
    /// FLOAT32.
    Float(f32),
    /// FLOAT64.
    Double(f64),
    /// STRING.
    Text(String),
    /// BYTES.
    Bytes(Vec<u8>),
    /// `org.apache.kafka.connect.data.Decimal`: big-endian two's complement of the unscaled value, and the scale.
    Decimal {
        /// Unscaled value.
        unscaled: Vec<u8>,
        /// Digits behind the point.
        scale: i32,
    },
    /// ARRAY.
    Array(Vec<Value>),
    /// MAP, in the order written.
    Map(Vec<(Value, Value)>),
    /// STRUCT, in the order of the schema's fields.
    Struct(Vec<Value>),
}

impl Value {
    /// A text value.
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// An INT value, null when there is no number.
    pub fn int(number: Option<i64>) -> Self {
        number.map_or(Self::Null, Self::Int)
    }
}

/// A decoded cell: borrowed from the batch where possible, else small enough to copy.
///
/// Some variants keep a compact form (a decimal its unscaled number, an instant its microseconds). A text or bytes are made
/// of it only when a converter writes.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueRef<'a> {
    /// SQL NULL, or absent and nullable.
    Null,
    /// BOOLEAN.
    Bool(bool),
    /// Every integer width, and the logical types over integers.
    Int(i64),
    /// FLOAT32.
    Float(f32),
    /// FLOAT64.
    Double(f64),
    /// STRING.
    Text(&'a str),
    /// BYTES.
    Bytes(&'a [u8]),
    /// BYTES, given as hexadecimal digits (an even number of them, checked by the decoder).
    Hex(&'a [u8]),
    /// Decimal of at most 38 digits.
    Decimal {
        /// Unscaled value.
        unscaled: i128,
        /// Digits behind the point.
        scale: i32,
    },
    /// STRING: an instant in UTC, microseconds since 1970, with this many fraction digits (io.debezium.time.ZonedTimestamp).
    Zoned {
        /// Microseconds since 1970-01-01T00:00:00Z.
        micros: i64,
        /// Number of fraction digits, 0 to 6.
        digits: u8,
    },
    /// STRING: the sixteen bytes of a UUID.
    Uuid(&'a [u8; 16]),
    /// STRING: a JSON array of two texts, null where a number is unknown: `["commit","lsn"]`.
    Sequence {
        /// The last commit's LSN.
        commit: Option<i64>,
        /// The event's LSN.
        lsn: Option<i64>,
    },
    /// Anything that has no compact form (arrays, structs, numbers of more than 38 digits).
    Owned(Box<Value>),
    /// A value that belongs to the shape (a default, a placeholder).
    Shared(&'a Value),
}

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes a UUID in its canonical lower-case form.
pub(crate) fn write_uuid(out: &mut Vec<u8>, uuid: &[u8; 16]) {
    for (i, byte) in uuid.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

fn write_sequence(out: &mut Vec<u8>, commit: Option<i64>, lsn: Option<i64>) {
    for (before, number) in [(b'[', commit), (b',', lsn)] {
        out.push(before);
        match number {
            None => out.extend_from_slice(b"null"),
            Some(number) => {
                out.push(b'"');
                out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
                out.push(b'"');
            }
        }
    }
    out.push(b']');
}

impl ValueRef<'_> {
    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        match self {
            Self::Null | Self::Shared(Value::Null) => true,
            Self::Owned(value) => **value == Value::Null,
            _ => false,
        }
    }

    /// The number of an integer cell of any width; none for null and for other types.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) | Self::Shared(Value::Int(number)) => Some(*number),
            Self::Owned(value) => {
                if let Value::Int(number) = &**value {
                    Some(*number)
                } else {
                    None
                }
            }
            _ => None,
        }
    }

    /// Writes a textual cell's text (UTF-8, unescaped); false when the cell is not a text.
    pub fn write_text(&self, out: &mut Vec<u8>) -> bool {
        match self {
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Zoned { micros, digits } => write_zoned(out, *micros, *digits),
            Self::Uuid(uuid) => write_uuid(out, uuid),
            Self::Sequence { commit, lsn } => write_sequence(out, *commit, *lsn),
            Self::Shared(Value::Text(text)) => out.extend_from_slice(text.as_bytes()),
            Self::Owned(value) => match value.as_ref() {
                Value::Text(text) => out.extend_from_slice(text.as_bytes()),
                _ => return false,
            },
            _ => return false,
        }
        true
    }

    /// The same value, owning what it needs.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(i) => Value::Int(*i),
            Self::Float(f) => Value::Float(*f),
            Self::Double(d) => Value::Double(*d),
            Self::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            // The decoder has checked the digits.
            Self::Hex(digits) => Value::Bytes(unhex_checked(digits).collect()),
            Self::Decimal { unscaled, scale } => Value::Decimal { unscaled: twos_complement(*unscaled), scale: *scale },
            Self::Owned(value) => (**value).clone(),
            Self::Shared(value) => (*value).clone(),
            Self::Text(_) | Self::Zoned { .. } | Self::Uuid(_) | Self::Sequence { .. } => {
                let mut text = Vec::with_capacity(36);
                self.write_text(&mut text);
                Value::Text(String::from_utf8_lossy(&text).into_owned())
            }
        }
    }
}

/// Bytes from pairs of hexadecimal digits; `None` if the text is not made of such pairs.
pub fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).map(|n| n as u8);
    digits.chunks_exact(2).map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect()
}

/// The bytes of pairs of hexadecimal digits that were checked before; other characters give any bytes. Unlike [`unhex`], this
/// neither looks at the digits one by one nor makes a list, which counts for each cell.
#[inline]
pub fn unhex_checked(digits: &[u8]) -> impl ExactSizeIterator<Item = u8> {
    // '0'–'9' are 0x30–0x39, so the lower half is the digit. 'A'–'F' and 'a'–'f' have 1–6 in the lower half and bit 6 set.
    let nibble = |digit: u8| (digit & 15) + 9 * (digit >> 6);
    let (pairs, _) = digits.as_chunks::<2>();
    pairs.iter().map(move |[high, low]| nibble(*high) << 4 | nibble(*low))
}

/// The minimal big-endian two's complement of a number: what `java.math.BigInteger.toByteArray` gives.
pub fn twos_complement(number: i128) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    bytes[leading_sign_bytes(&bytes)..].to_vec()
}

/// The big-endian two's complement of a number of 64 bits, and the index at which its minimal form begins.
#[inline]
pub fn small_twos_complement(number: i64) -> ([u8; 8], usize) {
    // How many leading bytes only repeat the sign; one sign bit must stay.
    let spare = (if number < 0 { number.leading_ones() } else { number.leading_zeros() } - 1) / 8;
    (number.to_be_bytes(), spare as usize)
}

/// How many leading bytes of a two's complement only repeat the sign.
fn leading_sign_bytes(bytes: &[u8]) -> usize {
    let mut skip = 0;
    while skip + 1 < bytes.len()
        && (bytes[skip] == 0 && bytes[skip + 1] < 0x80 || bytes[skip] == 0xff && bytes[skip + 1] >= 0x80)
    {
        skip += 1;
    }
    skip
}

/// The minimal two's complement of `digits` (ASCII 0–9, any number of them), negated where asked.
pub fn unscaled_of(digits: &[u8], negative: bool) -> Vec<u8> {
    // From nine decimal digits at a time to base 2^32, by repeated multiply-add. Simple rather than fast: numbers of more
    // than 38 digits are rare.
    let mut limbs: Vec<u32> = vec![0];
    for chunk in digits.chunks(9) {
        let mut carry = u64::from(chunk.iter().fold(0_u32, |n, d| n * 10 + u32::from(d - b'0')));
        let factor = 10_u64.pow(chunk.len() as u32);
        for limb in &mut limbs {
            let product = u64::from(*limb) * factor + carry;
            *limb = product as u32;
            carry = product >> 32;
        }
        if carry > 0 {
            limbs.push(carry as u32);
        }
    }
    let mut bytes: Vec<u8> = std::iter::once(0).chain(limbs.iter().rev().flat_map(|limb| limb.to_be_bytes())).collect();
    if negative {
        let mut carry = true;
        for byte in bytes.iter_mut().rev() {
            let (sum, over) = (!*byte).overflowing_add(u8::from(carry));
            (*byte, carry) = (sum, over);
        }
    }
    bytes.split_off(leading_sign_bytes(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hexadecimal_digits() {
        for (digits, expect) in
            [("", Some(vec![])), ("00fFA1", Some(vec![0, 255, 0xa1])), ("0", None), ("0g", None), ("+1", None)]
        {
            assert_eq!(unhex(digits.as_bytes()), expect, "{digits}");
        }
        for byte in 0..=u8::MAX {
            for digits in [format!("{byte:02x}"), format!("{byte:02X}")] {
                assert_eq!(unhex_checked(digits.as_bytes()).collect::<Vec<_>>(), [byte], "{digits}");
            }
        }
    }

    #[test]
    fn minimal_twos_complement() {
        for (number, expect) in
            [(0, vec![0]), (127, vec![127]), (128, vec![0, 128]), (-128, vec![128]), (-129, vec![0xff, 127])]
        {
            assert_eq!(twos_complement(number), expect, "{number}");
        }
    }

    proptest! {
        #[test]
        fn digits_and_numbers_agree(number in any::<i64>()) {
            let digits = number.unsigned_abs().to_string();
            prop_assert_eq!(unscaled_of(digits.as_bytes(), number < 0), twos_complement(i128::from(number)));
        }
    }
}
