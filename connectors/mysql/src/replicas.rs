//! Which connector of this process reads the binlog of which server under which number.
//!
//! Purpose: two replicas with one number throw each other out again and again, and the server does not say who the other is.
//! If it is a connector of this worker, an error message and a validation can name it.
//!
//! Must not know: SQL, events.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

struct Reading {
    server: String,
    server_id: u32,
    connector: Arc<str>,
}

static READING: Mutex<Vec<Reading>> = Mutex::new(Vec::new());

fn reading() -> MutexGuard<'static, Vec<Reading>> {
    // A panic cannot leave the list half changed, so a poisoned lock is used as it is.
    READING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An entry of the list, removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    server: String,
    connector: Arc<str>,
}

/// Notes that a connector reads the binlog of a server under `database.server.id`. `server` is what tells servers apart; see
/// [`identity`].
pub(crate) fn enter(server: &str, server_id: u32, connector: Arc<str>) -> Entry {
    let entry = Entry { server: server.to_owned(), connector: Arc::clone(&connector) };
    reading().push(Reading { server: server.to_owned(), server_id, connector });
    entry
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut reading = reading();
        let own = reading.iter().position(|other| other.server == self.server && other.connector == self.connector);
        if let Some(own) = own {
            reading.swap_remove(own);
        }
    }
}

/// Another connector of this process than `connector` that reads the binlog of the server under the same number.
pub(crate) fn other(server: &str, server_id: u32, connector: Option<&str>) -> Option<Arc<str>> {
    let reading = reading();
    let found = reading
        .iter()
        .find(|other| other.server == server && other.server_id == server_id && Some(&*other.connector) != connector)?;
    Some(Arc::clone(&found.connector))
}

/// Whether this very connector reads the binlog of the server under this number now.
pub(crate) fn reads(server: &str, server_id: u32, connector: Option<&str>) -> bool {
    reading().iter().any(|one| one.server == server && one.server_id == server_id && Some(&*one.connector) == connector)
}

/// What tells a server from others: its UUID; MariaDB has none, so there it is the address in the configuration, and the same
/// server under two names counts as two.
pub(crate) fn identity(server_uuid: Option<&str>, at: &str) -> String {
    server_uuid.unwrap_or(at).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_known_while_it_reads() {
        let ask = |server, id, name| other(server, id, name).map(|name| name.to_string());
        let entry = enter("replicas_s", 7, "orders".into());
        assert_eq!(ask("replicas_s", 7, Some("users")), Some("orders".to_owned()));
        assert_eq!(ask("replicas_s", 7, None), Some("orders".to_owned()));
        assert_eq!(
            (ask("replicas_s", 7, Some("orders")), ask("replicas_s", 8, None), ask("s", 7, None)),
            (None, None, None)
        );
        drop(entry);
        assert_eq!(ask("replicas_s", 7, None), None);
    }

    #[test]
    fn a_connector_that_restarts_keeps_its_newer_entry() {
        let old = enter("replicas_r", 7, "orders".into());
        let new = enter("replicas_r", 7, "orders".into());
        drop(old);
        assert!(other("replicas_r", 7, None).is_some());
        drop(new);
        assert!(other("replicas_r", 7, None).is_none());
    }
}
