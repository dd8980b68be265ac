//! Settings of a copy that all databases share: of which tables rows are copied, and the waits around it.
//!
//! Must not know: SQL.

use std::time::Duration;

use settings::{Finding, JavaRegex, Reader, Severity};

/// Of which tables rows are copied, and the waits around it.
#[derive(Clone, Debug)]
pub struct Copying {
    /// Of the captured tables, those that are copied (regexes on `schema.table`); an empty list copies all.
    pub tables: Vec<String>,
    /// Wait before the snapshot.
    pub delay: Duration,
    /// Wait between the snapshot and streaming.
    pub streaming_delay: Duration,
    /// How long to wait for a table lock.
    pub lock_timeout: Duration,
    /// `schema.table` and its SELECT, for the tables that have one.
    pub selects: Vec<(String, String)>,
}

impl Copying {
    /// Reads the settings.
    pub fn read(r: &mut Reader<'_>) -> Self {
        let selects = selects(r);
        Self {
            tables: r.regex_texts("snapshot.include.collection.list"),
            delay: r.millis("snapshot.delay.ms"),
            streaming_delay: r.millis("streaming.delay.ms"),
            lock_timeout: r.millis("snapshot.lock.timeout.ms"),
            selects,
        }
    }

    /// Whether the rows of a captured table are copied. `name` is `schema.table`.
    pub fn wants(&self, name: &str) -> bool {
        let is_match = |pattern: &String| JavaRegex::new(pattern).is_ok_and(|p| p.matches(name).unwrap_or(false));
        self.tables.is_empty() || self.tables.iter().any(is_match)
    }

    /// The statement that a table is copied by in place of its own rows. `name` is `schema.table`.
    pub fn select(&self, name: &str) -> Option<&str> {
        self.selects.iter().find(|(of, _)| of == name).map(|(_, statement)| statement.as_str())
    }
}

/// `schema.table` and its SELECT. A table that is listed without a SELECT is copied whole, with a warning.
fn selects(r: &mut Reader<'_>) -> Vec<(String, String)> {
    let properties = r.properties();
    let mut found = Vec::new();
    for table in r.list("snapshot.select.statement.overrides") {
        let key = format!("snapshot.select.statement.overrides.{table}");
        match properties.get(&key) {
            Some(select) if !select.trim().is_empty() => found.push((table, select.to_owned())),
            _ => r.find(Finding {
                key: "snapshot.select.statement.overrides".to_owned(),
                severity: Severity::Warning,
                reason: format!("lists {table}, which has no statement: all its rows are copied."),
                remedy: format!("Give {key} a SELECT, or take the table out of the list."),
            }),
        }
    }
    found
}
