//! Exactly once for sources (KIP-618): the records of a task and the offset behind them go in one Kafka transaction.
//!
//! A task's producer has the transactional id `<group.id>-<connector>-<task>`. At its start it takes that id over, which ends
//! what an earlier producer left open and fences it; only then are the stored offsets read, and only what is committed counts.
//! From then on a transaction is always open ([`Transactions`]). It ends between two batches ([`Turns`]), with the offset of
//! the last record in it, when the source is idle or some time has passed. Whatever goes wrong with a transaction, its producer
//! is dropped: the task begins anew with another one, and the stored offset tells whether the transaction was committed.
//!
//! The rows of a copy are one transaction, as far as the broker lets it last: a start that finds a copy unfinished copies again,
//! and nobody must have seen the rows of the first attempt.
//!
//! Must not know: which connector, SQL, HTTP.

mod claim;
mod producers;
#[cfg(test)]
mod tests;
mod transactions;
mod turns;

use std::time::Duration;

use settings::Properties;

pub(crate) use self::claim::{Claim, claim};
pub(crate) use self::producers::Of;
pub use self::producers::Producers;
pub(crate) use self::transactions::{Boundary, Ended, Transactions};
pub(crate) use self::turns::Turns;

/// How long a transaction of a task without a stored offset may last, unless `transaction.timeout.ms` is set: the copy with
/// which it begins is one transaction. It is the default of the broker's limit, `transaction.max.timeout.ms`.
pub(crate) const COPY_TIMEOUT: Duration = Duration::from_secs(900);

/// The transactional id of a task's producer, as Connect names it.
pub(crate) fn transactional_id(group: &str, connector: &str, task: u32) -> String {
    format!("{group}-{connector}-{task}")
}

impl Boundary {
    /// Where a connector's transactions end: `transaction.boundary` and `transaction.boundary.interval.ms`. The latter's
    /// default is the worker's `offset.flush.interval.ms`.
    pub(crate) fn of(config: &Properties, flush_interval: Duration) -> Self {
        let named = config.get("transaction.boundary").map(str::trim).unwrap_or_default();
        if !named.eq_ignore_ascii_case("interval") {
            return Self::Poll;
        }
        let own = config.get("transaction.boundary.interval.ms").and_then(|text| text.trim().parse().ok());
        Self::Interval(own.map_or(flush_interval, Duration::from_millis))
    }
}
