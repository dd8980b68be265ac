//! The publication: which tables the server sends, made and kept as `publication.autocreate.mode` says; and the replica
//! identity of captured tables.
//!
//! Every name is quoted, so that upper case works. Tables and operations are changed by separate statements, because ALTER
//! PUBLICATION cannot change both in one. A table that stays in a publication is never named in a statement: SET TABLE would
//! remove the row filter and the column list that somebody gave it, and rows that were to be held back would be sent.
//!
//! Must not know: the stream, filters' syntax, slots.

mod identity;

use std::collections::BTreeSet;
use std::time::Duration;

pub use identity::{IdentityRule, ReplicaIdentity, set_identities};

use crate::error::Error;
use crate::sql::{PublicationInfo, Sql, TableName, quoted_name};
use crate::wire::Replication;

/// `statement_timeout` of a CREATE or ALTER PUBLICATION, which may wait for locks.
const STATEMENT_TIMEOUT_MS: u32 = 90_000;

/// How often a statement is tried again after it lost a race with another session.
const RACES: u32 = 20;

settings::choices! {
    /// `publication.autocreate.mode`.
    pub enum Autocreate {
        /// Created FOR ALL TABLES if it is missing, which takes a superuser.
        AllTables = "all_tables",
        /// Never created or altered here; a missing publication is an error.
        Disabled = "disabled",
        /// Created for the captured tables, and altered when it does not hold exactly these, which takes their ownership.
        Filtered = "filtered",
        /// Created without tables if it is missing.
        NoTables = "no_tables",
    }
}

/// The settings of the publication.
#[derive(Clone, Debug)]
pub struct PublicationOptions {
    /// `publication.name`.
    pub name: String,
    /// `database.dbname`.
    pub database: String,
    /// `publication.autocreate.mode`.
    pub autocreate: Autocreate,
    /// `publish.via.partition.root`; it applies only to a publication that is created here.
    pub via_partition_root: bool,
    /// The operations to publish, from [`publish_list`]; `None` leaves them to the server.
    pub publish: Option<String>,
    /// The operations that the connector sends records of, from [`sent_operations`].
    pub sent: Vec<&'static str>,
}

/// What [`ensure`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing: the publication may stay as it is.
    Unchanged,
    /// It created the publication.
    Created,
    /// It altered the tables of the publication.
    Altered,
    /// Nothing: the publication is missing, and the server is a standby, where none can be created.
    MissingOnStandby,
}

/// The operations, in the words of the option `publish`, that are not among the skipped ones (`c`, `u`, `d`, `t`).
pub fn sent_operations(skipped: &[&str]) -> Vec<&'static str> {
    [("c", "insert"), ("u", "update"), ("d", "delete"), ("t", "truncate")]
        .into_iter()
        .filter(|(code, _)| !skipped.contains(code))
        .map(|(_, name)| name)
        .collect()
}

/// The `publish` list for an explicitly given `skipped.operations` (`c`, `u`, `d`, `t`, or `none`): what is not skipped.
/// `None` if the key is absent or says `none`: the server's default then applies.
pub fn publish_list(skipped_operations: Option<&str>) -> Option<String> {
    let skipped: Vec<String> = skipped_operations?.split(',').map(|code| code.trim().to_ascii_lowercase()).collect();
    if skipped.iter().any(|code| code == "none") {
        return None;
    }
    let skipped: Vec<&str> = skipped.iter().map(String::as_str).collect();
    Some(sent_operations(&skipped).join(","))
}

/// Creates or alters the publication as `options` ask. `captured` are the tables that pass the filters, partitioned tables
/// included. Called at each start and at each new streaming connection. Connectors that share a publication may call this at
/// the same moment: the one that loses the race reads the publication again and does what is still missing.
pub async fn ensure(
    replication: &mut Replication,
    sql: &Sql,
    options: &PublicationOptions,
    captured: &[TableName],
) -> Result<Outcome, Error> {
    let standby = sql.facts().await?.in_recovery;
    let captured: BTreeSet<&TableName> = captured.iter().collect();
    let mut races = 0;
    loop {
        let found = sql.publication(&options.name).await?;
        let step = decide(options, found.as_ref(), &captured, standby)?;
        warn_of_held_back(options, found.as_ref(), &step);
        let (action, statements, outcome) = match step {
            Step::Nothing(outcome) => return Ok(outcome),
            Step::Create(statement) => ("created", vec![statement], Outcome::Created),
            Step::Alter(statements) => ("altered", statements, Outcome::Altered),
        };
        match run(replication, options, action, &captured, &statements).await {
            Ok(()) => return Ok(outcome),
            Err(error) if is_race(&error) && races < RACES => {
                races += 1;
                tracing::info!(publication = %options.name, races, "another session changes the publication too: {error}");
                // The pause depends on the pid, so that sessions which collided try again at different moments.
                let apart_ms = u64::from(replication.pid().unsigned_abs() % 50);
                tokio::time::sleep(Duration::from_millis(apart_ms + 10 * u64::from(races))).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether a statement failed only because another session made or changed the same publication at that moment.
fn is_race(error: &Error) -> bool {
    let Some(server) = error.server() else { return false };
    match server.sqlstate.as_str() {
        // 42710: the publication exists, or holds the table, already. 23505: two sessions created it at once. 42704: the
        // publication is gone, or the table is no longer in it. 40P01: deadlock.
        "42710" | "23505" | "42704" | "40P01" => true,
        // "tuple concurrently updated" (or "deleted") has no SQLSTATE of its own, so the routine's name is compared.
        "XX000" => server.routine.starts_with("simple_heap_"),
        _ => false,
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Step {
    Nothing(Outcome),
    Create(String),
    Alter(Vec<String>),
}

fn decide(
    options: &PublicationOptions,
    found: Option<&PublicationInfo>,
    captured: &BTreeSet<&TableName>,
    standby: bool,
) -> Result<Step, Error> {
    let publication = options.name.clone();
    let name = quoted_name(&options.name);
    let with = with_clause(options);
    let Some(found) = found else {
        let for_what = match options.autocreate {
            Autocreate::Disabled => return Err(Error::PublicationDisabled { publication }),
            Autocreate::AllTables => " FOR ALL TABLES".to_owned(),
            Autocreate::NoTables => String::new(),
            Autocreate::Filtered if captured.is_empty() => return Err(Error::PublicationEmpty { publication }),
            Autocreate::Filtered => format!(" FOR TABLE {}", quoted_list(captured)),
        };
        let statement = format!("CREATE PUBLICATION {name}{for_what}{with}");
        if standby {
            tracing::warn!(
                "the server is a standby, where no publication can be created: run on the primary: {statement}"
            );
            return match options.autocreate {
                Autocreate::Filtered => Err(Error::PublicationStandby { publication, tables: list(captured) }),
                _ => Ok(Step::Nothing(Outcome::MissingOnStandby)),
            };
        }
        return Ok(Step::Create(statement));
    };
    if options.autocreate != Autocreate::Filtered {
        return Ok(Step::Nothing(Outcome::Unchanged));
    }
    if found.all_tables {
        return Err(Error::PublicationAllTables { publication, database: options.database.clone() });
    }
    if captured.is_empty() {
        tracing::warn!(publication = %options.name, "no captured table: the publication is left as it is");
        return Ok(Step::Nothing(Outcome::Unchanged));
    }
    let differs = Difference::new(found, captured);
    let is_as_wanted = differs.added.is_empty() && differs.dropped.is_empty();
    // `named` has partitioned roots where `published` has their leaves. It is enough if one of them equals the captured tables.
    if is_as_wanted || found.schemas.is_empty() && same(&found.published, captured) {
        if !found.narrowed.is_empty() {
            tracing::info!(publication = %options.name, tables = %list(&found.narrowed.iter().collect()),
                "the publication has row filters or column lists: what they keep back is not sent");
        }
        return Ok(Step::Nothing(Outcome::Unchanged));
    }
    if standby {
        return Err(Error::PublicationStandby { publication, tables: list(captured) });
    }
    differs.tell(options, found);
    let mut statements = Vec::new();
    // ADD before DROP: the changes of a captured table are published at every moment in between.
    for (verb, tables) in [("ADD", &differs.added), ("DROP", &differs.dropped)] {
        if !tables.is_empty() {
            statements.push(format!("ALTER PUBLICATION {name} {verb} TABLE {}", quoted_list(tables)));
        }
    }
    if let Some(publish) = &options.publish {
        statements.push(format!("ALTER PUBLICATION {name} SET (publish = '{publish}')"));
    }
    Ok(Step::Alter(statements))
}

/// The operations of `sent` that a publication does not publish, and will not after this step.
fn held_back(options: &PublicationOptions, found: Option<&PublicationInfo>, step: &Step) -> Vec<&'static str> {
    let is_set = matches!(step, Step::Create(_)) || matches!(step, Step::Alter(_)) && options.publish.is_some();
    let Some(found) = found.filter(|_| !is_set) else { return Vec::new() };
    options.sent.iter().copied().filter(|sent| !found.operations.iter().any(|published| published == sent)).collect()
}

/// Warns of operations that an existing publication holds back, because their changes are lost without an error. The
/// operations are left as they are, as in Debezium: somebody may have chosen them, and another connector may share them. They
/// are often those of an earlier `skipped.operations`, with which a connector made the publication.
fn warn_of_held_back(options: &PublicationOptions, found: Option<&PublicationInfo>, step: &Step) {
    let held_back = held_back(options, found, step);
    let Some(found) = found.filter(|_| !held_back.is_empty()) else { return };
    let all: Vec<_> = found.operations.iter().map(String::as_str).chain(held_back.iter().copied()).collect();
    tracing::warn!(
        publication = %options.name,
        operations = %held_back.join(", "),
        "the publication does not publish these operations, so no record of them is sent; run ALTER PUBLICATION {} SET \
         (publish = '{}'), or name them in skipped.operations",
        quoted_name(&options.name),
        all.join(", ")
    );
}

/// What must change for a publication to hold the captured tables.
struct Difference<'a> {
    added: BTreeSet<&'a TableName>,
    dropped: BTreeSet<&'a TableName>,
}

impl<'a> Difference<'a> {
    fn new(found: &'a PublicationInfo, captured: &BTreeSet<&'a TableName>) -> Self {
        let named: BTreeSet<&TableName> = found.named.iter().collect();
        let is_covered = |table: &TableName| found.schemas.contains(&table.schema);
        Self {
            added: captured.difference(&named).copied().filter(|table| !is_covered(table)).collect(),
            dropped: named.difference(captured).copied().collect(),
        }
    }

    /// Logs what changes and what stays, for a person who made the publication by hand.
    fn tell(&self, options: &PublicationOptions, found: &PublicationInfo) {
        let narrowed: BTreeSet<&TableName> = found.narrowed.iter().collect();
        let kept: BTreeSet<&TableName> = narrowed.difference(&self.dropped).copied().collect();
        let lost: BTreeSet<&TableName> = narrowed.intersection(&self.dropped).copied().collect();
        tracing::info!(
            publication = %options.name,
            added = %list(&self.added),
            kept_with_row_filter_or_column_list = %list(&kept),
            kept_schemas = %found.schemas.join(", "),
            "the publication is altered to hold the captured tables (publication.autocreate.mode=filtered)"
        );
        if !self.dropped.is_empty() {
            tracing::warn!(
                publication = %options.name,
                dropped = %list(&self.dropped),
                dropped_with_row_filter_or_column_list = %list(&lost),
                "these tables are not captured and leave the publication: another connector that shares it gets no more changes \
                 of them; give each connector a publication.name of its own, or set publication.autocreate.mode=disabled"
            );
        }
    }
}

fn with_clause(options: &PublicationOptions) -> String {
    let mut parts = Vec::new();
    if options.via_partition_root {
        parts.push("publish_via_partition_root = true".to_owned());
    }
    if let Some(publish) = &options.publish {
        parts.push(format!("publish = '{publish}'"));
    }
    if parts.is_empty() { String::new() } else { format!(" WITH ({})", parts.join(", ")) }
}

fn same(tables: &[TableName], captured: &BTreeSet<&TableName>) -> bool {
    !tables.is_empty() && tables.iter().collect::<BTreeSet<_>>() == *captured
}

fn quoted_list(tables: &BTreeSet<&TableName>) -> String {
    tables.iter().map(|table| table.quoted()).collect::<Vec<_>>().join(", ")
}

fn list(tables: &BTreeSet<&TableName>) -> String {
    tables.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Runs the statements on the replication connection, within [`STATEMENT_TIMEOUT_MS`] each. The limit is removed afterwards,
/// also after an error.
async fn run(
    replication: &mut Replication,
    options: &PublicationOptions,
    action: &'static str,
    captured: &BTreeSet<&TableName>,
    statements: &[String],
) -> Result<(), Error> {
    let doing = format!("creating or altering publication \"{}\"", options.name);
    replication.query(&doing, &format!("SET statement_timeout = {STATEMENT_TIMEOUT_MS}")).await?;
    let mut result = Ok(());
    for statement in statements {
        tracing::info!("{statement}");
        result = replication.query(&doing, statement).await.map(drop);
        if result.is_err() {
            break;
        }
    }
    let lifted = replication.query(&doing, "SET statement_timeout = 0").await;
    result.map_err(|cause| Error::PublicationChange {
        publication: options.name.clone(),
        action,
        tables: quoted_list(captured),
        cause: Box::new(cause),
    })?;
    lifted.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(autocreate: Autocreate, publish: Option<&str>) -> PublicationOptions {
        PublicationOptions {
            name: "Pub".into(),
            database: "d".into(),
            autocreate,
            via_partition_root: false,
            publish: publish.map(Into::into),
            sent: sent_operations(&["t"]),
        }
    }

    fn names(tables: &[&str]) -> Vec<TableName> {
        tables.iter().map(|table| TableName { schema: "s".into(), table: (*table).into() }).collect()
    }

    fn existing(all_tables: bool, named: &[&str], published: &[&str]) -> PublicationInfo {
        PublicationInfo {
            name: "Pub".into(),
            all_tables,
            published: names(published),
            named: names(named),
            ..PublicationInfo::default()
        }
    }

    #[track_caller]
    fn check(
        options: &PublicationOptions,
        found: Option<&PublicationInfo>,
        captured: &[&str],
        standby: bool,
        expect: Result<Step, &str>,
    ) {
        let captured = names(captured);
        let got = decide(options, found, &captured.iter().collect(), standby);
        match (got, expect) {
            (Ok(got), Ok(expect)) => assert_eq!(got, expect),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (got, expect) => panic!("{got:?} is not {expect:?}"),
        }
    }

    #[test]
    fn each_mode_creates_alters_or_leaves_the_publication() {
        use Autocreate::{AllTables, Disabled, Filtered, NoTables};
        let create = |sql: &str| Ok(Step::Create(sql.into()));
        let nothing = || Ok(Step::Nothing(Outcome::Unchanged));
        check(&options(AllTables, None), None, &["b"], false, create("CREATE PUBLICATION \"Pub\" FOR ALL TABLES"));
        check(&options(AllTables, None), None, &["b"], true, Ok(Step::Nothing(Outcome::MissingOnStandby)));
        check(
            &options(NoTables, Some("insert")),
            None,
            &["b"],
            false,
            create("CREATE PUBLICATION \"Pub\" WITH (publish = 'insert')"),
        );
        check(&options(Disabled, None), None, &["b"], false, Err("is disabled"));
        check(
            &options(Filtered, None),
            None,
            &["b", "A"],
            false,
            create("CREATE PUBLICATION \"Pub\" FOR TABLE \"s\".\"A\", \"s\".\"b\""),
        );
        check(&options(Filtered, None), None, &[], false, Err("no captured table"));
        check(&options(Disabled, None), Some(&existing(false, &[], &[])), &["b"], false, nothing());
        check(&options(Filtered, None), Some(&existing(true, &[], &["b"])), &["b"], false, Err("FOR ALL TABLES"));
        check(&options(Filtered, None), Some(&existing(false, &["b"], &["b"])), &["b"], false, nothing());
        check(&options(Filtered, None), Some(&existing(false, &["root"], &["leaf"])), &["leaf"], false, nothing());
        check(&options(Filtered, None), Some(&existing(false, &["b"], &["b"])), &[], false, nothing());
        check(
            &options(Filtered, Some("insert,update")),
            Some(&existing(false, &["b"], &["b"])),
            &["b", "c"],
            false,
            Ok(Step::Alter(vec![
                "ALTER PUBLICATION \"Pub\" ADD TABLE \"s\".\"c\"".into(),
                "ALTER PUBLICATION \"Pub\" SET (publish = 'insert,update')".into(),
            ])),
        );
        // A table that stays is not named in the statements, so it keeps its row filter and column list.
        let narrowed = PublicationInfo { narrowed: names(&["b"]), ..existing(false, &["a", "b"], &["a", "b"]) };
        check(
            &options(Filtered, None),
            Some(&narrowed),
            &["b", "c", "d"],
            false,
            Ok(Step::Alter(vec![
                "ALTER PUBLICATION \"Pub\" ADD TABLE \"s\".\"c\", \"s\".\"d\"".into(),
                "ALTER PUBLICATION \"Pub\" DROP TABLE \"s\".\"a\"".into(),
            ])),
        );
        check(&options(Filtered, None), Some(&narrowed), &["a", "b"], false, nothing());
        // FOR TABLES IN SCHEMA publishes all tables of the schema; a single one of them cannot be dropped from it.
        let whole = PublicationInfo { schemas: vec!["s".into()], ..existing(false, &[], &["a", "b", "x"]) };
        check(&options(Filtered, None), Some(&whole), &["a", "b"], false, nothing());
        check(&options(Filtered, None), Some(&existing(false, &["b"], &["b"])), &["c"], true, Err("on the primary"));
        check(&options(Filtered, None), Some(&existing(false, &["b"], &["b"])), &["b"], true, nothing());
    }

    #[test]
    fn operations_alone_are_not_altered_but_said_when_held_back() {
        #[track_caller]
        fn check(publish: Option<&str>, published: &str, captured: &[&str], altered: bool, held_back_then: &[&str]) {
            let options = options(Autocreate::Filtered, publish);
            let operations = published.split(',').map(str::to_owned).collect();
            let found = PublicationInfo { operations, ..existing(false, &["b"], &["b"]) };
            let captured = names(captured);
            let step = decide(&options, Some(&found), &captured.iter().collect(), false).unwrap();
            assert_eq!(matches!(step, Step::Alter(_)), altered, "{step:?}");
            assert_eq!(held_back(&options, Some(&found), &step), held_back_then);
        }
        let sent = Some("insert,update,delete");
        check(sent, "insert,update,delete,truncate", &["b"], false, &[]);
        check(sent, "insert,truncate", &["b"], false, &["update", "delete"]);
        check(None, "insert,truncate", &["b"], false, &["update", "delete"]);
        // The statements set the operations too, but only when the key is given.
        check(sent, "insert", &["b", "c"], true, &[]);
        check(None, "insert", &["b", "c"], true, &["update", "delete"]);
        let all = options(Autocreate::AllTables, None);
        assert!(held_back(&all, None, &Step::Create(String::new())).is_empty());
        let found = PublicationInfo { operations: vec!["insert".into()], ..existing(true, &[], &[]) };
        assert_eq!(held_back(&all, Some(&found), &Step::Nothing(Outcome::Unchanged)), ["update", "delete"]);
    }

    #[test]
    fn what_another_session_may_cause_is_tried_again() {
        let race = |sqlstate: &str, routine: &str| {
            let (sqlstate, routine) = (sqlstate.to_owned(), routine.to_owned());
            let server = crate::error::ServerError { sqlstate, routine, ..Default::default() };
            is_race(&Error::from_server("a test", server))
        };
        assert!(race("23505", "_bt_check_unique") && race("42710", "CreatePublication"));
        assert!(race("XX000", "simple_heap_update") && race("XX000", "simple_heap_delete"));
        assert!(!race("XX000", "errorMissingColumn") && !race("42501", "aclcheck_error"));
        assert!(!is_race(&Error::PublicationDisabled { publication: "p".into() }));
    }

    #[test]
    fn operations() {
        assert_eq!(publish_list(None), None);
        assert_eq!(publish_list(Some("none")), None);
        assert_eq!(publish_list(Some("t")).as_deref(), Some("insert,update,delete"));
        assert_eq!(publish_list(Some("c, U")).as_deref(), Some("delete,truncate"));
    }
}
