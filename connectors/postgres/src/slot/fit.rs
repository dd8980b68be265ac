//! Whether a slot that exists is one that this connector can read.
//!
//! Debezium does not check for some of these cases: it fails later with another message, or reads a log that lacks what it
//! needs. Here each such slot is refused before anything is read, with the reason and the remedy.

use super::PLUGIN;
use crate::error::Error;
use crate::sql::SlotInfo;

/// Why a slot cannot be read, and the remedy; `None` for a slot that can be read from database `dbname`.
fn unfit(slot: &SlotInfo, dbname: &str) -> Option<(String, String)> {
    let name = &slot.name;
    let drop_it = format!("SELECT pg_drop_replication_slot('{name}')");
    let other = "choose another slot.name";
    Some(if slot.plugin.is_empty() {
        let reason = "is a physical slot, which a standby or a backup reads and no connector can";
        (reason.to_owned(), format!("{other}, or, if nobody reads it any more, {drop_it}"))
    } else if slot.temporary {
        let session = slot.active_pid.map(|pid| format!(" (process {pid})")).unwrap_or_default();
        let reason = format!("is temporary: it belongs to another session{session} and goes with it");
        (reason, format!("{other}, or end that session"))
    } else if slot.plugin != PLUGIN {
        let reason = format!("belongs to output plugin {}, and this connector reads {PLUGIN}", slot.plugin);
        (reason, format!("{other}, or, if nobody reads it any more, {drop_it}"))
    } else if slot.dbname != dbname {
        let reason = format!("belongs to database \"{}\", and database.dbname is \"{dbname}\"", slot.dbname);
        (reason, format!("{other}, correct database.dbname, or, if nobody reads it any more, {drop_it}"))
    } else if slot.two_phase {
        let reason = "was made with two_phase, so the server sends prepared transactions before they commit, and whether \
                      they commit at all is not known then";
        let remedy = format!(
            "choose another slot.name, or drop it ({drop_it}) and let the connector make it anew without two_phase; from \
             PostgreSQL 18 on ALTER_REPLICATION_SLOT {name} (TWO_PHASE false) on a replication connection keeps its position"
        );
        (reason.to_owned(), remedy)
    } else if slot.synced {
        let reason =
            "is kept in step with the primary's by this standby, and cannot be read before the standby is promoted";
        (reason.to_owned(), format!("{other} while the server is a standby, or read from the primary"))
    } else {
        return None;
    })
}

/// Refuses a slot that cannot be read, or that the server has invalidated.
pub(crate) fn check(slot: &SlotInfo, dbname: &str) -> Result<(), Error> {
    if let Some((reason, remedy)) = unfit(slot, dbname) {
        return Err(Error::SlotUnfit { slot: slot.name.clone(), reason, remedy });
    }
    let lost = slot.wal_status.as_deref() == Some("lost");
    match (&slot.invalidation, lost) {
        (Some(why), _) => {
            let reason = format!("the server has invalidated it: {why}");
            Err(Error::SlotLost { slot: slot.name.clone(), reason })
        }
        (None, true) => Err(Error::SlotLost { slot: slot.name.clone(), reason: "wal_status is lost".into() }),
        (None, false) => {
            if slot.wal_status.as_deref() == Some("unreserved") {
                tracing::warn!(
                    slot = %slot.name,
                    safe_wal_size_bytes = slot.safe_wal_size_bytes,
                    "the slot is about to lose its log: it is behind by more than max_slot_wal_keep_size"
                );
            }
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fine() -> SlotInfo {
        SlotInfo {
            name: "s".into(),
            plugin: PLUGIN.into(),
            dbname: "app".into(),
            active_pid: Some(7),
            restart_lsn: None,
            confirmed_flush_lsn: None,
            temporary: false,
            two_phase: false,
            wal_status: Some("reserved".into()),
            invalidation: None,
            synced: false,
            safe_wal_size_bytes: None,
        }
    }

    /// Checks that a good slot is refused after one change, with this reason and this remedy.
    #[track_caller]
    fn check_refused(change: impl FnOnce(&mut SlotInfo), reason: &str, remedy: &str) {
        let mut slot = fine();
        change(&mut slot);
        let text = check(&slot, "app").unwrap_err().to_string();
        assert!(text.contains(reason), "{reason:?} is not in {text}");
        assert!(text.contains(remedy), "{remedy:?} is not in {text}");
    }

    #[test]
    fn each_slot_that_cannot_be_read_is_refused_with_its_remedy() {
        assert!(check(&fine(), "app").is_ok());
        assert!(check(&SlotInfo { wal_status: Some("unreserved".into()), ..fine() }, "app").is_ok());
        let drop_it = "SELECT pg_drop_replication_slot('s')";
        check_refused(
            |slot| (slot.plugin, slot.dbname) = (String::new(), String::new()),
            "is a physical slot",
            drop_it,
        );
        check_refused(
            |slot| slot.temporary = true,
            "is temporary: it belongs to another session (process 7)",
            "end that session",
        );
        check_refused(|slot| slot.plugin = "wal2json".into(), "belongs to output plugin wal2json", drop_it);
        check_refused(|slot| slot.dbname = "other".into(), "belongs to database \"other\"", "correct database.dbname");
        check_refused(
            |slot| slot.two_phase = true,
            "was made with two_phase",
            "ALTER_REPLICATION_SLOT s (TWO_PHASE false)",
        );
        check_refused(
            |slot| slot.synced = true,
            "cannot be read before the standby is promoted",
            "choose another slot.name",
        );
        check_refused(|slot| slot.wal_status = Some("lost".into()), "wal_status is lost", "max_slot_wal_keep_size");
        check_refused(|slot| slot.invalidation = Some("rows_removed".into()), "invalidated it: rows_removed", drop_it);
    }
}
