//! The connectors that this daemon has: a static table with one row for each plug-in.

use std::future::Future;
use std::pin::Pin;

use postgres::sql::TableName;
use record::Position;
use relational::{Outlet, TaskError};
use serde_json::{Map, Value as Json};
use settings::{Def, Finding, Properties};
use tokio::runtime::Handle;
use transforms::{ChunkCatalog, Chunks};

/// A boxed future, because the table's function types cannot name the futures of each connector.
pub type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What the worker needs to know of a connector class. Connectors implement no trait: each fills in a row.
pub struct Plugin {
    /// Its Java class name, which configurations use.
    pub class: &'static str,
    /// The Java class name of its task. A Java worker that takes over needs it in the stored task configuration.
    pub task_class: &'static str,
    /// The version of the Debezium connector that it is compatible with.
    pub version: &'static str,
    /// What Debezium's metrics call its kind of database.
    pub metrics_kind: &'static str,
    /// The keys of its configuration.
    pub keys: fn() -> &'static Def,
    /// Warnings about keys and values of older releases in a configuration, each with its replacement.
    pub warnings: fn(&Properties) -> Vec<Finding>,
    /// Checks the configuration alone, then against the database, and returns everything that is wrong.
    pub check: fn(Properties) -> Boxed<Vec<Finding>>,
    /// Runs the connector's one task until the outlet tells it to stop, or until an error that a retry cannot mend.
    pub start: fn(Properties, Outlet) -> Boxed<Result<(), TaskError>>,
    /// The source partition as stored in the offsets topic (`{"server": …}`).
    pub partition: fn(&Properties) -> Map<String, Json>,
    /// The headers of every record of a row, in order.
    pub headers: fn(&Properties) -> Vec<(&'static str, String)>,
    /// A position in the form in which it is stored as an offset.
    pub offset: fn(&Position) -> Map<String, Json>,
    /// Whether it keeps a schema history, as its `schema.history.internal` keys say.
    pub keeps_history: bool,
    /// How many entries Debezium's maps of source partition and source offset have for a record at this position.
    pub origin_entries: fn(&Position) -> u32,
    /// Makes a reader of TimescaleDB's catalogue, which connects as the properties say and waits on this runtime. It must not
    /// be called on a thread of the runtime itself.
    pub chunks: fn(&Properties, Handle) -> ChunkCatalog,
}

/// The row of one of the two connectors that the crate `mysql` has. A function cannot make it: the fields are functions
/// without an environment.
macro_rules! mysql_plugin {
    ($flavour:ident, $keys:ident) => {
        Plugin {
            class: mysql::Flavour::$flavour.class(),
            task_class: mysql::Flavour::$flavour.task_class(),
            version: mysql::VERSION,
            metrics_kind: mysql::Flavour::$flavour.kind(),
            keys: || &mysql::keys::$keys,
            warnings: mysql::keys::warnings,
            check: |properties| Box::pin(mysql::check(mysql::Flavour::$flavour, properties)),
            start: |properties, outlet| Box::pin(mysql::start(mysql::Flavour::$flavour, properties, outlet)),
            partition: mysql::partition,
            headers: |properties| relational::shell::headers(properties, mysql::Flavour::$flavour.kind()),
            offset: mysql::position::to_offset,
            keeps_history: true,
            origin_entries: mysql::position::entries,
            chunks: no_timescale,
        }
    };
}

/// All connectors of this daemon.
pub static ALL: &[Plugin] = &[
    Plugin {
        class: postgres::CLASS,
        task_class: postgres::TASK_CLASS,
        version: postgres::VERSION,
        metrics_kind: "postgres",
        keys: || &postgres::keys::KEYS,
        warnings: postgres::keys::warnings,
        check: |properties| Box::pin(postgres::check(properties)),
        start: |properties, outlet| Box::pin(postgres::start(properties, outlet)),
        partition: relational::shell::partition,
        headers: postgres::headers,
        offset: postgres::position::to_offset,
        keeps_history: false,
        origin_entries: postgres::position::entries,
        chunks: timescale,
    },
    mysql_plugin!(MySql, MYSQL),
    mysql_plugin!(MariaDb, MARIADB),
];

/// There is no TimescaleDB on these servers.
fn no_timescale(_: &Properties, _: Handle) -> ChunkCatalog {
    Box::new(|| Err("TimescaleDB is an extension of PostgreSQL; this connector reads MySQL or MariaDB".to_owned()))
}

/// See [`Plugin::chunks`].
fn timescale(properties: &Properties, runtime: Handle) -> ChunkCatalog {
    let mut reader = postgres::timescale::ChunkReader::new(properties);
    Box::new(move || {
        let reader =
            reader.as_mut().map_err(|wrong| wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))?;
        let found = runtime.block_on(reader.read()).map_err(|error| error.to_string())?;
        let pairs = |list: Vec<(TableName, TableName)>| {
            let name = |name: TableName| (name.schema, name.table);
            list.into_iter().map(|(of, to)| (name(of), name(to))).collect()
        };
        Ok(Chunks { hypertables: pairs(found.hypertables), aggregates: pairs(found.aggregates) })
    })
}
