//! The outlet: the handles, over bounded channels, by which a connector talks to the runtime. The connector does not
//! know whether records go to Kafka and offsets to a topic or to a file.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use record::{Batch, Position};
use retry::Outlook;
use serde_json::{Map, Value as Json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::budget::{Account, Budget, Lease};
use crate::{History, Meters, SnapshotState};

/// How long a position may wait to be stored before the task's status says so, and how often that is repeated.
const STORING: Duration = Duration::from_secs(10);

/// What a connector sends to its pipeline, in the order of the source.
#[derive(Debug)]
pub enum Message {
    /// Events, with the lease for their buffer. The lease is dropped when the batch has been converted.
    Batch(Box<Batch>, Lease),
    /// Stores this position as soon as everything before it is delivered, without waiting for the next flush, and then
    /// answers on the channel.
    Store(Position, oneshot::Sender<()>),
    /// A copy of tables begins, or ends in some way. If one begins while another is not complete, the records since then were
    /// sent in vain.
    Copy(CopyState),
}

/// How far a copy of tables is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyState {
    /// Its first record comes next.
    Begins,
    /// All its records were sent.
    Ends,
    /// It failed, and another attempt follows: what it has sent was sent in vain.
    Fails,
}

/// A failure that ends a task, as the `trace` of a task's status shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskError {
    /// The first line is `<java class>: <message>`; then come the causes, then what to do. Lines are separated by `\n`.
    pub trace: String,
    /// Whether the task may succeed when it is started again later.
    pub outlook: Outlook,
}

impl TaskError {
    /// A failure of which the same configuration and data would fail again.
    pub fn lasting(trace: impl Into<String>) -> Self {
        Self { trace: trace.into(), outlook: Outlook::CannotPass }
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.trace)
    }
}

impl std::error::Error for TaskError {}

/// The state of a task as its connector reports it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Start-up is not finished.
    #[default]
    Starting,
    /// Start-up is finished, and the connector works.
    Running,
    /// The connector works, and has waited for some time until a position is stored.
    Storing,
    /// Something that should pass by itself keeps the connector from working, and it keeps trying. The text has the
    /// form of [`TaskError::trace`].
    Waiting(Arc<str>),
}

/// The connector's end of the channels.
pub struct Outlet {
    /// The connector's name.
    pub connector: Arc<str>,
    /// The offset that is stored for the connector's source partition, if any.
    pub offset: Option<Map<String, Json>>,
    /// The last position that is durably stored. The channel is closed when nothing more will be stored; then the task
    /// may end.
    pub stored: watch::Receiver<Option<Position>>,
    /// Becomes true when the connector must stop reading. The connector then calls [`close`](Self::close), waits until
    /// `stored` is closed, tells the source the last stored position, and returns.
    pub stop: watch::Receiver<bool>,
    /// The task's counters.
    pub meters: Arc<Meters>,
    /// Whether all records of a copy become visible together, when it is complete. An attempt that did not complete has left
    /// nothing then, so that the next one may start as if it had not been.
    pub copies_are_whole: bool,
    /// Whether batches say when they were handed over, for traces.
    pub notes_times: bool,
    /// The schema history, for a connector that keeps one.
    pub history: Option<History>,
    standing: watch::Sender<Standing>,
    records: Option<mpsc::Sender<Message>>,
    account: Arc<Account>,
}

/// A reserved place in the pipeline's queue.
pub struct Place<'a> {
    permit: mpsc::Permit<'a, Message>,
    meters: &'a Meters,
    notes_times: bool,
}

impl Place<'_> {
    /// Puts a message into the place.
    pub fn send(self, mut message: Message) {
        if let Message::Batch(batch, _) = &mut message {
            if self.notes_times {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                batch.read_ns = Some(now.as_nanos() as i64);
            }
            self.meters.count(|numbers| {
                numbers.queued += 1;
                numbers.queued_events += batch.items.len() as u64;
                numbers.queued_bytes += batch.buffer.len() as u64;
            });
        }
        self.permit.send(message);
    }
}

impl std::fmt::Debug for Outlet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlet").field("connector", &self.connector).finish_non_exhaustive()
    }
}

/// The runtime's end of the channels.
pub struct OutletEnds {
    /// Batches and positions from the connector.
    pub records: mpsc::Receiver<Message>,
    /// Tells the connector which position is stored.
    pub stored: watch::Sender<Option<Position>>,
    /// The state that the connector reports. The channel is closed when the connector has ended.
    pub standing: watch::Receiver<Standing>,
}

impl Outlet {
    /// Makes both ends. The connector gets a floor in `budget`, the budget of the process. `depth` is the number of
    /// messages that may wait for the pipeline. `meters` counts the batches that wait.
    pub fn new(
        connector: Arc<str>,
        offset: Option<Map<String, Json>>,
        stop: watch::Receiver<bool>,
        budget: &Budget,
        depth: usize,
        meters: Arc<Meters>,
    ) -> (Self, OutletEnds) {
        meters.count(|numbers| {
            // A task that begins anew keeps its meters, and nothing of its first attempt waits or is under way.
            (numbers.queue_capacity, numbers.queued, numbers.queued_events) = (depth as u64, 0, 0);
            (numbers.queued_bytes, numbers.under_way, numbers.oldest_under_way_ms) = (0, 0, None);
        });
        let (records, received) = mpsc::channel(depth);
        let (stored_out, stored) = watch::channel(None);
        let (standing, standing_in) = watch::channel(Standing::Starting);
        let account = budget.open();
        let history = None;
        let outlet = Self {
            connector,
            offset,
            stored,
            stop,
            meters,
            copies_are_whole: false,
            notes_times: false,
            history,
            standing,
            records: Some(records),
            account,
        };
        (outlet, OutletEnds { records: received, stored: stored_out, standing: standing_in })
    }

    /// Whether the connector must stop.
    pub fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the connector must stop.
    pub async fn stopped(&mut self) {
        // A closed channel means that the runtime dropped the task, which is a stop too.
        let _ = self.stop.wait_for(|stop| *stop).await;
    }

    /// Waits for a part of the byte budget. A connector reads into one buffer, which the budget does not count. Lease
    /// before more memory than that is allocated: before the buffer grows for a large row, and before a batch takes the
    /// buffer away, for which a new one is allocated. A request that fits into this connector's floor is granted at
    /// once. While this connector holds no lease, any request is granted, so that a huge row passes alone instead of
    /// never.
    pub fn lease(&self, bytes: usize) -> impl Future<Output = Lease> + use<> {
        Arc::clone(&self.account).lease(bytes)
    }

    /// Waits for a place in the queue. `None` when the pipeline is gone; the connector must then return.
    pub async fn place(&self) -> Option<Place<'_>> {
        let permit = self.records.as_ref()?.reserve().await.ok()?;
        Some(Place { permit, meters: &self.meters, notes_times: self.notes_times })
    }

    /// Waits until the pipeline has taken everything that was sent. Never completes when the pipeline is gone.
    pub fn drained(&self) -> impl Future<Output = ()> + use<> {
        let records = self.records.clone();
        async move {
            let taken = match &records {
                Some(records) => records.reserve_many(records.max_capacity()).await.is_ok(),
                None => false,
            };
            if !taken {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Whether the pipeline has taken everything that was sent.
    pub fn is_drained(&self) -> bool {
        self.records.as_ref().is_none_or(|records| records.capacity() == records.max_capacity())
    }

    /// As [`lease`](Self::lease), but returns `None` when the connector must stop.
    pub async fn lease_or_stop(&self, bytes: usize) -> Option<Lease> {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            lease = self.lease(bytes) => Some(lease),
            () = async { drop(stop.wait_for(|stop| *stop).await) } => None,
        }
    }

    /// Waits for a place in the queue and sends a batch with its lease. Returns false when the pipeline is gone or the
    /// connector must stop.
    pub async fn send(&self, batch: Box<Batch>, lease: Lease) -> bool {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            place = self.place() => place.map(|place| place.send(Message::Batch(batch, lease))).is_some(),
            () = async { drop(stop.wait_for(|stop| *stop).await) } => false,
        }
    }

    /// Has a position stored once everything before it is delivered, and waits until it is stored. Returns false when
    /// the pipeline is gone or the connector must stop.
    pub async fn store(&self, position: Position) -> bool {
        let mut stop = self.stop.clone();
        let before = self.standing.borrow().clone();
        let storing = async {
            let (done, wait) = oneshot::channel();
            let Some(place) = self.place().await else { return false };
            place.send(Message::Store(position, done));
            wait.await.is_ok()
        };
        let is_stored = tokio::select! {
            biased;
            is_stored = storing => is_stored,
            () = async { drop(stop.wait_for(|stop| *stop).await) } => false,
            () = self.show_storing() => false,
        };
        self.stand(before);
        is_stored
    }

    /// Every 10 s, shows that a position waits to be stored; never ends.
    async fn show_storing(&self) {
        let began = Instant::now();
        loop {
            tokio::time::sleep(STORING).await;
            tracing::warn!(connector = %self.connector, waited_s = began.elapsed().as_secs(), "the position is not stored yet");
            self.stand(Standing::Storing);
        }
    }

    /// Says that a copy begins. Call it before the first record of the copy.
    pub async fn copy_begins(&self) -> bool {
        self.meters.count(|numbers| numbers.snapshot.begins());
        self.tell_of_copy(CopyState::Begins).await
    }

    /// Says that a copy is complete. Call it after its last record.
    pub async fn copy_ends(&self) -> bool {
        let is_told = self.tell_of_copy(CopyState::Ends).await;
        if is_told {
            self.meters.count(|numbers| numbers.snapshot.ends(SnapshotState::Completed));
        }
        is_told
    }

    /// Says that a copy failed, before another attempt is made.
    pub async fn copy_fails(&self) -> bool {
        self.meters.count(|numbers| numbers.snapshot.ends(SnapshotState::Aborted));
        // Where rows are visible at once there is nothing to take back, and a full queue must not hold up the error.
        !self.copies_are_whole || self.tell_of_copy(CopyState::Fails).await
    }

    /// Before a copy whose records become visible as a whole: stores what was reached before it, because those records do not
    /// belong to it, and a copy that fails takes back what is not stored. Returns false when the pipeline is gone or the
    /// connector must stop.
    pub async fn store_before_copy(&self, reached: Option<&Position>) -> bool {
        match reached.filter(|reached| self.copies_are_whole && self.stored.borrow().as_ref() != Some(*reached)) {
            Some(reached) => self.store(reached.clone()).await,
            None => true,
        }
    }

    /// Returns false when the pipeline is gone or the connector must stop.
    async fn tell_of_copy(&self, state: CopyState) -> bool {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            place = self.place() => place.map(|place| place.send(Message::Copy(state))).is_some(),
            () = async { drop(stop.wait_for(|stop| *stop).await) } => false,
        }
    }

    /// Stores the position at which a copy begins, before its first row is sent, so that a later start knows that rows may
    /// have been sent. Where copies are whole there is nothing to know. Returns false when the pipeline is gone or the
    /// connector must stop.
    pub async fn store_begin_of_copy(&self, position: Position) -> bool {
        self.copies_are_whole || self.store(position).await
    }

    /// As [`store`](Self::store), but does not wait until the position is stored. Returns false when the pipeline is
    /// gone.
    pub async fn store_soon(&self, position: Position) -> bool {
        let (done, _) = oneshot::channel();
        match self.place().await {
            Some(place) => place.send(Message::Store(position, done)),
            None => return false,
        }
        true
    }

    /// Reports that start-up is finished and the connector works.
    pub fn running(&self) {
        self.stand(Standing::Running);
    }

    /// Reports why the connector cannot work while it keeps trying. The task's state stays RUNNING; its `trace` shows
    /// the reason.
    pub fn waiting(&self, trace: &str) {
        self.stand(Standing::Waiting(trace.into()));
    }

    fn stand(&self, standing: Standing) {
        self.meters.count(|numbers| numbers.is_connected = matches!(standing, Standing::Running | Standing::Storing));
        self.standing.send_if_modified(|now| {
            let is_new = *now != standing;
            *now = standing;
            is_new
        });
    }

    /// Closes the queue: the connector sends nothing more.
    pub fn close(&mut self) {
        self.records = None;
    }

    /// Waits for the final commit and returns the last stored position. Call it after [`close`](Self::close).
    pub async fn last_stored(&mut self) -> Option<Position> {
        while self.stored.changed().await.is_ok() {}
        self.stored.borrow().clone()
    }
}
