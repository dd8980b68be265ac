//! Which connector of this process streams from which slot.
//!
//! PostgreSQL names only the server process (pid) that holds a slot. If that process serves a connector of this worker, an
//! error message should name the connector, and only this worker knows it.
//!
//! Must not know: SQL, what is streamed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

struct Held {
    slot: String,
    dbname: String,
    pid: i32,
    connector: Arc<str>,
}

static HELD: Mutex<Vec<Held>> = Mutex::new(Vec::new());

fn held() -> MutexGuard<'static, Vec<Held>> {
    // A panic cannot leave the list half changed, so a poisoned lock is used as it is.
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An entry of the list, removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Hold {
    slot: String,
    pid: i32,
}

/// Notes that a connector streams from a slot through the server's process `pid`. The entry holds the database's name but
/// not the server's host, because one server can be reached under many names.
pub(crate) fn hold(slot: &str, dbname: &str, pid: i32, connector: Arc<str>) -> Hold {
    held().push(Held { slot: slot.to_owned(), dbname: dbname.to_owned(), pid, connector });
    Hold { slot: slot.to_owned(), pid }
}

impl Drop for Hold {
    fn drop(&mut self) {
        held().retain(|held| held.pid != self.pid || held.slot != self.slot);
    }
}

/// The connector of this process that streams from a slot through the server's process `pid`.
pub(crate) fn holder(slot: &str, dbname: &str, pid: i32) -> Option<Arc<str>> {
    let held = held();
    let found = held.iter().find(|held| held.pid == pid && held.slot == slot && held.dbname == dbname)?;
    Some(Arc::clone(&found.connector))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_is_known_while_it_holds() {
        let ask = |slot, dbname, pid| holder(slot, dbname, pid).map(|name| name.to_string());
        let hold = hold("holders_s", "d", 7, "orders".into());
        assert_eq!(ask("holders_s", "d", 7), Some("orders".to_owned()));
        assert_eq!((ask("holders_s", "d", 8), ask("holders_s", "e", 7), ask("other", "d", 7)), (None, None, None));
        drop(hold);
        assert_eq!(ask("holders_s", "d", 7), None);
    }
}
