//! Tags of MySQL's ids.

use std::fmt;

/// The tag of an id (MySQL 8.3 and later): up to 32 letters, digits and underscores, kept in lower case. Most ids have
/// none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag {
    // Zeros fill the rest, so that the derived order is that of the texts.
    bytes: [u8; 32],
}

impl Tag {
    /// No tag.
    pub const NONE: Self = Self { bytes: [0; 32] };

    /// A tag from its text. None if it is no tag: too long, beginning with a digit, or with other characters.
    pub fn new(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        bytes.make_ascii_lowercase();
        let good = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let begins = !text.first().is_some_and(u8::is_ascii_digit);
        (text.iter().all(good) && begins).then_some(Self { bytes })
    }

    /// Whether there is no tag.
    pub fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let end = self.bytes.iter().position(|byte| *byte == 0).unwrap_or(self.bytes.len());
        // Only ASCII gets in.
        std::str::from_utf8(&self.bytes[..end]).unwrap_or_default()
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
