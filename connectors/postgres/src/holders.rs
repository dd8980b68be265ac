//! Which connector of this process streams from which slot.
//!
//! PostgreSQL says only which of its processes holds a slot. When that process serves a connector of the same worker, its
//! name is what a person needs, and nobody but this process can tell it.
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
    // The list is whole between two statements.
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An entry of the list; it goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Hold {
    slot: String,
    pid: i32,
}

/// A connector streams from a slot, served by the server's process `pid`. The server is told by the process and the
/// database, not by its host: one server has many names.
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
