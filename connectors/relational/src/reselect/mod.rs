//! The post-processor `io.debezium.processors.reselect.ReselectColumnsPostProcessor`: columns that a change lacks are read
//! again from the table, as the row is by then.
//!
//! A change may lack a column because the log does not carry it (the record would show a placeholder), or because it is
//! null. What a processor does to which columns is decided once a table ([`Reselect::when`]): a table without a column that
//! may lack costs nothing. Before a batch is sent, what its changes lack is asked for ([`Reselector`]). How a database is
//! asked for a row by its key is the connector's part ([`Lookup`]).
//!
//! Must not know: SQL, how a connector's log marks a value that it does not carry.

mod again;
mod declared;
mod missed;
mod part;
mod plan;
mod selection;
#[cfg(test)]
mod tests;

use settings::{Properties, Reader};

use crate::Patterns;

pub use again::{Answer, Found, Lookup, Reselector};
pub use missed::{Missed, Why};
pub use part::Part;
pub use plan::{Announced, Ask, Candidate, Plan, Plans, ReadCells, Shown, lacks};
pub use selection::{Selectable, When};

/// The Java class of the post-processor.
pub const CLASS: &str = "io.debezium.processors.reselect.ReselectColumnsPostProcessor";

/// The options, below `post.processors.<name>.`.
const INCLUDE: &str = "reselect.columns.include.list";
const EXCLUDE: &str = "reselect.columns.exclude.list";
const UNAVAILABLE: &str = "reselect.unavailable.values";
const NULL: &str = "reselect.null.values";
const BY_EVENT_KEY: &str = "reselect.use.event.key";
const ON_ERROR: &str = "reselect.error.handling.mode";
const OPTIONS: &[&str] = &[INCLUDE, EXCLUDE, UNAVAILABLE, NULL, BY_EVENT_KEY, ON_ERROR];

/// One post-processor of a connector: which columns it reads again, and how.
#[derive(Clone, Debug)]
pub struct Reselect {
    name: String,
    columns: Columns,
    unavailable: bool,
    null: bool,
    by_event_key: bool,
    fails: bool,
}

/// Which columns are selected, by patterns on `schema.table:column`.
#[derive(Clone, Debug)]
enum Columns {
    All,
    Only(Patterns),
    AllBut(Patterns),
}

impl Reselect {
    /// Reads the post-processors that `post.processors` names, in its order. What cannot be used becomes a complaint of the
    /// reader, and what is used otherwise than written a finding. The reader's key table must have `post.processors`.
    pub fn read_all(r: &mut Reader<'_>) -> Vec<Self> {
        declared::read(r)
    }

    /// Whether the row is found by the fields of the event's key (`reselect.use.event.key`) and not by the primary key.
    pub fn is_by_event_key(&self) -> bool {
        self.by_event_key
    }
}

/// The class name and the prefix of the options of a post-processor in a config, if it is declared at all: with the prefix
/// `post.processors.<name>.`, else in the older spelling `<name>.`.
fn declaration<'a>(properties: &'a Properties, name: &str) -> Option<(String, &'a str)> {
    let prefix = format!("post.processors.{name}.");
    let is_spelled = |prefix: &str| properties.under(prefix).next().is_some();
    let prefix = if is_spelled(&prefix) { prefix } else { format!("{name}.") };
    let class = properties.get(&format!("{prefix}type"))?;
    Some((prefix, class.trim()))
}
