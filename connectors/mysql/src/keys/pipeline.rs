//! Group `Connector`, first part: queues, snapshots, retries, limits.
//!
//! Order and titles are those of Debezium's answer over REST, for forms that are built from it.
//!
//! Must not know: how the values are used.

use relational::keys;
use settings::{Key, Support};

const GROUP: &str = "Connector";

/// With MySQL, the size decides in which form values come from the server.
pub(super) const MYSQL: [Key; 36] = both(
    keys::SNAPSHOT_FETCH_SIZE
        .support(Support::Works)
        .doc(
            "Above 0 a snapshot reads rows in the server's binary form, else as text. The number itself does not matter: rows come in one stream. A few values differ by it, in Debezium too: in dates and times that the server stores and the calendar does not have.",
        ),
);
pub(super) const MARIADB: [Key; 36] = both(keys::SNAPSHOT_FETCH_SIZE);

const fn both(fetch_size: Key) -> [Key; 36] {
    [
        keys::EVENT_PROCESSING_FAILURE_HANDLING_MODE.at(GROUP, 1).support(Support::Works).doc(
            "When an event of the binlog cannot be decoded: fail stops the task at it; warn leaves it out with a warning in the log, skip and ignore without. What is left out is lost. With fail, a stored date that the calendar does not have (31 February) stops the task too; else it is sent as 1970-01-01.",
        ),
        keys::MAX_BATCH_SIZE.at(GROUP, 2),
        keys::MAX_QUEUE_SIZE.at(GROUP, 3),
        keys::POLL_INTERVAL_MS.at(GROUP, 4),
        keys::MAX_QUEUE_SIZE_IN_BYTES.at(GROUP, 5),
        keys::PROVIDE_TRANSACTION_METADATA.at(GROUP, 6),
        keys::SKIPPED_OPERATIONS.at(GROUP, 7),
        keys::SNAPSHOT_DELAY_MS.at(GROUP, 8),
        keys::STREAMING_DELAY_MS.at(GROUP, 9),
        keys::SNAPSHOT_INCLUDE_COLLECTION_LIST.at(GROUP, 10).doc(
            "Regexes on 'database.table', separated by commas: of the captured tables, those whose rows the snapshot copies. The others are only streamed. Not set: all captured tables are copied.",
        ),
        fetch_size.at(GROUP, 11),
        keys::SNAPSHOT_MAX_THREADS.at(GROUP, 12).support(Support::Works).doc(
            "Number of connections that copy tables side by side, all from one moment. Large tables are cut into parts by their key. Above 1 the order of records of different parts and tables is not defined.",
        ),
        keys::SNAPSHOT_MAX_THREADS_MULTIPLIER.at(GROUP, 13).support(Support::Works).doc(
            "With snapshot.max.threads above 1: for each of them, a table is cut into so many parts, of 10000 rows at least. snapshot.max.threads.multiplier.<database>.<table> sets it for one table. Only tables whose key begins with an integer or a text are cut.",
        ),
        keys::LEGACY_SNAPSHOT_MAX_THREADS.at(GROUP, 14).support(Support::Works),
        keys::INTERNAL_LEGACY_SNAPSHOT_MAX_THREADS.at(GROUP, 14).support(Support::Works),
        keys::SNAPSHOT_MODE_CUSTOM_NAME.at(GROUP, 15),
        keys::SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_DATA.at(GROUP, 16),
        keys::SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_SCHEMA.at(GROUP, 17).doc(
            "With snapshot.mode=configuration_based: whether the structure of the tables is read and written to the schema history, at every start. Without it, the binlog must hold the DDL of every table from its beginning.",
        ),
        keys::SNAPSHOT_MODE_CONFIGURATION_BASED_START_STREAM.at(GROUP, 18),
        keys::SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_ON_SCHEMA_ERROR.at(GROUP, 19),
        keys::SNAPSHOT_MODE_CONFIGURATION_BASED_SNAPSHOT_ON_DATA_ERROR.at(GROUP, 20),
        keys::RETRIABLE_RESTART_CONNECTOR_WAIT_MS.at(GROUP, 21),
        keys::QUERY_FETCH_SIZE.at(GROUP, 22),
        keys::ERRORS_MAX_RETRIES.at(GROUP, 23),
        keys::INCREMENTAL_SNAPSHOT_WATERMARKING_STRATEGY.at(GROUP, 24),
        keys::INTERNAL_LOG_POSITION_CHECK_ENABLE.at(GROUP, 25),
        keys::INTERNAL_ADVANCED_METRICS_ENABLE.at(GROUP, 26),
        keys::CONNECTION_VALIDATION_TIMEOUT_MS.at(GROUP, 27),
        keys::EXECUTOR_SHUTDOWN_TIMEOUT_MS.at(GROUP, 28),
        keys::OPENLINEAGE_INTEGRATION_ENABLED.at(GROUP, 29),
        keys::OPENLINEAGE_INTEGRATION_CONFIG_FILE_PATH.at(GROUP, 30),
        keys::OPENLINEAGE_INTEGRATION_JOB_NAMESPACE.at(GROUP, 31),
        keys::OPENLINEAGE_INTEGRATION_JOB_DESCRIPTION.at(GROUP, 32),
        keys::OPENLINEAGE_INTEGRATION_JOB_TAGS.at(GROUP, 33),
        keys::OPENLINEAGE_INTEGRATION_JOB_OWNERS.at(GROUP, 34),
        keys::OPENLINEAGE_INTEGRATION_DATASET_KAFKA_BOOTSTRAP_SERVERS.at(GROUP, 35),
    ]
}
