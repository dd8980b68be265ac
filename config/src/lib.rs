//! Turns a connector's string map into typed settings; documents every key and collects every complaint.
//!
//! A connector's config is a flat map of strings. This crate answers four questions about it:
//!
//! - What do the keys mean? [`Def`], which REST shows.
//! - What is wrong with the values? [`Def::validate`], in the exact words of Kafka Connect and Debezium, because people
//!   and tools search for those words.
//! - Does the daemon do what a key promises? [`Support`]: the key works, has no effect, or is refused.
//! - What are the values? [`Reader`].
//!
//! All four read the same static table of [`Key`]s, so a key cannot be documented but not checked, or checked but not
//! read. Checking does not stop at the first complaint: a user who made five mistakes is told of all five.
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
mod renewal;
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
pub use regex::{JavaRegex, JavaReplacement, JavaSearch, RegexError, ReplaceError, split_regex_list};
pub use renewal::{Renewal, Resolve};
pub use secret::{HIDDEN, MASK, Secret, SecretNames};
pub use support::{Support, Values, shown_name};
