//! Kafka transactions (KIP-98) with librdkafka: taking the transactional id, begin, commit, abort.
//!
//! librdkafka asks the broker's transaction coordinator on its own threads; a call here waits for the answer in slices, so that
//! a sink that is stopped meanwhile does not hold its task up. A slice that ends without an answer resumes with the next call,
//! as librdkafka wants it. A commit that is given up must not be followed by another transaction of the same producer: its
//! request may still reach the coordinator and end that one. So a sink is dropped after any error.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, Producer};

use super::callbacks::opaque;
use super::flow::UNNUMBERED;
use super::{KafkaSink, OffsetEntry, SinkError};
use crate::sink::TransactionEnd;
use crate::sink::kafka::line::Line;

/// How long one call to the client lasts at most.
const SLICE: Duration = Duration::from_millis(500);

/// How long a look for a connection lasts. librdkafka may miss that one was made, and then waits until the end of this.
const CONNECT_SLICE: Duration = Duration::from_millis(50);

/// A sink's transactions.
pub(super) struct Transaction<'a> {
    sink: &'a KafkaSink,
    line: &'a Line,
    id: &'a str,
}

/// How a call to the client went.
enum Step {
    Done,
    /// No answer yet: the same call is to be made again.
    Again(String),
}

impl KafkaSink {
    /// The sink's transactions, if it has any.
    pub(super) fn transaction(&self) -> Result<Transaction<'_>, SinkError> {
        let id = self.transactional_id.as_deref().ok_or(SinkError::NoTransactions)?;
        Ok(Transaction { sink: self, line: &self.line, id })
    }
}

impl Transaction<'_> {
    fn error(&self, end: TransactionEnd, reason: impl Into<String>) -> SinkError {
        SinkError::Transaction { id: self.id.to_owned(), end, reason: reason.into() }
    }

    /// Sorts the result of a call. `otherwise` is what an error of no particular kind means.
    fn sorted(&self, result: KafkaResult<()>, otherwise: TransactionEnd) -> Result<Step, SinkError> {
        use RDKafkaErrorCode as Code;
        let error = match result {
            Ok(()) => return Ok(Step::Done),
            Err(KafkaError::Transaction(error)) => error,
            // The flush before a commit has not ended in its time.
            Err(KafkaError::Flush(Code::OperationTimedOut)) => {
                return Ok(Step::Again("records are not delivered".to_owned()));
            }
            Err(other) => return Err(self.error(otherwise, other.to_string())),
        };
        let end = match error.code() {
            Code::ProducerFenced | Code::Fenced | Code::InvalidProducerEpoch => TransactionEnd::Fenced,
            Code::TransactionalIdAuthorizationFailed | Code::ClusterAuthorizationFailed => TransactionEnd::Unauthorized,
            Code::InvalidTransactionTimeout => TransactionEnd::TooLong,
            _ if error.is_retriable() => return Ok(Step::Again(error.string())),
            _ if error.txn_requires_abort() => TransactionEnd::Aborted,
            _ => otherwise,
        };
        Err(self.error(end, error.string()))
    }

    /// Makes the call until it is done. The last message of the client when `within` is over first.
    fn until_done(
        &self,
        within: Duration,
        otherwise: TransactionEnd,
        is_over: impl Fn() -> bool,
        call: impl Fn(Duration) -> KafkaResult<()>,
    ) -> Result<Result<(), String>, SinkError> {
        let end = Instant::now() + within;
        loop {
            if is_over() {
                return Err(SinkError::Stopped);
            }
            let left = end.saturating_duration_since(Instant::now());
            match self.sorted(call(SLICE.min(left.max(Duration::from_millis(1)))), otherwise)? {
                Step::Done => return Ok(Ok(())),
                Step::Again(why) if Instant::now() >= end => return Ok(Err(why)),
                // A call that fails at once must not spin.
                Step::Again(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    /// See [`Sink::claim`](crate::sink::Sink::claim).
    pub(super) fn claim(&self, within: Duration) -> Result<bool, SinkError> {
        let begun = Instant::now();
        // librdkafka looks only every 500 ms whether it has a connection on which to ask for the coordinator, so the connection is made
        // before. If no broker answers, the call below says so.
        let has_connection = || self.line.producer.client().fetch_cluster_id(CONNECT_SLICE).is_some();
        while !has_connection() && begun.elapsed() < within {
            if self.sink.flow.is_stopped() {
                return Err(SinkError::Stopped);
            }
        }
        let within = within.saturating_sub(begun.elapsed());
        let taken = self.until_done(within, TransactionEnd::Refused, self.is_stopped(), |slice| {
            self.line.producer.init_transactions(slice)
        })?;
        Ok(taken.is_ok())
    }

    /// Whether the sink was stopped, or this process may no longer produce.
    fn is_stopped(&self) -> impl Fn() -> bool {
        || self.sink.flow.is_stopped()
    }

    /// See [`Sink::begin`](crate::sink::Sink::begin).
    pub(super) fn begin(&self) -> Result<(), SinkError> {
        match self.sorted(self.line.producer.begin_transaction(), TransactionEnd::Refused)? {
            Step::Done => Ok(()),
            Step::Again(why) => Err(self.error(TransactionEnd::Aborted, why)),
        }
    }

    /// See [`Sink::commit`](crate::sink::Sink::commit).
    pub(super) fn commit(&self, offsets: &[OffsetEntry<'_>], within: Duration) -> Result<(), SinkError> {
        use crate::sink::Sink as _;
        let begun = Instant::now();
        // Until the end of the transaction is asked for, it is certain that nothing of it is committed.
        while !self.sink.flush(SLICE) {
            if self.sink.flow.is_stopped() {
                return Err(SinkError::Stopped);
            }
            if begun.elapsed() >= within {
                return Err(self.error(TransactionEnd::Aborted, "its records were not delivered in time"));
            }
        }
        for entry in offsets {
            self.write(entry)?;
        }
        // librdkafka's call would wait for what is under way in steps of 100 ms.
        while self.line.producer.in_flight_count() > 0 && begun.elapsed() < within {
            if self.sink.flow.is_stopped() {
                return Err(SinkError::Stopped);
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        let left = within.saturating_sub(begun.elapsed());
        let committed = self.until_done(left, TransactionEnd::Unknown, self.is_stopped(), |slice| {
            self.line.producer.commit_transaction(slice)
        })?;
        committed.map_err(|why| self.error(TransactionEnd::Unknown, why))
    }

    fn write(&self, entry: &OffsetEntry<'_>) -> Result<(), SinkError> {
        let number = opaque(UNNUMBERED, false);
        let mut record: BaseRecord<'_, [u8], [u8], usize> =
            BaseRecord::with_opaque_to(entry.topic, number).partition(entry.partition).key(entry.key);
        record.payload = entry.value;
        let flow = &self.sink.flow;
        flow.sent.fetch_add(1, Ordering::AcqRel);
        flow.handed.fetch_add(1, Ordering::AcqRel);
        // The queue is empty, so there is room.
        let Err((error, _)) = self.line.producer.send(record) else { return Ok(()) };
        flow.handed.fetch_sub(1, Ordering::AcqRel);
        flow.sent.fetch_sub(1, Ordering::AcqRel);
        Err(self.error(TransactionEnd::Aborted, format!("the offset was not taken for topic {}: {error}", entry.topic)))
    }

    /// See [`Sink::abort`](crate::sink::Sink::abort).
    pub(super) fn abort(&self, within: Duration) -> Result<(), SinkError> {
        let flow = &self.sink.flow;
        flow.aborting.store(true, Ordering::Release);
        if let Some(mut window) = self.line.window() {
            self.line.give_up(&mut window);
        }
        // A sink that was stopped, because a record was refused, still ends its transaction: consumers wait behind it.
        let aborted = self.until_done(
            within,
            TransactionEnd::Aborted,
            || flow.is_fenced(),
            |slice| self.line.producer.abort_transaction(slice),
        );
        // What was dropped has had its report by now; otherwise the sink is of no more use.
        flow.aborting.store(false, Ordering::Release);
        aborted?.map_err(|why| self.error(TransactionEnd::Aborted, why))
    }
}
