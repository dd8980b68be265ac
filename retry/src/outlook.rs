//! Whether what failed may succeed later.
//!
//! A failure carries this from the place where it arises, because only there its cause is known. Whoever ends because of the
//! failure (a task) is started again by it, or is not.

/// Whether what failed may succeed later although nobody changes the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlook {
    /// The cause lies outside of the configuration and the data, and passes there: a server that is away or overloaded, a
    /// limit that others use up, access that is refused (passwords, tokens and rights change on servers).
    MayPass,
    /// The same configuration and data fail in the same way again.
    CannotPass,
    /// The cause is not known well enough: a defect, a code of a server that is in no list.
    Unknown,
}

impl Outlook {
    /// Of a failure of which only this is known: whether it is worth trying again at once. If not, the outlook is
    /// `otherwise`.
    pub const fn transient_or(is_transient: bool, otherwise: Self) -> Self {
        if is_transient { Self::MayPass } else { otherwise }
    }
}
