//! The slot, the publication, and how the server is told of the position.
//!
//! Must not know: SQL.

use std::time::Duration;

use settings::Reader;

use super::modes::{LsnFlushMode, OffsetMismatch, OutputPlugin, PublicationMode, TimeoutAction};

/// The replication slot.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Its name; no other connector may use it.
    pub name: String,
    /// As configured; streaming is pgoutput either way.
    pub plugin: OutputPlugin,
    /// Whether the config named a plugin.
    pub plugin_named: bool,
    /// Drop it on an orderly stop: what is written meanwhile is lost.
    pub drop_on_stop: bool,
    /// Create it as a failover slot (PostgreSQL 17).
    pub failover: bool,
    /// Extra options of START_REPLICATION, in order.
    pub stream_params: Vec<(String, String)>,
    /// Attempts to create it or to start streaming.
    pub max_retries: u32,
    /// Pause between them.
    pub retry_delay: Duration,
    /// Limit of its creation, which waits for open transactions.
    pub create_timeout: Duration,
}

impl Slot {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            name: r.text("slot.name"),
            plugin: r.choice("plugin.name", OutputPlugin::Decoderbufs),
            plugin_named: r.is_set("plugin.name"),
            drop_on_stop: r.boolean("slot.drop.on.stop"),
            failover: r.boolean("slot.failover"),
            stream_params: pairs(&r.text("slot.stream.params")),
            max_retries: u32::try_from(r.int("slot.max.retries")).unwrap_or(0),
            retry_delay: r.millis("slot.retry.delay.ms"),
            create_timeout: Duration::from_secs(
                u64::try_from(r.long("internal.create.slot.command.timeout")).unwrap_or(0),
            ),
        }
    }
}

/// `k=v;k=v`; what is no pair is dropped.
fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        (!name.is_empty() && !value.contains('=')).then(|| (name.to_owned(), value.to_owned()))
    };
    text.split(';').filter_map(pair).collect()
}

/// Which old values a table's updates and deletes carry (PostgreSQL manual, ALTER TABLE, REPLICA IDENTITY).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// The primary key's.
    Default,
    /// All.
    Full,
    /// None.
    Nothing,
    /// Those of a unique index.
    Index(String),
}

/// One entry of `replica.identity.autoset.values`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaIdentity {
    /// Regex on `schema.table`.
    pub table: String,
    /// What such tables are to have.
    pub identity: Identity,
}

/// The publication.
#[derive(Clone, Debug)]
pub struct Publication {
    /// Its name, to be quoted in SQL.
    pub name: String,
    /// Who makes it.
    pub autocreate: PublicationMode,
    /// Make it with `publish_via_partition_root`.
    pub via_partition_root: bool,
    /// Replica identities to set before streaming.
    pub replica_identities: Vec<ReplicaIdentity>,
}

impl Publication {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            name: r.text("publication.name"),
            autocreate: r.choice("publication.autocreate.mode", PublicationMode::AllTables),
            via_partition_root: r.boolean("publish.via.partition.root"),
            replica_identities: r
                .text("replica.identity.autoset.values")
                .split(',')
                .filter_map(replica_identity)
                .collect(),
        }
    }
}

/// One entry; the key's check has refused those that are not of this form.
fn replica_identity(entry: &str) -> Option<ReplicaIdentity> {
    let (table, identity) = entry.trim().split_once(':')?;
    let identity = match identity.to_ascii_uppercase().as_str() {
        "DEFAULT" => Identity::Default,
        "FULL" => Identity::Full,
        "NOTHING" => Identity::Nothing,
        upper if upper.starts_with("INDEX ") => Identity::Index(identity["INDEX ".len()..].to_owned()),
        _ => return None,
    };
    Some(ReplicaIdentity { table: table.to_owned(), identity })
}

/// How the server is told of the position.
#[derive(Clone, Debug)]
pub struct Position {
    /// Who tells it.
    pub flush_mode: LsnFlushMode,
    /// Limit of one telling.
    pub flush_timeout: Duration,
    /// What then.
    pub flush_timeout_action: TimeoutAction,
    /// Between status messages; the server's wal_sender_timeout must be longer.
    pub status_interval: Duration,
    /// Between looks at the slot's `catalog_xmin`; zero: never, and `source.xmin` stays null.
    pub xmin_fetch_interval: Duration,
    /// Check at start that the server still has the stored position.
    pub log_position_check: bool,
    /// Which holds when the stored position and the slot's differ; trust_slot and trust_greater_lsn switch the check off.
    pub mismatch: OffsetMismatch,
}

impl Position {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let older = if r.boolean("flush.lsn.source") { LsnFlushMode::Connector } else { LsnFlushMode::Manual };
        Self {
            flush_mode: r.choice("lsn.flush.mode", older),
            flush_timeout: r.millis("lsn.flush.timeout.ms"),
            flush_timeout_action: r.choice("lsn.flush.timeout.action", TimeoutAction::Fail),
            status_interval: r.millis("status.update.interval.ms"),
            xmin_fetch_interval: r.millis("xmin.fetch.interval.ms"),
            log_position_check: r.boolean("internal.log.position.check.enable"),
            mismatch: r.choice("offset.mismatch.strategy", OffsetMismatch::NoValidation),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replica_identities() {
        #[track_caller]
        fn check(entry: &str, expect: Option<(&str, Identity)>) {
            let expect = expect.map(|(t, identity)| ReplicaIdentity { table: t.to_owned(), identity });
            assert_eq!(replica_identity(entry), expect, "{entry}");
        }
        check(" public.a:full ", Some(("public.a", Identity::Full)));
        check("public.*:DEFAULT", Some(("public.*", Identity::Default)));
        check("a:Nothing", Some(("a", Identity::Nothing)));
        check("a:index My_ix", Some(("a", Identity::Index("My_ix".to_owned()))));
        check("a:sometimes", None);
        check("a", None);
    }

    #[test]
    fn stream_params() {
        let expect = vec![("a".to_owned(), "1".to_owned()), ("b".to_owned(), String::new())];
        assert_eq!(pairs("a=1; b=;c;=d;x=y=z"), expect);
    }
}
