//! The check of a configuration against its server: whether it can be used, and what will go wrong later.
//!
//! Purpose: what Debezium finds only when the task runs, or never, is said when a person asks. The server is read, in bounded
//! time, and nothing on it is changed.
//!
//! Must not know: HTTP, how findings are shown.

mod rows;

use std::time::Duration;

use relational::{TableFilter, shell};
use settings::{Finding, Properties, Severity};
use snapshot::Copies;
use tokio::time::timeout;

use crate::config::{MySqlConfig, SnapshotLocking, is_builtin};
use crate::error::Error;
use crate::sql::{Cascade, Grants, Purpose, Replica, Server, Sql};
use crate::{Flavour, replicas};

/// How long the questions after the log-in may take. Some servers open every table to list foreign keys.
const QUESTIONS_WITHIN: Duration = Duration::from_secs(8);
/// A binlog that is deleted sooner than this after it was written (one day) is worth a warning.
const SHORT_EXPIRY_S: u64 = 24 * 3600;

/// Checks a configuration by connecting to the server; its keys have been checked before. A connection that cannot be made is
/// reported at `database.hostname`, as Debezium reports it. What Debezium finds only when the task runs is
/// [`Severity::Unmet`], or a warning where the task runs all the same.
pub async fn check(flavour: Flavour, properties: Properties) -> Vec<Finding> {
    let config = match MySqlConfig::read(flavour, &properties) {
        Ok(config) => config,
        Err(invalid) => return shell::refusals(invalid),
    };
    let mut options = config.connection.options.clone();
    options.initial_statements.clear();
    let answer = async {
        let mut sql = Sql::connect(&options).await?;
        let found = match timeout(QUESTIONS_WITHIN, Seen::read(&mut sql, &config)).await {
            Ok(Ok(seen)) => seen.findings(&config, properties.get("name")),
            Ok(Err(error)) => vec![unchecked(&error.to_string())],
            Err(_) => vec![unchecked(&format!("no answer within {} s", QUESTIONS_WITHIN.as_secs()))],
        };
        Ok::<_, Error>(found)
    };
    match shell::asked(config.connection.validation_timeout, answer, |error| cannot_connect(&error)).await {
        Err(finding) => vec![finding],
        Ok(found) => found,
    }
}

fn cannot_connect(error: &Error) -> Finding {
    let (reason, remedy) = (error.validation(), error.to_string());
    let is_said = reason.ends_with(&remedy);
    shell::at_hostname(reason, if is_said { String::new() } else { remedy })
}

fn unchecked(why: &str) -> Finding {
    let reason = format!("not all of what the task needs could be looked at: {why}.");
    warning("database.hostname", reason, "What is missing is told when the task starts.".to_owned())
}

fn warning(key: &str, reason: String, remedy: String) -> Finding {
    Finding { key: key.into(), severity: Severity::Warning, reason, remedy }
}

fn unmet(key: &str, reason: String, remedy: String) -> Finding {
    Finding { key: key.into(), severity: Severity::Unmet, reason, remedy }
}

/// What a server says of itself.
#[derive(Debug)]
struct Seen {
    flavour: Flavour,
    server: Server,
    grants: Grants,
    /// The account as GRANT names it: `'user'@'host'`.
    account: String,
    /// Foreign keys that cascade, if the server does not log what they change.
    unlogged: Vec<Cascade>,
    /// Who reads the binlog now, as far as the account may see it.
    replicas: Vec<Replica>,
    /// Captured tables whose rows the account may not read, as GRANT names them.
    unreadable: Vec<String>,
    /// How many captured tables the account sees; `None` when they were not looked at.
    captured: Option<usize>,
    /// Zones of `database.initial.statements` that the server does not know.
    unknown_zones: Vec<String>,
}

impl Seen {
    async fn read(sql: &mut Sql, config: &MySqlConfig) -> Result<Self, Error> {
        let (server, grants) = (sql.server().await?, sql.grants().await?);
        let account = sql.account().await?;
        // MySQL 9.6 made the server itself carry out foreign keys, and log it, unless this variable is set. Before, and in
        // MariaDB, the storage engine does it, and nobody logs it.
        let native = sql.variable("innodb_native_foreign_keys").await?;
        let is_logged = native.is_some_and(|native| native.eq_ignore_ascii_case("OFF"));
        // An account that may not see the replicas may not be one either, which is told elsewhere.
        let replicas = sql.replicas().await.unwrap_or_default();
        let unknown_zones = rows::unknown_zones(sql, &config.connection.options.initial_statements).await?;
        let (captured, unreadable) = rows::unreadable(sql, config, &grants).await?;
        let unlogged = if is_logged { Vec::new() } else { sql.cascades().await? };
        Ok(Self {
            flavour: sql.flavour(),
            server,
            grants,
            account,
            unlogged,
            replicas,
            unreadable,
            captured,
            unknown_zones,
        })
    }

    fn findings(&self, config: &MySqlConfig, name: Option<&str>) -> Vec<Finding> {
        let mut all: Vec<Finding> = self.other_product(config).into_iter().collect();
        if config.snapshot.rule.streams {
            all.extend(self.binlog(config));
            all.extend(self.expiry());
            all.extend(self.gtids());
        }
        all.extend(self.missing_grants(config));
        all.extend(self.rows(config));
        all.extend(self.statements(config));
        all.extend(self.zones());
        all.extend(self.unlogged_changes(config));
        if config.snapshot.rule.streams {
            all.extend(self.taken_number(config, name));
        }
        all
    }

    fn other_product(&self, config: &MySqlConfig) -> Option<Finding> {
        (self.flavour != config.flavour).then(|| {
            let reason = format!("is not the one for the server, which is {}.", self.server.version);
            warning("connector.class", reason, format!("Use {}.", self.flavour.class()))
        })
    }

    /// `log_bin`, `binlog_format`, `binlog_row_image`.
    fn binlog(&self, config: &MySqlConfig) -> Vec<Finding> {
        let wrong = self.server.obstacles(&config.connection.options.at());
        wrong.into_iter().map(|error| unmet("database.hostname", format!("{error}."), String::new())).collect()
    }

    fn expiry(&self) -> Option<Finding> {
        let (name, seconds) = self.server.binlog_expiry()?;
        (seconds > 0 && seconds < SHORT_EXPIRY_S).then(|| {
            let (unit, kept) = if name == "expire_logs_days" { (24 * 3600, "7") } else { (1, "604800") };
            warning(
                "database.hostname",
                format!(
                    "the server deletes its binlog {} s after it was written ({name} = {}): changes of a longer pause are lost.",
                    seconds,
                    seconds / unit
                ),
                format!("Run SET GLOBAL {name} = {kept}, and write it to my.cnf."),
            )
        })
    }

    fn gtids(&self) -> Option<Finding> {
        let mode = self.server.gtid_mode.as_deref().filter(|_| self.flavour == Flavour::MySql)?;
        (!self.server.has_gtids()).then(|| {
            warning(
                "database.hostname",
                format!(
                    "gtid_mode of the server is {mode}: the place in the binlog is known by file and position only, and is lost \
                     when another server takes over."
                ),
                "Run, one after the other: SET GLOBAL enforce_gtid_consistency = ON; SET GLOBAL gtid_mode = OFF_PERMISSIVE; \
                 SET GLOBAL gtid_mode = ON_PERMISSIVE; SET GLOBAL gtid_mode = ON; and write both to my.cnf."
                    .to_owned(),
            )
        })
    }

    fn missing_grants(&self, config: &MySqlConfig) -> Option<Finding> {
        let lacks = |purpose| self.grants.missing(purpose, self.flavour);
        let mut missing = if config.snapshot.rule.streams { lacks(Purpose::Stream) } else { Vec::new() };
        if config.snapshot.locking != SnapshotLocking::None && !lacks(Purpose::TableLocks).is_empty() {
            missing.extend(lacks(Purpose::GlobalLock));
        }
        let list = missing.join(", ");
        (!missing.is_empty()).then(|| {
            let reason = format!("the account {} lacks {list}.", config.connection.options.user);
            unmet("database.user", reason, format!("Run GRANT {list} ON *.* TO {}.", self.account))
        })
    }

    /// Whether there are tables to capture, and whether their rows can be read.
    fn rows(&self, config: &MySqlConfig) -> Option<Finding> {
        if !self.unreadable.is_empty() && config.snapshot.rule.copies != Copies::Never {
            let grants: Vec<String> =
                self.unreadable.iter().map(|on| format!("GRANT SELECT ON {on} TO {}", self.account)).collect();
            return Some(unmet(
                "database.user",
                format!("the account {} may not read {}.", config.connection.options.user, self.unreadable.join(", ")),
                format!("Run {}.", grants.join("; ")),
            ));
        }
        let is_asked = !config.filters.table_include.is_empty();
        (self.captured == Some(0) && is_asked).then(|| {
            warning(
                "table.include.list",
                format!(
                    "matches no table that the account {} sees: nothing is captured.",
                    config.connection.options.user
                ),
                format!("Correct the list (database.table), or run GRANT SELECT ON … TO {}.", self.account),
            )
        })
    }

    /// `include.query` needs a server that logs statements.
    fn statements(&self, config: &MySqlConfig) -> Option<Finding> {
        let (name, value) = match self.flavour {
            Flavour::MySql => ("binlog_rows_query_log_events", &self.server.binlog_rows_query_log_events),
            Flavour::MariaDb => ("binlog_annotate_row_events", &self.server.binlog_annotate_row_events),
        };
        let is_off =
            config.binlog.with_query && value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case("OFF"));
        is_off.then(|| {
            let reason = format!("finds no statements: {name} of the server is OFF.");
            warning("include.query", reason, format!("SET GLOBAL {name} = ON, and my.cnf."))
        })
    }

    /// A session that sets a zone by its name fails where the server's tables of zones are empty.
    fn zones(&self) -> Option<Finding> {
        (!self.unknown_zones.is_empty()).then(|| {
            unmet(
                "database.initial.statements",
                format!(
                    "sets the time zone {}, which the server does not know: its tables of time zones lack it.",
                    self.unknown_zones.join(", ")
                ),
                "Run mysql_tzinfo_to_sql /usr/share/zoneinfo | mysql -u root mysql on the server, or set an offset such as \
                 '+00:00'."
                    .to_owned(),
            )
        })
    }

    fn unlogged_changes(&self, config: &MySqlConfig) -> Option<Finding> {
        const SHOWN: usize = 5;
        let filter = TableFilter::new(&config.filters, is_builtin).ok()?;
        let captured = self.unlogged.iter().filter(|cascade| filter.table(&cascade.database, &cascade.table));
        let names: Vec<String> =
            captured.map(|cascade| format!("{}.{} (of {})", cascade.database, cascade.table, cascade.parent)).collect();
        let more = if names.len() > SHOWN { format!(" and {} more", names.len() - SHOWN) } else { String::new() };
        (!names.is_empty()).then(|| {
            let shown = names[..names.len().min(SHOWN)].join(", ");
            warning(
                "table.include.list",
                format!(
                    "captures tables whose rows a cascading foreign key changes or deletes, which this server does not log, so \
                     that there are no records of it: {shown}{more}."
                ),
                "Change these rows in the application or by triggers, or use MySQL 9.6 or later.".to_owned(),
            )
        })
    }

    /// Another reader of the same server's binlog under the same number. It is no error: Debezium accepts such a
    /// configuration, a person may be about to delete the other connector, and a reader outside of this worker may be this very
    /// connector.
    fn taken_number(&self, config: &MySqlConfig, name: Option<&str>) -> Option<Finding> {
        let id = config.connection.server_id;
        let server = replicas::identity(self.server.server_uuid.as_deref(), &config.connection.options.at());
        let remedy = "Give each connector a number of its own.".to_owned();
        if let Some(other) = replicas::other(&server, id, name) {
            let reason = format!(
                "{id} is that of the connector {other}, which reads the same server: each would end the other's connection."
            );
            return Some(warning("database.server.id", reason, remedy));
        }
        if self.server.server_id.as_deref().and_then(|own| own.parse().ok()) == Some(id) {
            let reason = format!("{id} is the server's own number (server_id).");
            return Some(warning("database.server.id", reason, remedy));
        }
        if replicas::reads(&server, id, name) {
            return None;
        }
        let replica = self.replicas.iter().find(|replica| replica.server_id == id)?;
        let from = if replica.host.is_empty() { String::new() } else { format!(" at {}", replica.host) };
        let reason = format!(
            "{id} is the number under which a replica{from} reads this server now: unless that is this very connector in another \
             process, each would end the other's connection."
        );
        Some(warning("database.server.id", reason, remedy))
    }
}

#[cfg(test)]
mod tests;
