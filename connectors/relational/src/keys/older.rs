//! Key names and values of older Debezium releases, and what replaced each.
//!
//! Debezium ignores old names silently, so that a config with an old `table.whitelist` captures every table. Here old names
//! are ignored too, but with a warning: in the log, and after Connect's own list of errors when a config is refused.
//!
//! Must not know: the options of ExtractNewRecordState and of other SMTs.

use settings::{Finding, Properties, Severity};

/// An old name, what follows from its being ignored, and what to do.
pub type Older = (&'static str, &'static str, &'static str);

/// What follows when a filter is ignored that chose.
pub const CAPTURES_ALL: &str = "is no longer known and is ignored: without a filter everything is captured.";
/// What follows when a filter is ignored that left out.
pub const DROPS_NOTHING: &str = "is no longer known and is ignored: what it names is captured as well.";
/// Nothing that a user would have to know follows.
pub const IGNORED: &str = "is no longer known and is ignored.";

/// Old names of all relational connectors.
const SHARED: &[Older] = &[
    ("database.server.name", IGNORED, "Use topic.prefix, with the same value to keep topics and offsets."),
    ("table.whitelist", CAPTURES_ALL, "Use table.include.list."),
    ("table.blacklist", DROPS_NOTHING, "Use table.exclude.list."),
    ("column.whitelist", CAPTURES_ALL, "Use column.include.list."),
    ("column.blacklist", DROPS_NOTHING, "Use column.exclude.list."),
    ("sanitize.field.names", IGNORED, "Use field.name.adjustment.mode=avro."),
    ("transaction.topic", IGNORED, "Use topic.transaction."),
    ("snapshot.custom.class", IGNORED, "Java snapshotters do not run here: choose another snapshot.mode."),
    ("snapshot.new.tables", IGNORED, "Send an incremental snapshot signal for a new table."),
    ("source.struct.version", IGNORED, "Remove it: there is one version of the source block."),
    ("rows.fetch.size", IGNORED, "Use snapshot.fetch.size."),
    ("initial.statements", IGNORED, "Use database.initial.statements."),
];

/// The old names and values of a connector, besides the names that all relational connectors had.
#[derive(Clone, Copy, Debug)]
pub struct OlderKeys {
    /// Names.
    pub names: &'static [Older],
    /// Beginnings of names.
    pub families: &'static [Older],
    /// Values: key, old value, and what to do.
    pub values: &'static [(&'static str, &'static str, &'static str)],
}

impl OlderKeys {
    fn find(&self, name: &str) -> Option<&Older> {
        let of_name = SHARED.iter().chain(self.names).find(|(old, ..)| *old == name);
        of_name.or_else(|| self.families.iter().find(|(prefix, ..)| name.starts_with(prefix)))
    }

    /// Whether `name` is a key that nothing reads any more. Such a name is no property of a JDBC driver either.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Findings about old names (warnings) and old values (errors) in a config, in the order of the config.
    pub fn warnings(&self, properties: &Properties) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (name, value) in properties.iter() {
            if let Some((_, reason, remedy)) = self.find(name) {
                findings.push(Finding {
                    key: name.to_owned(),
                    severity: Severity::Warning,
                    reason: (*reason).to_owned(),
                    remedy: (*remedy).to_owned(),
                });
            }
            let value = value.unwrap_or("").trim();
            let is_old = |(key, old, _): &&(&str, &str, &str)| *key == name && old.eq_ignore_ascii_case(value);
            if let Some((_, old, remedy)) = self.values.iter().find(is_old) {
                findings.push(Finding {
                    key: name.to_owned(),
                    severity: Severity::Error,
                    reason: format!("value '{old}' is no longer known."),
                    remedy: (*remedy).to_owned(),
                });
            }
        }
        findings
    }
}
