//! The two hash functions, which give what they give in Java: `Object.hashCode`, and the MurmurHash3 of the Infinispan project,
//! which is not the usual one (its multipliers change from block to block).
//!
//! Must not know: where values come from.

use record::{Kind, Logical, Schema, Value, ValueRef};

settings::choices! {
    /// A hash function (`partition.hash.function`).
    pub(super) enum Hash {
        /// Java's `hashCode`.
        Java = "java",
        /// MurmurHash3 of texts, and of the `hashCode` of other values.
        Murmur = "murmur",
    }
}

const SEED: u64 = 9001;
const DAY_MS: i64 = 86_400_000;

impl Hash {
    /// The hash of a value, which is not null. `buffer` is memory to use.
    pub(super) fn of(self, schema: &Schema, cell: &ValueRef<'_>, buffer: &mut Vec<u8>) -> i32 {
        if matches!(schema.kind, Kind::String) {
            buffer.clear();
            let text = match cell {
                ValueRef::Text(text) => text.as_bytes(),
                other => {
                    other.write_text(buffer);
                    buffer.as_slice()
                }
            };
            return match self {
                Self::Java => text_hash(&String::from_utf8_lossy(text)),
                Self::Murmur => murmur(text),
            };
        }
        match (self, cell) {
            (Self::Java, cell) => cell_hash(schema, cell),
            // These are arrays of bytes in Debezium, and not buffers as other values of type BYTES.
            (Self::Murmur, cell) if schema.name.as_deref() == Some("io.debezium.data.Bits") => match cell.to_value() {
                Value::Bytes(bytes) => murmur(&bytes),
                other => murmur(&value_hash(schema, &other).to_le_bytes()),
            },
            (Self::Murmur, cell) => murmur(&cell_hash(schema, cell).to_le_bytes()),
        }
    }
}

fn cell_hash(schema: &Schema, cell: &ValueRef<'_>) -> i32 {
    match cell {
        ValueRef::Bool(truth) => bool_hash(*truth),
        ValueRef::Int(number) => int_hash(schema, *number),
        ValueRef::Float(number) => float_hash(*number),
        ValueRef::Double(number) => double_hash(*number),
        ValueRef::Bytes(bytes) => bytes_hash(bytes),
        ValueRef::Decimal { unscaled, scale } => {
            decimal_hash(&unscaled.unsigned_abs().to_be_bytes(), *unscaled < 0, *scale)
        }
        ValueRef::Shared(value) => value_hash(schema, value),
        ValueRef::Owned(value) => value_hash(schema, value),
        other => value_hash(schema, &other.to_value()),
    }
}

fn value_hash(schema: &Schema, value: &Value) -> i32 {
    let list = |hashes: &mut dyn Iterator<Item = i32>| {
        hashes.fold(1, |sum: i32, hash| sum.wrapping_mul(31).wrapping_add(hash))
    };
    match (value, &schema.kind) {
        (Value::Bool(truth), _) => bool_hash(*truth),
        (Value::Int(number), _) => int_hash(schema, *number),
        (Value::Float(number), _) => float_hash(*number),
        (Value::Double(number), _) => double_hash(*number),
        (Value::Text(text), _) => text_hash(text),
        (Value::Bytes(bytes), _) => bytes_hash(bytes),
        (Value::Decimal { unscaled, scale }, _) => {
            let negative = unscaled.first().is_some_and(|byte| byte & 0x80 != 0);
            decimal_hash(&magnitude(unscaled, negative), negative, *scale)
        }
        (Value::Array(items), Kind::Array(of)) => list(&mut items.iter().map(|item| value_hash(of, item))),
        (Value::Map(entries), Kind::Map(keys, of)) => {
            let entry = |(key, value): &(Value, Value)| value_hash(keys, key) ^ value_hash(of, value);
            entries.iter().map(entry).fold(0, i32::wrapping_add)
        }
        // In Java the hash of the schema counts too, which is another one in each run of a worker.
        (Value::Struct(values), Kind::Struct(fields)) => {
            list(&mut fields.iter().zip(values).map(|(field, value)| value_hash(&field.schema, value)))
        }
        _ => 0,
    }
}

fn bool_hash(truth: bool) -> i32 {
    if truth { 1231 } else { 1237 }
}

/// Small integers are their own hashes. A long, and a `java.util.Date` (of which the milliseconds count), are folded.
fn int_hash(schema: &Schema, number: i64) -> i32 {
    match (schema.logical, &schema.kind) {
        (Logical::Date, _) => fold(number.wrapping_mul(DAY_MS)),
        (Logical::Time | Logical::Timestamp, _) | (_, Kind::Int64) => fold(number),
        _ => number as i32,
    }
}

fn fold(number: i64) -> i32 {
    (number ^ ((number as u64) >> 32) as i64) as i32
}

fn float_hash(number: f32) -> i32 {
    (if number.is_nan() { 0x7fc0_0000 } else { number.to_bits() }) as i32
}

fn double_hash(number: f64) -> i32 {
    fold((if number.is_nan() { 0x7ff8_0000_0000_0000 } else { number.to_bits() }) as i64)
}

fn text_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0, |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// The hash of a `java.nio.ByteBuffer`.
fn bytes_hash(bytes: &[u8]) -> i32 {
    bytes.iter().rev().fold(1, |hash: i32, byte| hash.wrapping_mul(31).wrapping_add(i32::from(*byte as i8)))
}

/// The hash of a `java.math.BigDecimal`: that of its unscaled number, and the scale.
fn decimal_hash(magnitude: &[u8], negative: bool, scale: i32) -> i32 {
    let words = magnitude.rchunks(4).rev().map(|word| word.iter().fold(0_u32, |n, byte| n << 8 | u32::from(*byte)));
    let hash = words.fold(0_u32, |hash, word| hash.wrapping_mul(31).wrapping_add(word)) as i32;
    let hash = if negative { hash.wrapping_neg() } else { hash };
    hash.wrapping_mul(31).wrapping_add(scale)
}

/// The absolute value of a big-endian two's complement.
fn magnitude(bytes: &[u8], negative: bool) -> Vec<u8> {
    let mut out = bytes.to_vec();
    if negative {
        let mut carry = true;
        for byte in out.iter_mut().rev() {
            (*byte, carry) = (!*byte).overflowing_add(u8::from(carry));
        }
    }
    out
}

/// What the rounds of a murmur hash change.
struct Murmur {
    h1: u64,
    h2: u64,
    c1: u64,
    c2: u64,
}

impl Murmur {
    fn round(&mut self, k1: u64, k2: u64) {
        let k1 = k1.wrapping_mul(self.c1).rotate_left(23).wrapping_mul(self.c2);
        self.h1 = (self.h1 ^ k1).wrapping_add(self.h2);
        self.h2 = self.h2.rotate_left(41);
        let k2 = k2.wrapping_mul(self.c2).rotate_left(23).wrapping_mul(self.c1);
        self.h2 = (self.h2 ^ k2).wrapping_add(self.h1);
        self.h1 = self.h1.wrapping_mul(3).wrapping_add(0x52dc_e729);
        self.h2 = self.h2.wrapping_mul(3).wrapping_add(0x3849_5ab5);
        self.c1 = self.c1.wrapping_mul(5).wrapping_add(0x7b7d_159c);
        self.c2 = self.c2.wrapping_mul(5).wrapping_add(0x6bce_6396);
    }
}

fn mix(mut k: u64) -> u64 {
    k ^= k >> 33;
    k = k.wrapping_mul(0xff51_afd7_ed55_8ccd);
    k ^= k >> 33;
    k = k.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    k ^ k >> 33
}

/// The upper half of the first word of the hash.
fn murmur(bytes: &[u8]) -> i32 {
    let mut state = Murmur {
        h1: 0x9368_e53c_2f6a_f274 ^ SEED,
        h2: 0x586d_cd20_8f7c_d3fd ^ SEED,
        c1: 0x87c3_7b91_1142_53d5,
        c2: 0x4cf5_ad43_2745_937f,
    };
    let (blocks, rest) = bytes.as_chunks::<16>();
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    for block in blocks {
        state.round(word(&block[..8]), word(&block[8..]));
    }
    if !rest.is_empty() {
        // Java widens the bytes of the rest with their signs.
        let widened = |bytes: &[u8]| {
            let shifted = |(i, byte): (usize, &u8)| (i64::from(*byte as i8) as u64) << (8 * i);
            bytes.iter().enumerate().map(shifted).fold(0, |word, byte| word ^ byte)
        };
        let (first, second) = rest.split_at(rest.len().min(8));
        state.round(widened(first), widened(second));
    }
    let (mut h1, mut h2) = (state.h1, state.h2 ^ bytes.len() as u64);
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    (mix(h1).wrapping_add(mix(h2)) >> 32) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use record::unscaled_of;

    #[track_caller]
    fn check(schema: &Schema, value: &Value, java: Option<i32>, murmur: Option<i32>) {
        let mut buffer = Vec::new();
        for (hash, expect) in [(Hash::Java, java), (Hash::Murmur, murmur)] {
            let Some(expect) = expect else { continue };
            assert_eq!(hash.of(schema, &ValueRef::Shared(value), &mut buffer), expect, "{hash} of {value:?}");
            assert_eq!(hash.of(schema, &ValueRef::Owned(Box::new(value.clone())), &mut buffer), expect);
        }
    }

    fn of(kind: Kind) -> std::sync::Arc<Schema> {
        Schema::of(kind).build()
    }

    #[test]
    fn texts() {
        for (text, java, murmur) in [
            ("orange", Some(-1_008_851_410), -1_471_092_080),
            ("hammer", Some(-1_224_598_842), 693_644_843),
            ("c", Some(99), 1_763_063_760),
            ("", Some(0), 89_125_410),
            ("0123456789abcdef", None, 26_898_387),
            ("0123456789abcdefg", None, -1_536_414_354),
            ("é", Some(233), 646_796_076),
            ("naïve café €", None, 2_144_121_658),
        ] {
            check(&of(Kind::String), &Value::text(text), java, Some(murmur));
            let cell = ValueRef::Text(text);
            assert_eq!(Hash::Murmur.of(&of(Kind::String), &cell, &mut Vec::new()), murmur);
        }
        // Two code units of UTF-16: 0xd83d * 31 + 0xde00.
        check(&of(Kind::String), &Value::text("😀"), Some(0xd83d * 31 + 0xde00), None);
        let uuid = ValueRef::Uuid(&[0x11; 16]);
        let written = ValueRef::Text("11111111-1111-1111-1111-111111111111");
        for hash in [Hash::Java, Hash::Murmur] {
            let [uuid, written] = [&uuid, &written].map(|cell| hash.of(&of(Kind::String), cell, &mut Vec::new()));
            assert_eq!(uuid, written);
        }
    }

    #[test]
    fn numbers() {
        check(&of(Kind::Int64), &Value::Int(1), Some(1), Some(-1_931_162_451));
        check(&of(Kind::Int64), &Value::Int(-1), Some(0), None);
        check(&of(Kind::Int64), &Value::Int(99_999_999_999), Some(0x4876_e7ff ^ 0x17), None);
        for kind in [Kind::Int8, Kind::Int16, Kind::Int32] {
            check(&of(kind), &Value::Int(-5), Some(-5), None);
        }
        check(&of(Kind::Bool), &Value::Bool(true), Some(1231), None);
        check(&of(Kind::Bool), &Value::Bool(false), Some(1237), None);
        check(&of(Kind::Float32), &Value::Float(1.5), Some(0x3fc0_0000), None);
        check(&of(Kind::Float32), &Value::Float(-f32::NAN), Some(0x7fc0_0000), None);
        check(&of(Kind::Float64), &Value::Double(1.5), Some(0x3ff8_0000), None);
        check(&of(Kind::Float64), &Value::Double(f64::NAN), Some(0x7ff8_0000), None);
        check(&of(Kind::Float64), &Value::Double(-0.0), Some(i32::MIN), None);
    }

    #[test]
    fn dates() {
        let logical =
            |kind, name| Schema::of(kind).named(&format!("org.apache.kafka.connect.data.{name}"), Some(1)).build();
        let millis: i64 = 19_675 * DAY_MS;
        check(&logical(Kind::Int32, "Date"), &Value::Int(19_675), Some(fold(millis)), None);
        check(&logical(Kind::Int64, "Timestamp"), &Value::Int(millis), Some(fold(millis)), None);
        check(&logical(Kind::Int32, "Time"), &Value::Int(-7), Some(fold(-7)), None);
        let plain = Schema::of(Kind::Int32).named("io.debezium.time.Date", Some(1)).build();
        check(&plain, &Value::Int(-7), Some(-7), None);
    }

    /// The hashes of `new BigDecimal("…")`.
    #[test]
    fn decimals() {
        let schema = Schema::of(Kind::Bytes).named("org.apache.kafka.connect.data.Decimal", Some(1)).build();
        for (digits, negative, scale, expect) in [
            ("0", false, 0, 0),
            ("10", false, 1, 311),
            ("35", true, 1, -1084),
            // 2^32 + 2 is the words 1 and 2.
            ("4294967298", false, 0, (31 + 2) * 31),
            ("4294967298", true, 2, -(31 + 2) * 31 + 2),
            // 2^64 is the words 1, 0 and 0.
            ("18446744073709551616", false, 3, 31 * 31 * 31 + 3),
        ] {
            let unscaled = unscaled_of(digits.as_bytes(), negative);
            check(&schema, &Value::Decimal { unscaled, scale }, Some(expect), None);
            let number: i128 = digits.parse().unwrap();
            let cell = ValueRef::Decimal { unscaled: if negative { -number } else { number }, scale };
            assert_eq!(Hash::Java.of(&schema, &cell, &mut Vec::new()), expect);
        }
    }

    #[test]
    fn bytes_and_collections() {
        let bytes = || Value::Bytes(vec![1, 0xff]);
        // From the last byte to the first: (1 * 31 - 1) * 31 + 1.
        check(&of(Kind::Bytes), &bytes(), Some(931), Some(murmur(&931_i32.to_le_bytes())));
        assert_eq!(Hash::Java.of(&of(Kind::Bytes), &ValueRef::Hex(b"01ff"), &mut Vec::new()), 931);
        let bits = Schema::of(Kind::Bytes).named("io.debezium.data.Bits", Some(1)).build();
        check(&bits, &bytes(), Some(931), Some(murmur(&[1, 0xff])));
        let array = of(Kind::Array(Schema::of(Kind::Int32).optional().build()));
        check(&array, &Value::Array(vec![Value::Int(7), Value::Null]), Some((31 + 7) * 31), None);
        let map = of(Kind::Map(of(Kind::String), of(Kind::Int32)));
        let entries = vec![(Value::text("a"), Value::Int(1)), (Value::text("b"), Value::Int(2))];
        check(&map, &Value::Map(entries), Some(96 + 96), None);
        let structure = of(Kind::structure([("a", of(Kind::Int32)), ("b", of(Kind::String))]));
        check(&structure, &Value::Struct(vec![Value::Int(1), Value::text("a")]), Some((31 + 1) * 31 + 97), None);
    }

    proptest::proptest! {
        /// A number has one hash, whatever form it is kept in.
        #[test]
        fn forms_of_a_decimal(number: i128, scale in 0_i32..40) {
            let schema = Schema::of(Kind::Bytes).named("org.apache.kafka.connect.data.Decimal", Some(1)).build();
            let unscaled = unscaled_of(number.unsigned_abs().to_string().as_bytes(), number < 0);
            let owned = Value::Decimal { unscaled, scale };
            let cell = ValueRef::Decimal { unscaled: number, scale };
            proptest::prop_assert_eq!(cell_hash(&schema, &cell), value_hash(&schema, &owned));
        }

        /// Java's rule for texts that are put together, and murmur's for bytes and texts.
        #[test]
        fn parts_of_a_text(one: String, other: String) {
            let power = other.encode_utf16().fold(1_i32, |power, _| power.wrapping_mul(31));
            let whole = format!("{one}{other}");
            let expect = text_hash(&one).wrapping_mul(power).wrapping_add(text_hash(&other));
            proptest::prop_assert_eq!(text_hash(&whole), expect);
            let text = Value::text(&whole);
            let hash = Hash::Murmur.of(&of(Kind::String), &ValueRef::Shared(&text), &mut Vec::new());
            proptest::prop_assert_eq!(hash, murmur(whole.as_bytes()));
        }
    }
}
