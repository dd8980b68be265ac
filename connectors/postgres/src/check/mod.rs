//! The check of a configuration against its server: whether it can be used, and what stands in the way of its task.
//!
//! Purpose: what Debezium finds only when the task runs, or never, is said when a person asks. The server is read, in bounded
//! time, and nothing on it is changed.
//!
//! Must not know: HTTP, how findings are shown.

mod publication;
mod tables;

use std::collections::HashMap;
use std::time::Duration;

use relational::shell;
use settings::{Finding, Properties, Severity};
use snapshot::Copies;
use tokio::time::timeout;

use crate::config::PostgresConfig;
use crate::error::{Error, SlotOwner};
use crate::plugin::{VERSION, connect_options};
use crate::slot;
use crate::sql::{
    Access, PublicationInfo, PublicationState, Rights, Role, Room, ServerFacts, SlotInfo, Sql, Table, TableName,
};
use crate::table::Tables;
use crate::wire::Replication;

/// How long the questions after the log-in may take, all together.
const QUESTIONS_WITHIN: Duration = Duration::from_secs(8);
/// How many tables, columns or slots a message names. More are counted.
const NAMED: usize = 10;

/// Checks a configuration by connecting to the server; its keys have been checked before. A connection that cannot be made is
/// reported at `database.hostname`, as Debezium reports it. What Debezium finds only when the task runs is
/// [`Severity::Unmet`], or a warning where the task runs all the same.
pub async fn check(properties: Properties) -> Vec<Finding> {
    let config = match PostgresConfig::read(&properties) {
        Ok(config) => config,
        Err(invalid) => return shell::refusals(invalid),
    };
    let mut options = connect_options(&config, "Debezium Validate Connection");
    options.initial_statements.clear();
    let answer = async {
        let sql = Sql::connect(&options).await?;
        let role = sql.role().await?;
        let tables = Tables::new(&config, VERSION)?;
        // The owner is needed only for a warning, so an error here is ignored.
        let owner = sql.slot_owner(&config.slot.name).await.unwrap_or(None);
        let mut found: Vec<Finding> =
            taken_by_another(owner, &config.slot.name, properties.get("name")).into_iter().collect();
        match timeout(QUESTIONS_WITHIN, Seen::read(&config, &sql, &tables, role)).await {
            Ok(Ok(seen)) => found.extend(seen.findings(&config, &tables, properties.get("skipped.operations"))),
            Ok(Err(error)) => found.push(unchecked(&error.to_string())),
            Err(_) => found.push(unchecked(&format!("no answer within {} s", QUESTIONS_WITHIN.as_secs()))),
        }
        Ok::<_, Error>(found)
    };
    let answer = Box::pin(answer);
    match shell::asked(config.connection.validation_timeout, answer, |error| cannot_connect(&error)).await {
        Err(finding) => vec![finding],
        Ok(found) => found,
    }
}

fn cannot_connect(error: &Error) -> Finding {
    let trace = error.trace();
    let first = trace.lines().next().unwrap_or_default();
    let message = first.split_once(": ").map_or(first, |(_, message)| message);
    shell::at_hostname(format!("Error while validating connector config: {message}"), error.to_string())
}

fn unchecked(why: &str) -> Finding {
    let reason = format!("not all of what the task needs could be looked at: {why}.");
    finding("database.hostname", Severity::Warning, reason, "What is missing is told when the task starts.")
}

/// A warning if another connector of this worker reads the slot. It is no error: Debezium accepts such a configuration, and
/// a person may be about to delete the other connector. A reader outside of this worker is not reported: it may be this
/// very connector, which still runs in the process that this one is about to replace.
fn taken_by_another(owner: Option<SlotOwner>, slot: &str, name: Option<&str>) -> Option<Finding> {
    let owner = owner.filter(|owner| owner.connector.is_some() && owner.connector.as_deref() != name)?;
    let remedy = owner.remedy();
    let reason = format!("replication slot \"{slot}\" is in use{owner}: each connector needs one of its own.");
    Some(Finding { key: "slot.name".into(), severity: Severity::Warning, reason, remedy })
}

fn finding(key: &str, severity: Severity, reason: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding { key: key.into(), severity, reason: reason.into(), remedy: remedy.into() }
}

fn unmet(key: &str, reason: impl Into<String>, remedy: impl Into<String>) -> Finding {
    finding(key, Severity::Unmet, reason, remedy)
}

fn warning(key: &str, reason: impl Into<String>, remedy: impl Into<String>) -> Finding {
    finding(key, Severity::Warning, reason, remedy)
}

/// Names, the first few of them, separated by commas.
fn listed<T: ToString>(names: &[T]) -> String {
    let first = names.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(NAMED) {
        None | Some(0) => first,
        Some(more) => format!("{first} and {more} more"),
    }
}

/// All names, quoted for SQL: a statement must be complete.
fn quoted<'a>(tables: impl IntoIterator<Item = &'a TableName>) -> String {
    tables.into_iter().map(TableName::quoted).collect::<Vec<_>>().join(", ")
}

/// What a server says of itself, as far as a connector depends on it.
#[derive(Debug)]
struct Seen {
    facts: ServerFacts,
    role: Role,
    rights: Rights,
    room: Room,
    slot: Option<SlotInfo>,
    publication: Option<(PublicationInfo, PublicationState)>,
    captured: Vec<Table>,
    access: HashMap<u32, Access>,
    /// Captured tables of which row-level security may hide rows from the role.
    hidden: Vec<TableName>,
    /// Two columns of a captured table that get the same field name.
    clash: Option<Error>,
    /// How a replication connection went. `None` where it was not tried, because something else stands in its way.
    replication: Option<Result<Served, Error>>,
}

/// What a replication connection told.
#[derive(Clone, Copy, Debug)]
struct Served {
    /// Whether the log-in named another process than the one that serves the session: there is a pooler between.
    is_pooled: bool,
}

impl Seen {
    async fn read(config: &PostgresConfig, sql: &Sql, tables: &Tables, role: Role) -> Result<Self, Error> {
        let (facts, rights, room) = tokio::try_join!(sql.facts(), sql.rights(), sql.room())?;
        let slot = sql.slot(&config.slot.name).await?;
        let name = &config.publication.name;
        let publication = sql.publication(name).await?.zip(sql.publication_state(name).await?);
        let captured = tables.captured(sql).await?;
        let oids: Vec<u32> = captured.iter().map(|table| table.oid).collect();
        let (access, hidden) = tokio::try_join!(sql.access(&oids), sql.hidden_by_row_security(&oids))?;
        let clash = tables.clash_of(&captured);
        let has_room = room.senders_used < room.senders;
        let replication = if config.snapshot.rule.streams && role.can_replicate && has_room {
            Some(served(config).await)
        } else {
            None
        };
        Ok(Self { facts, role, rights, room, slot, publication, captured, access, hidden, clash, replication })
    }

    fn findings(&self, config: &PostgresConfig, tables: &Tables, skipped: Option<&str>) -> Vec<Finding> {
        let mut found = Vec::new();
        if config.snapshot.rule.streams {
            found.extend(self.facts.check_wal_level().err().map(|e| unmet("database.hostname", e.to_string(), "")));
            found.extend(self.replication_right());
            found.extend(self.room_for(config));
            found.extend(self.connection());
            found.extend(self.slot(config));
            found.extend(self.limits(config));
            found.extend(publication::findings(self, config, skipped));
        }
        if config.snapshot.rule.copies != Copies::Never {
            found.extend(tables::rights(self, config, tables));
        }
        if config.snapshot.rule.streams {
            found.extend(tables::identities(self, config, skipped));
        }
        // The task fails when it comes to that table. Debezium accepts such a configuration.
        found.extend(self.clash.as_ref().map(|error| warning("field.name.adjustment.mode", error.to_string(), "")));
        found
    }

    fn replication_right(&self) -> Option<Finding> {
        let name = &self.role.name;
        let role = crate::sql::quoted_name(name);
        (!self.role.can_replicate).then(|| {
            unmet(
                "database.user",
                format!("the role {name} may not stream changes: it lacks the attribute REPLICATION."),
                format!("Run ALTER ROLE {role} REPLICATION, or on Amazon RDS: GRANT rds_replication TO {role}."),
            )
        })
    }

    /// Whether a slot and a sender are free. A slot that exists needs no other.
    fn room_for(&self, config: &PostgresConfig) -> Vec<Finding> {
        let (room, mut found) = (&self.room, Vec::new());
        if self.slot.is_none() && room.slots_used >= room.slots {
            let idle = match room.idle_slots.as_slice() {
                [] => String::new(),
                [one, ..] => format!(
                    " Or drop one that nobody needs (idle: {}): SELECT pg_drop_replication_slot('{one}').",
                    listed(&room.idle_slots)
                ),
            };
            found.push(unmet(
                "slot.name",
                format!(
                    "no replication slot is free for \"{}\": the server has {} of at most {}.",
                    config.slot.name, room.slots_used, room.slots
                ),
                format!(
                    "Run ALTER SYSTEM SET max_replication_slots = {} and restart the server.{idle}",
                    (room.slots + 5).max(room.slots_used + 5)
                ),
            ));
        }
        // Who streams from the slot now may be this very connector, which frees its sender for its next start.
        let is_active = self.slot.as_ref().is_some_and(|slot| slot.active_pid.is_some());
        if room.senders_used >= room.senders && !is_active {
            found.push(unmet(
                "database.hostname",
                format!("no WAL sender is free: {} of at most {} stream.", room.senders_used, room.senders),
                format!("Run ALTER SYSTEM SET max_wal_senders = {} and restart the server.", room.senders_used + 5),
            ));
        }
        found
    }

    fn connection(&self) -> Option<Finding> {
        match self.replication.as_ref()? {
            Ok(served) => served.is_pooled.then(|| {
                warning(
                    "database.hostname",
                    "a connection pooler stands between this worker and the server.",
                    "Connect to the server itself: a pooler may end long replication connections, and its own limits apply.",
                )
            }),
            Err(error) => Some(unmet(
                "database.hostname",
                format!("a replication connection cannot be opened: {error}."),
                "A pooler in between may refuse it: connect to the server itself. Else let pg_hba.conf admit it.",
            )),
        }
    }

    fn slot(&self, config: &PostgresConfig) -> Option<Finding> {
        let slot = self.slot.as_ref()?;
        if let Err(error) = slot::check(slot, &config.connection.database) {
            return Some(unmet("slot.name", error.to_string(), ""));
        }
        let status = slot.wal_status.as_deref()?;
        if status == "reserved" && slot.safe_wal_size_bytes.is_none_or(|left| left > 0) {
            return None;
        }
        let left = slot.safe_wal_size_bytes.map(|left| format!("; {left} bytes are left")).unwrap_or_default();
        let limit = self.room.kept_wal.as_deref().unwrap_or("-1");
        // `extended` without a limit is how a slot looks that is merely behind.
        (status == "unreserved" || limit != "-1").then(|| {
            warning(
                "slot.name",
                format!(
                    "slot \"{}\" may lose its log (wal_status {status}{left}): max_slot_wal_keep_size is {limit}.",
                    slot.name
                ),
                "Let the connector catch up, or run ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT pg_reload_conf().",
            )
        })
    }

    /// Settings of the server with which a slot loses its log, or a failover loses the slot.
    fn limits(&self, config: &PostgresConfig) -> Vec<Finding> {
        let (room, mut found) = (&self.room, Vec::new());
        let is_new = self.slot.is_none();
        if let Some(limit) = room.kept_wal.as_deref().filter(|limit| *limit != "-1" && is_new) {
            found.push(warning(
                "slot.name",
                format!("a slot that is behind by more than {limit} (max_slot_wal_keep_size) is lost, with its changes."),
                "Make it larger than what is written while the connector may be away: ALTER SYSTEM SET max_slot_wal_keep_size \
                 = '…'; SELECT pg_reload_conf().",
            ));
        }
        if let Some(limit) = room.idle_timeout.as_deref().filter(|limit| *limit != "0") {
            found.push(warning(
                "slot.name",
                format!(
                    "a slot that nobody reads for {limit} (idle_replication_slot_timeout) is lost, with its changes."
                ),
                "Run ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT pg_reload_conf().",
            ));
        }
        let can_fail_over = self.facts.version >= 170_000 && !self.facts.in_recovery;
        if can_fail_over && is_new && room.has_standbys && !config.slot.failover {
            found.push(warning(
                "slot.failover",
                "the server has standbys, and without slot.failover=true none of them will have the slot after a failover.",
                "Set slot.failover=true, and sync_replication_slots = on on the standbys.",
            ));
        }
        found
    }
}

async fn served(config: &PostgresConfig) -> Result<Served, Error> {
    let mut options = connect_options(config, "Debezium Validate Connection");
    options.initial_statements.clear();
    let mut replication = Replication::connect(&options).await?;
    let (pid, _) = replication.served_by().await?;
    Ok(Served { is_pooled: pid != replication.pid() })
}
