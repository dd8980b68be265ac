//! Slots and publications as the catalog shows them.

use tokio_postgres::types::Type;

use super::tables::TableName;
use super::{Sql, get};
use crate::error::{Error, SlotOwner};
use crate::holders::holder;
use crate::lsn::Lsn;

/// A row of `pg_replication_slots`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotInfo {
    /// Its name.
    pub name: String,
    /// The output plugin; empty for a physical slot.
    pub plugin: String,
    /// The database it decodes; empty for a physical slot.
    pub dbname: String,
    /// The process that streams from it now.
    pub active_pid: Option<i32>,
    /// The server keeps the log from here on.
    pub restart_lsn: Option<Lsn>,
    /// Commits before this are not sent again. `None` while it is being created.
    pub confirmed_flush_lsn: Option<Lsn>,
    /// `reserved`, `extended`, `unreserved` or `lost`; `None` before version 13.
    pub wal_status: Option<String>,
    /// Bytes that may be written until the slot may be lost; `None` without `max_slot_wal_keep_size`.
    pub safe_wal_size_bytes: Option<i64>,
    /// The oldest transaction whose catalog rows are kept for it.
    pub catalog_xmin: Option<u32>,
}

/// The server's process that streams from a slot, and what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotReader {
    /// The process.
    pub pid: i32,
    /// The event that it waits for; none while it runs, or when this role may not see it.
    pub wait: Option<String>,
    /// It waits for the log to grow, or for its reader: it has no work.
    pub is_idle: bool,
}

/// A row of `pg_publication`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicationInfo {
    /// Its name.
    pub name: String,
    /// `FOR ALL TABLES`.
    pub all_tables: bool,
    /// Tables that changes are sent of, partitions in place of their root; schemas and "all" expanded.
    pub published: Vec<TableName>,
    /// Tables that were named one by one, partitioned ones as such; empty for all tables and where schemas are named.
    pub named: Vec<TableName>,
}

impl Sql {
    /// The slot of this name in whatever database.
    pub async fn slot(&self, name: &str) -> Result<Option<SlotInfo>, Error> {
        let doing = format!("looking for replication slot \"{name}\"");
        let since_13 =
            if self.server_version() >= 130_000 { "wal_status, safe_wal_size" } else { "NULL::text, NULL::int8" };
        let sql = format!(
            "SELECT slot_name::text, plugin::text, database::text, active_pid, restart_lsn::text, confirmed_flush_lsn::text, \
             catalog_xmin::text::int8, {since_13} FROM pg_catalog.pg_replication_slots WHERE slot_name::text = $1"
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
            catalog_xmin: get::<Option<i64>>(row, 6, &doing)?.map(|xmin| xmin as u32),
            wal_status: get(row, 7, &doing)?,
            safe_wal_size_bytes: get(row, 8, &doing)?,
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

    /// What the process does that streams from a slot now; `None` when there is none.
    pub async fn slot_reader(&self, name: &str) -> Result<Option<SlotReader>, Error> {
        let doing = format!("looking at the reader of replication slot \"{name}\"");
        // A walsender without work waits in its main loop, for the log, or for its socket. One of a failover slot also waits
        // for the standbys, which is no sign of a dead connection.
        let sql = "SELECT s.active_pid, a.wait_event, \
                   COALESCE(a.wait_event_type IN ('Activity', 'Client') AND a.wait_event <> 'WaitForStandbyConfirmation', false) \
                   FROM pg_catalog.pg_replication_slots s LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid \
                   WHERE s.slot_name::text = $1 AND s.active_pid IS NOT NULL";
        let rows = self.rows(&doing, sql, &[(&name, Type::TEXT)]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(SlotReader { pid: get(row, 0, &doing)?, wait: get(row, 1, &doing)?, is_idle: get(row, 2, &doing)? }))
    }

    /// Drops a slot, once.
    pub async fn drop_slot(&self, name: &str) -> Result<(), Error> {
        let doing = format!("dropping replication slot \"{name}\"");
        let sql = "SELECT pg_catalog.pg_drop_replication_slot($1::text)";
        self.rows(&doing, sql, &[(&name, Type::TEXT)]).await.map(drop)
    }

    /// A publication and its tables: one round trip.
    pub async fn publication(&self, name: &str) -> Result<Option<PublicationInfo>, Error> {
        let doing = format!("looking for publication \"{name}\"");
        let schemas = if self.server_version() >= 150_000 {
            "AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_publication_namespace s WHERE s.pnpubid = p.oid)"
        } else {
            ""
        };
        let sql = "SELECT puballtables FROM pg_catalog.pg_publication WHERE pubname::text = $1";
        let published = "SELECT schemaname::text, tablename::text FROM pg_catalog.pg_publication_tables \
                         WHERE pubname::text = $1 ORDER BY 1, 2";
        let named = format!(
            "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_publication p \
             JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid JOIN pg_catalog.pg_class c ON c.oid = r.prrelid \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE p.pubname::text = $1 {schemas} ORDER BY 1, 2"
        );
        let by_name: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 1] = [(&name, Type::TEXT)];
        let (row, published, named) = tokio::try_join!(
            self.rows(&doing, sql, &by_name),
            self.rows(&doing, published, &by_name),
            self.rows(&doing, &named, &by_name)
        )?;
        let Some(row) = row.first() else { return Ok(None) };
        let names = |rows: &[tokio_postgres::Row]| -> Result<Vec<TableName>, Error> {
            rows.iter().map(|row| Ok(TableName { schema: get(row, 0, &doing)?, table: get(row, 1, &doing)? })).collect()
        };
        Ok(Some(PublicationInfo {
            name: name.to_owned(),
            all_tables: get(row, 0, &doing)?,
            published: names(&published)?,
            named: names(&named)?,
        }))
    }
}
