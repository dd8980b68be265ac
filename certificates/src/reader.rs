//! Reads lengths and what they count, without ever going past the end.

/// The bytes end before what was announced, or something else stands there.
#[derive(Debug)]
pub(crate) struct Cut;

/// The bytes that are still to be read. Numbers are big-endian.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, bytes: usize) -> Result<&'a [u8], Cut> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(Cut)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A number of four bytes.
    pub(crate) fn number(&mut self) -> Result<u32, Cut> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes(bytes.try_into().map_err(|_| Cut)?))
    }

    /// A text behind its length of two bytes.
    pub(crate) fn text(&mut self) -> Result<&'a [u8], Cut> {
        let bytes = self.take(2)?;
        self.take(usize::from(u16::from_be_bytes(bytes.try_into().map_err(|_| Cut)?)))
    }

    /// Bytes behind their length of four bytes.
    pub(crate) fn block(&mut self) -> Result<&'a [u8], Cut> {
        let bytes = self.number()?;
        self.take(bytes as usize)
    }

    /// The content of a DER element with this tag (X.690, 8.1).
    pub(crate) fn element(&mut self, tag: u8) -> Result<&'a [u8], Cut> {
        if self.take(1)? != [tag] {
            return Err(Cut);
        }
        let short = self.take(1)?[0];
        let bytes = match short {
            0..=0x7f => usize::from(short),
            0x81..=0x84 => {
                let long = self.take(usize::from(short & 0x7f))?;
                long.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte))
            }
            _ => return Err(Cut),
        };
        self.take(bytes)
    }
}
