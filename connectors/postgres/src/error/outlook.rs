//! Whether a task that has failed with an error may succeed when it is started again later.
//!
//! More may pass than is worth trying again at once ([`Error::is_transient`]): a password that is refused is not tried again
//! every second, because the server may lock the account, but it is an hour later when it has been rotated. The list for
//! people is docs/restarts.md.

use relational::Outlook;
use relational::Outlook::{CannotPass, MayPass, Unknown};

use super::{Error, is_transient};

/// SQLSTATEs (five characters) and classes of them (two), beside those after which it is worth trying again at once. The first
/// that fits counts. Codes: PostgreSQL manual, appendix "PostgreSQL Error Codes".
const OUTLOOKS: &[(&str, Outlook)] = &[
    ("28", MayPass),       // log-in refused: passwords, tokens, pg_hba.conf
    ("42501", MayPass),    // a right is missing
    ("25006", MayPass),    // read-only: a standby, in the middle of a fail-over
    ("53", MayPass),       // a limit of the server: slots, WAL senders, connections, disk
    ("57P04", CannotPass), // the database was dropped
    ("58P01", CannotPass), // log that was needed is gone
    ("57", MayPass),       // somebody intervened: shut-down, cancelled
    ("58", MayPass),       // the server's operating system failed
    ("0A", CannotPass),
    ("22", CannotPass),
    ("23", CannotPass),
    ("3D", CannotPass),
    ("3F", CannotPass),
    ("42", CannotPass), // the statement is wrong: no such table, column, function
    ("54", CannotPass),
    ("55000", CannotPass), // not in the state that is needed: wal_level, a slot that is lost
];

/// The outlook after an error of the server with this SQLSTATE.
fn of_sqlstate(sqlstate: &str) -> Outlook {
    if is_transient(sqlstate) {
        return MayPass;
    }
    OUTLOOKS.iter().find(|(known, _)| sqlstate.starts_with(known)).map_or(Unknown, |(_, outlook)| *outlook)
}

impl Error {
    /// Whether a task that has failed with this may succeed when it is started again later, although nobody changes its
    /// configuration.
    pub fn outlook(&self) -> Outlook {
        match self {
            error if error.is_transient() => MayPass,
            Self::Auth { server, .. } | Self::Server { server, .. } => of_sqlstate(&server.sqlstate),
            Self::SlotCreation { cause, .. }
            | Self::StreamStart { cause, .. }
            | Self::PublicationChange { cause, .. } => cause.outlook(),
            // A right of the role, which others give.
            Self::RowSecurity { .. } => MayPass,
            // Certificates expire and are renewed; a wrong setting is not. Which of the two, the text of the library knows.
            Self::Tls { .. } | Self::Protocol { .. } | Self::Reselect(_) => Unknown,
            // The file of a certificate or a key may be in the middle of its renewal.
            Self::Config { key, .. } if key.starts_with("database.ssl") => Unknown,
            _ => CannotPass,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ServerError;

    #[track_caller]
    fn check(error: &Error, expect: Outlook) {
        assert_eq!(error.outlook(), expect, "{error}");
    }

    fn server(sqlstate: &str) -> Box<ServerError> {
        Box::new(ServerError { sqlstate: sqlstate.into(), ..ServerError::default() })
    }

    #[test]
    fn by_sqlstate() {
        for (sqlstate, expect) in [
            ("08006", MayPass),
            ("28P01", MayPass),
            ("28000", MayPass),
            ("42501", MayPass),
            ("25006", MayPass),
            ("53300", MayPass),
            ("53400", MayPass),
            ("57P01", MayPass),
            ("57P03", MayPass),
            ("57P04", CannotPass),
            ("58P01", CannotPass),
            ("42P01", CannotPass),
            ("42704", CannotPass),
            ("3D000", CannotPass),
            ("55000", CannotPass),
            ("22P02", CannotPass),
            ("XX000", Unknown),
            ("?????", Unknown),
            ("", Unknown),
        ] {
            let error = Error::from_server("asking", *server(sqlstate));
            assert_eq!(error.outlook(), expect, "{sqlstate}");
            let cause = Box::new(error);
            check(&Error::SlotCreation { slot: "s".into(), cause }, expect);
        }
    }

    #[test]
    fn by_kind() {
        let at = || "h:1".to_owned();
        let source = || std::io::Error::other("away");
        check(&Error::Io { doing: "connecting".into(), at: at(), source: source() }, MayPass);
        check(&Error::slot_taken("s", *server("55006")), MayPass);
        check(&Error::RowSecurity { tables: "t".into(), user: "u".into() }, MayPass);
        check(&Error::Tls { at: at(), reason: "expired".into() }, Unknown);
        check(&Error::Config { key: "database.sslkey".into(), reason: "half written".into() }, Unknown);
        check(&Error::WalLevel { found: "replica".into() }, CannotPass);
        check(&Error::SlotLost { slot: "s".into(), reason: "lost".into() }, CannotPass);
        check(&Error::PublicationMissing { publication: "p".into() }, CannotPass);
        check(&Error::Config { key: "k".into(), reason: "r".into() }, CannotPass);
        check(&Error::NeverCopies { mode: "no_data".into() }, CannotPass);
    }
}
