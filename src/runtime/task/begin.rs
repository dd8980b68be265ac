//! What a task begins with: its parts, the transactional id if it has one, the stored offset. And how it ends, because a task
//! whose transaction failed begins anew.

use std::sync::Arc;
use std::time::{Duration, Instant};

use relational::TaskError;
use serde_json::{Map, Value as Json};
use tokio::sync::watch;

use super::build::{self, Built};
use super::{Slot, TaskEvent, TaskSpec, Worker};
use crate::runtime::exactly_once::{self, Claim};
use crate::runtime::failure::Failure;
use crate::sink::transactional::USUAL_TIMEOUT;
use crate::sink::{Delivery, SinkError, TransactionEnd};
use crate::store::{ConnectorOffsets, StoreError};

/// How a run of a task ended.
pub(super) enum Ending {
    /// With an error that this task cannot get over.
    Failed(TaskError),
    /// The way to the broker failed, and nothing of the open transaction is seen or everything is: another producer finds out.
    Anew {
        /// Why.
        error: TaskError,
        /// Whether this run has committed a transaction.
        got_on: bool,
    },
    /// The broker does not let a transaction last as long as one with a copy may.
    TooLong,
}

/// What a task begins with.
pub(super) struct Begun {
    /// Its parts, with the transactional id taken over.
    pub(super) built: Built,
    pub(super) offsets: ConnectorOffsets,
    /// The stored offset.
    pub(super) offset: Option<Map<String, Json>>,
}

/// Makes what a task begins with. `None` when it is to stop. A transaction of a task without an offset may last for
/// `copy_timeout`.
pub(super) async fn begin(
    spec: &TaskSpec,
    worker: &Worker,
    partition: &Map<String, Json>,
    (stop, slot): (&watch::Receiver<bool>, &Slot),
    delivery: Box<Delivery>,
    copy_timeout: Duration,
) -> Result<Option<Begun>, Ending> {
    let unread = |error: StoreError| {
        let trace =
            format!("org.apache.kafka.connect.errors.ConnectException: the stored offset could not be read: {error}");
        let ended = TaskError { trace, outlook: error.outlook() };
        if worker.exactly_once.is_some() && error.is_transient() {
            Ending::Anew { error: ended, got_on: false }
        } else {
            Ending::Failed(ended)
        }
    };
    let mut stop = stop.clone();
    let offsets = tokio::select! {
        opened = worker.offsets.open(&spec.connector, &spec.config, Arc::clone(&spec.fence)) => opened.map_err(unread)?,
        () = async { drop(stop.wait_for(|stop| *stop).await) } => return Ok(None),
    };
    let is_new = offsets.get(&spec.connector, partition).is_none();
    let timeout = if is_new { copy_timeout } else { USUAL_TIMEOUT };
    let built = build::build(spec, worker, delivery, timeout).await.map_err(Ending::Failed)?;
    slot.put(&built.sink);
    if !built.sink.is_transactional() {
        let offset = offsets.get(&spec.connector, partition);
        return Ok(Some(Begun { built, offsets, offset }));
    }
    // Whoever lost the group must not fence the producer of who owns it now.
    if !spec.fence.is_open() {
        return Ok(None);
    }
    let waits = |trace: &str| {
        tracing::warn!(connector = %spec.connector, "{trace}");
        drop(spec.events.send(TaskEvent::Waiting { trace: trace.into() }));
    };
    let begun = Instant::now();
    match exactly_once::claim(&built.sink, stop.clone(), waits).await {
        Claim::Taken => {}
        Claim::Stopped => return Ok(None),
        Claim::Refused(SinkError::Transaction { end: TransactionEnd::TooLong, .. }) if timeout > USUAL_TIMEOUT => {
            tracing::warn!(connector = %spec.connector, "the broker's transaction.max.timeout.ms is below 15 minutes: a copy of \
                tables that takes longer than a minute becomes visible in parts");
            return Err(Ending::TooLong);
        }
        Claim::Refused(error) => return Err(ending(&Failure::sink(&error), false)),
    }
    let claim_ms = begun.elapsed().as_millis();
    // The offset may be in a transaction that the take-over has just ended, or in one of another connector.
    tokio::select! {
        settled = offsets.settle() => settled.map_err(unread)?,
        () = async { drop(stop.wait_for(|stop| *stop).await) } => return Ok(None),
    }
    let settle_ms = begun.elapsed().as_millis() - claim_ms;
    tracing::debug!(connector = %spec.connector, claim_ms, settle_ms, "the transactional id is taken over and the offset is read");
    let offset = offsets.get(&spec.connector, partition);
    Ok(Some(Begun { built, offsets, offset }))
}

/// How a task with transactions ends with this failure.
pub(super) fn ending(failure: &Failure, got_on: bool) -> Ending {
    let error = failure.end();
    if failure.is_of_the_way() { Ending::Anew { error, got_on } } else { Ending::Failed(error) }
}
