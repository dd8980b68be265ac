//! Keys that Confluent's converters of several formats share.
//!
//! Must not know: any format.

use settings::{Check, Key, Kind, Support};

/// `ignore.default.for.nullables`.
pub(super) const NULLABLES: Key = Key::new("ignore.default.for.nullables", Kind::Boolean).default("false").doc(
    "Whether a null stays null in a field that has a default. Without it a null is written as the default, as in Java.",
);

/// `flatten.singleton.unions`.
pub(super) const SINGLETONS: Key = Key::new("flatten.singleton.unions", Kind::Boolean)
    .default("true")
    .low()
    .doc("Whether a union of one type is read as that type.")
    .support(Support::NoEffect("only reading uses it, in Java too"));

/// `validation.rules.execution`.
pub(super) const RULES: Key = Key::new("validation.rules.execution", Kind::String)
    .default("DISABLED")
    .checks(&[Check::OneOfAnyCase(&["DISABLED", "BEFORE_DOMAIN_RULES", "AFTER_DOMAIN_RULES"])])
    .doc("When rules of a data contract are checked against a record.")
    .support(Support::Refused(
        "rules of data contracts are not run",
        "Leave it at DISABLED, and check the records where they are read.",
    ));
