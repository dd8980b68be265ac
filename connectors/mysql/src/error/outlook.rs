//! Whether a task that has failed with an error may succeed when it is started again later.
//!
//! More may pass than is worth trying again at once ([`Error::is_transient`]): a password that is refused is not tried again
//! every second, because the server may lock the account, but it is an hour later when it has been rotated. The list for
//! people is docs/restarts.md.

use relational::Outlook;
use relational::Outlook::{CannotPass, MayPass, Unknown};

use super::{Error, is_transient};

/// Numbers of the server's errors that refuse access, which others give and take: passwords, tokens, locks of accounts, rights.
const ACCESS: &[u16] = &[
    1044, // no right to the database
    1045, // user or password
    1129, // the host is blocked after too many failures, until somebody flushes them
    1130, // the host is not allowed
    1142, 1143, // no right to the table, to a column
    1227, // a privilege is missing
    1370, // no right to a routine
    1410, // no right to create a user
    1698, // user or password, of a plug-in
    1820, 1862, // the password has expired
    3118, // MySQL: the account is locked
    3955, // MySQL: the account is locked for a time after too many wrong passwords
    4151, // MariaDB: the account is locked
];

/// Numbers after which the same configuration and data fail again.
const LASTING: &[u16] = &[
    1046, // no database selected
    1049, // no such database
    1054, // no such column
    1064, // the statement is wrong
    1146, // no such table
    1193, // no such variable
    1236, // the binlog that is asked for is gone, or cannot be sent
    1381, // no binlog is written
    3159, // the account needs TLS
];

/// The outlook after an error of the server with this number.
fn of_number(number: u16) -> Outlook {
    match number {
        number if is_transient(number) || ACCESS.contains(&number) => MayPass,
        number if LASTING.contains(&number) => CannotPass,
        _ => Unknown,
    }
}

impl Error {
    /// Whether a task that has failed with this may succeed when it is started again later, although nobody changes its
    /// configuration.
    pub fn outlook(&self) -> Outlook {
        match self {
            // A replica or a task elsewhere reads with the number, and each of the two ends the other.
            Self::ServerIdTaken { .. } => CannotPass,
            error if error.is_transient() => MayPass,
            Self::Auth { server, .. } | Self::Server { server, .. } | Self::Dump { server, .. } => {
                of_number(server.number)
            }
            Self::HeartbeatQuery { cause } => cause.outlook(),
            // Rights of the account, which others give.
            Self::Privileges { .. } | Self::LockTables { .. } => MayPass,
            // Certificates expire and are renewed; a wrong setting is not. Which of the two, the text of the library knows.
            Self::Tls { .. } | Self::Protocol { .. } | Self::Reselect(_) | Self::History { .. } => Unknown,
            // The file of a certificate or a key may be in the middle of its renewal.
            Self::Config { key, .. } if key.starts_with("database.ssl.") => Unknown,
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

    fn refused(number: u16) -> Error {
        let server = Box::new(ServerError { number, ..ServerError::default() });
        Error::Auth { at: "h:1".into(), user: "u".into(), server }
    }

    #[test]
    fn by_number() {
        for (number, expect) in [
            (1040, MayPass),
            (1045, MayPass),
            (1053, MayPass),
            (1142, MayPass),
            (1227, MayPass),
            (1862, MayPass),
            (3118, MayPass),
            (3955, MayPass),
            (1049, CannotPass),
            (1064, CannotPass),
            (1146, CannotPass),
            (1236, CannotPass),
            (3159, CannotPass),
            (0, Unknown),
            (1290, Unknown),
            (u16::MAX, Unknown),
        ] {
            assert_eq!(refused(number).outlook(), expect, "{number}");
            check(&Error::HeartbeatQuery { cause: Box::new(refused(number)) }, expect);
        }
    }

    #[test]
    fn by_kind() {
        let at = || "h:1".to_owned();
        check(&Error::Silent { at: at(), silent_ms: 1 }, MayPass);
        check(&Error::Privileges { at: at(), user: "u".into(), missing: vec!["RELOAD"] }, MayPass);
        check(&Error::History { reason: "away".into(), is_transient: true }, MayPass);
        check(&Error::History { reason: "refused".into(), is_transient: false }, Unknown);
        check(&Error::Tls { at: at(), reason: "expired".into() }, Unknown);
        check(&Error::Config { key: "database.ssl.keystore.password".into(), reason: "half written".into() }, Unknown);
        check(&Error::HistoryLost, CannotPass);
        check(&Error::UnknownTable { table: "d.t".into() }, CannotPass);
        let (found, wanted) = ("STATEMENT".to_owned(), "ROW");
        check(&Error::Variable { at: at(), name: "binlog_format", found, wanted }, CannotPass);
    }
}
