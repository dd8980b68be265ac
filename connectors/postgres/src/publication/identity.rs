//! `replica.identity.autoset.values`: sets the replica identity of captured tables, which decides what the log has of old
//! rows.

use std::fmt;

use settings::JavaRegex;

use crate::sql::{Sql, Table, quoted_name};

/// What the log has of a table's old rows (PostgreSQL manual, "Logical Replication", section "Publication").
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplicaIdentity {
    /// The columns of the primary key.
    Default,
    /// All columns.
    Full,
    /// Nothing.
    Nothing,
    /// The columns of this unique index.
    Index(String),
}

impl ReplicaIdentity {
    /// Reads `DEFAULT`, `FULL`, `NOTHING` or `INDEX name`, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        match (word.to_ascii_uppercase().as_str(), rest.is_empty()) {
            ("DEFAULT", true) => Some(Self::Default),
            ("FULL", true) => Some(Self::Full),
            ("NOTHING", true) => Some(Self::Nothing),
            ("INDEX", false) => Some(Self::Index(rest.to_owned())),
            _ => None,
        }
    }

    fn is_that_of(&self, table: &Table) -> bool {
        match self {
            Self::Default => table.replica_identity == b'd',
            Self::Full => table.replica_identity == b'f',
            Self::Nothing => table.replica_identity == b'n',
            Self::Index(index) => table.identity_index.as_ref() == Some(index),
        }
    }
}

impl fmt::Display for ReplicaIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("DEFAULT"),
            Self::Full => f.write_str("FULL"),
            Self::Nothing => f.write_str("NOTHING"),
            Self::Index(index) => write!(f, "USING INDEX {}", quoted_name(index)),
        }
    }
}

/// One entry of the key: which tables, and their replica identity.
#[derive(Clone, Debug)]
pub struct IdentityRule {
    /// Must match all of `schema.table`, in any case.
    tables: JavaRegex,
    identity: ReplicaIdentity,
}

impl IdentityRule {
    /// Reads `tables:identity`, such as `public\..*:FULL`. `None` if the text is not of this form, an error if the regex does
    /// not compile.
    pub fn parse(entry: &str) -> Option<Result<Self, String>> {
        let (tables, identity) = entry.trim().split_once(':')?;
        let identity = ReplicaIdentity::parse(identity)?;
        let tables = JavaRegex::new(tables).map_err(|error| format!("{tables} is not a regular expression: {error}"));
        Some(tables.map(|tables| Self { tables, identity }))
    }

    /// Whether the entry is about the table of this name (`schema.table`).
    pub(crate) fn applies_to(&self, table: &str) -> bool {
        self.tables.matches(table).unwrap_or(false)
    }
}

/// Alters each captured table that exactly one rule matches and that has another replica identity. A table that cannot be
/// altered is logged and left as it is: it is streamed all the same, with fewer columns in `before`.
pub async fn set_identities(sql: &Sql, captured: &[Table], rules: &[IdentityRule]) {
    for table in captured {
        let name = table.name.to_string();
        let mut matching = rules.iter().filter(|rule| rule.applies_to(&name));
        let Some(rule) = matching.next() else { continue };
        if matching.next().is_some() {
            tracing::error!(table = %name, "several entries of replica.identity.autoset.values match: table left as it is");
            continue;
        }
        if rule.identity.is_that_of(table) {
            continue;
        }
        let statement = format!("ALTER TABLE {} REPLICA IDENTITY {}", table.name.quoted(), rule.identity);
        match sql.execute(&format!("setting the replica identity of {name}"), &statement).await {
            Ok(()) => tracing::info!(table = %name, identity = %rule.identity, "replica identity set"),
            Err(error) => tracing::error!(table = %name, "{error}; only the table's owner may run {statement}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<&str>) {
        assert_eq!(ReplicaIdentity::parse(text).map(|identity| identity.to_string()).as_deref(), expect, "{text}");
    }

    #[test]
    fn texts() {
        check("full", Some("FULL"));
        check(" Default ", Some("DEFAULT"));
        check("NOTHING", Some("NOTHING"));
        check("INDEX  my_Idx", Some("USING INDEX \"my_Idx\""));
        for bad in ["", "INDEX", "FULL x", "ALL"] {
            check(bad, None);
        }
    }

    #[test]
    fn entries() {
        #[track_caller]
        fn check(entry: &str, expect: Option<(&str, &str)>) {
            let found = IdentityRule::parse(entry).map(|rule| rule.unwrap());
            let found = found.as_ref().map(|rule| (rule.tables.as_str(), rule.identity.to_string()));
            assert_eq!(found.as_ref().map(|(tables, identity)| (*tables, identity.as_str())), expect, "{entry}");
        }
        check(" public.a:full ", Some(("public.a", "FULL")));
        check("public.*:DEFAULT", Some(("public.*", "DEFAULT")));
        check("a:Nothing", Some(("a", "NOTHING")));
        check("a:index My_ix", Some(("a", "USING INDEX \"My_ix\"")));
        check("a:sometimes", None);
        check("a", None);
        assert!(IdentityRule::parse("(a:FULL").unwrap().is_err());
    }
}
