//! A connector without the daemon: its records, its stored position and its schema history are kept in memory.
//!
//! Must not know: what is tested.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mysql::position::to_offset;
use mysql::{Flavour, start};
use record::{Batch, Item, Position, ValueRef};
use relational::{
    Budget, History, HistoryRequest, Kept, Loaded, Message, Meters, Outlet, OutletEnds, Standing, TaskError,
};
use serde_json::{Map, Value as Json};
use settings::Properties;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// What outlasts a task: the records that were sent, the offset that was stored, the history.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub records: Vec<Record>,
    pub offset: Option<Map<String, Json>>,
    pub history: Option<Vec<String>>,
}

/// A record that was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// `database.table`; the topic, for records that are not of a row.
    pub table: String,
    pub op: &'static str,
    /// `source.snapshot`.
    pub mark: Option<&'static str>,
    /// The values of the row after the change, or before it.
    pub row: Vec<String>,
    pub position: Position,
}

pub type World = Arc<Mutex<State>>;

impl State {
    /// The records of rows.
    pub fn rows(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.op != "event")
    }

    /// Whether the position that is stored is no longer one of a copy.
    pub fn is_copied(&self) -> bool {
        self.offset.as_ref().is_some_and(|offset| offset.contains_key("file") && !offset.contains_key("snapshot"))
    }
}

/// The operations of a table's records, one letter each.
pub fn operations(world: &World, table: &str) -> String {
    world.lock().unwrap().rows().filter(|record| record.table == table).map(|record| record.op).collect()
}

/// A task that runs.
pub struct Task {
    pub world: World,
    standing: watch::Receiver<Standing>,
    stop: watch::Sender<bool>,
    running: JoinHandle<Result<(), TaskError>>,
    pump: JoinHandle<()>,
    keeper: JoinHandle<()>,
}

fn shown(value: &ValueRef<'_>) -> String {
    format!("{value:?}")
}

fn records(batch: &Batch, out: &mut Vec<Record>) -> Option<Position> {
    let mut last = None;
    for item in &batch.items {
        match item {
            Item::Change(change) => {
                let shape = &batch.shapes[usize::from(change.shape)];
                let row = change.after.or(change.before);
                let mut values = Vec::new();
                if let Some(row) = row {
                    shape.decode.row(&batch.buffer, batch.cells(row), &mut values).unwrap();
                }
                out.push(Record {
                    table: shape.table.to_string(),
                    op: change.op.letter(),
                    mark: change.mark.text(),
                    row: values.iter().map(shown).collect(),
                    position: change.position.clone(),
                });
                last = Some(change.position.clone());
            }
            Item::Event(event) => {
                let text = event.value.as_ref().map(|(_, value)| format!("{value:?}"));
                out.push(Record {
                    table: event.topic.to_string(),
                    op: "event",
                    mark: None,
                    row: text.into_iter().collect(),
                    position: event.position.clone().unwrap_or(Position::UNKNOWN),
                });
                last = event.position.clone().or(last);
            }
            Item::Position(position) => last = Some(position.clone()),
        }
    }
    last
}

/// Serves the pipeline's end: what is sent counts as delivered at once, and its position as stored. `pause` is waited for before
/// each batch.
async fn pump(mut ends: OutletEnds, world: World, pause: Duration) {
    while let Some(message) = ends.records.recv().await {
        match message {
            Message::Batch(batch, lease) => {
                tokio::time::sleep(pause).await;
                let mut world = world.lock().unwrap();
                if let Some(position) = records(&batch, &mut world.records) {
                    world.offset = Some(to_offset(&position));
                    ends.stored.send_replace(Some(position));
                }
                drop(lease);
            }
            Message::Store(position, done) => {
                world.lock().unwrap().offset = Some(to_offset(&position));
                ends.stored.send_replace(Some(position));
                let _ = done.send(());
            }
            Message::Copy(_) => {}
        }
    }
}

async fn keep(mut requests: mpsc::Receiver<HistoryRequest>, world: World) {
    while let Some(request) = requests.recv().await {
        match request {
            HistoryRequest::Find(answer) => {
                let kept = match &world.lock().unwrap().history {
                    None => Kept::Missing,
                    Some(all) if all.is_empty() => Kept::Empty,
                    Some(_) => Kept::Records,
                };
                let _ = answer.send(Ok(kept));
            }
            HistoryRequest::Create(answer) => {
                world.lock().unwrap().history.get_or_insert_default();
                let _ = answer.send(Ok(()));
            }
            HistoryRequest::Load(give) => {
                let all = world.lock().unwrap().history.clone().unwrap_or_default();
                for record in all {
                    let _ = give.send(Loaded::Record(record)).await;
                }
                let _ = give.send(Loaded::End).await;
            }
            HistoryRequest::Append(records, answer) => {
                world.lock().unwrap().history.get_or_insert_default().extend(records);
                let _ = answer.send(Ok(()));
            }
        }
    }
}

impl Task {
    /// Starts a task that captures one database, with `more` settings, and goes on from what `world` has.
    pub fn start(flavour: Flavour, database: &str, more: &[(&str, &str)], world: &World, pause: Duration) -> Self {
        let server = crate::rig::server(flavour);
        let port = server.port.to_string();
        let id = (flavour as u32 + 1) * 1_000_000 + crc32fast::hash(database.as_bytes()) % 1_000_000;
        let id = id.to_string();
        let mut properties: Properties = [
            ("topic.prefix", database),
            ("database.hostname", server.host.as_str()),
            ("database.port", port.as_str()),
            ("database.user", "root"),
            ("database.server.id", id.as_str()),
            ("database.include.list", database),
            ("schema.history.internal.store.only.captured.tables.ddl", "true"),
            ("errors.max.retries", "0"),
            // Other tests run on the same server, and a lock waits for their statements.
            ("snapshot.lock.timeout.ms", "60000"),
        ]
        .into_iter()
        .collect();
        for (key, value) in more {
            properties.insert(*key, *value);
        }
        let (stop, stopping) = watch::channel(false);
        let budget = Budget::new(8 << 20, 1 << 20);
        let offset = world.lock().unwrap().offset.clone();
        let meters = Arc::new(Meters::new(database.into()));
        let (mut outlet, ends) = Outlet::new(database.into(), offset, stopping, &budget, 4, meters);
        let (history, requests) = History::new();
        outlet.history = Some(history);
        let standing = ends.standing.clone();
        let keeper = tokio::spawn(keep(requests, Arc::clone(world)));
        let pump = tokio::spawn(pump(ends, Arc::clone(world), pause));
        let running = tokio::spawn(start(flavour, properties, outlet));
        Self { world: Arc::clone(world), standing, stop, running, pump, keeper }
    }

    /// Waits until the condition holds of what there is.
    pub async fn until(&self, what: &str, condition: impl Fn(&State) -> bool) {
        let limit = std::time::Instant::now() + Duration::from_secs(60);
        while !condition(&self.world.lock().unwrap()) {
            assert!(!self.running.is_finished(), "{what}: the task has ended");
            assert!(std::time::Instant::now() < limit, "{what}: {:?}", self.records().len());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// What the task's status says.
    pub fn standing(&self) -> Standing {
        self.standing.borrow().clone()
    }

    /// Waits until the task's status says that it waits for something. Returns what.
    pub async fn waiting(&mut self) -> String {
        let waits = self.standing.wait_for(|standing| matches!(standing, Standing::Waiting(_)));
        let standing = tokio::time::timeout(Duration::from_secs(60), waits).await.expect("it waits").unwrap();
        match &*standing {
            Standing::Waiting(text) => text.to_string(),
            _ => unreachable!(),
        }
    }

    /// As [`Task::waiting`], for something in particular: other tests on the same server may be waited for first.
    pub async fn waiting_for(&mut self, what: &str) -> String {
        let limit = std::time::Instant::now() + Duration::from_secs(60);
        loop {
            let text = self.waiting().await;
            if text.contains(what) {
                return text;
            }
            assert!(std::time::Instant::now() < limit, "it does not wait for {what}: {text}");
            let _ = tokio::time::timeout(Duration::from_secs(1), self.standing.changed()).await;
        }
    }

    pub fn records(&self) -> Vec<Record> {
        self.world.lock().unwrap().records.clone()
    }

    /// Whether the task runs.
    pub fn is_running(&self) -> bool {
        !self.running.is_finished()
    }

    /// Stops the task in order.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        let ended = tokio::time::timeout(Duration::from_secs(30), self.running).await.expect("it stops");
        ended.unwrap().unwrap();
        let _ = self.pump.await;
        self.keeper.abort();
    }

    /// Ends the task where it stands, as a killed process ends.
    pub async fn kill(self) {
        self.running.abort();
        let _ = self.running.await;
        self.pump.abort();
        self.keeper.abort();
    }

    /// The trace of a task that fails.
    pub async fn failed(self) -> String {
        let ended = tokio::time::timeout(Duration::from_secs(60), self.running).await.expect("it ends");
        let trace = ended.unwrap().expect_err("it fails").trace;
        // What was sent before it failed.
        let _ = self.pump.await;
        self.keeper.abort();
        trace
    }
}
