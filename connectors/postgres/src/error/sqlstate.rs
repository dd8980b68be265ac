//! After which SQLSTATEs of the server it is worth trying again.
//!
//! A code that is not listed stops the task. A task that retried for ever, say after a revoked grant, would look alive and
//! move nothing. Codes: PostgreSQL manual, appendix "PostgreSQL Error Codes".

/// Classes (two characters) and codes (five) after which it is worth trying again.
const TRANSIENT: &[&str] = &[
    "08",    // connection exceptions
    "25P03", // idle in transaction for too long: the session is gone, the next one is not
    "40001", // serialization failure
    "40P01", // deadlock
    "53000", // insufficient resources
    "53100", // disk full
    "53200", // out of memory
    "53300", // too many connections, or all walsenders are taken
    "55006", // object in use: the slot is still held
    "55P03", // lock not available
    "57014", // statement cancelled, by a time-out too
    "57P01", // an administrator ended the session
    "57P02", // crash shutdown
    "57P03", // starting up, shutting down
    "57P05", // idle for too long
    "58030", // input or output error of the server
];

/// Codes that need a person. [`is_transient`] does not use this list: it is for readers and for the test.
#[cfg(test)]
const PERMANENT: &[&str] = &[
    "0A000", "22023", "25006", "28000", "28P01", "3D000", "42501", "42601", "42704", "42710", "42P01", "53400",
    "55000", "57P04", "58P01", "XX000", "", "?????",
];

/// Whether a later try can succeed after an error with this SQLSTATE. False for a code that is not listed.
pub fn is_transient(sqlstate: &str) -> bool {
    TRANSIENT.iter().any(|known| sqlstate.starts_with(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        for state in PERMANENT {
            assert!(!is_transient(state), "{state}");
        }
        for state in ["08006", "08P01", "53300", "55006", "57P01", "57P02", "57P03"] {
            assert!(is_transient(state), "{state}");
        }
    }
}
