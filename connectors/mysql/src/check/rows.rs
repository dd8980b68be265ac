//! Questions about what the account may read, and about the zones that its sessions set.

use relational::TableFilter;

use crate::config::{MySqlConfig, is_builtin};
use crate::error::Error;
use crate::sql::{Grants, Sql, quoted};

/// How many tables are tried.
const TRIED: usize = 500;

/// How many captured tables the account sees, and those of the first [`TRIED`] whose rows it may not read. An account that may
/// read everything is not asked about single tables.
pub(super) async fn unreadable(
    sql: &mut Sql,
    config: &MySqlConfig,
    grants: &Grants,
) -> Result<(Option<usize>, Vec<String>), Error> {
    let reads_all = grants.has_globally("SELECT");
    let lists = &config.filters;
    if reads_all && lists.table_include.is_empty() {
        return Ok((None, Vec::new()));
    }
    let Ok(filter) = TableFilter::new(lists, is_builtin) else { return Ok((None, Vec::new())) };
    let (mut captured, mut unreadable) = (0, Vec::new());
    for database in sql.databases().await? {
        if is_builtin(&database, "") {
            continue;
        }
        // A database that is shown and may not be used has no table for us.
        let tables = sql.tables(&database).await.unwrap_or_default();
        for table in tables.iter().filter(|table| table.kind != "VIEW" && filter.table(&database, &table.name)) {
            captured += 1;
            if reads_all || captured > TRIED {
                continue;
            }
            if !sql.may_read(&database, &table.name).await? {
                unreadable.push(quoted(&database, &table.name));
            }
        }
    }
    Ok((Some(captured), unreadable))
}

/// The zones that these statements set by name and that the server does not know.
pub(super) async fn unknown_zones(sql: &mut Sql, statements: &[String]) -> Result<Vec<String>, Error> {
    let mut unknown = Vec::new();
    for statement in statements {
        if let Some(zone) = zone_of(statement)
            && !sql.knows_zone(&zone).await?
        {
            unknown.push(zone);
        }
    }
    Ok(unknown)
}

/// The zone that a statement sets by its name; none for an offset or the server's own.
fn zone_of(statement: &str) -> Option<String> {
    let after = &statement[statement.to_ascii_lowercase().rfind("time_zone")? + "time_zone".len()..];
    let value = after.trim_start().trim_start_matches(':').strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let (zone, _) = value[1..].split_once(quote)?;
    let is_name = zone.starts_with(|letter: char| letter.is_ascii_alphabetic()) && !zone.eq_ignore_ascii_case("SYSTEM");
    is_name.then(|| zone.to_owned())
}

#[cfg(test)]
mod tests {
    use super::zone_of;

    #[test]
    fn zones() {
        for (statement, zone) in [
            ("SET time_zone = 'Europe/Berlin'", Some("Europe/Berlin")),
            ("set session Time_Zone=\"UTC\"", Some("UTC")),
            ("SET @@session.time_zone := 'Etc/GMT+5', sql_mode = ''", Some("Etc/GMT+5")),
            ("SET time_zone = '+02:00'", None),
            ("SET time_zone = 'SYSTEM'", None),
            ("SELECT @@time_zone", None),
            ("SET sql_mode = 'ANSI'", None),
        ] {
            assert_eq!(zone_of(statement).as_deref(), zone, "{statement}");
        }
    }
}
