//! Reads numbers and texts from bytes that may end anywhere.

use super::Fault;

/// What is left of some bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next `count` bytes. `what` is the field that they belong to, for the error.
    pub(crate) fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Fault::Short(what))?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Fault> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(Fault::Short(what))?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, Fault> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self, what: &'static str) -> Result<u16, Fault> {
        self.array(what).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, Fault> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, Fault> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A little-endian number of up to eight bytes.
    pub(crate) fn uint(&mut self, bytes: usize, what: &'static str) -> Result<u64, Fault> {
        self.take(bytes, what).map(little_endian)
    }

    /// A number in the protocol's form of one to nine bytes (`int<lenenc>`).
    pub(crate) fn packed(&mut self, what: &'static str) -> Result<u64, Fault> {
        match self.u8(what)? {
            small @ 0..=0xfa => Ok(u64::from(small)),
            0xfc => self.uint(2, what),
            0xfd => self.uint(3, what),
            0xfe => self.u64(what),
            0xfb | 0xff => Err(Fault::Malformed("a length begins with a byte that no length begins with")),
        }
    }

    /// As many bytes as the packed number before them says.
    pub(crate) fn packed_bytes(&mut self, what: &'static str) -> Result<&'a [u8], Fault> {
        let count = self.packed(what)?;
        self.take(usize::try_from(count).map_err(|_| Fault::Short(what))?, what)
    }

    /// Text of the length that one byte says.
    pub(crate) fn short_bytes(&mut self, what: &'static str) -> Result<&'a [u8], Fault> {
        let count = self.u8(what)?;
        self.take(usize::from(count), what)
    }

    /// All bytes that are left.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn is_empty(self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn left(self) -> usize {
        self.rest.len()
    }
}

/// A little-endian number of at most eight bytes; more are cut.
pub(crate) fn little_endian(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A name, which the server keeps in UTF-8.
pub(crate) fn name(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|_| Fault::Malformed("a name is not UTF-8"))
}
