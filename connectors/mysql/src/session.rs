//! One session with the server, in this order: hold the stored offset and the schema history against what the server still
//! has, copy the tables, follow the binlog.
//!
//! Must not know: how events are read, how rows are decoded.

mod retained;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use record::{Batch, Item, Position};
use relational::{ActionQuery, Changes, Heartbeat, Kept, Outlet, TooMany, Wanted};
use serde_json::{Map, Value as Json};
use snapshot::{Copies, Refusal, Stored as Found, StructureRefusal, decide};

use crate::binlog::{Checksum, Reader};
use crate::config::MySqlConfig;
use crate::copy::{Copied, Parts, Plan, copy};
use crate::error::Error;
use crate::gtid::{MariaSet, MySqlSet, maria_available, mysql_available, mysql_start};
use crate::plugin::{VERSION, connect_options};
use crate::position::{Stored, from_offset, to_offset, transaction_id};
use crate::reselect::{Reselector, reselector};
use crate::schema::Schema;
use crate::sql::{Server, Sql};
use crate::stream::{Decoder, Executed, Follow, Lasting, Options, Place, Present, Resume, Undecodable, counts, now_ms};
use crate::tables::Tables;
use crate::wire::{Dump, Replication, Start};
use crate::{Flavour, replicas};

/// A step of a session, boxed with its type erased. The steps nest deeply, and without the boxes the compiler takes minutes
/// to prove that the whole future is `Send`.
type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The state of a task that outlasts its reconnects.
pub(crate) struct Session {
    config: MySqlConfig,
    outlet: Outlet,
    tables: Tables,
    schema: Schema,
    heartbeat: Option<Heartbeat>,
    reselector: Reselector,
    present: Present,
    /// The last position handed to the pipeline. A reconnect goes on from there, because the pipeline still has everything
    /// before it.
    reached: Option<Position>,
    /// `reached` when the present run began: a difference is progress.
    position_at_start: Option<Position>,
    /// This task has finished a copy.
    copied: bool,
}

/// What a start does.
struct Decided {
    plan: Plan,
    stream: bool,
}

impl Session {
    pub(crate) fn new(config: MySqlConfig, source: Map<String, Json>, mut outlet: Outlet) -> Result<Self, Error> {
        let tables = Tables::new(&config, VERSION)?.counted(&outlet.meters);
        outlet.meters.count(|numbers| numbers.unchanged = config.events.skip_unchanged.then_some(0));
        let Some(history) = outlet.history.take() else {
            let reason = "the runtime has no schema history for this connector".to_owned();
            return Err(Error::History { reason, is_transient: false });
        };
        let schema = Schema::new(&config, &tables, history.counted(&outlet.meters), source);
        let heartbeat = Heartbeat::new(config.events.heartbeat_interval, &config.topics, config.names.schema_names);
        let reselector = reselector(connect_options(&config), Arc::clone(&outlet.meters));
        let present = Present::new(connect_options(&config));
        Ok(Self {
            config,
            outlet,
            tables,
            schema,
            heartbeat,
            reselector,
            present,
            reached: None,
            position_at_start: None,
            copied: false,
        })
    }

    pub(crate) fn outlet(&mut self) -> &mut Outlet {
        &mut self.outlet
    }

    /// Whether the last run, which ended with this error, resets the retries: it made progress, or it stayed up long enough
    /// (`lasted`).
    pub(crate) fn resets_retries(&self, error: &Error, lasted: bool) -> bool {
        self.reached != self.position_at_start || lasted && !matches!(error, Error::Silent { .. })
    }

    /// Runs until the connector is to stop. After a transient error the caller runs the session again.
    pub(crate) async fn run(&mut self) -> Result<(), Error> {
        self.position_at_start.clone_from(&self.reached);
        let options = connect_options(&self.config);
        let mut sql = Sql::connect(&options).await?;
        if sql.flavour() != self.config.flavour {
            tracing::warn!(connector = %self.outlet.connector, version = %sql.connection().greeting().version, "the server is \
                of the other product: the connector class for it is {}", self.config.flavour.other().class());
        }
        let server = sql.server().await?;
        self.schema.begin(&server);
        if self.config.snapshot.rule.streams {
            server.check_binlog(&options.at())?;
        }
        // What this task itself has handed on or stored is newer than the offset it found at its start.
        let known = self.reached.clone().or_else(|| self.outlet.stored.borrow().clone());
        let mut offset = match &known {
            Some(position) => Some(to_offset(position)),
            None => self.outlet.offset.clone(),
        };
        if let Some(offset) = offset.as_mut().filter(|_| self.config.binlog.ignores_gtids) {
            offset.remove("gtids");
        }
        let stored = offset.as_ref().map(from_offset).transpose()?;
        let Decided { plan, stream } = self.decide(stored.as_ref(), offset.as_ref(), &server, &mut sql).await?;
        if !plan.structure && !plan.rows {
            self.outlet.meters.count(|numbers| numbers.snapshot.skipped());
        }
        let stored = stored.filter(|_| !plan.structure || plan.keeps.is_some());
        let rest: Boxed<'_, Result<(), Error>> = Box::pin(self.go(plan, stream, stored, server, sql));
        rest.await
    }

    /// Decides what this start does, and recovers the tables from the schema history where they are needed.
    async fn decide(
        &mut self,
        stored: Option<&Stored>,
        offset: Option<&Map<String, Json>>,
        server: &Server,
        sql: &mut Sql,
    ) -> Result<Decided, Error> {
        let snapshot = &self.config.snapshot;
        let lost = match stored {
            Some(stored) if snapshot.rule.streams && self.config.binlog.checks_position => {
                self.lost(stored, server, sql).await?
            }
            _ => None,
        };
        let before = match stored {
            None => Found::Nothing,
            Some(stored) if stored.is_copying => Found::Unfinished,
            Some(_) => Found::Position,
        };
        let kept = self.schema.kept().await?;
        let is_history_lost = kept != Kept::Records;
        let refused = |refusal| match refusal {
            StructureRefusal::HistoryLost => Error::HistoryLost,
            StructureRefusal::NothingToRecover => Error::NothingToRecover,
        };
        let mut structure = snapshot.structure.reads(before, is_history_lost, false).map_err(refused)?;
        if kept == Kept::Missing {
            self.schema.create().await?;
        }
        // A copy that is to be made anew needs no position.
        let redoes = before == Found::Unfinished && snapshot.rule.copies != Copies::Never;
        if redoes && let Some(available) = &lost {
            tracing::warn!(%available, "the server no longer has the binlog from where an earlier copy began: the copy is made \
                anew, and rows that were sent then and deleted since stay in the topics");
        }
        let found = if lost.is_some() && !redoes { Found::Lost } else { before };
        let mut decision = decide(snapshot.rule, found).map_err(|refusal| match refusal {
            Refusal::NeverCopies => Error::NeverCopies { mode: snapshot.mode.to_string() },
            Refusal::Lost => Error::PositionLost {
                stored: offset.map(|offset| Json::Object(offset.clone()).to_string()).unwrap_or_default(),
                available: lost.clone().unwrap_or_default(),
            },
        })?;
        // `always` copies at every start of the task, but not at its reconnects. What was lost in between must be copied.
        decision.copy &= lost.is_some() || !self.copied;
        structure &= !self.copied || decision.copy;
        if decision.copy && (lost.is_some() || before == Found::Nothing) {
            structure = true;
        }
        // The binlog is followed from the stored position on, without a copy.
        let stays = before == Found::Position && lost.is_none() && !decision.copy;
        let mut keeps = None;
        if let (Some(stored), Some(offset)) = (stored, offset) {
            if structure && (snapshot.structure.recovers || stays && is_history_lost) {
                keeps = Some(stored.position());
            } else if stays {
                // The tables are those of that position: a structure that is read now may be a later one.
                structure = false;
                if self.schema.recover(offset).await? == 0 {
                    if !snapshot.structure.reads_when_lost {
                        return Err(Error::HistoryOfOthers { server: self.config.topics.prefix.clone() });
                    }
                    structure = true;
                    keeps = Some(stored.position());
                }
            } else if !structure || before == Found::Unfinished && lost.is_none() && !is_history_lost {
                self.schema.recover(offset).await?;
                // A copy that was begun: the tables were written to the history, and the binlog is followed from where it
                // began, so that rows that were deleted since do not stay in the topics.
                if before == Found::Unfinished && decision.copy && self.schema.knows_captured(&self.tables) {
                    structure = false;
                    keeps = Some(stored.position());
                } else if structure {
                    self.schema.begin(server);
                }
            }
        }
        let plan = Plan { structure, rows: decision.copy, streams_after: decision.stream, keeps };
        Ok(Decided { plan, stream: decision.stream })
    }

    /// Why the server cannot go on from a stored offset; `None` if it can.
    async fn lost(&self, stored: &Stored, server: &Server, sql: &mut Sql) -> Result<Option<String>, Error> {
        let sources = &self.config.binlog.sources;
        let keeps = |source: &str| sources.keeps(source);
        let gtids = stored.gtids.as_deref().filter(|_| !self.config.binlog.ignores_gtids).map(str::trim);
        if let Some(gtids) = gtids {
            if gtids.is_empty() {
                return Ok(None);
            }
            let executed = sql.gtid_executed().await?.unwrap_or_default();
            let purged = sql.gtid_purged().await?.unwrap_or_default();
            let is_available = match self.config.flavour {
                Flavour::MySql => mysql_available(&mysql(gtids)?, &mysql(&executed)?, &mysql(&purged)?, keeps),
                Flavour::MariaDb => maria_available(&mariadb(gtids)?, &mariadb(&executed)?, &mariadb(&purged)?, keeps),
            };
            let mode = server.gtid_mode.as_deref().unwrap_or("none");
            return Ok((!is_available)
                .then(|| format!("executed GTIDs '{executed}', of which '{purged}' are purged (gtid_mode {mode})")));
        }
        if stored.file.is_empty() {
            return Ok(None);
        }
        let files = sql.binlog_files().await?;
        match files.iter().find(|file| file.name == stored.file) {
            Some(file) if stored.pos <= file.size_bytes => return Ok(None),
            // The server was reset or restored, and this is another file of the same name.
            Some(file) => return Ok(Some(format!("the file {} with {} bytes only", file.name, file.size_bytes))),
            None => {}
        }
        let (first, last) = (files.first(), files.last());
        Ok(Some(match (first, last) {
            (Some(first), Some(last)) => format!("the files {} to {}", first.name, last.name),
            _ => "no files".to_owned(),
        }))
    }

    async fn go(
        &mut self,
        plan: Plan,
        stream: bool,
        stored: Option<Stored>,
        server: Server,
        mut sql: Sql,
    ) -> Result<(), Error> {
        let mut stored = stored;
        let action = self.action();
        if plan.structure || plan.rows {
            self.outlet.running();
            self.delay(self.config.snapshot.copying.delay).await;
            let copies = plan.rows;
            if !self.outlet.store_before_copy(self.reached.as_ref()).await {
                return Ok(());
            }
            let parts = Parts {
                config: &self.config,
                server: &server,
                sql: &mut sql,
                tables: &mut self.tables,
                schema: &mut self.schema,
                outlet: &mut self.outlet,
            };
            let copying: Boxed<'_, Result<Copied, Error>> = Box::pin(copy(plan, parts));
            let copied = copying.await;
            if copied.is_err() {
                self.outlet.copy_fails().await;
            }
            match copied? {
                Copied::Interrupted => return Ok(()),
                Copied::Done(position) => {
                    self.copied = true;
                    if copies || stored.is_none() {
                        if !copies {
                            self.outlet.store_soon(position.clone()).await;
                        }
                        self.beat_after_copy(&position, action.as_ref()).await;
                        stored = Some(from_offset(&to_offset(&position))?);
                        self.reached = Some(position);
                    }
                }
            }
            self.delay(self.config.snapshot.copying.streaming_delay).await;
        }
        if !stream {
            sql.close().await;
            // Nothing is left to do: the task stays RUNNING until somebody stops it.
            self.outlet.running();
            self.outlet.stopped().await;
            self.outlet.close();
            self.outlet.last_stored().await;
            return Ok(());
        }
        let guarded = self.config.limits.guard(self.schema.captured(&self.tables));
        guarded.map_err(|TooMany { found, limit }| Error::Guardrail { found, limit })?;
        self.follow(stored, &server, sql, action).await
    }

    /// Starts `heartbeat.action.query`, if it is set and heartbeats are switched on.
    fn action(&self) -> Option<ActionQuery<Error>> {
        let statement = self.config.events.heartbeat_query.clone().filter(|_| self.heartbeat.is_some())?;
        Some(ActionQuery::new::<Sql>(connect_options(&self.config), statement))
    }

    /// Follows the binlog from a stored position; without one from the oldest file.
    async fn follow(
        &mut self,
        stored: Option<Stored>,
        server: &Server,
        mut sql: Sql,
        action: Option<ActionQuery<Error>>,
    ) -> Result<(), Error> {
        let none = Map::from_iter([("file".to_owned(), Json::from("")), ("pos".to_owned(), Json::from(0))]);
        let stored = match stored {
            Some(stored) => stored,
            None => from_offset(&none)?,
        };
        let (start, executed, is_first) = self.start(&stored, server, &mut sql).await?;
        // Files and positions are those of one server; GTIDs mean the same on all.
        let own = match start {
            Start::Position { .. } => Some(sql.identity().await?),
            Start::MySqlGtids(_) | Start::MariaDbGtids(_) => None,
        };
        sql.close().await;
        let (binlog, connection) = (&self.config.binlog, &self.config.connection);
        let dump = Dump {
            start,
            server_id: connection.server_id,
            heartbeat_ms: connection.heartbeat_ms,
            net_write_timeout_s: connection.net_write_timeout_s,
            net_read_timeout_s: connection.net_read_timeout_s,
            annotate_rows: binlog.with_query,
            until_end: false,
        };
        let at = replicas::identity(server.server_uuid.as_deref(), &connection.options.at());
        let _reading = replicas::enter(&at, connection.server_id, Arc::clone(&self.outlet.connector));
        let link = Replication::start(&connect_options(&self.config), &dump).await?;
        if let Some(own) = own {
            own.same_at(link.identity(), || connection.options.at())?;
        }
        let checksum = if link.checksum() == "NONE" { Checksum::None } else { Checksum::Crc32 };
        let reader = Reader::new(stored.file.clone(), stored.pos.max(4), checksum);
        let place = Place::new(&stored, executed);
        let resume = Resume::new(stored.events, stored.rows, (!is_first).then_some((&stored.file, stored.pos)));
        let metadata = Tables::transaction_topic(&self.config);
        let wanted = Wanted { moves_as_update: true, ..self.config.events.wanted() };
        let changes = Changes::new(wanted, metadata, transaction_id).counted(counts);
        let options = Options {
            with_query: binlog.with_query,
            unknown_table: binlog.unknown_table,
            held_events: binlog.held_events,
            sources: (binlog.drops_other_sources && !binlog.sources.keeps_all()).then(|| binlog.sources.clone()),
        };
        let decoder = Decoder::new(reader, place, changes, options, resume);
        // On an idle server the heartbeats carry the position that the stream begins at. One within a transaction lacks the
        // counts that the transaction's metadata needs.
        let is_between = stored.events == 0 && stored.rows == 0 && !stored.is_copying && !stored.file.is_empty();
        if self.reached.is_none() && is_between {
            self.reached = Some(stored.position());
            self.position_at_start.clone_from(&self.reached);
        }
        let undecodable = Undecodable::new(binlog.undecodable, Arc::clone(&self.outlet.meters));
        self.outlet.meters.count(|numbers| {
            let log = numbers.log();
            log.file = Some(stored.file.as_str().into());
            log.position = Some(stored.pos);
            log.has_transaction_ids = server.has_gtids() || self.config.flavour == Flavour::MariaDb;
        });
        self.outlet.running();
        let _retained = retained::watch(connect_options(&self.config), Arc::clone(&self.outlet.meters));
        let lasting = Lasting {
            tables: &mut self.tables,
            schema: &mut self.schema,
            outlet: &mut self.outlet,
            heartbeat: &mut self.heartbeat,
            action,
            reselector: &mut self.reselector,
            reached: &mut self.reached,
            present: &mut self.present,
        };
        let following: Boxed<'_, Result<(), Error>> = Box::pin(Follow::new(lasting, link, decoder, undecodable).run());
        if let Err(error) = following.await {
            // What the connection cannot help, such as a row that cannot be read, is no loss of it.
            if matches!(error, Error::Io { .. } | Error::Silent { .. } | Error::DumpEnded { .. }) {
                self.outlet.meters.count(|numbers| numbers.log().disconnects += 1);
            }
            return Err(error);
        }
        self.outlet.close();
        self.outlet.last_stored().await;
        Ok(())
    }

    /// Where the dump begins, which transactions it leaves out, and whether the first that comes is the one in which the offset
    /// stands.
    async fn start(&self, stored: &Stored, server: &Server, sql: &mut Sql) -> Result<(Start, Executed, bool), Error> {
        let sources = &self.config.binlog.sources;
        let keeps = |source: &str| sources.keeps(source);
        let ignores = self.config.binlog.ignores_gtids;
        let gtids = stored.gtids.as_deref().filter(|_| !ignores);
        let position = Start::Position { file: stored.file.clone(), position: stored.pos };
        Ok(match (self.config.flavour, gtids) {
            (Flavour::MySql, Some(gtids)) if server.has_gtids() => {
                let executed = sql.gtid_executed().await?.unwrap_or_default();
                let purged = sql.gtid_purged().await?.unwrap_or_default();
                let stored = mysql(gtids)?;
                let set = mysql_start(&stored, &mysql(&executed)?, &mysql(&purged)?, keeps);
                let is_first = set == stored;
                (Start::MySqlGtids(set.clone()), Executed::mysql(set), is_first)
            }
            (Flavour::MySql, _) if server.has_gtids() && !ignores => (position, Executed::mysql_from_file(), true),
            (Flavour::MariaDb, Some(gtids)) => {
                let mut set = mariadb(gtids)?;
                set.retain(keeps);
                (Start::MariaDbGtids(set.clone()), Executed::mariadb(set), true)
            }
            (Flavour::MariaDb, None) if !ignores => (position, Executed::mariadb_from_file(), true),
            _ => (position, Executed::NONE, true),
        })
    }

    /// Sends the first heartbeat directly after a copy's rows, without waiting for the interval.
    async fn beat_after_copy(&mut self, position: &Position, action: Option<&ActionQuery<Error>>) {
        let heartbeat = self.heartbeat.as_mut();
        let Some(event) = heartbeat.and_then(|heartbeat| heartbeat.beat(now_ms(), position, true)) else { return };
        let batch = Batch { items: vec![Item::Event(Box::new(event))], ..Batch::default() };
        // Zero bytes, because the batch holds none of the source. Without a lease the connector is stopping.
        if let Some(lease) = self.outlet.lease_or_stop(0).await {
            self.outlet.send(Box::new(batch), lease).await;
            if let Some(action) = action {
                action.beat();
            }
        }
    }

    async fn delay(&mut self, delay: Duration) {
        if !delay.is_zero() {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = self.outlet.stopped() => {}
            }
        }
    }
}

fn mysql(set: &str) -> Result<MySqlSet, Error> {
    set.parse().map_err(|error| Error::Gtids { set: set.to_owned(), error })
}

fn mariadb(set: &str) -> Result<MariaSet, Error> {
    set.parse().map_err(|error| Error::Gtids { set: set.to_owned(), error })
}

/// The name of the connector, for messages.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("connector", &Arc::clone(&self.outlet.connector)).finish_non_exhaustive()
    }
}
