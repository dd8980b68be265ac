//! A `java.util.HashMap<byte[], byte[]>` in Java's object serialization stream: the standalone worker's offset file.
//!
//! The format is that of the *Java Object Serialization Specification*, chapter 6 (stream protocol), as far as such a map
//! needs it. Reading trusts no length: a broken file is an error, never a panic or an allocation beyond the file's size.

use std::collections::BTreeMap;

/// Why a file is not such a map.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not a Java offset file: {what} at byte {at}; move it away to start without stored offsets")]
pub(super) struct Malformed {
    what: &'static str,
    at: usize,
}

const TC_NULL: u8 = 0x70;
const TC_REFERENCE: u8 = 0x71;
const TC_CLASSDESC: u8 = 0x72;
const TC_OBJECT: u8 = 0x73;
const TC_ARRAY: u8 = 0x75;
const TC_BLOCKDATA: u8 = 0x77;
const TC_ENDBLOCKDATA: u8 = 0x78;
const FIRST_HANDLE: u32 = 0x007e_0000;

const HEADER: &[u8] = b"\xac\xed\x00\x05";
/// The start of the object: its class, the descriptors of its two fields, the end of annotations, no superclass.
const HASH_MAP: &[u8] = b"\x73\x72\x00\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\x00\x02\
    F\x00\x0aloadFactorI\x00\x09thresholdxp";
const BYTE_ARRAY: &[u8] = b"\x72\x00\x02[B\xac\xf3\x17\xf8\x06\x08\x54\xe0\x02\x00\x00xp";

/// Writes the map as such a stream; a value of `None` is Java's null.
pub(super) fn write(entries: &BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Vec<u8> {
    let mut capacity: u32 = 16;
    while entries.len() as u64 * 4 > u64::from(capacity) * 3 {
        capacity *= 2;
    }
    let mut out = Vec::new();
    out.extend_from_slice(HEADER);
    out.extend_from_slice(HASH_MAP);
    out.extend_from_slice(&0.75_f32.to_be_bytes());
    out.extend_from_slice(&(capacity / 4 * 3).to_be_bytes());
    out.extend_from_slice(&[TC_BLOCKDATA, 8]);
    out.extend_from_slice(&capacity.to_be_bytes());
    out.extend_from_slice(&(entries.len() as u32).to_be_bytes());
    let mut is_described = false;
    let mut array = |out: &mut Vec<u8>, bytes: &[u8]| {
        out.push(TC_ARRAY);
        if is_described {
            out.push(TC_REFERENCE);
            out.extend_from_slice(&(FIRST_HANDLE + 2).to_be_bytes());
        } else {
            out.extend_from_slice(BYTE_ARRAY);
            is_described = true;
        }
        out.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        out.extend_from_slice(bytes);
    };
    for (key, value) in entries {
        array(&mut out, key);
        match value {
            Some(value) => array(&mut out, value),
            None => out.push(TC_NULL),
        }
    }
    out.push(TC_ENDBLOCKDATA);
    out
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// What each handle stands for: `Some` is an array's contents, `None` a class or the map itself.
    handles: Vec<Option<&'a [u8]>>,
}

impl<'a> Reader<'a> {
    fn malformed(&self, what: &'static str) -> Malformed {
        Malformed { what, at: self.at }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..count).ok_or_else(|| self.malformed("the end comes too early"))?;
        self.at += count;
        Ok(taken)
    }

    fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    fn u32(&mut self) -> Result<u32, Malformed> {
        Ok(self.take(4)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn expect(&mut self, bytes: &[u8], what: &'static str) -> Result<(), Malformed> {
        let at = self.at;
        if self.take(bytes.len())? == bytes { Ok(()) } else { Err(Malformed { what, at }) }
    }

    fn referenced(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let handle = self.u32()?.wrapping_sub(FIRST_HANDLE);
        self.handles.get(handle as usize).copied().ok_or_else(|| self.malformed("a reference to nothing"))
    }

    /// A byte array, or null.
    fn array(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        match self.u8()? {
            TC_NULL => return Ok(None),
            TC_REFERENCE => return self.referenced()?.map(Some).ok_or_else(|| self.malformed("no byte array")),
            TC_ARRAY => {}
            _ => return Err(self.malformed("neither a byte array nor null")),
        }
        match self.bytes.get(self.at) {
            Some(&TC_REFERENCE) => {
                self.at += 1;
                self.referenced()?;
            }
            Some(&TC_CLASSDESC) => {
                self.expect(BYTE_ARRAY, "another class than byte[]")?;
                self.handles.push(None);
            }
            _ => return Err(self.malformed("an array without a class")),
        }
        let length = self.u32()? as usize;
        let contents = self.take(length)?;
        self.handles.push(Some(contents));
        Ok(Some(contents))
    }
}

/// Reads the map from such a stream.
pub(super) fn read(bytes: &[u8]) -> Result<BTreeMap<Vec<u8>, Option<Vec<u8>>>, Malformed> {
    let mut reader = Reader { bytes, at: 0, handles: vec![None, None] };
    reader.expect(HEADER, "no stream header")?;
    debug_assert_eq!(HASH_MAP[..2], [TC_OBJECT, TC_CLASSDESC]);
    reader.expect(HASH_MAP, "another class than java.util.HashMap")?;
    reader.take(8)?; // load factor and threshold say nothing of the contents
    reader.expect(&[TC_BLOCKDATA, 8], "no size of the map")?;
    reader.take(4)?; // capacity
    let size = reader.u32()?;
    let mut entries = BTreeMap::new();
    for _ in 0..size {
        let key = reader.array()?.ok_or_else(|| reader.malformed("a null key"))?;
        let value = reader.array()?;
        entries.insert(key.to_vec(), value.map(<[u8]>::to_vec));
    }
    reader.expect(&[TC_ENDBLOCKDATA], "the map has no end")?;
    Ok(entries)
}

#[cfg(test)]
#[allow(clippy::expect_used)] // tests
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Entries = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

    #[test]
    fn javas_bytes() {
        let entries = Entries::from([(b"k".to_vec(), Some(b"vv".to_vec())), (b"n".to_vec(), None)]);
        let mut expect =
            b"\xac\xed\x00\x05sr\x00\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\x00\x02".to_vec();
        expect.extend_from_slice(b"F\x00\x0aloadFactorI\x00\x09thresholdxp\x3f\x40\x00\x00\x00\x00\x00\x0c");
        expect.extend_from_slice(b"w\x08\x00\x00\x00\x10\x00\x00\x00\x02");
        expect.extend_from_slice(b"ur\x00\x02[B\xac\xf3\x17\xf8\x06\x08\x54\xe0\x02\x00\x00xp\x00\x00\x00\x01k");
        expect.extend_from_slice(b"uq\x00~\x00\x02\x00\x00\x00\x02vvuq\x00~\x00\x02\x00\x00\x00\x01npx");
        assert_eq!(write(&entries), expect);
        assert_eq!(read(&expect), Ok(entries));
    }

    /// One array twice: Java writes the second as a reference to the first.
    #[test]
    fn references_to_arrays() {
        let mut stream = write(&Entries::from([(b"k".to_vec(), None)]));
        let null = stream.len() - 2;
        assert_eq!(stream[null], TC_NULL);
        stream.splice(null..=null, [TC_REFERENCE, 0, 0x7e, 0, 3]);
        assert_eq!(read(&stream), Ok(Entries::from([(b"k".to_vec(), Some(b"k".to_vec()))])));
    }

    proptest! {
        #[test]
        fn round_trip(entries in prop::collection::btree_map(any::<Vec<u8>>(), any::<Option<Vec<u8>>>(), 0..40)) {
            prop_assert_eq!(read(&write(&entries)), Ok(entries));
        }

        #[test]
        fn nothing_panics(cut in 0_usize..200, flip in 0_usize..200, to in any::<u8>()) {
            let mut stream = write(&Entries::from([(vec![1; 20], Some(vec![2; 60])), (vec![3; 9], None)]));
            if let Some(byte) = stream.get_mut(flip) { *byte = to; }
            stream.truncate(cut);
            let _ = read(&stream);
        }
    }
}
