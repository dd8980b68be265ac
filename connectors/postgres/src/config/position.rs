//! The slot, the publication, and how the server is told of the position.
//!
//! Must not know: SQL.

use std::time::Duration;

use settings::{Finding, Reader, Severity};

use super::modes::{LsnFlushMode, OffsetMismatch, OutputPlugin};
use crate::publication::{Autocreate, IdentityRule};

/// The replication slot.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Its name; no other connector may use it.
    pub name: String,
    /// As configured; streaming uses pgoutput with either.
    pub plugin: OutputPlugin,
    /// Whether to drop the slot on an orderly stop. What is written until the next start is then lost.
    pub drop_on_stop: bool,
    /// Whether to create the slot as a failover slot (PostgreSQL 17).
    pub failover: bool,
    /// Extra options of START_REPLICATION, in order, without those that would change the form of what is read.
    pub stream_params: Vec<(String, String)>,
    /// Attempts to create the slot or to start streaming.
    pub max_retries: u32,
    /// Pause between two attempts.
    pub retry_delay: Duration,
}

impl Slot {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            name: r.text("slot.name"),
            plugin: r.choice("plugin.name", OutputPlugin::Decoderbufs),
            drop_on_stop: r.boolean("slot.drop.on.stop"),
            failover: r.boolean("slot.failover"),
            stream_params: stream_params(r),
            max_retries: u32::try_from(r.int("slot.max.retries")).unwrap_or(0),
            retry_delay: r.millis("slot.retry.delay.ms"),
        }
    }
}

/// Options that the connector sets itself. In Debezium too its own values win over the user's.
const SET_HERE: [&str; 3] = ["proto_version", "publication_names", "messages"];
/// Options that change the form in which rows are sent. Debezium loses every row with `binary` and does not start with the
/// others.
const NOT_READ: [&str; 3] = ["binary", "streaming", "two_phase"];

/// The options that are passed on to START_REPLICATION. Each option that is left out gives a finding with its name.
fn stream_params(r: &mut Reader<'_>) -> Vec<(String, String)> {
    let mut passed = Vec::new();
    for part in r.text("slot.stream.params").split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let pair = part.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
        let reason = match pair {
            Some((name, _)) if SET_HERE.contains(&name) => format!("{name} is left out: the connector sets it itself."),
            Some((name, _)) if NOT_READ.contains(&name) => {
                format!("{name} is left out: rows are read as text, a transaction at a time after its commit.")
            }
            Some((name, value)) if !name.is_empty() && !value.contains('=') => {
                // The server refuses an option that is given twice, so the last one counts.
                passed.retain(|(known, _)| known != name);
                passed.push((name.to_owned(), value.to_owned()));
                continue;
            }
            _ => format!("'{part}' is left out: it is not of the form name=value."),
        };
        r.find(Finding {
            key: "slot.stream.params".to_owned(),
            severity: Severity::Warning,
            reason,
            remedy: "Take it out; the records are the same without it.".to_owned(),
        });
    }
    passed
}

/// The publication.
#[derive(Clone, Debug)]
pub struct Publication {
    /// Its name, to be quoted in SQL.
    pub name: String,
    /// Who makes a missing publication.
    pub autocreate: Autocreate,
    /// Whether to make it with `publish_via_partition_root`.
    pub via_partition_root: bool,
    /// Replica identities to set before streaming.
    pub replica_identities: Vec<IdentityRule>,
}

impl Publication {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            name: r.text("publication.name"),
            autocreate: r.choice("publication.autocreate.mode", Autocreate::AllTables),
            via_partition_root: r.boolean("publish.via.partition.root"),
            replica_identities: replica_identities(r),
        }
    }
}

/// `replica.identity.autoset.values`. The key's check has refused entries that are not of the right form, but it does not
/// compile their regexes.
fn replica_identities(r: &mut Reader<'_>) -> Vec<IdentityRule> {
    const KEY: &str = "replica.identity.autoset.values";
    let mut rules = Vec::new();
    for rule in r.text(KEY).split(',').filter_map(IdentityRule::parse) {
        match rule {
            Ok(rule) => rules.push(rule),
            Err(problem) => r.refuse(KEY, &problem),
        }
    }
    rules
}

/// How the server is told of the position.
#[derive(Clone, Debug)]
pub struct Position {
    /// Who tells the server, and when.
    pub flush_mode: LsnFlushMode,
    /// Time between status messages; must be shorter than the server's `wal_sender_timeout`.
    pub status_interval: Duration,
    /// Whether to check at start that the server still has the stored position.
    pub log_position_check: bool,
    /// Which position holds when the stored one and the slot's differ. trust_slot and trust_greater_lsn switch the check off.
    pub mismatch: OffsetMismatch,
}

impl Position {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let older = if r.boolean("flush.lsn.source") { LsnFlushMode::Connector } else { LsnFlushMode::Manual };
        Self {
            flush_mode: r.choice("lsn.flush.mode", older),
            status_interval: r.millis("status.update.interval.ms"),
            log_position_check: r.boolean("internal.log.position.check.enable"),
            mismatch: r.choice("offset.mismatch.strategy", OffsetMismatch::NoValidation),
        }
    }
}

#[cfg(test)]
mod tests {
    use settings::Properties;

    use super::*;

    /// `expect` are the options that are passed on, `left_out` the names of the others.
    #[track_caller]
    fn check_params(text: &str, expect: &[(&str, &str)], left_out: &[&str]) {
        let mut properties = Properties::new();
        properties.insert("slot.stream.params", text);
        let mut reader = Reader::new(crate::keys::KEYS, &properties);
        let passed = stream_params(&mut reader);
        let passed: Vec<_> = passed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(passed, expect, "{text}");
        // Required keys are missing from this config; that is an error and no finding, so it does not show here.
        let findings = reader.findings();
        assert_eq!(findings.len(), left_out.len(), "{text}: {findings:?}");
        for (finding, name) in findings.iter().zip(left_out) {
            assert!(finding.reason.contains(name), "{text}: {finding}");
        }
    }

    #[test]
    fn stream_options() {
        check_params("", &[], &[]);
        check_params("a=1; b=;", &[("a", "1"), ("b", "")], &[]);
        check_params("c;=d;x=y=z", &[], &["'c'", "'=d'", "'x=y=z'"]);
        check_params("origin=any;origin=none", &[("origin", "none")], &[]);
        check_params("binary=true;origin=none", &[("origin", "none")], &["binary"]);
        check_params("proto_version=2; streaming=on", &[], &["proto_version", "streaming"]);
        check_params(
            "publication_names=p;messages=false;two_phase=on",
            &[],
            &["publication_names", "messages", "two_phase"],
        );
    }
}
