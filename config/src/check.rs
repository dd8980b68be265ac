//! The checks of a key, as data.
//!
//! Must not know: how a complaint is worded around (that is the style's).

use crate::Properties;

/// What a check of a connector's own may look at.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The key's name.
    pub name: &'a str,
    /// The text as sent, or the default.
    pub value: Option<&'a str>,
    /// The whole config.
    pub properties: &'a Properties,
}

/// One check. The first group is Debezium's (a [`crate::Style::Debezium`] key), the second Connect's; each ignores the
/// other style's.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// Set and not blank: `A value is required`.
    Required,
    /// `true` or `false`; the type's own check once more, which doubles its message as the reference does.
    Boolean,
    /// A 32-bit integer (doubles the type's message on an INT).
    Integer,
    /// A 32-bit integer above 0.
    PositiveInteger,
    /// A 32-bit integer from 0.
    NonNegativeInteger,
    /// A 64-bit integer above 0.
    PositiveLong,
    /// A 64-bit integer from 0.
    NonNegativeLong,
    /// A list of regexes.
    RegexList,
    /// `k1=v1,k2=v2`.
    Pairs,
    /// One of these, any case, blanks around allowed; the order is the message's.
    OneOf(&'static [&'static str]),
    /// Must not be set together with `other`, which the message calls `shown`.
    NotWith {
        /// The other key.
        other: &'static str,
        /// Its name in the message.
        shown: &'static str,
    },

    /// `Value must be at least …` / `no more than …`; null is refused.
    Range {
        /// Least value.
        min: Option<i64>,
        /// Largest value.
        max: Option<i64>,
    },
    /// `String must be one of: …`, minding case.
    OneOfExactly(&'static [&'static str]),
    /// `String must be one of (case insensitive): …`; the list in upper case in the message's order.
    OneOfAnyCase(&'static [&'static str]),
    /// `String must be non-empty`.
    NonEmpty,
    /// A list without an item twice: `Configuration 'K' values must not be duplicated.`
    Distinct,

    /// A check of the connector's own: the problems' texts. Debezium's style puts `The '<name>' value is invalid: `
    /// before each, Connect's takes them as whole messages.
    Own(fn(&Asked<'_>) -> Vec<String>),
}
