//! MariaDB's compressed statements and rows (`log_bin_compress`): a length and zlib data.

use flate2::{Decompress, FlushDecompress, Status};

use super::{Fault, MAX_EVENT_BYTES};

/// Decompresses into a new buffer.
pub(super) fn inflated(bytes: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    inflate_into(bytes, &mut out)?;
    Ok(out)
}

/// Decompresses behind what is in `out`. The first byte says the algorithm (0 is zlib) in bits 4 to 6 and the number of
/// bytes of the length in the lowest three; the length follows, the highest byte first.
pub(super) fn inflate_into(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    const WHAT: &str = "the compressed data";
    let (first, rest) = bytes.split_first().ok_or(Fault::Short(WHAT))?;
    if first & 0xf0 != 0x80 {
        return Err(Fault::Malformed("the data is not compressed with zlib"));
    }
    let count = usize::from(first & 7);
    if count > 4 {
        return Err(Fault::Malformed("the length of the decompressed data has more than four bytes"));
    }
    let (length, data) = rest.split_at_checked(count).ok_or(Fault::Short(WHAT))?;
    let length = length.iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
    if length > MAX_EVENT_BYTES {
        return Err(Fault::TooLarge { what: "the decompressed event", size: length, most: MAX_EVENT_BYTES });
    }
    // zlib makes at most 1032 bytes of one; what says more lies, and must not make us ask for so much memory.
    if length > (data.len() as u64).saturating_mul(1032) {
        return Err(Fault::Malformed("the decompressed data would be longer than zlib can make it"));
    }
    // The bound above makes this fit.
    let length = length as usize;
    let start = out.len();
    out.resize(start + length, 0);
    let mut zlib = Decompress::new(true);
    let written = out.get_mut(start..).unwrap_or_default();
    let status = zlib.decompress(data, written, FlushDecompress::Finish);
    if !matches!(status, Ok(Status::StreamEnd)) || zlib.total_out() != length as u64 {
        out.truncate(start);
        return Err(Fault::Decompress("zlib"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn deflated(text: &[u8], length: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text).unwrap();
        [&[0x80 | length.len() as u8], length, &encoder.finish().unwrap()].concat()
    }

    #[track_caller]
    fn check(bytes: &[u8], expect: Result<&[u8], Fault>) {
        assert_eq!(inflated(bytes).as_deref().map_err(|fault| *fault), expect);
    }

    #[test]
    fn a_statement_is_decompressed() {
        check(&deflated(b"insert into t", &[13]), Ok(b"insert into t"));
        check(&deflated(b"insert into t", &[0, 0, 13]), Ok(b"insert into t"));
    }

    #[test]
    fn a_wrong_length_is_an_error() {
        check(&deflated(b"insert into t", &[12]), Err(Fault::Decompress("zlib")));
        check(&deflated(b"insert into t", &[14]), Err(Fault::Decompress("zlib")));
    }

    #[test]
    fn a_length_that_zlib_cannot_reach_is_refused_before_memory_is_asked_for() {
        let fault = Fault::Malformed("the decompressed data would be longer than zlib can make it");
        check(&deflated(b"insert into t", &[0x3f, 0, 0, 0]), Err(fault));
    }

    #[test]
    fn an_end_in_the_middle_is_an_error() {
        let bytes = deflated(b"insert into t", &[13]);
        check(&bytes[..bytes.len() - 6], Err(Fault::Decompress("zlib")));
        check(&[], Err(Fault::Short("the compressed data")));
    }

    #[test]
    fn another_algorithm_is_an_error() {
        check(&[0x91, 1, 0], Err(Fault::Malformed("the data is not compressed with zlib")));
    }
}
