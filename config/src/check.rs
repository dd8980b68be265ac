//! The checks that a key's definition can list.
//!
//! Must not know: the message around a problem (the key's style decides that).

use crate::Properties;

/// What a check function of a key table ([`Check::Own`]) is given.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The key's name.
    pub name: &'a str,
    /// The value, else the default, as text. `None` when there is neither, or when Connect's style could not parse the
    /// value.
    pub value: Option<&'a str>,
    /// The whole config.
    pub properties: &'a Properties,
    /// What stands before the key's name in the config, such as `transforms.A.`; empty when the keys have no prefix.
    pub prefix: &'a str,
}

impl<'a> Asked<'a> {
    /// The value of another key that has the same prefix.
    pub fn beside(&self, name: &str) -> Option<&'a str> {
        self.properties.get(&format!("{}{name}", self.prefix))
    }
}

/// One check. The first group works on keys of [`crate::Style::Debezium`], the second on keys of
/// [`crate::Style::Connect`]; a key ignores the checks of the other style. [`Check::Own`] works on both.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    /// Set and not blank: `A value is required`.
    Required,
    /// `true` or `false`. On a BOOLEAN key this repeats the check of the type, so the message comes twice, as in
    /// Debezium.
    Boolean,
    /// A 32-bit integer. On an INT key the message comes twice, as in Debezium.
    Integer,
    /// A 32-bit integer above 0.
    PositiveInteger,
    /// A 32-bit integer of at least 0.
    NonNegativeInteger,
    /// A 64-bit integer above 0.
    PositiveLong,
    /// A 64-bit integer of at least 0.
    NonNegativeLong,
    /// A list of regexes.
    RegexList,
    /// Pairs of the form `k1=v1,k2=v2`.
    Pairs,
    /// One of these values; case and surrounding blanks do not matter. The message lists them in this order.
    OneOf(&'static [&'static str]),
    /// Must not be set together with `other`, which the message calls `shown`.
    NotWith {
        /// The other key.
        other: &'static str,
        /// Its name in the message.
        shown: &'static str,
    },

    /// A number between two bounds: `Value must be at least …` or `Value must be no more than …`. Null is refused.
    Range {
        /// Least value.
        min: Option<i64>,
        /// Largest value.
        max: Option<i64>,
    },
    /// One of these values, case-sensitive: `String must be one of: …`.
    OneOfExactly(&'static [&'static str]),
    /// One of these values in any case: `String must be one of (case insensitive): …`. The message lists them in this
    /// order and in upper case.
    OneOfAnyCase(&'static [&'static str]),
    /// Not the empty text: `String must be non-empty`.
    NonEmpty,
    /// A list in which no item occurs twice: `Configuration 'K' values must not be duplicated.`
    Distinct,

    /// A function of the key table that returns one text for each problem. Debezium's style puts
    /// `The '<name>' value is invalid: ` before each text; Connect's style takes each text as the whole message.
    Own(fn(&Asked<'_>) -> Vec<String>),
}
