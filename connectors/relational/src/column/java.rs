//! Two behaviours of Java that Debezium's results depend on: how a string is serialised, and the order of a `HashMap`.
//!
//! Must not know: what they are used for.

/// Passes to `write`, in pieces, what `java.io.ObjectOutputStream` writes for a string: the stream's magic and version,
/// the tag `TC_STRING`, the length in two bytes, and the string in "modified UTF-8". A string of 65536 bytes or more
/// has the tag `TC_LONGSTRING` and a length of eight bytes instead. See the Java Object Serialization Specification,
/// chapter 6.
pub(super) fn write_serialised(text: &str, mut write: impl FnMut(&[u8])) {
    const HEADER: [u8; 4] = [0xac, 0xed, 0, 5];
    write(&HEADER);
    let length = text.chars().map(modified_bytes).sum::<usize>();
    if let Ok(short) = u16::try_from(length) {
        write(&[0x74]);
        write(&short.to_be_bytes());
    } else {
        write(&[0x7c]);
        write(&(length as u64).to_be_bytes());
    }
    if length == text.len() {
        return write(text.as_bytes());
    }
    let mut units = [0_u16; 2];
    let mut utf8 = [0_u8; 4];
    for c in text.chars() {
        match c {
            '\0' => write(&[0xc0, 0x80]),
            '\u{10000}'.. => {
                for unit in c.encode_utf16(&mut units) {
                    write(&[0xe0 | (*unit >> 12) as u8, 0x80 | (*unit >> 6 & 0x3f) as u8, 0x80 | (*unit & 0x3f) as u8]);
                }
            }
            c => write(c.encode_utf8(&mut utf8).as_bytes()),
        }
    }
}

/// The length of a character in modified UTF-8: U+0000 takes two bytes, and a character beyond U+FFFF takes three for
/// each of its two UTF-16 units (`java.io.DataInput`).
fn modified_bytes(c: char) -> usize {
    match c {
        '\0' => 2,
        '\u{10000}'.. => 6,
        c => c.len_utf8(),
    }
}

/// Sorts `entries` as a `java.util.HashMap` with `keys_in_all` keys iterates over them: by bucket, and within a bucket
/// in the order of insertion, which is the given order.
pub fn in_map_order<T>(entries: &mut [T], keys_in_all: usize, name: impl Fn(&T) -> &str) {
    // The number of buckets doubles when there are more keys than three quarters of it.
    let mut buckets = 16_usize;
    while keys_in_all * 4 > buckets * 3 {
        buckets *= 2;
    }
    entries.sort_by_key(|entry| {
        let hash = string_hash(name(entry));
        (hash ^ hash >> 16) as usize & (buckets - 1)
    });
}

/// `java.lang.String.hashCode`.
fn string_hash(text: &str) -> u32 {
    text.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn serialised(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        write_serialised(text, |bytes| out.extend_from_slice(bytes));
        out
    }

    #[test]
    fn strings_as_java_writes_them() {
        assert_eq!(serialised("ab"), b"\xac\xed\0\x05\x74\0\x02ab");
        assert_eq!(serialised("ü"), b"\xac\xed\0\x05\x74\0\x02\xc3\xbc");
        assert_eq!(serialised("\0"), b"\xac\xed\0\x05\x74\0\x02\xc0\x80");
        assert_eq!(serialised("😀"), b"\xac\xed\0\x05\x74\0\x06\xed\xa0\xbd\xed\xb8\x80");
        assert_eq!(&serialised(&"a".repeat(65535))[4..7], b"\x74\xff\xff");
        assert_eq!(&serialised(&"a".repeat(65536))[4..13], b"\x7c\0\0\0\0\0\x01\0\0");
    }

    proptest! {
        /// The length that is written is the number of bytes that follow, and none of these bytes is zero.
        #[test]
        fn the_length_is_that_of_the_bytes(text in "\\PC{0,40}|[\\x00-\\x02😀ü漢]{0,9}") {
            let bytes = serialised(&text);
            prop_assert_eq!(usize::from(u16::from_be_bytes([bytes[5], bytes[6]])), bytes.len() - 7);
            prop_assert!(!bytes[7..].contains(&0));
        }
    }

    #[test]
    fn the_order_of_a_hash_map() {
        let order = |keys: &[&str], all| {
            let mut keys = keys.to_vec();
            in_map_order(&mut keys, all, |key| key);
            keys.join(" ")
        };
        assert_eq!(order(&["key4", "key5"], 2), "key5 key4");
        let masks = ["column.mask.with.12.chars", "column.mask.with.4.chars"];
        assert_eq!(order(&masks, 24), "column.mask.with.12.chars column.mask.with.4.chars");
        assert_eq!(order(&masks, 27), "column.mask.with.4.chars column.mask.with.12.chars");
    }
}
