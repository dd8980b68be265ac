//! The connectors that this daemon has: a static table, one row a plug-in.

use std::future::Future;
use std::pin::Pin;

use record::Position;
use relational::{Outlet, TaskError};
use serde_json::{Map, Value as Json};
use settings::{Def, Finding, Properties};

/// A boxed future, because a table of functions cannot name theirs.
pub type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the worker needs of a connector class. Connectors implement no trait: they fill in a row.
pub struct Plugin {
    /// The Java class name that configurations use.
    pub class: &'static str,
    /// The Java class of its task: a Java worker that takes over needs it in the stored task configuration.
    pub task_class: &'static str,
    /// The version of the reference connector that it is compatible with.
    pub version: &'static str,
    /// What the reference connector's metrics call its kind of database.
    pub metrics_kind: &'static str,
    /// Its keys.
    pub keys: fn() -> &'static Def,
    /// Names and values of older releases that a configuration still has, with what replaced each.
    pub warnings: fn(&Properties) -> Vec<Finding>,
    /// Looks at the configuration alone, then at the database, and says all that it finds.
    pub check: fn(Properties) -> Boxed<Vec<Finding>>,
    /// Runs the one task until the outlet says stop, or until something that a retry cannot mend.
    pub start: fn(Properties, Outlet) -> Boxed<Result<(), TaskError>>,
    /// The source partition as stored in the offsets topic (`{"server": …}`).
    pub partition: fn(&Properties) -> Map<String, Json>,
    /// The headers of every row's record, in their order.
    pub headers: fn(&Properties) -> Vec<(&'static str, String)>,
    /// A position as the offset that is stored.
    pub offset: fn(&Position) -> Map<String, Json>,
}

/// All of them.
pub static ALL: &[Plugin] = &[Plugin {
    class: postgres::CLASS,
    task_class: postgres::TASK_CLASS,
    version: postgres::VERSION,
    metrics_kind: "postgres",
    keys: || &postgres::keys::KEYS,
    warnings: postgres::keys::warnings,
    check: |properties| Box::pin(postgres::check(properties)),
    start: |properties, outlet| Box::pin(postgres::start(properties, outlet)),
    partition: postgres::partition,
    headers: postgres::headers,
    offset: postgres::position::to_offset,
}];
