//! What a connector needs of a server: room for a slot and a sender, rights on tables and publications, limits on the log that
//! is kept. Read-only.

use std::collections::HashMap;

use tokio_postgres::types::Type;

use super::{Sql, get};
use crate::error::Error;

/// Room for replication, and the server's limits on the log that it keeps for slots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// `max_replication_slots`.
    pub slots: i64,
    /// How many slots there are.
    pub slots_used: i64,
    /// Names of a few slots that nobody reads.
    pub idle_slots: Vec<String>,
    /// `max_wal_senders`.
    pub senders: i64,
    /// How many sessions stream or wait to stream.
    pub senders_used: i64,
    /// `max_slot_wal_keep_size` as the server prints it, such as `10GB`; `-1` for no limit, `None` before version 13.
    pub kept_wal: Option<String>,
    /// `idle_replication_slot_timeout` as the server prints it; `0` for never, `None` before version 18.
    pub idle_timeout: Option<String>,
    /// Whether the server has a physical slot, as standbys have.
    pub has_standbys: bool,
}

/// What this session's role may do in the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// CREATE on the database, which CREATE PUBLICATION needs.
    pub creates: bool,
    /// Membership in a cloud provider's role of administrators, which may do what elsewhere takes a superuser.
    pub is_cloud_admin: bool,
}

/// Of a publication: what is not in [`super::PublicationInfo`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PublicationState {
    /// `publish_via_partition_root`.
    pub via_root: bool,
    /// Whether this session's role owns it, and so may alter it.
    pub is_owned: bool,
}

/// What this session's role may do with a table, and the table's place among partitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// USAGE on its schema.
    pub reaches_schema: bool,
    /// The columns that it may not SELECT.
    pub hidden_columns: Vec<String>,
    /// Whether it owns the table, and so may add it to a publication.
    pub is_owned: bool,
    /// Of a partition: the ids of what it is a partition of, the nearest first.
    pub ancestors: Vec<u32>,
    /// Of a partitioned table: the ids of the partitions that hold its rows.
    pub leaves: Vec<u32>,
}

impl Sql {
    /// Room for replication and limits on the log that is kept: one round trip.
    pub async fn room(&self) -> Result<Room, Error> {
        let doing = "reading how much room there is for replication";
        let sql = "SELECT pg_catalog.current_setting('max_replication_slots')::int8, \
                   (SELECT count(*) FROM pg_catalog.pg_replication_slots), \
                   ARRAY(SELECT slot_name::text FROM pg_catalog.pg_replication_slots WHERE NOT active ORDER BY 1 LIMIT 3), \
                   pg_catalog.current_setting('max_wal_senders')::int8, (SELECT count(*) FROM pg_catalog.pg_stat_replication), \
                   pg_catalog.current_setting('max_slot_wal_keep_size', true), \
                   pg_catalog.current_setting('idle_replication_slot_timeout', true), \
                   EXISTS (SELECT 1 FROM pg_catalog.pg_replication_slots WHERE slot_type = 'physical')";
        let row = self.row(doing, sql, &[]).await?;
        Ok(Room {
            slots: get(&row, 0, doing)?,
            slots_used: get(&row, 1, doing)?,
            idle_slots: get(&row, 2, doing)?,
            senders: get(&row, 3, doing)?,
            senders_used: get(&row, 4, doing)?,
            kept_wal: get(&row, 5, doing)?,
            idle_timeout: get(&row, 6, doing)?,
            has_standbys: get(&row, 7, doing)?,
        })
    }

    /// What this session's role may do in the database.
    pub async fn rights(&self) -> Result<Rights, Error> {
        let doing = "reading the rights of the role";
        let sql = "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE'), EXISTS (SELECT 1 FROM \
                   pg_catalog.pg_roles r WHERE r.rolname IN ('rds_superuser', 'rdsadmin', 'cloudsqlsuperuser', \
                   'azure_pg_admin', 'alloydbsuperuser') AND pg_catalog.pg_has_role(r.oid, 'MEMBER'))";
        let row = self.row(doing, sql, &[]).await?;
        Ok(Rights { creates: get(&row, 0, doing)?, is_cloud_admin: get(&row, 1, doing)? })
    }

    /// How a publication that exists sends partitions, and whether this session's role may alter it.
    pub async fn publication_state(&self, name: &str) -> Result<Option<PublicationState>, Error> {
        let doing = format!("looking at publication \"{name}\"");
        let via_root = if self.server_version() >= 130_000 { "p.pubviaroot" } else { "false" };
        let sql = format!(
            "SELECT {via_root}, pg_catalog.pg_has_role(p.pubowner, 'USAGE') FROM pg_catalog.pg_publication p \
             WHERE p.pubname::text = $1"
        );
        let rows = self.rows(&doing, &sql, &[(&name, Type::TEXT)]).await?;
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(Some(PublicationState { via_root: get(row, 0, &doing)?, is_owned: get(row, 1, &doing)? }))
    }

    /// What this session's role may do with the given tables, by their ids: one round trip. A table that is gone has no entry.
    pub async fn access(&self, oids: &[u32]) -> Result<HashMap<u32, Access>, Error> {
        let doing = "reading the rights on the tables";
        let (ancestors, leaves) = if self.server_version() >= 120_000 {
            (
                "ARRAY(SELECT a.relid::oid FROM pg_catalog.pg_partition_ancestors(c.oid) WITH ORDINALITY a (relid, place) \
                 WHERE a.relid <> c.oid ORDER BY a.place)",
                "ARRAY(SELECT t.relid::oid FROM pg_catalog.pg_partition_tree(c.oid) t WHERE t.isleaf)",
            )
        } else {
            ("ARRAY[]::oid[]", "ARRAY[]::oid[]")
        };
        let sql = format!(
            "SELECT c.oid, pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE'), \
             CASE WHEN pg_catalog.has_table_privilege(c.oid, 'SELECT') THEN ARRAY[]::text[] ELSE \
             ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 \
             AND NOT a.attisdropped AND NOT pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT') ORDER BY a.attnum) END, \
             pg_catalog.pg_has_role(c.relowner, 'USAGE'), \
             CASE WHEN c.relispartition THEN {ancestors} ELSE ARRAY[]::oid[] END, \
             CASE WHEN c.relkind = 'p' THEN {leaves} ELSE ARRAY[]::oid[] END \
             FROM pg_catalog.pg_class c WHERE c.oid = ANY ($1)"
        );
        let mut found = HashMap::new();
        for row in &self.rows(doing, &sql, &[(&oids, Type::OID_ARRAY)]).await? {
            let access = Access {
                reaches_schema: get(row, 1, doing)?,
                hidden_columns: get(row, 2, doing)?,
                is_owned: get(row, 3, doing)?,
                ancestors: get(row, 4, doing)?,
                leaves: get(row, 5, doing)?,
            };
            found.insert(get(row, 0, doing)?, access);
        }
        Ok(found)
    }
}
