//! How a statement is to be read: whose it is, and what its session had set.

use crate::Flavour;

/// Which of Debezium's grammars is followed where they leave different records behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grammar {
    /// The default for MySQL, made from Oracle's own grammar.
    Default,
    /// The older one, which MySQL has behind `ddl.parser.type`, and MariaDB always.
    Legacy,
}

/// How text is cut into tokens and what statements may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Whose statements they are.
    pub flavour: Flavour,
    /// The server's version as comments name it: 80400 is 8.4.0, 101106 is 10.11.6.
    pub version: u32,
    /// Whose records are made.
    pub grammar: Grammar,
    /// `ANSI_QUOTES` of `sql_mode`: double quotes hold names.
    pub ansi_quotes: bool,
    /// Without `NO_BACKSLASH_ESCAPES` of `sql_mode`: a back-slash in a string escapes the next character.
    pub backslash: bool,
    /// `ORACLE` of MariaDB's `sql_mode`: `DATE` is `DATETIME`.
    pub oracle: bool,
}

/// Bits of `sql_mode` as the binlog carries it in a query event (MySQL's `sql/system_variables.h`, the same in MariaDB).
const ANSI_QUOTES: u64 = 1 << 2;
const ORACLE: u64 = 1 << 9;
const NO_BACKSLASH_ESCAPES: u64 = 1 << 20;

impl Dialect {
    /// The newest server with the default `sql_mode`, and the grammar that Debezium takes for it.
    pub fn new(flavour: Flavour) -> Self {
        let grammar = if flavour == Flavour::MariaDb { Grammar::Legacy } else { Grammar::Default };
        Self { flavour, version: u32::MAX, grammar, ansi_quotes: false, backslash: true, oracle: false }
    }

    /// With the `sql_mode` that a query event carries as a number.
    #[must_use]
    pub fn with_sql_mode(self, mode: u64) -> Self {
        let oracle = self.is_mariadb() && mode & ORACLE != 0;
        Self { ansi_quotes: mode & ANSI_QUOTES != 0, backslash: mode & NO_BACKSLASH_ESCAPES == 0, oracle, ..self }
    }

    /// With the `sql_mode` that a `SET` names: words between commas.
    #[must_use]
    pub fn with_sql_mode_text(self, mode: &str) -> Self {
        let has = |names: &[&str]| mode.split(',').any(|m| names.iter().any(|n| m.trim().eq_ignore_ascii_case(n)));
        let ansi = has(&["ANSI_QUOTES", "ANSI", "ORACLE", "MSSQL", "DB2", "MAXDB", "POSTGRESQL"]);
        let oracle = self.is_mariadb() && has(&["ORACLE"]);
        Self { ansi_quotes: ansi, backslash: !has(&["NO_BACKSLASH_ESCAPES"]), oracle, ..self }
    }

    pub(super) fn is_mariadb(&self) -> bool {
        self.flavour == Flavour::MariaDb
    }
}
