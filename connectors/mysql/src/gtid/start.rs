//! Where to start: whether the server still has what a stored position needs, and the set that it is asked to send from.

use super::{MariaSet, MySqlSet};

/// Whether a server can still send everything that a reader at the stored set lacks.
///
/// `stored` is the offset's set, `executed` and `purged` are the server's `gtid_executed` and `gtid_purged`; `keep` is the
/// filter of sources (it is given UUIDs). The stored set must be a part of the executed one (otherwise this is another
/// server, or one that was reset), and of what is to be sent nothing may be purged.
pub fn mysql_available(
    stored: &MySqlSet,
    executed: &MySqlSet,
    purged: &MySqlSet,
    keep: impl FnMut(&str) -> bool,
) -> bool {
    if stored.is_empty() {
        return true;
    }
    let mut stored = stored.clone();
    stored.retain(keep);
    if executed.is_empty() || !executed.contains(&stored) {
        return false;
    }
    let mut wanted = executed.clone();
    wanted.subtract(&stored);
    let mut left = wanted.clone();
    left.subtract(purged);
    left == wanted
}

/// The set that COM_BINLOG_DUMP_GTID is given: the server sends everything but it.
///
/// It is what the server has executed of the servers that the stored set knows, with the purged ids and then the stored
/// ones in their place, server by server. So a server that the stored set does not know (after a failover) is sent from
/// its first id on, unless `keep` says that it is not wanted.
pub fn mysql_start(
    stored: &MySqlSet,
    executed: &MySqlSet,
    purged: &MySqlSet,
    mut keep: impl FnMut(&str) -> bool,
) -> MySqlSet {
    let mut stored = stored.clone();
    stored.retain(&mut keep);
    let mut start = executed.clone();
    start.retain(keep);
    start.sources.retain(|source, _| stored.knows(&source.uuid));
    start.replace(purged);
    start.replace(&stored);
    start
}

/// As [`mysql_available`] for MariaDB: `executed` is `gtid_binlog_pos`, `purged` the set that stands at the begin of the oldest
/// file (MariaDB keeps no such set itself), and `keep` is given `domain-server`.
pub fn maria_available(
    stored: &MariaSet,
    executed: &MariaSet,
    purged: &MariaSet,
    mut keep: impl FnMut(&str) -> bool,
) -> bool {
    if stored.is_empty() {
        return true;
    }
    let (mut filtered, mut gone) = (stored.clone(), purged.clone());
    filtered.retain(&mut keep);
    gone.retain(keep);
    !executed.is_empty() && executed.contains(&filtered) && filtered.contains(&gone)
}
