//! Rights on the captured tables, and what their replica identity means for records.

use settings::Finding;

use super::{NAMED, Seen, listed, quoted, unmet, warning};
use crate::config::PostgresConfig;
use crate::sql::{TableKind, TableName, quoted_name};
use crate::table::Tables;

/// What the role lacks to read the rows of captured tables.
pub(super) fn rights(seen: &Seen, config: &PostgresConfig, tables: &Tables) -> Vec<Finding> {
    let role = quoted_name(&seen.role.name);
    let (mut schemas, mut unreadable, mut narrowed): (Vec<String>, Vec<&TableName>, Vec<String>) =
        (Vec::new(), Vec::new(), Vec::new());
    for table in seen.captured.iter().filter(|table| config.snapshot.copying.wants(&table.name.to_string())) {
        let Some(access) = seen.access.get(&table.oid) else { continue };
        if !access.reaches_schema && !schemas.contains(&quoted_name(&table.name.schema)) {
            schemas.push(quoted_name(&table.name.schema));
        }
        let hidden: Vec<&str> = access
            .hidden_columns
            .iter()
            .map(String::as_str)
            .filter(|column| tables.captures_column(&table.name, column))
            .collect();
        if hidden.is_empty() {
            continue;
        }
        if hidden.len() < table.columns.len() {
            narrowed.push(format!("{} ({})", table.name, hidden.join(", ")));
        }
        unreadable.push(&table.name);
    }
    let mut found = Vec::new();
    if !schemas.is_empty() {
        found.push(unmet(
            "database.user",
            format!("the role {} lacks USAGE on the schemas of captured tables.", seen.role.name),
            format!("Run GRANT USAGE ON SCHEMA {} TO {role}.", schemas.join(", ")),
        ));
    }
    if !unreadable.is_empty() {
        let columns =
            if narrowed.is_empty() { String::new() } else { format!("; of single columns: {}", listed(&narrowed)) };
        found.push(unmet(
            "database.user",
            format!("the role {} may not read {}{columns}.", seen.role.name, listed(&unreadable)),
            format!("Run GRANT SELECT ON {} TO {role}.", quoted(unreadable.iter().copied())),
        ));
    }
    if !seen.hidden.is_empty() {
        found.push(unmet(
            "database.user",
            format!(
                "row-level security may hide rows of {} from the role {}: a copy would be incomplete.",
                listed(&seen.hidden),
                seen.role.name
            ),
            format!("Run ALTER ROLE {role} BYPASSRLS."),
        ));
    }
    found
}

/// Tables whose updates and deletes lack what people expect of them, or which the database refuses once they are published.
/// `skipped` is `skipped.operations` as the user wrote it.
pub(super) fn identities(seen: &Seen, config: &PostgresConfig, skipped: Option<&str>) -> Vec<Finding> {
    let publishes_changes = ["u", "d"].iter().any(|code| {
        let is_left_out = |skipped: &str| skipped.split(',').any(|one| one.trim().eq_ignore_ascii_case(code));
        !skipped.is_some_and(is_left_out)
    });
    if !publishes_changes {
        return Vec::new();
    }
    let set_here =
        |name: &TableName| config.publication.replica_identities.iter().any(|rule| rule.applies_to(&name.to_string()));
    // A partitioned table has no rows itself: its partitions' identities count.
    let own = || {
        seen.captured.iter().filter(|table| table.kind == TableKind::Ordinary).filter(|table| !set_here(&table.name))
    };
    let (mut refused, mut nothing, mut keyless) = (Vec::new(), Vec::new(), Vec::new());
    for table in own() {
        match table.replica_identity {
            b'n' => nothing.push(&table.name),
            b'd' if table.primary_key.is_empty() => refused.push(&table.name),
            b'f' if table.primary_key.is_empty() && table.unique_key.is_empty() => keyless.push(&table.name),
            _ => {}
        }
    }
    let mut found = Vec::new();
    let alter = |names: &[&TableName], how: &str| {
        let statements: Vec<String> = names
            .iter()
            .take(NAMED)
            .map(|name| format!("ALTER TABLE {} REPLICA IDENTITY {how}", name.quoted()))
            .collect();
        format!("Run {}.", statements.join("; "))
    };
    if !refused.is_empty() {
        found.push(warning(
            "table.include.list",
            format!(
                "{} have no primary key: once they are published, the database itself refuses UPDATE and DELETE of them.",
                listed(&refused)
            ),
            format!("{} Or give them a primary key, or leave them out.", alter(&refused, "FULL")),
        ));
    }
    if !nothing.is_empty() {
        found.push(warning(
            "table.include.list",
            format!(
                "{} have REPLICA IDENTITY NOTHING: once they are published, the database itself refuses UPDATE and DELETE of \
                 them.",
                listed(&nothing)
            ),
            alter(&nothing, "DEFAULT"),
        ));
    }
    if !keyless.is_empty() && config.treatment.message_keys.is_empty() {
        found.push(warning(
            "message.key.columns",
            format!(
                "{} have no key: their records have none either, and a compacted topic or a consumer by key cannot tell rows \
                 apart.",
                listed(&keyless)
            ),
            "Name the columns that tell rows apart in message.key.columns.",
        ));
    }
    found
}
