//! Rows of a table that a statement may have changed which is not understood: how the table is, is found out before the first of
//! them is sent.
//!
//! First the binlog is asked: with `binlog_row_metadata=FULL` the TABLE_MAP before the rows tells the table. Then the server,
//! whose present table is that of the rows if no later statement is about it. If neither tells, the settings decide: the
//! table stays as it was known, its rows are left out, or the task ends.
//!
//! What was found out goes to the schema history as the statement's own record, so that a restart and the Java connector
//! read it there. It stands at the place of the rows: a start from an earlier place finds only the statement, and the same
//! doubt. The topic of schema changes gets the same.
//!
//! Must not know: how events are read.

use record::{Event, Item, SnapshotMark};

use super::follow::{Follow, Goes, Lasting};
use super::present::{Asked, Present, Told, Untold};
use crate::config::Failure;
use crate::ddl::Doubt;
use crate::error::{Error, InDoubt};
use crate::model::Table;
use crate::position::EVENTS;

impl Follow<'_> {
    /// Finds out how the table of this number is. `is_apart`: the rows' event stands in the batch apart.
    pub(super) async fn find_out(&mut self, number: u64, is_apart: bool) -> Goes {
        let Some(announced) = self.decoder.in_doubt(number).cloned() else { return Ok(true) };
        let id = &announced.id;
        let Some(doubt) = self.lasting.schema.catalog.doubt(id).cloned() else { return Ok(true) };
        let reader = &self.decoder.reader;
        let asked = Asked {
            announced: &announced,
            place: (reader.file(), reader.position()),
            catalog: &self.lasting.schema.catalog,
            server: self.link.identity(),
            outlet: self.lasting.outlet,
        };
        let mut stop = self.lasting.outlet.stop.clone();
        let told = tokio::select! {
            biased;
            () = async { drop(stop.wait_for(|stop| *stop).await) } => return Ok(false),
            told = told(asked, self.lasting.present) => told?,
        };
        let Untold { reason, is_known } = match told {
            Ok(table) => return self.take(table, is_apart).await,
            Err(untold) => untold,
        };
        let schema = &mut *self.lasting.schema;
        if let Some(table) = schema.catalog.table(id).filter(|_| schema.keeps_doubtful()).cloned() {
            tracing::warn!(table = %id, "{reason}. The table stays as it was known \
                (schema.history.internal.skip.unparseable.ddl)");
            schema.catalog.put(table);
            return Ok(true);
        }
        let Doubt { failed, at, .. } = &*doubt;
        let error = InDoubt {
            table: id.to_string(),
            at: self.decoder.reader.at(),
            statement: failed.clone(),
            statement_at: at.to_string(),
            reason,
        };
        match self.decoder.unknown_table() {
            Failure::Fail => return Err(Box::new(error).into()),
            Failure::Warn if is_known => {}
            Failure::Warn => {
                tracing::warn!("{error}. The table's changes are left out (inconsistent.schema.handling.mode)");
            }
            Failure::Skip | Failure::Ignore => {}
        }
        self.decoder.leave_out(number);
        Ok(true)
    }

    /// Takes the table that was found out. It is sent nothing of before the history has it.
    async fn take(&mut self, table: Table, is_apart: bool) -> Goes {
        let mut position = self.decoder.place.position(self.decoder.reader.last_start());
        // Before the rows that are read by it: their own position is that of their event.
        position.words[EVENTS] = (position.words[EVENTS] - 1).max(0);
        let Lasting { tables, schema, outlet, .. } = &mut self.lasting;
        let left = schema.found_out(table, &position, tables);
        let mut stop = outlet.stop.clone();
        tokio::select! {
            biased;
            kept = schema.append(left.history) => kept?,
            () = async { drop(stop.wait_for(|stop| *stop).await) } => return Ok(false),
        }
        let batch = if is_apart { &mut self.apart.batch } else { &mut self.filling.batch };
        for change in &left.changes {
            let event = schema.event(change, &position, SnapshotMark::Streamed, tables);
            // The place to go on from is that of the rows.
            batch.items.extend(event.map(|event| Item::Event(Box::new(Event { position: None, ..event }))));
        }
        Ok(true)
    }
}

/// The table, from the binlog or from the server; or why neither tells it.
async fn told(asked: Asked<'_>, present: &mut Present) -> Result<Told, Error> {
    let Asked { announced, place: (file, position), catalog, .. } = asked;
    let (id, flavour) = (&announced.id, catalog.rules().dialect.flavour);
    let why = if announced.has_names() {
        let old = catalog.table(id).map(|table| &**table);
        match announced.rebuilt(old, catalog.charset_of(&id.database), flavour) {
            Ok(table) => {
                tracing::info!(table = %id, file, position, "the binlog's metadata tell how the table is");
                return Ok(Ok(table));
            }
            Err(why) => why,
        }
    } else {
        "the binlog does not name the table's columns (binlog_row_metadata)"
    };
    let told = present.table(asked).await?;
    if told.is_ok() {
        tracing::info!(table = %id, file, position, "the server tells how the table is; no later statement is about it");
    }
    Ok(told.map_err(|Untold { reason, is_known }| Untold {
        reason: format!("The server does not tell how the table was: {reason}; and {why}"),
        is_known,
    }))
}
