//! What a publication lacks for the captured tables, or why it cannot be made.

use std::collections::BTreeSet;

use settings::{Choice, Finding};

use super::{Seen, listed, quoted, unmet, warning};
use crate::config::PostgresConfig;
use crate::error::Error;
use crate::publication::{Autocreate, publish_list, sent_operations};
use crate::sql::{PublicationInfo, PublicationState, Table, TableKind, TableName, quoted_name};

const NAME: &str = "publication.name";
const MODE: &str = "publication.autocreate.mode";

/// The findings. `skipped` is `skipped.operations` as the user wrote it.
pub(super) fn findings(seen: &Seen, config: &PostgresConfig, skipped: Option<&str>) -> Vec<Finding> {
    let wanted = Wanted { seen, config, skipped, name: quoted_name(&config.publication.name) };
    match &seen.publication {
        None => wanted.missing(),
        Some((found, state)) => wanted.existing(found, *state),
    }
}

struct Wanted<'a> {
    seen: &'a Seen,
    config: &'a PostgresConfig,
    skipped: Option<&'a str>,
    /// The publication's name, quoted.
    name: String,
}

impl Wanted<'_> {
    fn captured(&self) -> impl Iterator<Item = &TableName> {
        self.seen.captured.iter().map(|table| &table.name)
    }

    /// A statement that makes the publication for the captured tables.
    fn create(&self) -> String {
        let mut with = Vec::new();
        if self.config.publication.via_partition_root {
            with.push("publish_via_partition_root = true".to_owned());
        }
        with.extend(publish_list(self.skipped).map(|publish| format!("publish = '{publish}'")));
        let with = if with.is_empty() { String::new() } else { format!(" WITH ({})", with.join(", ")) };
        let tables = quoted(self.captured());
        let tables = if tables.is_empty() { " FOR ALL TABLES".to_owned() } else { format!(" FOR TABLE {tables}") };
        format!("CREATE PUBLICATION {}{tables}{with}", self.name)
    }

    fn missing(&self) -> Vec<Finding> {
        let (name, mode) = (&self.config.publication.name, self.config.publication.autocreate);
        let (role, rights) = (&self.seen.role, self.seen.rights);
        let create = self.create();
        if self.seen.facts.in_recovery {
            let reason = format!("publication \"{name}\" does not exist, and a standby cannot make it.");
            return vec![unmet(NAME, reason, format!("Run on the primary: {create}."))];
        }
        if mode == Autocreate::Disabled {
            let reason = format!("publication \"{name}\" does not exist, and {MODE} is disabled.");
            return vec![unmet(NAME, reason, format!("Run {create}."))];
        }
        if mode == Autocreate::Filtered && self.seen.captured.is_empty() {
            let error = Error::PublicationEmpty { publication: name.clone() };
            return vec![unmet("table.include.list", error.to_string(), "")];
        }
        let as_owner = format!("Run as the owner of the tables: {create}. Then the connector need not make it.");
        if mode == Autocreate::AllTables && !role.is_superuser && !rights.is_cloud_admin {
            let reason = format!(
                "publication \"{name}\" does not exist, and the role {} may not make it: FOR ALL TABLES takes a superuser.",
                role.name
            );
            let remedy = format!(
                "Run as a superuser CREATE PUBLICATION {} FOR ALL TABLES, or set {MODE}=filtered. {as_owner}",
                self.name
            );
            return vec![unmet(MODE, reason, remedy)];
        }
        let mut found = Vec::new();
        if !rights.creates && !role.is_superuser {
            found.push(unmet(
                MODE,
                format!(
                    "publication \"{name}\" does not exist, and the role {} may not make it: it lacks CREATE on the database.",
                    role.name
                ),
                format!(
                    "Run GRANT CREATE ON DATABASE {} TO {}. {as_owner}",
                    quoted_name(&self.config.connection.database),
                    quoted_name(&role.name)
                ),
            ));
        }
        let strange: Vec<&TableName> = self.not_owned(self.captured());
        if mode == Autocreate::Filtered && !strange.is_empty() {
            let reason = format!(
                "publication \"{name}\" does not exist, and the role {} may not make it: it does not own {}.",
                role.name,
                listed(&strange)
            );
            found.push(unmet(MODE, reason, format!("{as_owner} Or make the role a member of the owner's.")));
        }
        if mode == Autocreate::NoTables {
            let reason =
                format!("publication \"{name}\" will be made without tables: no change comes before it has some.");
            let add = format!("ALTER PUBLICATION {} ADD TABLE {}", self.name, quoted(self.captured()));
            found.push(warning(MODE, reason, format!("Run {add} then, or set {MODE}=filtered.")));
        }
        found.extend(self.partitions(self.config.publication.via_partition_root, None));
        found
    }

    fn existing(&self, found: &PublicationInfo, state: PublicationState) -> Vec<Finding> {
        let publication = self.config.publication.name.clone();
        let mode = self.config.publication.autocreate;
        let mut findings = Vec::new();
        if mode == Autocreate::Filtered && found.all_tables {
            let database = self.config.connection.database.clone();
            return vec![unmet(NAME, Error::PublicationAllTables { publication, database }.to_string(), "")];
        }
        let named: BTreeSet<&TableName> = found.named.iter().collect();
        let unsent = self.unsent(found, state);
        let altered = mode == Autocreate::Filtered && (!unsent.is_empty() || named.iter().any(|name| !self.has(name)));
        if altered && !self.seen.captured.is_empty() {
            findings.extend(self.alteration(&publication, &unsent, state));
        } else if mode != Autocreate::Filtered && !unsent.is_empty() {
            let reason =
                format!("publication \"{publication}\" does not hold {}: their changes are not sent.", listed(&unsent));
            let remedy = format!("Run ALTER PUBLICATION {} ADD TABLE {}.", self.name, quoted(unsent.iter().copied()));
            let filters = &self.config.filters.tables;
            // Without a list of tables the publication may be meant as the list.
            let is_asked = !(filters.table_include.is_empty() && filters.schema_include.is_empty());
            findings.push(if is_asked { unmet(NAME, reason, remedy) } else { warning(NAME, reason, remedy) });
        }
        findings.extend(self.operations(found));
        if !found.narrowed.is_empty() {
            let reason = format!(
                "publication \"{publication}\" has row filters or column lists for {}: what they keep back is not sent.",
                listed(&found.narrowed)
            );
            findings.push(warning(NAME, reason, "Take them out if all rows and columns are wanted."));
        }
        findings.extend(self.partitions(state.via_root, Some(found)));
        findings
    }

    fn has(&self, name: &TableName) -> bool {
        self.captured().any(|captured| captured == name)
    }

    fn not_owned<'t>(&self, tables: impl Iterator<Item = &'t TableName>) -> Vec<&'t TableName> {
        let owns = |name: &TableName| {
            let table = self.seen.captured.iter().find(|table| table.name == *name);
            table.and_then(|table| self.seen.access.get(&table.oid)).is_none_or(|access| access.is_owned)
        };
        tables.filter(|name| !owns(name)).collect()
    }

    /// With `filtered`: the publication must be altered. Can it?
    fn alteration(&self, publication: &str, added: &[&TableName], state: PublicationState) -> Option<Finding> {
        if self.seen.facts.in_recovery {
            let tables = listed(added);
            let error = Error::PublicationStandby { publication: publication.to_owned(), tables };
            return Some(unmet(NAME, error.to_string(), ""));
        }
        let strange = self.not_owned(added.iter().copied());
        if self.seen.role.is_superuser || state.is_owned && strange.is_empty() {
            return None;
        }
        let whose = if state.is_owned { listed(&strange) } else { "it".to_owned() };
        let reason = format!(
            "publication \"{publication}\" does not hold exactly the captured tables, and the role {} may not alter it: it does \
             not own {whose}.",
            self.seen.role.name
        );
        let mut statement = format!("ALTER PUBLICATION {} SET TABLE {}", self.name, quoted(self.captured()));
        if !added.is_empty() {
            statement = format!("ALTER PUBLICATION {} ADD TABLE {}", self.name, quoted(added.iter().copied()));
        }
        Some(unmet(NAME, reason, format!("Run as its owner {statement}, and set {MODE}=disabled.")))
    }

    /// The captured tables whose changes the publication does not send, neither as themselves nor as a table above or below.
    fn unsent(&self, found: &PublicationInfo, state: PublicationState) -> Vec<&TableName> {
        let published: BTreeSet<&TableName> = found.published.iter().collect();
        let named: BTreeSet<&TableName> = found.named.iter().collect();
        let by_id = |oid: &u32| self.seen.captured.iter().find(|table| table.oid == *oid);
        let is_sent = |table: &Table| {
            if published.contains(&table.name) || named.contains(&table.name) {
                return true;
            }
            let Some(access) = self.seen.access.get(&table.oid) else { return true };
            let below = |oid: &u32| by_id(oid).is_none_or(|leaf| published.contains(&leaf.name));
            // A table above that is not captured is not known by its name here: `partitions` tells of such ones.
            let above = state.via_root && !access.ancestors.is_empty();
            above || table.kind == TableKind::Partitioned && access.leaves.iter().all(below)
        };
        self.seen.captured.iter().filter(|table| !is_sent(table)).map(|table| &table.name).collect()
    }

    /// Changes of partitions come under the name of the root or of the partition. Is that name captured?
    fn partitions(&self, via_root: bool, found: Option<&PublicationInfo>) -> Option<Finding> {
        let captured: BTreeSet<u32> = self.seen.captured.iter().map(|table| table.oid).collect();
        let lost: Vec<&TableName> = self
            .seen
            .captured
            .iter()
            .filter(|table| {
                let Some(access) = self.seen.access.get(&table.oid) else { return false };
                match (via_root, table.kind) {
                    // Sent as the partition, which is not captured.
                    (false, TableKind::Partitioned) => access.leaves.iter().any(|leaf| !captured.contains(leaf)),
                    // Sent as what it is a partition of, if that is published.
                    (true, TableKind::Ordinary) => {
                        let is_sent = found.is_some_and(|found| found.published.contains(&table.name));
                        !access.ancestors.is_empty()
                            && !is_sent
                            && !access.ancestors.iter().any(|above| captured.contains(above))
                    }
                    _ => false,
                }
            })
            .map(|table| &table.name)
            .collect();
        if lost.is_empty() {
            return None;
        }
        let (says, statement) = if via_root {
            ("of the table that they are partitions of", "false")
        } else {
            ("of their partitions", "true")
        };
        let remedy = match found {
            Some(_) => {
                format!("Run ALTER PUBLICATION {} SET (publish_via_partition_root = {statement})", self.name)
            }
            None => format!("Set publish.via.partition.root={statement}"),
        };
        Some(unmet(
            "publish.via.partition.root",
            format!(
                "changes of {} come under the name {says}, which is not captured: they are not sent.",
                listed(&lost)
            ),
            format!("{remedy}, or capture these too."),
        ))
    }

    fn operations(&self, found: &PublicationInfo) -> Option<Finding> {
        let skipped: Vec<&str> = self.config.events.skipped.iter().map(|operation| operation.name()).collect();
        let is_held_back = |sent: &&str| !found.operations.iter().any(|published| published == sent);
        let held_back: Vec<&str> = sent_operations(&skipped).into_iter().filter(is_held_back).collect();
        if held_back.is_empty() {
            return None;
        }
        let all: Vec<&str> = found.operations.iter().map(String::as_str).chain(held_back.iter().copied()).collect();
        Some(unmet(
            NAME,
            format!(
                "publication \"{}\" does not publish {}: no record of them is sent.",
                found.name,
                held_back.join(", ")
            ),
            format!(
                "Run ALTER PUBLICATION {} SET (publish = '{}'), or name them in skipped.operations.",
                self.name,
                all.join(", ")
            ),
        ))
    }
}
