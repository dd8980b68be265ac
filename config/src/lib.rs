//! String maps to typed settings, with every key explained and every complaint kept.
//!
//! A connector arrives as a flat map of strings. Four things are asked of it: what the keys mean ([`Def`], shown over
//! REST), what is wrong with the values ([`Def::validate`], in the very words that Kafka Connect and Debezium use, since
//! people and tools look for them), what becomes of a key here ([`Support`]: it works, has no effect, or is refused), and
//! what the values are ([`Reader`]). All four read the same static table of [`Key`]s, so that a key cannot be documented
//! and not checked, or checked and not read. Nothing stops at the first complaint: a person who made five mistakes is told
//! of five.
//!
//! Must not know: databases, records, HTTP. A check that needs such knowledge is a function in the connector's table
//! ([`Check::Own`]).

mod check;
mod choice;
mod class_name;
mod connect;
mod debezium;
mod def;
mod family;
mod finding;
mod key;
mod properties;
mod reader;
mod regex;
mod secret;
mod support;

pub use check::{Asked, Check};
pub use choice::Choice;
pub use class_name::names_class;
pub use def::{Checked, Def};
pub use finding::{Finding, Invalid, Severity};
pub use key::{Definition, Importance, Key, Kind, Style, Width};
pub use properties::Properties;
pub use reader::Reader;
pub use regex::{JavaRegex, JavaReplacement, RegexError, ReplaceError, split_regex_list};
pub use secret::{HIDDEN, MASK, Secret, SecretNames};
pub use support::{Support, Values};
