//! Positions in the write-ahead log.
//!
//! A newtype, so that a position is not confused with another number such as a transaction id. It is compared, printed and
//! parsed as PostgreSQL does it (`pg_lsn`: two hexadecimal halves), and stored as the plain number.
//!
//! Must not know: sockets, offsets, tables.

use std::fmt;
use std::str::FromStr;

/// A byte position in the write-ahead log. Zero is "no position" (`InvalidXLogRecPtr` of the server).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lsn(pub u64);

impl Lsn {
    /// "No position": what the server calls `InvalidXLogRecPtr`, printed `0/0`.
    pub const INVALID: Self = Self(0);

    /// Whether this is a position at all.
    pub fn is_valid(self) -> bool {
        self.0 != 0
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

/// A text that is not of the form `X/X`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a write-ahead log position (expected two hexadecimal numbers such as 16/B374D848)")]
pub struct NotAnLsn;

impl FromStr for Lsn {
    type Err = NotAnLsn;

    fn from_str(text: &str) -> Result<Self, NotAnLsn> {
        let (high, low) = text.split_once('/').ok_or(NotAnLsn)?;
        Ok(Self(u64::from(half(high)?) << 32 | u64::from(half(low)?)))
    }
}

/// One half, by the rule of `pg_lsn_in`: one to eight hexadecimal digits, no sign.
fn half(digits: &str) -> Result<u32, NotAnLsn> {
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(NotAnLsn);
    }
    u32::from_str_radix(digits, 16).map_err(|_| NotAnLsn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, expect: Option<u64>) {
        assert_eq!(text.parse::<Lsn>().ok().map(|lsn| lsn.0), expect, "{text}");
    }

    #[test]
    fn texts() {
        check("0/0", Some(0));
        check("16/B374D848", Some(0x16_B374_D848));
        check("16/b374d848", Some(0x16_B374_D848));
        check("FFFFFFFF/FFFFFFFF", Some(u64::MAX));
        for bad in ["", "/", "1", "1/", "/1", "+1/0", "1/-1", "1/2/3", "123456789/0", "0/123456789", "g/0", " 0/0"] {
            check(bad, None);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(n: u64) {
            prop_assert_eq!(Lsn(n).to_string().parse::<Lsn>(), Ok(Lsn(n)));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Lsn>();
        }
    }
}
