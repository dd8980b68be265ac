//! One session with the server, in this order: compare the stored offset with what the server still has, set up the
//! publication and the slot, copy the tables, follow the log.

mod catalog;
mod point;
mod streaming;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use record::{Batch, Item, Position};
use relational::{ActionQuery, Heartbeat, Outlet, Patterns, TooMany, TransactionTopic};
use settings::Choice;
use snapshot::{Decision, Refusal, Stored as Found, decide};

pub(crate) use self::catalog::Catalog;
use self::point::slot_waits;
use self::streaming::Served;
use crate::config::{OffsetMismatch, PostgresConfig};
use crate::copy::{Copy, View, copy};
use crate::error::Error;
use crate::holders::hold;
use crate::plugin::{VERSION, connect_options};
use crate::position::{LSN, Stored, TX_ROW, from_offset, to_offset};
use crate::publication::{self, PublicationOptions, publish_list, sent_operations};
use crate::reselect::{Reselector, reselector};
use crate::slot::{self, Slot, SlotOptions};
use crate::sql::{SlotInfo, Sql, Table};
use crate::stream::{Decoder, MessageTopic, now_ms};
use crate::table::Tables;
use crate::wire::Replication;

/// A step of a session, boxed with its type erased. The steps nest deeply, and without the boxes the compiler takes minutes
/// to prove that the whole future is `Send`.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The state of a task that outlasts its reconnects.
pub(crate) struct Session {
    config: PostgresConfig,
    outlet: Outlet,
    tables: Tables,
    catalog: Catalog,
    decoder: Decoder,
    heartbeat: Option<Heartbeat>,
    messages: MessageTopic,
    reselector: Reselector,
    /// The last position handed to the pipeline. A reconnect goes on from there, because the pipeline still has everything
    /// before it.
    reached: Option<Position>,
    /// `reached` when the present run began: a difference is progress.
    position_at_start: Option<Position>,
    /// This task has finished a copy.
    copied: bool,
    /// `skipped.operations` as the user wrote it, for the publication.
    skipped: Option<String>,
}

impl Session {
    pub(crate) fn new(config: PostgresConfig, skipped: Option<String>, outlet: Outlet) -> Result<Self, Error> {
        let tables = Tables::new(&config, VERSION)?.counted(&outlet.meters);
        outlet.meters.count(|numbers| numbers.unchanged = config.events.skip_unchanged.then_some(0));
        let (naming, schema_names) = (config.topics.clone(), config.types.names.schema_names);
        let metadata = config.events.transaction_metadata.then(|| TransactionTopic::new(&naming, schema_names));
        let patterns = |key: &str, list: &[String]| {
            Patterns::new(list).map_err(|e| Error::Config { key: key.into(), reason: e.to_string() })
        };
        let prefixes = (
            patterns("message.prefix.include.list", &config.filters.message_prefix_include)?,
            patterns("message.prefix.exclude.list", &config.filters.message_prefix_exclude)?,
        );
        let messages = MessageTopic::new(
            &config.topics.prefix,
            schema_names,
            tables.source_of_no_table(),
            prefixes,
            config.types.binary,
            config.events.transaction_metadata,
        );
        Ok(Self {
            catalog: Catalog::new(connect_options(&config, "Debezium General")),
            decoder: Decoder::new(config.events.wanted(), None, metadata),
            heartbeat: Heartbeat::new(config.events.heartbeat_interval, &naming, schema_names),
            reselector: reselector(connect_options(&config, "Debezium General"), Arc::clone(&outlet.meters)),
            config,
            outlet,
            tables,
            messages,
            reached: None,
            position_at_start: None,
            copied: false,
            skipped,
        })
    }

    pub(crate) fn outlet(&mut self) -> &mut Outlet {
        &mut self.outlet
    }

    /// Whether the last run, which ended with this error, resets the retries: it made progress, or it stayed up long enough
    /// (`lasted`) with no transaction open. A connection that was given up for its silence has done neither.
    pub(crate) fn resets_retries(&self, error: &Error, lasted: bool) -> bool {
        let got_on = self.reached != self.position_at_start;
        let was_idle = self.decoder.open_xid().is_none() && !matches!(error, Error::Silent { .. });
        got_on || lasted && was_idle
    }

    /// Runs until the connector is to stop. After a transient error the caller runs the session again.
    pub(crate) async fn run(&mut self) -> Result<(), Error> {
        self.position_at_start.clone_from(&self.reached);
        let facts = self.catalog.sql().await?.facts().await?;
        let sql = self.catalog.sql().await?;
        self.tables.load_types(sql).await?;
        let streams = self.config.snapshot.rule.streams;
        if streams {
            facts.check_wal_level()?;
        }
        let captured = self.tables.captured(self.catalog.sql().await?).await?;
        let guarded = self.config.limits.guard(captured.len());
        guarded.map_err(|TooMany { found, limit }| Error::Guardrail { found, limit })?;
        // What this task itself has handed on or stored is newer than the offset it found at its start.
        let known = self.reached.clone().or_else(|| self.outlet.stored.borrow().clone());
        let stored = match &known {
            Some(position) => from_offset(&to_offset(position)),
            None => self.outlet.offset.as_ref().and_then(from_offset),
        };
        let existing =
            if streams { slot::find(self.catalog.sql().await?, &self.config.slot.name).await? } else { None };
        let decision = self.decide(stored.as_ref(), existing.as_ref())?;
        if !decision.copy {
            self.outlet.meters.count(|numbers| numbers.snapshot.skipped());
        }
        let stored = stored.filter(|_| !decision.forget);
        let rest: Boxed<'_, Result<(), Error>> = if decision.stream {
            Box::pin(self.stream(decision, stored, existing, &captured))
        } else {
            Box::pin(self.copy_alone(decision))
        };
        rest.await
    }

    /// Decides what this start does (copy, stream, refuse) by snapshot.mode, the stored offset and the slot.
    fn decide(&self, stored: Option<&Stored>, slot: Option<&SlotInfo>) -> Result<Decision, Error> {
        let lost = stored.and_then(|stored| self.lost(stored, slot));
        let is_lost = lost.is_some();
        let found = match (stored, &lost) {
            (None, _) => Found::Nothing,
            (Some(_), Some(_)) => Found::Lost,
            (Some(stored), None) if stored.snapshot_unfinished => Found::Unfinished,
            (Some(_), None) => Found::Position,
        };
        let mut decision = decide(self.config.snapshot.rule, found).map_err(|refusal| match refusal {
            Refusal::NeverCopies => Error::NeverCopies { mode: self.config.snapshot.mode.to_string() },
            Refusal::Lost => Error::PositionLost {
                stored: stored
                    .map(|s| serde_json::Value::Object(to_offset(&s.position)).to_string())
                    .unwrap_or_default(),
                slot: self.config.slot.name.clone(),
                available: lost.unwrap_or_default(),
            },
        })?;
        // `always` copies at every start of the task, but not at its reconnects. What was lost in between must be copied.
        decision.copy &= is_lost || !self.copied;
        Ok(decision)
    }

    /// Why the log does not reach back to a stored position; `None` when it does.
    fn lost(&self, stored: &Stored, slot: Option<&SlotInfo>) -> Option<String> {
        let trusting =
            matches!(self.config.position.mismatch, OffsetMismatch::TrustSlot | OffsetMismatch::TrustGreaterLsn);
        if !self.config.position.log_position_check || trusting {
            return None;
        }
        let Some(slot) = slot else { return Some("the slot does not exist".to_owned()) };
        stored.passed_by(slot.restart_lsn, slot.confirmed_flush_lsn)
    }

    async fn copy_alone(&mut self, decision: Decision) -> Result<(), Error> {
        self.outlet.running();
        if decision.copy {
            self.delay(self.config.snapshot.copying.delay).await;
            let lsn = self.catalog.sql().await?.current_lsn().await?.0 as i64;
            match self.copy(View { lsn, alone: true, ..View::default() }).await? {
                Copy::Done { position } => {
                    self.copied = true;
                    self.beat_after_copy(position.clone().unwrap_or_else(|| after_copy(lsn, None).position)).await;
                    self.reached = position.or(self.reached.take());
                }
                Copy::Interrupted => {}
            }
        }
        self.catalog.close();
        let action = self.action().filter(|_| decision.copy);
        if let Some(action) = &action {
            action.beat();
        }
        // Nothing is left to do: the task stays RUNNING until somebody stops it.
        self.outlet.stopped().await;
        self.outlet.close();
        self.outlet.last_stored().await;
        Ok(())
    }

    /// Starts `heartbeat.action.query`, if it is set and heartbeats are switched on.
    fn action(&self) -> Option<ActionQuery<Error>> {
        let statement = self.config.events.heartbeat_query.clone().filter(|_| self.heartbeat.is_some())?;
        let options = connect_options(&self.config, "Debezium Heartbeat");
        Some(ActionQuery::new::<Sql>(options, statement))
    }

    /// Sends the first heartbeat directly after a copy's rows, without waiting for the interval.
    async fn beat_after_copy(&mut self, position: Position) {
        let Some(event) = self.heartbeat.as_mut().and_then(|heartbeat| heartbeat.beat(now_ms(), &position, true))
        else {
            return;
        };
        let batch = Batch { items: vec![Item::Event(Box::new(event))], ..Batch::default() };
        // Zero bytes, because the batch holds none of the source. Without a lease the connector is stopping.
        if let Some(lease) = self.outlet.lease_or_stop(0).await {
            self.outlet.send(Box::new(batch), lease).await;
        }
    }

    async fn copy(&mut self, view: View) -> Result<Copy, Error> {
        if !self.outlet.store_before_copy(self.reached.as_ref()).await {
            return Ok(Copy::Interrupted);
        }
        let options = connect_options(&self.config, "Debezium General");
        let copying: Boxed<'_, _> =
            Box::pin(copy(&self.config, &options, &mut self.tables, &mut self.catalog, view, &mut self.outlet));
        let copied = copying.await;
        if copied.is_err() {
            self.outlet.copy_fails().await;
        }
        copied
    }

    async fn delay(&mut self, delay: Duration) {
        if !delay.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = self.outlet.stopped() => {}
            }
        }
    }

    async fn stream(
        &mut self,
        decision: Decision,
        stored: Option<Stored>,
        existing: Option<SlotInfo>,
        captured: &[Table],
    ) -> Result<(), Error> {
        let mut replication = match Replication::connect(&connect_options(&self.config, "Debezium Streaming")).await {
            // Debezium opens this connection in order to create the slot, and its trace begins with that.
            Err(error @ Error::Server { .. }) if existing.is_none() => {
                return Err(Error::SlotCreation { slot: self.config.slot.name.clone(), cause: Box::new(error) });
            }
            connected => connected?,
        };
        let served = Served::by(&mut replication).await?;
        let (slot, database) = (&self.config.slot.name, &self.config.connection.database);
        let _hold = hold(slot, database, served.pid, Arc::clone(&self.outlet.connector));
        self.publish(&mut replication, captured).await?;
        let options = SlotOptions {
            name: self.config.slot.name.clone(),
            failover: self.config.slot.failover,
            max_retries: self.config.slot.max_retries,
            retry_delay: self.config.slot.retry_delay,
        };
        let slot = if let Some(slot) = existing {
            Slot::Existing(slot)
        } else {
            let sql = self.catalog.sql().await?;
            let (outlet, mut stop) = (&self.outlet, self.outlet.stop.clone());
            tokio::select! {
                made = slot::ensure(&mut replication, sql, &options, |open| outlet.waiting(&slot_waits(&options.name, open))) => made?,
                () = async { drop(stop.wait_for(|stop| *stop).await) } => return Ok(()),
            }
        };
        // From here on the server keeps log, also during a copy of many hours.
        let _retained = self.watch_retained();
        let mut resume = stored;
        if matches!(slot, Slot::Created(_)) {
            self.publish_again(captured).await?;
        }
        if decision.copy {
            self.outlet.running();
            self.delay(self.config.snapshot.copying.delay).await;
            let Some(view) = self.view(&slot, resume.as_ref()).await? else { return self.ended().await };
            let lsn = view.lsn;
            match self.copy(view).await? {
                Copy::Done { position } => {
                    self.copied = true;
                    self.beat_after_copy(position.clone().unwrap_or_else(|| after_copy(lsn, None).position)).await;
                    self.reached.clone_from(&position);
                    if let Some(position) = &position {
                        // A process that is killed from here on need not copy again.
                        self.outlet.store_soon(position.clone()).await;
                    }
                    resume = Some(after_copy(lsn, position));
                }
                Copy::Interrupted => return self.ended().await,
            }
            self.delay(self.config.snapshot.copying.streaming_delay).await;
        }
        if self.outlet.stopping() {
            return self.ended().await;
        }
        let following: Boxed<'_, _> = Box::pin(self.follow(replication, served, resume, &slot, decision.copy));
        following.await
    }

    /// Publishes the tables that were created while the slot waited for open transactions. This takes a connection of its own,
    /// because a command on the slot's connection would end its exported snapshot.
    async fn publish_again(&mut self, before: &[Table]) -> Result<(), Error> {
        let now = self.tables.captured(self.catalog.sql().await?).await?;
        let same = now.len() == before.len() && now.iter().zip(before).all(|(a, b)| a.name == b.name);
        if same {
            return Ok(());
        }
        let mut own = Replication::connect(&connect_options(&self.config, "Debezium General")).await?;
        self.publish(&mut own, &now).await
    }

    async fn publish(&mut self, replication: &mut Replication, captured: &[Table]) -> Result<(), Error> {
        let wanted = &self.config.publication;
        let skipped: Vec<&str> = self.config.events.skipped.iter().map(|operation| operation.name()).collect();
        let options = PublicationOptions {
            name: wanted.name.clone(),
            database: self.config.connection.database.clone(),
            autocreate: wanted.autocreate,
            via_partition_root: wanted.via_partition_root,
            publish: publish_list(self.skipped.as_deref()),
            sent: sent_operations(&skipped),
        };
        let names: Vec<_> = captured.iter().map(|table| table.name.clone()).collect();
        let sql = self.catalog.sql().await?;
        publication::ensure(replication, sql, &options, &names).await?;
        publication::set_identities(sql, captured, &wanted.replica_identities).await;
        Ok(())
    }
}

/// The position from which the stream goes on after a copy, in the form of a stored offset.
fn after_copy(lsn: i64, position: Option<Position>) -> Stored {
    let mut position = position.unwrap_or(Position::UNKNOWN);
    position.words[LSN] = lsn;
    // As all positions of a copy: it marks the position as ours, of which the slot can be known to have gone past.
    position.words[TX_ROW] = 0;
    // Marked as a finished snapshot: everything that committed before the consistent point is in the copy.
    crate::position::set_snapshot(&mut position, crate::position::SnapshotState::Last);
    Stored { position, snapshot_unfinished: false, exact: false }
}
