//! Values of MariaDB's COMPRESSED columns, as the binlog carries them.
//!
//! The first byte says how: its high half the method (0 none, 8 zlib), bit 3 that the deflate stream has no zlib header, and
//! its low three bits how many bytes of the value's length follow, big-endian. An empty value has no bytes at all.

use flate2::{Decompress, FlushDecompress, Status};

/// The largest value of a column: LONGBLOB.
const LARGEST: u64 = 1 << 32;

/// The value; none when the bytes are not of this form.
pub(super) fn plain(raw: &[u8]) -> Option<Vec<u8>> {
    let Some((head, rest)) = raw.split_first() else { return Some(Vec::new()) };
    if *head == 0 {
        return Some(rest.to_vec());
    }
    let (length, deflated) = rest.split_at_checked(usize::from(head & 7))?;
    let length = length.iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
    // Deflate makes at most 1032 bytes of one, so a length beyond that is not a value's, and is not believed.
    let believable = length <= LARGEST && length <= deflated.len() as u64 * 1032 + 1032;
    if head >> 4 != 8 || !believable {
        return None;
    }
    let mut out = Vec::with_capacity(usize::try_from(length).ok()?);
    let end = Decompress::new(head & 8 == 0).decompress_vec(deflated, &mut out, FlushDecompress::Finish);
    (end.is_ok_and(|status| status == Status::StreamEnd) && out.len() as u64 == length).then_some(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Bytes of a binlog of MariaDB 10.11.
    #[test]
    fn values_of_a_binlog() {
        let raw = [0x8a, 0x01, 0xf4, 0xab, 0xa8, 0x18, 0x05, 0x23, 0x0d, 0x00, 0x00];
        assert_eq!(plain(&raw), Some(vec![b'x'; 500]));
        // With column_compression_zlib_wrap=1.
        let wrapped =
            [0x82, 0x01, 0xf4, 0x78, 0x9c, 0xab, 0xa8, 0x18, 0x05, 0x23, 0x0d, 0x00, 0x00, 0x66, 0x4f, 0xea, 0x61];
        assert_eq!(plain(&wrapped), Some(vec![b'x'; 500]));
        assert_eq!(plain(b"\0abc"), Some(b"abc".to_vec()));
        assert_eq!(plain(b""), Some(Vec::new()));
    }

    #[test]
    fn values_that_are_broken() {
        for raw in [&[0x8a, 0x01][..], &[0x8a, 0x01, 0xf4, 0xab], &[0x92, 0, 1, 0], &[0x8c, 0xff, 0xff, 0xff, 0xff, 0]]
        {
            assert_eq!(plain(raw), None, "{raw:02x?}");
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_do_not_panic(raw in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = plain(&raw);
        }
    }
}
