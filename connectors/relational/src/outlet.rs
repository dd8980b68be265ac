//! How a connector speaks: concrete handles over bounded channels. The runtime puts Kafka or a file behind them.

use std::fmt;
use std::sync::Arc;

use record::{Batch, Position};
use serde_json::{Map, Value as Json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use crate::Meters;

/// Bytes are leased in units of this size, so that a semaphore's 32-bit count covers any buffer.
const UNIT_BYTES: usize = 1024;

/// What goes through the channel of records, in source order.
#[derive(Debug)]
pub enum Message {
    /// Events, and the part of the byte budget that their buffer takes; given back when the batch is done with.
    Batch(Box<Batch>, Lease),
    /// Store this position now, once everything before it is delivered, and say so.
    Store(Position, oneshot::Sender<()>),
}

/// A part of the process's byte budget. Dropping it gives the bytes back.
#[derive(Debug, Default)]
pub struct Lease {
    #[allow(dead_code, reason = "held for its drop")]
    permit: Option<OwnedSemaphorePermit>,
}

/// A failure that ends a task, as `status.trace` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskError {
    /// First line `<java class>: <message>`, then causes, then what to do; lines separated by `\n`.
    pub trace: String,
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.trace)
    }
}

impl std::error::Error for TaskError {}

/// How a task stands, as its connector says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Start-up is not done.
    #[default]
    Starting,
    /// Start-up is done, and nothing is in the way.
    Running,
    /// Something is in the way that passes by itself: it is tried again and again. The text is as a [`TaskError`]'s.
    Waiting(Arc<str>),
}

/// The connector's end.
pub struct Outlet {
    /// The connector's name.
    pub connector: Arc<str>,
    /// The offset that is stored for its source partition, if any.
    pub offset: Option<Map<String, Json>>,
    /// The last position that is durably stored. Closed when nothing more will be stored: then the task may end.
    pub stored: watch::Receiver<Option<Position>>,
    /// Turns true when the connector is to stop reading. It then drops `records`, waits until `stored` is closed, tells
    /// the source the last stored position, and returns.
    pub stop: watch::Receiver<bool>,
    /// What the task counts.
    pub meters: Arc<Meters>,
    standing: watch::Sender<Standing>,
    records: Option<mpsc::Sender<Message>>,
    budget: Budget,
}

/// A place in the queue of the pipeline.
pub struct Place<'a> {
    permit: mpsc::Permit<'a, Message>,
    meters: &'a Meters,
}

impl Place<'_> {
    /// Puts a message there.
    pub fn send(self, message: Message) {
        if let Message::Batch(batch, _) = &message {
            self.meters.count(|numbers| {
                numbers.queued += 1;
                numbers.queued_bytes += batch.buffer.len() as u64;
            });
        }
        self.permit.send(message);
    }
}

/// The byte budget of the whole process for what has been read and not yet converted.
#[derive(Clone, Debug)]
pub struct Budget {
    free: Arc<Semaphore>,
    units: u32,
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Self {
        let units = (bytes / UNIT_BYTES).clamp(1, Semaphore::MAX_PERMITS.min(u32::MAX as usize));
        Self { free: Arc::new(Semaphore::new(units)), units: units as u32 }
    }
}

/// The runtime's end of an outlet.
pub struct OutletEnds {
    /// What the connector says.
    pub records: mpsc::Receiver<Message>,
    /// Where stored positions are told.
    pub stored: watch::Sender<Option<Position>>,
    /// How the connector stands. Closed when it has ended.
    pub standing: watch::Receiver<Standing>,
}

impl Outlet {
    /// Makes both ends. `budget` is the process's; `depth` bounds the batches under way; `meters` counts what goes through.
    pub fn new(
        connector: Arc<str>,
        offset: Option<Map<String, Json>>,
        stop: watch::Receiver<bool>,
        budget: Budget,
        depth: usize,
        meters: Arc<Meters>,
    ) -> (Self, OutletEnds) {
        meters.count(|numbers| numbers.queue_capacity = depth as u64);
        let (records, received) = mpsc::channel(depth);
        let (stored_out, stored) = watch::channel(None);
        let (standing, standing_in) = watch::channel(Standing::Starting);
        let outlet = Self { connector, offset, stored, stop, meters, standing, records: Some(records), budget };
        (outlet, OutletEnds { records: received, stored: stored_out, standing: standing_in })
    }

    /// Whether the connector is to stop.
    pub fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the connector is to stop (or its task is gone).
    pub async fn stopped(&mut self) {
        // A closed channel means that the task was dropped: that is a stop too.
        let _ = self.stop.wait_for(|stop| *stop).await;
    }

    /// Waits for a part of the byte budget. A buffer larger than the whole budget takes all of it, so that one huge row
    /// goes through alone instead of never.
    pub fn lease(&self, bytes: usize) -> impl Future<Output = Lease> + use<> {
        let units = (bytes.div_ceil(UNIT_BYTES) as u32).clamp(1, self.budget.units.max(1));
        let free = Arc::clone(&self.budget.free);
        async move { Lease { permit: free.acquire_many_owned(units).await.ok() } }
    }

    /// Waits for a place in the queue. `None` when the pipeline is gone: the connector then returns.
    pub async fn place(&self) -> Option<Place<'_>> {
        let permit = self.records.as_ref()?.reserve().await.ok()?;
        Some(Place { permit, meters: &self.meters })
    }

    /// Waits until the pipeline has taken everything that was sent. Never, when it is gone.
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

    /// Sends a batch, waiting for the budget and for a place. False when the pipeline is gone, or when it is time to stop.
    pub async fn send(&self, batch: Box<Batch>) -> bool {
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            sent = async {
                let lease = self.lease(batch.buffer.len()).await;
                self.place().await.map(|place| place.send(Message::Batch(batch, lease))).is_some()
            } => sent,
            () = async { drop(stop.wait_for(|stop| *stop).await) } => false,
        }
    }

    /// Stores a position once all before it is delivered, and waits for that. False when the pipeline is gone, or when it is
    /// time to stop.
    pub async fn store(&self, position: Position) -> bool {
        let (done, wait) = oneshot::channel();
        match self.place().await {
            Some(place) => place.send(Message::Store(position, done)),
            None => return false,
        }
        let mut stop = self.stop.clone();
        tokio::select! {
            biased;
            stored = wait => stored.is_ok(),
            () = async { drop(stop.wait_for(|stop| *stop).await) } => false,
        }
    }

    /// As [`store`](Self::store), without waiting for it: the position is stored as soon as it may be, not only at the
    /// next flush.
    pub async fn store_soon(&self, position: Position) -> bool {
        let (done, _) = oneshot::channel();
        match self.place().await {
            Some(place) => place.send(Message::Store(position, done)),
            None => return false,
        }
        true
    }

    /// Says that start-up is done, and that nothing is in the way any more.
    pub fn running(&self) {
        self.stand(Standing::Running);
    }

    /// Says what is in the way while the task tries again: it is RUNNING, and its trace tells why nothing comes.
    pub fn waiting(&self, trace: &str) {
        self.stand(Standing::Waiting(trace.into()));
    }

    fn stand(&self, standing: Standing) {
        self.meters.count(|numbers| numbers.is_connected = standing == Standing::Running);
        self.standing.send_if_modified(|now| {
            let is_new = *now != standing;
            *now = standing;
            is_new
        });
    }

    /// Closes the queue: nothing more will be read.
    pub fn close(&mut self) {
        self.records = None;
    }

    /// After [`close`](Self::close): waits for the final commit and gives the last stored position.
    pub async fn last_stored(&mut self) -> Option<Position> {
        while self.stored.changed().await.is_ok() {}
        self.stored.borrow().clone()
    }
}
