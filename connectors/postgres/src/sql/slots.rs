//! Slots and publications as the catalog shows them.

use relational::Retained;
use tokio_postgres::types::Type;

use super::tables::TableName;
use super::{Sql, get};
use crate::error::{Error, SlotOwner};
use crate::holders::holder;
use crate::lsn::Lsn;

/// A row of `pg_replication_slots`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotInfo {
    /// The slot's name.
    pub name: String,
    /// The output plugin; empty for a physical slot.
    pub plugin: String,
    /// The database it decodes; empty for a physical slot.
    pub dbname: String,
    /// Id of the server's process that streams from it now.
    pub active_pid: Option<i32>,
    /// The server keeps the log from here on.
    pub restart_lsn: Option<Lsn>,
    /// Commits before this are not sent again. `None` while the slot is being created.
    pub confirmed_flush_lsn: Option<Lsn>,
    /// Whether it is dropped when the session that made it ends.
    pub temporary: bool,
    /// Whether prepared transactions are sent at their PREPARE. Always false before version 14.
    pub two_phase: bool,
    /// `reserved`, `extended`, `unreserved` or `lost`; `None` before version 13.
    pub wal_status: Option<String>,
    /// Why the server has given the slot up: `wal_removed`, `rows_removed`, `wal_level_insufficient`, `idle_timeout`. `None`
    /// for a slot that can be read, and before version 17.
    pub invalidation: Option<String>,
    /// Whether it is a copy of a slot of the primary, which the server keeps until this standby is promoted (version 17).
    pub synced: bool,
    /// Bytes that may be written before the slot may be lost; `None` without `max_slot_wal_keep_size`.
    pub safe_wal_size_bytes: Option<i64>,
}

/// The server's process that streams from a slot, and what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotReader {
    /// Id of the process.
    pub pid: i32,
    /// The event that it waits for; none while it runs, or when this role may not see it.
    pub wait: Option<String>,
    /// Whether it has no work: it waits for the log to grow, or for its client.
    pub is_idle: bool,
}

/// A row of `pg_publication`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublicationInfo {
    /// The publication's name.
    pub name: String,
    /// Whether it is `FOR ALL TABLES`.
    pub all_tables: bool,
    /// The operations whose changes are sent, in the words of the option `publish`.
    pub operations: Vec<String>,
    /// The schemas of `FOR TABLES IN SCHEMA` (version 15).
    pub schemas: Vec<String>,
    /// All tables whose changes are sent (`pg_publication_tables`): those of `FOR ALL TABLES` and of schemas too, and
    /// partitions in place of their root, unless it publishes via the root.
    pub published: Vec<TableName>,
    /// The tables that the publication names one by one. A partitioned table stands here itself.
    pub named: Vec<TableName>,
    /// Those of the named tables that have a row filter or a column list: not all of their changes are sent (version 15).
    pub narrowed: Vec<TableName>,
}

impl Sql {
    /// The slot of this name, in any database.
    pub async fn slot(&self, name: &str) -> Result<Option<SlotInfo>, Error> {
        let doing = format!("looking for replication slot \"{name}\"");
        let since = |version, has, else_is| if self.server_version() >= version { has } else { else_is };
        let since_13 = since(130_000, "wal_status, safe_wal_size", "NULL::text, NULL::int8");
        let since_14 = since(140_000, "two_phase", "false");
        let since_17 = since(170_000, "invalidation_reason, synced", "NULL::text, false");
        let sql = format!(
            "SELECT slot_name::text, plugin::text, database::text, active_pid, restart_lsn::text, confirmed_flush_lsn::text, \
             {since_13}, temporary, {since_14}, {since_17} \
             FROM pg_catalog.pg_replication_slots WHERE slot_name::text = $1"
        );
        let rows = self.rows(&doing, &sql, &[(&name, Type::TEXT)]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let lsn = |index| -> Result<Option<Lsn>, Error> {
            Ok(get::<Option<String>>(row, index, &doing)?.and_then(|text| text.parse().ok()))
        };
        Ok(Some(SlotInfo {
            name: get(row, 0, &doing)?,
            plugin: get::<Option<String>>(row, 1, &doing)?.unwrap_or_default(),
            dbname: get::<Option<String>>(row, 2, &doing)?.unwrap_or_default(),
            active_pid: get(row, 3, &doing)?,
            restart_lsn: lsn(4)?,
            confirmed_flush_lsn: lsn(5)?,
            wal_status: get(row, 6, &doing)?,
            safe_wal_size_bytes: get(row, 7, &doing)?,
            temporary: get(row, 8, &doing)?,
            two_phase: get(row, 9, &doing)?,
            invalidation: get(row, 10, &doing)?,
            synced: get(row, 11, &doing)?,
        }))
    }

    /// Who streams from a slot now, as far as this role may see it; `None` when nobody does.
    pub async fn slot_owner(&self, name: &str) -> Result<Option<SlotOwner>, Error> {
        let doing = format!("looking for the reader of replication slot \"{name}\"");
        let sql = "SELECT s.active_pid, r.application_name, r.usename::text, pg_catalog.host(r.client_addr) \
                   FROM pg_catalog.pg_replication_slots s \
                   LEFT JOIN pg_catalog.pg_stat_replication r ON r.pid = s.active_pid \
                   WHERE s.slot_name::text = $1 AND s.active_pid IS NOT NULL";
        let rows = self.rows(&doing, sql, &[(&name, Type::TEXT)]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let text = |index| -> Result<Option<String>, Error> {
            Ok(get::<Option<String>>(row, index, &doing)?.filter(|text| !text.is_empty()))
        };
        let pid: i32 = get(row, 0, &doing)?;
        let connector = holder(name, &self.options().dbname, pid);
        Ok(Some(SlotOwner { pid: Some(pid), application: text(1)?, user: text(2)?, client: text(3)?, connector }))
    }

    /// The process that streams from a slot now, and what it does; `None` when there is none.
    pub async fn slot_reader(&self, name: &str) -> Result<Option<SlotReader>, Error> {
        let doing = format!("looking at the reader of replication slot \"{name}\"");
        // A walsender without work waits in its main loop, for the log, or for its socket. A walsender of a failover slot also
        // waits for the standbys; that counts as work, because it is no sign of a dead connection.
        let sql = "SELECT s.active_pid, a.wait_event, \
                   COALESCE(a.wait_event_type IN ('Activity', 'Client') AND a.wait_event <> 'WaitForStandbyConfirmation', false) \
                   FROM pg_catalog.pg_replication_slots s LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid \
                   WHERE s.slot_name::text = $1 AND s.active_pid IS NOT NULL";
        let rows = self.rows(&doing, sql, &[(&name, Type::TEXT)]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(SlotReader { pid: get(row, 0, &doing)?, wait: get(row, 1, &doing)?, is_idle: get(row, 2, &doing)? }))
    }

    /// The log that the server keeps for a slot, from its `restart_lsn` to the end that this server has; `None` if there is no
    /// such slot, or none that keeps log.
    pub async fn retained_log(&self, name: &str) -> Result<Option<Retained>, Error> {
        let doing = format!("asking how much log replication slot \"{name}\" keeps");
        // safe_wal_size is there since version 13.
        let safe = if self.server_version() >= 130_000 { "safe_wal_size" } else { "NULL::int8" };
        let sql = format!(
            "SELECT (CASE WHEN pg_catalog.pg_is_in_recovery() \
             THEN COALESCE(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn()) \
             ELSE pg_catalog.pg_current_wal_lsn() END - restart_lsn)::int8, {safe} \
             FROM pg_catalog.pg_replication_slots WHERE slot_name::text = $1"
        );
        let rows = self.rows(&doing, &sql, &[(&name, Type::TEXT)]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        let bytes = |number: Option<i64>| number.map(|bytes| bytes.max(0).unsigned_abs());
        let (kept, safe_bytes) = (bytes(get(row, 0, &doing)?), bytes(get(row, 1, &doing)?));
        Ok(kept.map(|bytes| Retained { bytes, safe_bytes }))
    }

    /// Drops a slot; one try.
    pub async fn drop_slot(&self, name: &str) -> Result<(), Error> {
        let doing = format!("dropping replication slot \"{name}\"");
        let sql = "SELECT pg_catalog.pg_drop_replication_slot($1::text)";
        self.rows(&doing, sql, &[(&name, Type::TEXT)]).await.map(drop)
    }

    /// A publication and its tables: one round trip.
    pub async fn publication(&self, name: &str) -> Result<Option<PublicationInfo>, Error> {
        let doing = format!("looking for publication \"{name}\"");
        let (narrowed, schemas) = if self.server_version() >= 150_000 {
            (
                "r.prqual IS NOT NULL OR r.prattrs IS NOT NULL",
                "ARRAY(SELECT n.nspname::text FROM pg_catalog.pg_publication_namespace s \
                 JOIN pg_catalog.pg_namespace n ON n.oid = s.pnnspid WHERE s.pnpubid = p.oid)",
            )
        } else {
            ("false", "ARRAY[]::text[]")
        };
        let publication = format!(
            "SELECT p.puballtables, {schemas}, pg_catalog.array_remove(ARRAY[CASE WHEN p.pubinsert THEN 'insert' END, \
                 CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END, \
                 CASE WHEN p.pubtruncate THEN 'truncate' END], NULL) \
                 FROM pg_catalog.pg_publication p WHERE p.pubname::text = $1"
        );
        let published = "SELECT schemaname::text, tablename::text FROM pg_catalog.pg_publication_tables \
                         WHERE pubname::text = $1 ORDER BY 1, 2";
        let named = format!(
            "SELECT n.nspname::text, c.relname::text, {narrowed} FROM pg_catalog.pg_publication p \
             JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid JOIN pg_catalog.pg_class c ON c.oid = r.prrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname::text = $1 ORDER BY 1, 2"
        );
        let by_name: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 1] = [(&name, Type::TEXT)];
        let (row, published, named) = tokio::try_join!(
            self.rows(&doing, &publication, &by_name),
            self.rows(&doing, published, &by_name),
            self.rows(&doing, &named, &by_name)
        )?;
        let Some(row) = row.first() else { return Ok(None) };
        let table = |row: &tokio_postgres::Row| -> Result<TableName, Error> {
            Ok(TableName { schema: get(row, 0, &doing)?, table: get(row, 1, &doing)? })
        };
        let mut found = PublicationInfo {
            name: name.to_owned(),
            all_tables: get(row, 0, &doing)?,
            schemas: get(row, 1, &doing)?,
            operations: get(row, 2, &doing)?,
            ..PublicationInfo::default()
        };
        for row in &published {
            found.published.push(table(row)?);
        }
        for row in &named {
            found.named.push(table(row)?);
            if get(row, 2, &doing)? {
                found.narrowed.push(table(row)?);
            }
        }
        Ok(Some(found))
    }
}
