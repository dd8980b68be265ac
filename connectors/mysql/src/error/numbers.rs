//! After which numbers of the server's errors it is worth trying again.
//!
//! A number that is not listed stops the task. A task that retried for ever, say after a revoked grant, would look alive and
//! move nothing. Numbers: MySQL Error Message Reference, chapter "Server Error Message Reference"; MariaDB Knowledge Base,
//! "MariaDB Error Code Reference". From about 1900 on the two products give different meanings to a number; those below
//! say whose they are, and none of them is a permanent error of the other product.

/// Numbers after which it is worth trying again.
const TRANSIENT: &[u16] = &[
    1021, // disk full, waiting for someone to free space
    1037, // out of memory
    1038, // out of sort memory
    1040, // too many connections
    1041, // out of memory
    1043, // bad handshake: a proxy in between that starts up
    1053, // server shutdown in progress
    1077, // normal shutdown
    1079, // shutdown complete
    1080, // forcing close of thread
    1105, // unknown error: what proxies such as ProxySQL and Vitess answer while they have no backend
    1152, // aborted connection
    1158, 1159, 1160, 1161, // errors and timeouts of reading or writing packets
    1184, // aborted connection
    1203, // too many connections of this user
    1205, // lock wait timeout
    1206, // lock table full
    1213, // deadlock
    1226, // a limit of the account's resources, which is counted anew each hour
    1317, // statement interrupted
    1412, // table definition has changed since the consistent snapshot began
    1615, // prepared statement must be prepared anew
    1637, // too many concurrent transactions
    1836, // running in read-only mode: a failover that is not over
    1927, // MariaDB: connection was killed
    1969, // MariaDB: max_statement_time exceeded
    2006, 2013, // server has gone away, connection lost: sent by proxies
    3024, // MySQL: max_execution_time exceeded
    3032, // MySQL: the server has gone offline (offline_mode)
    3168, // MySQL: server isn't available
    3169, // MySQL: session was killed
    3572, // MySQL: NOWAIT is set and a lock is taken
    4031, // MySQL: the client was disconnected because of inactivity
];

/// Numbers that need a person. [`is_transient`] does not use this list: it is for readers and for the test.
#[cfg(test)]
const PERMANENT: &[u16] = &[
    0,
    1044,
    1045,
    1046,
    1049,
    1064,
    1129,
    1130,
    1142,
    1143,
    1146,
    1227,
    1236,
    1290,
    1372,
    1381,
    1820,
    1862,
    3118,
    3159,
    u16::MAX,
];

/// Whether a later try can succeed after an error with this number. False for a number that is not listed.
pub fn is_transient(number: u16) -> bool {
    TRANSIENT.contains(&number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        for number in PERMANENT {
            assert!(!is_transient(*number), "{number}");
        }
        for number in [1040, 1053, 1205, 1213, 1317, 1927, 3169, 4031] {
            assert!(is_transient(number), "{number}");
        }
    }
}
