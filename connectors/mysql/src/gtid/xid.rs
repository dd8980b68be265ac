//! The names of XA transactions.

use std::fmt;

/// The name of an XA transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Xid {
    format: u32,
    global: Box<[u8]>,
    branch: Box<[u8]>,
}

impl Xid {
    /// A name by its three parts.
    pub fn new(format: u32, global: &[u8], branch: &[u8]) -> Self {
        Self { format, global: global.into(), branch: branch.into() }
    }

    /// The name as servers write it into the binlog: `X'61',X'62',1`.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut parts = text.split(',').map(str::trim);
        let (global, branch, format) = (hex(parts.next()?)?, hex(parts.next()?)?, parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(Self { format, global, branch })
    }
}

/// As `XA COMMIT` takes it: `X'61',X'62',1`.
impl fmt::Display for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.global, &self.branch] {
            f.write_str("X'")?;
            part.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
            f.write_str("',")?;
        }
        write!(f, "{}", self.format)
    }
}

fn hex(text: &str) -> Option<Box<[u8]>> {
    let digits = text.strip_prefix(['X', 'x'])?.strip_prefix('\'')?.strip_suffix('\'')?.as_bytes();
    let digit = |byte: &u8| char::from(*byte).to_digit(16).map(|digit| digit as u8);
    digits.chunks(2).map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_as_it_is_read() {
        for text in ["X'61',X'',1", "X'00ff',X'62',4294967295"] {
            assert_eq!(Xid::parse(text.as_bytes()).unwrap().to_string(), text);
        }
        assert_eq!(Xid::parse(b"X'6',X'',1"), None);
        assert_eq!(Xid::parse(b"'a'"), None);
    }
}
