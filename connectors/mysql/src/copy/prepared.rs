//! XA transactions that are prepared when a copy begins and end after it. The copy's view does not show their rows, and the
//! binlog has the rows before the place from which the stream would begin.
//!
//! Where they were prepared is looked for in the binlog, and with it which tables they changed: those that changed no captured
//! table do not matter. With MySQL's GTIDs the stream then begins with them: their own GTIDs are left out of the executed ones,
//! as the stream itself does with a transaction that is prepared. Elsewhere the copy waits for their end, without the lock.
//!
//! Must not know: how the lock is taken, rows.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use relational::Outlet;
use tokio::time::{Instant, sleep, timeout};

use crate::binlog::{BinlogError, Body, EventKind, Reader};
use crate::error::Error;
use crate::gtid::{MySqlSet, Source, Xid};
use crate::model::TableId;
use crate::sql::{BinlogFile, BinlogStatus, Sql};
use crate::stream::{Found, Inner, Walk, unpack};
use crate::tables::Tables;
use crate::wire::ConnectOptions;

/// So far back the binlog is read, in bytes; the file that is written now always whole.
const MOST_BYTES: u64 = 1 << 30;
/// So long the looking may take.
const LOOKING: Duration = Duration::from_secs(60);
/// How often it is asked whether a transaction has ended.
const PAUSE: Duration = Duration::from_millis(500);
/// How many are named.
const NAMED: usize = 5;
/// Access denied, for want of a privilege: `ER_XAER_...` has none of its own.
const DENIED: [u16; 2] = [1227, 1401];

/// What is to be done about the transactions that are prepared.
#[derive(Debug)]
pub(super) enum Prepared {
    /// There are none that matter, or the stream begins with them: the executed GTIDs without theirs.
    Begin(Option<String>),
    /// Their end is waited for.
    Wait(Vec<Xid>),
}

/// What the binlog has of a transaction.
#[derive(Debug, Default)]
struct Group {
    id: Option<(Source, u64)>,
    tables: BTreeSet<TableId>,
}

/// The transactions that are prepared now. None where the account may not ask; that is warned of if the server has any such
/// transactions.
pub(super) async fn listed(sql: &mut Sql) -> Result<Vec<Xid>, Error> {
    match sql.prepared().await {
        Err(error) if error.number().is_some_and(|number| DENIED.contains(&number)) => {
            if sql.has_prepared().await? {
                tracing::warn!(
                    "{error}. XA transactions are used on the server. What one of them changed that is prepared now and committed \
                     later is neither in the snapshot nor in the stream: GRANT XA_RECOVER_ADMIN ON *.* TO the connector's user, so \
                     that the snapshot sees them"
                );
            }
            Ok(Vec::new())
        }
        listed => listed,
    }
}

/// Decides what is done about these transactions. `status` is the end of the binlog when they were listed.
pub(super) async fn decide(
    sql: &mut Sql,
    xids: Vec<Xid>,
    status: &BinlogStatus,
    tables: &Tables,
    outlet: &Outlet,
) -> Result<Prepared, Error> {
    if xids.is_empty() {
        return Ok(Prepared::Begin(status.gtids.clone()));
    }
    let files = sql.binlog_files().await?;
    let options = sql.connection().options().clone();
    let looking = look(&options, &files, status, &xids, outlet);
    let found = match timeout(LOOKING, looking).await {
        Ok(found) => found?,
        Err(_) => HashMap::new(),
    };
    let matters = |xid: &Xid| found.get(xid).is_none_or(|group| group.tables.iter().any(|id| tables.captures(id)));
    let mut own = MySqlSet::default();
    let mut waits = Vec::new();
    let mut names = Vec::new();
    for xid in xids.into_iter().filter(matters) {
        match (found.get(&xid).and_then(|group| group.id), &status.gtids) {
            (Some((source, number)), Some(_)) => {
                own.add(source, number);
                names.push(xid);
            }
            _ => waits.push(xid),
        }
    }
    if !waits.is_empty() {
        return Ok(Prepared::Wait(waits));
    }
    let Some(executed) = status.gtids.as_deref().filter(|_| !own.is_empty()) else {
        return Ok(Prepared::Begin(status.gtids.clone()));
    };
    tracing::info!(
        xids = %named(&names),
        "XA transactions were prepared before the snapshot and are not ended: the stream begins with them"
    );
    Ok(Prepared::Begin(sql.gtid_subtract(executed, &own.to_string()).await?))
}

/// Waits until none of these transactions is prepared any more. False when the connector is to stop.
///
/// # Errors
/// When they are still there after `limit`.
pub(super) async fn ended(sql: &mut Sql, mut xids: Vec<Xid>, limit: Duration, outlet: &Outlet) -> Result<bool, Error> {
    let until = Instant::now() + limit;
    let mut has_waited = false;
    loop {
        let now = sql.prepared().await?;
        xids.retain(|xid| now.contains(xid));
        if xids.is_empty() {
            if has_waited {
                outlet.running();
            }
            return Ok(true);
        }
        let (at, names) = (sql.connection().options().at(), named(&xids));
        if Instant::now() >= until {
            return Err(Error::PreparedXa { at, after_ms: limit.as_millis() as u64, xids: names });
        }
        if !std::mem::replace(&mut has_waited, true) {
            tracing::warn!(connector = %outlet.connector, "the snapshot waits for XA transactions that are prepared: {names}");
        }
        outlet.waiting(&format!(
            "The snapshot is waiting for XA transactions that are prepared: {names}.\nReason: it does not see their rows, and the \
             stream begins behind them. Commit them or roll them back (XA RECOVER lists them). Nothing is locked meanwhile. After \
             snapshot.lock.timeout.ms ({} ms) it is begun anew.",
            limit.as_millis()
        ));
        let mut stop = outlet.stop.clone();
        tokio::select! {
            () = sleep(PAUSE) => {}
            () = async { drop(stop.wait_for(|stop| *stop).await) } => return Ok(false),
        }
    }
}

/// The transactions in words, as XA COMMIT takes them.
fn named(xids: &[Xid]) -> String {
    let mut text: Vec<String> = xids.iter().take(NAMED).map(ToString::to_string).collect();
    if xids.len() > NAMED {
        text.push(format!("and {} more", xids.len() - NAMED));
    }
    text.join("; ")
}

/// Looks for the transactions in the binlog before its end, the newest file first.
async fn look(
    options: &ConnectOptions,
    files: &[BinlogFile],
    end: &BinlogStatus,
    wanted: &[Xid],
    outlet: &Outlet,
) -> Result<HashMap<Xid, Group>, Error> {
    let mut all: HashMap<Xid, Group> = HashMap::new();
    let Some(last) = files.iter().position(|file| file.name == end.file) else { return Ok(all) };
    let mut bytes = 0;
    for (index, file) in files.iter().enumerate().take(last + 1).rev() {
        let size_bytes = if index == last { end.position } else { file.size_bytes };
        bytes += size_bytes;
        if index != last && bytes > MOST_BYTES {
            break;
        }
        let mut looking = Looking { wanted, present: Group::default(), found: HashMap::new() };
        looking.through(options, &file.name, size_bytes, outlet).await?;
        for (xid, group) in looking.found {
            // A name may be used again: the last one is the one that is prepared.
            all.entry(xid).or_insert(group);
        }
        if wanted.iter().all(|xid| all.contains_key(xid)) {
            break;
        }
    }
    Ok(all)
}

/// The looking through one file.
struct Looking<'a> {
    wanted: &'a [Xid],
    /// The transaction that is being read.
    present: Group,
    found: HashMap<Xid, Group>,
}

/// What is looked at in a compressed transaction.
const KINDS: [EventKind; 2] = [EventKind::TABLE_MAP, EventKind::XA_PREPARE];

impl Looking<'_> {
    async fn through(
        &mut self,
        options: &ConnectOptions,
        file: &str,
        size_bytes: u64,
        outlet: &Outlet,
    ) -> Result<(), Error> {
        const BEGIN: u64 = 4;
        let mut walk = Walk::from(options, (file, BEGIN), outlet).await?;
        let mut reader = Reader::new(file, BEGIN, walk.checksum());
        while reader.file() == file && reader.position() < size_bytes {
            let Found::Event(bytes) = walk.next(u64::MAX).await? else { break };
            self.event(&mut reader, bytes, outlet).await?;
        }
        walk.close().await;
        Ok(())
    }

    async fn event(&mut self, reader: &mut Reader, bytes: &[u8], outlet: &Outlet) -> Result<(), BinlogError> {
        match reader.event(bytes, 0)?.body {
            Body::Payload(payload) => {
                let take = |inner: Inner<'_>| {
                    if let Inner::Read(body) = inner {
                        self.take(&body);
                    }
                };
                unpack(reader, payload, &KINDS, outlet, take).await?;
            }
            body => self.take(&body),
        }
        Ok(())
    }

    fn take(&mut self, body: &Body<'_>) {
        match body {
            Body::Gtid(id) => {
                let source = Source { uuid: id.uuid, tag: id.tag };
                self.present = Group { id: Some((source, id.number)), ..Group::default() };
            }
            Body::AnonymousGtid(_) | Body::MariaGtid(_) => self.present = Group::default(),
            Body::TableMap(map) => {
                self.present.tables.insert(TableId { database: map.database.into(), table: map.table.into() });
            }
            Body::XaPrepare(xa) if !xa.one_phase => {
                let xid = Xid::from(xa);
                if self.wanted.contains(&xid) {
                    self.found.insert(xid, std::mem::take(&mut self.present));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_named() {
        let xids: Vec<Xid> = (0..7).map(|i| Xid::new(1, &[b'a' + i], b"")).collect();
        assert_eq!(named(&xids[..2]), "X'61',X'',1; X'62',X'',1");
        assert!(named(&xids).ends_with("; and 2 more"));
    }
}
