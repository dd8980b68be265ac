//! Copying: the rows of the captured tables, from one view of the database, into batches.
//!
//! Purpose: the rows that were there before the log begins. A view here is one snapshot of the database, as PostgreSQL's
//! SET TRANSACTION SNAPSHOT means it. It is taken before the first table is read, and the last table may be read hours later,
//! while people go on changing tables. So each table is read as it is defined when it is read, and a table whose rows the
//! view cannot show any more (it was rewritten or truncated) is read in a view of its own.
//!
//! Must not know: the log's messages, when a copy is to be made.

mod binary;
mod statement;
mod table;

use record::Position;
use relational::{CopiedRows, Outlet};

pub(crate) use self::binary::CopyReader;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::binary::SIGNATURE;
pub(crate) use self::statement::given_name;
use self::table::{Read, Work, renamed_since};
use crate::config::{PostgresConfig, SnapshotLocking};
use crate::error::Error;
use crate::position::{LSN, SnapshotState, TS_US, TX_ID, TX_ROW, set_snapshot, texts};
use crate::session::Catalog;
use crate::sql::{Isolation, SnapshotReader, Table, TableName};
use crate::stream::Seen;
use crate::table::Tables;
use crate::wire::ConnectOptions;

/// How a copy ended.
#[derive(Debug)]
pub(crate) enum Copy {
    /// All rows are in the pipeline.
    Done {
        /// The position of the finished copy; `None` if there was no row. It says what the stream is to skip, if
        /// [`View::passes_over`] is set.
        position: Option<Position>,
    },
    /// The connector is to stop, or the pipeline is gone.
    Interrupted,
}

/// The view of the database that a copy reads.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// The exported snapshot to import; `None` if the copy takes a view itself.
    pub(crate) name: Option<String>,
    /// The LSN from which the log is followed after the copy; stored with every row.
    pub(crate) lsn: i64,
    /// Nothing is streamed after this copy.
    pub(crate) alone: bool,
    /// `lsn` is older than the view: the stream is to skip the transactions that the view shows.
    pub(crate) passes_over: bool,
}

/// Copies all captured tables that the view itself lists: a table that was created while the slot waited for open
/// transactions is in the view, and its rows are nowhere else.
pub(crate) async fn copy(
    config: &PostgresConfig,
    options: &ConnectOptions,
    tables: &mut Tables,
    catalog: &mut Catalog,
    view: View,
    outlet: &mut Outlet,
) -> Result<Copy, Error> {
    let isolation = if view.alone {
        // Nothing is streamed after this copy, so the user may choose a level at which rows are of different moments.
        config.snapshot.isolation
    } else {
        // The stream goes on from one LSN, so all rows must be of one moment.
        Isolation::RepeatableRead
    };
    let reader = SnapshotReader::begin(options, view.name.as_deref(), isolation).await?;
    let captured = tables.captured(reader.sql()).await?;
    let wanted: Vec<&Table> =
        captured.iter().filter(|table| config.snapshot.copying.wants(&table.name.to_string())).collect();
    let oids: Vec<u32> = wanted.iter().map(|table| table.oid).collect();
    let files = reader.sql().files(&oids).await?;
    let seen = if view.passes_over { seen(&reader).await? } else { None };
    if config.snapshot.locking == SnapshotLocking::Shared {
        let names: Vec<_> = wanted.iter().map(|table| table.name.clone()).collect();
        reader.lock(&names, config.snapshot.copying.lock_timeout.as_millis() as u64).await?;
    }
    let hidden = reader.sql().hidden_by_row_security(&oids).await?;
    if !hidden.is_empty() {
        let tables = hidden.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(Error::RowSecurity { tables, user: config.connection.user.clone() });
    }
    let mut position = Position::UNKNOWN;
    position.words[LSN] = view.lsn;
    // The id comes from another connection. If the view's own transaction had an id, no slot could be created on this server
    // for as long as the copy lasts, and a copy whose broker is away lasts for ever.
    position.words[TX_ID] = catalog.sql().await?.current_xid().await?.map_or(record::NONE, |xid| xid as i64);
    position.words[TS_US] = reader.sql().current_timestamp_us().await?;
    // `TX_ROW` marks the offset as ours. A restart can then tell that the slot was advanced past it, even if nothing was streamed
    // yet.
    position.words[TX_ROW] = 0;
    set_snapshot(&mut position, SnapshotState::Running);
    // The consistent point is stored before the first row is sent, so that a later start knows that a copy was begun.
    if !view.alone && !outlet.store_begin_of_copy(position.clone()).await || !outlet.copy_begins().await {
        return Ok(Copy::Interrupted);
    }
    outlet.meters.count(|numbers| numbers.snapshot.reads(wanted.len()));
    let filling = CopiedRows::new(outlet);
    let mut work = Work { config, options, tables, catalog, position: position.clone(), filling };
    let mut apart: Vec<TableName> = Vec::new();
    for table in &wanted {
        let before = files.get(&table.oid).cloned().unwrap_or_default();
        match work.read_in_view(&reader, table, &before).await? {
            Read::Done => work.table_ends(),
            Read::Apart => apart.push(table.name.clone()),
            Read::Interrupted => return Ok(Copy::Interrupted),
        }
    }
    let mut renamed = renamed_since(work.catalog.sql().await?, &reader, work.tables, &captured).await?;
    renamed.retain(|name| config.snapshot.copying.wants(&name.to_string()));
    apart.extend(renamed);
    reader.rollback().await?;
    for name in &apart {
        if work.read_apart(name).await? == Read::Interrupted {
            return Ok(Copy::Interrupted);
        }
        work.table_ends();
    }
    let mut filling = work.filling;
    set_snapshot(&mut position, SnapshotState::Last);
    let rows = filling.rows;
    // Without a row nothing was read of any transaction.
    let seen = seen.filter(|_| rows > 0);
    position.texts = seen.and_then(|seen| texts(None, Some(seen.to_text().into())));
    filling.end(&position, !view.alone);
    if !filling.send().await || !filling.outlet.copy_ends().await {
        return Ok(Copy::Interrupted);
    }
    tracing::info!(tables = wanted.len(), rows, "snapshot done");
    Ok(Copy::Done { position: (rows > 0).then_some(position) })
}

/// Transactions after the start LSN that the view already contains.
async fn seen(reader: &SnapshotReader) -> Result<Option<Seen>, Error> {
    let Some(view) = reader.sql().visible().await? else { return Ok(None) };
    // Asked after the view was taken: whatever the view shows was written to the log before this LSN.
    let until = reader.sql().insert_lsn().await?;
    Ok(Some(Seen { view, until }))
}
