//! Heartbeats that positions need.
//!
//! Must not know: schemas, Kafka.

use std::time::Duration;

use relational::Events;
use settings::{Finding, Reader, Severity};

use super::modes::LsnFlushMode;

const HEARTBEAT_FOR_POSITIONS: Duration = Duration::from_secs(600);

/// `lsn.flush.mode=connector_and_driver` confirms positions that no record carries. Without heartbeats and transaction
/// records such positions would never be stored, so heartbeats are switched on, as in Debezium.
pub(super) fn heartbeat_when_positions_need_it(events: &mut Events, mode: LsnFlushMode, r: &mut Reader<'_>) {
    let needed = mode == LsnFlushMode::ConnectorAndDriver && !events.transaction_metadata;
    if needed && events.heartbeat_interval.is_zero() {
        events.heartbeat_interval = HEARTBEAT_FOR_POSITIONS;
        r.find(Finding {
            key: "heartbeat.interval.ms".to_owned(),
            severity: Severity::Warning,
            reason: "is set to 600000: lsn.flush.mode=connector_and_driver needs records that carry positions."
                .to_owned(),
            remedy: "Set heartbeat.interval.ms above 0, or provide.transaction.metadata=true.".to_owned(),
        });
    }
}
