//! The structure of the tables: which there are, and the statements that make them, in the order in which Debezium gives them to
//! its schema history.
//!
//! Must not know: rows, locks.

use std::collections::BTreeMap;

use record::{Batch, Event, Item, Position, SnapshotMark};

use super::Parts;
use crate::ddl::{Catalog, Query, SchemaChange};
use crate::error::Error;
use crate::model::TableId;
use crate::position::TS_US;
use crate::schema::{Ddl, Schema};
use crate::sql::{Database, Server, Sql, quoted, quoted_name};
use crate::tables::Tables;

/// How many records of the history are acknowledged together.
const HISTORY_BATCH: usize = 1024;

/// The tables of the server, by database.
#[derive(Debug)]
pub(crate) struct Structure {
    databases: BTreeMap<String, Vec<TableId>>,
}

/// How the reading of the structure ended.
#[derive(Debug)]
pub(super) enum Read {
    /// The last record of the topic of schema changes, if there is one.
    Done(Option<HeldBack>),
    /// The connector is to stop.
    Interrupted,
}

/// The last record of the structure. Whether it is the last record of all shows later.
#[derive(Debug)]
pub(crate) struct HeldBack {
    change: SchemaChange,
    position: Position,
}

impl HeldBack {
    /// The record, as the last one of the whole copy.
    pub(super) fn as_last(&self, schema: &Schema, tables: &Tables, finished: &Position) -> Option<Event> {
        let mut position = finished.clone();
        position.words[TS_US] = self.position.words[TS_US];
        schema.event(&self.change, &position, SnapshotMark::Last, tables)
    }

    /// The record, with others behind it.
    pub(super) fn as_one_of_many(&self, schema: &Schema, tables: &Tables) -> Option<Event> {
        schema.event(&self.change, &self.position, SnapshotMark::True, tables)
    }
}

impl Structure {
    /// Lists what the account sees. A database whose tables cannot be listed is passed over with a warning.
    pub(super) async fn list(parts: &mut Parts<'_>) -> Result<Self, Error> {
        let mut databases = BTreeMap::new();
        for database in parts.sql.databases().await? {
            if parts.tables.filter().ignores_builtin() && crate::config::is_builtin(&database, "") {
                continue;
            }
            let listed = match parts.sql.tables(&database).await {
                Ok(listed) => listed,
                Err(error) if error.server().is_some() => {
                    tracing::warn!(%database, %error, "the tables of a database cannot be listed, so it is passed over");
                    continue;
                }
                Err(error) => return Err(error),
            };
            let is_table = |kind: &str| matches!(kind, "BASE TABLE" | "SYSTEM VERSIONED");
            let mut tables: Vec<TableId> = listed
                .into_iter()
                .filter(|table| is_table(&table.kind))
                .map(|table| TableId { database: database.as_str().into(), table: table.name.into() })
                .collect();
            tables.sort();
            databases.insert(database, tables);
        }
        Ok(Self { databases })
    }

    /// One table alone.
    pub(super) fn of(id: &TableId) -> Self {
        Self { databases: BTreeMap::from([(id.database.to_string(), vec![id.clone()])]) }
    }

    /// The captured tables, in the order in which rows are copied.
    pub(super) fn captured(&self, parts: &Parts<'_>) -> Vec<TableId> {
        let captured = self.databases.values().flatten().filter(|id| parts.tables.captures(id));
        let mut names: Vec<(String, String)> =
            captured.map(|id| (id.database.to_string(), id.table.to_string())).collect();
        parts.tables.filter().order(&mut names);
        names.into_iter().map(|(database, table)| TableId { database: database.into(), table: table.into() }).collect()
    }

    /// Asks for the statements that make the tables which `wanted` says. A table that was dropped since it was listed is passed
    /// over. A statement that is not understood is replaced by one that says what the server's catalogue tells of the table.
    pub(super) async fn statements(
        &self,
        sql: &mut Sql,
        (schema, server): (&Schema, &Server),
        wanted: impl Fn(&TableId) -> bool,
    ) -> Result<Statements, Error> {
        let mut databases = Vec::new();
        for (name, tables) in &self.databases {
            let mut found = Vec::new();
            for id in tables.iter().filter(|id| wanted(id)) {
                match sql.create_statement(&id.database, &id.table).await {
                    Ok(statement) => {
                        let understood = understood(sql, (schema, server), id, statement).await?;
                        found.push((id.clone(), understood));
                    }
                    Err(error) if is_of_dropped_table(&error) => {
                        tracing::warn!(table = %id, "the table was dropped while the snapshot began: it is passed over");
                    }
                    Err(error) => return Err(error),
                }
            }
            if !found.is_empty() {
                let defaults = sql.database(name).await?;
                databases.push(DatabaseStatements { name: name.clone(), defaults, tables: found });
            }
        }
        Ok(Statements { databases })
    }
}

/// A statement that makes the table and is understood: the server's own, or one of what its catalogue tells. The server's own if
/// that is not understood either.
async fn understood(
    sql: &mut Sql,
    (schema, server): (&Schema, &Server),
    id: &TableId,
    statement: String,
) -> Result<String, Error> {
    let Some(failed) = schema.not_understood(server, &id.database, &statement) else { return Ok(statement) };
    let described = sql.described(&id.database, &id.table).await?;
    let is_understood = |text: &String| schema.not_understood(server, &id.database, text).is_none();
    let Some(described) = described.filter(is_understood) else { return Ok(statement) };
    tracing::warn!(
        "{failed}. The statement is the server's own (SHOW CREATE TABLE). The table is taken as information_schema \
        describes it, and the schema history says so. Tell us the statement"
    );
    Ok(described)
}

/// A table is there no more: `ER_NO_SUCH_TABLE`, or `ER_BAD_DB_ERROR` if its database is gone.
const DROPPED: [u16; 2] = [1146, 1049];

/// Whether an error means that the table is there no more.
pub(super) fn is_of_dropped_table(error: &Error) -> bool {
    error.number().is_some_and(|number| DROPPED.contains(&number))
}

/// The statements that make tables, by database.
#[derive(Debug)]
pub(super) struct Statements {
    databases: Vec<DatabaseStatements>,
}

#[derive(Debug)]
struct DatabaseStatements {
    name: String,
    defaults: Option<Database>,
    tables: Vec<(TableId, String)>,
}

impl DatabaseStatements {
    fn create(&self) -> String {
        let name = quoted_name(&self.name);
        match &self.defaults {
            Some(of) => format!("CREATE DATABASE {name} CHARSET {} COLLATE {}", of.charset, of.collation),
            None => format!("CREATE DATABASE {name}"),
        }
    }
}

/// What the statements say of the server itself.
fn variables(server: &Server) -> String {
    let (charset, collation) = (server.character_set_server.as_deref(), server.collation_server.as_deref());
    format!(
        "SET character_set_server={}, collation_server={}",
        charset.unwrap_or("utf8mb4"),
        collation.unwrap_or_default()
    )
}

impl Statements {
    /// The tables that the statements make, without a trace in the history.
    pub(super) fn tables(&self, server: &Server, schema: &Schema, tables: &Tables) -> Result<Catalog, Error> {
        let mut catalog = schema.fresh(server);
        let mut apply = |database: &str, text: &str| schema.made(&mut catalog, database, text, tables);
        apply("", &variables(server))?;
        for of in &self.databases {
            apply(&of.name, &of.create())?;
            for (_, statement) in &of.tables {
                apply(&of.name, statement)?;
            }
        }
        Ok(catalog)
    }

    /// Writes the structure into the history, and then into the topic of schema changes. Gives the last record of that topic,
    /// which is not sent yet.
    ///
    /// The history is written whole before anything is sent: an offset of an unfinished copy is stored only with what is sent,
    /// so a start that finds one finds the whole structure too.
    pub(super) async fn write(&self, parts: &mut Parts<'_>, position: &Position) -> Result<Read, Error> {
        if let Some(mode) = parts.server.sql_mode.as_deref() {
            parts.schema.catalog.set_variable("sql_mode", mode);
        }
        let mut writing = Writing { position: position.clone(), changes: Vec::new(), history: Vec::new() };
        writing.apply(parts, "", &variables(parts.server))?;
        for (id, _) in self.databases.iter().flat_map(|of| &of.tables) {
            writing.apply(parts, &id.database, &format!("DROP TABLE IF EXISTS {}", quoted(&id.database, &id.table)))?;
        }
        for of in &self.databases {
            let name = quoted_name(&of.name);
            writing.apply(parts, &of.name, &format!("DROP DATABASE IF EXISTS {name}"))?;
            writing.apply(parts, &of.name, &of.create())?;
            writing.apply(parts, &of.name, &format!("USE {name}"))?;
            for (_, statement) in &of.tables {
                writing.apply(parts, &of.name, statement)?;
                if writing.history.len() >= HISTORY_BATCH && !writing.keep(parts).await? {
                    return Ok(Read::Interrupted);
                }
            }
        }
        if !writing.keep(parts).await? {
            return Ok(Read::Interrupted);
        }
        writing.send(parts).await
    }
}

/// Records on their way.
struct Writing {
    position: Position,
    /// What the topic of schema changes is to tell.
    changes: Vec<HeldBack>,
    history: Vec<String>,
}

impl Writing {
    fn apply(&mut self, parts: &mut Parts<'_>, database: &str, text: &str) -> Result<(), Error> {
        let mut position = self.position.clone();
        position.words[TS_US] = crate::stream::now_us();
        let query = Query { text, database, sql_mode: None };
        let ddl = Ddl { query, position: &position };
        let left = parts.schema.snapshotted(ddl, parts.tables)?;
        self.history.extend(left.history);
        self.changes.extend(left.changes.into_iter().map(|change| HeldBack { change, position: position.clone() }));
        Ok(())
    }

    /// Appends to the history. False when the connector is to stop.
    async fn keep(&mut self, parts: &mut Parts<'_>) -> Result<bool, Error> {
        let mut stop = parts.outlet.stop.clone();
        tokio::select! {
            biased;
            kept = parts.schema.append(std::mem::take(&mut self.history)) => kept.map(|()| true),
            () = async { drop(stop.wait_for(|stop| *stop).await) } => Ok(false),
        }
    }

    /// Sends all records but the last.
    async fn send(mut self, parts: &mut Parts<'_>) -> Result<Read, Error> {
        let last = self.changes.pop();
        let mut changes = self.changes.into_iter();
        while changes.len() > 0 {
            let some = changes.by_ref().take(relational::MAX_ITEMS);
            let events = some.filter_map(|change| change.as_one_of_many(parts.schema, parts.tables));
            let items: Vec<Item> = events.map(|event| Item::Event(Box::new(event))).collect();
            if items.is_empty() {
                continue;
            }
            let batch = Box::new(Batch { items, ..Batch::default() });
            let Some(lease) = parts.outlet.lease_or_stop(0).await else { return Ok(Read::Interrupted) };
            if !parts.outlet.send(batch, lease).await {
                return Ok(Read::Interrupted);
            }
        }
        Ok(Read::Done(last))
    }
}
