//! Following the log, from START_REPLICATION to its end.

use std::sync::Arc;
use std::time::Duration;

use relational::RetainedWatch;

use super::Session;
use crate::config::LsnFlushMode;
use crate::error::Error;
use crate::lsn::Lsn;
use crate::plugin::connect_options;
use crate::position::{LSN, LSN_COMMIT, Stored};
use crate::slot::{self, Slot};
use crate::sql::Sql;
use crate::stream::{End, Follow, Lasting, Link, LinkOptions};
use crate::wire::Replication;

/// How long the server may take to end a stream in order.
const FINISH: Duration = Duration::from_secs(5);
/// The server ends a connection on which it hears nothing for `wal_sender_timeout`. This many statuses are sent within it.
const STATUSES_WITHIN_TIMEOUT: u32 = 3;
const STATUS_INTERVAL_MIN: Duration = Duration::from_millis(100);
/// What to do when a slot may soon be lost.
const NEARLY_LOST: &str = "see why the connector does not keep up (its status, the topics' broker), or raise \
    max_slot_wal_keep_size of the server (safe_wal_size in pg_replication_slots says what is left). If the slot is lost, the tables must be copied anew";

/// The server's process of a replication connection, and its `wal_sender_timeout` (zero: it waits for ever).
#[derive(Clone, Copy, Debug)]
pub(super) struct Served {
    pub(super) pid: i32,
    pub(super) bears_silence: Duration,
}

impl Served {
    pub(super) async fn by(replication: &mut Replication) -> Result<Self, Error> {
        let (pid, timeout_ms) = replication.served_by().await?;
        Ok(Self { pid, bears_silence: Duration::from_millis(timeout_ms) })
    }

    /// The interval of statuses: the configured one, or less if `wal_sender_timeout` demands it.
    fn status_interval(self, configured: Duration) -> Duration {
        if self.bears_silence.is_zero() {
            return configured;
        }
        configured.min((self.bears_silence / STATUSES_WITHIN_TIMEOUT).max(STATUS_INTERVAL_MIN))
    }
}

impl Session {
    pub(super) async fn follow(
        &mut self,
        mut replication: Replication,
        served: Served,
        resume: Option<Stored>,
        slot: &Slot,
        has_copied: bool,
    ) -> Result<(), Error> {
        let start = resume.as_ref().map_or(Lsn(0), start_of);
        let mut options = vec![
            ("proto_version".to_owned(), "1".to_owned()),
            ("publication_names".to_owned(), crate::sql::quoted_name(&self.config.publication.name)),
        ];
        if replication.server_version() >= 140_000 {
            options.push(("messages".to_owned(), "true".to_owned()));
        }
        options.extend(self.config.slot.stream_params.iter().cloned());
        let name = self.config.slot.name.clone();
        if let Err(mut error) = replication.start(&name, start, &options).await {
            if let Ok(sql) = self.catalog.sql().await {
                slot::name_owner(&mut error, sql).await;
            }
            return Err(error);
        }
        // Another process that had the slot may have confirmed more since this session looked, during a copy or just before it
        // let go. The server would begin there without a word, and the changes between would be lost. From now on nobody else
        // can advance the slot.
        if let Some(resume) = &resume {
            let now = slot::find(self.catalog.sql().await?, &name).await?;
            if self.lost(resume, now.as_ref()).is_some() {
                return Err(Error::SlotMoved { slot: name });
            }
        }
        self.outlet.running();
        tracing::info!(connector = %self.outlet.connector, slot = %name, %start, "following the log");
        self.catalog.close();
        let confirmed = match slot {
            Slot::Created(created) => created.consistent_point,
            Slot::Existing(slot) => slot.confirmed_flush_lsn.unwrap_or(Lsn(0)),
        };
        self.decoder.reconnected(resume);
        // Said at each start, because somebody may have set the offset back to have changes sent again.
        if let Some(until) = self.decoder.passes_over_until() {
            tracing::info!(
                connector = %self.outlet.connector,
                "changes that committed before {until} and that the snapshot has read are passed over; to have them sent again, \
                 take `copied` out of the connector's offset (PATCH /connectors/NAME/offsets)"
            );
        }
        let action = self.action();
        if let Some(action) = action.as_ref().filter(|_| has_copied) {
            action.beat();
        }
        let link = LinkOptions {
            slot: name,
            status_interval: served.status_interval(self.config.position.status_interval),
            confirms: self.config.position.flush_mode != LsnFlushMode::Manual,
            confirmed,
        };
        let link = Link::new(replication, self.outlet.stored.clone(), link);
        let lasting = Lasting {
            decoder: &mut self.decoder,
            tables: &mut self.tables,
            catalog: &mut self.catalog,
            outlet: &mut self.outlet,
            action,
            heartbeat: &mut self.heartbeat,
            messages: &self.messages,
            reselector: &mut self.reselector,
            reached: &mut self.reached,
        };
        let mut follow = Follow::new(lasting, link, served.pid);
        match follow.run().await? {
            End::Stopped => follow.finish(FINISH).await,
            End::Gone => return Ok(()),
        }
        self.drop_slot().await;
        Ok(())
    }

    /// Asks from time to time how much log the slot keeps, until the watch is dropped.
    pub(super) fn watch_retained(&self) -> RetainedWatch {
        let mut options = connect_options(&self.config, "Debezium General");
        // The statements are the user's, for sessions that read tables. This one opens again and again.
        options.initial_statements.clear();
        for limit_ms in
            [&mut options.connect_timeout_ms, &mut options.handshake_timeout_ms, &mut options.query_timeout_ms]
        {
            *limit_ms = RetainedWatch::step_ms(*limit_ms);
        }
        let options = Arc::new(options);
        let slot: Arc<str> = self.config.slot.name.as_str().into();
        RetainedWatch::start(Arc::clone(&self.outlet.meters), NEARLY_LOST, move || {
            let (options, slot) = (Arc::clone(&options), Arc::clone(&slot));
            async move { Sql::connect(&options).await?.retained_log(&slot).await }
        })
    }

    /// Ends a session that does not stream: waits for the last position to be stored, and drops the slot if so configured.
    pub(super) async fn ended(&mut self) -> Result<(), Error> {
        self.outlet.close();
        self.outlet.last_stored().await;
        self.drop_slot().await;
        Ok(())
    }

    async fn drop_slot(&mut self) {
        if !self.config.slot.drop_on_stop {
            return;
        }
        let name = self.config.slot.name.clone();
        let dropped = match self.catalog.sql().await {
            Ok(sql) => slot::drop_slot(sql, &name).await,
            Err(error) => Err(error),
        };
        if let Err(error) = dropped {
            tracing::warn!(slot = %name, %error, "the slot was not dropped (slot.drop.on.stop)");
        }
    }
}

/// The LSN at which the server is asked to begin: the end of the last whole transaction. The server itself never begins
/// before the slot's `confirmed_flush_lsn`.
fn start_of(stored: &Stored) -> Lsn {
    let position = &stored.position;
    let lsn = position.word(LSN_COMMIT).or(position.word(LSN).filter(|_| stored.is_copied())).unwrap_or(0);
    Lsn(lsn as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_server_is_told_in_time() {
        #[track_caller]
        fn check(configured_ms: u64, timeout_ms: u64, expect_ms: u64) {
            let served = Served { pid: 1, bears_silence: Duration::from_millis(timeout_ms) };
            let interval = served.status_interval(Duration::from_millis(configured_ms));
            assert_eq!(interval, Duration::from_millis(expect_ms));
        }
        check(10_000, 60_000, 10_000);
        check(10_000, 3_000, 1_000);
        check(10_000, 0, 10_000);
        check(10_000, 10, 100);
        check(50, 10, 50);
    }
}
