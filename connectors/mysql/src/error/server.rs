//! What a server says in an ERR packet.

use std::fmt;

/// An error of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    /// The number, such as 1045. MySQL's and MariaDB's numbers agree up to about 1900.
    pub number: u16,
    /// The five-character code; empty in errors that come before the greeting.
    pub sqlstate: String,
    /// The message, without the values of cells that some messages quote.
    pub message: String,
}

/// Errors whose messages quote a cell's value or the text of a statement, which may hold one: duplicate entry, syntax error,
/// value out of range or cut off, wrong value of a type, unknown JSON text. Their texts are cut at the first quote.
const QUOTING: &[u16] = &[1062, 1064, 1264, 1265, 1292, 1366, 1411, 1525, 1586, 1690, 3140, 3141, 4038];

impl ServerError {
    /// Reads the payload of an ERR packet; what cannot be read is left empty. `None` if it is no ERR packet.
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let (&[0xff, low, high], rest) = payload.split_first_chunk::<3>()? else { return None };
        let (sqlstate, message) = match rest.split_first_chunk::<6>() {
            Some(([b'#', state @ ..], message)) => (String::from_utf8_lossy(state).into_owned(), message),
            _ => (String::new(), rest),
        };
        let message = String::from_utf8_lossy(message).into_owned();
        Some(Self { number: u16::from_le_bytes([low, high]), sqlstate, message }.without_cells())
    }

    fn without_cells(mut self) -> Self {
        if QUOTING.contains(&self.number)
            && let Some(quote) = self.message.find(['\'', '"', '`'])
        {
            self.message.truncate(quote);
            self.message.push('…');
        }
        self
    }

    /// Whether a later try can succeed without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        super::is_transient(self.number)
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (error {}", self.message, self.number)?;
        if !self.sqlstate.is_empty() {
            write!(f, ", SQLSTATE {}", self.sqlstate)?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(payload: &[u8], printed: &str) {
        assert_eq!(ServerError::parse(payload).map(|error| error.to_string()).unwrap_or_default(), printed);
    }

    #[test]
    fn payloads() {
        check(b"\xff\x15\x04#28000Access denied", "Access denied (error 1045, SQLSTATE 28000)");
        check(b"\xff\x10\x04Too many connections", "Too many connections (error 1040)");
        check(
            b"\xff\x26\x04#23000Duplicate entry 'secret' for key 'k'",
            "Duplicate entry … (error 1062, SQLSTATE 23000)",
        );
        check(b"\0\x15\x04", "");
        check(b"\xff\x15", "");
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            let _ = ServerError::parse(&bytes).map(|error| error.to_string());
        }
    }
}
