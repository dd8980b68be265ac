//! What a server says in an ErrorResponse or NoticeResponse.

use std::fmt;

use crate::wire::frames::take_text;

/// An error of the server, without the fields that may quote rows (`where`, internal query).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    /// `ERROR`, `FATAL`, `PANIC`, `NOTICE` …, not translated.
    pub severity: String,
    /// The five-character code.
    pub sqlstate: String,
    /// The primary message, in the server's language.
    pub message: String,
    /// The `DETAIL` line. `None` for SQLSTATE classes 22 and 23, where it quotes cells, unless it is about pg_catalog.
    pub detail: Option<String>,
    /// The `HINT` line.
    pub hint: Option<String>,
    /// The server's C function that reported the error. Unlike the message it is not translated.
    pub routine: String,
}

impl ServerError {
    /// Reads the payload of an ErrorResponse or NoticeResponse; what cannot be read is left empty.
    pub fn parse(mut payload: &[u8]) -> Self {
        let (mut error, mut schema) = (Self::default(), String::new());
        while let Some((&field, rest)) = payload.split_first() {
            payload = rest;
            if field == 0 {
                break;
            }
            let Some(text) = take_text(&mut payload) else { break };
            let text = String::from_utf8_lossy(text).into_owned();
            match field {
                b'V' => error.severity = text,
                b'S' if error.severity.is_empty() => error.severity = text,
                b'C' => error.sqlstate = text,
                b'M' => error.message = text,
                b'D' => error.detail = Some(text),
                b'H' => error.hint = Some(text),
                b'R' => error.routine = text,
                b's' => schema = text,
                _ => {}
            }
        }
        error.without_cells(&schema)
    }

    /// From the error of an ordinary connection.
    pub(crate) fn from_db(error: &tokio_postgres::error::DbError) -> Self {
        Self {
            severity: error.severity().to_owned(),
            sqlstate: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(str::to_owned),
            hint: error.hint().map(str::to_owned),
            routine: error.routine().unwrap_or_default().to_owned(),
        }
        .without_cells(error.schema().unwrap_or_default())
    }

    /// Removes the values of cells: data exceptions (class 22) quote the value after a colon, constraint violations (class 23)
    /// quote the row in the detail. A row of pg_catalog may be shown: it holds only names, such as that of a publication that
    /// exists already.
    fn without_cells(mut self, schema: &str) -> Self {
        let of_catalogue = self.sqlstate.starts_with("23") && schema == "pg_catalog";
        if (self.sqlstate.starts_with("22") || self.sqlstate.starts_with("23")) && !of_catalogue {
            self.detail = None;
        }
        if self.sqlstate.starts_with("22")
            && let Some(colon) = self.message.find(": ")
        {
            self.message.truncate(colon);
        }
        self
    }

    /// The message and the detail, because the message alone often names only the slot.
    pub(crate) fn said(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{}; {detail}", self.message),
            None => self.message.clone(),
        }
    }

    /// Whether a later try can succeed without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        super::is_transient(&self.sqlstate)
    }

    /// The process id in `… is active for PID n`.
    pub fn active_pid(&self) -> Option<i32> {
        let digits = self.message.rsplit("PID ").next().filter(|_| self.message.contains("PID "))?;
        digits.trim_end().parse().ok()
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (SQLSTATE {})", self.severity, self.message, self.sqlstate)?;
        if let Some(detail) = &self.detail {
            write!(f, "; detail: {detail}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "; hint: {hint}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(payload: &[u8], printed: &str) {
        assert_eq!(ServerError::parse(payload).to_string(), printed);
    }

    #[test]
    fn payloads() {
        check(b"SFEHLER\0VERROR\0C42704\0Mno slot\0Hmake one\0\0", "ERROR: no slot (SQLSTATE 42704); hint: make one");
        check(b"SFATAL\0C28P01\0Mpassword\0\0", "FATAL: password (SQLSTATE 28P01)");
        check(
            b"VERROR\0C22P02\0Minvalid input syntax for type integer: \"x\"\0\0",
            "ERROR: invalid input syntax for type integer (SQLSTATE 22P02)",
        );
        check(
            b"VERROR\0C23505\0Mduplicate key\0DKey (id)=(5) already exists.\0\0",
            "ERROR: duplicate key (SQLSTATE 23505)",
        );
        check(
            b"VERROR\0C23505\0Mduplicate key\0DKey (pubname)=(p) already exists.\0spg_catalog\0\0",
            "ERROR: duplicate key (SQLSTATE 23505); detail: Key (pubname)=(p) already exists.",
        );
        check(b"V", ":  (SQLSTATE )");
    }

    #[test]
    fn pids() {
        let error = |message: &str| ServerError { message: message.into(), ..ServerError::default() }.active_pid();
        assert_eq!(error("replication slot \"s\" is active for PID 4711"), Some(4711));
        assert_eq!(error("replication slot \"s\" already exists"), None);
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            let _ = ServerError::parse(&bytes).to_string();
        }
    }
}
